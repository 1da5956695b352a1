/*
 * score/json.h
 *		Reading a model's body, and writing its numbers.
 *
 * A member that is not there or of another type is an error (DN004): a body is only ever read as it was written.
 */
#ifndef DUN_SCORE_JSON_H
#define DUN_SCORE_JSON_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

extern bool dun_score_json_has(JsonbContainer *object, const char *key);
extern double dun_score_json_number(JsonbContainer *object, const char *key);
extern char *dun_score_json_text(JsonbContainer *object, const char *key);

/* An object or an array. */
extern JsonbContainer *dun_score_json_member(JsonbContainer *object, const char *key);

/* An object or an array in an array. */
extern JsonbContainer *dun_score_json_element(JsonbContainer *array, int i);

/* Elements of an array, or members of an object. */
extern int	dun_score_json_length(JsonbContainer *container);

extern double *dun_score_json_numbers(JsonbContainer *object, const char *key, int *n);

/* Elements of an array of texts, or the keys of an object. */
extern char **dun_score_json_texts(JsonbContainer *object, const char *key, int *n);

/* Shortest form that reads back to the same bits; a number that is not finite is an error. */
extern void dun_score_print_number(StringInfo into, double value);

/* ,"name":value */
extern void dun_score_print_member(StringInfo into, const char *name, double value);

/* ,"name":[values] */
extern void dun_score_print_members(StringInfo into, const char *name, const double *values, int n);

#endif
