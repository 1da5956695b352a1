/*
 * base/spi.c
 *		Prepared statements of the rooms.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/memutils.h"
#include "nodes/params.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "base/spi.h"

uint64		dun_base_harmful_runs = 0;

static void
keep_plan(DunStatement *st)
{
	SPIPlanPtr	plan;

	if (st->plan != NULL)
		return;
	plan = SPI_prepare_cursor(st->sql, st->nargs, st->types, st->cursor_options);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", st->sql, SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the plan of \"%s\"", st->sql);
	st->plan = plan;
}

/* Planning may happen at any run, so the settings stand during each; an error ends them with its transaction. */
static int
prefer_index_order(void)
{
	static const char *const costly[] = {"enable_bitmapscan", "enable_seqscan", "enable_sort", "enable_hashjoin", "enable_mergejoin"};
	int			level = NewGUCNestLevel();

	for (int i = 0; i < lengthof(costly); i++)
		(void) set_config_option(costly[i], "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

uint64
dun_base_run(DunStatement *st, const Datum *args, const char *nulls, bool read_only, long limit)
{
	int			level = st->in_index_order ? prefer_index_order() : 0;
	int			rc;

	if (!read_only && !st->harmless)
		dun_base_harmful_runs++;
	keep_plan(st);
	rc = SPI_execute_plan(st->plan, unconstify(Datum *, args), nulls, read_only, limit);
	if (level > 0)
		AtEOXact_GUC(false, level);
	if (rc < 0)
		elog(ERROR, "could not run \"%s\": %s", st->sql, SPI_result_code_string(rc));
	return SPI_processed;
}

void
dun_base_run_into(DunStatement *st, Datum *args, bool read_only, DestReceiver *receiver)
{
	SPIExecuteOptions options = {0};
	int			level = st->in_index_order ? prefer_index_order() : 0;
	int			rc;

	keep_plan(st);
	options.params = makeParamList(st->nargs);
	for (int i = 0; i < st->nargs; i++)
	{
		ParamExternData *param = &options.params->params[i];

		param->value = args[i];
		param->isnull = false;
		param->pflags = PARAM_FLAG_CONST;
		param->ptype = st->types[i];
	}
	options.read_only = read_only;
	options.dest = receiver;
	rc = SPI_execute_plan_extended(st->plan, &options);
	if (level > 0)
		AtEOXact_GUC(false, level);
	if (rc < 0)
		elog(ERROR, "could not run \"%s\": %s", st->sql, SPI_result_code_string(rc));
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

void
dun_base_renew(DunStatement *st, const char *text)
{
	if (st->sql != NULL && strcmp(st->sql, text) == 0)
		return;
	dun_base_forget(st);
	if (st->sql != NULL)
		pfree(unconstify(char *, st->sql));
	st->sql = NULL;
	st->sql = MemoryContextStrdup(TopMemoryContext, text);
}

Datum
dun_base_value(uint64 row, int col, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, col, isnull);
}

char *
dun_base_text(uint64 row, int col)
{
	bool		isnull;
	Datum		value;

	/* Most columns are text, and SPI_getvalue() looks up how a type is printed each time. */
	if (TupleDescAttr(SPI_tuptable->tupdesc, col - 1)->atttypid != TEXTOID)
		return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, col);
	value = dun_base_value(row, col, &isnull);
	return isnull ? NULL : TextDatumGetCString(value);
}
