/*
 * deliver/loop.c
 *		One turn after another.
 *
 * A turn is at most three steps, each ended before the next begins:
 *
 *	1. what is ready moves through the network's descriptors (no transaction);
 *	2. one transaction settles what came back and takes up what is due: its commit makes the intents durable;
 *	3. as many ready messages as there are free slots are rechecked in one query, and what passes is handed to
 *	   libcurl at once (no transaction any more).
 *
 * Then it waits for the latch, the sockets or the next thing that falls due. Whether anything may be sent at all
 * (dunning.delivery, activation) is read in the transactions of steps 2 and 3, so that no byte leaves on old news.
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/pmsignal.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/spi.h"
#include "deliver/activation.h"
#include "deliver/aside.h"
#include "deliver/batch.h"
#include "deliver/fault.h"
#include "deliver/gate.h"
#include "deliver/heads.h"
#include "deliver/intent.h"
#include "deliver/lanes.h"
#include "deliver/loop.h"
#include "deliver/reader.h"
#include "deliver/session.h"
#include "deliver/settings.h"
#include "deliver/settle.h"
#include "deliver/standing.h"
#include "transport/spool.h"

#define SETTLE_EVERY_MS 20
#define SETTLE_AT 1000
#define SETTLE_WITH_CLAIM 32	/* one commit for both */
#define HELD_EVERY_MS 30000
#define IDLE_LOOK_MS 1000		/* a prepared transaction wakes nobody, nor does ALTER DATABASE */
#define ASIDE_AT_END_MS 2500
#define WORTH_TRIMMING 64		/* messages taken up at once: what fewer need is kept for the next */
#define PROBE_SLACK_MS 60000	/* beside its server's timeout a probe has so long before it is taken for lost */
#define DRAIN_MS 800			/* how long a stopping process waits for what is in flight */
#define GIVE_UP_MS 10000		/* and then for verdicts that cannot be written */

static DunRun *current_run;		/* libcurl hands back an item and nothing else */

static DunStatement held_sql = {"SELECT dunning._release_held(due_until => $1)", 1, {TIMESTAMPTZOID}, NULL};

/* --- may anything be sent? --- */

/* A worker got its database's settings when it connected; if they changed it must connect anew. */
static bool
settings_changed(DunRun *run)
{
	bytea	   *now;

	if (dun_deliver_session.in_call)
		return false;
	now = dun_deliver_standing_settings();
	/* DROP EXTENSION took everything along that could still be settled. */
	if (now == NULL)
	{
		dun_deliver_say_farewell(MyDatabaseId, dun_deliver_session.number, DUN_FAREWELL_ABSENT);
		proc_exit(0);
	}
	if (run->settings == NULL)
	{
		run->settings = MemoryContextAlloc(run->context, VARSIZE(now));
		memcpy(run->settings, now, VARSIZE(now));
	}
	return VARSIZE(run->settings) != VARSIZE(now) || memcmp(run->settings, now, VARSIZE(now)) != 0;
}

static void
say_stop(DunRun *run, const char *reason)
{
	if (run->stop_reason != NULL && strcmp(run->stop_reason, reason) == 0)
		return;
	if (run->stop_reason != NULL)
		pfree(run->stop_reason);
	run->stop_reason = MemoryContextStrdup(run->context, reason);
	if (*reason != '\0' && !dun_deliver_session.in_call)
		ereport(LOG, (errmsg("dunning sends nothing: %s", reason)));
}

static void
look_whether_to_send(DunRun *run)
{
	char	   *problem;

	run->may_send = false;
	if (settings_changed(run))
	{
		run->settings_changed = true;
		run->stopping = true;
		return;
	}
	if (dun_deliver_mode == DUN_DELIVERY_OFF)
	{
		run->figures.phase = DUN_PHASE_OFF;
		say_stop(run, "dunning.delivery is off");
		return;
	}
	/* A redirected message reaches nobody but the tester, so a copy may be tried. */
	if (dun_deliver_redirect_to == NULL || *dun_deliver_redirect_to == '\0')
	{
		problem = dun_deliver_check_activation();
		if (problem != NULL)
		{
			run->figures.phase = DUN_PHASE_NOT_ACTIVATED;
			say_stop(run, problem);
			return;
		}
	}
	say_stop(run, "");
	run->may_send = true;
}

/* --- step 2 --- */

static void
look_at_held(DunRun *run)
{
	TimestampTz now = GetCurrentTimestamp();
	Datum		until = TimestampTzGetDatum(dun_base_now());

	if (run->held_looked_at != 0 && !TimestampDifferenceExceeds(run->held_looked_at, now, HELD_EVERY_MS))
		return;
	run->held_looked_at = now;
	dun_base_run(&held_sql, &until, NULL, false, 0);
}

static void
look_around(void *arg)
{
	look_at_held(arg);
	dun_deliver_tend_reader();
	dun_deliver_read_lanes(arg);
}

static void
look_whether(void *arg)
{
	look_whether_to_send(arg);
}

static void
look_ahead(void *arg)
{
	((DunRun *) arg)->next_due = dun_deliver_next_due();
}

/* What is in flight must not be forgotten because somebody locks a table for longer than we wait. */
static bool
look(DunRun *run, void (*work) (void *))
{
	DunFailure	failure;

	if (dun_deliver_attempt(work, run, &failure))
		return true;
	if (!dun_deliver_is_transient(&failure))
		ereport(ERROR, (errcode(failure.sqlerrcode), errmsg("%s", failure.message)));
	ereport(WARNING, (errcode(failure.sqlerrcode), errmsg("the queue could not be looked at: %s", failure.message)));
	run->pause_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), 1000);
	return false;
}

static bool
all_drained(DunRun *run)
{
	for (int i = 0; i < run->nlanes; i++)
		if (run->lanes[i].present && !run->lanes[i].paused && !run->lanes[i].shut && run->lanes[i].loaded != NULL &&
			!run->lanes[i].drained)
			return false;
	return true;
}

static bool
wants_claims(DunRun *run, TimestampTz now)
{
	if (run->stopping || run->left == 0 || now < run->pause_until)
		return false;
	if (run->woken || now >= run->look_at)
		return true;
	return dun_deliver_wants_more(run);
}

static bool
wants_settling(DunRun *run, TimestampTz now)
{
	if (run->ndone == 0 || now < run->pause_until)
		return false;
	return run->ndone >= SETTLE_AT || run->stopping || dun_transport_slots_in_use(run->transport) + run->nready == 0 ||
		TimestampDifferenceExceeds(run->done_since, now, SETTLE_EVERY_MS);
}

static void
note_news(DunRun *run, TimestampTz otherwise)
{
	TimestampTz news = dun_deliver_take_news(otherwise);

	run->news = Min(run->news, news);
}

static void
take_up(DunRun *run)
{
	TimestampTz now = GetCurrentTimestamp();

	run->looked = true;
	note_news(run, DT_NOEND);
	if (!look(run, look_whether))
		return;
	run->look_at = TimestampTzPlusMilliseconds(now, IDLE_LOOK_MS);
	if (!run->may_send)
	{
		run->woken = false;
		return;
	}
	if (dun_base_now() >= run->next_due)
		for (int i = 0; i < run->nlanes; i++)
			run->lanes[i].drained = false;
	if (dun_deliver_mode == DUN_DELIVERY_ON)
		dun_deliver_take_over(run);
	if (!look(run, look_around))
		return;
	dun_deliver_size_stock(run);
	run->taken = dun_deliver_take_batch(run);
	run->look_at = Min(run->look_at, dun_deliver_head_due(run));
	if (all_drained(run))
	{
		if (!look(run, look_ahead))
			run->next_due = DT_NOEND;
		if (run->next_due != DT_NOEND)
			run->look_at = Min(run->look_at, Max(run->next_due, now));
	}
	else
		run->next_due = DT_NOEND;
}

static bool
exchange(DunRun *run)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		settle;
	bool		claim = wants_claims(run, now);

	dun_deliver_bring_back(run);
	settle = wants_settling(run, now) || (claim && run->ndone >= SETTLE_WITH_CLAIM);
	run->taken = 0;
	if (!settle && !claim)
		return false;
	if (settle)
		DUN_FAULT("after_reply_before_settle");
	if (claim)
		DUN_FAULT("before_claim");
	dun_deliver_begin();
	settle = settle && run->ndone > 0;
	run->nsettled = 0;
	if (settle)
	{
		dun_deliver_settle(run);
		DUN_FAULT("after_settle_before_commit");
	}
	if (claim)
		take_up(run);
	dun_deliver_commit();
	run->has_worked |= run->taken >= WORTH_TRIMMING;
	if (run->taken > 0 && run->nready > 0)
		DUN_FAULT("after_intent_commit");
	if (settle)
		DUN_FAULT("after_settle_commit");
	dun_deliver_forget_settled(run);
	return true;
}

/* --- step 3 --- */

static void
on_reply(void *owner, const DunReply *reply)
{
	dun_deliver_judge_reply(current_run, owner, reply);
}

static bool
keeps_rate(DunItem *item)
{
	DunServer  *server = item->loaded->server;

	return dun_deliver_take_rate(server->rate_group ? server->rate_group : server->name, server->rate,
								 &item->rate_taken, &item->lane->rate_ready_at);
}

/* Its intent stands and nothing of it left: it waits in the queue, and the attempt does not count. */
static void
put_back(DunRun *run, DunItem *item, const char *reason)
{
	if (item->probe)
		dun_deliver_yield_probe(item->lane->name);
	item->next_due = dun_base_now();
	dun_deliver_spare(item);
	dun_deliver_conclude(run, item, item->attempt, "queued", reason);
}

static bool
passes_breaker(DunItem *item)
{
	switch (dun_deliver_ask_breaker(item->lane->name))
	{
		case DUN_PASS_ALL:
			return true;
		case DUN_PASS_PROBE:
			item->probe = dun_deliver_take_probe(item->lane->name, item->loaded->server->timeout_ms + PROBE_SLACK_MS);
			return item->probe;
		case DUN_PASS_NONE:
			break;
	}
	return false;
}

/* At most `room`: as many as have a place in their server's window, and a server that may be tried. */
static int
choose_group(DunRun *run, DunItem **group, int room)
{
	TimestampTz now = GetCurrentTimestamp();
	int			n = 0;
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &run->ready)
	{
		DunItem    *item = dlist_container(DunItem, node, iter.cur);

		if (n == room)
			break;
		if ((item->loaded->server->rate > 0 && now < item->lane->rate_ready_at) || !keeps_rate(item))
			continue;
		dlist_delete(iter.cur);
		run->nready--;
		if (passes_breaker(item))
			group[n++] = item;
		else
			put_back(run, item, "server_shut");
	}
	return n;
}

static void
put_all_back(DunRun *run, DunItem **group, int n, const char *reason)
{
	for (int i = 0; i < n; i++)
		put_back(run, group[i], reason);
}

/* The recheck of one group, as the argument of a subtransaction. */
typedef struct Rechecking
{
	DunRun	   *run;
	DunItem   **group;
	int			n;
} Rechecking;

static void
recheck(void *arg)
{
	Rechecking *r = arg;
	DunItem   **rest = palloc(r->n * sizeof(DunItem *));
	int			n = dun_deliver_leave_out_unchanged(r->group, r->n, rest);

	if (n == 0)
		return;
	dun_deliver_heed_changed_servers(r->run);
	look_whether_to_send(r->run);
	if (r->run->may_send)
		dun_deliver_recheck(rest, n);
}

static void
start(DunRun *run, DunItem *item)
{
	DunReply	reply = {DUN_NOT_SENT};

	dun_deliver_stop_waiting(item);
	switch (item->request.kind)
	{
		case DUN_REQUEST_HTTP:
		case DUN_REQUEST_SMTP:
			if (dun_transport_start_transfer(run->transport, item->loaded->server, &item->request, item))
				return;
			reply.error = "libcurl could not start the transfer";
			break;
		case DUN_REQUEST_SPOOL:
			dun_transport_write_spool(&item->request, &reply);
			break;
		case DUN_REQUEST_TASK:
		case DUN_REQUEST_MOCK:
			reply.progress = DUN_REPLIED;
			break;
	}
	dun_deliver_judge_reply(run, item, &reply);
}

/* Another number of slots is taken up as soon as nothing is in flight: nothing that has begun is torn off for it. */
static bool
wants_other_slots(DunRun *run)
{
	if (dun_deliver_slots == dun_transport_slots_of(run->transport))
		return false;
	if (dun_transport_slots_in_use(run->transport) > 0)
		return true;
	dun_transport_close_transport(run->transport);
	run->transport = NULL;
	run->transport = dun_transport_open_transport(dun_deliver_slots, !dun_deliver_session.in_call);
	return false;
}

/* A recheck is a query: it is not worth one message while others are about to end, nor a few while there is other work. */
static bool
is_worth_a_group(const DunRun *run, int room, bool busy)
{
	int			slots = dun_transport_slots_of(run->transport);

	return room > 0 && (dun_transport_slots_in_use(run->transport) == 0 || room >= Min(run->nready, slots / (busy ? 2 : 16)));
}

/* What passed its recheck leaves. */
static void
hand_out(DunRun *run, DunItem **group, int n)
{
	bool		paced = false;

	dun_transport_begin_group(run->transport, n);
	for (int i = 0; i < n; i++)
	{
		DunItem    *item = group[i];

		/* A process whose postmaster died must not go on sending beside its successor. */
		if (!PostmasterIsAlive())
			proc_exit(1);
		if (item->state != NULL)
		{
			if (item->probe)
				dun_deliver_yield_probe(item->lane->name);
			dun_deliver_push_done(run, item);
		}
		else if (dun_deliver_is_outdated(item))
			put_back(run, item, "server_changed");
		else if (keeps_rate(item))
		{
			paced |= item->loaded->server->rate > 0;
			start(run, item);
		}
		else
		{
			/* The recheck took so long that its place went to others. */
			dlist_push_head(&run->ready, &item->node);
			run->nready++;
		}
	}
	dun_transport_end_group(run->transport);
	/* They were counted for this instant: no query stands between it and their first byte. */
	if (paced)
		dun_transport_send_off(run->transport, on_reply);
}

static bool
send_group(DunRun *run, bool busy)
{
	int			room;
	DunItem   **group;
	DunFailure	failure;
	Rechecking	r;
	bool		ok;

	if (run->nready == 0 || GetCurrentTimestamp() < run->pause_until || wants_other_slots(run))
		return false;
	room = dun_transport_free_slots(run->transport);
	if (!is_worth_a_group(run, room, busy))
		return false;
	group = palloc(room * sizeof(DunItem *));
	r = (Rechecking) {run, group, choose_group(run, group, room)};
	if (r.n == 0)
	{
		pfree(group);
		return false;
	}
	DUN_FAULT("before_recheck");
	dun_deliver_begin();
	ok = dun_deliver_attempt(recheck, &r, &failure);
	dun_deliver_commit();
	DUN_FAULT("after_recheck");
	if (!ok)
	{
		dun_deliver_forget_gate();
		ereport(WARNING, (errcode(failure.sqlerrcode), errmsg("a recheck failed: %s", failure.message)));
		run->pause_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), 1000);
		for (int i = 0; i < r.n; i++)
			group[i]->state = NULL;
		put_all_back(run, group, r.n, "recheck_failed");
	}
	else if (!run->may_send)
		put_all_back(run, group, r.n, run->settings_changed ? "settings_changed" : "delivery_stopped");
	else
		hand_out(run, group, r.n);
	pfree(group);
	return true;
}

/* --- waiting and ending --- */

static TimestampTz
sleeps_until(DunRun *run, const DunLimits *limits, TimestampTz now)
{
	TimestampTz until = TimestampTzPlusMilliseconds(now, IDLE_LOOK_MS);

	if (run->ndone > 0)
		until = Min(until, TimestampTzPlusMilliseconds(run->done_since, SETTLE_EVERY_MS));
	if (run->naside > 0)
		until = Min(until, run->aside_until);
	if (!run->stopping)
		until = Min(until, run->look_at);
	if (limits->until != DT_NOEND)
		until = Min(until, limits->until);
	if (run->nready > 0 && dun_transport_free_slots(run->transport) > 0)
		for (int i = 0; i < run->nlanes; i++)
			if (run->lanes[i].waiting > 0 && run->lanes[i].rate_ready_at > now)
				until = Min(until, run->lanes[i].rate_ready_at);
	if (run->pause_until > now)
		until = Max(until, run->pause_until);
	return Max(until, now);
}

/* Who may not send is woken by nobody but who allows it; whose clock is virtual knows no due to come. */
static TimestampTz
wakes_for(const DunRun *run, TimestampTz until)
{
	if (dun_base_clock_is_virtual())
		return DT_NOEND;
	return run->may_send ? until : DT_NOBEGIN;
}

/* False: something has come already. */
static bool
fall_asleep(DunRun *run, const DunLimits *limits)
{
	TimestampTz since = GetCurrentTimestamp();
	TimestampTz until = sleeps_until(run, limits, since);
	bool		quiet = dun_deliver_say_when_to_wake(wakes_for(run, until));

	if (quiet)
		dun_transport_wait(run->transport, TimestampDifferenceMilliseconds(since, until) + 1);
	(void) dun_deliver_say_when_to_wake(DT_NOEND);
	run->idle_us += GetCurrentTimestamp() - since;
	return quiet;
}

/*
 * The largest batch of the day must not stay with a worker that sleeps: freed pieces lie between others, and the C library would
 * keep them all. Once after work, since it takes some milliseconds.
 */
static void
give_memory_back(DunRun *run)
{
	if (!run->has_worked || dun_deliver_count_items() > 0)
		return;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
	run->has_worked = false;
}

static bool
finished(DunRun *run, const DunLimits *limits)
{
	bool		empty = dun_deliver_count_items() == 0;

	/* Who holds a row for longer than a stop may take leaves its verdict to the successor: it may have arrived. */
	if (run->stopping && dun_deliver_count_items() == run->naside &&
		TimestampDifferenceExceeds(run->drain_until, GetCurrentTimestamp(), ASIDE_AT_END_MS))
		return true;
	if (run->stopping && !empty && !dun_deliver_session.in_call &&
		TimestampDifferenceExceeds(run->drain_until, GetCurrentTimestamp(), GIVE_UP_MS))
	{
		ereport(WARNING,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("the outcome of %d messages could not be written before the end", dun_deliver_count_items()),
				 errdetail("The next worker takes them for interrupted.")));
		return true;
	}
	if (run->stopping || run->left == 0)
		return empty;
	if (!limits->until_drained)
		return false;
	/* A dry run that took something must look on; else nothing is due or nothing may be sent. */
	return empty && run->taken == 0 && !run->woken && run->looked && (!run->may_send || all_drained(run));
}

static void
stop_claiming(DunRun *run)
{
	if (run->stopping)
		return;
	run->stopping = true;
	run->pause_until = 0;
	run->drain_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), DRAIN_MS);
}

/* Ending: what waits goes back, what is in flight has a moment, then it is judged by how far it got. */
static void
wind_up(DunRun *run)
{
	dlist_mutable_iter iter;

	if (run->drain_until == 0)
		run->drain_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), DRAIN_MS);
	dlist_foreach_modify(iter, &run->ready)
	{
		DunItem    *item = dlist_container(DunItem, node, iter.cur);

		dlist_delete(iter.cur);
		run->nready--;
		put_back(run, item, "stopped");
	}
	if (GetCurrentTimestamp() >= run->drain_until && dun_transport_slots_in_use(run->transport) > 0)
		dun_transport_abort_transfers(run->transport, on_reply);
}

DunRun *
dun_deliver_open_run(const DunLimits *limits)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "dunning run", ALLOCSET_DEFAULT_SIZES);
	DunRun	   *run = MemoryContextAllocZero(context, sizeof(DunRun));

	run->context = context;
	run->lanes = MemoryContextAllocZero(context, DUN_LANES * sizeof(DunLane));
	run->left = limits->max_messages;
	run->next_due = DT_NOEND;
	run->woken = true;
	run->news = DT_NOBEGIN;
	dlist_init(&run->ready);
	dlist_init(&run->done);
	dlist_init(&run->aside);
	dun_deliver_open_items();
	dun_deliver_forget_heads();
	run->transport = dun_transport_open_transport(dun_deliver_slots, !dun_deliver_session.in_call);
	current_run = run;
	return run;
}

void
dun_deliver_run_loop(DunRun *run, const DunLimits *limits)
{
	MemoryContext turn = AllocSetContextCreate(run->context, "dunning turn", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(turn);

	for (;;)
	{
		bool		busy = false;
		bool		news = false;

		MemoryContextReset(turn);
		if (limits->should_stop != NULL && limits->should_stop())
			stop_claiming(run);
		if (GetCurrentTimestamp() >= limits->until)
			stop_claiming(run);
		if (dun_transport_run_transfers(run->transport, on_reply) > 0)
			busy = true;
		if (dun_transport_slots_in_use(run->transport) > 0)
			DUN_FAULT("mid_transfer");
		if (run->stopping)
			wind_up(run);
		if (exchange(run))
			busy = true;
		MemoryContextSwitchTo(turn);
		if (send_group(run, busy))
			busy = true;
		MemoryContextSwitchTo(turn);

		run->figures.in_flight = dun_transport_slots_in_use(run->transport);
		run->figures.last_turn_at = GetCurrentTimestamp();
		if (run->may_send)
			run->figures.phase = dun_deliver_count_items() > 0 ? DUN_PHASE_SENDING : DUN_PHASE_IDLE;
		dun_deliver_show_figures(&run->figures);
		if (finished(run, limits))
			break;
		/* What would be waited for moves by itself: once more round, to take up what is next. */
		run->at_leisure = !busy && !run->at_leisure && dun_transport_has_own_thread(run->transport);
		if (!busy && !run->at_leisure)
		{
			give_memory_back(run);
			news = !fall_asleep(run, limits);
		}
		/* Somebody enqueued, reloaded the settings or wants us to end: look at all of it. */
		if (MyLatch->is_set || news)
		{
			ResetLatch(MyLatch);
			run->woken = true;
			note_news(run, DT_NOBEGIN);
		}
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(turn);
}

void
dun_deliver_close_run(DunRun *run)
{
	if (run->transport != NULL)
		dun_transport_close_transport(run->transport);
	dun_deliver_close_items();
	current_run = NULL;
	MemoryContextDelete(run->context);
}
