/*
 * plan/read.c
 *		Rows of a statement go from the executor to a function, with no copy between.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "nodes/params.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "plan/read.h"

/* The leading columns that may be ids or texts; of numbers only the first two are ids. */
#define IDS 3
#define NUMBERS 2
#define ID_LEN 64

/* Where an id that is no text is written as the text it is known by here, which the executor would do with three allocations. */
typedef struct PlainId
{
	Oid			type;			/* InvalidOid: the column is a text */
	int			room;
	text	   *text;
} PlainId;

typedef struct Receiver
{
	DestReceiver pub;
	DunTake		take;
	void	   *state;
	int			nids;
	PlainId		ids[IDS];
} Receiver;

static text *
make_text(PlainId *id, int room)
{
	id->room = room;
	return id->text = id->text == NULL ? palloc(VARHDRSZ + room) : repalloc(id->text, VARHDRSZ + room);
}

static void
write_number(PlainId *id, Datum value)
{
	int64		number = id->type == INT8OID ? DatumGetInt64(value) : id->type == INT4OID ? DatumGetInt32(value) : DatumGetInt16(value);

	SET_VARSIZE(id->text, VARHDRSZ + pg_lltoa(number, VARDATA(id->text)));
}

/* Without the blanks it is padded with. */
static void
write_padded(PlainId *id, Datum value)
{
	const BpChar *padded = DatumGetBpCharPP(value);
	int			len = bpchartruelen(VARDATA_ANY(padded), VARSIZE_ANY_EXHDR(padded));

	if (len > id->room)
		make_text(id, len);
	memcpy(VARDATA(id->text), VARDATA_ANY(padded), len);
	SET_VARSIZE(id->text, VARHDRSZ + len);
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	Receiver   *r = (Receiver *) self;
	Datum		ids[IDS];

	slot_getallattrs(slot);
	for (int i = 0; i < r->nids; i++)
	{
		PlainId    *id = &r->ids[i];

		ids[i] = slot->tts_values[i];
		if (id->type == InvalidOid || slot->tts_isnull[i])
			continue;
		if (id->type == BPCHAROID)
			write_padded(id, ids[i]);
		else
			write_number(id, ids[i]);
		slot->tts_values[i] = PointerGetDatum(id->text);
	}
	r->take(r->state, slot->tts_values, slot->tts_isnull);
	/* The slot is the plan's: a DISTINCT compares its next row with it. */
	memcpy(slot->tts_values, ids, r->nids * sizeof(Datum));
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	Receiver   *r = (Receiver *) self;

	r->nids = Min(desc->natts, IDS);
	for (int i = 0; i < r->nids; i++)
	{
		/* A source's ids may be of a domain. */
		Oid			type = getBaseType(TupleDescAttr(desc, i)->atttypid);

		if (type != BPCHAROID && (i >= NUMBERS || (type != INT8OID && type != INT4OID && type != INT2OID)))
			continue;
		r->ids[i].type = type;
		make_text(&r->ids[i], ID_LEN);
	}
}

static void
receiver_nothing(DestReceiver *self)
{
}

static ParamListInfo
params_of(const DunArguments *arguments)
{
	ParamListInfo params = makeParamList(arguments->n);

	for (int i = 0; i < arguments->n; i++)
	{
		ParamExternData *param = &params->params[i];

		param->value = arguments->values[i];
		param->isnull = arguments->isnull[i];
		param->pflags = PARAM_FLAG_CONST;
		param->ptype = arguments->types[i];
	}
	return params;
}

static void
make_receiver(Receiver *receiver, DunTake take, void *state)
{
	*receiver = (Receiver) {.pub = {.receiveSlot = receive_row, .rStartup = receiver_startup, .rShutdown = receiver_nothing,
	.rDestroy = receiver_nothing, .mydest = DestNone}, .take = take, .state = state};
}

void
dun_plan_read(const char *sql, const DunArguments *arguments, DunTake take, void *state)
{
	Receiver	receiver;
	SPIExecuteOptions options = {.params = params_of(arguments), .read_only = true, .dest = &receiver.pub};
	MemoryContext before = CurrentMemoryContext;
	int			rc;

	make_receiver(&receiver, take, state);
	rc = SPI_execute_extended(sql, &options);
	/* SPI leaves its own, which lasts as long as the run. */
	MemoryContextSwitchTo(before);
	if (rc < 0)
		elog(ERROR, "could not read the book: %s", SPI_result_code_string(rc));
}

void
dun_plan_read_kept(DunStatement *st, const DunArguments *arguments, DunTake take, void *state)
{
	Receiver	receiver;
	MemoryContext before = CurrentMemoryContext;

	make_receiver(&receiver, take, state);
	dun_base_run_into(st, unconstify(Datum *, (const Datum *) arguments->values), true, &receiver.pub);
	MemoryContextSwitchTo(before);
}

void
dun_plan_ask(DunQuestion *question, const char *sql, const DunArguments *arguments, DunTake take, void *state)
{
	Receiver	receiver;
	SPIExecuteOptions options = {.params = params_of(arguments), .read_only = true, .dest = &receiver.pub};
	MemoryContext before = CurrentMemoryContext;
	int			level = NewGUCNestLevel();
	int			rc;

	(void) set_config_option("plan_cache_mode", "force_generic_plan", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (question->plan == NULL)
		question->plan = SPI_prepare(sql, arguments->n, unconstify(Oid *, (const Oid *) arguments->types));
	if (question->plan == NULL)
		elog(ERROR, "could not ask: %s", SPI_result_code_string(SPI_result));
	make_receiver(&receiver, take, state);
	rc = SPI_execute_plan_extended(question->plan, &options);
	MemoryContextSwitchTo(before);
	if (rc < 0)
		elog(ERROR, "could not ask: %s", SPI_result_code_string(rc));
	AtEOXact_GUC(true, level);
}

const char *
dun_plan_text_at(const Datum *v, const bool *isnull, int i, int *len)
{
	text	   *t;

	if (isnull[i])
		return NULL;
	t = (text *) DatumGetPointer(v[i]);
	if (VARATT_IS_EXTERNAL(t) || VARATT_IS_COMPRESSED(t))
		t = DatumGetTextPP(v[i]);
	*len = VARSIZE_ANY_EXHDR(t);
	return VARDATA_ANY(t);
}

char *
dun_plan_name_at(MemoryContext context, const Datum *v, const bool *isnull, int i)
{
	int			len;
	const char *t = dun_plan_text_at(v, isnull, i, &len);
	char	   *name;

	if (t == NULL)
		return NULL;
	name = MemoryContextAlloc(context, len + 1);
	memcpy(name, t, len);
	name[len] = '\0';
	return name;
}

void
dun_plan_take_statements(Datum array, char **texts, int n)
{
	Datum	   *values;
	int			found;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, &found);
	if (found != n)
		elog(ERROR, "%d statements are needed, not %d", n, found);
	for (int i = 0; i < n; i++)
		texts[i] = TextDatumGetCString(values[i]);
}

void
dun_plan_deal_row(DunBook *book, const DunRow *row, const Datum *v, const bool *isnull,
				  const void *packed, int packed_len, int first, int ntexts)
{
	const char *texts[DUN_ROW_TEXTS] = {packed};
	int			lens[DUN_ROW_TEXTS] = {packed_len};
	int			at = packed == NULL ? 0 : 1;
	int			len;
	const char *id = dun_plan_text_at(v, isnull, 0, &len);

	if (id == NULL)
		return;
	for (int i = 0; i < ntexts; i++)
		texts[at + i] = dun_plan_text_at(v, isnull, first + i, &lens[at + i]);
	dun_plan_add_row(book, row, id, len, texts, lens);
}
