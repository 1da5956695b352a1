/*
 * score/gbdt_grow.c
 *		One tree: histograms, the best split of a node, and the rows divided by it.
 *
 * Where the time goes, and what is done about it:
 * - A histogram cell is one 8-byte word with both sums (gbdt_grow.h), so a row costs one addition a column.
 * - Eight columns stand side by side in memory and are added up together: a row's bins are one load, the eight
 *   histograms (17 kB) stay in the first-level cache, and the same cell is not written twice in a row.
 * - Only the smaller child is added up; the larger one is its parent minus the smaller, exactly, as sums are whole
 *   numbers. Nodes are grown depth first: one histogram a level of depth is enough.
 * - Splits are compared in blocks of eight, which the compiler turns into vectors.
 */
#include "score/gbdt_grow.h"

#include <math.h>
#include <string.h>

#define MAX_BINS 256

/* Not a power of two: cells of two columns would share their low address bits and wait for each other. */
#define STRIDE 264

#define BLOCK 8
#define GATHER 256

/* Of a level: a small one's mean is drawn to 0 before levels are put in order, and its split is penalised. */
#define LEVEL_SMOOTH 10.0
#define LEVEL_LAMBDA 10.0

#define MIN_GAIN 1e-6

typedef struct Sums
{
	int32_t		g;
	int32_t		h;
} Sums;

typedef struct Split
{
	int			column;			/* -1: none */
	bool		missing_left;
	float		score;			/* both sides; compared with the node's own later */
	float		cost;			/* of levels: what of it chance alone would reach */
	int			threshold;		/* last bin on the left */
	uint64_t	mask[4];		/* of a categorical column, instead */
	Sums		left;
} Split;

/* What a node may say, when columns have a direction. */
typedef struct Bounds
{
	double		low;
	double		high;
} Bounds;

/* Candidates of one column: sums of what goes left. */
typedef struct Candidates
{
	int			n;
	int32_t		g[MAX_BINS + BLOCK];
	int32_t		h[MAX_BINS + BLOCK];
	uint8_t		bin[MAX_BINS + BLOCK];
	float		cost[MAX_BINS + BLOCK]; /* of levels */
} Candidates;

static Sums
unpack(DunGradient x)
{
	Sums		s = {(int32_t) (x >> 32), (int32_t) (x & 0xffffffff)};

	return s;
}

static double
clamp(double w, const Bounds *bounds)
{
	return w < bounds->low ? bounds->low : w > bounds->high ? bounds->high : w;
}

static double
value_of(const DunGrower *t, Sums s, const Bounds *bounds)
{
	double		w = -s.g * t->gradient_unit / (s.h * t->hessian_unit + t->params->lambda);

	return clamp(w, bounds);
}

/* How much log loss a value takes away from a set of rows, times two. */
static double
worth(const DunGrower *t, Sums s, double w, double lambda)
{
	double		g = s.g * t->gradient_unit;
	double		h = s.h * t->hessian_unit + lambda;

	return -(2 * g * w + h * w * w);
}

static inline uint64_t
load_bins(const uint8_t *p)
{
	uint64_t	word;

	memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

/* The hot loop: n rows into the histograms of one group. */
static void
add_group(DunGradient *restrict hist, const uint8_t *restrict bins, size_t stride, const uint32_t *restrict rows,
		  const DunGradient *restrict gradient, uint32_t n, bool ahead)
{
	for (uint32_t i = 0; i < n; i++)
	{
		uint64_t	w = load_bins(bins + rows[i] * stride);
		DunGradient g = gradient[i];

		if (ahead)
			__builtin_prefetch(bins + rows[i + DUN_ROWS_AHEAD] * stride);
		hist[w & 255] += g;
		hist[STRIDE + (w >> 8 & 255)] += g;
		hist[STRIDE * 2 + (w >> 16 & 255)] += g;
		hist[STRIDE * 3 + (w >> 24 & 255)] += g;
		hist[STRIDE * 4 + (w >> 32 & 255)] += g;
		hist[STRIDE * 5 + (w >> 40 & 255)] += g;
		hist[STRIDE * 6 + (w >> 48 & 255)] += g;
		hist[STRIDE * 7 + (w >> 56)] += g;
	}
}

static void
build_histogram(const DunGrower *t, DunGradient *hist, const uint32_t *rows, uint32_t n)
{
	DunGradient gathered[GATHER];

	for (int c = 0; c < t->bins->ncols; c++)
		if (t->group_used[c / 8])
			memset(hist + STRIDE * c, 0, sizeof(DunGradient) * t->bins->columns[c].nbins);
	for (uint32_t at = 0; at < n; at += GATHER)
	{
		uint32_t	m = n - at < GATHER ? n - at : GATHER;

		for (uint32_t i = 0; i < m; i++)
			gathered[i] = t->gradient[rows[at + i]];
		for (int g = 0; g < t->bins->ngroups; g++)
			if (t->group_used[g])
				add_group(hist + STRIDE * 8 * g, t->bins->groups[g], t->bins->strides[g], rows + at, gathered, m, g % 8 == 0);
	}
}

/* The larger child, in its parent's place. */
static void
subtract_histogram(const DunGrower *t, DunGradient *hist, const DunGradient *less)
{
	for (int c = 0; c < t->bins->ncols; c++)
	{
		DunGradient *restrict a = hist + STRIDE * c;
		const DunGradient *restrict b = less + STRIDE * c;

		if (!t->sampled[c])
			continue;
		/* Cells behind the last bin hold nothing that is read. */
		for (int i = 0; i < t->bins->columns[c].nbins; i += BLOCK)
			for (int k = 0; k < BLOCK; k++)
				a[i + k] -= b[i + k];
	}
}

/* Running sums over the bins of a number; a bin without rows offers no split of its own. */
static void
list_numbers(const DunGradient *hist, int nbins, Candidates *list)
{
	DunGradient sum = 0;
	int			n = 0;

	for (int b = 1; b < nbins; b++)
	{
		sum += hist[b];
		list->g[n] = (int32_t) (sum >> 32);
		list->h[n] = (int32_t) (sum & 0xffffffff);
		list->bin[n] = b;
		n += hist[b] != 0;
	}
	list->n = n;
}

/*
 * What the levels on the left would seem to gain if none differed from another: put in order after the very gradients
 * that then count, they differ by chance. Of n levels of standard normal means a share q from one end gains
 * n phi(z)^2 / (q (1 - q)), z being the quantile of q: within a tenth of it, the function of q (1 - q) below. Two levels
 * have one way to be put apart, as two numbers have.
 */
static void
price_levels(Candidates *list, float level_cost)
{
	int			n = list->n;

	for (int i = 0; i < n; i++)
	{
		float		share = (float) list->h[i] / (float) list->h[n - 1];
		float		spread = share * (1 - share);

		list->cost[i] = n > 2 && spread > 0 ? level_cost * (n - 2) * (1.24f * spread + 0.654f * sqrtf(spread)) : 0;
	}
}

/* The same over levels, in the order of their mean gradient. */
static void
list_levels(const DunGrower *t, const DunGradient *hist, int nbins, Candidates *list)
{
	double		key[MAX_BINS];
	DunGradient sum = 0;
	int			n = 0;

	for (int b = 1; b < nbins; b++)
	{
		Sums		s = unpack(hist[b]);
		double		k = s.g * t->gradient_unit / (s.h * t->hessian_unit + LEVEL_SMOOTH);
		int			at = n;

		if (hist[b] == 0)
			continue;
		for (; at > 0 && key[at - 1] > k; at--)
		{
			key[at] = key[at - 1];
			list->bin[at] = list->bin[at - 1];
		}
		key[at] = k;
		list->bin[at] = b;
		n++;
	}
	for (int i = 0; i < n; i++)
	{
		sum += hist[list->bin[i]];
		list->g[i] = (int32_t) (sum >> 32);
		list->h[i] = (int32_t) (sum & 0xffffffff);
	}
	list->n = n;
	price_levels(list, (float) t->params->level_cost);
}

typedef struct Search
{
	Sums		total;
	float		gu;
	float		hu;
	float		lambda;
	float		least;			/* min_child_weight */
	float		low;
	float		high;
	float		direction;
} Search;

/* The best candidate, or -1; `more` goes left with each of them. Numbers have no cost, and do not look for it. */
static inline int
best_free(const Candidates *list, const Search *s, Sums more, float *best, bool levels)
{
	int			found = -1;

	for (int i = 0; i < list->n; i += BLOCK)
	{
		float		score[BLOCK];

		for (int k = 0; k < BLOCK; k++)
		{
			int32_t		ig = list->g[i + k] + more.g;
			int32_t		ih = list->h[i + k] + more.h;
			float		gl = (float) ig * s->gu;
			float		gr = (float) (s->total.g - ig) * s->gu;
			float		hl = (float) ih * s->hu;
			float		hr = (float) (s->total.h - ih) * s->hu;
			float		dl = hl + s->lambda;
			float		dr = hr + s->lambda;
			float		x = (gl * gl * dr + gr * gr * dl) / (dl * dr);

			if (levels)
				x -= list->cost[i + k];
			x = hl >= s->least ? x : -1.0f;
			score[k] = hr >= s->least ? x : -1.0f;
		}
		for (int k = 0; k < BLOCK; k++)
			if (score[k] > *best)
			{
				*best = score[k];
				found = i + k;
			}
	}
	return found;
}

/* The same with bounds on the values, and a direction between them. */
static inline int
best_bound(const Candidates *list, const Search *s, Sums more, float *best, bool levels)
{
	int			found = -1;

	for (int i = 0; i < list->n; i += BLOCK)
	{
		float		score[BLOCK];

		for (int k = 0; k < BLOCK; k++)
		{
			int32_t		ig = list->g[i + k] + more.g;
			int32_t		ih = list->h[i + k] + more.h;
			float		gl = (float) ig * s->gu;
			float		gr = (float) (s->total.g - ig) * s->gu;
			float		hl = (float) ih * s->hu;
			float		hr = (float) (s->total.h - ih) * s->hu;
			float		dl = hl + s->lambda;
			float		dr = hr + s->lambda;
			float		wl = -gl / dl;
			float		wr = -gr / dr;
			float		x;

			wl = wl < s->low ? s->low : wl;
			wl = wl > s->high ? s->high : wl;
			wr = wr < s->low ? s->low : wr;
			wr = wr > s->high ? s->high : wr;
			x = -(2 * gl * wl + dl * wl * wl) - (2 * gr * wr + dr * wr * wr);
			if (levels)
				x -= list->cost[i + k];
			x = hl >= s->least ? x : -1.0f;
			x = hr >= s->least ? x : -1.0f;
			score[k] = (wr - wl) * s->direction >= 0 ? x : -1.0f;
		}
		for (int k = 0; k < BLOCK; k++)
			if (score[k] > *best)
			{
				*best = score[k];
				found = i + k;
			}
	}
	return found;
}

static int
best_candidate(const Candidates *list, const Search *s, Sums more, float *best)
{
	return best_free(list, s, more, best, false);
}

static int
best_levels(const Candidates *list, const Search *s, Sums more, float *best)
{
	return best_free(list, s, more, best, true);
}

static int
best_constrained(const Candidates *list, const Search *s, Sums more, float *best)
{
	return best_bound(list, s, more, best, false);
}

static int
best_constrained_levels(const Candidates *list, const Search *s, Sums more, float *best)
{
	return best_bound(list, s, more, best, true);
}

static void
take_candidate(const DunBinColumn *c, const DunGradient *hist, const Candidates *list, int at, Sums more, bool heavy_left,
			   Split *split)
{
	split->threshold = list->bin[at];
	split->left.g = list->g[at] + more.g;
	split->left.h = list->h[at] + more.h;
	split->cost = c->categorical ? list->cost[at] : 0;
	memset(split->mask, 0, sizeof(split->mask));
	if (!c->categorical)
		return;
	for (int i = 0; i <= at; i++)
		split->mask[list->bin[i] / 64] |= UINT64_C(1) << (list->bin[i] % 64);
	/* Levels that this node has not seen, like missing values it has not seen, go where most rows went. */
	for (int b = 1; b < MAX_BINS; b++)
		if (heavy_left && (b >= c->nbins || hist[b] == 0))
			split->mask[b / 64] |= UINT64_C(1) << (b % 64);
	if (split->missing_left)
		split->mask[0] |= 1;
}

/* Tries one column: the missing on the right, then, if there are any, on the left. */
static void
try_column(const DunGrower *t, int column, const DunGradient *hist, Search *s, Split *best)
{
	const DunBinColumn *c = &t->bins->columns[column];
	Candidates	list;
	Sums		missing = unpack(hist[0]);
	float		lambda = s->lambda;

	if (c->categorical)
	{
		list_levels(t, hist, c->nbins, &list);
		s->lambda += LEVEL_LAMBDA;
	}
	else
		list_numbers(hist, c->nbins, &list);
	s->direction = c->direction;
	/* All present rows on the left is a split only where some are missing. */
	if (hist[0] == 0 && list.n > 0)
		list.n--;
	if (list.n > 0)
	{
		for (int k = list.n; k < list.n + BLOCK; k++)
		{
			list.g[k] = list.g[list.n - 1];
			list.h[k] = list.h[list.n - 1];
			list.cost[k] = list.cost[list.n - 1];
		}
		for (int side = 0; side < (hist[0] == 0 ? 1 : 2); side++)
		{
			Sums		more = {side ? missing.g : 0, side ? missing.h : 0};
			bool		heavy_left;
			int			at = (c->categorical ? (t->constrained ? best_constrained_levels : best_levels) :
									   (t->constrained ? best_constrained : best_candidate)) (&list, s, more, &best->score);

			if (at < 0)
				continue;
			at = at < list.n ? at : list.n - 1;
			best->column = column;
			heavy_left = list.h[at] >= s->total.h / 2;
			best->missing_left = hist[0] == 0 ? heavy_left : side == 1;
			take_candidate(c, hist, &list, at, more, heavy_left, best);
		}
	}
	s->lambda = lambda;
}

static bool
find_split(const DunGrower *t, const DunGradient *hist, Sums total, const Bounds *bounds, Split *split)
{
	const DunGbdtParams *p = t->params;
	Search		s = {total, t->gradient_unit, t->hessian_unit, p->lambda, p->min_child_weight, bounds->low, bounds->high, 0};
	Bounds		free_bounds = {-INFINITY, INFINITY};
	double		gain;

	split->column = -1;
	split->score = 0;
	for (int c = 0; c < t->bins->ncols; c++)
		if (t->sampled[c])
			try_column(t, c, hist + STRIDE * c, &s, split);
	if (split->column < 0)
		return false;
	if (!t->constrained)
		bounds = &free_bounds;
	/* Once more in full precision: the difference of two large scores. */
	{
		Sums		right = {total.g - split->left.g, total.h - split->left.h};
		double		lambda = p->lambda + (t->bins->columns[split->column].categorical ? LEVEL_LAMBDA : 0);

		gain = worth(t, split->left, value_of(t, split->left, bounds), lambda) +
			worth(t, right, value_of(t, right, bounds), lambda) -
			worth(t, total, value_of(t, total, bounds), p->lambda) - split->cost;
	}
	return gain > MIN_GAIN;
}

/* Which bins go left, one byte each. */
static void
list_sides(const DunBinColumn *c, const DunTreeNode *node, const Split *split, uint8_t *left)
{
	for (int b = 0; b < MAX_BINS; b++)
		left[b] = c->categorical ? split->mask[b / 64] >> (b % 64) & 1 : (uint8_t) (b - node->skip) <= node->threshold;
}

/* Stable, so that rows stay in memory order; the number of rows on the left. */
static uint32_t
divide_rows(const DunGrower *t, int column, const uint8_t *left, uint32_t *rows, uint32_t n)
{
	const uint8_t *bins = t->bins->flat[column];
	uint32_t   *spare = t->spare;
	uint32_t	l = 0,
				r = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	row = rows[i];
		uint32_t	is = left[bins[row]];

		rows[l] = row;
		spare[r] = row;
		l += is;
		r += 1 - is;
	}
	memcpy(rows + l, spare, sizeof(uint32_t) * r);
	return l;
}

/* Every node and leaf below says the same. */
static void
close_node(DunGrower *t, int node, int depth, double value, const uint32_t *rows, uint32_t n)
{
	int			below = t->params->depth - depth;
	int			first = ((node + 1) << below) - (1 << t->params->depth);

	for (int i = 0; i < 1 << below; i++)
		t->leaves[first + i] = (float) value;
	for (uint32_t i = 0; i < n; i++)
		t->margin[rows[i]] += (float) value;
	/* All rows go left, down to the first leaf. */
	for (int at = node; depth <= t->params->depth; depth++, at = 2 * at + 1)
		t->covers[at] = n;
}

static void
store_split(DunGrower *t, int node, const Split *split)
{
	DunForest  *f = t->forest;
	DunTreeNode *into = &t->nodes[node];

	into->column = split->column;
	into->skip = split->missing_left ? 0 : 1;
	into->threshold = split->threshold - into->skip;
	if (!t->bins->columns[split->column].categorical)
		return;
	into->threshold = 0;
	t->masks_at[node] = f->nmasks;
	memcpy(f->masks[f->nmasks++], split->mask, sizeof(split->mask));
}

static void
grow_node(DunGrower *t, int node, int depth, uint32_t *rows, uint32_t n, DunGradient *hist, Sums total, Bounds bounds)
{
	const DunBinColumn *c;
	uint8_t		left[MAX_BINS];
	Split		split;
	Sums		sums[2];
	Bounds		within[2] = {bounds, bounds};
	uint32_t	size[2];
	bool		wanted[2];
	int			small;

	if (depth == t->params->depth || !hist || !find_split(t, hist, total, &bounds, &split))
	{
		close_node(t, node, depth, value_of(t, total, &bounds) * t->params->eta, rows, n);
		return;
	}
	c = &t->bins->columns[split.column];
	store_split(t, node, &split);
	t->covers[node] = n;
	list_sides(c, &t->nodes[node], &split, left);
	size[0] = divide_rows(t, split.column, left, rows, n);
	size[1] = n - size[0];
	sums[0] = split.left;
	sums[1] = (Sums) {total.g - split.left.g, total.h - split.left.h};
	if (c->direction != 0)
	{
		double		middle = (value_of(t, sums[0], &bounds) + value_of(t, sums[1], &bounds)) / 2;

		within[c->direction > 0 ? 0 : 1].high = middle;
		within[c->direction > 0 ? 1 : 0].low = middle;
	}
	for (int k = 0; k < 2; k++)
		wanted[k] = depth + 1 < t->params->depth && sums[k].h * t->hessian_unit >= 2 * t->params->min_child_weight;
	small = size[0] <= size[1] ? 0 : 1;
	if (wanted[0] || wanted[1])
		build_histogram(t, t->pool[depth + 1], small ? rows + size[0] : rows, size[small]);
	if (wanted[1 - small])
		subtract_histogram(t, hist, t->pool[depth + 1]);
	for (int k = 0; k < 2; k++)
		grow_node(t, 2 * node + 1 + k, depth + 1, k ? rows + size[0] : rows, size[k],
				  !wanted[k] ? NULL : k == small ? t->pool[depth + 1] : hist, sums[k], within[k]);
}

DunGrower *
dun_score_open_grower(const DunGbdtHost *host, const DunBins *bins, const DunGbdtParams *params, uint32_t n)
{
	DunGrower  *t = host->alloc(host->context, sizeof(DunGrower));

	memset(t, 0, sizeof(DunGrower));
	t->bins = bins;
	t->params = params;
	t->sampled = host->alloc(host->context, bins->ncols + 1);
	t->group_used = host->alloc(host->context, bins->ngroups + 1);
	t->spare = host->alloc(host->context, sizeof(uint32_t) * (n + 1));
	for (int c = 0; c < bins->ncols; c++)
		t->constrained |= bins->columns[c].direction != 0;
	t->pool = host->alloc(host->context, sizeof(DunGradient *) * (params->depth + 1));
	for (int d = 0; d <= params->depth; d++)
	{
		size_t		size = sizeof(DunGradient) * STRIDE * 8 * (bins->ngroups + 1);

		t->pool[d] = host->alloc(host->context, size);
		memset(t->pool[d], 0, size);
	}
	return t;
}

void
dun_score_close_grower(DunGrower *t, const DunGbdtHost *host)
{
	for (int d = 0; d <= t->params->depth; d++)
		host->release(host->context, t->pool[d]);
	host->release(host->context, t->pool);
	host->release(host->context, t->spare);
	host->release(host->context, t->sampled);
	host->release(host->context, t->group_used);
	host->release(host->context, t);
}

void
dun_score_grow_tree(DunGrower *t, DunForest *f, uint32_t *rows, uint32_t n)
{
	int			inner = (1 << f->depth) - 1;
	Bounds		bounds = {-INFINITY, INFINITY};
	DunGradient sum = 0;
	Sums		total;

	t->forest = f;
	t->nodes = f->nodes + (size_t) f->ntrees * inner;
	t->leaves = f->leaves + (size_t) f->ntrees * (inner + 1);
	t->covers = f->covers + (size_t) f->ntrees * (2 * inner + 1);
	t->masks_at = f->masks_at ? f->masks_at + (size_t) f->ntrees * inner : NULL;
	memset(t->covers, 0, sizeof(uint32_t) * (2 * inner + 1));
	for (int i = 0; i < inner; i++)
	{
		t->nodes[i] = (DunTreeNode) {0, MAX_BINS - 1, 0};
		if (t->masks_at)
			t->masks_at[i] = -1;
	}
	memset(t->group_used, 0, t->bins->ngroups);
	for (int c = 0; c < t->bins->ncols; c++)
		t->group_used[c / 8] |= t->sampled[c];
	for (uint32_t i = 0; i < n; i++)
		sum += t->gradient[rows[i]];
	total = unpack(sum);
	build_histogram(t, t->pool[0], rows, n);
	grow_node(t, 0, 0, rows, n, t->pool[0], total, bounds);
	f->ntrees++;
}
