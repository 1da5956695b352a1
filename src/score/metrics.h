/*
 * score/metrics.h
 *		How good predictions are.
 */
#ifndef DUN_SCORE_METRICS_H
#define DUN_SCORE_METRICS_H

#include "postgres.h"

typedef struct DunMetrics
{
	uint64		n;
	uint64		positives;
	double		auc;			/* Mann-Whitney, ties count half */
	double		log_loss;
	double		brier;
	double		ks;				/* largest distance of the two classes' distributions */
	double		ece;			/* expected calibration error, ten bins of equal count; equal scores share a bin */
} DunMetrics;

/* Needs at least one row of each class. */
extern DunMetrics dun_score_measure(const double *p, const uint8 *y, uint64 n);

#endif
