/*
 * timing/kept.c
 *		dunning._best_times_kept: the query for best times with its plan kept by the session.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"

#include "ledger/kept.h"

static DunKeptQuery best = {
	.text = {"SELECT dunning._best_times_sql()", 0, {0}, NULL},
	.query = {
		NULL, 9, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, UUIDARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID, INT4OID, BOOLOID},
		.harmless = true, .cursor_options = CURSOR_OPT_GENERIC_PLAN
	}
};

PG_FUNCTION_INFO_V1(dun_timing_sql_best_times_kept);

/* _best_times_kept(debtor_ids, channels, not_before, not_after, now_at, top, by_rule) */
Datum
dun_timing_sql_best_times_kept(PG_FUNCTION_ARGS)
{
	static const int places[] = {0, 1, 2, -1, -1, 3, 4, 5, 6};

	return dun_ledger_answer_by_kept(fcinfo, &best, places);
}
