/*
 * feature/history.c
 *		The state of one debtor in, what could be known at each instant out.
 *
 * Two callers, one replay: invoice_features() looks at the account when each invoice was issued, features()
 * looks at its end. What a model learns from and what it is asked with are therefore the same thing.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "feature/history.h"
#include "feature/look.h"

/* What a query keeps between calls: days of the zone, and memory that one debtor's account is made in. */
typedef struct Kept
{
	DunZone    *zone;
	text	   *name;
	MemoryContext context;
	TupleDesc	desc;
} Kept;

static Kept *
keep(FunctionCallInfo fcinfo, int zone_arg)
{
	Kept	   *kept = fcinfo->flinfo->fn_extra;
	MemoryContext lasting = fcinfo->flinfo->fn_mcxt;
	text	   *name = PG_GETARG_TEXT_PP(zone_arg);

	if (kept == NULL)
	{
		kept = MemoryContextAllocZero(lasting, sizeof(Kept));
		kept->context = AllocSetContextCreate(lasting, "account of a debtor", ALLOCSET_DEFAULT_SIZES);
		fcinfo->flinfo->fn_extra = kept;
	}
	if (kept->name == NULL || VARSIZE_ANY_EXHDR(name) != VARSIZE_ANY_EXHDR(kept->name) ||
		memcmp(VARDATA_ANY(name), VARDATA_ANY(kept->name), VARSIZE_ANY_EXHDR(name)) != 0)
	{
		kept->zone = dun_feature_make_zone(lasting, name);
		kept->name = (text *) MemoryContextAlloc(lasting, VARSIZE_ANY(name));
		memcpy(kept->name, name, VARSIZE_ANY(name));
	}
	return kept;
}

static DunHistory *
read_state(FunctionCallInfo fcinfo, Kept *kept, bool looks)
{
	bytea	   *state;

	if (PG_ARGISNULL(0))
		return dun_feature_read_history(NULL, 0, kept->zone, looks);
	state = PG_GETARG_BYTEA_PP(0);
	return dun_feature_read_history(VARDATA_ANY(state), VARSIZE_ANY_EXHDR(state), kept->zone, looks);
}

static void
replay(DunHistory *h)
{
	for (int i = 0; i < h->n_order; i++)
	{
		if ((i & 1023) == 0)
			CHECK_FOR_INTERRUPTS();
		dun_feature_replay(h, &h->order[i]);
	}
}

/* --- looks: one a counted invoice, when it was issued --- */

typedef struct Looks
{
	ReturnSetInfo *out;
	const DunInvoice *ends;		/* what became of each invoice: one that was cancelled since never came to be */
	DunRow		row;
	DateADT		day;			/* of the row, with its currency */
	int			currency;
	DateADT		noted;			/* the day of issue whose month before the account holds */
	int		   *bucket;			/* of a month before each look */
	double	   *overdue;
} Looks;

/*
 * Invoices of one day see the same account, and nothing happens between their looks (compare_happenings): an account
 * with many a day would be gone through once for each.
 */
static void
fill_look(DunHistory *h, int invoice, Looks *looks)
{
	DunRow	   *row = &looks->row;
	DunInvoice *it = &h->invoices[invoice];

	if (looks->day == it->issued && looks->currency == it->currency)
	{
		row->nulls[COL_SETTLED_ON] = true;
		return;
	}
	if (looks->day != DATEVAL_NOBEGIN)
		pfree(DatumGetPointer(row->values[COL_CURRENCY]));
	h->account.bucket_before = looks->bucket[invoice];
	h->books[it->currency].overdue_before = looks->overdue[invoice];
	dun_feature_fill_row(row, h, it->currency, it->issued, dun_feature_begin_day(h->zone, it->issued));
	looks->day = it->issued;
	looks->currency = it->currency;
}

static void
take_look(DunHistory *h, int invoice, Looks *looks)
{
	DunRow	   *row = &looks->row;
	DunInvoice *it = &h->invoices[invoice];
	const DunInvoice *end = &looks->ends[invoice];

	if (!end->exists)
		return;
	fill_look(h, invoice, looks);
	dun_feature_set_name(row, COL_INVOICE_ID, &it->id);
	dun_feature_set_date(row, COL_ISSUED_ON, it->issued);
	dun_feature_set_date(row, COL_DUE_ON, it->due);
	dun_feature_set_float(row, COL_AMOUNT, it->amount);
	if (end->settled)
		dun_feature_set_date(row, COL_SETTLED_ON, end->settled_on);
	tuplestore_putvalues(looks->out->setResult, looks->out->setDesc, row->values, row->nulls);
	pfree(DatumGetPointer(row->values[COL_INVOICE_ID]));
}

static void
note_month_before(DunHistory *h, int invoice, Looks *looks)
{
	DunInvoice *it = &h->invoices[invoice];

	if (looks->noted != it->issued)
		dun_feature_note_month_before(&h->account, it->issued - 30);
	looks->noted = it->issued;
	looks->bucket[invoice] = h->account.bucket_before;
	looks->overdue[invoice] = h->books[it->currency].overdue_before;
}

static void
replay_looks(DunHistory *h, Looks *looks)
{
	for (int i = 0; i < h->n_order; i++)
	{
		const DunHappened *it = &h->order[i];

		if ((i & 1023) == 0)
			CHECK_FOR_INTERRUPTS();
		if (it->what == DUN_MONTH_BEFORE && looks->ends[it->which].exists)
			note_month_before(h, it->which, looks);
		else if (it->what == DUN_LOOK)
			take_look(h, it->which, looks);
		else
			dun_feature_replay(h, it);
	}
}

PG_FUNCTION_INFO_V1(dun_feature_sql_invoice_looks);

/* The account is replayed twice: what became of an invoice says whether there is a look at all. */
Datum
dun_feature_sql_invoice_looks(PG_FUNCTION_ARGS)
{
	Kept	   *kept = keep(fcinfo, 1);
	MemoryContext before;
	DunHistory *h;
	Looks		looks = {.day = DATEVAL_NOBEGIN, .noted = DATEVAL_NOBEGIN};
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	looks.out = (ReturnSetInfo *) fcinfo->resultinfo;
	if (looks.out->setDesc->natts != N_COLS)
		elog(ERROR, "history_look has %d columns, not %d", looks.out->setDesc->natts, N_COLS);
	before = MemoryContextSwitchTo(kept->context);
	h = read_state(fcinfo, kept, false);
	dun_feature_sort_history(h);
	replay(h);
	looks.ends = h->invoices;
	h = read_state(fcinfo, kept, true);
	dun_feature_sort_history(h);
	n = Max(h->account.n_invoices, 1);
	looks.bucket = palloc_extended(sizeof(int) * n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	looks.overdue = palloc_extended(sizeof(double) * n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	replay_looks(h, &looks);
	MemoryContextSwitchTo(before);
	MemoryContextReset(kept->context);
	return (Datum) 0;
}

/* --- steps: what the means of the book are made of --- */

enum
{
	STEP_DAY, STEP_N, STEP_LATE, STEP_DAYS, STEP_BEFORE, STEP_GAP, N_STEP_COLS
};

typedef struct Steps
{
	ReturnSetInfo *out;
	DunHistory *h;
} Steps;

static void
put_step_row(Steps *steps, DateADT day, int n, const DunInvoice *it)
{
	Datum		values[N_STEP_COLS];
	bool		nulls[N_STEP_COLS] = {false};
	double		late = n == 0 ? 0 : dun_feature_days_late(it);

	values[STEP_DAY] = DateADTGetDatum(day);
	values[STEP_N] = Int32GetDatum(n);
	values[STEP_LATE] = Int32GetDatum(late > 0 ? n : 0);
	values[STEP_DAYS] = Float8GetDatum(n * late);
	values[STEP_BEFORE] = Int32GetDatum(n != 0 && it->reminders == 0 ? n : 0);
	values[STEP_GAP] = Float8GetDatum(n == 0 ? 0 : n * dun_feature_gap(it));
	tuplestore_putvalues(steps->out->setResult, steps->out->setDesc, values, nulls);
}

/* A look at a day's beginning sees what was settled before it: a settlement counts from the next day on. */
static void
put_step(void *arg, int invoice, TimestampTz at, int step)
{
	Steps	   *steps = arg;

	/* What is dated 'infinity' no day ever sees. */
	if (TIMESTAMP_NOT_FINITE(at))
		return;
	put_step_row(steps, dun_feature_find_day(steps->h->zone, at) + 1, step, &steps->h->invoices[invoice]);
}

PG_FUNCTION_INFO_V1(dun_feature_sql_invoice_steps);

Datum
dun_feature_sql_invoice_steps(PG_FUNCTION_ARGS)
{
	Kept	   *kept = keep(fcinfo, 1);
	MemoryContext before;
	Steps		steps;

	InitMaterializedSRF(fcinfo, 0);
	steps.out = (ReturnSetInfo *) fcinfo->resultinfo;
	before = MemoryContextSwitchTo(kept->context);
	steps.h = read_state(fcinfo, kept, false);
	dun_feature_sort_history(steps.h);
	steps.h->account.on_step = put_step;
	steps.h->account.arg = &steps;
	replay(steps.h);
	/* ... and the days of the looks, so that each has its means to be joined to */
	for (int i = 0; i < steps.h->account.n_invoices; i++)
		if (steps.h->invoices[i].counted && steps.h->invoices[i].exists)
			put_step_row(&steps, steps.h->invoices[i].issued, 0, NULL);
	MemoryContextSwitchTo(before);
	MemoryContextReset(kept->context);
	return (Datum) 0;
}

/* --- the end --- */

/* The currency whose sums a debtor's row shows: one with an open balance, then the one of most invoices, then by name. */
static int
main_currency(const DunAccount *a)
{
	int			best = -1;
	bool		best_open = false;

	if (a->n_books == 1)
		return 0;
	for (int b = 0; b < a->n_books; b++)
	{
		const DunBook *x = &a->books[b];
		bool		open = false;

		for (int i = 0; i < a->n_open && !open; i++)
			open = a->invoices[a->open[i]].currency == b;
		if (best >= 0 && open == best_open)
		{
			const DunBook *y = &a->books[best];
			int			order = memcmp(x->name.at, y->name.at, Min(x->name.len, y->name.len));

			if (order == 0)
				order = (x->name.len > y->name.len) - (x->name.len < y->name.len);
			if (x->n < y->n || (x->n == y->n && order > 0))
				continue;
		}
		else if (best >= 0 && best_open)
			continue;
		best = b;
		best_open = open;
	}
	return best;
}

/* What is known of the present alone: the source's own open amounts, and disputes without a date. */
static void
state_present(DunHistory *h, bool stated)
{
	DunAccount *a = &h->account;

	for (int i = 0; i < a->n_invoices; i++)
		if (h->disputed[i])
			dun_feature_dispute_invoice(a, i);
	if (!stated || a->n_invoices == 0)
		return;
	for (int i = 0; i < a->n_invoices; i++)
		if (isnan(h->stated[i]))
			h->stated[i] = 0;
	dun_feature_state_open(a, h->stated);
}

PG_FUNCTION_INFO_V1(dun_feature_sql_debtor_look);

/* The state, the zone, the instant, and whether the source's open amounts are the balance. */
Datum
dun_feature_sql_debtor_look(PG_FUNCTION_ARGS)
{
	Kept	   *kept = keep(fcinfo, 1);
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(2);
	TimestampTz month_ago = at - 30 * USECS_PER_DAY;
	MemoryContext before;
	DunHistory *h;
	DunRow		row;
	HeapTuple	tuple;

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("as_of must be an instant"));
	before = MemoryContextSwitchTo(kept->context);
	h = read_state(fcinfo, kept, false);
	if (kept->desc == NULL)
	{
		MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		if (get_call_result_type(fcinfo, NULL, &kept->desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		if (kept->desc->natts != N_COLS)
			elog(ERROR, "history_look has %d columns, not %d", kept->desc->natts, N_COLS);
		kept->desc = BlessTupleDesc(kept->desc);
		MemoryContextSwitchTo(kept->context);
	}
	dun_feature_put_happening(h, month_ago, DUN_MONTH_BEFORE, 0);
	dun_feature_sort_history(h);
	for (int i = 0; i < h->n_order; i++)
	{
		if ((i & 1023) == 0)
			CHECK_FOR_INTERRUPTS();
		if (h->order[i].what == DUN_MONTH_BEFORE)
			dun_feature_note_month_before(&h->account, dun_feature_find_day(kept->zone, month_ago));
		else
			dun_feature_replay(h, &h->order[i]);
	}
	state_present(h, !PG_ARGISNULL(3) && PG_GETARG_BOOL(3));
	dun_feature_fill_row(&row, h, main_currency(&h->account), dun_feature_find_day(kept->zone, at), at);
	MemoryContextSwitchTo(before);
	tuple = heap_form_tuple(kept->desc, row.values, row.nulls);
	MemoryContextReset(kept->context);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
