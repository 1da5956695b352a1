/*
 * deliver/intent.c
 *		Appending to the egress ledger.
 *
 * Only whose rows are committed may send: where an attempt stands already, the unique key takes the batch back, and the
 * look for orphans follows (batch.c). Each row is a link of its slice's chain (heads.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/append.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/spi.h"
#include "deliver/arrays.h"
#include "deliver/heads.h"
#include "deliver/intent.h"
#include "deliver/lanes.h"
#include "deliver/session.h"
#include "deliver/settings.h"
#include "queue/egress_chain.h"

#define TAKE_OVER_EVERY_MS 1000
#define TAKE_OVER_SHARE 20		/* at most a twentieth of the time */

static DunStatement orphans_sql = {
	"SELECT u.ord, e.at FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) WITH ORDINALITY"
	"       AS u(debtor_id, message_id, attempt, ord)"
	" CROSS JOIN LATERAL (SELECT x.at FROM dunning.egress x"
	"        WHERE x.debtor_id = u.debtor_id AND x.message_id = u.message_id AND x.attempt = u.attempt OFFSET 0) e",
	3, {TEXTARRAYOID, UUIDARRAYOID, INT2ARRAYOID}, NULL
};

/* The last attempt may have arrived, and nobody has said yet what follows from that. */
static DunStatement doubtful_sql = {
	"SELECT u.ord FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) WITH ORDINALITY"
	"       AS u(debtor_id, message_id, attempt, ord)"
	" CROSS JOIN LATERAL (SELECT pg_catalog.bool_or(x.state = 'queued' AND x.detail @> '{\"may_have_arrived\": true}') AS doubt,"
	"                            pg_catalog.bool_or(x.state NOT IN ('queued', 'held')) AS decided"
	"        FROM dunning.outcome x"
	"        WHERE x.debtor_id = u.debtor_id AND x.message_id = u.message_id AND x.attempt = u.attempt - 1 OFFSET 0) o"
	" WHERE o.doubt AND NOT o.decided",
	3, {TEXTARRAYOID, UUIDARRAYOID, INT2ARRAYOID}, NULL
};

static DunStatement take_over_sql = {"SELECT dunning._take_over($1, $2)", 2, {INT2ARRAYOID, UUIDARRAYOID}, NULL};

static DunStatement digest_sql = {
	"WITH c AS MATERIALIZED (SELECT DISTINCT ON (x.channel) x.channel, x.address_field FROM dunning.channel x ORDER BY x.channel, x.builtin)"
	" SELECT u.ord, dunning._digest(u.address, c.address_field, (SELECT k.key FROM dunning.digest_key k))"
	"  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) WITH ORDINALITY AS u(address, channel, ord)"
	"  JOIN c ON c.channel = u.channel",
	2, {TEXTARRAYOID, TEXTARRAYOID}, .harmless = true
};

/* The key is made by the first who needs it. */
static DunStatement make_key_sql = {"SELECT dunning._address_digest('a@example.org', 'email')", 0, {0}, NULL};

static DunStatement key_sql = {"SELECT FROM dunning.digest_key", 0, {0}, .harmless = true};

static const DunAppendTo egress = {
	"egress", 21,
	{"message_id", "attempt", "debtor_id", "creditor", "channel", "server", "address_digest", "fields", "body_digest", "bytes",
		"reason", "test", "cost", "cost_currency", "slice", "seq", "prev", "digest", "at", "contact_on", "request_digest"}
};

/* Seconds of doubt: the same bytes under the same key may go again, or a person has to find out. */
static void
decide_orphan(DunItem *item, TimestampTz intent_at)
{
	DunServer  *server = item->loaded->server;
	TimestampTz key_ends = intent_at + server->key_life_hours * INT64CONST(3600) * USECS_PER_SEC;

	if (server->repeat && dun_deliver_counted_attempts(item) < dun_deliver_max_attempts && GetCurrentTimestamp() < key_ends)
	{
		dun_deliver_decide(item, item->attempt, "queued", "interrupted");
		item->next_due = dun_base_now();
		item->detail = "{\"may_have_arrived\": true}";
		return;
	}
	dun_deliver_decide(item, item->attempt, "unknown", "interrupted");
	item->effect = DUN_EFFECT_ASK;
}

/* Returns how many of the items it names, column 1 being an ordinal. */
static uint64
look_up(DunStatement *st, DunItem **items, int n)
{
	DunColumn  *debtors = dun_deliver_column(TEXTOID, n);
	DunColumn  *ids = dun_deliver_column(UUIDOID, n);
	DunColumn  *attempts = dun_deliver_column(INT2OID, n);
	Datum		args[3];

	for (int i = 0; i < n; i++)
	{
		dun_deliver_push_text(debtors, items[i]->debtor_id);
		dun_deliver_push(ids, UUIDPGetDatum(&items[i]->message_id));
		dun_deliver_push(attempts, Int16GetDatum(items[i]->attempt));
	}
	args[0] = dun_deliver_array(debtors);
	args[1] = dun_deliver_array(ids);
	args[2] = dun_deliver_array(attempts);
	return dun_base_run(st, args, NULL, false, 0);
}

void
dun_deliver_find_orphans(DunItem **items, int n)
{
	uint64		rows = look_up(&orphans_sql, items, n);

	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		DunItem    *item = items[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1];

		decide_orphan(item, DatumGetTimestampTz(dun_base_value(row, 2, &isnull)));
	}
}

void
dun_deliver_find_doubtful(DunItem **items, int n)
{
	uint64		rows;

	if (n == 0)
		return;
	rows = look_up(&doubtful_sql, items, n);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		DunItem    *item = items[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1];

		dun_deliver_decide(item, 0, "unknown", "interrupted");
		item->effect = DUN_EFFECT_ASK;
	}
}

/* --- what a predecessor left --- */

static void
take_over(void *arg)
{
	DunRun	   *run = arg;
	Datum		args[2] = {dun_deliver_owned_slices(), dun_deliver_known_items()};
	bool		isnull;

	dun_base_run(&take_over_sql, args, NULL, false, 1);
	run->taken_over = DatumGetInt32(dun_base_value(0, 1, &isnull)) == 0;
}

/* Again until nothing is left: a row that somebody holds must not keep the others, but for a small part of the time only. */
void
dun_deliver_take_over(DunRun *run)
{
	TimestampTz started = GetCurrentTimestamp();
	int64		cost_us;
	DunFailure	failure;

	if (run->taken_over || started < run->take_over_at)
		return;
	if (!dun_deliver_attempt(take_over, run, &failure))
	{
		run->taken_over = false;
		ereport(WARNING,
				(errcode(failure.sqlerrcode),
				 errmsg("interrupted attempts could not be looked for: %s", failure.message)));
	}
	cost_us = GetCurrentTimestamp() - started;
	run->take_over_at = started + Max(TAKE_OVER_EVERY_MS * INT64CONST(1000), cost_us * TAKE_OVER_SHARE);
}

static void
ask_digests(DunItem **items, int n)
{
	DunColumn  *addresses = dun_deliver_column(TEXTOID, n);
	DunColumn  *channels = dun_deliver_column(TEXTOID, n);
	Datum		args[2];
	uint64		rows;

	for (int i = 0; i < n; i++)
	{
		dun_deliver_push_text(addresses, items[i]->out.address);
		dun_deliver_push_text(channels, items[i]->out.channel);
	}
	if (dun_base_run(&key_sql, NULL, NULL, false, 1) == 0)
		dun_base_run(&make_key_sql, NULL, NULL, false, 0);
	args[0] = dun_deliver_array(addresses);
	args[1] = dun_deliver_array(channels);
	rows = dun_base_run(&digest_sql, args, NULL, false, 0);
	if (rows != n)
		elog(ERROR, "%d of %d addresses have a digest", (int) rows, n);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		DunItem    *item = items[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1];
		Datum		digest = dun_base_value(row, 2, &isnull);
		MemoryContext before;

		if (isnull)
			elog(ERROR, "an address has no digest");
		before = MemoryContextSwitchTo(item->context);
		item->address_digest = PointerGetDatum(PG_DETOAST_DATUM_COPY(digest));
		MemoryContextSwitchTo(before);
	}
}

/* The gate has digested the address it gave; a body frozen earlier and a test may go to another one. */
static void
digest_addresses(DunItem **items, int n)
{
	DunItem   **others = palloc((n + 1) * sizeof(DunItem *));
	int			nothers = 0;

	for (int i = 0; i < n; i++)
	{
		if (items[i]->gate_digest != (Datum) 0 && strcmp(items[i]->out.address, items[i]->gate_address) == 0)
			items[i]->address_digest = items[i]->gate_digest;
		else
			others[nothers++] = items[i];
	}
	if (nothers > 0)
		ask_digests(others, nothers);
}

static Datum
bytes_datum(const void *data, int len)
{
	bytea	   *b = palloc(VARHDRSZ + len);

	SET_VARSIZE(b, VARHDRSZ + len);
	memcpy(VARDATA(b), data, len);
	return PointerGetDatum(b);
}

static char **
field_names(Datum fields, int *n)
{
	Datum	   *elems;
	char	  **names;

	*n = 0;
	if (fields == (Datum) 0)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(fields), TEXTOID, -1, false, TYPALIGN_INT, &elems, NULL, n);
	names = palloc((*n + 1) * sizeof(char *));
	for (int i = 0; i < *n; i++)
		names[i] = TextDatumGetCString(elems[i]);
	return names;
}

/* numeric as text, in the one spelling that verification reads back from the table. */
static Datum
read_cost(const char *text)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static Datum
text_datum(const char *text)
{
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

static void
append_link(DunAppend *into, DunItem *item, DunHead *head, TimestampTz at, TimestampTz contact_on)
{
	DunEgressLink link;
	uint8		digest[DUN_DIGEST_LEN];
	bytea	   *address = DatumGetByteaPP(item->address_digest);
	Datum		cost = read_cost(item->cost);
	Datum		fields = item->fields == (Datum) 0 ? PointerGetDatum(construct_empty_array(TEXTOID)) : item->fields;

	link.slice = item->slice;
	link.seq = ++head->seq;
	link.message_id = item->message_id;
	link.attempt = item->attempt;
	link.debtor_id = item->debtor_id;
	link.creditor = item->out.creditor;
	link.channel = item->out.channel;
	link.server = item->loaded->server->name;
	link.address_digest = (uint8 *) VARDATA_ANY(address);
	link.address_digest_len = VARSIZE_ANY_EXHDR(address);
	link.fields = field_names(item->fields, &link.nfields);
	link.body_digest = item->body_digest;
	link.body_digest_len = DUN_DIGEST_LEN;
	link.bytes = item->bytes;
	link.reason = item->purpose;
	link.test = item->test;
	link.cost = DatumGetCString(DirectFunctionCall1(numeric_out, cost));
	link.cost_currency = item->cost_currency;
	link.at = at;
	link.contact_on = contact_on;
	link.request_digest = item->request_digest;
	dun_queue_digest_link(head->digest, &link, digest);
	{
		/* In the order of the columns above. */
		Datum		values[] = {
			UUIDPGetDatum(&item->message_id), Int16GetDatum(item->attempt), text_datum(link.debtor_id), text_datum(link.creditor),
			text_datum(link.channel), text_datum(link.server), item->address_digest, fields,
			bytes_datum(item->body_digest, DUN_DIGEST_LEN), Int32GetDatum(item->bytes), text_datum(link.reason),
			BoolGetDatum(item->test), cost, text_datum(link.cost_currency), Int16GetDatum(item->slice), Int64GetDatum(link.seq),
			bytes_datum(head->digest, DUN_DIGEST_LEN), bytes_datum(digest, DUN_DIGEST_LEN), TimestampTzGetDatum(at),
			TimestampTzGetDatum(contact_on), bytes_datum(item->request_digest, DUN_DIGEST_LEN)
		};
		bool		nulls[lengthof(values)] = {false};

		nulls[10] = link.reason == NULL;
		nulls[13] = link.cost_currency == NULL;
		dun_base_append_row(into, values, nulls);
	}
	memcpy(head->digest, digest, DUN_DIGEST_LEN);
}

void
dun_deliver_append_intents(DunItem **items, int n)
{
	DunAppend  *into;
	TimestampTz at;
	TimestampTz contact_on = dun_base_now();

	if (n == 0)
		return;
	at = items[0]->intent_at;	/* that of the whole batch */
	digest_addresses(items, n);
	dun_deliver_take_heads(items, n);
	into = dun_base_open_append(&egress);
	for (int i = 0; i < n; i++)
		append_link(into, items[i], dun_deliver_head_of(items[i]->slice), at, contact_on);
	dun_base_close_append(into);
	dun_deliver_move_heads();
}
