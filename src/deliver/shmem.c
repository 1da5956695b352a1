/*
 * deliver/shmem.c
 *		Shared memory of the workers. The header says which lock protects what.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "deliver/breaker.h"
#include "deliver/rate.h"
#include "deliver/shmem.h"
#include "queue/wake.h"

/* More than a worker can commit between another's snapshot and its look at this. */
#define ANNOUNCED 16

/* A transaction this old has ended in every snapshot that is just taken. */
#define LONG_AGO (UINT64CONST(1) << 30)

/* Transactions that a worker said it would commit: how many ever, and the last ones. Never taken back. */
typedef struct Announced
{
	uint64		n;
	FullTransactionId last[ANNOUNCED];
} Announced;

typedef struct DunShared
{
	LWLock	   *lock;
	Latch	   *launcher;
	uint64		launcher_calls;
	struct
	{
		Oid			database;
		int			number;
		DunFarewell word;
	}			farewells[DUN_WORKER_ENTRIES];
	DunWorkerEntry workers[DUN_WORKER_ENTRIES];
	pg_atomic_uint64 news[DUN_WORKER_ENTRIES];	/* beside the entry: the earliest due of what came for it, a TimestampTz */
	pg_atomic_uint64 looks_at[DUN_WORKER_ENTRIES];	/* when it will look by itself: only what is due until then wakes it */
	Announced	announced[DUN_WORKER_ENTRIES];	/* beside the entry, and outlives it */
	int			nannounced;		/* from here on all are 0 */
	DunRate		rates[DUN_RATES];
	DunBreaker	breakers[DUN_BREAKERS];
} DunShared;

static DunShared *shared = NULL;
static int	my_entry = -1;

static shmem_request_hook_type previous_request = NULL;
static shmem_startup_hook_type previous_startup = NULL;

static void
request_shmem(void)
{
	if (previous_request)
		previous_request();
	RequestAddinShmemSpace(MAXALIGN(sizeof(DunShared)));
	RequestNamedLWLockTranche("dunning", 1);
}

static void
startup_shmem(void)
{
	bool		found;

	if (previous_startup)
		previous_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("dunning", sizeof(DunShared), &found);
	if (!found)
	{
		memset(shared, 0, sizeof(DunShared));
		shared->lock = &GetNamedLWLockTranche("dunning")->lock;
		for (int i = 0; i < DUN_WORKER_ENTRIES; i++)
		{
			pg_atomic_init_u64(&shared->news[i], (uint64) DT_NOBEGIN);
			pg_atomic_init_u64(&shared->looks_at[i], (uint64) DT_NOEND);
		}
	}
	LWLockRelease(AddinShmemInitLock);
}

void
dun_deliver_request_shmem(void)
{
	previous_request = shmem_request_hook;
	shmem_request_hook = request_shmem;
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
	/* The queue's transactions find the workers through this variable; children inherit it by fork. */
	*find_rendezvous_variable(DUN_WAKE_VARIABLE) = (void *) dun_deliver_wake_workers;
}

bool
dun_deliver_has_shmem(void)
{
	return shared != NULL;
}

static void
leave_at_exit(int code, Datum arg)
{
	dun_deliver_leave_entry();
}

int
dun_deliver_take_entry(int number)
{
	static bool registered = false;

	if (shared == NULL || my_entry >= 0)
		return my_entry;
	if (!registered)
	{
		before_shmem_exit(leave_at_exit, (Datum) 0);
		registered = true;
	}
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < DUN_WORKER_ENTRIES; i++)
	{
		DunWorkerEntry *entry = &shared->workers[i];

		if (OidIsValid(entry->database))
			continue;
		memset(entry, 0, sizeof(*entry));
		entry->database = MyDatabaseId;
		entry->pid = MyProcPid;
		entry->number = number;
		entry->latch = MyLatch;
		entry->started_at = GetCurrentTimestamp();
		pg_atomic_write_u64(&shared->news[i], (uint64) DT_NOBEGIN);
		pg_atomic_write_u64(&shared->looks_at[i], (uint64) DT_NOEND);
		my_entry = i;
		break;
	}
	LWLockRelease(shared->lock);
	return my_entry;
}

void
dun_deliver_leave_entry(void)
{
	if (shared == NULL || my_entry < 0)
		return;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	memset(&shared->workers[my_entry], 0, sizeof(DunWorkerEntry));
	LWLockRelease(shared->lock);
	my_entry = -1;
}

void
dun_deliver_show_figures(const DunFigures *figures)
{
	if (shared == NULL || my_entry < 0)
		return;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->workers[my_entry].figures = *figures;
	LWLockRelease(shared->lock);
}

bool
dun_deliver_read_entry(int i, DunWorkerEntry *entry)
{
	if (shared == NULL)
		return false;
	LWLockAcquire(shared->lock, LW_SHARED);
	*entry = shared->workers[i];
	LWLockRelease(shared->lock);
	return OidIsValid(entry->database);
}

/* Committers meet here, and none waits for another. */
static void
tell_news(pg_atomic_uint64 *news, TimestampTz due)
{
	uint64		told = pg_atomic_read_u64(news);

	while (due < (TimestampTz) told && !pg_atomic_compare_exchange_u64(news, &told, (uint64) due))
		;
	/* Told before it is asked whether the worker sleeps, who says that first and looks for news then. */
	pg_memory_barrier();
}

bool
dun_deliver_say_when_to_wake(TimestampTz looks_at)
{
	TimestampTz news;

	if (shared == NULL || my_entry < 0)
		return true;
	pg_atomic_exchange_u64(&shared->looks_at[my_entry], (uint64) looks_at);
	news = (TimestampTz) pg_atomic_read_u64(&shared->news[my_entry]);
	return news == DT_NOEND || news > looks_at;
}

TimestampTz
dun_deliver_take_news(TimestampTz otherwise)
{
	if (shared == NULL || my_entry < 0)
		return otherwise;
	return (TimestampTz) pg_atomic_exchange_u64(&shared->news[my_entry], (uint64) DT_NOEND);
}

void
dun_deliver_wake_workers(Oid database, TimestampTz due)
{
	if (shared == NULL)
		return;
	LWLockAcquire(shared->lock, LW_SHARED);
	for (int i = 0; i < DUN_WORKER_ENTRIES; i++)
	{
		DunWorkerEntry *entry = &shared->workers[i];

		if (OidIsValid(entry->database) && (!OidIsValid(database) || entry->database == database))
		{
			tell_news(&shared->news[i], due);
			if (due <= (TimestampTz) pg_atomic_read_u64(&shared->looks_at[i]))
				SetLatch(entry->latch);
		}
	}
	LWLockRelease(shared->lock);
}

void
dun_deliver_announce_commit(void)
{
	FullTransactionId id = GetTopFullTransactionIdIfAny();
	Announced  *mine;

	if (shared == NULL || my_entry < 0 || !FullTransactionIdIsValid(id))
		return;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	mine = &shared->announced[my_entry];
	mine->last[mine->n++ % ANNOUNCED] = id;
	shared->nannounced = Max(shared->nannounced, my_entry + 1);
	LWLockRelease(shared->lock);
}

static bool
has_ended(FullTransactionId id, Snapshot snapshot)
{
	uint64		next = U64FromFullTransactionId(ReadNextFullTransactionId());

	return next - U64FromFullTransactionId(id) > LONG_AGO || !XidInMVCCSnapshot(XidFromFullTransactionId(id), snapshot);
}

/* A worker's transactions end one after another; those begun after the snapshot are the last ones. */
static bool
count_ended(const Announced *theirs, Snapshot snapshot, uint64 *n)
{
	for (uint64 k = theirs->n; k > 0; k--)
	{
		if (theirs->n - k == ANNOUNCED)
			return false;
		if (has_ended(theirs->last[(k - 1) % ANNOUNCED], snapshot))
		{
			*n += k;
			return true;
		}
	}
	return true;
}

bool
dun_deliver_count_announced(Snapshot snapshot, uint64 *n)
{
	*n = 0;
	if (shared == NULL)
		return true;
	/* Grows only, and who is missed was announced after the snapshot was taken. */
	for (int i = 0; i < shared->nannounced; i++)
	{
		Announced	theirs;

		if (i == my_entry)
			continue;
		LWLockAcquire(shared->lock, LW_SHARED);
		theirs = shared->announced[i];
		LWLockRelease(shared->lock);
		if (!count_ended(&theirs, snapshot, n))
			return false;
	}
	return true;
}

void
dun_deliver_set_launcher(Latch *latch)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->launcher = latch;
	LWLockRelease(shared->lock);
}

void
dun_deliver_wake_launcher(void)
{
	if (shared == NULL)
		return;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->launcher_calls++;
	if (shared->launcher != NULL)
		SetLatch(shared->launcher);
	LWLockRelease(shared->lock);
}

uint64
dun_deliver_launcher_calls(void)
{
	uint64		calls;

	LWLockAcquire(shared->lock, LW_SHARED);
	calls = shared->launcher_calls;
	LWLockRelease(shared->lock);
	return calls;
}

void
dun_deliver_say_farewell(Oid database, int number, DunFarewell word)
{
	int			at = -1;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < DUN_WORKER_ENTRIES; i++)
	{
		if (shared->farewells[i].database == database && shared->farewells[i].number == number)
		{
			at = i;
			break;
		}
		if (at < 0 && !OidIsValid(shared->farewells[i].database))
			at = i;
	}
	/* No room: the launcher takes it for a crash and waits a little longer. */
	if (at >= 0)
	{
		shared->farewells[at].database = database;
		shared->farewells[at].number = number;
		shared->farewells[at].word = word;
	}
	LWLockRelease(shared->lock);
}

DunFarewell
dun_deliver_take_farewell(Oid database, int number)
{
	DunFarewell word = DUN_FAREWELL_NONE;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < DUN_WORKER_ENTRIES; i++)
		if (shared->farewells[i].database == database && shared->farewells[i].number == number)
		{
			word = shared->farewells[i].word;
			shared->farewells[i].database = InvalidOid;
		}
	LWLockRelease(shared->lock);
	return word;
}

bool
dun_deliver_take_rate(const char *bucket, double rate, TimestampTz *taken, TimestampTz *ready_at)
{
	static DunRate private_rates[DUN_RATES];
	TimestampTz now = GetCurrentTimestamp();
	bool		granted;

	if (rate <= 0)
		return true;
	if (shared != NULL)
		LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	granted = dun_deliver_rate_take(shared ? shared->rates : private_rates, MyDatabaseId, bucket, rate, *taken, now, ready_at);
	if (shared != NULL)
		LWLockRelease(shared->lock);
	*taken = granted ? now : 0;
	return granted;
}

/* --- breakers --- */

static DunBreaker private_breakers[DUN_BREAKERS];

static DunBreaker *
lock_breakers(LWLockMode mode)
{
	if (shared == NULL)
		return private_breakers;
	LWLockAcquire(shared->lock, mode);
	return shared->breakers;
}

static void
unlock_breakers(void)
{
	if (shared != NULL)
		LWLockRelease(shared->lock);
}

DunPass
dun_deliver_ask_breaker(const char *server)
{
	TimestampTz now = GetCurrentTimestamp();
	DunPass		pass = dun_deliver_breaker_ask(lock_breakers(LW_SHARED), MyDatabaseId, server, now);

	unlock_breakers();
	return pass;
}

bool
dun_deliver_take_probe(const char *server, int within_ms)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		taken = dun_deliver_breaker_probe(lock_breakers(LW_EXCLUSIVE), MyDatabaseId, server, now,
												  TimestampTzPlusMilliseconds(now, within_ms));

	unlock_breakers();
	return taken;
}

void
dun_deliver_yield_probe(const char *server)
{
	dun_deliver_breaker_yield(lock_breakers(LW_EXCLUSIVE), MyDatabaseId, server);
	unlock_breakers();
}

bool
dun_deliver_close_breaker(const char *server)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		was_open = dun_deliver_breaker_close(lock_breakers(LW_EXCLUSIVE), MyDatabaseId, server, now);

	unlock_breakers();
	return was_open;
}

DunTripped
dun_deliver_trip_breaker(const char *server, const DunTrip *trip)
{
	TimestampTz now = GetCurrentTimestamp();
	DunTripped	tripped = dun_deliver_breaker_trip(lock_breakers(LW_EXCLUSIVE), MyDatabaseId, server, now, trip);

	unlock_breakers();
	return tripped;
}

bool
dun_deliver_breaker_is_proven(const char *server)
{
	bool		works = dun_deliver_breaker_works(lock_breakers(LW_SHARED), MyDatabaseId, server);

	unlock_breakers();
	return works;
}

bool
dun_deliver_forget_breaker(const char *server)
{
	bool		was_open = dun_deliver_breaker_forget(lock_breakers(LW_EXCLUSIVE), MyDatabaseId, server);

	unlock_breakers();
	return was_open;
}

bool
dun_deliver_read_breaker(int i, DunBreaker *breaker)
{
	*breaker = lock_breakers(LW_SHARED)[i];
	unlock_breakers();
	return OidIsValid(breaker->database) && breaker->database == MyDatabaseId;
}
