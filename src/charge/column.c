/*
 * charge/column.c
 *		Arrays in and out, and numeric by its own functions.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "charge/column.h"

void
dun_charge_read_values(FunctionCallInfo fcinfo, int arg, Oid type, DunValues *into)
{
	ArrayType  *array;
	int16		len;
	bool		byval;
	char		align;

	memset(into, 0, sizeof(*into));
	if (PG_ARGISNULL(arg))
		return;
	array = PG_GETARG_ARRAYTYPE_P(arg);
	if (ARR_ELEMTYPE(array) != type || ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument %d must be a flat array", arg + 1)));
	get_typlenbyvalalign(type, &len, &byval, &align);
	deconstruct_array(array, type, len, byval, align, &into->values, &into->nulls, &into->n);
}

Datum
dun_charge_make_array(Datum *values, int n, Oid type)
{
	int16		len;
	bool		byval;
	char		align;

	get_typlenbyvalalign(type, &len, &byval, &align);
	return PointerGetDatum(construct_array(values, n, type, len, byval, align));
}

Datum
dun_charge_number(int64 value)
{
	return DirectFunctionCall1(int8_numeric, Int64GetDatum(value));
}

Datum
dun_charge_add(Datum a, Datum b)
{
	return DirectFunctionCall2(numeric_add, a, b);
}

Datum
dun_charge_subtract(Datum a, Datum b)
{
	return DirectFunctionCall2(numeric_sub, a, b);
}

Datum
dun_charge_multiply(Datum a, Datum b)
{
	return DirectFunctionCall2(numeric_mul, a, b);
}

int
dun_charge_compare(Datum a, Datum b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, a, b));
}

Datum
dun_charge_least(Datum a, Datum b)
{
	return dun_charge_compare(a, b) <= 0 ? a : b;
}
