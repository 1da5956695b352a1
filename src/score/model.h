/*
 * score/model.h
 *		A fitted model of any kind: what it reads, and the kind's own body.
 */
#ifndef DUN_SCORE_MODEL_H
#define DUN_SCORE_MODEL_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "score/kind.h"

/* Probabilities are kept this far from 0 and 1. */
#define DUN_PROBABILITY_MARGIN 1e-6

typedef struct DunModel
{
	char		digest[65];		/* SHA-256 of the body, in hex: what the cache is keyed by */
	int			version;
	const DunKind *kind;
	int			nfeatures;
	DunFeature *features;
	void	   *body;			/* the kind's */
} DunModel;

/* Log-odds to a probability inside (0,1). */
extern double dun_score_probability(double logit);

/*
 * The champion of a name (else its newest version), parsed and cached by digest. Reads the table as
 * dunning_owner in the caller's snapshot; an unknown name is an error. Valid to the end of the transaction.
 */
extern DunModel *dun_score_find_model(const char *name);

/* The body as JSON text; numbers in shortest form that reads back to the same bits. */
extern void dun_score_print_model(StringInfo into, const DunModel *model);

#endif
