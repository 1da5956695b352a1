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

/* Fewer rows of either class than this teach nothing. */
#define DUN_MIN_CLASS 50

typedef struct DunTrainOptions
{
	int			folds;
	int			levels;			/* one-hot columns of a text */
	double		lambda;			/* negative: chosen by cross-validation */
	uint64		seed;
	char	   *group;			/* column whose equal values stay in one fold; NULL: none */
	char	  **exclude;
	int			nexclude;
} DunTrainOptions;

typedef struct DunTrained
{
	DunModel	model;
	DunMetrics	metrics;		/* of predictions for rows that the fold's own fit had not seen */
	double		lambda;
	StringInfoData feature_stats;	/* JSON: what each feature looked like, for drift */
} DunTrained;

/* Tells other sessions how far a training is (view dunning.progress); NULL ends it. */
extern void dun_score_report_progress(const char *model, const char *stage, int done, int total);
extern void dun_score_end_progress(void);

/* `name` is for messages. The matrix is consumed: its columns are overwritten. */
extern DunTrained *dun_score_train_logistic(const char *name, DunMatrix *matrix, const DunTrainOptions *options);

#endif
