/*
 * score/tree.h
 *		Trees of a few leaves that can be read: each leaf is a WHERE clause.
 *
 * A split takes the column and threshold that take most off the squared error of its outputs (CART: Breiman et al. 1984; for one-hot outputs that
 * is the Gini index). How deep is asked by five folds; the simplest tree within one standard error of the best is taken.
 */
#ifndef DUN_SCORE_TREE_H
#define DUN_SCORE_TREE_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "score/segment_rows.h"

#define DUN_TREE_DEPTH 4
#define DUN_TREE_NODES 31
#define DUN_TREE_BINS 64

/* Columns cut at quantiles: row by row the number of its bin. */
typedef struct DunBins
{
	const DunRows *rows;
	uint8	  **bin;			/* bin[column][row]; DUN_BIN_MISSING */
	int		   *nbins;
	double	  **cut;			/* of a number: rows of bins up to b are those <= cut[b]; the last is infinity */
	int		  **level;			/* of a text: the level of bin b, -1: all rare ones */
} DunBins;

#define DUN_BIN_MISSING 255

typedef struct DunSplit
{
	int			column;			/* -1: none */
	int			bin;
	bool		missing_left;
	double		gain;
} DunSplit;

typedef struct DunNode
{
	DunSplit	split;			/* column -1: a leaf */
	int			left;
	int			right;
	int			parent;
	int			depth;
	uint32		first;			/* its rows in DunTree.order */
	uint32		n;
	double	   *mean;			/* of each output */
	double		error;			/* squared, summed over rows and outputs */
} DunNode;

typedef struct DunTree
{
	const DunBins *bins;
	int			noutputs;
	double	  **y;
	uint32	   *order;
	int			nnodes;
	DunNode		nodes[DUN_TREE_NODES];
} DunTree;

extern DunBins *dun_score_make_bins(const DunRows *rows, uint32 least);

/* rows NULL: all. A child has at least `least` rows. */
extern DunTree *dun_score_grow_segments(const DunBins *bins, double **y, int noutputs, const uint32 *rows, uint32 nrows, int depth, uint32 least);

/* Ways to cut a column behind a bin: 2, missing values on the right or on the left; 1, on the right; 0, there is none. */
extern int	dun_score_count_ways(const DunBins *bins, int column, int bin, uint32 missing);

/* Whether a row goes left. */
extern bool dun_score_goes_left(const DunBins *bins, const DunSplit *split, uint32 row);

/* Takes back splits whose both sides are leaves of the same class. */
extern void dun_score_join_leaves(DunTree *tree, int *class_of);

/* The node that a row ends in, at most so deep. */
extern int	dun_score_find_node(const DunTree *tree, uint32 row, int depth);

/* Mean squared error of each depth 0 .. depth by five folds (of the key's hash), and the depth to take. */
extern int	dun_score_choose_depth(const DunBins *bins, double **y, int noutputs, int depth, uint32 least, double *error);

/* The conditions from the root to a node, true where there are none. */
extern void dun_score_print_path(StringInfo into, const DunTree *tree, int node);

/* The condition of one side of a split. */
extern void dun_score_print_side(StringInfo into, const DunBins *bins, const DunSplit *split, bool left);

#endif
