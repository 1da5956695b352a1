/*
 * score/rows.h
 *		A query's rows, one by one. Called inside SPI.
 */
#ifndef DUN_SCORE_ROWS_H
#define DUN_SCORE_ROWS_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "executor/spi.h"

/* `start` gets the row type before any row; a row is valid until `take` returns. */
typedef void (*DunRowStart) (void *state, TupleDesc desc);
typedef void (*DunRowTake) (void *state, Datum *values, bool *nulls);

/* One SELECT, read-only, as the current user; anything else is an error. */
extern SPIPlanPtr dun_score_prepare_rows(const char *query);
extern TupleDesc dun_score_rows_type(SPIPlanPtr plan);

/* Will workers run a part of it? */
extern bool dun_score_rows_parallel(SPIPlanPtr plan);

/* Calls `take` for each row and frees the plan; returns the number of rows. */
extern uint64 dun_score_run_rows(SPIPlanPtr plan, DunRowStart start, DunRowTake take, void *state);

/* Both in one. */
extern uint64 dun_score_read_rows(const char *query, DunRowStart start, DunRowTake take, void *state);

#endif
