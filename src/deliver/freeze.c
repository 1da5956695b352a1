/*
 * deliver/freeze.c
 *		Rendering and freezing.
 *
 * The body row is written once, and what stands there is what is sent: a repeat of an attempt has the same bytes
 * whatever became of the template. One that stands though nobody put the message off is of an intent whose process died:
 * its unique key takes the batch back (batch.c). Redirection and TEST marks are put on at the way out (build.c),
 * so that a frozen body is always the real one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include "base/append.h"
#include "base/clock.h"
#include "base/spi.h"
#include "base/texts.h"
#include "deliver/arrays.h"
#include "deliver/attach.h"
#include "deliver/freeze.h"
#include "deliver/template.h"
#include "message/age.h"
#include "message/link.h"
#include "message/render.h"
#include "queue/egress_chain.h"

/* Whoever changes an offer is done in a moment. */
#define OFFER_CHANGES_SECONDS 2

/* What texts claim, asked once more: a fee may have been waived since, a figure have turned. */
static DunStatement truth_sql = {
	"SELECT t.ord, t.framing, t.reason, t.context FROM dunning._true_contexts($1, $2, $3, $4, $5) t",
	5, {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, JSONBARRAYOID}, .harmless = true
};

static const DunAppendTo body = {
	"body", 14, {"message_id", "debtor_id", "creditor", "address", "subject", "body_text", "body_html", "framing", "framing_reason",
	"rendered_at", "offer_id", "fee", "total", "attachments"}
};

static DunStatement frozen_sql = {
	"SELECT u.ord, b.address, b.subject, b.body_text, b.body_html, e.at, e.fields, k.at, k.request_digest,"
	"       EXISTS (SELECT FROM dunning.outcome o WHERE o.debtor_id = u.debtor_id AND o.message_id = u.message_id"
	"                AND o.detail @> '{\"may_have_arrived\": true}'), b.attachments"
	"  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY AS u(debtor_id, message_id, ord)"
	" CROSS JOIN LATERAL (SELECT x.* FROM dunning.body x WHERE x.debtor_id = u.debtor_id AND x.message_id = u.message_id OFFSET 0) b"
	"  LEFT JOIN LATERAL (SELECT x.at, x.fields FROM dunning.egress x"
	"        WHERE x.debtor_id = u.debtor_id AND x.message_id = u.message_id ORDER BY x.attempt LIMIT 1) e ON true"
	/* Nobody said of it that it was not taken (as judge.c does), nor has anybody put it back by hand after it had ended. */
	"  LEFT JOIN LATERAL (SELECT x.at, x.request_digest FROM dunning.egress x JOIN dunning.outcome o"
	"           ON o.debtor_id = x.debtor_id AND o.message_id = x.message_id AND o.attempt = x.attempt"
	"        WHERE x.debtor_id = u.debtor_id AND x.message_id = u.message_id"
	"          AND (o.detail @> '{\"may_have_arrived\": true}' OR o.reason ~ '^http_(408|50[0124-9]|5[1-9].)$')"
	"          AND NOT EXISTS (SELECT FROM dunning.outcome f WHERE f.debtor_id = x.debtor_id AND f.message_id = x.message_id"
	"                  AND f.attempt >= x.attempt AND f.state NOT IN ('queued', 'held'))"
	"        ORDER BY x.attempt LIMIT 1) k ON true",
	2, {TEXTARRAYOID, UUIDARRAYOID}, .harmless = true
};

/* Locks the offers of record of these debtors until the batch commits, so that who changes one sees the bodies with it. */
static DunStatement offers_sql = {
	"SELECT f.ord, f.verdict, f.offer_id, f.offer FROM dunning._freeze_offers($1, $2, $3, $4) f",
	4, {TEXTARRAYOID, UUIDARRAYOID, BOOLARRAYOID, BOOLARRAYOID}, .harmless = true
};

static char *
own_text(DunItem *item, uint64 row, int col)
{
	MemoryContext before = MemoryContextSwitchTo(item->context);
	char	   *text = dun_base_text(row, col);

	MemoryContextSwitchTo(before);
	return text;
}

/* A value that may be stored compressed, as the item's own. */
static Datum
own_value(DunItem *item, uint64 row, int col)
{
	bool		isnull;
	Datum		value = dun_base_value(row, col, &isnull);
	MemoryContext before;

	if (isnull)
		return (Datum) 0;
	before = MemoryContextSwitchTo(item->context);
	value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	MemoryContextSwitchTo(before);
	return value;
}

static uint8 *
own_digest(DunItem *item, uint64 row, int col)
{
	Datum		digest = own_value(item, row, col);

	return digest != (Datum) 0 && VARSIZE_ANY_EXHDR(DatumGetPointer(digest)) == DUN_DIGEST_LEN ?
		(uint8 *) VARDATA_ANY(DatumGetPointer(digest)) : NULL;
}

static void
read_frozen(DunItem **items, int n)
{
	DunColumn  *debtors = dun_deliver_column(TEXTOID, n);
	DunColumn  *ids = dun_deliver_column(UUIDOID, n);
	Datum		args[2];
	uint64		rows;

	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
	{
		dun_deliver_push_text(debtors, items[i]->debtor_id);
		dun_deliver_push(ids, UUIDPGetDatum(&items[i]->message_id));
	}
	args[0] = dun_deliver_array(debtors);
	args[1] = dun_deliver_array(ids);
	rows = dun_base_run(&frozen_sql, args, NULL, false, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		DunItem    *item = items[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1];
		Datum		at;

		item->frozen = true;
		item->frozen_address = own_text(item, row, 2);
		item->out.subject = own_text(item, row, 3);
		item->out.body_text = own_text(item, row, 4);
		item->out.body_html = own_text(item, row, 5);
		at = dun_base_value(row, 6, &isnull);
		item->first_intent = isnull ? 0 : DatumGetTimestampTz(at);
		item->fields = own_value(item, row, 7);
		at = dun_base_value(row, 8, &isnull);
		item->key_used_at = isnull ? 0 : DatumGetTimestampTz(at);
		item->key_used_for = own_digest(item, row, 9);
		item->may_have_arrived = DatumGetBool(dun_base_value(row, 10, &isnull));
		item->attachments = own_value(item, row, 11);
	}
}

static char *
keep_text(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

static void
keep_parts(DunItem *item, const DunParts *parts)
{
	MemoryContext before = MemoryContextSwitchTo(item->context);

	item->fields = dun_base_make_texts((const char *const *) parts->fields, parts->nfields);
	item->out.subject = keep_text(parts->subject);
	item->out.body_text = keep_text(parts->body_text);
	item->out.body_html = keep_text(parts->body_html);
	MemoryContextSwitchTo(before);
	item->frozen_address = item->test_address ? item->test_address : item->gate_address;
}

/* The key of links where one of the creditors needs it. A missing one leaves the links out, and health() says so. */
static bool
open_key(DunFoundTemplate *const *templates, int n, DunLinkKey *key)
{
	const char *problem;

	for (int i = 0; i < n; i++)
		if (templates[i]->link_url != NULL)
			return dun_message_try_key(key, &problem);
	return false;
}

static bool
names_field(const DunParts *parts, const char *field)
{
	for (int i = 0; i < parts->nfields; i++)
		if (strcmp(parts->fields[i], field) == 0)
			return true;
	return false;
}

/* A fee is charged, or announced, where the words name its amount: what the context knows alone is no notice. */
static void
keep_fee(DunItem *item, const DunParts *parts, Jsonb *context)
{
	JsonbValue	fee;
	MemoryContext before;

	item->fee = (Datum) 0;
	if (!names_field(parts, "fee.amount") ||
		getKeyJsonValueFromContainer(&context->root, "fee", strlen("fee"), &fee) == NULL || fee.type != jbvBinary)
		return;
	before = MemoryContextSwitchTo(item->context);
	item->fee = JsonbPGetDatum(JsonbValueToJsonb(&fee));
	MemoryContextSwitchTo(before);
}

/* The sum that the words ask for, so that a payment code printed beside them later asks for no other. */
static void
keep_total(DunItem *item, const DunParts *parts, Jsonb *context)
{
	JsonbContainer *among = &context->root;
	JsonbValue	value;
	const char *name = "amount";
	MemoryContext before;

	item->total = (Datum) 0;
	if (names_field(parts, "charges.total") &&
		getKeyJsonValueFromContainer(among, "charges", strlen("charges"), &value) != NULL && value.type == jbvBinary)
	{
		among = value.val.binary.data;
		name = "total";
	}
	else if (!names_field(parts, "amount"))
		return;
	if (!JsonContainerIsObject(among) || getKeyJsonValueFromContainer(among, name, strlen(name), &value) == NULL ||
		value.type != jbvNumeric)
		return;
	before = MemoryContextSwitchTo(item->context);
	item->total = PointerGetDatum(DatumGetNumericCopy(NumericGetDatum(value.val.numeric)));
	MemoryContextSwitchTo(before);
}

static void
render(DunItem **items, int n)
{
	DunFoundTemplate **templates = palloc((n + 1) * sizeof(DunFoundTemplate *));
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "dunning rendering", ALLOCSET_DEFAULT_SIZES);
	DateADT		today = dun_deliver_find_templates(items, n, templates);
	TimestampTz now = dun_base_now();
	bool	   *attaches = palloc((n + 1) * sizeof(bool));
	DunLinkKey	key;
	bool		signs = open_key(templates, n, &key);

	for (int i = 0; i < n; i++)
	{
		const DunFoundTemplate *t = templates[i];
		MemoryContext before = MemoryContextSwitchTo(scratch);
		DunParts	parts;
		Jsonb	   *context = dun_message_age_context(DatumGetJsonbP(items[i]->context_json), today);
		DunLinks	links = {signs ? &key : NULL, t->link_url, items[i]->debtor_id, &items[i]->message_id, now,
			items[i]->tells_offer, items[i]->has_offer ? DatumGetJsonbP(items[i]->offer) : NULL};

		dun_message_render_parts(t->subject, t->body_text, t->body_html, t->partials, context, t->language, &links, &parts);
		keep_parts(items[i], &parts);
		keep_fee(items[i], &parts, context);
		keep_total(items[i], &parts, context);
		MemoryContextSwitchTo(before);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
	explicit_bzero(&key, sizeof(key));
	for (int i = 0; i < n; i++)
		attaches[i] = templates[i]->attaches;
	dun_deliver_choose_documents(items, attaches, n);
}

static void
store(DunItem **items, int n)
{
	DunAppend  *into = dun_base_open_append(&body);
	TimestampTz now = GetCurrentTimestamp();

	for (int i = 0; i < n; i++)
	{
		const char *texts[] = {
			items[i]->debtor_id, items[i]->out.creditor, items[i]->frozen_address, items[i]->out.subject,
			items[i]->out.body_text, items[i]->out.body_html, items[i]->framing, items[i]->framing_reason
		};
		Datum		values[14] = {UUIDPGetDatum(&items[i]->message_id)};
		bool		nulls[14] = {false};

		/* Held for want of a document: it is rendered when it has it. */
		if (items[i]->state != NULL)
			continue;
		for (int c = 0; c < lengthof(texts); c++)
		{
			nulls[c + 1] = texts[c] == NULL;
			values[c + 1] = nulls[c + 1] ? (Datum) 0 : CStringGetTextDatum(texts[c]);
		}
		values[9] = TimestampTzGetDatum(now);
		values[10] = UUIDPGetDatum(&items[i]->offer_id);
		nulls[10] = !items[i]->has_offer;
		values[11] = items[i]->fee;
		nulls[11] = items[i]->fee == (Datum) 0;
		values[12] = items[i]->total;
		nulls[12] = items[i]->total == (Datum) 0;
		values[13] = items[i]->attachments;
		nulls[13] = items[i]->attachments == (Datum) 0;
		dun_base_append_row(into, values, nulls);
	}
	dun_base_close_append(into);
}

static void
take_offer(DunItem *item, uint64 row)
{
	char	   *verdict = dun_base_text(row, 2);
	Datum		id;
	bool		isnull;

	if (strcmp(verdict, "gone") == 0)
	{
		dun_deliver_decide(item, 0, "cancelled", "offer_gone");
		return;
	}
	if (strcmp(verdict, "wait") == 0)
	{
		dun_deliver_decide(item, 0, "queued", "offer_changing");
		item->next_due = dun_base_now() + OFFER_CHANGES_SECONDS * USECS_PER_SEC;
		return;
	}
	if (strcmp(verdict, "say") != 0)
		return;
	item->tells_offer = true;
	item->offer = own_value(item, row, 4);
	id = dun_base_value(row, 3, &isnull);
	item->has_offer = !isnull;
	if (!isnull)
		item->offer_id = *DatumGetUUIDP(id);
}

/* Whether the context has an offer of record; `own`: the name is the caller's of send(), who says what stands there. */
static bool
names_offer(const DunItem *item, bool *own)
{
	Jsonb	   *context = DatumGetJsonbP(item->context_json);
	JsonbValue	offer;
	JsonbValue	id;

	*own = false;
	if (!JsonContainerIsObject(&context->root) ||
		getKeyJsonValueFromContainer(&context->root, "offer", strlen("offer"), &offer) == NULL || offer.type == jbvNull)
		return false;
	*own = offer.type != jbvBinary || !JsonContainerIsObject(offer.val.binary.data) ||
		getKeyJsonValueFromContainer(offer.val.binary.data, "offer_id", strlen("offer_id"), &id) == NULL;
	return !*own;
}

/* What a message tells of an offer is the offer of record as it is now, whatever it was when the message was planned. */
static void
read_offers(DunItem **items, int n)
{
	DunItem   **asked = palloc((n + 1) * sizeof(DunItem *));
	DunColumn  *columns[4];
	Datum		args[4];
	uint64		rows;
	int			nasked = 0;

	columns[0] = dun_deliver_column(TEXTOID, n);
	columns[1] = dun_deliver_column(UUIDOID, n);
	columns[2] = dun_deliver_column(BOOLOID, n);
	columns[3] = dun_deliver_column(BOOLOID, n);
	for (int i = 0; i < n; i++)
	{
		bool		own;
		bool		named = names_offer(items[i], &own);

		if (items[i]->state != NULL || own)
			continue;
		asked[nasked++] = items[i];
		dun_deliver_push_text(columns[0], items[i]->debtor_id);
		dun_deliver_push(columns[1], UUIDPGetDatum(&items[i]->message_id));
		dun_deliver_push(columns[2], BoolGetDatum(named));
		dun_deliver_push(columns[3], BoolGetDatum(items[i]->frozen));
	}
	if (nasked == 0)
		return;
	for (int c = 0; c < 4; c++)
		args[c] = dun_deliver_array(columns[c]);
	rows = dun_base_run(&offers_sql, args, NULL, false, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;

		take_offer(asked[DatumGetInt32(dun_base_value(row, 1, &isnull)) - 1], row);
	}
}

static bool
names_value(Jsonb *context, const char *name)
{
	JsonbValue	value;

	return JB_ROOT_IS_OBJECT(context) &&
		getKeyJsonValueFromContainer(&context->root, name, strlen(name), &value) != NULL && value.type != jbvNull;
}

/* A framing that claims something, or a context that says what was so when it was planned; charges may have come since. */
static bool
claims(const DunItem *item)
{
	Jsonb	   *context = DatumGetJsonbP(item->context_json);

	return strncmp(item->framing, "loss", 4) == 0 || strncmp(item->framing, "social", 6) == 0 || strncmp(item->framing, "cost", 4) == 0 ||
		names_value(context, "fee") || names_value(context, "charges") || names_value(context, "proof") || names_value(context, "late_cost");
}

/* What is not so at this moment is not said: the neutral words leave, and why stands beside the body. */
static void
tell_truth(DunItem **items, int n)
{
	DunItem   **some = palloc((n + 1) * sizeof(DunItem *));
	DunColumn  *texts[4];
	DunColumn  *contexts;
	Datum		args[5];
	int			nsome = 0;
	uint64		rows;

	for (int i = 0; i < n; i++)
		if (claims(items[i]))
			some[nsome++] = items[i];
	if (nsome == 0)
		return;
	contexts = dun_deliver_column(JSONBOID, nsome);
	for (int c = 0; c < 4; c++)
		texts[c] = dun_deliver_column(TEXTOID, nsome);
	for (int i = 0; i < nsome; i++)
	{
		dun_deliver_push_text(texts[0], some[i]->debtor_id);
		dun_deliver_push_text(texts[1], some[i]->out.creditor);
		dun_deliver_push_text(texts[2], some[i]->template);
		dun_deliver_push_text(texts[3], some[i]->framing);
		dun_deliver_push(contexts, some[i]->context_json);
	}
	for (int c = 0; c < 4; c++)
		args[c] = dun_deliver_array(texts[c]);
	args[4] = dun_deliver_array(contexts);
	rows = dun_base_run(&truth_sql, args, NULL, true, 0);
	if (rows != nsome)
		elog(ERROR, "%d of %d messages were judged", (int) rows, nsome);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		DunItem    *item = some[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1];

		item->framing = own_text(item, row, 2);
		item->framing_reason = own_text(item, row, 3);
		item->context_json = own_value(item, row, 4);
	}
}

void
dun_deliver_freeze(DunItem **items, int n)
{
	DunItem   **some = palloc((n + 1) * sizeof(DunItem *));
	int			nsome = 0;

	for (int i = 0; i < n; i++)
		if (items[i]->state == NULL && (items[i]->attempt > 1 || items[i]->put_off))
			some[nsome++] = items[i];
	read_frozen(some, nsome);
	read_offers(items, n);

	nsome = 0;
	for (int i = 0; i < n; i++)
		if (items[i]->state == NULL && !items[i]->frozen)
			some[nsome++] = items[i];
	if (nsome > 0)
	{
		tell_truth(some, nsome);
		render(some, nsome);
		store(some, nsome);
	}
	dun_deliver_load_documents(items, n);
}
