/*
 * score/model.h
 *		A fitted model of any kind: what it reads, and the kind's own body.
 */
#ifndef DUN_SCORE_MODEL_H
#define DUN_SCORE_MODEL_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "score/calibrate.h"
#include "score/kind.h"

/* Bodies this library writes and the newest it can read; 1, which has no calibration, is not written into the body. */
#define DUN_BODY_FORMAT 2

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
	DunCalibration calibration;
} DunModel;

/* Log-odds to a probability inside (0,1). */
extern double dun_score_probability(double logit);

/* Probabilities of n dense rows, one after the other (see kind.h). */
extern void dun_score_predict_rows(const DunModel *model, const double *rows, int n, double *p);

/*
 * The champion of a name (else its newest version), parsed and cached by digest. Reads the table as
 * dunning_owner in the caller's snapshot; an unknown name is an error. Valid to the end of the transaction.
 */
extern DunModel *dun_score_find_model(const char *name);

/* The same for one version, whatever its state. */
extern DunModel *dun_score_find_version(const char *name, int version);

/* The body as JSON text; numbers in shortest form that reads back to the same bits. */
extern void dun_score_print_model(StringInfo into, const DunModel *model);

/* A float8 expression of the probability over the features' columns; DN004 where the kind has none. */
extern void dun_score_print_sql(StringInfo into, const DunModel *model);

#endif
