/*
 * base/hash.h
 *		A 64-bit hash and a small generator whose results are part of what is stored (slices, arms,
 *		randomised contacts), hence our own: the server's may change between majors.
 */
#ifndef DUN_BASE_HASH_H
#define DUN_BASE_HASH_H

#include "postgres.h"

/* Debtors fall into this many fixed slices; a stored number, never to be changed. */
#define DUN_SLICES 64

/* XXH64 of the bytes, seed 0 unless given; the same on every architecture. */
extern uint64 dun_base_hash64(const void *data, size_t len, uint64 seed);

/* 0 .. DUN_SLICES-1 */
extern int	dun_base_slice(const char *debtor_id, size_t len);

/* splitmix64: the state is one word, owned by the caller. */
extern uint64 dun_base_rng_next(uint64 *state);

/* Uniform in [0,1). */
extern double dun_base_rng_uniform(uint64 *state);

#endif
