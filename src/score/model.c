/*
 * score/model.c
 *		Printing a model, finding it again, and its terms.
 *
 * Versions are immutable, so a parsed model is kept under the digest of its body and can never be
 * stale. Which version a name means is asked of the table once a statement, in the statement's own
 * snapshot (predict.c): an invalidation message could not tell a backend with an older snapshot what
 * that snapshot should see.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/errcodes.h"
#include "base/spi.h"
#include "base/user.h"
#include "score/json.h"
#include "score/model.h"

/* More than this many models in one backend, and those not used in this transaction are let go. */
#define CACHE_LIMIT 32

typedef struct CachedModel
{
	char		digest[65];		/* the key */
	TimestampTz used_in;		/* start of the transaction that last asked for it */
	MemoryContext context;
	DunModel   *model;
} CachedModel;

static HTAB *cache = NULL;

static DunStatement find_statement = {
	"SELECT m.version, m.digest"
	" FROM dunning.model m"
	" WHERE m.model OPERATOR(pg_catalog.=) $1 AND m.state OPERATOR(pg_catalog.<>) 'retired'"
	" ORDER BY (m.state OPERATOR(pg_catalog.=) 'champion') DESC, m.version DESC LIMIT 1",
	1, {TEXTOID}
};

static DunStatement version_statement = {
	"SELECT m.version, m.digest FROM dunning.model m"
	" WHERE m.model OPERATOR(pg_catalog.=) $1 AND m.version OPERATOR(pg_catalog.=) $2",
	2, {TEXTOID, INT4OID}
};

static DunStatement body_statement = {
	"SELECT m.body, m.digest OPERATOR(pg_catalog.=) pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(m.body::pg_catalog.text, 'UTF8')), 'hex')"
	" FROM dunning.model m WHERE m.model OPERATOR(pg_catalog.=) $1 AND m.version OPERATOR(pg_catalog.=) $2",
	2, {TEXTOID, INT4OID}
};

static DunStatement names_statement = {
	"SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_literal(m.model), ', ') FROM dunning.model m"
	" WHERE m.state OPERATOR(pg_catalog.<>) 'retired'",
	0
};

double
dun_score_probability(double logit)
{
	double		p = 1 / (1 + exp(-logit));

	/* Written so that NaN, which no kind should give, does not get through. */
	if (!(p > DUN_PROBABILITY_MARGIN))
		return DUN_PROBABILITY_MARGIN;
	return Min(1 - DUN_PROBABILITY_MARGIN, p);
}

void
dun_score_predict_rows(const DunModel *model, const double *rows, int n, double *p)
{
	model->kind->logits(model->body, rows, n, p);
	for (int i = 0; i < n; i++)
		p[i] = dun_score_probability(dun_score_apply_calibration(&model->calibration, p[i]));
}

void
dun_score_print_sql(StringInfo into, const DunModel *model)
{
	StringInfoData logit;

	if (model->kind->print_sql == NULL)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("models of kind \"%s\" have no SQL text", model->kind->name),
				 errhint("Use dunning.predict(model, row).")));
	initStringInfo(&logit);
	model->kind->print_sql(&logit, model->body, model->features, model->nfeatures);
	/* exp() of more than 709 is an error to SQL. */
	appendStringInfoString(into, "least(greatest(1 / (1 + exp(-least(greatest(");
	dun_score_print_calibration_sql(into, &model->calibration, logit.data);
	appendStringInfo(into, ", float8 '-700'), float8 '700'))), float8 '%g'), 1 - float8 '%g')",
					 DUN_PROBABILITY_MARGIN, DUN_PROBABILITY_MARGIN);
}

void
dun_score_print_model(StringInfo into, const DunModel *model)
{
	appendStringInfo(into, "{\"format\":%d,\"kind\":\"%s\"", DUN_BODY_FORMAT, model->kind->name);
	dun_score_print_calibration(into, &model->calibration);
	model->kind->print(into, model->body);
	appendStringInfoString(into, ",\"features\":[");
	for (int i = 0; i < model->nfeatures; i++)
	{
		const DunFeature *f = &model->features[i];

		appendStringInfoString(into, i ? ",{\"name\":" : "{\"name\":");
		escape_json(into, f->name);
		appendStringInfo(into, ",\"type\":\"%s\"", dun_score_type_name(f->type));
		if (f->type != DUN_TEXT)
			dun_score_print_member(into, "mean", f->mean);
		else if (!model->kind->prints_levels)
		{
			appendStringInfoString(into, ",\"levels\":[");
			for (int l = 0; l < f->nlevels; l++)
			{
				if (l)
					appendStringInfoChar(into, ',');
				escape_json(into, f->levels[l]);
			}
			appendStringInfoChar(into, ']');
		}
		if (model->kind->print_feature != NULL)
			model->kind->print_feature(into, model->body, model->features, i);
		appendStringInfoChar(into, '}');
	}
	appendStringInfoString(into, "]}");
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
parse_feature(JsonbContainer *object, DunFeature *f)
{
	f->name = dun_score_json_text(object, "name");
	f->type = dun_score_type_named(dun_score_json_text(object, "type"));
	if (f->type == DUN_UNUSABLE)
		elog(ERROR, "feature \"%s\" has an unknown type", f->name);
	if (f->type != DUN_TEXT)
	{
		f->mean = dun_score_json_number(object, "mean");
		return;
	}
	f->levels = dun_score_json_texts(object, "levels", &f->nlevels);
	/* jsonb keeps keys in an order of its own. */
	if (f->nlevels > 1)
		qsort(f->levels, f->nlevels, sizeof(char *), compare_texts);
}

static void
refuse_newer(const char *name, int version)
{
	ereport(ERROR,
			(errcode(DUN_ERR_MODEL),
			 errmsg("version %d of model \"%s\" was written by a newer version of the extension", version, name),
			 errdetail("This server's library reads bodies up to format %d.", DUN_BODY_FORMAT),
			 errhint("Install that version of the extension here, or promote a version that this one can read: "
					 "SELECT version, state, kind FROM dunning.model WHERE model = %s;", quote_literal_cstr(name))));
}

/* In the current memory context. */
static DunModel *
parse_model(const char *name, int version, JsonbContainer *object)
{
	DunModel   *model = palloc0(sizeof(DunModel));
	JsonbContainer *features;

	if (dun_score_json_has(object, "format") && dun_score_json_number(object, "format") > DUN_BODY_FORMAT)
		refuse_newer(name, version);
	model->kind = dun_score_find_kind(dun_score_json_text(object, "kind"));
	if (strcmp(dun_score_json_text(object, "kind"), "kaplan_meier") == 0)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" is a table of curves and reads no rows", name),
				 errhint("SELECT * FROM dunning.curve_table(%s);", quote_literal_cstr(name))));
	if (model->kind == NULL)
		refuse_newer(name, version);
	model->version = version;
	model->calibration = dun_score_read_calibration(object);
	features = dun_score_json_member(object, "features");
	model->nfeatures = dun_score_json_length(features);
	model->features = palloc0(sizeof(DunFeature) * Max(model->nfeatures, 1));
	for (int i = 0; i < model->nfeatures; i++)
		parse_feature(dun_score_json_element(features, i), &model->features[i]);
	model->body = model->kind->parse(object, model->features, model->nfeatures);
	return model;
}

/* The body of one version into `context`; inside SPI, as dunning_owner. */
static DunModel *
read_model(MemoryContext context, const char *name, int version)
{
	Datum		args[2] = {CStringGetTextDatum(name), Int32GetDatum(version)};
	MemoryContext before;
	DunModel   *model;
	Jsonb	   *body;
	bool		isnull;

	dun_base_run(&body_statement, args, NULL, true, 0);
	if (!DatumGetBool(dun_base_value(0, 2, &isnull)))
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("version %d of model \"%s\" was changed after it was trained", version, name),
				 errdetail("The digest of its body is not the one it was stored with."),
				 errhint("Train it again, or promote another version.")));
	body = DatumGetJsonbP(dun_base_value(0, 1, &isnull));
	before = MemoryContextSwitchTo(context);
	model = parse_model(name, version, &body->root);
	MemoryContextSwitchTo(before);
	return model;
}

static void
make_room(void)
{
	HASH_SEQ_STATUS seq;
	CachedModel *entry;

	if (hash_get_num_entries(cache) < CACHE_LIMIT)
		return;
	hash_seq_init(&seq, cache);
	while ((entry = hash_seq_search(&seq)) != NULL)
	{
		/* Running statements hold pointers only to what their own transaction asked for. */
		if (entry->used_in == GetCurrentTransactionStartTimestamp())
			continue;
		MemoryContextDelete(entry->context);
		hash_search(cache, entry->digest, HASH_REMOVE, NULL);
	}
}

static void
report_unknown(const char *name)
{
	char	   *known = NULL;

	dun_base_run(&names_statement, NULL, NULL, true, 0);
	known = dun_base_text(0, 1);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" does not exist", name),
			 known ? errdetail("The models are %s.", known) : errdetail("There is no model yet."),
			 errhint("SELECT * FROM dunning.train('paid_30d'); or SELECT * FROM dunning.fit(model, query, label);")));
}

static void
report_no_version(const char *name, int version)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" has no version %d", name, version),
			 errhint("SELECT model, version, state, metrics FROM dunning.model ORDER BY 1, 2;")));
}

/* What the statement's only row names, parsed at most once a backend. */
static DunModel *
find_parsed(DunStatement *statement, const char *name, int version)
{
	DunUser		before = dun_base_become(DUN_OWNER_ROLE);
	Datum		args[2] = {CStringGetTextDatum(name), Int32GetDatum(version)};
	CachedModel *entry;
	char	   *digest;
	bool		isnull;

	if (cache == NULL)
	{
		HASHCTL		ctl = {.keysize = 65, .entrysize = sizeof(CachedModel), .hcxt = TopMemoryContext};

		cache = hash_create("dunning models", CACHE_LIMIT, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	SPI_connect();
	if (dun_base_run(statement, args, NULL, true, 0) == 0)
	{
		if (statement->nargs > 1)
			report_no_version(name, version);
		report_unknown(name);
	}
	version = DatumGetInt32(dun_base_value(0, 1, &isnull));
	digest = dun_base_text(0, 2);
	entry = hash_search(cache, digest, HASH_FIND, NULL);
	if (entry == NULL)
	{
		MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "dunning model",
													  ALLOCSET_SMALL_SIZES);
		DunModel   *model = read_model(context, name, version);

		make_room();
		strlcpy(model->digest, digest, sizeof(model->digest));
		entry = hash_search(cache, digest, HASH_ENTER, NULL);
		entry->model = model;
		entry->context = context;
		/* Only a wholly parsed model outlives this call. */
		MemoryContextSetParent(context, CacheMemoryContext);
	}
	entry->used_in = GetCurrentTransactionStartTimestamp();
	/* The same body may stand under several versions of a name; the answer is about this one. */
	entry->model->version = version;
	SPI_finish();
	dun_base_unbecome(before);
	return entry->model;
}

DunModel *
dun_score_find_model(const char *name)
{
	return find_parsed(&find_statement, name, 0);
}

DunModel *
dun_score_find_version(const char *name, int version)
{
	return find_parsed(&version_statement, name, version);
}
