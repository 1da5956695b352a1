/*
 * queue/wake.h
 *		Waking the worker when a transaction that enqueued something commits.
 *
 * The worker belongs to a later room, so the two meet in a rendezvous variable: deliver stores its function when the
 * library is loaded, queue calls it at commit. Without preload nobody stores one and nothing happens.
 */
#ifndef DUN_QUEUE_WAKE_H
#define DUN_QUEUE_WAKE_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* *find_rendezvous_variable(DUN_WAKE_VARIABLE) holds a DunWakeHook, or NULL. */
#define DUN_WAKE_VARIABLE "dun_wake"

/* Called after commit, inside the commit: must neither throw, wait nor touch a table. No row that came is due before `due`. */
typedef void (*DunWakeHook) (Oid database, TimestampTz due);

/*
 * Something was put into the queue that is due from `due` on (DT_NOBEGIN: whenever). The earliest that a transaction says
 * counts; calling it more often costs nothing.
 */
extern void dun_queue_wake_at_commit(TimestampTz due);

#endif
