/*
 * plan/decide.c
 *		The steps of one debtor.
 *
 * A currency reaches a step by its own oldest invoice and its own sum; the debtor gets the furthest step of any. Never a
 * step that lies before one it had for the same anchor, and where some step is worth its minimum none that is not.
 * Steps of another date than the due date are the more urgent ones.
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

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

static void
add_sum(DunSum *sum, const DunSum *more)
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
on_ladder(const DunStep *step)
{
	return step->anchor == DUN_ANCHOR_DUE_DATE || step->anchor == DUN_ANCHOR_LAST_CONTACT;
}

static bool
had_earlier_step(const DunFacts *f, const DunStep *step, DateADT anchor)
{
	for (int i = 0; i < f->nhad; i++)
	{
		const DunStep *had = &f->strategy->steps[f->had[i].step];

		if (f->had[i].anchor == anchor && on_ladder(had) && had->position < step->position)
			return true;
	}
	return false;
}

/*
 * The `nth` day that a step counts from in a currency whose oldest invoice that counts fell due on `due`;
 * DATEVAL_NOEND: there are no more, DATEVAL_NOBEGIN: not this one. A new anchor is a case here.
 */
static DateADT
anchor_day(const DunFacts *f, const DunStep *step, const DunTotal *total, int nth)
{
	switch (step->anchor)
	{
		case DUN_ANCHOR_DUE_DATE:
			return nth == 0 ? total->due : DATEVAL_NOEND;
		case DUN_ANCHOR_LAST_CONTACT:
			return nth > 0 ? DATEVAL_NOEND : had_earlier_step(f, step, total->due) ? f->contacts.last_day : DATEVAL_NOBEGIN;
		case DUN_ANCHOR_DATE:
			if (nth >= f->ndates)
				return DATEVAL_NOEND;
			if (strcmp(f->dates[nth].anchor, step->anchor_name) != 0 ||
				(f->dates[nth].currency >= 0 && f->dates[nth].currency != total->currency))
				return DATEVAL_NOBEGIN;
			return step->offset_days < 0 ? f->dates[nth].next : f->dates[nth].last;
	}
	return DATEVAL_NOEND;
}

/* Nothing may go on any of the days of a step before a date: it is taken before them rather than never. */
static bool
is_early(const DunFacts *f, const DunStep *step, int nth)
{
	return step->anchor == DUN_ANCHOR_DATE && f->dates[nth].early != NULL &&
		strstr(f->dates[nth].early, psprintf("\n%s/%s\n", f->strategy->name, step->name)) != NULL;
}

static bool
is_reached(const DunFacts *f, const DunStep *step, const DunTotal *total, DateADT day, int nth)
{
	if (DATE_NOT_FINITE(day) || (f->today < day + step->offset_days && !is_early(f, step, nth)) || (step->ends && f->today > day + step->to_day))
		return false;
	return !step->after_contact || (f->contacts.last_day != DATEVAL_NOBEGIN && f->contacts.last_day >= total->due);
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

/* A small rest of what was paid in part counts as paid. */
static bool
is_tolerated(const DunFacts *f, const DunItem *item)
{
	const DunSum *tolerance = &f->strategy->tolerances[item->currency];

	return (tolerance->exact != NULL || tolerance->micro >= 0) &&
		dun_plan_compare_sums(&item->open, &item->amount) < 0 && dun_plan_compare_sums(&item->open, tolerance) <= 0;
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
		if (f->strategy->has_tolerance && is_tolerated(f, item))
			continue;
		total = find_total(f, r, item->currency);
		total->due = Min(total->due, item->due);
		add_sum(&total->sum, &item->open);
	}
	for (int i = 0; i < r->ntotals; i++)
		r->totals[i].enough = dun_plan_compare_sums(&r->totals[i].sum, &step->minimums[r->totals[i].currency]) >= 0;
}

/* Was this step of the ladder, or one beyond it, had for this due date? */
static bool
is_behind(const DunFacts *f, const DunStep *step, DateADT due)
{
	for (int i = 0; i < f->nhad; i++)
	{
		const DunStep *taken = &f->strategy->steps[f->had[i].step];

		if (f->had[i].anchor == due && on_ladder(taken) && taken->position >= step->position)
			return true;
	}
	return false;
}

/*
 * True where some currency reached the step; the anchor is the oldest of those that are worth it, else of all. A
 * currency that had the step does not keep another from it: the oldest that did not goes before.
 */
static bool
reach_step(const DunFacts *f, const DunStep *step, DunReached *r)
{
	DateADT		any = DATEVAL_NOEND;
	DateADT		worth = DATEVAL_NOEND;
	DateADT		new_any = DATEVAL_NOEND;
	DateADT		new_worth = DATEVAL_NOEND;

	r->due = DATEVAL_NOEND;
	r->last_day = DATEVAL_NOBEGIN;
	for (int i = 0; i < r->ntotals; i++)
	{
		const DunTotal *total = &r->totals[i];
		DateADT		day;

		for (int nth = 0; (day = anchor_day(f, step, total, nth)) != DATEVAL_NOEND; nth++)
		{
			DateADT		key = on_ladder(step) ? total->due : day;

			if (!is_reached(f, step, total, day, nth))
				continue;
			any = Min(any, key);
			r->due = Min(r->due, total->due);
			r->last_day = Max(r->last_day, day + step->to_day);
			if (total->enough)
				worth = Min(worth, key);
			if (on_ladder(step) && is_behind(f, step, key))
				continue;
			new_any = Min(new_any, key);
			if (total->enough)
				new_worth = Min(new_worth, key);
		}
	}
	r->enough = worth != DATEVAL_NOEND;
	if (r->enough)
		r->anchor = new_worth != DATEVAL_NOEND ? new_worth : worth;
	else
		r->anchor = new_any != DATEVAL_NOEND ? new_any : any;
	r->ends = step->ends;
	return any != DATEVAL_NOEND;
}

/* --- what was had --- */

/* Once per step and anchor, and again where the step says so; the ladder never goes back. */
static bool
is_open(const DunFacts *f, DunReached *r)
{
	const DunStep *step = &f->strategy->steps[r->step];
	bool		furthest_known = false;
	int			furthest = 0;
	int			standing = 0;
	DateADT		on = DATEVAL_NOBEGIN;

	for (int i = 0; i < f->nhad; i++)
	{
		const DunHad *had = &f->had[i];
		const DunStep *taken = &f->strategy->steps[had->step];

		if (had->anchor != r->anchor)
			continue;
		if (on_ladder(taken))
		{
			furthest = furthest_known ? Max(furthest, taken->position) : taken->position;
			furthest_known = true;
		}
		if (had->step != r->step)
			continue;
		standing++;				/* a time whose message never left was given back, and leaves a gap */
		r->times = Max(r->times, had->times);
		on = Max(on, had->on);
	}
	furthest_known &= on_ladder(step);
	if (on_ladder(step) ? !furthest_known || furthest < step->position : r->times == 0)
		return true;
	return r->times > 0 && step->repeat_days > 0 && (step->repeat_max == 0 || standing < step->repeat_max) &&
		(!furthest_known || furthest == step->position) && f->today >= Max(on, f->contacts.last_day) + step->repeat_days;
}

static const char *
what_blocks(const DunFacts *f, const DunStep *step)
{
	const DunStrategy *s = f->strategy;
	bool		contacted = f->contacts.last_day != DATEVAL_NOBEGIN;
	int			n = 0;

	if (s->stop_after > 0 && contacted && f->contacts.unanswered >= s->stop_after && !step->is_last_resort)
		return "stopped";
	if (s->max_contacts == 0)
		return NULL;
	for (int i = 0; i < f->contacts.n; i++)
		n += f->contacts.at[i] > f->now - s->max_days * USECS_PER_DAY;
	return n >= s->max_contacts ? "max_contacts" : NULL;
}

/* What comes when nothing helped comes in no other way. */
static bool
is_too_early(const DunFacts *f, const DunStep *step)
{
	return step->is_last_resort && !(f->strategy->stop_after > 0 && f->contacts.last_day != DATEVAL_NOBEGIN &&
									 f->contacts.unanswered >= f->strategy->stop_after);
}

/* --- which first --- */

static bool
goes_before(const DunFacts *f, const DunReached *a, const DunReached *b)
{
	const DunStep *x = &f->strategy->steps[a->step];
	const DunStep *y = &f->strategy->steps[b->step];

	if ((a->blocked == NULL) != (b->blocked == NULL))
		return a->blocked == NULL;
	if (a->blocked != NULL && strcmp(a->blocked, b->blocked) != 0)
		return strcmp(a->blocked, b->blocked) < 0;
	if (on_ladder(x) != on_ladder(y))
		return !on_ladder(x);
	if ((a->times > 0) != (b->times > 0))
		return a->times == 0;
	return f->strategy->one_by_one ? x->position < y->position : x->position > y->position;
}

/* Of the steps of the ladder the first in turn alone. */
static bool
is_out_of_turn(const DunFacts *f, const DunDecision *d, const DunReached *r)
{
	const DunStep *step = &f->strategy->steps[r->step];

	if (!f->strategy->one_by_one || !on_ladder(step))
		return false;
	for (int i = 0; i < d->n; i++)
	{
		const DunReached *other = &d->reached[i];
		const DunStep *before = &f->strategy->steps[other->step];

		if (other == r || !on_ladder(before))
			continue;
		if ((other->times > 0) != (r->times > 0) ? other->times == 0 : before->position < step->position)
			return true;
	}
	return false;
}

static void
put_in_order(const DunFacts *f, DunDecision *d)
{
	DunReached *ordered = palloc(d->n * sizeof(DunReached));
	int			n = 0;

	for (int i = 0; i < d->n; i++)
	{
		int			at;

		if (is_out_of_turn(f, d, &d->reached[i]))
			continue;
		for (at = n++; at > 0 && goes_before(f, &d->reached[i], &ordered[at - 1]); at--)
			ordered[at] = ordered[at - 1];
		ordered[at] = d->reached[i];
	}
	d->reached = ordered;
	d->n = n;
}

/* The steps reached, whatever was had; false where something must be known first. */
static bool
list_reached(const DunFacts *f, DunDecision *d)
{
	for (int i = f->strategy->nsteps - 1; i >= 0; i--)
	{
		const DunStep *step = &f->strategy->steps[i];
		DunReached *r = &d->reached[d->n];

		memset(r, 0, sizeof(*r));
		r->step = i;
		r->totals = palloc(f->account->nitems * sizeof(DunTotal));
		list_totals(f, step, r);
		if (r->ntotals > 0 && step->anchor == DUN_ANCHOR_DATE && !f->asked)
			return false;
		if (!reach_step(f, step, r))
			continue;
		if (step->condition >= 0 && !f->asked)
			return false;
		if (step->condition >= 0 && !f->holds[step->condition])
			continue;
		if (step->condition >= 0 && f->failed != NULL && f->failed[step->condition])
			d->failed = true;
		d->n++;
	}
	return true;
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
	d->asks = !list_reached(f, d);
	if (d->asks)
		return;
	for (int i = 0; i < d->n; i++)
		any_enough |= d->reached[i].enough;
	for (int i = 0; i < d->n; i++)
	{
		DunReached *r = &d->reached[i];
		const DunStep *step = &f->strategy->steps[r->step];

		if (r->enough != any_enough || is_too_early(f, step) || !is_open(f, r))
			continue;
		r->blocked = what_blocks(f, step);
		d->reached[n++] = *r;
	}
	d->n = n;
	put_in_order(f, d);
}
