/*
 * score/gbdt_grow.h
 *		One tree on given gradients: between the boosting loop and the grower.
 */
#ifndef DUN_SCORE_GBDT_GROW_H
#define DUN_SCORE_GBDT_GROW_H

#include "score/gbdt.h"

/*
 * A row's gradient and hessian as whole numbers in one word, gradient above: sums are exact in any order. The units are
 * chosen so that no sum over the rows of a tree leaves 31 bits.
 */
typedef uint64_t DunGradient;

/* Row numbers behind the last that are read, to fetch them from memory early. */
#define DUN_ROWS_AHEAD 24

typedef struct DunGrower
{
	const DunBins *bins;
	const DunGbdtParams *params;
	const DunGradient *gradient;	/* of every row */
	double		gradient_unit;
	double		hessian_unit;
	float	   *margin;			/* of every row; the tree's values are added for the rows it grew on */
	bool	   *sampled;		/* columns */
	bool		constrained;	/* a column has a direction */
	DunGradient **pool;			/* histograms, one a depth */
	uint32_t   *spare;
	uint8_t    *group_used;

	/* The tree being grown. */
	DunForest  *forest;
	DunTreeNode *nodes;
	float	   *leaves;
	uint32_t   *covers;
	int32_t    *masks_at;
} DunGrower;

extern DunGrower *dun_score_open_grower(const DunGbdtHost *host, const DunBins *bins, const DunGbdtParams *params, uint32_t n);

extern void dun_score_close_grower(DunGrower *grower, const DunGbdtHost *host);

/* `rows` are reordered. Appends a tree to the forest, which has room for it. */
extern void dun_score_grow_tree(DunGrower *grower, DunForest *forest, uint32_t *rows, uint32_t n);

#endif
