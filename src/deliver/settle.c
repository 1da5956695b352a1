/*
 * deliver/settle.c
 *		From a reply to a settled attempt.
 *
 * Verdicts are written by size or time, many in one statement, through the queue's one transition function, whose
 * fence lets attempt n be settled once. What was plainly accepted passes the same fence by a statement of its own, and
 * its outcomes are appended as COPY does. A batch that cannot be written is tried again: what was sent stays sent.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/append.h"
#include "base/clock.h"
#include "base/errcodes.h"
#include "base/spi.h"
#include "base/uuid.h"
#include "deliver/arrays.h"
#include "deliver/aside.h"
#include "deliver/session.h"
#include "deliver/settings.h"
#include "deliver/settle.h"

#define SETTLE_MAX 1000
#define REFUSALS_SPARED 3		/* after so many a message is refused that others of its server are not */
#define BACKOFF_CAP_MS (6 * 3600 * 1000.0)

static DunStatement conclude_sql = {
	"SELECT dunning._conclude($1, $2, $3, $4, $5, $6, $7::jsonb[], $8, $9)",
	9, {TEXTARRAYOID, UUIDARRAYOID, INT2ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
	TIMESTAMPTZARRAYOID, TEXTARRAYOID}, NULL
};

/* Harmless with the rows that are written beside it: queue and outcome of these messages, and nothing else. */
static DunStatement finish_sql = {
	"SELECT pg_catalog.unnest(dunning._finish_sent($1, $2, $3))", 3, {TEXTARRAYOID, UUIDARRAYOID, INT2ARRAYOID},
	.harmless = true, .in_index_order = true
};

static const DunAppendTo outcome = {
	"outcome", 10,
	{"message_id", "outcome_id", "debtor_id", "creditor", "attempt", "state", "reason", "provider_ref", "detail", "at"}
};

/* Exponential, with a quarter of jitter to either side, never earlier than the gateway asked for. */
static TimestampTz
next_attempt_at(int attempt, int retry_after_s)
{
	double		ms = Min(dun_deliver_retry_delay * pow(2, Min(attempt - 1, 30)), BACKOFF_CAP_MS);

	ms *= 0.75 + 0.5 * pg_prng_double(&pg_global_prng_state);
	ms = Max(ms, retry_after_s * 1000.0);
	return dun_base_now() + (int64) (ms * 1000);
}

static char *
reply_detail(DunItem *item, const DunReply *reply, bool may_have_arrived)
{
	StringInfoData s;
	MemoryContext before = MemoryContextSwitchTo(item->context);

	initStringInfo(&s);
	appendStringInfoChar(&s, '{');
	if (reply->code != 0)
		appendStringInfo(&s, "\"code\": %ld", reply->code);
	if (reply->error != NULL)
	{
		if (s.len > 1)
			appendStringInfoString(&s, ", ");
		appendStringInfoString(&s, "\"error\": ");
		escape_json(&s, reply->error);
	}
	if (may_have_arrived)
		appendStringInfo(&s, "%s\"may_have_arrived\": true", s.len > 1 ? ", " : "");
	appendStringInfoChar(&s, '}');
	MemoryContextSwitchTo(before);
	return s.len > 2 ? s.data : NULL;
}

static void
try_again(DunRun *run, DunItem *item, const DunJudgement *j, bool doubtful, bool spared)
{
	DunServer  *server = item->loaded->server;
	TimestampTz next = next_attempt_at(dun_deliver_counted_attempts(item), j->retry_after_s);

	if (!spared && dun_deliver_counted_attempts(item) >= dun_deliver_max_attempts)
	{
		run->figures.failed++;
		if (doubtful || item->may_have_arrived)
		{
			item->effect = DUN_EFFECT_ASK;
			dun_deliver_conclude(run, item, item->attempt, "unknown", j->reason);
		}
		else
			dun_deliver_conclude(run, item, item->attempt, "failed", j->reason);
		return;
	}
	/* A key must not be repeated after its life; what is certain not to have left needs no key. */
	if (doubtful && next - dun_base_now() > server->key_life_hours * INT64CONST(3600) * USECS_PER_SEC)
	{
		item->effect = DUN_EFFECT_ASK;
		dun_deliver_conclude(run, item, item->attempt, "unknown", j->reason);
		return;
	}
	run->figures.retried++;
	item->next_due = next;
	if (spared)
		dun_deliver_spare(item);
	dun_deliver_conclude(run, item, item->attempt, "queued", j->reason);
}

static void
act_on_verdict(DunRun *run, DunItem *item, const DunJudgement *j, bool spared)
{
	switch (j->verdict)
	{
		case DUN_SENT:
			run->figures.sent++;
			if (item->request.kind == DUN_REQUEST_TASK)
				item->effect = DUN_EFFECT_TASK;
			dun_deliver_conclude(run, item, item->attempt, "sent", j->reason);
			break;
		case DUN_RETRY:
			try_again(run, item, j, false, spared);
			break;
		case DUN_SUPPRESS:
			/* A test's address is not the debtor's. */
			if (!item->test)
				item->effect = DUN_EFFECT_SUPPRESS;
			/* FALLTHROUGH */
		case DUN_FAILED:
			run->figures.failed++;
			dun_deliver_conclude(run, item, item->attempt, "failed", j->reason);
			break;
		case DUN_UNKNOWN:
			if (item->loaded->server->repeat)
				try_again(run, item, j, true, false);
			else
			{
				run->figures.unknown++;
				item->effect = DUN_EFFECT_ASK;
				dun_deliver_conclude(run, item, item->attempt, "unknown", j->reason);
			}
			break;
	}
}

/* --- whose failure it is --- */

static void
say_tripped(const DunItem *item, const DunJudgement *j)
{
	const DunServer *server = item->loaded->server;

	ereport(WARNING,
			(errcode(DUN_ERR_GATEWAY),
			 errmsg("server \"%s\" is left alone for a while: %s", server->name, j->reason),
			 j->blame == DUN_BLAME_SERVER ? errdetail("Its last %d messages were not taken. They wait and lose no attempt.", server->breaker_after) :
			 errdetail("It does not let us in. Its messages wait and lose no attempt."),
			 errhint("When it is mended: SELECT dunning.resume(%s);", quote_literal_cstr(server->name))));
}

/* Others got through where this one was refused again and again: it is this one. */
static bool
is_unwanted(const DunItem *item)
{
	return item->spared >= REFUSALS_SPARED && dun_deliver_breaker_is_proven(item->lane->name);
}

static void
note_working(DunRun *run, const DunServer *server)
{
	if (!dun_deliver_close_breaker(server->name))
		return;
	run->woken = true;
	run->news = DT_NOBEGIN;
	ereport(LOG, (errmsg("server \"%s\" takes messages again", server->name)));
}

/* Tell the breaker. True: the failure is the server's, and the attempt does not count. */
static bool
is_spared(DunRun *run, DunItem *item, const DunReply *reply, DunJudgement *j)
{
	const DunServer *server = item->loaded->server;
	DunTrip		trip = {server->breaker_after, server->breaker_pause_ms, j->blame == DUN_BLAME_US, item->probe, j->reason};
	DunTripped	tripped;

	if (run->stopping && reply->progress == DUN_NOT_SENT && reply->code == 0)
	{
		/* Cut off by ourselves. */
		if (item->probe)
			dun_deliver_yield_probe(server->name);
		return true;
	}
	if (j->verdict == DUN_UNKNOWN)
	{
		/* It says nothing of the server; but who was to find out has not. */
		if (item->probe)
			dun_deliver_trip_breaker(server->name, &trip);
		return false;
	}
	if (j->blame == DUN_BLAME_NONE)
	{
		note_working(run, server);
		return false;
	}
	if (j->blame != DUN_BLAME_SERVER && is_unwanted(item))
	{
		j->verdict = DUN_FAILED;
		return false;
	}
	tripped = dun_deliver_trip_breaker(server->name, &trip);
	if (tripped == DUN_TRIPPED_NOW)
		say_tripped(item, j);
	return tripped != DUN_TRIPPED_NOT || j->blame != DUN_BLAME_SERVER;
}

void
dun_deliver_judge_reply(DunRun *run, DunItem *item, const DunReply *reply)
{
	MemoryContext before = MemoryContextSwitchTo(item->context);
	DunJudgement j = {0};
	bool		spared;

	item->loaded->driver->judge(item->loaded->server, reply, &j);
	item->detail = reply_detail(item, reply, j.verdict == DUN_UNKNOWN);
	item->provider_ref = j.provider_ref;
	if (j.reason == NULL)
		j.reason = j.verdict == DUN_SENT ? "accepted" : "unexplained";
	spared = is_spared(run, item, reply, &j);
	act_on_verdict(run, item, &j, spared);
	MemoryContextSwitchTo(before);
}

/* --- writing --- */

static const char *
effect_name(DunEffect effect)
{
	switch (effect)
	{
		case DUN_EFFECT_SUPPRESS:
			return "suppress";
		case DUN_EFFECT_TASK:
			return "task";
		case DUN_EFFECT_ASK:
			return "ask";
		case DUN_EFFECT_NONE:
			break;
	}
	return NULL;
}

typedef struct Settling
{
	DunRun	   *run;
	int			max;
	int			n;
	bool		in_sql;			/* append nothing: what hangs on the table would not run */
} Settling;

#define VERDICT_COLUMNS 9

typedef struct Verdicts
{
	int			n;
	DunColumn  *c[VERDICT_COLUMNS];
} Verdicts;

/* The gateway took it, and nothing follows from that. */
static bool
is_plain(const DunItem *item)
{
	return item->settled_attempt > 0 && item->effect == DUN_EFFECT_NONE && strcmp(item->state, "sent") == 0;
}

/* In the order of the arguments of _conclude(). */
static void
open_verdicts(Verdicts *v, int max)
{
	static const Oid types[VERDICT_COLUMNS] = {
		TEXTOID, UUIDOID, INT2OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID
	};

	v->n = 0;
	for (int i = 0; i < VERDICT_COLUMNS; i++)
		v->c[i] = dun_deliver_column(types[i], max);
}

static void
push_verdict(Verdicts *v, const DunItem *item)
{
	v->n++;
	dun_deliver_push_text(v->c[0], item->debtor_id);
	dun_deliver_push(v->c[1], UUIDPGetDatum(&item->message_id));
	dun_deliver_push(v->c[2], Int16GetDatum(item->settled_attempt));
	dun_deliver_push_text(v->c[3], item->state);
	dun_deliver_push_text(v->c[4], item->reason);
	dun_deliver_push_text(v->c[5], item->provider_ref);
	dun_deliver_push_text(v->c[6], item->detail);
	if (item->next_due != 0)
		dun_deliver_push(v->c[7], TimestampTzGetDatum(item->next_due));
	else
		dun_deliver_push_null(v->c[7]);
	dun_deliver_push_text(v->c[8], effect_name(item->effect));
}

static void
conclude(const Verdicts *v)
{
	Datum		args[VERDICT_COLUMNS];

	if (v->n == 0)
		return;
	for (int i = 0; i < VERDICT_COLUMNS; i++)
		args[i] = dun_deliver_array(v->c[i]);
	dun_base_run(&conclude_sql, args, NULL, false, 0);
}

/* --- what nearly every verdict is --- */

/* Which of them had their queue row still, under the fence; it is gone now. */
static bool *
finish(DunItem **items, int n)
{
	DunColumn  *debtors = dun_deliver_column(TEXTOID, n);
	DunColumn  *ids = dun_deliver_column(UUIDOID, n);
	DunColumn  *attempts = dun_deliver_column(INT2OID, n);
	bool	   *won = palloc0(n * sizeof(bool));
	Datum		args[3];
	uint64		rows;

	for (int i = 0; i < n; i++)
	{
		dun_deliver_push_text(debtors, items[i]->debtor_id);
		dun_deliver_push(ids, UUIDPGetDatum(&items[i]->message_id));
		dun_deliver_push(attempts, Int16GetDatum(items[i]->settled_attempt));
	}
	args[0] = dun_deliver_array(debtors);
	args[1] = dun_deliver_array(ids);
	args[2] = dun_deliver_array(attempts);
	rows = dun_base_run(&finish_sql, args, NULL, false, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;

		won[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1] = true;
	}
	return won;
}

static void
append_outcome(DunAppend *into, const DunItem *item, Datum detail, TimestampTz at)
{
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	const char *texts[] = {item->debtor_id, item->out.creditor, item->state, item->reason, item->provider_ref};
	static const int places[] = {2, 3, 5, 6, 7};
	Datum		values[10] = {UUIDPGetDatum(&item->message_id), UUIDPGetDatum(id)};
	bool		nulls[10] = {false};

	dun_base_uuid7(id);
	for (int i = 0; i < lengthof(texts); i++)
	{
		nulls[places[i]] = texts[i] == NULL;
		if (texts[i] != NULL)
			values[places[i]] = CStringGetTextDatum(texts[i]);
	}
	values[4] = Int16GetDatum(item->settled_attempt);
	nulls[8] = item->detail == NULL;
	values[8] = detail;
	values[9] = TimestampTzGetDatum(at);
	dun_base_append_row(into, values, nulls);
}

/* Who lost the fence goes the long way. */
static void
settle_plain(DunItem **items, int n, Verdicts *others)
{
	bool	   *won;
	DunAppend  *into;
	TimestampTz at = dun_base_now();
	const char *read = NULL;
	Datum		detail = (Datum) 0;

	if (n == 0)
		return;
	won = finish(items, n);
	into = dun_base_open_append(&outcome);
	for (int i = 0; i < n; i++)
	{
		if (!won[i])
		{
			push_verdict(others, items[i]);
			continue;
		}
		/* Most say the same. */
		if (items[i]->detail != NULL && (read == NULL || strcmp(items[i]->detail, read) != 0))
		{
			read = items[i]->detail;
			detail = DirectFunctionCall1(jsonb_in, CStringGetDatum(read));
		}
		append_outcome(into, items[i], detail, at);
	}
	dun_base_close_append(into);
}

static void
write_verdicts(void *arg)
{
	Settling   *s = arg;
	Verdicts	others;
	DunItem   **plain = palloc(s->max * sizeof(DunItem *));
	int			nplain = 0;
	dlist_iter	iter;

	open_verdicts(&others, s->max);
	s->n = 0;
	dlist_foreach(iter, &s->run->done)
	{
		DunItem    *item = dlist_container(DunItem, node, iter.cur);

		if (s->n == s->max)
			break;
		s->n++;
		if (is_plain(item) && !s->in_sql)
			plain[nplain++] = item;
		else
			push_verdict(&others, item);
	}
	settle_plain(plain, nplain, &others);
	conclude(&others);
}

/* A message can wait until a trigger is gone, what was sent cannot: then rows are inserted, and the trigger runs. */
static bool
attempt(Settling *s, DunFailure *failure)
{
	if (dun_deliver_attempt(write_verdicts, s, failure))
		return true;
	if (failure->sqlerrcode != DUN_ERR_TABLE || s->in_sql)
		return false;
	s->in_sql = true;
	return dun_deliver_attempt(write_verdicts, s, failure);
}

/* One verdict that cannot be written must not keep the others: it goes to the end, and its turn comes again. */
static void
put_last(DunRun *run)
{
	dlist_node *first = dlist_pop_head_node(&run->done);

	dlist_push_tail(&run->done, first);
}

void
dun_deliver_settle(DunRun *run)
{
	Settling	s = {run};
	DunFailure	failure;

	run->nsettled = 0;
	if (dun_deliver_is_held_up(run, SETTLE_MAX))
		dun_deliver_set_aside(run, Min(run->ndone, SETTLE_MAX));
	if (run->ndone == 0)
		return;
	s.max = Min(run->ndone, SETTLE_MAX);
	if (attempt(&s, &failure))
	{
		run->nsettled = s.n;
		return;
	}
	if (failure.sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
	{
		int			n = dun_deliver_set_aside(run, s.max);

		s.max -= n;
		if (n > 0 && (s.max == 0 || attempt(&s, &failure)))
		{
			run->nsettled = s.max == 0 ? 0 : s.n;
			return;
		}
	}
	ereport(WARNING,
			(errcode(failure.sqlerrcode),
			 errmsg("the outcome of %d messages could not be written: %s", s.n, failure.message)));
	if (dun_deliver_is_transient(&failure))
	{
		run->pause_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), 1000);
		return;
	}
	s.max = 1;
	if (attempt(&s, &failure))
		run->nsettled = s.n;
	else
	{
		put_last(run);
		run->pause_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), 100);
	}
}

void
dun_deliver_forget_settled(DunRun *run)
{
	for (; run->nsettled > 0; run->nsettled--)
	{
		DunItem    *item = dlist_container(DunItem, node, dlist_pop_head_node(&run->done));

		run->ndone--;
		if (strcmp(item->state, "held") == 0 || strcmp(item->state, "cancelled") == 0 || item->settled_attempt == 0)
			run->figures.stopped++;
		if (strcmp(item->state, "queued") == 0 && item->next_due != 0)
			run->next_due = Min(run->next_due, item->next_due);
		dun_deliver_free_item(item);
	}
	if (run->ndone > 0)
		run->done_since = GetCurrentTimestamp();
}
