/*
 * timing/calibrate.h
 *		What the model's chances of an answer are worth, measured on contacts whose instant was drawn by lot.
 */
#ifndef DUN_TIMING_CALIBRATE_H
#define DUN_TIMING_CALIBRATE_H

#include "postgres.h"

/* a, b1, b3, b2 of logit P = a + b1 mean + b3 max(0, bend - x) + b2 (x - mean) */
#define DUN_CALIBRATION_PARTS 4

/* All zeros: nothing was measured yet. */
typedef struct DunCalibration
{
	/* of contacts drawn by lot: logit P = a + b1 mean + b2 (x - mean) */
	float4		a;
	float4		b1;
	float4		b2;				/* 0 .. 1: how much of the difference between hours is believed */
	float4		flat;			/* 1: measured, and hours make no difference worth waiting for */
	float4		chosen[DUN_CALIBRATION_PARTS + 1];	/* as fitted on the other contacts, and the bend; the second is 0 without */
} DunCalibration;

typedef struct DunCalibrationFit
{
	double		b[DUN_CALIBRATION_PARTS];	/* as they fit best */
	double		error;			/* of b2 */
} DunCalibrationFit;

/* The model's log-odds of a chance of an answer. */
extern double dun_timing_log_odds(double chance);

/* The chance that is reported for x among allowed instants of this mean, and for their average; needs b1 > 0. */
extern double dun_timing_calibrated(const DunCalibration *c, double x, double mean, bool drawn, double *baseline);

/* Few contacts leave what is `usual`. false: there are none. */
extern bool dun_timing_fit_calibration(const double *x, const double *mean, const bool *answered, int n,
									   const double usual[DUN_CALIBRATION_PARTS], double bend, DunCalibrationFit *fit);

/* What is claimed of a fit: less the less sure it is. */
extern DunCalibration dun_timing_claimed(const DunCalibrationFit *fit);

#endif
