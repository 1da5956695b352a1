/*
 * score/sort.h
 *		Sorting by numbers, digit by digit: several times as fast as comparing, and equal keys keep their order.
 */
#ifndef DUN_SCORE_SORT_H
#define DUN_SCORE_SORT_H

#include "postgres.h"

typedef struct DunSortKey
{
	uint64		key;
	uint32		row;
} DunSortKey;

/* Both take room as large again for as long as they run. */
extern void dun_score_sort_keys(DunSortKey *keys, uint32 n);
extern void dun_score_sort_floats(float *values, uint32 n);

/* A key in the order of the numbers; -0 is 0. Not for NaN. */
static inline uint64
dun_score_key_of(double value)
{
	uint64		bits;

	value += 0.0;
	memcpy(&bits, &value, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64CONST(1) << 63;
}

#endif
