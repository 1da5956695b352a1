/*
 * charge/open.c
 *		What was open of each invoice of one debtor and currency, from which day on.
 *
 * The allocation of the ledger (_allocation_sql()) at each day on which something came in: payments that name an invoice
 * pay it; what they pay too much, payments that name none of these and credit notes form a pool, which pays the oldest due
 * first. Days and invoices of one debtor are few, so every invoice is looked at on every such day.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "charge/column.h"

enum
{
	ARG_ID, ARG_ISSUED, ARG_DUE, ARG_AMOUNT, ARG_STATED, ARG_ASKED, ARG_DAY, ARG_PAID, ARG_PAYS, N_ARRAYS
};

typedef struct Invoice
{
	int			place;			/* in the arguments, from 0 */
	Datum		amount;
	Datum		named;			/* what payments that name it came to, up to the day looked at */
	Datum		rem;			/* amount without what they pay of it */
	int			ndays;
	int			room;
	Datum	   *days;
	Datum	   *opens;
} Invoice;

typedef struct Credit
{
	DateADT		day;			/* the first day that begins with it */
	int			place;
} Credit;

static const Oid array_types[N_ARRAYS] = {
	TEXTOID, DATEOID, DATEOID, NUMERICOID, NUMERICOID, BOOLOID, DATEOID, NUMERICOID, TEXTOID
};

static int
compare_texts(Datum a, Datum b)
{
	text	   *x = DatumGetTextPP(a);
	text	   *y = DatumGetTextPP(b);
	int			order = memcmp(VARDATA_ANY(x), VARDATA_ANY(y), Min(VARSIZE_ANY_EXHDR(x), VARSIZE_ANY_EXHDR(y)));

	return order != 0 ? order : (int) VARSIZE_ANY_EXHDR(x) - (int) VARSIZE_ANY_EXHDR(y);
}

static int
compare_dates(const DunValues *dates, int a, int b)
{
	DateADT		x = DatumGetDateADT(dates->values[a]);
	DateADT		y = DatumGetDateADT(dates->values[b]);

	return (x > y) - (x < y);
}

/* By due date, date of issue and id. */
static int
compare_invoices(const void *left, const void *right, void *arg)
{
	const DunValues *v = arg;
	int			a = ((const Invoice *) left)->place;
	int			b = ((const Invoice *) right)->place;
	int			order = compare_dates(&v[ARG_DUE], a, b);

	if (order == 0)
		order = compare_dates(&v[ARG_ISSUED], a, b);
	if (order == 0 && (v[ARG_ID].nulls[a] || v[ARG_ID].nulls[b]))
		order = v[ARG_ID].nulls[a] - v[ARG_ID].nulls[b];
	else if (order == 0)
		order = compare_texts(v[ARG_ID].values[a], v[ARG_ID].values[b]);
	return order != 0 ? order : a - b;
}

static int
compare_credits(const void *left, const void *right)
{
	const Credit *a = left;
	const Credit *b = right;

	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return a->place - b->place;
}

/* Adds a payment to the sum of every invoice of its name; ids are unique, but what a ledger says of that is not relied upon. */
static void
name_invoices(Invoice *invoices, const DunValues *v, int credit)
{
	if (v[ARG_PAYS].nulls[credit])
		return;
	for (int i = 0; i < v[ARG_ID].n; i++)
	{
		Invoice    *one = &invoices[i];

		if (v[ARG_ID].nulls[one->place] || compare_texts(v[ARG_ID].values[one->place], v[ARG_PAYS].values[credit]) != 0)
			continue;
		one->named = dun_charge_add(one->named, v[ARG_PAID].values[credit]);
		one->rem = dun_charge_subtract(one->amount, dun_charge_least(one->amount, one->named));
	}
}

static void
note_open(Invoice *one, DateADT day, Datum open)
{
	if (one->ndays > 0 && dun_charge_compare(one->opens[one->ndays - 1], open) == 0)
		return;
	if (one->ndays == one->room)
	{
		one->room *= 2;
		one->days = repalloc(one->days, one->room * sizeof(Datum));
		one->opens = repalloc(one->opens, one->room * sizeof(Datum));
	}
	one->days[one->ndays] = DateADTGetDatum(day);
	one->opens[one->ndays++] = open;
}

/* Writes down what is open of each from `day` on, where that is another sum than before. */
static void
look(Invoice *invoices, const DunValues *v, DateADT day, Datum total)
{
	Datum		zero = dun_charge_number(0);
	Datum		pool = total;

	for (int i = 0; i < v[ARG_ID].n; i++)
		pool = dun_charge_subtract(pool, dun_charge_subtract(invoices[i].amount, invoices[i].rem));
	for (int i = 0; i < v[ARG_ID].n; i++)
	{
		Invoice    *one = &invoices[i];
		Datum		taken = dun_charge_least(one->rem, pool);
		Datum		open = one->rem;

		CHECK_FOR_INTERRUPTS();
		if (dun_charge_compare(taken, zero) > 0)
			open = dun_charge_subtract(open, taken);
		pool = dun_charge_subtract(pool, one->rem);
		if (!v[ARG_STATED].nulls[one->place])
			open = dun_charge_least(open, v[ARG_STATED].values[one->place]);
		note_open(one, day, open);
	}
}

static void
check_arguments(const DunValues *v)
{
	for (int a = 0; a < N_ARRAYS; a++)
	{
		if (v[a].n != v[a < ARG_DAY ? ARG_ID : ARG_DAY].n)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("arrays of invoices, and of payments, must be of one length")));
		for (int i = 0; i < v[a].n; i++)
			if (v[a].nulls[i] && a != ARG_ID && a != ARG_STATED && a != ARG_PAYS)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("dates and amounts must not be NULL")));
	}
}

PG_FUNCTION_INFO_V1(dun_charge_sql_open_days);

/* _open_days(ids, issued, due, amounts, stated, asked, days, paid, pays): a row an invoice that is asked for */
Datum
dun_charge_sql_open_days(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DunValues	v[N_ARRAYS];
	Invoice    *invoices;
	Credit	   *credits;
	Datum		total = dun_charge_number(0);
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	for (int a = 0; a < N_ARRAYS; a++)
		dun_charge_read_values(fcinfo, a, array_types[a], &v[a]);
	check_arguments(v);
	n = v[ARG_DAY].n;
	invoices = palloc0((v[ARG_ID].n + 1) * sizeof(Invoice));
	credits = palloc((n + 1) * sizeof(Credit));
	for (int i = 0; i < v[ARG_ID].n; i++)
	{
		invoices[i].place = i;
		invoices[i].amount = invoices[i].rem = v[ARG_AMOUNT].values[i];
		invoices[i].named = total;
		invoices[i].room = 2;
		invoices[i].days = palloc(invoices[i].room * sizeof(Datum));
		invoices[i].opens = palloc(invoices[i].room * sizeof(Datum));
	}
	for (int c = 0; c < n; c++)
	{
		credits[c].day = DatumGetDateADT(v[ARG_DAY].values[c]);
		credits[c].place = c;
	}
	qsort_arg(invoices, v[ARG_ID].n, sizeof(Invoice), compare_invoices, v);
	qsort(credits, n, sizeof(Credit), compare_credits);

	look(invoices, v, DATEVAL_NOBEGIN, total);
	for (int c = 0; c < n; c++)
	{
		total = dun_charge_add(total, v[ARG_PAID].values[credits[c].place]);
		name_invoices(invoices, v, credits[c].place);
		if (c + 1 == n || credits[c + 1].day != credits[c].day)
			look(invoices, v, credits[c].day, total);
	}
	for (int i = 0; i < v[ARG_ID].n; i++)
	{
		Datum		out[3] = {Int32GetDatum(invoices[i].place + 1)};
		bool		nulls[3] = {false};

		if (!DatumGetBool(v[ARG_ASKED].values[invoices[i].place]))
			continue;
		out[1] = dun_charge_make_array(invoices[i].days, invoices[i].ndays, DATEOID);
		out[2] = dun_charge_make_array(invoices[i].opens, invoices[i].ndays, NUMERICOID);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, out, nulls);
	}
	return (Datum) 0;
}
