/*
 * score/effect.h
 *		Does a treatment work differently in two parts of a segment? A split that is chosen on one half of the units and judged on the other.
 */
#ifndef DUN_SCORE_EFFECT_H
#define DUN_SCORE_EFFECT_H

#include "postgres.h"

#include "score/tree.h"

/* Units of two arms (0 control, 1 treated) and how many of them had the outcome. */
typedef struct DunEffect
{
	uint32		n[2];
	uint32		had[2];
	double		difference;		/* share of the treated less that of the control */
	double		variance;
} DunEffect;

typedef struct DunEffectSplit
{
	DunSplit	split;			/* column -1: no split has enough units on both sides */
	DunEffect	all;
	DunEffect	chosen[2];		/* left and right, in the half that chose */
	DunEffect	judged[2];		/* in the other half */
	bool		enough;			/* units and outcomes in the half that judges */
	double		gap;			/* effect on the left less that on the right, in that half */
	double		variance;		/* of it */
} DunEffectSplit;

/* Which units are looked at, and what they are: rows of the bins, with their arm and outcome, 0 or 1. */
typedef struct DunUnits
{
	const DunBins *bins;
	uint32		n;
	uint32	   *row;
	uint8	   *arm;
	uint8	   *had;
} DunUnits;

/* Each arm of each side needs `least` units, and ten of either outcome, in each half. */
extern DunEffectSplit dun_score_split_effect(const DunUnits *units, uint32 least);

/* Half width of an interval that holds at every look, narrowest at this variance (normal mixture, as in experiment_result()). */
extern double dun_score_interval(double variance, double alpha);

#endif
