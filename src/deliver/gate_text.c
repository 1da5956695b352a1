/*
 * deliver/gate_text.c
 *		Asking the gate for its SQL, which depends on the bound relations.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/spi.h"
#include "deliver/epoch.h"
#include "deliver/gate.h"
#include "deliver/gate_plain.h"
#include "deliver/gate_text.h"
#include "ledger/kept.h"

/* A group follows its batch and the group before it by milliseconds. */
#define COMPARE_EVERY_MS 50

static DunStatement steady_sql = {"SELECT dunning._ledger_steady()", 0, {0}, NULL};

static DunStatement texts_sql = {
	"SELECT dunning._gate_lock_sql(), dunning._gate_sql(), dunning._recheck_sql(),"
	"       CASE WHEN dunning._ledger_problem() = 'ledger_broken' THEN '' ELSE dunning._gate_facts_sql() END,"
	"       dunning._recheck_clear_sql(), dunning._gate_plain_texts()", 0, {0}, NULL
};

DunStatement dun_deliver_lock_sql = {NULL, 1, {TEXTARRAYOID}, .harmless = true};

DunStatement dun_deliver_gate_sql = {
	NULL, 5, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, UUIDARRAYOID}, .harmless = true,
	.cursor_options = CURSOR_OPT_GENERIC_PLAN
};

DunStatement dun_deliver_recheck_sql = {
	NULL, 7, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, TEXTARRAYOID, UUIDARRAYOID, INT2ARRAYOID}, .harmless = true,
	.cursor_options = CURSOR_OPT_GENERIC_PLAN
};

DunStatement dun_deliver_clear_sql = {
	NULL, 7, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, UUIDARRAYOID, INT2ARRAYOID}, .harmless = true,
	.cursor_options = CURSOR_OPT_GENERIC_PLAN
};

DunStatement dun_deliver_window_sql = {
	NULL, 5, {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, UUIDARRAYOID}, .harmless = true,
	.cursor_options = CURSOR_OPT_GENERIC_PLAN
};

/* The first instant of the next fortnight at which neither the clock nor a cap forbids the contact. */
#define WINDOW_FRAME \
	"SELECT f.ord::bigint, dunning._next_open(f.at, f.at + interval '14 days', f.debtor_id, f.windows, f.caps," \
	"       f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks, f.message_id) FROM (%s) f"

/* A test build says what each recheck could see, so that "paid before" is a matter of transactions and not of clocks. */
#ifdef DUNNING_FAULTS
#define SEEN ", pg_catalog.pg_current_snapshot()::text"
#else
#define SEEN ""
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

/* Those that plainly pass. */
#define CLEAR_FRAME "SELECT r.ord" SEEN " FROM (%s) r"

/* Plans are kept while the bindings are the same; forced by dun_deliver_forget_gate(). */
static DunTextsRead texts_read = {0};

void
dun_deliver_keep_gate(void)
{
	static TimestampTz compared_at = 0;
	TimestampTz now = GetCurrentTimestamp();
	char	   *signature;
	Datum		plain;
	bool		isnull;

	/* A clock that was set back says nothing. */
	if (texts_read.signature != NULL && now >= compared_at && !TimestampDifferenceExceeds(compared_at, now, COMPARE_EVERY_MS))
		return;
	compared_at = now;
	signature = dun_ledger_texts_changed(&texts_read);
	if (signature == NULL)
		return;
	if (dun_base_run(&texts_sql, NULL, NULL, true, 1) != 1)
		elog(ERROR, "the gate gives no statement");
	/* dun_base_renew() runs nothing: what was read stands until all are made. */
	dun_base_renew(&dun_deliver_lock_sql, dun_base_text(0, 1));
	dun_base_renew(&dun_deliver_gate_sql, psprintf("SELECT g.ord, g.blocked_by, g.address, g.place, g.windows, g.digest FROM (%s) g", dun_base_text(0, 2)));
	dun_base_renew(&dun_deliver_recheck_sql, psprintf(RECHECK_FRAME, dun_base_text(0, 3)));
	dun_base_renew(&dun_deliver_window_sql, psprintf(WINDOW_FRAME, dun_base_text(0, 4)));
	dun_base_renew(&dun_deliver_clear_sql, psprintf(CLEAR_FRAME, dun_base_text(0, 5)));
	plain = dun_base_value(0, 6, &isnull);
	dun_deliver_renew_plain(isnull ? (Datum) 0 : plain);
	dun_ledger_note_texts(&texts_read, signature);
}

void
dun_deliver_forget_gate(void)
{
	if (texts_read.signature != NULL)
		pfree(texts_read.signature);
	texts_read = (DunTextsRead) {0};
}

bool
dun_deliver_ledger_is_steady(void)
{
	static DunEpoch looked_in = {0};
	static bool steady = false;
	DunEpoch	now = dun_deliver_epoch();
	bool		isnull;

	if (dun_deliver_is_same_epoch(&looked_in, &now))
		return steady;
	if (dun_base_run(&steady_sql, NULL, NULL, true, 1) != 1)
		elog(ERROR, "the ledger does not say whether it is steady");
	steady = DatumGetBool(dun_base_value(0, 1, &isnull)) && !isnull;
	looked_in = now;
	return steady;
}
