/*
 * deliver/rate.h
 *		N messages a window and never N + 1, in constant memory.
 *
 * A window of one second (or 1/rate where the rate is below one a second) is counted in sixteen parts. A message may
 * go if the current part and the sixteen before it hold fewer than N: any window of that length lies inside of these
 * seventeen. A bucket seen for the first time counts as full, so that a restart cannot send a window's worth twice.
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
	double		rate;
	int64		part;			/* number of the current part since the epoch */
	int			counts[DUN_RATE_PARTS + 1]; /* by part modulo 17 */
} DunRate;

/* How many of `wanted` may go at `now`; where fewer, *ready_at says when to ask again. */
extern int	dun_deliver_rate_take(DunRate *rates, Oid database, const char *name, double rate, int wanted,
								  TimestampTz now, TimestampTz *ready_at);

#endif
