/*
 * score/segment_rows.c
 *		Reading a query into columns of double precision.
 *
 * Rows come in any order, since the plan may be parallel. They are brought into the order of a hash of their key; levels of a text into the
 * order of their bytes. A sample keeps the rows of lowest hash, so that it does not depend on the order either.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/hash.h"
#include "score/init.h"
#include "score/matrix.h"
#include "score/segment_rows.h"

#define FIRST_ROWS 1024

typedef struct LevelEntry
{
	uint64		hash;
	int			number;
} LevelEntry;

typedef struct Reading
{
	DunRows    *r;
	const char *const *roles;
	int			nroles;
	int			key_attribute;
	int		   *role_attribute;
	DunField   *role_field;
	DunField	key_field;
	int		   *attribute;		/* of each column */
	DunField   *field;
	HTAB	  **index;			/* of texts */
	uint64		allocated;
	uint64		limit;
	uint64		bar;			/* rows at or above it are not in the sample */
} Reading;

static bool
is_role(Reading *g, int attribute)
{
	if (attribute == g->key_attribute)
		return true;
	for (int i = 0; i < g->nroles; i++)
		if (g->role_attribute[i] == attribute)
			return true;
	return false;
}

static void
start_rows(void *state, TupleDesc desc)
{
	Reading    *g = state;
	DunRows    *r = g->r;
	MemoryContext before = MemoryContextSwitchTo(r->context);

	g->key_attribute = dun_score_column_number(desc, "key", "the key");
	dun_score_open_field(&g->key_field, TupleDescAttr(desc, g->key_attribute)->atttypid);
	for (int i = 0; i < g->nroles; i++)
	{
		g->role_attribute[i] = dun_score_column_number(desc, g->roles[i], g->roles[i]);
		dun_score_open_field(&g->role_field[i], TupleDescAttr(desc, g->role_attribute[i])->atttypid);
		if (g->role_field[i].type != DUN_NUMBER && g->role_field[i].type != DUN_BOOLEAN)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" is neither a number nor a boolean", g->roles[i])));
	}
	r->names = palloc0(sizeof(char *) * desc->natts);
	r->is_text = palloc0(sizeof(bool) * desc->natts);
	r->is_boolean = palloc0(sizeof(bool) * desc->natts);
	r->x = palloc0(sizeof(double *) * desc->natts);
	r->levels = palloc0(sizeof(char **) * desc->natts);
	r->nlevels = palloc0(sizeof(int) * desc->natts);
	r->has_missing = palloc0(sizeof(bool) * desc->natts);
	g->attribute = palloc0(sizeof(int) * desc->natts);
	g->field = palloc0(sizeof(DunField) * desc->natts);
	g->index = palloc0(sizeof(HTAB *) * desc->natts);
	for (int a = 0; a < desc->natts; a++)
	{
		int			c = r->ncolumns;

		if (is_role(g, a))
			continue;
		dun_score_open_field(&g->field[c], TupleDescAttr(desc, a)->atttypid);
		if (g->field[c].type == DUN_UNUSABLE || g->field[c].type == DUN_DATE)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of type %s cannot make segments", NameStr(TupleDescAttr(desc, a)->attname),
							format_type_be(TupleDescAttr(desc, a)->atttypid)),
					 errhint("Numbers, booleans and texts can.")));
		g->attribute[c] = a;
		r->names[c] = pstrdup(NameStr(TupleDescAttr(desc, a)->attname));
		r->is_text[c] = g->field[c].type == DUN_TEXT;
		r->is_boolean[c] = g->field[c].type == DUN_BOOLEAN;
		if (r->is_text[c])
		{
			HASHCTL		ctl = {.keysize = sizeof(uint64), .entrysize = sizeof(LevelEntry), .hcxt = r->context};

			g->index[c] = hash_create("dunning levels", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
			r->levels[c] = palloc(sizeof(char *) * (DUN_MAX_LEVELS + 1));
		}
		r->ncolumns++;
	}
	g->limit = (uint64) dun_score_train_memory * 1024 / (sizeof(double) * (r->ncolumns + g->nroles + 2) + r->ncolumns);
	g->limit = Max(g->limit, 1000);
	g->limit = Min(g->limit, 10000000);
	MemoryContextSwitchTo(before);
}

static double
level_of(Reading *g, int c, Datum value)
{
	DunRows    *r = g->r;
	char	   *text;
	uint64		hash;
	bool		found;
	LevelEntry *entry;

	if (r->nlevels[c] > DUN_MAX_LEVELS)
		return 0;
	text = dun_score_read_text(&g->field[c], value);
	hash = dun_base_hash64(text, strlen(text), 0);
	entry = hash_search(g->index[c], &hash, HASH_ENTER, &found);
	if (!found)
	{
		entry->number = r->nlevels[c]++;
		if (r->nlevels[c] <= DUN_MAX_LEVELS)
			r->levels[c][entry->number] = MemoryContextStrdup(r->context, text);
	}
	return entry->number;
}

/* What the server says of the value by <= and by IS NULL. */
static double
number_of(DunField *field, Datum value)
{
	double		number = NAN;

	if (!dun_score_read_number(field, value, &number) && isnan(number))
		number = INFINITY;
	return number;
}

static void
grow(Reading *g)
{
	DunRows    *r = g->r;
	uint64		more = Max(FIRST_ROWS, Min(g->allocated * 2, g->limit + FIRST_ROWS));

	for (int i = 0; i < r->ncolumns + g->nroles; i++)
	{
		double	  **at = i < r->ncolumns ? &r->x[i] : &r->role[i - r->ncolumns];

		*at = *at == NULL ? MemoryContextAllocHuge(r->context, more * sizeof(double)) : repalloc_huge(*at, more * sizeof(double));
	}
	r->key = r->key == NULL ? MemoryContextAllocHuge(r->context, more * sizeof(uint64)) : repalloc_huge(r->key, more * sizeof(uint64));
	g->allocated = more;
}

static void
thin_out(Reading *g)
{
	DunRows    *r = g->r;
	uint32		kept = 0;

	g->bar = g->bar / 4 * 3;
	for (uint32 i = 0; i < r->n; i++)
	{
		if (r->key[i] >= g->bar)
			continue;
		for (int c = 0; c < r->ncolumns; c++)
			r->x[c][kept] = r->x[c][i];
		for (int c = 0; c < g->nroles; c++)
			r->role[c][kept] = r->role[c][i];
		r->key[kept++] = r->key[i];
	}
	r->n = kept;
}

static void
take_row(void *state, Datum *values, bool *nulls)
{
	Reading    *g = state;
	DunRows    *r = g->r;
	char	   *key;
	uint64		hash;

	if (nulls[g->key_attribute])
		return;
	for (int i = 0; i < g->nroles; i++)
	{
		double		ignored;

		if (nulls[g->role_attribute[i]] || !dun_score_read_number(&g->role_field[i], values[g->role_attribute[i]], &ignored))
			return;
	}
	r->seen++;
	key = dun_score_read_text(&g->key_field, values[g->key_attribute]);
	hash = dun_base_hash64(key, strlen(key), 1);
	/* Levels of rows that are left out count too: which columns are keys must not depend on the sample. */
	for (int c = 0; c < r->ncolumns; c++)
		if (r->is_text[c] && !nulls[g->attribute[c]])
			(void) level_of(g, c, values[g->attribute[c]]);
	if (hash >= g->bar)
		return;
	if (r->n == g->allocated)
		grow(g);
	for (int c = 0; c < r->ncolumns; c++)
		r->x[c][r->n] = nulls[g->attribute[c]] ? NAN
			: r->is_text[c] ? level_of(g, c, values[g->attribute[c]]) : number_of(&g->field[c], values[g->attribute[c]]);
	for (int i = 0; i < g->nroles; i++)
		r->role[i][r->n] = number_of(&g->role_field[i], values[g->role_attribute[i]]);
	r->key[r->n++] = hash;
	while (r->n > g->limit)
		thin_out(g);
}

/* --- after the last row --- */

static int
compare_levels(const void *a, const void *b, void *levels)
{
	char	  **l = levels;

	return strcmp(l[*(const int *) a], l[*(const int *) b]);
}

static void
sort_levels(DunRows *r, int c)
{
	int			n = r->nlevels[c];
	int		   *order = palloc(sizeof(int) * Max(n, 1));
	int		   *place = palloc(sizeof(int) * Max(n, 1));
	char	  **sorted = palloc(sizeof(char *) * Max(n, 1));

	for (int i = 0; i < n; i++)
		order[i] = i;
	qsort_arg(order, n, sizeof(int), compare_levels, r->levels[c]);
	for (int i = 0; i < n; i++)
	{
		place[order[i]] = i;
		sorted[i] = r->levels[c][order[i]];
	}
	for (uint32 i = 0; i < r->n; i++)
		if (!isnan(r->x[c][i]))
			r->x[c][i] = place[(int) r->x[c][i]];
	memcpy(r->levels[c], sorted, sizeof(char *) * n);
	pfree(order);
	pfree(place);
	pfree(sorted);
}

static int
compare_numbers(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a > b) - (a < b);
}

typedef struct Sorting
{
	const DunRows *r;
	int			nroles;
} Sorting;

/* Rows of equal keys (a debtor that stands twice) by what they hold, so that their order is no matter of chance. */
static int
compare_rows(const void *a, const void *b, void *arg)
{
	const Sorting *s = arg;
	uint32		i = *(const uint32 *) a;
	uint32		j = *(const uint32 *) b;

	if (s->r->key[i] != s->r->key[j])
		return s->r->key[i] < s->r->key[j] ? -1 : 1;
	for (int c = 0; c < s->r->ncolumns + s->nroles; c++)
	{
		double	   *x = c < s->r->ncolumns ? s->r->x[c] : s->r->role[c - s->r->ncolumns];
		int			way = compare_numbers(x[i], x[j]);

		if (way != 0)
			return way;
	}
	return 0;
}

static void
sort_rows(DunRows *r, int nroles)
{
	uint32	   *order = MemoryContextAllocHuge(r->context, sizeof(uint32) * r->n);
	double	   *moved = MemoryContextAllocHuge(r->context, sizeof(double) * r->n);
	uint64	   *keys = MemoryContextAllocHuge(r->context, sizeof(uint64) * r->n);
	Sorting		sorting = {r, nroles};

	for (uint32 i = 0; i < r->n; i++)
		order[i] = i;
	qsort_arg(order, r->n, sizeof(uint32), compare_rows, &sorting);
	for (int c = 0; c < r->ncolumns + nroles; c++)
	{
		double	   *x = c < r->ncolumns ? r->x[c] : r->role[c - r->ncolumns];

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; i < r->n; i++)
			moved[i] = x[order[i]];
		memcpy(x, moved, sizeof(double) * r->n);
	}
	for (uint32 i = 0; i < r->n; i++)
		keys[i] = r->key[order[i]];
	memcpy(r->key, keys, sizeof(uint64) * r->n);
	pfree(order);
	pfree(moved);
	pfree(keys);
}

static void
drop_column(DunRows *r, int c)
{
	for (int d = c; d + 1 < r->ncolumns; d++)
	{
		r->names[d] = r->names[d + 1];
		r->is_text[d] = r->is_text[d + 1];
		r->is_boolean[d] = r->is_boolean[d + 1];
		r->x[d] = r->x[d + 1];
		r->levels[d] = r->levels[d + 1];
		r->nlevels[d] = r->nlevels[d + 1];
	}
	r->ncolumns--;
}

/* Why a column cannot split anything, NULL where it can. */
static const char *
useless(const DunRows *r, int c)
{
	bool		missing = false;
	double		first = NAN;
	bool		varies = false;

	if (r->is_text[c] && r->nlevels[c] > DUN_MAX_LEVELS)
		return "it has too many distinct texts, as a key has";
	for (uint32 i = 0; i < r->n; i++)
	{
		double		v = r->x[c][i];

		if (isnan(v))
			missing = true;
		else if (isnan(first))
			first = v;
		else if (v != first)
			varies = true;
	}
	r->has_missing[c] = missing;
	if (isnan(first))
		return "every value is missing";
	return varies || missing ? NULL : "it is constant";
}

DunRows *
dun_score_read_segment_rows(const char *query, const char *const *roles, int nroles)
{
	DunRows    *r = palloc0(sizeof(DunRows));
	Reading		g = {.r = r, .roles = roles, .nroles = nroles, .bar = PG_UINT64_MAX};
	StringInfoData left_out;

	r->context = CurrentMemoryContext;
	g.role_attribute = palloc0(sizeof(int) * (nroles + 1));
	g.role_field = palloc0(sizeof(DunField) * (nroles + 1));
	r->role = palloc0(sizeof(double *) * (nroles + 1));
	g.key_attribute = -1;
	dun_score_read_rows(query, start_rows, take_row, &g);

	initStringInfo(&left_out);
	for (int c = 0; c < r->ncolumns;)
	{
		const char *why = useless(r, c);

		if (why == NULL)
		{
			c++;
			continue;
		}
		appendStringInfo(&left_out, "%s\"%s\": %s", left_out.len > 0 ? "; " : "", r->names[c], why);
		drop_column(r, c);
		memmove(r->has_missing + c, r->has_missing + c + 1, sizeof(bool) * (r->ncolumns - c));
	}
	if (left_out.len > 0)
		ereport(DEBUG1, (errmsg("columns that make no segments: %s", left_out.data)));
	for (int c = 0; c < r->ncolumns; c++)
		if (r->is_text[c])
			sort_levels(r, c);
	if (r->n > 0)
		sort_rows(r, nroles);
	if (r->n < r->seen)
		ereport(NOTICE,
				(errmsg("learnt on a sample of %u of " UINT64_FORMAT " rows", r->n, r->seen),
				 errhint("SET dunning.train_memory to more than %d kB for all rows.", dun_score_train_memory)));
	return r;
}
