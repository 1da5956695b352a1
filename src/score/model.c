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
#include "common/shortest_dec.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "base/errcodes.h"
#include "base/spi.h"
#include "base/user.h"
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
	"SELECT m.version, m.digest, m.kind, (m.body OPERATOR(pg_catalog.->>) 'intercept')::pg_catalog.float8"
	" FROM dunning.model m"
	" WHERE m.model OPERATOR(pg_catalog.=) $1 AND m.state OPERATOR(pg_catalog.<>) 'retired'"
	" ORDER BY (m.state OPERATOR(pg_catalog.=) 'champion') DESC, m.version DESC LIMIT 1",
	1, {TEXTOID}
};

static DunStatement names_statement = {
	"SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_literal(m.model), ', ') FROM dunning.model m"
	" WHERE m.state OPERATOR(pg_catalog.<>) 'retired'",
	0
};

static DunStatement features_statement = {
	"SELECT f OPERATOR(pg_catalog.->>) 'name', f OPERATOR(pg_catalog.->>) 'type',"
	" (f OPERATOR(pg_catalog.->>) 'low')::pg_catalog.float8, (f OPERATOR(pg_catalog.->>) 'high')::pg_catalog.float8,"
	" (f OPERATOR(pg_catalog.->>) 'mean')::pg_catalog.float8, (f OPERATOR(pg_catalog.->>) 'slope')::pg_catalog.float8,"
	" (f OPERATOR(pg_catalog.->>) 'offset')::pg_catalog.float8, (f OPERATOR(pg_catalog.->>) 'missing')::pg_catalog.float8,"
	" (f OPERATOR(pg_catalog.->>) 'other')::pg_catalog.float8,"
	" (SELECT pg_catalog.count(*) FROM pg_catalog.jsonb_each(f OPERATOR(pg_catalog.->) 'levels'))"
	" FROM dunning.model m, pg_catalog.jsonb_array_elements(m.body OPERATOR(pg_catalog.->) 'features') WITH ORDINALITY x(f, i)"
	" WHERE m.model OPERATOR(pg_catalog.=) $1 AND m.version OPERATOR(pg_catalog.=) $2 ORDER BY i",
	2, {TEXTOID, INT4OID}
};

static DunStatement levels_statement = {
	"SELECT i::pg_catalog.int4, l.key, l.value::pg_catalog.float8"
	" FROM dunning.model m, pg_catalog.jsonb_array_elements(m.body OPERATOR(pg_catalog.->) 'features') WITH ORDINALITY x(f, i),"
	" LATERAL pg_catalog.jsonb_each_text(f OPERATOR(pg_catalog.->) 'levels') l"
	" WHERE m.model OPERATOR(pg_catalog.=) $1 AND m.version OPERATOR(pg_catalog.=) $2"
	" ORDER BY i, l.key COLLATE pg_catalog.\"C\"",
	2, {TEXTOID, INT4OID}
};

double
dun_score_number_term(const DunFeature *feature, double value)
{
	if (value < feature->low)
		value = feature->low;
	else if (value > feature->high)
		value = feature->high;
	return feature->offset + feature->slope * value;
}

double
dun_score_text_term(const DunFeature *feature, const char *value)
{
	int			low = 0,
				high = feature->nlevels - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = strcmp(value, feature->levels[middle].value);

		if (order == 0)
			return feature->levels[middle].contribution;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return feature->other;
}

double
dun_score_probability(double logit)
{
	double		p = 1 / (1 + exp(-logit));

	return Max(DUN_PROBABILITY_MARGIN, Min(1 - DUN_PROBABILITY_MARGIN, p));
}

void
dun_score_print_number(StringInfo into, double value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (!isfinite(value))
		elog(ERROR, "a model has a number that is not finite");
	double_to_shortest_decimal_buf(value, digits);
	appendStringInfoString(into, digits);
}

static void
print_member(StringInfo into, const char *name, double value)
{
	appendStringInfo(into, ",\"%s\":", name);
	dun_score_print_number(into, value);
}

void
dun_score_print_model(StringInfo into, const DunModel *model)
{
	appendStringInfo(into, "{\"kind\":\"%s\"", model->kind);
	print_member(into, "intercept", model->intercept);
	appendStringInfoString(into, ",\"features\":[");
	for (int i = 0; i < model->nfeatures; i++)
	{
		const DunFeature *f = &model->features[i];

		appendStringInfoString(into, i ? ",{\"name\":" : "{\"name\":");
		escape_json(into, f->name);
		appendStringInfo(into, ",\"type\":\"%s\"", dun_score_type_name(f->type));
		print_member(into, "missing", f->missing);
		if (f->type == DUN_TEXT)
		{
			print_member(into, "other", f->other);
			appendStringInfoString(into, ",\"levels\":{");
			for (int l = 0; l < f->nlevels; l++)
			{
				if (l)
					appendStringInfoChar(into, ',');
				escape_json(into, f->levels[l].value);
				appendStringInfoChar(into, ':');
				dun_score_print_number(into, f->levels[l].contribution);
			}
			appendStringInfoChar(into, '}');
		}
		else
		{
			print_member(into, "low", f->low);
			print_member(into, "high", f->high);
			print_member(into, "mean", f->mean);
			print_member(into, "slope", f->slope);
			print_member(into, "offset", f->offset);
		}
		appendStringInfoChar(into, '}');
	}
	appendStringInfoString(into, "]}");
}

static double
number_at(uint64 row, int col)
{
	bool		isnull;
	Datum		value = dun_base_value(row, col, &isnull);

	return isnull ? 0 : DatumGetFloat8(value);
}

static char *
text_at(MemoryContext context, uint64 row, int col)
{
	char	   *value = dun_base_text(row, col);

	if (value == NULL)
		elog(ERROR, "a model's body lacks a name or type");
	return MemoryContextStrdup(context, value);
}

/* The body of one version into `context`; inside SPI, as dunning_owner. */
static DunModel *
parse_model(MemoryContext context, const char *name, int version, const char *kind, double intercept)
{
	DunModel   *model = MemoryContextAllocZero(context, sizeof(DunModel));
	Datum		args[2] = {CStringGetTextDatum(name), Int32GetDatum(version)};
	uint64		n;
	bool		isnull;
	int			next = 0;
	int			last = -1;

	model->version = version;
	model->kind = MemoryContextStrdup(context, kind);
	model->intercept = intercept;
	n = dun_base_run(&features_statement, args, NULL, true, 0);
	model->nfeatures = (int) n;
	model->features = MemoryContextAllocZero(context, sizeof(DunFeature) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		DunFeature *f = &model->features[i];

		f->name = text_at(context, i, 1);
		f->type = dun_score_type_named(text_at(context, i, 2));
		if (f->type == DUN_UNUSABLE)
			elog(ERROR, "feature \"%s\" has an unknown type", f->name);
		f->low = number_at(i, 3);
		f->high = number_at(i, 4);
		f->mean = number_at(i, 5);
		f->slope = number_at(i, 6);
		f->offset = number_at(i, 7);
		f->missing = number_at(i, 8);
		f->other = number_at(i, 9);
		f->nlevels = (int) DatumGetInt64(dun_base_value(i, 10, &isnull));
		if (f->nlevels > 0)
			f->levels = MemoryContextAllocZero(context, sizeof(DunLevel) * f->nlevels);
	}
	n = dun_base_run(&levels_statement, args, NULL, true, 0);
	for (uint64 i = 0; i < n; i++)
	{
		int			of = DatumGetInt32(dun_base_value(i, 1, &isnull)) - 1;
		DunLevel   *level;

		if (of != last)
			next = 0;
		last = of;
		level = &model->features[of].levels[next++];
		level->value = text_at(context, i, 2);
		level->contribution = number_at(i, 3);
	}
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

DunModel *
dun_score_find_model(const char *name)
{
	DunUser		before = dun_base_become(DUN_OWNER_ROLE);
	Datum		args[1] = {CStringGetTextDatum(name)};
	CachedModel *entry;
	char	   *digest;
	int			version;
	bool		isnull;

	if (cache == NULL)
	{
		HASHCTL		ctl = {.keysize = 65, .entrysize = sizeof(CachedModel), .hcxt = TopMemoryContext};

		cache = hash_create("dunning models", CACHE_LIMIT, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	SPI_connect();
	if (dun_base_run(&find_statement, args, NULL, true, 0) == 0)
		report_unknown(name);
	version = DatumGetInt32(dun_base_value(0, 1, &isnull));
	digest = dun_base_text(0, 2);
	entry = hash_search(cache, digest, HASH_FIND, NULL);
	if (entry == NULL)
	{
		MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "dunning model",
													  ALLOCSET_SMALL_SIZES);
		DunModel   *model = parse_model(context, name, version, dun_base_text(0, 3), number_at(0, 4));

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
