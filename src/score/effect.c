/*
 * score/effect.c
 *		Honest splits by effect (Athey and Imbens 2016): one half of the units, by a hash, chooses the split; the other half alone says how
 *		large the difference is. So what was chosen because chance favoured it is not also proved by that chance.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "score/effect.h"

#define LEAST_OUTCOMES 10
/* As in _confidence_sequence(): the variance of the prior over effects, in variances of the estimate. */
#define PRIOR 7.94

typedef struct Cells
{
	uint32		n[2];
	uint32		had[2];
} Cells;

static void
add_cells(Cells *to, const Cells *c)
{
	for (int arm = 0; arm < 2; arm++)
	{
		to->n[arm] += c->n[arm];
		to->had[arm] += c->had[arm];
	}
}

static DunEffect
effect_of(const Cells *c)
{
	DunEffect	e = {0};
	double		share[2];

	for (int arm = 0; arm < 2; arm++)
	{
		/* a share of none or all has a variance too */
		double		smooth = (c->had[arm] + 1.0) / (c->n[arm] + 2.0);

		e.n[arm] = c->n[arm];
		e.had[arm] = c->had[arm];
		share[arm] = (double) c->had[arm] / Max(c->n[arm], 1);
		e.variance += smooth * (1 - smooth) / Max(c->n[arm], 1);
	}
	e.difference = share[1] - share[0];
	return e;
}

static bool
is_enough(const Cells *c, uint32 least)
{
	for (int arm = 0; arm < 2; arm++)
		if (c->n[arm] < least || c->had[arm] < LEAST_OUTCOMES || c->n[arm] - c->had[arm] < LEAST_OUTCOMES)
			return false;
	return true;
}

double
dun_score_interval(double variance, double alpha)
{
	return sqrt(variance * (1 + PRIOR) / PRIOR * (2 * log(1 / alpha) + log(1 + PRIOR)));
}

static int
half_of(const DunUnits *u, uint32 i)
{
	return u->bins->rows->key[u->row[i]] & 1;
}

static void
count_cells(const DunUnits *u, int c, int half, Cells *cells)
{
	const uint8 *bin = u->bins->bin[c];

	memset(cells, 0, sizeof(Cells) * (DUN_TREE_BINS + 1));
	for (uint32 i = 0; i < u->n; i++)
	{
		Cells	   *at = &cells[bin[u->row[i]] == DUN_BIN_MISSING ? DUN_TREE_BINS : bin[u->row[i]]];

		if (half_of(u, i) != half)
			continue;
		at->n[u->arm[i]]++;
		at->had[u->arm[i]] += u->had[i];
	}
}

static Cells
without(const Cells *all, const Cells *part)
{
	Cells		rest;

	for (int arm = 0; arm < 2; arm++)
	{
		rest.n[arm] = all->n[arm] - part->n[arm];
		rest.had[arm] = all->had[arm] - part->had[arm];
	}
	return rest;
}

static void
try_cut(const Cells *left, const Cells *right, DunSplit split, uint32 least, DunEffectSplit *best)
{
	DunEffect	l;
	DunEffect	r;
	double		gap;

	if (!is_enough(left, least) || !is_enough(right, least))
		return;
	l = effect_of(left);
	r = effect_of(right);
	gap = l.difference - r.difference;
	split.gain = gap * gap / (l.variance + r.variance);
	if (split.gain <= best->split.gain * (1 + 1e-9))
		return;
	best->split = split;
	best->chosen[0] = l;
	best->chosen[1] = r;
}

/* The split of a column whose two effects differ most, in standard errors; split.gain is that squared. */
static void
try_effect(const DunUnits *u, int c, uint32 least, DunEffectSplit *best)
{
	const DunBins *b = u->bins;
	Cells		cells[DUN_TREE_BINS + 1];
	Cells	   *missing = &cells[DUN_TREE_BINS];
	Cells		total = {{0}};
	Cells		left = {{0}};
	bool		text = b->rows->is_text[c];

	count_cells(u, c, 0, cells);
	for (int at = 0; at <= DUN_TREE_BINS; at++)
		add_cells(&total, &cells[at]);
	for (int at = 0; at < b->nbins[c]; at++)
	{
		int			ways = dun_score_count_ways(b, c, at, missing->n[0] + missing->n[1]);
		Cells		right;

		if (text)
			memset(&left, 0, sizeof(left));
		add_cells(&left, &cells[at]);
		if (ways == 0)
			continue;
		right = without(&total, &left);
		try_cut(&left, &right, (DunSplit) {c, at, false}, least, best);
		if (ways == 2)
		{
			Cells		with = left;

			add_cells(&with, missing);
			right = without(&total, &with);
			try_cut(&with, &right, (DunSplit) {c, at, true}, least, best);
		}
	}
}

DunEffectSplit
dun_score_split_effect(const DunUnits *u, uint32 least)
{
	DunEffectSplit best = {.split = {.column = -1}};
	Cells		all = {{0}};
	Cells		judged[2] = {{{0}}};

	for (uint32 i = 0; i < u->n; i++)
	{
		all.n[u->arm[i]]++;
		all.had[u->arm[i]] += u->had[i];
	}
	best.all = effect_of(&all);
	for (int c = 0; c < u->bins->rows->ncolumns; c++)
	{
		CHECK_FOR_INTERRUPTS();
		try_effect(u, c, least, &best);
	}
	if (best.split.column < 0)
		return best;
	for (uint32 i = 0; i < u->n; i++)
	{
		Cells	   *side = &judged[dun_score_goes_left(u->bins, &best.split, u->row[i]) ? 0 : 1];

		if (half_of(u, i) != 1)
			continue;
		side->n[u->arm[i]]++;
		side->had[u->arm[i]] += u->had[i];
	}
	best.enough = is_enough(&judged[0], least) && is_enough(&judged[1], least);
	best.judged[0] = effect_of(&judged[0]);
	best.judged[1] = effect_of(&judged[1]);
	best.gap = best.judged[0].difference - best.judged[1].difference;
	best.variance = best.judged[0].variance + best.judged[1].variance;
	return best;
}
