/*
 * queue/wake.c
 *		One callback a backend, one wake-up a transaction.
 *
 * A latch set before the commit is visible would wake the worker to find nothing; NOTIFY would serialise all
 * commits on one lock. So the wish is noted and granted at commit. A rolled back savepoint leaves the wish: a
 * worker woken for nothing looks once and sleeps again. A prepared transaction wakes nobody: the worker's own
 * look at the head of the queue finds the rows after COMMIT PREPARED.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"

#include "queue/wake.h"

static bool wanted = false;
static TimestampTz earliest;		/* of what was put into the queue */
static bool registered = false;

static void
at_end_of_transaction(XactEvent event, void *arg)
{
	DunWakeHook hook;

	if (!wanted)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			wanted = false;
			hook = (DunWakeHook) *find_rendezvous_variable(DUN_WAKE_VARIABLE);
			if (hook != NULL)
				hook(MyDatabaseId, earliest);
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			wanted = false;
			break;
		default:
			break;
	}
}

void
dun_queue_wake_at_commit(TimestampTz due)
{
	if (!registered)
	{
		/* Makes the variable's hash entry now: nothing may be allocated at commit. */
		(void) find_rendezvous_variable(DUN_WAKE_VARIABLE);
		RegisterXactCallback(at_end_of_transaction, NULL);
		registered = true;
	}
	earliest = wanted ? Min(earliest, due) : due;
	wanted = true;
}

PG_FUNCTION_INFO_V1(dun_queue_sql_wake);

Datum
dun_queue_sql_wake(PG_FUNCTION_ARGS)
{
	dun_queue_wake_at_commit(DT_NOBEGIN);
	PG_RETURN_VOID();
}
