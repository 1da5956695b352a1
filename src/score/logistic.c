/*
 * score/logistic.c
 *		IRLS: each step solves (X'WX + lambda I) d = X'(y - p) - lambda b by Cholesky.
 *
 * Rows are taken in blocks that stay in the first caches; sums run in four lanes, in a fixed order, so
 * that the same rows give the same bits. A step that does not lower the objective is halved.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "score/logistic.h"

#define BLOCK 256
#define MAX_STEPS 60
#define TOLERANCE 1e-9

typedef struct Newton
{
	int			q;				/* p + 1 */
	double	   *gradient;
	double	   *hessian;		/* q x q, lower half */
	double	   *step;
	double	   *trial;
	double	   *block;			/* q columns of BLOCK values, the first all ones */
	double	   *weighted;
} Newton;

static double
dot(const double *a, const double *b, int n)
{
	double		s0 = 0,
				s1 = 0,
				s2 = 0,
				s3 = 0;
	int			i = 0;

	for (; i + 4 <= n; i += 4)
	{
		s0 += a[i] * b[i];
		s1 += a[i + 1] * b[i + 1];
		s2 += a[i + 2] * b[i + 2];
		s3 += a[i + 3] * b[i + 3];
	}
	for (; i < n; i++)
		s0 += a[i] * b[i];
	return (s0 + s1) + (s2 + s3);
}

/* log(1 + exp(x)) without overflow */
static double
softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Copy a block of n rows. */
static void
load_block(const DunDesign *d, const uint32 *rows, int n, Newton *w, double *y, double *weight)
{
	for (int i = 0; i < n; i++)
	{
		w->block[i] = 1;
		y[i] = d->y[rows[i]];
		weight[i] = d->weight ? d->weight[rows[i]] : 1;
	}
	for (int j = 0; j < d->p; j++)
	{
		const float *x = d->x[j];
		double	   *to = w->block + (j + 1) * BLOCK;

		for (int i = 0; i < n; i++)
			to[i] = x[rows[i]];
	}
}

/* Objective at beta, with gradient and Hessian of the log loss. */
static double
accumulate(const DunDesign *d, const uint32 *rows, uint32 nrows, double lambda, const double *beta, Newton *w)
{
	double		loss = 0;
	double		y[BLOCK],
				eta[BLOCK],
				residual[BLOCK],
				count[BLOCK],
				weight[BLOCK];

	memset(w->gradient, 0, sizeof(double) * w->q);
	memset(w->hessian, 0, sizeof(double) * w->q * w->q);
	for (uint32 from = 0; from < nrows; from += BLOCK)
	{
		int			n = Min(BLOCK, nrows - from);

		CHECK_FOR_INTERRUPTS();
		load_block(d, rows + from, n, w, y, count);
		for (int i = 0; i < n; i++)
			eta[i] = beta[0];
		for (int j = 1; j < w->q; j++)
			for (int i = 0; i < n; i++)
				eta[i] += beta[j] * w->block[j * BLOCK + i];
		for (int i = 0; i < n; i++)
		{
			double		p = 1 / (1 + exp(-eta[i]));

			residual[i] = count[i] * (y[i] - p);
			weight[i] = count[i] * p * (1 - p);
			loss += count[i] * (softplus(eta[i]) - y[i] * eta[i]);
		}
		for (int j = 0; j < w->q; j++)
		{
			const double *xj = w->block + j * BLOCK;

			w->gradient[j] += dot(xj, residual, n);
			for (int i = 0; i < n; i++)
				w->weighted[i] = xj[i] * weight[i];
			for (int k = 0; k <= j; k++)
				w->hessian[j * w->q + k] += dot(w->weighted, w->block + k * BLOCK, n);
		}
	}
	for (int j = 1; j < w->q; j++)
	{
		loss += lambda / 2 * beta[j] * beta[j];
		w->gradient[j] -= lambda * beta[j];
		w->hessian[j * w->q + j] += lambda;
	}
	return loss;
}

/* Cholesky of the lower half in place, then both substitutions. */
static bool
solve(Newton *w)
{
	double	   *h = w->hessian;
	double	   *s = w->step;
	int			q = w->q;

	for (int j = 0; j < q; j++)
	{
		double		diagonal = h[j * q + j] - dot(h + j * q, h + j * q, j);

		if (!(diagonal > 1e-12))
			return false;
		h[j * q + j] = sqrt(diagonal);
		for (int i = j + 1; i < q; i++)
			h[i * q + j] = (h[i * q + j] - dot(h + i * q, h + j * q, j)) / h[j * q + j];
	}
	for (int i = 0; i < q; i++)
		s[i] = (w->gradient[i] - dot(h + i * q, s, i)) / h[i * q + i];
	for (int i = q - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < q; k++)
			s[i] -= h[k * q + i] * s[k];
		s[i] /= h[i * q + i];
	}
	return true;
}

bool
dun_score_fit_logistic(const DunDesign *design, const uint32 *rows, uint32 nrows, double lambda, double *beta)
{
	Newton		w = {.q = design->p + 1};
	bool		solved = true;
	double		loss;

	w.gradient = palloc(sizeof(double) * w.q);
	w.step = palloc(sizeof(double) * w.q);
	w.trial = palloc(sizeof(double) * w.q);
	w.hessian = palloc_extended(sizeof(double) * w.q * w.q, MCXT_ALLOC_HUGE);
	w.block = palloc(sizeof(double) * w.q * BLOCK);
	w.weighted = palloc(sizeof(double) * BLOCK);

	loss = accumulate(design, rows, nrows, lambda, beta, &w);
	for (int step = 0; step < MAX_STEPS; step++)
	{
		double		scale = 1;
		double		before = loss;

		solved = solve(&w);
		if (!solved)
			break;
		for (;;)
		{
			for (int j = 0; j < w.q; j++)
				w.trial[j] = beta[j] + scale * w.step[j];
			loss = accumulate(design, rows, nrows, lambda, w.trial, &w);
			if (loss <= before + TOLERANCE * fabs(before) || scale < 1e-4)
				break;
			scale /= 2;
		}
		memcpy(beta, w.trial, sizeof(double) * w.q);
		if (fabs(before - loss) <= TOLERANCE * (fabs(loss) + 1))
			break;
	}
	pfree(w.gradient);
	pfree(w.step);
	pfree(w.trial);
	pfree(w.hessian);
	pfree(w.block);
	pfree(w.weighted);
	return solved;
}
