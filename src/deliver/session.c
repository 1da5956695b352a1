/*
 * deliver/session.c
 *		Transactions, subtransactions and slices of a delivering process.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "base/hash.h"
#include "base/user.h"
#include "deliver/epoch.h"
#include "deliver/session.h"
#include "deliver/shmem.h"

#define SLICE_LOCK_CLASS 0x64756e6c	/* "dunl": session advisory locks (class, slice) */

DunSession	dun_deliver_session;

#define CALL_LOCK_TIMEOUT_MS 2000	/* a worker has the same */

#define DROP_LOOK_MS 10
#define WATCH_EVERY_MS 250
#define LAST_WORK_MS 1000		/* what is asked to end gives a piece of work so long */

static DunUser before;

/* A background worker: nobody else arms a statement's timeouts there. */
static bool watches = false;
static TimeoutId watch_id;
static volatile TimestampTz work_since;

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* A worker has these from its start. A call has its session's, where a commit might fail that only says what was sent. */
static void
set_for_call(void)
{
	if (!FirstSnapshotSet)
	{
		set_local("transaction_isolation", "read committed");
		if (XactReadOnly)
			set_local("transaction_read_only", "off");
	}
	set_local("jit", "off");
	set_local("plan_cache_mode", "force_generic_plan");
	if (LockTimeout == 0 || LockTimeout > CALL_LOCK_TIMEOUT_MS)
		set_local("lock_timeout", psprintf("%d", CALL_LOCK_TIMEOUT_MS));
}

static void
wait_a_moment(void)
{
	(void) WaitLatch(NULL, WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, DROP_LOOK_MS, PG_WAIT_EXTENSION);
	CHECK_FOR_INTERRUPTS();
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_wait_a_moment);

Datum
dun_deliver_sql_wait_a_moment(PG_FUNCTION_ARGS)
{
	wait_a_moment();
	PG_RETURN_VOID();
}

/* Not for longer than for any other lock: who holds this one may have gone to lunch. */
static void
await_drop(const LOCKTAG *extension)
{
	TimestampTz since = GetCurrentTimestamp();

	while (LockAcquire(extension, AccessShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
	{
		if (TimestampDifferenceExceeds(since, GetCurrentTimestamp(), CALL_LOCK_TIMEOUT_MS))
			ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("extension \"dunning\" is being dropped")));
		wait_a_moment();
	}
	AcceptInvalidationMessages();
}

static void
set_extension_tag(LOCKTAG *tag, Oid extension)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, ExtensionRelationId, extension, 0);
}

/*
 * Before any other lock the one that DROP EXTENSION takes first: it waits for this transaction, and the next one for it.
 * Otherwise each would come to hold a table that the other wants.
 */
static void
keep_extension(void)
{
	Oid			extension = get_extension_oid("dunning", true);
	LOCKTAG		tag;

	set_extension_tag(&tag, extension);
	if (OidIsValid(extension))
		await_drop(&tag);
	if (OidIsValid(extension) && get_extension_oid("dunning", true) == extension)
		return;
	if (dun_deliver_session.in_call)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("extension \"dunning\" was dropped")));
	dun_deliver_say_farewell(MyDatabaseId, dun_deliver_session.number, DUN_FAREWELL_ABSENT);
	proc_exit(0);
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_hold_workers);

/* Whoever drops a month does as who drops the extension, and lets them go on before its transaction ends. */
Datum
dun_deliver_sql_hold_workers(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;

	set_extension_tag(&tag, get_extension_oid("dunning", false));
	if (PG_GETARG_BOOL(0))
		(void) LockAcquire(&tag, AccessExclusiveLock, false, false);
	else
		(void) LockRelease(&tag, AccessExclusiveLock, false);
	PG_RETURN_VOID();
}

void
dun_deliver_begin(void)
{
	Snapshot	snapshot;

	if (!dun_deliver_session.in_call)
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		keep_extension();
		SPI_connect();
		snapshot = GetTransactionSnapshot();
		dun_deliver_note_snapshot(snapshot);
		PushActiveSnapshot(snapshot);
	}
	else
	{
		SPI_connect_ext(SPI_OPT_NONATOMIC);
		set_for_call();
		keep_extension();
		dun_deliver_note_snapshot(GetTransactionSnapshot());
	}
	before = dun_base_become(DUN_WORKER_ROLE);
	/* An operator's table must not decide what = means, and an intent must be on disk before it is acted on. */
	set_local("search_path", "pg_catalog, pg_temp");
	if (synchronous_commit < SYNCHRONOUS_COMMIT_ON)
		set_local("synchronous_commit", "on");
}

void
dun_deliver_renew_call(void)
{
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	SPI_commit();
	SPI_finish();
}

static void
commit(void)
{
	if (dun_deliver_session.in_call)
	{
		SPI_commit();
		SPI_finish();
		return;
	}
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	/* Nobody else does it for a background worker, and autovacuum goes by these counts. At most once a second. */
	(void) pgstat_report_stat(false);
}

void
dun_deliver_commit(void)
{
	bool		counts = TransactionIdIsValid(GetTopTransactionIdIfAny());

	dun_base_unbecome(before);
	/* With a call's transaction commits what the session had written before. */
	if (counts && !dun_deliver_session.in_call)
		dun_deliver_note_committing();
	commit();
	if (counts)
		dun_deliver_note_commit();
}

/* What the message of a data exception quotes is a value, perhaps a name or an address: the log gets the words around it. */
static void
omit_values(char *message)
{
	char	   *to = message;
	bool		inside = false;

	for (const char *from = message; *from; from++)
	{
		if (*from == '"')
			inside = !inside;
		if (!inside || *from == '"')
			*to++ = *from;
	}
	*to = '\0';
}

static void
describe(DunFailure *failure)
{
	ErrorData  *edata = CopyErrorData();

	failure->sqlerrcode = edata->sqlerrcode;
	strlcpy(failure->sqlstate, unpack_sql_state(edata->sqlerrcode), sizeof(failure->sqlstate));
	strlcpy(failure->message, edata->message ? edata->message : "", sizeof(failure->message));
	if (ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_DATA_EXCEPTION)
		omit_values(failure->message);
	FreeErrorData(edata);
}

/* --- what takes too long --- */

/* In a signal handler. SIGTERM alone sets a flag that nobody reads while a bound view runs. */
static void
look_whether_to_cancel(void)
{
	if (!ShutdownRequestPending || !TimestampDifferenceExceeds(work_since, GetCurrentTimestamp(), LAST_WORK_MS))
		return;
	QueryCancelPending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

void
dun_deliver_watch_work(void)
{
	watch_id = RegisterTimeout(USER_TIMEOUT, look_whether_to_cancel);
	watches = true;
}

/* False: it runs already, for the work that this is a part of. */
static bool
start_watch(void)
{
	if (!watches || get_timeout_active(watch_id))
		return false;
	work_since = GetCurrentTimestamp();
	enable_timeout_every(watch_id, TimestampTzPlusMilliseconds(work_since, WATCH_EVERY_MS), WATCH_EVERY_MS);
	if (StatementTimeout > 0)
		enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
	return true;
}

/* A cancel that came when the work was done is about nothing any more. */
static void
stop_watch(bool started)
{
	if (!started)
		return;
	disable_timeout(watch_id, false);
	disable_timeout(STATEMENT_TIMEOUT, false);
	QueryCancelPending = false;
}

bool
dun_deliver_attempt(void (*work) (void *), void *arg, DunFailure *failure)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	uint32		held_off = QueryCancelHoldoffCount;
	bool		watched = start_watch();
	volatile bool ok = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		/* Here a cancel takes back this work and no more; held off, neither it nor lock_timeout would end the wait for a lock. */
		QueryCancelHoldoffCount = 0;
		work(arg);
		QueryCancelHoldoffCount = held_off;
		stop_watch(watched);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		/* Each error, also one that SQL catches, sets it to 0. */
		QueryCancelHoldoffCount = held_off;
		stop_watch(watched);
		MemoryContextSwitchTo(context);
		describe(failure);
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (failure->sqlerrcode == ERRCODE_QUERY_CANCELED)
			dun_deliver_session.cancelled = true;
		ok = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return ok;
}

bool
dun_deliver_is_transient(const DunFailure *failure)
{
	switch (ERRCODE_TO_CATEGORY(failure->sqlerrcode))
	{
		case MAKE_SQLSTATE('5', '3', '0', '0', '0'):	/* resources, but for a limit of ours: a text that is too large stays so */
			return failure->sqlerrcode != ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
		case MAKE_SQLSTATE('4', '0', '0', '0', '0'):	/* deadlock, serialization */
		case MAKE_SQLSTATE('5', '7', '0', '0', '0'):	/* cancelled, shutting down */
		case MAKE_SQLSTATE('5', '8', '0', '0', '0'):	/* the system */
			return true;
		default:
			return failure->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE || failure->sqlerrcode == ERRCODE_OBJECT_IN_USE;
	}
}

/* Neighbours belong to one worker, so that an index can tell its rows from others'. */
int
dun_deliver_slice_owner(int slice, int of)
{
	return slice * of / DUN_SLICES;
}

static bool
owns(int16 slice)
{
	for (int i = 0; i < dun_deliver_session.nslices; i++)
		if (dun_deliver_session.slices[i] == slice)
			return true;
	return false;
}

static void
note_owned(int16 slice)
{
	DunSession *s = &dun_deliver_session;
	int			at = s->nslices++;

	for (; at > 0 && s->slices[at - 1] > slice; at--)
		s->slices[at] = s->slices[at - 1];
	s->slices[at] = slice;
}

int
dun_deliver_take_slices(void)
{
	DunSession *s = &dun_deliver_session;

	for (int16 slice = 0; slice < DUN_SLICES; slice++)
	{
		LOCKTAG		tag;

		if (dun_deliver_slice_owner(slice, s->of) != s->number || owns(slice))
			continue;
		SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, SLICE_LOCK_CLASS, slice, 2);
		if (LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL)
			note_owned(slice);
	}
	return s->nslices;
}

void
dun_deliver_release_slices(void)
{
	DunSession *s = &dun_deliver_session;

	while (s->nslices > 0)
	{
		LOCKTAG		tag;

		SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, SLICE_LOCK_CLASS, s->slices[--s->nslices], 2);
		LockRelease(&tag, ExclusiveLock, true);
	}
}
