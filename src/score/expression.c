/*
 * score/expression.c
 *		Pieces of SQL text that read a feature's column as scoring reads it.
 *
 * date_part('epoch') takes dates and timestamps alike, and those with a time zone at their instant: casting
 * to timestamp first would put the session's time zone into the score.
 */
#include "postgres.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "utils/builtins.h"

#include "score/expression.h"
#include "score/json.h"

void
dun_score_print_sql_value(StringInfo into, const DunFeature *feature)
{
	const char *column = quote_identifier(feature->name);

	switch (feature->type)
	{
		case DUN_BOOLEAN:
			appendStringInfo(into, "%s::int::float8", column);
			break;
		case DUN_DATE:
			appendStringInfo(into, "((date_part('epoch', %s) - float8 '%lld') / float8 '%d')", column,
							 (long long) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY, SECS_PER_DAY);
			break;
		case DUN_TEXT:
			appendStringInfo(into, "%s::text COLLATE \"C\"", column);
			break;
		default:
			appendStringInfo(into, "%s::float8", column);
	}
}

void
dun_score_print_sql_missing(StringInfo into, const DunFeature *feature)
{
	const char *column = quote_identifier(feature->name);

	appendStringInfo(into, "%s IS NULL", column);
	if (feature->type == DUN_DATE)
		appendStringInfo(into, " OR NOT isfinite(%s)", column);
	else if (feature->type == DUN_NUMBER)
		appendStringInfo(into, " OR %s::float8 IN ('NaN', 'Infinity', '-Infinity')", column);
}

void
dun_score_print_sql_number(StringInfo into, double value)
{
	appendStringInfoString(into, "float8 '");
	dun_score_print_number(into, value);
	appendStringInfoChar(into, '\'');
}

void
dun_score_print_sql_text(StringInfo into, const char *before, const char *text)
{
	if (before != NULL)
		appendStringInfoString(into, before);
	appendStringInfoString(into, quote_literal_cstr(text));
}
