/*
 * score/drift.h
 *		Into what parts a column falls, frozen at training and counted again later.
 */
#ifndef DUN_SCORE_DRIFT_H
#define DUN_SCORE_DRIFT_H

#include "postgres.h"

#define DUN_DECILES 11			/* with least and most */

/* What a column of numbers looked like. */
typedef struct DunSpread
{
	double		deciles[DUN_DECILES];
	int			nshares;
	double		shares[DUN_DECILES - 1];	/* of the n values: up to the first edge, ..., above the last */
} DunSpread;

/*
 * The different inner deciles below the last one, at most 9: a part reaches up to its edge and includes it. Where there
 * are none, what is just under the greatest value. Returns how many.
 */
extern int	dun_score_find_edges(const double *deciles, double *edges);

/* The part that a value falls into: how many edges lie below it. */
extern int	dun_score_find_part(const double *edges, int nedges, double value);

extern DunSpread dun_score_describe_floats(const float *sorted, uint32 n);

/* Of values in any order. */
extern DunSpread dun_score_describe_doubles(const double *values, uint32 n);

#endif
