/*
 * ledger/kept.c
 *		Keeping statements whose texts depend on what is bound.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "funcapi.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "ledger/kept.h"

#define RENEW_EVERY_MS 10000

char *
dun_ledger_texts_changed(const DunTextsRead *read)
{
	static DunStatement signature_sql = {"SELECT dunning._ledger_signature()", 0, {0}, NULL};
	TimestampTz now = GetCurrentTimestamp();
	char	   *current;

	dun_base_run(&signature_sql, NULL, NULL, true, 1);
	current = dun_base_text(0, 1);
	/* A clock that was set back says nothing. */
	if (read->signature != NULL && strcmp(read->signature, current) == 0 && now >= read->at &&
		!TimestampDifferenceExceeds(read->at, now, RENEW_EVERY_MS))
		return NULL;
	return current;
}

void
dun_ledger_note_texts(DunTextsRead *read, const char *signature)
{
	char	   *copy = MemoryContextStrdup(TopMemoryContext, signature);

	if (read->signature != NULL)
		pfree(read->signature);
	*read = (DunTextsRead) {copy, GetCurrentTimestamp()};
}

static void
keep_query(DunKeptQuery *kept)
{
	char	   *signature = dun_ledger_texts_changed(&kept->read);

	if (signature == NULL)
		return;
	dun_base_run(&kept->text, NULL, NULL, true, 1);
	dun_base_renew(&kept->query, dun_base_text(0, 1));
	dun_ledger_note_texts(&kept->read, signature);
}

Datum
dun_ledger_answer_by_kept(FunctionCallInfo fcinfo, DunKeptQuery *kept, const int *places)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		args[DUN_STATEMENT_ARGS] = {0};
	char		nulls[DUN_STATEMENT_ARGS + 1] = "";

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < kept->query.nargs; i++)
	{
		bool		given = places[i] >= 0 && !PG_ARGISNULL(places[i]);

		nulls[i] = given ? ' ' : 'n';
		if (given)
			args[i] = PG_GETARG_DATUM(places[i]);
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "no connection to the server's own interface");
	keep_query(kept);
	dun_base_run(&kept->query, args, nulls, true, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	return (Datum) 0;
}
