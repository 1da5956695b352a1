/*
 * deliver/aside.c
 *		Verdicts that wait for somebody else's transaction.
 *
 * Whoever stops a message holds its queue row until he commits. A verdict on it must wait for that, but not all others
 * with it: after the first lock timeout the rows of the batch are looked through without waiting.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/timestamp.h"

#include "base/spi.h"
#include "deliver/arrays.h"
#include "deliver/aside.h"
#include "deliver/session.h"

#define ASIDE_MS 1000

static DunStatement held_up_sql = {
	"SELECT h.ord FROM dunning._held_up($1, $2) h(ord)", 2, {TEXTARRAYOID, UUIDARRAYOID}, NULL
};

bool
dun_deliver_is_held_up(DunRun *run, int max)
{
	dlist_iter	iter;
	int			n = 0;

	if (!run->was_held_up)
		return false;
	dlist_foreach(iter, &run->done)
	{
		if (n++ == max)
			break;
		if (dlist_container(DunItem, node, iter.cur)->held_up)
			return true;
	}
	return false;
}

typedef struct Looking
{
	DunRun	   *run;
	int			max;
	int			n;
	DunItem   **items;
} Looking;

static void
look(void *arg)
{
	Looking    *l = arg;
	DunColumn  *debtors = dun_deliver_column(TEXTOID, l->max);
	DunColumn  *ids = dun_deliver_column(UUIDOID, l->max);
	Datum		args[2];
	uint64		rows;
	dlist_iter	iter;

	dlist_foreach(iter, &l->run->done)
	{
		DunItem    *item = dlist_container(DunItem, node, iter.cur);

		if (l->n == l->max)
			break;
		l->items[l->n++] = item;
		item->held_up = false;
		dun_deliver_push_text(debtors, item->debtor_id);
		dun_deliver_push(ids, UUIDPGetDatum(&item->message_id));
	}
	args[0] = dun_deliver_array(debtors);
	args[1] = dun_deliver_array(ids);
	rows = dun_base_run(&held_up_sql, args, NULL, false, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;

		l->items[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1]->held_up = true;
	}
}

int
dun_deliver_set_aside(DunRun *run, int max)
{
	Looking		l = {run, max, 0, palloc((max + 1) * sizeof(DunItem *))};
	DunFailure	failure;
	int			n = 0;

	if (!dun_deliver_attempt(look, &l, &failure))
		return 0;
	for (int i = 0; i < l.n; i++)
	{
		if (!l.items[i]->held_up)
			continue;
		dlist_delete(&l.items[i]->node);
		dlist_push_tail(&run->aside, &l.items[i]->node);
		run->ndone--;
		run->naside++;
		n++;
	}
	run->was_held_up = run->naside > 0;
	run->aside_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ASIDE_MS);
	return n;
}

void
dun_deliver_bring_back(DunRun *run)
{
	if (run->naside == 0 || GetCurrentTimestamp() < run->aside_until)
		return;
	if (run->ndone == 0)
		run->done_since = GetCurrentTimestamp();
	for (; run->naside > 0; run->naside--, run->ndone++)
		dlist_push_tail(&run->done, dlist_pop_head_node(&run->aside));
}
