/*
 * score/sort.c
 *		Radix sort from the lowest digit on. A digit that is the same in all keys costs one look at the counts.
 *
 * The upper digits alone put most keys where they belong; the rest is put right by insertion, and where that is
 * too much, by all digits.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "score/sort.h"

#define BITS 11
#define DIGITS (1 << BITS)
#define PASSES ((64 + BITS - 1) / BITS)
#define UPPER 3					/* digits that are looked at first: 31 bits */
#define MOVES 4					/* by insertion, a key */
#define FLOAT_PASSES ((32 + BITS - 1) / BITS)

/* From counts to where each digit's first entry goes; false where all entries have one digit. */
static bool
place_digits(uint32 *count, uint32 n)
{
	uint32		at = 0;

	for (int d = 0; d < DIGITS; d++)
	{
		uint32		here = count[d];

		if (here == n)
			return false;
		count[d] = at;
		at += here;
	}
	return true;
}

/* By the digits from `first` on. */
static void
sort_digits(DunSortKey *keys, uint32 n, int first)
{
	uint32	  (*count)[DIGITS] = palloc0(sizeof(uint32) * DIGITS * PASSES);
	DunSortKey *room = palloc_extended(sizeof(DunSortKey) * Max(n, 1), MCXT_ALLOC_HUGE);
	DunSortKey *from = keys,
			   *to = room;

	for (uint32 i = 0; i < n; i++)
		for (int pass = first; pass < PASSES; pass++)
			count[pass][keys[i].key >> (pass * BITS) & (DIGITS - 1)]++;
	for (int pass = first; pass < PASSES; pass++)
	{
		DunSortKey *other = from;

		if (!place_digits(count[pass], n))
			continue;
		for (uint32 i = 0; i < n; i++)
			to[count[pass][from[i].key >> (pass * BITS) & (DIGITS - 1)]++] = from[i];
		from = to;
		to = other;
	}
	if (from != keys)
		memcpy(keys, from, sizeof(DunSortKey) * n);
	pfree(room);
	pfree(count);
}

/* False, with equal keys still in their order, where more than a few moves a key are needed. */
static bool
insert_keys(DunSortKey *keys, uint32 n)
{
	uint64		moves = 0;

	for (uint32 i = 1; i < n; i++)
	{
		DunSortKey	key = keys[i];
		uint32		at = i;

		for (; at > 0 && keys[at - 1].key > key.key && moves < (uint64) MOVES * n; at--, moves++)
			keys[at] = keys[at - 1];
		keys[at] = key;
		if (moves >= (uint64) MOVES * n)
			return false;
	}
	return true;
}

void
dun_score_sort_keys(DunSortKey *keys, uint32 n)
{
	sort_digits(keys, n, PASSES - UPPER);
	if (!insert_keys(keys, n))
		sort_digits(keys, n, 0);
}

/* By the digits from `first` on; the sorted keys stand in one of the two places. */
static uint32 *
sort_bits(uint32 *from, uint32 *to, uint32 n, int first)
{
	uint32	  (*count)[DIGITS] = palloc0(sizeof(uint32) * DIGITS * FLOAT_PASSES);

	for (uint32 i = 0; i < n; i++)
		for (int pass = first; pass < FLOAT_PASSES; pass++)
			count[pass][from[i] >> (pass * BITS) & (DIGITS - 1)]++;
	for (int pass = first; pass < FLOAT_PASSES; pass++)
	{
		uint32	   *other = from;

		if (!place_digits(count[pass], n))
			continue;
		for (uint32 i = 0; i < n; i++)
			to[count[pass][from[i] >> (pass * BITS) & (DIGITS - 1)]++] = from[i];
		from = to;
		to = other;
	}
	pfree(count);
	return from;
}

static bool
insert_bits(uint32 *keys, uint32 n)
{
	uint64		moves = 0;

	for (uint32 i = 1; i < n; i++)
	{
		uint32		key = keys[i];
		uint32		at = i;

		for (; at > 0 && keys[at - 1] > key && moves < (uint64) MOVES * n; at--, moves++)
			keys[at] = keys[at - 1];
		keys[at] = key;
		if (moves >= (uint64) MOVES * n)
			return false;
	}
	return true;
}

void
dun_score_sort_floats(float *values, uint32 n)
{
	uint32	   *room = palloc_extended(sizeof(uint32) * 2 * Max(n, 1), MCXT_ALLOC_HUGE);
	uint32	   *keys = room;

	for (uint32 i = 0; i < n; i++)
	{
		float		value = values[i] + 0.0f;
		uint32		bits;

		memcpy(&bits, &value, sizeof(value));
		keys[i] = bits ^ ((uint32) ((int32) bits >> 31) | (uint32) 1 << 31);
	}
	keys = sort_bits(keys, room + n, n, 1);
	if (!insert_bits(keys, n))
		keys = sort_bits(keys, keys == room ? room + n : room, n, 0);
	for (uint32 i = 0; i < n; i++)
	{
		uint32		bits = keys[i] >> 31 ? keys[i] & ~((uint32) 1 << 31) : ~keys[i];

		memcpy(&values[i], &bits, sizeof(bits));
	}
	pfree(room);
}
