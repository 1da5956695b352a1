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

#include "base/compat.h"
#include "plan/read.h"

#define NUMBER_LEN 24

typedef struct Receiver
{
	DestReceiver pub;
	DunTake		take;
	void	   *state;
	Oid			id_type;		/* of the first column */
	struct
	{
		int32		vl_len_;
		char		digits[NUMBER_LEN];
	}			id;				/* a text */
} Receiver;

/* An id that is a number is written as the text it is known by here, which the executor would do with three allocations. */
static Datum
text_of_number(Receiver *r, Datum value)
{
	int64		number = r->id_type == INT8OID ? DatumGetInt64(value) : r->id_type == INT4OID ? DatumGetInt32(value) : DatumGetInt16(value);

	SET_VARSIZE(&r->id, VARHDRSZ + pg_lltoa(number, r->id.digits));
	return PointerGetDatum(&r->id);
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	Receiver   *r = (Receiver *) self;
	Datum		id;

	slot_getallattrs(slot);
	id = slot->tts_values[0];
	if (r->id_type != InvalidOid && !slot->tts_isnull[0])
		slot->tts_values[0] = text_of_number(r, id);
	r->take(r->state, slot->tts_values, slot->tts_isnull);
	/* The slot is the plan's: a DISTINCT compares its next row with it. */
	slot->tts_values[0] = id;
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	Oid			type = desc->natts > 0 ? TupleDescAttr(desc, 0)->atttypid : InvalidOid;

	((Receiver *) self)->id_type = type == INT8OID || type == INT4OID || type == INT2OID ? type : InvalidOid;
}

static void
receiver_nothing(DestReceiver *self)
{
}

void
dun_plan_read(const char *sql, const DunArguments *arguments, DunTake take, void *state)
{
	Receiver	receiver = {{0}};
	SPIExecuteOptions options = {0};
	MemoryContext before = CurrentMemoryContext;
	int			rc;

	receiver.pub.receiveSlot = receive_row;
	receiver.pub.rStartup = receiver_startup;
	receiver.pub.rShutdown = receiver_nothing;
	receiver.pub.rDestroy = receiver_nothing;
	receiver.pub.mydest = DestNone;
	receiver.take = take;
	receiver.state = state;
	options.params = makeParamList(arguments->n);
	for (int i = 0; i < arguments->n; i++)
	{
		ParamExternData *param = &options.params->params[i];

		param->value = arguments->values[i];
		param->isnull = arguments->isnull[i];
		param->pflags = PARAM_FLAG_CONST;
		param->ptype = arguments->types[i];
	}
	options.read_only = true;
	options.dest = &receiver.pub;
	rc = SPI_execute_extended(sql, &options);
	/* SPI leaves its own, which lasts as long as the run. */
	MemoryContextSwitchTo(before);
	if (rc < 0)
		elog(ERROR, "could not read the book: %s", SPI_result_code_string(rc));
}

const char *
dun_plan_text_at(const Datum *v, const bool *isnull, int i, int *len)
{
	text	   *t;

	if (isnull[i])
		return NULL;
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
