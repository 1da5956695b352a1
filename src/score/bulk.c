/*
 * score/bulk.c
 *		dunning.score_rows: a query's rows scored into a fresh partition that takes the place of the one before.
 *
 * Nothing is updated in place: that would cost ten times what the arithmetic does. The partition is made in this
 * transaction, so its rows are written frozen, in batches, and its key is built over all of them at once; only then
 * are the partitions dropped that it replaces, and readers wait from there to the end of the transaction.
 *
 * Without a table the rows are only scored, for their mean. Rows are scored in batches here, or, where a row of the model costs more than handing it on and the planner finds
 * enough workers for the query, by those: rows then come with their probability. Both give the same bits.
 */
#include "postgres.h"

#include <math.h>

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/tupmacs.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "parser/parser.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "base/spi.h"
#include "score/matrix.h"
#include "score/predict.h"
#include "score/rows.h"
#include "score/swap.h"
#include "score/wrapper.h"

#define BATCH 64				/* rows scored side by side */
#define FEWEST_WORKERS 3		/* rows one by one cost three times what a batch does: fewer gain nothing */
#define STORED (8 * BATCH)		/* rows stored at a time */

typedef struct Bulk
{
	const char *name;
	const char *key;
	DunModel   *model;
	char	   *result;			/* the partitioned table, qualified and quoted */
	char	   *part;			/* the fresh partition, so too */
	MemoryContext context;		/* lives as long as the call */
	MemoryContext batch;		/* keys that are not passed by value */

	/* Of the query's rows. */
	bool		scored;			/* they are (key, p) */
	int			key_attribute;
	bool		key_by_value;
	int16		key_length;
	DunMapping *mapping;
	int			waiting;		/* rows in `dense` */
	double	   *dense;

	/* Of the partition. */
	Relation	rel;
	BulkInsertState inserting;
	CommandId	cid;
	int			natts;
	int			key_column;		/* from 0 */
	int			p_column;
	int			version_column;
	int			nslots;
	TupleTableSlot **slots;
	char	  **tuples;			/* data of a tuple in each slot, written over in place; NULL: tuples are formed anew */
	int			key_offset;
	int			p_offset;
	Datum	   *keys;
	double	   *p;

	uint64		n;
	double		sum;
} Bulk;

static void
execute(const char *sql)
{
	int			rc = SPI_execute(sql, false, 0);

	if (rc < 0)
		elog(ERROR, "could not execute \"%s\": %s", sql, SPI_result_code_string(rc));
}

static void
fill_slot(const Bulk *b, TupleTableSlot *slot, Datum key, double p)
{
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, b->natts);
	slot->tts_values[b->key_column] = key;
	slot->tts_values[b->p_column] = Float8GetDatum(p);
	slot->tts_values[b->version_column] = Int32GetDatum(b->model->version);
	slot->tts_isnull[b->key_column] = slot->tts_isnull[b->p_column] = slot->tts_isnull[b->version_column] = false;
	ExecStoreVirtualTuple(slot);
}

static void
store_rows(Bulk *b)
{
	if (b->nslots == 0)
		return;
	for (int i = 0; i < b->nslots; i++)
		b->sum += b->p[i];
	if (b->rel != NULL)
	{
		for (int i = 0; i < b->nslots; i++)
			if (b->tuples == NULL)
				fill_slot(b, b->slots[i], b->keys[i], b->p[i]);
			else
			{
				store_att_byval(b->tuples[i] + b->key_offset, b->keys[i], b->key_length);
				memcpy(b->tuples[i] + b->p_offset, &b->p[i], sizeof(double));
			}
		table_multi_insert(b->rel, b->slots, b->nslots, b->cid, TABLE_INSERT_SKIP_FSM | TABLE_INSERT_FROZEN, b->inserting);
		for (int i = 0; b->tuples == NULL && i < b->nslots; i++)
			ExecClearTuple(b->slots[i]);
	}
	b->n += b->nslots;
	b->nslots = 0;
	MemoryContextReset(b->batch);
}

static void
score_waiting(Bulk *b)
{
	if (b->waiting > 0)
		dun_score_predict_rows(b->model, b->dense, b->waiting, b->p + b->nslots - b->waiting);
	b->waiting = 0;
}

static void
take_row(void *state, Datum *values, bool *nulls)
{
	Bulk	   *b = state;
	Datum		key = values[b->key_attribute];

	if (nulls[b->key_attribute])
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("key \"%s\" of a row is null", b->key),
				 errhint("Leave such rows out: … WHERE %s IS NOT NULL.", quote_identifier(b->key))));
	if (!b->key_by_value)
	{
		MemoryContext before = MemoryContextSwitchTo(b->batch);

		key = datumCopy(key, false, b->key_length);
		MemoryContextSwitchTo(before);
	}
	b->keys[b->nslots] = key;
	if (b->scored)
		b->p[b->nslots++] = DatumGetFloat8(values[1]);
	else
	{
		dun_score_read_row(b->model, b->mapping, values, nulls, b->dense + (Size) b->waiting * b->model->nfeatures);
		b->nslots++;
		if (++b->waiting == BATCH)
			score_waiting(b);
	}
	if (b->nslots == STORED)
		store_rows(b);
}

static int
column_of(TupleDesc desc, const char *name, Oid type, const char *result)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0 && att->atttypid == type)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("table %s has no column \"%s\" of type %s", result, name, format_type_be(type)),
			 errhint("Name another table for the result, or none that exists: it is made.")));
	return -1;
}

/*
 * Where every tuple has the same shape, as with a key that is passed by value, each slot keeps one: what differs
 * between rows is written over. Inserting copies a tuple, and sets its header anew.
 */
static void
shape_tuples(Bulk *b)
{
	TupleDesc	desc = RelationGetDescr(b->rel);
	uint32		at = 0;

	get_typlenbyval(TupleDescAttr(desc, b->key_column)->atttypid, &b->key_length, &b->key_by_value);
	if (!b->key_by_value || b->natts != 3 || !TTS_IS_BUFFERTUPLE(b->slots[0]))
		return;
	for (int i = 0; i < b->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		at = att_align_nominal(at, att->attalign);
		if (i == b->key_column)
			b->key_offset = at;
		else if (i == b->p_column)
			b->p_offset = at;
		at += att->attlen;
	}
	b->tuples = palloc(sizeof(char *) * STORED);
	for (int i = 0; i < STORED; i++)
	{
		bool		ours;
		HeapTuple	tuple;

		fill_slot(b, b->slots[i], (Datum) 0, 0);
		tuple = ExecFetchSlotHeapTuple(b->slots[i], true, &ours);
		Assert(!ours);
		b->tuples[i] = (char *) tuple->t_data + tuple->t_data->t_hoff;
	}
}

/* Opens the partition for writing. */
static void
open_partition(Bulk *b, Oid part, Oid key_type)
{
	TupleDesc	desc,
				own;

	b->rel = table_open(part, RowExclusiveLock);
	desc = RelationGetDescr(b->rel);
	b->natts = desc->natts;
	b->key_column = column_of(desc, b->key, key_type, b->result);
	b->p_column = column_of(desc, "p", FLOAT8OID, b->result);
	b->version_column = column_of(desc, "version", INT4OID, b->result);
	b->inserting = GetBulkInsertState();
	b->cid = GetCurrentCommandId(true);
	b->slots = palloc(sizeof(TupleTableSlot *) * STORED);
	/* Of a description of its own a slot takes no pin, of which there would be as many. */
	own = CreateTupleDescCopy(desc);
	for (int i = 0; i < STORED; i++)
		b->slots[i] = MakeSingleTupleTableSlot(own, table_slot_callbacks(b->rel));
	shape_tuples(b);
}

static void
close_partition(Bulk *b)
{
	/* The slots hold no page and no lock; their memory goes with the call. */
	FreeBulkInsertState(b->inserting);
	table_finish_bulk_insert(b->rel, TABLE_INSERT_SKIP_FSM | TABLE_INSERT_FROZEN);
	table_close(b->rel, NoLock);
}

static void
start_rows(void *state, TupleDesc desc)
{
	Bulk	   *b = state;
	MemoryContext before = MemoryContextSwitchTo(b->context);

	if (!b->scored)
	{
		b->key_attribute = dun_score_column_number(desc, b->key, "key");
		b->mapping = dun_score_map_record(b->name, b->model, desc);
		b->dense = palloc(sizeof(double) * BATCH * Max(b->model->nfeatures, 1));
	}
	get_typlenbyval(TupleDescAttr(desc, b->key_attribute)->atttypid, &b->key_length, &b->key_by_value);
	MemoryContextSwitchTo(before);
}

static bool
divided_by_version(Oid oid, const char *name)
{
	Relation	rel;
	PartitionKey key;
	bool		result;

	if (get_rel_relkind(oid) != RELKIND_PARTITIONED_TABLE)
		return false;
	execute(psprintf("LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE", name));
	rel = table_open(oid, NoLock);
	key = RelationGetPartitionKey(rel);
	result = key->strategy == PARTITION_STRATEGY_LIST && key->partnatts == 1 && key->partattrs[0] > 0 &&
		strcmp(NameStr(TupleDescAttr(RelationGetDescr(rel), key->partattrs[0] - 1)->attname), "version") == 0;
	table_close(rel, NoLock);
	return result;
}

/* The partitioned table: found, or made for keys of this type. Locked against others that would swap. */
static Oid
open_result(Bulk *b, text *result, Form_pg_attribute key)
{
	RangeVar   *name = dun_score_read_name(result, "table");
	Oid			oid = RangeVarGetRelid(name, NoLock, true);

	if (!OidIsValid(oid))
	{
		char	   *quoted = name->schemaname ? quote_qualified_identifier(name->schemaname, name->relname) :
			pstrdup(quote_identifier(name->relname));

		execute(psprintf("CREATE TABLE %s (%s %s NOT NULL, p pg_catalog.float8 NOT NULL, version pg_catalog.int4 NOT NULL) "
						 "PARTITION BY LIST (version)", quoted, quote_identifier(b->key),
						 format_type_with_typemod(key->atttypid, key->atttypmod)));
		oid = RangeVarGetRelid(name, NoLock, false);
	}
	b->result = quote_qualified_identifier(get_namespace_name(get_rel_namespace(oid)), get_rel_name(oid));
	if (!divided_by_version(oid, b->result))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not a table that score_rows() has made", b->result),
				 errdetail("It is not partitioned by its version."),
				 errhint("Name a table that does not exist: it is made.")));
	return oid;
}

/* A table of its own, a partition only at the end: until then nobody else waits for it. */
static Oid
make_partition(Bulk *b, Oid result)
{
	char	   *schema = get_namespace_name(get_rel_namespace(result));
	char	   *table = get_rel_name(result);
	char	   *relation = NULL;
	Oid			oid;

	for (int i = 0; relation == NULL || OidIsValid(get_relname_relid(relation, get_rel_namespace(result))); i++)
		relation = psprintf("%.*s_%u_%d", pg_mbcliplen(table, (int) strlen(table), 40), table, GetCurrentTransactionId(), i);
	b->part = quote_qualified_identifier(schema, relation);
	/* The condition saves looking through all rows when it becomes a partition. */
	execute(psprintf("CREATE TABLE %s (LIKE %s, CONSTRAINT one_version CHECK (version OPERATOR(pg_catalog.=) %d))",
					 b->part, b->result, b->model->version));
	oid = get_relname_relid(relation, get_rel_namespace(result));
	return oid;
}

static void
explain_twins(void *state)
{
	const char *key = quote_identifier(((Bulk *) state)->key);

	if (geterrcode() == ERRCODE_UNIQUE_VIOLATION)
		errhint("Each key must come once: SELECT DISTINCT ON (%s) … ORDER BY %s, or another key.", key, key);
}

static void
swap_partitions(Bulk *b, Oid result)
{
	List	   *old;
	ListCell   *cell;
	ErrorContextCallback callback = {.previous = error_context_stack, .callback = explain_twins, .arg = b};

	error_context_stack = &callback;
	execute(psprintf("ALTER TABLE %s ADD PRIMARY KEY (%s)", b->part, quote_identifier(b->key)));
	error_context_stack = callback.previous;
	/* Nobody else attaches or detaches under our lock; each is locked, with the caller's rights, as it is dropped. */
	old = find_inheritance_children_extended(result, false, NoLock, NULL, NULL);
	if (old != NIL)
		dun_score_lock_unqueued(result);
	foreach(cell, old)
	{
		Oid			part = lfirst_oid(cell);

		execute(psprintf("DROP TABLE %s", quote_qualified_identifier(get_namespace_name(get_rel_namespace(part)), get_rel_name(part))));
	}
	execute(psprintf("ALTER TABLE %s ATTACH PARTITION %s FOR VALUES IN (%d)", b->result, b->part, b->model->version));
}

/* The same rows with their probability, computed where they are read; NULL where that would not pay or go. */
static SPIPlanPtr
prepare_for_workers(const Bulk *b, const char *query, TupleDesc desc)
{
	StringInfoData s;
	SPIPlanPtr	plan;
	RawStmt    *only = linitial_node(RawStmt, raw_parser(query, RAW_PARSE_DEFAULT));
	int			length = only->stmt_len > 0 ? only->stmt_len : (int) strlen(query) - only->stmt_location;

	if (!b->model->kind->dear || max_parallel_workers_per_gather < FEWEST_WORKERS || b->model->nfeatures > DUN_MOST_VALUES)
		return NULL;
	for (int i = 0; i < desc->natts; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), NameStr(TupleDescAttr(desc, j)->attname)) == 0)
				return NULL;
	initStringInfo(&s);
	appendStringInfo(&s, "SELECT q.%s, ", quote_identifier(b->key));
	dun_score_print_values_call(&s, b->name, b->model, "q.");
	/* Without the semicolon and what may follow it. */
	appendStringInfo(&s, " FROM (%.*s\n) q", length, query + only->stmt_location);
	plan = dun_score_prepare_rows(s.data);
	if (dun_score_rows_parallel(plan))
		return plan;
	SPI_freeplan(plan);
	return NULL;
}

/* Before all rows are scored. */
static void
check_key(const Bulk *b, Oid type)
{
	const char *key = quote_identifier(b->key);

	if (strcmp(b->key, "p") == 0 || strcmp(b->key, "version") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("the key cannot be named \"%s\"", b->key),
				 errdetail("The result has columns p and version of its own."),
				 errhint("Give it an alias in the query, such as %s AS id.", key)));
	if (!OidIsValid(GetDefaultOpClass(type, BTREE_AM_OID)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("key \"%s\" of type %s cannot be a primary key", b->key, format_type_be(type)),
				 errdetail("Its values have no order."),
				 errhint("Cast it in the query, such as %s::text AS %s.", key, key)));
}

static void
run(Bulk *b, const char *query, text *result)
{
	SPIPlanPtr	plan = dun_score_prepare_rows(query);
	SPIPlanPtr	of_workers;
	TupleDesc	desc = dun_score_rows_type(plan);
	Form_pg_attribute key = TupleDescAttr(desc, dun_score_column_number(desc, b->key, "key"));
	Oid			key_type = key->atttypid;
	Oid			parent = InvalidOid;

	(void) dun_score_map_record(b->name, b->model, desc);
	if (result != NULL)
	{
		check_key(b, key_type);
		parent = open_result(b, result, key);
	}
	of_workers = prepare_for_workers(b, query, desc);
	b->keys = palloc(sizeof(Datum) * STORED);
	b->p = palloc(sizeof(double) * STORED);
	if (result != NULL)
		open_partition(b, make_partition(b, parent), key_type);
	if (of_workers != NULL)
	{
		SPI_freeplan(plan);
		plan = of_workers;
		b->scored = true;
	}
	dun_score_run_rows(plan, start_rows, take_row, b);
	score_waiting(b);
	store_rows(b);
	if (result != NULL)
	{
		close_partition(b);
		swap_partitions(b, parent);
	}
}

PG_FUNCTION_INFO_V1(dun_score_sql_score_rows);

/* As whoever calls, from reading to the table: hence no SECURITY DEFINER. */
Datum
dun_score_sql_score_rows(PG_FUNCTION_ARGS)
{
	Bulk		b = {0};
	char	   *query;
	TupleDesc	desc;
	MemoryContext caller = CurrentMemoryContext;
	instr_time	started,
				now;
	Datum		values[5];
	bool		nulls[5] = {false};

	for (int i = 0; i < PG_NARGS() - 1; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d must not be null", i + 1),
					 errhint("SELECT * FROM dunning.score_rows('my_model', 'SELECT * FROM my_view', 'my_key', 'my_scores');")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != lengthof(values))
		elog(ERROR, "the result must have %d columns", (int) lengthof(values));
	INSTR_TIME_SET_CURRENT(started);
	b.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	b.key = text_to_cstring(PG_GETARG_TEXT_PP(2));
	SPI_connect();
	b.context = CurrentMemoryContext;
	b.batch = AllocSetContextCreate(b.context, "dunning keys", ALLOCSET_DEFAULT_SIZES);
	b.model = dun_score_find_model(b.name);
	run(&b, query, PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3));
	SPI_finish();
	MemoryContextSwitchTo(caller);
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, started);
	values[0] = Int32GetDatum(b.model->version);
	values[1] = Int64GetDatum((int64) b.n);
	values[2] = Float8GetDatum(b.n > 0 ? b.sum / b.n : 0);
	nulls[2] = b.n == 0;
	values[3] = BoolGetDatum(b.scored);
	values[4] = Float8GetDatum(INSTR_TIME_GET_DOUBLE(now));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
