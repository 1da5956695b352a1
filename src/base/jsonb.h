/*
 * base/jsonb.h
 *		Pieces of a jsonb value that is built, not parsed: push keys in the order in which jsonb keeps them, shorter ones first,
 *		and nothing is sorted.
 */
#ifndef DUN_BASE_JSONB_H
#define DUN_BASE_JSONB_H

#include "postgres.h"

#include "utils/jsonb.h"

/* token: WJB_KEY, WJB_VALUE or WJB_ELEM */
extern void dun_base_push_text(JsonbParseState **state, JsonbIteratorToken token, const char *text);

/* A key and a number, rounded to so many decimals (at most 4) and cut off at 10^12. */
extern void dun_base_push_number(JsonbParseState **state, const char *key, double number, int decimals);

#endif
