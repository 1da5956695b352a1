/*
 * score/train.h
 *		From a matrix to a model with cross-validated metrics.
 */
#ifndef DUN_SCORE_TRAIN_H
#define DUN_SCORE_TRAIN_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "score/matrix.h"
#include "score/metrics.h"
#include "score/model.h"

typedef struct DunTrainOptions
{
	int			folds;
	uint64		seed;
	char	   *group;			/* column whose equal values stay in one fold; NULL: none */
	char	  **exclude;
	int			nexclude;
	const DunKind *kind;
	double	   *values;			/* of the kind's own options; NaN: left open */
} DunTrainOptions;

typedef struct DunTrained
{
	DunModel	model;
	DunMetrics	metrics;		/* of predictions for rows that the fold's own fit had not seen */
	StringInfoData feature_stats;	/* JSON: what each feature looked like, for drift */
} DunTrained;

/* `name` is for messages. The matrix is consumed; options that were open are chosen. */
extern DunTrained *dun_score_train_model(const char *name, DunMatrix *matrix, DunTrainOptions *options);

#endif
