/*
 * score/set.h
 *		What every kind of model learns from: dense columns, labels, weights and folds.
 *
 * Statistics of a feature are taken over all rows and never look at the label. Rows stand in the order of a
 * hash, equal ones together: rows at equal distances are a random sample, the first ones are not.
 */
#ifndef DUN_SCORE_SET_H
#define DUN_SCORE_SET_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "score/drift.h"
#include "score/matrix.h"

/* A text that is no level of its feature. */
#define DUN_OTHER_LEVEL (-1.0)

/* Levels kept of a text: the most frequent ones that stand in at least so many rows. */
#define DUN_VOCABULARY 254
#define DUN_LEVEL_ROWS 10

/* Fewer rows of either class than this teach nothing. */
#define DUN_MIN_CLASS 50

typedef struct DunFeature
{
	char	   *name;
	DunFeatureType type;
	int			nlevels;		/* of a text, in byte order */
	char	  **levels;
	double		mean;			/* of a number, clipped to its 1st and 99th percentile: what `reasons` calls usual */

	/* Only while training. */
	int			monotone;		/* +1, -1: the log-odds may only rise, only fall with it; 0: either */
	uint32		present;		/* rows in which it is not missing */
	uint32	   *counts;			/* rows of each level */
	double		low;			/* the two percentiles */
	double		high;
	double		sd;				/* of clipped values; 0: a constant, which only sometimes is missing */
	DunSpread	spread;			/* of those that are not missing */
} DunFeature;

typedef struct DunTrainSet
{
	const char *name;			/* of the model, for messages and progress */
	MemoryContext context;		/* lives as long as the set */
	uint32		n;
	int			nfeatures;
	DunFeature *features;
	float	  **x;				/* x[feature][row], as in a dense row */
	uint8	   *y;
	float	   *weight;			/* NULL: each row counts once */
	bool		grouped;		/* by a column of the query; else each row is its own group */
	uint64	   *group;			/* a hash; rows of equal group belong on one side of any split */
	int			folds;
	uint8	   *fold;			/* of each row */
	uint64		seed;
} DunTrainSet;

/* Consumes the matrix. Columns that say nothing are left out with a NOTICE; DN004 where that leaves too little. */
extern DunTrainSet *dun_score_make_set(const char *name, DunMatrix *matrix, int folds, uint64 seed);

/*
 * Sets the first fold's rows aside; both arrays have room for n row numbers, and the rows held are returned. The rows
 * kept fill one fold less than before; those held are dealt to as many, for what is to be learnt of them.
 */
extern uint32 dun_score_hold_out(DunTrainSet *set, uint32 *kept, uint32 *held);

/* JSON: what each feature looked like, for drift. */
extern void dun_score_print_stats(StringInfo into, const DunTrainSet *set);

/* A row of the set as scoring sees it. */
extern void dun_score_dense_row(const DunTrainSet *set, uint32 row, double *dense);

#endif
