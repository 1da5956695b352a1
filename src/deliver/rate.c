/*
 * deliver/rate.c
 *		The counting behind rate limits; the header explains why a window cannot overflow.
 */
#include "postgres.h"

#include <math.h>

#include "deliver/rate.h"

#define RING (DUN_RATE_PARTS + 1)
#define PART_US (USECS_PER_SEC / DUN_RATE_PARTS)

/* More than any limit: nothing may go until it has fallen out of the ring. */
#define FULL (PG_INT32_MAX / 2)

/* Below one a second: the time between two. */
static int64
gap_us(double rate)
{
	return rate >= 1 ? 0 : (int64) ceil(USECS_PER_SEC / rate);
}

static int
second_limit(double rate)
{
	return rate >= 1 ? (int) Min(floor(rate), (double) FULL / RING) : 1;
}

static DunRate *
find(DunRate *rates, Oid database, const char *name, TimestampTz now)
{
	DunRate    *unused = NULL;

	for (int i = 0; i < DUN_RATES; i++)
	{
		/* Names of the days before their length was checked are known by what was kept of them. */
		if (rates[i].database == database && strncmp(rates[i].name, name, NAMEDATALEN - 1) == 0)
			return &rates[i];
		if (unused == NULL && !OidIsValid(rates[i].database))
			unused = &rates[i];
	}
	/* All taken: the one that has been still for longest makes room, and its successor starts full. */
	if (unused == NULL)
	{
		unused = &rates[0];
		for (int i = 1; i < DUN_RATES; i++)
			if (rates[i].asked_at < unused->asked_at)
				unused = &rates[i];
	}
	memset(unused, 0, sizeof(*unused));
	unused->database = database;
	strlcpy(unused->name, name, NAMEDATALEN);
	unused->last = now;
	unused->part = now / PART_US;
	unused->counts[unused->part % RING] = FULL;
	return unused;
}

/* Forget the parts that are older than a second. A clock set back counts as no time passed. */
static void
advance(DunRate *slot, TimestampTz now)
{
	int64		part = now / PART_US;

	if (part - slot->part >= RING)
		memset(slot->counts, 0, sizeof(slot->counts));
	else
		for (int64 p = slot->part + 1; p <= part; p++)
			slot->counts[p % RING] = 0;
	slot->part = Max(slot->part, part);
}

/* A place that has fallen out of the ring is nobody's any more. */
static void
give_back(DunRate *slot, TimestampTz taken)
{
	int64		part = taken / PART_US;

	if (part > slot->part - RING && part <= slot->part && slot->counts[part % RING] > 0)
		slot->counts[part % RING]--;
}

/* When the oldest part that holds something falls out of the ring. */
static TimestampTz
next_room(const DunRate *slot)
{
	int64		p = slot->part - DUN_RATE_PARTS;

	while (p < slot->part && slot->counts[p % RING] == 0)
		p++;
	return (p + RING) * PART_US;
}

bool
dun_deliver_rate_take(DunRate *rates, Oid database, const char *name, double rate, TimestampTz taken,
					  TimestampTz now, TimestampTz *ready_at)
{
	DunRate    *slot = find(rates, database, name, now);
	int64		used = 0;

	slot->asked_at = now;
	advance(slot, now);
	if (taken != 0)
		give_back(slot, taken);
	for (int i = 0; i < RING; i++)
		used += slot->counts[i];
	if (used >= second_limit(rate))
		*ready_at = next_room(slot);
	/* Whose own place is the last one had the gap before it already. */
	else if (rate < 1 && slot->last != taken && now < slot->last + gap_us(rate))
		*ready_at = slot->last + gap_us(rate);
	else
	{
		slot->counts[slot->part % RING]++;
		slot->last = Max(slot->last, now);
		return true;
	}
	return false;
}
