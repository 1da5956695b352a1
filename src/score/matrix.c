/*
 * score/matrix.c
 *		A training query's rows as columns of float4.
 *
 * Above the memory limit a sample is kept: every row draws a lot from the seed, its content and how many rows of
 * that content came before; whenever the matrix is full the bar is lowered and rows above it are dropped. So
 * the sample does not depend on the order of the rows, which a large table gives differently each time. Only
 * where there are more different rows than memory holds, the equal ones among the later share a lot.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/hash.h"
#include "score/init.h"
#include "score/matrix.h"
#include "score/sort.h"

#define FIRST_ROWS 1024
#define MOST 1e38

/* How often a row of this content has come. */
typedef struct SeenEntry
{
	uint64		hash;
	uint64		times;
} SeenEntry;

typedef struct LevelEntry
{
	uint64		hash;
	int			number;
} LevelEntry;

int
dun_score_column_number(TupleDesc desc, const char *name, const char *what)
{
	StringInfoData names;

	for (int i = 0; i < desc->natts; i++)
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return i;
	initStringInfo(&names);
	for (int i = 0; i < desc->natts; i++)
		appendStringInfo(&names, "%s%s", i ? ", " : "", quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the query has no column \"%s\" for the %s", name, what),
			 errdetail("Its columns are %s.", names.data),
			 errhint("Name a column of the query as %s, or add it to the SELECT list.", what)));
	return -1;
}

int
dun_score_read_label(DunField *field, Datum value, bool isnull, const char *label)
{
	double		number;
	const char *condition = "IS NOT NULL";

	if (isnull)
		return -1;
	if (field->type == DUN_NUMBER || field->type == DUN_BOOLEAN)
	{
		if (dun_score_read_number(field, value, &number) && (number == 0 || number == 1))
			return (int) number;
		condition = "> 0";
	}
	else if (field->type == DUN_TEXT)
		condition = psprintf("= %s", quote_literal_cstr(dun_score_read_text(field, value)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("label \"%s\" is neither a boolean nor 0 or 1", label),
			 field->type == DUN_UNUSABLE ? errdetail("It is of type %s.", format_type_be(field->declared)) :
			 errdetail("A row has the value \"%s\".", dun_score_read_text(field, value)),
			 errhint("Make it a condition, such as (%s %s) AS %s.", quote_identifier(label), condition, quote_identifier(label))));
	return -1;
}

/* What the load needs beside the matrix itself. */
typedef struct Loading
{
	DunMatrix  *m;
	const char *label;
	const char *group;
	char	  **exclude;
	int			nexclude;
	DunRowBytes row_bytes;
	const void *options;
	uint64		most_rows;
} Loading;

static bool
excluded(const Loading *load, const char *name)
{
	for (int i = 0; i < load->nexclude; i++)
		if (strcmp(load->exclude[i], name) == 0)
			return true;
	return false;
}

/* As SQL text: the name is quoted twice, as JSON and as a literal. */
static char *
exclude_option(const char *name)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoString(&s, "{\"exclude\": [");
	escape_json(&s, name);
	appendStringInfoString(&s, "]}");
	return quote_literal_cstr(s.data);
}

/* A name stands for one column: the other of that name might be the label, read as a feature. */
static void
refuse_twins(const Loading *load, TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);

		if (excluded(load, name))
			continue;
		for (int j = 0; j < i; j++)
			if (strcmp(NameStr(TupleDescAttr(desc, j)->attname), name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("column \"%s\" stands twice in the query", name),
						 errdetail("Its columns %d and %d have this name.", j + 1, i + 1),
						 errhint("Features are found by name: give each column its own alias, such as %s AS %s.", quote_identifier(name),
								 quote_identifier(psprintf("%s_2", name)))));
	}
}

/* Opens the feature columns and works out how many rows the memory setting allows. */
static void
start_matrix(void *state, TupleDesc desc)
{
	Loading    *load = state;
	DunMatrix  *m = load->m;
	MemoryContext before = MemoryContextSwitchTo(m->context);
	uint64		row_bytes = 64 + 40;	/* what the matrix keeps beside the columns, and its content's entry */

	m->label_attribute = dun_score_column_number(desc, load->label, "label");
	dun_score_open_field(&m->label_field, TupleDescAttr(desc, m->label_attribute)->atttypid);
	m->group_attribute = -1;
	if (load->group != NULL)
	{
		m->group_attribute = dun_score_column_number(desc, load->group, "group");
		dun_score_open_field(&m->group_field, TupleDescAttr(desc, m->group_attribute)->atttypid);
	}
	refuse_twins(load, desc);
	for (int i = 0; i < load->nexclude; i++)
		(void) dun_score_column_number(desc, load->exclude[i], "option exclude");

	m->columns = palloc0(sizeof(DunColumn) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		DunColumn  *c = &m->columns[m->ncolumns];

		if (i == m->label_attribute || i == m->group_attribute || excluded(load, NameStr(att->attname)))
			continue;
		dun_score_open_field(&c->field, att->atttypid);
		if (c->field.type == DUN_UNUSABLE)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of type %s cannot be a feature", NameStr(att->attname), format_type_be(att->atttypid)),
					 errdetail("Features are numbers, booleans, texts and dates."),
					 errhint("Write %s in the query, or leave it out with options => %s.", dun_score_usable_sql(NameStr(att->attname), att->atttypid),
							 exclude_option(NameStr(att->attname)))));
		c->name = pstrdup(NameStr(att->attname));
		c->attribute = i;
		if (c->field.type == DUN_TEXT)
		{
			HASHCTL		ctl = {.keysize = sizeof(uint64), .entrysize = sizeof(LevelEntry), .hcxt = m->context};

			c->level_index = hash_create("dunning levels", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
			c->levels = palloc(sizeof(char *) * DUN_MAX_LEVELS);
		}
		row_bytes += sizeof(float) + load->row_bytes(c->field.type, load->options);
		m->ncolumns++;
	}
	m->limit = Min(Max((uint64) dun_score_train_memory * 1024 / row_bytes, 1), PG_INT32_MAX);
	m->memory_bound = load->most_rows == 0 || load->most_rows > m->limit;
	if (!m->memory_bound)
		m->limit = load->most_rows;
	m->opened = true;
	MemoryContextSwitchTo(before);
}

static void *
resize(DunMatrix *m, void *old, Size bytes)
{
	return old == NULL ? MemoryContextAllocHuge(m->context, bytes) : repalloc_huge(old, bytes);
}

static void
grow(DunMatrix *m)
{
	uint64		rows = Min(Max(m->allocated * 2, FIRST_ROWS), Max(m->limit + 1, FIRST_ROWS));

	for (int i = 0; i < m->ncolumns; i++)
		m->columns[i].values = resize(m, m->columns[i].values, rows * sizeof(float));
	m->label = resize(m, m->label, rows);
	m->hash = resize(m, m->hash, rows * sizeof(uint64));
	m->group = resize(m, m->group, rows * sizeof(uint64));
	m->lot = resize(m, m->lot, rows * sizeof(uint64));
	m->allocated = rows;
}

static uint64
mix(uint64 hash, uint64 value)
{
	uint64		state = hash ^ value;

	return dun_base_rng_next(&state);
}

/* Equal rows draw different lots, the same ones in whatever order they come. */
static uint64
draw_lot(DunMatrix *m, uint64 hash)
{
	uint64		times = 0;
	bool		full = hash_get_num_entries(m->content) > m->limit;
	bool		found;
	SeenEntry  *entry = hash_search(m->content, &hash, full ? HASH_FIND : HASH_ENTER, &found);

	if (entry != NULL)
		times = entry->times = found ? entry->times + 1 : 0;
	return mix(mix(mix(0, m->seed), hash), times);
}

/* Lots are drawn from the first time on that rows do not fit. */
static void
start_sample(DunMatrix *m)
{
	HASHCTL		ctl = {.keysize = sizeof(uint64), .entrysize = sizeof(SeenEntry), .hcxt = m->context};

	m->content = hash_create("dunning rows", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (uint64 r = 0; r < m->nrows; r++)
		m->lot[r] = draw_lot(m, m->hash[r]);
}

/* Lower the bar by an eighth and drop the rows above it, until the rest fits. */
static void
thin_out(DunMatrix *m)
{
	if (m->content == NULL)
		start_sample(m);
	while (m->nrows > m->limit && m->keep_below > 7)
	{
		uint64		kept = 0;

		CHECK_FOR_INTERRUPTS();
		m->keep_below = m->keep_below / 8 * 7;
		for (uint64 r = 0; r < m->nrows; r++)
		{
			if (m->lot[r] >= m->keep_below)
				continue;
			for (int i = 0; i < m->ncolumns; i++)
				m->columns[i].values[kept] = m->columns[i].values[r];
			m->label[kept] = m->label[r];
			m->hash[kept] = m->hash[r];
			m->group[kept] = m->group[r];
			m->lot[kept] = m->lot[r];
			kept++;
		}
		m->nrows = kept;
	}
}

/* What a column of a key has kept of it goes at once: texts may be long. */
static float
forget_levels(DunColumn *c)
{
	for (int i = 0; i < c->nlevels; i++)
		pfree(c->levels[i]);
	hash_destroy(c->level_index);
	c->level_index = NULL;
	c->nlevels = DUN_MAX_LEVELS + 1;
	return NAN;
}

static float
level_number(DunMatrix *m, DunColumn *c, const char *text, uint64 hash)
{
	bool		found;
	LevelEntry *entry;

	if (c->nlevels > DUN_MAX_LEVELS)
		return NAN;
	entry = hash_search(c->level_index, &hash, HASH_FIND, &found);
	if (found)
		return entry->number;
	c->level_bytes += strlen(text);
	if (c->nlevels == DUN_MAX_LEVELS || c->level_bytes > DUN_MAX_LEVEL_BYTES)
		return forget_levels(c);
	entry = hash_search(c->level_index, &hash, HASH_ENTER, &found);
	entry->number = c->nlevels;
	c->levels[c->nlevels++] = MemoryContextStrdup(m->context, text);
	return entry->number;
}

/* What a column adds to a row's hash: the sum over the columns has no chain of multiplications to wait for. */
static inline uint64
mix_column(int column, uint64 bits)
{
	uint64		h = (bits ^ UINT64CONST(0x9E3779B97F4A7C15) * (column + 1)) * UINT64CONST(0xBF58476D1CE4E5B9);

	return (h ^ h >> 32) * UINT64CONST(0x94D049BB133111EB);
}

/* What a column keeps of a value, and what the row's hash gets of it; the usual types at no call's cost. */
static inline float
read_feature(DunMatrix *m, DunColumn *c, Datum value, uint64 *bits)
{
	double		number;

	*bits = 1;
	if (likely(c->field.base == FLOAT8OID))
		number = DatumGetFloat8(value);
	else if (c->field.base == INT4OID)
		number = DatumGetInt32(value);
	else if (c->field.type == DUN_TEXT)
	{
		char	   *text = dun_score_read_text(&c->field, value);

		*bits = dun_base_hash64(text, strlen(text), 0);
		return level_number(m, c, text, *bits);
	}
	else if (!dun_score_read_number(&c->field, value, &number))
		return NAN;
	if (unlikely(!(fabs(number) <= MOST)))
	{
		if (!isfinite(number))
			return NAN;
		/* A number beyond float4 is kept at its end: it will be winsorised anyway. */
		memcpy(bits, &number, sizeof(*bits));
		return number > 0 ? MOST : -MOST;
	}
	memcpy(bits, &number, sizeof(*bits));
	return (float) number;
}

static void
take_row(void *state, Datum *values, bool *nulls)
{
	Loading    *load = state;
	DunMatrix  *m = load->m;
	uint64		hash = 0;
	uint64		row;
	int			ncolumns;
	int			label;

	label = dun_score_read_label(&m->label_field, values[m->label_attribute], nulls[m->label_attribute], load->label);
	if (label < 0)
	{
		m->unlabelled++;
		return;
	}
	m->seen++;
	if (m->nrows >= m->allocated)
		grow(m);
	row = m->nrows;
	ncolumns = m->ncolumns;
	for (int i = 0; i < ncolumns; i++)
	{
		DunColumn  *c = &m->columns[i];
		float		value = NAN;
		uint64		bits = 1;

		if (likely(!nulls[c->attribute]))
			value = read_feature(m, c, values[c->attribute], &bits);
		c->values[row] = value;
		hash += mix_column(i, bits);
	}
	hash = mix(UINT64CONST(0x5851F42D4C957F2D), hash);
	if (m->group_attribute >= 0 && !nulls[m->group_attribute])
	{
		char	   *text = dun_score_read_text(&m->group_field, values[m->group_attribute]);

		m->group[m->nrows] = dun_base_hash64(text, strlen(text), m->seed);
	}
	else
		m->group[m->nrows] = hash;
	m->label[m->nrows] = (uint8) label;
	m->hash[m->nrows] = mix(mix(hash, label), m->group_attribute >= 0 ? m->group[m->nrows] : 0);
	if (m->content != NULL)
		m->lot[m->nrows] = draw_lot(m, m->hash[m->nrows]);
	if (m->content == NULL || m->lot[m->nrows] < m->keep_below)
		m->nrows++;
	if (m->nrows > m->limit)
		thin_out(m);
}

/* Bring the rows into the order of their content; rows of equal content are equal. */
static void
sort_rows(DunMatrix *m)
{
	uint64		n = m->nrows;
	DunSortKey *keys = MemoryContextAllocHuge(m->context, n * sizeof(DunSortKey));
	uint32	   *order = MemoryContextAllocHuge(m->context, n * sizeof(uint32));
	float	   *values = MemoryContextAllocHuge(m->context, n * sizeof(float));
	uint64	   *groups = MemoryContextAllocHuge(m->context, n * sizeof(uint64));
	uint8	   *labels = MemoryContextAllocHuge(m->context, n);

	for (uint64 r = 0; r < n; r++)
		keys[r] = (DunSortKey) {m->hash[r], (uint32) r};
	dun_score_sort_keys(keys, (uint32) n);
	for (uint64 r = 0; r < n; r++)
		order[r] = keys[r].row;
	pfree(keys);
	for (int i = 0; i < m->ncolumns; i++)
	{
		float	   *before = m->columns[i].values;

		CHECK_FOR_INTERRUPTS();
		for (uint64 r = 0; r < n; r++)
			values[r] = before[order[r]];
		/* The next column is put where this one was. */
		m->columns[i].values = values;
		values = before;
	}
	for (uint64 r = 0; r < n; r++)
	{
		groups[r] = m->group[order[r]];
		labels[r] = m->label[order[r]];
	}
	pfree(m->group);
	pfree(m->label);
	m->group = groups;
	m->label = labels;
	pfree(order);
	pfree(values);
	pfree(m->hash);
	pfree(m->lot);
	m->hash = m->lot = NULL;
}

DunMatrix *
dun_score_read_matrix(const char *query, const char *label, const char *group, char **exclude, int nexclude,
					  DunRowBytes row_bytes, const void *options, uint64 most_rows, uint64 seed)
{
	DunMatrix  *m = palloc0(sizeof(DunMatrix));
	Loading		load = {.m = m, .label = label, .group = group, .exclude = exclude, .nexclude = nexclude,
		.row_bytes = row_bytes, .options = options, .most_rows = most_rows};

	m->context = AllocSetContextCreate(CurrentMemoryContext, "dunning matrix", ALLOCSET_DEFAULT_SIZES);
	m->seed = seed;
	m->keep_below = PG_UINT64_MAX;
	dun_score_read_rows(query, start_matrix, take_row, &load);
	if (m->content != NULL)
		hash_destroy(m->content);
	m->content = NULL;
	if (m->nrows > 0)
		sort_rows(m);
	if (m->nrows < m->seen)
		ereport(NOTICE,
				(errmsg("trained on a sample of " UINT64_FORMAT " of " UINT64_FORMAT " rows", m->nrows, m->seen),
				 m->memory_bound ? errhint("SET dunning.train_memory to more than %d kB for all rows.", dun_score_train_memory) :
				 errhint("Option \"rows\" asks for no more.")));
	return m;
}
