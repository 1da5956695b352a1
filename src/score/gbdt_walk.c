/*
 * score/gbdt_walk.c
 *		Rows through grown trees.
 *
 * A tree's nodes take four bytes each and lie breadth first, so a hundred trees of depth six fit the first-level
 * cache, and the next node is arithmetic: no branch, no pointer. Eight rows go down side by side.
 */
#include "score/gbdt.h"

#include <math.h>
#include <string.h>

#include "score/gbdt_grow.h"

#define LANES 8
#define BATCH DUN_GBDT_BATCH

/* 1: right. */
static inline uint32_t
goes_right(const DunTreeNode *node, uint8_t bin)
{
	return (uint8_t) (bin - node->skip) > node->threshold;
}

static inline uint32_t
side_of(const DunForest *f, int tree, uint32_t at, uint8_t bin)
{
	size_t		number = (size_t) tree * ((1 << f->depth) - 1) + at;
	int32_t		mask = f->masks_at ? f->masks_at[number] : -1;

	if (mask >= 0)
		return 1 - (f->masks[mask][bin / 64] >> (bin % 64) & 1);
	return goes_right(&f->nodes[number], bin);
}

void
dun_score_walk_bins(const DunForest *f, int tree, const DunBins *bins, const uint32_t *rows, uint32_t n, float *margin)
{
	uint32_t	inner = (1u << f->depth) - 1;
	const DunTreeNode *nodes = f->nodes + (size_t) tree * inner;
	const float *leaves = f->leaves + (size_t) tree * (inner + 1);

	for (uint32_t i = 0; i < n; i += LANES)
	{
		uint32_t	m = n - i < LANES ? n - i : LANES;
		uint32_t	at[LANES] = {0};
		uint32_t	row[LANES] = {0};

		for (uint32_t k = 0; k < m; k++)
			row[k] = rows[i + k];
		for (int d = 0; d < f->depth; d++)
			for (int k = 0; k < LANES; k++)
			{
				uint32_t	column = nodes[at[k]].column;
				uint8_t		bin = bins->groups[column / 8][row[k] * bins->strides[column / 8] + column % 8];

				at[k] = 2 * at[k] + 1 + (f->masks_at ? side_of(f, tree, at[k], bin) : goes_right(&nodes[at[k]], bin));
			}
		for (uint32_t k = 0; k < m; k++)
			margin[row[k]] += leaves[at[k] - inner];
	}
}

/* Doubles are what callers have; training saw floats. */
static void
bin_batch(const DunForest *f, const double *rows, uint32_t n, uint8_t *bins)
{
	for (int c = 0; c < f->ncols; c++)
	{
		const DunBinColumn *column = &f->columns[c];
		const float *cuts = column->cuts;
		float		v[BATCH];
		uint32_t	at[BATCH] = {0};

		for (uint32_t i = 0; i < n; i++)
			v[i] = (float) rows[(size_t) i * f->ncols + c];
		if (column->categorical)
		{
			for (uint32_t i = 0; i < n; i++)
				bins[(size_t) i * f->ncols + c] = dun_score_bin_value(column, v[i]);
			continue;
		}
		for (uint32_t half = 128; half > 0; half /= 2)
			if ((int) half <= column->ncuts)
				for (uint32_t i = 0; i < n; i++)
					at[i] += (uint32_t) -(cuts[at[i] + half - 1] <= v[i]) & half;
		for (uint32_t i = 0; i < n; i++)
			bins[(size_t) i * f->ncols + c] = v[i] == v[i] ? at[i] + 1 : 0;
	}
}

static void
walk_batch(const DunForest *f, const uint8_t *bins, uint32_t n, double *logit)
{
	uint32_t	inner = (1u << f->depth) - 1;
	uint32_t	depth = f->depth;
	size_t		width = f->ncols;

	for (int tree = 0; tree < f->ntrees; tree++)
	{
		const DunTreeNode *nodes = f->nodes + (size_t) tree * inner;
		const float *leaves = f->leaves + (size_t) tree * (inner + 1);

		for (uint32_t i = 0; i < n; i += LANES)
		{
			const uint8_t *row = bins + i * width;
			uint32_t	a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0;

#define STEP(a, k) a = 2 * a + 1 + goes_right(&nodes[a], row[width * k + nodes[a].column])
			for (uint32_t d = 0; d < depth; d++)
			{
				STEP(a0, 0);
				STEP(a1, 1);
				STEP(a2, 2);
				STEP(a3, 3);
				STEP(a4, 4);
				STEP(a5, 5);
				STEP(a6, 6);
				STEP(a7, 7);
			}
#undef STEP
			logit[i] += leaves[a0 - inner];
			logit[i + 1] += leaves[a1 - inner];
			logit[i + 2] += leaves[a2 - inner];
			logit[i + 3] += leaves[a3 - inner];
			logit[i + 4] += leaves[a4 - inner];
			logit[i + 5] += leaves[a5 - inner];
			logit[i + 6] += leaves[a6 - inner];
			logit[i + 7] += leaves[a7 - inner];
		}
	}
}

/* One row down eight trees side by side; sums in the same order as walk_batch's. */
static double
walk_row(const DunForest *f, const uint8_t *row, double sum)
{
	uint32_t	inner = (1u << f->depth) - 1;
	int			tree = 0;

	for (; tree + LANES <= f->ntrees; tree += LANES)
	{
		const DunTreeNode *nodes = f->nodes + (size_t) tree * inner;
		const float *leaves = f->leaves + (size_t) tree * (inner + 1);
		uint32_t	at[LANES] = {0};

		for (int d = 0; d < f->depth; d++)
			for (uint32_t k = 0; k < LANES; k++)
			{
				const DunTreeNode *node = &nodes[k * inner + at[k]];

				at[k] = 2 * at[k] + 1 + goes_right(node, row[node->column]);
			}
		for (uint32_t k = 0; k < LANES; k++)
			sum += leaves[k * (inner + 1) + at[k] - inner];
	}
	for (; tree < f->ntrees; tree++)
	{
		const DunTreeNode *nodes = f->nodes + (size_t) tree * inner;
		uint32_t	at = 0;

		for (int d = 0; d < f->depth; d++)
			at = 2 * at + 1 + goes_right(&nodes[at], row[nodes[at].column]);
		sum += f->leaves[(size_t) tree * (inner + 1) + at - inner];
	}
	return sum;
}

/* Trees that ask for levels look into a mask at each node. */
static void
walk_masks(const DunForest *f, const uint8_t *bins, uint32_t n, double *logit)
{
	uint32_t	inner = (1u << f->depth) - 1;

	for (int tree = 0; tree < f->ntrees; tree++)
		for (uint32_t i = 0; i < n; i++)
		{
			uint32_t	at = 0;

			for (int d = 0; d < f->depth; d++)
			{
				uint32_t	column = f->nodes[(size_t) tree * inner + at].column;

				at = 2 * at + 1 + side_of(f, tree, at, bins[(size_t) i * f->ncols + column]);
			}
			logit[i] += f->leaves[(size_t) tree * (inner + 1) + at - inner];
		}
}

void
dun_score_walk_rows(const DunForest *f, const double *rows, uint32_t n, double *logit, uint8_t *room)
{
	for (uint32_t start = 0; start < n; start += BATCH)
	{
		uint32_t	m = n - start < BATCH ? n - start : BATCH;
		double		sum[BATCH];

		for (int i = 0; i < BATCH; i++)
			sum[i] = f->base;
		bin_batch(f, rows + (size_t) start * f->ncols, m, room);
		if (f->masks_at)
			walk_masks(f, room, m, sum);
		else if (m < LANES / 2)
			for (uint32_t i = 0; i < m; i++)
				sum[i] = walk_row(f, room + (size_t) i * f->ncols, sum[i]);
		else
			/* What is left of an earlier batch fills the last eight rows. */
			walk_batch(f, room, m, sum);
		memcpy(logit + start, sum, sizeof(double) * m);
	}
}

void
dun_score_finish_forest(const DunGbdtHost *host, DunForest *f)
{
	size_t		inner = (1 << f->depth) - 1;
	size_t		all = 2 * inner + 1;

	f->means = host->alloc(host->context, sizeof(float) * (f->ntrees * all + 1));
	for (int tree = 0; tree < f->ntrees; tree++)
	{
		const uint32_t *cover = f->covers + tree * all;
		float	   *mean = f->means + tree * all;

		memcpy(mean + inner, f->leaves + tree * (inner + 1), sizeof(float) * (inner + 1));
		for (size_t at = inner; at-- > 0;)
		{
			double		l = cover[2 * at + 1];
			double		r = cover[2 * at + 2];

			mean[at] = l + r > 0 ? (float) ((l * mean[2 * at + 1] + r * mean[2 * at + 2]) / (l + r)) : mean[2 * at + 1];
		}
	}
}

double
dun_score_walk_contributions(const DunForest *f, const double *row, double *contribution)
{
	size_t		inner = (1 << f->depth) - 1;
	double		constant = f->base;

	for (int c = 0; c < f->ncols; c++)
		contribution[c] = 0;
	for (int tree = 0; tree < f->ntrees; tree++)
	{
		const float *mean = f->means + tree * (2 * inner + 1);
		uint32_t	at = 0;

		constant += mean[0];
		for (int d = 0; d < f->depth; d++)
		{
			uint32_t	column = f->nodes[tree * inner + at].column;
			uint32_t	next = 2 * at + 1 +
				side_of(f, tree, at, dun_score_bin_value(&f->columns[column], (float) row[column]));

			contribution[column] += (double) mean[next] - mean[at];
			at = next;
		}
	}
	return constant;
}
