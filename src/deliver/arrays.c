/*
 * deliver/arrays.c
 *		Columns of a batch as array parameters: one statement a batch, not one a message.
 */
#include "postgres.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "deliver/arrays.h"

DunColumn *
dun_deliver_column(Oid type, int size)
{
	DunColumn  *c = palloc0(sizeof(DunColumn));

	c->type = type;
	c->size = Max(size, 1);
	c->values = palloc(c->size * sizeof(Datum));
	c->nulls = palloc(c->size * sizeof(bool));
	return c;
}

static void
push(DunColumn *c, Datum value, bool isnull)
{
	Assert(c->n < c->size);
	c->values[c->n] = value;
	c->nulls[c->n++] = isnull;
}

void
dun_deliver_push(DunColumn *column, Datum value)
{
	push(column, value, false);
}

void
dun_deliver_push_null(DunColumn *column)
{
	push(column, (Datum) 0, true);
}

void
dun_deliver_push_text(DunColumn *column, const char *text)
{
	if (text == NULL)
		dun_deliver_push_null(column);
	else
		dun_deliver_push(column, CStringGetTextDatum(text));
}

Datum
dun_deliver_array(const DunColumn *column)
{
	int16		len;
	bool		byval;
	char		align;
	int			dims[1] = {column->n};
	int			lower[1] = {1};

	get_typlenbyvalalign(column->type, &len, &byval, &align);
	if (column->n == 0)
		return PointerGetDatum(construct_empty_array(column->type));
	return PointerGetDatum(construct_md_array(column->values, column->nulls, 1, dims, lower, column->type, len, byval, align));
}
