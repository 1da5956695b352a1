/*
 * score/swap.h
 *		Taking a table from its readers for as long as a swap takes.
 */
#ifndef DUN_SCORE_SWAP_H
#define DUN_SCORE_SWAP_H

#include "postgres.h"

/*
 * Locks a table that the caller may lock against readers. An exclusive lock that is waited for keeps out all who come
 * after it, so that one long reader would stop every other: for a minute, or as long as lock_timeout, it is asked for
 * again and again instead.
 */
extern void dun_score_lock_unqueued(Oid relation);

#endif
