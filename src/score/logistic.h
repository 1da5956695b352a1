/*
 * score/logistic.h
 *		Logistic regression with an L2 penalty, by Newton's method (IRLS).
 */
#ifndef DUN_SCORE_LOGISTIC_H
#define DUN_SCORE_LOGISTIC_H

#include "postgres.h"

/* Standardised columns; the intercept is not one of them. */
typedef struct DunDesign
{
	uint64		n;
	int			p;
	float	  **x;				/* p columns of n values */
	uint8	   *y;
	uint8	   *fold;			/* of each row */
} DunDesign;

/*
 * Minimises sum(log loss) + lambda/2 * |beta without intercept|^2 over the first `rows` rows whose fold is
 * not `left_out` (-1: all). `beta` has p+1 numbers, the intercept first: a start, then the result. False
 * where the normal equations cannot be solved, which a positive lambda prevents.
 */
extern bool dun_score_fit_logistic(const DunDesign *design, uint64 rows, int left_out, double lambda, double *beta);

/* Log-odds of the rows; only of fold `only` unless it is -1. */
extern void dun_score_apply_logistic(const DunDesign *design, uint64 rows, int only, const double *beta, double *logit);

#endif
