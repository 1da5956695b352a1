/*
 * deliver/claim.c
 *		From a row of the queue to an item.
 *
 * Rows become items as the executor finds them: gathered first they would be copied twice, and each column looked up again.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/spi.h"
#include "deliver/claim.h"
#include "deliver/lanes.h"
#include "deliver/session.h"

/* OFFSET 0: a look-up by key for each row, never a hash of a whole month, whatever the planner thinks of the batch. */
#define CLAIM_SQL(slices, first) \
	"SELECT q.debtor_id, q.message_id, q.slice, q.due, q.attempts, m.creditor, m.template, m.channel, m.language," \
	"       coalesce(m.context->>'framing', m.variant, 'neutral'), m.not_after, m.ledger_mark, m.context," \
	"       coalesce(m.strategy || '/' || m.step, m.created_by), m.decision->>'test_address', m.cost::text, m.cost_currency," \
	"       m.context->>'sender_name', m.context->>'reply_to', q.reason IS NOT NULL, q.priority IS NOT NULL, m.context->>'name'," \
	"       CASE WHEN q.attempts > 0 THEN (SELECT pg_catalog.count(*) FROM dunning.outcome o WHERE o.debtor_id = q.debtor_id" \
	"            AND o.message_id = q.message_id AND o.detail @> '{\"of_server\": true}') ELSE 0 END" \
	"  FROM (SELECT q.debtor_id, q.message_id, q.slice, q.due, q.attempts, q.reason, q.priority FROM dunning.queue q" \
	"         WHERE q.state = 'queued' AND q.server = $1 AND q.due <= $2 AND (q.due, q.message_id) > ($3, $4)" slices \
	"         ORDER BY " first "q.due, q.message_id LIMIT $6) q" \
	" CROSS JOIN LATERAL (SELECT x.* FROM dunning.message x WHERE x.debtor_id = q.debtor_id AND x.message_id = q.message_id OFFSET 0) m" \
	" ORDER BY " first "q.due, q.message_id"

/* What a worker owns are neighbours: the index knows which of its entries those are. A call may own others. */
static DunStatement claim_sql = {
	CLAIM_SQL(" AND q.slice >= $5[1] AND q.slice <= $5[pg_catalog.cardinality($5)] AND q.slice = ANY ($5)", ""),
	6, {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, UUIDOID, INT2ARRAYOID, INT8OID}, .in_index_order = true, .harmless = true
};

/* Who owns every slice need not look at it. */
static DunStatement claim_all_sql = {
	CLAIM_SQL("", ""),
	6, {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, UUIDOID, INT2ARRAYOID, INT8OID}, .in_index_order = true, .harmless = true
};

/* What overtakes the others, few rows in an index of their own: asked with each look at the head, whose position it does not move. */
static DunStatement urgent_sql = {
	CLAIM_SQL(" AND q.slice = ANY ($5) AND q.priority IS NOT NULL", "q.priority DESC, "),
	6, {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, UUIDOID, INT2ARRAYOID, INT8OID}, .in_index_order = true, .harmless = true
};

/* The columns of a claim, in the order of its SELECT. */
enum
{
	DEBTOR_ID, MESSAGE_ID, SLICE, DUE, ATTEMPTS, CREDITOR, TEMPLATE, CHANNEL, LANGUAGE, FRAMING, NOT_AFTER, MARK, CONTEXT, PURPOSE,
	TEST_ADDRESS, COST, COST_CURRENCY, SENDER_NAME, REPLY_TO, PUT_OFF, URGENT, NAME, SPARED
};

typedef struct Claiming
{
	DestReceiver receiver;		/* first: a receiver is all that the executor knows of it */
	DunRun	   *run;
	DunLane    *lane;
	dlist_head *batch;
	int			room;
	int			claimed;
	int64		seen;			/* rows, those under way included */
	bool		moves;			/* the lane's position goes with the rows */
	bool		full;			/* one was left for the next time */
} Claiming;

/* --- a row --- */

static char *
own_text(TupleTableSlot *slot, int column)
{
	return slot->tts_isnull[column] ? NULL : TextDatumGetCString(slot->tts_values[column]);
}

/* In the item's own memory. */
static void
read_texts(DunItem *item, TupleTableSlot *slot)
{
	item->debtor_id = own_text(slot, DEBTOR_ID);
	item->out.creditor = own_text(slot, CREDITOR);
	item->template = own_text(slot, TEMPLATE);
	item->out.channel = own_text(slot, CHANNEL);
	item->language = own_text(slot, LANGUAGE);
	item->framing = own_text(slot, FRAMING);
	item->mark = own_text(slot, MARK);
	item->purpose = own_text(slot, PURPOSE);
	item->test_address = own_text(slot, TEST_ADDRESS);
	item->cost = own_text(slot, COST);
	item->cost_currency = own_text(slot, COST_CURRENCY);
	item->out.sender_name = own_text(slot, SENDER_NAME);
	item->out.reply_to = own_text(slot, REPLY_TO);
	item->out.name = own_text(slot, NAME);
	item->out.message_id = dun_deliver_uuid_text(&item->message_id);
	item->out.debtor_id = item->debtor_id;
	item->context_json = PointerGetDatum(PG_DETOAST_DATUM_COPY(slot->tts_values[CONTEXT]));
}

static void
read_item(DunItem *item, TupleTableSlot *slot)
{
	MemoryContext before = MemoryContextSwitchTo(item->context);

	item->message_id = *DatumGetUUIDP(slot->tts_values[MESSAGE_ID]);
	item->slice = DatumGetInt16(slot->tts_values[SLICE]);
	item->due = DatumGetTimestampTz(slot->tts_values[DUE]);
	item->attempt = DatumGetInt16(slot->tts_values[ATTEMPTS]) + 1;
	item->not_after = slot->tts_isnull[NOT_AFTER] ? DT_NOEND : DatumGetTimestampTz(slot->tts_values[NOT_AFTER]);
	item->put_off = DatumGetBool(slot->tts_values[PUT_OFF]);
	item->urgent = DatumGetBool(slot->tts_values[URGENT]);
	item->spared = (int16) DatumGetInt64(slot->tts_values[SPARED]);
	read_texts(item, slot);
	MemoryContextSwitchTo(before);
}

static void
claim_row(Claiming *c, TupleTableSlot *slot)
{
	DunItem    *item = dun_deliver_new_item(c->run);

	item->lane = c->lane;
	item->loaded = c->lane->loaded;
	c->lane->loaded->users++;
	c->lane->items++;
	item->waiting = true;
	c->lane->waiting++;
	dlist_push_tail(c->batch, &item->node);
	read_item(item, slot);
	dun_deliver_enter_item(item);
	c->claimed++;
}

/* --- what the executor calls --- */

static void
begin_rows(DestReceiver *self, int operation, TupleDesc desc)
{
}

/* False: no more can be taken. */
static bool
take_row(TupleTableSlot *slot, DestReceiver *self)
{
	Claiming   *c = (Claiming *) self;

	slot_getallattrs(slot);
	if (!dun_deliver_knows_item(DatumGetUUIDP(slot->tts_values[MESSAGE_ID])))
	{
		if (c->claimed == c->room)
		{
			c->full = true;
			return false;
		}
		claim_row(c, slot);
	}
	c->seen++;
	if (c->moves)
	{
		c->lane->position_due = DatumGetTimestampTz(slot->tts_values[DUE]);
		c->lane->position_id = *DatumGetUUIDP(slot->tts_values[MESSAGE_ID]);
	}
	return true;
}

static void
end_rows(DestReceiver *self)
{
}

static void
claim(DunStatement *st, Claiming *c, int64 limit)
{
	pg_uuid_t	after = c->lane->position_id;	/* the lane's own moves meanwhile */
	Datum		args[] = {
		CStringGetTextDatum(c->lane->name), TimestampTzGetDatum(dun_base_now()), TimestampTzGetDatum(c->lane->position_due),
		UUIDPGetDatum(&after), dun_deliver_owned_slices(), Int64GetDatum(limit)
	};

	c->receiver = (DestReceiver) {take_row, begin_rows, end_rows, end_rows, DestNone};
	dun_base_run_into(st, args, false, &c->receiver);
}

int
dun_deliver_claim_urgent(DunRun *run, DunLane *lane, dlist_head *batch, int room)
{
	Claiming	c = {.run = run, .lane = lane, .batch = batch, .room = room};

	claim(&urgent_sql, &c, room + dun_deliver_count_items());
	return c.claimed;
}

int
dun_deliver_claim_in_order(DunRun *run, DunLane *lane, dlist_head *batch, int room, bool head)
{
	Claiming	c = {.run = run, .lane = lane, .batch = batch, .room = room, .moves = true};
	/* Rows under way still stand in the queue, before the position: only a read of the head must go past them. */
	int64		limit = room + (head ? dun_deliver_count_items() : 0);

	claim(dun_deliver_session.nslices == DUN_SLICES ? &claim_all_sql : &claim_sql, &c, limit);
	lane->drained = !c.full && c.seen < limit;
	return c.claimed;
}
