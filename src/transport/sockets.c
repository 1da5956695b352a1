/*
 * transport/sockets.c
 *		What the descriptor knows of each socket, and what libcurl wants of it.
 */
#include "postgres.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "transport/sockets.h"

typedef struct Socket
{
	bool		ours;			/* a connection's: we are told when it is closed */
	bool		known;			/* stands in the descriptor */
	bool		wanted;			/* libcurl waits for it */
	uint32		events;			/* as the descriptor has it */
} Socket;

struct DunSockets
{
	int			epoll_fd;
	int			n;
	Socket	   *sockets;		/* by descriptor */
};

DunSockets *
dun_transport_open_sockets(int epoll_fd)
{
	DunSockets *s = calloc(1, sizeof(DunSockets));

	if (s != NULL)
		s->epoll_fd = epoll_fd;
	return s;
}

void
dun_transport_free_sockets(DunSockets *s)
{
	if (s == NULL)
		return;
	free(s->sockets);
	free(s);
}

/* NULL: there is no memory to remember it. */
static Socket *
find_socket(DunSockets *s, curl_socket_t fd)
{
	int			wanted = Max(64, s->n);
	Socket	   *more;

	if (fd < s->n)
		return &s->sockets[fd];
	while (wanted <= fd)
		wanted *= 2;
	more = realloc(s->sockets, wanted * sizeof(Socket));
	if (more == NULL)
		return NULL;
	memset(more + s->n, 0, (wanted - s->n) * sizeof(Socket));
	s->sockets = more;
	s->n = wanted;
	return &s->sockets[fd];
}

static void
put_in(DunSockets *s, curl_socket_t fd, uint32 events, bool known)
{
	struct epoll_event ev = {.events = events, .data.u64 = (uint32) fd};

	if (epoll_ctl(s->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) != 0)
		epoll_ctl(s->epoll_fd, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev);
}

void
dun_transport_watch_socket(DunSockets *s, curl_socket_t fd, int what)
{
	Socket	   *socket = find_socket(s, fd);
	uint32		events = (what != CURL_POLL_REMOVE && what & CURL_POLL_IN ? EPOLLIN : 0) |
		(what != CURL_POLL_REMOVE && what & CURL_POLL_OUT ? EPOLLOUT : 0);

	/* libcurl's own (a resolver's) are closed without a word, and their numbers are another's then. */
	if (socket == NULL || !socket->ours)
	{
		if (what == CURL_POLL_REMOVE)
			epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		else
			put_in(s, fd, events, false);
		return;
	}
	socket->wanted = what != CURL_POLL_REMOVE;
	if (!socket->wanted || (socket->known && socket->events == events))
		return;
	put_in(s, fd, events, socket->known);
	socket->known = true;
	socket->events = events;
}

bool
dun_transport_is_watched(DunSockets *s, curl_socket_t fd)
{
	if (fd >= s->n || !s->sockets[fd].ours || s->sockets[fd].wanted)
		return true;
	if (s->sockets[fd].known)
		epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	s->sockets[fd].known = false;
	return false;
}

void
dun_transport_note_socket(DunSockets *s, curl_socket_t fd)
{
	Socket	   *socket = fd < 0 ? NULL : find_socket(s, fd);

	if (socket != NULL)
		*socket = (Socket) {.ours = true};
}

int
dun_transport_close_socket(void *arg, curl_socket_t fd)
{
	DunSockets *s = arg;

	/* Closing it takes it out of the descriptor; the number may be another socket's at once. */
	if (fd >= 0 && fd < s->n)
		memset(&s->sockets[fd], 0, sizeof(Socket));
	return close(fd);
}
