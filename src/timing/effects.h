/*
 * timing/effects.h
 *		What dates do to the worth of a contact, measured: multipliers of the answers that were expected without them.
 */
#ifndef DUN_TIMING_EFFECTS_H
#define DUN_TIMING_EFFECTS_H

#include "postgres.h"

#define DUN_EFFECT_PSEUDO 200	/* answers of no effect that each multiplier is held against */

/* Contacts of one day and group, of which the effects of that day are told apart by their marks. */
typedef struct DunEffectCells
{
	int			n;
	const int  *group;			/* of each cell, 0 .. ngroups-1: its level is its own */
	const double *answers;
	const double *expected;		/* by the model, up to a factor a group */
	int			ngroups;
	int			nmarks;
	const int  *mark_cell;		/* in order of effects */
	const int  *mark_effect;	/* 0 .. neffects-1 */
	int			neffects;
} DunEffectCells;

typedef struct DunEffectFit
{
	double		multiplier;
	double		low;			/* between which the data alone put it, 95 in 100 */
	double		high;
	double		answers;
	double		expected;		/* without this effect, but with the others */
	double		weight;			/* how many answers the evidence is worth */
} DunEffectFit;

extern void dun_timing_fit_effects(const DunEffectCells *c, DunEffectFit *fits);

#endif
