/*
 * base/predicate.c
 *		Predicates of steps and segments: SQL that an administrator writes and a room places into its query.
 *
 * The text must be one expression and nothing else, so that it cannot end the statement it stands in. It is evaluated
 * by a function that first gives up the right to change who it is.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/compat.h"

static bool
collect_columns(Node *node, List **names)
{
	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		Node	   *field = (Node *) llast(((ColumnRef *) node)->fields);

		*names = lappend(*names, IsA(field, String) ? makeString(strVal(field)) : makeString("*"));
		return false;
	}
	return raw_expression_tree_walker(node, collect_columns, names);
}

/* The expression's node, or NULL where the text holds anything beside one expression. */
static Node *
parse_expression(const char *text)
{
	List	   *parsed = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = (SelectStmt *) linitial_node(RawStmt, parsed)->stmt;
	ResTarget  *target;

	if (!IsA(select, SelectStmt) || list_length(select->targetList) != 1 ||
		select->distinctClause != NIL || select->intoClause != NULL || select->fromClause != NIL ||
		select->whereClause != NULL || select->groupClause != NIL || select->havingClause != NULL ||
		select->windowClause != NIL || select->sortClause != NIL || select->limitOffset != NULL ||
		select->limitCount != NULL || select->lockingClause != NIL || select->withClause != NULL ||
		select->valuesLists != NIL || select->op != SETOP_NONE)
		return NULL;
	target = linitial_node(ResTarget, select->targetList);
	if (target->name != NULL || target->indirection != NIL)
		return NULL;
	return target->val;
}

PG_FUNCTION_INFO_V1(dun_base_sql_predicate_columns);

Datum
dun_base_sql_predicate_columns(PG_FUNCTION_ARGS)
{
	char	   *source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Node	   *expression = parse_expression(source);
	List	   *names = NIL;
	Datum	   *values;
	ListCell   *lc;
	int			n = 0;

	if (expression == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a condition is one SQL expression"),
				 errdetail("It may name the debtor's features and scores and nothing else."),
				 errhint("For example: p_late >= 0.5 OR segment = 'habitual_late'")));
	(void) collect_columns(expression, &names);
	values = palloc(sizeof(Datum) * Max(1, list_length(names)));
	foreach(lc, names)
		values[n++] = CStringGetTextDatum(strVal(lfirst(lc)));
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(dun_base_sql_restrict);

/* Until the calling SECURITY DEFINER function returns (its end restores what was), no SET ROLE and no temporary object. */
Datum
dun_base_sql_restrict(PG_FUNCTION_ARGS)
{
	Oid			user;
	int			context;

	GetUserIdAndSecContext(&user, &context);
	if (!(context & SECURITY_LOCAL_USERID_CHANGE))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("only a SECURITY DEFINER function can restrict itself")));
	SetUserIdAndSecContext(user, context | SECURITY_RESTRICTED_OPERATION);
	PG_RETURN_VOID();
}
