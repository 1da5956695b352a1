/*
 * timing/prior.h
 *		Learning what a book has in common, from its profiles and the contacts that were entered.
 */
#ifndef DUN_TIMING_PRIOR_H
#define DUN_TIMING_PRIOR_H

#include "timing/profile.h"

/* By hours after a contact arrived: answers, and the intensity of those who had not answered yet. */
typedef struct DunAges
{
	double		answers[DUN_LONGEST_REACH];
	double		expected[DUN_LONGEST_REACH];
} DunAges;

/* `hours` of the week through which a contact lay, in the last of which it was answered. */
extern void dun_timing_add_delay(DunAges *ages, const DunProfile *before, const DunPrior *prior, const int *hours, int nhours, bool answered);

extern void dun_timing_learn_delay(DunPrior *prior, int medium, const DunAges *ages);
extern void dun_timing_learn_shape(DunPrior *prior, const double k[DUN_HOURS], const double e[DUN_HOURS]);

/* Changes theta of the profiles as well. */
extern void dun_timing_learn_archetypes(DunPrior *prior, DunProfile **profiles, int n, int rounds);

/* Delays and shares of answers as they were: profiles were made with them, and are read with the same. */
extern void dun_timing_keep_delays(DunPrior *prior, const DunPrior *before);

/* How differently exposure is counted, over the medium where it is most: .25 is a quarter of it. */
extern double dun_timing_prior_change(const DunPrior *a, const DunPrior *b);

#endif
