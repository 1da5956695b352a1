/*
 * ledger/mark.c
 *		Marks of many debtors in one pass over their rows.
 *
 * _mark_sql() is what a mark is. The gate asks for thousands of them a second, nearly all of debtors whose rows hold
 * nothing odd, and for those grouping and adding in the executor costs more than reading. So the plain rows are added
 * here, in a table of the asked debtors, and as soon as anything is odd (an amount that is no number of at most six
 * decimals, a fault, a dispute, a sum too large) the debtor is given to the query that defines a mark instead.
 *
 * Both texts are run as whoever calls, like any other part of his query, and in its snapshot.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "base/amount.h"
#include "base/compat.h"
#include "base/hash.h"
#include "base/spi.h"

#define CURRENCY_LEN 16
#define NO_FAULT 5				/* of _balance_rows_sql() */

/* Columns of _balance_rows_sql(). */
enum
{
	ROW_DEBTOR, ROW_CURRENCY, ROW_OWED, ROW_PAID, ROW_DISPUTED, ROW_FAULT, ROW_COLUMNS
};

typedef struct Sum
{
	char		currency[CURRENCY_LEN];
	int			len;
	int64		balance;		/* millionths */
	int64		paid;
	int64		payments;
	struct Sum *next;			/* in the order of the octets of `currency` */
} Sum;

typedef struct Debtor
{
	text	   *id;
	uint64		hash;
	bool		odd;
	Sum		   *sums;			/* most debtors have one */
	Sum			first;
} Debtor;

typedef struct Adding
{
	DestReceiver pub;
	MemoryContext context;		/* rows come in a context of the executor's */
	Debtor	   *debtors;
	int			n;
	int		   *table;			/* places in debtors, -1: none */
	uint32		mask;
} Adding;

/* --- the asked debtors --- */

static int *
find_place(const Adding *a, const char *id, int len, uint64 hash)
{
	for (uint32 at = (uint32) hash & a->mask;; at = (at + 1) & a->mask)
	{
		int		   *place = &a->table[at];

		if (*place < 0)
			return place;
		if (a->debtors[*place].hash == hash && VARSIZE_ANY_EXHDR(a->debtors[*place].id) == len &&
			memcmp(VARDATA_ANY(a->debtors[*place].id), id, len) == 0)
			return place;
	}
}

static void
list_debtors(Adding *a, ArrayType *ids)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(ids, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	for (a->mask = 16; a->mask < 2 * (uint32) n; a->mask *= 2)
		;
	a->debtors = palloc0((n + 1) * sizeof(Debtor));
	a->table = palloc(a->mask * sizeof(int));
	memset(a->table, -1, a->mask * sizeof(int));
	a->mask--;
	for (int i = 0; i < n; i++)
	{
		text	   *id;
		uint64		hash;
		int		   *place;

		if (nulls[i])
			continue;
		id = DatumGetTextPP(values[i]);
		hash = dun_base_hash64(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id), 0);
		place = find_place(a, VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id), hash);
		if (*place >= 0)
			continue;
		*place = a->n;
		a->debtors[a->n].id = id;
		a->debtors[a->n++].hash = hash;
	}
}

/* --- adding --- */

static Sum *
find_sum(MemoryContext context, Debtor *d, const char *currency, int len)
{
	Sum		  **at = &d->sums;
	Sum		   *made;

	for (; *at != NULL; at = &(*at)->next)
	{
		int			order = memcmp((*at)->currency, currency, Min((*at)->len, len));

		if (order == 0)
			order = (*at)->len - len;
		if (order == 0)
			return *at;
		if (order > 0)
			break;
	}
	made = d->first.len == 0 ? &d->first : MemoryContextAllocZero(context, sizeof(Sum));
	memcpy(made->currency, currency, len);
	made->len = len;
	made->next = *at;
	*at = made;
	return made;
}

/* False where the row is not plain. */
static bool
add_row(MemoryContext context, Debtor *d, TupleTableSlot *slot)
{
	const Datum *v = slot->tts_values;
	const bool *isnull = slot->tts_isnull;
	text	   *currency;
	int64		owed;
	int64		paid;
	int			len;
	Sum		   *sum;

	if (isnull[ROW_FAULT] || DatumGetInt32(v[ROW_FAULT]) != NO_FAULT || isnull[ROW_OWED] || isnull[ROW_CURRENCY])
		return false;
	if (!isnull[ROW_DISPUTED] && DatumGetBool(v[ROW_DISPUTED]))
		return false;
	currency = DatumGetTextPP(v[ROW_CURRENCY]);
	len = VARSIZE_ANY_EXHDR(currency);
	if (len == 0 || len >= CURRENCY_LEN || !dun_base_read_amount(v[ROW_OWED], &owed, NULL))
		return false;
	sum = find_sum(context, d, VARDATA_ANY(currency), len);
	if (pg_add_s64_overflow(sum->balance, owed, &sum->balance))
		return false;
	if (isnull[ROW_PAID])
		return true;
	sum->payments++;
	return dun_base_read_amount(v[ROW_PAID], &paid, NULL) && !pg_add_s64_overflow(sum->paid, paid, &sum->paid);
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	Adding	   *a = (Adding *) self;
	text	   *id;
	int			place;

	slot_getallattrs(slot);
	if (slot->tts_isnull[ROW_DEBTOR])
		return true;
	id = DatumGetTextPP(slot->tts_values[ROW_DEBTOR]);
	place = *find_place(a, VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id),
						dun_base_hash64(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id), 0));
	if (place >= 0 && !a->debtors[place].odd && !add_row(a->context, &a->debtors[place], slot))
		a->debtors[place].odd = true;
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	static const Oid types[ROW_COLUMNS] = {TEXTOID, TEXTOID, NUMERICOID, NUMERICOID, BOOLOID, INT4OID};

	for (int i = 0; i < ROW_COLUMNS; i++)
		if (desc->natts != ROW_COLUMNS || TupleDescAttr(desc, i)->atttypid != types[i])
			elog(ERROR, "these are no rows of a balance");
}

static void
receiver_nothing(DestReceiver *self)
{
}

/* --- the two statements --- */

static void
add_rows(Adding *a, text *sql, Datum ids)
{
	static DunStatement rows_sql = {NULL, 1, {TEXTARRAYOID}, NULL, CURSOR_OPT_GENERIC_PLAN};

	dun_base_renew(&rows_sql, text_to_cstring(sql));
	a->pub.receiveSlot = receive_row;
	a->pub.rStartup = receiver_startup;
	a->pub.rShutdown = receiver_nothing;
	a->pub.rDestroy = receiver_nothing;
	a->pub.mydest = DestNone;
	dun_base_run_into(&rows_sql, &ids, true, &a->pub);
}

static void
give_defined(Adding *a, text *sql, ReturnSetInfo *rsinfo)
{
	static DunStatement exact_sql = {NULL, 1, {TEXTARRAYOID}, NULL, CURSOR_OPT_GENERIC_PLAN};
	Datum	   *odd = palloc((a->n + 1) * sizeof(Datum));
	int			n = 0;
	Datum		ids;
	uint64		rows;

	for (int i = 0; i < a->n; i++)
		if (a->debtors[i].odd)
			odd[n++] = PointerGetDatum(a->debtors[i].id);
	if (n == 0)
		return;
	ids = PointerGetDatum(construct_array(odd, n, TEXTOID, -1, false, TYPALIGN_INT));
	dun_base_renew(&exact_sql, text_to_cstring(sql));
	rows = dun_base_run(&exact_sql, &ids, NULL, true, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		Datum		out[6];
		bool		isnull[6];

		for (int i = 0; i < 6; i++)
			out[i] = dun_base_value(row, i + 1, &isnull[i]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, out, isnull);
	}
}

/* --- the answer --- */

static Datum
make_amounts(Debtor *d)
{
	JsonbParseState *state = NULL;
	JsonbValue *object;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (Sum *sum = d->sums; sum != NULL; sum = sum->next)
	{
		JsonbValue	key = {.type = jbvString};
		JsonbValue	value = {.type = jbvNumeric};

		if (sum->balance <= 0)
			continue;
		key.val.string.val = sum->currency;
		key.val.string.len = sum->len;
		value.val.numeric = dun_base_make_amount(sum->balance, 0);
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(object));
}

static void
give_added(Debtor *d, StringInfo mark, ReturnSetInfo *rsinfo)
{
	Datum		out[6];
	bool		isnull[6] = {false, false, false, false, true, false};

	resetStringInfo(mark);
	for (const Sum *sum = d->sums; sum != NULL; sum = sum->next)
	{
		if (mark->len > 0)
			appendStringInfoChar(mark, ',');
		appendBinaryStringInfo(mark, sum->currency, sum->len);
		appendStringInfoChar(mark, ':');
		dun_base_append_amount(mark, sum->balance);
		appendStringInfo(mark, ":" INT64_FORMAT ":", sum->payments);
		dun_base_append_amount(mark, sum->paid);
	}
	out[0] = PointerGetDatum(d->id);
	out[1] = PointerGetDatum(cstring_to_text_with_len(mark->data, mark->len));
	out[2] = make_amounts(d);
	out[3] = BoolGetDatum(true);
	out[4] = (Datum) 0;
	out[5] = BoolGetDatum(false);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, out, isnull);
}

PG_FUNCTION_INFO_V1(dun_ledger_sql_marks);

/* _marks(ids, rows_sql, exact_sql) → (debtor_id, mark, amounts, valid, problem, disputed) */
Datum
dun_ledger_sql_marks(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Adding		a = {{0}};
	StringInfoData mark;
	MemoryContext scratch;
	MemoryContext before;

	InitMaterializedSRF(fcinfo, 0);
	scratch = AllocSetContextCreate(CurrentMemoryContext, "dunning marks", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(scratch);
	a.context = scratch;
	list_debtors(&a, PG_GETARG_ARRAYTYPE_P(0));
	SPI_connect();
	add_rows(&a, PG_GETARG_TEXT_PP(1), PG_GETARG_DATUM(0));
	give_defined(&a, PG_GETARG_TEXT_PP(2), rsinfo);
	SPI_finish();
	MemoryContextSwitchTo(scratch);
	initStringInfo(&mark);
	for (int i = 0; i < a.n; i++)
		if (!a.debtors[i].odd)
			give_added(&a.debtors[i], &mark, rsinfo);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(scratch);
	return (Datum) 0;
}
