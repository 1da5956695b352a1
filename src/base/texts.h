/*
 * base/texts.h
 *		Arrays of text, and tables whose key is one.
 */
#ifndef DUN_BASE_TEXTS_H
#define DUN_BASE_TEXTS_H

#include "postgres.h"

#include "utils/hsearch.h"

/* text[] of `n` strings, in the current memory context. */
extern Datum dun_base_make_texts(const char *const *strings, int n);

/* Entries begin with a char * to a string of any length, which is the key. */
extern HTAB *dun_base_make_names(const char *what, long n, Size entry_size, MemoryContext context);

#endif
