/*
 * bench/score/gbdt_bench.c
 *		The trees of src/score as a library of their own, for gbdt.py: no server in between.
 */
#include <stdlib.h>
#include <string.h>

#include "score/gbdt.h"

extern DunForest *bench_fit(const float *values, const uint8_t *levels, const int8_t *directions, uint32_t n, int ncols,
							const uint8_t *y, const uint8_t *fold, int nfolds, DunGbdtParams *params);
extern void bench_predict(const DunForest *f, const double *rows, uint32_t n, double *logit);
extern void bench_free(DunForest *f);

static void *
take(void *context, size_t size)
{
	void	   *p = malloc(size);

	if (!p)
		abort();
	return p;
}

static void
give(void *context, void *p)
{
	free(p);
}

static void
poll(void *context, const char *stage, int done, int total)
{
}

static const DunGbdtHost host = {NULL, take, give, poll};

/* Values column after column; nfolds > 0 chooses what is open in the parameters first. */
DunForest *
bench_fit(const float *values, const uint8_t *levels, const int8_t *directions, uint32_t n, int ncols,
		  const uint8_t *y, const uint8_t *fold, int nfolds, DunGbdtParams *params)
{
	const float **columns = malloc(sizeof(float *) * ncols);
	DunBinColumn *c = calloc(ncols, sizeof(DunBinColumn));
	uint32_t   *rows = malloc(sizeof(uint32_t) * n);
	DunBins    *bins;
	DunForest  *f;

	for (int i = 0; i < ncols; i++)
	{
		columns[i] = values + (size_t) i * n;
		c[i].direction = directions ? directions[i] : 0;
		c[i].categorical = levels && levels[i];
		c[i].nlevels = levels ? levels[i] : 0;
	}
	for (uint32_t i = 0; i < n; i++)
		rows[i] = i;
	bins = dun_score_bin_columns(&host, columns, c, ncols, n);
	if (nfolds > 0)
		dun_score_choose_trees(&host, bins, y, NULL, fold, nfolds, rows, n, params);
	f = dun_score_boost_trees(&host, bins, y, NULL, rows, n, params);
	dun_score_finish_forest(&host, f);
	dun_score_free_bins(&host, bins);
	free(columns);
	free(rows);
	return f;
}

void
bench_predict(const DunForest *f, const double *rows, uint32_t n, double *logit)
{
	uint8_t    *room = calloc(DUN_GBDT_BATCH, f->ncols);

	dun_score_walk_rows(f, rows, n, logit, room);
	free(room);
}

void
bench_free(DunForest *f)
{
	for (int c = 0; c < f->ncols; c++)
		free(f->columns[c].cuts);
	free(f->columns);
	free(f->nodes);
	free(f->leaves);
	free(f->covers);
	free(f->masks_at);
	free(f->masks);
	free(f->means);
	free(f);
}
