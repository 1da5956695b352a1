/*
 * score/predict.c
 *		dunning.predict and dunning.reasons.
 *
 * A call site asks the table once a statement which version its name means, and looks the fields up once
 * a row type; both are kept in fn_extra. A statement is told from the next by its snapshot, because
 * PL/pgSQL keeps a call site over a whole transaction, in which a model may be promoted.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "score/predict.h"

typedef struct CallSite
{
	char	   *name;
	DunModel   *model;
	TransactionId xmin;			/* of the snapshot the model was found in */
	TransactionId xmax;
	uint32		xcnt;
	CommandId	curcid;
	TimestampTz transaction;
	Oid			type;
	int32		typmod;
	DunMapping *mapping;
	MemoryContext mapped;		/* what the mapping lives in */
	int			natts;
	Datum	   *values;
	bool	   *nulls;
	double	   *dense;
} CallSite;

bool
dun_score_fits_feature(DunFeatureType feature, DunFeatureType field)
{
	if (field == DUN_UNUSABLE)
		return false;
	if (feature == DUN_TEXT || field == DUN_TEXT)
		return true;
	return (feature == DUN_DATE) == (field == DUN_DATE);
}

/* A payment curve reads a text in several features of the same name: it is named once. */
static bool
stands_before(const DunModel *model, int i)
{
	for (int j = 0; j < i; j++)
		if (strcmp(model->features[j].name, model->features[i].name) == 0)
			return true;
	return false;
}

static void
report_missing(const char *name, const DunModel *model, const char *missing)
{
	StringInfoData all;

	initStringInfo(&all);
	for (int i = 0; i < model->nfeatures; i++)
		if (!stands_before(model, i))
			appendStringInfo(&all, "%s%s (%s)", i ? ", " : "", quote_identifier(model->features[i].name),
							 dun_score_type_name(model->features[i].type));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the record lacks what model \"%s\" reads: %s", name, missing),
			 errdetail("The model reads %s.", all.data),
			 errhint("Pass a whole row with these names: SELECT dunning.predict(%s, x) FROM (SELECT …) x.", quote_literal_cstr(name))));
}

/* SQL text of a field that has another type than the feature; days since 2000-01-01 are what a model reads of a date. */
static char *
castable_sql(const DunFeature *f, const DunField *field)
{
	const char *column = quote_identifier(f->name);

	if (f->type == DUN_DATE && field->type == DUN_NUMBER)
		return psprintf("date '2000-01-01' + %s::int AS %s", column, column);
	if (f->type == DUN_NUMBER && field->type == DUN_DATE)
		return psprintf("%s::date - date '2000-01-01' AS %s", column, column);
	if (f->type == DUN_NUMBER && field->type == DUN_UNUSABLE)
		return dun_score_usable_sql(f->name, field->declared);
	if (f->type == DUN_DATE)
		return psprintf("NULL::date AS %s", column);
	return psprintf("%s::%s AS %s", column, f->type == DUN_NUMBER ? "float8" : f->type == DUN_BOOLEAN ? "boolean" : "text", column);
}

void
dun_score_report_twins(const char *name, int first, int second)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_COLUMN),
			 errmsg("field \"%s\" stands twice in the row", name),
			 errdetail("Its columns %d and %d have this name.", first + 1, second + 1),
			 errhint("Fields are found by name: give one of them an alias, such as %s AS %s.", quote_identifier(name),
					 quote_identifier(psprintf("%s_2", name)))));
}

DunMapping *
dun_score_map_record(const char *name, const DunModel *model, TupleDesc desc)
{
	DunMapping *mapping = palloc(sizeof(DunMapping));
	StringInfoData missing;

	mapping->attribute = palloc(sizeof(int) * Max(model->nfeatures, 1));
	mapping->field = palloc0(sizeof(DunField) * Max(model->nfeatures, 1));
	mapping->all_as_it_is = true;
	mapping->as_it_is = palloc0(sizeof(bool) * Max(model->nfeatures, 1));
	initStringInfo(&missing);
	for (int i = 0; i < model->nfeatures; i++)
	{
		const DunFeature *f = &model->features[i];
		int			found = -1;

		for (int a = 0; a < desc->natts; a++)
			if (!TupleDescAttr(desc, a)->attisdropped && strcmp(NameStr(TupleDescAttr(desc, a)->attname), f->name) == 0)
			{
				if (found >= 0)
					dun_score_report_twins(f->name, found, a);
				found = a;
			}
		mapping->attribute[i] = found;
		if (found < 0)
		{
			if (!stands_before(model, i))
				appendStringInfo(&missing, "%s%s", missing.len ? ", " : "", quote_identifier(f->name));
			continue;
		}
		dun_score_open_field(&mapping->field[i], TupleDescAttr(desc, found)->atttypid);
		if (!dun_score_fits_feature(f->type, mapping->field[i].type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("field \"%s\" of type %s cannot serve model \"%s\"", f->name,
							format_type_be(TupleDescAttr(desc, found)->atttypid), name),
					 errdetail("The model was trained on a %s.", dun_score_type_name(f->type)),
					 errhint("Write %s in the query.", castable_sql(f, &mapping->field[i]))));
		mapping->as_it_is[i] = mapping->field[i].base == FLOAT8OID && f->type != DUN_TEXT;
		mapping->all_as_it_is &= mapping->as_it_is[i];
	}
	if (missing.len > 0)
		report_missing(name, model, missing.data);
	return mapping;
}

static double
level_of(const DunFeature *f, const char *text)
{
	int			low = 0,
				high = f->nlevels - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = strcmp(text, f->levels[middle]);

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return DUN_OTHER_LEVEL;
}

/* What is being parsed, for its error. */
typedef struct Parsing
{
	const DunFeature *feature;
	const char *text;
} Parsing;

static void
explain_parsing(void *state)
{
	const Parsing *p = state;
	const char *column = quote_identifier(p->feature->name);

	errdetail("Field \"%s\" holds the text \"%s\"; the model was trained on a %s.", p->feature->name, p->text,
			  dun_score_type_name(p->feature->type));
	errhint("Write such texts as NULL in the query: nullif(%s, %s) AS %s.", column, quote_literal_cstr(p->text), column);
}

static bool
parse_number(const DunFeature *f, char *text, double *number)
{
	Parsing		parsing = {f, text};
	ErrorContextCallback callback = {.previous = error_context_stack, .callback = explain_parsing, .arg = &parsing};
	bool		known;

	error_context_stack = &callback;
	known = dun_score_parse_number(f->type, text, number);
	error_context_stack = callback.previous;
	return known;
}

double
dun_score_read_value(const DunFeature *f, DunField *field, Datum value)
{
	double		number;
	bool		known;
	char	   *text;

	if (field->type == DUN_TEXT || f->type == DUN_TEXT)
	{
		text = dun_score_read_text(field, value);
		if (f->type == DUN_TEXT)
		{
			number = level_of(f, text);
			known = true;
		}
		else
			known = parse_number(f, text, &number);
		pfree(text);
	}
	else
		known = dun_score_read_number(field, value, &number);
	return known ? dun_score_clip_number(number) : NAN;
}

/* The usual row, all of it finite numbers, in a loop without a branch; false where it is another. */
static inline bool
read_plain_row(const DunMapping *mapping, int n, const Datum *values, const bool *nulls, double *dense)
{
	bool		odd = false;

	for (int i = 0; i < n; i++)
	{
		int			at = mapping->attribute[i];

		dense[i] = DatumGetFloat8(values[at]);
		odd |= nulls[at] | !(fabs(dense[i]) <= 1e38);
	}
	return !odd;
}

void
dun_score_read_row(const DunModel *model, const DunMapping *mapping, const Datum *values, const bool *nulls, double *dense)
{
	if (mapping->all_as_it_is && read_plain_row(mapping, model->nfeatures, values, nulls, dense))
		return;
	for (int i = 0; i < model->nfeatures; i++)
	{
		int			at = mapping->attribute[i];

		if (nulls[at])
			dense[i] = NAN;
		else if (mapping->as_it_is[i])
			dense[i] = dun_score_clip_number(DatumGetFloat8(values[at]));
		else
			dense[i] = dun_score_read_value(&model->features[i], &mapping->field[i], values[at]);
	}
}

static bool
same_snapshot(const CallSite *site)
{
	Snapshot	s = ActiveSnapshotSet() ? GetActiveSnapshot() : NULL;

	return s != NULL && site->xmin == s->xmin && site->xmax == s->xmax && site->xcnt == s->xcnt &&
		site->curcid == s->curcid && site->transaction == GetCurrentTransactionStartTimestamp();
}

static void
find_model(CallSite *site, MemoryContext context, text *name)
{
	Snapshot	s;
	DunModel   *before = site->model;

	if (site->name == NULL || strlen(site->name) != VARSIZE_ANY_EXHDR(name) ||
		memcmp(site->name, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) != 0)
	{
		if (site->name != NULL)
			pfree(site->name);
		site->name = NULL;
		site->name = MemoryContextStrdup(context, text_to_cstring(name));
	}
	else if (same_snapshot(site))
		return;
	site->model = dun_score_find_model(site->name);
	if (site->model != before || site->transaction != GetCurrentTransactionStartTimestamp())
		site->type = InvalidOid;
	s = ActiveSnapshotSet() ? GetActiveSnapshot() : NULL;
	if (s == NULL)
		return;
	site->xmin = s->xmin;
	site->xmax = s->xmax;
	site->xcnt = s->xcnt;
	site->curcid = s->curcid;
	site->transaction = GetCurrentTransactionStartTimestamp();
}

/* Model, mapping and the row's values for this call; kept between calls. */
static CallSite *
open_call(FunctionCallInfo fcinfo)
{
	CallSite   *site = fcinfo->flinfo->fn_extra;
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(1);
	Oid			type = HeapTupleHeaderGetTypeId(header);
	int32		typmod = HeapTupleHeaderGetTypMod(header);
	HeapTupleData tuple;
	TupleDesc	desc;

	if (site == NULL)
		site = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(context, sizeof(CallSite));
	find_model(site, context, PG_GETARG_TEXT_PP(0));
	desc = lookup_rowtype_tupdesc_domain(type, typmod, false);
	if (site->type != type || site->typmod != typmod)
	{
		MemoryContext before;

		site->type = InvalidOid;
		if (site->mapped != NULL)
			MemoryContextDelete(site->mapped);
		site->mapped = AllocSetContextCreate(context, "dunning mapping", ALLOCSET_SMALL_SIZES);
		before = MemoryContextSwitchTo(site->mapped);
		site->mapping = dun_score_map_record(site->name, site->model, desc);
		site->values = palloc(sizeof(Datum) * Max(desc->natts, 1));
		site->nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
		site->dense = palloc(sizeof(double) * Max(site->model->nfeatures, 1));
		MemoryContextSwitchTo(before);
		site->type = type;
		site->typmod = typmod;
	}
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, desc, site->values, site->nulls);
	ReleaseTupleDesc(desc);
	dun_score_read_row(site->model, site->mapping, site->values, site->nulls, site->dense);
	return site;
}

PG_FUNCTION_INFO_V1(dun_score_sql_predict);

Datum
dun_score_sql_predict(PG_FUNCTION_ARGS)
{
	CallSite   *site = open_call(fcinfo);
	double		p;

	dun_score_predict_rows(site->model, site->dense, 1, &p);
	PG_RETURN_FLOAT8(p);
}

typedef struct Reason
{
	int			feature;
	double		term;
} Reason;

static int
compare_reasons(const void *a, const void *b)
{
	const Reason *x = a;
	const Reason *y = b;

	if (fabs(x->term) != fabs(y->term))
		return fabs(x->term) > fabs(y->term) ? -1 : 1;
	return x->feature - y->feature;
}

static void
append_days(StringInfo into, double days)
{
	appendStringInfoString(into, DatumGetCString(DirectFunctionCall1(date_out, Int32GetDatum((int32) floor(days)))));
}

/* About three digits, as a person reads them. */
static void
append_number(StringInfo into, double number)
{
	double		size = fabs(number);

	if (size >= 100 || number == floor(number))
		appendStringInfo(into, "%.0f", number);
	else
		appendStringInfo(into, size >= 10 ? "%.1f" : "%.2f", number);
}

/* "avg days late 12.4 (usual 3.1) raises it" */
static char *
words_of(const DunFeature *f, DunField *field, Datum value, bool isnull, double term)
{
	StringInfoData s;
	double		number;

	initStringInfo(&s);
	for (const char *c = f->name; *c; c++)
		appendStringInfoChar(&s, *c == '_' ? ' ' : *c);
	if (isnull)
		appendStringInfoString(&s, " unknown");
	else if (f->type == DUN_TEXT || field->type == DUN_TEXT)
		appendStringInfo(&s, " %s", dun_score_read_text(field, value));
	else if (!dun_score_read_number(field, value, &number))
		appendStringInfoString(&s, " unknown");
	else if (f->type == DUN_BOOLEAN)
		appendStringInfoString(&s, number != 0 ? " yes" : " no");
	else if (f->type == DUN_DATE)
	{
		appendStringInfoChar(&s, ' ');
		append_days(&s, number);
	}
	else
	{
		appendStringInfoChar(&s, ' ');
		append_number(&s, number);
		appendStringInfoString(&s, " (usual ");
		append_number(&s, f->mean);
		appendStringInfoChar(&s, ')');
	}
	appendStringInfoString(&s, term > 0 ? " raises it" : term < 0 ? " lowers it" : " changes nothing");
	return s.data;
}

/*
 * A kind's terms add up to log-odds before calibration. Calibration rises everywhere, so it changes neither the order
 * of terms nor their sign; each gets its share of what the calibrated log-odds are away from those of the average row.
 */
static void
calibrate_terms(const DunModel *model, double average, double *terms)
{
	double		logit = average;
	double		scale;

	for (int i = 0; i < model->nfeatures; i++)
		logit += terms[i];
	/* Where nothing is left to divide, what the calibration makes of a small step. */
	if (fabs(logit - average) < 1e-6)
		logit = average + 1e-6;
	scale = (dun_score_apply_calibration(&model->calibration, logit) - dun_score_apply_calibration(&model->calibration, average)) /
		(logit - average);
	for (int i = 0; i < model->nfeatures; i++)
		terms[i] *= scale;
}

PG_FUNCTION_INFO_V1(dun_score_sql_reasons);

/* The terms furthest from 0, largest first. */
Datum
dun_score_sql_reasons(PG_FUNCTION_ARGS)
{
	CallSite   *site = open_call(fcinfo);
	int			top = PG_GETARG_INT32(2);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Reason	   *reasons = palloc(sizeof(Reason) * Max(site->model->nfeatures, 1));
	double	   *terms = palloc(sizeof(double) * Max(site->model->nfeatures, 1));
	double		average;

	if (top < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("top must be at least 1"),
				 errdetail("Given: %d.", top),
				 errhint("Leave top out to get the four strongest reasons.")));
	InitMaterializedSRF(fcinfo, 0);
	average = site->model->kind->contributions(site->model->body, site->dense, terms);
	calibrate_terms(site->model, average, terms);
	for (int i = 0; i < site->model->nfeatures; i++)
		reasons[i] = (Reason) {i, terms[i]};
	qsort(reasons, site->model->nfeatures, sizeof(Reason), compare_reasons);
	for (int i = 0; i < Min(top, site->model->nfeatures); i++)
	{
		int			n = reasons[i].feature;
		int			at = site->mapping->attribute[n];
		const DunFeature *f = &site->model->features[n];
		Datum		values[3];
		bool		nulls[3] = {false};

		values[0] = CStringGetTextDatum(f->name);
		values[1] = Float8GetDatum(reasons[i].term);
		values[2] = CStringGetTextDatum(words_of(f, &site->mapping->field[n], site->values[at], site->nulls[at], reasons[i].term));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
