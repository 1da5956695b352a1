/*
 * score/scorecard.c
 *		Training a scorecard and applying it.
 *
 * The logistic over the weights of evidence reads the fine bins through a table, one byte a value; nothing is
 * recoded. A feature that must be monotone and whose weight comes out against that direction (others say
 * the same better) is left at 0.
 *
 * Pairs are looked for among the strongest features in what the logistic leaves over: in each cell of two
 * features' bins the gradient g and curvature h of the log likelihood. Under no interaction g^2/h is 1 on
 * average; what it is above that, over all cells, is the variance of true effects, by which each cell is
 * shrunk, and as many pairs as were tried lower it. Pairs are taken one after the other, the best of what is
 * left first. A pair without any variance is no pair.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "score/irls.h"
#include "score/scorecard.h"

#define LAPLACE 0.5
#define PAIR_FEATURES 16		/* strongest features that pairs are made of */
#define PAIR_ROWS 131072		/* rows in which pairs are measured, */
#define LOOK_ROWS 32768			/* and in which all of them are looked at first */
#define PAIR_CANDIDATES 24

typedef struct Carding
{
	const DunCardInput *in;
	const DunCardOptions *options;
	const uint32 *rows;
	uint32		n;
	DunCoarseColumn *coarse;
	double	   *woe;			/* of each feature's fine bins, DUN_FINE_BINS each */
	DunRegressor *x;
	int		   *feature;		/* of each regressor */
	DunRegression regression;
	double	   *beta;
	int			npairs;
	DunCardPair *pairs;
} Carding;

/* Log-odds of the bins against those of all rows. */
static void
weigh_evidence(const DunCoarseColumn *c, double *woe)
{
	double		all[2] = {0, 0};

	for (int b = 0; b < c->nbins; b++)
		for (int y = 0; y < 2; y++)
			all[y] += c->count[b][y];
	for (int b = 0; b < c->nbins; b++)
		if (c->count[b][0] + c->count[b][1] > 0)
			woe[b] = log((c->count[b][1] + LAPLACE) / (all[1] + LAPLACE)) - log((c->count[b][0] + LAPLACE) / (all[0] + LAPLACE));
		else
			woe[b] = 0;
}

static double
rows_of_bin(const DunCoarseColumn *c, int b)
{
	return c->count[b][0] + c->count[b][1];
}

static void
bin_features(Carding *t)
{
	const DunCardInput *in = t->in;
	double		woe[DUN_COARSE_BINS];

	t->coarse = palloc(sizeof(DunCoarseColumn) * Max(in->nfeatures, 1));
	t->woe = palloc_extended(sizeof(double) * DUN_FINE_BINS * Max(in->nfeatures, 1), MCXT_ALLOC_HUGE);
	t->x = palloc0(sizeof(DunRegressor) * (in->nfeatures + 1));
	t->feature = palloc0(sizeof(int) * (in->nfeatures + 1));
	for (int j = 0; j < in->nfeatures; j++)
	{
		DunCoarseColumn *c = &t->coarse[j];
		double	   *fine = t->woe + (Size) DUN_FINE_BINS * j;
		double		least = INFINITY,
					most = -INFINITY;

		dun_score_bin_coarse(&in->columns[j], in->label, t->rows, t->n, in->monotone ? in->monotone[j] : 0, &t->options->bins, c);
		weigh_evidence(c, woe);
		for (int b = 0; b < DUN_FINE_BINS; b++)
			fine[b] = woe[c->of[b]];
		for (int b = 0; b < c->nbins; b++)
			if (rows_of_bin(c, b) > 0)
			{
				least = Min(least, woe[b]);
				most = Max(most, woe[b]);
			}
		/* One bin for all rows says nothing. */
		if (!(most > least))
			continue;
		t->feature[t->regression.p] = j;
		t->x[t->regression.p++] = (DunRegressor) {.level = DUN_AS_BIN, .bins = in->columns[j].bins, .table = fine};
	}
}

/* Fit; where a monotone feature's weight is negative, without it, until there is none. */
static void
fit_weights(Carding *t)
{
	DunRegression *r = &t->regression;

	for (;;)
	{
		int			kept = 0;

		r->x = t->x;
		while (!dun_score_fit_irls(r, t->beta))
		{
			/* Two features say the same. */
			r->lambda = Max(r->lambda * 10, 1e-3);
			memset(t->beta + 1, 0, sizeof(double) * r->p);
		}
		for (int k = 0; k < r->p; k++)
		{
			int			j = t->feature[k];

			if (t->in->monotone && t->in->monotone[j] && t->beta[k + 1] < 0)
				continue;
			t->x[kept] = t->x[k];
			t->feature[kept] = j;
			t->beta[++kept] = t->beta[k + 1];
		}
		if (kept == r->p)
			return;
		r->p = kept;
	}
}

typedef struct Strength
{
	double		size;
	int			number;
	int			second;
	double		variance;		/* of true effects, of a pair */
	int			measured;		/* pairs taken when it was, and 1; 0: only at the first look */
} Strength;

static int
compare_strengths(const void *a, const void *b)
{
	const Strength *x = a;
	const Strength *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	if (x->number != y->number)
		return x->number - y->number;
	return x->second - y->second;
}

/* The regressors that move the log-odds most, monotone features apart: a pair could turn them round. */
static int
strongest(const Carding *t, Strength *result)
{
	int			n = 0;
	Strength   *all = palloc(sizeof(Strength) * (t->regression.p + 1));

	for (int k = 0; k < t->regression.p; k++)
	{
		int			j = t->feature[k];
		const DunCoarseColumn *c = &t->coarse[j];
		double		squares = 0,
					sum = 0,
					total = 0;

		if (t->in->monotone && t->in->monotone[j])
			continue;
		for (int f = 0; f < DUN_FINE_BINS; f++)
		{
			/* Each coarse bin once, at the first of its fine ones. */
			int			b = c->of[f];
			bool		seen = f >= t->in->columns[j].nbins;

			for (int g = 0; g < f && !seen; g++)
				seen = c->of[g] == b;
			if (seen)
				continue;
			total += rows_of_bin(c, b);
			sum += rows_of_bin(c, b) * t->x[k].table[f];
			squares += rows_of_bin(c, b) * t->x[k].table[f] * t->x[k].table[f];
		}
		all[n++] = (Strength) {fabs(t->beta[k + 1]) * sqrt(Max(squares / total - sum * sum / total / total, 0)), j, 0, 0, 0};
	}
	qsort(all, n, sizeof(Strength), compare_strengths);
	n = Min(n, PAIR_FEATURES);
	memcpy(result, all, sizeof(Strength) * n);
	pfree(all);
	return n;
}

/* Gradient and curvature of the rows' log likelihood in each cell of two features. */
static void
fill_cells(const Carding *t, int first, int second, uint32 n, const float *residual, const float *curve, double (*cells)[2])
{
	const uint8 *a = t->in->columns[first].bins;
	const uint8 *b = t->in->columns[second].bins;
	const uint8 *of_a = t->coarse[first].of;
	const uint8 *of_b = t->coarse[second].of;
	int			stride = t->coarse[second].nbins;

	memset(cells, 0, sizeof(double) * 2 * t->coarse[first].nbins * stride);
	CHECK_FOR_INTERRUPTS();
	for (uint32 i = 0; i < n; i++)
	{
		uint32		row = t->rows ? t->rows[i] : i;
		double	   *cell = cells[of_a[a[row]] * stride + of_b[b[row]]];

		cell[0] += residual[i];
		cell[1] += curve[i];
	}
}

/* Cells with rows, less what the terms of both features alone take of them. */
static int
count_freedom(double (*cells)[2], int na, int nb)
{
	int			filled = 0,
				rows = 0,
				columns = 0;

	for (int a = 0; a < na; a++)
	{
		int			before = filled;

		for (int b = 0; b < nb; b++)
			filled += cells[a * nb + b][1] > 1e-6;
		rows += filled > before;
	}
	for (int b = 0; b < nb; b++)
	{
		bool		any = false;

		for (int a = 0; a < na; a++)
			any |= cells[a * nb + b][1] > 1e-6;
		columns += any;
	}
	return Max(filled - rows - columns + 1, 0);
}

/*
 * What a pair adds to the log likelihood beyond what the best of `tried` pairs would add by chance, and the
 * variance of its true effects; 0 where there is nothing.
 */
static double
measure_pair(double (*cells)[2], int na, int nb, int tried, double *variance)
{
	double		gain = 0,
				curve = 0,
				squares = 0;
	double		freedom = count_freedom(cells, na, nb);

	for (int i = 0; i < na * nb; i++)
		if (cells[i][1] > 1e-6)
		{
			gain += cells[i][0] * cells[i][0] / cells[i][1];
			curve += cells[i][1];
			squares += cells[i][1] * cells[i][1];
		}
	*variance = 0;
	/* The greatest of many chi-squares. */
	gain -= freedom + 2 * sqrt(freedom * log(tried)) + 2 * log(tried);
	if (freedom <= 0 || gain <= 0)
		return 0;
	*variance = gain / (curve - squares / curve);
	return gain;
}

typedef struct Residue
{
	uint32		n;
	double	   *logit;
	float	   *residual;
	float	   *curve;
	double		(*cells)[2];
} Residue;

static void
take_residue(const Carding *t, Residue *r)
{
	for (uint32 i = 0; i < r->n; i++)
	{
		uint32		row = t->rows ? t->rows[i] : i;
		double		weight = t->in->weight ? t->in->weight[row] : 1;
		double		p = 1 / (1 + exp(-r->logit[i]));

		r->residual[i] = (float) (weight * (t->in->label[row] - p));
		r->curve[i] = (float) (weight * p * (1 - p));
	}
}

static void
try_pair(const Carding *t, Residue *r, uint32 n, int tried, Strength *s)
{
	fill_cells(t, s->number, s->second, n, r->residual, r->curve, r->cells);
	s->size = measure_pair(r->cells, t->coarse[s->number].nbins, t->coarse[s->second].nbins, tried, &s->variance);
}

/* The cells' effects, shrunk; the rows' log-odds take them in. */
static void
add_pair(Carding *t, Residue *r, const Strength *s)
{
	const uint8 *a = t->in->columns[s->number].bins;
	const uint8 *b = t->in->columns[s->second].bins;
	const uint8 *of_a = t->coarse[s->number].of;
	const uint8 *of_b = t->coarse[s->second].of;
	int			nb = t->coarse[s->second].nbins;
	int			ncells = t->coarse[s->number].nbins * nb;
	DunCardPair *pair = &t->pairs[t->npairs++];

	fill_cells(t, s->number, s->second, r->n, r->residual, r->curve, r->cells);
	pair->first = s->number;
	pair->second = s->second;
	pair->term = palloc0(sizeof(double) * ncells);
	for (int i = 0; i < ncells; i++)
		pair->term[i] = r->cells[i][0] / (r->cells[i][1] + 1 / s->variance);
	for (uint32 i = 0; i < r->n; i++)
	{
		uint32		row = t->rows ? t->rows[i] : i;

		r->logit[i] += pair->term[of_a[a[row]] * nb + of_b[b[row]]];
	}
	take_residue(t, r);
}

/* The candidates that look best in a first look, over fewer rows. */
static int
look_for_pairs(const Carding *t, Residue *r, Strength *found, int *tried)
{
	Strength	top[PAIR_FEATURES];
	int			ntop = strongest(t, top);
	int			n = 0;

	*tried = Max(ntop * (ntop - 1) / 2, 2);
	for (int a = 0; a < ntop; a++)
		for (int b = a + 1; b < ntop; b++)
		{
			Strength	s = {0, top[a].number, top[b].number, 0, 0};

			try_pair(t, r, Min(r->n, LOOK_ROWS), *tried, &s);
			if (s.variance > 0)
				found[n++] = s;
		}
	qsort(found, n, sizeof(Strength), compare_strengths);
	return Min(n, PAIR_CANDIDATES);
}

static void
find_pairs(Carding *t)
{
	Strength	found[PAIR_FEATURES * PAIR_FEATURES];
	Residue		r = {.n = Min(t->n, PAIR_ROWS)};
	DunRegression sample = t->regression;
	int			nfound,
				tried;

	r.logit = palloc_extended(sizeof(double) * (r.n + 1), MCXT_ALLOC_HUGE);
	r.residual = palloc_extended(sizeof(float) * (r.n + 1), MCXT_ALLOC_HUGE);
	r.curve = palloc_extended(sizeof(float) * (r.n + 1), MCXT_ALLOC_HUGE);
	r.cells = palloc(sizeof(double) * 2 * DUN_COARSE_BINS * DUN_COARSE_BINS);
	sample.n = r.n;
	dun_score_apply_irls(&sample, t->beta, r.logit);
	take_residue(t, &r);
	nfound = look_for_pairs(t, &r, found, &tried);
	t->pairs = palloc0(sizeof(DunCardPair) * (t->options->pairs + 1));
	/* What a pair adds mostly falls as others come in, so only the first in line is measured anew. */
	while (t->npairs < t->options->pairs && nfound > 0)
	{
		if (found[0].measured <= t->npairs)
		{
			try_pair(t, &r, r.n, tried, &found[0]);
			found[0].measured = t->npairs + 1;
		}
		else
		{
			add_pair(t, &r, &found[0]);
			found[0].variance = 0;
		}
		if (!(found[0].variance > 0))
			memmove(found, found + 1, sizeof(Strength) * --nfound);
		qsort(found, nfound, sizeof(Strength), compare_strengths);
	}
	pfree(r.logit);
	pfree(r.residual);
	pfree(r.curve);
	pfree(r.cells);
}

static void
copy_bins(const DunFineColumn *fine, const DunCoarseColumn *c, double total, DunCardFeature *f)
{
	f->text = fine->text;
	f->nbins = c->nbins;
	f->special = palloc0(c->nbins);
	f->share = palloc0(sizeof(double) * c->nbins);
	f->woe = palloc0(sizeof(double) * c->nbins);
	f->term = palloc0(sizeof(double) * c->nbins);
	weigh_evidence(c, f->woe);
	for (int b = 0; b < c->nbins; b++)
		f->share[b] = rows_of_bin(c, b) / total;
	if (fine->text)
	{
		f->nlevels = fine->nbins - 2;
		f->level_bin = palloc0(Max(f->nlevels, 1));
		for (int l = 0; l < f->nlevels; l++)
			f->level_bin[l] = c->of[l + 2];
		return;
	}
}

/*
 * Bins of a number are kept in the order of its values; special ones were numbered last. `order` becomes the
 * new number of each coarse bin.
 */
static void
order_bins(const DunFineColumn *fine, const DunCoarseColumn *c, DunCardFeature *f, uint8 *order)
{
	int			next = 1;

	order[0] = 0;
	f->edges = palloc0(sizeof(double) * c->nbins);
	for (int b = 1; b < fine->nbins; b++)
	{
		if (b > 1 && c->of[b] == c->of[b - 1])
			continue;
		if (b > 1)
			f->edges[next - 2] = fine->edges[b - 2];
		order[c->of[b]] = (uint8) next++;
	}
}

/* Terms less their mean over the training rows, which the intercept takes. */
static void
centre_feature(DunCard *card, DunCardFeature *f)
{
	double		mean = 0;

	for (int b = 0; b < f->nbins; b++)
		mean += f->share[b] * f->term[b];
	for (int b = 0; b < f->nbins; b++)
		f->term[b] = f->share[b] > 0 ? f->term[b] - mean : 0;
	card->intercept += mean;
}

static void
finish_feature(Carding *t, DunCard *card, int j, double weight, uint8 *order)
{
	const DunCoarseColumn *c = &t->coarse[j];
	DunCardFeature *f = &card->features[j];
	DunCoarseColumn sorted = *c;

	for (int b = 0; b < DUN_COARSE_BINS; b++)
		order[b] = (uint8) b;
	if (!t->in->columns[j].text)
		order_bins(&t->in->columns[j], c, f, order);
	for (int b = 0; b < c->nbins; b++)
	{
		sorted.count[order[b]][0] = c->count[b][0];
		sorted.count[order[b]][1] = c->count[b][1];
	}
	copy_bins(&t->in->columns[j], &sorted, t->n, f);
	f->of = palloc(DUN_FINE_BINS);
	for (int b = 0; b < DUN_FINE_BINS; b++)
		f->of[b] = order[c->of[b]];
	for (int b = 0; b < c->nbins; b++)
	{
		f->special[order[b]] = c->special[b];
		f->term[b] = weight * f->woe[b];
	}
	centre_feature(card, f);
}

/* A pair's terms by the ordered bins, less their mean. */
static void
finish_pair(Carding *t, DunCard *card, DunCardPair *pair, const uint8 *orders)
{
	int			na = t->coarse[pair->first].nbins;
	int			nb = t->coarse[pair->second].nbins;
	double	   *term = palloc0(sizeof(double) * na * nb);
	const uint8 *of_a = orders + pair->first * DUN_COARSE_BINS;
	const uint8 *of_b = orders + pair->second * DUN_COARSE_BINS;
	double	   *share = palloc0(sizeof(double) * na * nb);
	double		mean = 0;

	for (int a = 0; a < na; a++)
		for (int b = 0; b < nb; b++)
			term[of_a[a] * nb + of_b[b]] = pair->term[a * nb + b];
	for (uint32 i = 0; i < t->n; i++)
	{
		uint32		row = t->rows ? t->rows[i] : i;
		int			a = of_a[t->coarse[pair->first].of[t->in->columns[pair->first].bins[row]]];
		int			b = of_b[t->coarse[pair->second].of[t->in->columns[pair->second].bins[row]]];

		share[a * nb + b]++;
	}
	for (int i = 0; i < na * nb; i++)
		mean += share[i] / t->n * term[i];
	for (int i = 0; i < na * nb; i++)
		term[i] = share[i] > 0 ? term[i] - mean : 0;
	card->intercept += mean;
	card->pairs[card->npairs++] = (DunCardPair) {pair->first, pair->second, term};
	pfree(share);
}

DunCard *
dun_score_train_card(const DunCardInput *input, const uint32 *rows, uint32 n, const DunCardOptions *options)
{
	Carding		t = {.in = input, .options = options, .rows = rows, .n = n};
	DunCard    *card = palloc0(sizeof(DunCard));
	double	   *weight = palloc0(sizeof(double) * Max(input->nfeatures, 1));
	uint8	   *orders = palloc0(DUN_COARSE_BINS * Max(input->nfeatures, 1));

	bin_features(&t);
	t.regression.n = n;
	t.regression.rows = rows;
	t.regression.label = input->label;
	t.regression.weight = input->weight;
	t.regression.lambda = options->lambda;
	t.beta = palloc0(sizeof(double) * (input->nfeatures + 2));
	/* The weight of evidence of a single feature has the weight 1. */
	for (int k = 0; k < t.regression.p; k++)
		t.beta[k + 1] = t.regression.p > 1 ? 0.5 : 1;
	fit_weights(&t);
	if (options->pairs > 0 && t.regression.p > 1)
		find_pairs(&t);
	card->intercept = t.beta[0];
	card->nfeatures = input->nfeatures;
	card->features = palloc0(sizeof(DunCardFeature) * Max(input->nfeatures, 1));
	card->pairs = palloc0(sizeof(DunCardPair) * Max(t.npairs, 1));
	for (int k = 0; k < t.regression.p; k++)
		weight[t.feature[k]] = t.beta[k + 1];
	for (int j = 0; j < input->nfeatures; j++)
		finish_feature(&t, card, j, weight[j], orders + j * DUN_COARSE_BINS);
	for (int k = 0; k < t.npairs; k++)
		finish_pair(&t, card, &t.pairs[k], orders);
	pfree(t.coarse);
	pfree(t.woe);
	pfree(t.x);
	pfree(t.feature);
	pfree(t.beta);
	pfree(weight);
	pfree(orders);
	return card;
}

int
dun_score_find_bin(const DunCardFeature *feature, double value)
{
	int			low = 0,
				high = feature->nbins - 2;

	if (isnan(value))
		return 0;
	if (feature->text)
		return value >= 0 && value < feature->nlevels ? feature->level_bin[(int) value] : 1;
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (value >= feature->edges[middle])
			low = middle + 1;
		else
			high = middle;
	}
	return low + 1;
}

void
dun_score_apply_card(const DunCard *card, const double *rows, int n, double *logit)
{
	uint8	   *bins = palloc(Max(card->nfeatures, 1));

	for (int i = 0; i < n; i++, rows += card->nfeatures)
	{
		double		sum = card->intercept;

		for (int j = 0; j < card->nfeatures; j++)
		{
			bins[j] = (uint8) dun_score_find_bin(&card->features[j], rows[j]);
			sum += card->features[j].term[bins[j]];
		}
		for (int k = 0; k < card->npairs; k++)
		{
			const DunCardPair *p = &card->pairs[k];

			sum += p->term[bins[p->first] * card->features[p->second].nbins + bins[p->second]];
		}
		logit[i] = sum;
	}
	pfree(bins);
}

void
dun_score_apply_input(const DunCard *card, const DunCardInput *input, const uint32 *rows, uint32 n, double *logit)
{
	for (uint32 i = 0; i < n; i++)
		logit[i] = card->intercept;
	for (int j = 0; j < card->nfeatures; j++)
	{
		const DunCardFeature *f = &card->features[j];
		const uint8 *bins = input->columns[j].bins;
		double		term[DUN_FINE_BINS];

		CHECK_FOR_INTERRUPTS();
		for (int b = 0; b < DUN_FINE_BINS; b++)
			term[b] = f->term[f->of[b]];
		for (uint32 i = 0; i < n; i++)
			logit[i] += term[bins[rows ? rows[i] : i]];
	}
	for (int k = 0; k < card->npairs; k++)
	{
		const DunCardPair *p = &card->pairs[k];
		const DunCardFeature *a = &card->features[p->first];
		const DunCardFeature *b = &card->features[p->second];

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; i < n; i++)
		{
			uint32		row = rows ? rows[i] : i;

			logit[i] += p->term[a->of[input->columns[p->first].bins[row]] * b->nbins +
								b->of[input->columns[p->second].bins[row]]];
		}
	}
}

double
dun_score_split_card(const DunCard *card, const double *row, double *terms)
{
	uint8	   *bins = palloc(Max(card->nfeatures, 1));

	for (int j = 0; j < card->nfeatures; j++)
	{
		bins[j] = (uint8) dun_score_find_bin(&card->features[j], row[j]);
		terms[j] = card->features[j].term[bins[j]];
	}
	for (int k = 0; k < card->npairs; k++)
	{
		const DunCardPair *p = &card->pairs[k];
		double		term = p->term[bins[p->first] * card->features[p->second].nbins + bins[p->second]];

		terms[p->first] += term / 2;
		terms[p->second] += term / 2;
	}
	pfree(bins);
	return card->intercept;
}
