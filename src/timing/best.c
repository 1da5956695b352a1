/*
 * timing/best.c
 *		The best of the allowed instants.
 *
 * Candidates are the quarters of an hour of absolute time up to the horizon; what the clock forbids is known per place
 * and kept for the statement, since a book has few places and many debtors. Each is worth
 *
 *		P(t) * PAY(date) * e^(-mu (t - now))
 *
 * the chance of an answer, the payday multiplier clipped to [.5, 3], and one per cent a day for waiting. The best one is
 * taken, the earliest on a tie; one contact in twenty is put on an allowed instant drawn evenly, so that there is
 * something to measure timing with. Until such contacts have calibrated the model, no gain is claimed: p_response and
 * p_baseline are both the model's average over the allowed instants. (A model's own best is a winner's curse: on a world
 * without any effect of timing it claims +50 %.)
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/hash.h"
#include "calendar/window.h"
#include "gate/caps.h"
#include "timing/payday.h"
#include "timing/profile.h"

#define SLOT (15 * USECS_PER_MINUTE)
#define GRID_SLOTS (96 * 70)	/* kept from a day before the first instant asked for */
#define GRIDS 512
#define HORIZON_DAYS 62
#define EXPLORE 0.05
#define WAIT_PER_DAY 0.01		/* mu */
#define PAY_MIN 0.5
#define PAY_MAX 3.0
#define PAYMENTS_NEEDED 3
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
} Grid;

typedef struct Cache
{
	int			n;
	Grid	   *grids[GRIDS];
	double	   *scores;
	int64	   *slots;
} Cache;

/* One debtor's question. */
typedef struct Question
{
	Grid	   *grid;
	const DunWindows *windows;
	DunHistory	history;
	DunAsker	who;
	const char *channel;
	TimestampTz from,
				until,
				now;
	double		reaped[DUN_HOURS];
	double		q;
	DunPayday	payday;
	int			contacts,
				responses,
				payments;
	/* the answer so far */
	int			nslots;
	int			removed[HOLIDAY + 2];	/* by state; last: caps */
	double		mean_p;
	double		mean_pay;
} Question;

static Grid *
find_grid(Cache *cache, const DunWindows *w, int64 slot)
{
	uint64		key = dun_base_hash64(w, VARSIZE(w), 0);
	Grid	   *grid = NULL;
	int			i;

	for (i = 0; i < cache->n && grid == NULL; i++)
		if (cache->grids[i]->key == key)
			grid = cache->grids[i];
	if (grid == NULL)
	{
		/* Should a book have more places than that, the last one is made anew each time. */
		i = Min(cache->n, GRIDS - 1);
		if (i == cache->n)
			cache->grids[cache->n++] = palloc(sizeof(Grid));
		grid = cache->grids[i];
		grid->key = key;
		grid->first = PG_INT64_MIN;
	}
	if (slot < grid->first || slot + 96 * HORIZON_DAYS >= grid->first + GRID_SLOTS || grid->first == PG_INT64_MIN)
	{
		grid->first = slot - 96;
		grid->nzones = dun_calendar_resolve_zones(w, grid->zones);
		memset(grid->states, UNKNOWN, sizeof(grid->states));
	}
	return grid;
}

static SlotState
slot_state(Question *q, int64 slot)
{
	Grid	   *g = q->grid;
	int			i = slot - g->first;

	if (g->states[i] == UNKNOWN)
	{
		const char *word = dun_calendar_closed(q->windows, g->zones, slot * SLOT);
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

/* The chance of an answer to a contact in this slot: between the hours it is read off a straight line. */
static double
answer_chance(const Question *q, int i)
{
	int			h = q->grid->hours[i];
	double		part = q->grid->quarters[i] / 4.0;

	return 1 - exp(-q->q * ((1 - part) * q->reaped[h] + part * q->reaped[(h + 1) % DUN_HOURS]));
}

static double
pay_multiplier(const Question *q, DateADT date)
{
	/* Before there are payments the posterior is what is usual in a country: not a reason to wait for it. */
	if (q->payments < PAYMENTS_NEEDED)
		return 1;
	return Min(PAY_MAX, Max(PAY_MIN, dun_timing_pay_multiplier(q->windows->place.country, &q->payday, date)));
}

/* Fills slots[] and scores[] with what is allowed. */
static void
weigh(Question *q, int64 *slots, double *scores)
{
	int64		first = (q->from + SLOT - 1) / SLOT;
	int64		last = q->until / SLOT;
	int64		slot;
	DateADT		date = DATEVAL_NOBEGIN;
	DateADT		day = 0;
	bool		daily = dun_gate_caps_are_daily(&q->history);
	bool		capped = false;
	double		pay = 1;
	double		patience = exp(-WAIT_PER_DAY * (first * SLOT - q->now) / (double) USECS_PER_DAY);
	double		wait = exp(-WAIT_PER_DAY * SLOT / (double) USECS_PER_DAY);

	for (slot = first; slot <= last; slot++, patience *= wait)
	{
		SlotState	state = slot_state(q, slot);
		int			i = slot - q->grid->first;
		double		p;

		if (state != OPEN)
		{
			q->removed[state]++;
			continue;
		}
		if (!daily || q->grid->days[i] != day)
		{
			day = q->grid->days[i];
			capped = dun_gate_capped(&q->history, &q->who, q->grid->zones, q->grid->nzones, slot * SLOT, NULL) > 0;
		}
		if (capped)
		{
			q->removed[HOLIDAY + 1]++;
			continue;
		}
		if (q->grid->dates[i] != date)
		{
			date = q->grid->dates[i];
			pay = pay_multiplier(q, date);
		}
		p = answer_chance(q, i);
		slots[q->nslots] = slot;
		scores[q->nslots++] = p * pay * patience;
		q->mean_p += p;
		q->mean_pay += pay;
	}
	if (q->nslots > 0)
	{
		q->mean_p /= q->nslots;
		q->mean_pay /= q->nslots;
	}
}

static int
best_slot(const double *scores, int n)
{
	int			best = -1,
				i;

	/* A hair's breadth is a tie, and a tie goes to the earlier one, the same on every machine. */
	for (i = 0; i < n; i++)
		if (scores[i] >= 0 && (best < 0 || scores[i] > scores[best] * (1 + 1e-12)))
			best = i;
	return best;
}

static Datum
reasons(const Question *q, int64 slot, ArrayType *words, ArrayType *rules)
{
	StringInfoData s;
	Datum	   *names;
	int			n,
				i;

	initStringInfo(&s);
	if (slot >= 0)
	{
		int			at = slot - q->grid->first;

		appendStringInfo(&s, "{\"hour\": %.3f, \"payday\": %.3f, \"delay\": %.3f",
						 log(answer_chance(q, at) / q->mean_p), log(pay_multiplier(q, q->grid->dates[at]) / q->mean_pay),
						 -WAIT_PER_DAY * (slot * SLOT - q->now) / (double) USECS_PER_DAY);
	}
	else
	{
		appendStringInfoString(&s, "{\"blocked_by\": [");
		n = 0;
		if (words != NULL)
			deconstruct_array(words, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n);
		for (i = 0; i < n; i++)
		{
			if (i > 0)
				appendStringInfoString(&s, ", ");
			escape_json(&s, TextDatumGetCString(names[i]));
		}
		appendStringInfoChar(&s, ']');
	}
	appendStringInfo(&s, ", \"slots\": %d, \"removed\": {\"quiet_hours\": %d, \"holiday\": %d, \"caps\": %d}",
					 q->nslots, q->removed[QUIET], q->removed[HOLIDAY], q->removed[HOLIDAY + 1]);
	appendStringInfo(&s, ", \"evidence\": \"%d answers to %d contacts, %d payments\", \"calibrated\": false",
					 q->responses, q->contacts, q->payments);
	if (slot < 0 && rules != NULL)
	{
		appendStringInfoString(&s, ", \"rules\": [");
		deconstruct_array(rules, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n);
		for (i = 0; i < n; i++)
		{
			if (i > 0)
				appendStringInfoString(&s, ", ");
			escape_json(&s, TextDatumGetCString(names[i]));
		}
		appendStringInfoChar(&s, ']');
	}
	appendStringInfoChar(&s, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(s.data));
}

static ArrayType *
array_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : PG_GETARG_ARRAYTYPE_P(arg);
}

static void
put_row(ReturnSetInfo *rsinfo, const Question *q, int64 slot, bool explored, double propensity, ArrayType *words, ArrayType *rules)
{
	Datum		values[7] = {0};
	bool		nulls[7] = {false};

	if (slot < 0)
		memset(nulls, true, 6);
	else
	{
		values[0] = TimestampTzGetDatum(slot * SLOT);
		values[1] = Float8GetDatum(q->mean_p);
		values[2] = Float8GetDatum(q->mean_p);
		values[3] = Float8GetDatum(0);
		values[4] = BoolGetDatum(explored);
		values[5] = Float8GetDatum(propensity);
	}
	values[6] = reasons(q, slot, words, rules);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The history of payments and answers, or the book's where there is none. */
static void
read_profile(FunctionCallInfo fcinfo, int first, Question *q)
{
	const DunActivity *activity = PG_ARGISNULL(first) ? NULL : (const DunActivity *) VARDATA(PG_GETARG_BYTEA_P(first));
	ArrayType  *payments = array_argument(fcinfo, first + 1);
	ArrayType  *shape = array_argument(fcinfo, first + 4);
	double		book_q = PG_ARGISNULL(first + 5) ? 0.1 : PG_GETARG_FLOAT8(first + 5);
	float		flat[DUN_HOURS];
	DateADT		dates[DUN_PAYMENTS_KEPT];
	Datum	   *values;
	int			n = 0,
				i;

	q->contacts = PG_ARGISNULL(first + 2) ? 0 : PG_GETARG_INT32(first + 2);
	q->responses = PG_ARGISNULL(first + 3) ? 0 : PG_GETARG_INT32(first + 3);
	/* The debtor's own share of answers, two contacts' worth of the book's in it. */
	q->q = (q->responses + 2 * book_q) / (q->contacts + 2);
	for (i = 0; i < DUN_HOURS; i++)
		flat[i] = 1;
	if (shape != NULL && ArrayGetNItems(ARR_NDIM(shape), ARR_DIMS(shape)) == DUN_HOURS && !ARR_HASNULL(shape))
		memcpy(flat, ARR_DATA_PTR(shape), sizeof(flat));
	dun_timing_reap(activity, flat, book_q, dun_timing_delay(q->channel), q->reaped);

	if (payments != NULL)
		deconstruct_array(payments, DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &values, NULL, &n);
	n = Min(n, DUN_PAYMENTS_KEPT);
	for (i = 0; i < n; i++)
		dates[i] = DatumGetDateADT(values[i]);
	q->payments = n;
	dun_timing_payday(q->windows->place.country, dates, n, &q->payday);
}

/* Contacts within the days that some cap looks back: how far beyond them the history reaches depends on who else was asked about. */
static int
recent_contacts(const Question *q)
{
	TimestampTz longest = 0;
	int			n = 0;

	for (int i = 0; i < q->history.ncaps; i++)
	{
		longest = Max(longest, q->history.caps[i].days * USECS_PER_DAY);
		longest = Max(longest, Max(q->history.caps[i].gap, q->history.caps[i].silence));
	}
	for (int i = 0; i < q->history.ncontacts; i++)
		n += q->history.contacts[i].at >= q->from - longest;
	return n;
}

PG_FUNCTION_INFO_V1(dun_timing_sql_best);

/*
 * _best_of(debtor_id, channel, not_before, not_after, now, words, held_until, windows, rules, caps, debtors, channels,
 * messages, ats, ords, talks, activity, payments, contacts, responses, shape, q, top): at least one row.
 */
Datum
dun_timing_sql_best(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Cache	   *cache = fcinfo->flinfo->fn_extra;
	Question	q = {0};
	ArrayType  *words = array_argument(fcinfo, 5);
	ArrayType  *rules = array_argument(fcinfo, 8);
	int			top = PG_GETARG_INT32(22);
	uint64		coin;
	char	   *seed;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(7) || (words != NULL && ArrayGetNItems(ARR_NDIM(words), ARR_DIMS(words)) > 0))
	{
		put_row(rsinfo, &q, -1, false, 0, words, rules);
		return (Datum) 0;
	}
	if (cache == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		cache = palloc0(sizeof(Cache));
		cache->scores = palloc(sizeof(double) * GRID_SLOTS);
		cache->slots = palloc(sizeof(int64) * GRID_SLOTS);
		fcinfo->flinfo->fn_extra = cache;
		MemoryContextSwitchTo(before);
	}

	q.windows = dun_calendar_windows(PG_GETARG_BYTEA_P(7));
	q.channel = text_to_cstring(PG_GETARG_TEXT_PP(1));
	q.now = PG_GETARG_TIMESTAMPTZ(4);
	q.from = PG_GETARG_TIMESTAMPTZ(2);
	q.until = PG_GETARG_TIMESTAMPTZ(3);
	if (!PG_ARGISNULL(6))
		q.from = Max(q.from, PG_GETARG_TIMESTAMPTZ(6));
	q.who.debtor_id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	dun_gate_read_history(&q.history, array_argument(fcinfo, 9), array_argument(fcinfo, 10), array_argument(fcinfo, 11),
						  array_argument(fcinfo, 12), array_argument(fcinfo, 13), array_argument(fcinfo, 14),
						  array_argument(fcinfo, 15));
	if (q.from <= q.until)
	{
		MemoryContext before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		q.until = Min(q.until, q.from + HORIZON_DAYS * USECS_PER_DAY);
		q.grid = find_grid(cache, q.windows, (q.from + SLOT - 1) / SLOT);
		MemoryContextSwitchTo(before);
		read_profile(fcinfo, 16, &q);
		weigh(&q, cache->slots, cache->scores);
	}
	if (q.nslots == 0)
	{
		put_row(rsinfo, &q, -1, false, 0, NULL, rules);
		return (Datum) 0;
	}

	/* The coin is a function of the debtor and of how many contacts there were: asked twice, it falls the same. */
	seed = psprintf("%s/%d/%d", q.who.debtor_id, q.contacts, recent_contacts(&q));
	coin = dun_base_hash64(seed, strlen(seed), SALT);
	if (top == 1 && dun_base_rng_uniform(&coin) < EXPLORE)
	{
		int			drawn = (int) (dun_base_rng_uniform(&coin) * q.nslots);
		bool		greedy = drawn == best_slot(cache->scores, q.nslots);

		put_row(rsinfo, &q, cache->slots[drawn], true, (greedy ? 1 - EXPLORE : 0) + EXPLORE / q.nslots, NULL, rules);
		return (Datum) 0;
	}
	for (i = 0; i < top && i < q.nslots; i++)
	{
		int			best = best_slot(cache->scores, q.nslots);

		put_row(rsinfo, &q, cache->slots[best], false, 1 - EXPLORE + EXPLORE / q.nslots, NULL, rules);
		cache->scores[best] = -1;
	}
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
