/*
 * base/append.c
 *		Filling pages as COPY does.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "base/append.h"
#include "base/compat.h"
#include "base/errcodes.h"

#define ROWS_AT_ONCE 128		/* some pages full; more would leave the processor's cache before they are written */

struct DunAppend
{
	const DunAppendTo *to;
	Relation	parent;
	Relation	month;			/* the one rows were last put into, NULL: none */
	Oid			month_oid;
	AttrNumber	attributes[DUN_APPEND_COLUMNS];
	EState	   *estate;			/* of this month, as are the slots */
	ResultRelInfo *info;
	TupleTableSlot *slots[ROWS_AT_ONCE];
	int			n;
};

static void
refuse_triggers(Relation rel)
{
	ereport(ERROR,
			(errcode(DUN_ERR_TABLE),
			 errmsg("\"%s\" has triggers on insertion", RelationGetRelationName(rel)),
			 errdetail("Many rows are written at once, and triggers would not run."),
			 errhint("DROP TRIGGER ... ON dunning.%s;", RelationGetRelationName(rel))));
}

static Oid
find_table(const DunAppendTo *to)
{
	Oid			oid = get_relname_relid(to->table, get_namespace_oid("dunning", false));

	if (!OidIsValid(oid))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation \"dunning.%s\" does not exist", to->table)));
	return oid;
}

static char
kind_of(const DunAppendTo *to)
{
	return to->plain ? RELKIND_RELATION : RELKIND_PARTITIONED_TABLE;
}

static bool
has_row_triggers(Relation rel)
{
	return rel->trigdesc != NULL && (rel->trigdesc->trig_insert_before_row || rel->trigdesc->trig_insert_after_row);
}

/* Those of rows the months have too. */
static bool
has_statement_triggers(Relation rel)
{
	return rel->trigdesc != NULL && (rel->trigdesc->trig_insert_before_statement || rel->trigdesc->trig_insert_after_statement);
}

bool
dun_base_may_append(const DunAppendTo *to)
{
	Oid			oid = find_table(to);
	Relation	parent = table_open(oid, RowExclusiveLock);
	bool		may = parent->rd_rel->relkind == kind_of(to) && check_enable_rls(oid, InvalidOid, true) != RLS_ENABLED &&
		!has_statement_triggers(parent) && !has_row_triggers(parent);

	if (may && !to->plain)
	{
		PartitionDesc months = RelationGetPartitionDesc(parent, true);

		for (int i = 0; i < months->nparts && may; i++)
		{
			Relation	month = table_open(months->oids[i], RowExclusiveLock);

			may = !has_row_triggers(month);
			table_close(month, NoLock);
		}
	}
	table_close(parent, NoLock);
	return may;
}

static Relation
open_parent(const DunAppendTo *to)
{
	Oid			oid = find_table(to);
	Relation	parent = table_open(oid, RowExclusiveLock);
	AclResult	may;

	may = pg_class_aclcheck(oid, GetUserId(), ACL_INSERT);
	if (may != ACLCHECK_OK)
		aclcheck_error(may, OBJECT_TABLE, to->table);
	if (parent->rd_rel->relkind != kind_of(to) || check_enable_rls(oid, InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(DUN_ERR_TABLE),
				 errmsg("dunning cannot write to \"dunning.%s\"", to->table),
				 errdetail("It is not partitioned any more, or has row security.")));
	if (has_statement_triggers(parent))
		refuse_triggers(parent);
	return parent;
}

DunAppend *
dun_base_open_append(const DunAppendTo *to)
{
	DunAppend  *a = palloc0(sizeof(DunAppend));

	a->to = to;
	a->parent = open_parent(to);
	return a;
}

/* The month of a key: its bounds were made by us, one column each. */
static Oid
find_month(DunAppend *a, Datum key)
{
	PartitionKey by;
	PartitionDesc months;
	bool		equal;
	int			at;

	if (a->to->plain)
		return RelationGetRelid(a->parent);
	by = RelationGetPartitionKey(a->parent);
	months = RelationGetPartitionDesc(a->parent, true);
	if (by->strategy == PARTITION_STRATEGY_RANGE && by->partnatts == 1 && months->nparts > 0)
	{
		at = partition_range_datum_bsearch(by->partsupfunc, by->partcollation, months->boundinfo, 1, &key, &equal);
		at = months->boundinfo->indexes[at + 1];
		if (at >= 0)
			return months->oids[at];
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"dunning.%s\" has no month for a new row", a->to->table),
			 errhint("SELECT dunning.maintain();")));
}

/* Mostly in the place it is asked for; a month may have been made with its columns in another order than the parent's. */
static AttrNumber
find_column(Relation rel, const char *name, int place)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, (place + i) % desc->natts);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
			return attribute->attnum;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(rel))));
}

static void
open_month(DunAppend *a, Oid oid)
{
	a->month = table_open(oid, RowExclusiveLock);
	a->month_oid = oid;
	if (has_row_triggers(a->month))
		refuse_triggers(a->month);
	for (int c = 0; c < a->to->ncolumns; c++)
		a->attributes[c] = find_column(a->month, a->to->columns[c], c);
	a->estate = CreateExecutorState();
	a->info = makeNode(ResultRelInfo);
	InitResultRelInfo(a->info, a->month, 0, NULL, 0);
	ExecOpenIndices(a->info, false);
}

static void
write_rows(DunAppend *a)
{
	for (int i = 0; i < a->n; i++)
	{
		ExecConstraints(a->info, a->slots[i], a->estate);
		ResetPerTupleExprContext(a->estate);
	}
	table_multi_insert(a->month, a->slots, a->n, GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < a->n; i++)
	{
		if (a->info->ri_NumIndices > 0)
			list_free(dun_insert_index_tuples(a->info, a->slots[i], a->estate));
		ResetPerTupleExprContext(a->estate);
		ExecClearTuple(a->slots[i]);
	}
	a->n = 0;
}

static void
end_month(DunAppend *a)
{
	if (a->month == NULL)
		return;
	if (a->n > 0)
		write_rows(a);
	for (int i = 0; i < ROWS_AT_ONCE && a->slots[i] != NULL; i++)
	{
		ExecDropSingleTupleTableSlot(a->slots[i]);
		a->slots[i] = NULL;
	}
	ExecCloseIndices(a->info);
	FreeExecutorState(a->estate);
	CommandCounterIncrement();
	table_close(a->month, NoLock);
	a->month = NULL;
	a->month_oid = InvalidOid;
}

void
dun_base_append_row(DunAppend *a, const Datum *values, const bool *nulls)
{
	Oid			month = find_month(a, values[0]);
	TupleTableSlot *slot;

	if (month != a->month_oid)
	{
		end_month(a);
		open_month(a, month);
	}
	else if (a->n == ROWS_AT_ONCE)
		write_rows(a);
	if (a->slots[a->n] == NULL)
		a->slots[a->n] = table_slot_create(a->month, NULL);
	slot = a->slots[a->n++];
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	for (int c = 0; c < a->to->ncolumns; c++)
	{
		slot->tts_values[a->attributes[c] - 1] = values[c];
		slot->tts_isnull[a->attributes[c] - 1] = nulls[c];
	}
	ExecStoreVirtualTuple(slot);
}

void
dun_base_close_append(DunAppend *a)
{
	end_month(a);
	table_close(a->parent, NoLock);
	pfree(a);
}
