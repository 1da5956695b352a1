/*
 * base/uuid.c
 *		48 bits of Unix milliseconds, 12 bits of sub-millisecond time as a counter (RFC 9562 §6.2,
 *		method 3), 62 random bits.
 *
 * Randomness is drawn from the system in blocks: a call a key would cost a syscall a message.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "port.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/uuid.h"

#define UNIX_EPOCH_OFFSET_US \
	(((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)) * USECS_PER_DAY)

static void
put_time(pg_uuid_t *u, int64 unix_us)
{
	uint64		ms = (uint64) (unix_us / 1000);
	uint32		sub = (uint32) ((unix_us % 1000) * 4096 / 1000);

	for (int i = 0; i < 6; i++)
		u->data[i] = (unsigned char) (ms >> (8 * (5 - i)));
	u->data[6] = (unsigned char) (0x70 | (sub >> 8));
	u->data[7] = (unsigned char) sub;
}

static void
take_random(unsigned char *into, int n)
{
	static unsigned char pool[1024];
	static int	left = 0;
	static int	owner = 0;

	/* A forked child must not hand out its parent's bytes again. */
	if (owner != MyProcPid || left < n)
	{
		if (!pg_strong_random(pool, sizeof(pool)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not get random bytes for a message key")));
		left = sizeof(pool);
		owner = MyProcPid;
	}
	left -= n;
	memcpy(into, pool + left, n);
}

void
dun_base_uuid7(pg_uuid_t *result)
{
	static int64 last_us = 0;
	int64		us = GetCurrentTimestamp() + UNIX_EPOCH_OFFSET_US;

	/* Never backwards, and at least one counter step (1/4096 ms) on. */
	if (us <= last_us)
		us = last_us + 1;
	last_us = us;

	put_time(result, us);
	take_random(&result->data[8], 8);
	result->data[8] = (result->data[8] & 0x3f) | 0x80;
}

void
dun_base_uuid7_floor(TimestampTz instant, pg_uuid_t *result)
{
	memset(result, 0, sizeof(*result));
	put_time(result, ((instant + UNIX_EPOCH_OFFSET_US) / 1000) * 1000);
	result->data[6] = 0;
	result->data[7] = 0;
}

PG_FUNCTION_INFO_V1(dun_base_sql_uuid7);

Datum
dun_base_sql_uuid7(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *u = palloc(sizeof(pg_uuid_t));

	dun_base_uuid7(u);
	PG_RETURN_UUID_P(u);
}

PG_FUNCTION_INFO_V1(dun_base_sql_uuid7_floor);

Datum
dun_base_sql_uuid7_floor(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	pg_uuid_t  *u = palloc(sizeof(pg_uuid_t));

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a message key needs a finite instant")));
	dun_base_uuid7_floor(at, u);
	PG_RETURN_UUID_P(u);
}

PG_FUNCTION_INFO_V1(dun_base_sql_uuid7_time);

/* The instant a key was made; NULL where it is not a version 7 key. */
Datum
dun_base_sql_uuid7_time(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *u = PG_GETARG_UUID_P(0);
	uint64		ms = 0;

	if ((u->data[6] & 0xf0) != 0x70)
		PG_RETURN_NULL();
	for (int i = 0; i < 6; i++)
		ms = (ms << 8) | u->data[i];
	PG_RETURN_TIMESTAMPTZ((TimestampTz) (ms * 1000) - UNIX_EPOCH_OFFSET_US);
}
