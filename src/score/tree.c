/*
 * score/tree.c
 *		Growing small trees over binned columns, and printing their leaves.
 *
 * Everything runs in the order of the rows, one column after the other, and of two splits that are equally good the first is taken: the same rows
 * give the same tree. A threshold is the shortest decimal between two bins, compared by the server in double precision just as here.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "score/tree.h"

/* A split must take off so many times the variance of its node (a z of 3.5): among thousands of thresholds chance finds less. */
#define LEAST_GAIN 12.0
#define FOLDS 5

/* --- bins --- */

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* The shortest decimal t with low <= t < high; low itself where there is none. */
static double
between(double low, double high)
{
	double		middle = isfinite(high) ? low + (high - low) / 2 : low;
	char		text[40];

	for (int digits = 1; digits <= 17 && isfinite(low); digits++)
		for (int i = 0; i < 2; i++)
		{
			double		t;

			snprintf(text, sizeof(text), "%.*g", digits, i == 0 ? low : middle);
			t = strtod(text, NULL);
			if (low <= t && t < high)
				return t;
		}
	return low;
}

static void
cut_number(DunBins *b, int c)
{
	const DunRows *r = b->rows;
	double	   *sorted = palloc_extended(sizeof(double) * r->n, MCXT_ALLOC_HUGE);
	double		last[DUN_TREE_BINS];
	uint32		n = 0;
	int			bins = 0;

	for (uint32 i = 0; i < r->n; i++)
		if (!isnan(r->x[c][i]))
			sorted[n++] = r->x[c][i];
	qsort(sorted, n, sizeof(double), compare_doubles);
	b->cut[c] = palloc(sizeof(double) * DUN_TREE_BINS);
	for (uint32 i = 0; i < n;)
	{
		/* up to the next quantile, and on to the end of equal values; the last bin takes what is left */
		uint32		end = bins == DUN_TREE_BINS - 1 ? n : Max((uint32) ((uint64) n * (bins + 1) / DUN_TREE_BINS), i + 1);

		while (end < n && sorted[end] == sorted[end - 1])
			end++;
		last[bins] = sorted[end - 1];
		b->cut[c][bins] = end < n ? between(sorted[end - 1], sorted[end]) : INFINITY;
		bins++;
		i = end;
	}
	b->nbins[c] = bins;
	for (uint32 i = 0; i < r->n; i++)
	{
		double		v = r->x[c][i];
		int			low = 0;
		int			high = bins - 1;

		if (isnan(v))
		{
			b->bin[c][i] = DUN_BIN_MISSING;
			continue;
		}
		while (low < high)
		{
			int			middle = (low + high) / 2;

			if (v <= last[middle])
				high = middle;
			else
				low = middle + 1;
		}
		b->bin[c][i] = low;
	}
	pfree(sorted);
}

typedef struct LevelCount
{
	uint32		count;
	int			level;
} LevelCount;

static int
compare_counts(const void *a, const void *b)
{
	const LevelCount *x = a;
	const LevelCount *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->level - y->level;
}

static void
cut_text(DunBins *b, int c, uint32 least)
{
	const DunRows *r = b->rows;
	int			nlevels = r->nlevels[c];
	LevelCount *counts = palloc0(sizeof(LevelCount) * Max(nlevels, 1));
	uint8	   *bin_of = palloc(Max(nlevels, 1));

	for (int l = 0; l < nlevels; l++)
		counts[l].level = l;
	for (uint32 i = 0; i < r->n; i++)
		if (!isnan(r->x[c][i]))
			counts[(int) r->x[c][i]].count++;
	qsort(counts, nlevels, sizeof(LevelCount), compare_counts);
	b->level[c] = palloc(sizeof(int) * DUN_TREE_BINS);
	b->nbins[c] = 0;
	for (int l = 0; l < nlevels; l++)
		if (counts[l].count >= least && b->nbins[c] < DUN_TREE_BINS - 1)
		{
			b->level[c][b->nbins[c]] = counts[l].level;
			bin_of[counts[l].level] = b->nbins[c]++;
		}
		else
			bin_of[counts[l].level] = DUN_TREE_BINS - 1;
	for (uint32 i = 0; i < r->n; i++)
		b->bin[c][i] = isnan(r->x[c][i]) ? DUN_BIN_MISSING : bin_of[(int) r->x[c][i]];
	pfree(counts);
	pfree(bin_of);
}

DunBins *
dun_score_make_bins(const DunRows *rows, uint32 least)
{
	DunBins    *b = palloc0(sizeof(DunBins));

	b->rows = rows;
	b->bin = palloc0(sizeof(uint8 *) * Max(rows->ncolumns, 1));
	b->nbins = palloc0(sizeof(int) * Max(rows->ncolumns, 1));
	b->cut = palloc0(sizeof(double *) * Max(rows->ncolumns, 1));
	b->level = palloc0(sizeof(int *) * Max(rows->ncolumns, 1));
	for (int c = 0; c < rows->ncolumns; c++)
	{
		CHECK_FOR_INTERRUPTS();
		b->bin[c] = palloc_extended(Max(rows->n, 1), MCXT_ALLOC_HUGE);
		if (rows->is_text[c])
			cut_text(b, c, least);
		else
			cut_number(b, c);
	}
	return b;
}

/* --- growing --- */

static double
squares(const double *sum, uint32 n, int noutputs)
{
	double		result = 0;

	for (int o = 0; o < noutputs; o++)
		result += sum[o] * sum[o];
	return n > 0 ? result / n : 0;
}

int
dun_score_count_ways(const DunBins *bins, int column, int bin, uint32 missing)
{
	if (bins->rows->is_text[column])
		return 1;				/* a text's missing rows are on the side of the others */
	if (isfinite(bins->cut[column][bin]))
		return missing > 0 ? 2 : 1;
	return bin == bins->nbins[column] - 1 && missing > 0 ? 1 : 0;	/* what is known against what is not */
}

/* The best split of a node by one column; `best` is replaced only by a better one. */
static void
try_column(const DunTree *t, const DunNode *node, int c, uint32 least, double *sums, DunSplit *best)
{
	const DunBins *b = t->bins;
	const uint8 *bin = b->bin[c];
	bool		text = b->rows->is_text[c];
	int			k = t->noutputs;
	uint32		count[DUN_TREE_BINS + 1] = {0};
	double	   *missing = sums + DUN_TREE_BINS * k;
	double	   *total = missing + k;
	double	   *left = total + k;
	double		base;
	uint32		nleft = 0;

	memset(sums, 0, sizeof(double) * k * (DUN_TREE_BINS + 3));
	for (uint32 i = 0; i < node->n; i++)
	{
		uint32		row = t->order[node->first + i];
		int			at = bin[row] == DUN_BIN_MISSING ? DUN_TREE_BINS : bin[row];

		count[at]++;
		for (int o = 0; o < k; o++)
			sums[at * k + o] += t->y[o][row];
	}
	for (int at = 0; at <= DUN_TREE_BINS; at++)
		for (int o = 0; o < k; o++)
			total[o] += sums[at * k + o];
	base = squares(total, node->n, k);
	for (int at = 0; at < b->nbins[c]; at++)
	{
		for (int o = 0; o < k; o++)
			left[o] = (text ? 0 : left[o]) + sums[at * k + o];
		nleft = (text ? 0 : nleft) + count[at];
		for (int way = 0; way < dun_score_count_ways(b, c, at, count[DUN_TREE_BINS]); way++)
		{
			uint32		n = nleft + (way == 1 ? count[DUN_TREE_BINS] : 0);
			double		sum_left = 0;
			double		sum_right = 0;
			double		gain;

			if (n < least || node->n - n < least)
				continue;
			for (int o = 0; o < k; o++)
			{
				double		l = left[o] + (way == 1 ? missing[o] : 0);
				double		r = total[o] - l;

				sum_left += l * l;
				sum_right += r * r;
			}
			gain = sum_left / n + sum_right / (node->n - n) - base;
			if (gain > best->gain * (1 + 1e-9))
				*best = (DunSplit) {c, at, way == 1, gain};
		}
	}
}

bool
dun_score_goes_left(const DunBins *bins, const DunSplit *split, uint32 row)
{
	uint8		at = bins->bin[split->column][row];

	if (at == DUN_BIN_MISSING)
		return split->missing_left;
	return bins->rows->is_text[split->column] ? at == split->bin : at <= split->bin;
}

static void
measure(const DunTree *t, DunNode *node)
{
	int			k = t->noutputs;

	node->mean = palloc0(sizeof(double) * k);
	node->error = 0;
	for (int o = 0; o < k; o++)
	{
		for (uint32 i = 0; i < node->n; i++)
			node->mean[o] += t->y[o][t->order[node->first + i]];
		node->mean[o] /= Max(node->n, 1);
		for (uint32 i = 0; i < node->n; i++)
		{
			double		d = t->y[o][t->order[node->first + i]] - node->mean[o];

			node->error += d * d;
		}
	}
}

static int
add_node(DunTree *t, int parent, uint32 first, uint32 n)
{
	DunNode    *node = &t->nodes[t->nnodes];

	*node = (DunNode) {.split = {.column = -1}, .left = -1, .right = -1, .parent = parent, .first = first, .n = n,
		.depth = parent < 0 ? 0 : t->nodes[parent].depth + 1};
	measure(t, node);
	return t->nnodes++;
}

/* Rows that go left in front, both sides in the order they were. */
static uint32
part_rows(DunTree *t, DunNode *node, const DunSplit *split, uint32 *scratch)
{
	uint32		left = 0;
	uint32		right = 0;

	for (uint32 i = 0; i < node->n; i++)
	{
		uint32		row = t->order[node->first + i];

		if (dun_score_goes_left(t->bins, split, row))
			t->order[node->first + left++] = row;
		else
			scratch[right++] = row;
	}
	memcpy(t->order + node->first + left, scratch, sizeof(uint32) * right);
	return left;
}

DunTree *
dun_score_grow_segments(const DunBins *bins, double **y, int noutputs, const uint32 *rows, uint32 nrows, int depth, uint32 least)
{
	DunTree    *t = palloc0(sizeof(DunTree));
	uint32	   *scratch = palloc_extended(sizeof(uint32) * Max(nrows, 1), MCXT_ALLOC_HUGE);
	double	   *sums = palloc(sizeof(double) * noutputs * (DUN_TREE_BINS + 4));

	t->bins = bins;
	t->y = y;
	t->noutputs = noutputs;
	t->order = palloc_extended(sizeof(uint32) * Max(nrows, 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < nrows; i++)
		t->order[i] = rows == NULL ? i : rows[i];
	add_node(t, -1, 0, nrows);
	for (int at = 0; at < t->nnodes; at++)
	{
		DunNode    *node = &t->nodes[at];
		DunSplit	best = {.column = -1};
		uint32		left;

		if (node->depth >= Min(depth, DUN_TREE_DEPTH) || node->n < 2 * least || node->error <= 0)
			continue;
		for (int c = 0; c < bins->rows->ncolumns; c++)
		{
			CHECK_FOR_INTERRUPTS();
			try_column(t, node, c, least, sums, &best);
		}
		if (best.column < 0 || best.gain < LEAST_GAIN * node->error / node->n)
			continue;
		left = part_rows(t, node, &best, scratch);
		node->split = best;
		node->left = add_node(t, at, node->first, left);
		node->right = add_node(t, at, node->first + left, node->n - left);
	}
	pfree(scratch);
	pfree(sums);
	return t;
}

void
dun_score_join_leaves(DunTree *tree, int *class_of)
{
	for (int at = tree->nnodes - 1; at >= 0; at--)
	{
		DunNode    *node = &tree->nodes[at];

		if (node->split.column < 0 || tree->nodes[node->left].split.column >= 0 || tree->nodes[node->right].split.column >= 0 ||
			class_of[node->left] != class_of[node->right])
			continue;
		class_of[at] = class_of[node->left];
		tree->nodes[node->left].n = tree->nodes[node->right].n = 0;
		node->split.column = -1;
		node->left = node->right = -1;
	}
}

int
dun_score_find_node(const DunTree *tree, uint32 row, int depth)
{
	int			at = 0;

	while (tree->nodes[at].split.column >= 0 && tree->nodes[at].depth < depth)
		at = dun_score_goes_left(tree->bins, &tree->nodes[at].split, row) ? tree->nodes[at].left : tree->nodes[at].right;
	return at;
}

int
dun_score_choose_depth(const DunBins *bins, double **y, int noutputs, int depth, uint32 least, double *error)
{
	uint32		n = bins->rows->n;
	uint32	   *rows = palloc_extended(sizeof(uint32) * Max(n, 1), MCXT_ALLOC_HUGE);
	double	   *loss = palloc_extended(sizeof(double) * Max(n, 1) * (depth + 1), MCXT_ALLOC_HUGE);
	int			best = 0;

	for (int fold = 0; fold < FOLDS; fold++)
	{
		uint32		nrows = 0;
		DunTree    *t;

		for (uint32 i = 0; i < n; i++)
			if (bins->rows->key[i] % FOLDS != fold)
				rows[nrows++] = i;
		t = dun_score_grow_segments(bins, y, noutputs, rows, nrows, depth, Max(1, least * (FOLDS - 1) / FOLDS));
		for (uint32 i = 0; i < n; i++)
		{
			if (bins->rows->key[i] % FOLDS != fold)
				continue;
			for (int d = 0; d <= depth; d++)
			{
				const DunNode *node = &t->nodes[dun_score_find_node(t, i, d)];
				double		sum = 0;

				for (int o = 0; o < noutputs; o++)
					sum += (y[o][i] - node->mean[o]) * (y[o][i] - node->mean[o]);
				loss[(Size) i * (depth + 1) + d] = sum;
			}
		}
		pfree(t->order);
		pfree(t);
	}
	for (int d = 0; d <= depth; d++)
	{
		error[d] = 0;
		for (uint32 i = 0; i < n; i++)
			error[d] += loss[(Size) i * (depth + 1) + d];
		error[d] /= Max(n, 1);
		if (error[d] < error[best])
			best = d;
	}
	for (int d = 0; d < best; d++)
	{
		double		squared = 0;
		double		mean = error[d] - error[best];

		for (uint32 i = 0; i < n; i++)
		{
			double		gap = loss[(Size) i * (depth + 1) + d] - loss[(Size) i * (depth + 1) + best] - mean;

			squared += gap * gap;
		}
		if (mean <= sqrt(squared / n / Max(n - 1, 1)))
		{
			best = d;
			break;
		}
	}
	pfree(rows);
	pfree(loss);
	return best;
}

/* --- printing --- */

static void
print_threshold(StringInfo into, double value)
{
	if (fabs(value) < 1e15 && value == floor(value))
		appendStringInfo(into, "%.0f", value == 0 ? 0 : value);
	else
		appendStringInfoString(into, float8out_internal(value));
}

/* What a column may be along a path. */
typedef struct Range
{
	double		low;			/* above it */
	double		high;			/* up to it */
	int			level;			/* -1: any */
	bool		null;			/* NULL goes this way */
} Range;

static void
narrow(Range *range, const DunBins *b, const DunSplit *s, bool left)
{
	if (b->rows->is_text[s->column])
	{
		if (left)
			range->level = b->level[s->column][s->bin];
	}
	else if (left)
		range->high = Min(range->high, b->cut[s->column][s->bin]);
	else
		range->low = Max(range->low, b->cut[s->column][s->bin]);
	if (left != s->missing_left)
		range->null = false;
}

static void
print_number_range(StringInfo into, const char *name, const Range *range)
{
	if (range->low > -INFINITY)
	{
		appendStringInfo(into, "%s > ", name);
		print_threshold(into, range->low);
	}
	if (range->high < INFINITY)
	{
		appendStringInfo(into, "%s%s <= ", range->low > -INFINITY ? " AND " : "", name);
		print_threshold(into, range->high);
	}
}

static void
print_range(StringInfo into, const DunBins *b, int c, const Range *range, const int *not_levels, int nnot)
{
	const char *name = quote_identifier(b->rows->names[c]);
	bool		null = range->null && b->rows->has_missing[c];

	if (range->low >= range->high || range->low == INFINITY)
	{
		appendStringInfo(into, "%s IS NULL", name);
		return;
	}
	if (!b->rows->is_text[c] && range->low == -INFINITY && range->high == INFINITY)
	{
		appendStringInfo(into, "%s IS NOT NULL", name);
		return;
	}
	if (null)
		appendStringInfoChar(into, '(');
	if (b->rows->is_boolean[c])
		appendStringInfo(into, "%s%s", range->high < 1 ? "NOT " : "", name);
	else if (!b->rows->is_text[c])
		print_number_range(into, name, range);
	else if (range->level >= 0)
		appendStringInfo(into, "%s = %s", name, quote_literal_cstr(b->rows->levels[c][range->level]));
	else
		for (int i = 0; i < nnot; i++)
			appendStringInfo(into, "%s%s <> %s", i > 0 ? " AND " : "", name, quote_literal_cstr(b->rows->levels[c][not_levels[i]]));
	if (null)
		appendStringInfo(into, " OR %s IS NULL)", name);
}

void
dun_score_print_path(StringInfo into, const DunTree *tree, int node)
{
	int			path[DUN_TREE_DEPTH + 1];
	int			steps = 0;
	bool		first = true;

	for (int at = node; tree->nodes[at].parent >= 0; at = tree->nodes[at].parent)
		path[steps++] = at;
	for (int i = steps - 1; i >= 0; i--)
	{
		int			c = tree->nodes[tree->nodes[path[i]].parent].split.column;
		Range		range = {-INFINITY, INFINITY, -1, true};
		int			not_levels[DUN_TREE_DEPTH];
		int			nnot = 0;
		bool		said = false;

		/* a column is said once, where it comes first */
		for (int j = steps - 1; j > i; j--)
			said |= tree->nodes[tree->nodes[path[j]].parent].split.column == c;
		if (said)
			continue;
		for (int j = i; j >= 0; j--)
		{
			const DunNode *parent = &tree->nodes[tree->nodes[path[j]].parent];
			bool		left = parent->left == path[j];

			if (parent->split.column != c)
				continue;
			narrow(&range, tree->bins, &parent->split, left);
			if (tree->bins->rows->is_text[c] && !left)
				not_levels[nnot++] = tree->bins->level[c][parent->split.bin];
		}
		if (!first)
			appendStringInfoString(into, " AND ");
		first = false;
		print_range(into, tree->bins, c, &range, not_levels, nnot);
	}
	if (first)
		appendStringInfoString(into, "true");
}

void
dun_score_print_side(StringInfo into, const DunBins *bins, const DunSplit *split, bool left)
{
	Range		range = {-INFINITY, INFINITY, -1, true};
	int			not_level = bins->rows->is_text[split->column] ? bins->level[split->column][split->bin] : -1;

	narrow(&range, bins, split, left);
	print_range(into, bins, split->column, &range, &not_level, left ? 0 : 1);
}
