/*
 * deliver/loop.h
 *		The loop of a delivering process: settle, claim, commit; recheck, send; wait.
 */
#ifndef DUN_DELIVER_LOOP_H
#define DUN_DELIVER_LOOP_H

#include "postgres.h"

#include "deliver/item.h"

/* What a process brings along. */
typedef struct DunLimits
{
	int64		max_messages;	/* -1: no limit */
	TimestampTz until;			/* DT_NOEND: no limit */
	bool		until_drained;	/* end when nothing is due; else wait for more */
	bool		(*should_stop) (void);	/* asked each turn */
} DunLimits;

extern DunRun *dun_deliver_open_run(const DunLimits *limits);

/* Returns when the limits say so, or when should_stop() did: then nothing is in flight and all is settled. */
extern void dun_deliver_run_loop(DunRun *run, const DunLimits *limits);

extern void dun_deliver_close_run(DunRun *run);

#endif
