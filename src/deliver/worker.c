/*
 * deliver/worker.c
 *		The background worker of one database.
 *
 * It runs as dunning_worker, never as a superuser: it evaluates the bound views and what is written in them. It ends
 * by itself when the extension is not there or is of another version; the launcher looks again. SIGTERM ends the
 * claiming at once, a query that runs on after a second, and the process soon after: what is in flight is judged by how far
 * it got.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "executor/spi.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/procsignal.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/hash.h"
#include "base/spi.h"
#include "base/user.h"
#include "deliver/loop.h"
#include "deliver/session.h"
#include "deliver/settings.h"
#include "deliver/shmem.h"
#include "deliver/worker.h"

#define TIMEOUT_MIN_MS 1000		/* a shorter one of the role would let no batch through */
#define TIMEOUT_MAX_MS 60000

static DunStatement version_sql = {
	"SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'dunning'", 0, {0}, NULL
};

static void
override_settings(void)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"lock_timeout", "2s"},
		{"idle_in_transaction_session_timeout", "0"},
		{"idle_session_timeout", "0"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_deferrable", "off"},
		{"client_min_messages", "error"},
		{"jit", "off"},
		/* The same statements again and again: planned once. */
		{"plan_cache_mode", "force_generic_plan"},
		/* A kept plan may stem from a moment when a table was small, and then it would read all of it for each batch. */
		{"enable_seqscan", "off"},
		{NULL, NULL}
	};

	for (int i = 0; settings[i][0] != NULL; i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
	/* A query that hangs must not hold up the other servers for ever. */
	if (StatementTimeout < TIMEOUT_MIN_MS || StatementTimeout > TIMEOUT_MAX_MS)
		SetConfigOption("statement_timeout", "60s", PGC_SUSET, PGC_S_OVERRIDE);
}

/* The extension of this database, if it is ours to serve. */
static bool
is_served(void)
{
	char	   *version;
	bool		ours = true;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
	if (dun_base_run(&version_sql, NULL, NULL, true, 1) == 0)
		ours = false;
	else
	{
		version = dun_base_text(0, 1);
		if (strcmp(version, DUN_VERSION) != 0)
		{
			ereport(LOG,
					(errmsg("dunning %s in database \"%s\" is not served by the library of version %s",
							version, get_database_name(MyDatabaseId), DUN_VERSION),
					 errhint("Restart the server if the library is the older one, else ALTER EXTENSION dunning UPDATE.")));
			ours = false;
		}
	}
	PopActiveSnapshot();
	SPI_finish();
	CommitTransactionCommand();
	return ours;
}

static void
refuse_superuser(void)
{
	bool		super;

	StartTransactionCommand();
	super = superuser();
	CommitTransactionCommand();
	if (super)
		ereport(FATAL,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" is a superuser", DUN_WORKER_ROLE),
				 errdetail("The worker evaluates the bound views and must not do so as a superuser."),
				 errhint("ALTER ROLE %s NOSUPERUSER;", DUN_WORKER_ROLE)));
}

static bool
should_stop(void)
{
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
	return ShutdownRequestPending;
}

/*
 * Wait for the slices that a session in CALL deliver(), or a worker of another dunning.workers, still holds. All of
 * them: those not got now would have no owner until the next start.
 */
static void
wait_for_slices(int number, int of)
{
	int			wanted = 0;

	for (int slice = 0; slice < DUN_SLICES; slice++)
		if (dun_deliver_slice_owner(slice, of) == number)
			wanted++;
	while (dun_deliver_take_slices() < wanted && !should_stop())
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 1000, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

bool
dun_deliver_start_process(DunWorkerStart *start)
{
	memcpy(start, MyBgworkerEntry->bgw_extra, sizeof(*start));
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(start->name, DUN_WORKER_ROLE, 0);
	/* A database of that name that is not the one meant was made meanwhile. */
	if (MyDatabaseId != start->database)
		proc_exit(1);
	override_settings();
	dun_deliver_watch_work();
	refuse_superuser();
	return is_served();
}

void
dun_deliver_worker_main(Datum arg)
{
	DunWorkerStart start;
	DunLimits	limits = {-1, DT_NOEND, false, should_stop};
	DunRun	   *run;
	bool		again;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	if (!dun_deliver_start_process(&start))
	{
		dun_deliver_say_farewell(MyDatabaseId, start.number, DUN_FAREWELL_ABSENT);
		proc_exit(0);
	}
	pgstat_report_appname("dunning worker");
	dun_deliver_take_entry(start.number);
	dun_deliver_session = (DunSession) {.in_call = false, .number = start.number, .of = start.of};
	wait_for_slices(start.number, start.of);

	run = dun_deliver_open_run(&limits);
	dun_deliver_run_loop(run, &limits);
	again = run->settings_changed;
	dun_deliver_close_run(run);
	if (again)
	{
		dun_deliver_say_farewell(MyDatabaseId, start.number, DUN_FAREWELL_AGAIN);
		proc_exit(0);
	}
	if (ShutdownRequestPending)
		dun_deliver_say_farewell(MyDatabaseId, start.number, DUN_FAREWELL_STOPPED);
	proc_exit(1);
}
