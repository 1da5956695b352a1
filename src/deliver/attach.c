/*
 * deliver/attach.c
 *		Choosing and loading the documents of mails.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/spi.h"
#include "deliver/arrays.h"
#include "deliver/attach.h"

static DunStatement choose_sql = {
	"SELECT a.ord, a.list, a.problem FROM dunning._attachments($1, $2, $3, $4, $5, $6) a WHERE a.list IS NOT NULL OR a.problem IS NOT NULL",
	6, {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, JSONBARRAYOID}, .harmless = true
};

static DunStatement load_sql = {
	"SELECT u.ord, d.file_name, d.media_type, d.content, pg_catalog.encode(d.digest, 'hex')"
	"  FROM pg_catalog.unnest($1) WITH ORDINALITY u(list, ord) CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(u.list) WITH ORDINALITY a(value, n)"
	"  LEFT JOIN dunning.document d ON d.debtor_id = a.value->>'of' AND d.document = a.value->>'document' AND d.version = (a.value->>'version')::int"
	" ORDER BY u.ord, a.n",
	1, {JSONBARRAYOID}, .harmless = true
};

static bool
names_documents(const DunItem *item)
{
	Jsonb	   *context = DatumGetJsonbP(item->context_json);
	JsonbValue	value;

	return JB_ROOT_IS_OBJECT(context) &&
		getKeyJsonValueFromContainer(&context->root, "attach", strlen("attach"), &value) != NULL && value.type != jbvNull;
}

/* The egress ledger says that something left beside the words. */
static Datum
with_attachment(Datum fields)
{
	Datum	   *elems;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(fields), TEXTOID, -1, false, TYPALIGN_INT, &elems, NULL, &n);
	elems = repalloc(elems, (n + 1) * sizeof(Datum));
	elems[n] = CStringGetTextDatum("attachment");
	return PointerGetDatum(construct_array(elems, n + 1, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
take_choice(DunItem *item, uint64 row)
{
	char	   *problem = dun_base_text(row, 3);
	Datum		list;
	bool		isnull;
	MemoryContext before;

	if (problem != NULL)
	{
		dun_deliver_decide(item, 0, "held", problem);
		return;
	}
	list = dun_base_value(row, 2, &isnull);
	before = MemoryContextSwitchTo(item->context);
	item->attachments = PointerGetDatum(PG_DETOAST_DATUM_COPY(list));
	if (item->fields != (Datum) 0)
		item->fields = with_attachment(item->fields);
	MemoryContextSwitchTo(before);
}

void
dun_deliver_choose_documents(DunItem **items, const bool *attaches, int n)
{
	DunItem   **some = palloc((n + 1) * sizeof(DunItem *));
	DunColumn  *texts[5];
	DunColumn  *contexts;
	Datum		args[6];
	int			nsome = 0;
	uint64		rows;

	for (int i = 0; i < n; i++)
		if (attaches[i] || names_documents(items[i]))
			some[nsome++] = items[i];
	if (nsome == 0)
		return;
	contexts = dun_deliver_column(JSONBOID, nsome);
	for (int c = 0; c < 5; c++)
		texts[c] = dun_deliver_column(TEXTOID, nsome);
	for (int i = 0; i < nsome; i++)
	{
		dun_deliver_push_text(texts[0], some[i]->debtor_id);
		dun_deliver_push_text(texts[1], some[i]->template);
		dun_deliver_push_text(texts[2], some[i]->language);
		dun_deliver_push_text(texts[3], some[i]->out.creditor);
		dun_deliver_push_text(texts[4], some[i]->out.channel);
		dun_deliver_push(contexts, some[i]->context_json);
	}
	for (int c = 0; c < 5; c++)
		args[c] = dun_deliver_array(texts[c]);
	args[5] = dun_deliver_array(contexts);
	rows = dun_base_run(&choose_sql, args, NULL, false, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;

		take_choice(some[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1], row);
	}
}

/* One document into its message. False: it was dropped for good. */
static bool
take_document(DunItem *item, uint64 row)
{
	DunAttachment *a;
	bool		isnull;
	Datum		content = dun_base_value(row, 4, &isnull);
	bytea	   *bytes;
	MemoryContext before;

	if (isnull)
		return false;
	before = MemoryContextSwitchTo(item->context);
	a = palloc0(sizeof(DunAttachment));
	a->file_name = dun_base_text(row, 2);
	a->media_type = dun_base_text(row, 3);
	bytes = DatumGetByteaPCopy(content);
	a->data = VARDATA(bytes);
	a->len = VARSIZE(bytes) - VARHDRSZ;
	a->digest = dun_base_text(row, 5);
	item->out.attachments = lappend(item->out.attachments, a);
	MemoryContextSwitchTo(before);
	return true;
}

void
dun_deliver_load_documents(DunItem **items, int n)
{
	DunItem   **some = palloc((n + 1) * sizeof(DunItem *));
	DunColumn  *lists;
	Datum		arg;
	int			nsome = 0;
	uint64		rows;

	for (int i = 0; i < n; i++)
		if (items[i]->state == NULL && items[i]->attachments != (Datum) 0)
			some[nsome++] = items[i];
	if (nsome == 0)
		return;
	lists = dun_deliver_column(JSONBOID, nsome);
	for (int i = 0; i < nsome; i++)
		dun_deliver_push(lists, some[i]->attachments);
	arg = dun_deliver_array(lists);
	rows = dun_base_run(&load_sql, &arg, NULL, false, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		DunItem    *item = some[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1];

		if (!take_document(item, row) && item->state == NULL)
			dun_deliver_decide(item, 0, "held", "document_missing");
	}
}
