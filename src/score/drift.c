/*
 * score/drift.c
 *		Counting rows of today in the parts that a model's features and scores fell into at training, and how
 *		good its predictions are where the outcome is known. What the counts mean is said in SQL (03_score_drift.sql).
 *
 * The query runs as the current user, row by row; nothing is kept of a row but its counts and, where it has a
 * label, its score.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/errcodes.h"
#include "base/hash.h"
#include "base/spi.h"
#include "base/user.h"
#include "score/drift.h"
#include "score/json.h"
#include "score/matrix.h"
#include "score/metrics.h"
#include "score/predict.h"
#include "score/sort.h"

#define MOST_EDGES (DUN_DECILES - 2)

int
dun_score_find_edges(const double *deciles, double *edges)
{
	int			n = 0;

	for (int d = 1; d < DUN_DECILES - 1; d++)
		if ((n == 0 || deciles[d] > edges[n - 1]) && deciles[d] < deciles[DUN_DECILES - 1])
			edges[n++] = deciles[d];
	/* Nine in ten have the greatest value: the others are a part, or nobody would see it grow. */
	if (n == 0 && deciles[0] < deciles[DUN_DECILES - 1])
		edges[n++] = nextafterf((float) deciles[DUN_DECILES - 1], -INFINITY);
	return n;
}

int
dun_score_find_part(const double *edges, int nedges, double value)
{
	int			n = 0;

	while (n < nedges && value > edges[n])
		n++;
	return n;
}

/* Deciles, and the shares between their edges, of n values that are asked for by their rank. */
static DunSpread
describe(double (*value) (const void *values, uint32 rank), const void *values, uint32 n)
{
	DunSpread	spread = {{0}};
	double		edges[MOST_EDGES];
	int			nedges;
	uint32		below = 0;

	for (int d = 0; d < DUN_DECILES; d++)
		spread.deciles[d] = value(values, (uint64) (n - 1) * d / (DUN_DECILES - 1));
	nedges = dun_score_find_edges(spread.deciles, edges);
	spread.nshares = nedges + 1;
	for (int part = 0; part < nedges; part++)
	{
		uint32		low = below,
					high = n;

		/* How many values reach no further than the edge. */
		while (low < high)
		{
			uint32		middle = low + (high - low) / 2;

			if (value(values, middle) <= edges[part])
				low = middle + 1;
			else
				high = middle;
		}
		spread.shares[part] = (low - below) / (double) n;
		below = low;
	}
	spread.shares[nedges] = (n - below) / (double) n;
	return spread;
}

static double
float_of(const void *values, uint32 rank)
{
	return ((const float *) values)[rank];
}

DunSpread
dun_score_describe_floats(const float *sorted, uint32 n)
{
	return describe(float_of, sorted, n);
}

typedef struct Ranked
{
	const double *values;
	DunSortKey *order;
} Ranked;

static double
double_of(const void *values, uint32 rank)
{
	const Ranked *ranked = values;

	return ranked->values[ranked->order[rank].row];
}

DunSpread
dun_score_describe_doubles(const double *values, uint32 n)
{
	Ranked		ranked = {values, palloc_extended(sizeof(DunSortKey) * n, MCXT_ALLOC_HUGE)};
	DunSpread	spread;

	for (uint32 i = 0; i < n; i++)
		ranked.order[i] = (DunSortKey) {dun_score_key_of(values[i]), i};
	dun_score_sort_keys(ranked.order, n);
	spread = describe(double_of, &ranked, n);
	pfree(ranked.order);
	return spread;
}

/* The parts of one feature, or of the score, and the rows in each; the last part is what is missing. */
typedef struct Parts
{
	char	   *name;
	bool		text;
	int			nedges;
	double		edges[MOST_EDGES];
	int			nlevels;
	char	  **levels;			/* in byte order; the part after them is any other text */
	int			nparts;
	int64	   *count;
} Parts;

typedef struct Tally
{
	const char *name;			/* of the model */
	DunModel   *model;
	const char *label;
	const char *group;
	const char *asked;
	int			label_attribute;
	DunField	label_field;
	int			asked_attribute;
	int			group_attribute;
	DunField	group_field;
	DunMapping *mapping;
	double	   *dense;
	Parts	   *parts;			/* of each feature of the model */
	Parts		score;			/* nparts 0: not frozen at training */
	HTAB	   *groups;
	HTAB	   *label_groups;		/* those of rows with a label */
	uint64		rows;
	uint64		labelled;
	uint64		positives;
	uint64		allocated;
	double	   *p;
	uint8	   *y;
	MemoryContext context;
} Tally;

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
open_edges(Parts *parts, const double *deciles, int n, const char *name)
{
	parts->name = pstrdup(name);
	if (n != DUN_DECILES)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("the statistics of \"%s\" cannot be read", name),
				 errdetail("There are %d deciles instead of %d.", n, DUN_DECILES),
				 errhint("Train the model again.")));
	parts->nedges = dun_score_find_edges(deciles, parts->edges);
	parts->nparts = parts->nedges + 2;
	parts->count = palloc0(sizeof(int64) * parts->nparts);
}

/* The element of the model's statistics that is about a feature. */
static void
open_parts(Parts *parts, JsonbContainer *stats, const DunFeature *f)
{
	for (int i = 0; i < dun_score_json_length(stats); i++)
	{
		JsonbContainer *of = dun_score_json_element(stats, i);
		int			n;

		if (strcmp(dun_score_json_text(of, "name"), f->name) != 0)
			continue;
		if (f->type != DUN_TEXT)
		{
			double	   *deciles = dun_score_json_numbers(of, "deciles", &n);

			open_edges(parts, deciles, n, f->name);
			return;
		}
		parts->name = pstrdup(f->name);
		parts->text = true;
		parts->levels = dun_score_json_texts(of, "shares", &parts->nlevels);
		qsort(parts->levels, parts->nlevels, sizeof(char *), compare_texts);
		parts->nparts = parts->nlevels + 2;
		parts->count = palloc0(sizeof(int64) * parts->nparts);
		return;
	}
	ereport(ERROR,
			(errcode(DUN_ERR_MODEL),
			 errmsg("the model's statistics lack its feature \"%s\"", f->name),
			 errhint("Train the model again.")));
}

static void
start_tally(void *state, TupleDesc desc)
{
	Tally	   *t = state;
	MemoryContext before = MemoryContextSwitchTo(t->context);

	t->label_attribute = t->group_attribute = t->asked_attribute = -1;
	if (t->label != NULL)
	{
		t->label_attribute = dun_score_column_number(desc, t->label, "label");
		dun_score_open_field(&t->label_field, TupleDescAttr(desc, t->label_attribute)->atttypid);
	}
	if (t->asked != NULL)
		t->asked_attribute = dun_score_column_number(desc, t->asked, "asked");
	if (t->group != NULL)
	{
		t->group_attribute = dun_score_column_number(desc, t->group, "group");
		dun_score_open_field(&t->group_field, TupleDescAttr(desc, t->group_attribute)->atttypid);
		if (t->group_field.type == DUN_UNUSABLE)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" cannot be a group", t->group),
					 errhint("Cast it to text in the query.")));
	}
	t->mapping = dun_score_map_record(t->name, t->model, desc);
	t->dense = palloc(sizeof(double) * Max(t->model->nfeatures, 1));
	MemoryContextSwitchTo(before);
}

static int
text_part(const Parts *parts, const char *text)
{
	char	  **found = parts->nlevels == 0 ? NULL :
		bsearch(&text, parts->levels, parts->nlevels, sizeof(char *), compare_texts);

	return found == NULL ? parts->nlevels : (int) (found - parts->levels);
}

static void
count_group(Tally *t, HTAB *groups, Datum *values, bool *nulls)
{
	int			at = t->group_attribute;
	char	   *text;
	uint64		hash;

	if (at < 0)
		return;
	text = nulls[at] ? "" : dun_score_read_text(&t->group_field, values[at]);
	hash = dun_base_hash64(text, strlen(text), nulls[at]);
	hash_search(groups, &hash, HASH_ENTER, NULL);
}

/* A score whose outcome is known. */
static void
keep_outcome(Tally *t, double p, int label)
{
	if (t->labelled == t->allocated)
	{
		t->allocated *= 2;
		t->p = repalloc_huge(t->p, t->allocated * sizeof(double));
		t->y = repalloc_huge(t->y, t->allocated);
	}
	t->p[t->labelled] = p;
	t->y[t->labelled++] = (uint8) label;
	t->positives += label;
}

/* The row in the part of each feature that it falls in. */
static void
count_parts(Tally *t, Datum *values, bool *nulls)
{
	for (int i = 0; i < t->model->nfeatures; i++)
	{
		Parts	   *parts = &t->parts[i];
		int			at = t->mapping->attribute[i];
		int			part = parts->nparts - 1;

		if (parts->text && !nulls[at])
			part = text_part(parts, dun_score_read_text(&t->mapping->field[i], values[at]));
		else if (!parts->text && !isnan(t->dense[i]))
			part = dun_score_find_part(parts->edges, parts->nedges, (float) t->dense[i]);
		parts->count[part]++;
	}
}

static void
take_tally(void *state, Datum *values, bool *nulls)
{
	Tally	   *t = state;
	double		p;
	int			label = -1;
	int			at = t->asked_attribute;
	bool		asked = at < 0 || (!nulls[at] && DatumGetBool(values[at]));

	if (t->label_attribute >= 0)
		label = dun_score_read_label(&t->label_field, values[t->label_attribute], nulls[t->label_attribute], t->label);
	if (!asked && label < 0)
		return;
	dun_score_read_row(t->model, t->mapping, values, nulls, t->dense);
	if (asked)
		count_parts(t, values, nulls);
	/* Training knows columns in single precision: the same row has to the bit the score that it had. */
	for (int i = 0; i < t->model->nfeatures; i++)
		if (isfinite((float) t->dense[i]))
			t->dense[i] = (float) t->dense[i];
	dun_score_predict_rows(t->model, t->dense, 1, &p);
	if (label >= 0)
	{
		keep_outcome(t, p, label);
		count_group(t, t->label_groups, values, nulls);
	}
	if (!asked)
		return;
	if (t->score.nparts > 0)
		t->score.count[dun_score_find_part(t->score.edges, t->score.nedges, p)]++;
	count_group(t, t->groups, values, nulls);
	t->rows++;
}

static void
print_parts(StringInfo into, const Parts *parts)
{
	appendStringInfoString(into, "{\"name\":");
	escape_json(into, parts->name);
	appendStringInfoString(into, ",\"counts\":[");
	for (int i = 0; i < parts->nparts; i++)
		appendStringInfo(into, "%s" INT64_FORMAT, i ? "," : "", parts->count[i]);
	appendStringInfoChar(into, ']');
	if (parts->text)
	{
		appendStringInfoString(into, ",\"levels\":[");
		for (int i = 0; i < parts->nlevels; i++)
		{
			if (i)
				appendStringInfoChar(into, ',');
			escape_json(into, parts->levels[i]);
		}
		appendStringInfoChar(into, ']');
	}
	appendStringInfoChar(into, '}');
}

static Datum
print_tally(const Tally *t)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfo(&s, "{\"version\":%d,\"n\":" UINT64_FORMAT ",\"groups\":" UINT64_FORMAT ",\"labelled\":" UINT64_FORMAT
					 ",\"labelled_groups\":" UINT64_FORMAT ",\"positives\":" UINT64_FORMAT, t->model->version, t->rows,
					 t->group_attribute >= 0 ? (uint64) hash_get_num_entries(t->groups) : t->rows, t->labelled,
					 t->group_attribute >= 0 ? (uint64) hash_get_num_entries(t->label_groups) : t->labelled, t->positives);
	if (t->positives > 0 && t->positives < t->labelled)
	{
		DunMetrics	m = dun_score_measure(t->p, t->y, t->labelled);

		dun_score_print_member(&s, "auc", m.auc);
		dun_score_print_member(&s, "ks", m.ks);
		dun_score_print_member(&s, "ece", m.ece);
		dun_score_print_member(&s, "brier", m.brier);
	}
	appendStringInfoString(&s, ",\"items\":[");
	for (int i = 0; i < t->model->nfeatures; i++)
	{
		if (i)
			appendStringInfoChar(&s, ',');
		print_parts(&s, &t->parts[i]);
	}
	appendStringInfoChar(&s, ']');
	if (t->score.nparts > 0)
	{
		appendStringInfoString(&s, ",\"score\":");
		print_parts(&s, &t->score);
	}
	appendStringInfoChar(&s, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(s.data));
}

static DunStatement stats_statement = {
	"SELECT m.feature_stats,"
	" (SELECT pg_catalog.array_agg(d.d::pg_catalog.float8 ORDER BY d.ord)"
	" FROM pg_catalog.jsonb_array_elements_text(m.metrics OPERATOR(pg_catalog.#>) '{score,deciles}') WITH ORDINALITY d(d, ord))"
	" FROM dunning.model m WHERE m.model OPERATOR(pg_catalog.=) $1 AND m.version OPERATOR(pg_catalog.=) $2",
	2, {TEXTOID, INT4OID}
};

/* What was frozen at training; inside SPI. */
static void
open_tally(Tally *t)
{
	HASHCTL		ctl = {.keysize = sizeof(uint64), .entrysize = sizeof(uint64), .hcxt = CurrentMemoryContext};
	Datum		args[2] = {CStringGetTextDatum(t->name), Int32GetDatum(t->model->version)};
	DunUser		before = dun_base_become(DUN_OWNER_ROLE);
	Jsonb	   *stats;
	Datum		deciles;
	bool		isnull;

	t->context = CurrentMemoryContext;
	t->groups = hash_create("dunning groups", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	t->label_groups = hash_create("dunning groups with outcomes", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	t->allocated = 1024;
	t->p = palloc(t->allocated * sizeof(double));
	t->y = palloc(t->allocated);
	t->parts = palloc0(sizeof(Parts) * Max(t->model->nfeatures, 1));
	dun_base_run(&stats_statement, args, NULL, true, 1);
	dun_base_unbecome(before);
	stats = DatumGetJsonbP(dun_base_value(0, 1, &isnull));
	for (int i = 0; i < t->model->nfeatures; i++)
		open_parts(&t->parts[i], &stats->root, &t->model->features[i]);
	deciles = dun_base_value(0, 2, &isnull);
	if (!isnull)
	{
		ArrayType  *array = DatumGetArrayTypeP(deciles);

		open_edges(&t->score, (double *) ARR_DATA_PTR(array), (int) ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)), "score");
	}
}

/* The arguments (model, query, label, group) of either function; inside SPI, the result in `caller`. */
static Datum
count_rows(FunctionCallInfo fcinfo, Tally *t, MemoryContext caller)
{
	Datum		result;

	t->name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	t->model = dun_score_find_model(t->name);
	t->label = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	t->group = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	open_tally(t);
	dun_score_read_rows(text_to_cstring(PG_GETARG_TEXT_PP(1)), start_tally, take_tally, t);
	MemoryContextSwitchTo(caller);
	result = print_tally(t);
	return result;
}

static void
refuse_null(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model and query must not be null"),
				 errhint("SELECT * FROM dunning.check_drift('my_model', 'SELECT * FROM my_view');")));
}

PG_FUNCTION_INFO_V1(dun_score_sql_drift_counts);

Datum
dun_score_sql_drift_counts(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Tally		t = {0};
	Datum		result;

	refuse_null(fcinfo);
	SPI_connect();
	t.asked = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));
	result = count_rows(fcinfo, &t, caller);
	SPI_finish();
	return result;
}

/* What the counts say is written as dunning_owner; by then no code of the caller's runs any more. */
static DunStatement keep_statement = {
	"SELECT k.* FROM dunning._keep_drift($1, $2, $3, NULL, $3) k",
	3, {TEXTOID, INT4OID, JSONBOID}
};

PG_FUNCTION_INFO_V1(dun_score_sql_check_drift);

Datum
dun_score_sql_check_drift(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Tally		t = {0};
	Datum		args[3];
	DunUser		before;
	uint64		n;

	refuse_null(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	args[2] = count_rows(fcinfo, &t, CurrentMemoryContext);
	args[0] = CStringGetTextDatum(t.name);
	args[1] = Int32GetDatum(t.model->version);
	before = dun_base_become(DUN_OWNER_ROLE);
	n = dun_base_run(&keep_statement, args, NULL, false, 0);
	dun_base_unbecome(before);
	for (uint64 i = 0; i < n; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	return (Datum) 0;
}
