/*
 * timing/best_sql.c
 *		dunning._best_of: the best instants of one debtor from what a query read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "timing/payday.h"
#include "timing/reasons.h"

static ArrayType *
array_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : PG_GETARG_ARRAYTYPE_P(arg);
}

static void
put_row(ReturnSetInfo *rsinfo, const DunTimeQuestion *q, const DunTimeField *field, const DunTimeAnswer *answer, ArrayType *words, ArrayType *rules)
{
	Datum		values[7] = {0};
	bool		nulls[7] = {false};

	if (answer == NULL)
		memset(nulls, true, 6);
	else
	{
		DunTimeClaim claim = dun_timing_claim(q, field, answer);

		values[0] = TimestampTzGetDatum(answer->at);
		values[1] = Float8GetDatum(claim.p);
		values[2] = Float8GetDatum(claim.baseline);
		values[3] = Float8GetDatum(claim.p / claim.baseline - 1);
		values[4] = BoolGetDatum(answer->explored);
		values[5] = Float8GetDatum(answer->propensity);
	}
	values[6] = dun_timing_reasons(q, field, answer, words, rules);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* profile, payments, contacts, responses, prior */
static void
evidence_arguments(FunctionCallInfo fcinfo, int first, DunEvidence *e)
{
	ArrayType  *payments = array_argument(fcinfo, first + 1);
	DateADT    *dates = palloc(sizeof(DateADT) * DUN_PAYMENTS_KEPT);
	Datum	   *values;
	int			n = 0;

	e->profile = PG_ARGISNULL(first) ? NULL : dun_timing_profile(PG_DETOAST_DATUM(PG_GETARG_DATUM(first)));
	e->contacts = PG_ARGISNULL(first + 2) ? 0 : PG_GETARG_INT32(first + 2);
	e->responses = PG_ARGISNULL(first + 3) ? 0 : PG_GETARG_INT32(first + 3);
	e->prior = dun_timing_prior(PG_ARGISNULL(first + 4) ? NULL : PG_GETARG_BYTEA_P(first + 4));
	if (payments != NULL)
		deconstruct_array(payments, DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &values, NULL, &n);
	e->npayments = Min(n, DUN_PAYMENTS_KEPT);
	for (int i = 0; i < e->npayments; i++)
		dates[i] = DatumGetDateADT(values[i]);
	e->payments = dates;
}

static DunTimes *
kept_times(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		fcinfo->flinfo->fn_extra = dun_timing_make_times();
		MemoryContextSwitchTo(before);
	}
	return fcinfo->flinfo->fn_extra;
}

PG_FUNCTION_INFO_V1(dun_timing_sql_best);

/*
 * _best_of(debtor_id, channel, not_before, not_after, now, words, held_until, windows, rules, caps, debtors, channels,
 * messages, ats, ords, talks, profile, payments, contacts, responses, prior, effects, top, by_rule): at least one row.
 */
Datum
dun_timing_sql_best(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DunTimeQuestion q = {0};
	DunTimeField field = {0};
	DunTimeAnswer *answers;
	DunHistory	history;
	ArrayType  *words = array_argument(fcinfo, 5);
	ArrayType  *rules = array_argument(fcinfo, 8);
	int			top = PG_GETARG_INT32(22);
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(7) || (words != NULL && ArrayGetNItems(ARR_NDIM(words), ARR_DIMS(words)) > 0))
	{
		put_row(rsinfo, &q, &field, NULL, words, rules);
		return (Datum) 0;
	}
	q.windows = dun_calendar_windows(PG_GETARG_BYTEA_P(7));
	q.channel = text_to_cstring(PG_GETARG_TEXT_PP(1));
	q.now = PG_GETARG_TIMESTAMPTZ(4);
	q.from = PG_GETARG_TIMESTAMPTZ(2);
	q.until = PG_GETARG_TIMESTAMPTZ(3);
	if (!PG_ARGISNULL(6))
		q.from = Max(q.from, PG_GETARG_TIMESTAMPTZ(6));
	q.debtor_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	dun_gate_read_history(&history, array_argument(fcinfo, 9), array_argument(fcinfo, 10), array_argument(fcinfo, 11),
						  array_argument(fcinfo, 12), array_argument(fcinfo, 13), array_argument(fcinfo, 14),
						  array_argument(fcinfo, 15));
	q.history = &history;
	evidence_arguments(fcinfo, 16, &q.evidence);
	q.effects = PG_ARGISNULL(21) ? NULL : dun_calendar_effects(PG_GETARG_BYTEA_P(21));
	q.by_rule = !PG_ARGISNULL(23) && PG_GETARG_BOOL(23);
	answers = palloc(sizeof(DunTimeAnswer) * Max(top, 1));
	n = dun_timing_best(kept_times(fcinfo), &q, top, &field, answers);
	for (int i = 0; i < n; i++)
		put_row(rsinfo, &q, &field, &answers[i], NULL, rules);
	if (n == 0)
		put_row(rsinfo, &q, &field, NULL, NULL, rules);
	return (Datum) 0;
}
