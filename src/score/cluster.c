/*
 * score/cluster.c
 *		k-means (Lloyd 1982, seeded as k-means++: Arthur and Vassilvitskii 2007) over mid-ranks.
 *
 * A column becomes its mid-rank over n, so that neither its unit nor its tails decide; a missing value stands in the middle. Texts take no part. The
 * groups are found on a sample of at equal distances, since rows stand in the order of a hash, and every row then goes to the nearest
 * centre. One thread, one order, one seed: the same rows give the same groups.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "base/hash.h"
#include "score/cluster.h"

#define FIT_ROWS 20000
#define SILHOUETTE_ROWS 1000
#define ROUNDS 40
#define STARTS 3

typedef struct Space
{
	uint32		n;
	int			d;
	float	   *at;				/* at[row * d + dimension] */
} Space;

typedef struct Ranked
{
	double		value;
	uint32		row;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;

	if (x->value != y->value)
		return x->value > y->value ? 1 : -1;
	return x->row < y->row ? -1 : 1;
}

static void
put_ranks(const DunRows *rows, int c, Space *s, int dimension)
{
	Ranked	   *ranked = palloc_extended(sizeof(Ranked) * rows->n, MCXT_ALLOC_HUGE);
	uint32		n = 0;

	for (uint32 i = 0; i < rows->n; i++)
		if (isnan(rows->x[c][i]))
			s->at[(Size) i * s->d + dimension] = 0.5f;
		else
			ranked[n++] = (Ranked) {rows->x[c][i], i};
	qsort(ranked, n, sizeof(Ranked), compare_ranked);
	for (uint32 i = 0; i < n;)
	{
		uint32		end = i + 1;

		while (end < n && ranked[end].value == ranked[i].value)
			end++;
		for (uint32 j = i; j < end; j++)
			s->at[(Size) ranked[j].row * s->d + dimension] = (float) ((i + end) / 2.0 / n);
		i = end;
	}
	pfree(ranked);
}

static Space
make_space(const DunRows *rows)
{
	Space		s = {.n = rows->n};
	int			d = 0;

	for (int c = 0; c < rows->ncolumns; c++)
		s.d += !rows->is_text[c];
	s.at = palloc_extended(sizeof(float) * Max((Size) s.n * s.d, 1), MCXT_ALLOC_HUGE);
	for (int c = 0; c < rows->ncolumns; c++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!rows->is_text[c])
			put_ranks(rows, c, &s, d++);
	}
	return s;
}

static double
distance(const float *a, const double *centre, int d)
{
	double		sum = 0;

	for (int i = 0; i < d; i++)
		sum += (a[i] - centre[i]) * (a[i] - centre[i]);
	return sum;
}

static int
nearest(const float *a, const double *centres, int k, int d, double *how_far)
{
	int			best = 0;

	*how_far = INFINITY;
	for (int j = 0; j < k; j++)
	{
		double		far = distance(a, centres + j * d, d);

		if (far < *how_far)
		{
			*how_far = far;
			best = j;
		}
	}
	return best;
}

/* The first centres: each next one with a probability in proportion to its squared distance from those before. False: all rows are centres. */
static bool
seed_centres(const Space *s, int k, uint64 *rng, double *centres, double *far)
{
	for (uint32 i = 0; i < s->n; i++)
		far[i] = INFINITY;
	for (int j = 0; j < k; j++)
	{
		uint32		row = 0;
		double		total = 0;

		if (j == 0)
			row = (uint32) (dun_base_rng_uniform(rng) * s->n);
		else
		{
			double		lot;

			for (uint32 i = 0; i < s->n; i++)
				total += far[i];
			if (total <= 0)
				return false;
			lot = dun_base_rng_uniform(rng) * total;
			for (row = 0; row + 1 < s->n && (lot -= far[row]) >= 0;)
				row++;
		}
		for (int i = 0; i < s->d; i++)
			centres[j * s->d + i] = s->at[(Size) row * s->d + i];
		for (uint32 i = 0; i < s->n; i++)
			far[i] = Min(far[i], distance(s->at + (Size) i * s->d, centres + j * s->d, s->d));
	}
	return true;
}

/* Lloyd's rounds; returns the squared distance that is left. An empty group stays where it is. */
static double
settle_centres(const Space *s, int k, double *centres)
{
	double	   *sum = palloc(sizeof(double) * k * s->d);
	uint32	   *count = palloc(sizeof(uint32) * k);
	double		left = INFINITY;

	for (int round = 0; round < ROUNDS; round++)
	{
		double		now = 0;

		CHECK_FOR_INTERRUPTS();
		memset(sum, 0, sizeof(double) * k * s->d);
		memset(count, 0, sizeof(uint32) * k);
		for (uint32 i = 0; i < s->n; i++)
		{
			double		far;
			int			j = nearest(s->at + (Size) i * s->d, centres, k, s->d, &far);

			now += far;
			count[j]++;
			for (int c = 0; c < s->d; c++)
				sum[j * s->d + c] += s->at[(Size) i * s->d + c];
		}
		if (now >= left * (1 - 1e-9))
			break;
		left = now;
		for (int j = 0; j < k; j++)
			for (int c = 0; c < s->d && count[j] > 0; c++)
				centres[j * s->d + c] = sum[j * s->d + c] / count[j];
	}
	pfree(sum);
	pfree(count);
	return left;
}

/* Rows at equal distances: a random sample, since they stand in the order of a hash. */
static Space
sample(const Space *s, uint32 most)
{
	Space		t = {.n = Min(s->n, most), .d = s->d};

	t.at = palloc(sizeof(float) * Max((Size) t.n * t.d, 1));
	for (uint32 i = 0; i < t.n; i++)
		memcpy(t.at + (Size) i * t.d, s->at + (Size) ((uint64) i * s->n / t.n) * t.d, sizeof(float) * t.d);
	return t;
}

/* Mean silhouette: (b - a) / max(a, b), a the mean distance to one's own group, b that to the nearest other; 0 for one alone. */
static double
silhouette(const Space *s, const float *pairs, int k, const double *centres)
{
	int		   *of = palloc(sizeof(int) * s->n);
	uint32		count[DUN_MAX_CLUSTERS] = {0};
	double		total = 0;
	double		far;

	for (uint32 i = 0; i < s->n; i++)
		count[of[i] = nearest(s->at + (Size) i * s->d, centres, k, s->d, &far)]++;
	for (uint32 i = 0; i < s->n; i++)
	{
		double		sum[DUN_MAX_CLUSTERS] = {0};
		double		own;
		double		other = INFINITY;

		for (uint32 j = 0; j < s->n; j++)
			sum[of[j]] += pairs[(Size) i * s->n + j];
		if (count[of[i]] < 2)
			continue;
		own = sum[of[i]] / (count[of[i]] - 1);
		for (int j = 0; j < k; j++)
			if (j != of[i] && count[j] > 0)
				other = Min(other, sum[j] / count[j]);
		if (isfinite(other) && Max(own, other) > 0)
			total += (other - own) / Max(own, other);
	}
	pfree(of);
	return total / s->n;
}

static float *
all_pairs(const Space *s)
{
	float	   *pairs = palloc(sizeof(float) * s->n * s->n);

	for (uint32 i = 0; i < s->n; i++)
		for (uint32 j = 0; j < s->n; j++)
		{
			double		sum = 0;

			for (int c = 0; c < s->d; c++)
			{
				double		gap = s->at[(Size) i * s->d + c] - s->at[(Size) j * s->d + c];

				sum += gap * gap;
			}
			pairs[(Size) i * s->n + j] = (float) sqrt(sum);
		}
	return pairs;
}

/* The best of a few starts. */
static bool
fit_centres(const Space *s, int k, uint64 seed, double *centres)
{
	double	   *tried = palloc(sizeof(double) * k * s->d);
	double	   *far = palloc(sizeof(double) * s->n);
	double		least = INFINITY;

	for (int start = 0; start < STARTS; start++)
	{
		uint64		rng = seed * 1000003 + k * 101 + start;
		double		left;

		if (!seed_centres(s, k, &rng, tried, far))
			break;
		left = settle_centres(s, k, tried);
		if (left < least)
		{
			least = left;
			memcpy(centres, tried, sizeof(double) * k * s->d);
		}
	}
	pfree(tried);
	pfree(far);
	return isfinite(least);
}

/* Every row to its centre, and the groups numbered by size. */
static void
give_rows(const Space *s, const double *centres, DunClusters *result)
{
	uint32		count[DUN_MAX_CLUSTERS] = {0};
	int			place[DUN_MAX_CLUSTERS];
	double		far;

	for (uint32 i = 0; i < s->n; i++)
		count[result->of[i] = nearest(s->at + (Size) i * s->d, centres, result->k, s->d, &far)]++;
	for (int j = 0; j < result->k; j++)
	{
		place[j] = 0;
		for (int other = 0; other < result->k; other++)
			place[j] += count[other] > count[j] || (count[other] == count[j] && other < j);
		result->count[place[j]] = count[j];
	}
	for (uint32 i = 0; i < s->n; i++)
		result->of[i] = place[result->of[i]];
}

DunClusters *
dun_score_find_clusters(const DunRows *rows, int least_k, int most_k, uint64 seed)
{
	DunClusters *result = palloc0(sizeof(DunClusters));
	Space		all = make_space(rows);
	Space		fit = sample(&all, FIT_ROWS);
	Space		judge = sample(&all, SILHOUETTE_ROWS);
	float	   *pairs = all_pairs(&judge);
	double	   *best = palloc(sizeof(double) * DUN_MAX_CLUSTERS * Max(all.d, 1));
	double	   *centres = palloc(sizeof(double) * DUN_MAX_CLUSTERS * Max(all.d, 1));

	result->least_k = least_k;
	result->most_k = most_k;
	for (int k = least_k; k <= most_k; k++)
	{
		result->silhouette[k] = NAN;
		if (all.d == 0 || !fit_centres(&fit, k, seed, centres))
			continue;
		result->silhouette[k] = silhouette(&judge, pairs, k, centres);
		if (result->k == 0 || result->silhouette[k] > result->silhouette[result->k] + 1e-9)
		{
			result->k = k;
			memcpy(best, centres, sizeof(double) * k * all.d);
		}
	}
	if (result->k == 0)
		return NULL;
	result->of = palloc_extended(rows->n, MCXT_ALLOC_HUGE);
	give_rows(&all, best, result);
	return result;
}
