/*
 * score/model.h
 *		A fitted model as every kind leaves it: an intercept and one additive term a feature.
 *
 * All terms are centred: a feature's mean contribution over the training rows is 0, so a contribution
 * reads "this much, in log-odds, more or less than the average row".
 */
#ifndef DUN_SCORE_MODEL_H
#define DUN_SCORE_MODEL_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "score/value.h"

/* Probabilities are kept this far from 0 and 1. */
#define DUN_PROBABILITY_MARGIN 1e-6

typedef struct DunLevel
{
	char	   *value;
	double		contribution;
} DunLevel;

typedef struct DunFeature
{
	char	   *name;
	DunFeatureType type;
	double		low;			/* numbers are clipped to [low, high] */
	double		high;
	double		mean;			/* after clipping: what `reasons` calls usual */
	double		slope;			/* contribution = offset + slope * clipped value */
	double		offset;
	double		missing;		/* contribution of a missing value */
	int			nlevels;		/* of a text, in byte order */
	DunLevel   *levels;
	double		other;			/* contribution of any other text */
} DunFeature;

typedef struct DunModel
{
	char		digest[65];		/* SHA-256 of the body, in hex: what the cache is keyed by */
	int			version;
	char	   *kind;
	double		intercept;
	int			nfeatures;
	DunFeature *features;
} DunModel;

extern double dun_score_number_term(const DunFeature *feature, double value);
extern double dun_score_text_term(const DunFeature *feature, const char *value);

/* Log-odds to a probability inside (0,1). */
extern double dun_score_probability(double logit);

/*
 * The champion of a name (else its newest version), parsed and cached by digest. Reads the table as
 * dunning_owner in the caller's snapshot; an unknown name is an error. Valid to the end of the transaction.
 */
extern DunModel *dun_score_find_model(const char *name);

/* The body as JSON text; numbers in shortest form that reads back to the same bits. */
extern void dun_score_print_model(StringInfo into, const DunModel *model);
extern void dun_score_print_number(StringInfo into, double value);

#endif
