/*
 * score/wrapper.c
 *		One version of a model as a function of plain numbers: dunning._predict_values, and the SQL function
 *		that create_predictor() puts around it.
 *
 * A record or an array has to be built for every row; arguments need not be. A version never changes, so the
 * function is immutable: the planner may inline the wrapper, run it in parallel workers and index it.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/varlena.h"

#include "base/errcodes.h"
#include "score/predict.h"
#include "score/wrapper.h"

typedef struct ValueSite
{
	DunModel   *model;
	TimestampTz transaction;	/* in which the model was asked for */
	Datum		name;			/* as the caller has it: compared by address, then by bytes */
	int			version;
	int			n;
	DunField   *field;
	double	   *dense;
} ValueSite;

static void
check_arguments(FunctionCallInfo fcinfo, ValueSite *site, const char *name)
{
	const DunModel *model = site->model;

	if (PG_NARGS() - 2 != model->nfeatures)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("version %d of model \"%s\" reads %d values, not %d", site->version, name, model->nfeatures,
						PG_NARGS() - 2),
				 errhint("Make the function anew: SELECT dunning.create_predictor(%s, 'my_schema.my_function');",
						 quote_literal_cstr(name))));
	for (int i = 0; i < model->nfeatures; i++)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, i + 2);

		dun_score_open_field(&site->field[i], type);
		if (!dun_score_fits_feature(model->features[i].type, site->field[i].type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a value of type %s cannot serve feature \"%s\"", format_type_be(type), model->features[i].name),
					 errdetail("Model \"%s\" was trained on a %s.", name, dun_score_type_name(model->features[i].type)),
					 errhint("Cast the value.")));
	}
}

static ValueSite *
open_site(FunctionCallInfo fcinfo, text *name, int version)
{
	ValueSite  *site = fcinfo->flinfo->fn_extra;
	MemoryContext before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	char	   *given = text_to_cstring(name);

	if (get_fn_expr_variadic(fcinfo->flinfo))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("values come one by one, not as an array"),
				 errhint("Use dunning.predict(model, row).")));
	if (site == NULL)
	{
		site = palloc0(sizeof(ValueSite));
		site->n = PG_NARGS() - 2;
		site->field = palloc0(sizeof(DunField) * Max(site->n, 1));
		site->dense = palloc(sizeof(double) * Max(site->n, 1));
	}
	fcinfo->flinfo->fn_extra = NULL;
	site->version = version;
	site->model = dun_score_find_version(given, version);
	check_arguments(fcinfo, site, given);
	if (DatumGetPointer(site->name) != NULL)
		pfree(DatumGetPointer(site->name));
	site->name = PointerGetDatum(cstring_to_text(given));
	site->transaction = GetCurrentTransactionStartTimestamp();
	pfree(given);
	MemoryContextSwitchTo(before);
	fcinfo->flinfo->fn_extra = site;
	return site;
}

static bool
same_model(const ValueSite *site, text *name, int version)
{
	text	   *known = (text *) DatumGetPointer(site->name);

	return site->version == version && VARSIZE_ANY_EXHDR(known) == VARSIZE_ANY_EXHDR(name) &&
		memcmp(VARDATA_ANY(known), VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0 &&
		site->transaction == GetCurrentTransactionStartTimestamp();
}

PG_FUNCTION_INFO_V1(dun_score_sql_predict_values);

/* _predict_values(model, version, value of each feature in the model's order...) */
Datum
dun_score_sql_predict_values(PG_FUNCTION_ARGS)
{
	ValueSite  *site = fcinfo->flinfo->fn_extra;
	text	   *name;
	int			version;
	double		p;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	name = PG_GETARG_TEXT_PP(0);
	version = PG_GETARG_INT32(1);
	if (site == NULL || !same_model(site, name, version))
		site = open_site(fcinfo, name, version);
	for (int i = 0; i < site->n; i++)
	{
		const NullableDatum *value = &fcinfo->args[i + 2];

		if (value->isnull)
			site->dense[i] = NAN;
		else if (site->field[i].base == FLOAT8OID && site->model->features[i].type != DUN_TEXT)
			site->dense[i] = dun_score_clip_number(DatumGetFloat8(value->value));
		else
			site->dense[i] = dun_score_read_value(&site->model->features[i], &site->field[i], value->value);
	}
	dun_score_predict_rows(site->model, site->dense, 1, &p);
	PG_RETURN_FLOAT8(p);
}

static const char *
argument_type(DunFeatureType type)
{
	switch (type)
	{
		case DUN_BOOLEAN:
			return "pg_catalog.bool";
		case DUN_DATE:
			return "pg_catalog.timestamp";
		case DUN_TEXT:
			return "pg_catalog.text";
		default:
			return "pg_catalog.float8";
	}
}

void
dun_score_print_values_call(StringInfo into, const char *name, const DunModel *model, const char *prefix)
{
	appendStringInfo(into, "dunning._predict_values(%s::pg_catalog.text, %d", quote_literal_cstr(name), model->version);
	for (int i = 0; i < model->nfeatures; i++)
		appendStringInfo(into, ", %s%s", prefix, quote_identifier(model->features[i].name));
	appendStringInfoChar(into, ')');
}

RangeVar *
dun_score_read_name(const text *name, const char *what)
{
	char	   *given = text_to_cstring(name);
	List	   *parts;

	if (!SplitIdentifierString(pstrdup(given), '.', &parts) || parts == NIL || list_length(parts) > 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" is no name of a %s", given, what),
				 errdetail("It is an identifier, or schema.identifier; quoted where it holds anything but letters, digits and _."),
				 errhint("SELECT quote_ident(%s);", quote_literal_cstr(given))));
	return list_length(parts) == 1 ? makeRangeVar(NULL, pstrdup(linitial(parts)), -1)
		: makeRangeVar(pstrdup(linitial(parts)), pstrdup(lsecond(parts)), -1);
}

static char *
qualified_name(text *name)
{
	RangeVar   *r = dun_score_read_name(name, "function");

	return r->schemaname ? quote_qualified_identifier(r->schemaname, r->relname) : pstrdup(quote_identifier(r->relname));
}

PG_FUNCTION_INFO_V1(dun_score_sql_create_predictor);

/* As whoever calls, who then owns the function: hence no SECURITY DEFINER. */
Datum
dun_score_sql_create_predictor(PG_FUNCTION_ARGS)
{
	char	   *name;
	char	   *function;
	DunModel   *model;
	StringInfoData signature;
	StringInfoData s;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model and function must not be null"),
				 errhint("SELECT dunning.create_predictor('my_model', 'my_schema.my_function');")));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	function = qualified_name(PG_GETARG_TEXT_PP(1));
	model = PG_ARGISNULL(2) ? dun_score_find_model(name) : dun_score_find_version(name, PG_GETARG_INT32(2));

	if (model->nfeatures > DUN_MOST_VALUES)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_ARGUMENTS),
				 errmsg("model \"%s\" reads %d features, a function takes at most %d", name, model->nfeatures, DUN_MOST_VALUES),
				 errhint("Use dunning.predict(model, row) or dunning.score_rows(model, query, key, result).")));
	initStringInfo(&signature);
	appendStringInfo(&signature, "%s(", function);
	for (int i = 0; i < model->nfeatures; i++)
		appendStringInfo(&signature, "%s%s %s", i ? ", " : "", quote_identifier(model->features[i].name),
						 argument_type(model->features[i].type));
	appendStringInfoChar(&signature, ')');
	initStringInfo(&s);
	appendStringInfo(&s, "CREATE FUNCTION %s RETURNS pg_catalog.float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN ", signature.data);
	appendStringInfo(&s, "dunning._predict_values(%s::pg_catalog.text, %d", quote_literal_cstr(name), model->version);
	for (int i = 1; i <= model->nfeatures; i++)
		appendStringInfo(&s, ", $%d", i);
	appendStringInfoChar(&s, ')');
	SPI_connect();
	if (SPI_execute(s.data, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not create the function");
	SPI_finish();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(signature.data, signature.len));
}
