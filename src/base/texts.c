/*
 * base/texts.c
 *		Arrays of text, which the server builds from datums alone, and tables of names that have no longest one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/texts.h"

Datum
dun_base_make_texts(const char *const *strings, int n)
{
	Datum	   *values = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		values[i] = CStringGetTextDatum(strings[i]);
	return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static uint32
hash_pointed(const void *key, Size size)
{
	const char *name = *(char *const *) key;

	return string_hash(name, strlen(name) + 1);
}

static int
match_pointed(const void *a, const void *b, Size size)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

HTAB *
dun_base_make_names(const char *what, long n, Size entry_size, MemoryContext context)
{
	HASHCTL		by_name = {.keysize = sizeof(char *), .entrysize = entry_size, .hcxt = context,
	.hash = hash_pointed, .match = match_pointed};

	return hash_create(what, n, &by_name, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}
