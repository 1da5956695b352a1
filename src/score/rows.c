/*
 * score/rows.c
 *		Running a query and handing its rows, one by one, to whoever reads them.
 *
 * The query runs as the current user and is pushed row by row into a receiver of ours: nothing is
 * materialised, and the plan may be parallel, which a cursor fetched in batches could not be.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "tcop/dest.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#include "base/compat.h"
#include "score/rows.h"

typedef struct RowReceiver
{
	DestReceiver pub;
	DunRowStart start;
	DunRowTake	take;
	void	   *state;
	MemoryContext row_context;
	uint64		rows;
} RowReceiver;

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	RowReceiver *r = (RowReceiver *) self;

	r->start(r->state, desc);
}

static bool
receiver_take(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *r = (RowReceiver *) self;
	MemoryContext before = MemoryContextSwitchTo(r->row_context);

	slot_getallattrs(slot);
	r->take(r->state, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(before);
	MemoryContextReset(r->row_context);
	if ((++r->rows & 255) == 0)
		CHECK_FOR_INTERRUPTS();
	return true;
}

static void
receiver_nothing(DestReceiver *self)
{
}

/* One plain SELECT: no second statement, nothing that writes or locks rows. */
static void
check_query(SPIPlanPtr plan)
{
	bool		plain = SPI_is_cursor_plan(plan);

	if (plain)
	{
		CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
		Query	   *query = linitial_node(Query, source->query_list);

		plain = query->commandType == CMD_SELECT && !query->hasModifyingCTE && query->rowMarks == NIL;
	}
	if (!plain)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query must be one SELECT that only reads"),
				 errhint("Pass one statement that returns rows, such as 'SELECT * FROM my_view'.")));
}

SPIPlanPtr
dun_score_prepare_rows(const char *query)
{
	SPIPrepareOptions prepare = {.cursorOptions = CURSOR_OPT_PARALLEL_OK};
	SPIPlanPtr	plan = SPI_prepare_extended(query, &prepare);

	if (plan == NULL)
		elog(ERROR, "could not prepare the query: %s", SPI_result_code_string(SPI_result));
	check_query(plan);
	return plan;
}

TupleDesc
dun_score_rows_type(SPIPlanPtr plan)
{
	return ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc;
}

bool
dun_score_rows_parallel(SPIPlanPtr plan)
{
	CachedPlan *cached = SPI_plan_get_cached_plan(plan);
	bool		parallel;

	if (cached == NULL)
		return false;
	parallel = linitial_node(PlannedStmt, cached->stmt_list)->parallelModeNeeded;
	ReleaseCachedPlan(cached, NULL);
	return parallel;
}

uint64
dun_score_run_rows(SPIPlanPtr plan, DunRowStart start, DunRowTake take, void *state)
{
	RowReceiver receiver = {
		.pub = {receiver_take, receiver_startup, receiver_nothing, receiver_nothing, DestTuplestore},
		.start = start, .take = take, .state = state,
	};
	SPIExecuteOptions execute = {.read_only = true, .must_return_tuples = true};
	int			rc;

	receiver.row_context = AllocSetContextCreate(CurrentMemoryContext, "dunning row", ALLOCSET_DEFAULT_SIZES);
	execute.dest = &receiver.pub;
	rc = SPI_execute_plan_extended(plan, &execute);
	if (rc < 0)
		elog(ERROR, "could not run the query: %s", SPI_result_code_string(rc));
	MemoryContextDelete(receiver.row_context);
	SPI_freeplan(plan);
	return receiver.rows;
}

uint64
dun_score_read_rows(const char *query, DunRowStart start, DunRowTake take, void *state)
{
	return dun_score_run_rows(dun_score_prepare_rows(query), start, take, state);
}
