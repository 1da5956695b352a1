/*
 * transport/smtp.c
 *		Mails over kept connections: which connection a mail takes, and what becomes of it.
 */
#include "postgres.h"

#include <poll.h>

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "transport/smtp.h"

#define IDLE_MS 30000			/* a kept connection is a process of the server's */
#define MAIL_EVENT (UINT64CONST(1) << 63)

struct DunMailer
{
	CURLM	   *multi;
	int			epoll_fd;
	int			slots;
	DunMail    *mails;
	dlist_head	ended;			/* to be reported */
	TimestampTz look_at;		/* not later than the first deadline, 0: none */
};

DunMailer *
dun_transport_open_mailer(CURLM *multi, int epoll_fd, int slots, struct DunSockets *sockets)
{
	DunMailer  *mailer = MemoryContextAllocZero(TopMemoryContext, sizeof(DunMailer));

	mailer->multi = multi;
	mailer->epoll_fd = epoll_fd;
	mailer->slots = slots;
	dlist_init(&mailer->ended);
	mailer->mails = MemoryContextAllocZero(TopMemoryContext, slots * sizeof(DunMail));
	for (int i = 0; i < slots; i++)
		mailer->mails[i].x.sockets = sockets;
	return mailer;
}

/* --- connections --- */

/* What a login depends on, in one string; NULL: no memory. */
static char *
make_key(const DunServer *server)
{
	const char *parts[] = {server->url, server->proxy, server->ca_file, server->crl_file, server->client_cert_file,
		server->client_key_file, server->username, server->password, server->require_tls ? "tls" : NULL,
		server->proxy_ca_file, server->proxy_username, server->proxy_password, server->source_address};
	size_t		len = 1;
	char	   *key;
	char	   *at;

	for (int i = 0; i < lengthof(parts); i++)
		len += (parts[i] ? strlen(parts[i]) : 0) + 1;
	key = at = malloc(len);
	if (key == NULL)
		return NULL;
	for (int i = 0; i < lengthof(parts); i++)
	{
		size_t		n = parts[i] ? strlen(parts[i]) : 0;

		memcpy(at, parts[i] ? parts[i] : "", n);
		at[n] = '\1';
		at += n + 1;
	}
	*at = '\0';
	return key;
}

static void
free_key(char *key)
{
	if (key != NULL)
		explicit_bzero(key, strlen(key));
	free(key);
}

static void
watch(DunMailer *mailer, DunMail *m)
{
	struct epoll_event ev = {0};

	ev.events = EPOLLIN;
	if (m->stage != DUN_MAIL_IDLE && m->out_sent < m->out_len)
	{
		struct pollfd p = {m->fd, POLLOUT, 0};

		/* TLS that waits for something to read while the socket could be written must not be woken for that. */
		if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLOUT))
			ev.events |= EPOLLOUT;
	}
	if (ev.events == m->watched)
		return;
	ev.data.u64 = MAIL_EVENT | (uint64) (m - mailer->mails);
	if (epoll_ctl(mailer->epoll_fd, m->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, m->fd, &ev) == 0 ||
		(errno == EEXIST && epoll_ctl(mailer->epoll_fd, EPOLL_CTL_MOD, m->fd, &ev) == 0))
		m->watched = ev.events;
}

/* Closed without waiting; `polite` where the server expects a command. */
static void
close_connection(DunMailer *mailer, DunMail *m, bool polite)
{
	size_t		n;

	if (m->stage == DUN_MAIL_CLOSED)
		return;
	if (polite && m->out_sent == m->out_len)
		(void) curl_easy_send(m->x.easy, "QUIT\r\n", 6, &n);
	if (m->watched)
		epoll_ctl(mailer->epoll_fd, EPOLL_CTL_DEL, m->fd, NULL);
	curl_multi_remove_handle(mailer->multi, m->x.easy);
	dun_transport_clear_easy(&m->x);
	free_key(m->key);
	free(m->out);
	m->key = m->out = NULL;
	m->out_len = m->out_sent = 0;
	m->watched = 0;
	m->fd = CURL_SOCKET_BAD;
	m->deadline = 0;
	m->stage = DUN_MAIL_CLOSED;
}

void
dun_transport_close_mailer(DunMailer *mailer)
{
	for (int i = 0; i < mailer->slots; i++)
	{
		DunMail    *m = &mailer->mails[i];

		close_connection(mailer, m, m->stage == DUN_MAIL_IDLE);
		if (m->x.easy != NULL)
			curl_easy_cleanup(m->x.easy);
		if (m->cache != NULL)
			curl_share_cleanup(m->cache);
	}
	pfree(mailer->mails);
	pfree(mailer);
}

static bool
make_handle(DunMail *m)
{
	if (m->x.easy == NULL)
		m->x.easy = curl_easy_init();
	if (m->cache == NULL)
	{
		m->cache = curl_share_init();
		if (m->cache != NULL && curl_share_setopt(m->cache, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) != CURLSHE_OK)
		{
			curl_share_cleanup(m->cache);
			m->cache = NULL;
		}
	}
	return m->x.easy != NULL && m->cache != NULL;
}

/* Takes `key` over. */
static bool
open_connection(DunMailer *mailer, DunMail *m, char *key)
{
	m->key = key;
	m->out = malloc(DUN_MAIL_BUFFER);
	m->must_reset = m->kept = false;
	m->out_len = m->out_sent = 0;
	if (m->key != NULL && m->out != NULL && make_handle(m) && dun_transport_prepare_mail(&m->x, m->server, m->request))
	{
		m->x.mail = m;
		curl_easy_setopt(m->x.easy, CURLOPT_SHARE, m->cache);
		if (curl_multi_add_handle(mailer->multi, m->x.easy) == CURLM_OK)
		{
			m->stage = DUN_MAIL_CONNECTING;
			m->deadline = 0;
			return true;
		}
	}
	if (m->x.easy != NULL)
		dun_transport_clear_easy(&m->x);
	free_key(m->key);
	free(m->out);
	m->key = m->out = NULL;
	return false;
}

/* --- mails --- */

static void
note_deadline(DunMailer *mailer, const DunMail *m)
{
	if (m->deadline != 0 && (mailer->look_at == 0 || m->deadline < mailer->look_at))
		mailer->look_at = m->deadline;
}

static void
proceed(DunMailer *mailer, DunMail *m, DunMailNext next)
{
	if (next == DUN_MAIL_STALE)
	{
		char	   *key = m->key;

		m->key = NULL;
		close_connection(mailer, m, false);
		if (open_connection(mailer, m, key))
			return;
		dun_transport_cut_dialog(m, CURLE_OUT_OF_MEMORY);
		next = DUN_MAIL_ENDED;
	}
	if (next == DUN_MAIL_ENDED)
	{
		m->ended = true;
		m->deadline = 0;
		dlist_push_tail(&mailer->ended, &m->node);
	}
	else
	{
		watch(mailer, m);
		note_deadline(mailer, m);
	}
}

/* A kept connection to the same server, else an unused place, else the place of a connection that idles. */
static DunMail *
choose_connection(DunMailer *mailer, const char *key)
{
	DunMail    *place = NULL;

	for (int i = 0; i < mailer->slots; i++)
	{
		DunMail    *m = &mailer->mails[i];

		if (m->owner != NULL)
			continue;
		if (m->stage == DUN_MAIL_IDLE && strcmp(m->key, key) == 0)
			return m;
		if (place == NULL || (place->stage == DUN_MAIL_IDLE && m->stage == DUN_MAIL_CLOSED))
			place = m;
	}
	return place;
}

bool
dun_transport_start_mail(DunMailer *mailer, const DunServer *server, const DunRequest *request, void *owner)
{
	char	   *key = make_key(server);
	DunMail    *m = key ? choose_connection(mailer, key) : NULL;

	if (m == NULL)
	{
		free_key(key);
		return false;
	}
	m->server = server;
	m->request = request;
	m->owner = owner;
	if (m->stage == DUN_MAIL_IDLE && strcmp(m->key, key) == 0)
	{
		free_key(key);
		m->kept = true;
		proceed(mailer, m, dun_transport_begin_dialog(m));
		return true;
	}
	close_connection(mailer, m, true);
	if (open_connection(mailer, m, key))
		return true;
	m->owner = NULL;
	return false;
}

void
dun_transport_take_mail_login(DunMailer *mailer, DunMail *m, CURLcode result)
{
	if (m->stage != DUN_MAIL_CONNECTING || m->ended)
		return;
	m->usable = false;
	if (result == CURLE_OK)
	{
		m->fd = CURL_SOCKET_BAD;
		curl_easy_getinfo(m->x.easy, CURLINFO_ACTIVESOCKET, &m->fd);
		if (m->fd == CURL_SOCKET_BAD)
			result = CURLE_COULDNT_CONNECT;
	}
	if (result == CURLE_OK)
		proceed(mailer, m, dun_transport_begin_dialog(m));
	else
	{
		dun_transport_read_easy(&m->x, result, &m->verdict);
		proceed(mailer, m, DUN_MAIL_ENDED);
	}
}

bool
dun_transport_take_mail_event(DunMailer *mailer, const struct epoll_event *event)
{
	DunMail    *m;

	if (!(event->data.u64 & MAIL_EVENT))
		return false;
	m = &mailer->mails[event->data.u64 & ~MAIL_EVENT];
	if (m->stage == DUN_MAIL_IDLE)
		/* Nobody asked: the server hangs up, or speaks out of turn. */
		close_connection(mailer, m, false);
	else if (m->stage > DUN_MAIL_IDLE && m->owner != NULL && !m->ended)
		proceed(mailer, m, dun_transport_continue_dialog(m, (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0));
	return true;
}

/* --- time --- */

void
dun_transport_expire_mails(DunMailer *mailer)
{
	TimestampTz now = GetCurrentTimestamp();

	if (mailer->look_at == 0 || now < mailer->look_at)
		return;
	mailer->look_at = 0;
	for (int i = 0; i < mailer->slots; i++)
	{
		DunMail    *m = &mailer->mails[i];

		if (m->deadline == 0)
			continue;
		if (now < m->deadline)
			note_deadline(mailer, m);
		else if (m->stage == DUN_MAIL_IDLE)
			close_connection(mailer, m, true);
		else
		{
			dun_transport_cut_dialog(m, CURLE_OPERATION_TIMEDOUT);
			proceed(mailer, m, DUN_MAIL_ENDED);
		}
	}
}

TimestampTz
dun_transport_mail_timer(DunMailer *mailer)
{
	return dlist_is_empty(&mailer->ended) ? mailer->look_at : 1;
}

/* --- ends --- */

static void
keep(DunMailer *mailer, DunMail *m)
{
	m->stage = DUN_MAIL_IDLE;
	m->deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), IDLE_MS);
	watch(mailer, m);
	note_deadline(mailer, m);
}

int
dun_transport_report_mails(DunMailer *mailer, DunTransferDone done)
{
	int			n = 0;

	while (!dlist_is_empty(&mailer->ended))
	{
		DunMail    *m = dlist_container(DunMail, node, dlist_pop_head_node(&mailer->ended));
		void	   *owner = m->owner;

		/* The verdict's strings are the connection's: it stays until they were read. */
		done(owner, &m->verdict);
		m->ended = false;
		m->owner = NULL;
		m->server = NULL;
		m->request = NULL;
		if (m->usable && dun_transport_is_quiet(m))
			keep(mailer, m);
		else
			close_connection(mailer, m, m->usable);
		n++;
	}
	return n;
}

void
dun_transport_abort_mails(DunMailer *mailer)
{
	for (int i = 0; i < mailer->slots; i++)
	{
		DunMail    *m = &mailer->mails[i];

		if (m->owner == NULL || m->ended)
			continue;
		dun_transport_cut_dialog(m, CURLE_ABORTED_BY_CALLBACK);
		proceed(mailer, m, DUN_MAIL_ENDED);
	}
}
