/*
 * score/train.c
 *		What is the same for every kind of model: choose what was left open, train, calibrate, and measure on
 *		rows not seen; for `auto`, the kind as well.
 *
 * Options are chosen once for all folds, and statistics of features are taken over all rows: neither could
 * follow a single row's label. Weights, trees and calibration are learnt anew for each fold that is measured.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/errcodes.h"
#include "score/progress.h"
#include "score/sort.h"
#include "score/train.h"

/* Cross-validation takes a random sample of larger sets: their metrics would be known to three digits more. */
#define VALIDATION_ROWS 100000

/* Rows whose scores say into which parts scores fall, and how many of them of one score are many. */
#define SPREAD_ROWS 10000
#define TIED_ROWS 20

/* With one fold, one row of so many is held out. */
#define HELD_OUT 5

/* Under so many rows two numbers are all that calibration learns (Platt); from there on isotonic regression. */
#define ISOTONIC_ROWS 5000

/* Rows that predictions are measured on, and what each was given. */
typedef struct Validation
{
	uint32	   *rows;
	uint32		n;
	uint8	   *y;
	double	   *logit;			/* by a body that saw no row of its fold, as the kind gave it */
	double	   *p;				/* calibrated without its own fold */
	DunCalibrationMethod calibration;	/* which was chosen for it */
	bool		held_out;		/* one body is trained on other rows, instead of one a fold */
	uint32	   *search;			/* what options are chosen on */
	uint32		nsearch;
} Validation;

static void
weigh_classes(DunTrainSet *set, const DunTrainOptions *options)
{
	double		count[2] = {0, 0};
	double		weight[2] = {options->class_weight[0], options->class_weight[1]};
	double		mean;

	for (uint32 i = 0; i < set->n; i++)
		count[set->y[i]]++;
	if (options->balanced)
	{
		weight[0] = 1 / count[0];
		weight[1] = 1 / count[1];
	}
	else if (weight[0] == 0)
		return;
	/* A mean of 1 keeps penalties and least leaf weights what they were. */
	mean = (count[0] * weight[0] + count[1] * weight[1]) / set->n;
	set->weight = MemoryContextAllocHuge(set->context, sizeof(float) * set->n);
	for (uint32 i = 0; i < set->n; i++)
		set->weight[i] = (float) (weight[set->y[i]] / mean);
}

/* A feature that was left out because it says nothing may be named; one that never was may not. */
static void
direct_features(DunTrainSet *set, const DunMatrix *matrix, const DunTrainOptions *options)
{
	for (int m = 0; m < options->nmonotone; m++)
	{
		const DunMonotone *monotone = &options->monotone[m];
		bool		found = false;

		for (int i = 0; i < matrix->ncolumns; i++)
			found |= strcmp(matrix->columns[i].name, monotone->feature) == 0;
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("option \"monotone\" names \"%s\", which is no feature", monotone->feature),
					 errhint("Name columns of the query that are neither its label, its group nor excluded.")));
		for (int i = 0; i < set->nfeatures; i++)
		{
			DunFeature *f = &set->features[i];

			if (strcmp(f->name, monotone->feature) != 0)
				continue;
			if (f->type == DUN_TEXT)
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("option \"monotone\" names \"%s\", which is a text", f->name),
						 errhint("Only numbers, booleans and dates have a direction.")));
			f->monotone = monotone->direction;
		}
	}
}

/* Rows at equal distances, unless a class would be too rare among them: equal rows stand together, so the first would not do. */
static uint32 *
thin_rows(const DunTrainSet *set, uint32 *rows, uint32 *n)
{
	uint32		wanted = Min(*n, VALIDATION_ROWS);
	uint32		positives = 0;
	uint32	   *few;

	for (uint32 i = 0; i < wanted; i++)
		positives += set->y[rows[(uint64) i * *n / wanted]];
	if (wanted == *n || positives < 10 * DUN_MIN_CLASS || wanted - positives < 10 * DUN_MIN_CLASS)
		return rows;
	few = MemoryContextAllocHuge(set->context, sizeof(uint32) * wanted);
	for (uint32 i = 0; i < wanted; i++)
		few[i] = rows[(uint64) i * *n / wanted];
	*n = wanted;
	return few;
}

/* `rows` become those to train on. */
static Validation
choose_rows(DunTrainSet *set, bool held_out, uint32 *rows, uint32 *nrows)
{
	Validation	v = {.held_out = held_out, .rows = rows, .n = set->n};

	if (held_out)
	{
		v.rows = MemoryContextAllocHuge(set->context, sizeof(uint32) * set->n);
		v.n = dun_score_hold_out(set, rows, v.rows);
		*nrows -= v.n;
	}
	v.rows = thin_rows(set, v.rows, &v.n);
	v.search = v.rows;
	v.nsearch = v.n;
	if (held_out)
	{
		v.nsearch = *nrows;
		v.search = thin_rows(set, rows, &v.nsearch);
	}
	v.y = MemoryContextAllocHuge(set->context, v.n);
	v.logit = MemoryContextAllocHuge(set->context, sizeof(double) * v.n);
	v.p = MemoryContextAllocHuge(set->context, sizeof(double) * v.n);
	for (uint32 i = 0; i < v.n; i++)
		v.y[i] = set->y[v.rows[i]];
	return v;
}

/* The rows by rising log-odds: sorted once for all folds. */
static DunSortKey *
order_rows(const Validation *v)
{
	DunSortKey *order = palloc_extended(sizeof(DunSortKey) * v->n, MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < v->n; i++)
		order[i] = (DunSortKey) {dun_score_key_of(v->logit[i]), i};
	dun_score_sort_keys(order, v->n);
	return order;
}

/* Each row's probability by a calibration that did not see its fold. */
static void
calibrate_folds(const DunTrainSet *set, DunCalibrationMethod method, Validation *v)
{
	DunSortKey *order;
	double	   *logit;
	uint8	   *y;

	if (method == DUN_CALIBRATE_NONE)
	{
		for (uint32 i = 0; i < v->n; i++)
			v->p[i] = dun_score_probability(v->logit[i]);
		return;
	}
	order = order_rows(v);
	logit = palloc_extended(sizeof(double) * (v->n + 1), MCXT_ALLOC_HUGE);
	y = palloc_extended(v->n + 1, MCXT_ALLOC_HUGE);
	for (int f = 0; f < set->folds; f++)
	{
		DunCalibration calibration;
		uint32		n = 0;

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; i < v->n; i++)
		{
			uint32		row = order[i].row;

			logit[n] = v->logit[row];
			y[n] = v->y[row];
			n += set->fold[v->rows[row]] != f;
		}
		calibration = dun_score_fit_calibration(method, logit, y, n);
		for (uint32 i = 0; i < v->n; i++)
			if (set->fold[v->rows[i]] == f)
				v->p[i] = dun_score_probability(dun_score_apply_calibration(&calibration, v->logit[i]));
	}
	pfree(order);
	pfree(logit);
	pfree(y);
}

static double *
list_losses(const Validation *v)
{
	double	   *loss = palloc_extended(sizeof(double) * v->n, MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < v->n; i++)
		loss[i] = -log(v->y[i] ? v->p[i] : 1 - v->p[i]);
	return loss;
}

typedef struct Grouped
{
	uint64		group;
	double		difference;
} Grouped;

static int
compare_groups(const void *a, const void *b)
{
	const Grouped *x = a;
	const Grouped *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->difference > y->difference) - (x->difference < y->difference);
}

/*
 * Mean of the differences of two kinds' losses, and its standard error. Rows of one group are not
 * independent: the sums of groups are.
 */
static double
compare_losses(const DunTrainSet *set, const Validation *v, const double *loss, const double *best, double *standard_error)
{
	uint32		n = v->n;
	Grouped    *d = palloc_extended(sizeof(Grouped) * n, MCXT_ALLOC_HUGE);
	double		mean = 0,
				squares = 0;
	double		groups = 0;

	for (uint32 i = 0; i < n; i++)
	{
		d[i] = (Grouped) {set->grouped ? set->group[v->rows[i]] : i, loss[i] - best[i]};
		mean += d[i].difference / n;
	}
	if (set->grouped)
		qsort(d, n, sizeof(Grouped), compare_groups);
	for (uint32 i = 0; i < n;)
	{
		uint64		group = d[i].group;
		double		sum = 0;

		for (; i < n && d[i].group == group; i++)
			sum += d[i].difference - mean;
		squares += sum * sum;
		groups++;
	}
	*standard_error = groups > 1 ? sqrt(squares * groups / (groups - 1)) / n : INFINITY;
	pfree(d);
	return mean;
}

/*
 * Left open, isotonic regression must lower the loss by more than a standard error of it: knots that follow chance cost
 * more than they mend. Platt's two numbers cost next to nothing, and few rows are the ones that make a model too certain
 * without a loss that could prove it: they are left out only where they raise the loss by more than that.
 */
static void
choose_calibration(const DunTrainSet *set, DunCalibrationMethod wanted, Validation *v)
{
	double	   *calibrated = v->p;
	double	   *loss[2];
	double		gain,
				standard_error;

	v->calibration = wanted;
	if (wanted == DUN_CALIBRATE_AUTO)
		v->calibration = v->n < ISOTONIC_ROWS ? DUN_CALIBRATE_PLATT : DUN_CALIBRATE_ISOTONIC;
	calibrate_folds(set, v->calibration, v);
	if (wanted != DUN_CALIBRATE_AUTO)
		return;
	loss[1] = list_losses(v);
	v->p = MemoryContextAllocHuge(set->context, sizeof(double) * v->n);
	calibrate_folds(set, DUN_CALIBRATE_NONE, v);
	loss[0] = list_losses(v);
	gain = compare_losses(set, v, loss[0], loss[1], &standard_error);
	if (gain > (v->calibration == DUN_CALIBRATE_PLATT ? -standard_error : standard_error))
	{
		pfree(v->p);
		v->p = calibrated;
	}
	else
	{
		pfree(calibrated);
		v->calibration = DUN_CALIBRATE_NONE;
	}
	pfree(loss[0]);
	pfree(loss[1]);
}

/*
 * Order is measured before calibration, which keeps it within the model; the folds' different calibrations would
 * mix it up between them. What depends on the probabilities is measured after.
 */
static DunMetrics
measure(const Validation *v)
{
	DunMetrics	calibrated = dun_score_measure(v->p, v->y, v->n);
	DunMetrics	ordered;
	double	   *raw = palloc_extended(sizeof(double) * v->n, MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < v->n; i++)
		raw[i] = dun_score_probability(v->logit[i]);
	ordered = dun_score_measure(raw, v->y, v->n);
	calibrated.auc = ordered.auc;
	calibrated.ks = ordered.ks;
	pfree(raw);
	return calibrated;
}

/* Choose options, train on the given rows and predict for those not seen; the body is in the current memory context. */
static void *
train_kind(DunTrainSet *set, const DunKind *kind, double *values, DunCalibrationMethod method,
		   const uint32 *rows, uint32 nrows, Validation *v)
{
	void	   *prepared = kind->prepare ? kind->prepare(set, values) : NULL;
	void	   *body;

	if (kind->tune)
		kind->tune(set, prepared, v->search, v->nsearch, values);
	dun_score_report_progress(set->name, kind->name, 0, 1);
	body = kind->train(set, prepared, rows, nrows, values, NULL);
	if (v->held_out)
		dun_score_apply_kind(kind, set, prepared, body, v->rows, v->n, v->logit);
	else
		dun_score_cross_validate(kind, set, prepared, v->rows, v->n, values, body, v->logit);
	choose_calibration(set, method, v);
	return body;
}

/* The simplest kind whose loss is within one standard error of the best one's. */
static const DunKind *
choose_kind(DunTrainSet *set, DunTrainOptions *options, Validation *v, DunTrained *result)
{
	double	   *loss[DUN_KINDS];
	int			best = 0;

	for (int k = 0; k < dun_score_nkinds; k++)
	{
		DunCandidate *c = &result->candidates[result->ncandidates];
		MemoryContext scratch;
		MemoryContext before;

		if (options->values[k] == NULL)
			continue;
		scratch = AllocSetContextCreate(CurrentMemoryContext, "dunning candidate", ALLOCSET_DEFAULT_SIZES);
		before = MemoryContextSwitchTo(scratch);
		train_kind(set, dun_score_kinds[k], options->values[k], options->calibration, v->search, v->nsearch, v);
		MemoryContextSwitchTo(before);
		MemoryContextDelete(scratch);
		c->kind = dun_score_kinds[k];
		c->metrics = measure(v);
		loss[result->ncandidates] = list_losses(v);
		if (c->metrics.log_loss < result->candidates[best].metrics.log_loss)
			best = result->ncandidates;
		result->ncandidates++;
	}
	for (int k = 0; k < result->ncandidates; k++)
		result->candidates[k].behind = compare_losses(set, v, loss[k], loss[best], &result->candidates[k].standard_error);
	for (int k = 0; k < result->ncandidates; k++)
		if (result->candidates[k].behind <= result->candidates[k].standard_error)
			return result->candidates[k].kind;
	return result->candidates[best].kind;
}

/*
 * What drift of the score is told from: predictions for rows not seen, since those for rows seen are more
 * certain than any to come. But where many rows have one score (a few columns of a few values), the folds'
 * scores lie about it on either side, and rows of the very same kind would fall beside the edges: there the
 * scores of the model itself are taken, which so many equal rows could not make certain of each of them.
 */
static DunSpread
describe_scores(const DunTrainSet *set, const DunModel *model, const Validation *v)
{
	uint32		n = Min(v->n, SPREAD_ROWS);
	double	   *p = palloc(sizeof(double) * n);
	DunSortKey *order = palloc(sizeof(DunSortKey) * n);
	double	   *dense = palloc(sizeof(double) * set->nfeatures);
	uint32		tied = 0;
	DunSpread	spread;

	for (uint32 i = 0; i < n; i++)
	{
		dun_score_dense_row(set, v->rows[(uint64) i * v->n / n], dense);
		dun_score_predict_rows(model, dense, 1, &p[i]);
		order[i] = (DunSortKey) {dun_score_key_of(p[i]), i};
	}
	dun_score_sort_keys(order, n);
	for (uint32 i = 0, run; i < n; i += run)
	{
		for (run = 1; i + run < n && order[i + run].key == order[i].key;)
			run++;
		tied += run >= TIED_ROWS ? run : 0;
	}
	spread = tied >= n / 10 ? dun_score_describe_doubles(p, n) : dun_score_describe_doubles(v->p, v->n);
	pfree(order);
	pfree(dense);
	pfree(p);
	return spread;
}

static double *
values_of(const DunTrainOptions *options, const DunKind *kind)
{
	for (int k = 0; k < dun_score_nkinds; k++)
		if (dun_score_kinds[k] == kind)
			return options->values[k];
	return NULL;
}

DunTrained *
dun_score_train_model(const char *name, DunMatrix *matrix, DunTrainOptions *options)
{
	bool		held_out = options->folds == 1;
	DunTrainSet *set = dun_score_make_set(name, matrix, held_out ? HELD_OUT : options->folds, options->seed);
	DunTrained *result = palloc0(sizeof(DunTrained));
	const DunKind *kind = options->kind;
	uint32	   *all = MemoryContextAllocHuge(set->context, sizeof(uint32) * set->n);
	uint32		nrows = set->n;
	Validation	v;

	for (uint32 i = 0; i < set->n; i++)
		all[i] = i;
	weigh_classes(set, options);
	direct_features(set, matrix, options);
	v = choose_rows(set, held_out, all, &nrows);
	if (kind == NULL)
		kind = choose_kind(set, options, &v, result);
	result->values = values_of(options, kind);
	result->model = (DunModel) {.kind = kind, .nfeatures = set->nfeatures, .features = set->features};
	result->model.body = train_kind(set, kind, values_of(options, kind), options->calibration, all, nrows, &v);
	result->model.calibration = dun_score_fit_calibration(v.calibration, v.logit, v.y, v.n);
	result->metrics = measure(&v);
	result->scores = describe_scores(set, &result->model, &v);
	result->n = set->n;
	for (uint32 i = 0; i < set->n; i++)
		result->positives += set->y[i];
	initStringInfo(&result->feature_stats);
	dun_score_print_stats(&result->feature_stats, set);
	return result;
}
