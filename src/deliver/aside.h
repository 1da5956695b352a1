/*
 * deliver/aside.h
 *		Verdicts that cannot be written yet, because somebody's open transaction holds the message's queue row.
 */
#ifndef DUN_DELIVER_ASIDE_H
#define DUN_DELIVER_ASIDE_H

#include "postgres.h"

#include "deliver/item.h"

/* Whether one of the first `max` verdicts was held up before: look at once instead of waiting for a lock. */
extern bool dun_deliver_is_held_up(DunRun *run, int max);

/* Take those of the first `max` verdicts out of `done` whose rows are held; the rows of the others are locked. How many. */
extern int	dun_deliver_set_aside(DunRun *run, int max);

/* After a moment they are tried again. */
extern void dun_deliver_bring_back(DunRun *run);

#endif
