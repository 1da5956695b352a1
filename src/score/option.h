/*
 * score/option.h
 *		The options of fit(), from JSON: those of every training and those of its kind.
 */
#ifndef DUN_SCORE_OPTION_H
#define DUN_SCORE_OPTION_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "score/train.h"

/* An unknown kind, name or value is an error whose HINT lists what there is. */
extern DunTrainOptions dun_score_read_options(const char *kind, Jsonb *json);

/* What a row of a column takes in training, by the most demanding of the kinds that may be trained. */
extern Size dun_score_training_bytes(DunFeatureType type, const void *options);

#endif
