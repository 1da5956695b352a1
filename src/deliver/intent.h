/*
 * deliver/intent.h
 *		The durable intent: rows of the egress ledger, chained.
 */
#ifndef DUN_DELIVER_INTENT_H
#define DUN_DELIVER_INTENT_H

#include "postgres.h"

#include "deliver/item.h"

/*
 * What processes that died have left behind in the slices of this one is written down as interrupted, so that whatever
 * becomes of these messages knows that they may have arrived. Once a run, and again while somebody holds a row of theirs.
 */
extern void dun_deliver_take_over(DunRun *run);

/* Give a verdict to items whose last attempt was interrupted and must not be repeated. */
extern void dun_deliver_find_doubtful(DunItem **items, int n);

/*
 * Give a verdict to items whose attempt stands in the ledger already: somebody made the intent and died before its
 * outcome was settled, and it could not be taken over yet. Nobody else can be sending them: their slice is ours.
 */
extern void dun_deliver_find_orphans(DunItem **items, int n);

/* Append one row an item. Errors out (unique_violation) where a row stands already: look for orphans, then again. */
extern void dun_deliver_append_intents(DunItem **items, int n);

#endif
