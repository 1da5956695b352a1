/*
 * score/gbdt.h
 *		Gradient boosted trees for a 0/1 label: binning, growing, scoring. Plain arrays, no server calls.
 *
 * Numbers become at most 255 bins a column, bin 0 is missing. Trees are complete: a node that did not split sends
 * every row to the left. Same data, parameters and seed give the same trees, bit by bit.
 */
#ifndef DUN_SCORE_GBDT_H
#define DUN_SCORE_GBDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DUN_GBDT_MAX_DEPTH 8
#define DUN_GBDT_BATCH 64		/* rows scored side by side */

/* What the core asks of its surroundings; `alloc` never returns NULL, `poll` may jump out. */
typedef struct DunGbdtHost
{
	void	   *context;
	void	   *(*alloc) (void *context, size_t size);
	void		(*release) (void *context, void *p);
	void		(*poll) (void *context, const char *stage, int done, int total);
} DunGbdtHost;

typedef struct DunBinColumn
{
	bool		categorical;
	int8_t		direction;		/* the score may only rise (1) or fall (-1) with the value; 0: free */
	int			nbins;			/* bin 0 included */
	int			ncuts;
	float	   *cuts;			/* bin = 1 + number of cuts <= value; NULL where categorical */
	int			nlevels;		/* at most 254: bin = 2 + level; any other text is level -1 */
} DunBinColumn;

/*
 * Rows as bins: groups of eight columns, 8 bytes a row, and up to eight groups side by side, so that all of a row that
 * is read together is in one cache line. The bin of a row: groups[column / 8][row * strides[column / 8] + column % 8].
 * Dividing rows asks for one column of all of them: for that the same stands column by column, too.
 */
typedef struct DunBins
{
	uint32_t	n;
	int			ncols;
	int			ngroups;
	DunBinColumn *columns;
	uint8_t   **groups;
	size_t	   *strides;
	uint8_t   **flat;			/* n a column */
} DunBins;

typedef struct DunGbdtParams
{
	int			trees;
	int			depth;
	int			patience;		/* rounds without a better log loss of the rows left out */
	double		eta;
	double		min_child_weight;
	double		lambda;
	double		row_sample;
	double		column_sample;
	double		level_cost;		/* times what chance gains, which a split by sets of levels must exceed */
	uint64_t	seed;
} DunGbdtParams;

/* A row goes left where (uint8_t) (bin - skip) <= threshold: skip 1 sends the missing to the right. */
typedef struct DunTreeNode
{
	uint16_t	column;
	uint8_t		threshold;
	uint8_t		skip;
} DunTreeNode;

typedef struct DunForest
{
	int			ntrees;
	int			depth;
	int			ncols;
	double		base;			/* log-odds before the first tree */
	DunBinColumn *columns;
	DunTreeNode *nodes;			/* (1 << depth) - 1 a tree, breadth first */
	float	   *leaves;			/* 1 << depth a tree */
	uint32_t   *covers;			/* training rows in each node, leaves last; (2 << depth) - 1 a tree */
	int32_t    *masks_at;		/* a node's mask, or -1; NULL: no tree asks for a level */
	int			nmasks;
	uint64_t	(*masks)[4];	/* a bit a bin that goes left */
	float	   *means;			/* a node's expected value; filled by dun_score_finish_forest */
} DunForest;

/* Columns of n floats: NaN is missing; level numbers of a categorical column. */
extern DunBins *dun_score_bin_columns(const DunGbdtHost *host, const float *const *values, DunBinColumn *columns,
									  int ncols, uint32_t n);
extern void dun_score_free_bins(const DunGbdtHost *host, DunBins *bins);

/* Grows exactly params->trees trees on some rows, whose numbers ascend. `weight`, of all rows, may be NULL. */
extern DunForest *dun_score_boost_trees(const DunGbdtHost *host, const DunBins *bins, const uint8_t *y,
										const float *weight, const uint32_t *rows, uint32_t nrows,
										const DunGbdtParams *params);

/*
 * Fills in what is open in params (a depth or number of trees of 0, a negative weight or share of columns): the least log loss of rows
 * left out, each fold grown until that loss no longer falls. `fold` is below nfolds, for each of all rows.
 */
extern double dun_score_choose_trees(const DunGbdtHost *host, const DunBins *bins, const uint8_t *y,
									 const float *weight, const uint8_t *fold, int nfolds, const uint32_t *rows,
									 uint32_t nrows, DunGbdtParams *params);

/* The bin of a value as training saw it. */
extern uint8_t dun_score_bin_value(const DunBinColumn *column, float value);

/* Adds one tree's values to the margins of rows, which are numbered as in bins. */
extern void dun_score_walk_bins(const DunForest *forest, int tree, const DunBins *bins, const uint32_t *rows,
								uint32_t n, float *margin);

/* To be called once a forest is grown or read: what contributions need. */
extern void dun_score_finish_forest(const DunGbdtHost *host, DunForest *forest);

/* Log-odds of n rows of ncols doubles each. `room` has DUN_GBDT_BATCH * ncols bytes, zeroed once. */
extern void dun_score_walk_rows(const DunForest *forest, const double *rows, uint32_t n, double *logit, uint8_t *room);

/* What each column adds to one row's log-odds; returns the constant: constant + sum = the log-odds. */
extern double dun_score_walk_contributions(const DunForest *forest, const double *row, double *contribution);

#endif
