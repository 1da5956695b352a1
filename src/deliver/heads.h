/*
 * deliver/heads.h
 *		The heads of the egress chains, one a slice, kept in memory between batches.
 */
#ifndef DUN_DELIVER_HEADS_H
#define DUN_DELIVER_HEADS_H

#include "postgres.h"

#include "deliver/item.h"
#include "queue/egress_chain.h"

typedef struct DunHead
{
	int64		seq;			/* of the last link */
	uint8		digest[DUN_DIGEST_LEN];
} DunHead;

/* See that the heads of these items' slices are known, reading and making what is not. Inside a transaction. */
extern void dun_deliver_take_heads(DunItem **items, int n);

/* The head of a slice that was taken, for the next link to be written to. */
extern DunHead *dun_deliver_head_of(int16 slice);

/* Write the heads that were taken. Errors out (40001) where the table's are not those that the links follow. */
extern void dun_deliver_move_heads(void);

/* Others may have written since: believe nothing. */
extern void dun_deliver_forget_heads(void);

#endif
