/*
 * message/sql.c
 *		What SQL sees of the renderer: parts of a message, the parts of an SMS, the names in a template.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/compat.h"
#include "base/texts.h"
#include "message/cache.h"
#include "message/format.h"
#include "message/render.h"

static char *
text_argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static Datum
text_array(char **items, int n)
{
	return dun_base_make_texts((const char *const *) items, n);
}

static TupleDesc
result_type(FunctionCallInfo fcinfo)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return BlessTupleDesc(desc);
}

static void
set_text(Datum *value, bool *isnull, const char *s)
{
	*isnull = s == NULL;
	if (s)
		*value = CStringGetTextDatum(s);
}

PG_FUNCTION_INFO_V1(dun_message_sql_render);

static Jsonb *
jsonb_argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : PG_GETARG_JSONB_P(i);
}

/* _render(subject, body_text, body_html, context, language, partials) -> subject, body_text, body_html, fields, missing */
Datum
dun_message_sql_render(PG_FUNCTION_ARGS)
{
	DunParts	parts;
	Datum		values[5];
	bool		nulls[5] = {false};
	TupleDesc	desc = result_type(fcinfo);

	if (PG_ARGISNULL(3))
		PG_RETURN_NULL();
	dun_message_render_parts(text_argument(fcinfo, 0), text_argument(fcinfo, 1), text_argument(fcinfo, 2),
							 PG_NARGS() > 5 ? jsonb_argument(fcinfo, 5) : NULL, PG_GETARG_JSONB_P(3), text_argument(fcinfo, 4), NULL, &parts);
	set_text(&values[0], &nulls[0], parts.subject);
	set_text(&values[1], &nulls[1], parts.body_text);
	set_text(&values[2], &nulls[2], parts.body_html);
	values[3] = text_array(parts.fields, parts.nfields);
	values[4] = text_array(parts.missing, parts.nmissing);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

PG_FUNCTION_INFO_V1(dun_message_sql_visit);

/* _template_fields(subject, body_text, body_html, context, partials) -> fields, bare */
Datum
dun_message_sql_visit(PG_FUNCTION_ARGS)
{
	DunParts	parts;
	Datum		values[2];
	bool		nulls[2] = {false};
	TupleDesc	desc = result_type(fcinfo);

	if (PG_ARGISNULL(3))
		PG_RETURN_NULL();
	dun_message_visit_parts(text_argument(fcinfo, 0), text_argument(fcinfo, 1), text_argument(fcinfo, 2),
							PG_NARGS() > 4 ? jsonb_argument(fcinfo, 4) : NULL, PG_GETARG_JSONB_P(3), &parts);
	values[0] = text_array(parts.fields, parts.nfields);
	values[1] = text_array(parts.bare, parts.nbare);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

PG_FUNCTION_INFO_V1(dun_message_sql_names);

/* _template_names(subject, body_text, body_html, partials) -> names, partials: as they are written */
Datum
dun_message_sql_names(PG_FUNCTION_ARGS)
{
	DunSource	source = {{text_argument(fcinfo, 0), text_argument(fcinfo, 1), text_argument(fcinfo, 2)}, jsonb_argument(fcinfo, 3)};
	char	  **names[2];
	int			n[2];
	Datum		values[2];
	bool		nulls[2] = {false};
	TupleDesc	desc = result_type(fcinfo);

	dun_message_list_names(&source, &names[0], &n[0], &names[1], &n[1]);
	for (int i = 0; i < 2; i++)
		values[i] = text_array(names[i], n[i]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

PG_FUNCTION_INFO_V1(dun_message_sql_render_plain);

/* _render_loose(template, context, partials) -> text */
Datum
dun_message_sql_render_plain(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(dun_message_render_plain(text_argument(fcinfo, 0), jsonb_argument(fcinfo, 2), PG_GETARG_JSONB_P(1))));
}

PG_FUNCTION_INFO_V1(dun_message_sql_sms);

/* _sms(body) -> parts, units, encoding */
Datum
dun_message_sql_sms(PG_FUNCTION_ARGS)
{
	char	   *body = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *utf8 = pg_server_to_any(body, strlen(body), PG_UTF8);
	DunSms		sms = dun_message_count_sms(utf8, strlen(utf8));
	Datum		values[3];
	bool		nulls[3] = {false};
	TupleDesc	desc = result_type(fcinfo);

	values[0] = Int32GetDatum(sms.parts);
	values[1] = Int32GetDatum(sms.units);
	values[2] = CStringGetTextDatum(sms.gsm ? "GSM 03.38" : "UCS-2");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
