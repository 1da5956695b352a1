/*
 * plan/read.h
 *		Statements of a planning run: each is read once, row by row, as whoever calls, and handed to a function.
 */
#ifndef DUN_PLAN_READ_H
#define DUN_PLAN_READ_H

#include "postgres.h"

#define DUN_ARGUMENTS 6

typedef struct DunArguments
{
	int			n;
	Oid			types[DUN_ARGUMENTS];
	Datum		values[DUN_ARGUMENTS];
	bool		isnull[DUN_ARGUMENTS];
} DunArguments;

typedef void (*DunTake) (void *state, const Datum *v, const bool *isnull);

/* Inside SPI_connect(). A first column of integers is handed over as text. Values are of the row alone: what is kept must be copied. */
extern void dun_plan_read(const char *sql, const DunArguments *arguments, DunTake take, void *state);

/* Column `i`, a text, in place; NULL where it is. */
extern const char *dun_plan_text_at(const Datum *v, const bool *isnull, int i, int *len);

/* The same as a string of its own in `context`. */
extern char *dun_plan_name_at(MemoryContext context, const Datum *v, const bool *isnull, int i);

#endif
