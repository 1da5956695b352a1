/*
 * score/wrapper.h
 *		A call of one version of a model with its values as arguments, as SQL text.
 */
#ifndef DUN_SCORE_WRAPPER_H
#define DUN_SCORE_WRAPPER_H

#include "postgres.h"

#include "nodes/primnodes.h"

#include "lib/stringinfo.h"

#include "score/model.h"

/* Most features that such a call can have: the server's arguments, less model and version. */
#define DUN_MOST_VALUES (FUNC_MAX_ARGS - 2)

/* dunning._predict_values('name', 3, q.x1, q.x2) where the prefix is "q." */
extern void dun_score_print_values_call(StringInfo into, const char *name, const DunModel *model, const char *prefix);

/* identifier or schema.identifier; 42602 for anything else, which is called `what` ("table"). */
extern RangeVar *dun_score_read_name(const text *name, const char *what);

#endif
