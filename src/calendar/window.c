/*
 * calendar/window.c
 *		Weekly windows, holidays and zones against an instant.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "calendar/holiday.h"
#include "calendar/window.h"

#define WINDOWS_MAGIC 0x44554E57

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static inline bool
open_at(const DunWeek *week, int minute)
{
	return (week->bits[minute >> 3] >> (minute & 7)) & 1;
}

/* ---- the text of a rule ---- */

static void
skip_blanks(const char **p)
{
	while (**p == ' ')
		(*p)++;
}

static int
read_day(const char **p)
{
	int			i;

	for (i = 0; i < 7; i++)
		if (pg_strncasecmp(*p, day_names[i], 3) == 0)
		{
			*p += 3;
			return i;
		}
	return -1;
}

/* HH:MM, 00:00 to 24:00, as minutes; -1 where it is not. */
static int
read_time(const char **p)
{
	const char *s = *p;
	int			minutes;

	if (s[0] < '0' || s[0] > '2' || s[1] < '0' || s[1] > '9' || s[2] != ':' ||
		s[3] < '0' || s[3] > '5' || s[4] < '0' || s[4] > '9')
		return -1;
	minutes = ((s[0] - '0') * 10 + s[1] - '0') * 60 + (s[3] - '0') * 10 + s[4] - '0';
	*p += 5;
	return minutes <= 1440 ? minutes : -1;
}

/* One 'Mon-Fri 08:00-20:00'. */
static const char *
read_window(const char **p, DunWeek *week)
{
	int			first = read_day(p);
	int			last = first;
	int			opens,
				closes,
				day,
				minute;

	if (first < 0)
		return "A window starts with a day or a range of days: Mon Tue Wed Thu Fri Sat Sun.";
	if (**p == '-')
	{
		(*p)++;
		last = read_day(p);
		if (last < first)
			return "A range of days runs forward within Monday to Sunday.";
	}
	skip_blanks(p);
	opens = read_time(p);
	if (opens < 0 || **p != '-')
		return "After the days stand two times, HH:MM-HH:MM.";
	(*p)++;
	closes = read_time(p);
	if (closes < 0)
		return "After the days stand two times, HH:MM-HH:MM.";
	if (closes <= opens)
		return "A window closes after it opens, on the same day; one over midnight is written as two.";
	for (day = first; day <= last; day++)
	{
		/* Whole bytes where they can be had: masks are made for every batch. */
		for (minute = day * 1440 + opens; minute < day * 1440 + closes;)
			if ((minute & 7) == 0 && minute + 8 <= day * 1440 + closes)
			{
				week->bits[minute >> 3] = 0xFF;
				minute += 8;
			}
			else
			{
				week->bits[minute >> 3] |= 1 << (minute & 7);
				minute++;
			}
	}
	return NULL;
}

const char *
dun_calendar_parse_windows(const char *text, DunWeek *week)
{
	memset(week, 0, sizeof(*week));
	skip_blanks(&text);
	while (*text != '\0')
	{
		const char *wrong = read_window(&text, week);

		if (wrong != NULL)
			return wrong;
		skip_blanks(&text);
		if (*text == ',')
		{
			text++;
			skip_blanks(&text);
			if (*text == '\0')
				return "After a comma another window is expected.";
		}
		else if (*text != '\0')
			return "Windows are separated by commas.";
	}
	return NULL;
}

/* ---- the mask ---- */

/* One to DUN_ZONES names end within the mask: who reads them need not look again. */
static bool
is_whole(const DunWindows *w)
{
	const char *end = (const char *) w + VARSIZE(w);
	const char *name;
	int			n;

	if (VARSIZE(w) < offsetof(DunWindows, dates) || w->magic != WINDOWS_MAGIC)
		return false;
	name = (const char *) &w->dates[w->nadded + w->nopened];
	for (n = 0; n < w->nzones && name < end; n++)
		name += strnlen(name, end - name) + 1;
	return n == w->nzones && n >= 1 && n <= DUN_ZONES && name == end;
}

const DunWindows *
dun_calendar_windows(const bytea *datum)
{
	const DunWindows *w = (const DunWindows *) datum;

	if (!is_whole(w))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not a mask of contact windows"),
				 errhint("Masks are made by dunning._windows().")));
	return w;
}

int
dun_calendar_resolve_zones(const DunWindows *w, pg_tz *zones[DUN_ZONES])
{
	const char *name = (const char *) &w->dates[w->nadded + w->nopened];
	int			i;

	for (i = 0; i < w->nzones; i++, name += strlen(name) + 1)
	{
		zones[i] = pg_tzset(name);
		if (zones[i] == NULL)
			elog(ERROR, "time zone \"%s\" has gone", name);
	}
	return w->nzones;
}

DateADT
dun_calendar_local(TimestampTz at, pg_tz *zone, int *minute_of_week)
{
	/* Rounded down, before 1970 too. */
	pg_time_t	seconds = (at >= 0 ? at : at - USECS_PER_SEC + 1) / USECS_PER_SEC +
		((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY);
	struct pg_tm *tm = pg_localtime(&seconds, zone);

	if (tm == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	*minute_of_week = ((tm->tm_wday + 6) % 7) * 1440 + tm->tm_hour * 60 + tm->tm_min;
	return date2j(tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday) - POSTGRES_EPOCH_JDATE;
}

static bool
is_listed(const DateADT *dates, int n, DateADT date)
{
	int			i;

	for (i = 0; i < n; i++)
		if (dates[i] == date)
			return true;
	return false;
}

static bool
is_holiday(const DunWindows *w, DateADT date)
{
	if (is_listed(w->dates, w->nadded, date))
		return true;
	if (is_listed(w->dates + w->nadded, w->nopened, date))
		return false;
	return dun_calendar_holiday(w->place.country, w->place.region, date) != NULL;
}

const char *
dun_calendar_closed(const DunWindows *w, pg_tz *const zones[], TimestampTz at)
{
	TimestampTz ends[2] = {at, at + DUN_DELAY_MARGIN - 1};
	bool		quiet = false;
	int			i,
				e;

	for (i = 0; i < w->nzones; i++)
	{
		DateADT		known = DATEVAL_NOBEGIN;

		for (e = 0; e < 2; e++)
		{
			int			minute;
			DateADT		date = dun_calendar_local(ends[e], zones[i], &minute);

			if (w->holidays_closed && date != known && is_holiday(w, date))
				return "holiday";
			known = date;
			quiet |= !open_at(&w->week, minute);
		}
	}
	return quiet ? "quiet_hours" : NULL;
}

/* ---- SQL ---- */

static char *
text_or_null(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

static int
dates_of(FunctionCallInfo fcinfo, int arg, Datum **values)
{
	int			n = 0;

	*values = NULL;
	if (!PG_ARGISNULL(arg))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), DATEOID, sizeof(DateADT), true, TYPALIGN_INT, values, NULL, &n);
	if (n > 10000)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many holidays for one place: %d", n),
				 errhint("DELETE FROM dunning.holiday WHERE on_date < current_date - 366;")));
	return n;
}

/* What every window of the list allows; NULL elements and a NULL list are no restriction. */
static void
intersect_windows(FunctionCallInfo fcinfo, int arg, DunWeek *week)
{
	Datum	   *texts;
	bool	   *nulls;
	int			n,
				i,
				b;

	memset(week, 0xFF, sizeof(*week));
	if (PG_ARGISNULL(arg))
		return;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &n);
	for (i = 0; i < n; i++)
	{
		DunWeek		one;

		if (nulls[i])
			continue;
		/* A text that cannot be read allows nothing: save_rule() refuses it, but a row may be written past it. */
		if (dun_calendar_parse_windows(TextDatumGetCString(texts[i]), &one) != NULL)
			memset(&one, 0, sizeof(one));
		for (b = 0; b < (int) sizeof(week->bits); b++)
			week->bits[b] &= one.bits[b];
	}
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_windows);

/* _windows(windows text[], holidays_closed, time_zone, country, region, added date[], opened date[]) */
Datum
dun_calendar_sql_windows(PG_FUNCTION_ARGS)
{
	DunPlace	place = dun_calendar_place(text_or_null(fcinfo, 3), text_or_null(fcinfo, 4));
	const char *zones[DUN_ZONES];
	int			nzones = dun_calendar_zones(text_or_null(fcinfo, 2), &place, zones);
	Datum	   *added,
			   *opened;
	int			nadded = dates_of(fcinfo, 5, &added);
	int			nopened = dates_of(fcinfo, 6, &opened);
	Size		size = offsetof(DunWindows, dates) + (nadded + nopened) * sizeof(DateADT);
	DunWindows *w;
	char	   *p;
	int			i;

	for (i = 0; i < nzones; i++)
		size += strlen(zones[i]) + 1;
	w = palloc0(size);
	SET_VARSIZE(w, size);
	w->magic = WINDOWS_MAGIC;
	w->place = place;
	w->holidays_closed = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	w->nzones = nzones;
	w->nadded = nadded;
	w->nopened = nopened;
	intersect_windows(fcinfo, 0, &w->week);
	for (i = 0; i < nadded; i++)
		w->dates[i] = DatumGetDateADT(added[i]);
	for (i = 0; i < nopened; i++)
		w->dates[nadded + i] = DatumGetDateADT(opened[i]);
	p = (char *) &w->dates[nadded + nopened];
	for (i = 0; i < nzones; i++)
	{
		strcpy(p, zones[i]);
		p += strlen(zones[i]) + 1;
	}
	PG_RETURN_BYTEA_P((bytea *) w);
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_closed);

/* _closed(at, windows): NULL is open */
Datum
dun_calendar_sql_closed(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	const DunWindows *w = dun_calendar_windows(PG_GETARG_BYTEA_P(1));
	pg_tz	   *zones[DUN_ZONES];
	const char *word;

	if (!IS_VALID_TIMESTAMP(at) || TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_TEXT_P(cstring_to_text("quiet_hours"));
	dun_calendar_resolve_zones(w, zones);
	word = dun_calendar_closed(w, zones, at);
	if (word == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(word));
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_check_windows);

/* _check_windows(text): what is wrong with it, NULL where nothing is */
Datum
dun_calendar_sql_check_windows(PG_FUNCTION_ARGS)
{
	DunWeek		week;
	const char *wrong = dun_calendar_parse_windows(text_to_cstring(PG_GETARG_TEXT_PP(0)), &week);

	if (wrong == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(wrong));
}
