/*
 * bench/score/scorecard_core.c
 *		The scorecard and the logistic alone, without a server: reads columns, trains on some rows, writes
 *		the log-odds of all of them. Built by bench/score/score.sh and run by scorecard.py.
 *
 * Input, little-endian: uint32 rows, features; float columns; uint8 labels; uint8 1 where a row trains.
 * Prints the processor seconds of binning and of training.
 */
#include "postgres.h"

#include <math.h>
#include <time.h>

#include "score/irls.h"
#include "score/scorecard.h"

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void *
take(FILE *from, size_t bytes)
{
	void	   *result = malloc(bytes + 1);

	if (fread(result, 1, bytes, from) != bytes)
		exit(2);
	return result;
}

/* Standardised, winsorised and flagged as the kind "logistic" does it. */
static int
compare_floats(const void *a, const void *b)
{
	return (*(const float *) a > *(const float *) b) - (*(const float *) a < *(const float *) b);
}

static int
prepare_logistic(float **x, uint32 n, uint32 p, DunRegressor *r)
{
	int			k = 0;

	for (uint32 j = 0; j < p; j++)
	{
		uint32		m = 0;
		float	   *sample = malloc(sizeof(float) * 50000);
		double		sum = 0,
					squares = 0,
					missing = 0;
		DunRegressor number = {.level = DUN_AS_NUMBER, .values = x[j]};

		for (uint32 i = 0; i < n && m < 50000; i++)
			if (!isnan(x[j][i]))
				sample[m++] = x[j][i];
		qsort(sample, m, sizeof(float), compare_floats);
		number.low = sample[(uint32) ((m - 1) * 0.01)];
		number.high = sample[(uint32) ((m - 1) * 0.99)];
		for (uint32 i = 0; i < n; i++)
		{
			double		v = x[j][i] < number.low ? number.low : x[j][i] > number.high ? number.high : x[j][i];

			if (isnan(v))
				missing++;
			else
			{
				sum += v;
				squares += v * v;
			}
		}
		number.mean = sum / (n - missing);
		number.scale = 1 / sqrt(squares / (n - missing) - number.mean * number.mean);
		if (isfinite(number.scale))
			r[k++] = number;
		if (missing > 0)
			r[k++] = (DunRegressor) {.level = DUN_AS_MISSING, .values = x[j], .mean = missing / n,
				.scale = 1 / sqrt(missing / n * (1 - missing / n))};
		free(sample);
	}
	return k;
}

int
main(int argc, char **argv)
{
	FILE	   *in = fopen(argv[2], "rb");
	FILE	   *out = fopen(argv[3], "wb");
	uint32	   *head = take(in, 8);
	uint32		n = head[0],
				p = head[1];
	float	  **x = malloc(sizeof(float *) * p);
	uint32	   *rows = malloc(sizeof(uint32) * n);
	uint32		nrows = 0;
	uint8	   *label,
			   *trains;
	double	   *logit = malloc(sizeof(double) * n);
	double		start,
				binned,
				trained;

	for (uint32 j = 0; j < p; j++)
		x[j] = take(in, sizeof(float) * n);
	label = take(in, n);
	trains = take(in, n);
	for (uint32 i = 0; i < n; i++)
		if (trains[i])
			rows[nrows++] = i;
	start = seconds();
	if (strcmp(argv[1], "logistic") == 0)
	{
		DunRegressor *r = calloc(2 * p, sizeof(DunRegressor));
		DunRegression g = {.n = nrows, .rows = nrows < n ? rows : NULL, .label = label, .x = r, .lambda = atof(argv[4])};
		double	   *beta;

		g.p = prepare_logistic(x, n, p, r);
		beta = calloc(g.p + 1, sizeof(double));
		binned = seconds();
		if (!dun_score_fit_irls(&g, beta))
			exit(3);
		trained = seconds();
		g.n = n;
		g.rows = NULL;
		dun_score_apply_irls(&g, beta, logit);
	}
	else
	{
		DunFineColumn *fine = malloc(sizeof(DunFineColumn) * p);
		DunCardInput input = {.n = n, .nfeatures = p, .columns = fine, .label = label};
		DunCardOptions options = {.bins = {8, 0.02, atof(argv[5])}, .lambda = atof(argv[4]), .pairs = atoi(argv[6])};
		double	   *dense = malloc(sizeof(double) * p);
		DunCard    *card;

		for (uint32 j = 0; j < p; j++)
			dun_score_bin_numbers(x[j], n, &fine[j]);
		binned = seconds();
		card = dun_score_train_card(&input, nrows < n ? rows : NULL, nrows, &options);
		trained = seconds();
		for (uint32 i = 0; i < n; i++)
		{
			for (uint32 j = 0; j < p; j++)
				dense[j] = x[j][i];
			dun_score_apply_card(card, dense, 1, &logit[i]);
		}
		if (argc > 7)
			for (uint32 j = 0; j < p; j++)
			{
				DunCardFeature *f = &card->features[j];

				printf("feature %u: missing %.3f %.3f", j, f->share[0], f->term[0]);
				for (int b = 1; b < f->nbins; b++)
					printf(" |%s %g: %.3f %.3f", f->special[b] ? " special" : "", b > 1 ? f->edges[b - 2] : -INFINITY, f->share[b], f->term[b]);
				printf("\n");
			}
		if (argc > 7)
			for (int k = 0; k < card->npairs; k++)
				printf("pair %d %d\n", card->pairs[k].first, card->pairs[k].second);
	}
	fwrite(logit, sizeof(double), n, out);
	fclose(out);
	printf("%.4f %.4f\n", binned - start, trained - binned);
	return 0;
}
