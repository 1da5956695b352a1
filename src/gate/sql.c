/*
 * gate/sql.c
 *		The asked rows, caps as words, and the open instants of a debtor as a multirange.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/multirangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "base/texts.h"
#include "calendar/window.h"
#include "gate/caps.h"

#define STEP (5 * USECS_PER_MINUTE)

static ArrayType *
array_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : PG_GETARG_ARRAYTYPE_P(arg);
}

/* Seven arguments from `first` on: caps, debtors, channels, messages, ats, ords, talks. */
static void
history_arguments(FunctionCallInfo fcinfo, int first, DunHistory *h)
{
	dun_gate_read_history(h, array_argument(fcinfo, first), array_argument(fcinfo, first + 1),
						  array_argument(fcinfo, first + 2), array_argument(fcinfo, first + 3),
						  array_argument(fcinfo, first + 4), array_argument(fcinfo, first + 5),
						  array_argument(fcinfo, first + 6));
}

PG_FUNCTION_INFO_V1(dun_gate_sql_caps);

/* _caps(ord, at, debtor_id, message_id, windows, caps, debtors, channels, messages, ats, ords, talks) → text[] */
Datum
dun_gate_sql_caps(PG_FUNCTION_ARGS)
{
	DunHistory	h;
	DunAsker	who;
	pg_tz	   *zones[DUN_ZONES];
	TimestampTz at;
	int			nzones,
				n;
	char	  **words;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(4))
		PG_RETURN_NULL();
	at = PG_GETARG_TIMESTAMPTZ(1);
	if (!IS_VALID_TIMESTAMP(at) || TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_NULL();		/* an infinite instant is outside every window already */
	history_arguments(fcinfo, 5, &h);
	who.ord = PG_GETARG_INT32(0);
	who.debtor_id = text_to_cstring(PG_GETARG_TEXT_PP(2));
	who.message_id = PG_ARGISNULL(3) ? NULL : PG_GETARG_UUID_P(3);
	nzones = dun_calendar_resolve_zones(dun_calendar_windows(PG_GETARG_BYTEA_P(4)), zones);
	words = palloc(sizeof(char *) * 3 * Max(h.ncaps, 1));
	n = dun_gate_capped(&h, &who, zones, nzones, at, words);
	if (n == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(dun_base_make_texts((const char *const *) words, n));
}

/* The whole minute is open: nothing but the bounds of minutes opens or shuts a window. */
static bool
minute_is_open(const DunWindows *w, pg_tz *const zones[], DunHistory *h, const DunAsker *who, TimestampTz at)
{
	TimestampTz last = at + USECS_PER_MINUTE - 1;

	if (dun_calendar_closed(w, zones, at) != NULL || dun_calendar_closed(w, zones, last) != NULL)
		return false;
	return dun_gate_capped(h, who, zones, w->nzones, at, NULL) == 0 &&
		dun_gate_capped(h, who, zones, w->nzones, last, NULL) == 0;
}

PG_FUNCTION_INFO_V1(dun_gate_sql_open_ranges);

/* _open_ranges(from, until, debtor_id, windows, caps, debtors, channels, messages, ats, ords, talks) → tstzmultirange */
Datum
dun_gate_sql_open_ranges(PG_FUNCTION_ARGS)
{
	TypeCacheEntry *type = lookup_type_cache(TSTZMULTIRANGEOID, TYPECACHE_MULTIRANGE_INFO);
	TypeCacheEntry *range_type = type->rngtype;
	TimestampTz from = PG_GETARG_TIMESTAMPTZ(0);
	TimestampTz until = PG_GETARG_TIMESTAMPTZ(1);
	const DunWindows *w = dun_calendar_windows(PG_GETARG_BYTEA_P(3));
	pg_tz	   *zones[DUN_ZONES];
	DunHistory	h;
	DunAsker	who = {.debtor_id = text_to_cstring(PG_GETARG_TEXT_PP(2))};
	RangeType **ranges = NULL;
	int			nranges = 0,
				room = 0;
	TimestampTz at = from,
				opened = 0;
	bool		open = false;

	history_arguments(fcinfo, 4, &h);
	dun_calendar_resolve_zones(w, zones);
	if (at % USECS_PER_MINUTE != 0)
		at += USECS_PER_MINUTE - (at % USECS_PER_MINUTE + USECS_PER_MINUTE) % USECS_PER_MINUTE;
	for (;; at += USECS_PER_MINUTE)
	{
		bool		now_open = at < until && minute_is_open(w, zones, &h, &who, at);

		CHECK_FOR_INTERRUPTS();
		if (now_open && !open)
			opened = at;
		else if (open && !now_open)
		{
			RangeBound	lower = {.val = TimestampTzGetDatum(opened), .inclusive = true, .lower = true};
			RangeBound	upper = {.val = TimestampTzGetDatum(Min(at, until)), .inclusive = false, .lower = false};

			if (nranges == room)
			{
				room = room == 0 ? 16 : room * 2;
				ranges = ranges == NULL ? palloc(room * sizeof(*ranges)) : repalloc(ranges, room * sizeof(*ranges));
			}
			ranges[nranges++] = dun_make_range(range_type, &lower, &upper);
		}
		open = now_open;
		if (at >= until)
			break;
	}
	PG_RETURN_MULTIRANGE_P(make_multirange(TSTZMULTIRANGEOID, range_type, nranges, ranges));
}

PG_FUNCTION_INFO_V1(dun_gate_sql_next_open);

/* _next_open(…as _open_ranges…, message_id): the first open instant in steps of five minutes, NULL where there is none */
Datum
dun_gate_sql_next_open(PG_FUNCTION_ARGS)
{
	TimestampTz at,
				until;
	const DunWindows *w;
	pg_tz	   *zones[DUN_ZONES];
	DunHistory	h;
	DunAsker	who = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	at = PG_GETARG_TIMESTAMPTZ(0);
	until = PG_GETARG_TIMESTAMPTZ(1);
	if (TIMESTAMP_NOT_FINITE(at) || TIMESTAMP_NOT_FINITE(until))
		PG_RETURN_NULL();
	w = dun_calendar_windows(PG_GETARG_BYTEA_P(3));
	who.debtor_id = text_to_cstring(PG_GETARG_TEXT_PP(2));
	who.message_id = PG_ARGISNULL(11) ? NULL : PG_GETARG_UUID_P(11);
	history_arguments(fcinfo, 4, &h);
	dun_calendar_resolve_zones(w, zones);
	while (at < until)
	{
		CHECK_FOR_INTERRUPTS();
		if (dun_calendar_closed(w, zones, at) == NULL && dun_gate_capped(&h, &who, zones, w->nzones, at, NULL) == 0)
			PG_RETURN_TIMESTAMPTZ(at);
		/* Windows open at whole minutes, nearly all at a multiple of five. */
		at += STEP - (at % STEP + STEP) % STEP;
	}
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(dun_gate_sql_ask);

/* _ask(ids, channels, ats, marks, extras): the arrays as numbered rows; a NULL or shorter array gives NULLs */
Datum
dun_gate_sql_ask(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum	   *values[5] = {0};
	bool	   *nulls[5] = {0};
	int			n[5] = {0};
	int			rows = 0,
				row,
				i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < 5; i++)
	{
		ArrayType  *array = array_argument(fcinfo, i);
		int16		len;
		bool		byval;
		char		align;

		if (array == NULL)
			continue;
		get_typlenbyvalalign(ARR_ELEMTYPE(array), &len, &byval, &align);
		deconstruct_array(array, ARR_ELEMTYPE(array), len, byval, align, &values[i], &nulls[i], &n[i]);
		rows = Max(rows, n[i]);
	}
	for (row = 0; row < rows; row++)
	{
		Datum		out[6] = {Int32GetDatum(row + 1)};
		bool		isnull[6] = {false};

		for (i = 0; i < 5; i++)
		{
			isnull[i + 1] = row >= n[i] || nulls[i][row];
			if (!isnull[i + 1])
				out[i + 1] = values[i][row];
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, out, isnull);
	}
	return (Datum) 0;
}
