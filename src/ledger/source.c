/*
 * ledger/source.c
 *		Which relation serves a kind, remembered for the length of a statement.
 *
 * A planning run composes some dozen texts that read the ledger, and each asks which relation and columns that is; looking
 * takes a millisecond, the texts together took a third of a small run. What was found is forgotten at the next statement of
 * the client, at the next write of our own, when any relation changes, and when a (sub)transaction ends.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/spi.h"
#include "base/user.h"

#define KINDS 8
#define SOURCE_COLUMNS 4		/* of _source_of() */

typedef struct Known
{
	char		kind[NAMEDATALEN];
	TimestampTz statement;
	CommandId	command;
	Datum		row;			/* in known_context */
} Known;

static Known known[KINDS];
static int	nknown;				/* 0 once something changed */
static MemoryContext known_context;

/* ---- forgetting ---- */

static void
forget_on_change(Datum arg, Oid relation)
{
	nknown = 0;
}

static void
forget_at_end(XactEvent event, void *arg)
{
	nknown = 0;
}

static void
forget_at_subend(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	nknown = 0;
}

static void
make_context(void)
{
	CacheRegisterRelcacheCallback(forget_on_change, (Datum) 0);
	RegisterXactCallback(forget_at_end, NULL);
	RegisterSubXactCallback(forget_at_subend, NULL);
	known_context = AllocSetContextCreate(TopMemoryContext, "dunning sources", ALLOCSET_SMALL_SIZES);
}

/* ---- remembering ---- */

static const Known *
find_known(const char *kind)
{
	for (int i = 0; i < nknown; i++)
		if (strcmp(known[i].kind, kind) == 0 && known[i].statement == GetCurrentStatementStartTimestamp() &&
			known[i].command == GetCurrentCommandId(false))
			return &known[i];
	return NULL;
}

static void
remember(const char *kind, Datum row)
{
	MemoryContext before;

	if (strlen(kind) >= NAMEDATALEN)
		return;
	if (known_context == NULL)
		make_context();
	if (nknown == KINDS)
		nknown = 0;
	if (nknown == 0)
		MemoryContextReset(known_context);
	before = MemoryContextSwitchTo(known_context);
	strlcpy(known[nknown].kind, kind, NAMEDATALEN);
	known[nknown].statement = GetCurrentStatementStartTimestamp();
	known[nknown].command = GetCurrentCommandId(false);
	known[nknown].row = datumCopy(row, false, -1);
	MemoryContextSwitchTo(before);
	nknown++;
}

/* ---- looking ---- */

/* A row of the type that the caller wants, in the current memory context. */
static Datum
look_at_source(const char *kind, TupleDesc desc)
{
	static DunStatement look = {
		.sql = "SELECT s.relation, s.builtin, s.columns, s.immutable FROM dunning._look_at_source($1) s",
		.nargs = 1, .types = {TEXTOID}, .harmless = true};
	MemoryContext here = CurrentMemoryContext;
	DunUser		before = dun_base_become(DUN_OWNER_ROLE);
	Datum		arg = kind == NULL ? (Datum) 0 : CStringGetTextDatum(kind);
	Datum		values[SOURCE_COLUMNS];
	bool		nulls[SOURCE_COLUMNS];
	Datum		row;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to the SPI");
	dun_base_run(&look, &arg, kind == NULL ? "n" : NULL, true, 1);
	for (int i = 0; i < SOURCE_COLUMNS; i++)
		values[i] = dun_base_value(0, i + 1, &nulls[i]);
	MemoryContextSwitchTo(here);
	row = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	SPI_finish();
	dun_base_unbecome(before);
	return row;
}

PG_FUNCTION_INFO_V1(dun_ledger_sql_source_of);

/* _source_of(kind) → relation, builtin, columns, immutable */
Datum
dun_ledger_sql_source_of(PG_FUNCTION_ARGS)
{
	char	   *kind = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	const Known *k = kind == NULL ? NULL : find_known(kind);
	TupleDesc	desc;
	Datum		row;

	if (k != NULL)
		PG_RETURN_DATUM(datumCopy(k->row, false, -1));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	row = look_at_source(kind, desc);
	if (kind != NULL)
		remember(kind, row);
	PG_RETURN_DATUM(row);
}
