/*
 * deliver/recheck.c
 *		The last look before the first byte.
 *
 * Nearly every message passes. Who plainly passes is told by a short query (payments, holds, suppression, the message
 * itself) and by the clock against the hours the gate has just found; whoever is not named is asked about in full, and
 * only that gives a verdict. So the short way may only ever be stricter.
 *
 * Where nothing has happened in the database since the gate answered, its answer stands, and only the clock is asked.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/spi.h"
#include "deliver/arrays.h"
#include "deliver/gate.h"
#include "deliver/gate_text.h"

/* A test build says what each recheck could see: see deliver/gate_text.c. */
#ifdef DUNNING_FAULTS
#define SAY(item, how, seen, asked_at) \
	ereport(LOG, (errmsg("dunning %s %s %s " INT64_FORMAT, (how), (item)->out.message_id, (seen), (asked_at))))
#define SAY_SEEN(item, row, col, asked_at) SAY((item), "recheck", dun_base_text((row), (col)), (asked_at))
#define SAY_UNCHANGED(item, asked_at) say_unchanged((item), (asked_at))

/* Between the statements of a call no snapshot is active. */
static void
say_unchanged(const DunItem *item, TimestampTz asked_at)
{
	PushActiveSnapshot(GetTransactionSnapshot());
	SAY(item, "unchanged", DatumGetCString(DirectFunctionCall1(pg_snapshot_out, DirectFunctionCall1(pg_current_snapshot, (Datum) 0))), asked_at);
	PopActiveSnapshot();
}
#else
#define SAY_SEEN(item, row, col, asked_at) ((void) (asked_at))
#define SAY_UNCHANGED(item, asked_at) ((void) (asked_at))
#endif

/* The gate was asked about the very address that the message goes to. */
static bool
is_unchanged(const DunItem *item, const DunEpoch *now, TimestampTz at)
{
	return !item->test && item->address_digest != (Datum) 0 && item->address_digest == item->gate_digest &&
		dun_deliver_is_same_epoch(&item->epoch, now) && dun_deliver_mask_allows(&item->mask, at);
}

int
dun_deliver_leave_out_unchanged(DunItem **items, int n, DunItem **rest)
{
	DunEpoch	now = dun_deliver_epoch();
	TimestampTz at = dun_base_now();
	int			nrest = 0;

	for (int i = 0; i < n; i++)
	{
		if (is_unchanged(items[i], &now, at))
			SAY_UNCHANGED(items[i], now.at);
		else
			rest[nrest++] = items[i];
	}
	return nrest;
}

/* Arguments six and seven of both statements: the message and the attempt under way. */
static void
fill_messages(DunItem **items, int n, Datum *args)
{
	DunColumn  *attempts = dun_deliver_column(INT2OID, n);

	for (int i = 0; i < n; i++)
		dun_deliver_push(attempts, Int16GetDatum(items[i]->attempt));
	args[5] = dun_deliver_message_ids(items, n);
	args[6] = dun_deliver_array(attempts);
}

/* The digest of the frozen address; where a test goes elsewhere the egress ledger's digest is of that. */
static bool
may_be_clear(const DunItem *item, TimestampTz now)
{
	return !item->test && item->address_digest != (Datum) 0 && dun_deliver_mask_allows(&item->mask, now);
}

/* Mark those that plainly pass. */
static void
find_clear(DunItem **items, int n, int *named)
{
	DunColumn  *digests = dun_deliver_column(BYTEAOID, n);
	Datum		args[7];
	uint64		rows;
	TimestampTz asked_at;

	dun_deliver_fill_question(items, n, args);
	for (int i = 0; i < n; i++)
		dun_deliver_push(digests, items[i]->address_digest);
	args[4] = dun_deliver_array(digests);
	fill_messages(items, n, args);
	asked_at = GetCurrentTimestamp();
	rows = dun_base_run(&dun_deliver_clear_sql, args, NULL, false, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		int			ord = DatumGetInt32(dun_base_value(row, 1, &isnull));

		if (isnull || ord < 1 || ord > n)
			elog(ERROR, "the recheck answers for nobody: %d", ord);
		named[ord - 1]++;
		SAY_SEEN(items[ord - 1], row, 2, asked_at);
	}
}

/* Keep those that do not plainly pass; returns how many. */
static int
leave_out_clear(DunItem **items, int n, DunItem **unclear)
{
	DunItem   **asked = palloc((n + 1) * sizeof(DunItem *));
	int		   *named = palloc0((n + 1) * sizeof(int));
	TimestampTz now = dun_base_now();
	int			nasked = 0;
	int			nunclear = 0;

	for (int i = 0; i < n; i++)
	{
		if (may_be_clear(items[i], now))
			asked[nasked++] = items[i];
		else
			unclear[nunclear++] = items[i];
	}
	if (nasked > 0)
		find_clear(asked, nasked, named);
	/* Not named: it does not pass, or the debtor is gone. Named twice: a debtor of two rows. */
	for (int i = 0; i < nasked; i++)
		if (named[i] != 1)
			unclear[nunclear++] = asked[i];
	return nunclear;
}

static void
fill_recheck(DunItem **items, int n, Datum *args)
{
	DunColumn  *addresses = dun_deliver_column(TEXTOID, n);

	dun_deliver_fill_question(items, n, args);
	for (int i = 0; i < n; i++)
		dun_deliver_push_text(addresses, items[i]->frozen_address);
	args[4] = dun_deliver_array(addresses);
	fill_messages(items, n, args);
}

void
dun_deliver_recheck(DunItem **items, int n)
{
	Datum		args[7];
	DunItem   **unclear = palloc((n + 1) * sizeof(DunItem *));
	DunItem   **later = palloc((n + 1) * sizeof(DunItem *));
	int			nlater = 0;
	uint64		rows;
	TimestampTz asked_at;

	dun_deliver_keep_gate();
	n = leave_out_clear(items, n, unclear);
	if (n == 0)
		return;
	items = unclear;
	fill_recheck(items, n, args);
	asked_at = GetCurrentTimestamp();
	rows = dun_base_run(&dun_deliver_recheck_sql, args, NULL, false, 0);
	if (rows != n)
		elog(ERROR, "the recheck answers for %d of %d messages", (int) rows, n);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		DunItem    *item = items[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1];
		Datum		words = dun_base_value(row, 2, &isnull);
		int			nwords = 0;
		char	  **blocked = isnull ? NULL : dun_deliver_read_words(words, &nwords);
		bool		unanswered = isnull;
		char	   *stopped = dun_base_text(row, 3);

		SAY_SEEN(item, row, 4, asked_at);
		if (stopped != NULL)
		{
			/* Nothing left: the attempt is over, and a paused server's message waits for resume(). */
			dun_deliver_decide(item, item->attempt,
							   strcmp(stopped, "paused") == 0 ? "queued" :
							   strcmp(stopped, "held") == 0 ? "held" : "cancelled", stopped);
			if (strcmp(stopped, "paused") == 0)
				dun_deliver_spare(item);
		}
		else if (item->test_address != NULL)
			continue;
		else if (unanswered)
			dun_deliver_decide(item, item->attempt, "held", "no_debtor");
		else if (nwords > 0 && dun_deliver_refuse(item, item->attempt, blocked, nwords))
			later[nlater++] = item;
	}
	dun_deliver_move_to_windows(later, nlater);
}
