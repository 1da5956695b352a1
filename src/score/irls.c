/*
 * score/irls.c
 *		Newton's method for the logistic: each step solves (X'WX + lambda I) d = X'W(y - p) - lambda b.
 *
 * Rows are taken in blocks that stay in the first cache, as doubles; X'WX is summed in tiles of 4 by 2
 * columns that stay in registers. Sums run in four lanes in a fixed order, with no fused multiply-add, so
 * that the plain and the AVX2 form of the same code give the same bits; exp() is our own for the same reason.
 *
 * Rows are first solved on a sample of them, no further than the sample tells about the rest. Of very many the
 * matrix of second derivatives is then as good as known, of fewer it is computed after one step; what is left
 * needs first derivatives only: a pass that costs the columns, not their square. The matrix is computed anew only
 * where a step brings too little.
 *
 * What fits into a cache is gathered once, block by block, so that passes read from one end to the other.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "score/irls.h"

#define BLOCK 128
#define LANES 4
#define VECTORS (BLOCK / LANES)
#define TILE 4					/* columns are padded to a multiple of it */
#define MAX_PASSES 100
#define SAMPLE 16				/* one row in so many is solved first */
#define SAMPLE_ROWS 4096		/* and at least so many, */
#define SAMPLE_PER_COLUMN 64	/* and so many a column */
#define KNOWN_PER_COLUMN 1024	/* rows a column whose second derivatives serve for the others */
#define PACKED_BYTES (16 * 1024 * 1024)

/*
 * Stop where a Newton step promises to lower the loss of all rows by less than this, and take that step:
 * an estimate's own uncertainty is 1 on this scale, and the step's error is of higher order.
 */
#define PROMISE 1e-7
#define NEAR 2e-3				/* a promise a row: so close, second derivatives stay what they are, as good as */
#define VAGUE 0.1				/* a promise a column: a sample's solution is further than that from the one of all rows */

typedef double Vector __attribute__((vector_size(LANES * sizeof(double)), aligned(8)));
typedef int64 Mask __attribute__((vector_size(LANES * sizeof(int64)), aligned(8)));
typedef float Floats __attribute__((vector_size(LANES * sizeof(float)), aligned(4)));
typedef int32 FloatMask __attribute__((vector_size(LANES * sizeof(int32)), aligned(4)));

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_AVX2_FORM 1
#endif

typedef struct Newton
{
	const DunRegression *r;
	float	   *packed;			/* BLOCK numbers of each column, then those of the next rows; NULL: as the columns lie */
	int			q;				/* p + 1 */
	int			padded;			/* q up to a multiple of TILE */
	double	   *gradient;
	double	   *hessian;		/* q x q, lower half */
	double	   *factor;			/* its Cholesky factor */
	double	   *step;
	double	   *trial;
	Vector	   *x;				/* `padded` columns of BLOCK rows; the first is all ones */
	Vector	   *weighted;		/* TILE columns */
	Vector	   *lanes;			/* sums of the tiles, in the order they are walked */
	Vector	   *slope;			/* sums of the gradient */
	Vector		eta[VECTORS];
	Vector		y[VECTORS];		/* -1: no row */
	Vector		w[VECTORS];		/* weight of the row, 0: no row */
	bool		borrowed;		/* the factor is that of too few rows to go on with */
	double		loss;
} Newton;

static Vector *
new_vectors(Size n)
{
	/* palloc promises 8 bytes; vectors are declared so. */
	return palloc_extended(n * sizeof(Vector), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static Size
tiles(int padded)
{
	Size		jt = padded / TILE;

	return jt * (jt + 1);		/* 2, 4, 6, ... tiles of 4 by 2 */
}

#define CHOOSE(mask, a, b) ((Vector) (((mask) & (Mask) (a)) | (~(mask) & (Mask) (b))))
#define CHOOSE_FLOATS(mask, a, b) ((Floats) (((mask) & (FloatMask) (a)) | (~(mask) & (FloatMask) (b))))

/* BLOCK numbers between the ends of their column; what is not a number stays so. */
static pg_attribute_always_inline void
clip_block(const DunRegressor *x, const float *from, float *to)
{
	const Floats low = {x->low, x->low, x->low, x->low};
	const Floats high = {x->high, x->high, x->high, x->high};

	for (int v = 0; v < VECTORS; v++)
	{
		Floats		value = ((const Floats *) from)[v];

		value = CHOOSE_FLOATS(value < low, low, value);
		((Floats *) to)[v] = CHOOSE_FLOATS(value > high, high, value);
	}
}

/* The numbers of all rows, clipped, as passes walk through them; NULL where they are too many, or not numbers. */
static float *
pack(const DunRegression *r)
{
	uint64		blocks = (r->n + BLOCK - 1) / BLOCK;
	float	   *packed,
			   *to;

	if (blocks * BLOCK * r->p > PACKED_BYTES / sizeof(float))
		return NULL;
	for (int j = 0; j < r->p; j++)
		if (r->x[j].level == DUN_AS_BIN)
			return NULL;
	to = packed = palloc_extended(sizeof(float) * Max(blocks * BLOCK * r->p, 1), MCXT_ALLOC_HUGE);
	for (uint64 from = 0; from < r->n; from += BLOCK)
	{
		int			n = (int) Min(BLOCK, r->n - from);

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < r->p; j++, to += BLOCK)
		{
			const float *values = r->x[j].values;

			if (r->rows)
				for (int i = 0; i < n; i++)
					to[i] = values[r->rows[from + i]];
			else
				memcpy(to, values + from, sizeof(float) * n);
			for (int i = n; i < BLOCK; i++)
				to[i] = 0;
			if (r->x[j].level == DUN_AS_NUMBER)
				clip_block(&r->x[j], to, to);
		}
	}
	return packed;
}

static void
open_newton(Newton *w, const DunRegression *r)
{
	memset(w, 0, sizeof(Newton));
	w->r = r;
	w->q = r->p + 1;
	w->padded = (w->q + TILE - 1) / TILE * TILE;
	w->gradient = palloc0(sizeof(double) * w->q);
	w->step = palloc0(sizeof(double) * w->q);
	w->trial = palloc0(sizeof(double) * w->q);
	w->hessian = palloc_extended(sizeof(double) * w->q * w->q, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	w->factor = palloc_extended(sizeof(double) * w->q * w->q, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	w->x = new_vectors((Size) w->padded * VECTORS);
	w->weighted = new_vectors(TILE * VECTORS);
	w->lanes = new_vectors(tiles(w->padded) * TILE * 2);
	w->slope = new_vectors(w->padded);
}

static void
close_newton(Newton *w)
{
	if (w->packed)
		pfree(w->packed);
	pfree(w->gradient);
	pfree(w->step);
	pfree(w->trial);
	pfree(w->hessian);
	pfree(w->factor);
	pfree(w->x);
	pfree(w->weighted);
	pfree(w->lanes);
	pfree(w->slope);
}

static pg_attribute_always_inline double
add_lanes(const Vector *v)
{
	return ((*v)[0] + (*v)[1]) + ((*v)[2] + (*v)[3]);
}

/* What is left over here as not a number stands at the mean. */
static pg_attribute_always_inline void
standardise_block(const DunRegressor *x, const float *restrict from, double *restrict to)
{
	double		mean = x->mean;
	double		scale = x->scale;

	for (int i = 0; i < BLOCK; i++)
	{
		double		value = (from[i] - mean) * scale;

		to[i] = value == value ? value : 0;
	}
}

/* One column of a block: packed, of consecutive rows from `from`, or of the rows named. */
static pg_attribute_always_inline void
load_column(const DunRegressor *x, const float *packed, uint64 from, const uint32 *rows, int n, double *restrict to)
{
	double		mean = x->mean;
	double		scale = x->scale;

	if (x->level == DUN_AS_BIN)
	{
		const uint8 *bins = x->bins;

		if (x->second)
			for (int i = 0; i < n; i++)
			{
				uint64		row = rows ? rows[i] : from + i;

				to[i] = x->table[bins[row] * x->stride + x->second[row]];
			}
		else if (rows)
			for (int i = 0; i < n; i++)
				to[i] = x->table[bins[rows[i]]];
		else
			for (int i = 0; i < n; i++)
				to[i] = x->table[bins[from + i]];
	}
	else
	{
		float		gathered[BLOCK];
		const float *restrict v = gathered;
		float		level = x->level;

		if (packed)
			v = packed;
		else if (rows)
			for (int i = 0; i < n; i++)
				gathered[i] = x->values[rows[i]];
		else if (n == BLOCK)
			v = x->values + from;
		else
			memcpy(gathered, x->values + from, sizeof(float) * n);
		if (x->level == DUN_AS_NUMBER && packed)
			standardise_block(x, v, to);
		else if (x->level == DUN_AS_NUMBER)
		{
			for (int i = n; i < BLOCK; i++)
				gathered[i] = 0;
			clip_block(x, v, gathered);
			standardise_block(x, gathered, to);
		}
		else if (x->level == DUN_AS_MISSING)
			for (int i = 0; i < n; i++)
				to[i] = ((v[i] == v[i] ? 0 : 1) - mean) * scale;
		else
			for (int i = 0; i < n; i++)
				to[i] = ((v[i] == level ? 1 : 0) - mean) * scale;
	}
	for (int i = n; i < BLOCK; i++)
		to[i] = 0;
}

/* exp() of numbers in [-700, 0]: 2^k times a polynomial of what is left, to the last bit or two. */
static pg_attribute_always_inline void
exp_vector(Vector *restrict result, const Vector *restrict of)
{
	const double round = 6755399441055744.0;	/* 1.5 * 2^52: what is added to it is rounded to a whole number */
	Vector		t = *of;
	Vector		k = t * 1.4426950408889634 + round;
	Mask		bits = (Mask) k;
	Vector		r,
				s;

	k -= round;
	r = t - k * 6.93147180369123816490e-01;
	r -= k * 1.90821492927058770002e-10;
	s = 1.6059043836821613e-10 * r + 2.08767569878681e-09;
	s = s * r + 2.505210838544172e-08;
	s = s * r + 2.755731922398589e-07;
	s = s * r + 2.7557319223985893e-06;
	s = s * r + 2.48015873015873e-05;
	s = s * r + 0.0001984126984126984;
	s = s * r + 0.001388888888888889;
	s = s * r + 0.008333333333333333;
	s = s * r + 0.041666666666666664;
	s = s * r + 0.16666666666666666;
	s = s * r + 0.5;
	s = s * r + 1.0;
	s = s * r + 1.0;
	bits = (bits + 1023) << 52;
	*result = s * (Vector) bits;
}

/*
 * From the log-odds of a block: the loss, y - p into `residual`, p(1 - p) into `curve`, both weighted. The
 * logarithms of the loss are taken of products of up to VECTORS numbers between 1 and 2.
 */
static pg_attribute_always_inline void
bend_block(Newton *w, Vector *restrict residual, Vector *restrict curve)
{
	const Vector one = {1, 1, 1, 1};
	const Vector zero = {0, 0, 0, 0};
	const Vector least = {-700, -700, -700, -700};
	const Mask	sign = {PG_INT64_MIN, PG_INT64_MIN, PG_INT64_MIN, PG_INT64_MIN};
	Vector		odds = one;
	Vector		straight = zero;

	for (int v = 0; v < VECTORS; v++)
	{
		Vector		eta = w->eta[v];
		Vector		y = w->y[v];
		Vector		t = (Vector) ((Mask) eta | sign);
		Mask		positive = eta > zero;
		Vector		e,
					p,
					inverse;

		t = CHOOSE(t < least, least, t);
		exp_vector(&e, &t);
		e += one;
		if (w->r->weight)
			for (int l = 0; l < LANES; l++)
				w->loss += w->w[v][l] * log(e[l]);
		else
			odds *= CHOOSE(y >= zero, e, one);
		inverse = one / e;
		p = CHOOSE(positive, inverse, one - inverse);
		straight += w->w[v] * (CHOOSE(positive, eta, zero) - y * eta);
		residual[v] = w->w[v] * (y - p);
		curve[v] = w->w[v] * (p * (one - p));
	}
	w->loss += add_lanes(&straight);
	for (int l = 0; l < LANES; l++)
		w->loss += log(odds[l]);
}

/* X'WX of a block into the lanes, tile by tile of the lower half. */
static pg_attribute_always_inline void
cross_block(Newton *w, const Vector *restrict curve)
{
	Vector	   *restrict sum = w->lanes;

	for (int j = 0; j < w->padded; j += TILE)
	{
		const Vector *restrict left = w->weighted;

		for (int t = 0; t < TILE; t++)
			for (int v = 0; v < VECTORS; v++)
				w->weighted[t * VECTORS + v] = w->x[(j + t) * VECTORS + v] * curve[v];
		for (int k = 0; k < j + TILE; k += 2)
		{
			const Vector *restrict a = w->x + k * VECTORS;
			const Vector *restrict b = a + VECTORS;
			Vector		s0 = sum[0],
						s1 = sum[1],
						s2 = sum[2],
						s3 = sum[3],
						s4 = sum[4],
						s5 = sum[5],
						s6 = sum[6],
						s7 = sum[7];

			for (int v = 0; v < VECTORS; v++)
			{
				Vector		l0 = left[v],
							l1 = left[v + VECTORS],
							l2 = left[v + 2 * VECTORS],
							l3 = left[v + 3 * VECTORS];

				s0 += l0 * a[v];
				s1 += l1 * a[v];
				s2 += l2 * a[v];
				s3 += l3 * a[v];
				s4 += l0 * b[v];
				s5 += l1 * b[v];
				s6 += l2 * b[v];
				s7 += l3 * b[v];
			}
			sum[0] = s0;
			sum[1] = s1;
			sum[2] = s2;
			sum[3] = s3;
			sum[4] = s4;
			sum[5] = s5;
			sum[6] = s6;
			sum[7] = s7;
			sum += 8;
		}
	}
}

/* The BLOCK rows from position `from`, or the last `n`. */
static pg_attribute_always_inline void
take_block(Newton *w, uint64 from, int n, const double *beta, bool second)
{
	const DunRegression *r = w->r;
	const uint32 *rows = r->rows ? r->rows + from : NULL;
	const float *packed = w->packed ? w->packed + from * r->p : NULL;
	Vector		residual[VECTORS];
	Vector		curve[VECTORS];
	double	   *y = (double *) w->y;
	double	   *weight = (double *) w->w;

	for (int i = 0; i < BLOCK; i++)
	{
		int			label = i < n ? r->label[rows ? rows[i] : from + i] : -1;

		y[i] = label;
		weight[i] = label < 0 ? 0 : r->weight ? r->weight[rows ? rows[i] : from + i] : 1;
	}
	for (int v = 0; v < VECTORS; v++)
	{
		w->x[v] = (Vector) {1, 1, 1, 1};
		w->eta[v] = w->x[v] * beta[0];
	}
	for (int j = 1; j < w->q; j++)
	{
		Vector	   *restrict x = w->x + j * VECTORS;
		double		b = beta[j];

		load_column(&r->x[j - 1], packed ? packed + (j - 1) * BLOCK : NULL, from, rows, n, (double *) x);
		for (int v = 0; v < VECTORS; v++)
			w->eta[v] += x[v] * b;
	}
	bend_block(w, residual, curve);
	for (int j = 0; j < w->q; j++)
	{
		const Vector *restrict x = w->x + j * VECTORS;
		Vector		even = w->slope[j],
					odd = {0, 0, 0, 0};

		for (int v = 0; v < VECTORS; v += 2)
		{
			even += x[v] * residual[v];
			odd += x[v + 1] * residual[v + 1];
		}
		w->slope[j] = even + odd;
	}
	if (second)
		cross_block(w, curve);
}

static void
take_block_plain(Newton *w, uint64 from, int n, const double *beta, bool second)
{
	take_block(w, from, n, beta, second);
}

#ifdef HAVE_AVX2_FORM
__attribute__((target("avx2"))) static void
take_block_avx2(Newton *w, uint64 from, int n, const double *beta, bool second)
{
	take_block(w, from, n, beta, second);
}
#endif

typedef void (*TakeBlock) (Newton *w, uint64 from, int n, const double *beta, bool second);

static TakeBlock
choose_form(void)
{
#ifdef HAVE_AVX2_FORM
	if (__builtin_cpu_supports("avx2"))
		return take_block_avx2;
#endif
	return take_block_plain;
}

/* Loss and gradient at beta, and the second derivatives where `second`, over the first `n` rows. */
static void
accumulate(Newton *w, uint64 n, const double *beta, bool second)
{
	TakeBlock	take = choose_form();
	double		lambda = w->r->lambda;

	w->loss = 0;
	memset(w->slope, 0, sizeof(Vector) * w->padded);
	if (second)
		memset(w->lanes, 0, sizeof(Vector) * tiles(w->padded) * TILE * 2);
	for (uint64 from = 0; from < n; from += BLOCK)
	{
		CHECK_FOR_INTERRUPTS();
		take(w, from, (int) Min(BLOCK, n - from), beta, second);
	}
	for (int j = 0; j < w->q; j++)
	{
		w->gradient[j] = add_lanes(&w->slope[j]);
		if (j > 0)
		{
			w->loss += lambda / 2 * beta[j] * beta[j];
			w->gradient[j] -= lambda * beta[j];
		}
	}
	if (second)
	{
		const Vector *sum = w->lanes;

		for (int j = 0; j < w->padded; j += TILE)
			for (int k = 0; k < j + TILE; k += 2)
				for (int c = 0; c < 2; c++)
					for (int t = 0; t < TILE; t++, sum++)
						if (j + t < w->q && k + c <= j + t)
							w->hessian[(Size) (j + t) * w->q + k + c] = add_lanes(sum);
	}
}

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

/* Cholesky factor of times * hessian + lambda I; false where two columns say the same. */
static bool
factorise(Newton *w, double times)
{
	int			q = w->q;
	double	   *f = w->factor;

	for (int j = 0; j < q; j++)
	{
		double		full = w->hessian[(Size) j * q + j] * times + (j ? w->r->lambda : 0);
		double		left = full - dot(f + (Size) j * q, f + (Size) j * q, j);

		CHECK_FOR_INTERRUPTS();
		if (!(left > 1e-13 * full) || !(full > 0))
			return false;
		f[(Size) j * q + j] = sqrt(left);
		for (int i = j + 1; i < q; i++)
			f[(Size) i * q + j] = (w->hessian[(Size) i * q + j] * times - dot(f + (Size) i * q, f + (Size) j * q, j)) /
				f[(Size) j * q + j];
	}
	return true;
}

/* The Newton step; returns what it promises to lower the loss by. */
static double
solve(Newton *w)
{
	const double *f = w->factor;
	double	   *s = w->step;
	int			q = w->q;

	for (int i = 0; i < q; i++)
		s[i] = (w->gradient[i] - dot(f + (Size) i * q, s, i)) / f[(Size) i * q + i];
	for (int i = q - 1; i >= 0; i--)
	{
		s[i] /= f[(Size) i * q + i];
		for (int k = 0; k < i; k++)
			s[k] -= f[(Size) i * q + k] * s[i];
	}
	return dot(w->gradient, s, q) / 2;
}

/*
 * Newton's method over the first `n` rows, until a step promises no more than `enough`. `known` says that the
 * factor is that of these rows, as good as; on return it is that of the last second derivatives.
 */
static bool
descend(Newton *w, uint64 n, double *beta, bool known, double enough)
{
	double		promise = INFINITY;
	double		loss;

	accumulate(w, n, beta, !known);
	for (int pass = 0; pass < MAX_PASSES; pass++)
	{
		double		before = promise;
		double		scale = 1;

		if (!known && !factorise(w, 1))
			return false;
		promise = solve(w);
		if (known && promise > before / 16)
		{
			known = false;
			accumulate(w, n, beta, true);
			if (!factorise(w, 1))
				return false;
			promise = solve(w);
		}
		loss = w->loss;
		for (;;)
		{
			for (int j = 0; j < w->q; j++)
				w->trial[j] = beta[j] + scale * w->step[j];
			if (promise <= enough)
				break;
			if (scale == 1 && promise < n * NEAR)
				known = true;
			/* Good for one step towards where they are computed. */
			if (w->borrowed)
				known = w->borrowed = false;
			accumulate(w, n, w->trial, !known);
			if (w->loss <= loss || scale < 1e-6)
				break;
			scale /= 2;
		}
		/* Not even a millionth of the step helps: what is left is rounding. */
		if (scale < 1e-6)
			return true;
		memcpy(beta, w->trial, sizeof(double) * w->q);
		if (promise <= enough)
			return true;
	}
	return true;
}

/*
 * Solves every so manieth row, of which the second derivatives stay. Rows may stand in an order that brings equal
 * ones together, so the sample goes through all of them.
 */
static bool
solve_sample(Newton *w, uint64 wanted, double *beta)
{
	const DunRegression *all = w->r;
	float	   *packed = w->packed;
	DunRegression sample = *all;
	uint64		step = all->n / wanted;
	uint32	   *rows = palloc_extended(sizeof(uint32) * wanted, MCXT_ALLOC_HUGE);
	bool		solved;

	for (uint64 i = 0; i < wanted; i++)
		rows[i] = all->rows ? all->rows[i * step] : (uint32) (i * step);
	sample.n = wanted;
	sample.rows = rows;
	w->r = &sample;
	w->packed = pack(&sample);
	solved = descend(w, wanted, beta, false, VAGUE * w->q);
	if (w->packed)
		pfree(w->packed);
	w->r = all;
	w->packed = packed;
	pfree(rows);
	return solved;
}

bool
dun_score_fit_irls(const DunRegression *r, double *beta)
{
	Newton		w;
	uint64		sample = Max(r->n / SAMPLE, Max(SAMPLE_ROWS, (uint64) SAMPLE_PER_COLUMN * r->p));
	bool		known = false;
	bool		solved;

	open_newton(&w, r);
	w.packed = pack(r);
	if (!r->near && sample <= r->n / 2)
	{
		if (!solve_sample(&w, sample, beta))
			memset(beta, 0, sizeof(double) * w.q);
		else
			known = factorise(&w, r->n / (double) sample);
		w.borrowed = known && sample < (uint64) KNOWN_PER_COLUMN * w.q;
	}
	solved = descend(&w, r->n, beta, known, PROMISE);
	close_newton(&w);
	return solved;
}

/* Log-odds of one row range; the columns go by so that each is read once a block. */
void
dun_score_apply_irls(const DunRegression *r, const double *beta, double *logit)
{
	double		x[BLOCK];

	for (uint64 from = 0; from < r->n; from += BLOCK)
	{
		int			n = (int) Min(BLOCK, r->n - from);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			logit[from + i] = beta[0];
		for (int j = 0; j < r->p; j++)
		{
			load_column(&r->x[j], NULL, from, r->rows ? r->rows + from : NULL, n, x);
			for (int i = 0; i < n; i++)
				logit[from + i] += beta[j + 1] * x[i];
		}
	}
}

/* The rows of a fold, ascending, and where they stand among all of them. */
static uint64
rows_of_fold(const DunRegression *r, const uint8 *fold, int wanted, uint32 *rows, uint64 *place)
{
	uint64		n = 0;

	for (uint64 i = 0; i < r->n; i++)
	{
		uint32		row = r->rows ? r->rows[i] : (uint32) i;

		place[n] = i;
		rows[n] = row;
		n += fold[row] == wanted;
	}
	return n;
}

/* The step from the sums of all folds without those of one; false: there is no single solution. */
static bool
step_without(Newton *w, const double *beta, const double *all, const double *own)
{
	Size		square = (Size) w->q * w->q;

	for (Size i = 0; i < square; i++)
		w->hessian[i] = all[i] - own[i];
	for (int j = 0; j < w->q; j++)
		w->gradient[j] = all[square + j] - own[square + j] - (j > 0 ? w->r->lambda * beta[j] : 0);
	if (!factorise(w, 1))
		return false;
	(void) solve(w);
	for (int j = 0; j < w->q; j++)
		w->trial[j] = beta[j] + w->step[j];
	return true;
}

bool
dun_score_leave_out_irls(const DunRegression *r, const uint8 *fold, int folds, const double *beta, double *logit)
{
	Size		square = (Size) (r->p + 1) * (r->p + 1);
	Size		sums = square + r->p + 1;	/* second derivatives, then first ones */
	uint32	   *rows = palloc_extended(sizeof(uint32) * (r->n + 1), MCXT_ALLOC_HUGE);
	uint64	   *place = palloc_extended(sizeof(uint64) * (r->n + 1), MCXT_ALLOC_HUGE);
	double	   *out = palloc_extended(sizeof(double) * (r->n + 1), MCXT_ALLOC_HUGE);
	double	   *all = palloc_extended(sizeof(double) * sums, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	double	   *own = palloc_extended(sizeof(double) * sums * folds, MCXT_ALLOC_HUGE);
	DunRegression part = *r;
	bool		solved = true;
	Newton		w;

	part.rows = rows;
	part.lambda = 0;
	open_newton(&w, &part);
	for (int f = 0; f < folds; f++)
	{
		double	   *sum = own + sums * f;

		part.n = rows_of_fold(r, fold, f, rows, place);
		accumulate(&w, part.n, beta, true);
		memcpy(sum, w.hessian, sizeof(double) * square);
		memcpy(sum + square, w.gradient, sizeof(double) * w.q);
		for (Size i = 0; i < sums; i++)
			all[i] += sum[i];
	}
	part.lambda = r->lambda;
	for (int f = 0; f < folds && solved; f++)
	{
		part.n = rows_of_fold(r, fold, f, rows, place);
		solved = step_without(&w, beta, all, own + sums * f);
		if (!solved)
			break;
		dun_score_apply_irls(&part, w.trial, out);
		for (uint64 i = 0; i < part.n; i++)
			logit[place[i]] = out[i];
	}
	close_newton(&w);
	pfree(rows);
	pfree(place);
	pfree(out);
	pfree(all);
	pfree(own);
	return solved;
}
