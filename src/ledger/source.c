/*
 * ledger/source.c
 *		Which relation serves a kind, the text that reads it, and that all is well with them, remembered by the session.
 *
 * A planning run composes some dozen texts that read the ledger, and send() six. Each asks which relation and columns that is;
 * looking takes a millisecond and composing half of one, together a third of a small run. What was found is forgotten at bind()
 * and unbind(), here or elsewhere, when one of the relations, any schema or any role changes, when a transaction or a part of one
 * is undone, and after ten seconds (ledger/kept.h).
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "base/spi.h"
#include "base/user.h"
#include "ledger/kept.h"

#define KNOWN 64
#define KEY_LEN 200				/* a longer text is composed each time */
#define SOURCE_COLUMNS 4		/* of _source_of() */

typedef struct Known
{
	const char *key;
	Datum		value;			/* a row or a text */
	Oid			relation;		/* whose change ends it */
} Known;

static Known known[KNOWN];
static int	nknown;				/* 0 once something changed */
static TimestampTz known_in;	/* the statement of the client for which it was asked whether it holds; 0 in a new transaction */
static DunTextsRead known_read;
static MemoryContext known_context;

/* ---- forgetting ---- */

static void
forget_on_change(Datum arg, Oid relation)
{
	for (int i = 0; i < nknown; i++)
		if (relation == InvalidOid || known[i].relation == relation)
			nknown = 0;
}

static void
forget_on_name(Datum arg, int cacheid, uint32 hashvalue)
{
	nknown = 0;
}

static void
forget_at_end(XactEvent event, void *arg)
{
	known_in = 0;				/* one CALL may have many transactions */
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_COMMIT)
		nknown = 0;
}

static void
forget_at_subend(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		nknown = 0;
}

static void
make_context(void)
{
	CacheRegisterRelcacheCallback(forget_on_change, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_on_name, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, forget_on_name, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, forget_on_name, (Datum) 0);
	RegisterXactCallback(forget_at_end, NULL);
	RegisterSubXactCallback(forget_at_subend, NULL);
	known_context = AllocSetContextCreate(TopMemoryContext, "dunning sources", ALLOCSET_SMALL_SIZES);
}

PG_FUNCTION_INFO_V1(dun_ledger_sql_forget_sources);

/* _forget_sources() */
Datum
dun_ledger_sql_forget_sources(PG_FUNCTION_ARGS)
{
	nknown = 0;
	PG_RETURN_VOID();
}

/* ---- remembering ---- */

/* Once a statement of the client and transaction: what was found before it may hold no more. */
static void
look_whether_known_holds(void)
{
	DunUser		before;
	char	   *signature;

	if (known_in == GetCurrentStatementStartTimestamp())
		return;
	before = dun_base_become(DUN_OWNER_ROLE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to the SPI");
	signature = dun_ledger_texts_changed(&known_read);
	if (signature != NULL || nknown == KNOWN)
		nknown = 0;
	if (signature != NULL)
		dun_ledger_note_texts(&known_read, signature);
	SPI_finish();
	dun_base_unbecome(before);
	known_in = GetCurrentStatementStartTimestamp();
}

static const Known *
find_known(const char *key)
{
	look_whether_known_holds();
	for (int i = 0; i < nknown; i++)
		if (strcmp(known[i].key, key) == 0)
			return &known[i];
	return NULL;
}

static void
remember(const char *key, Datum value, Oid relation)
{
	MemoryContext before;

	if (strlen(key) >= KEY_LEN || nknown == KNOWN)
		return;
	if (known_context == NULL)
		make_context();
	if (nknown == 0)
		MemoryContextReset(known_context);
	before = MemoryContextSwitchTo(known_context);
	known[nknown] = (Known) {pstrdup(key), datumCopy(value, false, -1), relation};
	MemoryContextSwitchTo(before);
	nknown++;
}

/* ---- looking ---- */

static void
ask(DunStatement *statement, Datum *args, const char *nulls)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to the SPI");
	dun_base_run(statement, args, nulls, true, 1);
}

/* A row of the type that the caller wants, in the current memory context, and the relation. */
static Datum
look_at_source(const char *kind, TupleDesc desc, Oid *relation)
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

	ask(&look, &arg, kind == NULL ? "n" : NULL);
	for (int i = 0; i < SOURCE_COLUMNS; i++)
		values[i] = dun_base_value(0, i + 1, &nulls[i]);
	*relation = RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(DatumGetTextPP(values[0]))), NoLock, false);
	MemoryContextSwitchTo(here);
	row = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	SPI_finish();
	dun_base_unbecome(before);
	return row;
}

static char *
text_or_null(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

PG_FUNCTION_INFO_V1(dun_ledger_sql_source_of);

/* _source_of(kind) → relation, builtin, columns, immutable */
Datum
dun_ledger_sql_source_of(PG_FUNCTION_ARGS)
{
	char	   *kind = text_or_null(fcinfo, 0);
	const Known *k = kind == NULL ? NULL : find_known(kind);
	TupleDesc	desc;
	Oid			relation;
	Datum		row;

	if (k != NULL)
		PG_RETURN_DATUM(datumCopy(k->value, false, -1));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	row = look_at_source(kind, desc, &relation);
	if (kind != NULL)
		remember(kind, row, relation);
	PG_RETURN_DATUM(row);
}

/* A kind alone is the key of its source. Lengths tell one pair of texts from another that reads the same end to end. */
static char *
text_key(char *const parts[3])
{
	StringInfoData key;

	initStringInfo(&key);
	for (int i = 0; i < 3; i++)
		appendStringInfo(&key, "%d:%s\n", parts[i] == NULL ? -1 : (int) strlen(parts[i]), parts[i] == NULL ? "" : parts[i]);
	return key.data;
}

static Datum
compose_text(Datum *args, const char *nulls)
{
	static DunStatement compose = {
		.sql = "SELECT dunning._compose_ledger_sql($1, $2, $3)",
		.nargs = 3, .types = {TEXTOID, TEXTOID, TEXTOID}, .harmless = true};
	MemoryContext here = CurrentMemoryContext;
	DunUser		before = dun_base_become(DUN_OWNER_ROLE);
	Datum		composed;
	bool		isnull;

	ask(&compose, args, nulls);
	composed = dun_base_value(0, 1, &isnull);
	MemoryContextSwitchTo(here);
	composed = datumCopy(composed, false, -1);
	SPI_finish();
	dun_base_unbecome(before);
	return composed;
}

PG_FUNCTION_INFO_V1(dun_ledger_sql_ledger_sql);

/* _ledger_sql(kind, many, as_of) → text */
Datum
dun_ledger_sql_ledger_sql(PG_FUNCTION_ARGS)
{
	char	   *parts[3];
	char		nulls[4] = "";
	Datum		args[3];
	char	   *key;
	const Known *k;
	Datum		composed;

	for (int i = 0; i < 3; i++)
	{
		parts[i] = text_or_null(fcinfo, i);
		nulls[i] = parts[i] == NULL ? 'n' : ' ';
		args[i] = PG_GETARG_DATUM(i);
	}
	key = text_key(parts);
	k = find_known(key);
	if (k != NULL)
		PG_RETURN_DATUM(datumCopy(k->value, false, -1));
	composed = compose_text(args, nulls);
	/* Where its source is known no more, something changed meanwhile. */
	k = parts[0] == NULL ? NULL : find_known(parts[0]);
	if (k != NULL)
		remember(key, composed, k->relation);
	PG_RETURN_DATUM(composed);
}

PG_FUNCTION_INFO_V1(dun_ledger_sql_whole);

/* _ledger_whole() → boolean */
Datum
dun_ledger_sql_whole(PG_FUNCTION_ARGS)
{
	static DunStatement look = {
		.sql = "SELECT (dunning._source_fault(b)).fault IS NULL, b.relation FROM dunning.source_binding b",
		.harmless = true};
	static const char *const key = "whole";	/* no kind of source */
	MemoryContext here = CurrentMemoryContext;
	DunUser		before;
	bool		whole = true;
	List	   *relations = NIL;
	ListCell   *cell;
	uint64		rows;

	if (find_known(key) != NULL)
		PG_RETURN_BOOL(true);
	before = dun_base_become(DUN_OWNER_ROLE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to the SPI");
	rows = dun_base_run(&look, NULL, NULL, true, 0);
	for (uint64 i = 0; i < rows && whole; i++)
	{
		bool		isnull;
		text	   *name = DatumGetTextPP(dun_base_value(i, 2, &isnull));

		whole = DatumGetBool(dun_base_value(i, 1, &isnull)) && !isnull;
		if (whole)
			relations = lappend_oid(relations, RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(name)), NoLock, false));
	}
	MemoryContextSwitchTo(here);
	/* Once for each relation, whichever changes; where there is no room for all, for none. */
	if (whole && nknown + list_length(relations) < KNOWN)
		foreach(cell, relations)
			remember(key, PointerGetDatum(cstring_to_text("")), lfirst_oid(cell));
	SPI_finish();
	dun_base_unbecome(before);
	PG_RETURN_BOOL(whole);
}
