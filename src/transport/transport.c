/*
 * transport/transport.c
 *		The process's side of carrying requests: slots, waiting, and who moves the engine.
 *
 * A few requests the process moves itself: nothing is faster than doing it at once. Many are handed to a thread, so that bytes
 * move while the process settles what came back and takes up what is next; it gets the engine back when nothing is in flight.
 */
#include "postgres.h"

#include <curl/curl.h>
#include <unistd.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "transport/carrier.h"
#include "transport/easy.h"
#include "transport/engine.h"
#include "transport/libcurl.h"
#include "transport/transport.h"

#define SEND_OFF_MS 50
/* Requests at once. A build with faults has the thread at work wherever two leave together. */
#ifdef DUNNING_FAULTS
#define WORTH_A_THREAD 2
#else
#define WORTH_A_THREAD 8
#endif

struct DunTransport
{
	DunEngine  *engine;
	DunCarrier *carrier;		/* NULL: the process moves all */
	bool		carried;		/* the thread has the engine */
	WaitEventSet *moved;		/* latch, postmaster and the engine's sockets */
	WaitEventSet *ended;		/* latch, postmaster and what the thread reports */
	int			slots;
	int			in_use;
	DunJob	   *jobs;
	DunJob	   *unused;
	DunJobList	group;			/* of the thread's, not yet given to it */
};

/* Those of the call at hand: an engine hands back a job and nothing else. */
static DunTransport *reporting;
static DunTransferDone report_to;

static WaitEventSet *
make_wait_set(int descriptor)
{
	WaitEventSet *set = dun_create_wait_set(TopMemoryContext, 3);

	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(set, WL_SOCKET_READABLE, descriptor, NULL, NULL);
	return set;
}

static void
make_jobs(DunTransport *t)
{
	t->jobs = MemoryContextAllocZero(TopMemoryContext, t->slots * sizeof(DunJob));
	for (int i = 0; i < t->slots; i++)
	{
		t->jobs[i].next = t->unused;
		t->unused = &t->jobs[i];
	}
}

DunTransport *
dun_transport_open_transport(int slots, bool with_thread)
{
	DunTransport *t = MemoryContextAllocZero(TopMemoryContext, sizeof(DunTransport));

	t->slots = slots;
	dun_transport_clear_jobs(&t->group);
	PG_TRY();
	{
		t->engine = dun_transport_open_engine(slots);
		t->moved = make_wait_set(dun_transport_engine_descriptor(t->engine));
		make_jobs(t);
		if (with_thread && slots >= WORTH_A_THREAD)
			t->carrier = dun_transport_open_carrier(t->engine);
		if (with_thread && t->carrier == NULL && slots >= WORTH_A_THREAD)
			ereport(LOG,
					(errmsg("dunning could not start a thread for its transfers"),
					 errdetail("They move when the worker has nothing else to do: it sends fewer at a time.")));
		if (t->carrier != NULL)
			t->ended = make_wait_set(dun_transport_carrier_descriptor(t->carrier));
	}
	PG_CATCH();
	{
		dun_transport_close_transport(t);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return t;
}

void
dun_transport_close_transport(DunTransport *t)
{
	/* The thread first: it may be moving what goes away below. */
	if (t->ended != NULL)
		FreeWaitEventSet(t->ended);
	dun_transport_close_carrier(t->carrier);
	if (t->moved != NULL)
		FreeWaitEventSet(t->moved);
	if (t->engine != NULL)
		dun_transport_close_engine(t->engine);
	if (t->jobs != NULL)
		pfree(t->jobs);
	pfree(t);
}

int
dun_transport_slots_of(const DunTransport *t)
{
	return t->slots;
}

int
dun_transport_free_slots(const DunTransport *t)
{
	return t->slots - t->in_use;
}

int
dun_transport_slots_in_use(const DunTransport *t)
{
	return t->in_use;
}

/* --- who moves the engine --- */

bool
dun_transport_has_own_thread(const DunTransport *t)
{
	return t->carried;
}

void
dun_transport_begin_group(DunTransport *t, int n)
{
	if (t->carrier == NULL || t->carried || n < WORTH_A_THREAD)
		return;
	dun_transport_hand_over(t->carrier);
	t->carried = true;
}

void
dun_transport_end_group(DunTransport *t)
{
	if (t->carried)
		dun_transport_give_jobs(t->carrier, &t->group);
}

static void
take_back(DunTransport *t)
{
	if (t->carried)
		dun_transport_take_back(t->carrier);
	t->carried = false;
}

/* --- transfers --- */

static void
free_job(DunTransport *t, DunJob *job)
{
	job->next = t->unused;
	t->unused = job;
	t->in_use--;
}

bool
dun_transport_start_transfer(DunTransport *t, const DunServer *server, const DunRequest *request, void *owner)
{
	DunJob	   *job = t->unused;
	sigset_t	before;
	bool		started = true;

	Assert(job != NULL);
	t->unused = job->next;
	t->in_use++;
	*job = (DunJob) {.server = server, .request = request, .owner = owner};
	if (t->carried)
		dun_transport_push_job(&t->group, job);
	else
	{
		dun_transport_block_signals(&before);
		started = dun_transport_start_engine(t->engine, server, request, job);
		dun_transport_restore_signals(&before);
	}
	if (!started)
		free_job(t, job);
	return started;
}

/* An engine's `done` while the process moves it: nothing has to be copied. */
static void
report(void *owner, const DunReply *reply)
{
	DunJob	   *job = owner;
	void	   *whose = job->owner;

	free_job(reporting, job);
	report_to(whose, reply);
}

static int
report_carried(DunTransport *t, DunTransferDone done)
{
	DunJob	   *job = dun_transport_take_jobs(t->carrier);
	DunJob	   *next;
	int			n = 0;

	for (; job != NULL; job = next)
	{
		next = job->next;
		done(job->owner, &job->reply);
		free(job->words);
		free_job(t, job);
		n++;
	}
	return n;
}

int
dun_transport_run_transfers(DunTransport *t, DunTransferDone done)
{
	sigset_t	before;
	int			n;

	if (t->carried)
		return report_carried(t, done);
	dun_transport_block_signals(&before);
	dun_transport_move_engine(t->engine, 0);
	dun_transport_restore_signals(&before);
	reporting = t;
	report_to = done;
	n = dun_transport_report_engine(t->engine, report);
	return n;
}

void
dun_transport_send_off(DunTransport *t, DunTransferDone done)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), SEND_OFF_MS);

	/* The thread has them already. */
	if (t->carried)
		return;
	dun_transport_run_transfers(t, done);
	while (dun_transport_is_connecting(t->engine) && GetCurrentTimestamp() < until)
	{
		dun_transport_await_engine(t->engine, 1);
		dun_transport_run_transfers(t, done);
	}
}

void
dun_transport_abort_transfers(DunTransport *t, DunTransferDone done)
{
	if (t->carried)
	{
		take_back(t);
		report_carried(t, done);
	}
	reporting = t;
	report_to = done;
	dun_transport_abort_engine(t->engine, report);
}

/* --- waiting --- */

static long
until_timer(DunTransport *t, long timeout_ms)
{
	TimestampTz timer_at = dun_transport_engine_timer(t->engine);
	long		until;

	if (timer_at == 0)
		return timeout_ms;
	until = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), timer_at);
	return timeout_ms < 0 ? until : Min(until, timeout_ms);
}

void
dun_transport_wait(DunTransport *t, long timeout_ms)
{
	WaitEvent	event;

	if (t->carried && t->in_use == 0)
		take_back(t);
	if (!t->carried)
		(void) WaitEventSetWait(t->moved, until_timer(t, timeout_ms), &event, 1, dun_wait_event("DunningDeliver"));
	else if (dun_transport_await_jobs(t->carrier))
		(void) WaitEventSetWait(t->ended, timeout_ms, &event, 1, dun_wait_event("DunningDeliver"));
}

/* A probe runs in a multi handle of its own, so that a cancel ends it and nothing of the worker's is touched. */
void
dun_transport_probe_server(const DunServer *server, DunReply *reply, double *milliseconds)
{
	DunTransfer x = {0};
	CURLM	   *multi;
	CURLMsg    *msg = NULL;
	int			running = 1;
	int			left;
	volatile CURLcode result = CURLE_FAILED_INIT;

	dun_transport_prepare_libcurl();
	x.easy = curl_easy_init();
	multi = curl_multi_init();
	PG_TRY();
	{
		if (x.easy == NULL || multi == NULL || !dun_transport_prepare_probe(&x, server))
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not make a libcurl handle")));
		curl_multi_add_handle(multi, x.easy);
		while (running > 0)
		{
			CHECK_FOR_INTERRUPTS();
			running = dun_transport_perform(multi);
			if (running > 0)
				curl_multi_poll(multi, NULL, 0, 100, NULL);
		}
		if ((msg = curl_multi_info_read(multi, &left)) != NULL)
			result = msg->data.result;
		dun_transport_read_easy(&x, result, reply);
		/* The strings outlive the handle. */
		reply->error = reply->error ? pstrdup(reply->error) : NULL;
		reply->body = NULL;
		reply->retry_after = NULL;
		{
			curl_off_t	us = 0;

			curl_easy_getinfo(x.easy, CURLINFO_TOTAL_TIME_T, &us);
			*milliseconds = us / 1000.0;
		}
	}
	PG_FINALLY();
	{
		if (multi != NULL && x.easy != NULL)
			curl_multi_remove_handle(multi, x.easy);
		dun_transport_clear_easy(&x);
		if (x.easy != NULL)
			curl_easy_cleanup(x.easy);
		if (multi != NULL)
			curl_multi_cleanup(multi);
	}
	PG_END_TRY();
}
