/*
 * deliver/settle.h
 *		Verdicts, written.
 */
#ifndef DUN_DELIVER_SETTLE_H
#define DUN_DELIVER_SETTLE_H

#include "postgres.h"

#include "deliver/item.h"
#include "gateway/driver.h"

/* A reply came: judge it and put the item into `done`. For the transport. */
extern void dun_deliver_judge_reply(DunRun *run, DunItem *item, const DunReply *reply);

/* Write what stands in `done`, at most a batch of it, inside the current transaction. */
extern void dun_deliver_settle(DunRun *run);

/* That transaction has committed: the items are gone. */
extern void dun_deliver_forget_settled(DunRun *run);

#endif
