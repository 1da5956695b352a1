/*
 * score/train.h
 *		From a matrix to a calibrated model with cross-validated metrics.
 */
#ifndef DUN_SCORE_TRAIN_H
#define DUN_SCORE_TRAIN_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "score/matrix.h"
#include "score/metrics.h"
#include "score/model.h"

/* At least as many as there are kinds. */
#define DUN_KINDS 8

typedef struct DunMonotone
{
	char	   *feature;
	int			direction;		/* +1, -1 or 0 */
} DunMonotone;

typedef struct DunTrainOptions
{
	int			folds;			/* 1: a part is held out instead, so that one model is trained, not one more a fold */
	uint64		most_rows;		/* 0: as many as memory holds */
	uint64		seed;
	char	   *group;			/* column whose equal values stay in one fold; NULL: none */
	char	  **exclude;
	int			nexclude;
	DunCalibrationMethod calibration;
	bool		balanced;		/* class_weight is worked out so that both classes weigh the same */
	double		class_weight[2];	/* 0: no weights */
	DunMonotone *monotone;
	int			nmonotone;
	const DunKind *kind;		/* NULL: auto */
	double	   *values[DUN_KINDS];	/* options of each kind that may be trained; NaN: left open; NULL: not to be trained */
} DunTrainOptions;

/* What `auto` saw of one kind. */
typedef struct DunCandidate
{
	const DunKind *kind;
	DunMetrics	metrics;
	double		behind;			/* its mean log loss less that of the best */
	double		standard_error; /* of `behind` */
} DunCandidate;

typedef struct DunTrained
{
	DunModel	model;
	uint64		n;
	uint64		positives;
	DunMetrics	metrics;		/* of calibrated predictions for rows that neither fit nor calibration had seen */
	DunSpread	scores;			/* of the same predictions; of the model's own where many rows share one */
	const double *values;		/* options of the kind, none left open */
	int			ncandidates;	/* 0 unless auto */
	DunCandidate candidates[DUN_KINDS];
	StringInfoData feature_stats;	/* JSON: what each feature looked like, for drift */
} DunTrained;

/* `name` is for messages. The matrix is consumed; options that were open are chosen. */
extern DunTrained *dun_score_train_model(const char *name, DunMatrix *matrix, DunTrainOptions *options);

#endif
