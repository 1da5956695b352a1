/*
 * deliver/batch.c
 *		One batch, in its one order: claim, orphans, expiry, gate, freeze, build, intent.
 *
 * It runs in a subtransaction. A failure takes back all of it and blames nobody yet: the next batches have one row a
 * server, and a row that fails alone is held with the error's SQLSTATE as its reason, so that one message that cannot
 * be rendered stops no other and is never silently dropped.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/errcodes.h"
#include "deliver/batch.h"
#include "deliver/budget.h"
#include "deliver/build.h"
#include "deliver/fault.h"
#include "deliver/freeze.h"
#include "deliver/gate.h"
#include "deliver/intent.h"
#include "deliver/lanes.h"
#include "deliver/session.h"
#include "deliver/settings.h"

#define LOOK_FOR_ORPHANS_MS 60000
#define TELL_EVERY_MS 60000

typedef struct Batch
{
	DunRun	   *run;
	dlist_head	claimed;
	DunItem   **items;
	int			n;
} Batch;

typedef bool (*Wanted) (const DunItem *item);

static bool
is_open(const DunItem *item)
{
	return item->state == NULL;
}

static bool
is_open_contact(const DunItem *item)
{
	return item->state == NULL && item->test_address == NULL;
}

/* Of these it may matter what they cost. */
static bool
is_open_and_costs(const DunItem *item)
{
	return is_open_contact(item) && strpbrk(item->cost, "123456789") != NULL;
}

/* Of these it matters whether the last attempt was interrupted: it is not repeated. */
static bool
is_doubtful(const DunItem *item)
{
	return item->attempt > 1 && (!item->loaded->server->repeat || dun_deliver_counted_attempts(item) > dun_deliver_max_attempts);
}

static int
choose(Batch *batch, DunItem **into, Wanted wanted)
{
	int			n = 0;

	for (int i = 0; i < batch->n; i++)
		if (wanted(batch->items[i]))
			into[n++] = batch->items[i];
	return n;
}

static void
list_items(Batch *batch)
{
	dlist_iter	iter;

	batch->items = palloc((batch->n + 1) * sizeof(DunItem *));
	batch->n = 0;
	dlist_foreach(iter, &batch->claimed)
		batch->items[batch->n++] = dlist_container(DunItem, node, iter.cur);
}

static void
expire(Batch *batch)
{
	TimestampTz now = dun_base_now();

	for (int i = 0; i < batch->n; i++)
		if (batch->items[i]->state == NULL && batch->items[i]->not_after < now)
			dun_deliver_decide(batch->items[i], 0, "dead", "expired");
}

/* A key is dead after its life: whether the first attempt arrived can then only be found out by a person. */
static void
expire_keys(Batch *batch)
{
	TimestampTz now = GetCurrentTimestamp();

	for (int i = 0; i < batch->n; i++)
	{
		DunItem    *item = batch->items[i];
		int64		life = item->loaded->server->key_life_hours * INT64CONST(3600) * USECS_PER_SEC;

		if (item->state != NULL || item->key_used_at == 0 || now < item->key_used_at + life)
			continue;
		dun_deliver_decide(item, 0, "unknown", "key_expired");
		item->effect = DUN_EFFECT_ASK;
	}
}

static void
prepare(void *arg)
{
	Batch	   *batch = arg;
	DunItem   **some;
	int			n;

	batch->n = dun_deliver_claim(batch->run, &batch->claimed);
	if (batch->n == 0)
		return;
	list_items(batch);
	some = palloc((batch->n + 1) * sizeof(DunItem *));

	n = choose(batch, some, is_doubtful);
	dun_deliver_find_doubtful(some, n);
	if (!batch->run->taken_over || GetCurrentTimestamp() < batch->run->orphans_until)
	{
		n = choose(batch, some, is_open);
		dun_deliver_find_orphans(some, n);
	}
	expire(batch);
	n = choose(batch, some, is_open_contact);
	if (n > 0)
		dun_deliver_ask_gate(some, n);
	DUN_FAULT("after_gate");

	n = choose(batch, some, is_open_and_costs);
	if (n > 0)
		dun_deliver_ask_budget(some, n);
	n = choose(batch, some, is_open);
	dun_deliver_freeze(some, n);
	expire_keys(batch);
	DUN_FAULT("after_freeze");

	n = choose(batch, some, is_open);
	dun_deliver_build(some, n);
	if (dun_deliver_mode == DUN_DELIVERY_DRY_RUN)
		return;
	n = choose(batch, some, is_open);
	dun_deliver_append_intents(some, n);
	DUN_FAULT("after_egress_insert");
}

static void
accept(Batch *batch)
{
	DunRun	   *run = batch->run;

	for (int i = 0; i < batch->n; i++)
	{
		DunItem    *item = batch->items[i];

		if (item->state != NULL)
			dun_deliver_push_done(run, item);
		else if (!item->urgent)
		{
			dlist_push_tail(&run->ready, &item->node);
			run->nready++;
		}
	}
	/* The most urgent was claimed first. */
	for (int i = batch->n - 1; i >= 0; i--)
		if (batch->items[i]->state == NULL && batch->items[i]->urgent)
		{
			dlist_push_head(&run->ready, &batch->items[i]->node);
			run->nready++;
		}
	/* It went well to the end of what is due: whoever was looked for is found, or is well again. */
	for (int i = 0; i < run->nlanes; i++)
		if (run->lanes[i].drained)
			run->lanes[i].one_by_one = false;
	if (batch->n > 0)
	{
		run->figures.claimed += batch->n;
		run->figures.batches++;
	}
}

static void
drop(Batch *batch)
{
	dlist_mutable_iter iter;
	int			n = 0;

	dlist_foreach_modify(iter, &batch->claimed)
	{
		dlist_delete(iter.cur);
		dun_deliver_free_item(dlist_container(DunItem, node, iter.cur));
		n++;
	}
	if (batch->run->left >= 0)
		batch->run->left += n;
	batch->n = 0;
}

/* The one row that fails alone: held, so that it is seen, and looked at again in an hour. */
static void
hold_culprit(Batch *batch, const DunFailure *failure)
{
	DunItem    *item = dlist_container(DunItem, node, dlist_pop_head_node(&batch->claimed));

	item->effect = DUN_EFFECT_NONE;
	dun_deliver_conclude(batch->run, item, 0, "held", psprintf("error_%s", failure->sqlstate));
	item->next_due = dun_base_now() + 3600 * USECS_PER_SEC;
	ereport(WARNING,
			(errcode(failure->sqlerrcode),
			 errmsg("message %s is held: %s", item->out.message_id, failure->message)));
}

/* No message's fault: none is held, and all go on when the table is mended. */
static void
wait_for_table(Batch *batch, const DunFailure *failure)
{
	static TimestampTz told_at = 0;
	DunRun	   *run = batch->run;
	TimestampTz now = GetCurrentTimestamp();

	if (dun_deliver_session.in_call || told_at == 0 || TimestampDifferenceExceeds(told_at, now, TELL_EVERY_MS))
	{
		told_at = now;
		ereport(WARNING,
				(errcode(failure->sqlerrcode),
				 errmsg("nothing is sent: %s", failure->message),
				 errhint("SELECT * FROM dunning.health();")));
	}
	drop(batch);
	dun_deliver_rewind_lanes(run, false);
	run->pause_until = TimestampTzPlusMilliseconds(now, 1000);
	if (dun_deliver_session.in_call)
		run->stopping = true;
}

static int
recover(Batch *batch, const DunFailure *failure)
{
	DunRun	   *run = batch->run;
	int			n = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &batch->claimed)
		n++;
	dun_deliver_forget_gate();
	if (failure->sqlerrcode == DUN_ERR_TABLE)
	{
		wait_for_table(batch, failure);
		return 0;
	}
	if (failure->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && GetCurrentTimestamp() >= run->orphans_until)
	{
		/* Somebody's intents stand in the way: look at them first. */
		run->orphans_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LOOK_FOR_ORPHANS_MS);
		dun_deliver_rewind_lanes(run, false);
		drop(batch);
		return 0;
	}
	/* Alone, and for the second time: it is this row. */
	if (!dun_deliver_is_transient(failure) && n == 1 &&
		dlist_container(DunItem, node, dlist_head_node(&batch->claimed))->lane->one_by_one)
	{
		hold_culprit(batch, failure);
		dun_deliver_rewind_lanes(run, false);
		return 1;
	}
	ereport(LOG,
			(errcode(failure->sqlerrcode),
			 errmsg("a batch of %d messages is taken back: %s", n, failure->message)));
	drop(batch);
	if (n == 0 || dun_deliver_is_transient(failure))
		run->pause_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), 1000);
	dun_deliver_rewind_lanes(run, n > 0 && !dun_deliver_is_transient(failure));
	return 0;
}

/* Nothing is kept of a dry run but a line for each message, once a process. */
static void
report_dry_run(Batch *batch)
{
	for (int i = 0; i < batch->n; i++)
	{
		DunItem    *item = batch->items[i];

		if (item->state == NULL)
			ereport(dun_deliver_session.in_call ? NOTICE : LOG,
					(errmsg("dry run: message %s would leave by server \"%s\", %d bytes",
							item->out.message_id, item->lane->name, item->bytes)));
		else
			ereport(dun_deliver_session.in_call ? NOTICE : LOG,
					(errmsg("dry run: message %s would be %s: %s", item->out.message_id, item->state, item->reason)));
	}
}

static void
rehearse(void *arg)
{
	Batch	   *batch = arg;

	prepare(batch);
	report_dry_run(batch);
	ereport(ERROR, (errcode(ERRCODE_SUCCESSFUL_COMPLETION), errmsg("dry run")));
}

static int
take_dry_run(Batch *batch)
{
	DunFailure	failure;
	int			n;

	(void) dun_deliver_attempt(rehearse, batch, &failure);
	n = batch->n;
	if (failure.sqlerrcode != ERRCODE_SUCCESSFUL_COMPLETION)
	{
		ereport(WARNING, (errcode(failure.sqlerrcode), errmsg("dry run: a batch of messages fails: %s", failure.message)));
		n = 0;
	}
	drop(batch);
	if (batch->run->left >= 0)
		batch->run->left = Max(batch->run->left - n, 0);
	return n;
}

int
dun_deliver_take_batch(DunRun *run)
{
	Batch		batch = {run};
	DunFailure	failure;

	dlist_init(&batch.claimed);
	if (dun_deliver_mode == DUN_DELIVERY_DRY_RUN)
		return take_dry_run(&batch);
	if (!dun_deliver_attempt(prepare, &batch, &failure))
		return recover(&batch, &failure);
	accept(&batch);
	return batch.n;
}
