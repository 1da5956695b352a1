/*
 * base/steady.c
 *		Views looked through, down to the tables they read.
 *
 * Whoever has read a steady relation and sees that no transaction has ended since need not read it again. So anything
 * that is not known to be steady is not.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "rewrite/rewriteHandler.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/steady.h"

static bool
is_unsteady_function(Oid function, void *context)
{
	char		volatility = func_volatile(function);

	if (volatility == PROVOLATILE_IMMUTABLE)
		return false;
	/* One of PostgreSQL's own depends on tables, settings and the clock; in somebody else's, anything may be called. */
	return volatility == PROVOLATILE_VOLATILE || function >= FirstGenbkiObjectId;
}

static bool is_unsteady(Node *node, void *view);

static bool
is_unsteady_entry(const RangeTblEntry *entry, Oid view)
{
	if (entry->tablesample != NULL)
		return true;
	/* A view's own entries, for OLD and NEW. */
	return entry->rtekind == RTE_RELATION && entry->relid != view && !dun_base_is_steady(entry->relid);
}

static bool
is_unsteady(Node *node, void *view)
{
	if (node == NULL)
		return false;
	if (IsA(node, NextValueExpr))
		return true;
	if (IsA(node, RangeTblEntry))
		return is_unsteady_entry((RangeTblEntry *) node, *(Oid *) view);
	if (check_functions_in_node(node, is_unsteady_function, NULL))
		return true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, is_unsteady, view, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, is_unsteady, view);
}

static bool
has_steady_parts(Oid table)
{
	List	   *parts = find_all_inheritors(table, AccessShareLock, NULL);
	ListCell   *lc;

	foreach(lc, parts)
	{
		char		kind = get_rel_relkind(lfirst_oid(lc));

		if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
			return false;
	}
	return true;
}

bool
dun_base_is_steady(Oid relation)
{
	Relation	rel = try_relation_open(relation, AccessShareLock);
	bool		steady = false;

	check_stack_depth();
	if (rel == NULL)
		return false;
	switch (rel->rd_rel->relkind)
	{
		case RELKIND_MATVIEW:
			steady = true;
			break;
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
			steady = !rel->rd_rel->relrowsecurity && (!rel->rd_rel->relhassubclass || has_steady_parts(relation));
			break;
		case RELKIND_VIEW:
			steady = !is_unsteady((Node *) get_view_query(rel), &relation);
			break;
	}
	relation_close(rel, NoLock);
	return steady;
}

PG_FUNCTION_INFO_V1(dun_base_sql_is_steady);

Datum
dun_base_sql_is_steady(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(dun_base_is_steady(PG_GETARG_OID(0)));
}
