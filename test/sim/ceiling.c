/*
 * test/sim/ceiling.c
 *		What somebody could get who knows how these people are made, though not of whom he writes to: the true prior, as
 *		many thousand people drawn from it, each weighed by how well it explains what this person has done so far.
 *		No learner is much better, so a target above it would be out of reach. Weeks are open from 07 to 21 on every day.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define NEGLIGIBLE 8.0			/* less than e^-8 of the likeliest */

static void
open_week(Week *week, int number)
{
	memset(week, 0, sizeof(Week));
	week->number = number;
	week->start = (int64_t) number * WEEK;
	for (int s = 0; s < MAP; s++)
	{
		week->local[0][s] = s % QUARTERS;
		week->allowed[0][s] = s < QUARTERS && s % 96 >= 28 && s % 96 < 84;
	}
}

/* The nth of the slots that are open, in the history those of weekday mornings; the draw is in [0, 1). */
static int
any_slot(const Week *week, bool mornings, double draw)
{
	int			open[QUARTERS];
	int			n = 0;

	for (int s = 0; s < QUARTERS; s++)
		if (week->allowed[0][s] && (!mornings || (s < 5 * 96 && s % 96 >= 36 && s % 96 < 48)))
			open[n++] = s;
	return open[(int) (draw * n)];
}

static int
likely_slot(const World *crowd, const double *weight, const Week *week)
{
	double		value[QUARTERS] = {0};
	double		most = -HUGE_VAL;
	int			best = -1;

	for (int i = 0; i < crowd->set.n; i++)
		most = fmax(most, weight[i]);
	for (int i = 0; i < crowd->set.n; i++)
	{
		double		share = weight[i] > most - NEGLIGIBLE ? exp(weight[i] - most) : 0;

		for (int s = 0; share > 0 && s < QUARTERS; s++)
			value[s] += share * crowd->people[i].p[s];
	}
	for (int s = 0; s < QUARTERS; s++)
		if (week->allowed[0][s] && (best < 0 || value[s] > value[best]))
			best = s;
	return best;
}

/* Each of the crowd explains an answer, or none, as well as it would have given it. */
static void
weigh(const World *crowd, double *weight, const Week *week, int slot, int64_t answered)
{
	int			quarters = answered > 0 ? (int) ((answered - week->start) / QUARTER) - slot : 0;
	double		left = exp(-.25 * quarters / crowd->set.tau);

	for (int i = 0; i < crowd->set.n; i++)
	{
		const Person *p = &crowd->people[i];
		double		all = -log1p(-p->p[slot]);
		int			end = (slot + quarters) % QUARTERS;

		if (answered > 0)
			weight[i] += log(p->rate * p->look[end]) - fmax(0, all + left * log1p(-p->p[end]));
		else
			weight[i] -= all;
	}
}

void
sim_print_ceiling(const World *w, int crowd_size)
{
	Settings	set = w->set;
	World	   *crowd;
	double	   *weight = malloc(sizeof(double) * crowd_size);
	double		got[2] = {0},
				best[2] = {0};

	set.seed += 1000000;
	set.n = crowd_size;
	crowd = sim_make_world(&set);
	for (int i = 0; i < w->set.n; i++)
	{
		memset(weight, 0, sizeof(double) * crowd_size);
		for (int n = 0; n < set.history + set.contacts; n++)
		{
			Week		week;
			int			slot,
						oracle;
			bool		lot = sim_uniform(w->set.seed, 6, i, n) < .05;

			open_week(&week, n);
			slot = any_slot(&week, n < set.history && set.biased, sim_uniform(w->set.seed, 7, i, n));
			if (n >= set.history)
			{
				oracle = any_slot(&week, false, 0);
				for (int s = 0; s < QUARTERS; s++)
					if (week.allowed[0][s] && sim_chance(w, &week, i, s) > sim_chance(w, &week, i, oracle))
						oracle = s;
				if (!lot)
					slot = likely_slot(crowd, weight, &week);
				for (int k = 0; k < 2; k++)
					if (k == 0 || n >= set.history + set.contacts - 4)
					{
						got[k] += sim_chance(w, &week, i, slot);
						best[k] += sim_chance(w, &week, i, oracle);
					}
			}
			weigh(crowd, weight, &week, slot, sim_answer(w, &week, i, slot));
		}
	}
	printf("ceiling\t%.4f\t%.4f\n", got[0] / best[0], got[1] / best[1]);
	free(weight);
}
