/*
 * base/hash.c
 *		XXH64 (Y. Collet, public specification) and splitmix64 (Steele, Lea, Flood 2014).
 */
#include "postgres.h"

#include "fmgr.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/hash.h"

#define P1 UINT64CONST(0x9E3779B185EBCA87)
#define P2 UINT64CONST(0xC2B2AE3D27D4EB4F)
#define P3 UINT64CONST(0x165667B19E3779F9)
#define P4 UINT64CONST(0x85EBCA77C2B2AE63)
#define P5 UINT64CONST(0x27D4EB2F165667C5)

static inline uint64
rotl(uint64 x, int r)
{
	return (x << r) | (x >> (64 - r));
}

/* Words are little-endian by definition. */
static inline uint64
read64(const unsigned char *p)
{
	uint64		v;

	memcpy(&v, p, sizeof(v));
#ifdef WORDS_BIGENDIAN
	v = pg_bswap64(v);
#endif
	return v;
}

static inline uint32
read32(const unsigned char *p)
{
	uint32		v;

	memcpy(&v, p, sizeof(v));
#ifdef WORDS_BIGENDIAN
	v = pg_bswap32(v);
#endif
	return v;
}

static inline uint64
round64(uint64 acc, uint64 input)
{
	return rotl(acc + input * P2, 31) * P1;
}

static inline uint64
merge(uint64 acc, uint64 val)
{
	return (acc ^ round64(0, val)) * P1 + P4;
}

uint64
dun_base_hash64(const void *data, size_t len, uint64 seed)
{
	const unsigned char *p = data;
	const unsigned char *end = p + len;
	uint64		h;

	if (len >= 32)
	{
		uint64		v1 = seed + P1 + P2,
					v2 = seed + P2,
					v3 = seed,
					v4 = seed - P1;

		for (; p + 32 <= end; p += 32)
		{
			v1 = round64(v1, read64(p));
			v2 = round64(v2, read64(p + 8));
			v3 = round64(v3, read64(p + 16));
			v4 = round64(v4, read64(p + 24));
		}
		h = rotl(v1, 1) + rotl(v2, 7) + rotl(v3, 12) + rotl(v4, 18);
		h = merge(merge(merge(merge(h, v1), v2), v3), v4);
	}
	else
		h = seed + P5;

	h += (uint64) len;
	for (; p + 8 <= end; p += 8)
		h = rotl(h ^ round64(0, read64(p)), 27) * P1 + P4;
	if (p + 4 <= end)
	{
		h = rotl(h ^ (uint64) read32(p) * P1, 23) * P2 + P3;
		p += 4;
	}
	for (; p < end; p++)
		h = rotl(h ^ *p * P5, 11) * P1;

	h ^= h >> 33;
	h *= P2;
	h ^= h >> 29;
	h *= P3;
	h ^= h >> 32;
	return h;
}

int
dun_base_slice(const char *debtor_id, size_t len)
{
	return (int) (dun_base_hash64(debtor_id, len, 0) % DUN_SLICES);
}

uint64
dun_base_rng_next(uint64 *state)
{
	uint64		z = (*state += UINT64CONST(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

double
dun_base_rng_uniform(uint64 *state)
{
	return (double) (dun_base_rng_next(state) >> 11) * (1.0 / 9007199254740992.0);
}

PG_FUNCTION_INFO_V1(dun_base_sql_hash64);

Datum
dun_base_sql_hash64(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	int64		seed = PG_GETARG_INT64(1);

	PG_RETURN_INT64((int64) dun_base_hash64(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), (uint64) seed));
}

PG_FUNCTION_INFO_V1(dun_base_sql_slice);

Datum
dun_base_sql_slice(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);

	PG_RETURN_INT16((int16) dun_base_slice(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)));
}

PG_FUNCTION_INFO_V1(dun_base_sql_uniform);

/* A number in [0,1) that is a function of (text, seed): the coin of assignments and explorations. */
Datum
dun_base_sql_uniform(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	uint64		state = dun_base_hash64(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), (uint64) PG_GETARG_INT64(1));

	PG_RETURN_FLOAT8(dun_base_rng_uniform(&state));
}
