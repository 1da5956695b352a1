/*
 * score/card.c
 *		The kind `scorecard`: what scorecard.h learns, as a kind of model.
 *
 * Points are the log-odds on a scale of their own: `base_points` at even odds, `pdo` more for twice the odds
 * of label 1. They are rounded for reading; scores are computed from the terms themselves.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/tuplestore.h"

#include "base/errcodes.h"
#include "score/expression.h"
#include "score/json.h"
#include "score/kind.h"
#include "score/model.h"
#include "score/progress.h"
#include "score/scorecard.h"

#define SEARCH_ROWS 20000		/* what is left open is chosen on at most this many */
#define MIN_SHARE 0.02			/* of the rows in each bin */
#define MOST_PAIRS 10

static const double gains[] = {2, 4};
static const double lambdas[] = {1, 10, 100};

enum
{
	BINS,
	LAMBDA,
	GAIN,
	PAIRS,
	PDO,
	BASE
};

static const DunOption options_list[] = {
	{"bins", 2, 20, 8, true},
	{"lambda", 0, 1e12, NAN, false},
	{"bin_gain", 0, 1000, NAN, false},	/* what a further bin must add to the log likelihood */
	{"pairs", 0, MOST_PAIRS, NAN, true},
	{"pdo", 1, 1000, 20, false},
	{"base_points", -100000, 100000, 600, false},
};

typedef struct Prepared
{
	DunCardInput input;
} Prepared;

typedef struct Body
{
	DunCard    *card;
	double		pdo;
	double		base;
} Body;

static Size
row_bytes(DunFeatureType type, const double *options)
{
	return 1;
}

static void *
prepare(const DunTrainSet *set, const double *options)
{
	Prepared   *p = palloc0(sizeof(Prepared));
	DunFineColumn *columns = palloc0(sizeof(DunFineColumn) * Max(set->nfeatures, 1));
	int		   *monotone = palloc0(sizeof(int) * Max(set->nfeatures, 1));

	for (int j = 0; j < set->nfeatures; j++)
	{
		const DunFeature *f = &set->features[j];

		CHECK_FOR_INTERRUPTS();
		if (f->type == DUN_TEXT)
			dun_score_bin_levels(set->x[j], set->n, f->nlevels, &columns[j]);
		else
			dun_score_bin_numbers(set->x[j], set->n, &columns[j]);
		monotone[j] = f->type == DUN_TEXT ? 0 : f->monotone;
	}
	p->input = (DunCardInput) {
		.n = set->n, .nfeatures = set->nfeatures, .columns = columns, .monotone = monotone,
		.label = set->y, .weight = set->weight
	};
	return p;
}

static void *
train(const DunTrainSet *set, void *prepared, const uint32 *rows, uint32 nrows, const double *options, const void *start)
{
	const Prepared *p = prepared;
	Body	   *body = palloc0(sizeof(Body));
	DunCardOptions own = {
		.bins = {(int) options[BINS], MIN_SHARE, options[GAIN]}, .lambda = options[LAMBDA], .pairs = (int) options[PAIRS]
	};

	body->card = dun_score_train_card(&p->input, nrows == set->n ? NULL : rows, nrows, &own);
	body->pdo = options[PDO];
	body->base = options[BASE];
	return body;
}

static void
apply(const DunTrainSet *set, void *prepared, const void *body, const uint32 *rows, uint32 nrows, double *logit)
{
	dun_score_apply_input(((const Body *) body)->card, &((const Prepared *) prepared)->input,
						  nrows == set->n ? NULL : rows, nrows, logit);
}

/* What a search runs over. */
typedef struct Search
{
	const DunTrainSet *set;
	void	   *prepared;
	const uint32 *rows;
	uint32		n;
	double	   *options;
	double	   *logit;
	double		least;			/* loss reached so far */
	int			done;
	int			total;
} Search;

/* Keeps the candidate among an option's values that loses least; later ones must be better by more than rounding. */
static void
search_option(Search *s, int option, const double *candidates, int n, double known)
{
	double		best = known;

	for (int i = 0; i < n; i++)
	{
		double		loss;

		if (candidates[i] == known)
			continue;
		dun_score_report_progress(s->set->name, "scorecard options", s->done++, s->total);
		s->options[option] = candidates[i];
		loss = dun_score_cross_validate(&dun_score_kind_scorecard, s->set, s->prepared, s->rows, s->n, s->options, NULL, s->logit);
		if (loss < s->least - 1e-9)
		{
			s->least = loss;
			best = candidates[i];
		}
	}
	s->options[option] = best;
}

/*
 * One option after the other, the first rows being a random sample: how much a bin must gain, the penalty, and
 * whether pairs are worth their while.
 */
static void
tune(const DunTrainSet *set, void *prepared, const uint32 *rows, uint32 nrows, double *options)
{
	Search		s = {.set = set, .prepared = prepared, .rows = rows, .n = Min(nrows, SEARCH_ROWS), .options = options,
		.least = INFINITY, .total = 5};
	bool		open[] = {isnan(options[GAIN]), isnan(options[LAMBDA]), isnan(options[PAIRS])};
	const double with_pairs[] = {MOST_PAIRS};
	uint32		positives = 0;

	if (!open[0] && !open[1] && !open[2])
		return;
	for (uint32 i = 0; i < s.n; i++)
		positives += set->y[rows[i]];
	/* A class that is rare in a large set may be too rare in the sample. */
	if (positives < 10 * DUN_MIN_CLASS || s.n - positives < 10 * DUN_MIN_CLASS)
		s.n = nrows;
	s.logit = palloc_extended(sizeof(double) * s.n, MCXT_ALLOC_HUGE);
	if (open[1])
		options[LAMBDA] = lambdas[1];
	if (open[2])
		options[PAIRS] = 0;
	if (open[0])
		search_option(&s, GAIN, gains, lengthof(gains), NAN);
	if (open[1])
		search_option(&s, LAMBDA, lambdas, lengthof(lambdas), open[0] ? lambdas[1] : NAN);
	if (open[2])
	{
		const double none[] = {0};

		if (!open[0] && !open[1])
			search_option(&s, PAIRS, none, 1, NAN);
		search_option(&s, PAIRS, with_pairs, lengthof(with_pairs), 0);
	}
	pfree(s.logit);
}

static void
logits(const void *body, const double *rows, int n, double *logit)
{
	dun_score_apply_card(((const Body *) body)->card, rows, n, logit);
}

static double
contributions(const void *body, const double *row, double *terms)
{
	return dun_score_split_card(((const Body *) body)->card, row, terms);
}

static void
print_bytes(StringInfo into, const char *name, const uint8 *values, int n)
{
	appendStringInfo(into, ",\"%s\":[", name);
	for (int i = 0; i < n; i++)
		appendStringInfo(into, i ? ",%d" : "%d", values[i]);
	appendStringInfoChar(into, ']');
}

static void
print(StringInfo into, const void *body)
{
	const Body *b = body;
	const DunCard *card = b->card;

	dun_score_print_member(into, "intercept", card->intercept);
	dun_score_print_member(into, "pdo", b->pdo);
	dun_score_print_member(into, "base_points", b->base);
	appendStringInfoString(into, ",\"pairs\":[");
	for (int k = 0; k < card->npairs; k++)
	{
		const DunCardPair *p = &card->pairs[k];

		appendStringInfo(into, "%s{\"first\":%d,\"second\":%d", k ? "," : "", p->first, p->second);
		dun_score_print_members(into, "terms", p->term, card->features[p->first].nbins * card->features[p->second].nbins);
		appendStringInfoChar(into, '}');
	}
	appendStringInfoChar(into, ']');
}

static void
print_feature(StringInfo into, const void *body, const DunFeature *features, int feature)
{
	const DunCardFeature *f = &((const Body *) body)->card->features[feature];

	if (f->text)
		print_bytes(into, "level_bins", f->level_bin, f->nlevels);
	else
		dun_score_print_members(into, "edges", f->edges, Max(f->nbins - 2, 0));
	print_bytes(into, "special", f->special, f->nbins);
	dun_score_print_members(into, "share", f->share, f->nbins);
	dun_score_print_members(into, "woe", f->woe, f->nbins);
	dun_score_print_members(into, "terms", f->term, f->nbins);
}

static void
refuse_body(void)
{
	elog(ERROR, "the body of a scorecard does not fit together");
}

static uint8 *
parse_bytes(JsonbContainer *object, const char *key, int expected, int most)
{
	int			n;
	double	   *numbers = dun_score_json_numbers(object, key, &n);
	uint8	   *result = palloc(Max(n, 1));

	if (n != expected)
		refuse_body();
	for (int i = 0; i < n; i++)
	{
		if (!(numbers[i] >= 0 && numbers[i] < most))
			refuse_body();
		result[i] = (uint8) numbers[i];
	}
	return result;
}

static double *
parse_numbers(JsonbContainer *object, const char *key, int expected)
{
	int			n;
	double	   *result = dun_score_json_numbers(object, key, &n);

	if (n != expected)
		refuse_body();
	return result;
}

static void
parse_card_feature(JsonbContainer *object, const DunFeature *feature, DunCardFeature *f)
{
	f->text = feature->type == DUN_TEXT;
	f->term = dun_score_json_numbers(object, "terms", &f->nbins);
	if (f->nbins < 2)
		refuse_body();
	if (f->text)
	{
		f->nlevels = feature->nlevels;
		f->level_bin = parse_bytes(object, "level_bins", f->nlevels, f->nbins);
	}
	else
		f->edges = parse_numbers(object, "edges", f->nbins - 2);
	f->special = parse_bytes(object, "special", f->nbins, 2);
	f->share = parse_numbers(object, "share", f->nbins);
	f->woe = parse_numbers(object, "woe", f->nbins);
}

static void *
parse(JsonbContainer *object, const DunFeature *features, int nfeatures)
{
	Body	   *b = palloc0(sizeof(Body));
	DunCard    *card = palloc0(sizeof(DunCard));
	JsonbContainer *own = dun_score_json_member(object, "features");
	JsonbContainer *pairs = dun_score_json_member(object, "pairs");

	b->card = card;
	b->pdo = dun_score_json_number(object, "pdo");
	b->base = dun_score_json_number(object, "base_points");
	card->intercept = dun_score_json_number(object, "intercept");
	card->nfeatures = nfeatures;
	card->features = palloc0(sizeof(DunCardFeature) * Max(nfeatures, 1));
	for (int j = 0; j < nfeatures; j++)
		parse_card_feature(dun_score_json_element(own, j), &features[j], &card->features[j]);
	card->npairs = dun_score_json_length(pairs);
	card->pairs = palloc0(sizeof(DunCardPair) * Max(card->npairs, 1));
	for (int k = 0; k < card->npairs; k++)
	{
		JsonbContainer *from = dun_score_json_element(pairs, k);
		DunCardPair *p = &card->pairs[k];
		double		first = dun_score_json_number(from, "first");
		double		second = dun_score_json_number(from, "second");

		if (!(first >= 0 && first < nfeatures && second >= 0 && second < nfeatures))
			refuse_body();
		p->first = (int) first;
		p->second = (int) second;
		p->term = parse_numbers(from, "terms", card->features[p->first].nbins * card->features[p->second].nbins);
	}
	return b;
}

/* A condition true for one bin of a feature, as far as the bins before it were asked. */
static void
print_bin(StringInfo into, const DunFeature *feature, const DunCardFeature *f, int bin)
{
	if (bin == 0)
		dun_score_print_sql_missing(into, feature);
	else if (!f->text)
	{
		dun_score_print_sql_value(into, feature);
		appendStringInfoString(into, " < ");
		dun_score_print_sql_number(into, f->edges[bin - 1]);
	}
	else
	{
		bool		first = true;

		dun_score_print_sql_value(into, feature);
		appendStringInfoString(into, " IN (");
		for (int l = 0; l < f->nlevels; l++)
			if (f->level_bin[l] == bin)
			{
				dun_score_print_sql_text(into, first ? NULL : ", ", feature->levels[l]);
				first = false;
			}
		appendStringInfoChar(into, ')');
	}
}

static bool
has_levels(const DunCardFeature *f, int bin)
{
	for (int l = 0; l < f->nlevels; l++)
		if (f->level_bin[l] == bin)
			return true;
	return false;
}

/* CASE over a feature's bins; `second` != NULL: over another one's within each. */
static void
print_case(StringInfo into, const DunFeature *features, const DunCard *card, int j, int second, const double *terms)
{
	const DunCardFeature *f = &card->features[j];
	int			step = second < 0 ? 1 : card->features[second].nbins;
	int			last = f->text ? 1 : f->nbins - 1;

	appendStringInfoString(into, "CASE");
	for (int b = 0; b <= f->nbins; b++)
	{
		/* The last bin is what is left: of a text, any other. */
		int			bin = b == f->nbins ? last : b;

		if (b < f->nbins && (b == last || (f->text && b > 0 && !has_levels(f, b))))
			continue;
		if (b < f->nbins)
		{
			appendStringInfoString(into, " WHEN ");
			print_bin(into, &features[j], f, b);
			appendStringInfoString(into, " THEN ");
		}
		else
			appendStringInfoString(into, " ELSE ");
		if (second < 0)
			dun_score_print_sql_number(into, terms[bin]);
		else
			print_case(into, features, card, second, -1, terms + bin * step);
	}
	appendStringInfoString(into, " END");
}

static void
print_sql(StringInfo into, const void *body, const DunFeature *features, int nfeatures)
{
	const DunCard *card = ((const Body *) body)->card;

	dun_score_print_sql_number(into, card->intercept);
	for (int j = 0; j < nfeatures; j++)
	{
		appendStringInfoString(into, "\n + ");
		print_case(into, features, card, j, -1, card->features[j].term);
	}
	for (int k = 0; k < card->npairs; k++)
	{
		appendStringInfoString(into, "\n + ");
		print_case(into, features, card, card->pairs[k].first, card->pairs[k].second, card->pairs[k].term);
	}
}

const DunKind dun_score_kind_scorecard = {
	.name = "scorecard",
	.noptions = lengthof(options_list),
	.options = options_list,
	.row_bytes = row_bytes,
	.prepare = prepare,
	.tune = tune,
	.train = train,
	.apply = apply,
	.logits = logits,
	.contributions = contributions,
	.print = print,
	.print_feature = print_feature,
	.parse = parse,
	.print_sql = print_sql,
};

/* What a bin holds, in words: "x < 5", "5 <= x < 9", "x is missing", "x in ('a', 'b')", "x is any other". */
static void
print_bin_words(StringInfo into, const DunFeature *feature, const DunCardFeature *f, int bin)
{
	const char *name = feature->name;

	if (bin == 0)
		appendStringInfo(into, "%s is missing", name);
	else if (f->text && !has_levels(f, bin))
		appendStringInfo(into, "%s is any other", name);
	else if (f->text)
	{
		const char *before = NULL;

		appendStringInfo(into, "%s in (", name);
		for (int l = 0; l < f->nlevels; l++)
			if (f->level_bin[l] == bin)
			{
				dun_score_print_sql_text(into, before, feature->levels[l]);
				before = ", ";
			}
		appendStringInfoString(into, bin == 1 ? ") or any other" : ")");
	}
	else if (f->nbins == 2)
		appendStringInfo(into, "%s is known", name);
	else
	{
		if (bin > 1)
			dun_score_print_number(into, f->edges[bin - 2]);
		appendStringInfo(into, "%s%s", bin > 1 ? " <= " : "", name);
		if (bin < f->nbins - 1)
		{
			appendStringInfoString(into, " < ");
			dun_score_print_number(into, f->edges[bin - 1]);
		}
	}
}

/* One row of the card; NULL for what a row has not. */
static void
put_row(ReturnSetInfo *rsinfo, const Body *body, const char *feature, const char *bin, bool special,
		const double *share, const double *woe, double term, double base)
{
	Datum		values[7] = {0};
	bool		nulls[7] = {feature == NULL, bin == NULL, feature == NULL, share == NULL, woe == NULL};

	if (feature)
		values[0] = CStringGetTextDatum(feature);
	if (bin)
		values[1] = CStringGetTextDatum(bin);
	values[2] = BoolGetDatum(special);
	if (share)
		values[3] = Float8GetDatum(*share);
	if (woe)
		values[4] = Float8GetDatum(*woe);
	values[5] = Float8GetDatum(term);
	values[6] = Int32GetDatum((int32) Max(-1e9, Min(1e9, rint(base + term * body->pdo / M_LN2))));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
put_pair(ReturnSetInfo *rsinfo, const DunModel *model, const Body *body, const DunCardPair *p)
{
	const DunCardFeature *a = &body->card->features[p->first];
	const DunCardFeature *b = &body->card->features[p->second];
	char	   *names = psprintf("%s, %s", model->features[p->first].name, model->features[p->second].name);

	for (int i = 0; i < a->nbins; i++)
		for (int j = 0; j < b->nbins; j++)
		{
			StringInfoData words;

			if (p->term[i * b->nbins + j] == 0)
				continue;
			initStringInfo(&words);
			print_bin_words(&words, &model->features[p->first], a, i);
			appendStringInfoString(&words, " and ");
			print_bin_words(&words, &model->features[p->second], b, j);
			put_row(rsinfo, body, names, words.data, a->special[i] || b->special[j], NULL, NULL, p->term[i * b->nbins + j], 0);
		}
}

PG_FUNCTION_INFO_V1(dun_score_sql_scorecard);

Datum
dun_score_sql_scorecard(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const DunModel *model = dun_score_find_model(name);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const Body *body = model->body;

	if (model->kind != &dun_score_kind_scorecard)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" is no scorecard", name),
				 errdetail("It is of the kind \"%s\".", model->kind->name),
				 errhint("Read its body: SELECT body FROM dunning.model WHERE model = %s;", quote_literal_cstr(name))));
	InitMaterializedSRF(fcinfo, 0);
	put_row(rsinfo, body, NULL, NULL, false, NULL, NULL, body->card->intercept, body->base);
	for (int j = 0; j < model->nfeatures; j++)
	{
		const DunCardFeature *f = &body->card->features[j];

		for (int b = 0; b < f->nbins; b++)
		{
			StringInfoData words;

			if (b == 0 && f->share[0] == 0)
				continue;
			initStringInfo(&words);
			print_bin_words(&words, &model->features[j], f, b);
			put_row(rsinfo, body, model->features[j].name, words.data, f->special[b], &f->share[b], &f->woe[b], f->term[b], 0);
		}
	}
	for (int k = 0; k < body->card->npairs; k++)
		put_pair(rsinfo, model, body, &body->card->pairs[k]);
	return (Datum) 0;
}
