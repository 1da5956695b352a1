/*
 * timing/payday_sql.c
 *		dunning._payday: the schedules of a debtor's payments.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "base/compat.h"
#include "calendar/window.h"
#include "timing/payday.h"

PG_FUNCTION_INFO_V1(dun_timing_sql_payday);

/* _payday(country, payments date[], today): every schedule with its probability and next date, 'none' among them */
Datum
dun_timing_sql_payday(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DunPlace	place = dun_calendar_place(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)), NULL);
	ArrayType  *payments = PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1);
	DateADT		dates[DUN_PAYMENTS_KEPT];
	DunPayday	post;
	Datum	   *values;
	bool	   *nulls;
	int			n = 0,
				kept = 0,
				i;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(2))
		return (Datum) 0;
	if (payments != NULL)
		deconstruct_array(payments, DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &values, &nulls, &n);
	for (i = 0; i < n && kept < DUN_PAYMENTS_KEPT; i++)
		if (!nulls[i] && !DATE_NOT_FINITE(DatumGetDateADT(values[i])))
			dates[kept++] = DatumGetDateADT(values[i]);
	dun_timing_payday(place.country, dates, kept, &post);
	for (i = 0; i <= DUN_SCHEDULES; i++)
	{
		Datum		row[3];
		bool		isnull[3] = {false};

		row[0] = CStringGetTextDatum(dun_timing_schedule_name(i));
		row[1] = Float8GetDatum(post.p[i]);
		row[2] = DateADTGetDatum(i == DUN_NO_SCHEDULE ? 0 : dun_timing_next_payday(place.country, i, PG_GETARG_DATEADT(2)));
		isnull[2] = i == DUN_NO_SCHEDULE || DATE_NOT_FINITE(DatumGetDateADT(row[2]));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, isnull);
	}
	return (Datum) 0;
}
