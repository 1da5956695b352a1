/*
 * deliver/shmem.h
 *		What workers, launcher and sessions share: figures, flags, latch pointers, counts of recent sends.
 *
 * One LWLock protects all of it. It is held for a few instructions at a time and never across a query, a wait or an
 * ereport. A worker entry is written by its owner alone; the lock is what makes a reader see whole numbers.
 * Without preload there is none of it: a session then counts for itself.
 */
#ifndef DUN_DELIVER_SHMEM_H
#define DUN_DELIVER_SHMEM_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/latch.h"
#include "utils/snapshot.h"

#include "deliver/breaker.h"

typedef enum DunPhase
{
	DUN_PHASE_STARTING,
	DUN_PHASE_IDLE,
	DUN_PHASE_SENDING,
	DUN_PHASE_OFF,				/* dunning.delivery = off */
	DUN_PHASE_NOT_ACTIVATED
} DunPhase;

typedef struct DunFigures
{
	int64		claimed;
	int64		sent;
	int64		retried;
	int64		failed;
	int64		unknown;
	int64		stopped;		/* held, moved or cancelled by the gate or the recheck */
	int64		batches;
	int			in_flight;
	DunPhase	phase;
	TimestampTz last_turn_at;
} DunFigures;

typedef struct DunWorkerEntry
{
	Oid			database;		/* InvalidOid: free */
	int			pid;
	int			number;			/* of the database's workers, from 0; -1: a session in CALL deliver() */
	Latch	   *latch;			/* of the process's PGPROC, which outlives it */
	TimestampTz started_at;
	DunFigures	figures;
} DunWorkerEntry;

#define DUN_WORKER_ENTRIES 128

extern void dun_deliver_request_shmem(void);

/* Is there shared memory, that is: was the library preloaded? */
extern bool dun_deliver_has_shmem(void);

/* Take an entry for this process, given back at its exit; -1 where there is none. */
extern int	dun_deliver_take_entry(int number);
extern void dun_deliver_leave_entry(void);
extern void dun_deliver_show_figures(const DunFigures *figures);

/* A copy of an entry; false: free. */
extern bool dun_deliver_read_entry(int i, DunWorkerEntry *entry);

/* Set the latches of a database's workers (InvalidOid: of all): rows due from `due` on were put into the queue. */
extern void dun_deliver_wake_workers(Oid database, TimestampTz due);

/* The earliest due of what came since this process asked last, DT_NOEND: nothing, DT_NOBEGIN: anything; `otherwise`: it cannot be told. */
extern TimestampTz dun_deliver_take_news(TimestampTz otherwise);

/*
 * Before sleeping: what falls due later than this need not wake the process, which will look by itself then; DT_NOEND, when it
 * is awake: all may. False: such has come already.
 */
extern bool dun_deliver_say_when_to_wake(TimestampTz looks_at);

/*
 * Say that the transaction under way, which has an id, is about to commit and wrote nothing that a gate's answer rests on.
 * Then ask how many of those that others announced have ended in a snapshot; false: there were too many to tell.
 */
extern void dun_deliver_announce_commit(void);
extern bool dun_deliver_count_announced(Snapshot snapshot, uint64 *n);

/* The launcher: say who it is, wake it so that it looks at a database at once, and ask whether that was wanted. */
extern void dun_deliver_set_launcher(Latch *latch);
extern void dun_deliver_wake_launcher(void);
extern uint64 dun_deliver_launcher_calls(void);

/* A worker's last word to the launcher, which cannot see exit codes. */
typedef enum DunFarewell
{
	DUN_FAREWELL_NONE,			/* it crashed or ran into an error */
	DUN_FAREWELL_ABSENT,		/* the extension is not in this database, or of another version */
	DUN_FAREWELL_AGAIN,			/* start me anew at once */
	DUN_FAREWELL_STOPPED		/* somebody ended it in good order */
} DunFarewell;

extern void dun_deliver_say_farewell(Oid database, int number, DunFarewell word);

/* The word, taken away. */
extern DunFarewell dun_deliver_take_farewell(Oid database, int number);

/*
 * May a message go out now under a limit of `rate` a second? Then it counts as sent at *taken, which is set to now; a
 * place taken before (not 0) is moved there. Where it may not, *taken is 0 and *ready_at says when to ask again.
 */
extern bool dun_deliver_take_rate(const char *bucket, double rate, TimestampTz *taken, TimestampTz *ready_at);

/* The breakers of this database's servers: deliver/breaker.h with lock and clock. */
extern DunPass dun_deliver_ask_breaker(const char *server);
extern bool dun_deliver_take_probe(const char *server, int within_ms);
extern void dun_deliver_yield_probe(const char *server);
extern bool dun_deliver_close_breaker(const char *server);
extern DunTripped dun_deliver_trip_breaker(const char *server, const DunTrip *trip);
extern bool dun_deliver_breaker_is_proven(const char *server);
extern bool dun_deliver_forget_breaker(const char *server);

/* A copy of an entry; false: free, or another database's. */
extern bool dun_deliver_read_breaker(int i, DunBreaker *breaker);

#endif
