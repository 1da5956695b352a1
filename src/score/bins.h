/*
 * score/bins.h
 *		Columns as bin numbers: fine bins that never look at the label, and coarse ones made of them that do.
 *
 * Fine bins are computed once over all rows and serve every fold: bin 0 is missing; of a number 1, 2, ... go
 * up with it; of a text 1 is any other text and 2 + l is level l.
 */
#ifndef DUN_SCORE_BINS_H
#define DUN_SCORE_BINS_H

#include "postgres.h"

#define DUN_FINE_BINS 256

/* Coarse bins of a column, with the missing and the special ones. */
#define DUN_COARSE_BINS 32

typedef struct DunFineColumn
{
	bool		text;
	int			nbins;
	double	   *edges;			/* of a number, nbins - 2 of them: bin b + 1 begins at edges[b - 1] */
	int			low_marks;		/* so many bins at the low end hold one value each that stands apart */
	int			high_marks;
	uint8	   *bins;			/* of each row */
} DunFineColumn;

typedef struct DunBinOptions
{
	int			leaves;			/* coarse bins at most, beside the missing and the special ones */
	double		share;			/* of the rows, in each of them at least */
	double		penalty;		/* what a further bin must add to the log likelihood */
} DunBinOptions;

typedef struct DunCoarseColumn
{
	int			nbins;			/* 0 is missing; of a text, 1 is any other text */
	uint8		of[DUN_FINE_BINS];	/* fine to coarse */
	bool		special[DUN_COARSE_BINS];
	double		count[DUN_COARSE_BINS][2];	/* rows of label 0 and of label 1 */
} DunCoarseColumn;

/* A column of n numbers; NaN is missing. Edges are found in the first rows: they must be a random sample. */
extern void dun_score_bin_numbers(const float *values, uint32 n, DunFineColumn *column);

/* A column of level numbers below nlevels; negative is another text, NaN is missing. */
extern void dun_score_bin_levels(const float *values, uint32 n, int nlevels, DunFineColumn *column);

/* The fine bin of one value, as of the row of training it equals. */
extern int	dun_score_find_fine(const DunFineColumn *column, double value);

/*
 * Coarse bins with the greatest likelihood of the labels of these rows (NULL: all). `monotone` +1 or -1:
 * the share of label 1 only rises or only falls with the value, special values apart.
 */
extern void dun_score_bin_coarse(const DunFineColumn *column, const uint8 *label, const uint32 *rows, uint32 n,
								 int monotone, const DunBinOptions *options, DunCoarseColumn *coarse);

#endif
