/*
 * test/sim/policies.c
 *		The policies beside which the model is measured. Each sees what a product of its kind would see: when it sent, and
 *		when an answer came. Only the oracle and the constant slot know the truth: the latter is the best slot that any
 *		campaign for a whole segment could have found.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static int
best_of(const World *w, const Week *week, int person, double (*worth) (void *, const World *, const Week *, int, int), void *self)
{
	int			zone = w->people[person].zone;
	int			best = -1;
	double		most = -1;

	for (int s = 0; s < QUARTERS; s++)
		if (week->allowed[zone][s])
		{
			double		v = worth(self, w, week, person, s);

			if (v > most * (1 + 1e-12))
			{
				most = v;
				best = s;
			}
		}
	return best;
}

static double
true_worth(void *self, const World *w, const Week *week, int person, int slot)
{
	return sim_chance(w, week, person, slot);
}

static int
choose_oracle(Policy *self, const World *w, const Week *week, int person)
{
	return best_of(w, week, person, true_worth, self);
}

static int
choose_random(Policy *self, const World *w, const Week *week, int person)
{
	int			zone = w->people[person].zone;
	int			open = 0,
				nth;

	for (int s = 0; s < QUARTERS; s++)
		open += week->allowed[zone][s];
	nth = (int) (sim_uniform(w->set.seed, 4, person, week->number) * open);
	for (int s = 0; s < QUARTERS; s++)
		if (week->allowed[zone][s] && nth-- == 0)
			return s;
	return -1;
}

/* ---- the best slot of a segment ---- */

static void
prepare_constant(Policy *self, const World *w, const Week *week)
{
	memset(self->book, 0, sizeof(self->book));
	for (int i = 0; i < w->set.n; i++)
		for (int s = 0; s < QUARTERS; s++)
			self->book[w->people[i].segment][w->people[i].zone][s] += w->people[i].p[s];
}

static double
book_worth(void *self, const World *w, const Week *week, int person, int slot)
{
	const Person *p = &w->people[person];

	return ((Policy *) self)->book[p->segment][p->zone][week->local[p->zone][slot]];
}

static int
choose_constant(Policy *self, const World *w, const Week *week, int person)
{
	return best_of(w, week, person, book_worth, self);
}

/* ---- the hour in which most answers came: on the first day that allows it, else the nearest that is allowed ---- */

static void
prepare_frequent(Policy *self, const World *w, const Week *week)
{
	memset(self->book, 0, sizeof(self->book));
	for (int i = 0; i < w->set.n; i++)
		for (int h = 0; h < 24; h++)
			self->book[w->people[i].segment][0][h] += self->memory[i].answers[h];
}

static int
choose_frequent(Policy *self, const World *w, const Week *week, int person)
{
	const Person *p = &w->people[person];
	const float *own = self->memory[person].answers;
	int			hour = -1,
				best = -1,
				nearest = 1 << 20;

	for (int h = 0; h < 24; h++)
		if (own[h] > 0 && (hour < 0 || own[h] > own[hour]))
			hour = h;
	if (hour < 0)
		for (int h = hour = 0; h < 24; h++)
			if (self->book[p->segment][0][h] > self->book[p->segment][0][hour])
				hour = h;
	for (int s = 0; s < QUARTERS; s++)
		if (week->allowed[p->zone][s])
		{
			int			off = abs(week->local[p->zone][s] % 96 - hour * 4);

			if (off < nearest)
			{
				nearest = off;
				best = s;
			}
		}
	return best;
}

/* ---- share of answers by the hour of sending: own tries, shrunk to the segment's, shrunk to its mean ---- */

static double
cell(const float *x, int h)
{
	double		sum = 0;
	int			from = h >= 120 ? 120 : 0,
				until = h >= 120 ? 168 : 120;

	/* An hour of one weekday alone has hardly any tries: the other days count by a fifth. */
	for (int o = from + h % 24; o < until; o += 24)
		sum += o == h ? x[o] : .2 * x[o];
	return sum;
}

static void
prepare_beta(Policy *self, const World *w, const Week *week)
{
	float		tries[SEGMENTS][168] = {{0}},
				hits[SEGMENTS][168] = {{0}};

	for (int i = 0; i < w->set.n; i++)
		for (int h = 0; h < 168; h++)
		{
			tries[w->people[i].segment][h] += self->memory[i].tries[h];
			hits[w->people[i].segment][h] += self->memory[i].hits[h];
		}
	for (int g = 0; g < SEGMENTS; g++)
	{
		double		all = 1,
					of = 10;

		for (int h = 0; h < 168; h++)
		{
			all += hits[g][h];
			of += tries[g][h];
		}
		for (int h = 0; h < 168; h++)
			self->book[g][0][h] = (cell(hits[g], h) + 10 * all / of) / (cell(tries[g], h) + 10);
	}
}

static double
beta_worth(void *self, const World *w, const Week *week, int person, int slot)
{
	const Person *p = &w->people[person];
	const Memory *m = &((Policy *) self)->memory[person];
	int			h = week->local[p->zone][slot] / 4;
	double		prior = ((Policy *) self)->book[p->segment][0][h];

	return (cell(m->hits, h) + 2 * prior) / (cell(m->tries, h) + 2);
}

static int
choose_beta(Policy *self, const World *w, const Week *week, int person)
{
	return best_of(w, week, person, beta_worth, self);
}

/* ---- the slot that did best for the segment so far; one contact in twenty by lot ---- */

static double
learnt_worth(void *self, const World *w, const Week *week, int person, int slot)
{
	const Person *p = &w->people[person];

	return ((Policy *) self)->book[p->segment][0][week->local[p->zone][slot] / 4];
}

static int
choose_learnt(Policy *self, const World *w, const Week *week, int person)
{
	if (sim_uniform(w->set.seed, 8, person, week->number) < .05)
		return choose_random(self, w, week, person);
	return best_of(w, week, person, learnt_worth, self);
}

/* ---- memory ---- */

Policy *
sim_make_policies(const World *w, int weeks)
{
	static const Policy list[POLICIES] = {
		{.name = "oracle", .choose = choose_oracle},
		{.name = "random allowed slot", .choose = choose_random},
		{.name = "best constant slot a segment (known)", .choose = choose_constant, .prepare = prepare_constant},
		{.name = "best constant slot a segment (learnt)", .choose = choose_learnt, .prepare = prepare_beta},
		{.name = "most frequent hour of answers", .choose = choose_frequent, .prepare = prepare_frequent},
		{.name = "Beta-Binomial by hour of sending", .choose = choose_beta, .prepare = prepare_beta},
		{.name = "dunning"},
	};
	Policy	   *p = calloc(POLICIES, sizeof(Policy));

	memcpy(p, list, sizeof(list));
	for (int i = 0; i < POLICIES; i++)
	{
		p[i].value = calloc(weeks, sizeof(double));
		if (p[i].prepare == prepare_frequent || p[i].prepare == prepare_beta)
			p[i].memory = calloc(w->set.n, sizeof(Memory));
	}
	return p;
}

void
sim_remember(Policy *p, const World *w, const Week *week, int person, int slot, int64_t answered)
{
	Memory	   *m = p->memory ? &p->memory[person] : NULL;
	int			free;

	if (m == NULL)
		return;
	free = m->sent[0] == 0 ? 0 : 1;
	m->sent[free] = week->start + (int64_t) slot * QUARTER;
	m->answered[free] = answered;
	m->hour[free] = week->local[w->people[person].zone][slot] / 4;
}

/* Contacts whose end is known now: answered, or too old. */
void
sim_learn(Policy *p, const World *w, int64_t now)
{
	for (int i = 0; p->memory && i < w->set.n; i++)
	{
		Memory	   *m = &p->memory[i];

		for (int k = 0; k < 2; k++)
		{
			bool		hit = m->answered[k] > 0 && m->answered[k] < now;

			if (m->sent[k] == 0 || (!hit && now < m->sent[k] + REACH * QUARTER))
				continue;
			m->tries[m->hour[k]]++;
			m->hits[m->hour[k]] += hit;
			if (hit)
			{
				/* The hour of the answer: as far after the hour of sending as it came. */
				int			later = (int) ((m->answered[k] - m->sent[k] / 3600 * 3600) / 3600);

				m->answers[(m->hour[k] + later) % 24]++;
			}
			m->sent[k] = 0;
		}
	}
}
