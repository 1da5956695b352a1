/*
 * plan/ladder_steps.c
 *		Strategies of a run with their steps, and what each asks for in each currency that is met.
 *
 * Currencies are numbered as they come, so that the sums of a debtor are found by a place in a list and not by name.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/amount.h"
#include "plan/ladder.h"

#define MAX_CURRENCIES 60000

typedef struct CurrencyEntry
{
	char		name[DUN_CURRENCY_LEN];
	int			no;
} CurrencyEntry;

/* --- currencies --- */

static HTAB *
make_table(const DunLadder *run)
{
	HASHCTL		by_name = {.keysize = DUN_CURRENCY_LEN, .entrysize = sizeof(CurrencyEntry), .hcxt = run->context};

	return hash_create("dunning currencies", 64, &by_name, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
}

static int
enter_currency(DunLadder *run, const char *name, int len)
{
	char		key[DUN_CURRENCY_LEN] = {0};
	CurrencyEntry *entry;
	bool		found;

	memcpy(key, name, len);
	if (run->currency_table == NULL)
		run->currency_table = make_table(run);
	entry = hash_search(run->currency_table, key, HASH_ENTER, &found);
	if (found)
		return entry->no;
	if (run->ncurrencies >= MAX_CURRENCIES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d currencies in the ledger", MAX_CURRENCIES),
				 errdetail("Currencies are codes such as EUR."),
				 errhint("SELECT currency, count(*) FROM (SELECT currency FROM dunning.invoice) x GROUP BY 1;")));
	if (run->ncurrencies == run->currency_room)
	{
		run->currency_room = run->currency_room * 2 + 16;
		run->currencies = run->currencies == NULL
			? MemoryContextAlloc(run->context, run->currency_room * sizeof(char *))
			: repalloc(run->currencies, run->currency_room * sizeof(char *));
	}
	entry->no = run->ncurrencies;
	run->currencies[run->ncurrencies++] = MemoryContextStrdup(run->context, key);
	return entry->no;
}

int
dun_plan_number_currency(DunLadder *run, const char *name, int len)
{
	int			kept = Min(len, DUN_CURRENCY_LEN - 1);
	DunMetCurrency *met = &run->met[kept == 0 ? 0 : ((uint8) name[0] + (uint8) name[kept - 1] * 5) % DUN_MET_CURRENCIES];

	if (met->len != kept || memcmp(met->name, name, kept) != 0 || kept == 0)
	{
		met->no = enter_currency(run, name, kept);
		met->len = kept;
		memcpy(met->name, name, kept);
	}
	return met->no;
}

/* --- strategies --- */

static int
find_condition(DunLadder *run, const char *condition)
{
	for (int i = 0; i < run->nconditions; i++)
		if (strcmp(run->conditions[i], condition) == 0)
			return i;
	run->conditions = run->nconditions == 0
		? MemoryContextAlloc(run->context, sizeof(char *))
		: repalloc(run->conditions, (run->nconditions + 1) * sizeof(char *));
	run->conditions[run->nconditions] = MemoryContextStrdup(run->context, condition);
	return run->nconditions++;
}

static DunAnchor
anchor_of(const char *name)
{
	if (strcmp(name, "due_date") == 0)
		return DUN_ANCHOR_DUE_DATE;
	if (strcmp(name, "last_contact") == 0)
		return DUN_ANCHOR_LAST_CONTACT;
	return DUN_ANCHOR_DATE;
}

static int
int_at(const Datum *v, const bool *isnull, int i)
{
	return isnull[i] ? 0 : DatumGetInt32(v[i]);
}

/* Columns as in take_step(). */
static void
add_strategy(DunLadder *run, char *name, const Datum *v, const bool *isnull)
{
	int			n = run->nstrategies++;
	DunStrategy *s;

	run->strategies = n == 0 ? palloc(sizeof(DunStrategy)) : repalloc(run->strategies, (n + 1) * sizeof(DunStrategy));
	run->minimums = n == 0 ? palloc(sizeof(Jsonb **)) : repalloc(run->minimums, (n + 1) * sizeof(Jsonb **));
	run->tolerances = n == 0 ? palloc(sizeof(Jsonb *)) : repalloc(run->tolerances, (n + 1) * sizeof(Jsonb *));
	s = &run->strategies[n];
	memset(s, 0, sizeof(*s));
	s->name = name;
	s->one_by_one = DatumGetBool(v[1]);
	s->stop_after = int_at(v, isnull, 2);
	s->max_contacts = int_at(v, isnull, 3);
	s->max_days = int_at(v, isnull, 4);
	run->tolerances[n] = isnull[5] ? NULL : DatumGetJsonbPCopy(v[5]);
	s->has_tolerance = run->tolerances[n] != NULL && JB_ROOT_COUNT(run->tolerances[n]) > 0;
	run->minimums[n] = NULL;
}

static void
keep_anchor(DunLadder *run, const char *name)
{
	for (int i = 0; i < run->nanchors; i++)
		if (strcmp(run->anchors[i], name) == 0)
			return;
	run->anchors = run->anchors == NULL ? MemoryContextAlloc(run->context, sizeof(char *))
		: repalloc(run->anchors, (run->nanchors + 1) * sizeof(char *));
	run->anchors[run->nanchors++] = name;
}

/* A step of the last strategy. */
static void
add_step(DunLadder *run, const Datum *v, const bool *isnull)
{
	int			last = run->nstrategies - 1;
	DunStrategy *s = &run->strategies[last];
	DunStep    *step;
	char	   *condition = dun_plan_name_at(run->context, v, isnull, 14);

	s->steps = s->nsteps == 0 ? palloc(sizeof(DunStep)) : repalloc(s->steps, (s->nsteps + 1) * sizeof(DunStep));
	run->minimums[last] = s->nsteps == 0 ? palloc(sizeof(Jsonb *))
		: repalloc(run->minimums[last], (s->nsteps + 1) * sizeof(Jsonb *));
	run->minimums[last][s->nsteps] = isnull[17] ? NULL : DatumGetJsonbPCopy(v[17]);
	step = &s->steps[s->nsteps++];
	memset(step, 0, sizeof(*step));
	step->name = dun_plan_name_at(run->context, v, isnull, 6);
	step->position = DatumGetInt32(v[7]);
	step->anchor_name = dun_plan_name_at(run->context, v, isnull, 8);
	step->anchor = anchor_of(step->anchor_name);
	step->offset_days = DatumGetInt32(v[9]);
	step->from_day = DatumGetInt32(v[10]);
	step->ends = !isnull[11];
	step->to_day = int_at(v, isnull, 11);
	step->repeat_days = int_at(v, isnull, 12);
	step->repeat_max = int_at(v, isnull, 13);
	step->condition = condition == NULL ? -1 : find_condition(run, condition);
	step->after_contact = DatumGetBool(v[15]);
	step->is_last_resort = !isnull[16] && DatumGetBool(v[16]);
	run->lookback = Min(run->lookback, step->offset_days);
	if (step->anchor == DUN_ANCHOR_DATE)
		keep_anchor(run, step->anchor_name);
}

/*
 * strategy, catch_up = 'next', stop_after, max_contacts, max_days, tolerance, step (NULL: it has none), position, anchor,
 * offset_days, from_day, to_day, repeat_days, repeat_max, condition, after_contact, is stop_step, minimum; in order
 */
static void
take_step(void *state, const Datum *v, const bool *isnull)
{
	DunLadder  *run = state;
	MemoryContext before = MemoryContextSwitchTo(run->context);
	char	   *name = dun_plan_name_at(run->context, v, isnull, 0);

	if (run->nstrategies == 0 || strcmp(run->strategies[run->nstrategies - 1].name, name) != 0)
		add_strategy(run, name, v, isnull);
	if (!isnull[6])
		add_step(run, v, isnull);
	MemoryContextSwitchTo(before);
}

void
dun_plan_read_strategies(DunLadder *run)
{
	dun_plan_read(run->texts[DUN_LADDER_STEPS], &run->args, take_step, run);
}

const DunStrategy *
dun_plan_find_strategy(const DunLadder *run, const char *name, int len)
{
	for (int i = 0; i < run->nstrategies; i++)
		if (strlen(run->strategies[i].name) == len && memcmp(run->strategies[i].name, name, len) == 0)
			return &run->strategies[i];
	return NULL;
}

/* --- minimums --- */

static bool
find_minimum(Jsonb *minimums, const char *key, Numeric *found)
{
	JsonbValue	value;

	if (minimums == NULL || !JB_ROOT_IS_OBJECT(minimums) ||
		getKeyJsonValueFromContainer(&minimums->root, key, strlen(key), &value) == NULL || value.type == jbvNull)
		return false;
	if (value.type == jbvNumeric)
		*found = value.val.numeric;
	else if (value.type == jbvString)
		*found = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(pnstrdup(value.val.string.val, value.val.string.len)),
													 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	else
		return false;
	return true;
}

static void
set_sum(DunSum *sum, Jsonb *amounts, const char *currency, int64 otherwise)
{
	Numeric		value;

	memset(sum, 0, sizeof(*sum));
	sum->micro = otherwise;
	if ((find_minimum(amounts, currency, &value) || find_minimum(amounts, "*", &value)) &&
		!dun_base_read_amount(NumericGetDatum(value), &sum->micro, &sum->scale))
		sum->exact = value;
}

static DunSum *
make_sums(DunLadder *run, DunSum *sums)
{
	return sums == NULL ? palloc(run->ncurrencies * sizeof(DunSum)) : repalloc(sums, run->ncurrencies * sizeof(DunSum));
}

void
dun_plan_set_minimums(DunLadder *run)
{
	MemoryContext before = MemoryContextSwitchTo(run->context);

	for (int s = 0; s < run->nstrategies && run->known_minimums < run->ncurrencies; s++)
	{
		DunStrategy *strategy = &run->strategies[s];

		strategy->tolerances = make_sums(run, strategy->tolerances);
		for (int c = run->known_minimums; c < run->ncurrencies; c++)
			set_sum(&strategy->tolerances[c], run->tolerances[s], run->currencies[c], -1);
		for (int i = 0; i < strategy->nsteps; i++)
		{
			strategy->steps[i].minimums = make_sums(run, strategy->steps[i].minimums);
			for (int c = run->known_minimums; c < run->ncurrencies; c++)
				set_sum(&strategy->steps[i].minimums[c], run->minimums[s][i], run->currencies[c], 0);
		}
	}
	run->known_minimums = run->ncurrencies;
	MemoryContextSwitchTo(before);
}
