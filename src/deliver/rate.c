/*
 * deliver/rate.c
 *		The counting behind rate limits; the header explains why a window cannot overflow.
 */
#include "postgres.h"

#include <math.h>

#include "deliver/rate.h"

#define RING (DUN_RATE_PARTS + 1)

static int64
window_us(double rate)
{
	return rate >= 1 ? USECS_PER_SEC : (int64) ceil(USECS_PER_SEC / rate);
}

static int
window_limit(double rate)
{
	return rate >= 1 ? (int) Min(floor(rate), (double) PG_INT32_MAX / RING) : 1;
}

static int64
part_us(double rate)
{
	return Max(1, (window_us(rate) + DUN_RATE_PARTS - 1) / DUN_RATE_PARTS);
}

static void
fill(DunRate *slot, double rate, TimestampTz now)
{
	memset(slot->counts, 0, sizeof(slot->counts));
	slot->rate = rate;
	slot->part = now / part_us(rate);
	slot->counts[slot->part % RING] = window_limit(rate);
}

static DunRate *
find(DunRate *rates, Oid database, const char *name, double rate, TimestampTz now)
{
	DunRate    *unused = NULL;

	for (int i = 0; i < DUN_RATES; i++)
	{
		if (rates[i].database == database && strcmp(rates[i].name, name) == 0)
			return &rates[i];
		if (unused == NULL && !OidIsValid(rates[i].database))
			unused = &rates[i];
	}
	/* All taken: the one that has been still for longest makes room, and its successor starts full. */
	if (unused == NULL)
	{
		unused = &rates[0];
		for (int i = 1; i < DUN_RATES; i++)
			if (rates[i].part * part_us(rates[i].rate) < unused->part * part_us(unused->rate))
				unused = &rates[i];
	}
	unused->database = database;
	strlcpy(unused->name, name, NAMEDATALEN);
	fill(unused, rate, now);
	return unused;
}

/* Forget the parts that are older than a window. A clock set back counts as no time passed. */
static void
advance(DunRate *slot, TimestampTz now)
{
	int64		part = now / part_us(slot->rate);

	if (part - slot->part >= RING)
		memset(slot->counts, 0, sizeof(slot->counts));
	else
		for (int64 p = slot->part + 1; p <= part; p++)
			slot->counts[p % RING] = 0;
	slot->part = Max(slot->part, part);
}

/* A place that has fallen out of the window is nobody's any more. */
static void
give_back(DunRate *slot, TimestampTz taken)
{
	int64		part = taken / part_us(slot->rate);

	if (part > slot->part - RING && part <= slot->part && slot->counts[part % RING] > 0)
		slot->counts[part % RING]--;
}

bool
dun_deliver_rate_take(DunRate *rates, Oid database, const char *name, double rate, TimestampTz taken,
					  TimestampTz now, TimestampTz *ready_at)
{
	DunRate    *slot = find(rates, database, name, rate, now);
	int			used = 0;
	int64		p;

	if (slot->rate != rate)
		fill(slot, rate, now);
	advance(slot, now);
	if (taken != 0)
		give_back(slot, taken);
	for (int i = 0; i < RING; i++)
		used += slot->counts[i];
	if (used < window_limit(rate))
	{
		slot->counts[slot->part % RING]++;
		return true;
	}
	/* The oldest part that holds something falls out of the ring next. */
	p = slot->part - DUN_RATE_PARTS;
	while (p < slot->part && slot->counts[p % RING] == 0)
		p++;
	*ready_at = (p + RING) * part_us(rate);
	return false;
}
