/*
 * calendar/sql.c
 *		Holidays, money dates and zones as SQL functions.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
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
put_date(ReturnSetInfo *rsinfo, DateADT date, const char *kind, const char *name, const char *effect, const char *source)
{
	Datum		values[5];
	bool		nulls[5] = {0};

	values[0] = DateADTGetDatum(date);
	values[1] = CStringGetTextDatum(kind);
	values[2] = CStringGetTextDatum(name);
	values[3] = CStringGetTextDatum(effect);
	values[4] = CStringGetTextDatum(source);
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

	InitMaterializedSRF(fcinfo, 0);
	for (; date <= until; date++)
	{
		const char *name = dun_calendar_holiday(place.country, place.region, date);
		const DunMoneyDate *money;
		int			n;

		CHECK_FOR_INTERRUPTS();
		if (name != NULL)
			put_date((ReturnSetInfo *) fcinfo->resultinfo, date, "holiday", name, "closed", "computed");
		for (n = 0; (money = dun_calendar_money_date(place.country, date, n)) != NULL; n++)
			put_date((ReturnSetInfo *) fcinfo->resultinfo, date, money->kind, money->name, money->effect,
					 money->source);
	}
	return (Datum) 0;
}
