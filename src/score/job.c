/*
 * score/job.c
 *		A training in the background: fit_job() and train_job().
 *
 * A dynamic worker connects as the caller's session user and trains as the caller, with the caller's search
 * path and memory. What to train comes through a piece of shared memory and never through a table: a row that
 * somebody could write would be a query run as somebody else. The worker commits a row of fit_run as it starts
 * and as it ends; the caller waits for the first, and for nothing else.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/spi.h"
#include "base/user.h"
#include "base/uuid.h"

/* Arguments of the statement, and settings of the caller, each a text. */
#define ARGS 5
#define KEPT_DAYS 90

static const char *const settings[] = {"search_path", "timezone", "datestyle", "dunning.train_memory"};

#define TEXTS (ARGS + lengthof(settings))

/* In shared memory; the texts follow, each ended by a zero byte. */
typedef struct Order
{
	Oid			database;
	Oid			session_user_id;
	Oid			current_user_id;
	pg_uuid_t	job_id;
	bool		train;			/* train(target, as_of, kind), else fit(model, query, label, kind, options) */
	bool		null[TEXTS];
	bool		started;		/* written by the worker, once its row is committed */
} Order;

static DunStatement start_statement = {
	"INSERT INTO dunning.fit_run (job_id, model, state, pid, started_at, started_by)"
	" VALUES ($1, $2, 'running', $3, pg_catalog.clock_timestamp(), $4)",
	4, {UUIDOID, TEXTOID, INT4OID, TEXTOID}
};

static DunStatement prune_statement = {
	"DELETE FROM dunning.fit_run f WHERE f.started_at OPERATOR(pg_catalog.<) (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
	" pg_catalog.make_interval(days => $1))",
	1, {INT4OID}
};

static DunStatement end_statement = {
	"UPDATE dunning.fit_run SET state = $2, ended_at = pg_catalog.clock_timestamp(), version = $3, sqlstate = $4, message = $5,"
	" detail = $6, hint = $7 WHERE job_id OPERATOR(pg_catalog.=) $1",
	7, {UUIDOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}
};

static DunStatement fit_statement = {
	"SELECT f.version FROM dunning.fit($1, $2, $3, $4, $5::pg_catalog.jsonb) f",
	5, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}
};

static DunStatement train_statement = {
	"SELECT f.version FROM dunning.train($1, $2::pg_catalog.timestamptz, $3) f",
	3, {TEXTOID, TEXTOID, TEXTOID}
};

/* What is to be trained, out of shared memory. */
typedef struct Job
{
	Order		order;
	char	   *text[TEXTS];
} Job;

static Job	job;

static dsm_segment *
write_order(const Order *order, char *const *texts)
{
	Size		size = sizeof(Order);
	dsm_segment *segment;
	char	   *to;

	for (int i = 0; i < TEXTS; i++)
		size += (texts[i] ? strlen(texts[i]) : 0) + 1;
	segment = dsm_create(size, 0);
	memcpy(dsm_segment_address(segment), order, sizeof(Order));
	to = (char *) dsm_segment_address(segment) + sizeof(Order);
	for (int i = 0; i < TEXTS; i++)
		to = stpcpy(to, texts[i] ? texts[i] : "") + 1;
	return segment;
}

static void
read_order(dsm_segment *segment)
{
	char	   *from = (char *) dsm_segment_address(segment) + sizeof(Order);

	memcpy(&job.order, dsm_segment_address(segment), sizeof(Order));
	for (int i = 0; i < TEXTS; i++)
	{
		job.text[i] = job.order.null[i] ? NULL : MemoryContextStrdup(TopMemoryContext, from);
		from += strlen(from) + 1;
	}
}

/* Until the worker has committed its row; an error where it ended before. */
static void
wait_for_start(BackgroundWorkerHandle *handle, const volatile Order *order)
{
	for (;;)
	{
		pid_t		pid;
		BgwHandleStatus status = GetBackgroundWorkerPid(handle, &pid);

		/* Asked after the status: who has ended may have written it before. */
		pg_read_barrier();
		if (order->started)
			return;
		if (status == BGWH_STOPPED || status == BGWH_POSTMASTER_DIED)
			ereport(ERROR,
					(errcode(ERRCODE_CANNOT_CONNECT_NOW),
					 errmsg("the training did not start"),
					 errdetail("Its process ended before it had connected to the database."),
					 errhint("The server's log has its reason; SELECT * FROM dunning.fit(model, query, label); trains in this session.")));
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
launch(dsm_segment *segment)
{
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle;

	strlcpy(worker.bgw_name, "dunning fit", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "dunning fit", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "dunning", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "dun_score_job_main", sizeof(worker.bgw_function_name));
	worker.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(segment));
	worker.bgw_notify_pid = MyProcPid;
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker is free"),
				 errhint("Raise max_worker_processes (now %d) and restart the server, or train in this session: "
						 "SELECT * FROM dunning.fit(model, query, label);", max_worker_processes)));
	wait_for_start(handle, dsm_segment_address(segment));
}

PG_FUNCTION_INFO_V1(dun_score_sql_fit_job);

/* fit_job(model, query, label, kind, options) or train_job(target, as_of, kind), all of it text but options and as_of. */
Datum
dun_score_sql_fit_job(PG_FUNCTION_ARGS)
{
	Order		order = {.database = MyDatabaseId, .session_user_id = GetSessionUserId(), .current_user_id = GetUserId()};
	char	   *texts[TEXTS] = {NULL};
	pg_uuid_t  *job_id = palloc(sizeof(pg_uuid_t));
	dsm_segment *segment;

	order.train = PG_NARGS() == 3;
	for (int i = 0; i < PG_NARGS(); i++)
	{
		Oid			output;
		bool		varlena;

		/* as_of alone may be left open */
		if (PG_ARGISNULL(i) && !(order.train && i == 1))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d must not be null", i + 1),
					 errhint("Leave out an argument to get its default.")));
		if (PG_ARGISNULL(i))
			continue;
		getTypeOutputInfo(get_fn_expr_argtype(fcinfo->flinfo, i), &output, &varlena);
		texts[i] = OidOutputFunctionCall(output, PG_GETARG_DATUM(i));
	}
	for (int i = 0; i < lengthof(settings); i++)
		texts[ARGS + i] = GetConfigOptionByName(settings[i], NULL, true);
	for (int i = 0; i < TEXTS; i++)
		order.null[i] = texts[i] == NULL;
	dun_base_uuid7(&order.job_id);
	*job_id = order.job_id;
	segment = write_order(&order, texts);
	launch(segment);
	dsm_detach(segment);
	PG_RETURN_UUID_P(job_id);
}

static void
begin(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
}

static void
commit(void)
{
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
}

static Datum
text_or_null(const char *text, char *null)
{
	*null = text ? ' ' : 'n';
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

static void
record_start(void)
{
	Datum		args[4] = {UUIDPGetDatum(&job.order.job_id)};
	Datum		days = Int32GetDatum(KEPT_DAYS);
	DunUser		before;

	begin();
	args[1] = CStringGetTextDatum(job.text[0]);
	args[2] = Int32GetDatum(MyProcPid);
	args[3] = CStringGetTextDatum(GetUserNameFromId(job.order.session_user_id, false));
	before = dun_base_become(DUN_OWNER_ROLE);
	dun_base_run(&prune_statement, &days, NULL, false, 0);
	dun_base_run(&start_statement, args, NULL, false, 0);
	dun_base_unbecome(before);
	commit();
}

/* How it ended; an error of its own, such as a model that was dropped, is left to the log. */
static void
record_end(const char *state, int version, const ErrorData *error)
{
	Datum		args[7] = {UUIDPGetDatum(&job.order.job_id)};
	char		nulls[7] = {' ', ' ', ' ', 'n', 'n', 'n', 'n'};
	DunUser		before;

	begin();
	args[1] = CStringGetTextDatum(state);
	args[2] = Int32GetDatum(version);
	nulls[2] = version > 0 ? ' ' : 'n';
	if (error != NULL)
	{
		args[3] = text_or_null(unpack_sql_state(error->sqlerrcode), &nulls[3]);
		args[4] = text_or_null(error->message, &nulls[4]);
		args[5] = text_or_null(error->detail, &nulls[5]);
		args[6] = text_or_null(error->hint, &nulls[6]);
	}
	before = dun_base_become(DUN_OWNER_ROLE);
	dun_base_run(&end_statement, args, nulls, false, 0);
	dun_base_unbecome(before);
	commit();
}

static void
run_training(void)
{
	DunStatement *statement = job.order.train ? &train_statement : &fit_statement;
	Datum		args[ARGS];
	char		nulls[ARGS];
	int			version;
	bool		isnull;

	begin();
	SetUserIdAndSecContext(job.order.current_user_id, SECURITY_LOCAL_USERID_CHANGE);
	for (int i = 0; i < statement->nargs; i++)
		args[i] = text_or_null(job.text[i], &nulls[i]);
	dun_base_run(statement, args, nulls, false, 0);
	version = DatumGetInt32(dun_base_value(0, 1, &isnull));
	SetUserIdAndSecContext(job.order.session_user_id, 0);
	commit();
	/* What is committed is not cancelled any more. */
	HOLD_CANCEL_INTERRUPTS();
	record_end("done", version, NULL);
	RESUME_CANCEL_INTERRUPTS();
}

static void
record_failure(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	HOLD_CANCEL_INTERRUPTS();
	EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	record_end(error->sqlerrcode == ERRCODE_QUERY_CANCELED ? "cancelled" : "failed", 0, error);
	RESUME_CANCEL_INTERRUPTS();
}

/* Tell the caller, who may be gone. */
static void
say_started(Order *order)
{
	PGPROC	   *caller = BackendPidGetProc(MyBgworkerEntry->bgw_notify_pid);

	order->started = true;
	pg_write_barrier();
	if (caller != NULL)
		SetLatch(&caller->procLatch);
}

extern PGDLLEXPORT void dun_score_job_main(Datum arg);

void
dun_score_job_main(Datum arg)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "dunning fit job", ALLOCSET_DEFAULT_SIZES);
	dsm_segment *segment;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	CurrentResourceOwner = ResourceOwnerCreate(NULL, "dunning fit job");
	segment = dsm_attach(DatumGetUInt32(arg));
	/* The caller gave up. */
	if (segment == NULL)
		proc_exit(0);
	dsm_pin_mapping(segment);
	read_order(segment);
	BackgroundWorkerInitializeConnectionByOid(job.order.database, job.order.session_user_id, 0);
	for (int i = 0; i < lengthof(settings); i++)
		if (job.text[ARGS + i] != NULL)
			SetConfigOption(settings[i], job.text[ARGS + i], PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("application_name", "dunning fit", PGC_USERSET, PGC_S_SESSION);
	record_start();
	say_started(dsm_segment_address(segment));
	dsm_detach(segment);

	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		run_training();
	}
	PG_CATCH();
	{
		record_failure(context);
	}
	PG_END_TRY();
	proc_exit(0);
}
