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
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/errcodes.h"
#include "base/spi.h"
#include "base/user.h"
#include "score/json.h"
#include "score/option.h"
#include "score/predict.h"
#include "score/progress.h"
#include "score/train.h"

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
	/* Under the lock only a snapshot from before it can conflict: that is a serialization failure, then. */
	" ON CONFLICT DO NOTHING RETURNING version",
	13, {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID,
	TIMESTAMPTZOID, TEXTOID}
};

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
print_measures(StringInfo into, const DunMetrics *m)
{
	dun_score_print_member(into, "auc", m->auc);
	dun_score_print_member(into, "log_loss", m->log_loss);
	dun_score_print_member(into, "brier", m->brier);
	dun_score_print_member(into, "ks", m->ks);
	dun_score_print_member(into, "ece", m->ece);
}

static void
print_metrics(StringInfo into, const DunTrained *trained, const DunTrainOptions *options, const DunMatrix *matrix)
{
	const DunKind *kind = trained->model.kind;

	initStringInfo(into);
	appendStringInfo(into, "{\"cross_validated\":%s,\"folds\":%d,\"grouped\":%s,\"n\":" UINT64_FORMAT
					 ",\"positives\":" UINT64_FORMAT ",\"rows\":" UINT64_FORMAT ",\"unlabelled\":" UINT64_FORMAT
					 ",\"validated\":" UINT64_FORMAT, options->folds > 1 ? "true" : "false", options->folds,
					 options->group ? "true" : "false", trained->n, trained->positives, matrix->seen, matrix->unlabelled, trained->metrics.n);
	print_measures(into, &trained->metrics);
	/* What drift of the score is told from. */
	appendStringInfoString(into, ",\"score\":{\"n\":");
	dun_score_print_number(into, (double) trained->metrics.n);
	dun_score_print_members(into, "deciles", trained->scores.deciles, DUN_DECILES);
	dun_score_print_members(into, "shares", trained->scores.shares, trained->scores.nshares);
	appendStringInfoChar(into, '}');
	for (int i = 0; i < kind->noptions; i++)
		if (isfinite(trained->values[i]))
			dun_score_print_member(into, kind->options[i].name, trained->values[i]);
	for (int i = 0; i < trained->ncandidates; i++)
	{
		const DunCandidate *c = &trained->candidates[i];

		appendStringInfo(into, "%s{\"kind\":\"%s\"", i ? "," : ",\"candidates\":[", c->kind->name);
		print_measures(into, &c->metrics);
		dun_score_print_member(into, "behind", c->behind);
		if (isfinite(c->standard_error))
			dun_score_print_member(into, "standard_error", c->standard_error);
		appendStringInfoString(into, i < trained->ncandidates - 1 ? "}" : "}]");
	}
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
	args[9] = Int64GetDatum((int64) trained->n);
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
										dun_score_training_bytes, options, options->most_rows, options->seed);
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
	const char *kind;
	instr_time	started;
	int			version;

	INSTR_TIME_SET_CURRENT(started);
	refuse_nulls(fcinfo);
	/* Not only once there is a version to store. */
	PreventCommandIfReadOnly("dunning.fit()");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	label = text_to_cstring(PG_GETARG_TEXT_PP(2));
	check_name(name);
	SPI_connect();
	options = dun_score_read_options(text_to_cstring(PG_GETARG_TEXT_PP(3)), PG_GETARG_JSONB_P(4));
	trained = train(name, query, label, &options, &matrix);
	version = store_version(fcinfo, trained, &options, matrix);
	kind = trained->model.kind->name;
	metrics = trained->metrics;
	metrics.n = trained->n;
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return metrics_row(fcinfo, name, version, kind, &metrics, started);
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
	for (int i = e->label_attribute + 1; i < desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), e->label) == 0)
			dun_score_report_twins(e->label, e->label_attribute, i);
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
	dun_score_predict_rows(e->model, e->dense, 1, &e->p[e->n++]);
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
