/*
 * score/expression.h
 *		Pieces of SQL text that read a feature's column as scoring reads it.
 *
 * Columns are named as the features are; a number's column must cast to float8.
 */
#ifndef DUN_SCORE_EXPRESSION_H
#define DUN_SCORE_EXPRESSION_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "score/set.h"

/* The feature's value as float8, or as text; to be asked only where it is not missing. */
extern void dun_score_print_sql_value(StringInfo into, const DunFeature *feature);

/* True where it is missing: NULL, NaN, infinite. */
extern void dun_score_print_sql_missing(StringInfo into, const DunFeature *feature);

/* A float8 literal that reads back to the same bits. */
extern void dun_score_print_sql_number(StringInfo into, double value);

/* A text literal, with `before` in front of it unless that is NULL. */
extern void dun_score_print_sql_text(StringInfo into, const char *before, const char *text);

#endif
