/*
 * score/kind.h
 *		The seam between the kinds of model and everything else. A kind learns log-odds from columns and
 *		gives log-odds for rows; reading, folds, calibration, versions and scoring are written once, over it.
 *
 * A dense row is one float8 a feature, in the order of the model's features: a number (booleans 0 and 1,
 * dates in days); of a text the number of its level in `levels`, or DUN_OTHER_LEVEL; NaN where missing.
 * Never infinite. Training keeps numbers as float4, scoring gets them as float8: a kind that compares
 * with thresholds casts to float first.
 *
 * The same set, rows, options and seed must give the same bytes. Loops call CHECK_FOR_INTERRUPTS(). What
 * a kind returns is palloc'ed in the current memory context and needs no other freeing.
 */
#ifndef DUN_SCORE_KIND_H
#define DUN_SCORE_KIND_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "score/set.h"

/* An option of fit(): a number, given to a kind in the order of its list. */
typedef struct DunOption
{
	const char *name;
	double		least;
	double		most;
	double		standard;		/* NaN: left open, for `tune` to choose */
	bool		whole;
} DunOption;

typedef struct DunKind
{
	const char *name;
	int			noptions;
	const DunOption *options;
	bool		dear;			/* a row costs more to score than to hand from one process to another */
	bool		prints_levels;	/* print_feature() writes "levels", an object whose keys are the levels */

	/* Bytes a row that a column of this type takes in prepare() and train(), beside its 4 in the set. */
	Size		(*row_bytes) (DunFeatureType type, const double *options);

	/* Work without the label that all folds share, such as binning; may be NULL. It may refuse the set (DN004). */
	void	   *(*prepare) (const DunTrainSet *set, const double *options);

	/* Replaces options that are NaN, once for all folds, mostly by dun_score_cross_validate(); may be NULL. */
	void		(*tune) (const DunTrainSet *set, void *prepared, const uint32 *rows, uint32 nrows, double *options);

	/* The body from these rows, whose numbers ascend. `start`: a body of more rows of this set, or NULL. */
	void	   *(*train) (const DunTrainSet *set, void *prepared, const uint32 *rows, uint32 nrows,
						  const double *options, const void *start);

	/*
	 * Log-odds of these rows as bodies that saw no row of their fold would give them, from a body of all of them:
	 * for cross-validation at less than the cost of training once a fold. False: there are too few rows for that, or
	 * the kind (NULL) has no such way.
	 */
	bool		(*leave_out) (const DunTrainSet *set, void *prepared, const void *body, const uint32 *rows, uint32 nrows,
							  const double *options, double *logit);

	/* Log-odds of rows of the set, by a body fresh from train(); NULL: dense rows are made and logits() asked. */
	void		(*apply) (const DunTrainSet *set, void *prepared, const void *body, const uint32 *rows, uint32 nrows,
						  double *logit);

	/* Log-odds of n dense rows, one after the other. Finite for any input. */
	void		(*logits) (const void *body, const double *rows, int n, double *logit);

	/* The term of each feature against the average row; returns what is left. All of it adds up to the log-odds. */
	double		(*contributions) (const void *body, const double *row, double *terms);

	/* Further members of the body's JSON object, and of one of its features (may be NULL); each begins with a comma. */
	void		(*print) (StringInfo into, const void *body);
	void		(*print_feature) (StringInfo into, const void *body, const DunFeature *features, int feature);

	/* The same body from the object; the features come parsed, their own members stand in object.features. */
	void	   *(*parse) (JsonbContainer *object, const DunFeature *features, int nfeatures);

	/* A float8 expression of the log-odds over the features' columns; NULL: the kind has none. */
	void		(*print_sql) (StringInfo into, const void *body, const DunFeature *features, int nfeatures);
} DunKind;

/* From the simplest to the least simple: the order in which `auto` prefers them. */
extern const DunKind *const dun_score_kinds[];
extern const int dun_score_nkinds;

/* NULL where there is none. */
extern const DunKind *dun_score_find_kind(const char *name);

/* Log-odds of any rows of the set. */
extern void dun_score_apply_kind(const DunKind *kind, const DunTrainSet *set, void *prepared, const void *body,
								 const uint32 *rows, uint32 nrows, double *logit);

/*
 * Out-of-fold log-odds: logit[i] of rows[i] by a body that saw no row of its fold. Returns the mean log loss,
 * weighted as the set is. `start` as in train().
 */
extern double dun_score_cross_validate(const DunKind *kind, const DunTrainSet *set, void *prepared, const uint32 *rows,
									   uint32 nrows, const double *options, const void *start, double *logit);

extern const DunKind dun_score_kind_logistic;
extern const DunKind dun_score_kind_gbdt;
extern const DunKind dun_score_kind_scorecard;

#endif
