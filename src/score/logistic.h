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
	int			p;
	float	  **x;				/* p columns */
	const uint8 *y;
	const float *weight;		/* NULL: each row counts once */
} DunDesign;

/*
 * Minimises sum(weight * log loss) + lambda/2 * |beta without intercept|^2 over the given rows, whose numbers
 * ascend. `beta` has p+1 numbers, the intercept first: a start, then the result. False where the normal
 * equations cannot be solved, which a positive lambda prevents.
 */
extern bool dun_score_fit_logistic(const DunDesign *design, const uint32 *rows, uint32 nrows, double lambda, double *beta);

#endif
