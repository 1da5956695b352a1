/*
 * score/calibrate.h
 *		From the log-odds that a kind gives to log-odds that come true: a rising piecewise linear function.
 *
 * It is learnt from predictions for rows that the fit had not seen, and never changes the order of scores.
 */
#ifndef DUN_SCORE_CALIBRATE_H
#define DUN_SCORE_CALIBRATE_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

typedef enum DunCalibrationMethod
{
	DUN_CALIBRATE_AUTO,			/* chosen in train.c */
	DUN_CALIBRATE_NONE,
	DUN_CALIBRATE_PLATT,
	DUN_CALIBRATE_ISOTONIC
} DunCalibrationMethod;

typedef struct DunCalibration
{
	DunCalibrationMethod method;	/* not AUTO */
	int			n;				/* knots; 0: the identity */
	double	   *at;				/* ascending log-odds of the kind */
	double	   *to;				/* what they become, ascending too */
	double		slope;			/* before the first knot and after the last; above 0 */
} DunCalibration;

/* Text of an option to a method; false where it is none. */
extern bool dun_score_parse_calibration(const char *name, DunCalibrationMethod *method);

/* Learns from the first n pairs, in any order; both classes must be there. `method` is not AUTO. */
extern DunCalibration dun_score_fit_calibration(DunCalibrationMethod method, const double *logit, const uint8 *y, uint32 n);

extern double dun_score_apply_calibration(const DunCalibration *calibration, double logit);

/* ,"calibration":{...} and back; a body without one has the identity. */
extern void dun_score_print_calibration(StringInfo into, const DunCalibration *calibration);
extern DunCalibration dun_score_read_calibration(JsonbContainer *body);

/* A float8 expression of the calibrated log-odds around one of the kind's log-odds. */
extern void dun_score_print_calibration_sql(StringInfo into, const DunCalibration *calibration, const char *logit);

#endif
