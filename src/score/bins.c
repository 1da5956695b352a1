/*
 * score/bins.c
 *		Fine bins by quantiles, coarse bins by dynamic programming over them.
 *
 * A coarse bin is a run of fine ones. All ways to cut the fine bins into at most so many runs are weighed by
 * the log likelihood of the labels, so the result is the best there is, and ties go to the earlier cut.
 * Where the share of label 1 must only rise, neighbours that fall are pooled first: whatever is merged of
 * pools in order stays in order.
 *
 * Special values (-9 for "no record", 999 for "unknown") are not known by name. A mark is a value at either
 * end of the column that many rows share to the digit and that stands apart from the others by a multiple of
 * their usual distance; it becomes a bin of its own where its share of label 1 differs from its neighbour's.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "score/bins.h"

#define EDGE_ROWS 131072		/* rows in which edges are looked for */
#define QUANTILES 240
#define MOST_FINE 254			/* bin 0 is missing; one is spare */
#define MOST_MARKS 6			/* at either end */
#define MARK_ROWS 10
#define MARK_SHARE 0.001
#define APART 3.0				/* times the usual distance */
#define DIFFERENT 6.63			/* likelihood ratio: chi-square of one degree, 1 % */
#define POOLS 64				/* that all cuts are weighed of */
#define LEVEL_SHARE 0.005		/* rarer texts are one bin */
#define LEVEL_ROWS 20
#define RARE_ROWS 5				/* so rare ones are told apart only where they differ beyond chance */
#define BEYOND 3.0				/* standard errors */

/* A value of the column and its rows. */
typedef struct Run
{
	float		value;
	uint32		count;
} Run;

/* Floats as unsigned numbers in the same order. */
static inline uint32
key_of_float(float value)
{
	uint32		bits;

	value += 0.0f;				/* -0 is 0 */
	memcpy(&bits, &value, sizeof(bits));
	return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static inline float
float_of_key(uint32 key)
{
	uint32		bits = key & 0x80000000u ? key & 0x7fffffffu : ~key;
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static void
sort_keys(uint32 *keys, uint32 *spare, uint32 n)
{
	for (int shift = 0; shift < 33; shift += 11)
	{
		uint32		start[2048] = {0};
		uint32		sum = 0;
		uint32	   *swap = keys;

		for (uint32 i = 0; i < n; i++)
			start[(keys[i] >> shift) & 2047]++;
		for (int b = 0; b < 2048; b++)
		{
			uint32		count = start[b];

			start[b] = sum;
			sum += count;
		}
		for (uint32 i = 0; i < n; i++)
			spare[start[(keys[i] >> shift) & 2047]++] = keys[i];
		keys = spare;
		spare = swap;
	}
	/* Three passes: the result stands in what was given as spare. */
}

/* The column's values in order, with their rows; returns how many. */
static uint32
count_runs(const float *values, uint32 n, Run **result, uint32 *present)
{
	uint32	   *keys = palloc_extended(sizeof(uint32) * (n + 1), MCXT_ALLOC_HUGE);
	uint32	   *sorted = palloc_extended(sizeof(uint32) * (n + 1), MCXT_ALLOC_HUGE);
	Run		   *runs;
	uint32		nkeys = 0;
	uint32		nruns = 0;

	for (uint32 i = 0; i < n; i++)
		if (!isnan(values[i]))
			keys[nkeys++] = key_of_float(values[i]);
	sort_keys(keys, sorted, nkeys);
	runs = palloc_extended(sizeof(Run) * (nkeys + 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < nkeys; i++)
	{
		if (i == 0 || sorted[i] != sorted[i - 1])
			runs[nruns++] = (Run) {float_of_key(sorted[i]), 0};
		runs[nruns - 1].count++;
	}
	pfree(keys);
	pfree(sorted);
	*result = runs;
	*present = nkeys;
	return nruns;
}

/*
 * The number with the fewest digits between two neighbouring values, or their middle. It keeps clear of both,
 * so that a number rounded to float4 stands on the same side as the number itself.
 */
static double
choose_edge(float below, float above)
{
	double		least = nextafterf(below, INFINITY);
	double		most = nextafterf(above, -INFINITY);
	double		middle = ((double) below + above) / 2;

	for (int digits = 1; digits < 9 && least < most; digits++)
	{
		char		text[32];
		double		edge;

		snprintf(text, sizeof(text), "%.*g", digits, middle);
		edge = strtod(text, NULL);
		if (edge > least && edge < most)
			return edge;
	}
	return middle;
}

/* How far apart values in the middle of the column usually are. */
static double
usual_distance(const Run *runs, uint32 nruns, uint32 present)
{
	uint32		from = 0,
				to = 0;
	uint32		sum = 0;

	for (uint32 i = 0; i < nruns; i++)
	{
		if (sum < present / 10)
			from = i + 1;
		sum += runs[i].count;
		if (sum <= present - present / 10)
			to = i;
	}
	if (to <= from)
	{
		from = 0;
		to = nruns - 1;
	}
	return ((double) runs[to].value - runs[from].value) / (to - from);
}

/* Values at one end, of many rows each and apart from what follows. */
static int
count_marks(const Run *runs, uint32 nruns, uint32 present, bool high)
{
	double		distance;
	uint32		enough = Max(MARK_ROWS, (uint32) (present * MARK_SHARE));
	int			marks = 0;

	if (nruns < 4)
		return 0;
	distance = usual_distance(runs, nruns, present) * APART;
	for (uint32 k = 0; k < Min(MOST_MARKS, nruns / 2); k++)
	{
		uint32		at = high ? nruns - 1 - k : k;
		uint32		next = high ? at - 1 : at + 1;

		if (runs[at].count < enough)
			break;
		if (fabs((double) runs[next].value - runs[at].value) >= distance)
			marks = k + 1;
	}
	return marks;
}

/* The last run of each fine bin into `last`, at least `target` rows each if they can; returns how many bins. */
static int
cut_runs(const Run *runs, uint32 nruns, uint32 target, int low, int high, uint32 *last, int most)
{
	uint32		rows = 0;
	int			n = 0;

	for (uint32 i = 0; i < nruns; i++)
	{
		bool		alone = i < low || i >= nruns - high || runs[i].count >= target;

		/* What stands before a value of its own is closed. */
		if (alone && rows > 0)
		{
			if (n == most)
				return most + 1;
			last[n++] = i - 1;
			rows = 0;
		}
		rows += runs[i].count;
		if (alone || rows >= target || i == nruns - 1)
		{
			if (n == most)
				return most + 1;
			last[n++] = i;
			rows = 0;
		}
	}
	return n;
}

static void
find_edges(const float *values, uint32 n, DunFineColumn *column)
{
	uint32		last[MOST_FINE];
	uint32		present;
	Run		   *runs;
	uint32		nruns = count_runs(values, Min(n, EDGE_ROWS), &runs, &present);
	int			nfine;

	column->low_marks = count_marks(runs, nruns, present, false);
	column->high_marks = count_marks(runs, nruns, present, true);
	if (column->low_marks + column->high_marks >= nruns)
		column->high_marks = 0;
	for (uint32 target = nruns <= QUANTILES ? 1 : Max(present / QUANTILES, 2);; target += target / 4 + 1)
	{
		nfine = cut_runs(runs, nruns, target, column->low_marks, column->high_marks, last, MOST_FINE - 1);
		if (nfine < MOST_FINE)
			break;
	}
	column->nbins = Max(nfine, 1) + 1;
	column->edges = palloc(sizeof(double) * column->nbins);
	for (int b = 0; b + 1 < nfine; b++)
		column->edges[b] = choose_edge(runs[last[b]].value, runs[last[b] + 1].value);
	pfree(runs);
}

/* Number of edges that are not above the value. */
static inline int
count_edges(const double *edges, int low, int high, double value)
{
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (value >= edges[middle])
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * A float's first 16 bits leave few edges to search; the table says which.
 */
static void
number_rows(const float *values, uint32 n, DunFineColumn *column)
{
	int			nedges = column->nbins - 2;
	uint8	   *first = palloc(65536 + 1);
	const double *edges = column->edges;
	int			e = 0;

	for (uint32 prefix = 0; prefix < 65536; prefix++)
	{
		float		least = float_of_key(prefix << 16);

		while (e < nedges && !isnan(least) && least >= edges[e])
			e++;
		first[prefix] = (uint8) e;
	}
	first[65536] = (uint8) nedges;
	for (uint32 i = 0; i < n; i++)
	{
		float		value = values[i];
		uint32		prefix;

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (value != value)
		{
			column->bins[i] = 0;
			continue;
		}
		prefix = key_of_float(value) >> 16;
		column->bins[i] = (uint8) (1 + count_edges(edges, first[prefix], first[prefix + 1], value));
	}
	pfree(first);
}

void
dun_score_bin_numbers(const float *values, uint32 n, DunFineColumn *column)
{
	memset(column, 0, sizeof(DunFineColumn));
	find_edges(values, n, column);
	column->bins = palloc_extended(n + 1, MCXT_ALLOC_HUGE);
	number_rows(values, n, column);
}

void
dun_score_bin_levels(const float *values, uint32 n, int nlevels, DunFineColumn *column)
{
	memset(column, 0, sizeof(DunFineColumn));
	column->text = true;
	column->nbins = Min(nlevels, DUN_FINE_BINS - 2) + 2;
	column->bins = palloc_extended(n + 1, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < n; i++)
		column->bins[i] = (uint8) dun_score_find_fine(column, values[i]);
}

int
dun_score_find_fine(const DunFineColumn *column, double value)
{
	if (isnan(value))
		return 0;
	if (!column->text)
		return 1 + count_edges(column->edges, 0, column->nbins - 2, value);
	return value >= 0 && value < column->nbins - 2 ? 2 + (int) value : 1;
}

/* Fine bins that are merged: rows of label 0 and 1, and the fine bins in order that they are made of. */
typedef struct Pool
{
	double		count[2];
	int			first;
	int			last;
} Pool;

static double
xlogx(double x)
{
	return x > 0 ? x * log(x) : 0;
}

static double
likelihood(const double *count)
{
	return xlogx(count[0]) + xlogx(count[1]) - xlogx(count[0] + count[1]);
}

static double
share(const Pool *p)
{
	return (p->count[1] + 0.5) / (p->count[0] + p->count[1] + 1);
}

/* Twice the likelihood that two shares instead of one gain. */
static double
difference(const double *a, const double *b)
{
	double		both[2] = {a[0] + b[0], a[1] + b[1]};

	return 2 * (likelihood(a) + likelihood(b) - likelihood(both));
}

/* Pool neighbours until the share of label 1 only rises (sign 1) or only falls (-1); returns how many are left. */
static int
pool_monotone(Pool *pools, int n, int sign)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		Pool		p = pools[i];

		while (kept > 0)
		{
			Pool	   *q = &pools[kept - 1];
			double		rise = p.count[1] * (q->count[0] + q->count[1]) - q->count[1] * (p.count[0] + p.count[1]);

			if (rise * sign > 0)
				break;
			p.count[0] += q->count[0];
			p.count[1] += q->count[1];
			p.first = q->first;
			kept--;
		}
		pools[kept++] = p;
	}
	return kept;
}

/* Pools without rows say nothing about where a cut belongs: they go to the pool before, the first to the one after. */
static int
pool_empty(Pool *pools, int n)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		bool		empty = pools[i].count[0] + pools[i].count[1] == 0;

		if (kept > 0 && (empty || pools[kept - 1].count[0] + pools[kept - 1].count[1] == 0))
		{
			pools[kept - 1].count[0] += pools[i].count[0];
			pools[kept - 1].count[1] += pools[i].count[1];
			pools[kept - 1].last = pools[i].last;
		}
		else
			pools[kept++] = pools[i];
	}
	return kept;
}

/*
 * Join the neighbours that differ least, until few enough are left to weigh all cuts of them.
 */
static int
pool_alike(Pool *pools, int n, int most)
{
	double		lost[DUN_FINE_BINS];	/* by joining a pool with the next */

	for (int i = 0; i + 1 < n; i++)
		lost[i] = difference(pools[i].count, pools[i + 1].count);
	while (n > most)
	{
		int			i = 0;

		for (int j = 1; j + 1 < n; j++)
			if (lost[j] < lost[i])
				i = j;
		pools[i].count[0] += pools[i + 1].count[0];
		pools[i].count[1] += pools[i + 1].count[1];
		pools[i].last = pools[i + 1].last;
		n--;
		memmove(pools + i + 1, pools + i + 2, sizeof(Pool) * (n - i - 1));
		memmove(lost + i + 1, lost + i + 2, sizeof(double) * Max(n - i - 2, 0));
		if (i + 1 < n)
			lost[i] = difference(pools[i].count, pools[i + 1].count);
		if (i > 0)
			lost[i - 1] = difference(pools[i - 1].count, pools[i].count);
	}
	return n;
}

/*
 * The best cut of the pools into at most `leaves` runs of at least `rows` rows. gain[l][j] is the most that
 * pools 0..j-1 reach in l runs. Returns the number of runs; ends[] holds the pool after each.
 */
static int
cut_pools(const Pool *pools, int n, int leaves, double rows, double penalty, int *ends)
{
	double	   *gain = palloc(sizeof(double) * (leaves + 1) * (n + 1));
	int		   *from = palloc(sizeof(int) * (leaves + 1) * (n + 1));
	int			best = 1;

	for (int i = 0; i < (leaves + 1) * (n + 1); i++)
		gain[i] = -INFINITY;
	gain[0] = 0;
	for (int j = 1; j <= n; j++)
	{
		double		count[2] = {0, 0};

		for (int i = j - 1; i >= 0; i--)
		{
			double		log_likelihood;

			count[0] += pools[i].count[0];
			count[1] += pools[i].count[1];
			if (count[0] + count[1] < rows && !(i == 0 && j == n))
				continue;
			log_likelihood = likelihood(count);
			for (int l = 1; l <= leaves; l++)
			{
				double		reached = gain[(l - 1) * (n + 1) + i] + log_likelihood;

				if (reached >= gain[l * (n + 1) + j] && reached > -INFINITY)
				{
					gain[l * (n + 1) + j] = reached;
					from[l * (n + 1) + j] = i;
				}
			}
		}
	}
	for (int l = 2; l <= leaves; l++)
		if (gain[l * (n + 1) + n] - gain[best * (n + 1) + n] > penalty * (l - best))
			best = l;
	for (int l = best, j = n; l > 0; l--)
	{
		ends[l - 1] = j;
		j = from[l * (n + 1) + j];
	}
	pfree(gain);
	pfree(from);
	return best;
}

static void
count_rows(const DunFineColumn *column, const uint8 *label, const uint32 *rows, uint32 n, double (*count)[2])
{
	/* Two sets of counters: rows of the same bin come in runs, and one would wait for the other. */
	uint32		counted[2][DUN_FINE_BINS * 2];
	const uint8 *bins = column->bins;
	uint32		i = 0;

	memset(counted, 0, sizeof(counted));
	if (rows)
		for (i = 0; i < n; i++)
			counted[i & 1][bins[rows[i]] * 2 + label[rows[i]]]++;
	else
	{
		for (; i + 2 <= n; i += 2)
		{
			counted[0][bins[i] * 2 + label[i]]++;
			counted[1][bins[i + 1] * 2 + label[i + 1]]++;
		}
		for (; i < n; i++)
			counted[0][bins[i] * 2 + label[i]]++;
	}
	for (int b = 0; b < DUN_FINE_BINS; b++)
		for (int c = 0; c < 2; c++)
			count[b][c] = (double) counted[0][b * 2 + c] + counted[1][b * 2 + c];
}

static int
add_bin(DunCoarseColumn *coarse, const double *count, bool special)
{
	int			b = coarse->nbins++;

	coarse->special[b] = special;
	coarse->count[b][0] = count[0];
	coarse->count[b][1] = count[1];
	return b;
}

/*
 * The marks of one end, from the inside: each joins the bin before it unless it differs. With monotone bins,
 * one that goes on in their direction is theirs.
 */
static void
place_marks(DunCoarseColumn *coarse, double (*count)[2], int first, int step, int n, int neighbour, int direction)
{
	for (int k = 0, b = first; k < n; k++, b += step)
	{
		double	   *beside = coarse->count[neighbour];
		double		rise = count[b][1] * (beside[0] + beside[1]) - beside[1] * (count[b][0] + count[b][1]);
		bool		differs = count[b][0] + count[b][1] >= MARK_ROWS && difference(count[b], beside) > DIFFERENT;

		if (differs && !(direction != 0 && !coarse->special[neighbour] && rise * direction * step > 0))
			neighbour = add_bin(coarse, count[b], true);
		else
		{
			beside[0] += count[b][0];
			beside[1] += count[b][1];
		}
		coarse->of[b] = (uint8) neighbour;
	}
}

static void
bin_numbers(const DunFineColumn *column, double (*count)[2], double rows, int monotone, const DunBinOptions *options,
			DunCoarseColumn *coarse)
{
	Pool		pools[DUN_FINE_BINS];
	int			ends[DUN_COARSE_BINS];
	int			from = 1 + column->low_marks;
	int			to = column->nbins - column->high_marks;
	int			n = 0;
	int			nruns;

	for (int b = from; b < to; b++)
		pools[n++] = (Pool) {{count[b][0], count[b][1]}, b, b};
	n = pool_empty(pools, n);
	if (monotone)
		n = pool_monotone(pools, n, monotone);
	n = pool_alike(pools, n, POOLS);
	nruns = cut_pools(pools, n, options->leaves, rows, options->penalty, ends);
	for (int r = 0, p = 0; r < nruns; r++)
	{
		double		sum[2] = {0, 0};
		int			bin = add_bin(coarse, sum, false);

		for (; p < ends[r]; p++)
		{
			coarse->count[bin][0] += pools[p].count[0];
			coarse->count[bin][1] += pools[p].count[1];
			for (int b = pools[p].first; b <= pools[p].last; b++)
				coarse->of[b] = (uint8) bin;
		}
	}
	place_marks(coarse, count, from - 1, -1, column->low_marks, 1, monotone);
	place_marks(coarse, count, to, 1, column->high_marks, nruns, monotone);
}

static int
compare_shares(const void *a, const void *b)
{
	double		x = share(a);
	double		y = share(b);

	if (x != y)
		return x < y ? -1 : 1;
	return ((const Pool *) a)->first - ((const Pool *) b)->first;
}

/*
 * Do rare levels differ from each other by more than chance? Then by how many rows of their common share each is to be
 * drawn to it; 0 where they do not. Without true differences the sum of squares over expected ones is that of a
 * chi-square; what it is above that is the variance of true shares (method of moments, as for pairs).
 */
static double
draw_rare(double (*count)[2], int nbins, double enough, double *mean)
{
	double		sum[2] = {0, 0};
	double		gain = 0,
				curve = 0,
				squares = 0;
	int			n = 0;

	for (int b = 2; b < nbins; b++)
		if (count[b][0] + count[b][1] >= RARE_ROWS && count[b][0] + count[b][1] < enough)
			for (int y = 0; y < 2; y++)
				sum[y] += count[b][y];
	*mean = (sum[1] + 0.5) / (sum[0] + sum[1] + 1);
	for (int b = 2; b < nbins; b++)
	{
		double		rows = count[b][0] + count[b][1];
		double		expected = rows * *mean * (1 - *mean);

		if (rows < RARE_ROWS || rows >= enough)
			continue;
		gain += (count[b][1] - rows * *mean) * (count[b][1] - rows * *mean) / expected;
		curve += expected;
		squares += expected * expected;
		n++;
	}
	gain -= n - 1;
	if (n < 2 || gain <= BEYOND * sqrt(2.0 * (n - 1)))
		return 0;
	return (curve - squares / curve) / gain / (*mean * (1 - *mean));
}

/* Texts in the order of their share of label 1; the rare ones are one bin with those never seen. */
static void
bin_levels(const DunFineColumn *column, double (*count)[2], double rows, double total, const DunBinOptions *options,
		   DunCoarseColumn *coarse)
{
	Pool		pools[DUN_FINE_BINS];
	int			ends[DUN_COARSE_BINS];
	double		enough = Max(LEVEL_ROWS, total * LEVEL_SHARE);
	int			n = 0;
	int			nruns;
	int			other = add_bin(coarse, count[1], false);
	double		mean;
	double		drawn = draw_rare(count, column->nbins, enough, &mean);
	Pool	   *ordered;

	coarse->of[1] = (uint8) other;
	for (int b = 2; b < column->nbins; b++)
	{
		double		all = count[b][0] + count[b][1];

		if (all >= enough)
			pools[n++] = (Pool) {{count[b][0], count[b][1]}, b, b};
		else if (drawn > 0 && all >= RARE_ROWS)
		{
			double		p = (count[b][1] + drawn * mean) / (all + drawn);

			pools[n++] = (Pool) {{all * (1 - p), all * p}, b, b};
		}
		else
		{
			coarse->of[b] = (uint8) other;
			coarse->count[other][0] += count[b][0];
			coarse->count[other][1] += count[b][1];
		}
	}
	if (n == 0)
		return;
	qsort(pools, n, sizeof(Pool), compare_shares);
	ordered = palloc(sizeof(Pool) * n);
	memcpy(ordered, pools, sizeof(Pool) * n);
	for (int i = 0; i < n; i++)
		pools[i].first = pools[i].last = i;
	n = pool_alike(pools, n, POOLS);
	nruns = cut_pools(pools, n, options->leaves, Min(rows, enough), options->penalty, ends);
	for (int r = 0, p = 0; r < nruns; r++)
	{
		double		sum[2] = {0, 0};
		int			bin = add_bin(coarse, sum, false);

		for (; p < ends[r]; p++)
		{
			coarse->count[bin][0] += pools[p].count[0];
			coarse->count[bin][1] += pools[p].count[1];
			for (int i = pools[p].first; i <= pools[p].last; i++)
				coarse->of[ordered[i].first] = (uint8) bin;
		}
	}
	pfree(ordered);
}

void
dun_score_bin_coarse(const DunFineColumn *column, const uint8 *label, const uint32 *rows, uint32 n,
					 int monotone, const DunBinOptions *options, DunCoarseColumn *coarse)
{
	double		count[DUN_FINE_BINS][2];
	double		least = Max(options->share * n, 1);

	memset(coarse, 0, sizeof(DunCoarseColumn));
	count_rows(column, label, rows, n, count);
	CHECK_FOR_INTERRUPTS();
	add_bin(coarse, count[0], false);
	if (column->text)
		bin_levels(column, count, least, n, options, coarse);
	else
		bin_numbers(column, count, least, monotone, options, coarse);
}
