/*
 * deliver/item.c
 *		The table of claims and the life of an item.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "deliver/arrays.h"
#include "deliver/item.h"

typedef struct Claim
{
	pg_uuid_t	message_id;
	DunItem    *item;
} Claim;

#define SPARE_CONTEXTS 1024		/* 8 kB each */

static HTAB *claims = NULL;

/* Of items that are gone, for the next: making one is dearer than all that most items put into it. */
static MemoryContext spare[SPARE_CONTEXTS];
static int	nspare = 0;

void
dun_deliver_open_items(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(pg_uuid_t);
	ctl.entrysize = sizeof(Claim);
	ctl.hcxt = TopMemoryContext;
	nspare = 0;
	claims = hash_create("dunning claims", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void
dun_deliver_close_items(void)
{
	hash_destroy(claims);
	claims = NULL;
	dun_deliver_trim_items();
}

void
dun_deliver_trim_items(void)
{
	while (nspare > 0)
		MemoryContextDelete(spare[--nspare]);
}

static MemoryContext
take_context(DunRun *run)
{
	if (nspare > 0)
		return spare[--nspare];
	return AllocSetContextCreate(run->context, "dunning item", ALLOCSET_DEFAULT_SIZES);
}

static void
give_context_back(MemoryContext context)
{
	if (nspare == SPARE_CONTEXTS)
	{
		MemoryContextDelete(context);
		return;
	}
	MemoryContextReset(context);
	spare[nspare++] = context;
}

/* The caller fills in message_id and then lets the item be known by dun_deliver_knows_item()'s table. */
DunItem *
dun_deliver_new_item(DunRun *run)
{
	MemoryContext context = take_context(run);
	DunItem    *item = MemoryContextAllocZero(context, sizeof(DunItem));

	item->context = context;
	item->not_after = DT_NOEND;
	item->mask = DUN_NO_MASK;
	return item;
}

bool
dun_deliver_knows_item(const pg_uuid_t *message_id)
{
	return hash_search(claims, message_id, HASH_FIND, NULL) != NULL;
}

Datum
dun_deliver_known_items(void)
{
	DunColumn  *ids = dun_deliver_column(UUIDOID, (int) hash_get_num_entries(claims));
	HASH_SEQ_STATUS scan;
	Claim	   *claim;

	hash_seq_init(&scan, claims);
	while ((claim = hash_seq_search(&scan)) != NULL)
		dun_deliver_push(ids, UUIDPGetDatum(&claim->message_id));
	return dun_deliver_array(ids);
}

void
dun_deliver_enter_item(DunItem *item)
{
	Claim	   *claim = hash_search(claims, &item->message_id, HASH_ENTER, NULL);

	claim->item = item;
}

int
dun_deliver_count_items(void)
{
	return (int) hash_get_num_entries(claims);
}

void
dun_deliver_stop_waiting(DunItem *item)
{
	if (item->waiting)
		item->lane->waiting--;
	item->waiting = false;
}

void
dun_deliver_free_item(DunItem *item)
{
	dun_deliver_stop_waiting(item);
	item->lane->items--;
	hash_search(claims, &item->message_id, HASH_REMOVE, NULL);
	if (item->loaded != NULL && --item->loaded->users == 0 && item->loaded->stale)
		MemoryContextDelete(item->loaded->context);
	give_context_back(item->context);
}

void
dun_deliver_decide(DunItem *item, int attempt, const char *state, const char *reason)
{
	item->settled_attempt = attempt;
	item->state = state;
	item->reason = MemoryContextStrdup(item->context, reason);
}

/* Counted by read_item(): see the statement of the claims. */
void
dun_deliver_spare(DunItem *item)
{
	static const char mark[] = "\"of_server\": true}";

	if (item->detail == NULL)
	{
		item->detail = MemoryContextAlloc(item->context, sizeof(mark) + 1);
		item->detail[0] = '{';
		strcpy(item->detail + 1, mark);
	}
	else
	{
		char	   *more = MemoryContextAlloc(item->context, strlen(item->detail) + sizeof(mark) + 2);

		sprintf(more, "%.*s, %s", (int) strlen(item->detail) - 1, item->detail, mark);
		item->detail = more;
	}
}

int
dun_deliver_counted_attempts(const DunItem *item)
{
	return Max(item->attempt - item->spared, 1);
}

void
dun_deliver_push_done(DunRun *run, DunItem *item)
{
	dun_deliver_stop_waiting(item);
	if (run->ndone++ == 0)
		run->done_since = GetCurrentTimestamp();
	dlist_push_tail(&run->done, &item->node);
}

void
dun_deliver_conclude(DunRun *run, DunItem *item, int attempt, const char *state, const char *reason)
{
	dun_deliver_decide(item, attempt, state, reason);
	dun_deliver_push_done(run, item);
}

char *
dun_deliver_uuid_text(const pg_uuid_t *id)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(unconstify(pg_uuid_t *, id))));
}
