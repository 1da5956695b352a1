/*
 * plan/ladder.c
 *		The steps that the debtors of a book have reached: every source is read once, and each debtor is decided by itself.
 *
 * The texts of the statements are composed in SQL (_ladder_texts()), since the bound relations are known only there, and
 * are run as whoever calls, all in one snapshot. Each hands its rows to a receiver that deals them to a book (book.c).
 * Then debtor after debtor is settled and decided. Two kinds are put aside meanwhile: those whose rows are odd, whose
 * account is asked of the SQL that defines it, and those for whom a condition must be known first, which are asked
 * together.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "calendar/window.h"
#include "plan/ladder.h"

/* --- debtor after debtor --- */

void
dun_plan_add_id(DunLadder *run, DunIds *ids, const char *id, int id_len, const DunStrategy *strategy)
{
	MemoryContext before = MemoryContextSwitchTo(run->context);

	if (ids->n == ids->room)
	{
		ids->room = ids->room * 2 + 64;
		ids->ids = ids->ids == NULL ? palloc(ids->room * sizeof(Datum))
			: repalloc_huge(ids->ids, ids->room * sizeof(Datum));
		ids->strategies = ids->strategies == NULL ? palloc(ids->room * sizeof(DunStrategy *))
			: repalloc_huge(ids->strategies, ids->room * sizeof(DunStrategy *));
	}
	ids->strategies[ids->n] = strategy;
	ids->ids[ids->n++] = PointerGetDatum(cstring_to_text_with_len(id, id_len));
	MemoryContextSwitchTo(before);
}

static bool
owes_something(const DunAccount *a)
{
	for (int i = 0; i < a->nbalances; i++)
		if (a->balances[i].balance > 0)
			return true;
	return false;
}

static bool
looks_ahead_to(const DunLadder *run, const DunAccount *a)
{
	for (int i = 0; i < a->nitems; i++)
		if (run->today - a->items[i].due >= run->lookback)
			return true;
	return false;
}

/* Decide and put out; false where a condition must be known. */
static bool
decide_debtor(DunLadder *run, const DunDebtor *debtor, DunFacts *facts, const char *mark, const char *fault)
{
	DunDecision decision;

	if (facts->strategy == NULL)
	{
		int			len;
		const char *name = dun_plan_row_text(debtor->row, 2, &len);

		if (run->unknown_strategy == NULL && looks_ahead_to(run, facts->account))
		{
			run->unknown_strategy = MemoryContextAllocZero(run->context, len + 1);
			memcpy(run->unknown_strategy, name, len);
		}
		return true;
	}
	if (debtor->waiting)
		return true;
	dun_plan_decide(facts, &decision);
	if (decision.asks)
		return false;
	if (!decision.failed)
		fault = NULL;
	for (int i = 0; i < decision.n && (fault == NULL || i == 0); i++)
		dun_plan_put_reached(run, debtor, facts, &decision.reached[i], i + 1, mark, fault);
	return true;
}

static void
sweep_book(DunLadder *run)
{
	MemoryContext before = MemoryContextSwitchTo(run->item);
	DunRow	   *rows;

	while ((rows = dun_plan_next_debtor(run->book)) != NULL)
	{
		DunAccount	account;
		DunFacts	facts;
		DunDebtor	debtor;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(run->item);
		if (!dun_plan_settle_account(rows, run->stated, &account))
		{
			dun_plan_put_odd_aside(run, rows);
			continue;
		}
		if (account.nitems == 0 || !owes_something(&account))
			continue;
		dun_plan_collect_facts(run, rows, &debtor, &facts);
		facts.account = &account;
		if (debtor.row != NULL && !decide_debtor(run, &debtor, &facts, NULL, NULL))
			dun_plan_put_asking_aside(run, rows, &account, facts.strategy);
	}
	MemoryContextSwitchTo(before);
}

/* Those who were put aside, with what was asked about them. */
static void
sweep_told(DunLadder *run, DunBook *book, bool odd)
{
	MemoryContext before = MemoryContextSwitchTo(run->item);
	DunRow	   *rows;

	while ((rows = dun_plan_next_debtor(book)) != NULL)
	{
		DunAccount	account;
		DunFacts	facts;
		DunDebtor	debtor;
		DunTold	   *told;
		static const bool none = false;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(run->item);
		told = dun_plan_find_told(run, rows);
		if (odd && (told == NULL || told->mark == NULL))
			continue;
		if (!odd)
			dun_plan_take_account(rows, &account);
		dun_plan_collect_facts(run, rows, &debtor, &facts);
		facts.account = odd ? &told->account : &account;
		facts.asked = true;
		facts.ndates = told != NULL ? told->ndates : 0;
		facts.dates = told != NULL ? told->dates : NULL;
		facts.holds = told != NULL && told->holds != NULL ? told->holds
			: run->nconditions <= 1 ? &none : palloc0(run->nconditions * sizeof(bool));
		facts.failed = told != NULL ? told->failed : NULL;
		if (debtor.row != NULL && facts.account->nitems > 0)
			(void) decide_debtor(run, &debtor, &facts, odd ? told->mark : NULL,
								 told != NULL ? told->fault : NULL);
	}
	MemoryContextSwitchTo(before);
}

static void
complain_of_strategy(DunLadder *run)
{
	Oid			types[1] = {TEXTOID};
	Datum		args[1];

	if (run->unknown_strategy == NULL)
		return;
	args[0] = CStringGetTextDatum(run->unknown_strategy);
	SPI_execute_with_args("SELECT dunning._check_strategy($1)", 1, types, args, NULL, true, 0);
}

/* --- the call --- */

static void
make_books(DunLadder *run)
{
	Size		limit = (Size) (work_mem * hash_mem_multiplier) * 1024;

	run->book = dun_plan_make_book(limit);
	run->odd = dun_plan_make_book(limit);
	run->asking = dun_plan_make_book(limit);
	run->item = AllocSetContextCreate(run->context, "dunning debtor", ALLOCSET_DEFAULT_SIZES);
}

static TimestampTz
days_before(TimestampTz at, int days)
{
	Interval	span = {.day = days};

	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(at), IntervalPGetDatum(&span)));
}

static void
read_arguments(DunLadder *run, FunctionCallInfo fcinfo)
{
	static const Oid types[4] = {TIMESTAMPTZOID, TEXTARRAYOID, TEXTOID, TEXTARRAYOID};
	const char *zone;

	dun_plan_take_statements(PG_GETARG_DATUM(0), run->texts, DUN_LADDER_TEXTS);
	run->args.n = 4;
	memcpy(run->args.types, types, sizeof(types));
	for (int i = 0; i < 3; i++)
	{
		run->args.isnull[i] = PG_ARGISNULL(i + 1);
		run->args.values[i] = PG_ARGISNULL(i + 1) ? (Datum) 0 : PG_GETARG_DATUM(i + 1);
	}
	run->args.isnull[3] = true;
	run->today = PG_GETARG_DATEADT(4);
	run->stated = PG_GETARG_BOOL(5);
	run->now = PG_GETARG_TIMESTAMPTZ(6);
	run->week_ago = days_before(run->now, 7);
	run->month_ago = days_before(run->now, 30);
	zone = text_to_cstring(PG_GETARG_TEXT_PP(7));
	run->zone = pg_tzset(zone);
	if (run->zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" of the ledger is not known", zone),
				 errdetail("It is dunning.timezone, else the zone the server was started with; pg_timezone_names lists those it knows."),
				 errhint("ALTER SYSTEM SET dunning.timezone = 'Europe/London'; SELECT pg_reload_conf();")));
}

PG_FUNCTION_INFO_V1(dun_plan_sql_ladder);

/* _ladder(texts, as_of, many, strategy, today, stated, now_at, zone) */
Datum
dun_plan_sql_ladder(PG_FUNCTION_ARGS)
{
	DunLadder	run = {0};
	MemoryContext before;

	run.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	InitMaterializedSRF(fcinfo, 0);
	run.context = AllocSetContextCreate(CurrentMemoryContext, "dunning ladder", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(run.context);
	read_arguments(&run, fcinfo);
	make_books(&run);
	SPI_connect();
	dun_plan_read_strategies(&run);
	dun_plan_read_book(&run);
	dun_plan_set_minimums(&run);
	sweep_book(&run);
	dun_plan_ask_aside(&run);
	dun_plan_set_minimums(&run);
	sweep_told(&run, run.asking, false);
	sweep_told(&run, run.odd, true);
	complain_of_strategy(&run);
	SPI_finish();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(run.context);
	return (Datum) 0;
}
