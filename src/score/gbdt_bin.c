/*
 * score/gbdt_bin.c
 *		From columns of floats to bins.
 *
 * Cuts come from a regular sample: bins of about equal count, a frequent value keeps a bin of its own. A cut lies
 * half-way between two values that occur, so that a value in the gap goes to the nearer side.
 */
#include "score/gbdt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BINS 256
#define SAMPLE_ROWS 100000
#define SIDE_BY_SIDE 8			/* groups of a row in one cache line */
#define AT_ONCE 16				/* rows whose searches run side by side */

/* Floats in order, as their bits in order: negative ones turned over, the others above them. */
static uint32_t
sortable(float v)
{
	uint32_t	bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/* Eleven bits a pass; `spare` is as large as `v`. */
static void
sort_floats(float *v, float *spare, uint32_t n)
{
	for (int shift = 0; shift < 32; shift += 11)
	{
		uint32_t	start[2048] = {0};
		uint32_t	sum = 0;

		for (uint32_t i = 0; i < n; i++)
			start[sortable(v[i]) >> shift & 2047]++;
		for (int k = 0; k < 2048; k++)
		{
			uint32_t	count = start[k];

			start[k] = sum;
			sum += count;
		}
		for (uint32_t i = 0; i < n; i++)
			spare[start[sortable(v[i]) >> shift & 2047]++] = v[i];
		memcpy(v, spare, sizeof(float) * n);
	}
}

/* Between two values, above the lower one. */
static float
half_way(float low, float high)
{
	float		middle = low + (high - low) / 2;

	return middle > low && middle <= high ? middle : high;
}

/*
 * Walks the sorted sample value by value and closes a bin when it holds its share of what is left. A value with more
 * than a share closes the bin before it, too.
 */
static void
cut_sample(DunBinColumn *c, const float *sample, uint32_t n)
{
	uint32_t	distinct = n > 0;
	uint32_t	in_bin = 0;
	uint32_t	left = n;

	for (uint32_t i = 1; i < n; i++)
		distinct += sample[i] != sample[i - 1];
	c->ncuts = 0;
	for (uint32_t i = 0, next; i < n; i = next)
	{
		uint32_t	share = left / (MAX_BINS - 1 - c->ncuts) + 1;
		uint32_t	same;

		for (next = i + 1; next < n && sample[next] == sample[i]; next++)
			;
		same = next - i;
		if (c->ncuts < MAX_BINS - 2 && in_bin > 0 && (distinct < MAX_BINS || in_bin + same / 2 >= share))
		{
			c->cuts[c->ncuts++] = half_way(sample[i - 1], sample[i]);
			left -= in_bin;
			in_bin = 0;
		}
		in_bin += same;
	}
}

static void
cut_column(const DunGbdtHost *host, DunBinColumn *c, const float *values, uint32_t n)
{
	uint32_t	step = n / SAMPLE_ROWS + 1;
	float	   *sample = host->alloc(host->context, sizeof(float) * 2 * (n / step + 1));
	uint32_t	sampled = 0;

	for (uint32_t i = 0; i < n; i += step)
	{
		float		v = values[i];

		if (!isnan(v))
			sample[sampled++] = v;
	}
	sort_floats(sample, sample + n / step + 1, sampled);
	c->cuts = host->alloc(host->context, sizeof(float) * MAX_BINS);
	cut_sample(c, sample, sampled);
	host->release(host->context, sample);
	/* Nothing is above these. */
	for (int i = c->ncuts; i < MAX_BINS; i++)
		c->cuts[i] = NAN;
	c->nbins = c->ncuts + 2;
}

uint8_t
dun_score_bin_value(const DunBinColumn *c, float value)
{
	const float *cuts = c->cuts;
	uint32_t	at = 0;

	if (isnan(value))
		return 0;
	if (c->categorical)
		return value >= 0 && value < c->nlevels ? (int) value + 2 : 1;
	for (uint32_t half = MAX_BINS / 2; half > 0; half /= 2)
		at += cuts[at + half - 1] <= value ? half : 0;
	return at + 1;
}

/* Eight steps a row, without a branch; sixteen rows in flight hide what a step waits for. */
static void
bin_numbers(const DunBinColumn *c, const float *values, uint32_t n, uint8_t *into)
{
	const float *cuts = c->cuts;

	for (uint32_t i = 0; i < n; i += AT_ONCE)
	{
		uint32_t	m = n - i < AT_ONCE ? n - i : AT_ONCE;
		float		v[AT_ONCE] = {0};
		uint32_t	at[AT_ONCE] = {0};

		for (uint32_t k = 0; k < m; k++)
			v[k] = values[i + k];
		for (uint32_t half = MAX_BINS / 2; half > 0; half /= 2)
			for (int k = 0; k < AT_ONCE; k++)
				at[k] += (uint32_t) -(cuts[at[k] + half - 1] <= v[k]) & half;
		for (uint32_t k = 0; k < m; k++)
			into[i + k] = v[k] == v[k] ? at[k] + 1 : 0;
	}
}

/* Columns that are missing in the last group are 0. */
static void
group_columns(const DunBins *b, int group)
{
	uint8_t    *into = b->groups[group];
	size_t		stride = b->strides[group];
	const uint8_t *from[8];
	int			wanted = b->ncols - group * 8;

	for (int k = 0; k < 8; k++)
		from[k] = k < wanted ? b->flat[group * 8 + k] : NULL;
	for (uint32_t r = 0; r < b->n; r++)
		for (int k = 0; k < 8; k++)
			into[r * stride + k] = k < wanted ? from[k][r] : 0;
}

DunBins *
dun_score_bin_columns(const DunGbdtHost *host, const float *const *values, DunBinColumn *columns, int ncols,
					  uint32_t n)
{
	DunBins    *b = host->alloc(host->context, sizeof(DunBins));

	b->n = n;
	b->ncols = ncols;
	b->ngroups = (ncols + 7) / 8;
	b->columns = columns;
	b->groups = host->alloc(host->context, sizeof(uint8_t *) * (b->ngroups + 1));
	b->flat = host->alloc(host->context, sizeof(uint8_t *) * (ncols + 1));
	b->strides = host->alloc(host->context, sizeof(size_t) * (b->ngroups + 1));
	for (int g = 0; g < b->ngroups; g++)
	{
		int			beside = g % SIDE_BY_SIDE;
		int			together = b->ngroups - (g - beside);

		together = together < SIDE_BY_SIDE ? together : SIDE_BY_SIDE;
		b->strides[g] = together * 8;
		b->groups[g] = beside ? b->groups[g - 1] + 8 : host->alloc(host->context, n * b->strides[g] + 8);
	}
	for (int i = 0; i < ncols; i++)
	{
		DunBinColumn *c = &columns[i];
		uint8_t    *into = host->alloc(host->context, n + 1);

		host->poll(host->context, "binning", i, ncols);
		b->flat[i] = into;
		if (c->categorical)
		{
			c->nbins = c->nlevels + 2;
			for (uint32_t r = 0; r < n; r++)
				into[r] = dun_score_bin_value(c, values[i][r]);
			continue;
		}
		cut_column(host, c, values[i], n);
		bin_numbers(c, values[i], n, into);
	}
	for (int g = 0; g < b->ngroups; g++)
		group_columns(b, g);
	return b;
}

void
dun_score_free_bins(const DunGbdtHost *host, DunBins *b)
{
	for (int g = 0; g < b->ngroups; g += SIDE_BY_SIDE)
		host->release(host->context, b->groups[g]);
	for (int i = 0; i < b->ncols; i++)
		host->release(host->context, b->flat[i]);
	host->release(host->context, b->flat);
	host->release(host->context, b->strides);
	host->release(host->context, b->groups);
	host->release(host->context, b);
}
