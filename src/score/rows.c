/*
 * score/rows.c
 *		Running a query and handing its rows, one by one, to whoever reads them.
 *
 * The query runs as the current user and is pushed row by row into a receiver of ours: nothing is
 * materialised, and the plan may be parallel, which a cursor fetched in batches could not be.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "tcop/dest.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#include "base/compat.h"
#include "score/rows.h"

/* Rows of a page that are asked of memory before they are read, and bytes of one of them. */
#define ROWS_AHEAD 4
#define MOST_AHEAD 1024

/*
 * Where each attribute lies in a tuple without nulls of a row type of nothing but fixed lengths. The server's own way
 * through a tuple looks at each attribute's length, alignment and null bit; this one only loads.
 */
typedef struct Offsets
{
	TupleDesc	desc;			/* of which these are; NULL: none yet */
	bool		fixed;
	bool		whole;			/* of nothing but eight bytes each: the tuple's data are the values */
	int			natts;
	uint16	   *at;
	Datum	   *values;
	bool	   *nulls;			/* all false */
} Offsets;

typedef struct RowReceiver
{
	DestReceiver pub;
	DunRowStart start;
	DunRowTake	take;
	void	   *state;
	MemoryContext row_context;
	MemoryContext context;
	uint64		rows;
	Offsets		offsets;
} RowReceiver;

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	RowReceiver *r = (RowReceiver *) self;

	r->start(r->state, desc);
}

static void
find_offsets(Offsets *o, MemoryContext context, TupleDesc desc)
{
	uint32		at = 0;

	o->desc = desc;
	o->fixed = o->whole = true;
	o->natts = desc->natts;
	o->at = MemoryContextAlloc(context, sizeof(uint16) * Max(desc->natts, 1));
	o->values = MemoryContextAlloc(context, sizeof(Datum) * Max(desc->natts, 1));
	o->nulls = MemoryContextAllocZero(context, sizeof(bool) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts && o->fixed; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		o->fixed = att->attbyval && att->attlen > 0;
		o->whole &= o->fixed && att->attlen == sizeof(Datum);
		at = att_align_nominal(at, att->attalign);
		o->at[i] = (uint16) at;
		at += Max(att->attlen, 0);
	}
}

/* The tuple's values, none of which is null; NULL where the server must take it apart. */
static inline Datum *
load_values(RowReceiver *r, TupleTableSlot *slot)
{
	Offsets    *o = &r->offsets;
	HeapTuple	tuple;
	char	   *data;

	if (!TTS_IS_BUFFERTUPLE(slot))
		return NULL;
	if (o->desc != slot->tts_tupleDescriptor)
		find_offsets(o, r->context, slot->tts_tupleDescriptor);
	tuple = ((HeapTupleTableSlot *) slot)->tuple;
	if (!o->fixed || tuple == NULL || HeapTupleHasNulls(tuple) || HeapTupleHeaderGetNatts(tuple->t_data) != o->natts)
		return NULL;
	data = (char *) tuple->t_data + tuple->t_data->t_hoff;
#ifdef __GNUC__
	/* A page fills from its end: the rows that come next lie before this one. Only a hint, wherever it points. */
	for (uint32 ahead = 0; ahead < tuple->t_len && ahead < MOST_AHEAD; ahead += PG_CACHE_LINE_SIZE / 2)
		__builtin_prefetch((char *) tuple->t_data - ROWS_AHEAD * MAXALIGN(tuple->t_len) + ahead);
#endif
	if (o->whole)
		return (Datum *) data;
	for (int i = 0; i < o->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(o->desc, i);

		if (likely(att->attlen == 8))
			o->values[i] = *(const Datum *) (data + o->at[i]);
		else
			o->values[i] = fetch_att(data + o->at[i], true, att->attlen);
	}
	return o->values;
}

static bool
receiver_take(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *r = (RowReceiver *) self;
	MemoryContext before = MemoryContextSwitchTo(r->row_context);
	Datum	   *values = load_values(r, slot);

	if (values != NULL)
		r->take(r->state, values, r->offsets.nulls);
	else
	{
		slot_getallattrs(slot);
		r->take(r->state, slot->tts_values, slot->tts_isnull);
	}
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

	receiver.context = CurrentMemoryContext;
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
