/*
 * base/append.h
 *		Many new rows into one of our tables at once.
 *
 * INSERT ... SELECT FROM unnest() passes each value through a tuplestore and writes a log record a row. Here pages are
 * filled and logged whole, as COPY does. All else is as with INSERT: the current role's rights, the months' bounds, NOT
 * NULL and CHECK, unique keys (23505). A table with triggers or row security is refused (DN010): they would not run.
 */
#ifndef DUN_BASE_APPEND_H
#define DUN_BASE_APPEND_H

#include "postgres.h"

#define DUN_APPEND_COLUMNS 32

/* A table of the schema dunning, partitioned by range of its first named column unless it is plain; columns that are not named are NULL. */
typedef struct DunAppendTo
{
	const char *table;
	int			ncolumns;
	const char *columns[DUN_APPEND_COLUMNS];
	bool		plain;
} DunAppendTo;

typedef struct DunAppend DunAppend;

/* Inside a transaction; what is pushed must live until the end, and so must the current memory context. */
extern DunAppend *dun_base_open_append(const DunAppendTo *to);
extern void dun_base_append_row(DunAppend *a, const Datum *values, const bool *nulls);
extern void dun_base_close_append(DunAppend *a);

/* False where the table, or a month of it, would be refused. */
extern bool dun_base_may_append(const DunAppendTo *to);

#endif
