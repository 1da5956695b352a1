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

#endif
