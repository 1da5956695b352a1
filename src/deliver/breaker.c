/*
 * deliver/breaker.c
 *		The states of a server's breaker; the header says what they mean.
 */
#include "postgres.h"

#include "deliver/breaker.h"

#define PAUSE_MAX_MS (15 * 60 * 1000)

static DunBreaker *
look_up(DunBreaker *all, Oid database, const char *server)
{
	for (int i = 0; i < DUN_BREAKERS; i++)
		if (all[i].database == database && strcmp(all[i].server, server) == 0)
			return &all[i];
	return NULL;
}

/* A free one, else the closed one that was still for longest; NULL where all are open: then this server has none. */
static DunBreaker *
look_up_or_make(DunBreaker *all, Oid database, const char *server)
{
	DunBreaker *b = look_up(all, database, server);

	for (int i = 0; b == NULL && i < DUN_BREAKERS; i++)
		if (!OidIsValid(all[i].database))
			b = &all[i];
	if (b == NULL)
		for (int i = 0; i < DUN_BREAKERS; i++)
			if (all[i].opened_at == 0 && (b == NULL || all[i].touched_at < b->touched_at))
				b = &all[i];
	if (b != NULL && (b->database != database || strcmp(b->server, server) != 0))
	{
		memset(b, 0, sizeof(*b));
		b->database = database;
		strlcpy(b->server, server, NAMEDATALEN);
	}
	return b;
}

DunPass
dun_deliver_breaker_ask(DunBreaker *all, Oid database, const char *server, TimestampTz now)
{
	DunBreaker *b = look_up(all, database, server);

	if (b == NULL || b->opened_at == 0)
		return DUN_PASS_ALL;
	return now >= b->probe_at && now >= b->probe_until ? DUN_PASS_PROBE : DUN_PASS_NONE;
}

bool
dun_deliver_breaker_probe(DunBreaker *all, Oid database, const char *server, TimestampTz now, TimestampTz until)
{
	if (dun_deliver_breaker_ask(all, database, server, now) != DUN_PASS_PROBE)
		return false;
	look_up(all, database, server)->probe_until = until;
	return true;
}

void
dun_deliver_breaker_yield(DunBreaker *all, Oid database, const char *server)
{
	DunBreaker *b = look_up(all, database, server);

	if (b != NULL)
		b->probe_until = 0;
}

bool
dun_deliver_breaker_close(DunBreaker *all, Oid database, const char *server, TimestampTz now)
{
	DunBreaker *b = look_up_or_make(all, database, server);
	bool		was_open;

	if (b == NULL)
		return false;
	was_open = b->opened_at != 0;
	b->failures = b->pause_ms = 0;
	b->opened_at = b->probe_at = b->probe_until = 0;
	b->worked_at = b->touched_at = now;
	return was_open;
}

static void
pause_for(DunBreaker *b, TimestampTz now, int ms)
{
	b->pause_ms = Min(ms, PAUSE_MAX_MS);
	b->probe_at = now + b->pause_ms * INT64CONST(1000);
	b->probe_until = 0;
}

DunTripped
dun_deliver_breaker_trip(DunBreaker *all, Oid database, const char *server, TimestampTz now, const DunTrip *trip)
{
	DunBreaker *b = look_up_or_make(all, database, server);

	if (b == NULL)
		return DUN_TRIPPED_NOT;
	b->touched_at = now;
	b->failures = Min(b->failures, PG_INT32_MAX - 1) + 1;
	if (b->opened_at != 0)
	{
		/* What was in flight when it opened says nothing new. */
		if (trip->probe)
		{
			strlcpy(b->reason, trip->reason, DUN_BREAKER_REASON);
			pause_for(b, now, Min(b->pause_ms, PAUSE_MAX_MS) * 2);
		}
		return DUN_TRIPPED_BEFORE;
	}
	if (!trip->at_once && b->failures < trip->after)
		return DUN_TRIPPED_NOT;
	b->opened_at = now;
	strlcpy(b->reason, trip->reason, DUN_BREAKER_REASON);
	pause_for(b, now, trip->pause_ms);
	return DUN_TRIPPED_NOW;
}

bool
dun_deliver_breaker_works(DunBreaker *all, Oid database, const char *server)
{
	DunBreaker *b = look_up(all, database, server);

	return b != NULL && b->opened_at == 0 && b->worked_at != 0;
}

bool
dun_deliver_breaker_forget(DunBreaker *all, Oid database, const char *server)
{
	DunBreaker *b = look_up(all, database, server);
	bool		was_open = b != NULL && b->opened_at != 0;

	if (b != NULL)
		memset(b, 0, sizeof(*b));
	return was_open;
}
