/*
 * calendar/sql.c
 *		Holidays, money dates and zones as SQL functions.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/texts.h"
#include "calendar/holiday.h"
#include "calendar/money.h"
#include "calendar/window.h"
#include "calendar/zone.h"

static DunPlace
place_argument(FunctionCallInfo fcinfo, int country, int region)
{
	return dun_calendar_place(PG_ARGISNULL(country) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(country)),
							  PG_ARGISNULL(region) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(region)));
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_holiday);

/* _computed_holiday(country, region, date) */
Datum
dun_calendar_sql_holiday(PG_FUNCTION_ARGS)
{
	DunPlace	place = place_argument(fcinfo, 0, 1);
	const char *name;

	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	name = dun_calendar_holiday(place.country, place.region, PG_GETARG_DATEADT(2));
	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(name));
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_place);

/* _place(country, region) → 'GB', 'GB-SCT' or NULL */
Datum
dun_calendar_sql_place(PG_FUNCTION_ARGS)
{
	DunPlace	place = place_argument(fcinfo, 0, 1);

	if (place.country[0] == '\0')
		PG_RETURN_NULL();
	if (place.region[0] == '\0')
		PG_RETURN_TEXT_P(cstring_to_text(place.country));
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s-%s", place.country, place.region)));
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_zone);

/* _zone(time_zone, country, region) → text[] */
Datum
dun_calendar_sql_zone(PG_FUNCTION_ARGS)
{
	DunPlace	place = place_argument(fcinfo, 1, 2);
	const char *zones[DUN_ZONES];
	int			n;

	n = dun_calendar_zones(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)), &place, zones);
	PG_RETURN_DATUM(dun_base_make_texts(zones, n));
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_zone_key);

/* _zone_key(time_zone, phone, country, region): see dun_calendar_zone_key() */
Datum
dun_calendar_sql_zone_key(PG_FUNCTION_ARGS)
{
	DunPlace	place = place_argument(fcinfo, 2, 3);
	const char *key = dun_calendar_zone_key(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)),
											PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)), &place);

	PG_RETURN_TEXT_P(cstring_to_text(key));
}

char *
dun_calendar_local_time(TimestampTz at, const char *name)
{
	pg_tz	   *zone = dun_calendar_find_zone(name);
	int			minute,
				year,
				month,
				day;
	DateADT		date;

	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown time zone \"%s\"", name),
				 errhint("SELECT name FROM pg_timezone_names WHERE name LIKE 'Europe/%%';")));
	if (!IS_VALID_TIMESTAMP(at) || TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an infinite instant has no local time"),
				 errhint("Give a finite timestamptz.")));
	date = dun_calendar_local(at, zone, &minute);
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	minute %= 1440;
	return psprintf("%04d-%02d-%02d %02d:%02d %s", year, month, day, minute / 60, minute % 60, name);
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_local_time);

/* _local_time(at, zone) → '2026-10-01 09:15 Europe/Copenhagen' */
Datum
dun_calendar_sql_local_time(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));

	PG_RETURN_TEXT_P(cstring_to_text(dun_calendar_local_time(PG_GETARG_TIMESTAMPTZ(0), name)));
}

/* One row of calendar_dates(). */
static void
put_date(ReturnSetInfo *rsinfo, DateADT date, const DunMoneyDate *what)
{
	Datum		values[8];
	bool		nulls[8] = {0};

	values[0] = DateADTGetDatum(date);
	values[1] = CStringGetTextDatum(what->kind);
	values[2] = CStringGetTextDatum(what->name);
	values[3] = CStringGetTextDatum(what->effect);
	values[4] = CStringGetTextDatum(what->source);
	values[5] = CStringGetTextDatum(what->tag);
	nulls[6] = what->debtor_kind == NULL;
	values[6] = nulls[6] ? (Datum) 0 : CStringGetTextDatum(what->debtor_kind);
	values[7] = BoolGetDatum(what->verified);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_dates);

/* _computed_dates(country, region, from, until): both dates included; the caller has checked them */
Datum
dun_calendar_sql_dates(PG_FUNCTION_ARGS)
{
	DunPlace	place = place_argument(fcinfo, 0, 1);
	DateADT		date = PG_GETARG_DATEADT(2);
	DateADT		until = PG_GETARG_DATEADT(3);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (; date <= until; date++)
	{
		const char *name = dun_calendar_holiday(place.country, place.region, date);
		const DunMoneyDate *money;
		DunMoneyDate holiday = {"holiday", "holiday", name, "closed", NULL, "computed", true};
		int			n;

		CHECK_FOR_INTERRUPTS();
		if (name != NULL)
			put_date(rsinfo, date, &holiday);
		for (n = 0; (money = dun_calendar_money_date(place.country, date, n)) != NULL; n++)
			put_date(rsinfo, date, money);
	}
	return (Datum) 0;
}

/* ---- effects of dates ---- */

/* The n elements of an array argument without NULLs; all arrays that are read together have one length (22023). */
static Datum *
elements_of(FunctionCallInfo fcinfo, int arg, int *n)
{
	ArrayType  *array;
	Datum	   *values;
	bool	   *nulls;
	int16		len;
	bool		byval;
	char		align;
	int			found;

	if (PG_ARGISNULL(arg))
		found = 0;
	else
	{
		array = PG_GETARG_ARRAYTYPE_P(arg);
		get_typlenbyvalalign(ARR_ELEMTYPE(array), &len, &byval, &align);
		deconstruct_array(array, ARR_ELEMTYPE(array), len, byval, align, &values, &nulls, &found);
		for (int i = 0; i < found; i++)
			if (nulls[i])
				found = -1;
	}
	if (found < 0 || (*n >= 0 && found != *n))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arrays of date effects differ in length or hold NULLs")));
	*n = found;
	return found == 0 ? NULL : values;
}

static void
copy_tag(char *tag, const text *from)
{
	text_to_cstring_buffer(from, tag, DUN_TAG_LEN);
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_effects);

/* _packed_effects(country, region, vat, tags, from_days, until_days, multipliers, own_tags, own_firsts, own_lasts) → bytea */
Datum
dun_calendar_sql_effects(PG_FUNCTION_ARGS)
{
	int			nrows = -1;
	int			ndates = -1;
	Datum	   *tags = elements_of(fcinfo, 3, &nrows);
	Datum	   *from_days = elements_of(fcinfo, 4, &nrows);
	Datum	   *until_days = elements_of(fcinfo, 5, &nrows);
	Datum	   *multipliers = elements_of(fcinfo, 6, &nrows);
	Datum	   *own_tags = elements_of(fcinfo, 7, &ndates);
	Datum	   *firsts = elements_of(fcinfo, 8, &ndates);
	Datum	   *lasts = elements_of(fcinfo, 9, &ndates);
	DunEffects *e = dun_calendar_make_effects(nrows, ndates);
	DunOwnDate *own = (DunOwnDate *) &e->rows[nrows];

	e->place = place_argument(fcinfo, 0, 1);
	if (!PG_ARGISNULL(2))
		copy_tag(e->vat, PG_GETARG_TEXT_PP(2));
	for (int i = 0; i < nrows; i++)
	{
		copy_tag(e->rows[i].tag, DatumGetTextPP(tags[i]));
		e->rows[i].from_day = DatumGetInt32(from_days[i]);
		e->rows[i].until_day = DatumGetInt32(until_days[i]);
		e->rows[i].multiplier = DatumGetFloat8(multipliers[i]);
	}
	for (int i = 0; i < ndates; i++)
	{
		copy_tag(own[i].tag, DatumGetTextPP(own_tags[i]));
		own[i].first = DatumGetDateADT(firsts[i]);
		own[i].last = DatumGetDateADT(lasts[i]);
	}
	PG_RETURN_BYTEA_P((bytea *) e);
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_effect);

/* _effect(effects, date) → (multiplier, tag) */
Datum
dun_calendar_sql_effect(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	const char *tag;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Float8GetDatum(dun_calendar_effect(dun_calendar_effects(PG_GETARG_BYTEA_P(0)), PG_GETARG_DATEADT(1), &tag));
	nulls[1] = tag == NULL;
	values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(tag);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
