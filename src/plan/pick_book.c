/*
 * plan/pick_book.c
 *		The picks of a book: what is known of the debtors of the ladder is read once, and each is picked for by himself.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/hash.h"
#include "plan/pick_book.h"

#define HOLDOUT_SEED 3

static bool
is_held_out(const DunPickRun *run, const char *debtor_id)
{
	char	   *name;
	uint64		state;

	if (run->holdout <= 0)
		return false;
	name = psprintf("holdout/%s", debtor_id);
	state = dun_base_hash64(name, strlen(name), HOLDOUT_SEED);
	return dun_base_rng_uniform(&state) < run->holdout;
}

static void
sweep(DunPickRun *run)
{
	MemoryContext before = MemoryContextSwitchTo(run->item);
	DunRow	   *rows;

	while ((rows = dun_plan_next_debtor(run->book)) != NULL)
	{
		DunPickFacts facts;
		DunRung    *rungs;
		DunPick		pick;
		int			n;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(run->item);
		n = dun_plan_collect_pick(run, rows, &facts, &rungs);
		if (n == 0)
			continue;
		facts.held_out = is_held_out(run, facts.debtor_id);
		dun_plan_pick(&run->picker, &facts, rungs, n, &pick);
		dun_plan_put_pick(run, &pick, &facts);
	}
	MemoryContextSwitchTo(before);
}

PG_FUNCTION_INFO_V1(dun_plan_sql_packed_dates);

/* _packed_dates(date[]) */
Datum
dun_plan_sql_packed_dates(PG_FUNCTION_ARGS)
{
	ArrayType  *dates = PG_GETARG_ARRAYTYPE_P(0);
	Size		len = ARR_HASNULL(dates) ? 0 : ArrayGetNItems(ARR_NDIM(dates), ARR_DIMS(dates)) * sizeof(DateADT);
	bytea	   *packed = palloc(VARHDRSZ + len);

	SET_VARSIZE(packed, VARHDRSZ + len);
	memcpy(VARDATA(packed), ARR_DATA_PTR(dates), len);
	PG_RETURN_BYTEA_P(packed);
}

PG_FUNCTION_INFO_V1(dun_plan_sql_pick);

/* _pick(texts, at, today, holdout share, prices by country, detail) */
Datum
dun_plan_sql_pick(PG_FUNCTION_ARGS)
{
	DunPickRun	run = {0};
	MemoryContext before;

	run.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	InitMaterializedSRF(fcinfo, 0);
	run.context = AllocSetContextCreate(CurrentMemoryContext, "dunning picks", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(run.context);
	dun_plan_take_statements(PG_GETARG_DATUM(0), run.texts, DUN_PICK_TEXTS);
	run.args = (DunArguments) {.n = 2, .types = {TIMESTAMPTZOID, TEXTARRAYOID}, .isnull = {false, true}};
	run.args.values[0] = PG_GETARG_DATUM(1);
	run.holdout = PG_GETARG_FLOAT8(3);
	run.detail = PG_GETARG_BOOL(5);
	run.item = AllocSetContextCreate(run.context, "dunning debtor", ALLOCSET_DEFAULT_SIZES);
	run.book = dun_plan_make_book((Size) (work_mem * hash_mem_multiplier) * 1024);
	SPI_connect();
	run.picker.at = PG_GETARG_TIMESTAMPTZ(1);
	run.picker.today = PG_GETARG_DATEADT(2);
	run.picker.means = dun_plan_make_means(run.texts, run.picker.at, run.picker.today, PG_GETARG_BOOL(4));
	run.picker.times = dun_timing_make_times();
	dun_plan_read_picks(&run);
	sweep(&run);
	SPI_finish();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(run.context);
	return (Datum) 0;
}
