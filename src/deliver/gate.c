/*
 * deliver/gate.c
 *		The gate's answer and what follows from it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/spi.h"
#include "deliver/arrays.h"
#include "deliver/gate.h"
#include "deliver/gate_plain.h"
#include "deliver/gate_text.h"
#include "deliver/mask.h"

#define LOOK_AGAIN_MINUTES 15	/* at what is held, where nothing else says when */

char **
dun_deliver_read_words(Datum value, int *n)
{
	Datum	   *elems;
	char	  **words;

	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elems, NULL, n);
	words = palloc((*n + 1) * sizeof(char *));
	for (int i = 0; i < *n; i++)
		words[i] = TextDatumGetCString(elems[i]);
	return words;
}

/* A word may go on after a colon: cap:weekly, hold:dispute. */
static bool
any_of(char **words, int n, const char *const *known)
{
	for (int i = 0; i < n; i++)
		for (int k = 0; known[k] != NULL; k++)
			if (strcspn(words[i], ":") == strlen(known[k]) && strncmp(words[i], known[k], strlen(known[k])) == 0)
				return true;
	return false;
}

static bool
all_of(char **words, int n, const char *const *known)
{
	for (int i = 0; i < n; i++)
		if (!any_of(&words[i], 1, known))
			return false;
	return true;
}

/* The ledger moved on: the message says something that is not so any more, and planning begins anew. */
static const char *const back_to_planning[] = {"balance_changed", "no_balance", NULL};

/* A matter of the hour: it waits for the next allowed one. */
static const char *const a_matter_of_time[] = {"quiet_hours", "holiday", "cap", "min_gap", "after_conversation", NULL};

static char *
blocked_detail(MemoryContext context, char **words, int n)
{
	StringInfoData s;
	MemoryContext before = MemoryContextSwitchTo(context);

	initStringInfo(&s);
	appendStringInfoString(&s, "{\"blocked_by\": [");
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(&s, ", ");
		escape_json(&s, words[i]);
	}
	appendStringInfoString(&s, "]}");
	MemoryContextSwitchTo(before);
	return s.data;
}

bool
dun_deliver_refuse(DunItem *item, int attempt, char **words, int n)
{
	item->detail = blocked_detail(item->context, words, n);
	if (any_of(words, n, back_to_planning))
	{
		dun_deliver_decide(item, attempt, "cancelled", words[0]);
		return false;
	}
	if (all_of(words, n, a_matter_of_time))
	{
		dun_deliver_decide(item, attempt, "queued", words[0]);
		return true;
	}
	dun_deliver_decide(item, attempt, "held", words[0]);
	item->next_due = dun_base_now() + LOOK_AGAIN_MINUTES * INT64CONST(60) * USECS_PER_SEC;
	return false;
}

void
dun_deliver_fill_question(DunItem **items, int n, Datum *args)
{
	DunColumn  *debtors = dun_deliver_column(TEXTOID, n);
	DunColumn  *channels = dun_deliver_column(TEXTOID, n);
	DunColumn  *instants = dun_deliver_column(TIMESTAMPTZOID, n);
	DunColumn  *marks = dun_deliver_column(TEXTOID, n);
	TimestampTz now = dun_base_now();

	for (int i = 0; i < n; i++)
	{
		dun_deliver_push_text(debtors, items[i]->debtor_id);
		dun_deliver_push_text(channels, items[i]->out.channel);
		dun_deliver_push(instants, TimestampTzGetDatum(now));
		dun_deliver_push_text(marks, items[i]->mark);
	}
	args[0] = dun_deliver_array(debtors);
	args[1] = dun_deliver_array(channels);
	args[2] = dun_deliver_array(instants);
	args[3] = dun_deliver_array(marks);
}

Datum
dun_deliver_message_ids(DunItem **items, int n)
{
	DunColumn  *ids = dun_deliver_column(UUIDOID, n);

	for (int i = 0; i < n; i++)
		dun_deliver_push(ids, UUIDPGetDatum(&items[i]->message_id));
	return dun_deliver_array(ids);
}

void
dun_deliver_move_to_windows(DunItem **items, int n)
{
	TimestampTz now = dun_base_now();
	Datum		args[5];
	uint64		rows;

	if (n == 0)
		return;
	dun_deliver_fill_question(items, n, args);
	args[4] = dun_deliver_message_ids(items, n);
	rows = dun_base_run(&dun_deliver_window_sql, args, NULL, false, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		DunItem    *item = items[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1];
		Datum		at = dun_base_value(row, 2, &isnull);

		if (isnull)
		{
			item->state = "held";
			item->next_due = now + USECS_PER_DAY;
		}
		else
			item->next_due = Max(DatumGetTimestampTz(at), now + USECS_PER_SEC);
	}
}

static Datum
own_digest(DunItem *item, uint64 row)
{
	bool		isnull;
	Datum		digest = dun_base_value(row, 6, &isnull);
	MemoryContext before = MemoryContextSwitchTo(item->context);

	digest = isnull ? (Datum) 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(digest));
	MemoryContextSwitchTo(before);
	return digest;
}

/* Places are numbered from 1, and there are no more than rows. */
static int
place_of(int n, uint64 row)
{
	bool		isnull;
	int			place = DatumGetInt32(dun_base_value(row, 4, &isnull));

	return isnull || place < 1 || place > n ? 0 : place;
}

/* One row of each place has its mask. */
static DunMaskRef *
read_masks(int n, uint64 rows, TimestampTz asked_at)
{
	DunMaskRef *masks = palloc((n + 1) * sizeof(DunMaskRef));

	for (int i = 0; i <= n; i++)
		masks[i] = DUN_NO_MASK;
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		Datum		windows = dun_base_value(row, 5, &isnull);

		if (!isnull)
			masks[place_of(n, row)] = dun_deliver_keep_mask(windows, asked_at);
	}
	masks[0] = DUN_NO_MASK;
	return masks;
}

/* The gate's own query; in the active snapshot, or in one of this moment. */
static void
ask_in_full(DunItem **items, int n, bool in_active)
{
	Datum		args[5];
	DunItem   **later = palloc((n + 1) * sizeof(DunItem *));
	bool	   *answered = palloc0((n + 1) * sizeof(bool));
	int			nlater = 0;
	uint64		rows;
	TimestampTz asked_at;
	DunMaskRef *masks;
	DunEpoch	epoch = dun_deliver_ledger_is_steady() ? dun_deliver_epoch() : DUN_NO_EPOCH;

	dun_deliver_fill_question(items, n, args);
	args[4] = dun_deliver_message_ids(items, n);
	asked_at = GetCurrentTimestamp();
	rows = dun_base_run(&dun_deliver_gate_sql, args, NULL, in_active, 0);
	masks = read_masks(n, rows, asked_at);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		int			ord = DatumGetInt32(dun_base_value(row, 1, &isnull));
		DunItem    *item;
		Datum		words;
		int			nwords = 0;
		char	  **blocked;
		char	   *address;

		if (isnull || ord < 1 || ord > n)
			elog(ERROR, "the gate answers for nobody: %d", ord);
		item = items[ord - 1];
		answered[ord - 1] = true;
		words = dun_base_value(row, 2, &isnull);
		blocked = isnull ? NULL : dun_deliver_read_words(words, &nwords);
		address = dun_base_text(row, 3);
		if (nwords > 0)
		{
			if (dun_deliver_refuse(item, 0, blocked, nwords))
				later[nlater++] = item;
		}
		else if (address != NULL)
		{
			item->gate_address = MemoryContextStrdup(item->context, address);
			item->gate_digest = own_digest(item, row);
			item->mask = masks[place_of(n, row)];
			item->epoch = epoch;
		}
		else
			dun_deliver_decide(item, 0, "held", "no_address");
	}
	/* Default deny: no answer is no. */
	for (int i = 0; i < n; i++)
		if (!answered[i])
			dun_deliver_decide(items[i], 0, "held", "no_debtor");
	dun_deliver_move_to_windows(later, nlater);
}

/* A test build asks the gate about those whom nothing was said against, too: it must not refuse one, nor know another address. */
#ifdef DUNNING_FAULTS
static void
compare_with_full(DunItem **items, int n)
{
	DunItem   **passed = palloc((n + 1) * sizeof(DunItem *));
	char	  **addresses = palloc((n + 1) * sizeof(char *));
	Datum	   *digests = palloc((n + 1) * sizeof(Datum));
	int			npassed = 0;

	for (int i = 0; i < n; i++)
		if (items[i]->state == NULL && items[i]->gate_address != NULL)
		{
			addresses[npassed] = items[i]->gate_address;
			digests[npassed] = items[i]->gate_digest;
			passed[npassed++] = items[i];
		}
	if (npassed == 0)
		return;
	ask_in_full(passed, npassed, true);
	for (int i = 0; i < npassed; i++)
	{
		Datum		digest = passed[i]->gate_digest;

		if (passed[i]->state != NULL || strcmp(passed[i]->gate_address, addresses[i]) != 0 ||
			(digest == (Datum) 0) != (digests[i] == (Datum) 0) ||
			(digest != (Datum) 0 && !DatumGetBool(DirectFunctionCall2(byteaeq, digest, digests[i]))))
			elog(PANIC, "message %s passed without the gate's whole query, which says %s", passed[i]->out.message_id,
				 passed[i]->reason ? passed[i]->reason : "another address");
	}
}
#endif

void
dun_deliver_ask_gate(DunItem **items, int n)
{
	DunItem   **rest = palloc((n + 1) * sizeof(DunItem *));
	Datum		args[5];
	int			nrest;

	dun_deliver_keep_gate();
	dun_deliver_fill_question(items, n, args);
	/* A statement of its own, so that the gate's snapshot is younger than the locks of persons with several accounts. */
	dun_base_run(&dun_deliver_lock_sql, args, NULL, false, 0);
	PushActiveSnapshot(GetTransactionSnapshot());
	nrest = dun_deliver_pass_plain(items, n, rest);
#ifdef DUNNING_FAULTS
	compare_with_full(items, n);
#endif
	PopActiveSnapshot();
	if (nrest > 0)
		ask_in_full(rest, nrest, false);
}
