/*
 * test/sim/world.h
 *		A book of made-up debtors whose hours are known, and the simple policies that a model has to beat.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#define QUARTERS 672			/* of an hour, in a local week */
#define QUARTER 900				/* seconds */
#define WEEK (7 * 86400)
#define REACH 288				/* quarters after which nobody answers any more: 72 h */
#define MAP (QUARTERS + REACH + 8)
#define SEGMENTS 4
#define ZONES 2

typedef struct Settings
{
	uint64_t	seed;
	int			n;
	double		tau;			/* hours in which the wish to answer falls to 1/e */
	int			history;		/* contacts before the first decision */
	int			contacts;		/* decisions */
	bool		biased;			/* history sent Mon-Fri 9-12 only */
	bool		flat;			/* hours make no difference */
	double		change;			/* share of debtors who take up new habits after a third of the contacts */
	double		fakes;			/* share of contacts that a machine opens (and half of the time clicks) within seconds */
	bool		late;			/* news of answers comes hours or days later, twice and in any order */
	double		optout;			/* chance of an opt-out a contact */
	double		moves;			/* share of debtors who move to another zone after a third of the contacts */
	int			closure;		/* weeks in the middle in which hardly anybody answers */
	double		rate;			/* mean looks at messages an hour */
	double		peaks;			/* how far the weights of a person's two hours of the day may differ, 0 to 1 */
	double		idle;			/* looks at any waking hour, of those at the middle of a peak */
} Settings;

typedef struct Person
{
	int			segment;
	int			zone;
	double		rate;
	float		look[QUARTERS];	/* chance-like intensity of looking at a fresh message, by local quarter */
	float		p[QUARTERS];	/* chance of an answer to a message sent at the start of the quarter */
	int64_t		out_on;			/* news of an opt-out came then, 0: there is none */
} Person;

typedef struct World
{
	Settings	set;
	Person	   *people;
	double		quiet;			/* multiplier of all looks: below 1 during the closure */
} World;

/* One week: where each absolute quarter falls in the local week, and whether one may write then. */
typedef struct Week
{
	int			number;			/* 0 is the first of the history */
	int64_t		start;			/* seconds of the epoch */
	short		local[ZONES][MAP];
	bool		allowed[ZONES][MAP];	/* to the end of the week, which is the last instant that may be chosen */
} Week;

/* What a policy remembers of one person. */
typedef struct Memory
{
	int64_t		sent[2];		/* the last contacts whose end was not known yet; 0: none */
	int64_t		answered[2];	/* 0: never */
	short		hour[2];		/* hour of the local week */
	float		tries[168];		/* by hour of sending */
	float		hits[168];
	float		answers[24];	/* by hour of the answer */
} Memory;

typedef struct Policy
{
	const char *name;
	Memory	   *memory;			/* a person each; NULL: it does not learn */
	int			(*choose) (struct Policy *self, const World *w, const Week *week, int person);
	void		(*prepare) (struct Policy *self, const World *w, const Week *week);
	double		book[SEGMENTS][ZONES][QUARTERS];	/* the policy's own tables of the week */
	double	   *value;			/* sum of the chances of an answer, a week each */
} Policy;

extern double sim_uniform(uint64_t seed, uint64_t a, uint64_t b, uint64_t c);
extern World *sim_make_world(const Settings *set);
extern void sim_change_habits(World *w, double share);
extern double sim_chance(const World *w, const Week *week, int person, int slot);
extern int64_t sim_answer(const World *w, const Week *week, int person, int slot);
extern int	sim_slot_of(const Week *week, int64_t at);
extern void sim_print_ceiling(const World *w, int crowd_size);

#define POLICIES 7
extern Policy *sim_make_policies(const World *w, int weeks);
extern void sim_learn(Policy *p, const World *w, int64_t now);
extern void sim_remember(Policy *p, const World *w, const Week *week, int person, int slot, int64_t answered);

#endif
