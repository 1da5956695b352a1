/*
 * gate/kept.c
 *		dunning._gate_kept: the gate's query with its plan kept by the session.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"

#include "ledger/kept.h"

static DunKeptQuery gate = {
	.text = {"SELECT dunning._gate_answer_sql()", 0, {0}, NULL},
	.query = {
		NULL, 5, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, UUIDARRAYOID},
		.harmless = true, .cursor_options = CURSOR_OPT_GENERIC_PLAN
	}
};

PG_FUNCTION_INFO_V1(dun_gate_sql_kept);

/* _gate_kept(debtor_ids, channels, ats, marks, message_ids) */
Datum
dun_gate_sql_kept(PG_FUNCTION_ARGS)
{
	static const int places[] = {0, 1, 2, 3, 4};

	return dun_ledger_answer_by_kept(fcinfo, &gate, places);
}
