/*
 * score/linear.c
 *		The kind `logistic`: winsorised and standardised numbers, flags of what is missing, one column a level,
 *		and the result folded back into one term a feature.
 *
 * All terms are centred: a feature's mean contribution over the training rows is 0, so a contribution
 * reads "this much, in log-odds, more or less than the average row".
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "base/errcodes.h"
#include "score/expression.h"
#include "score/irls.h"
#include "score/json.h"
#include "score/kind.h"
#include "score/progress.h"

#define SEARCH_ROWS 20000		/* the penalty is chosen on at most this many, */
#define SEARCH_LEAST 4096		/* on as few as this, */
#define SEARCH_PER_COLUMN 100	/* and so many a column */
#define LEAVE_OUT_PER_COLUMN 50 /* rows a column from which on a fold is left out by a step */
#define LEAVE_OUT_COLUMNS 300

static const double lambdas[] = {0.3, 3, 30, 300};

enum
{
	LAMBDA,
	LEVELS
};

static const DunOption options_list[] = {
	{"lambda", 0, 1e12, NAN, false},
	{"levels", 1, 100, 20, true},
};

/* One column of the design: a standardised number, a missing flag, or a level of a text. */
typedef struct Derived
{
	int			feature;
	int			level;			/* >= 0: a level; else as a regressor has it */
	double		mean;
	double		sd;
} Derived;

typedef struct Prepared
{
	Derived    *derived;
	int			nderived;
	DunRegressor *x;			/* how each is read off the set's columns */
} Prepared;

/* What one feature adds to the log-odds. */
typedef struct Term
{
	bool		text;
	double		low;			/* numbers are clipped to [low, high] */
	double		high;
	double		slope;			/* contribution = offset + slope * clipped value */
	double		offset;
	double		missing;		/* contribution of a missing value */
	double		mean;
	int			nlevels;
	double	   *levels;			/* contributions; NaN: a level that counts as any other text */
	double		other;
} Term;

typedef struct Linear
{
	double		intercept;
	int			nterms;
	Term	   *terms;
	double	   *beta;			/* only while training: what another fit may start from */
} Linear;

static Size
row_bytes(DunFeatureType type, const double *options)
{
	return 0;
}

/* Is what is missing here just what is missing in an earlier column? One flag for both is enough. */
static bool
flagged_before(const DunTrainSet *set, const Prepared *p, int feature)
{
	const float *values = set->x[feature];
	bool		same = false;

	for (int d = 0; d < p->nderived && !same; d++)
	{
		const Derived *flag = &p->derived[d];
		const float *others = set->x[flag->feature];

		if (flag->level != DUN_AS_MISSING || set->features[flag->feature].present != set->features[feature].present)
			continue;
		same = true;
		for (uint32 i = 0; i < set->n && same; i++)
			same = isnan(values[i]) == isnan(others[i]);
	}
	return same;
}

static void
add_derived(const DunTrainSet *set, Prepared *p, int feature, int level, double mean, double sd)
{
	const DunFeature *f = &set->features[feature];

	if (!(sd > 0))
		return;
	p->derived[p->nderived] = (Derived) {feature, level, mean, sd};
	p->x[p->nderived++] = (DunRegressor) {
		.level = level, .values = set->x[feature], .low = f->low, .high = f->high, .mean = mean, .scale = 1 / sd
	};
}

/* A flag that so many rows have. */
static void
add_flag(const DunTrainSet *set, Prepared *p, int feature, int level, uint32 rows)
{
	double		mean = rows / (double) set->n;

	add_derived(set, p, feature, level, mean, sqrt(mean * (1 - mean)));
}

static const uint32 *sorting_counts;

static int
compare_levels(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (sorting_counts[x] != sorting_counts[y])
		return sorting_counts[x] > sorting_counts[y] ? -1 : 1;
	return x - y;
}

/* A column for each of the most frequent levels. */
static void
derive_levels(const DunTrainSet *set, Prepared *p, int feature, int most)
{
	const DunFeature *f = &set->features[feature];
	uint32		enough = Max(DUN_LEVEL_ROWS, set->n / 500);
	int		   *order = palloc(sizeof(int) * Max(f->nlevels, 1));

	for (int l = 0; l < f->nlevels; l++)
		order[l] = l;
	sorting_counts = f->counts;
	qsort(order, f->nlevels, sizeof(int), compare_levels);
	for (int l = 0; l < Min(f->nlevels, most) && f->counts[order[l]] >= enough; l++)
		add_flag(set, p, feature, order[l], f->counts[order[l]]);
	pfree(order);
}

static void
derive_feature(const DunTrainSet *set, Prepared *p, int feature, int levels)
{
	const DunFeature *f = &set->features[feature];

	if (f->present < set->n && !flagged_before(set, p, feature))
		add_flag(set, p, feature, DUN_AS_MISSING, set->n - f->present);
	if (f->type == DUN_TEXT)
		derive_levels(set, p, feature, levels);
	else
		/* The missing stand at the mean of the others, so over all rows the spread is less. */
		add_derived(set, p, feature, DUN_AS_NUMBER, f->mean, f->sd * sqrt(f->present / (double) set->n));
}

static void *
prepare(const DunTrainSet *set, const double *options)
{
	Prepared   *p = palloc0(sizeof(Prepared));
	int			most = 0;

	for (int i = 0; i < set->nfeatures; i++)
		most += 2 + Min(set->features[i].nlevels, (int) options[LEVELS]);
	p->derived = palloc0(sizeof(Derived) * most);
	p->x = palloc0(sizeof(DunRegressor) * most);
	for (int i = 0; i < set->nfeatures; i++)
	{
		CHECK_FOR_INTERRUPTS();
		derive_feature(set, p, i, (int) options[LEVELS]);
	}
	if (p->nderived == 0)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" cannot be trained: no column is left", set->name),
				 errhint("Give the query columns that vary from row to row.")));
	return p;
}

/* The term of a feature from the weights of its columns, each brought back to the column's own scale. */
static void
fold_term(const DunTrainSet *set, const Prepared *p, int feature, const double *beta, Term *term)
{
	const DunFeature *f = &set->features[feature];

	term->text = f->type == DUN_TEXT;
	term->low = f->low;
	term->high = f->high;
	term->mean = f->mean;
	term->nlevels = f->nlevels;
	term->levels = palloc(sizeof(double) * Max(f->nlevels, 1));
	for (int l = 0; l < f->nlevels; l++)
		term->levels[l] = NAN;
	for (int d = 0; d < p->nderived; d++)
	{
		const Derived *x = &p->derived[d];
		double		weight = beta[d + 1] / x->sd;
		double		absent = -weight * x->mean;

		if (x->feature != feature)
			continue;
		if (x->level == DUN_AS_NUMBER)
		{
			term->slope = weight;
			term->offset += absent;
			term->missing += weight * f->mean + absent;
		}
		else if (x->level == DUN_AS_MISSING)
		{
			term->missing += weight + absent;
			term->offset += absent;
			term->other += absent;
		}
		else
		{
			term->levels[x->level] = weight;
			term->other += absent;
			term->missing += absent;
		}
	}
	for (int l = 0; l < f->nlevels; l++)
		term->levels[l] += term->other;
}

static DunRegression
regression_of(const DunTrainSet *set, const Prepared *p, const uint32 *rows, uint32 nrows, const double *options)
{
	return (DunRegression) {
		.n = nrows, .rows = nrows == set->n ? NULL : rows, .label = set->y, .weight = set->weight,
		.p = p->nderived, .x = p->x, .lambda = options[LAMBDA]
	};
}

static void *
train(const DunTrainSet *set, void *prepared, const uint32 *rows, uint32 nrows, const double *options, const void *start)
{
	Prepared   *p = prepared;
	Linear	   *linear = palloc0(sizeof(Linear));
	double		weights[2] = {0, 0};
	DunRegression regression = regression_of(set, p, rows, nrows, options);

	regression.near = start != NULL;
	linear->beta = palloc0(sizeof(double) * (p->nderived + 1));
	if (start != NULL)
		memcpy(linear->beta, ((const Linear *) start)->beta, sizeof(double) * (p->nderived + 1));
	else
	{
		for (uint32 i = 0; i < nrows; i++)
			weights[set->y[rows[i]]] += set->weight ? set->weight[rows[i]] : 1;
		linear->beta[0] = log(weights[1] / weights[0]);
	}
	if (!dun_score_fit_irls(&regression, linear->beta))
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" has no single solution", set->name),
				 errdetail("Two features say the same, and lambda %g is too small to choose.", options[LAMBDA]),
				 errhint("Leave lambda out of the options, or set it to 1.")));
	linear->intercept = linear->beta[0];
	linear->nterms = set->nfeatures;
	linear->terms = palloc0(sizeof(Term) * set->nfeatures);
	for (int i = 0; i < set->nfeatures; i++)
		fold_term(set, p, i, linear->beta, &linear->terms[i]);
	return linear;
}

static void
apply(const DunTrainSet *set, void *prepared, const void *body, const uint32 *rows, uint32 nrows, double *logit)
{
	const Prepared *p = prepared;
	DunRegression regression = {.n = nrows, .rows = nrows == set->n ? NULL : rows, .p = p->nderived, .x = p->x};

	dun_score_apply_irls(&regression, ((const Linear *) body)->beta, logit);
}

static bool
leave_out(const DunTrainSet *set, void *prepared, const void *body, const uint32 *rows, uint32 nrows, const double *options,
		  double *logit)
{
	const Prepared *p = prepared;
	DunRegression regression = regression_of(set, p, rows, nrows, options);

	return p->nderived <= LEAVE_OUT_COLUMNS && nrows >= (uint32) LEAVE_OUT_PER_COLUMN * (p->nderived + 1) &&
		dun_score_leave_out_irls(&regression, set->fold, set->folds, ((const Linear *) body)->beta, logit);
}

/* The penalty with the least cross-validated log loss; the first rows are a random sample. */
static void
tune(const DunTrainSet *set, void *prepared, const uint32 *rows, uint32 nrows, double *options)
{
	int			wanted = SEARCH_PER_COLUMN * ((const Prepared *) prepared)->nderived;
	uint32		n = Min(nrows, Min(SEARCH_ROWS, Max(SEARCH_LEAST, wanted)));
	uint32		positives = 0;
	double	   *logit;
	void	   *start = NULL;
	double		best = 0,
				best_loss = INFINITY;

	if (!isnan(options[LAMBDA]))
		return;
	for (uint32 i = 0; i < n; i++)
		positives += set->y[rows[i]];
	/* A class that is rare in a large set may be too rare in the sample. */
	if (positives < 10 * DUN_MIN_CLASS || n - positives < 10 * DUN_MIN_CLASS)
		n = nrows;
	logit = palloc_extended(sizeof(double) * n, MCXT_ALLOC_HUGE);
	for (int i = lengthof(lambdas) - 1; i >= 0; i--)
	{
		double		loss;

		dun_score_report_progress(set->name, "penalty", lengthof(lambdas) - 1 - i, lengthof(lambdas));
		options[LAMBDA] = lambdas[i];
		start = train(set, prepared, rows, n, options, start);
		loss = dun_score_cross_validate(&dun_score_kind_logistic, set, prepared, rows, n, options, start, logit);
		if (loss < best_loss)
		{
			best_loss = loss;
			best = lambdas[i];
		}
	}
	options[LAMBDA] = best;
	pfree(logit);
}

static double
term_of(const Term *t, double value)
{
	if (isnan(value))
		return t->missing;
	if (t->text)
		return value < 0 || value >= t->nlevels || isnan(t->levels[(int) value]) ? t->other : t->levels[(int) value];
	return t->offset + t->slope * Max(t->low, Min(t->high, value));
}

static double
contributions(const void *body, const double *row, double *terms)
{
	const Linear *linear = body;

	for (int i = 0; i < linear->nterms; i++)
		terms[i] = term_of(&linear->terms[i], row[i]);
	return linear->intercept;
}

/* Term by term: rows do not wait for one another, as the terms of a row would. */
static void
logits(const void *body, const double *rows, int n, double *logit)
{
	const Linear *linear = body;
	Size		width = linear->nterms;

	for (int r = 0; r < n; r++)
		logit[r] = linear->intercept;
	for (int i = 0; i < linear->nterms; i++)
	{
		const Term *t = &linear->terms[i];
		double		low = t->low,
					high = t->high,
					slope = t->slope,
					offset = t->offset;

		for (int r = 0; r < n; r++)
		{
			double		value = rows[r * width + i];

			if (unlikely(isnan(value)) || t->text)
				logit[r] += term_of(t, value);
			else
				logit[r] += offset + slope * Max(low, Min(high, value));
		}
	}
}

static void
print(StringInfo into, const void *body)
{
	dun_score_print_member(into, "intercept", ((const Linear *) body)->intercept);
}

static void
print_feature(StringInfo into, const void *body, const DunFeature *features, int feature)
{
	const Term *t = &((const Linear *) body)->terms[feature];
	bool		first = true;

	dun_score_print_member(into, "missing", t->missing);
	if (!t->text)
	{
		dun_score_print_member(into, "low", t->low);
		dun_score_print_member(into, "high", t->high);
		dun_score_print_member(into, "slope", t->slope);
		dun_score_print_member(into, "offset", t->offset);
		return;
	}
	dun_score_print_member(into, "other", t->other);
	appendStringInfoString(into, ",\"levels\":{");
	for (int l = 0; l < t->nlevels; l++)
	{
		if (isnan(t->levels[l]))
			continue;
		if (!first)
			appendStringInfoChar(into, ',');
		first = false;
		escape_json(into, features[feature].levels[l]);
		appendStringInfoChar(into, ':');
		dun_score_print_number(into, t->levels[l]);
	}
	appendStringInfoChar(into, '}');
}

static void *
parse(JsonbContainer *object, const DunFeature *features, int nfeatures)
{
	JsonbContainer *array = dun_score_json_member(object, "features");
	Linear	   *linear = palloc0(sizeof(Linear));

	linear->intercept = dun_score_json_number(object, "intercept");
	linear->nterms = nfeatures;
	linear->terms = palloc0(sizeof(Term) * Max(nfeatures, 1));
	for (int i = 0; i < nfeatures; i++)
	{
		JsonbContainer *own = dun_score_json_element(array, i);
		Term	   *t = &linear->terms[i];

		t->text = features[i].type == DUN_TEXT;
		t->missing = dun_score_json_number(own, "missing");
		if (!t->text)
		{
			t->low = dun_score_json_number(own, "low");
			t->high = dun_score_json_number(own, "high");
			t->slope = dun_score_json_number(own, "slope");
			t->offset = dun_score_json_number(own, "offset");
			continue;
		}
		t->other = dun_score_json_number(own, "other");
		t->nlevels = features[i].nlevels;
		t->levels = palloc(sizeof(double) * Max(t->nlevels, 1));
		for (int l = 0; l < t->nlevels; l++)
			t->levels[l] = dun_score_json_number(dun_score_json_member(own, "levels"), features[i].levels[l]);
	}
	return linear;
}

static void
print_term_sql(StringInfo into, const Term *t, const DunFeature *f)
{
	appendStringInfoString(into, "CASE WHEN ");
	dun_score_print_sql_missing(into, f);
	appendStringInfoString(into, " THEN ");
	dun_score_print_sql_number(into, t->missing);
	for (int l = 0; t->text && l < t->nlevels; l++)
	{
		if (isnan(t->levels[l]))
			continue;
		appendStringInfoString(into, " WHEN ");
		dun_score_print_sql_value(into, f);
		dun_score_print_sql_text(into, " = ", f->levels[l]);
		appendStringInfoString(into, " THEN ");
		dun_score_print_sql_number(into, t->levels[l]);
	}
	appendStringInfoString(into, " ELSE ");
	dun_score_print_sql_number(into, t->text ? t->other : t->offset);
	if (!t->text)
	{
		appendStringInfoString(into, " + ");
		dun_score_print_sql_number(into, t->slope);
		appendStringInfoString(into, " * greatest(");
		dun_score_print_sql_number(into, t->low);
		appendStringInfoString(into, ", least(");
		dun_score_print_sql_number(into, t->high);
		appendStringInfoString(into, ", ");
		dun_score_print_sql_value(into, f);
		appendStringInfoString(into, "))");
	}
	appendStringInfoString(into, " END");
}

static void
print_sql(StringInfo into, const void *body, const DunFeature *features, int nfeatures)
{
	const Linear *linear = body;

	dun_score_print_sql_number(into, linear->intercept);
	for (int i = 0; i < nfeatures; i++)
	{
		appendStringInfoString(into, "\n + ");
		print_term_sql(into, &linear->terms[i], &features[i]);
	}
}

const DunKind dun_score_kind_logistic = {
	.name = "logistic",
	.noptions = lengthof(options_list),
	.options = options_list,
	.prints_levels = true,
	.row_bytes = row_bytes,
	.prepare = prepare,
	.tune = tune,
	.train = train,
	.leave_out = leave_out,
	.apply = apply,
	.logits = logits,
	.contributions = contributions,
	.print = print,
	.print_feature = print_feature,
	.parse = parse,
	.print_sql = print_sql,
};
