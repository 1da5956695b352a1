/*
 * deliver/arrays.h
 *		Columns of a batch as array parameters, for unnest().
 */
#ifndef DUN_DELIVER_ARRAYS_H
#define DUN_DELIVER_ARRAYS_H

#include "postgres.h"

typedef struct DunColumn
{
	Oid			type;
	int			n;
	int			size;
	Datum	   *values;
	bool	   *nulls;
} DunColumn;

extern DunColumn *dun_deliver_column(Oid type, int size);
extern void dun_deliver_push(DunColumn *column, Datum value);
extern void dun_deliver_push_null(DunColumn *column);

/* NULL text becomes a NULL element. */
extern void dun_deliver_push_text(DunColumn *column, const char *text);

extern Datum dun_deliver_array(const DunColumn *column);

#endif
