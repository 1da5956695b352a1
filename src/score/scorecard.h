/*
 * score/scorecard.h
 *		A scorecard over plain columns: binned features, weight of evidence, and a logistic over it.
 *
 * Log-odds are an intercept, one term a feature (of the row's bin) and one a pair of features (of both bins).
 * Terms are centred: over the training rows each has the mean 0.
 */
#ifndef DUN_SCORE_SCORECARD_H
#define DUN_SCORE_SCORECARD_H

#include "postgres.h"

#include "score/bins.h"

typedef struct DunCardInput
{
	uint32		n;
	int			nfeatures;
	const DunFineColumn *columns;
	const int  *monotone;		/* of each column; NULL: none */
	const uint8 *label;
	const float *weight;		/* NULL: each row counts once */
} DunCardInput;

typedef struct DunCardOptions
{
	DunBinOptions bins;
	double		lambda;
	int			pairs;			/* pairs of features with terms of their own, at most */
} DunCardOptions;

typedef struct DunCardFeature
{
	bool		text;
	int			nbins;			/* 0: missing; of a text, 1: any other text */
	double	   *edges;			/* of a number, nbins - 2: bin b + 1 begins at edges[b - 1] */
	int			nlevels;
	uint8	   *level_bin;		/* bin of each level */
	uint8	   *special;		/* of each bin */
	double	   *share;			/* of the training rows in each bin */
	double	   *woe;			/* log-odds of label 1 in the bin against all rows' */
	double	   *term;			/* what the bin adds to the log-odds */
	uint8	   *of;				/* bin of each fine bin; only while training */
} DunCardFeature;

typedef struct DunCardPair
{
	int			first;
	int			second;
	double	   *term;			/* [bin of first * nbins of second + bin of second] */
} DunCardPair;

typedef struct DunCard
{
	double		intercept;
	int			nfeatures;
	DunCardFeature *features;
	int			npairs;
	DunCardPair *pairs;
} DunCard;

/* From these rows (NULL: all), whose numbers ascend. */
extern DunCard *dun_score_train_card(const DunCardInput *input, const uint32 *rows, uint32 n, const DunCardOptions *options);

/* The bin of a value as dense rows have it: NaN is missing, of a text the level's number, negative for any other. */
extern int	dun_score_find_bin(const DunCardFeature *feature, double value);

/* Log-odds of rows of n features, one after the other. */
extern void dun_score_apply_card(const DunCard *card, const double *rows, int n, double *logit);

/* Log-odds of rows of the input, by a card fresh from it. */
extern void dun_score_apply_input(const DunCard *card, const DunCardInput *input, const uint32 *rows, uint32 n, double *logit);

/* Terms of one row, those of pairs halved between both features; returns the intercept. */
extern double dun_score_split_card(const DunCard *card, const double *row, double *terms);

#endif
