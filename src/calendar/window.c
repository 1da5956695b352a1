/*
 * calendar/window.c
 *		Weekly windows, holidays and zones against an instant.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "calendar/holiday.h"
#include "calendar/window.h"

#define WINDOWS_MAGIC 0x44554E58	/* 57 had no spans */
#define SPANS 128				/* more changes than these, and every rule counts on every date */
#define RULES 1000

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

static const char *
read_list(const char *text, DunWeek *week)
{
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

const char *
dun_calendar_parse_windows(const char *text, DunWeek *week)
{
	const char *wrong;
	bool		negated;

	memset(week, 0, sizeof(*week));
	skip_blanks(&text);
	negated = pg_strncasecmp(text, "not ", 4) == 0;
	if (negated)
	{
		text += 4;
		skip_blanks(&text);
		if (*text == '\0')
			return "After \"not\" the windows stand that are closed.";
	}
	wrong = read_list(text, week);
	for (int b = 0; negated && b < (int) sizeof(week->bits); b++)
		week->bits[b] = ~week->bits[b];
	return wrong;
}

/* ---- the mask ---- */

static const DateADT *
dates_of_mask(const DunWindows *w)
{
	return (const DateADT *) &w->spans[w->nspans];
}

/* The zone names; the rules' texts follow them. */
static const char *
names_of_mask(const DunWindows *w)
{
	return (const char *) &dates_of_mask(w)[w->nadded + w->nopened];
}

/* All texts end within the mask: who reads them need not look again. */
static bool
is_whole(const DunWindows *w)
{
	const char *end = (const char *) w + VARSIZE(w);
	const char *name;
	int			n;

	if (VARSIZE(w) < offsetof(DunWindows, spans) || w->magic != WINDOWS_MAGIC ||
		w->nspans < 1 || w->nspans > SPANS || w->nzones < 1 || w->nzones > DUN_ZONES || w->spans[0].first != DATEVAL_NOBEGIN)
		return false;
	name = names_of_mask(w);
	for (n = 0; n < w->nzones + w->nrules && name < end; n++)
		name += strnlen(name, end - name) + 1;
	return n == w->nzones + w->nrules && name == end;
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
	const char *name = names_of_mask(w);
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
	const DateADT *dates = dates_of_mask(w);

	if (is_listed(dates, w->nadded, date))
		return true;
	if (is_listed(dates + w->nadded, w->nopened, date))
		return false;
	return dun_calendar_holiday(w->place.country, w->place.region, date) != NULL;
}

static const DunSpan *
span_of(const DunWindows *w, DateADT date)
{
	int			n = w->nspans - 1;

	while (w->spans[n].first > date)
		n--;
	return &w->spans[n];
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
		DateADT		known = DATEVAL_NOEND;
		const DunSpan *span = NULL;

		for (e = 0; e < 2; e++)
		{
			int			minute;
			DateADT		date = dun_calendar_local(ends[e], zones[i], &minute);

			if (date != known)
			{
				span = span_of(w, date);
				if (span->holidays_closed && is_holiday(w, date))
					return "holiday";
				known = date;
			}
			quiet |= !open_at(&span->week, minute);
		}
	}
	return quiet ? "quiet_hours" : NULL;
}

/* ---- its rules ---- */

static DateADT
date_of_field(const char *field, DateADT otherwise)
{
	return field[0] == '\0' ? otherwise : (DateADT) strtol(field, NULL, 10);
}

/*
 * "name \x1f first \x1f last \x1f c|o \x1f windows", dates as days since 2000 or empty, as dunning._rules_sql() packs it; a
 * text without \x1f is windows alone. A text that cannot be read allows nothing: save_rule() refuses it, but a row may
 * be written past it.
 */
static void
read_rule(const char *packed, DunRule *rule)
{
	char	   *rest = pstrdup(packed);
	char	   *field[5] = {0};

	memset(rule, 0, sizeof(*rule));
	for (int i = 0; i < 5; i++)
		field[i] = strsep(&rest, "\x1f");
	if (field[1] != NULL && (field[4] == NULL || rest != NULL))
		elog(ERROR, "malformed rule");
	rule->name = field[1] != NULL ? field[0] : pstrdup("");
	rule->first = field[1] != NULL ? date_of_field(field[1], DATEVAL_NOBEGIN) : DATEVAL_NOBEGIN;
	rule->last = field[1] != NULL ? date_of_field(field[2], DATEVAL_NOEND) : DATEVAL_NOEND;
	rule->holidays_closed = field[1] != NULL && field[3][0] == 'c';
	if (dun_calendar_parse_windows(field[1] != NULL ? field[4] : field[0], &rule->week) != NULL)
		memset(&rule->week, 0, sizeof(rule->week));
}

DunRule *
dun_calendar_read_rules(const DunWindows *w, int *n)
{
	const char *text = names_of_mask(w);
	DunRule    *rules = palloc(sizeof(DunRule) * Max(w->nrules, 1));
	int			i;

	for (i = 0; i < w->nzones; i++)
		text += strlen(text) + 1;
	for (i = 0; i < w->nrules; i++, text += strlen(text) + 1)
		read_rule(text, &rules[i]);
	*n = w->nrules;
	return rules;
}

bool
dun_calendar_rule_closes(const DunRule *rule, const DunWindows *w, pg_tz *const zones[], TimestampTz at)
{
	TimestampTz ends[2] = {at, at + DUN_DELAY_MARGIN - 1};

	for (int i = 0; i < w->nzones; i++)
		for (int e = 0; e < 2; e++)
		{
			int			minute;
			DateADT		date = dun_calendar_local(ends[e], zones[i], &minute);

			if (date >= rule->first && date <= rule->last &&
				(!open_at(&rule->week, minute) || (rule->holidays_closed && is_holiday(w, date))))
				return true;
		}
	return false;
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

/* The texts of an array without its NULLs, and the rules they are. */
static char **
read_texts(FunctionCallInfo fcinfo, int arg, DunRule **rules, int *n)
{
	Datum	   *texts;
	bool	   *nulls;
	char	  **kept;
	int			all = 0;

	if (!PG_ARGISNULL(arg))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &all);
	if (all > RULES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many contact rules for one place: %d", all),
				 errhint("SELECT rule FROM dunning.contact_rule WHERE enabled AND valid_to < current_date;")));
	kept = palloc(sizeof(char *) * Max(all, 1));
	*rules = palloc(sizeof(DunRule) * Max(all, 1));
	*n = 0;
	for (int i = 0; i < all; i++)
		if (!nulls[i])
		{
			kept[*n] = TextDatumGetCString(texts[i]);
			read_rule(kept[*n], &(*rules)[*n]);
			(*n)++;
		}
	return kept;
}

static int
compare_dates(const void *a, const void *b)
{
	DateADT		x = *(const DateADT *) a;
	DateADT		y = *(const DateADT *) b;

	return x < y ? -1 : x > y;
}

/* The dates on which the set of rules changes, in order; returns how many spans there are. */
static int
find_spans(const DunRule *rules, int n, DateADT *firsts)
{
	DateADT    *changes = palloc(sizeof(DateADT) * (2 * n + 1));
	int			nchanges = 0;
	int			nspans = 1;

	firsts[0] = DATEVAL_NOBEGIN;
	for (int i = 0; i < n; i++)
	{
		if (rules[i].first != DATEVAL_NOBEGIN)
			changes[nchanges++] = rules[i].first;
		if (rules[i].last < DATEVAL_NOEND - 1)
			changes[nchanges++] = rules[i].last + 1;
	}
	qsort(changes, nchanges, sizeof(DateADT), compare_dates);
	for (int i = 0; i < nchanges; i++)
	{
		if (changes[i] == firsts[nspans - 1])
			continue;
		if (nspans == SPANS)
			return 1;
		firsts[nspans++] = changes[i];
	}
	return nspans;
}

/* What every rule of these dates allows. */
static void
fold_span(DunSpan *span, const DunRule *rules, int n, bool always, bool holidays_closed)
{
	memset(span->week.bits, 0xFF, sizeof(span->week.bits));
	span->holidays_closed = holidays_closed;
	for (int i = 0; i < n; i++)
	{
		if (!always && (span->first < rules[i].first || span->first > rules[i].last))
			continue;
		span->holidays_closed |= rules[i].holidays_closed;
		for (int b = 0; b < (int) sizeof(span->week.bits); b++)
			span->week.bits[b] &= rules[i].week.bits[b];
	}
}

static char *
put_texts(char *p, const char *const *texts, int n)
{
	for (int i = 0; i < n; i++)
	{
		strcpy(p, texts[i]);
		p += strlen(texts[i]) + 1;
	}
	return p;
}

static Size
size_of_texts(const char *const *texts, int n)
{
	Size		size = 0;

	for (int i = 0; i < n; i++)
		size += strlen(texts[i]) + 1;
	return size;
}

PG_FUNCTION_INFO_V1(dun_calendar_sql_windows);

/* _windows(windows text[], holidays_closed, time_zone, country, region, added date[], opened date[]) */
Datum
dun_calendar_sql_windows(PG_FUNCTION_ARGS)
{
	DunPlace	place = dun_calendar_place(text_or_null(fcinfo, 3), text_or_null(fcinfo, 4));
	const char *zones[DUN_ZONES];
	int			nzones = dun_calendar_zones(text_or_null(fcinfo, 2), &place, zones);
	DateADT		firsts[SPANS];
	Datum	   *dates[2];
	int			nadded = dates_of(fcinfo, 5, &dates[0]);
	int			nopened = dates_of(fcinfo, 6, &dates[1]);
	DunRule    *rules;
	int			nrules;
	char	  **texts = read_texts(fcinfo, 0, &rules, &nrules);
	int			nspans = find_spans(rules, nrules, firsts);
	Size		size = offsetof(DunWindows, spans) + nspans * sizeof(DunSpan) + (nadded + nopened) * sizeof(DateADT) +
		size_of_texts(zones, nzones) + size_of_texts((const char *const *) texts, nrules);
	DunWindows *w = palloc0(size);
	DateADT    *kept;

	SET_VARSIZE(w, size);
	w->magic = WINDOWS_MAGIC;
	w->place = place;
	w->nzones = nzones;
	w->nrules = nrules;
	w->nadded = nadded;
	w->nopened = nopened;
	w->nspans = nspans;
	for (int i = 0; i < nspans; i++)
	{
		w->spans[i].first = firsts[i];
		fold_span(&w->spans[i], rules, nrules, nspans == 1, !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	}
	kept = (DateADT *) dates_of_mask(w);
	for (int i = 0; i < nadded; i++)
		kept[i] = DatumGetDateADT(dates[0][i]);
	for (int i = 0; i < nopened; i++)
		kept[nadded + i] = DatumGetDateADT(dates[1][i]);
	(void) put_texts(put_texts(unconstify(char *, names_of_mask(w)), zones, nzones), (const char *const *) texts, nrules);
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

PG_FUNCTION_INFO_V1(dun_calendar_sql_closing_rules);

/* _closing_rules(from, until, windows): rule, quarters of an hour it closes, those that it alone closes */
Datum
dun_calendar_sql_closing_rules(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	TimestampTz until = PG_GETARG_TIMESTAMPTZ(1);
	const DunWindows *w = dun_calendar_windows(PG_GETARG_BYTEA_P(2));
	pg_tz	   *zones[DUN_ZONES];
	int			n;
	DunRule    *rules = dun_calendar_read_rules(w, &n);
	int		   *closed = palloc0(sizeof(int) * Max(n, 1));
	int		   *alone = palloc0(sizeof(int) * Max(n, 1));

	InitMaterializedSRF(fcinfo, 0);
	if (TIMESTAMP_NOT_FINITE(at) || TIMESTAMP_NOT_FINITE(until) || until - at > 400 * USECS_PER_DAY)
		return (Datum) 0;
	dun_calendar_resolve_zones(w, zones);
	for (; at < until; at += 15 * USECS_PER_MINUTE)
	{
		int			by = 0;
		int			last = 0;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			if (dun_calendar_rule_closes(&rules[i], w, zones, at))
			{
				closed[i]++;
				by++;
				last = i;
			}
		if (by == 1)
			alone[last]++;
	}
	for (int i = 0; i < n; i++)
	{
		Datum		values[3] = {CStringGetTextDatum(rules[i].name), Int32GetDatum(closed[i]), Int32GetDatum(alone[i])};
		bool		nulls[3] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
