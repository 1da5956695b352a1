/*
 * ledger/probe.c
 *		Trying a statement as the worker will run it. bind() is dunning_owner's and a security definer
 *		function may not SET ROLE; rights of a role can be asked for, but not those that a
 *		security_invoker view asks for one level down. Only the attempt tells.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "base/user.h"

PG_FUNCTION_INFO_V1(dun_ledger_sql_probe_as_worker);

/* Runs the statement read-only for at most one row and forgets the result; its error is the caller's. */
Datum
dun_ledger_sql_probe_as_worker(PG_FUNCTION_ARGS)
{
	char	   *sql = text_to_cstring(PG_GETARG_TEXT_PP(0));
	DunUser		before = dun_base_become(DUN_WORKER_ROLE);
	int			rc;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to the SPI");
	rc = SPI_execute(sql, true, 1);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "could not try \"%s\": %s", sql, SPI_result_code_string(rc));
	SPI_finish();
	dun_base_unbecome(before);
	PG_RETURN_VOID();
}
