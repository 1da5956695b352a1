/*
 * deliver/launcher.c
 *		Which databases have a worker.
 *
 * It is connected to no database. Every few seconds, on a reload, and when CREATE EXTENSION or activate() calls, it
 * compares dunning.databases with pg_database and with the workers it has. Workers are never restarted by the
 * postmaster: the launcher does it, at once where the worker asked for it or was ended in good order, after a minute where
 * the extension is not there, else after a pause that doubles. Workers end with their launcher.
 */
#include "postgres.h"

#include <signal.h>

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/pmsignal.h"
#include "storage/procsignal.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "base/user.h"
#include "deliver/launcher.h"
#include "deliver/settings.h"
#include "deliver/shmem.h"
#include "deliver/worker.h"

#define LOOK_EVERY_MS 5000
#define ABSENT_MS 60000
#define STOPPED_MS 250			/* who ended it may want the database for a moment, as DROP DATABASE does */
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS 60000
#define STEADY_MS 60000			/* who ran for so long starts with a short pause again */

/* One worker, or the wish for one. */
typedef struct Post
{
	Oid			database;
	char		name[NAMEDATALEN];
	int			number;
	int			of;				/* workers of the database when it was started */
	bool		wanted;
	BackgroundWorkerHandle *handle; /* NULL: not running */
	TimestampTz started_at;
	TimestampTz start_at;
	int			pause_ms;
	bool		absent;
} Post;

static List *posts = NIL;		/* of Post *, in TopMemoryContext */

void
dun_deliver_register_launcher(void)
{
	BackgroundWorker worker = {0};

	strlcpy(worker.bgw_name, "dunning launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "dunning launcher", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = 5;
	strlcpy(worker.bgw_library_name, "dunning", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "dun_deliver_launcher_main", sizeof(worker.bgw_function_name));
	RegisterBackgroundWorker(&worker);
}

static bool
is_listed(const char *name)
{
	char	   *copy = pstrdup(dun_deliver_databases);
	List	   *names;
	ListCell   *lc;
	bool		found = false;

	if (SplitIdentifierString(copy, ',', &names))
		foreach(lc, names)
		{
			char	   *one = lfirst(lc);

			found = found || strcmp(one, "*") == 0 || strcmp(one, name) == 0;
		}
	pfree(copy);
	return found;
}

static void
want(Oid database, const char *name, int number)
{
	ListCell   *lc;
	Post	   *post;
	MemoryContext before;

	foreach(lc, posts)
	{
		post = lfirst(lc);
		if (post->database == database && post->number == number)
		{
			post->wanted = true;
			strlcpy(post->name, name, NAMEDATALEN);
			return;
		}
	}
	before = MemoryContextSwitchTo(TopMemoryContext);
	post = palloc0(sizeof(Post));
	post->database = database;
	strlcpy(post->name, name, NAMEDATALEN);
	post->number = number;
	post->wanted = true;
	post->pause_ms = PAUSE_FIRST_MS;
	posts = lappend(posts, post);
	MemoryContextSwitchTo(before);
}

/* Mark the posts that the settings and the catalog ask for. */
static void
read_wishes(void)
{
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;
	ListCell   *lc;

	foreach(lc, posts)
		((Post *) lfirst(lc))->wanted = false;
	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	/* Before the first CREATE EXTENSION of the cluster there is nothing to look for. */
	if (OidIsValid(get_role_oid(DUN_WORKER_ROLE, true)))
	{
		rel = table_open(DatabaseRelationId, AccessShareLock);
		scan = table_beginscan_catalog(rel, 0, NULL);
		while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
		{
			Form_pg_database db = (Form_pg_database) GETSTRUCT(tuple);

			/* -2: a DROP DATABASE that was interrupted */
			if (!db->datallowconn || db->datistemplate || db->datconnlimit == -2 || !is_listed(NameStr(db->datname)))
				continue;
			for (int i = 0; i < dun_deliver_workers; i++)
				want(db->oid, NameStr(db->datname), i);
		}
		table_endscan(scan);
		table_close(rel, AccessShareLock);
	}
	CommitTransactionCommand();
}

static void
start_worker(Post *post)
{
	BackgroundWorker worker = {0};
	DunWorkerStart start = {.database = post->database, .number = post->number, .of = dun_deliver_workers};
	MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

	StaticAssertStmt(sizeof(DunWorkerStart) <= BGW_EXTRALEN, "the start of a worker fits into bgw_extra");
	strlcpy(start.name, post->name, NAMEDATALEN);
	snprintf(worker.bgw_name, BGW_MAXLEN, "dunning worker %d of %s", post->number, post->name);
	strlcpy(worker.bgw_type, "dunning worker", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "dunning", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "dun_deliver_worker_main", sizeof(worker.bgw_function_name));
	memcpy(worker.bgw_extra, &start, sizeof(start));
	worker.bgw_notify_pid = MyProcPid;
	(void) dun_deliver_take_farewell(post->database, post->number);
	if (RegisterDynamicBackgroundWorker(&worker, &post->handle))
	{
		post->started_at = GetCurrentTimestamp();
		post->of = dun_deliver_workers;
	}
	else
	{
		post->handle = NULL;
		post->start_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), post->pause_ms);
		post->pause_ms = Min(post->pause_ms * 2, PAUSE_MAX_MS);
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker is free for database \"%s\"", post->name),
				 errhint("Raise max_worker_processes (now %d) and restart the server.", max_worker_processes)));
	}
	MemoryContextSwitchTo(before);
}

/* A worker has ended: when does it start again? */
static void
note_end(Post *post)
{
	TimestampTz now = GetCurrentTimestamp();

	pfree(post->handle);
	post->handle = NULL;
	post->absent = false;
	switch (dun_deliver_take_farewell(post->database, post->number))
	{
		case DUN_FAREWELL_AGAIN:
			post->start_at = now;
			break;
		case DUN_FAREWELL_STOPPED:
			post->pause_ms = PAUSE_FIRST_MS;
			post->start_at = post->of != dun_deliver_workers ? now : TimestampTzPlusMilliseconds(now, STOPPED_MS);
			break;
		case DUN_FAREWELL_ABSENT:
			post->absent = true;
			post->start_at = TimestampTzPlusMilliseconds(now, ABSENT_MS);
			break;
		case DUN_FAREWELL_NONE:
			if (post->of != dun_deliver_workers || TimestampDifferenceExceeds(post->started_at, now, STEADY_MS))
				post->pause_ms = PAUSE_FIRST_MS;
			post->start_at = post->of != dun_deliver_workers ? now : TimestampTzPlusMilliseconds(now, post->pause_ms);
			post->pause_ms = Min(post->pause_ms * 2, PAUSE_MAX_MS);
			break;
	}
}

/* Start, stop and forget; returns when to look again. */
static TimestampTz
tend_posts(bool look_at_absent)
{
	TimestampTz next = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LOOK_EVERY_MS);
	ListCell   *lc;

	foreach(lc, posts)
	{
		Post	   *post = lfirst(lc);
		pid_t		pid;

		if (post->handle != NULL && GetBackgroundWorkerPid(post->handle, &pid) == BGWH_STOPPED)
			note_end(post);
		if (look_at_absent && post->absent)
			post->start_at = 0;
		/* Slices are shared out by the number of workers: with another number everybody starts anew. */
		if (post->handle != NULL && (!post->wanted || post->of != dun_deliver_workers))
			TerminateBackgroundWorker(post->handle);
		if (!post->wanted && post->handle == NULL)
		{
			posts = foreach_delete_current(posts, lc);
			pfree(post);
			continue;
		}
		if (post->wanted && post->handle == NULL)
		{
			if (post->start_at <= GetCurrentTimestamp())
				start_worker(post);
			else
				next = Min(next, post->start_at);
		}
	}
	return next;
}

/*
 * However it ends: the next launcher knows nothing of these workers and would start as many again. Where the postmaster is
 * gone they see so themselves.
 */
static void
end_workers(int code, Datum arg)
{
	ListCell   *lc;

	dun_deliver_set_launcher(NULL);
	if (!PostmasterIsAlive())
		return;
	foreach(lc, posts)
	{
		Post	   *post = lfirst(lc);

		if (post->handle != NULL)
			TerminateBackgroundWorker(post->handle);
	}
}

void
dun_deliver_launcher_main(Datum arg)
{
	uint64		calls = 0;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	pgstat_report_appname("dunning launcher");
	dun_deliver_set_launcher(MyLatch);
	before_shmem_exit(end_workers, 0);

	while (!ShutdownRequestPending)
	{
		uint64		calls_now = dun_deliver_launcher_calls();
		TimestampTz next;

		read_wishes();
		next = tend_posts(calls_now != calls);
		calls = calls_now;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Max(TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next), 10), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
	/* Exit code 1: the postmaster starts the launcher again, unless it is shutting down itself. */
	proc_exit(1);
}
