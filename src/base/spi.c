/*
 * base/spi.c
 *		Prepared statements of the rooms.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "base/spi.h"

uint64
dun_base_run(DunStatement *st, const Datum *args, const char *nulls, bool read_only, long limit)
{
	int			rc;

	if (st->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare_cursor(st->sql, st->nargs, st->types, st->cursor_options);

		if (plan == NULL)
			elog(ERROR, "could not prepare \"%s\": %s", st->sql, SPI_result_code_string(SPI_result));
		if (SPI_keepplan(plan) != 0)
			elog(ERROR, "could not keep the plan of \"%s\"", st->sql);
		st->plan = plan;
	}
	rc = SPI_execute_plan(st->plan, unconstify(Datum *, args), nulls, read_only, limit);
	if (rc < 0)
		elog(ERROR, "could not run \"%s\": %s", st->sql, SPI_result_code_string(rc));
	return SPI_processed;
}

void
dun_base_forget(DunStatement *st)
{
	if (st->plan != NULL)
	{
		SPI_freeplan(st->plan);
		st->plan = NULL;
	}
}

Datum
dun_base_value(uint64 row, int col, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, col, isnull);
}

char *
dun_base_text(uint64 row, int col)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, col);
}
