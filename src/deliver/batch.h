/*
 * deliver/batch.h
 *		From due rows to committed intents: claim, gate, render, freeze, append to the egress ledger.
 */
#ifndef DUN_DELIVER_BATCH_H
#define DUN_DELIVER_BATCH_H

#include "postgres.h"

#include "deliver/item.h"

/*
 * Take up what is due, inside the current transaction. Once that has committed, the items stand in run->ready (their
 * intent is durable) or in run->done (refused). Returns how many were taken up; a batch that failed is rolled back
 * alone, and rows that make it fail are found and held with the error's SQLSTATE as reason; where a table cannot be
 * written (DN010) nothing is held.
 */
extern int	dun_deliver_take_batch(DunRun *run);

#endif
