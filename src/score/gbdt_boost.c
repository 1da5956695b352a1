/*
 * score/gbdt_boost.c
 *		The boosting loop: gradients, sampling, early stopping, and the choice of depth and weight.
 *
 * Nothing here depends on the machine's exp(): one of our own is the same everywhere, and four rows at a time.
 */
#include "score/gbdt.h"

#include <math.h>
#include <string.h>

#include "score/gbdt_grow.h"

#define BLOCK 8

/* Sums of gradients stay below this: half of what 32 bits hold. */
#define FULL_SCALE 2.0e9

#define TUNE_SPEED 2.0			/* parameters are compared with steps this much larger */
#define MAX_TREES 2000
#define HEAVY_CHILD 20.0
#define LIGHT_CHILD 1.0
#define MOST_COLUMNS 0.8
#define FULL_COST 1.0
#define NO_COST 0.0

typedef struct Booster
{
	const DunGbdtHost *host;
	const DunBins *bins;
	const uint8_t *y;
	const float *weight;
	DunGbdtParams params;
	uint32_t   *train;			/* rows */
	uint32_t	ntrain;
	uint32_t   *rest;			/* rows left out */
	uint32_t	nrest;
	uint32_t	end;			/* behind the last row of either */
	float	   *margin;
	float	   *g;
	float	   *h;
	DunGradient *gradient;
	uint32_t   *in_tree;
	uint32_t   *outside;		/* training rows that this tree does not see */
	DunGrower  *grower;
	DunForest  *forest;
	double		base;
} Booster;

static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void *
make(const Booster *b, size_t size)
{
	return b->host->alloc(b->host->context, size);
}

/* exp(-x) for |x| up to 60: a power of two times a polynomial on half a unit either side. */
static inline float
exp_minus(float x)
{
	float		z = -x * 1.44269504f;
	float		whole;
	float		f;
	int32_t		bits;
	float		scale;
	float		p;

	z = z < -86.0f ? -86.0f : z;
	z = z > 86.0f ? 86.0f : z;
	/* Adding 1.5 * 2^23 leaves the nearest whole number in the low bits. */
	whole = z + 12582912.0f;
	memcpy(&bits, &whole, sizeof(bits));
	whole -= 12582912.0f;
	f = z - whole;
	p = 1.3333558e-3f;
	p = p * f + 9.6181291e-3f;
	p = p * f + 5.5504109e-2f;
	p = p * f + 2.4022651e-1f;
	p = p * f + 6.9314718e-1f;
	p = p * f + 1.0f;
	bits = (bits - 0x4b400000 + 127) << 23;
	memcpy(&scale, &bits, sizeof(scale));
	return p * scale;
}

/* First and second derivative of the log loss. */
static void
derive_loss(const Booster *b)
{
	uint32_t	n = b->end;
	float	   *restrict g = b->g;
	float	   *restrict h = b->h;
	const float *restrict margin = b->margin;
	const uint8_t *restrict y = b->y;

	/* The arrays end in a whole block. */
	for (uint32_t i = 0; i < n; i += BLOCK)
	{
		float		e[BLOCK];

		for (int k = 0; k < BLOCK; k++)
			e[k] = exp_minus(margin[i + k]);
		for (int k = 0; k < BLOCK; k++)
		{
			float		p = 1.0f / (1.0f + e[k]);

			g[i + k] = p;
			h[i + k] = p * (1.0f - p) + 1e-12f;
		}
	}
	for (uint32_t i = 0; i < n; i++)
		g[i] -= y[i];
	if (b->weight)
		for (uint32_t i = 0; i < n; i++)
		{
			g[i] *= b->weight[i];
			h[i] *= b->weight[i];
		}
}

/* Columns that a tree sees. */
static int
count_sampled(double column_sample, int ncols)
{
	int			keep = (int) (column_sample * ncols + 0.5);

	return keep < 1 ? 1 : keep;
}

/* Which rows and columns this tree sees. */
static void
draw_sample(Booster *b, uint32_t *n, uint32_t *noutside)
{
	const DunGbdtParams *p = &b->params;
	uint64_t	tree = mix(p->seed ^ mix(b->forest->ntrees));
	uint32_t	below = (uint32_t) (p->row_sample * 65536 + 0.5);
	int			ncols = b->bins->ncols;
	int			keep = count_sampled(p->column_sample, ncols);
	uint64_t	lot = 0;

	*n = *noutside = 0;
	for (uint32_t i = 0; i < b->ntrain; i++)
	{
		uint32_t	in;

		if (i % 4 == 0)
			lot = mix(tree + i);
		in = (lot & 65535) < below;
		lot >>= 16;
		b->in_tree[*n] = b->train[i];
		b->outside[*noutside] = b->train[i];
		*n += in;
		*noutside += 1 - in;
	}
	/* Selection by what is still needed of what is still left. */
	for (int c = 0; c < ncols; c++)
	{
		bool		in = mix(tree ^ mix(~(uint64_t) c)) % (uint64_t) (ncols - c) < (uint64_t) keep;

		b->grower->sampled[c] = in;
		keep -= in;
	}
}

/* Whole numbers in units that use the 31 bits up, however rare one class is. */
static void
pack_gradients(Booster *b, const uint32_t *rows, uint32_t n)
{
	double		sum_g = 0,
				sum_h = 0;
	float		scale_g,
				scale_h;

	for (uint32_t i = 0; i < n; i++)
	{
		sum_g += fabsf(b->g[rows[i]]);
		sum_h += b->h[rows[i]];
	}
	scale_g = (FULL_SCALE - n) / (sum_g > 1e-9 ? sum_g : 1e-9);
	scale_h = (FULL_SCALE - n) / (sum_h > 1e-9 ? sum_h : 1e-9);
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	r = rows[i];
		float		g = b->g[r] * scale_g;
		int32_t		whole_g = (int32_t) (g + (g < 0 ? -0.5f : 0.5f));
		int32_t		whole_h = (int32_t) (b->h[r] * scale_h + 0.5f);

		b->gradient[r] = ((uint64_t) (uint32_t) whole_g << 32) + (uint32_t) whole_h;
	}
	b->grower->gradient_unit = 1.0 / scale_g;
	b->grower->hessian_unit = 1.0 / scale_h;
}

static void
add_tree(Booster *b)
{
	uint32_t	n,
				noutside;
	int			tree = b->forest->ntrees;

	draw_sample(b, &n, &noutside);
	derive_loss(b);
	pack_gradients(b, b->in_tree, n);
	dun_score_grow_tree(b->grower, b->forest, b->in_tree, n);
	dun_score_walk_bins(b->forest, tree, b->bins, b->outside, noutside, b->margin);
	dun_score_walk_bins(b->forest, tree, b->bins, b->rest, b->nrest, b->margin);
}

/* Sum of the log loss of the rows left out, and of their weights. */
static double
loss_left_out(const Booster *b, double *weights)
{
	double		sum = 0;

	*weights = 0;
	for (uint32_t i = 0; i < b->nrest; i++)
	{
		uint32_t	r = b->rest[i];
		double		m = b->y[r] ? b->margin[r] : -b->margin[r];
		double		w = b->weight ? b->weight[r] : 1;

		sum += w * (m > 0 ? log1p(exp(-m)) : log1p(exp(m)) - m);
		*weights += w;
	}
	return sum;
}

static DunForest *
open_forest(const Booster *b)
{
	const DunGbdtParams *p = &b->params;
	DunForest  *f = make(b, sizeof(DunForest));
	size_t		inner = (1 << p->depth) - 1;
	bool		categorical = false;

	memset(f, 0, sizeof(DunForest));
	f->depth = p->depth;
	f->ncols = b->bins->ncols;
	f->columns = b->bins->columns;
	for (int c = 0; c < f->ncols; c++)
		categorical |= f->columns[c].categorical;
	f->nodes = make(b, sizeof(DunTreeNode) * p->trees * inner + 1);
	f->leaves = make(b, sizeof(float) * p->trees * (inner + 1) + 1);
	f->covers = make(b, sizeof(uint32_t) * p->trees * (2 * inner + 1) + 1);
	if (categorical)
	{
		f->masks_at = make(b, sizeof(int32_t) * p->trees * inner + 1);
		f->masks = make(b, sizeof(uint64_t) * 4 * p->trees * inner + 1);
	}
	return f;
}

static void
close_forest(const Booster *b, DunForest *f)
{
	void	   *parts[] = {f->nodes, f->leaves, f->covers, f->masks_at, f->masks, f->means, f};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i])
			b->host->release(b->host->context, parts[i]);
}

/* Rows of the fold `left_out` do not train; without folds all do. */
static void
list_rows(Booster *b, const uint8_t *fold, int left_out, const uint32_t *rows, uint32_t n)
{
	double		of[2] = {1e-9, 1e-9};

	b->train = make(b, sizeof(uint32_t) * (n + 1));
	b->rest = make(b, sizeof(uint32_t) * (n + 1));
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	r = rows[i];

		if (fold && fold[r] == left_out)
			b->rest[b->nrest++] = r;
		else
		{
			b->train[b->ntrain++] = r;
			of[b->y[r] != 0] += b->weight ? b->weight[r] : 1;
		}
	}
	b->end = n > 0 ? rows[n - 1] + 1 : 0;
	b->base = log(of[1] / of[0]);
}

static Booster *
open_booster(const DunGbdtHost *host, const DunBins *bins, const uint8_t *y, const float *weight,
			 const uint8_t *fold, int left_out, const uint32_t *rows, uint32_t nrows, const DunGbdtParams *params)
{
	Booster    *b = host->alloc(host->context, sizeof(Booster));
	size_t		whole;

	memset(b, 0, sizeof(Booster));
	b->host = host;
	b->bins = bins;
	b->y = y;
	b->weight = weight;
	b->params = *params;
	list_rows(b, fold, left_out, rows, nrows);
	/* Gradients are made in whole blocks. */
	whole = (size_t) b->end + BLOCK;
	b->margin = make(b, sizeof(float) * whole);
	b->g = make(b, sizeof(float) * whole);
	b->h = make(b, sizeof(float) * whole);
	b->gradient = make(b, sizeof(DunGradient) * whole);
	b->outside = make(b, sizeof(uint32_t) * (b->ntrain + 1));
	/* Rows are fetched ahead of their use: some numbers behind the last are read, and must be those of rows. */
	b->in_tree = make(b, sizeof(uint32_t) * (b->ntrain + DUN_ROWS_AHEAD));
	memset(b->in_tree, 0, sizeof(uint32_t) * (b->ntrain + DUN_ROWS_AHEAD));
	b->grower = dun_score_open_grower(host, bins, &b->params, b->ntrain);
	b->grower->margin = b->margin;
	b->grower->gradient = b->gradient;
	b->forest = open_forest(b);
	b->forest->base = b->base;
	for (size_t i = 0; i < whole; i++)
		b->margin[i] = (float) b->base;
	return b;
}

/* All but the forest. */
static void
close_booster(Booster *b)
{
	void	   *parts[] = {b->train, b->rest, b->in_tree, b->outside, b->margin, b->g, b->h, b->gradient};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		b->host->release(b->host->context, parts[i]);
	dun_score_close_grower(b->grower, b->host);
	b->host->release(b->host->context, b);
}

DunForest *
dun_score_boost_trees(const DunGbdtHost *host, const DunBins *bins, const uint8_t *y, const float *weight,
					  const uint32_t *rows, uint32_t nrows, const DunGbdtParams *params)
{
	Booster    *b = open_booster(host, bins, y, weight, NULL, 0, rows, nrows, params);
	DunForest  *f = b->forest;

	while (f->ntrees < params->trees)
	{
		host->poll(host->context, "trees", f->ntrees, params->trees);
		add_tree(b);
	}
	close_booster(b);
	return f;
}

/* What is cross-validated. */
typedef struct Contest
{
	const DunGbdtHost *host;
	const DunBins *bins;
	const uint8_t *y;
	const float *weight;
	const uint8_t *fold;
	int			nfolds;
	const uint32_t *rows;
	uint32_t	nrows;
} Contest;

/* Grows all folds side by side until their common loss no longer falls; the least loss and its number of trees. */
static double
cross_validate(const Contest *c, DunGbdtParams *params)
{
	Booster   **b = c->host->alloc(c->host->context, sizeof(Booster *) * c->nfolds);
	double		best = INFINITY;
	int			best_trees = 0;

	for (int k = 0; k < c->nfolds; k++)
		b[k] = open_booster(c->host, c->bins, c->y, c->weight, c->fold, k, c->rows, c->nrows, params);
	for (int trees = 0; trees <= params->trees && trees - best_trees <= params->patience; trees++)
	{
		double		loss = 0,
					weights = 0;

		for (int k = 0; k < c->nfolds; k++)
		{
			double		w;

			c->host->poll(c->host->context, "parameters", trees, params->trees);
			if (trees > 0)
				add_tree(b[k]);
			loss += loss_left_out(b[k], &w);
			weights += w;
		}
		if (loss / weights < best)
		{
			best = loss / weights;
			best_trees = trees;
		}
	}
	for (int k = 0; k < c->nfolds; k++)
	{
		close_forest(b[k], b[k]->forest);
		close_booster(b[k]);
	}
	c->host->release(c->host->context, b);
	params->trees = best_trees;
	return best;
}

/* Keeps the better of `best` and `p`, which is tried with larger steps and so with fewer trees. */
static void
try_params(const Contest *c, DunGbdtParams p, DunGbdtParams *best, double *best_loss)
{
	double		eta = p.eta;
	double		loss;

	p.eta = eta * TUNE_SPEED < 1 ? eta * TUNE_SPEED : eta;
	p.trees = (int) ceil((p.trees > 0 ? p.trees : MAX_TREES) * eta / p.eta);
	loss = cross_validate(c, &p);
	if (loss >= *best_loss)
		return;
	*best_loss = loss;
	*best = p;
	best->trees = (int) (p.trees * p.eta / eta + 0.5);
	best->eta = eta;
}

/* Where columns say much the same, trees that see few of them differ more, and their sum says more. */
static void
choose_columns(const Contest *c, const DunGbdtParams *params, DunGbdtParams *best, double *best_loss)
{
	static const double samples[] = {0.5, 0.3};
	int			kept = count_sampled(MOST_COLUMNS, c->bins->ncols);

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		DunGbdtParams p = *params;
		int			keep = count_sampled(samples[i], c->bins->ncols);

		if (keep == kept)
			continue;
		kept = keep;
		p.depth = best->depth;
		p.min_child_weight = best->min_child_weight;
		p.column_sample = samples[i];
		try_params(c, p, best, best_loss);
	}
}

/* Is there a text whose levels can be put into sets in more than one way? */
static bool
have_levels(const DunBins *bins)
{
	for (int c = 0; c < bins->ncols; c++)
		if (bins->columns[c].categorical && bins->columns[c].nlevels > 2)
			return true;
	return false;
}

double
dun_score_choose_trees(const DunGbdtHost *host, const DunBins *bins, const uint8_t *y, const float *weight,
					   const uint8_t *fold, int nfolds, const uint32_t *rows, uint32_t nrows, DunGbdtParams *params)
{
	static const int depths[] = {2, 3, 4, 6};
	Contest		c = {host, bins, y, weight, fold, nfolds, rows, nrows};
	DunGbdtParams first = *params;
	DunGbdtParams best;
	double		best_loss = INFINITY;

	if (params->column_sample < 0)
		first.column_sample = MOST_COLUMNS;
	if (params->level_cost < 0)
		first.level_cost = FULL_COST;
	best = first;
	/* The depth first, with the heavier children; then, for that depth alone, the weight, and then the columns. */
	for (int i = 0; i < 4; i++)
	{
		DunGbdtParams p = first;

		if (params->depth > 0 && i > 0)
			break;
		p.depth = params->depth > 0 ? params->depth : depths[i];
		p.min_child_weight = params->min_child_weight >= 0 ? params->min_child_weight : HEAVY_CHILD;
		try_params(&c, p, &best, &best_loss);
	}
	if (params->min_child_weight < 0)
	{
		DunGbdtParams p = first;

		p.depth = best.depth;
		p.min_child_weight = LIGHT_CHILD;
		try_params(&c, p, &best, &best_loss);
	}
	if (params->column_sample < 0)
		choose_columns(&c, &first, &best, &best_loss);
	/* Where levels differ much, what chance makes of them is little beside it. */
	if (params->level_cost < 0 && have_levels(bins))
	{
		DunGbdtParams p = best;

		p.trees = first.trees;
		p.level_cost = NO_COST;
		try_params(&c, p, &best, &best_loss);
	}
	if (params->trees > 0)
		best.trees = params->trees;
	*params = best;
	return best_loss;
}
