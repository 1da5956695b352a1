/*
 * test/sim/sim.c
 *		Runs one world: every policy lives through the same weeks, and the extension through the real calls, under the
 *		virtual clock. A week begins with the news of the last one, maintain() and best_times(); then everybody is contacted
 *		once, when their policy says.
 *
 * Prints lines of tab-separated values: `policy`, name, mean chance of an answer by weeks; `figure`, name, value.
 * Settings come from the environment, see sim.sh.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#include "world.h"

#define RELIABILITY_WEEKS 8
#define SEED(r) ((unsigned long long) (r)->world->set.seed)

static const char *zone_names[ZONES] = {"Europe/Copenhagen", "America/New_York"};

typedef struct Run
{
	PGconn	   *conn;
	const char *channel;
	int			nights;			/* of a week that are maintained */
	World	   *world;
	Policy	   *policies;
	Week		week;
	int			weeks;
	double		seconds[3];		/* best_times, maintain, the rest of the database */
	/* of the last weeks */
	int			nreported;
	double	   *reported;		/* p_response */
	double	   *real;			/* and the true chance */
	double		claimed,
				baseline,
				gained,
				average;
	int64_t		refused;		/* contacts outside of the windows, or of those who had opted out */
	int64_t		explored;
	int64_t		chosen;
	int64_t		news;
} Run;

static double
number(const char *name, double otherwise)
{
	const char *text = getenv(name);

	return text && *text ? atof(text) : otherwise;
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static PGresult *
query(Run *r, const char *format,...)
{
	char		text[2048];
	va_list		args;
	PGresult   *result;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	result = PQexec(r->conn, text);
	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_COPY_IN)
	{
		fprintf(stderr, "%s%s\n", PQerrorMessage(r->conn), text);
		exit(2);
	}
	return result;
}

static int64_t
ask(Run *r, const char *text)
{
	PGresult   *result = query(r, "%s", text);
	int64_t		value = PQntuples(result) > 0 ? atoll(PQgetvalue(result, 0, 0)) : 0;

	PQclear(result);
	return value;
}

static void
copy_line(Run *r, const char *format,...)
{
	char		text[512];
	va_list		args;
	int			n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (PQputCopyData(r->conn, text, n) != 1)
		exit(2);
}

static void
copy_end(Run *r)
{
	PGresult   *result;

	PQputCopyEnd(r->conn, NULL);
	while ((result = PQgetResult(r->conn)) != NULL)
	{
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
		{
			fprintf(stderr, "%s", PQerrorMessage(r->conn));
			exit(2);
		}
		PQclear(result);
	}
}

/* ---- the week ---- */

static void
read_week(Run *r, int number)
{
	Week	   *w = &r->week;

	w->number = number;
	w->start = ask(r, "SELECT extract(epoch FROM sim.monday())::bigint") + (int64_t) number * WEEK;
	for (int z = 0; z < ZONES; z++)
	{
		PGresult   *result = query(r, "WITH o AS MATERIALIZED (SELECT dunning.contact_windows('zone-%d', '%s', to_timestamp(%lld), to_timestamp(%lld)) AS open) "
								   "SELECT (extract(isodow FROM l)::int - 1) * 96 + extract(hour FROM l)::int * 4 + extract(minute FROM l)::int / 15, o.open @> t "
								   "FROM o, generate_series(0, %d) n, LATERAL (SELECT to_timestamp(%lld + n * 900) AS t) x, LATERAL (SELECT t AT TIME ZONE '%s' AS l) y ORDER BY n",
								   z, r->channel, (long long) w->start, (long long) w->start + WEEK + QUARTER, MAP - 1, (long long) w->start, zone_names[z]);

		for (int s = 0; s < MAP; s++)
		{
			w->local[z][s] = atoi(PQgetvalue(result, s, 0));
			w->allowed[z][s] = *PQgetvalue(result, s, 1) == 't';
		}
		PQclear(result);
	}
}

/* The clock is moved on, what has left and what has come is written, and the night's work done. */
static void
night(Run *r, int64_t at, bool maintain)
{
	char		text[512];
	double		begun = seconds();

	PQclear(query(r, "SELECT set_config('dunning.clock', to_timestamp(%lld)::text, false)", (long long) at));
	snprintf(text, sizeof(text), "SELECT sim.leave(to_timestamp(%lld), '%s')", (long long) at, r->channel);
	ask(r, text);
	snprintf(text, sizeof(text), "SELECT sim.hear(to_timestamp(%lld))", (long long) at);
	r->news += ask(r, text);
	r->seconds[2] += seconds() - begun;
	if (maintain)
	{
		begun = seconds();
		ask(r, "SELECT count(*) FROM dunning.maintain()");
		r->seconds[1] += seconds() - begun;
	}
}

/* ---- what becomes of a contact ---- */

static double
lot(const Run *r, int kind, int person)
{
	return sim_uniform(r->world->set.seed, 100 + kind, person, r->week.number);
}

static void
tell(Run *r, const char *kind, int person, int64_t at, int which, double delay)
{
	copy_line(r, "%lld\tS%llu-%d\t%d\t%s\t%lld\t%d/%d/%d\t{}\n", (long long) (at + delay), SEED(r), person, r->week.number, kind, (long long) at,
			  person, r->week.number, which);
}

/* What the gateway and the links will say of this contact, later. */
static void
spread_news(Run *r, int person, int64_t sent, int64_t answered)
{
	const Settings *set = &r->world->set;
	double		delay = set->late ? 3600 * pow(72, lot(r, 1, person)) : 1;

	if (answered > 0)
	{
		tell(r, "clicked", person, answered, 0, delay);
		if (set->late && lot(r, 2, person) < .2)
			tell(r, "clicked", person, answered, 0, delay + 86400 * lot(r, 3, person));
	}
	if (lot(r, 4, person) < set->fakes)
	{
		tell(r, "opened", person, sent + 3, 1, 1);
		if (lot(r, 5, person) < .5)
			tell(r, "clicked", person, sent + 2 + (int) (3 * lot(r, 6, person)), 2, 1);
	}
	if (lot(r, 7, person) < set->optout)
	{
		int64_t		at = answered > 0 ? answered + 60 : sent + 7200;

		tell(r, "opted_out", person, at, 3, 1);
		r->world->people[person].out_on = at + 1;
	}
}

static int64_t *
answers_of(Run *r, const int *slots)
{
	int64_t    *answers = calloc(r->world->set.n, sizeof(int64_t));

	PQclear(query(r, "COPY sim.inbox FROM STDIN"));
	for (int i = 0; i < r->world->set.n; i++)
		if (slots[i] >= 0)
		{
			answers[i] = sim_answer(r->world, &r->week, i, slots[i]);
			spread_news(r, i, r->week.start + (int64_t) slots[i] * QUARTER, answers[i]);
		}
	copy_end(r);
	ask(r, "SELECT sim.sort_inbox()");
	return answers;
}

/* Opted out, as was known when the week began: who answers a contact of Saturday with it on Monday may have the next one planned. */
static bool
is_out(const Run *r, int person)
{
	int64_t		on = r->world->people[person].out_on;

	return on != 0 && on < r->week.start;
}

/* ---- the history: on weekday mornings, or at any time ---- */

static int
history_slot(const Run *r, int person)
{
	const Week *w = &r->week;
	int			zone = r->world->people[person].zone;
	int			open[QUARTERS];
	int			n = 0;

	for (int s = 0; s < QUARTERS; s++)
	{
		int			hour = w->local[zone][s] % 96 / 4;

		if (w->allowed[zone][s] && (!r->world->set.biased || (w->local[zone][s] < 5 * 96 && hour >= 9 && hour < 12)))
			open[n++] = s;
	}
	return n == 0 ? -1 : open[(int) (lot(r, 8, person) * n)];
}

static void
live_history(Run *r)
{
	int			n = r->world->set.n;
	int		   *slots = malloc(n * sizeof(int));
	int64_t    *answers;

	for (int i = 0; i < n; i++)
		slots[i] = is_out(r, i) ? -1 : history_slot(r, i);
	PQclear(query(r, "COPY sim.placed FROM STDIN"));
	for (int i = 0; i < n; i++)
		if (slots[i] >= 0)
			copy_line(r, "%d\tS%llu-%d\t%lld\n", r->week.number, SEED(r), i, (long long) (r->week.start + (int64_t) slots[i] * QUARTER));
	copy_end(r);
	ask(r, "SELECT sim.place()");
	answers = answers_of(r, slots);
	for (int k = 0; k < POLICIES; k++)
		for (int i = 0; i < n; i++)
			if (slots[i] >= 0)
				sim_remember(&r->policies[k], r->world, &r->week, i, slots[i], answers[i]);
	free(slots);
	free(answers);
}

/* ---- the decisions ---- */

static void
live_simple(Run *r, Policy *p, int turn)
{
	sim_learn(p, r->world, r->week.start);
	if (p->prepare)
		p->prepare(p, r->world, &r->week);
	for (int i = 0; i < r->world->set.n; i++)
	{
		int			slot = is_out(r, i) ? -1 : p->choose(p, r->world, &r->week, i);

		if (slot < 0)
			continue;
		p->value[turn] += sim_chance(r->world, &r->week, i, slot) / r->world->set.n;
		sim_remember(p, r->world, &r->week, i, slot, sim_answer(r->world, &r->week, i, slot));
	}
}

static double
average_chance(const Run *r, int person)
{
	int			zone = r->world->people[person].zone;
	double		sum = 0;
	int			n = 0;

	for (int s = 0; s < QUARTERS; s++)
		if (r->week.allowed[zone][s])
		{
			sum += sim_chance(r->world, &r->week, person, s);
			n++;
		}
	return n > 0 ? sum / n : 0;
}

static void
note_report(Run *r, PGresult *result, int row, int person, double chance)
{
	double		p = atof(PQgetvalue(result, row, 2));

	r->reported[r->nreported] = p;
	r->real[r->nreported++] = chance;
	r->claimed += p;
	r->baseline += atof(PQgetvalue(result, row, 3));
	r->gained += chance;
	r->average += average_chance(r, person);
}

static void
live_ours(Run *r, Policy *p, int turn)
{
	int		   *slots = malloc(r->world->set.n * sizeof(int));
	char		text[200];
	double		begun = seconds();
	PGresult   *result;

	for (int i = 0; i < r->world->set.n; i++)
		slots[i] = -1;
	snprintf(text, sizeof(text), "SELECT sim.choose(%d, '%s')", r->week.number, r->channel);
	ask(r, text);
	r->seconds[0] += seconds() - begun;
	result = query(r, "SELECT split_part(debtor_id, '-', 2)::int, extract(epoch FROM contact_at)::bigint, p_response, p_baseline, explored FROM sim.contact "
				   "WHERE week = %d AND contact_at IS NOT NULL", r->week.number);
	for (int k = 0; k < PQntuples(result); k++)
	{
		int			i = atoi(PQgetvalue(result, k, 0));
		int			slot = sim_slot_of(&r->week, atoll(PQgetvalue(result, k, 1)));
		double		chance;

		if (slot < 0 || slot > QUARTERS || !r->week.allowed[r->world->people[i].zone][slot] || is_out(r, i))
		{
			r->refused++;
			continue;
		}
		slots[i] = slot;
		chance = sim_chance(r->world, &r->week, i, slot);
		p->value[turn] += chance / r->world->set.n;
		r->chosen++;
		r->explored += *PQgetvalue(result, k, 4) == 't';
		if (turn >= r->world->set.contacts - RELIABILITY_WEEKS)
			note_report(r, result, k, i, chance);
	}
	PQclear(result);
	free(answers_of(r, slots));
	free(slots);
}

/* Some of the world changes after a third of the contacts. */
static void
turn_of_events(Run *r, int turn)
{
	World	   *w = r->world;

	if (turn == w->set.contacts / 3 && w->set.change > 0)
		sim_change_habits(w, w->set.change);
	if (turn == w->set.contacts / 3 && w->set.moves > 0)
	{
		PQclear(query(r, "COPY sim.mover FROM STDIN"));
		for (int i = 0; i < w->set.n; i++)
			if (sim_uniform(w->set.seed, 5, i, 0) < w->set.moves)
			{
				w->people[i].zone = 1;
				copy_line(r, "S%llu-%d\n", SEED(r), i);
			}
		copy_end(r);
		PQclear(query(r, "UPDATE dunning.debtor d SET time_zone = '%s' FROM sim.mover m WHERE m.debtor_id = d.debtor_id", zone_names[1]));
	}
	w->quiet = turn >= w->set.contacts / 3 && turn < w->set.contacts / 3 + w->set.closure ? .15 : 1;
}

static void
live(Run *r)
{
	for (int n = 0; n < r->weeks; n++)
	{
		int			turn = n - r->world->set.history;

		if (turn >= 0)
			turn_of_events(r, turn);
		read_week(r, n);
		night(r, r->week.start, turn >= 0);
		if (turn < 0)
			live_history(r);
		else
			for (int k = 0; k < POLICIES; k++)
				if (r->policies[k].choose)
					live_simple(r, &r->policies[k], turn);
				else
					live_ours(r, &r->policies[k], turn);
		for (int k = 1; turn >= 0 && k < r->nights; k++)
			night(r, r->week.start + (int64_t) WEEK * k / r->nights, true);
	}
}

/* ---- what is printed ---- */

static int
by_reported(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return x[0] < y[0] ? -1 : x[0] > y[0];
}

static void
print_reliability(const Run *r)
{
	double		(*pair)[2] = malloc(sizeof(*pair) * (r->nreported + 1));
	double		worst = 0;

	for (int i = 0; i < r->nreported; i++)
	{
		pair[i][0] = r->reported[i];
		pair[i][1] = r->real[i];
	}
	qsort(pair, r->nreported, sizeof(*pair), by_reported);
	for (int d = 0; d < 10 && r->nreported >= 10; d++)
	{
		int			from = (int) ((int64_t) r->nreported * d / 10);
		int			until = (int) ((int64_t) r->nreported * (d + 1) / 10);
		double		said = 0,
					real = 0;

		for (int i = from; i < until; i++)
		{
			said += pair[i][0] / (until - from);
			real += pair[i][1] / (until - from);
		}
		printf("decile\t%d\t%.4f\t%.4f\n", d + 1, said, real);
		worst = fmax(worst, fabs(said / real - 1));
	}
	printf("figure\tworst decile\t%.4f\n", worst);
	free(pair);
}

static void
print(const Run *r)
{
	for (int k = 0; k < POLICIES; k++)
	{
		printf("policy\t%s", r->policies[k].name);
		for (int t = 0; t < r->world->set.contacts; t++)
			printf("\t%.5f", r->policies[k].value[t]);
		printf("\n");
	}
	print_reliability(r);
	printf("figure\tuplift reported\t%.4f\n", r->baseline > 0 ? r->claimed / r->baseline - 1 : 0);
	printf("figure\tuplift true\t%.4f\n", r->average > 0 ? r->gained / r->average - 1 : 0);
	printf("figure\toutside\t%lld\n", (long long) r->refused);
	printf("figure\tcontacts\t%lld\n", (long long) r->chosen);
	printf("figure\texplored\t%.4f\n", r->chosen ? (double) r->explored / r->chosen : 0);
	printf("figure\tnews\t%lld\n", (long long) r->news);
	printf("figure\tseconds best_times\t%.2f\n", r->seconds[0]);
	printf("figure\tseconds maintain\t%.2f\n", r->seconds[1]);
	printf("figure\tseconds rows\t%.2f\n", r->seconds[2]);
}

int
main(int argc, char **argv)
{
	Run		   *r = calloc(1, sizeof(Run));
	Settings	set = {
		.seed = (uint64_t) number("SEED", 1), .n = (int) number("N", 2000), .tau = number("TAU", 3), .history = (int) number("HISTORY", 6),
		.contacts = (int) number("CONTACTS", 24), .biased = number("BIASED", 1) != 0, .flat = number("FLAT", 0) != 0, .change = number("CHANGE", 0),
		.fakes = number("FAKES", 0), .late = number("LATE", 0) != 0, .optout = number("OPTOUT", 0), .moves = number("MOVES", 0),
		.closure = (int) number("CLOSURE", 0), .rate = number("RATE", .065), .peaks = number("PEAKS", 0), .idle = number("IDLE", .01),
	};

	r->channel = getenv("CHANNEL") ? getenv("CHANNEL") : "email";
	r->nights = (int) number("NIGHTS", 1);
	r->weeks = set.history + set.contacts;
	r->world = sim_make_world(&set);
	if (argc > 1 && strcmp(argv[1], "ceiling") == 0)
	{
		sim_print_ceiling(r->world, 20000);
		return 0;
	}
	r->policies = sim_make_policies(r->world, set.contacts);
	r->reported = malloc(sizeof(double) * set.n * RELIABILITY_WEEKS);
	r->real = malloc(sizeof(double) * set.n * RELIABILITY_WEEKS);
	r->conn = PQconnectdb(argc > 1 ? argv[1] : "");
	if (PQstatus(r->conn) != CONNECTION_OK)
	{
		fprintf(stderr, "%s", PQerrorMessage(r->conn));
		return 2;
	}
	PQclear(query(r, "SET client_min_messages = warning"));
	PQclear(query(r, "SELECT sim.make_book(%d, %llu)", set.n, (unsigned long long) set.seed));
	live(r);
	print(r);
	PQfinish(r->conn);
	return 0;
}
