/*
 * plan/read.c
 *		Rows of a statement go from the executor to a function, with no copy between.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "nodes/params.h"
#include "tcop/dest.h"
#include "utils/builtins.h"

#include "plan/read.h"

typedef struct Receiver
{
	DestReceiver pub;
	DunTake		take;
	void	   *state;
} Receiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	Receiver   *r = (Receiver *) self;

	slot_getallattrs(slot);
	r->take(r->state, slot->tts_values, slot->tts_isnull);
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
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
