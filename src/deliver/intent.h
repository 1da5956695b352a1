/*
 * deliver/intent.h
 *		The durable intent: rows of the egress ledger, chained.
 */
#ifndef DUN_DELIVER_INTENT_H
#define DUN_DELIVER_INTENT_H

#include "postgres.h"

#include "deliver/item.h"

/*
 * Give a verdict to items whose attempt stands in the ledger already: somebody made the intent and died before its
 * outcome was settled. Nobody else can be sending them: their slice is ours.
 */
extern void dun_deliver_find_orphans(DunItem **items, int n);

/* Once a run: give a verdict to such attempts of messages that were cancelled meanwhile, which nobody claims any more. */
extern void dun_deliver_settle_lost(DunRun *run);

/* Append one row an item. Errors out (unique_violation) where a row stands already: look for orphans, then again. */
extern void dun_deliver_append_intents(DunItem **items, int n);

#endif
