/*
 * score/irls.h
 *		Logistic regression with an L2 penalty over columns as they lie in a matrix.
 *
 * A regressor says how a column is read: clipped and standardised, as a flag, or through a table of its
 * bins. Nothing is copied, so that one matrix serves every kind and every fold.
 */
#ifndef DUN_SCORE_IRLS_H
#define DUN_SCORE_IRLS_H

#include "postgres.h"

/* `level` of a regressor that is not the flag of one level. */
#define DUN_AS_NUMBER -1
#define DUN_AS_MISSING -2
#define DUN_AS_BIN -3

typedef struct DunRegressor
{
	int			level;			/* >= 0: 1 where the column holds this level */
	const float *values;		/* of all rows; NaN is missing. Not for DUN_AS_BIN */
	float		low;			/* DUN_AS_NUMBER: clipped to [low, high], the missing at the mean */
	float		high;
	double		mean;			/* what is used is (value - mean) * scale */
	double		scale;
	const uint8 *bins;			/* DUN_AS_BIN: bin numbers of all rows */
	const uint8 *second;		/* of another column; NULL: none */
	int			stride;			/* table[bin * stride + second] */
	const double *table;
} DunRegressor;

typedef struct DunRegression
{
	uint64		n;
	const uint32 *rows;			/* row numbers, ascending; NULL: 0 .. n-1 */
	const uint8 *label;			/* of all rows */
	const float *weight;		/* of all rows; NULL: each counts once */
	int			p;
	const DunRegressor *x;
	double		lambda;
	bool		near;			/* the start is the solution of nearly the same rows */
} DunRegression;

/*
 * Minimises sum(weight * log loss) + lambda/2 * |beta without intercept|^2. `beta` has p+1 numbers, the
 * intercept first: a start, then the result. False where the normal equations have no single solution,
 * which a positive lambda prevents.
 */
extern bool dun_score_fit_irls(const DunRegression *r, double *beta);

/* Log-odds of the n rows, in their order. */
extern void dun_score_apply_irls(const DunRegression *r, const double *beta, double *logit);

/*
 * Log-odds of each row as a fit without the row's fold would give them: one Newton step from `beta`, the
 * fit on all rows (or on more of the same kind), for each fold. All of it costs about one pass with second
 * derivatives. What is left out of account is of second order in the step, which is small where there are many
 * more rows than columns. `fold` is of all rows, as `label` is. False as for a fit.
 */
extern bool dun_score_leave_out_irls(const DunRegression *r, const uint8 *fold, int folds, const double *beta,
									 double *logit);

#endif
