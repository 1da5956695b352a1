/*
 * deliver/breaker.h
 *		Servers that take nothing: who may still try, and when.
 *
 * Closed, all may go. So many failures in a row that are the server's, or one refusal of our login, open it: nothing goes
 * for a pause. Then one message may try, whoever claims it first; what becomes of it closes the breaker or doubles the
 * pause, up to a quarter of an hour. An answer to any message that shows the server at work closes it, too.
 * Pure: the caller holds the lock and brings the clock.
 */
#ifndef DUN_DELIVER_BREAKER_H
#define DUN_DELIVER_BREAKER_H

#include "postgres.h"

#include "datatype/timestamp.h"

#define DUN_BREAKERS 256
#define DUN_BREAKER_REASON 64

typedef struct DunBreaker
{
	Oid			database;		/* InvalidOid: free */
	char		server[NAMEDATALEN];
	int			failures;		/* in a row */
	int			pause_ms;		/* the last one */
	TimestampTz opened_at;		/* 0: closed */
	TimestampTz probe_at;		/* nobody may try before */
	TimestampTz probe_until;	/* somebody tries, and after this is taken for lost; 0: nobody */
	TimestampTz worked_at;		/* the last answer of a server at work, 0: none yet */
	TimestampTz touched_at;
	char		reason[DUN_BREAKER_REASON];
} DunBreaker;

typedef enum DunPass
{
	DUN_PASS_ALL,
	DUN_PASS_PROBE,				/* one may try */
	DUN_PASS_NONE
} DunPass;

typedef struct DunTrip
{
	int			after;			/* failures in a row that open it */
	int			pause_ms;		/* the first pause */
	bool		at_once;
	bool		probe;			/* the failure is that of the message that was let through */
	const char *reason;
} DunTrip;

typedef enum DunTripped
{
	DUN_TRIPPED_NOT,
	DUN_TRIPPED_NOW,
	DUN_TRIPPED_BEFORE
} DunTripped;

extern DunPass dun_deliver_breaker_ask(DunBreaker *all, Oid database, const char *server, TimestampTz now);

/* Let one through, to be judged by `until`. False: somebody else was. */
extern bool dun_deliver_breaker_probe(DunBreaker *all, Oid database, const char *server, TimestampTz now, TimestampTz until);

/* It was not sent after all. */
extern void dun_deliver_breaker_yield(DunBreaker *all, Oid database, const char *server);

/* The server is at work. True: it was open. */
extern bool dun_deliver_breaker_close(DunBreaker *all, Oid database, const char *server, TimestampTz now);

extern DunTripped dun_deliver_breaker_trip(DunBreaker *all, Oid database, const char *server, TimestampTz now,
										   const DunTrip *trip);

/* Closed, and others were taken since: a refusal is the message's. */
extern bool dun_deliver_breaker_works(DunBreaker *all, Oid database, const char *server);

/* Somebody mended it: closed, with all that was known of it forgotten. */
extern bool dun_deliver_breaker_forget(DunBreaker *all, Oid database, const char *server);

#endif
