/*
 * timing/profile.h
 *		When a debtor answers: counts and exposure over the 168 hours of a local week.
 */
#ifndef DUN_TIMING_PROFILE_H
#define DUN_TIMING_PROFILE_H

#include "postgres.h"

#define DUN_HOURS 168			/* 0 = Monday 00:00 local */

/* A bytea in SQL. Responses in 1/256, exposure in 1/1024: 672 octets. */
typedef struct DunActivity
{
	uint16		k[DUN_HOURS];
	uint16		e[DUN_HOURS];
} DunActivity;

/* How a channel's answers are spread over the hours after a contact: g e^-a/t1 + (1-g) e^-a/t2, up to `reach` hours. */
typedef struct DunDelay
{
	double		g,
				t1,
				t2;
	int			reach;
	int			lag;			/* hours on the way: a letter */
} DunDelay;

extern const DunDelay *dun_timing_delay(const char *channel);

/*
 * Intensity by hour, and what a contact at each hour reaps: reaped[h] = sum over ages of w(a) lambda(h + a).
 * activity NULL: nothing is known of the debtor. shape[] is the book's, with mean 1. q is the channel's
 * share of answered contacts, in which exposure is counted.
 */
extern void dun_timing_reap(const DunActivity *activity, const float *shape, double q, const DunDelay *delay,
							double reaped[DUN_HOURS]);

#endif
