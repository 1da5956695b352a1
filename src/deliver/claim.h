/*
 * deliver/claim.h
 *		Reading rows of the queue into items.
 */
#ifndef DUN_DELIVER_CLAIM_H
#define DUN_DELIVER_CLAIM_H

#include "postgres.h"

#include "deliver/item.h"

/* Claim at most `room` of what overtakes all others, from the head: such may have come behind any backlog. */
extern int	dun_deliver_claim_urgent(DunRun *run, DunLane *lane, dlist_head *batch, int room);

/*
 * Claim at most `room` in the order of due, from the lane's position on, which moves; afterwards lane->drained says whether that
 * was all. `head`: it is read from where rows under way stand. Both push onto `batch` and return how many.
 */
extern int	dun_deliver_claim_in_order(DunRun *run, DunLane *lane, dlist_head *batch, int room, bool head);

#endif
