/*
 * score/train.c
 *		What is the same for every kind of model: choose what was left open, train, measure on rows not seen.
 *
 * What is chosen once for all folds looks at all rows, as do the statistics of features: neither could
 * follow a single row's label. Weights and trees are learnt anew in each fold.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "score/progress.h"
#include "score/train.h"

DunTrained *
dun_score_train_model(const char *name, DunMatrix *matrix, DunTrainOptions *options)
{
	const DunKind *kind = options->kind;
	DunTrainSet *set = dun_score_make_set(name, matrix, options->folds, options->seed);
	DunTrained *result = palloc0(sizeof(DunTrained));
	uint32	   *rows = MemoryContextAllocHuge(set->context, sizeof(uint32) * set->n);
	double	   *p = MemoryContextAllocHuge(set->context, sizeof(double) * set->n);
	void	   *prepared;
	void	   *body;

	for (uint32 i = 0; i < set->n; i++)
		rows[i] = i;
	prepared = kind->prepare ? kind->prepare(set, options->values) : NULL;
	if (kind->tune)
		kind->tune(set, prepared, rows, set->n, options->values);
	dun_score_report_progress(name, "cross-validation", 0, 2);
	body = kind->train(set, prepared, rows, set->n, options->values, NULL);
	dun_score_report_progress(name, "cross-validation", 1, 2);
	dun_score_cross_validate(kind, set, prepared, rows, set->n, options->values, body, p);
	for (uint32 i = 0; i < set->n; i++)
		p[i] = dun_score_probability(p[i]);
	result->metrics = dun_score_measure(p, set->y, set->n);
	result->model = (DunModel) {.kind = kind, .nfeatures = set->nfeatures, .features = set->features, .body = body};
	initStringInfo(&result->feature_stats);
	dun_score_print_stats(&result->feature_stats, set);
	return result;
}
