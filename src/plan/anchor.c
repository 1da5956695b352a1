/*
 * plan/anchor.c
 *		The payday a step counts from: the likeliest schedule, its last day and its next one.
 *
 * timing tells when a debtor will be paid; a step after payday asks when that was.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "timing/payday.h"

#define LONGEST_PERIOD 40		/* days: no schedule is rarer than monthly */

static int
payment_dates(ArrayType *array, DateADT *dates)
{
	Datum	   *values;
	int			n;

	if (ARR_ELEMTYPE(array) != DATEOID || ARR_HASNULL(array) || ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("payments must be a flat array of dates without NULL")));
	deconstruct_array(array, DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &values, NULL, &n);
	n = Min(n, DUN_PAYMENTS_KEPT);
	for (int i = 0; i < n; i++)
		dates[i] = DatumGetDateADT(values[i]);
	return n;
}

PG_FUNCTION_INFO_V1(dun_plan_sql_payday_around);

/* _payday_around(country, payments, today) */
Datum
dun_plan_sql_payday_around(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	DateADT		dates[DUN_PAYMENTS_KEPT];
	DunPayday	post;
	char	   *country = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			best = DUN_NO_SCHEDULE;
	Datum		values[4] = {0};
	bool		nulls[4] = {true, true, true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && !DATE_NOT_FINITE(PG_GETARG_DATEADT(2)))
	{
		DateADT		today = PG_GETARG_DATEADT(2);

		dun_timing_payday(country, dates, payment_dates(PG_GETARG_ARRAYTYPE_P(1), dates), &post);
		for (int i = 0; i < DUN_SCHEDULES; i++)
			if (post.p[i] > post.p[best])
				best = i;
		if (best != DUN_NO_SCHEDULE)
		{
			DateADT		last = dun_timing_next_payday(country, best, today - LONGEST_PERIOD);
			DateADT		next;

			while ((next = dun_timing_next_payday(country, best, last + 1)) <= today)
				last = next;
			memset(nulls, false, sizeof(nulls));
			values[0] = CStringGetTextDatum(dun_timing_schedule_name(best));
			values[1] = Float8GetDatum(post.p[best]);
			values[2] = DateADTGetDatum(last);
			values[3] = DateADTGetDatum(next);
		}
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
