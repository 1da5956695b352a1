/*
 * test/gateways/catcher.h
 *		A scripted gateway with a ledger of its own: what really arrived, whatever the sender believes.
 *
 * catcher.c owns sockets, time and the ledger; http.c and smtp.c are two parsers over one connection's buffers.
 */
#ifndef CATCHER_H
#define CATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_RECIPIENTS 100
#define MAX_ADDRESS 512

typedef struct Buffer
{
	char	   *data;
	size_t		len;
	size_t		room;
} Buffer;

typedef struct Conn
{
	int			fd;
	bool		smtp;
	Buffer		in;
	Buffer		out;
	uint64_t	due;			/* microseconds: when `out` may leave; 0: at once */
	size_t		heap_slot;		/* 1-based place among the waiting, 0: not waiting */
	bool		busy;			/* a reply is waiting; the next request must wait too */
	bool		close;			/* once `out` is written */
	bool		reset;			/* instead of a reply: close with RST */
	bool		mute;			/* never answer again */
	bool		endless;		/* an unending body: refilled whenever it was written */
	bool		dirty;			/* in the list of connections with something to write */

	/* SMTP */
	bool		in_data;
	bool		greeted;
	bool		answering;		/* the next line is the credentials */
	char		from[MAX_ADDRESS];
	int			rcpts;
	char		rcpt[MAX_RECIPIENTS][MAX_ADDRESS];
} Conn;

/* What a script says should happen to one request. */
typedef struct Script
{
	int			code;			/* answer this, accept nothing; 0: accept */
	long		retry_after;	/* with the code; -1: no header */
	long		slow_ms;
	int			flaky;			/* refuse the first n requests of a key with `code`, then accept */
	bool		lost;			/* accept, then reset instead of answering */
	bool		lost_once;		/* the same, but only a key's first request */
	bool		no_reply;		/* accept, never answer */
	bool		before;			/* reset before accepting */
	bool		before_once;	/* the same, but only a key's first request */
	bool		half;			/* accept, answer half a status line, reset */
	bool		bomb;			/* accept, answer with an unending body */
	bool		redirect;
	bool		garbage;
	bool		at_dot;			/* SMTP: the code answers the final dot, not RCPT */
} Script;

extern void buffer_add(Buffer *b, const void *data, size_t len);
extern void buffer_text(Buffer *b, const char *format,...) __attribute__((format(printf, 2, 3)));
extern void buffer_drop(Buffer *b, size_t len);

/* "503", "429-5", "slow-2000", "flaky-503-2", "lost", ...; false where the words say nothing. */
extern bool script_parse(const char *text, size_t len, Script *script);

/* The script that --fault names for this recipient; false: none. */
extern bool script_for_recipient(const char *recipient, Script *script);

/* How often this key has been asked for so far, this time included. */
extern int	key_seen(const char *key);

/* Is this key in the ledger as accepted, and are keys honoured? Otherwise remembers it as accepted. */
extern bool key_repeats(const char *key);

/* Has this key been accepted? Kept with --tell, or where keys are honoured. */
extern bool key_accepted(const char *key);

extern void ledger_add(const char *protocol, bool repeat, const char *key, const char *recipient, const char *body, size_t len, const char *note);

/* Sends what is in `out` after the script's and the general delay. */
extern void conn_reply(Conn *conn, const Script *script);

/* Each consumes whole requests from conn->in; returns when it needs more or must wait for a reply to leave. */
extern void http_read(Conn *conn);
extern void smtp_read(Conn *conn);
extern void smtp_greet(Conn *conn);

extern bool option_auth;

#endif
