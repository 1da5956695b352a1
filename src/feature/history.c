/*
 * feature/history.c
 *		The account of one debtor as arrays in, what could be known at each instant out.
 *
 * Two callers, one replay: invoice_features() looks at the account when each invoice was issued, features()
 * looks at its end. What a model learns from and what it is asked with are therefore the same thing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "feature/account.h"

/* Arguments of both functions, in this order. */
enum
{
	ARG_ID, ARG_CURRENCY, ARG_ISSUED, ARG_DUE, ARG_AMOUNT, ARG_ASKED, ARG_KNOWN, ARG_GONE, ARG_COUNTED,
	ARG_PAID_INVOICE, ARG_PAID_CURRENCY, ARG_PAID_ON, ARG_PAID_KNOWN, ARG_PAID_AMOUNT, N_ARRAYS
};

/* Columns of dunning.history_look, in its order. */
enum
{
	COL_INVOICE_ID, COL_AT, COL_STEP, COL_STEP_LATE, COL_CURRENCY, COL_CURRENCIES, COL_N_INVOICES, COL_N_PAID,
	COL_N_LATE, COL_N_OPEN, COL_N_OVERDUE, COL_N_PAYMENTS, COL_AMOUNT_BILLED, COL_AMOUNT_PAID, COL_AMOUNT_OPEN,
	COL_AMOUNT_OVERDUE, COL_DPD_0, COL_DPD_1_30, COL_DPD_31_60, COL_DPD_61_90, COL_DPD_OVER_90, COL_DAYS_PAST_DUE,
	COL_DAYS_SINCE_PAYMENT, COL_DAYS_SINCE_INVOICE, COL_LATE_RATIO, COL_LATE_AMOUNT_RATIO, COL_AVG_LATE,
	COL_SUM_LATE, COL_LAST_LATE, COL_MAX_LATE, COL_AVG_LATE_3, COL_TREND, COL_EWMA_LATE, COL_PARTIAL_RATIO,
	COL_MONTH_END_RATIO, COL_AMOUNT_MEAN, COL_TENURE_DAYS, COL_ISSUED_ON, COL_DUE_ON, COL_AMOUNT,
	COL_SETTLED_ON, N_COLS
};

/* At one instant things happen in this order: a look sees nothing of its own instant. */
typedef enum EventKind
{
	EVENT_LOOK, EVENT_INVOICE, EVENT_PAYMENT, EVENT_CANCEL
} EventKind;

typedef struct Event
{
	TimestampTz at;
	EventKind	kind;
	int			which;			/* index of the invoice or payment */
} Event;

typedef struct Column
{
	Datum	   *values;
	bool	   *nulls;
	int			n;
} Column;

typedef struct History
{
	DunAccount	account;
	DunInvoice *invoices;
	DunBook    *books;
	int		   *payment_invoice;
	int		   *payment_currency;
	Event	   *events;
	int			n_events;
	Column		in[N_ARRAYS];
	ReturnSetInfo *out;			/* NULL: no rows of looks and steps are wanted */
} History;

static Column
read_array(FunctionCallInfo fcinfo, int arg, Oid type)
{
	Column		column = {NULL, NULL, 0};
	int16		len;
	bool		byval;
	char		align;

	if (PG_ARGISNULL(arg))
		return column;
	get_typlenbyvalalign(type, &len, &byval, &align);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), type, len, byval, align, &column.values, &column.nulls, &column.n);
	return column;
}

static bool
same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* A debtor has one or two currencies: looking through them is fastest. */
static int
find_book(History *h, text *name)
{
	int			i;

	for (i = 0; i < h->account.n_books; i++)
		if (same_text(h->books[i].name, name))
			return i;
	memset(&h->books[i], 0, sizeof(DunBook));
	h->books[i].name = name;
	h->account.n_books++;
	return i;
}

static uint32
hash_id(const text *id)
{
	return hash_bytes((const unsigned char *) VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id));
}

/* Finds the invoices that payments name: a table of chains, as large as there are invoices. */
static void
link_payments(History *h)
{
	int			n = h->account.n_invoices;
	Column	   *named = &h->in[ARG_PAID_INVOICE];
	uint32		size = 1;
	int		   *first;
	int		   *next;

	while (size < (uint32) n)
		size <<= 1;
	first = palloc(sizeof(int) * size);
	next = palloc(sizeof(int) * Max(n, 1));
	memset(first, 0xff, sizeof(int) * size);
	for (int i = 0; i < n; i++)
	{
		uint32		slot = hash_id(h->invoices[i].id) & (size - 1);

		next[i] = first[slot];
		first[slot] = i;
	}
	for (int p = 0; p < named->n; p++)
	{
		int			i = -1;

		if (!named->nulls[p])
		{
			text	   *id = DatumGetTextPP(named->values[p]);

			i = first[hash_id(id) & (size - 1)];
			while (i >= 0 && !same_text(h->invoices[i].id, id))
				i = next[i];
		}
		h->payment_invoice[p] = i;
		h->payment_currency[p] = find_book(h, DatumGetTextPP(h->in[ARG_PAID_CURRENCY].values[p]));
	}
}

static int
compare_events(const void *a, const void *b)
{
	const Event *x = a;
	const Event *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->kind != y->kind)
		return (int) x->kind - (int) y->kind;
	return x->which - y->which;
}

static void
put_event(History *h, Column *at, int which, EventKind kind)
{
	Event	   *event;

	if (at->nulls[which])
		return;
	event = &h->events[h->n_events++];
	event->at = DatumGetTimestampTz(at->values[which]);
	event->kind = kind;
	event->which = which;
}

static void
check_lengths(History *h)
{
	for (int i = ARG_ID; i <= ARG_COUNTED; i++)
		if (h->in[i].n != h->in[ARG_ID].n)
			elog(ERROR, "arrays of invoices differ in length");
	for (int i = ARG_PAID_INVOICE; i <= ARG_PAID_AMOUNT; i++)
		if (h->in[i].n != h->in[ARG_PAID_INVOICE].n)
			elog(ERROR, "arrays of payments differ in length");
}

static void
read_history(History *h, FunctionCallInfo fcinfo)
{
	static const Oid types[N_ARRAYS] = {TEXTOID, TEXTOID, DATEOID, DATEOID, FLOAT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID,
	TIMESTAMPTZOID, BOOLOID, TEXTOID, TEXTOID, DATEOID, TIMESTAMPTZOID, FLOAT8OID};
	int			n;
	int			payments;

	memset(h, 0, sizeof(*h));
	for (int i = 0; i < N_ARRAYS; i++)
		h->in[i] = read_array(fcinfo, i, types[i]);
	check_lengths(h);
	n = h->in[ARG_ID].n;
	payments = h->in[ARG_PAID_INVOICE].n;
	h->invoices = palloc_extended(sizeof(DunInvoice) * Max(n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	h->books = palloc_extended(sizeof(DunBook) * Max(n + payments, 1), MCXT_ALLOC_HUGE);
	h->payment_invoice = palloc(sizeof(int) * Max(payments, 1));
	h->payment_currency = palloc(sizeof(int) * Max(payments, 1));
	h->events = palloc_extended(sizeof(Event) * Max(3 * (Size) n + payments, 1), MCXT_ALLOC_HUGE);
	dun_feature_init_account(&h->account, h->invoices, n, h->books, 0);
	for (int i = 0; i < n; i++)
	{
		DunInvoice *it = &h->invoices[i];

		it->id = DatumGetTextPP(h->in[ARG_ID].values[i]);
		it->currency = find_book(h, DatumGetTextPP(h->in[ARG_CURRENCY].values[i]));
		it->issued = DatumGetDateADT(h->in[ARG_ISSUED].values[i]);
		it->due = DatumGetDateADT(h->in[ARG_DUE].values[i]);
		it->amount = DatumGetFloat8(h->in[ARG_AMOUNT].values[i]);
		it->counted = it->amount > 0 && DatumGetBool(h->in[ARG_COUNTED].values[i]);
		if (it->counted)
			put_event(h, &h->in[ARG_ASKED], i, EVENT_LOOK);
		/* One that was cancelled before it was known never came to be. */
		if (!h->in[ARG_GONE].nulls[i] &&
			DatumGetTimestampTz(h->in[ARG_GONE].values[i]) <= DatumGetTimestampTz(h->in[ARG_KNOWN].values[i]))
			continue;
		put_event(h, &h->in[ARG_KNOWN], i, EVENT_INVOICE);
		put_event(h, &h->in[ARG_GONE], i, EVENT_CANCEL);
	}
	link_payments(h);
	for (int p = 0; p < payments; p++)
		put_event(h, &h->in[ARG_PAID_KNOWN], p, EVENT_PAYMENT);
	qsort(h->events, h->n_events, sizeof(Event), compare_events);
}

/* --- a row ------------------------------------------------------------------------------------------- */

typedef struct Row
{
	Datum		values[N_COLS];
	bool		nulls[N_COLS];
} Row;

static void
set_int(Row *row, int col, int value)
{
	row->values[col] = Int32GetDatum(value);
	row->nulls[col] = false;
}

static void
set_float(Row *row, int col, double value)
{
	row->values[col] = Float8GetDatum(value);
	row->nulls[col] = false;
}

static void
set_ratio(Row *row, int col, double part, double whole)
{
	if (whole > 0)
		set_float(row, col, part / whole);
}

static void
fill_habits(Row *row, const DunAccount *a, const DunBook *book)
{
	int			n = a->n_settled;
	double		newest = 0;
	int			taken = Min(n, 3);

	set_int(row, COL_N_PAID, n);
	set_int(row, COL_N_LATE, a->n_late);
	set_float(row, COL_SUM_LATE, a->sum_late);
	set_ratio(row, COL_PARTIAL_RATIO, a->n_partial, a->n_touched);
	set_ratio(row, COL_MONTH_END_RATIO, a->n_month_end, a->n_payments);
	set_ratio(row, COL_LATE_AMOUNT_RATIO, book->paid_late, book->paid);
	if (n == 0)
		return;
	for (int i = n - taken; i < n; i++)
		newest += dun_feature_days_late(&a->invoices[a->settled[i]]);
	set_ratio(row, COL_LATE_RATIO, a->n_late, n);
	set_ratio(row, COL_AVG_LATE, a->sum_late, n);
	set_float(row, COL_LAST_LATE, dun_feature_days_late(&a->invoices[a->settled[n - 1]]));
	set_float(row, COL_MAX_LATE, a->max_late);
	set_float(row, COL_AVG_LATE_3, newest / taken);
	set_float(row, COL_TREND, newest / taken - a->sum_late / n);
	set_float(row, COL_EWMA_LATE, a->ewma_late);
}

static int
bucket_of(int days)
{
	return days <= 0 ? COL_DPD_0 : days <= 30 ? COL_DPD_1_30 : days <= 60 ? COL_DPD_31_60 :
		days <= 90 ? COL_DPD_61_90 : COL_DPD_OVER_90;
}

/* Counts are over all currencies, sums over the one that is asked for. */
static void
fill_open(Row *row, const DunAccount *a, int currency, DateADT today)
{
	double		bucket[N_COLS] = {0};
	double		overdue = 0;
	double		open = 0;
	int			n_overdue = 0;
	int			oldest = 0;

	for (int i = 0; i < a->n_open; i++)
	{
		const DunInvoice *it = &a->invoices[a->open[i]];
		int			days = today - it->due;

		n_overdue += days > 0;
		oldest = Max(oldest, days);
		if (it->currency != currency)
			continue;
		open += it->rest;
		bucket[bucket_of(days)] += it->rest;
		if (days > 0)
			overdue += it->rest;
	}
	set_int(row, COL_N_OPEN, a->n_open);
	set_int(row, COL_N_OVERDUE, n_overdue);
	set_int(row, COL_DAYS_PAST_DUE, oldest);
	set_float(row, COL_AMOUNT_OPEN, open);
	set_float(row, COL_AMOUNT_OVERDUE, overdue);
	for (int col = COL_DPD_0; col <= COL_DPD_OVER_90; col++)
		set_float(row, col, bucket[col]);
}

static void
fill_row(Row *row, const DunAccount *a, int currency, DateADT today)
{
	static const DunBook none = {0};
	const DunBook *book = currency >= 0 ? &a->books[currency] : &none;
	int			currencies = 0;

	memset(row->nulls, true, sizeof(row->nulls));
	for (int b = 0; b < a->n_books; b++)
		currencies += a->books[b].n > 0;
	if (currency >= 0)
	{
		row->values[COL_CURRENCY] = PointerGetDatum(book->name);
		row->nulls[COL_CURRENCY] = false;
	}
	set_int(row, COL_CURRENCIES, currencies);
	set_int(row, COL_N_INVOICES, a->n_known);
	set_int(row, COL_N_PAYMENTS, a->n_payments);
	set_float(row, COL_AMOUNT_BILLED, book->billed);
	set_float(row, COL_AMOUNT_PAID, book->paid);
	set_ratio(row, COL_AMOUNT_MEAN, book->billed, book->n);
	if (!DATE_NOT_FINITE(a->last_paid))
		set_int(row, COL_DAYS_SINCE_PAYMENT, today - a->last_paid);
	if (!DATE_NOT_FINITE(a->last_issued))
	{
		set_int(row, COL_DAYS_SINCE_INVOICE, today - a->last_issued);
		set_int(row, COL_TENURE_DAYS, today - a->first_issued);
	}
	fill_habits(row, a, book);
	fill_open(row, a, currency, today);
}

/* --- replay ------------------------------------------------------------------------------------------ */

/* One row a settlement gained or lost: the means of the whole book are sums of these up to an instant. */
static void
put_step(void *arg, int invoice, TimestampTz at, int step)
{
	History    *h = arg;
	Row			row;

	memset(row.nulls, true, sizeof(row.nulls));
	row.values[COL_AT] = TimestampTzGetDatum(at);
	row.nulls[COL_AT] = false;
	set_int(&row, COL_STEP, step);
	set_float(&row, COL_STEP_LATE, dun_feature_days_late(&h->invoices[invoice]));
	tuplestore_putvalues(h->out->setResult, h->out->setDesc, row.values, row.nulls);
}

static void
set_date(Row *row, int col, DateADT value)
{
	row->values[col] = DateADTGetDatum(value);
	row->nulls[col] = false;
}

static void
take_look(History *h, Row *row, int invoice, TimestampTz at)
{
	DunInvoice *it = &h->invoices[invoice];

	fill_row(row, &h->account, it->currency, it->issued);
	set_int(row, COL_STEP, 0);
	row->values[COL_INVOICE_ID] = PointerGetDatum(it->id);
	row->nulls[COL_INVOICE_ID] = false;
	row->values[COL_AT] = TimestampTzGetDatum(at);
	row->nulls[COL_AT] = false;
	set_date(row, COL_ISSUED_ON, it->issued);
	set_date(row, COL_DUE_ON, it->due);
	set_float(row, COL_AMOUNT, it->amount);
	/* until the end is known: which invoice this is */
	row->values[COL_SETTLED_ON] = Int32GetDatum(invoice);
}

static void
replay_event(History *h, const Event *event, Row *looks, int *n_looks)
{
	int			which = event->which;

	switch (event->kind)
	{
		case EVENT_LOOK:
			if (looks)
				take_look(h, &looks[(*n_looks)++], which, event->at);
			break;
		case EVENT_INVOICE:
			dun_feature_add_invoice(&h->account, which, event->at);
			break;
		case EVENT_PAYMENT:
			dun_feature_add_payment(&h->account, h->payment_invoice[which], h->payment_currency[which],
									DatumGetFloat8(h->in[ARG_PAID_AMOUNT].values[which]),
									DatumGetDateADT(h->in[ARG_PAID_ON].values[which]), event->at);
			break;
		case EVENT_CANCEL:
			dun_feature_cancel_invoice(&h->account, which, event->at);
			break;
	}
}

static void
replay(History *h, Row *looks, int *n_looks)
{
	for (int i = 0; i < h->n_events; i++)
	{
		if ((i & 1023) == 0)
			CHECK_FOR_INTERRUPTS();
		replay_event(h, &h->events[i], looks, n_looks);
	}
}

PG_FUNCTION_INFO_V1(dun_feature_sql_invoice_history);

Datum
dun_feature_sql_invoice_history(PG_FUNCTION_ARGS)
{
	History		h;
	Row		   *looks;
	int			n_looks = 0;

	InitMaterializedSRF(fcinfo, 0);
	read_history(&h, fcinfo);
	h.out = (ReturnSetInfo *) fcinfo->resultinfo;
	h.account.on_step = put_step;
	h.account.arg = &h;
	/* A wholesaler's account may have millions of invoices. */
	looks = palloc_extended(sizeof(Row) * Max(h.account.n_invoices, 1), MCXT_ALLOC_HUGE);
	replay(&h, looks, &n_looks);
	for (int i = 0; i < n_looks; i++)
	{
		DunInvoice *it = &h.invoices[DatumGetInt32(looks[i].values[COL_SETTLED_ON])];

		/* One that was cancelled since never came to be. */
		if (!it->exists)
			continue;
		if (it->settled)
			set_date(&looks[i], COL_SETTLED_ON, it->settled_on);
		tuplestore_putvalues(h.out->setResult, h.out->setDesc, looks[i].values, looks[i].nulls);
	}
	return (Datum) 0;
}

/* The currency whose sums a debtor's row shows: one with an open balance, then the one of most invoices, then by name. */
static int
main_currency(const DunAccount *a)
{
	int			best = -1;
	double		best_open = 0;

	for (int b = 0; b < a->n_books; b++)
	{
		double		open = 0;

		for (int i = 0; i < a->n_open; i++)
			if (a->invoices[a->open[i]].currency == b)
				open += a->invoices[a->open[i]].rest;
		if (best >= 0 && (open > 0) == (best_open > 0))
		{
			const DunBook *x = &a->books[b];
			const DunBook *y = &a->books[best];
			int			order = memcmp(VARDATA_ANY(x->name), VARDATA_ANY(y->name),
									   Min(VARSIZE_ANY_EXHDR(x->name), VARSIZE_ANY_EXHDR(y->name)));

			if (x->n < y->n || (x->n == y->n && order > 0))
				continue;
		}
		else if (best >= 0 && best_open > 0)
			continue;
		best = b;
		best_open = open;
	}
	return best;
}

PG_FUNCTION_INFO_V1(dun_feature_sql_debtor_history);

/* The arrays, then `stated` (open amounts of the source, or NULL) and today. */
Datum
dun_feature_sql_debtor_history(PG_FUNCTION_ARGS)
{
	History		h;
	Row			row;
	DateADT		today = PG_GETARG_DATEADT(N_ARRAYS + 1);
	TupleDesc	desc;
	Column		stated = read_array(fcinfo, N_ARRAYS, FLOAT8OID);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	read_history(&h, fcinfo);
	replay(&h, NULL, NULL);
	if (stated.n == h.account.n_invoices && stated.n > 0)
	{
		double	   *open = palloc(sizeof(double) * stated.n);

		for (int i = 0; i < stated.n; i++)
			open[i] = stated.nulls[i] ? 0 : DatumGetFloat8(stated.values[i]);
		dun_feature_state_open(&h.account, open);
	}
	fill_row(&row, &h.account, main_currency(&h.account), today);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, row.values, row.nulls)));
}
