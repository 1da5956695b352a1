/*
 * deliver/lanes.c
 *		Which rows of the queue are read next.
 *
 * A claim writes nothing. The rows of a lane are read in the order (due, message_id) beyond a remembered position, so
 * that the dead rows which a held snapshot keeps at the head are walked over once and not at each read. The position
 * is only a shortcut: a row committed late, or put back with an older due, lies behind it. Whoever commits such says from
 * which due on (deliver/shmem.h), and from there on is read again. What nobody can say, a prepared transaction's rows, is found
 * by reading from the beginning every two seconds. Neither takes more of the time than its share, measured.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/spi.h"
#include "deliver/arrays.h"
#include "deliver/claim.h"
#include "deliver/epoch.h"
#include "deliver/lanes.h"
#include "deliver/session.h"
#include "deliver/settings.h"
#include "deliver/shmem.h"

#define STRAYS_EVERY_MS 1000
#define STRAYS_SHARE 100		/* at most a hundredth of the time goes into looking for strays */
#define HEAD_EVERY_MS 2000
#define HEAD_OWED_MS 20
#define OWED_SHARE 20			/* at most a twentieth of the time goes into reading again from where something came */
#define HEAD_SHARE 50			/* and a fiftieth into reading all of it */
#define SERVER_EVERY_MS 10000	/* a secret file may have changed without a word in the catalog */
#define RETRY_SERVER_MS 10000
#define BATCH_MAX 1000
#define CLAIMS_PER_SLOT 16		/* waiting intents: enough that a batch is worth its commit, few enough to lose little time over */
#define STOCK_MIN 64
#define TELL_EVERY_MS 60000

static uint64 catalog_version = 0;

static void
on_catalog_change(Datum arg, int cache, uint32 hash)
{
	catalog_version++;
}

static DunStatement lanes_sql = {
	"SELECT s.srvname::text, EXISTS (SELECT FROM dunning.server_state p WHERE p.server = s.srvname::text COLLATE \"C\")"
	"  FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw"
	" WHERE w.fdwname = 'dunning_gateway' AND NOT 'driver=imap' = ANY (s.srvoptions)", 0, {0}, .harmless = true
};

static DunStatement next_due_sql = {
	"SELECT q.due FROM dunning.queue q WHERE q.state = 'queued' AND q.due > $1 ORDER BY q.due LIMIT 1",
	1, {TIMESTAMPTZOID}, .in_index_order = true, .harmless = true
};

static DunStatement day_sql = {"SELECT dunning._day_left($1, $2)", 2, {TEXTOID, INT8OID}, NULL};

static DunStatement strays_sql = {
	"SELECT dunning._hold_strays($1, $2)", 2, {TEXTARRAYOID, INT2ARRAYOID}, NULL
};

/* --- servers --- */

static void
put_away(DunLoaded *loaded)
{
	if (loaded == NULL)
		return;
	loaded->stale = true;
	if (loaded->users == 0)
		MemoryContextDelete(loaded->context);
}

static DunLane *
find_lane(DunRun *run, const char *name)
{
	for (int i = 0; i < run->nlanes; i++)
		if (strcmp(run->lanes[i].name, name) == 0)
			return &run->lanes[i];
	return NULL;
}

/* Items point to lanes: a lane's place is never moved, and given away only where its server is gone and nothing of it is left. */
static DunLane *
find_room(DunRun *run)
{
	for (int i = 0; i < run->nlanes; i++)
		if (!run->lanes[i].present && run->lanes[i].items == 0)
		{
			put_away(run->lanes[i].loaded);
			return &run->lanes[i];
		}
	return run->nlanes < DUN_LANES ? &run->lanes[run->nlanes++] : NULL;
}

static DunLane *
make_lane(DunRun *run, const char *name)
{
	DunLane    *lane = find_room(run);

	if (lane == NULL)
		return NULL;
	memset(lane, 0, sizeof(*lane));
	strlcpy(lane->name, name, sizeof(lane->name));
	lane->position_due = DT_NOBEGIN;
	lane->owed_from = DT_NOEND;
	return lane;
}

typedef struct LoadArgs
{
	DunRun	   *run;
	DunLane    *lane;
} LoadArgs;

static uint64
mix_text(uint64 seed, const char *text)
{
	return text == NULL ? hash_combine64(seed, 1) :
		hash_combine64(seed, hash_bytes_extended((const unsigned char *) text, (int) strlen(text), 0));
}

/* A number that is another one where somebody changed the server, its mapping or a secret. */
static uint64
what_it_is_made_of(const DunServer *server)
{
	uint64		made_of = 1;
	ListCell   *cell;

	foreach(cell, server->options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		made_of = mix_text(mix_text(made_of, option->defname), defGetString(option));
	}
	made_of = mix_text(mix_text(made_of, server->username), server->password);
	return mix_text(mix_text(made_of, server->proxy_username), server->proxy_password);
}

/* What was wrong may be mended: whoever changes a server that is left alone need not say so as well. */
static void
note_change(DunLane *lane)
{
	uint64		made_of = lane->loaded->made_of;
	bool		changed = lane->made_of != 0 && lane->made_of != made_of;

	lane->made_of = made_of;
	if (changed && dun_deliver_forget_breaker(lane->name))
		ereport(LOG, (errmsg("server \"%s\" was changed and is tried again", lane->name)));
}

static void
load_server(void *arg)
{
	LoadArgs   *a = arg;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "dunning server", ALLOCSET_SMALL_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	DunLoaded  *loaded = palloc0(sizeof(DunLoaded));

	loaded->context = context;
	loaded->server = dun_gateway_load_server(a->lane->name);
	loaded->driver = dun_gateway_find_driver(loaded->server->driver);
	if (loaded->driver == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("server \"%s\" names an unknown driver \"%s\"", a->lane->name, loaded->server->driver)));
	loaded->made_of = what_it_is_made_of(loaded->server);
	MemoryContextSwitchTo(before);
	/* From here on it lives as long as it is used. */
	MemoryContextSetParent(context, a->run->context);
	put_away(a->lane->loaded);
	a->lane->loaded = loaded;
	note_change(a->lane);
}

/* Somebody altered one, or who may use it: all are read again. */
static bool
notice_changes(DunRun *run)
{
	static uint64 seen_version = 0;

	if (seen_version == catalog_version)
		return false;
	seen_version = catalog_version;
	for (int i = 0; i < run->nlanes; i++)
		run->lanes[i].loaded_at = run->lanes[i].retry_at = 0;
	return true;
}

static void
keep_server_loaded(DunRun *run, DunLane *lane)
{
	TimestampTz now = GetCurrentTimestamp();
	LoadArgs	args = {run, lane};
	DunFailure	failure;

	notice_changes(run);
	if (now < lane->retry_at)
		return;
	if (lane->loaded != NULL && !TimestampDifferenceExceeds(lane->loaded_at, now, SERVER_EVERY_MS))
		return;
	if (dun_deliver_attempt(load_server, &args, &failure))
		lane->loaded_at = now;
	else
	{
		/* Its messages wait; nobody else's do. */
		ereport(WARNING,
				(errcode(failure.sqlerrcode),
				 errmsg("server \"%s\" cannot be used: %s", lane->name, failure.message)));
		put_away(lane->loaded);
		lane->loaded = NULL;
		lane->retry_at = TimestampTzPlusMilliseconds(now, RETRY_SERVER_MS);
	}
}

void
dun_deliver_heed_changed_servers(DunRun *run)
{
	if (!notice_changes(run))
		return;
	for (int i = 0; i < run->nlanes; i++)
		if (run->lanes[i].waiting > 0)
			keep_server_loaded(run, &run->lanes[i]);
}

bool
dun_deliver_is_outdated(const DunItem *item)
{
	return item->lane->loaded == NULL || item->lane->loaded->made_of != item->loaded->made_of;
}

Datum
dun_deliver_owned_slices(void)
{
	DunColumn  *slices = dun_deliver_column(INT2OID, dun_deliver_session.nslices);

	for (int i = 0; i < dun_deliver_session.nslices; i++)
		dun_deliver_push(slices, Int16GetDatum(dun_deliver_session.slices[i]));
	return dun_deliver_array(slices);
}

/* Queued for a server that is not there, or for none: held, so that it is seen. */
static void
hold_strays(DunRun *run)
{
	DunColumn  *names = dun_deliver_column(TEXTOID, run->nlanes);
	Datum		args[2];

	for (int i = 0; i < run->nlanes; i++)
		if (run->lanes[i].present)
			dun_deliver_push_text(names, run->lanes[i].name);
	args[0] = dun_deliver_array(names);
	args[1] = dun_deliver_owned_slices();
	dun_base_run(&strays_sql, args, NULL, false, 0);
}

/* Their messages are held as those of a server that is not there. */
static void
say_crowded(DunRun *run, int n)
{
	TimestampTz now = GetCurrentTimestamp();

	if (run->crowded_at != 0 && !TimestampDifferenceExceeds(run->crowded_at, now, TELL_EVERY_MS))
		return;
	run->crowded_at = now;
	ereport(WARNING,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("%d servers are not served: there are more than %d", n, DUN_LANES),
			 errhint("DROP SERVER what no message goes by.")));
}

/* Those that are known first, so that a new one does not take the place of one that is still there. */
static void
read_servers(DunRun *run)
{
	uint64		n = dun_base_run(&lanes_sql, NULL, NULL, false, 0);
	DunLane   **lanes = palloc((n + 1) * sizeof(DunLane *));
	int			unserved = 0;

	for (int i = 0; i < run->nlanes; i++)
		run->lanes[i].present = false;
	for (uint64 i = 0; i < n; i++)
	{
		lanes[i] = find_lane(run, dun_base_text(i, 1));
		if (lanes[i] != NULL)
			lanes[i]->present = true;
	}
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		if (lanes[i] == NULL)
			lanes[i] = make_lane(run, dun_base_text(i, 1));
		if (lanes[i] == NULL)
		{
			unserved++;
			continue;
		}
		lanes[i]->present = true;
		lanes[i]->paused = DatumGetBool(dun_base_value(i, 2, &isnull));
	}
	if (unserved > 0)
		say_crowded(run, unserved);
}

void
dun_deliver_read_lanes(DunRun *run)
{
	static bool registered = false;
	TimestampTz now = GetCurrentTimestamp();
	DunEpoch	epoch = dun_deliver_epoch();

	if (!registered)
	{
		CacheRegisterSyscacheCallback(FOREIGNSERVEROID, on_catalog_change, (Datum) 0);
		CacheRegisterSyscacheCallback(USERMAPPINGOID, on_catalog_change, (Datum) 0);
		registered = true;
	}
	if (!run->woken && dun_deliver_is_same_epoch(&run->lanes_read_in, &epoch))
		return;
	run->lanes_read_in = epoch;
	read_servers(run);
	if (now >= run->strays_at)
	{
		hold_strays(run);
		run->strays_at = now + Max(STRAYS_EVERY_MS * INT64CONST(1000), STRAYS_SHARE * (GetCurrentTimestamp() - now));
	}
}

/* --- claims --- */

static int
claim_limit(const DunRun *run)
{
	return Min(BATCH_MAX, dun_transport_slots_of(run->transport) * CLAIMS_PER_SLOT);
}

/* Lanes that are not known to be empty share the room. */
static int
busy_lanes(const DunRun *run)
{
	int			n = 0;

	for (int i = 0; i < run->nlanes; i++)
		if (run->lanes[i].present && !run->lanes[i].paused && !run->lanes[i].shut && (!run->lanes[i].drained || run->lanes[i].waiting > 0))
			n++;
	return Max(n, 1);
}

/* Ready, and held back by no rate. */
static int
stock_in_hand(const DunRun *run)
{
	int			n = 0;

	for (int i = 0; i < run->nlanes; i++)
		if (run->lanes[i].loaded == NULL || run->lanes[i].loaded->server->rate == 0)
			n += run->lanes[i].waiting;
	return n;
}

static int
share_of(const DunRun *run)
{
	return Max(run->stock / busy_lanes(run), Min(dun_transport_slots_of(run->transport), run->stock));
}

/* How many more rows this lane may hold; a limited one a window's worth. */
static int
room_of(DunRun *run, DunLane *lane)
{
	int			all = claim_limit(run) - dun_deliver_count_items();
	int			room = Min(all, share_of(run) - lane->waiting);
	double		rate = lane->loaded->server->rate;

	if (rate == 0)
		room = Min(room, run->stock - stock_in_hand(run));
	/* Where a crash would leave an unknown attempt behind, fewer intents stand waiting. */
	if (!lane->loaded->server->repeat)
		room = Min(room, dun_transport_slots_of(run->transport) * 2 - lane->waiting);
	if (rate > 0)
		room = Min(room, (int) Max(1, Min(rate, (double) BATCH_MAX)) - lane->waiting);
	if (lane->one_by_one)
		room = Min(room, 1);
	if (lane->probing)
		room = Min(room, 1 - lane->waiting);
	if (run->left >= 0)
		room = (int) Min((int64) room, run->left);
	return Max(room, 0);
}

/*
 * Nothing moves through the network while a batch is prepared. Where the slots are what limits (a gateway that takes its
 * time), the process idles between batches: then small ones, more often. Where its own work does, large ones cost less.
 */
void
dun_deliver_size_stock(DunRun *run)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		passed = now - run->sized_at;
	int			most = claim_limit(run);
	int			least = Min(STOCK_MIN, most);

	/* What the slots can hold leaves while the next batch is prepared; more would wait for them with the process idle. */
	if (dun_transport_has_own_thread(run->transport))
		most = Min(most, Max(dun_transport_slots_of(run->transport), 2 * STOCK_MIN));
	if (dun_deliver_count_items() == 0)
		run->stock = least;		/* the first ones soon */
	else if (run->idle_us > passed / 8)
		run->stock /= 2;
	else if (run->idle_us < passed / 32)
		run->stock *= 2;
	run->stock = Max(least, Min(run->stock, most));
	run->sized_at = now;
	run->idle_us = 0;
}

/*
 * A quarter of what a lane may hold is left: a batch is worth its commit. While the process has nothing else to do, and what
 * left moves without it, less will do.
 */
bool
dun_deliver_wants_more(DunRun *run)
{
	for (int i = 0; i < run->nlanes; i++)
	{
		DunLane    *lane = &run->lanes[i];
		int			room;

		if (!lane->present || lane->paused || lane->shut || lane->loaded == NULL || lane->drained)
			continue;
		room = room_of(run, lane);
		if (room > 0 && lane->waiting <= room / 3)
			return true;
		if (run->at_leisure && room >= STOCK_MIN / 2)
			return true;
	}
	return false;
}

/* A server's day may be over before its queue is. */
static int
room_of_day(DunLane *lane, int room)
{
	Datum		args[2] = {CStringGetTextDatum(lane->name), Int64GetDatum(lane->loaded->server->daily)};
	bool		isnull;

	if (lane->loaded->server->daily == 0)
		return room;
	dun_base_run(&day_sql, args, NULL, false, 1);
	return (int) Min((int64) room, DatumGetInt64(dun_base_value(0, 1, &isnull)));
}

/* Not before this may be read again what is owed. */
static TimestampTz
owed_allowed_at(const DunLane *lane)
{
	return lane->owed_read_at + lane->owed_cost_us * OWED_SHARE;
}

/* From which due on a lane is to be read again, DT_NOEND: from its position. */
static TimestampTz
reads_from(const DunLane *lane, TimestampTz now)
{
	bool		head_due = now - lane->head_read_at >= Max(HEAD_EVERY_MS * INT64CONST(1000), lane->head_cost_us * HEAD_SHARE);

	/* A rehearsal leaves all rows where they are: once is enough. */
	if (lane->head_read_at == 0 || (head_due && dun_deliver_mode != DUN_DELIVERY_DRY_RUN))
		return DT_NOBEGIN;
	if (lane->owed_from != DT_NOEND && now >= owed_allowed_at(lane) && dun_deliver_mode != DUN_DELIVERY_DRY_RUN)
		return lane->owed_from;
	return DT_NOEND;
}

/* It was read from there on. */
static void
note_read(DunLane *lane, TimestampTz from, TimestampTz started)
{
	int64		cost = GetCurrentTimestamp() - started;

	if (from == DT_NOEND)
		return;
	lane->owed_from = DT_NOEND;
	lane->owed_read_at = started;
	lane->owed_cost_us = cost;
	if (from != DT_NOBEGIN)
		return;
	lane->head_read_at = started;
	lane->head_cost_us = cost;
}

/* Rows due from `news` on may have come: behind the position they will be met, before it they must be looked for. */
static void
hear_news(DunLane *lane, TimestampTz news)
{
	if (news == DT_NOEND)
		return;
	if (news <= lane->position_due)
		lane->owed_from = Min(lane->owed_from, news);
	else
	{
		lane->has_news = lane->has_news || lane->drained;
		lane->drained = false;
	}
}

static int
claim_lane(DunRun *run, DunLane *lane, dlist_head *batch)
{
	TimestampTz started = GetCurrentTimestamp();
	TimestampTz from;
	int			room = room_of(run, lane);
	int			claimed = 0;

	if (room == 0)
		return 0;
	lane->has_news = false;
	from = reads_from(lane, started);
	if (from == DT_NOEND && lane->drained)
		return 0;
	room = room_of_day(lane, room);
	if (room == 0)
	{
		/* Until the next look at the head nothing can be had here. */
		lane->drained = true;
		note_read(lane, DT_NOBEGIN, started);
		return 0;
	}
	if (from != DT_NOEND)
	{
		lane->position_due = from;
		memset(&lane->position_id, 0, sizeof(pg_uuid_t));
	}
	if (from == DT_NOBEGIN)
		claimed = dun_deliver_claim_urgent(run, lane, batch, room);
	if (claimed < room)
		claimed += dun_deliver_claim_in_order(run, lane, batch, room - claimed, from != DT_NOEND);
	else
		lane->drained = false;
	note_read(lane, from, started);
	if (run->left >= 0)
		run->left -= claimed;
	return claimed;
}

/* What was put back while a lane was shut lies behind its position. */
static void
ask_breakers(DunRun *run)
{
	for (int i = 0; i < run->nlanes; i++)
	{
		DunLane    *lane = &run->lanes[i];
		DunPass		pass;

		if (lane->shut && lane->present && !lane->paused)
			keep_server_loaded(run, lane);
		pass = dun_deliver_ask_breaker(lane->name);

		if (lane->shut && pass != DUN_PASS_NONE)
		{
			lane->head_read_at = 0;
			lane->drained = false;
		}
		lane->shut = pass == DUN_PASS_NONE;
		lane->probing = pass == DUN_PASS_PROBE;
	}
}

int
dun_deliver_claim(DunRun *run, dlist_head *batch)
{
	int			claimed = 0;
	bool		one_by_one = false;

	for (int i = 0; i < run->nlanes; i++)
		hear_news(&run->lanes[i], run->news);
	run->news = DT_NOEND;
	ask_breakers(run);
	/* Lanes that seemed empty first: else one that always has more would leave no room to see what came for them. */
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < run->nlanes; i++)
		{
			DunLane    *lane = &run->lanes[i];

			if (!lane->present || lane->paused || lane->shut || (lane->has_news || (lane->drained && lane->owed_from != DT_NOEND)) != (pass == 0))
				continue;
			keep_server_loaded(run, lane);
			one_by_one = one_by_one || lane->one_by_one;
			if (lane->loaded != NULL && !(one_by_one && claimed > 0))
				claimed += claim_lane(run, lane, batch);
		}
	run->woken = false;
	return claimed;
}

TimestampTz
dun_deliver_head_due(const DunRun *run)
{
	TimestampTz soon = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), HEAD_OWED_MS);
	TimestampTz at = DT_NOEND;

	/* There is no room; when there is, it is claimed anyway. */
	if (dun_deliver_count_items() > dun_transport_slots_of(run->transport) * 2)
		return DT_NOEND;
	for (int i = 0; i < run->nlanes; i++)
		if (run->lanes[i].present && !run->lanes[i].paused && !run->lanes[i].shut && run->lanes[i].loaded != NULL &&
			run->lanes[i].owed_from != DT_NOEND)
			at = Min(at, Max(soon, owed_allowed_at(&run->lanes[i])));
	return at;
}

void
dun_deliver_rewind_lanes(DunRun *run, bool one_by_one)
{
	for (int i = 0; i < run->nlanes; i++)
	{
		run->lanes[i].head_read_at = 0;
		run->lanes[i].drained = false;
		run->lanes[i].one_by_one = one_by_one;
	}
}

TimestampTz
dun_deliver_next_due(void)
{
	Datum		now = TimestampTzGetDatum(dun_base_now());
	bool		isnull;

	if (dun_base_clock_is_virtual())
		return DT_NOEND;		/* it stands still: nothing falls due by waiting */
	return dun_base_run(&next_due_sql, &now, NULL, false, 1) > 0 ? DatumGetTimestampTz(dun_base_value(0, 1, &isnull)) : DT_NOEND;
}
