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

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/hash.h"
#include "timing/best.h"
#include "timing/grid.h"
#include "timing/payday.h"

#define REMEMBERED 1024
#define EXPLORE 0.05
#define PAY_MIN 0.5
#define PAY_MAX 3.0
#define PAYMENTS_NEEDED 3
#define PAYDAY_TOLD 0.3		/* a likelier schedule is told by its days */
#define LONGEST_PERIOD 40		/* days: no schedule is rarer than monthly */
#define TOLD_FROM 0.05			/* a log-ratio below is not told in words */
#define SALT UINT64CONST(0x74696d696e67)	/* "timing" */

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

struct DunTimes
{
	DunGrids   *grids;
	double	   *scores;
	int64	   *slots;
	Remembered *remembered;
};

/* One debtor's question, at work. */
typedef struct Weighing
{
	const DunTimeQuestion *q;
	DunGrid	   *grid;
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

	times->grids = dun_timing_make_grids();
	times->scores = palloc(sizeof(double) * DUN_GRID_SLOTS);
	times->slots = palloc(sizeof(int64) * DUN_GRID_SLOTS);
	times->remembered = palloc0(sizeof(Remembered) * REMEMBERED);
	return times;
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

const DunCalibration *
dun_timing_calibration_of(const DunTimeQuestion *q)
{
	const DunCalibration *c = q->evidence.prior == NULL ? NULL : &q->evidence.prior->media[dun_timing_medium(q->channel)].calibration;

	return c == NULL || c->b1 <= 0 ? NULL : c;
}

static bool
hours_are_alike(const DunTimeQuestion *q)
{
	const DunCalibration *c = dun_timing_calibration_of(q);

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
	const DunGrid *g = w->grid;

	return dun_gate_capped(w->q->history, &w->who, g->zones, g->nzones, slot * DUN_SLOT, NULL) > 0;
}

/* Those of open[from .. until - 1], which are of one day and closed by no cap. */
static void
weigh_day(Weighing *w, DunTimeField *field, int from, int until, int64 *slots, double *scores)
{
	const DunGrid *g = w->grid;
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
	DunGrid	   *g = w->grid;
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

/* Those that were taken are below 0; -1 where there is no other. */
static int
best_slot(const double *scores, int n)
{
	double		best[4] = {-0.5, -0.5, -0.5, -0.5}; /* four, since each waits for its last comparison */
	double		bar;
	int			i;

	for (i = 0; i + 4 <= n; i += 4)
		for (int k = 0; k < 4; k++)
			best[k] = scores[i + k] > best[k] ? scores[i + k] : best[k];
	for (; i < n; i++)
		best[0] = scores[i] > best[0] ? scores[i] : best[0];

	/* A hair's breadth is a tie, and a tie goes to the earlier one, the same on every machine. */
	bar = Max(Max(best[0], best[1]), Max(best[2], best[3])) * (1 - 1e-12);
	for (i = 0; i < n; i++)
		if (scores[i] >= bar && scores[i] >= 0)
			return i;
	return -1;
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
	w->grid = dun_timing_open_slots(times->grids, w->q->windows, w->q->windows_key, w->q->now, w->first, w->last);
	read_evidence(w);
	find_chances(w);
	weigh(w, field, times->slots, times->scores);
	return best_slot(times->scores, field->nslots);
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
	a->at = slot * DUN_SLOT;
	a->explored = explored;
	a->propensity = propensity;
	a->chance = chance;
	a->hour = hours_are_alike(w->q) ? 0 : log(chance / field->mean_p);
	a->pay = w->grid == NULL ? 0 : log(pay_multiplier(w, w->grid->dates[slot - w->grid->first]) / field->mean_pay);
	a->since_payday = fabs(a->pay) < TOLD_FROM ? -1 : days_since_payday(w, w->grid->dates[slot - w->grid->first]);
	a->tag = NULL;
	a->date = w->grid == NULL ? 0 : log(date_multiplier(w, w->grid->dates[slot - w->grid->first], &a->tag) / field->mean_date);
	a->delay = -DUN_WAIT_PER_DAY * (slot * DUN_SLOT - w->q->now) / (double) USECS_PER_DAY;
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

static void
tell_closers(DunTimes *times, Weighing *w, DunTimeField *field)
{
	const DunTimeQuestion *q = w->q;

	if (w->first > w->last || (field->nslots > 0 ? !q->by_rule : field->capped > 0))
		return;
	if (w->grid == NULL)
		w->grid = dun_timing_open_slots(times->grids, q->windows, q->windows_key, q->now, w->first, w->last);
	field->closers = dun_timing_closers(times->grids, w->grid, q->windows, w->first, w->last);
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
	w.first = (q->from + DUN_SLOT - 1) / DUN_SLOT;
	w.last = Min(q->until, q->from + DUN_HORIZON_DAYS * USECS_PER_DAY) / DUN_SLOT;

	/* The coin is a function of the debtor and of the contacts there were: asked twice, it falls the same. */
	seed = psprintf("%s/%d/" INT64_FORMAT, q->debtor_id, q->evidence.contacts, last_contact(q));
	coin = dun_base_hash64(seed, strlen(seed), SALT);
	lot = top == 1 && dun_base_rng_uniform(&coin) < EXPLORE;

	r = top > 1 ? NULL : find_remembered(times, &w, q->windows_key != 0 ? q->windows_key : dun_timing_windows_key(q->windows));
	if (r != NULL && r->best >= 0 && !lot)
	{
		*field = r->field;
		tell_closers(times, &w, field);
		set_answer(&answers[0], &w, field, r->best, r->chance, false, 1 - EXPLORE + EXPLORE / field->nslots);
		return 1;
	}
	n = weigh_slots(times, &w, field);
	if (r != NULL && field->nslots > 0)
	{
		r->best = times->slots[n];
		r->chance = answer_chance(&w, r->best - w.grid->first);
		r->field = *field;
	}
	tell_closers(times, &w, field);
	if (field->nslots == 0)
		return 0;
	if (lot)
	{
		int			drawn = (int) (dun_base_rng_uniform(&coin) * field->nslots);

		set_answer_of(&answers[0], &w, field, times->slots[drawn], true, (drawn == n ? 1 - EXPLORE : 0) + EXPLORE / field->nslots);
		return 1;
	}
	for (int i = 0; i < top && i < field->nslots; i++)
	{
		if (i > 0)
			n = best_slot(times->scores, field->nslots);
		set_answer_of(&answers[i], &w, field, times->slots[n], false, 1 - EXPLORE + EXPLORE / field->nslots);
		times->scores[n] = -1;
	}
	return Min(top, field->nslots);
}
