/*
 * plan/ladder_told.c
 *		What is asked of SQL about those who were put aside: accounts of those whose rows are odd, conditions and dates of
 *		those for whom a step depends on one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/hash.h"
#include "base/texts.h"
#include "plan/ladder.h"

/* --- what is told --- */

typedef struct ToldKey
{
	const char *id;
	int			len;
} ToldKey;

typedef struct ToldEntry
{
	ToldKey		key;
	DunTold    *told;
	char		status;
} ToldEntry;

#define SH_PREFIX told
#define SH_ELEMENT_TYPE ToldEntry
#define SH_KEY_TYPE ToldKey
#define SH_KEY key
#define SH_HASH_KEY(table, k) ((uint32) dun_base_hash64((k).id, (k).len, 0))
#define SH_EQUAL(table, a, b) ((a).len == (b).len && memcmp((a).id, (b).id, (a).len) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static DunTold *
make_told(DunLadder *run, ToldEntry *entry)
{
	entry->key.id = memcpy(MemoryContextAlloc(run->context, entry->key.len + 1), entry->key.id, entry->key.len);
	return entry->told = MemoryContextAllocZero(run->context, sizeof(DunTold));
}

static DunTold *
enter_told(DunLadder *run, const Datum *v, const bool *isnull)
{
	ToldKey		key;
	ToldEntry  *entry;
	bool		found;

	key.id = dun_plan_text_at(v, isnull, 0, &key.len);
	if (key.id == NULL)
		return NULL;
	if (run->told == NULL)
		run->told = told_create(run->context, 256, NULL);
	entry = told_insert(run->told, key, &found);
	return found ? entry->told : make_told(run, entry);
}

/* debtor_id, holds, fault */
static void
take_condition(void *state, const Datum *v, const bool *isnull)
{
	DunLadder  *run = state;
	DunTold	   *told = enter_told(run, v, isnull);
	Datum	   *values;
	bool	   *nulls;
	int			n;

	if (told == NULL)
		return;
	told->holds = MemoryContextAllocZero(run->context, run->nconditions * sizeof(bool));
	told->failed = MemoryContextAllocZero(run->context, run->nconditions * sizeof(bool));
	told->fault = dun_plan_name_at(run->context, v, isnull, 2);
	if (isnull[1])
		return;
	deconstruct_array(DatumGetArrayTypeP(v[1]), BOOLOID, 1, true, TYPALIGN_CHAR, &values, &nulls, &n);
	/* Where a condition cannot be told it counts as holding: the step it stands at is the one that is held. */
	for (int i = 0; i < Min(n, run->nconditions); i++)
	{
		told->failed[i] = nulls[i];
		told->holds[i] = nulls[i] || DatumGetBool(values[i]);
	}
}

/* debtor_id, anchor, currency, last_on, next_on, early */
static void
take_date(void *state, const Datum *v, const bool *isnull)
{
	DunLadder  *run = state;
	DunTold	   *told = enter_told(run, v, isnull);
	MemoryContext before;
	DunDate    *date;
	int			len = 0;
	const char *currency = dun_plan_text_at(v, isnull, 2, &len);

	if (told == NULL)
		return;
	before = MemoryContextSwitchTo(run->context);
	told->dates = told->ndates == 0 ? palloc(sizeof(DunDate)) : repalloc(told->dates, (told->ndates + 1) * sizeof(DunDate));
	date = &told->dates[told->ndates++];
	date->anchor = dun_plan_name_at(run->context, v, isnull, 1);
	date->currency = currency == NULL ? -1 : dun_plan_number_currency(run, currency, len);
	date->last = isnull[3] ? DATEVAL_NOBEGIN : DatumGetDateADT(v[3]);
	date->next = isnull[4] ? DATEVAL_NOBEGIN : DatumGetDateADT(v[4]);
	date->early = dun_plan_name_at(run->context, v, isnull, 5);
	MemoryContextSwitchTo(before);
}

/* debtor_id, mark: of those alone who owe something or whose amounts are invalid */
static void
take_mark(void *state, const Datum *v, const bool *isnull)
{
	DunLadder  *run = state;
	DunTold	   *told = enter_told(run, v, isnull);

	if (told != NULL)
		told->mark = dun_plan_name_at(run->context, v, isnull, 1);
}

/* debtor_id, currency, due_on, amount, open, left_out */
static void
take_item(void *state, const Datum *v, const bool *isnull)
{
	DunLadder  *run = state;
	DunTold	   *told = enter_told(run, v, isnull);
	MemoryContext before;
	DunItem    *item;
	int			len = 0;
	const char *currency = dun_plan_text_at(v, isnull, 1, &len);

	if (told == NULL)
		return;
	before = MemoryContextSwitchTo(run->context);
	if (told->account.nitems == told->room)
	{
		told->room = told->room * 2 + 8;
		told->account.items = told->account.items == NULL ? palloc(told->room * sizeof(DunItem))
			: repalloc_huge(told->account.items, told->room * sizeof(DunItem));
	}
	item = &told->account.items[told->account.nitems++];
	memset(item, 0, sizeof(*item));
	item->currency = dun_plan_number_currency(run, currency, len);
	item->due = DatumGetDateADT(v[2]);
	item->amount.exact = DatumGetNumericCopy(v[3]);
	item->open.exact = DatumGetNumericCopy(v[4]);
	item->left_out = DatumGetBool(v[5]);
	MemoryContextSwitchTo(before);
}

static DunTold *
find_told(const DunLadder *run, const char *id, int id_len)
{
	ToldEntry  *entry = run->told == NULL ? NULL : told_lookup(run->told, (ToldKey) {id, id_len});

	return entry == NULL ? NULL : entry->told;
}

DunTold *
dun_plan_find_told(const DunLadder *run, const DunRow *row)
{
	return find_told(run, DUN_ROW_ID(row), row->id_len);
}

/* --- questions --- */

static ArrayType *
array_of(const DunIds *a, const DunIds *b)
{
	Datum	   *ids = palloc_extended(Max(a->n + b->n, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);

	if (a->n > 0)
		memcpy(ids, a->ids, a->n * sizeof(Datum));
	if (b->n > 0)
		memcpy(ids + a->n, b->ids, b->n * sizeof(Datum));
	return construct_array(ids, a->n + b->n, TEXTOID, -1, false, TYPALIGN_INT);
}

/* Asks about these debtors. */
static void
set_debtors(DunLadder *run, const DunIds *a, const DunIds *b)
{
	run->args.values[1] = PointerGetDatum(array_of(a, b));
	run->args.isnull[1] = false;
}

static void
set_names(DunLadder *run, const char *const *names, int n)
{
	run->args.values[3] = dun_base_make_texts(names, n);
	run->args.isnull[3] = false;
}

static void
ask_accounts(DunLadder *run)
{
	DunIds		none = {0};

	if (run->odd_ids.n == 0)
		return;
	set_debtors(run, &run->odd_ids, &none);
	dun_plan_read(run->texts[DUN_LADDER_MARKS], &run->args, take_mark, run);
	dun_plan_read(run->texts[DUN_LADDER_ITEMS], &run->args, take_item, run);
}

static void
ask_conditions(DunLadder *run)
{
	if (run->nconditions == 0 || run->asking_ids.n + run->odd_ids.n == 0)
		return;
	set_debtors(run, &run->asking_ids, &run->odd_ids);
	set_names(run, (const char *const *) run->conditions, run->nconditions);
	dun_plan_read(run->texts[DUN_LADDER_CONDITIONS], &run->args, take_condition, run);
}

/* May a step of the strategy that counts from this anchor be taken, as far as its condition says? */
static bool
needs_date(const DunStrategy *s, const DunTold *told, const char *anchor)
{
	if (s == NULL)
		return true;
	for (int i = 0; i < s->nsteps; i++)
		if (s->steps[i].anchor == DUN_ANCHOR_DATE && strcmp(s->steps[i].anchor_name, anchor) == 0 &&
			(s->steps[i].condition < 0 || (told != NULL && told->holds != NULL && told->holds[s->steps[i].condition])))
			return true;
	return false;
}

/* Adds to `needing`, by anchor. */
static void
add_who_needs(DunLadder *run, DunIds *needing, const DunIds *ids)
{
	for (int i = 0; i < ids->n; i++)
	{
		text	   *id = DatumGetTextPP(ids->ids[i]);
		const DunTold *told = find_told(run, VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id));

		CHECK_FOR_INTERRUPTS();
		for (int a = 0; a < run->nanchors; a++)
			if (needs_date(ids->strategies[i], told, run->anchors[a]))
				dun_plan_add_id(run, &needing[a], VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id), ids->strategies[i]);
	}
}

/* Dates are dear: a payday is worked out from a debtor's payments. So each is asked of those alone who may need it. */
static void
ask_dates(DunLadder *run)
{
	DunIds	   *needing = palloc0(Max(run->nanchors, 1) * sizeof(DunIds));
	DunIds		none = {0};

	add_who_needs(run, needing, &run->asking_ids);
	add_who_needs(run, needing, &run->odd_ids);
	for (int i = 0; i < run->nanchors; i++)
	{
		if (needing[i].n == 0)
			continue;
		set_debtors(run, &needing[i], &none);
		set_names(run, &run->anchors[i], 1);
		dun_plan_read(run->texts[DUN_LADDER_DATES], &run->args, take_date, run);
	}
}

void
dun_plan_ask_aside(DunLadder *run)
{
	ask_accounts(run);
	ask_conditions(run);
	ask_dates(run);
}
