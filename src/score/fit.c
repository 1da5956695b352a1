/*
 * score/fit.c
 *		dunning.fit and dunning.evaluate: any query in, a model version or its metrics out.
 *
 * The query runs as whoever calls: only the INSERT of the version is done as dunning_owner, and by then
 * no code of the caller's runs any more. Hence C, and no SECURITY DEFINER.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/errcodes.h"
#include "base/spi.h"
#include "base/user.h"
#include "score/json.h"
#include "score/predict.h"
#include "score/progress.h"
#include "score/train.h"

static DunStatement options_statement = {
	"SELECT o.key, o.value OPERATOR(pg_catalog.#>>) '{}', pg_catalog.jsonb_typeof(o.value),"
	" CASE pg_catalog.jsonb_typeof(o.value) WHEN 'array'"
	" THEN ARRAY(SELECT pg_catalog.jsonb_array_elements_text(o.value)) END"
	" FROM pg_catalog.jsonb_each($1) o ORDER BY 1",
	1, {JSONBOID}
};

static DunStatement lock_statement = {
	"SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('dunning.model ' OPERATOR(pg_catalog.||) $1, 0))",
	1, {TEXTOID}
};

/* The first version of a name is its champion; later ones wait for promote(). */
static DunStatement insert_statement = {
	"INSERT INTO dunning.model (model, version, kind, state, target, query, label, seed, body, metrics, feature_stats,"
	" digest, n, as_of, trained_at, trained_by)"
	" SELECT $1, COALESCE(pg_catalog.max(m.version), 0) OPERATOR(pg_catalog.+) 1, $2,"
	" CASE WHEN pg_catalog.bool_or(m.state OPERATOR(pg_catalog.=) 'champion') THEN 'challenger' ELSE 'champion' END,"
	" $3, $4, $5, $6, $7::pg_catalog.jsonb, $8::pg_catalog.jsonb, $9::pg_catalog.jsonb,"
	" pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to($7::pg_catalog.jsonb::pg_catalog.text, 'UTF8')), 'hex'), $10, $11, $12, $13"
	" FROM dunning.model m WHERE m.model OPERATOR(pg_catalog.=) $1"
	" RETURNING version",
	13, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID,
	TIMESTAMPTZOID, TEXTOID}
};

/* The kinds by name, for hints. */
static char *
list_kinds(void)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoString(&s, "'auto'");
	for (int i = 0; i < dun_score_nkinds; i++)
		appendStringInfo(&s, "%s'%s'", i < dun_score_nkinds - 1 ? ", " : " and ", dun_score_kinds[i]->name);
	return s.data;
}

/* `auto` is logistic as long as that is the only kind. */
static const DunKind *
find_kind(const char *name)
{
	const DunKind *kind = strcmp(name, "auto") == 0 ? &dun_score_kind_logistic : dun_score_find_kind(name);

	if (kind == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kind of model \"%s\" is not known", name),
				 errhint("The kinds are %s.", list_kinds())));
	return kind;
}

/* "lambda (0 or more), levels (1 to 100, else 20)" */
static void
list_options(StringInfo into, const DunKind *kind)
{
	for (int i = 0; i < kind->noptions; i++)
	{
		const DunOption *o = &kind->options[i];

		appendStringInfo(into, ", %s (%.15g ", o->name, o->least);
		if (o->most >= 1e12)
			appendStringInfoString(into, "or more");
		else
			appendStringInfo(into, "to %.15g", o->most);
		if (!isnan(o->standard))
			appendStringInfo(into, ", else %.15g", o->standard);
		appendStringInfoChar(into, ')');
	}
}

static void
refuse_option(const DunKind *kind, const char *message, const char *key)
{
	StringInfoData own;

	initStringInfo(&own);
	list_options(&own, kind);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(message, key),
			 errhint("Options are folds (2 to 20, else 5), seed (a whole number, else 1), group (a column), exclude (an array of "
					 "columns)%s, such as '{\"folds\": 5, \"group\": \"customer_id\"}'.", own.data)));
}

static double
number_option(const DunKind *kind, const char *key, const char *type, const char *value, double least, double most, bool whole)
{
	double		number;

	if (strcmp(type, "number") != 0)
		refuse_option(kind, "option \"%s\" must be a number", key);
	number = DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(value)));
	if (number < least || number > most || (whole && number != floor(number)))
		refuse_option(kind, "option \"%s\" is out of range", key);
	return number;
}

static void
exclude_option(DunTrainOptions *options, ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &options->nexclude);
	options->exclude = palloc(sizeof(char *) * Max(options->nexclude, 1));
	for (int i = 0; i < options->nexclude; i++)
	{
		if (nulls[i])
			refuse_option(options->kind, "option \"%s\" holds a null", "exclude");
		options->exclude[i] = TextDatumGetCString(elements[i]);
	}
}

/* False where the kind has no such option. */
static bool
kind_option(DunTrainOptions *options, const char *key, const char *type, const char *value)
{
	const DunKind *kind = options->kind;

	for (int i = 0; i < kind->noptions; i++)
	{
		const DunOption *o = &kind->options[i];

		if (strcmp(o->name, key) != 0)
			continue;
		options->values[i] = number_option(kind, key, type, value, o->least, o->most, o->whole);
		return true;
	}
	return false;
}

static DunTrainOptions
read_options(const DunKind *kind, Datum json)
{
	DunTrainOptions options = {.folds = 5, .seed = 1, .kind = kind};
	uint64		n;

	options.values = palloc(sizeof(double) * Max(kind->noptions, 1));
	for (int i = 0; i < kind->noptions; i++)
		options.values[i] = kind->options[i].standard;
	if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(json)))
		refuse_option(kind, "options must be a JSON %s", "object");
	n = dun_base_run(&options_statement, &json, NULL, true, 0);
	for (uint64 i = 0; i < n; i++)
	{
		char	   *key = dun_base_text(i, 1);
		char	   *value = dun_base_text(i, 2);
		char	   *type = dun_base_text(i, 3);
		bool		isnull;

		if (strcmp(key, "folds") == 0)
			options.folds = (int) number_option(kind, key, type, value, 2, 20, true);
		else if (strcmp(key, "seed") == 0)
			options.seed = (uint64) number_option(kind, key, type, value, 0, 9007199254740992.0, true);
		else if (strcmp(key, "group") == 0)
		{
			if (strcmp(type, "string") != 0)
				refuse_option(kind, "option \"%s\" must be the name of a column", key);
			options.group = value;
		}
		else if (strcmp(key, "exclude") == 0)
		{
			if (strcmp(type, "array") != 0)
				refuse_option(kind, "option \"%s\" must be an array of columns", key);
			exclude_option(&options, DatumGetArrayTypePCopy(dun_base_value(i, 4, &isnull)));
		}
		else if (!kind_option(&options, key, type, value))
			refuse_option(kind, "option \"%s\" is not known", key);
	}
	return options;
}

/* The functions are not STRICT: a NULL must not pass for a model that was trained. */
static void
refuse_nulls(FunctionCallInfo fcinfo)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d must not be null", i + 1),
					 errhint("Leave out an argument to get its default.")));
}

static void
check_name(const char *name)
{
	if (name[0] == '\0' || strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a model's name must have 1 to %d bytes", NAMEDATALEN - 1),
				 errhint("Such as late_2026.")));
}

static void
print_metrics(StringInfo into, const DunTrained *trained, const DunTrainOptions *options, const DunMatrix *matrix)
{
	const struct
	{
		const char *name;
		double		value;
	}			numbers[] = {
		{"auc", trained->metrics.auc}, {"log_loss", trained->metrics.log_loss}, {"brier", trained->metrics.brier},
		{"ks", trained->metrics.ks}, {"ece", trained->metrics.ece},
	};

	initStringInfo(into);
	appendStringInfo(into, "{\"cross_validated\":true,\"folds\":%d,\"grouped\":%s,\"n\":" UINT64_FORMAT
					 ",\"positives\":" UINT64_FORMAT ",\"rows\":" UINT64_FORMAT ",\"unlabelled\":" UINT64_FORMAT,
					 options->folds, options->group ? "true" : "false", trained->metrics.n,
					 trained->metrics.positives, matrix->seen, matrix->unlabelled);
	for (int i = 0; i < lengthof(numbers); i++)
		dun_score_print_member(into, numbers[i].name, numbers[i].value);
	for (int i = 0; i < options->kind->noptions; i++)
		dun_score_print_member(into, options->kind->options[i].name, options->values[i]);
	appendStringInfoChar(into, '}');
}

/* Writes the version row as dunning_owner. `target` and `as_of` are those of train(), or NULL. */
static int
store_version(FunctionCallInfo fcinfo, const DunTrained *trained, const DunTrainOptions *options, const DunMatrix *matrix)
{
	DunUser		before;
	StringInfoData body;
	StringInfoData metrics;
	bool		from_train = PG_NARGS() > 5;
	char		nulls[13];
	Datum		args[13];
	int			version;
	bool		isnull;

	initStringInfo(&body);
	dun_score_print_model(&body, &trained->model);
	print_metrics(&metrics, trained, options, matrix);
	memset(nulls, ' ', sizeof(nulls));
	args[0] = PG_GETARG_DATUM(0);
	args[1] = CStringGetTextDatum(trained->model.kind->name);
	args[2] = from_train ? PG_GETARG_DATUM(5) : (Datum) 0;
	nulls[2] = from_train ? ' ' : 'n';
	args[3] = PG_GETARG_DATUM(1);
	args[4] = PG_GETARG_DATUM(2);
	args[5] = Int64GetDatum((int64) options->seed);
	args[6] = CStringGetTextDatum(body.data);
	args[7] = CStringGetTextDatum(metrics.data);
	args[8] = CStringGetTextDatum(trained->feature_stats.data);
	args[9] = Int64GetDatum((int64) trained->metrics.n);
	args[10] = from_train ? PG_GETARG_DATUM(6) : (Datum) 0;
	nulls[10] = from_train ? ' ' : 'n';
	args[11] = TimestampTzGetDatum(dun_base_now());
	args[12] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));

	before = dun_base_become(DUN_OWNER_ROLE);
	dun_base_run(&lock_statement, args, NULL, false, 0);
	dun_base_run(&insert_statement, args, nulls, false, 0);
	version = DatumGetInt32(dun_base_value(0, 1, &isnull));
	dun_base_unbecome(before);
	return version;
}

/* The row of type model_metrics that fit and evaluate return. */
static Datum
metrics_row(FunctionCallInfo fcinfo, const char *name, int version, const char *kind, const DunMetrics *m, instr_time started)
{
	TupleDesc	desc;
	instr_time	now;
	Datum		values[10];
	bool		nulls[10] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != lengthof(values))
		elog(ERROR, "the result must be a dunning.model_metrics");
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, started);
	values[0] = CStringGetTextDatum(name);
	values[1] = Int32GetDatum(version);
	values[2] = CStringGetTextDatum(kind);
	values[3] = Int64GetDatum((int64) m->n);
	values[4] = Float8GetDatum(m->auc);
	values[5] = Float8GetDatum(m->log_loss);
	values[6] = Float8GetDatum(m->brier);
	values[7] = Float8GetDatum(m->ks);
	values[8] = Float8GetDatum(m->ece);
	values[9] = Float8GetDatum(INSTR_TIME_GET_DOUBLE(now));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* Reads and trains while other sessions can see how far it is. */
static DunTrained *
train(const char *name, const char *query, const char *label, DunTrainOptions *options, DunMatrix **matrix)
{
	DunTrained *volatile trained = NULL;

	PG_TRY();
	{
		dun_score_report_progress(name, "reading", 0, 1);
		*matrix = dun_score_read_matrix(query, label, options->group, options->exclude, options->nexclude,
										options->kind->row_bytes, options->values, options->seed);
		trained = dun_score_train_model(name, *matrix, options);
	}
	PG_CATCH();
	{
		dun_score_end_progress();
		PG_RE_THROW();
	}
	PG_END_TRY();
	dun_score_end_progress();
	return trained;
}

PG_FUNCTION_INFO_V1(dun_score_sql_fit);

/* fit(model, query, label, kind, options), and _fit with target and as_of after them. */
Datum
dun_score_sql_fit(PG_FUNCTION_ARGS)
{
	char	   *name;
	char	   *query;
	char	   *label;
	MemoryContext caller = CurrentMemoryContext;
	DunTrainOptions options;
	DunMatrix  *matrix;
	DunTrained *trained;
	DunMetrics	metrics;
	instr_time	started;
	int			version;

	INSTR_TIME_SET_CURRENT(started);
	refuse_nulls(fcinfo);
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	label = text_to_cstring(PG_GETARG_TEXT_PP(2));
	check_name(name);
	SPI_connect();
	options = read_options(find_kind(text_to_cstring(PG_GETARG_TEXT_PP(3))), PG_GETARG_DATUM(4));
	trained = train(name, query, label, &options, &matrix);
	version = store_version(fcinfo, trained, &options, matrix);
	metrics = trained->metrics;
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return metrics_row(fcinfo, name, version, options.kind->name, &metrics, started);
}

/* What evaluate keeps of each row: a probability and a label. */
typedef struct Evaluation
{
	DunModel   *model;
	const char *name;
	const char *label;
	int			label_attribute;
	DunField	label_field;
	DunMapping *mapping;
	double	   *dense;
	uint64		n;
	uint64		allocated;
	uint64		of_class[2];
	double	   *p;
	uint8	   *y;
	MemoryContext context;
} Evaluation;

static void
start_evaluation(void *state, TupleDesc desc)
{
	Evaluation *e = state;
	MemoryContext before = MemoryContextSwitchTo(e->context);

	e->label_attribute = dun_score_column_number(desc, e->label, "label");
	dun_score_open_field(&e->label_field, TupleDescAttr(desc, e->label_attribute)->atttypid);
	e->mapping = dun_score_map_record(e->name, e->model, desc);
	e->dense = palloc(sizeof(double) * Max(e->model->nfeatures, 1));
	MemoryContextSwitchTo(before);
}

static void
take_evaluation(void *state, Datum *values, bool *nulls)
{
	Evaluation *e = state;
	int			label = dun_score_read_label(&e->label_field, values[e->label_attribute], nulls[e->label_attribute], e->label);

	if (label < 0)
		return;
	if (e->n == e->allocated)
	{
		e->allocated *= 2;
		e->p = repalloc_huge(e->p, e->allocated * sizeof(double));
		e->y = repalloc_huge(e->y, e->allocated);
	}
	e->of_class[label]++;
	e->y[e->n] = (uint8) label;
	dun_score_read_row(e->model, e->mapping, values, nulls, e->dense);
	e->p[e->n++] = dun_score_predict_row(e->model, e->dense);
}

PG_FUNCTION_INFO_V1(dun_score_sql_evaluate);

Datum
dun_score_sql_evaluate(PG_FUNCTION_ARGS)
{
	char	   *name;
	char	   *query;
	MemoryContext caller = CurrentMemoryContext;
	Evaluation	e = {.allocated = 1024};
	DunMetrics	metrics;
	instr_time	started;

	INSTR_TIME_SET_CURRENT(started);
	refuse_nulls(fcinfo);
	e.name = name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	e.label = text_to_cstring(PG_GETARG_TEXT_PP(2));
	SPI_connect();
	e.model = dun_score_find_model(name);
	e.context = AllocSetContextCreate(CurrentMemoryContext, "dunning evaluation", ALLOCSET_DEFAULT_SIZES);
	e.p = MemoryContextAlloc(e.context, e.allocated * sizeof(double));
	e.y = MemoryContextAlloc(e.context, e.allocated);
	dun_score_read_rows(query, start_evaluation, take_evaluation, &e);
	if (e.of_class[0] == 0 || e.of_class[1] == 0)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" cannot be evaluated: a class has no row", name),
				 errdetail("There are " UINT64_FORMAT " rows with label 1 and " UINT64_FORMAT " with label 0.",
						   e.of_class[1], e.of_class[0]),
				 errhint("Widen the query so that both outcomes occur.")));
	metrics = dun_score_measure(e.p, e.y, e.n);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return metrics_row(fcinfo, name, e.model->version, e.model->kind->name, &metrics, started);
}
