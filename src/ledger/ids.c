/*
 * ledger/ids.c
 *		Canonical debtor ids (text) as values of a source's own key type, so that a look-up compares the
 *		source's column with its own type and the source's own index serves.
 *
 * A batch may hold ids of a source that is no longer bound ('D-1' where keys are bigint now). Such an id
 * names nobody: it is left out rather than failing the others of its batch. A caller who names one single
 * debtor has passed _canonical_id() before, which does complain.
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

/* Longer digit strings than this are no key of anybody; numeric_in would take 131072 of them. */
#define MAX_DIGITS 1000

typedef bool (*ReadId) (const char *id, Datum *result);

static bool
is_integer(const char *id)
{
	const char *digit = id + (*id == '-');
	size_t		n = strspn(digit, "0123456789");

	return n > 0 && n <= MAX_DIGITS && digit[n] == '\0';
}

static bool
read_int8(const char *id, Datum *result)
{
	long long	value;
	char	   *end;

	if (!is_integer(id))
		return false;
	errno = 0;
	value = strtoll(id, &end, 10);
	if (errno != 0 || *end != '\0')
		return false;
	*result = Int64GetDatum((int64) value);
	return true;
}

static bool
read_numeric(const char *id, Datum *result)
{
	if (!is_integer(id))
		return false;
	*result = DirectFunctionCall3(numeric_in, CStringGetDatum(id),
								  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return true;
}

static bool
read_uuid(const char *id, Datum *result)
{
	size_t		i;

	for (i = 0; i < 36; i++)
	{
		bool		hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? id[i] != '-' : !isxdigit((unsigned char) id[i]))
			return false;
	}
	if (id[36] != '\0')
		return false;
	*result = DirectFunctionCall1(uuid_in, CStringGetDatum(id));
	return true;
}

static Datum
read_ids(ArrayType *ids, Oid type, int16 typlen, bool byval, char align, ReadId read)
{
	Datum	   *texts;
	bool	   *nulls;
	Datum	   *values;
	int			n;
	int			found = 0;

	deconstruct_array(ids, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &n);
	values = palloc(sizeof(Datum) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		char	   *id;

		if (nulls[i])
			continue;
		id = TextDatumGetCString(texts[i]);
		if (read(id, &values[found]))
			found++;
		pfree(id);
	}
	return PointerGetDatum(construct_array(values, found, type, typlen, byval, align));
}

PG_FUNCTION_INFO_V1(dun_ledger_sql_ids_int8);

Datum
dun_ledger_sql_ids_int8(PG_FUNCTION_ARGS)
{
	return read_ids(PG_GETARG_ARRAYTYPE_P(0), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, read_int8);
}

PG_FUNCTION_INFO_V1(dun_ledger_sql_ids_numeric);

Datum
dun_ledger_sql_ids_numeric(PG_FUNCTION_ARGS)
{
	return read_ids(PG_GETARG_ARRAYTYPE_P(0), NUMERICOID, -1, false, TYPALIGN_INT, read_numeric);
}

PG_FUNCTION_INFO_V1(dun_ledger_sql_ids_uuid);

Datum
dun_ledger_sql_ids_uuid(PG_FUNCTION_ARGS)
{
	return read_ids(PG_GETARG_ARRAYTYPE_P(0), UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, read_uuid);
}
