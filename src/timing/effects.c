/*
 * timing/effects.c
 *		Are people told on the days before their VAT is due less likely to answer? A Poisson model of the answers of each
 *		day and group,
 *
 *			answers ~ level(group) * expected * product of the multipliers of the effects that reach the day
 *
 * where expected is what the model of hours says without them. In turns each level and each multiplier is set to what the
 * others leave to explain; that climbs to the one maximum of the likelihood. Then each multiplier is drawn to 1 by a gamma
 * prior that weighs as much as 200 answers.
 *
 * Days differ for reasons that no calendar knows (a fault, a strike): by as much as they scatter more
 * than chance does, the data count for less.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "timing/effects.h"

#define ROUNDS 500
#define HARDLY_ANY 0.5			/* pseudo-answers that keep a multiplier above 0, and at 1 where nothing can be told */
#define CLOSE_ENOUGH 1e-9
#define Z95 1.959964

typedef struct Fitting
{
	const DunEffectCells *c;
	double	   *factor;			/* of each cell, the product of its multipliers */
	double	   *level;			/* of each group */
	double	   *sum;			/* scratch, by group */
} Fitting;

static double
fitted(const Fitting *f, int cell)
{
	return f->level[f->c->group[cell]] * f->c->expected[cell] * f->factor[cell];
}

static void
set_levels(Fitting *f)
{
	const DunEffectCells *c = f->c;

	memset(f->level, 0, c->ngroups * sizeof(double));
	memset(f->sum, 0, c->ngroups * sizeof(double));
	for (int i = 0; i < c->n; i++)
	{
		f->level[c->group[i]] += c->answers[i];
		f->sum[c->group[i]] += c->expected[i] * f->factor[i];
	}
	for (int g = 0; g < c->ngroups; g++)
		f->level[g] = f->sum[g] > 0 ? f->level[g] / f->sum[g] : 0;
}

/* One effect, whose marks are first .. last-1. Returns how much its multiplier's logarithm moved. */
static double
set_multiplier(Fitting *f, int first, int last, DunEffectFit *fit)
{
	const DunEffectCells *c = f->c;
	double		before = fit->multiplier;

	fit->answers = fit->expected = 0;
	for (int k = first; k < last; k++)
	{
		fit->answers += c->answers[c->mark_cell[k]];
		fit->expected += fitted(f, c->mark_cell[k]) / before;
	}
	fit->multiplier = (fit->answers + HARDLY_ANY) / (fit->expected + HARDLY_ANY);
	for (int k = first; k < last; k++)
		f->factor[c->mark_cell[k]] *= fit->multiplier / before;
	return fabs(log(fit->multiplier / before));
}

static int
marks_until(const DunEffectCells *c, int first)
{
	int			last = first;

	while (last < c->nmarks && c->mark_effect[last] == c->mark_effect[first])
		last++;
	return last;
}

static void
climb(Fitting *f, DunEffectFit *fits)
{
	const DunEffectCells *c = f->c;
	double		moved = 1;

	for (int round = 0; round < ROUNDS && moved > CLOSE_ENOUGH; round++)
	{
		CHECK_FOR_INTERRUPTS();
		moved = 0;
		set_levels(f);
		for (int k = 0, last; k < c->nmarks; k = last)
		{
			double		step;

			last = marks_until(c, k);
			step = set_multiplier(f, k, last, &fits[c->mark_effect[k]]);
			moved = Max(moved, step);
		}
	}
	set_levels(f);
}

/* Pearson's statistic by its degrees of freedom, no less than 1. */
static double
scatter_of(const Fitting *f)
{
	double		sum = 0;
	int			free = -f->c->ngroups;

	for (int k = 0; k < f->c->nmarks; k = marks_until(f->c, k))
		free--;
	for (int i = 0; i < f->c->n; i++)
	{
		double		mean = fitted(f, i);
		double		off = f->c->answers[i] - mean;

		if (mean <= 0)
			continue;
		sum += off * off / mean;
		free++;
	}
	return free > 0 ? Max(1, sum / free) : 1;
}

/* ---- how sure it is ---- */

/* The diagonal of the inverse of a symmetric positive n x n matrix, which is overwritten: by Cholesky, a column at a time. */
static void
invert_diagonal(double *h, int n, double *diagonal)
{
	double	   *z = palloc((n + 1) * sizeof(double));

	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = h[i * n + j];

			for (int k = 0; k < j; k++)
				sum -= h[i * n + k] * h[j * n + k];
			h[i * n + j] = i == j ? sqrt(Max(sum, 1e-9)) : sum / h[j * n + j];
		}
	for (int j = 0; j < n; j++)
	{
		diagonal[j] = 0;
		for (int i = j; i < n; i++)
		{
			z[i] = i == j;
			for (int k = j; k < i; k++)
				z[i] -= h[i * n + k] * z[k];
			z[i] /= h[i * n + i];
			diagonal[j] += z[i] * z[i];
		}
	}
	pfree(z);
}

/* Row j of the information: what the days of effect j share with those of each, less what their groups' levels take of it. */
static void
inform(Fitting *f, int first, const double *all, double *by_group, double *row)
{
	const DunEffectCells *c = f->c;
	int			last = marks_until(c, first);
	double	   *own = palloc0((c->n + 1) * sizeof(double));

	memset(f->sum, 0, c->ngroups * sizeof(double));
	for (int k = first; k < last; k++)
	{
		own[c->mark_cell[k]] = fitted(f, c->mark_cell[k]);
		f->sum[c->group[c->mark_cell[k]]] += own[c->mark_cell[k]];
	}
	for (int k = 0, until; k < c->nmarks; k = until)
	{
		double	   *to = &row[c->mark_effect[k]];

		until = marks_until(c, k);
		memset(by_group, 0, c->ngroups * sizeof(double));
		for (int i = k; i < until; i++)
		{
			*to += own[c->mark_cell[i]];
			by_group[c->group[c->mark_cell[i]]] += fitted(f, c->mark_cell[i]);
		}
		for (int g = 0; g < c->ngroups; g++)
			if (all[g] > 0)
				*to -= f->sum[g] * by_group[g] / all[g];
	}
	pfree(own);
}

/* The weight of each effect: one over the variance of its logarithm, levels and the other effects being unknown too. */
static void
weigh(Fitting *f, double scatter, DunEffectFit *fits)
{
	const DunEffectCells *c = f->c;
	int			n = c->neffects;
	double	   *all = palloc0((c->ngroups + 1) * sizeof(double));
	double	   *by_group = palloc((c->ngroups + 1) * sizeof(double));
	double	   *h = palloc0((n * n + 1) * sizeof(double));
	double	   *variance = palloc((n + 1) * sizeof(double));

	for (int i = 0; i < c->n; i++)
		all[c->group[i]] += fitted(f, i);
	for (int k = 0; k < c->nmarks; k = marks_until(c, k))
		inform(f, k, all, by_group, &h[c->mark_effect[k] * n]);
	for (int j = 0; j < n; j++)
		h[j * n + j] += HARDLY_ANY;
	invert_diagonal(h, n, variance);
	for (int j = 0; j < n; j++)
		fits[j].weight = Max(0, 1 / variance[j] - HARDLY_ANY) / scatter;
}

/*
 * Only what the evidence is worth is held against the prior, with levels as they are without it: they would give way to it
 * where an effect has most of a group's contacts. The interval is that of the data alone: the prior would hide how far they point.
 */
static void
shrink(DunEffectFit *fit)
{
	double		error = 1 / sqrt(fit->weight + HARDLY_ANY);
	double		share = fit->weight / Max(1e-9, fit->multiplier * fit->expected);

	fit->low = fit->multiplier * exp(-Z95 * error);
	fit->high = fit->multiplier * exp(Z95 * error);
	fit->multiplier = (fit->answers * share + DUN_EFFECT_PSEUDO) / (fit->expected * share + DUN_EFFECT_PSEUDO);
}

void
dun_timing_fit_effects(const DunEffectCells *c, DunEffectFit *fits)
{
	Fitting		f = {.c = c};

	f.factor = palloc((c->n + 1) * sizeof(double));
	f.level = palloc((c->ngroups + 1) * sizeof(double));
	f.sum = palloc((c->ngroups + 1) * sizeof(double));
	for (int i = 0; i < c->n; i++)
		f.factor[i] = 1;
	for (int j = 0; j < c->neffects; j++)
		fits[j] = (DunEffectFit) {.multiplier = 1};
	climb(&f, fits);
	weigh(&f, scatter_of(&f), fits);
	for (int j = 0; j < c->neffects; j++)
		shrink(&fits[j]);
}
