/*
 * deliver/gate.c
 *		The gate's answer and what follows from it.
 *
 * The gate's SQL depends on the bound relations, so its text is asked for again when a binding changes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/spi.h"
#include "deliver/arrays.h"
#include "deliver/gate.h"

#define LOOK_AGAIN_MINUTES 15	/* at what is held, where nothing else says when */

/* A source that comes or goes without a word in the binding changes the gate's text too. */
#define RENEW_EVERY_MS 10000

static DunStatement signature_sql = {"SELECT dunning._ledger_signature()", 0, {0}, NULL};

static DunStatement texts_sql = {
	"SELECT dunning._gate_lock_sql(), dunning._gate_sql(), dunning._recheck_sql(),"
	"       CASE WHEN dunning._ledger_problem() = 'ledger_broken' THEN '' ELSE dunning._gate_facts_sql() END,"
	"       dunning._recheck_clear_sql()", 0, {0}, NULL
};

static DunStatement lock_sql = {NULL, 1, {TEXTARRAYOID}, NULL};

static DunStatement gate_sql = {
	NULL, 5, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, UUIDARRAYOID}, NULL, CURSOR_OPT_GENERIC_PLAN
};

static DunStatement recheck_sql = {
	NULL, 7, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDARRAYOID, INT2ARRAYOID}, NULL,
	CURSOR_OPT_GENERIC_PLAN
};

static DunStatement clear_sql = {
	NULL, 7, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDARRAYOID, INT2ARRAYOID}, NULL,
	CURSOR_OPT_GENERIC_PLAN
};

static DunStatement window_sql = {
	NULL, 5, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, UUIDARRAYOID}, NULL, CURSOR_OPT_GENERIC_PLAN
};

/* The first instant of the next fortnight at which neither the clock nor a cap forbids the contact. */
#define WINDOW_FRAME \
	"SELECT f.ord::bigint, dunning._next_open(f.at, f.at + interval '14 days', f.debtor_id, f.windows, f.caps," \
	"       f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks) FROM (%s) f"

/* A test build says what each recheck could see, so that "paid before" is a matter of transactions and not of clocks. */
#ifdef DUNNING_FAULTS
#define SEEN ", pg_catalog.pg_current_snapshot()::text"
#define SAY_SEEN(item, row, col, asked_at) \
	ereport(LOG, (errmsg("dunning recheck %s %s " INT64_FORMAT, (item)->out.message_id, dun_base_text((row), (col)), (asked_at))))
#else
#define SEEN ""
#define SAY_SEEN(item, row, col, asked_at) ((void) (asked_at))
#endif

/* Between the gate's answer and ours: what else may have happened to the message itself. */
#define RECHECK_FRAME \
	"SELECT u.ord, r.blocked_by," \
	"       CASE WHEN q.message_id IS NULL THEN 'stopped' WHEN q.state <> 'queued' THEN 'held'" \
	"            WHEN p.server IS NOT NULL THEN 'paused' END" SEEN \
	"  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($6), pg_catalog.unnest($7)) WITH ORDINALITY" \
	"       AS u(debtor_id, message_id, attempt, ord)" \
	"  LEFT JOIN (%s) r ON r.ord = u.ord" \
	"  LEFT JOIN LATERAL (SELECT x.message_id, x.state, x.server FROM dunning.queue x WHERE x.debtor_id = u.debtor_id" \
	"        AND x.message_id = u.message_id AND x.attempts = u.attempt - 1 OFFSET 0) q ON true" \
	"  LEFT JOIN dunning.server_state p ON p.server = q.server"

/* The same of those that plainly pass: nobody stopped, held or paused them. */
#define CLEAR_FRAME \
	"SELECT r.ord" SEEN \
	"  FROM (%s) r" \
	" WHERE EXISTS (SELECT FROM dunning.queue x WHERE x.debtor_id = $1[r.ord] AND x.message_id = $6[r.ord]" \
	"                  AND x.attempts = $7[r.ord] - 1 AND x.state = 'queued'" \
	"                  AND NOT EXISTS (SELECT FROM dunning.server_state p WHERE p.server = x.server) OFFSET 0)"

static void
renew(DunStatement *st, char *text)
{
	dun_base_forget(st);
	if (st->sql != NULL)
		pfree(unconstify(char *, st->sql));
	st->sql = MemoryContextStrdup(TopMemoryContext, text);
}

/* Plans are kept while the bindings are the same; forced by dun_deliver_forget_gate(). */
static char *signature = NULL;

static void
keep_statements(void)
{
	static TimestampTz renewed_at = 0;
	TimestampTz now = GetCurrentTimestamp();
	char	   *current;

	dun_base_run(&signature_sql, NULL, NULL, true, 1);
	current = dun_base_text(0, 1);
	if (signature != NULL && strcmp(signature, current) == 0 &&
		!TimestampDifferenceExceeds(renewed_at, now, RENEW_EVERY_MS))
		return;
	if (dun_base_run(&texts_sql, NULL, NULL, true, 1) != 1)
		elog(ERROR, "the gate gives no statement");
	{
		char	   *lock = dun_base_text(0, 1);
		char	   *gate = psprintf("SELECT g.ord, g.blocked_by, g.address FROM (%s) g", dun_base_text(0, 2));
		char	   *recheck = psprintf(RECHECK_FRAME, dun_base_text(0, 3));
		char	   *window = psprintf(WINDOW_FRAME, dun_base_text(0, 4));
		char	   *clear = psprintf(CLEAR_FRAME, dun_base_text(0, 5));

		/* A plan is worth keeping: only what changed is made anew. */
		if (lock_sql.sql == NULL || strcmp(lock_sql.sql, lock) != 0)
			renew(&lock_sql, lock);
		if (gate_sql.sql == NULL || strcmp(gate_sql.sql, gate) != 0)
			renew(&gate_sql, gate);
		if (recheck_sql.sql == NULL || strcmp(recheck_sql.sql, recheck) != 0)
			renew(&recheck_sql, recheck);
		if (clear_sql.sql == NULL || strcmp(clear_sql.sql, clear) != 0)
			renew(&clear_sql, clear);
		if (window_sql.sql == NULL || strcmp(window_sql.sql, window) != 0)
			renew(&window_sql, window);
	}
	if (signature != NULL)
		pfree(signature);
	signature = MemoryContextStrdup(TopMemoryContext, current);
	renewed_at = now;
}

void
dun_deliver_forget_gate(void)
{
	if (signature != NULL)
		pfree(signature);
	signature = NULL;
}

static char **
read_words(Datum value, int *n)
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

/* The verdict on a blocked item; true: its next window is to be looked up. */
static bool
refuse(DunItem *item, int attempt, char **words, int n)
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

static void
fill_columns(DunItem **items, int n, Datum *args, const char *(*address) (DunItem *))
{
	DunColumn  *debtors = dun_deliver_column(TEXTOID, n);
	DunColumn  *channels = dun_deliver_column(TEXTOID, n);
	DunColumn  *instants = dun_deliver_column(TIMESTAMPTZOID, n);
	DunColumn  *marks = dun_deliver_column(TEXTOID, n);
	DunColumn  *addresses = dun_deliver_column(TEXTOID, n);
	TimestampTz now = dun_base_now();

	for (int i = 0; i < n; i++)
	{
		dun_deliver_push_text(debtors, items[i]->debtor_id);
		dun_deliver_push_text(channels, items[i]->out.channel);
		dun_deliver_push(instants, TimestampTzGetDatum(now));
		dun_deliver_push_text(marks, items[i]->mark);
		if (address != NULL)
			dun_deliver_push_text(addresses, address(items[i]));
	}
	args[0] = dun_deliver_array(debtors);
	args[1] = dun_deliver_array(channels);
	args[2] = dun_deliver_array(instants);
	args[3] = dun_deliver_array(marks);
	if (address != NULL)
		args[4] = dun_deliver_array(addresses);
}

static Datum
message_ids(DunItem **items, int n)
{
	DunColumn  *ids = dun_deliver_column(UUIDOID, n);

	for (int i = 0; i < n; i++)
		dun_deliver_push(ids, UUIDPGetDatum(&items[i]->message_id));
	return dun_deliver_array(ids);
}

/* When each of these may be tried again: its next allowed instant, or held where a fortnight has none. */
static void
move_to_windows(DunItem **items, int n)
{
	TimestampTz now = dun_base_now();
	Datum		args[5];
	uint64		rows;

	if (n == 0)
		return;
	fill_columns(items, n, args, NULL);
	args[4] = message_ids(items, n);
	rows = dun_base_run(&window_sql, args, NULL, false, 0);
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

void
dun_deliver_ask_gate(DunItem **items, int n)
{
	Datum		args[5];
	DunItem   **later = palloc((n + 1) * sizeof(DunItem *));
	bool	   *answered = palloc0((n + 1) * sizeof(bool));
	int			nlater = 0;
	uint64		rows;

	keep_statements();
	fill_columns(items, n, args, NULL);
	args[4] = message_ids(items, n);
	/* A statement of its own, so that the gate's snapshot is younger than the locks of persons with several accounts. */
	dun_base_run(&lock_sql, args, NULL, false, 0);
	rows = dun_base_run(&gate_sql, args, NULL, false, 0);
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
		blocked = isnull ? NULL : read_words(words, &nwords);
		address = dun_base_text(row, 3);
		if (nwords > 0)
		{
			if (refuse(item, 0, blocked, nwords))
				later[nlater++] = item;
		}
		else if (address != NULL)
			item->gate_address = MemoryContextStrdup(item->context, address);
		else
			dun_deliver_decide(item, 0, "held", "no_address");
	}
	/* Default deny: no answer is no. */
	for (int i = 0; i < n; i++)
		if (!answered[i])
			dun_deliver_decide(items[i], 0, "held", "no_debtor");
	move_to_windows(later, nlater);
}

static const char *
address_of(DunItem *item)
{
	return item->frozen_address;
}

static void
fill_recheck(DunItem **items, int n, Datum *args)
{
	DunColumn  *attempts = dun_deliver_column(INT2OID, n);

	fill_columns(items, n, args, address_of);
	args[5] = message_ids(items, n);
	for (int i = 0; i < n; i++)
		dun_deliver_push(attempts, Int16GetDatum(items[i]->attempt));
	args[6] = dun_deliver_array(attempts);
}

/* Keep those that do not plainly pass; returns how many. */
static int
leave_out_clear(DunItem **items, int n, DunItem **unclear)
{
	Datum		args[7];
	int		   *named = palloc0((n + 1) * sizeof(int));
	int			nunclear = 0;
	uint64		rows;
	TimestampTz asked_at;

	fill_recheck(items, n, args);
	asked_at = GetCurrentTimestamp();
	rows = dun_base_run(&clear_sql, args, NULL, false, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		int			ord = DatumGetInt32(dun_base_value(row, 1, &isnull));

		if (isnull || ord < 1 || ord > n)
			elog(ERROR, "the recheck answers for nobody: %d", ord);
		named[ord - 1]++;
		SAY_SEEN(items[ord - 1], row, 2, asked_at);
	}
	/* Named twice is a debtor of two rows. */
	for (int i = 0; i < n; i++)
		if (named[i] != 1)
			unclear[nunclear++] = items[i];
	return nunclear;
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

	keep_statements();
	n = leave_out_clear(items, n, unclear);
	if (n == 0)
		return;
	items = unclear;
	fill_recheck(items, n, args);
	asked_at = GetCurrentTimestamp();
	rows = dun_base_run(&recheck_sql, args, NULL, false, 0);
	if (rows != n)
		elog(ERROR, "the recheck answers for %d of %d messages", (int) rows, n);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		DunItem    *item = items[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1];
		Datum		words = dun_base_value(row, 2, &isnull);
		int			nwords = 0;
		char	  **blocked = isnull ? NULL : read_words(words, &nwords);
		bool		unanswered = isnull;
		char	   *stopped = dun_base_text(row, 3);

		SAY_SEEN(item, row, 4, asked_at);
		if (stopped != NULL)
		{
			/* Nothing left: the attempt is over, and a paused server's message waits for resume(). */
			dun_deliver_decide(item, item->attempt,
							   strcmp(stopped, "paused") == 0 ? "queued" :
							   strcmp(stopped, "held") == 0 ? "held" : "cancelled", stopped);
		}
		else if (item->test_address != NULL)
			continue;
		else if (unanswered)
			dun_deliver_decide(item, item->attempt, "held", "no_debtor");
		else if (nwords > 0 && refuse(item, item->attempt, blocked, nwords))
			later[nlater++] = item;
	}
	move_to_windows(later, nlater);
}
