/*
 * deliver/asking.c
 *		One question after another: what is due, a request without a body, and what the answer means written down.
 *
 * A question changes nothing at the gateway, so one whose answer was lost is put again. What an answer means is settled in the
 * transaction that ends the question, under a lock of its row: whoever dies in between leaves the question, and no message is
 * settled or queued twice.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "base/spi.h"
#include "deliver/activation.h"
#include "deliver/asking.h"
#include "deliver/fault.h"
#include "deliver/item.h"
#include "deliver/session.h"
#include "deliver/settings.h"
#include "gateway/driver.h"
#include "gateway/preset.h"
#include "transport/ask.h"

#define ASK_LOCK_CLASS 0x64756e71	/* "dunq": a session advisory lock */

typedef struct Question
{
	char	   *server_name;
	char	   *debtor_id;
	pg_uuid_t	message_id;
	DunServer  *server;
	DunRequest	request;
	DunReply	reply;
	char	   *problem;		/* NULL: there is an answer */
	bool		settled;
} Question;

typedef struct Asking
{
	const char *wanted;
	MemoryContext context;
	List	   *due;			/* of Question * */
	DunAsked   *asked;
	MemoryContext one;			/* of the question at hand */
	Question   *q;
} Asking;

static DunStatement due_sql = {
	"SELECT d.server, d.debtor_id, d.message_id FROM dunning._questions_due($1) d", 1, {TEXTOID}, .harmless = true
};
static DunStatement answer_sql = {
	"SELECT dunning._answer($1, $2, $3, $4, $5)", 5, {TEXTOID, UUIDOID, INT4OID, BYTEAOID, TEXTOID}, NULL
};

static void
look(void *arg)
{
	Asking	   *a = arg;
	Datum		name = a->wanted ? CStringGetTextDatum(a->wanted) : (Datum) 0;
	char	   *problem = dun_deliver_mode != DUN_DELIVERY_ON ? pstrdup("dunning.delivery is not on") : dun_deliver_check_activation();
	uint64		rows;
	MemoryContext before;

	/* What another copy of the database has sent is not a copy's to settle. */
	if (problem != NULL)
	{
		strlcpy(a->asked->stopped, problem, sizeof(a->asked->stopped));
		return;
	}
	rows = dun_base_run(&due_sql, &name, a->wanted ? NULL : "n", false, 0);
	before = MemoryContextSwitchTo(a->context);
	for (uint64 row = 0; row < rows; row++)
	{
		Question   *q = palloc0(sizeof(Question));
		bool		isnull;

		q->server_name = dun_base_text(row, 1);
		q->debtor_id = dun_base_text(row, 2);
		q->message_id = *DatumGetUUIDP(dun_base_value(row, 3, &isnull));
		a->due = lappend(a->due, q);
	}
	MemoryContextSwitchTo(before);
}

/* Work of one transaction; false: it was taken back, and `failure` says why. */
static bool
transact(void (*work) (void *), void *arg, DunFailure *failure)
{
	bool		ok;

	dun_deliver_begin();
	ok = dun_deliver_attempt(work, arg, failure);
	dun_deliver_commit();
	return ok;
}

static void
prepare(void *arg)
{
	Asking	   *a = arg;
	Question   *q = a->q;
	MemoryContext before = MemoryContextSwitchTo(a->one);

	q->server = dun_gateway_load_server(q->server_name);
	if (!dun_gateway_build_question(q->server, dun_deliver_uuid_text(&q->message_id), &q->request))
		q->problem = pstrdup("the preset has no query any more");
	MemoryContextSwitchTo(before);
}

static void
answer(void *arg)
{
	Question   *q = ((Asking *) arg)->q;
	Datum		args[5];
	char		nulls[6] = "     ";
	char	   *verdict;

	args[0] = CStringGetTextDatum(q->debtor_id);
	args[1] = UUIDPGetDatum(&q->message_id);
	args[2] = Int32GetDatum((int32) q->reply.code);
	args[3] = PointerGetDatum(cstring_to_text_with_len(q->reply.body ? q->reply.body : "", (int) q->reply.body_len));
	args[4] = q->problem ? CStringGetTextDatum(q->problem) : (Datum) 0;
	if (q->problem == NULL)
		nulls[4] = 'n';
	dun_base_run(&answer_sql, args, nulls, false, 1);
	verdict = dun_base_text(0, 1);
	q->settled = verdict != NULL && strcmp(verdict, "unknown") != 0;
}

/* No transaction is open. */
static void
wait_for_answer(Asking *a)
{
	Question   *q = a->q;
	MemoryContext before = MemoryContextSwitchTo(a->one);

	dun_transport_ask_server(q->server, &q->request, &q->reply);
	/* A status line is an answer, whatever became of the rest; half a body is none. */
	if (q->reply.code == 0 || (q->reply.error != NULL && q->reply.code < 300))
		q->problem = q->reply.error ? q->reply.error : pstrdup("no answer");
	MemoryContextSwitchTo(before);
}

static void
ask_one(Asking *a)
{
	Question   *q = a->q;
	DunFailure	failure;

	a->asked->asked++;
	if (!transact(prepare, a, &failure))
		q->problem = MemoryContextStrdup(a->one, failure.message);
	if (q->problem == NULL)
		wait_for_answer(a);
	DUN_FAULT("asked");
	if (!transact(answer, a, &failure))
		q->problem = MemoryContextStrdup(a->one, failure.message);
	a->asked->settled += q->settled;
	if (q->problem != NULL)
		strlcpy(a->asked->problem, q->problem, sizeof(a->asked->problem));
}

/* Who gave no answer is not asked about the next one. */
static void
ask_all(Asking *a)
{
	const char *silent = NULL;
	ListCell   *lc;

	foreach(lc, a->due)
	{
		Question   *q = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (silent != NULL && strcmp(silent, q->server_name) == 0)
			continue;
		a->q = q;
		a->one = AllocSetContextCreate(a->context, "dunning question", ALLOCSET_DEFAULT_SIZES);
		ask_one(a);
		if (q->problem != NULL)
			silent = q->server_name;
		MemoryContextDelete(a->one);
	}
}

/* One process at a time asks for a database. */
static bool
lock_questions(LOCKTAG *tag)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, ASK_LOCK_CLASS, 0, 2);
	return LockAcquire(tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
dun_deliver_ask_gateways(const char *wanted, DunAsked *asked)
{
	MemoryContext all = AllocSetContextCreate(TopMemoryContext, "dunning questions", ALLOCSET_DEFAULT_SIZES);
	Asking		a = {.wanted = wanted, .context = all, .asked = asked};
	DunFailure	failure;
	LOCKTAG		tag;

	memset(asked, 0, sizeof(*asked));
	if (!lock_questions(&tag))
	{
		strlcpy(asked->stopped, "another process is asking the gateways of this database", sizeof(asked->stopped));
		MemoryContextDelete(all);
		return;
	}
	PG_TRY();
	{
		if (!transact(look, &a, &failure))
			strlcpy(asked->problem, failure.message, sizeof(asked->problem));
		ask_all(&a);
	}
	PG_FINALLY();
	{
		LockRelease(&tag, ExclusiveLock, true);
		MemoryContextDelete(all);
	}
	PG_END_TRY();
}
