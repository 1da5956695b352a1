/*
 * score/kind.c
 *		The kinds there are, and cross-validation over any of them.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "score/kind.h"
#include "score/model.h"
#include "score/progress.h"

/* Dense rows made at a time. */
#define BLOCK 64

const DunKind *const dun_score_kinds[] = {&dun_score_kind_logistic, &dun_score_kind_scorecard, &dun_score_kind_gbdt};
const int	dun_score_nkinds = lengthof(dun_score_kinds);

const DunKind *
dun_score_find_kind(const char *name)
{
	for (int i = 0; i < dun_score_nkinds; i++)
		if (strcmp(dun_score_kinds[i]->name, name) == 0)
			return dun_score_kinds[i];
	return NULL;
}

void
dun_score_apply_kind(const DunKind *kind, const DunTrainSet *set, void *prepared, const void *body,
					 const uint32 *rows, uint32 nrows, double *logit)
{
	double	   *dense;

	if (kind->apply != NULL)
	{
		kind->apply(set, prepared, body, rows, nrows, logit);
		return;
	}
	dense = palloc(sizeof(double) * BLOCK * set->nfeatures);
	for (uint32 from = 0; from < nrows; from += BLOCK)
	{
		int			n = Min(BLOCK, nrows - from);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			dun_score_dense_row(set, rows[from + i], dense + (Size) i * set->nfeatures);
		kind->logits(body, dense, n, logit + from);
	}
	pfree(dense);
}

double
dun_score_cross_validate(const DunKind *kind, const DunTrainSet *set, void *prepared, const uint32 *rows,
						 uint32 nrows, const double *options, const void *start, double *logit)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "dunning fold", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(scratch);
	double		loss = 0,
				weights = 0;
	bool		left_out = start != NULL && kind->leave_out != NULL &&
		kind->leave_out(set, prepared, start, rows, nrows, options, logit);

	for (int f = 0; f < set->folds && !left_out; f++)
	{
		uint32	   *train = palloc_extended(sizeof(uint32) * nrows, MCXT_ALLOC_HUGE);
		uint32	   *test = palloc_extended(sizeof(uint32) * nrows, MCXT_ALLOC_HUGE);
		double	   *result = palloc_extended(sizeof(double) * nrows, MCXT_ALLOC_HUGE);
		uint32		ntrain = 0,
					ntest = 0;

		dun_score_report_progress(set->name, "cross-validation", f, set->folds);
		for (uint32 i = 0; i < nrows; i++)
			if (set->fold[rows[i]] == f)
				test[ntest++] = rows[i];
			else
				train[ntrain++] = rows[i];
		dun_score_apply_kind(kind, set, prepared, kind->train(set, prepared, train, ntrain, options, start),
							 test, ntest, result);
		for (uint32 i = 0, t = 0; i < nrows; i++)
			if (set->fold[rows[i]] == f)
				logit[i] = result[t++];
		MemoryContextReset(scratch);
	}
	for (uint32 i = 0; i < nrows; i++)
	{
		double		p = dun_score_probability(logit[i]);
		double		weight = set->weight ? set->weight[rows[i]] : 1;

		loss -= weight * log(set->y[rows[i]] ? p : 1 - p);
		weights += weight;
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(scratch);
	return loss / weights;
}
