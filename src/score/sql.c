/*
 * score/sql.c
 *		Models as SQL text: for a database that does not have the extension, and for whoever wants to read them.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "score/model.h"

PG_FUNCTION_INFO_V1(dun_score_sql_model_sql);

Datum
dun_score_sql_model_sql(PG_FUNCTION_ARGS)
{
	StringInfoData s;

	initStringInfo(&s);
	dun_score_print_sql(&s, dun_score_find_model(text_to_cstring(PG_GETARG_TEXT_PP(0))));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(s.data, s.len));
}
