/*
 * timing/kept.c
 *		dunning._best_times_kept: the query for best times with its plan kept by the session.
 *
 * Composing the gate's text and planning it costs ten times what an answer for one debtor does. The plan is kept as long
 * as the bindings are the same; the text is asked for anew every ten seconds, since a source may come or go without a word
 * in the bindings, and a plan is dropped only where the text differs.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/spi.h"

#define RENEW_EVERY_MS 10000
#define NARGS 9

static DunStatement signature_sql = {"SELECT dunning._ledger_signature()", 0, {0}, NULL};

static DunStatement text_sql = {"SELECT dunning._best_times_sql()", 0, {0}, NULL};

static DunStatement best_sql = {
	NULL, NARGS, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, UUIDARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID, INT4OID, BOOLOID},
	.harmless = true, .cursor_options = CURSOR_OPT_GENERIC_PLAN
};

static void
keep_text(void)
{
	static char *signature = NULL;
	static TimestampTz renewed_at = 0;
	TimestampTz now = GetCurrentTimestamp();
	char	   *current;

	dun_base_run(&signature_sql, NULL, NULL, true, 1);
	current = dun_base_text(0, 1);
	if (signature != NULL && best_sql.sql != NULL && strcmp(signature, current) == 0 && now >= renewed_at &&
		!TimestampDifferenceExceeds(renewed_at, now, RENEW_EVERY_MS))
		return;
	dun_base_run(&text_sql, NULL, NULL, true, 1);
	dun_base_renew(&best_sql, dun_base_text(0, 1));
	current = MemoryContextStrdup(TopMemoryContext, current);
	if (signature != NULL)
		pfree(signature);
	signature = current;
	renewed_at = now;
}

PG_FUNCTION_INFO_V1(dun_timing_sql_best_times_kept);

/* _best_times_kept(debtor_ids, channels, not_before, not_after, now_at, top, by_rule) */
Datum
dun_timing_sql_best_times_kept(PG_FUNCTION_ARGS)
{
	static const int places[NARGS] = {0, 1, 2, -1, -1, 3, 4, 5, 6};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		args[NARGS] = {0};
	char		nulls[NARGS + 1] = "         ";

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < NARGS; i++)
		if (places[i] < 0 || PG_ARGISNULL(places[i]))
			nulls[i] = 'n';
		else
			args[i] = PG_GETARG_DATUM(places[i]);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "no connection to the server's own interface");
	keep_text();
	dun_base_run(&best_sql, args, nulls, true, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	return (Datum) 0;
}
