/*
 * plan/decide.c
 *		The steps of one debtor.
 *
 * A currency reaches a step by its own oldest invoice and its own sum; the debtor gets the furthest step of any. Never a
 * step that lies before one it had for the same anchor, and where some step is worth its minimum none that is not.
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/amount.h"
#include "plan/decide.h"

/* --- sums --- */

Numeric
dun_plan_numeric_of(const DunSum *sum)
{
	return sum->exact != NULL ? sum->exact : dun_base_make_amount(sum->micro, sum->scale);
}

int
dun_plan_compare_sums(const DunSum *a, const DunSum *b)
{
	if (a->exact == NULL && b->exact == NULL)
		return (a->micro > b->micro) - (a->micro < b->micro);
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(dun_plan_numeric_of(a)),
											 NumericGetDatum(dun_plan_numeric_of(b))));
}

void
dun_plan_add_sum(DunSum *sum, const DunSum *more)
{
	int64		micro;

	sum->scale = Max(sum->scale, more->scale);
	if (sum->exact == NULL && more->exact == NULL && !pg_add_s64_overflow(sum->micro, more->micro, &micro))
		sum->micro = micro;
	else
		sum->exact = DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(dun_plan_numeric_of(sum)),
														 NumericGetDatum(dun_plan_numeric_of(more))));
}

/* --- a step --- */

static bool
had_earlier_step(const DunFacts *f, const DunStep *step, DateADT anchor)
{
	for (int i = 0; i < f->nhad; i++)
		if (f->had[i].anchor == anchor && f->strategy->steps[f->had[i].step].position < step->position)
			return true;
	return false;
}

/* What an anchor means: a new one is a case here. `due` is the oldest that counts in the currency. */
static bool
is_reached(const DunFacts *f, const DunStep *step, DateADT due)
{
	bool		contacted = f->contacted != DATEVAL_NOBEGIN;

	switch (step->anchor)
	{
		case DUN_ANCHOR_DUE_DATE:
			return f->today - due >= step->offset_days && (step->offset_days >= 0 || due >= f->today) &&
				(!step->after_contact || (contacted && f->contacted >= due));
		case DUN_ANCHOR_LAST_CONTACT:
			return contacted && f->today - f->contacted >= step->offset_days && had_earlier_step(f, step, due);
	}
	return false;
}

static DunTotal *
find_total(const DunFacts *f, DunReached *r, uint16 currency)
{
	int			at = r->ntotals;

	/* Items stand by currency, so the one in question is mostly the last that was made. */
	for (int i = 0; i < r->ntotals; i++)
		if (r->totals[i].currency == currency)
			return &r->totals[i];
	while (at > 0 && strcmp(f->currencies[r->totals[at - 1].currency], f->currencies[currency]) > 0)
	{
		r->totals[at] = r->totals[at - 1];
		at--;
	}
	r->ntotals++;
	memset(&r->totals[at], 0, sizeof(DunTotal));
	r->totals[at].currency = currency;
	r->totals[at].due = DATEVAL_NOEND;
	return &r->totals[at];
}

static void
list_totals(const DunFacts *f, const DunStep *step, DunReached *r)
{
	for (int i = 0; i < f->account->nitems; i++)
	{
		const DunItem *item = &f->account->items[i];
		DunTotal   *total;

		if (item->left_out || f->today - item->due < step->from_day)
			continue;
		total = find_total(f, r, item->currency);
		total->due = Min(total->due, item->due);
		dun_plan_add_sum(&total->sum, &item->open);
	}
	for (int i = 0; i < r->ntotals; i++)
		r->totals[i].enough = dun_plan_compare_sums(&r->totals[i].sum, &step->minimums[r->totals[i].currency]) >= 0;
}

/* True where some currency reached the step; the anchor is the oldest of those that are worth it, else of all. */
static bool
reach_step(const DunFacts *f, const DunStep *step, DunReached *r)
{
	DateADT		any = DATEVAL_NOEND;
	DateADT		worth = DATEVAL_NOEND;

	list_totals(f, step, r);
	for (int i = 0; i < r->ntotals; i++)
	{
		if (!is_reached(f, step, r->totals[i].due))
			continue;
		any = Min(any, r->totals[i].due);
		if (r->totals[i].enough)
			worth = Min(worth, r->totals[i].due);
	}
	r->enough = worth != DATEVAL_NOEND;
	r->anchor = r->enough ? worth : any;
	return any != DATEVAL_NOEND;
}

static bool
was_had(const DunFacts *f, const DunReached *r)
{
	for (int i = 0; i < f->nhad; i++)
		if (f->had[i].anchor == r->anchor &&
			f->strategy->steps[f->had[i].step].position >= f->strategy->steps[r->step].position)
			return true;
	return false;
}

void
dun_plan_decide(const DunFacts *f, DunDecision *d)
{
	bool		any_enough = false;
	int			n = 0;

	memset(d, 0, sizeof(*d));
	if (f->account->nitems == 0 || f->strategy->nsteps == 0)
		return;
	d->reached = palloc(f->strategy->nsteps * sizeof(DunReached));
	for (int i = f->strategy->nsteps - 1; i >= 0; i--)
	{
		const DunStep *step = &f->strategy->steps[i];
		DunReached *r = &d->reached[d->n];

		memset(r, 0, sizeof(*r));
		r->step = i;
		r->totals = palloc(f->account->nitems * sizeof(DunTotal));
		if (!reach_step(f, step, r))
			continue;
		if (step->condition >= 0)
		{
			if (f->holds == NULL)
			{
				d->asks = true;
				return;
			}
			if (!f->holds[step->condition])
				continue;
		}
		any_enough |= r->enough;
		d->n++;
	}
	for (int i = 0; i < d->n; i++)
		if (!was_had(f, &d->reached[i]) && d->reached[i].enough == any_enough)
			d->reached[n++] = d->reached[i];
	d->n = n;
}
