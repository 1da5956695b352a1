/*
 * charge/accrue.c
 *		Late interest on one invoice, span by span.
 *
 * Spans end where anything changes: open amount, rate, freeze, the beginning of default, an anniversary. Over a span
 * base * rate * units is exact; it is divided and rounded only where a sum of money comes to be: at the end of a row (of the
 * running total, so that rows add up to it), where a full year's interest joins the principal, where a payment clears interest.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"

#include "base/compat.h"
#include "charge/column.h"

enum
{
	ARG_DAY_COUNT, ARG_YEARLY, ARG_CLEARING, ARG_REFERENCE, ARG_DIGITS, ARG_DUE, ARG_STARTS, ARG_UNTIL, ARG_DAYS, ARG_OPENS,
	ARG_RATE_DAYS, ARG_RATES, ARG_FROZEN_FROM, ARG_FROZEN_UNTIL, ARG_FREEZERS, ARG_COST_DAYS, ARG_COSTS
};

enum
{
	OUT_FROM, OUT_UNTIL, OUT_DAYS, OUT_RATE, OUT_BASE, OUT_AMOUNT, OUT_WHY, N_OUT
};

typedef enum DayCount
{
	ACT_365, ACT_360, THIRTY_360, ACT_ACT
} DayCount;

static const struct
{
	const char *name;
	int64		year;			/* units of a year; 365 * 366 gives days of common and leap years one denominator */
} day_counts[] = {{"act/365", 365}, {"act/360", 360}, {"30/360", 360}, {"act/act", 133590}};

/* What a payment clears, in some order. */
typedef enum Part
{
	PART_PRINCIPAL, PART_INTEREST, PART_COSTS, N_PARTS
} Part;

static const char *const part_names[N_PARTS] = {"principal", "interest", "costs"};

typedef struct Account
{
	DayCount	count;
	bool		yearly;
	Part		order[N_PARTS];
	const char *reference;
	DateADT		first;			/* the day after the due date */
	DateADT		starts;			/* DATEVAL_NOEND: never in default */
	DateADT		until;
	DunValues	days,
				opens,
				rate_days,
				rates,
				frozen_from,
				frozen_until,
				freezers,
				cost_days,
				costs;

	/* _quotient(): floor((numerator * up + divisor) / twice) * unit */
	Datum		up;				/* 2 * 10^digits */
	Datum		divisor;		/* units of a year, in hundredths: rates are percent */
	Datum		twice;
	Datum		unit;			/* 10^-digits */

	Datum		zero;
	Datum		nothing;		/* zero with its decimals */
	Datum		ledger_open;
	Datum		principal;
	bool		begun;
	Datum		capital;		/* interest of full years, bearing interest itself */
	Datum		running;		/* base * rate * units since the last rounding */
	Datum		closed;			/* interest that is a sum of money already */
	Datum		cleared;		/* of it, paid */
	Datum		costs_cleared;
	Datum		shown;
	int			n_open,
				n_rate,
				anniversary;
} Account;

static int64
span_units(DayCount count, DateADT from, DateADT until)
{
	int			y1,
				m1,
				d1,
				y2,
				m2,
				d2;
	int64		units = 0;

	if (count == ACT_365 || count == ACT_360)
		return until - from;
	j2date(from + POSTGRES_EPOCH_JDATE, &y1, &m1, &d1);
	j2date(until + POSTGRES_EPOCH_JDATE, &y2, &m2, &d2);
	/* 30E/360 as a difference of one function of the day, so that a span is the sum of its parts */
	if (count == THIRTY_360)
		return 360 * (y2 - y1) + 30 * (m2 - m1) + Min(d2, 30) - Min(d1, 30);
	for (int y = y1; y <= y2; y++)
	{
		DateADT		begins = date2j(y, 1, 1) - POSTGRES_EPOCH_JDATE;
		DateADT		ends = date2j(y + 1, 1, 1) - POSTGRES_EPOCH_JDATE;
		int64		days = Min(until, ends) - Max(from, begins);

		if (days > 0)
			units += days * (ends - begins == 365 ? 366 : 365);
	}
	return units;
}

/* So many years after a day; the 29th of February becomes the 28th where there is none. */
static DateADT
years_after(DateADT day, int years)
{
	int			y,
				m,
				d;

	j2date(day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	if (m == 2 && d == 29 && !isleap(y + years))
		d = 28;
	return date2j(y + years, m, d) - POSTGRES_EPOCH_JDATE;
}

/* The running interest as a sum of money: divided and rounded half up, once. */
static Datum
round_running(const Account *a)
{
	Datum		scaled;

	if (dun_charge_compare(a->running, a->zero) == 0)
		return a->nothing;
	scaled = dun_charge_add(dun_charge_multiply(a->running, a->up), a->divisor);
	return dun_charge_multiply(DirectFunctionCall2(numeric_div_trunc, scaled, a->twice), a->unit);
}

static void
close_running(Account *a)
{
	a->closed = dun_charge_add(a->closed, round_running(a));
	a->running = a->zero;
}

static int
compare_days(const void *left, const void *right)
{
	DateADT		a = *(const DateADT *) left;
	DateADT		b = *(const DateADT *) right;

	return (a > b) - (a < b);
}

static int
add_cuts(const Account *a, const DunValues *days, DateADT *cuts, int n)
{
	for (int i = 0; i < days->n; i++)
	{
		DateADT		day = DatumGetDateADT(days->values[i]);

		if (!days->nulls[i] && day > a->first && day < a->until)
			cuts[n++] = day;
	}
	return n;
}

/* The days on which something may change, in order; the last is the end. */
static int
find_cuts(const Account *a, DateADT **cuts)
{
	int			years = a->yearly && a->starts < a->until ? (a->until - a->starts) / 365 : 0;
	int			n = 0,
				kept = 0;

	*cuts = palloc((3 + a->days.n + a->rate_days.n + a->frozen_from.n + a->frozen_until.n + years) * sizeof(DateADT));
	(*cuts)[n++] = a->first;
	(*cuts)[n++] = a->until;
	if (a->starts > a->first && a->starts < a->until)
		(*cuts)[n++] = a->starts;
	n = add_cuts(a, &a->days, *cuts, n);
	n = add_cuts(a, &a->rate_days, *cuts, n);
	n = add_cuts(a, &a->frozen_from, *cuts, n);
	n = add_cuts(a, &a->frozen_until, *cuts, n);
	for (int y = 1; y <= years; y++)
		if (years_after(a->starts, y) < a->until)
			(*cuts)[n++] = years_after(a->starts, y);
	qsort(*cuts, n, sizeof(DateADT), compare_days);
	for (int i = 0; i < n; i++)
		if (i == 0 || (*cuts)[i] != (*cuts)[kept - 1])
			(*cuts)[kept++] = (*cuts)[i];
	return kept;
}

static Datum
costs_before(const Account *a, DateADT day)
{
	Datum		sum = a->zero;

	for (int i = 0; i < a->cost_days.n; i++)
		if (DatumGetDateADT(a->cost_days.values[i]) < day)
			sum = dun_charge_add(sum, a->costs.values[i]);
	return sum;
}

/* A payment that lowered what is open clears costs, interest and principal in the order of the rule. */
static void
clear_payment(Account *a, Datum paid, DateADT day)
{
	Datum		owed[N_PARTS];
	Datum		costs = costs_before(a, day);

	close_running(a);
	owed[PART_PRINCIPAL] = a->principal;
	owed[PART_INTEREST] = dun_charge_subtract(a->closed, a->cleared);
	owed[PART_COSTS] = dun_charge_subtract(costs, a->costs_cleared);
	for (int i = 0; i < N_PARTS; i++)
	{
		Datum	   *part = &owed[a->order[i]];
		Datum		taken = dun_charge_least(paid, *part);

		*part = dun_charge_subtract(*part, taken);
		paid = dun_charge_subtract(paid, taken);
	}
	a->principal = owed[PART_PRINCIPAL];
	a->cleared = dun_charge_subtract(a->closed, owed[PART_INTEREST]);
	a->costs_cleared = dun_charge_subtract(costs, owed[PART_COSTS]);
}

/* What the ledger says is open when this day begins. */
static void
take_open(Account *a, DateADT day)
{
	Datum		open;

	while (a->n_open < a->days.n && DatumGetDateADT(a->days.values[a->n_open]) <= day)
		a->n_open++;
	open = a->opens.values[a->n_open - 1];
	if (!a->begun)
		a->principal = open;
	else if (a->order[0] == PART_PRINCIPAL || dun_charge_compare(open, a->ledger_open) > 0)
		/* what is taken back is owed as principal */
		a->principal = dun_charge_add(a->principal, dun_charge_subtract(open, a->ledger_open));
	else if (dun_charge_compare(open, a->ledger_open) < 0)
		clear_payment(a, dun_charge_subtract(a->ledger_open, open), day);
	a->begun = true;
	a->ledger_open = open;
}

static void
join_capital(Account *a, DateADT day)
{
	while (a->yearly && a->starts != DATEVAL_NOEND && years_after(a->starts, a->anniversary) <= day)
	{
		close_running(a);
		a->capital = dun_charge_subtract(a->closed, a->cleared);
		a->anniversary++;
	}
}

static int
compare_cstrings(const void *left, const void *right)
{
	return strcmp(*(char *const *) left, *(char *const *) right);
}

/* The reasons that freeze a day, each once; NULL where none does. */
static char *
frozen_by(const Account *a, DateADT day)
{
	char	  **why = palloc((a->freezers.n + 1) * sizeof(char *));
	int			n = 0;
	StringInfoData s;

	for (int i = 0; i < a->freezers.n; i++)
		if ((a->frozen_from.nulls[i] || DatumGetDateADT(a->frozen_from.values[i]) <= day) &&
			(a->frozen_until.nulls[i] || DatumGetDateADT(a->frozen_until.values[i]) > day))
			why[n++] = TextDatumGetCString(a->freezers.values[i]);
	if (n == 0)
		return NULL;
	qsort(why, n, sizeof(char *), compare_cstrings);
	initStringInfo(&s);
	for (int i = 0; i < n; i++)
		if (i == 0 || strcmp(why[i], why[i - 1]) != 0)
			appendStringInfo(&s, "%s%s", i == 0 ? "frozen: " : ", ", why[i]);
	return s.data;
}

/* The rate of a span, or why it bears none. */
static bool
find_rate(Account *a, DateADT day, Datum *rate, char **why)
{
	while (a->n_rate < a->rate_days.n && DatumGetDateADT(a->rate_days.values[a->n_rate]) <= day)
		a->n_rate++;
	*why = day < a->starts ? pstrdup("not in default") : frozen_by(a, day);
	if (*why == NULL && (a->n_rate == 0 || a->rates.nulls[a->n_rate - 1]))
		*why = psprintf("no rate of %s", a->reference);
	if (*why != NULL)
		return false;
	*rate = a->rates.values[a->n_rate - 1];
	return true;
}

static void
add_span(Account *a, DateADT from, DateADT until, ReturnSetInfo *rsinfo)
{
	Datum		out[N_OUT];
	bool		nulls[N_OUT] = {false};
	int64		units = span_units(a->count, from, until);
	Datum		base,
				rate = 0,
				amount;
	char	   *why;

	take_open(a, from);
	join_capital(a, from);
	base = dun_charge_add(a->principal, a->capital);
	nulls[OUT_RATE] = !find_rate(a, from, &rate, &why);
	if (!nulls[OUT_RATE] && dun_charge_compare(rate, a->zero) > 0 && dun_charge_compare(base, a->zero) > 0)
		a->running = dun_charge_add(a->running, dun_charge_multiply(dun_charge_multiply(base, rate), dun_charge_number(units)));
	amount = dun_charge_subtract(dun_charge_add(a->closed, round_running(a)), a->shown);
	a->shown = dun_charge_add(a->shown, amount);
	if (dun_charge_compare(base, a->zero) <= 0 && dun_charge_compare(amount, a->zero) == 0)
		return;
	out[OUT_FROM] = DateADTGetDatum(from);
	out[OUT_UNTIL] = DateADTGetDatum(until);
	out[OUT_DAYS] = Int32GetDatum((int32) (a->count == THIRTY_360 ? units : until - from));
	out[OUT_RATE] = rate;
	out[OUT_BASE] = base;
	out[OUT_AMOUNT] = amount;
	nulls[OUT_WHY] = why == NULL;
	out[OUT_WHY] = why ? CStringGetTextDatum(why) : 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, out, nulls);
}

static void
read_order(FunctionCallInfo fcinfo, Account *a)
{
	DunValues	names;
	int			found = 0;

	dun_charge_read_values(fcinfo, ARG_CLEARING, TEXTOID, &names);
	for (int i = 0; i < Min(names.n, N_PARTS); i++)
		for (int p = 0; p < N_PARTS; p++)
			if (!names.nulls[i] && strcmp(TextDatumGetCString(names.values[i]), part_names[p]) == 0)
			{
				a->order[i] = p;
				found |= 1 << p;
			}
	if (names.n != N_PARTS || found != (1 << N_PARTS) - 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a payment clears costs, interest and principal, each once")));
}

static void
read_count(FunctionCallInfo fcinfo, Account *a)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(ARG_DAY_COUNT));
	int64		cents = 1;

	for (a->count = ACT_365; a->count <= ACT_ACT; a->count++)
		if (strcmp(name, day_counts[a->count].name) == 0)
			break;
	if (a->count > ACT_ACT || PG_GETARG_INT32(ARG_DIGITS) < 0 || PG_GETARG_INT32(ARG_DIGITS) > 6)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown day count \"%s\", or not 0 to 6 decimals", name)));
	for (int i = 0; i < PG_GETARG_INT32(ARG_DIGITS); i++)
		cents *= 10;
	a->up = dun_charge_number(2 * cents);
	a->divisor = dun_charge_number(100 * day_counts[a->count].year);
	a->twice = dun_charge_number(200 * day_counts[a->count].year);
	a->unit = DirectFunctionCall2(numeric_round, DirectFunctionCall2(numeric_div, dun_charge_number(1), dun_charge_number(cents)),
								  Int32GetDatum(PG_GETARG_INT32(ARG_DIGITS)));
}

static void
read_account(FunctionCallInfo fcinfo, Account *a)
{
	static const int required[] = {ARG_DAY_COUNT, ARG_YEARLY, ARG_REFERENCE, ARG_DIGITS, ARG_DUE, ARG_UNTIL};

	for (int i = 0; i < lengthof(required); i++)
		if (PG_ARGISNULL(required[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("rule, due date and end must be given")));
	memset(a, 0, sizeof(*a));
	read_count(fcinfo, a);
	read_order(fcinfo, a);
	a->yearly = PG_GETARG_BOOL(ARG_YEARLY);
	a->reference = text_to_cstring(PG_GETARG_TEXT_PP(ARG_REFERENCE));
	a->first = PG_GETARG_DATEADT(ARG_DUE) + 1;
	a->starts = PG_ARGISNULL(ARG_STARTS) ? DATEVAL_NOEND : PG_GETARG_DATEADT(ARG_STARTS);
	a->until = PG_GETARG_DATEADT(ARG_UNTIL);
	dun_charge_read_values(fcinfo, ARG_DAYS, DATEOID, &a->days);
	dun_charge_read_values(fcinfo, ARG_OPENS, NUMERICOID, &a->opens);
	dun_charge_read_values(fcinfo, ARG_RATE_DAYS, DATEOID, &a->rate_days);
	dun_charge_read_values(fcinfo, ARG_RATES, NUMERICOID, &a->rates);
	dun_charge_read_values(fcinfo, ARG_FROZEN_FROM, DATEOID, &a->frozen_from);
	dun_charge_read_values(fcinfo, ARG_FROZEN_UNTIL, DATEOID, &a->frozen_until);
	dun_charge_read_values(fcinfo, ARG_FREEZERS, TEXTOID, &a->freezers);
	dun_charge_read_values(fcinfo, ARG_COST_DAYS, DATEOID, &a->cost_days);
	dun_charge_read_values(fcinfo, ARG_COSTS, NUMERICOID, &a->costs);
	if (a->opens.n != a->days.n || a->rates.n != a->rate_days.n || a->costs.n != a->cost_days.n ||
		a->frozen_from.n != a->freezers.n || a->frozen_until.n != a->freezers.n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("days and sums, rates, freezes and costs must be arrays of one length each")));
	if (a->days.n == 0 || a->days.nulls[0] || DatumGetDateADT(a->days.values[0]) > a->first)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("what was open must be known from the day after the due date on")));
	a->zero = dun_charge_number(0);
	a->capital = a->running = a->closed = a->cleared = a->costs_cleared = a->shown = a->zero;
	a->nothing = dun_charge_multiply(a->zero, a->unit);
	a->anniversary = 1;
}

PG_FUNCTION_INFO_V1(dun_charge_sql_accrue);

/* _accrue(day_count, yearly, clearing, reference, digits, due_on, starts_on, until_on, days, opens, ...): a row a span */
Datum
dun_charge_sql_accrue(PG_FUNCTION_ARGS)
{
	Account		a;
	DateADT    *cuts;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	read_account(fcinfo, &a);
	if (DATE_NOT_FINITE(a.first) || DATE_NOT_FINITE(a.until) || a.until <= a.first)
		return (Datum) 0;
	n = find_cuts(&a, &cuts);
	for (int i = 0; i + 1 < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		add_span(&a, cuts[i], cuts[i + 1], (ReturnSetInfo *) fcinfo->resultinfo);
	}
	return (Datum) 0;
}
