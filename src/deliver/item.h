/*
 * deliver/item.h
 *		A message under way, from the claim to its settled verdict, and the lane it travels in.
 *
 * An item is in exactly one list: the batch being prepared, `ready` (its intent is committed), in flight (held by the
 * transport) or `done` (its verdict waits to be settled). It is known by its message id in the table of claims from
 * the claim until it is settled, so that a second look at the queue does not claim it again.
 */
#ifndef DUN_DELIVER_ITEM_H
#define DUN_DELIVER_ITEM_H

#include "postgres.h"

#include "lib/ilist.h"
#include "utils/uuid.h"

#include "deliver/epoch.h"
#include "deliver/mask.h"
#include "deliver/shmem.h"
#include "gateway/driver.h"
#include "transport/transport.h"

#define DUN_LANES 1024			/* servers that a process can serve at a time */

/* A loaded server; lives until the last item that uses it is settled. */
typedef struct DunLoaded
{
	MemoryContext context;
	DunServer  *server;
	const DunDriver *driver;
	uint64		made_of;		/* another number where its options, mapping or secrets were others */
	int			users;
	bool		stale;			/* replaced, or its definition changed */
} DunLoaded;

/* What the queue holds for one server, and where its reading stands. */
typedef struct DunLane
{
	char		name[NAMEDATALEN];
	bool		present;		/* seen in the catalog's last reading */
	bool		paused;
	bool		shut;			/* its breaker lets nobody through */
	bool		probing;		/* or one, who is not claimed yet */
	DunLoaded  *loaded;			/* NULL: not yet, or it cannot be loaded until retry_at */
	uint64		made_of;		/* what its options, mapping and secrets were when it was loaded last; 0: never */
	TimestampTz loaded_at;
	TimestampTz retry_at;
	TimestampTz position_due;	/* the last row read */
	pg_uuid_t	position_id;
	bool		drained;		/* the last read came to the end of what is due */
	bool		one_by_one;		/* a batch failed: find the row at fault */
	bool		has_news;		/* it was drained, and something came behind its position */
	TimestampTz owed_from;		/* something came before its position, from this due on; DT_NOEND: nothing */
	TimestampTz owed_read_at;	/* when such was read last, and how long it took */
	int64		owed_cost_us;
	TimestampTz head_read_at;	/* the same of all there is, from the beginning */
	int64		head_cost_us;
	TimestampTz rate_ready_at;
	int			waiting;		/* claimed and not yet started */
	int			items;			/* all that point here */
} DunLane;

typedef enum DunEffect
{
	DUN_EFFECT_NONE,
	DUN_EFFECT_SUPPRESS,		/* the address is never to be used again */
	DUN_EFFECT_TASK,			/* a person does it: the message becomes a worklist task */
	DUN_EFFECT_ASK				/* nobody knows whether it arrived: a person finds out */
} DunEffect;

typedef struct DunItem
{
	dlist_node	node;
	MemoryContext context;		/* the item and all it points to */
	DunLane    *lane;
	DunLoaded  *loaded;
	bool		waiting;		/* counted in lane->waiting: claimed and not started */
	TimestampTz rate_taken;		/* of its place in the server's rate; 0: it has none */

	pg_uuid_t	message_id;
	char	   *debtor_id;
	int16		slice;
	int16		attempt;		/* the one being made */
	int16		spared;			/* of those before it, how many do not count: the server's failures, or never begun */
	bool		probe;			/* it was let through to see whether the server works again */
	bool		put_off;		/* claimed before and not sent: its body may be frozen already */
	bool		urgent;			/* leaves before those that are ready already */
	TimestampTz due;
	TimestampTz not_after;		/* DT_NOEND: none */
	char	   *template;
	char	   *language;
	char	   *framing;
	char	   *framing_reason; /* why not the one planned, NULL: it is that one */
	char	   *mark;			/* NULL: about no balance */
	Datum		context_json;
	bool		tells_offer;	/* `offer` goes before what the context has of that name */
	bool		has_offer;
	Datum		offer;			/* the offer of record, jsonb; 0: none */
	pg_uuid_t	offer_id;
	char	   *purpose;		/* strategy/step, or who called send() */
	char	   *test_address;	/* send_test(): goes there and to nobody else; NULL: a real message */
	char	   *cost;			/* numeric, as text */
	char	   *cost_currency;
	TimestampTz first_intent;	/* of the first attempt, 0: none before this */
	bool		may_have_arrived;	/* an earlier attempt */
	TimestampTz intent_at;		/* of the attempt being made */
	TimestampTz key_used_at;	/* of the first attempt whose key the gateway may know, 0: none before this */
	uint8	   *key_used_for;	/* the digest of its request, NULL: it was not kept */

	DunOutgoing out;			/* as it leaves: address and parts redirected and marked where it is a test */
	char	   *gate_address;	/* what the gate says today */
	Datum		gate_digest;	/* of that address, bytea; 0: none */
	DunMaskRef	mask;			/* the hours the gate found */
	DunEpoch	epoch;			/* in which it answered; none where the ledger may change without a transaction */
	char	   *frozen_address;	/* what the body was frozen for; the recheck asks about this one */
	Datum		fields;			/* text[] of the names the body used, 0: none */
	Datum		fee;			/* jsonb: the fee that the body names, 0: none */
	Datum		attachments;	/* jsonb: the documents that go with it, by version; 0: none */
	Datum		total;			/* numeric: what the body asks for in all, 0: it names no sum */
	Datum		address_digest; /* bytea */
	uint8		body_digest[32];
	uint8		request_digest[32];
	int			bytes;
	bool		frozen;			/* body exists */
	bool		test;
	DunRequest	request;

	/* The verdict. */
	int16		settled_attempt;	/* 0: before any intent */
	const char *state;
	char	   *reason;
	char	   *provider_ref;
	char	   *detail;			/* jsonb as text */
	TimestampTz next_due;		/* 0: none */
	DunEffect	effect;
	bool		held_up;		/* when last looked at, somebody held its queue row */
} DunItem;

/* All there is of one delivering process. */
typedef struct DunRun
{
	MemoryContext context;		/* the run's own */
	DunTransport *transport;
	dlist_head	ready;
	int			nready;
	int			stock;			/* how many to keep ready */
	TimestampTz sized_at;		/* when that was last thought over */
	int64		idle_us;		/* how long it has slept since */
	bool		at_leisure;		/* nothing to do but what a thread does by itself */
	dlist_head	done;
	int			ndone;
	int			nsettled;		/* of `done`, written in the transaction that is open */
	dlist_head	aside;			/* of `done`, what waits for somebody else's transaction */
	int			naside;
	bool		was_held_up;	/* `done` may hold such again */
	TimestampTz aside_until;
	TimestampTz done_since;		/* when the first of `done` came */
	DunLane    *lanes;			/* DUN_LANES of them, nlanes in use */
	int			nlanes;
	TimestampTz crowded_at;		/* when it was said last that there are more servers than lanes */
	DunEpoch	lanes_read_in;
	TimestampTz strays_at;		/* when to look for messages without a server again */
	TimestampTz held_looked_at;
	int64		left;			/* how many may still be claimed, -1: no limit */
	bool		woken;			/* look at the queue */
	TimestampTz news;			/* rows due from here on may have come since the last claim; DT_NOEND: none */
	bool		may_send;		/* delivery, activation, settings: as of the last look */
	bool		stopping;		/* claim nothing more */
	TimestampTz pause_until;	/* something failed that may work in a moment */
	bool		taken_over;		/* what a predecessor left is written down, all of it */
	TimestampTz take_over_at;	/* when to look for the rest */
	TimestampTz orphans_until;	/* until then it is asked of each claim whether its attempt was made already */
	bool		settings_changed;	/* the database's settings are not those of this process any more */
	bytea	   *settings;		/* of the database and role, as they were when this process connected */
	TimestampTz look_at;		/* when to look at the queue without being woken */
	TimestampTz drain_until;	/* a stopping process waits so long for what is in flight */
	int			taken;			/* by the last exchange */
	bool		looked;			/* at the queue, at least once */
	bool		has_worked;		/* since memory was given back */
	char	   *stop_reason;	/* why nothing may be sent, NULL: it may */
	TimestampTz next_due;		/* earliest due that is known, DT_NOEND: none */
	DunFigures	figures;
} DunRun;

/* item.c */
extern DunItem *dun_deliver_new_item(DunRun *run);
extern void dun_deliver_enter_item(DunItem *item);
extern bool dun_deliver_knows_item(const pg_uuid_t *message_id);
extern Datum dun_deliver_known_items(void);		/* uuid[] */
extern void dun_deliver_free_item(DunItem *item);
extern int	dun_deliver_count_items(void);
extern void dun_deliver_open_items(void);
extern void dun_deliver_close_items(void);
extern void dun_deliver_trim_items(void);		/* give back what is kept for the next ones */

/* It has started or never will: its lane may claim another. */
extern void dun_deliver_stop_waiting(DunItem *item);

/* Give an item its verdict. `attempt` 0: no intent was made. `state` is a literal. */
extern void dun_deliver_decide(DunItem *item, int attempt, const char *state, const char *reason);

/* Nothing of this attempt left, and it is not the message's failure: it counts for nothing. */
extern void dun_deliver_spare(DunItem *item);

/* How many attempts there were that count, this one included. */
extern int	dun_deliver_counted_attempts(const DunItem *item);

/* Put an item with a verdict into `done`. */
extern void dun_deliver_push_done(DunRun *run, DunItem *item);

/* Both. */
extern void dun_deliver_conclude(DunRun *run, DunItem *item, int attempt, const char *state, const char *reason);

/* The uuid as text, palloc'ed. */
extern char *dun_deliver_uuid_text(const pg_uuid_t *id);

#endif
