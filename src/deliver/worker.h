/*
 * deliver/worker.h
 *		The background worker of one database, as the launcher starts it.
 */
#ifndef DUN_DELIVER_WORKER_H
#define DUN_DELIVER_WORKER_H

#include "postgres.h"

#include "postmaster/bgworker.h"

/* What the launcher puts into bgw_extra. */
typedef struct DunWorkerStart
{
	Oid			database;
	int			number;			/* of the database's workers, from 0 */
	int			of;
	char		name[NAMEDATALEN];
} DunWorkerStart;

extern PGDLLEXPORT void dun_deliver_worker_main(Datum arg);

/*
 * What each of our processes does first, its signal handlers set: connect as the worker's role to the database of bgw_extra,
 * with settings of our own. False: the extension is not there, or of another version.
 */
extern bool dun_deliver_start_process(DunWorkerStart *start);

#endif
