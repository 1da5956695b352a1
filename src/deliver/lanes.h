/*
 * deliver/lanes.h
 *		Reading the queue: one lane a server, each with a remembered position.
 */
#ifndef DUN_DELIVER_LANES_H
#define DUN_DELIVER_LANES_H

#include "postgres.h"

#include "deliver/item.h"

/* Read again, once a second, which servers there are and which are paused. Inside a transaction. */
extern void dun_deliver_read_lanes(DunRun *run);

/* Read servers again that were altered and that something waits for. Inside a transaction. */
extern void dun_deliver_heed_changed_servers(DunRun *run);

/* Its request is for a server as it was: altered or dropped since, or its secret is another one. */
extern bool dun_deliver_is_outdated(const DunItem *item);

/* smallint[]: the slices of this process. */
extern Datum dun_deliver_owned_slices(void);

/* Claim what is due, as far as there is room; the items are pushed onto `batch`. Returns how many. */
extern int	dun_deliver_claim(DunRun *run, dlist_head *batch);

/* Whether a lane has so much room that a batch is worth its commit. */
extern bool dun_deliver_wants_more(DunRun *run);

/* Before a batch: how many to keep ready from now on. */
extern void dun_deliver_size_stock(DunRun *run);

/* A batch was rolled back: read its rows again, one by one where the fault is in the rows. */
extern void dun_deliver_rewind_lanes(DunRun *run, bool one_by_one);

/* When a head that was not read though something was enqueued is to be read, DT_NOEND: none. */
extern TimestampTz dun_deliver_head_due(const DunRun *run);

/* When the next row falls due, DT_NOEND: none. Inside a transaction. */
extern TimestampTz dun_deliver_next_due(void);

#endif
