/*
 * test/gateways/catcher.c
 *		One process, one epoll: a fast gateway for HTTP/1.1 and SMTP that does as its scripts say and writes down
 *		what it accepted.
 *
 *	catcher [--port N] [--smtp-port N] [--ledger FILE] [--bodies FILE] [--honour-keys] [--delay MS] [--auth]
 *			[--tell] [--fault PREFIX=SCRIPT]...
 *
 * Ports default to 0: any free one of loopback. The first lines of standard output are "http PORT" and "smtp PORT".
 *
 * The ledger is appended to, one line a request accepted, tab-separated: seconds, http or smtp, accept or repeat,
 * idempotency key or Message-ID, recipient, sha256 of the body, bytes of it, path or envelope sender. It is written
 * before any answer leaves, so that whoever has an answer finds its line. A repeat is a key seen before, with
 * --honour-keys: answered as the first time and not accepted again.
 *
 * Scripts stand in the HTTP path after /fault/, in an SMTP recipient after "fault-" and up to @ or +, or are named by
 * --fault for recipients with a prefix:
 *	NNN			answer this code, accept nothing		NNN-S	with Retry-After: S
 *	dot-NNN		SMTP: this code at the final dot		flaky-NNN-K	NNN for a key's first K requests, then accept
 *	slow-MS		accept, answer after MS					no-reply	accept, never answer
 *	reset-after-body, drop-after-dot	accept, then reset	reset-before-body, drop-before-dot	reset, accept nothing
 *	reset-once	reset-before-body for a key's first request
 *	lost-once	reset-after-body for a key's first request	half-reply, garbage, bomb, redirect
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "catcher.h"
#include "sha256.h"

#define MAX_IN (8 * 1024 * 1024)
#define MAX_FAULTS 64

bool		option_auth = false;
static bool honour_keys = false;
static bool tell = false;
static long delay_ms = 0;
static int	ledger_fd = -1;
static int	bodies_fd = -1;
static int	epoll_fd;
static Buffer ledger;
static Buffer bodies;
static Conn **dirty;
static size_t dirty_count, dirty_room;
static Conn **heap;				/* min-heap of waiting connections by due, 1-based */
static size_t heap_count, heap_room;
static volatile sig_atomic_t stopping = 0;

static struct
{
	const char *prefix;
	Script		script;
}			faults[MAX_FAULTS];
static int	fault_count = 0;

static void *
checked(void *p)
{
	if (p == NULL)
	{
		fputs("catcher: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- buffers ---- */

static void
buffer_grow(Buffer *b, size_t more)
{
	if (b->len + more + 1 <= b->room)
		return;
	b->room = (b->len + more + 1) * 2;
	b->data = checked(realloc(b->data, b->room));
}

void
buffer_add(Buffer *b, const void *data, size_t len)
{
	buffer_grow(b, len);
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buffer_text(Buffer *b, const char *format,...)
{
	va_list		args;
	int			n;

	buffer_grow(b, 1024);
	va_start(args, format);
	n = vsnprintf(b->data + b->len, b->room - b->len, format, args);
	va_end(args);
	if (n > 0)
		b->len += (size_t) n < b->room - b->len ? (size_t) n : b->room - b->len - 1;
}

void
buffer_drop(Buffer *b, size_t len)
{
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
	if (b->data)
		b->data[b->len] = '\0';
}

/* ---- keys: a set of 64-bit hashes with counts ---- */

typedef struct Key
{
	uint64_t	hash;			/* 0: free */
	uint32_t	asked;
	bool		accepted;
} Key;

static Key *keys;
static size_t key_room, key_count;

static uint64_t
hash_text(const char *text)
{
	uint64_t	h = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		h = (h ^ (unsigned char) *text) * 0x100000001b3ULL;
	h ^= h >> 32;
	return h ? h : 1;
}

static Key *
key_slot(uint64_t hash)
{
	size_t		i = hash & (key_room - 1);

	while (keys[i].hash != 0 && keys[i].hash != hash)
		i = (i + 1) & (key_room - 1);
	return &keys[i];
}

static Key *
key_find(const char *text)
{
	Key		   *key;
	uint64_t	hash = hash_text(text);

	if (key_count * 2 >= key_room)
	{
		Key		   *old = keys;
		size_t		old_room = key_room;

		key_room = key_room ? key_room * 2 : 65536;
		keys = checked(calloc(key_room, sizeof(Key)));
		for (size_t i = 0; i < old_room; i++)
			if (old[i].hash)
				*key_slot(old[i].hash) = old[i];
		free(old);
	}
	key = key_slot(hash);
	if (key->hash == 0)
	{
		key->hash = hash;
		key_count++;
	}
	return key;
}

int
key_seen(const char *text)
{
	return (int) ++key_find(text)->asked;
}

bool
key_repeats(const char *text)
{
	Key		   *key;
	bool		known;

	if ((!honour_keys && !tell) || *text == '\0' || strcmp(text, "-") == 0)
		return false;
	key = key_find(text);
	known = key->accepted;
	key->accepted = true;
	return honour_keys && known;
}

bool
key_accepted(const char *text)
{
	return key_find(text)->accepted;
}

/* ---- ledger ---- */

static void
add_field(const char *text)
{
	char		clean[MAX_ADDRESS];
	size_t		n = 0;

	for (; *text && n < sizeof(clean) - 1; text++)
		clean[n++] = (unsigned char) *text < 0x20 ? '?' : *text;
	buffer_add(&ledger, "\t", 1);
	buffer_add(&ledger, clean, n);
}

void
ledger_add(const char *protocol, bool repeat, const char *key, const char *recipient, const char *body, size_t len, const char *note)
{
	char		digest[65];
	uint64_t	at = now_us();

	sha256_hex(body, len, digest);
	buffer_text(&ledger, "%llu.%06llu\t%s\t%s", (unsigned long long) (at / 1000000), (unsigned long long) (at % 1000000),
				protocol, repeat ? "repeat" : "accept");
	add_field(key);
	add_field(recipient);
	add_field(digest);
	buffer_text(&ledger, "\t%zu", len);
	add_field(note);
	buffer_add(&ledger, "\n", 1);
	if (bodies_fd >= 0 && !repeat)
	{
		buffer_text(&bodies, "== %s %.200s %zu\n", protocol, recipient, len);
		buffer_add(&bodies, body, len);
		buffer_add(&bodies, "\n", 1);
	}
}

static void
write_all(int fd, Buffer *b)
{
	size_t		done = 0;

	while (fd >= 0 && done < b->len)
	{
		ssize_t		n = write(fd, b->data + done, b->len - done);

		if (n < 0 && errno != EINTR)
		{
			perror("catcher: could not write the ledger");
			exit(1);
		}
		done += n > 0 ? (size_t) n : 0;
	}
	b->len = 0;
}

/* ---- scripts ---- */

bool
script_parse(const char *text, size_t len, Script *script)
{
	static const struct
	{
		const char *word;
		size_t		field;
	}			flags[] = {
		{"reset-after-body", offsetof(Script, lost)}, {"drop-after-dot", offsetof(Script, lost)},
		{"lost-once", offsetof(Script, lost_once)}, {"no-reply", offsetof(Script, no_reply)},
		{"reset-once", offsetof(Script, before_once)},
		{"reset-before-body", offsetof(Script, before)}, {"drop-before-dot", offsetof(Script, before)},
		{"half-reply", offsetof(Script, half)}, {"bomb", offsetof(Script, bomb)},
		{"redirect", offsetof(Script, redirect)}, {"garbage", offsetof(Script, garbage)}
	};
	char		word[64];
	int			code,
				count;
	long		value;

	memset(script, 0, sizeof(*script));
	script->retry_after = -1;
	if (len == 0 || len >= sizeof(word))
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(word, flags[i].word) == 0)
		{
			*((bool *) ((char *) script + flags[i].field)) = true;
			return true;
		}
	if (sscanf(word, "flaky-%d-%d", &code, &count) == 2)
	{
		script->code = code;
		script->flaky = count;
		return true;
	}
	if (sscanf(word, "slow-%ld", &value) == 1)
	{
		script->slow_ms = value;
		return true;
	}
	if (sscanf(word, "dot-%d", &code) == 1)
	{
		script->code = code;
		script->at_dot = true;
		return true;
	}
	if (sscanf(word, "%d-%ld", &code, &value) == 2)
		script->retry_after = value;
	else if (sscanf(word, "%d", &code) != 1)
		return false;
	script->code = code;
	return code >= 200 && code <= 599;
}

bool
script_for_recipient(const char *recipient, Script *script)
{
	for (int i = 0; i < fault_count; i++)
		if (strncmp(recipient, faults[i].prefix, strlen(faults[i].prefix)) == 0)
		{
			*script = faults[i].script;
			return true;
		}
	return false;
}

static void
add_fault(const char *text)
{
	const char *sep = strchr(text, '=');

	if (sep == NULL || fault_count == MAX_FAULTS || !script_parse(sep + 1, strlen(sep + 1), &faults[fault_count].script))
	{
		fprintf(stderr, "catcher: not PREFIX=SCRIPT: %s\n", text);
		exit(2);
	}
	faults[fault_count++].prefix = checked(strndup(text, sep - text));
}

/* ---- waiting replies ---- */

static void
heap_place(size_t i, Conn *conn)
{
	heap[i] = conn;
	conn->heap_slot = i;
}

static void
heap_sift(size_t i)
{
	Conn	   *conn = heap[i];

	while (i > 1 && heap[i / 2]->due > conn->due)
	{
		heap_place(i, heap[i / 2]);
		i /= 2;
	}
	for (;;)
	{
		size_t		child = i * 2;

		if (child > heap_count)
			break;
		if (child < heap_count && heap[child + 1]->due < heap[child]->due)
			child++;
		if (heap[child]->due >= conn->due)
			break;
		heap_place(i, heap[child]);
		i = child;
	}
	heap_place(i, conn);
}

static void
heap_remove(Conn *conn)
{
	size_t		i = conn->heap_slot;

	if (i == 0)
		return;
	conn->heap_slot = 0;
	if (i == heap_count--)
		return;
	heap_place(i, heap[heap_count + 1]);
	heap_sift(i);
}

static void
mark_dirty(Conn *conn)
{
	if (conn->dirty)
		return;
	if (dirty_count == dirty_room)
	{
		dirty_room = dirty_room ? dirty_room * 2 : 256;
		dirty = checked(realloc(dirty, dirty_room * sizeof(*dirty)));
	}
	dirty[dirty_count++] = conn;
	conn->dirty = true;
}

void
conn_reply(Conn *conn, const Script *script)
{
	long		wait = delay_ms + (script ? script->slow_ms : 0);

	if (wait <= 0)
	{
		mark_dirty(conn);
		return;
	}
	conn->busy = true;
	conn->due = now_us() + (uint64_t) wait * 1000;
	if (heap_count + 2 > heap_room)
	{
		heap_room = heap_room ? heap_room * 2 : 256;
		heap = checked(realloc(heap, heap_room * sizeof(*heap)));
	}
	heap_place(++heap_count, conn);
	heap_sift(heap_count);
}

/* ---- connections ---- */

static void
conn_close(Conn *conn)
{
	if (conn->reset)
	{
		struct linger linger = {1, 0};

		setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	}
	close(conn->fd);
	heap_remove(conn);
	free(conn->in.data);
	free(conn->out.data);
	conn->in.data = conn->out.data = NULL;
	conn->fd = -1;
	if (!conn->dirty)
		free(conn);
}

static void
conn_parse(Conn *conn)
{
	if (!conn->busy && !conn->mute && !conn->close && !conn->reset)
		(conn->smtp ? smtp_read : http_read) (conn);
}

static void
watch(Conn *conn, bool writing)
{
	struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = conn};

	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, conn->fd, &event);
}

/* Write what may leave; afterwards the next request in the buffer may be read. */
static void
conn_flush(Conn *conn)
{
	static const char filler[65536];

	while (conn->out.len > 0)
	{
		ssize_t		n = send(conn->fd, conn->out.data, conn->out.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
		{
			watch(conn, true);
			return;
		}
		if (n < 0)
		{
			conn_close(conn);
			return;
		}
		buffer_drop(&conn->out, (size_t) n);
		if (conn->out.len == 0 && conn->endless)
			buffer_add(&conn->out, filler, sizeof(filler));
	}
	if (conn->close || conn->reset)
		conn_close(conn);
	else if (conn->in.len > 0 && !conn->busy)
		conn_parse(conn);
}

static void
conn_readable(Conn *conn)
{
	for (;;)
	{
		ssize_t		n;

		buffer_grow(&conn->in, 16384);
		n = recv(conn->fd, conn->in.data + conn->in.len, conn->in.room - conn->in.len - 1, 0);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0 || conn->in.len + (size_t) n > MAX_IN)
		{
			conn_close(conn);
			return;
		}
		conn->in.len += (size_t) n;
		conn->in.data[conn->in.len] = '\0';
		if ((size_t) n < 16384)
			break;
	}
	conn_parse(conn);
}

static void
accept_all(int listener, bool smtp)
{
	int			fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
	{
		int			one = 1;
		Conn	   *conn = checked(calloc(1, sizeof(Conn)));
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		conn->fd = fd;
		conn->smtp = smtp;
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
		if (smtp)
			smtp_greet(conn);
	}
}

/* ---- start ---- */

static int
listen_on(int port, int *got)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t	len = sizeof(in);
	int			one = 1;
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *) &in, sizeof(in)) != 0 || listen(fd, 1024) != 0 ||
		getsockname(fd, (struct sockaddr *) &in, &len) != 0)
	{
		perror("catcher: could not listen");
		exit(1);
	}
	*got = ntohs(in.sin_port);
	return fd;
}

static int
append_to(const char *path)
{
	int			fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
	{
		perror(path);
		exit(1);
	}
	return fd;
}

static void
stop(int sig)
{
	stopping = 1;
}

static void
read_options(int argc, char **argv, int *port, int *smtp_port)
{
	for (int i = 1; i < argc; i++)
	{
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--honour-keys") == 0)
			honour_keys = true;
		else if (strcmp(argv[i], "--tell") == 0)
			tell = true;
		else if (strcmp(argv[i], "--auth") == 0)
			option_auth = true;
		else if (value == NULL)
			goto usage;
		else
		{
			if (strcmp(argv[i], "--port") == 0)
				*port = atoi(value);
			else if (strcmp(argv[i], "--smtp-port") == 0)
				*smtp_port = atoi(value);
			else if (strcmp(argv[i], "--ledger") == 0)
				ledger_fd = append_to(value);
			else if (strcmp(argv[i], "--bodies") == 0)
				bodies_fd = append_to(value);
			else if (strcmp(argv[i], "--delay") == 0)
				delay_ms = atol(value);
			else if (strcmp(argv[i], "--fault") == 0)
				add_fault(value);
			else
				goto usage;
			i++;
		}
	}
	return;
usage:
	fputs("usage: catcher [--port N] [--smtp-port N] [--ledger FILE] [--bodies FILE] [--honour-keys] [--delay MS] [--auth] [--tell] [--fault PREFIX=SCRIPT]...\n", stderr);
	exit(2);
}

static int
next_timeout(void)
{
	uint64_t	now;

	if (heap_count == 0)
		return -1;
	now = now_us();
	return heap[1]->due <= now ? 0 : (int) ((heap[1]->due - now) / 1000 + 1);
}

static void
release_due(void)
{
	uint64_t	now = heap_count ? now_us() : 0;

	while (heap_count > 0 && heap[1]->due <= now)
	{
		Conn	   *conn = heap[1];

		heap_remove(conn);
		conn->busy = false;
		mark_dirty(conn);
	}
}

/* The ledger first, then the answers; an answer may let the next request be read, hence the loop. */
static void
flush_all(void)
{
	while (dirty_count > 0)
	{
		size_t		count = dirty_count;
		Conn	  **list = dirty;

		write_all(ledger_fd, &ledger);
		write_all(bodies_fd, &bodies);
		dirty = NULL;
		dirty_count = dirty_room = 0;
		for (size_t i = 0; i < count; i++)
		{
			Conn	   *conn = list[i];

			conn->dirty = false;
			if (conn->fd < 0)
				free(conn);
			else
				conn_flush(conn);
		}
		free(list);
	}
	write_all(ledger_fd, &ledger);
	write_all(bodies_fd, &bodies);
}

int
main(int argc, char **argv)
{
	struct epoll_event events[256];
	struct epoll_event event = {.events = EPOLLIN};
	struct sigaction action = {.sa_handler = stop};
	int			port = 0,
				smtp_port = 0;
	int			http_fd,
				smtp_fd;

	read_options(argc, argv, &port, &smtp_port);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	http_fd = listen_on(port, &port);
	smtp_fd = listen_on(smtp_port, &smtp_port);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	event.data.ptr = &http_fd;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, http_fd, &event);
	event.data.ptr = &smtp_fd;
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, smtp_fd, &event);
	printf("http %d\nsmtp %d\n", port, smtp_port);
	fflush(stdout);

	while (!stopping)
	{
		int			n = epoll_wait(epoll_fd, events, 256, next_timeout());

		for (int i = 0; i < n; i++)
		{
			void	   *what = events[i].data.ptr;

			if (what == &http_fd || what == &smtp_fd)
				accept_all(what == &http_fd ? http_fd : smtp_fd, what == &smtp_fd);
			else if (events[i].events & EPOLLOUT)
			{
				watch(what, false);
				mark_dirty(what);
			}
			else
				conn_readable(what);
		}
		release_due();
		flush_all();
	}
	flush_all();
	return 0;
}
