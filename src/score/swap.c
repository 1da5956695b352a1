/*
 * score/swap.c
 *		dunning._swap_rows: a table takes over the rows of another, which ends.
 *
 * As REFRESH MATERIALIZED VIEW does it: the storage changes hands, the indexes are built over it, and the table, its
 * rights and whatever reads it stay. Replacing rows one by one would leave as many dead ones behind. And how a table
 * that others read is locked for the swap.
 */
#include "postgres.h"

#include "access/table.h"
#include "commands/cluster.h"
#include "commands/tablecmds.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "score/swap.h"

#define PATIENCE_MS 60000
#define BETWEEN_MS 10

void
dun_score_lock_unqueued(Oid relation)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LockTimeout > 0 ? Min(LockTimeout, PATIENCE_MS) : PATIENCE_MS);

	while (!ConditionalLockRelationOid(relation, AccessExclusiveLock))
	{
		CHECK_FOR_INTERRUPTS();
		if (GetCurrentTimestamp() >= until)
		{
			/* Readers that follow one upon another would never let us in. */
			LockRelationOid(relation, AccessExclusiveLock);
			return;
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, BETWEEN_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

static void
check_columns(Relation target, Relation fresh)
{
	TupleDesc	a = RelationGetDescr(target);
	TupleDesc	b = RelationGetDescr(fresh);
	bool		same = a->natts == b->natts && target->rd_rel->relkind == RELKIND_RELATION && fresh->rd_rel->relkind == RELKIND_RELATION &&
		target->rd_rel->relpersistence == fresh->rd_rel->relpersistence && target->rd_rel->relam == fresh->rd_rel->relam &&
		target->rd_rel->reltablespace == fresh->rd_rel->reltablespace;

	for (int i = 0; same && i < a->natts; i++)
	{
		Form_pg_attribute x = TupleDescAttr(a, i);
		Form_pg_attribute y = TupleDescAttr(b, i);

		same = x->atttypid == y->atttypid && !x->attisdropped && !y->attisdropped && (!x->attnotnull || y->attnotnull) &&
			strcmp(NameStr(x->attname), NameStr(y->attname)) == 0;
	}
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("table \"%s\" is not made like table \"%s\"", RelationGetRelationName(fresh), RelationGetRelationName(target)),
				 errhint("Both need the same columns in the same order, storage and tablespace.")));
}

PG_FUNCTION_INFO_V1(dun_score_sql_swap_rows);

/* Readers of the target wait from here to the end of the transaction. */
Datum
dun_score_sql_swap_rows(PG_FUNCTION_ARGS)
{
	Oid			target_oid = PG_GETARG_OID(0);
	Oid			fresh_oid = PG_GETARG_OID(1);
	Relation	target;
	Relation	fresh;
	TransactionId frozen;
	MultiXactId multi;
	char		persistence;

	dun_score_lock_unqueued(target_oid);
	target = table_open(target_oid, NoLock);
	fresh = table_open(fresh_oid, AccessExclusiveLock);
	frozen = fresh->rd_rel->relfrozenxid;
	multi = fresh->rd_rel->relminmxid;
	persistence = target->rd_rel->relpersistence;
	CheckTableNotInUse(target, "SCORE");
	check_columns(target, fresh);
	table_close(fresh, NoLock);
	table_close(target, NoLock);
	finish_heap_swap(target_oid, fresh_oid, false, false, true, true, frozen, multi, persistence);
	PG_RETURN_VOID();
}
