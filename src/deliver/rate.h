/*
 * deliver/rate.h
 *		N messages a window and never N + 1, in constant memory.
 *
 * A second is counted in sixteen parts. A message may go if the current part and the sixteen before it hold fewer than
 * N: any second lies inside of these seventeen. Below one a second it may go when 1/rate has passed since the last one.
 * Both are kept for every name whatever is asked, so that servers of one rate_group may have rates of their own: each
 * counts what all of them sent, and the slower waits while the faster fills the second. A name seen for the first time
 * counts as full, so that a restart cannot send a window's worth twice.
 * Between the taking of a place and the first byte lies a query, so the place is moved to the instant of leaving.
 * Pure: the caller holds the lock and brings the clock.
 */
#ifndef DUN_DELIVER_RATE_H
#define DUN_DELIVER_RATE_H

#include "postgres.h"

#include "datatype/timestamp.h"

#define DUN_RATES 256
#define DUN_RATE_PARTS 16

typedef struct DunRate
{
	Oid			database;		/* InvalidOid: free */
	char		name[NAMEDATALEN];	/* the server or its rate_group */
	TimestampTz asked_at;
	TimestampTz last;			/* the last place given */
	int64		part;			/* number of the current part since the epoch */
	int			counts[DUN_RATE_PARTS + 1]; /* by part modulo 17 */
} DunRate;

/*
 * May one message go at `now`? A place taken before (`taken`, 0: none) is given up for the new one. Where it may not,
 * *ready_at says when to ask again.
 */
extern bool dun_deliver_rate_take(DunRate *rates, Oid database, const char *name, double rate, TimestampTz taken,
								  TimestampTz now, TimestampTz *ready_at);

#endif
