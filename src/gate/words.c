/*
 * gate/words.c
 *		Lists of texts as a batch needs them: nearly always there is nothing to list, and that is cheap to say.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/hash.h"

/* ---- what blocks a row ---- */

/* Which arguments are arrays; the same at each call. */
static const bool *
array_arguments(FunctionCallInfo fcinfo)
{
	bool	   *is_array = fcinfo->flinfo->fn_extra;

	if (is_array != NULL)
		return is_array;
	if (get_fn_expr_variadic(fcinfo->flinfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("words are given one by one")));
	is_array = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, PG_NARGS() * sizeof(bool));
	for (int i = 0; i < PG_NARGS(); i++)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, i);

		if (type != TEXTOID && type != TEXTARRAYOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("words are text or text[]")));
		is_array[i] = type == TEXTARRAYOID;
	}
	fcinfo->flinfo->fn_extra = is_array;
	return is_array;
}

static bool
all_null(FunctionCallInfo fcinfo)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (!PG_ARGISNULL(i))
			return false;
	return true;
}

PG_FUNCTION_INFO_V1(dun_gate_sql_words);

/* _words(VARIADIC text or text[]) → text[], NULL where there are none */
Datum
dun_gate_sql_words(PG_FUNCTION_ARGS)
{
	const bool *is_array = array_arguments(fcinfo);
	ArrayBuildState *words = NULL;

	if (all_null(fcinfo))
		PG_RETURN_NULL();
	for (int i = 0; i < PG_NARGS(); i++)
	{
		Datum	   *elements;
		bool	   *nulls;
		int			n;

		if (PG_ARGISNULL(i))
			continue;
		if (!is_array[i])
		{
			words = accumArrayResult(words, PG_GETARG_DATUM(i), false, TEXTOID, CurrentMemoryContext);
			continue;
		}
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
		for (int k = 0; k < n; k++)
			if (!nulls[k])
				words = accumArrayResult(words, elements[k], false, TEXTOID, CurrentMemoryContext);
	}
	if (words == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(makeArrayResult(words, CurrentMemoryContext));
}

/* ---- who stands there twice ---- */

typedef struct Seen
{
	text	   *id;
	uint64		hash;
	bool		told;
} Seen;

/* Where this id stands in the table, or the empty place where it belongs. */
static Seen *
find_seen(Seen *table, uint32 mask, text *id, uint64 hash)
{
	for (uint32 at = (uint32) hash & mask;; at = (at + 1) & mask)
	{
		Seen	   *seen = &table[at];

		if (seen->id == NULL ||
			(seen->hash == hash && VARSIZE_ANY_EXHDR(seen->id) == VARSIZE_ANY_EXHDR(id) &&
			 memcmp(VARDATA_ANY(seen->id), VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id)) == 0))
			return seen;
	}
}

PG_FUNCTION_INFO_V1(dun_gate_sql_repeated);

/* _repeated(ids text[]) → text[] */
Datum
dun_gate_sql_repeated(PG_FUNCTION_ARGS)
{
	Datum	   *ids;
	bool	   *nulls;
	Datum	   *repeated;
	int			nrepeated = 0;
	int			n;
	uint32		size = 16;
	Seen	   *table;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &ids, &nulls, &n);
	while (size < 2 * (uint32) n)
		size *= 2;
	table = MemoryContextAllocExtended(CurrentMemoryContext, size * sizeof(Seen), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	repeated = palloc_extended((n + 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		text	   *id;
		uint64		hash;
		Seen	   *seen;

		if (nulls[i])
			continue;
		id = DatumGetTextPP(ids[i]);
		hash = dun_base_hash64(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id), 0);
		seen = find_seen(table, size - 1, id, hash);
		if (seen->id == NULL)
		{
			seen->id = id;
			seen->hash = hash;
		}
		else if (!seen->told)
		{
			seen->told = true;
			repeated[nrepeated++] = ids[i];
		}
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(repeated, nrepeated, TEXTOID, -1, false, TYPALIGN_INT));
}
