/*
 * timing/best.c
 *		The best of the allowed instants.
 *
 * Candidates are the quarters of an hour of absolute time up to the horizon; what the clock forbids is known per place
 * and kept for the statement, since a book has few places and many debtors. Each is worth
 *
 *		P(t) * PAY(date) * CAL(date) * e^(-mu (t - now))
 *
 * the chance of an answer, the payday multiplier clipped to [.5, 3], what money dates and closures do to
 * such a contact (calendar/money.h), and one per cent a day for waiting. The best one is
 * taken, the earliest on a tie; one contact in twenty is put on an allowed instant drawn evenly, so that there is
 * something to measure timing with. Until such contacts have calibrated the model (calibrate.c), no gain is claimed:
 * p_response and p_baseline are both the model's average over the allowed instants. Where they have shown that hours make
 * no difference, the answer's chance is left out of the score.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/hash.h"
#include "timing/best.h"
#include "timing/payday.h"

#define SLOT (15 * USECS_PER_MINUTE)
#define GRID_SLOTS (96 * 70)	/* kept from a day before the first instant asked for */
#define GRIDS 512
#define REMEMBERED 1024
#define SHUT 64
#define HORIZON_DAYS 62
#define EXPLORE 0.05
#define WAIT_PER_DAY 0.01		/* mu */
#define PAY_MIN 0.5
#define PAY_MAX 3.0
#define PAYMENTS_NEEDED 3
#define PAYDAY_TOLD 0.3		/* a likelier schedule is told by its days */
#define LONGEST_PERIOD 40		/* days: no schedule is rarer than monthly */
#define TOLD_FROM 0.05			/* a log-ratio below is not told in words */
#define SALT UINT64CONST(0x74696d696e67)	/* "timing" */

typedef enum SlotState
{
	UNKNOWN,
	OPEN,
	QUIET,
	HOLIDAY
} SlotState;

/* What the clock says of each slot in one place. */
typedef struct Grid
{
	uint64		key;			/* hash of the mask */
	int64		first;			/* slot number of states[0] */
	int			nzones;
	pg_tz	   *zones[DUN_ZONES];
	uint8		states[GRID_SLOTS];
	uint8		hours[GRID_SLOTS];
	uint8		quarters[GRID_SLOTS];
	DateADT		dates[GRID_SLOTS];	/* in the first zone */
	DateADT		days[GRID_SLOTS];	/* sum of the dates in all zones: changes when any of them does */
	/* what was last asked for: nearly always what is asked for next */
	int64		open_from;		/* slot numbers */
	int64		open_until;
	TimestampTz now;
	int			nopen;
	int			quiet;
	int			holiday;
	int			open[GRID_SLOTS];	/* places in states[] */
	uint16		quarter[GRID_SLOTS];	/* of the week, of each of open[] */
	double		patience[GRID_SLOTS];
	bool		asked[DUN_HOURS];	/* hours between which the open ones lie */
} Grid;

/* Most debtors have left no evidence: what is best for one of them is best for all of a place. */
typedef struct Remembered
{
	bool		used;
	bool		barred;			/* a cap of none */
	uint64		windows;
	int			medium;
	uint64		prior;			/* hash, 0: the first one */
	int64		first;
	int64		last;
	int64		best;
	double		chance;			/* of the best */
	DunTimeField field;
} Remembered;

/* What leaves nothing open of a place between two slots is the same for all of it. */
typedef struct Shut
{
	uint64		windows;		/* key, 0: none is kept */
	int64		first;
	int64		last;
	DunClosers	closers;
} Shut;

struct DunTimes
{
	MemoryContext context;
	int			n;
	Grid	   *grids[GRIDS];
	double	   *scores;
	int64	   *slots;
	Remembered *remembered;
	Shut		shut[SHUT];
};

/* One debtor's question, at work. */
typedef struct Weighing
{
	const DunTimeQuestion *q;
	Grid	   *grid;
	DunAsker	who;
	TimestampTz from;
	int64		first;
	int64		last;
	double		answers[DUN_HOURS]; /* expected of a contact sent then */
	double		chances[DUN_HOURS * 4 + 1];	/* by the quarter, of the hours asked for */
	DunPayday	payday;
	DateADT		date;			/* the last one asked about, and what it does; nothing while dated is false */
	bool		dated;
	double		pay;
	double		effect;
} Weighing;

DunTimes *
dun_timing_make_times(void)
{
	DunTimes   *times = palloc0(sizeof(DunTimes));

	times->context = CurrentMemoryContext;
	times->scores = palloc(sizeof(double) * GRID_SLOTS);
	times->slots = palloc(sizeof(int64) * GRID_SLOTS);
	times->remembered = palloc0(sizeof(Remembered) * REMEMBERED);
	return times;
}

uint64
dun_timing_windows_key(const DunWindows *w)
{
	return Max(dun_base_hash64(w, VARSIZE(w), 0), 1);
}

static Grid *
find_grid(DunTimes *times, const DunWindows *w, uint64 key, int64 slot)
{
	Grid	   *grid = NULL;
	int			i;

	for (i = 0; i < times->n && grid == NULL; i++)
		if (times->grids[i]->key == key)
			grid = times->grids[i];
	if (grid == NULL)
	{
		/* Should a book have more places than that, the last one is made anew each time. */
		i = Min(times->n, GRIDS - 1);
		if (i == times->n)
			times->grids[times->n++] = MemoryContextAlloc(times->context, sizeof(Grid));
		grid = times->grids[i];
		grid->key = key;
		grid->first = PG_INT64_MIN;
	}
	if (slot < grid->first || slot + 96 * HORIZON_DAYS >= grid->first + GRID_SLOTS || grid->first == PG_INT64_MIN)
	{
		grid->first = slot - 96;
		grid->open_from = PG_INT64_MIN;
		grid->nzones = dun_calendar_resolve_zones(w, grid->zones);
		memset(grid->states, UNKNOWN, sizeof(grid->states));
	}
	return grid;
}

static SlotState
slot_state(Grid *g, const DunWindows *w, int64 slot)
{
	int			i = slot - g->first;

	if (g->states[i] == UNKNOWN)
	{
		const char *word = dun_calendar_closed(w, g->zones, slot * SLOT);
		int			minute;
		int			z;

		g->days[i] = 0;
		for (z = g->nzones - 1; z >= 0; z--)
			g->days[i] += g->dates[i] = dun_calendar_local(slot * SLOT, g->zones[z], &minute);
		g->hours[i] = minute / 60;
		g->quarters[i] = minute % 60 / 15;
		g->states[i] = word == NULL ? OPEN : strcmp(word, "holiday") == 0 ? HOLIDAY : QUIET;
	}
	return g->states[i];
}

/* The open slots of a place, and how much waiting for each takes off. */
static void
list_open(Grid *g, const DunTimeQuestion *q, int64 first, int64 last)
{
	double		patience = exp(-WAIT_PER_DAY * (first * SLOT - q->now) / (double) USECS_PER_DAY);
	double		wait = exp(-WAIT_PER_DAY * SLOT / (double) USECS_PER_DAY);

	if (g->open_from == first && g->open_until == last && g->now == q->now)
		return;
	g->open_from = first;
	g->open_until = last;
	g->now = q->now;
	g->nopen = g->quiet = g->holiday = 0;
	memset(g->asked, 0, sizeof(g->asked));
	for (int64 slot = first; slot <= last; slot++, patience *= wait)
	{
		SlotState	state = slot_state(g, q->windows, slot);
		int			i = slot - g->first;

		g->quiet += state == QUIET;
		g->holiday += state == HOLIDAY;
		if (state != OPEN)
			continue;
		g->patience[g->nopen] = patience;
		g->quarter[g->nopen] = g->hours[i] * 4 + g->quarters[i];
		g->open[g->nopen++] = i;
		g->asked[g->hours[i]] = g->asked[(g->hours[i] + 1) % DUN_HOURS] = true;
	}
}

/* The chance of an answer by the quarter: between the hours it is read off a straight line. */
static void
find_chances(Weighing *w)
{
	double		hourly[DUN_HOURS + 1] = {0};

	for (int h = 0; h < DUN_HOURS; h++)
		if (w->grid->asked[h])
			hourly[h] = 1 - exp(-w->answers[h]);
	hourly[DUN_HOURS] = hourly[0];
	for (int h = 0; h < DUN_HOURS; h++)
		for (int part = 0; part < 4; part++)
			w->chances[h * 4 + part] = (1 - part / 4.0) * hourly[h] + part / 4.0 * hourly[h + 1];
}

/* The chance of an answer to a contact in this slot. */
static double
answer_chance(const Weighing *w, int i)
{
	return w->chances[w->grid->hours[i] * 4 + w->grid->quarters[i]];
}

static double
pay_multiplier(const Weighing *w, DateADT date)
{
	/* Before there are payments the posterior is what is usual in a country: not a reason to wait for it. */
	if (w->q->evidence.npayments < PAYMENTS_NEEDED)
		return 1;
	return Min(PAY_MAX, Max(PAY_MIN, dun_timing_pay_multiplier(w->q->windows->place.country, &w->payday, date)));
}

/* Of the question's book and channel; NULL: not measured yet. */
static const DunCalibration *
calibration_of(const DunTimeQuestion *q)
{
	const DunCalibration *c = q->evidence.prior == NULL ? NULL : &q->evidence.prior->media[dun_timing_medium(q->channel)].calibration;

	return c == NULL || c->b1 <= 0 ? NULL : c;
}

static bool
hours_are_alike(const DunTimeQuestion *q)
{
	const DunCalibration *c = calibration_of(q);

	return c != NULL && c->flat != 0;
}

static double
date_multiplier(const Weighing *w, DateADT date, const char **tag)
{
	const DunEffects *e = w->q->effects;

	if (tag != NULL)
		*tag = NULL;
	return e == NULL || e->nrows == 0 ? 1 : dun_calendar_effect(e, date, tag);
}

static bool
is_capped(const Weighing *w, int64 slot)
{
	const Grid *g = w->grid;

	return dun_gate_capped(w->q->history, &w->who, g->zones, g->nzones, slot * SLOT, NULL) > 0;
}

/* Those of open[from .. until - 1], which are of one day and closed by no cap. */
static void
weigh_day(Weighing *w, DunTimeField *field, int from, int until, int64 *slots, double *scores)
{
	const Grid *g = w->grid;
	DateADT		date = g->dates[g->open[from]];
	double		same = hours_are_alike(w->q) ? 1 : 0;
	double		sum = 0,
				pay,
				effect;
	int			n = until - from;

	if (!w->dated || w->date != date)
	{
		w->pay = pay_multiplier(w, date);
		w->effect = date_multiplier(w, date, NULL);
		w->date = date;
		w->dated = true;
	}
	pay = w->pay;
	effect = w->effect;
	slots += field->nslots;
	scores += field->nslots;
	for (int j = 0; j < n; j++)
	{
		double		p = w->chances[g->quarter[from + j]];

		sum += p;
		scores[j] = (same + (1 - same) * p) * pay * effect * g->patience[from + j];
		slots[j] = g->first + g->open[from + j];
	}
	field->mean_p += sum;
	field->mean_pay += pay * n;
	field->mean_date += effect * n;
	field->nslots += n;
}

/* Fills slots[] and scores[] with what is allowed. */
static void
weigh(Weighing *w, DunTimeField *field, int64 *slots, double *scores)
{
	const DunTimeQuestion *q = w->q;
	Grid	   *g = w->grid;
	bool		daily = dun_gate_caps_are_daily(q->history, w->from, q->until);
	int			until;

	field->quiet = g->quiet;
	field->holiday = g->holiday;
	for (int from = 0; from < g->nopen; from = until)
	{
		int			i = g->open[from];

		/* where a gap ends within the day, slot by slot */
		for (until = from + 1; daily && until < g->nopen && g->days[g->open[until]] == g->days[i] && g->dates[g->open[until]] == g->dates[i]; until++);
		if (is_capped(w, g->first + i))
			field->capped += until - from;
		else
			weigh_day(w, field, from, until, slots, scores);
	}
	if (field->nslots > 0)
	{
		field->mean_p /= field->nslots;
		field->mean_pay /= field->nslots;
		field->mean_date /= field->nslots;
	}
}

static int
best_slot(const double *scores, int n)
{
	int			best = -1;
	double		bar = -0.5;		/* those that were taken are -1 */

	/* A hair's breadth is a tie, and a tie goes to the earlier one, the same on every machine. */
	for (int i = 0; i < n; i++)
		if (scores[i] > bar)
		{
			best = i;
			bar = scores[i] * (1 + 1e-12);
		}
	return best;
}

/* The history of payments and answers, or the book's where there is none. */
static void
read_evidence(Weighing *w)
{
	const DunEvidence *e = &w->q->evidence;

	dun_timing_reap(e->profile, e->prior != NULL ? e->prior : dun_timing_first_prior(), dun_timing_medium(w->q->channel), w->answers);
	if (e->npayments >= PAYMENTS_NEEDED)
		dun_timing_payday(w->q->windows->place.country, e->payments, e->npayments, &w->payday);
}

/* The place for those who have left no evidence; NULL: this debtor has. */
static Remembered *
find_remembered(DunTimes *times, const Weighing *w, uint64 windows)
{
	const DunTimeQuestion *q = w->q;
	const DunEvidence *e = &q->evidence;
	Remembered	key = {
		.used = true, .windows = windows, .medium = dun_timing_medium(q->channel), .first = w->first, .last = w->last,
	};
	Remembered *r;
	bool		dated;

	if ((q->effects != NULL && q->effects->nrows > 0) || e->profile != NULL || e->npayments >= PAYMENTS_NEEDED || q->history->ncontacts > 0 || q->history->ntalks > 0)
		return NULL;
	key.barred = dun_gate_bars_all(q->history, &dated);
	if (dated)
		return NULL;
	key.prior = e->prior == NULL ? 0 : dun_base_hash64(e->prior, sizeof(DunPrior), 0);
	r = &times->remembered[(windows ^ (windows >> 32) ^ key.first * 31 ^ key.last * 7 ^ key.medium) % REMEMBERED];
	if (r->used && r->windows == windows && r->barred == key.barred && r->medium == key.medium && r->prior == key.prior &&
		r->first == key.first && r->last == key.last)
		return r;
	*r = key;
	r->best = -1;
	return r;
}

/* Draw a line for each quarter of an hour; which is the best is remembered for those of whom nothing is known. */
static int
weigh_slots(DunTimes *times, Weighing *w, DunTimeField *field)
{
	uint64		key = w->q->windows_key != 0 ? w->q->windows_key : dun_timing_windows_key(w->q->windows);

	w->grid = find_grid(times, w->q->windows, key, w->first);
	list_open(w->grid, w->q, w->first, w->last);
	read_evidence(w);
	find_chances(w);
	weigh(w, field, times->slots, times->scores);
	return best_slot(times->scores, field->nslots);
}

static bool
closes_less(const DunClosers *c, int at, int closed, const char *name)
{
	return c->slots[at] < closed || (c->slots[at] == closed && strcmp(c->names[at], name) > 0);
}

static void
list_closers(const Weighing *w, DunClosers *closers)
{
	const DunWindows *windows = w->q->windows;
	int			n;
	DunRule    *rules = dun_calendar_read_rules(windows, &n);

	closers->names = palloc(sizeof(char *) * Max(n, 1));
	closers->slots = palloc(sizeof(int) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		int			closed = 0;
		int			at;

		for (int64 slot = w->first; slot <= w->last; slot++)
			closed += dun_calendar_rule_closes(&rules[i], windows, w->grid->zones, slot * SLOT);
		if (closed == 0 || rules[i].name[0] == '\0')
			continue;
		for (at = closers->n++; at > 0 && closes_less(closers, at - 1, closed, rules[i].name); at--)
		{
			closers->names[at] = closers->names[at - 1];
			closers->slots[at] = closers->slots[at - 1];
		}
		closers->names[at] = pstrdup(rules[i].name);
		closers->slots[at] = closed;
	}
}

static const DunClosers *
find_closers(DunTimes *times, const Weighing *w)
{
	uint64		key = w->grid->key;
	Shut	   *s = &times->shut[(key ^ w->first * 31 ^ w->last * 7) % SHUT];

	if (s->windows != key || s->first != w->first || s->last != w->last)
	{
		MemoryContext before = MemoryContextSwitchTo(times->context);

		*s = (Shut) {.windows = key, .first = w->first, .last = w->last};
		list_closers(w, &s->closers);
		MemoryContextSwitchTo(before);
	}
	return &s->closers;
}

/* Days since the likeliest payday, -1: that is not worth telling. */
static int
days_since_payday(const Weighing *w, DateADT date)
{
	const char *country = w->q->windows->place.country;
	int			best = DUN_NO_SCHEDULE;
	DateADT		last,
				next;

	if (w->q->evidence.npayments < PAYMENTS_NEEDED)
		return -1;
	for (int i = 0; i < DUN_SCHEDULES; i++)
		if (best == DUN_NO_SCHEDULE || w->payday.p[i] > w->payday.p[best])
			best = i;
	if (w->payday.p[best] < w->payday.p[DUN_NO_SCHEDULE] || w->payday.p[best] < PAYDAY_TOLD)
		return -1;
	last = dun_timing_next_payday(country, best, date - LONGEST_PERIOD);
	while ((next = dun_timing_next_payday(country, best, last + 1)) <= date)
		last = next;
	return date - last;
}

static void
set_answer(DunTimeAnswer *a, const Weighing *w, const DunTimeField *field, int64 slot, double chance, bool explored, double propensity)
{
	a->at = slot * SLOT;
	a->explored = explored;
	a->propensity = propensity;
	a->chance = chance;
	a->hour = hours_are_alike(w->q) ? 0 : log(chance / field->mean_p);
	a->pay = w->grid == NULL ? 0 : log(pay_multiplier(w, w->grid->dates[slot - w->grid->first]) / field->mean_pay);
	a->since_payday = fabs(a->pay) < TOLD_FROM ? -1 : days_since_payday(w, w->grid->dates[slot - w->grid->first]);
	a->tag = NULL;
	a->date = w->grid == NULL ? 0 : log(date_multiplier(w, w->grid->dates[slot - w->grid->first], &a->tag) / field->mean_date);
	a->delay = -WAIT_PER_DAY * (slot * SLOT - w->q->now) / (double) USECS_PER_DAY;
}

static void
set_answer_of(DunTimeAnswer *a, Weighing *w, const DunTimeField *field, int64 slot, bool explored, double propensity)
{
	set_answer(a, w, field, slot, answer_chance(w, slot - w->grid->first), explored, propensity);
}

/*
 * The last contact within the days that some cap looks back, 0: none. How far beyond them the history reaches depends on who else
 * was asked about. Not how many there are: that may be the same week after week, and an odd contact would be followed by another.
 */
static TimestampTz
last_contact(const DunTimeQuestion *q)
{
	const DunHistory *h = q->history;
	TimestampTz longest = 0;
	TimestampTz last = 0;

	for (int i = 0; i < h->ncaps; i++)
	{
		longest = Max(longest, h->caps[i].days * USECS_PER_DAY);
		longest = Max(longest, Max(h->caps[i].gap, h->caps[i].silence));
	}
	for (int i = 0; i < h->ncontacts; i++)
		if (h->contacts[i].at >= q->from - longest && (last == 0 || h->contacts[i].at > last))
			last = h->contacts[i].at;
	return last;
}

int
dun_timing_best(DunTimes *times, const DunTimeQuestion *q, int top, DunTimeField *field, DunTimeAnswer *answers)
{
	Weighing	w = {.q = q, .from = q->from, .who = {.debtor_id = unconstify(char *, q->debtor_id)}};
	Remembered *r;
	uint64		coin;
	char	   *seed;
	int			n;
	bool		lot;

	memset(field, 0, sizeof(*field));
	if (q->from > q->until)
		return 0;
	w.first = (q->from + SLOT - 1) / SLOT;
	w.last = Min(q->until, q->from + HORIZON_DAYS * USECS_PER_DAY) / SLOT;

	/* The coin is a function of the debtor and of the contacts there were: asked twice, it falls the same. */
	seed = psprintf("%s/%d/" INT64_FORMAT, q->debtor_id, q->evidence.contacts, last_contact(q));
	coin = dun_base_hash64(seed, strlen(seed), SALT);
	lot = top == 1 && dun_base_rng_uniform(&coin) < EXPLORE;

	r = top > 1 ? NULL : find_remembered(times, &w, q->windows_key != 0 ? q->windows_key : dun_timing_windows_key(q->windows));
	if (r != NULL && r->best >= 0 && !lot)
	{
		*field = r->field;
		set_answer(&answers[0], &w, field, r->best, r->chance, false, 1 - EXPLORE + EXPLORE / field->nslots);
		return 1;
	}
	n = weigh_slots(times, &w, field);
	if (field->nslots == 0)
	{
		if (field->capped == 0 && w.first <= w.last)
			field->closers = find_closers(times, &w);
		return 0;
	}
	if (r != NULL)
	{
		r->best = times->slots[n];
		r->chance = answer_chance(&w, r->best - w.grid->first);
		r->field = *field;
	}
	if (lot)
	{
		int			drawn = (int) (dun_base_rng_uniform(&coin) * field->nslots);

		set_answer_of(&answers[0], &w, field, times->slots[drawn], true, (drawn == n ? 1 - EXPLORE : 0) + EXPLORE / field->nslots);
		return 1;
	}
	for (int i = 0; i < top && i < field->nslots; i++)
	{
		set_answer_of(&answers[i], &w, field, times->slots[n], false, 1 - EXPLORE + EXPLORE / field->nslots);
		times->scores[n] = -1;
		n = best_slot(times->scores, field->nslots);
	}
	return Min(top, field->nslots);
}

/* --- reasons: pushed in the order in which jsonb keeps keys, shorter ones first, so that nothing is sorted --- */

static void
push_text(JsonbParseState **state, JsonbIteratorToken token, const char *text)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	pushJsonbValue(state, token, &value);
}

static void
push_number(JsonbParseState **state, const char *key, double number, int decimals)
{
	static const double scale[] = {1, 10, 100, 1000, 10000};
	JsonbValue	value = {.type = jbvNumeric};

	value.val.numeric = int64_div_fast_to_numeric(llrint(Max(-1e12, Min(1e12, number)) * scale[decimals]), decimals);
	push_text(state, WJB_KEY, key);
	pushJsonbValue(state, WJB_VALUE, &value);
}

static void
push_words(JsonbParseState **state, const char *key, ArrayType *words)
{
	Datum	   *names;
	int			n = 0;

	push_text(state, WJB_KEY, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	if (words != NULL)
		deconstruct_array(words, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n);
	for (int i = 0; i < n; i++)
		push_text(state, WJB_ELEM, TextDatumGetCString(names[i]));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_closers(JsonbParseState **state, const DunClosers *closers)
{
	push_text(state, WJB_KEY, "closed_by");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < closers->n; i++)
		push_number(state, closers->names[i], closers->slots[i], 0);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_date(JsonbParseState **state, const DunTimeAnswer *answer)
{
	push_text(state, WJB_KEY, "date");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_text(state, WJB_KEY, "tag");
	push_text(state, WJB_VALUE, answer->tag);
	push_number(state, "effect", answer->date, 3);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_removed(JsonbParseState **state, const DunTimeField *field)
{
	push_text(state, WJB_KEY, "removed");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_number(state, "caps", field->capped, 0);
	push_number(state, "holiday", field->holiday, 0);
	push_number(state, "quiet_hours", field->quiet, 0);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

DunTimeClaim
dun_timing_claim(const DunTimeQuestion *q, const DunTimeField *field, const DunTimeAnswer *answer)
{
	const DunCalibration *c = calibration_of(q);
	DunTimeClaim claim = {c != NULL, field->mean_p, field->mean_p};

	if (c != NULL)
		claim.p = dun_timing_calibrated(c, dun_timing_log_odds(answer->chance), dun_timing_log_odds(field->mean_p), answer->explored, &claim.baseline);
	return claim;
}

Datum
dun_timing_reasons(const DunTimeQuestion *q, const DunTimeField *field, const DunTimeAnswer *answer, ArrayType *words, ArrayType *rules)
{
	JsonbParseState *state = NULL;
	JsonbValue	calibrated = {.type = jbvBool, .val.boolean = calibration_of(q) != NULL};

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (answer != NULL)
	{
		push_number(&state, "x", dun_timing_log_odds(answer->chance), 4);
		if (answer->tag != NULL)
			push_date(&state, answer);
		push_number(&state, "hour", answer->hour, 3);
		push_number(&state, "delay", answer->delay, 3);
	}
	else if (rules != NULL)
		push_words(&state, "rules", rules);
	push_number(&state, "slots", field->nslots, 0);
	if (answer != NULL)
	{
		push_number(&state, "payday", answer->pay, 3);
		push_number(&state, "x_mean", dun_timing_log_odds(field->mean_p), 4);
	}
	push_removed(&state, field);
	push_text(&state, WJB_KEY, "evidence");
	push_text(&state, WJB_VALUE, psprintf("%d answers to %d contacts, %d payments", q->evidence.responses, q->evidence.contacts, q->evidence.npayments));
	if (field->closers != NULL)
		push_closers(&state, field->closers);
	if (answer == NULL)
		push_words(&state, "blocked_by", words);
	push_text(&state, WJB_KEY, "calibrated");
	pushJsonbValue(&state, WJB_VALUE, &calibrated);
	if (answer != NULL && answer->since_payday >= 0)
		push_number(&state, "payday_days", answer->since_payday, 0);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* ---- SQL ---- */

static ArrayType *
array_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : PG_GETARG_ARRAYTYPE_P(arg);
}

static void
put_row(ReturnSetInfo *rsinfo, const DunTimeQuestion *q, const DunTimeField *field, const DunTimeAnswer *answer, ArrayType *words, ArrayType *rules)
{
	Datum		values[7] = {0};
	bool		nulls[7] = {false};

	if (answer == NULL)
		memset(nulls, true, 6);
	else
	{
		DunTimeClaim claim = dun_timing_claim(q, field, answer);

		values[0] = TimestampTzGetDatum(answer->at);
		values[1] = Float8GetDatum(claim.p);
		values[2] = Float8GetDatum(claim.baseline);
		values[3] = Float8GetDatum(claim.p / claim.baseline - 1);
		values[4] = BoolGetDatum(answer->explored);
		values[5] = Float8GetDatum(answer->propensity);
	}
	values[6] = dun_timing_reasons(q, field, answer, words, rules);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* profile, payments, contacts, responses, prior */
static void
evidence_arguments(FunctionCallInfo fcinfo, int first, DunEvidence *e)
{
	ArrayType  *payments = array_argument(fcinfo, first + 1);
	DateADT    *dates = palloc(sizeof(DateADT) * DUN_PAYMENTS_KEPT);
	Datum	   *values;
	int			n = 0;

	e->profile = PG_ARGISNULL(first) ? NULL : dun_timing_profile(PG_DETOAST_DATUM(PG_GETARG_DATUM(first)));
	e->contacts = PG_ARGISNULL(first + 2) ? 0 : PG_GETARG_INT32(first + 2);
	e->responses = PG_ARGISNULL(first + 3) ? 0 : PG_GETARG_INT32(first + 3);
	e->prior = dun_timing_prior(PG_ARGISNULL(first + 4) ? NULL : PG_GETARG_BYTEA_P(first + 4));
	if (payments != NULL)
		deconstruct_array(payments, DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &values, NULL, &n);
	e->npayments = Min(n, DUN_PAYMENTS_KEPT);
	for (int i = 0; i < e->npayments; i++)
		dates[i] = DatumGetDateADT(values[i]);
	e->payments = dates;
}

static DunTimes *
kept_times(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		fcinfo->flinfo->fn_extra = dun_timing_make_times();
		MemoryContextSwitchTo(before);
	}
	return fcinfo->flinfo->fn_extra;
}

PG_FUNCTION_INFO_V1(dun_timing_sql_best);

/*
 * _best_of(debtor_id, channel, not_before, not_after, now, words, held_until, windows, rules, caps, debtors, channels,
 * messages, ats, ords, talks, profile, payments, contacts, responses, prior, effects, top): at least one row.
 */
Datum
dun_timing_sql_best(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DunTimeQuestion q = {0};
	DunTimeField field = {0};
	DunTimeAnswer *answers;
	DunHistory	history;
	ArrayType  *words = array_argument(fcinfo, 5);
	ArrayType  *rules = array_argument(fcinfo, 8);
	int			top = PG_GETARG_INT32(22);
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(7) || (words != NULL && ArrayGetNItems(ARR_NDIM(words), ARR_DIMS(words)) > 0))
	{
		put_row(rsinfo, &q, &field, NULL, words, rules);
		return (Datum) 0;
	}
	q.windows = dun_calendar_windows(PG_GETARG_BYTEA_P(7));
	q.channel = text_to_cstring(PG_GETARG_TEXT_PP(1));
	q.now = PG_GETARG_TIMESTAMPTZ(4);
	q.from = PG_GETARG_TIMESTAMPTZ(2);
	q.until = PG_GETARG_TIMESTAMPTZ(3);
	if (!PG_ARGISNULL(6))
		q.from = Max(q.from, PG_GETARG_TIMESTAMPTZ(6));
	q.debtor_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	dun_gate_read_history(&history, array_argument(fcinfo, 9), array_argument(fcinfo, 10), array_argument(fcinfo, 11),
						  array_argument(fcinfo, 12), array_argument(fcinfo, 13), array_argument(fcinfo, 14),
						  array_argument(fcinfo, 15));
	q.history = &history;
	evidence_arguments(fcinfo, 16, &q.evidence);
	q.effects = PG_ARGISNULL(21) ? NULL : dun_calendar_effects(PG_GETARG_BYTEA_P(21));
	answers = palloc(sizeof(DunTimeAnswer) * Max(top, 1));
	n = dun_timing_best(kept_times(fcinfo), &q, top, &field, answers);
	for (int i = 0; i < n; i++)
		put_row(rsinfo, &q, &field, &answers[i], NULL, rules);
	if (n == 0)
		put_row(rsinfo, &q, &field, NULL, NULL, rules);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(dun_timing_sql_payday);

/* _payday(country, payments date[], today): every schedule with its probability and next date, 'none' among them */
Datum
dun_timing_sql_payday(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DunPlace	place = dun_calendar_place(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)), NULL);
	ArrayType  *payments = array_argument(fcinfo, 1);
	DateADT		dates[DUN_PAYMENTS_KEPT];
	DunPayday	post;
	Datum	   *values;
	bool	   *nulls;
	int			n = 0,
				kept = 0,
				i;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(2))
		return (Datum) 0;
	if (payments != NULL)
		deconstruct_array(payments, DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &values, &nulls, &n);
	for (i = 0; i < n && kept < DUN_PAYMENTS_KEPT; i++)
		if (!nulls[i] && !DATE_NOT_FINITE(DatumGetDateADT(values[i])))
			dates[kept++] = DatumGetDateADT(values[i]);
	dun_timing_payday(place.country, dates, kept, &post);
	for (i = 0; i <= DUN_SCHEDULES; i++)
	{
		Datum		row[3];
		bool		isnull[3] = {false};

		row[0] = CStringGetTextDatum(dun_timing_schedule_name(i));
		row[1] = Float8GetDatum(post.p[i]);
		row[2] = DateADTGetDatum(i == DUN_NO_SCHEDULE ? 0 : dun_timing_next_payday(place.country, i, PG_GETARG_DATEADT(2)));
		isnull[2] = i == DUN_NO_SCHEDULE || DATE_NOT_FINITE(DatumGetDateADT(row[2]));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, isnull);
	}
	return (Datum) 0;
}
