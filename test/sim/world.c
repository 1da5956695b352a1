/*
 * test/sim/world.c
 *		The truth. It is none of the shapes that the model can have: people look at their messages around two hours of the
 *		day that are theirs, on some weekdays more than on others and later at weekends; a message has an effect that dies
 *		away with its age, tau, which is not the delay that the model assumes.
 *
 * A look at quarter s of a message of age a becomes an answer with intensity rate * look(s) * e^(-a/tau), for 72 h. The
 * chance of an answer to a message sent at s is exact: 1 - e^-(the sum over its life). The lot that decides an answer is
 * drawn by person and week, so that all policies meet the same luck.
 *
 * How sharp the hours are was set so that a random slot and the best constant one get the shares of the oracle that
 * they get elsewhere (.42 and .52). Somebody who knew how these people are made, and had all the arithmetic of a
 * Bayesian, would get about .71 of the oracle and .74 on the last four of 24 contacts, one in twenty of them by lot
 * (ceiling.c).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define HABITS 5

static uint64_t
mix(uint64_t z)
{
	z += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* In (0, 1), a function of its arguments. */
double
sim_uniform(uint64_t seed, uint64_t a, uint64_t b, uint64_t c)
{
	return ((mix(mix(mix(mix(seed) ^ a) ^ b) ^ c) >> 11) + 0.5) / 9007199254740992.0;
}

typedef struct Lot
{
	uint64_t	seed,
				person,
				draw;
} Lot;

static double
uniform(Lot *l)
{
	return sim_uniform(l->seed, 1, l->person, l->draw++);
}

static double
normal(Lot *l)
{
	double		r = sqrt(-2 * log(uniform(l)));

	return r * cos(2 * M_PI * uniform(l));
}

/* Around the clock: 1 at the centre, narrower with kappa. */
static double
bump(double hour, double centre, double kappa)
{
	return exp(kappa * (cos((hour - centre) * M_PI / 12) - 1));
}

static void
draw_habit(Person *p, const Settings *set, Lot *l)
{
	static const double centres[HABITS][2] = {{7.2, 17.5}, {9.5, 13.4}, {12.3, 21.0}, {18.6, 20.7}, {15.0, 22.6}};
	int			likely = p->segment % HABITS;
	int			habit = uniform(l) < .25 ? likely : (int) (uniform(l) * HABITS);
	double		centre[2],
				kappa[2],
				first = .5 + set->peaks * (uniform(l) - .5),
				later = 1.5 + normal(l),
				sum = 0,
				day[7];

	for (int i = 0; i < 2; i++)
	{
		centre[i] = centres[habit][i] + normal(l);
		kappa[i] = 4 * pow(4, uniform(l));
	}
	for (int d = 0; d < 7; d++)
		day[d] = exp(.35 * normal(l));
	for (int s = 0; s < QUARTERS; s++)
	{
		double		hour = s % 96 / 4.0;
		double		shift = s >= 5 * 96 ? later : 0;
		double		awake = hour >= 7 && hour < 23 ? set->idle : .08 * set->idle;

		p->look[s] = day[s / 96] * (awake + first * bump(hour, centre[0] + shift, kappa[0]) +
									(1 - first) * bump(hour, centre[1] + shift, kappa[1]));
		sum += p->look[s];
	}
	for (int s = 0; s < QUARTERS; s++)
		p->look[s] *= QUARTERS / sum;
}

/* Backwards around the week: what is left of a message a quarter later is d of it, until it is too old. */
static void
find_chances(Person *p, const Settings *set)
{
	double		d = exp(-.25 / set->tau);
	double		end = pow(d, REACH);
	double		fresh = .25 * p->rate * exp(-.125 / set->tau);
	double		s = 0;

	for (int j = REACH - 1; j >= 0; j--)
		s = fresh * p->look[j % QUARTERS] + d * s;
	for (int i = QUARTERS - 1; i >= 0; i--)
	{
		s = fresh * p->look[i] + d * s - end * fresh * p->look[(i + REACH) % QUARTERS];
		p->p[i] = 1 - exp(-s);
	}
}

static void
draw_person(World *w, int person, uint64_t life)
{
	Person	   *p = &w->people[person];
	Lot			l = {w->set.seed, (uint64_t) person, life * 1000};

	draw_habit(p, &w->set, &l);
	if (w->set.flat)
		for (int s = 0; s < QUARTERS; s++)
			p->look[s] = 1;
	find_chances(p, &w->set);
}

World *
sim_make_world(const Settings *set)
{
	World	   *w = calloc(1, sizeof(World));

	w->set = *set;
	w->quiet = 1;
	w->people = calloc(set->n, sizeof(Person));
	for (int i = 0; i < set->n; i++)
	{
		Lot			l = {set->seed, (uint64_t) i, 900};

		w->people[i].segment = i % SEGMENTS;
		w->people[i].rate = set->rate * exp(.7 * normal(&l) - .7 * .7 / 2);
		draw_person(w, i, 0);
	}
	return w;
}

void
sim_change_habits(World *w, double share)
{
	for (int i = 0; i < w->set.n; i++)
		if (sim_uniform(w->set.seed, 2, i, 0) < share)
			draw_person(w, i, 1);
}

double
sim_chance(const World *w, const Week *week, int person, int slot)
{
	const Person *p = &w->people[person];
	double		chance = p->p[week->local[p->zone][slot]];

	return w->quiet == 1 ? chance : 1 - pow(1 - chance, w->quiet);
}

/* When the answer comes, in seconds of the epoch; 0: never. */
int64_t
sim_answer(const World *w, const Week *week, int person, int slot)
{
	const Person *p = &w->people[person];
	double		wish = -log(sim_uniform(w->set.seed, 3, person, week->number));
	double		d = exp(-.25 / w->set.tau);
	double		fresh = .25 * p->rate * w->quiet * exp(-.125 / w->set.tau);

	for (int j = 0; j < REACH; j++, fresh *= d)
	{
		double		part = fresh * p->look[week->local[p->zone][slot + j]];

		if (wish < part)
			return week->start + (int64_t) ((slot + j + wish / part) * QUARTER) + 1;
		wish -= part;
	}
	return 0;
}

int
sim_slot_of(const Week *week, int64_t at)
{
	return (int) ((at - week->start) / QUARTER);
}
