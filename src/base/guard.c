/*
 * base/guard.c
 *		Code that we did not write, run with our roles' rights: what a bound relation or a condition calls.
 *
 * A view's functions run as whoever reads the view. Ours are read as dunning_owner or dunning_worker, so that they never
 * see the superuser who called. That alone is not enough, because what such a function leaves behind would meet the
 * superuser later: a function of ours altered to SECURITY INVOKER, a trigger, a deferred trigger or a cursor WITH HOLD
 * that runs at commit, a temporary table in front of a real one, a search_path. So whenever one of these roles plans or
 * runs a query that touches a relation that is neither ours nor the catalog's,
 *
 *	- it does so in a security-restricted operation, as VACUUM and CREATE INDEX do: no SET ROLE, no temporary object, no
 *	  deferred trigger, no PREPARE, LISTEN or cursor WITH HOLD;
 *	- what it changes in the session's settings ends with the query;
 *	- it runs no command that defines, grants or copies.
 *
 * Reading and writing rows with the rights of the role remains. A query of other roles is passed on after one look at the
 * security context.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planner.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/guard.h"
#include "base/replay.h"
#include "base/user.h"

typedef struct Guard
{
	bool		on;
	bool		was_restricted;
	DunUser		before;
	int			level;			/* of settings */
} Guard;

static planner_hook_type next_planner = NULL;
static ExecutorStart_hook_type next_start = NULL;
static ExecutorRun_hook_type next_run = NULL;
static ExecutorFinish_hook_type next_finish = NULL;
static ProcessUtility_hook_type next_utility = NULL;

static bool
is_our_role(Oid user)
{
	return user == get_role_oid(DUN_OWNER_ROLE, true) || user == get_role_oid(DUN_WORKER_ROLE, true);
}

/* Neither ours nor the catalog's. */
static bool
is_foreign(Oid relation, Oid owner)
{
	HeapTuple	tuple;
	bool		foreign;

	if (relation < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	if (!HeapTupleIsValid(tuple))
		return true;
	foreign = ((Form_pg_class) GETSTRUCT(tuple))->relowner != owner;
	ReleaseSysCache(tuple);
	return foreign;
}

static bool
lists_foreign(List *relations)
{
	Oid			owner = get_role_oid(DUN_OWNER_ROLE, true);
	ListCell   *lc;

	foreach(lc, relations)
		if (is_foreign(lfirst_oid(lc), owner))
			return true;
	return false;
}

/* A view stands in the range table of its own rule, or keeps its relid as a subquery. */
static bool
names_foreign(Node *node, Oid *owner)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *entry = (RangeTblEntry *) node;

		return OidIsValid(entry->relid) && is_foreign(entry->relid, *owner);
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, names_foreign, owner, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, names_foreign, owner);
}

static bool
query_names_foreign(void *query)
{
	Oid			owner = get_role_oid(DUN_OWNER_ROLE, true);

	return names_foreign((Node *) query, &owner);
}

static bool
plan_names_foreign(void *desc)
{
	return lists_foreign(((QueryDesc *) desc)->plannedstmt->relationOids);
}

/* An error needs no close_guard(): the abort restores user and settings. */
static Guard
open_guard(bool (*touches_foreign) (void *), void *what)
{
	Guard		guard = {.on = false};

	if (!InLocalUserIdChange())
		return guard;
	GetUserIdAndSecContext(&guard.before.user, &guard.before.context);
	if (!is_our_role(guard.before.user))
		return guard;
	guard.was_restricted = InSecurityRestrictedOperation();
	if (!guard.was_restricted && !touches_foreign(what))
		return guard;
	guard.on = true;
	SetUserIdAndSecContext(guard.before.user, guard.before.context | SECURITY_RESTRICTED_OPERATION);
	guard.level = NewGUCNestLevel();
	return guard;
}

static void
close_guard(const Guard *guard)
{
	if (!guard->on)
		return;
	AtEOXact_GUC(false, guard->level);
	SetUserIdAndSecContext(guard->before.user, guard->before.context);
}

static PlannedStmt *
guarded_planner(Query *parse, const char *query_string, int cursor_options, ParamListInfo params)
{
	Guard		guard;
	PlannedStmt *plan;

	dun_base_close_scratch();
	guard = open_guard(query_names_foreign, parse);
	plan = next_planner ? next_planner(parse, query_string, cursor_options, params)
		: standard_planner(parse, query_string, cursor_options, params);

	close_guard(&guard);
	return plan;
}

static void
guarded_start(QueryDesc *desc, int flags)
{
	Guard		guard;

	dun_base_close_scratch();
	guard = open_guard(plan_names_foreign, desc);
	if (next_start)
		next_start(desc, flags);
	else
		standard_ExecutorStart(desc, flags);
	close_guard(&guard);
}

/* CREATE TEMP TABLE AS makes its table as the query starts to run. That much is ours and happens unrestricted. */
static void (*make_table) (DestReceiver *self, int operation, TupleDesc typeinfo);

static void
make_table_unrestricted(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	Oid			user;
	int			context;

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(user, context & ~SECURITY_RESTRICTED_OPERATION);
	self->rStartup = make_table;
	make_table(self, operation, typeinfo);
	SetUserIdAndSecContext(user, context);
}

static void
guarded_run(DUN_EXECUTOR_RUN_ARGS)
{
	Guard		guard = open_guard(plan_names_foreign, dun_run_desc);

	if (guard.on && !guard.was_restricted && dun_run_desc->dest->mydest == DestIntoRel)
	{
		make_table = dun_run_desc->dest->rStartup;
		dun_run_desc->dest->rStartup = make_table_unrestricted;
	}
	if (next_run)
		next_run(DUN_EXECUTOR_RUN_PASS);
	else
		standard_ExecutorRun(DUN_EXECUTOR_RUN_PASS);
	close_guard(&guard);
}

static void
guarded_finish(QueryDesc *desc)
{
	Guard		guard = open_guard(plan_names_foreign, desc);

	if (next_finish)
		next_finish(desc);
	else
		standard_ExecutorFinish(desc);
	close_guard(&guard);
}

/* Commands that leave nothing behind: settings are put back, locks and reads harm nobody. */
static bool
leaves_nothing(Node *command)
{
	switch (nodeTag(command))
	{
		case T_CallStmt:
		case T_DoStmt:
		case T_ExplainStmt:
		case T_LockStmt:
		case T_VariableSetStmt:
		case T_VariableShowStmt:
			return true;
		default:
			return false;
	}
}

static void
run_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree, ProcessUtilityContext context,
			ParamListInfo params, QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	if (next_utility)
		next_utility(pstmt, query_string, read_only_tree, context, params, env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query_string, read_only_tree, context, params, env, dest, qc);
}

/* A stage of planning in a read-only transaction: a temporary table of ours is made, renamed or dropped (replay.c). */
static void
run_scratch(PlannedStmt *pstmt, const char *query_string, bool read_only_tree, ProcessUtilityContext context,
			ParamListInfo params, QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	dun_base_open_scratch();
	PG_TRY();
	{
		run_utility(pstmt, query_string, read_only_tree, context, params, env, dest, qc);
	}
	PG_FINALLY();
	{
		dun_base_close_scratch();
	}
	PG_END_TRY();
}

static void
guarded_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	if (InLocalUserIdChange() && InSecurityRestrictedOperation() && is_our_role(GetUserId()) &&
		!leaves_nothing(pstmt->utilityStmt))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("what a bound relation or a condition calls cannot run %s",
						GetCommandTagName(CreateCommandTag(pstmt->utilityStmt))),
				 errdetail("It runs as \"%s\" and may read and write rows, not define, grant or copy.",
						   GetUserNameFromId(GetUserId(), false)),
				 errhint("Let a SECURITY DEFINER function of another role do it.")));
	if (XactReadOnly && InLocalUserIdChange() && GetUserId() == get_role_oid(DUN_OWNER_ROLE, true) &&
		dun_base_is_scratch(pstmt->utilityStmt))
		run_scratch(pstmt, query_string, read_only_tree, context, params, env, dest, qc);
	else
		run_utility(pstmt, query_string, read_only_tree, context, params, env, dest, qc);
}

void
dun_base_init_guard(void)
{
	next_planner = planner_hook;
	planner_hook = guarded_planner;
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = guarded_start;
	next_run = ExecutorRun_hook;
	ExecutorRun_hook = guarded_run;
	next_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = guarded_finish;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = guarded_utility;
}
