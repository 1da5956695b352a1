/*
 * score/set.c
 *		From a matrix as the query gave it to columns that a kind of model can learn from.
 *
 * Quantiles come from rows at equal distances: rows stand in the order of a hash, equal ones together.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "base/errcodes.h"
#include "base/hash.h"
#include "score/init.h"
#include "score/json.h"
#include "score/set.h"
#include "score/sort.h"

#define QUANTILE_ROWS 8000
#define TAIL 0.01				/* clipped on either side */

static void
drop_notice(const DunColumn *c, const char *why)
{
	ereport(NOTICE, (errmsg("column \"%s\" is left out: %s", c->name, why)));
}

/* Rows looked at together, so that a compiler can do the same to several. */
#define BLOCK 64

/*
 * Mean and spread of what is left between the two percentiles. Sums of what lies above the lower one need one walk,
 * and are as exact as two walks: the mean lies no more than some ten spreads above it.
 */
static void
summarise_clipped(const DunColumn *c, uint32 n, DunFeature *f)
{
	double		sum0 = 0,
				sum1 = 0,
				squares0 = 0,
				squares1 = 0;
	double		above[BLOCK];
	double		offset;
	float		low = f->low,
				high = f->high;

	for (uint32 from = 0; from < n; from += BLOCK)
	{
		const float *x = c->values + from;
		uint32		rows = Min(BLOCK, n - from);

		for (uint32 i = 0; i < rows; i++)
		{
			float		clipped = x[i] > low ? x[i] : low;

			/* What is missing compares as false, and so stands at the lower end, where it adds nothing. */
			clipped = clipped < high ? clipped : high;
			above[i] = (double) clipped - low;
		}
		for (uint32 i = rows; i < BLOCK; i++)
			above[i] = 0;
		for (int i = 0; i < BLOCK; i += 2)
		{
			sum0 += above[i];
			sum1 += above[i + 1];
			squares0 += above[i] * above[i];
			squares1 += above[i + 1] * above[i + 1];
		}
	}
	offset = (sum0 + sum1) / f->present;
	f->mean = low + offset;
	f->sd = sqrt(Max((squares0 + squares1) / f->present - offset * offset, 0));
	if (!(f->sd > 1e-9 * Max(1e-30, fabs(f->mean))))
		f->sd = 0;
}

static uint32
count_present(const float *x, uint32 n)
{
	uint32		count = 0;

	for (uint32 i = 0; i < n; i++)
		count += x[i] == x[i];
	return count;
}

/* The first row that has a value, of each so many. */
static uint32
sample_values(const float *x, uint32 n, float *sample)
{
	uint32		step = (n + QUANTILE_ROWS - 1) / QUANTILE_ROWS;
	uint32		sampled = 0;

	for (uint64 from = 0; from < n; from += step)
	{
		uint64		i = from;

		while (i < from + step && i < n && isnan(x[i]))
			i++;
		if (i < from + step && i < n)
			sample[sampled++] = x[i];
	}
	return sampled;
}

/* The ends of all values instead of those of the sample. */
static void
find_ends(const float *x, uint32 n, DunFeature *f)
{
	f->low = INFINITY;
	f->high = -INFINITY;
	for (uint32 i = 0; i < n; i++)
		if (!isnan(x[i]))
		{
			f->low = Min(f->low, x[i]);
			f->high = Max(f->high, x[i]);
		}
}

/* False where the number says nothing. */
static bool
summarise_number(const DunColumn *c, uint32 n, DunFeature *f)
{
	float	   *sample;
	uint32		sampled;

	f->present = count_present(c->values, n);
	if (f->present == 0)
	{
		drop_notice(c, "every value is missing");
		return false;
	}
	sample = palloc(sizeof(float) * Min(n, QUANTILE_ROWS));
	sampled = sample_values(c->values, n, sample);
	dun_score_sort_floats(sample, sampled);
	f->spread = dun_score_describe_floats(sample, sampled);
	f->low = sample[(uint32) ((sampled - 1) * TAIL)];
	f->high = sample[(uint32) ((sampled - 1) * (1 - TAIL))];
	/* A rare value is all that such a column has to say: keep it. */
	if (f->low == f->high)
		find_ends(c->values, n, f);
	pfree(sample);
	summarise_clipped(c, n, f);
	if (f->sd == 0 && f->present == n)
	{
		drop_notice(c, "it is constant");
		return false;
	}
	return true;
}

/* A level on the way from the query's numbering to that of the model. */
typedef struct Level
{
	const char *text;
	int			from;
	uint32		count;
} Level;

static int
compare_counts(const void *a, const void *b)
{
	const Level *x = a;
	const Level *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->text, y->text);
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(((const Level *) a)->text, ((const Level *) b)->text);
}

/* Number the kept levels in byte order and rewrite the column. */
static void
number_levels(DunColumn *c, uint32 n, Level *levels, int kept, DunFeature *f)
{
	float	   *to = palloc(sizeof(float) * c->nlevels);

	qsort(levels, kept, sizeof(Level), compare_texts);
	f->nlevels = kept;
	f->levels = palloc(sizeof(char *) * Max(kept, 1));
	f->counts = palloc(sizeof(uint32) * Max(kept, 1));
	for (int l = 0; l < c->nlevels; l++)
		to[l] = DUN_OTHER_LEVEL;
	for (int l = 0; l < kept; l++)
	{
		f->levels[l] = c->levels[levels[l].from];
		f->counts[l] = levels[l].count;
		to[levels[l].from] = l;
	}
	for (uint32 i = 0; i < n; i++)
		if (!isnan(c->values[i]))
			c->values[i] = to[(int) c->values[i]];
	pfree(to);
}

static bool
summarise_text(DunColumn *c, uint32 n, DunFeature *f)
{
	Level	   *levels;
	int			kept = 0;

	if (c->nlevels > DUN_MAX_LEVELS)
	{
		drop_notice(c, "it has too many distinct texts, as a key has");
		return false;
	}
	levels = palloc(sizeof(Level) * Max(c->nlevels, 1));
	for (int l = 0; l < c->nlevels; l++)
		levels[l] = (Level) {c->levels[l], l, 0};
	for (uint32 i = 0; i < n; i++)
		if (!isnan(c->values[i]))
		{
			levels[(int) c->values[i]].count++;
			f->present++;
		}
	if (f->present == 0)
	{
		drop_notice(c, "every value is missing");
		return false;
	}
	qsort(levels, c->nlevels, sizeof(Level), compare_counts);
	while (kept < Min(c->nlevels, DUN_VOCABULARY) && levels[kept].count >= DUN_LEVEL_ROWS)
		kept++;
	if (levels[0].count == n || (kept == 0 && f->present == n))
	{
		drop_notice(c, levels[0].count == n ? "it is constant" : "no text in it is frequent enough");
		return false;
	}
	number_levels(c, n, levels, kept, f);
	pfree(levels);
	return true;
}

static void
check_classes(const char *name, const DunMatrix *m)
{
	uint64		positives = 0;

	for (uint64 i = 0; i < m->nrows; i++)
		positives += m->label[i];
	if (positives < DUN_MIN_CLASS || m->nrows - positives < DUN_MIN_CLASS)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" cannot be trained: too few rows of a class", name),
				 errdetail("There are " UINT64_FORMAT " rows with label 1 and " UINT64_FORMAT " with label 0; "
						   UINT64_FORMAT " rows have no label. Each class needs %d.",
						   positives, m->nrows - positives, m->unlabelled, DUN_MIN_CLASS),
				 m->nrows == m->seen ? errhint("Widen the query, or choose a label that divides the rows.") :
				 m->memory_bound ? errhint("These are a sample of " UINT64_FORMAT " rows: SET dunning.train_memory to more than %d kB.",
										   m->seen, dun_score_train_memory) :
				 errhint("These are a sample of " UINT64_FORMAT " rows: give option \"rows\" a greater number, or leave it out.", m->seen)));
}

/* Equal groups share a fold; without groups the rank in content order decides. */
static void
assign_folds(DunTrainSet *set)
{
	uint32		in_fold[UINT8_MAX + 1][2] = {{0}};
	uint32		total[2] = {0, 0};

	set->fold = MemoryContextAllocHuge(set->context, set->n);
	for (uint32 i = 0; i < set->n; i++)
	{
		uint64		state = (set->grouped ? set->group[i] : i) ^ set->seed;

		set->fold[i] = (uint8) (dun_base_rng_next(&state) % set->folds);
		in_fold[set->fold[i]][set->y[i]]++;
		total[set->y[i]]++;
	}
	for (int f = 0; f < set->folds; f++)
		if (total[0] - in_fold[f][0] < DUN_MIN_CLASS / 5 || total[1] - in_fold[f][1] < DUN_MIN_CLASS / 5)
			ereport(ERROR,
					(errcode(DUN_ERR_MODEL),
					 errmsg("model \"%s\" cannot be cross-validated", set->name),
					 errdetail("Without fold %d of %d, %u rows with label 0 and %u with label 1 are left.",
							   f + 1, set->folds, total[0] - in_fold[f][0], total[1] - in_fold[f][1]),
					 errhint("Use a finer group column, or options => '{\"folds\": 3}'.")));
}

uint32
dun_score_hold_out(DunTrainSet *set, uint32 *kept, uint32 *held)
{
	uint32		nkept = 0,
				nheld = 0;
	uint32		of_class[2] = {0, 0};

	for (uint32 i = 0; i < set->n; i++)
		if (set->fold[i] > 0)
		{
			kept[nkept++] = i;
			set->fold[i]--;
		}
		else
		{
			uint64		state = (set->grouped ? set->group[i] : i) ^ ~set->seed;

			held[nheld++] = i;
			set->fold[i] = (uint8) (dun_base_rng_next(&state) % (set->folds - 1));
			of_class[set->y[i]]++;
		}
	set->folds--;
	if (of_class[0] < DUN_MIN_CLASS / 5 || of_class[1] < DUN_MIN_CLASS / 5)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" cannot be measured on rows held out", set->name),
				 errdetail("Among them are %u with label 0 and %u with label 1.", of_class[0], of_class[1]),
				 errhint("Use a finer group column, or options => '{\"folds\": 5}'.")));
	return nheld;
}

DunTrainSet *
dun_score_make_set(const char *name, DunMatrix *m, int folds, uint64 seed)
{
	MemoryContext before = MemoryContextSwitchTo(m->context);
	DunTrainSet *set = palloc0(sizeof(DunTrainSet));

	check_classes(name, m);
	set->name = name;
	set->context = m->context;
	set->n = (uint32) m->nrows;
	set->y = m->label;
	set->grouped = m->group_attribute >= 0;
	set->group = m->group;
	set->folds = folds;
	set->seed = seed;
	set->features = palloc0(sizeof(DunFeature) * Max(m->ncolumns, 1));
	set->x = palloc(sizeof(float *) * Max(m->ncolumns, 1));
	for (int i = 0; i < m->ncolumns; i++)
	{
		DunColumn  *c = &m->columns[i];
		DunFeature	f = {.name = c->name, .type = c->field.type};

		CHECK_FOR_INTERRUPTS();
		if (!(f.type == DUN_TEXT ? summarise_text(c, set->n, &f) : summarise_number(c, set->n, &f)))
			continue;
		set->x[set->nfeatures] = c->values;
		set->features[set->nfeatures++] = f;
	}
	if (set->nfeatures == 0)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" cannot be trained: no column is left", name),
				 errdetail("Columns that could be features: %d; none of them tells two rows apart.", m->ncolumns),
				 errhint("Give the query columns that vary from row to row.")));
	assign_folds(set);
	MemoryContextSwitchTo(before);
	return set;
}

void
dun_score_dense_row(const DunTrainSet *set, uint32 row, double *dense)
{
	for (int i = 0; i < set->nfeatures; i++)
		dense[i] = set->x[i][row];
}

void
dun_score_print_stats(StringInfo into, const DunTrainSet *set)
{
	appendStringInfoChar(into, '[');
	for (int i = 0; i < set->nfeatures; i++)
	{
		const DunFeature *f = &set->features[i];

		appendStringInfoString(into, i ? ",{\"name\":" : "{\"name\":");
		escape_json(into, f->name);
		appendStringInfo(into, ",\"type\":\"%s\"", dun_score_type_name(f->type));
		dun_score_print_member(into, "missing", 1 - f->present / (double) set->n);
		if (f->type != DUN_TEXT)
		{
			dun_score_print_members(into, "deciles", f->spread.deciles, DUN_DECILES);
			dun_score_print_members(into, "shares", f->spread.shares, f->spread.nshares);
		}
		else
		{
			appendStringInfoString(into, ",\"shares\":{");
			for (int l = 0; l < f->nlevels; l++)
			{
				if (l)
					appendStringInfoChar(into, ',');
				escape_json(into, f->levels[l]);
				appendStringInfoChar(into, ':');
				dun_score_print_number(into, f->counts[l] / (double) set->n);
			}
			appendStringInfoChar(into, '}');
		}
		appendStringInfoChar(into, '}');
	}
	appendStringInfoChar(into, ']');
}
