/*
 * base/spi.h
 *		Typed statements over SPI: prepared once, kept, run with values; results read by column number.
 *
 * A DunStatement lives as long as the process (plans are saved). Callers are inside SPI_connect().
 */
#ifndef DUN_BASE_SPI_H
#define DUN_BASE_SPI_H

#include "postgres.h"

#include "executor/spi.h"
#include "tcop/dest.h"

#define DUN_STATEMENT_ARGS 24

typedef struct DunStatement
{
	const char *sql;
	int			nargs;
	Oid			types[DUN_STATEMENT_ARGS];
	SPIPlanPtr	plan;			/* NULL until first run */
	int			cursor_options; /* CURSOR_OPT_GENERIC_PLAN where planning costs more than a better plan saves */
	bool		in_index_order; /* read along an index: a kept plan may stem from the time when the table was empty */
	bool		harmless;		/* reads, or writes nothing that a gate's answer on another message rests on */
} DunStatement;

/* How often dun_base_run() has run a statement that is neither harmless nor read-only: see deliver/epoch.h. */
extern uint64 dun_base_harmful_runs;

/*
 * Run a statement, preparing it at first need; `nulls` may be NULL (no argument is). `limit` 0 = all rows.
 * Returns SPI_processed; the rows stand in SPI_tuptable. An SPI failure is an ERROR.
 */
extern uint64 dun_base_run(DunStatement *st, const Datum *args, const char *nulls, bool read_only, long limit);

/*
 * Run a reading statement and hand each row, as it comes, to a receiver, which may say that it has enough. `read_only`: in the
 * caller's snapshot, else in a new one.
 */
extern void dun_base_run_into(DunStatement *st, Datum *args, bool read_only, DestReceiver *receiver);

/* Forget the plan, for a statement whose text has changed. */
extern void dun_base_forget(DunStatement *st);

/* Give a statement whose text is not a constant this one (copied): its plan is kept where the text is the same as before. */
extern void dun_base_renew(DunStatement *st, const char *text);

/* Column `col` (from 1) of row `row` (from 0) of SPI_tuptable. */
extern Datum dun_base_value(uint64 row, int col, bool *isnull);

/* The same as text in the current memory context, NULL where the column is. */
extern char *dun_base_text(uint64 row, int col);

#endif
