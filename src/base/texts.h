/*
 * base/texts.h
 *		Arrays of text.
 */
#ifndef DUN_BASE_TEXTS_H
#define DUN_BASE_TEXTS_H

#include "postgres.h"

/* text[] of `n` strings, in the current memory context. */
extern Datum dun_base_make_texts(const char *const *strings, int n);

#endif
