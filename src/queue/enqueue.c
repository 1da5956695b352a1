/*
 * queue/enqueue.c
 *		Putting the rows of a query into message, queue and once.
 *
 * The query is run once and its rows are taken as they come, a thousand at a time: the free ones of their once keys are
 * claimed, and messages and queue rows are appended as COPY does. One statement of three INSERTs that share the query
 * would keep all of it beside work_mem and join it twice with what was claimed.
 *
 * A query with an argument is a constant text for one row after another: its plan is kept.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "pgtime.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/append.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/spi.h"
#include "base/user.h"
#include "queue/wake.h"

#define ROWS_AT_ONCE 1000

/* What the query must give, in this order; the first so many are columns of message. */
enum
{
	MESSAGE_ID, DEBTOR_ID, CREDITOR, RUN_ID, CHANNEL = 7, SERVER = 9, CONTACT_AT = 10, MESSAGE_COLUMNS = 24,
	STATE = MESSAGE_COLUMNS, REASON, BLOCKED_BY, ONCE_KIND, ONCE_KEY, COLUMNS
};

#define FRAME \
	"SELECT s.message_id::uuid, s.debtor_id::text, s.creditor::text, s.run_id::uuid, s.strategy::text, s.step::text, s.template::text," \
	" s.channel::text, s.language::text, s.server::text, s.contact_at::timestamptz, s.not_after::timestamptz, s.local_time::text," \
	" s.amounts::jsonb, s.cost::numeric, s.cost_currency::text, s.variant::text, s.p::float8, s.expected_value::numeric," \
	" s.propensity::float8, s.explored::boolean, s.ledger_mark::text, s.context::jsonb, s.decision::jsonb," \
	" s.state::text, s.reason::text, s.blocked_by::text[], s.once_kind::text, s.once_key::text FROM (%s) s"

static const DunAppendTo message = {
	"message", MESSAGE_COLUMNS + 2,
	{"message_id", "debtor_id", "creditor", "run_id", "strategy", "step", "template", "channel", "language", "server", "contact_at",
		"not_after", "local_time", "amounts", "cost", "cost_currency", "variant", "p", "expected_value", "propensity", "explored",
		"ledger_mark", "context", "decision", "created_at", "created_by"}
};

static const DunAppendTo queue = {
	"queue", 12,
	{"debtor_id", "message_id", "creditor", "slice", "state", "due", "attempts", "server", "channel", "reason", "blocked_by", "run_id"},
	.plain = true
};

static DunStatement claim_sql = {
	"INSERT INTO dunning.once (debtor_id, kind, key, message_id, at)"
	" SELECT u.debtor_id, u.kind, u.key, u.message_id, $5"
	"   FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) AS u(debtor_id, kind, key, message_id)"
	" ON CONFLICT DO NOTHING RETURNING message_id",
	5, {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDARRAYOID, TIMESTAMPTZOID}, .cursor_options = CURSOR_OPT_GENERIC_PLAN
};

/* Most who claim one key claim no other, and four arrays take longer to unfold than a row to insert. */
static DunStatement claim_one_sql = {
	"INSERT INTO dunning.once (debtor_id, kind, key, message_id, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING message_id",
	5, {TEXTOID, TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID}, .cursor_options = CURSOR_OPT_GENERIC_PLAN
};

static DunStatement partitions_sql = {"SELECT dunning._ensure_partitions()", 0, {0}, NULL};

static DunStatement in_sql = {
	"SELECT e.debtor_id, e.message_id FROM dunning._enqueue_in_sql($1, $2) e", 2, {TEXTOID, JSONBOID}, NULL
};

typedef struct Row
{
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
	bool		lost;			/* its key is another message's */
} Row;

typedef struct Enqueuing
{
	DestReceiver receiver;		/* first: a receiver is all that the executor knows of it */
	ReturnSetInfo *result;
	MemoryContext context;		/* of the rows at hand */
	TupleDesc	desc;
	Row		   *rows;
	int			room;
	int			n;
	Datum		now;
	Datum		created_by;
} Enqueuing;

/* --- months --- */

static bool
has_month(Oid schema, const char *parent, int year, int month)
{
	char		name[NAMEDATALEN];

	snprintf(name, sizeof(name), "%s_y%04dm%02d", parent, year, month);
	return OidIsValid(get_relname_relid(name, schema));
}

/* As _ensure_partitions(), which makes what is missing. */
static void
ensure_months(void)
{
	static const char *const parents[] = {"message", "body", "egress", "outcome"};
	Oid			schema = get_namespace_oid("dunning", false);
	pg_time_t	now = timestamptz_to_time_t(GetCurrentTimestamp());
	struct pg_tm *tm = pg_gmtime(&now);
	int			year = tm->tm_year + 1900;
	int			month = tm->tm_mon + 1;

	for (int i = 0; i < lengthof(parents); i++)
		if (!has_month(schema, parents[i], year, month) ||
			!has_month(schema, parents[i], year + month / 12, month % 12 + 1))
		{
			dun_base_run(&partitions_sql, NULL, NULL, false, 0);
			return;
		}
}

/* --- writing --- */

static Datum
make_array(Datum *values, int n, Oid type)
{
	if (type == UUIDOID)
		return PointerGetDatum(construct_array(values, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* What is returned stands in the order of what was given. */
static void
mark_lost(Row **keyed, int n, uint64 claimed)
{
	uint64		at = 0;

	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		keyed[i]->lost = at == claimed ||
			memcmp(DatumGetUUIDP(dun_base_value(at, 1, &isnull)), DatumGetUUIDP(keyed[i]->values[MESSAGE_ID]), UUID_LEN) != 0;
		if (!keyed[i]->lost)
			at++;
	}
	if (at != claimed)
		elog(ERROR, "keys were claimed for " UINT64_FORMAT " messages and found for " UINT64_FORMAT, claimed, at);
}

static void
claim_keys(Enqueuing *e)
{
	static const int from[] = {DEBTOR_ID, ONCE_KIND, ONCE_KEY, MESSAGE_ID};
	Row		  **keyed = palloc(e->n * sizeof(Row *));
	Datum	   *values = palloc(e->n * sizeof(Datum));
	Datum		args[5];
	int			n = 0;

	for (int i = 0; i < e->n; i++)
		if (!e->rows[i].nulls[ONCE_KEY])
			keyed[n++] = &e->rows[i];
	if (n == 0)
		return;
	for (int c = 0; c < lengthof(from); c++)
	{
		for (int i = 0; i < n; i++)
		{
			if (keyed[i]->nulls[from[c]])
				ereport(ERROR,
						(errcode(ERRCODE_NOT_NULL_VIOLATION),
						 errmsg("a message with a once key lacks its kind, its debtor or its message_id")));
			values[i] = keyed[i]->values[from[c]];
		}
		args[c] = n == 1 ? values[0] : make_array(values, n, from[c] == MESSAGE_ID ? UUIDOID : TEXTOID);
	}
	args[4] = e->now;
	mark_lost(keyed, n, dun_base_run(n == 1 ? &claim_one_sql : &claim_sql, args, NULL, false, 0));
}

static void
append_messages(Enqueuing *e)
{
	DunAppend  *into = dun_base_open_append(&message);

	for (int i = 0; i < e->n; i++)
	{
		Datum		values[MESSAGE_COLUMNS + 2];
		bool		nulls[MESSAGE_COLUMNS + 2] = {false};

		if (e->rows[i].lost)
			continue;
		memcpy(values, e->rows[i].values, MESSAGE_COLUMNS * sizeof(Datum));
		memcpy(nulls, e->rows[i].nulls, MESSAGE_COLUMNS * sizeof(bool));
		values[MESSAGE_COLUMNS] = e->now;
		values[MESSAGE_COLUMNS + 1] = e->created_by;
		dun_base_append_row(into, values, nulls);
	}
	dun_base_close_append(into);
}

static void
append_queue(Enqueuing *e)
{
	static const int from[] = {DEBTOR_ID, MESSAGE_ID, CREDITOR, -1, STATE, CONTACT_AT, -1, SERVER, CHANNEL, REASON, BLOCKED_BY, RUN_ID};
	DunAppend  *into = dun_base_open_append(&queue);

	for (int i = 0; i < e->n; i++)
	{
		Row		   *row = &e->rows[i];
		text	   *debtor;
		Datum		values[lengthof(from)] = {0};
		bool		nulls[lengthof(from)] = {false};

		if (row->lost)
			continue;
		for (int c = 0; c < lengthof(from); c++)
			if (from[c] >= 0)
			{
				values[c] = row->values[from[c]];
				nulls[c] = row->nulls[from[c]];
			}
		debtor = DatumGetTextPP(values[0]);
		values[3] = Int16GetDatum(dun_base_slice(VARDATA_ANY(debtor), VARSIZE_ANY_EXHDR(debtor)));
		values[6] = Int16GetDatum(0);
		dun_base_append_row(into, values, nulls);
		if (!nulls[5])
			dun_queue_wake_at_commit(DatumGetTimestampTz(values[5]));
	}
	dun_base_close_append(into);
}

static void
return_row(ReturnSetInfo *result, Datum debtor_id, Datum message_id)
{
	Datum		values[2] = {debtor_id, message_id};
	bool		nulls[2] = {false, false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
write_rows(Enqueuing *e)
{
	MemoryContext before;

	if (e->n == 0)
		return;
	SPI_connect();
	before = MemoryContextSwitchTo(e->context);
	claim_keys(e);
	append_messages(e);
	append_queue(e);
	for (int i = 0; i < e->n; i++)
		if (!e->rows[i].lost)
			return_row(e->result, e->rows[i].values[DEBTOR_ID], e->rows[i].values[MESSAGE_ID]);
	MemoryContextSwitchTo(before);
	SPI_finish();
	MemoryContextReset(e->context);
	e->n = 0;
}

/* --- reading --- */

static void
begin_rows(DestReceiver *self, int operation, TupleDesc desc)
{
	((Enqueuing *) self)->desc = desc;
}

static bool
take_row(TupleTableSlot *slot, DestReceiver *self)
{
	Enqueuing  *e = (Enqueuing *) self;
	MemoryContext before;
	Row		   *row;

	if (e->n == ROWS_AT_ONCE)
		write_rows(e);
	else if (e->n == e->room)
	{
		e->room = Min(e->room * 8, ROWS_AT_ONCE);
		e->rows = repalloc(e->rows, e->room * sizeof(Row));
	}
	before = MemoryContextSwitchTo(e->context);
	row = &e->rows[e->n++];
	row->lost = false;
	heap_deform_tuple(ExecCopySlotHeapTuple(slot), e->desc, row->values, row->nulls);
	if (row->nulls[MESSAGE_ID] || row->nulls[DEBTOR_ID])
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("a message has no %s", row->nulls[MESSAGE_ID] ? "message_id" : "debtor_id")));
	MemoryContextSwitchTo(before);
	return true;
}

static void
end_rows(DestReceiver *self)
{
}

static SPIPlanPtr
prepare(const char *source)
{
	Oid			types[1] = {JSONBOID};
	SPIPlanPtr	plan = SPI_prepare(psprintf(FRAME, source), 1, types);

	if (plan == NULL)
		elog(ERROR, "could not prepare what is to be enqueued: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/* Of one text at a time, which is what a session that enqueues single messages says. */
static SPIPlanPtr
kept_plan(const char *source)
{
	static char *known = NULL;
	static SPIPlanPtr plan = NULL;
	SPIPlanPtr	made;

	if (known != NULL && strcmp(known, source) == 0)
		return plan;
	made = prepare(source);
	if (known != NULL)
	{
		pfree(known);
		known = NULL;
		SPI_freeplan(plan);
	}
	SPI_keepplan(made);
	plan = made;
	known = MemoryContextStrdup(TopMemoryContext, source);
	return plan;
}

static void
run_source(Enqueuing *e, const char *source, bool has_argument, Datum argument)
{
	SPIExecuteOptions options = {0};
	int			rc;

	options.params = makeParamList(1);
	options.params->params[0] = (ParamExternData)
	{
		.value = argument,.isnull = !has_argument,.pflags = PARAM_FLAG_CONST,.ptype = JSONBOID
	};
	options.dest = &e->receiver;
	rc = SPI_execute_plan_extended(has_argument ? kept_plan(source) : prepare(source), &options);
	if (rc < 0)
		elog(ERROR, "could not run what is to be enqueued: %s", SPI_result_code_string(rc));
}

static void
enqueue_in_sql(ReturnSetInfo *result, Datum source, bool has_argument, Datum argument)
{
	Datum		args[2] = {source, argument};
	uint64		n = dun_base_run(&in_sql, args, has_argument ? "  " : " n", false, 0);

	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		Datum		debtor_id = dun_base_value(row, 1, &isnull);

		return_row(result, debtor_id, dun_base_value(row, 2, &isnull));
	}
}

/* As a SECURITY DEFINER function of SQL has it; an error ends it with its transaction. */
static int
set_for_source(void)
{
	static const char *const settings[][2] = {{"search_path", "pg_catalog, pg_temp"}, {"jit", "off"}};
	int			level = NewGUCNestLevel();

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

PG_FUNCTION_INFO_V1(dun_queue_sql_enqueue);

Datum
dun_queue_sql_enqueue(PG_FUNCTION_ARGS)
{
	Enqueuing	e = {{take_row, begin_rows, end_rows, end_rows, DestNone}};
	DunUser		before;
	int			level;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("there is no query to enqueue from")));
	InitMaterializedSRF(fcinfo, 0);
	before = dun_base_become(DUN_OWNER_ROLE);
	level = set_for_source();
	SPI_connect();
	ensure_months();
	e.result = (ReturnSetInfo *) fcinfo->resultinfo;
	/* What hangs on a table would not run when rows are appended. */
	if (!dun_base_may_append(&message) || !dun_base_may_append(&queue))
	{
		enqueue_in_sql(e.result, PG_GETARG_DATUM(0), !PG_ARGISNULL(1), PG_GETARG_DATUM(1));
		dun_queue_wake_at_commit(DT_NOBEGIN);
	}
	else
	{
		e.context = AllocSetContextCreate(CurrentMemoryContext, "dunning enqueuing", ALLOCSET_DEFAULT_SIZES);
		e.room = 4;
		e.rows = palloc(e.room * sizeof(Row));
		/* As _now() has it. */
		e.now = TimestampTzGetDatum(dun_base_clock_is_virtual() ? dun_base_now() : GetCurrentStatementStartTimestamp());
		e.created_by = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
		run_source(&e, text_to_cstring(PG_GETARG_TEXT_PP(0)), !PG_ARGISNULL(1), PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1));
		write_rows(&e);
	}
	SPI_finish();
	AtEOXact_GUC(true, level);
	dun_base_unbecome(before);
	return (Datum) 0;
}
