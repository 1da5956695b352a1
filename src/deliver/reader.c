/*
 * deliver/reader.c
 *		The process that reads mailboxes and asks gateways, CALL dunning.read_mail() and CALL dunning.ask_gateway().
 *
 * It is one of its own so that a server that takes its time keeps no message waiting. It ends with its work: between two
 * looks no process and no connection is held.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/errcodes.h"
#include "base/spi.h"
#include "base/user.h"
#include "deliver/asking.h"
#include "deliver/reader.h"
#include "deliver/reading.h"
#include "deliver/session.h"
#include "deliver/worker.h"

#define LOOK_EVERY_MS 1000
#define PAUSE_MAX_MS 60000

/* What waits longest, empty where nothing is due. A look that did something changes it. */
static DunStatement due_sql = {"SELECT concat((SELECT m FROM dunning._mailboxes_due() m LIMIT 1), (SELECT q FROM dunning._questions_due() q LIMIT 1))",
	0, {0}, .harmless = true};

static BackgroundWorkerHandle *running = NULL;

static void
start_reader(void)
{
	BackgroundWorker worker = {0};
	DunWorkerStart start = {.database = MyDatabaseId, .number = 0, .of = 1};
	MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

	strlcpy(start.name, get_database_name(MyDatabaseId), NAMEDATALEN);
	strlcpy(worker.bgw_name, "dunning mail reader", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "dunning mail reader", BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(worker.bgw_library_name, "dunning", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "dun_deliver_reader_main", sizeof(worker.bgw_function_name));
	memcpy(worker.bgw_extra, &start, sizeof(start));
	worker.bgw_notify_pid = MyProcPid;
	if (!RegisterDynamicBackgroundWorker(&worker, &running))
	{
		running = NULL;
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no background worker is free to read the mail"),
				 errhint("Raise max_worker_processes (now %d) and restart the server.", max_worker_processes)));
	}
	MemoryContextSwitchTo(before);
}

/*
 * How long nobody looks again: a reader that could do nothing (a call holds the lock, what it would settle is locked) comes
 * back after a pause that doubles.
 */
static int
pause_after(const char *due)
{
	static uint32 before = 0;
	static int	pause_ms = LOOK_EVERY_MS;
	uint32		now = due[0] != '\0' ? DatumGetUInt32(hash_any((const unsigned char *) due, (int) strlen(due))) : 0;

	pause_ms = now != 0 && now == before ? Min(pause_ms * 2, PAUSE_MAX_MS) : LOOK_EVERY_MS;
	before = now;
	return pause_ms;
}

void
dun_deliver_tend_reader(void)
{
	static TimestampTz looked_at = 0;
	static int	pause_ms = LOOK_EVERY_MS;
	TimestampTz now = GetCurrentTimestamp();
	const char *due;
	pid_t		pid;

	if (dun_deliver_session.in_call || dun_deliver_session.number != 0 || !TimestampDifferenceExceeds(looked_at, now, pause_ms))
		return;
	looked_at = now;
	if (running != NULL)
	{
		if (GetBackgroundWorkerPid(running, &pid) != BGWH_STOPPED)
			return;
		pfree(running);
		running = NULL;
	}
	dun_base_run(&due_sql, NULL, NULL, false, 1);
	due = dun_base_text(0, 1);
	pause_ms = pause_after(due);
	if (due[0] != '\0')
		start_reader();
}

void
dun_deliver_reader_main(Datum arg)
{
	DunWorkerStart start;
	DunRead		read;
	DunAsked	asked;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	if (!dun_deliver_start_process(&start))
		proc_exit(0);
	pgstat_report_appname("dunning mail reader");
	dun_deliver_session = (DunSession) {.in_call = false, .number = 0, .of = 1};
	dun_deliver_read_mailboxes(NULL, &read);
	if (read.problem[0] != '\0')
		ereport(LOG, (errmsg("a mailbox could not be read: %s", read.problem)));
	dun_deliver_ask_gateways(NULL, &asked);
	if (asked.problem[0] != '\0')
		ereport(LOG, (errmsg("a gateway gave no answer about a message: %s", asked.problem)));
	proc_exit(0);
}

/* --- CALL --- */

static void
refuse_atomic(FunctionCallInfo fcinfo, const char *call, const char *whom)
{
	if (fcinfo->context != NULL && IsA(fcinfo->context, CallContext) && !castNode(CallContext, fcinfo->context)->atomic)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
			 errmsg("%s cannot run inside a transaction block", call),
			 errdetail("No transaction is open while it waits for a %s.", whom),
			 errhint("COMMIT first, then CALL %s;", call)));
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_read_mail);

Datum
dun_deliver_sql_read_mail(PG_FUNCTION_ARGS)
{
	char	   *wanted = NULL;
	DunRead		read;

	refuse_atomic(fcinfo, "dunning.read_mail()", "mail server");
	if (!PG_ARGISNULL(0))
		wanted = MemoryContextStrdup(TopMemoryContext, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	dun_deliver_renew_call();
	dun_deliver_session = (DunSession) {.in_call = true, .number = 0, .of = 1};
	dun_deliver_read_mailboxes(wanted, &read);
	if (read.stopped[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no mail was read"),
				 errdetail("%s%s", read.stopped, read.stopped[strlen(read.stopped) - 1] == '.' ? "" : "."),
				 errhint("SELECT * FROM dunning.health() WHERE state <> 'ok';")));
	if (wanted != NULL && read.mailboxes == 0)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" is no mailbox", wanted),
				 errhint("CREATE SERVER %s TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'imap', url 'imaps://...');",
						 quote_identifier(wanted))));
	if (read.problem[0] != '\0')
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("a mailbox could not be read: %s", read.problem),
				 errhint("SELECT * FROM dunning.mailbox WHERE problem IS NOT NULL;")));
	ereport(NOTICE,
			(errmsg("mail: %d mailboxes looked at, %d mails read, %d of them about nothing that is known",
					read.mailboxes, read.mails, read.unmatched)));
	if (wanted != NULL)
		pfree(wanted);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_ask_gateway);

Datum
dun_deliver_sql_ask_gateway(PG_FUNCTION_ARGS)
{
	char	   *wanted = NULL;
	DunAsked	asked;

	refuse_atomic(fcinfo, "dunning.ask_gateway()", "gateway");
	if (!PG_ARGISNULL(0))
		wanted = MemoryContextStrdup(TopMemoryContext, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	dun_deliver_renew_call();
	dun_deliver_session = (DunSession) {.in_call = true, .number = 0, .of = 1};
	dun_deliver_ask_gateways(wanted, &asked);
	if (wanted != NULL)
		pfree(wanted);
	if (asked.stopped[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no gateway was asked"),
				 errdetail("%s%s", asked.stopped, asked.stopped[strlen(asked.stopped) - 1] == '.' ? "" : "."),
				 errhint("SELECT * FROM dunning.health() WHERE state <> 'ok';")));
	ereport(NOTICE,
			(errmsg("questions: %d asked, %d of them settled", asked.asked, asked.settled),
			 asked.problem[0] != '\0' ? errdetail("The last that gave no answer: %s.", asked.problem) : 0));
	PG_RETURN_VOID();
}
