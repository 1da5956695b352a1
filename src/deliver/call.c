/*
 * deliver/call.c
 *		CALL dunning.deliver(), and what else a session may ask of the room.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "base/user.h"
#include "deliver/loop.h"
#include "deliver/session.h"
#include "deliver/settings.h"
#include "deliver/shmem.h"

/* A cancelled call winds up as a worker does: what is in flight is judged, not forgotten. It is put aside for that time. */
static bool
should_stop(void)
{
	if (QueryCancelPending && !get_timeout_indicator(LOCK_TIMEOUT, false))
	{
		QueryCancelPending = false;
		dun_deliver_session.cancelled = true;
	}
	return dun_deliver_session.cancelled || ProcDiePending;
}

static void
refuse_atomic(FunctionCallInfo fcinfo)
{
	if (fcinfo->context != NULL && IsA(fcinfo->context, CallContext) && !castNode(CallContext, fcinfo->context)->atomic)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
			 errmsg("dunning.deliver() cannot run inside a transaction block"),
			 errdetail("It commits its intents before it sends."),
			 errhint("COMMIT first, then CALL dunning.deliver();")));
}

static DunLimits
read_limits(FunctionCallInfo fcinfo)
{
	DunLimits	limits = {-1, DT_NOEND, true, should_stop};

	if (!PG_ARGISNULL(0))
	{
		if (PG_GETARG_INT32(0) < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("max_messages must be at least 1"),
					 errhint("CALL dunning.deliver(); goes on until nothing is due.")));
		limits.max_messages = PG_GETARG_INT32(0);
	}
	if (!PG_ARGISNULL(1))
	{
		if (PG_GETARG_INT32(1) < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("max_seconds must be at least 1"),
					 errhint("CALL dunning.deliver(); goes on until nothing is due.")));
		limits.until = GetCurrentTimestamp() + PG_GETARG_INT32(1) * USECS_PER_SEC;
	}
	return limits;
}

static void
take_all_slices(void)
{
	dun_deliver_session = (DunSession) {.in_call = true, .number = 0, .of = 1};
	if (dun_deliver_take_slices() == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("another process is sending for this database already"),
				 errhint("SELECT * FROM dunning.stat_worker; shows the background worker. It needs no CALL.")));
}

static void
report(const DunFigures *f)
{
	ereport(NOTICE,
			(errmsg("delivery: " INT64_FORMAT " sent, " INT64_FORMAT " to be tried again, " INT64_FORMAT " failed, "
					INT64_FORMAT " unknown, " INT64_FORMAT " held or cancelled",
					f->sent, f->retried, f->failed, f->unknown, f->stopped)));
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_deliver);

Datum
dun_deliver_sql_deliver(PG_FUNCTION_ARGS)
{
	DunLimits	limits;
	DunRun	   *volatile run = NULL;
	char		stop_reason[512] = "";
	uint32		held_off = QueryCancelHoldoffCount;

	refuse_atomic(fcinfo);
	limits = read_limits(fcinfo);
	dun_deliver_renew_call();
	take_all_slices();
	/* A cancel must not tear a batch apart: should_stop() sees it and winds up. */
	QueryCancelHoldoffCount = held_off + 1;
	PG_TRY();
	{
		dun_deliver_take_entry(-1);
		run = dun_deliver_open_run(&limits);
		dun_deliver_run_loop(run, &limits);
		if (!run->may_send && run->stop_reason != NULL)
			strlcpy(stop_reason, run->stop_reason, sizeof(stop_reason));
		else
			report(&run->figures);
	}
	PG_FINALLY();
	{
		if (run != NULL)
			dun_deliver_close_run(run);
		dun_deliver_leave_entry();
		dun_deliver_release_slices();
	}
	PG_END_TRY();
	QueryCancelHoldoffCount = held_off;
	if (dun_deliver_session.cancelled)
		QueryCancelPending = InterruptPending = true;
	CHECK_FOR_INTERRUPTS();
	if (stop_reason[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("nothing was sent"),
				 errdetail("%s%s", stop_reason, stop_reason[strlen(stop_reason) - 1] == '.' ? "" : "."),
				 dun_deliver_mode == DUN_DELIVERY_OFF ? errhint("SET dunning.delivery = 'on';") :
				 errhint("SELECT dunning.activate(); or, to try a copy, SET dunning.redirect_to = 'you@example.com';")));
	PG_RETURN_VOID();
}

static const char *
phase_name(const DunWorkerEntry *entry)
{
	switch (entry->figures.phase)
	{
		case DUN_PHASE_STARTING:
			return "starting";
		case DUN_PHASE_IDLE:
			return "idle";
		case DUN_PHASE_SENDING:
			return "sending";
		case DUN_PHASE_OFF:
			return "off";
		case DUN_PHASE_NOT_ACTIVATED:
			return "not activated";
	}
	return "?";
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_stat_worker);

/* One row a worker or calling session of this database. */
Datum
dun_deliver_sql_stat_worker(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < DUN_WORKER_ENTRIES; i++)
	{
		DunWorkerEntry e;
		Datum		values[13];
		bool		nulls[13] = {false};
		int			c = 0;

		if (!dun_deliver_read_entry(i, &e) || e.database != MyDatabaseId)
			continue;
		values[c++] = Int32GetDatum(e.pid);
		values[c++] = Int32GetDatum(e.number);
		nulls[1] = e.number < 0;
		values[c++] = CStringGetTextDatum(phase_name(&e));
		values[c++] = TimestampTzGetDatum(e.started_at);
		values[c++] = TimestampTzGetDatum(e.figures.last_turn_at);
		nulls[4] = e.figures.last_turn_at == 0;
		values[c++] = Int32GetDatum(e.figures.in_flight);
		values[c++] = Int64GetDatum(e.figures.claimed);
		values[c++] = Int64GetDatum(e.figures.sent);
		values[c++] = Int64GetDatum(e.figures.retried);
		values[c++] = Int64GetDatum(e.figures.failed);
		values[c++] = Int64GetDatum(e.figures.unknown);
		values[c++] = Int64GetDatum(e.figures.stopped);
		values[c++] = Int64GetDatum(e.figures.batches);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_breakers);

/* One row a server of this database whose breaker is open. */
Datum
dun_deliver_sql_breakers(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < DUN_BREAKERS; i++)
	{
		DunBreaker	b;
		Datum		values[5];
		bool		nulls[5] = {false};

		if (!dun_deliver_read_breaker(i, &b) || b.opened_at == 0)
			continue;
		values[0] = CStringGetTextDatum(b.server);
		values[1] = CStringGetTextDatum(b.reason);
		values[2] = TimestampTzGetDatum(b.opened_at);
		values[3] = TimestampTzGetDatum(b.probe_at);
		values[4] = Int32GetDatum(b.failures);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_close_breaker);

Datum
dun_deliver_sql_close_breaker(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(dun_deliver_forget_breaker(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}
