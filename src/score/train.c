/*
 * score/train.c
 *		Logistic regression on any matrix: winsorise, standardise, flag what is missing, choose the
 *		penalty, and fold the result back into one term a feature.
 *
 * Means and quantiles are taken over all rows, not per fold; weights are what cross-validation tests.
 * Quantiles come from the first rows: they stand in the order of a hash, so these are a random sample.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "base/errcodes.h"
#include "base/hash.h"
#include "score/logistic.h"
#include "score/train.h"

#define QUANTILE_ROWS 50000
#define SEARCH_ROWS 20000		/* the penalty is chosen on at most this many */
#define TAIL 0.01				/* winsorised on either side */

static const double lambdas[] = {0.3, 3, 30, 300};

/* One column of the design: a standardised number, a missing flag, or a level of a text. */
typedef struct Derived
{
	int			column;			/* of the matrix */
	int			level;			/* >= 0: a level; -1: the number; -2: the missing flag */
	float	   *values;
	double		mean;
	double		sd;
} Derived;

#define IS_NUMBER -1
#define IS_MISSING -2

/* What was learnt of a matrix column before it is overwritten. */
typedef struct Summary
{
	bool		used;
	uint64		present;
	double		low;
	double		high;
	double		mean;			/* of clipped values */
	double		sd;
	double		deciles[11];
	int			nlevels;		/* kept levels, most frequent first */
	int		   *levels;
	uint64	   *counts;			/* of all levels */
} Summary;

typedef struct Training
{
	const char *name;
	DunMatrix  *m;
	const DunTrainOptions *options;
	Summary    *summaries;
	Derived    *derived;
	int			nderived;
	DunDesign	design;
} Training;

void
dun_score_report_progress(const char *model, const char *stage, int done, int total)
{
	char		status[NAMEDATALEN];

	snprintf(status, sizeof(status), "dunning fit %d/%d %s: %s", done, total, stage, model);
	pgstat_report_appname(status);
}

void
dun_score_end_progress(void)
{
	pgstat_report_appname(application_name);
}

static int
compare_floats(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return (x > y) - (x < y);
}

static void
drop_notice(const DunColumn *c, const char *why)
{
	ereport(NOTICE, (errmsg("column \"%s\" is left out: %s", c->name, why)));
}

/* Bounds, deciles, mean and spread of a number; false where it says nothing. */
static bool
summarise_number(Training *t, DunColumn *c, Summary *s)
{
	uint64		n = t->m->nrows;
	uint64		sampled = 0;
	float	   *sample = palloc(sizeof(float) * Min(n, QUANTILE_ROWS));
	float		least = INFINITY,
				most = -INFINITY;
	double		sum = 0,
				squares = 0;

	for (uint64 i = 0; i < n; i++)
	{
		if (isnan(c->values[i]))
			continue;
		s->present++;
		if (sampled < QUANTILE_ROWS)
			sample[sampled++] = c->values[i];
		least = Min(least, c->values[i]);
		most = Max(most, c->values[i]);
	}
	if (s->present == 0)
	{
		drop_notice(c, "every value is missing");
		return false;
	}
	qsort(sample, sampled, sizeof(float), compare_floats);
	for (int d = 0; d <= 10; d++)
		s->deciles[d] = sample[(sampled - 1) * d / 10];
	s->low = sample[(uint64) ((sampled - 1) * TAIL)];
	s->high = sample[(uint64) ((sampled - 1) * (1 - TAIL))];
	/* A rare value is all that such a column has to say: keep it. */
	if (s->low == s->high)
	{
		s->low = least;
		s->high = most;
	}
	pfree(sample);
	for (uint64 i = 0; i < n; i++)
		if (!isnan(c->values[i]))
			sum += Max(s->low, Min(s->high, c->values[i]));
	s->mean = sum / s->present;
	for (uint64 i = 0; i < n; i++)
		if (!isnan(c->values[i]))
		{
			double		d = Max(s->low, Min(s->high, c->values[i])) - s->mean;

			squares += d * d;
		}
	s->sd = sqrt(squares / s->present);
	if (!(s->sd > 1e-9 * Max(1e-30, fabs(s->mean))))
	{
		s->sd = 0;
		if (s->present == n)
		{
			drop_notice(c, "it is constant");
			return false;
		}
	}
	return true;
}

static const DunColumn *sorting_column;
static const uint64 *sorting_counts;

static int
compare_levels(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (sorting_counts[x] != sorting_counts[y])
		return sorting_counts[x] > sorting_counts[y] ? -1 : 1;
	return strcmp(sorting_column->levels[x], sorting_column->levels[y]);
}

static bool
summarise_text(Training *t, DunColumn *c, Summary *s)
{
	uint64		n = t->m->nrows;
	uint64		enough = Max(10, n / 500);
	int		   *order;

	if (c->nlevels > DUN_MAX_LEVELS)
	{
		drop_notice(c, "it has too many distinct texts, as a key has");
		return false;
	}
	s->counts = palloc0(sizeof(uint64) * Max(c->nlevels, 1));
	for (uint64 i = 0; i < n; i++)
		if (!isnan(c->values[i]))
		{
			s->counts[(int) c->values[i]]++;
			s->present++;
		}
	if (s->present == 0)
	{
		drop_notice(c, "every value is missing");
		return false;
	}
	order = palloc(sizeof(int) * c->nlevels);
	for (int l = 0; l < c->nlevels; l++)
		order[l] = l;
	sorting_column = c;
	sorting_counts = s->counts;
	qsort(order, c->nlevels, sizeof(int), compare_levels);
	while (s->nlevels < c->nlevels && s->nlevels < t->options->levels && s->counts[order[s->nlevels]] >= enough)
		s->nlevels++;
	s->levels = order;
	if (s->nlevels > 0 && s->counts[order[0]] == n)
	{
		drop_notice(c, "it is constant");
		return false;
	}
	if (s->nlevels == 0 && s->present == n)
	{
		drop_notice(c, "no text in it is frequent enough");
		return false;
	}
	return true;
}

static float *
new_values(Training *t)
{
	return MemoryContextAllocHuge(t->m->context, sizeof(float) * t->m->nrows);
}

/* Is what is missing here just what is missing in an earlier column? One flag for both is enough. */
static bool
flagged_before(const Training *t, int column)
{
	const float *values = t->m->columns[column].values;
	bool		same = false;

	for (int d = 0; d < t->nderived && !same; d++)
	{
		const Derived *flag = &t->derived[d];

		if (flag->level != IS_MISSING || t->summaries[flag->column].present != t->summaries[column].present)
			continue;
		same = true;
		for (uint64 i = 0; i < t->m->nrows && same; i++)
			same = isnan(values[i]) == (flag->values[i] > 0);
	}
	return same;
}

/* Standardise a column of values in place; nothing is added where it is constant. */
static void
add_derived(Training *t, int column, int level, float *values)
{
	Derived    *d = &t->derived[t->nderived];
	uint64		n = t->m->nrows;
	double		sum = 0,
				squares = 0;

	for (uint64 i = 0; i < n; i++)
		sum += values[i];
	d->mean = sum / n;
	for (uint64 i = 0; i < n; i++)
		squares += (values[i] - d->mean) * (values[i] - d->mean);
	d->sd = sqrt(squares / n);
	if (!(d->sd > 0))
		return;
	for (uint64 i = 0; i < n; i++)
		values[i] = (float) ((values[i] - d->mean) / d->sd);
	d->column = column;
	d->level = level;
	d->values = values;
	t->nderived++;
}

static void
derive_column(Training *t, int column)
{
	DunColumn  *c = &t->m->columns[column];
	Summary    *s = &t->summaries[column];
	uint64		n = t->m->nrows;

	if (s->present < n && !flagged_before(t, column))
	{
		float	   *flag = new_values(t);

		for (uint64 i = 0; i < n; i++)
			flag[i] = isnan(c->values[i]) ? 1 : 0;
		add_derived(t, column, IS_MISSING, flag);
	}
	if (c->field.type == DUN_TEXT)
	{
		for (int l = 0; l < s->nlevels; l++)
		{
			float	   *is = new_values(t);

			for (uint64 i = 0; i < n; i++)
				is[i] = c->values[i] == s->levels[l] ? 1 : 0;
			add_derived(t, column, l, is);
		}
	}
	else if (s->sd > 0)
	{
		/* Here the missing stand at the mean of the others. */
		for (uint64 i = 0; i < n; i++)
			c->values[i] = isnan(c->values[i]) ? s->mean : Max(s->low, Min(s->high, c->values[i]));
		add_derived(t, column, IS_NUMBER, c->values);
	}
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
				 errhint("Widen the query, or choose a label that divides the rows.")));
}

/* Equal groups share a fold; without groups the rank in content order decides. */
static void
assign_folds(Training *t)
{
	DunMatrix  *m = t->m;
	int			folds = t->options->folds;
	uint64		in_fold[UINT8_MAX + 1][2] = {{0}};
	uint64		total[2] = {0, 0};

	t->design.fold = MemoryContextAllocHuge(m->context, m->nrows);
	for (uint64 i = 0; i < m->nrows; i++)
	{
		uint64		state = (m->group_attribute >= 0 ? m->group[i] : i) ^ t->options->seed;

		t->design.fold[i] = (uint8) (dun_base_rng_next(&state) % folds);
		in_fold[t->design.fold[i]][m->label[i]]++;
		total[m->label[i]]++;
	}
	for (int f = 0; f < folds; f++)
		if (total[0] - in_fold[f][0] < DUN_MIN_CLASS / 5 || total[1] - in_fold[f][1] < DUN_MIN_CLASS / 5)
			ereport(ERROR,
					(errcode(DUN_ERR_MODEL),
					 errmsg("model \"%s\" cannot be cross-validated", t->name),
					 errdetail("Without fold %d of %d, " UINT64_FORMAT " rows with label 0 and " UINT64_FORMAT " with label 1 are left.",
							   f + 1, folds, total[0] - in_fold[f][0], total[1] - in_fold[f][1]),
					 errhint("Use a finer group column, or options => '{\"folds\": 3}'.")));
}

static void
fit_or_fail(Training *t, uint64 rows, int left_out, double lambda, double *beta)
{
	if (!dun_score_fit_logistic(&t->design, rows, left_out, lambda, beta))
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" has no single solution", t->name),
				 errdetail("Two features say the same, and lambda %g is too small to choose.", lambda),
				 errhint("Leave lambda out of the options, or set it to 1.")));
}

/* Out-of-fold probabilities of the first rows; each fold starts from the fit on all of them. */
static double
cross_validate(Training *t, uint64 rows, double lambda, const double *all, double *p)
{
	double	   *beta = palloc(sizeof(double) * (t->nderived + 1));
	double		loss = 0;

	for (int f = 0; f < t->options->folds; f++)
	{
		memcpy(beta, all, sizeof(double) * (t->nderived + 1));
		fit_or_fail(t, rows, f, lambda, beta);
		dun_score_apply_logistic(&t->design, rows, f, beta, p);
	}
	for (uint64 i = 0; i < rows; i++)
	{
		p[i] = dun_score_probability(p[i]);
		loss -= log(t->design.y[i] ? p[i] : 1 - p[i]);
	}
	pfree(beta);
	return loss / rows;
}

static void
start_beta(Training *t, double *beta)
{
	double		positives = 0;

	memset(beta, 0, sizeof(double) * (t->nderived + 1));
	for (uint64 i = 0; i < t->design.n; i++)
		positives += t->design.y[i];
	beta[0] = log(positives / (t->design.n - positives));
}

/* The penalty with the least cross-validated log loss; the first rows are a random sample. */
static double
choose_lambda(Training *t, double *beta, double *p)
{
	uint64		rows = Min(t->design.n, SEARCH_ROWS);
	double		positives = 0;
	double		best = 0,
				best_loss = INFINITY;

	if (t->options->lambda >= 0)
		return t->options->lambda;
	for (uint64 i = 0; i < rows; i++)
		positives += t->design.y[i];
	/* A class that is rare in a large matrix may be too rare in the sample. */
	if (positives < 10 * DUN_MIN_CLASS || rows - positives < 10 * DUN_MIN_CLASS)
		rows = t->design.n;
	for (int i = lengthof(lambdas) - 1; i >= 0; i--)
	{
		double		lambda = lambdas[i];
		double		loss;

		dun_score_report_progress(t->name, "penalty", lengthof(lambdas) - 1 - i, lengthof(lambdas));
		fit_or_fail(t, rows, -1, lambda, beta);
		loss = cross_validate(t, rows, lambda, beta, p);
		if (loss < best_loss)
		{
			best_loss = loss;
			best = lambda;
		}
	}
	return best;
}

/* Weight of a derived column on its own scale, and its value where the flag or level is absent. */
static void
fold_column(const Training *t, int column, const double *beta, DunFeature *f)
{
	const DunColumn *c = &t->m->columns[column];
	const Summary *s = &t->summaries[column];

	f->name = c->name;
	f->type = c->field.type;
	f->low = s->low;
	f->high = s->high;
	f->mean = s->mean;
	if (f->type == DUN_TEXT && s->nlevels > 0)
		f->levels = palloc0(sizeof(DunLevel) * s->nlevels);
	for (int d = 0; d < t->nderived; d++)
	{
		const Derived *x = &t->derived[d];
		double		weight = beta[d + 1] / x->sd;
		double		absent = -weight * x->mean;

		if (x->column != column)
			continue;
		if (x->level == IS_NUMBER)
		{
			f->slope = weight;
			f->offset += absent;
			f->missing += weight * s->mean + absent;
		}
		else if (x->level == IS_MISSING)
		{
			f->missing += weight + absent;
			f->offset += absent;
			f->other += absent;
		}
		else
		{
			f->levels[f->nlevels].value = c->levels[s->levels[x->level]];
			f->levels[f->nlevels++].contribution = weight;
			f->other += absent;
			f->missing += absent;
		}
	}
	for (int l = 0; l < f->nlevels; l++)
		f->levels[l].contribution += f->other;
}

static void
print_stats(const Training *t, StringInfo into)
{
	bool		first = true;

	initStringInfo(into);
	appendStringInfoChar(into, '[');
	for (int i = 0; i < t->m->ncolumns; i++)
	{
		const DunColumn *c = &t->m->columns[i];
		const Summary *s = &t->summaries[i];

		if (!s->used)
			continue;
		appendStringInfoString(into, first ? "{\"name\":" : ",{\"name\":");
		first = false;
		escape_json(into, c->name);
		appendStringInfo(into, ",\"type\":\"%s\",\"missing\":", dun_score_type_name(c->field.type));
		dun_score_print_number(into, 1 - s->present / (double) t->m->nrows);
		appendStringInfoString(into, c->field.type == DUN_TEXT ? ",\"shares\":{" : ",\"deciles\":[");
		for (int k = 0; k < (c->field.type == DUN_TEXT ? s->nlevels : 11); k++)
		{
			if (k)
				appendStringInfoChar(into, ',');
			if (c->field.type == DUN_TEXT)
			{
				escape_json(into, c->levels[s->levels[k]]);
				appendStringInfoChar(into, ':');
			}
			dun_score_print_number(into, c->field.type == DUN_TEXT ?
								   s->counts[s->levels[k]] / (double) t->m->nrows : s->deciles[k]);
		}
		appendStringInfoString(into, c->field.type == DUN_TEXT ? "}}" : "]}");
	}
	appendStringInfoChar(into, ']');
}

static void
prepare(Training *t)
{
	DunMatrix  *m = t->m;
	int			most = 0;

	t->summaries = palloc0(sizeof(Summary) * Max(m->ncolumns, 1));
	for (int i = 0; i < m->ncolumns; i++)
	{
		DunColumn  *c = &m->columns[i];
		Summary    *s = &t->summaries[i];

		CHECK_FOR_INTERRUPTS();
		s->used = c->field.type == DUN_TEXT ? summarise_text(t, c, s) : summarise_number(t, c, s);
		most += 2 + s->nlevels;
	}
	t->derived = palloc0(sizeof(Derived) * Max(most, 1));
	for (int i = 0; i < m->ncolumns; i++)
		if (t->summaries[i].used)
			derive_column(t, i);
	if (t->nderived == 0)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" cannot be trained: no column is left", t->name),
				 errhint("Give the query columns that vary from row to row.")));
	t->design.n = m->nrows;
	t->design.p = t->nderived;
	t->design.y = m->label;
	t->design.x = palloc(sizeof(float *) * t->nderived);
	for (int d = 0; d < t->nderived; d++)
		t->design.x[d] = t->derived[d].values;
	assign_folds(t);
}

static int
compare_level_values(const void *a, const void *b)
{
	return strcmp(((const DunLevel *) a)->value, ((const DunLevel *) b)->value);
}

DunTrained *
dun_score_train_logistic(const char *name, DunMatrix *matrix, const DunTrainOptions *options)
{
	Training	t = {.name = name, .m = matrix, .options = options};
	DunTrained *result = palloc0(sizeof(DunTrained));
	DunModel   *model = &result->model;
	double	   *beta;
	double	   *p;

	check_classes(name, matrix);
	prepare(&t);
	beta = palloc(sizeof(double) * (t.nderived + 1));
	p = MemoryContextAllocHuge(matrix->context, sizeof(double) * matrix->nrows);
	start_beta(&t, beta);
	result->lambda = choose_lambda(&t, beta, p);
	dun_score_report_progress(name, "cross-validation", 0, 2);
	start_beta(&t, beta);
	fit_or_fail(&t, matrix->nrows, -1, result->lambda, beta);
	dun_score_report_progress(name, "cross-validation", 1, 2);
	cross_validate(&t, matrix->nrows, result->lambda, beta, p);
	result->metrics = dun_score_measure(p, matrix->label, matrix->nrows);

	model->kind = "logistic";
	model->intercept = beta[0];
	model->features = palloc0(sizeof(DunFeature) * matrix->ncolumns);
	for (int i = 0; i < matrix->ncolumns; i++)
		if (t.summaries[i].used)
		{
			DunFeature *f = &model->features[model->nfeatures++];

			fold_column(&t, i, beta, f);
			if (f->nlevels > 1)
				qsort(f->levels, f->nlevels, sizeof(DunLevel), compare_level_values);
		}
	print_stats(&t, &result->feature_stats);
	return result;
}
