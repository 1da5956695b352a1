/*
 * charge/column.h
 *		Arrays as arguments, and the little arithmetic of numeric that charges are made of.
 *
 * Sums of money stay numeric: whatever the ledger holds is counted exactly.
 */
#ifndef DUN_CHARGE_COLUMN_H
#define DUN_CHARGE_COLUMN_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/date.h"

typedef struct DunValues
{
	int			n;
	Datum	   *values;
	bool	   *nulls;
} DunValues;

/* The array of an argument, of elements of this type; none where it is NULL. 22023 where it is of several dimensions. */
extern void dun_charge_read_values(FunctionCallInfo fcinfo, int arg, Oid type, DunValues *into);

/* A flat array of a result. */
extern Datum dun_charge_make_array(Datum *values, int n, Oid type);

extern Datum dun_charge_number(int64 value);
extern Datum dun_charge_add(Datum a, Datum b);
extern Datum dun_charge_subtract(Datum a, Datum b);
extern Datum dun_charge_multiply(Datum a, Datum b);
extern int	dun_charge_compare(Datum a, Datum b);
extern Datum dun_charge_least(Datum a, Datum b);

#endif
