/*
 * deliver/transport.c
 *		Carrying requests over one libcurl multi handle.
 *
 * The sockets of all transfers stand in one epoll descriptor, which is one event of the process's wait set beside
 * latch and postmaster death: a wait set of PostgreSQL 15 cannot forget a socket, an epoll descriptor can.
 *
 * libcurl may start threads (its resolver does). A thread inherits the signal mask of the moment, and a signal
 * handler of the server must never run in one: all signals are blocked around each call that can make a thread.
 */
#include "postgres.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/ilist.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "deliver/easy.h"
#include "deliver/smtp.h"
#include "deliver/sockets.h"
#include "deliver/transport.h"

#define EVENTS_AT_ONCE 256
#define SEND_OFF_MS 50

struct DunTransport
{
	CURLM	   *multi;
	int			epoll_fd;
	DunSockets *sockets;
	WaitEventSet *wait_set;
	int			slots;
	int			running;		/* libcurl's count */
	int			in_use;
	TimestampTz timer_at;		/* when libcurl wants to be called, 0: never */
	DunTransfer *transfers;
	DunTransfer **unused;
	int			nunused;
	DunMailer  *mailer;			/* mails count as slots in use, too */
};

static sigset_t signals_before;

static void
block_signals(void)
{
	sigset_t	all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &signals_before);
}

static void
restore_signals(void)
{
	pthread_sigmask(SIG_SETMASK, &signals_before, NULL);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	DunTransport *t = arg;

	dun_deliver_watch_socket(t->sockets, fd, what);
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	DunTransport *t = arg;

	t->timer_at = timeout_ms < 0 ? 0 : GetCurrentTimestamp() + timeout_ms * 1000;
	return 0;
}

static void
prepare_libcurl(void)
{
	static int	prepared_by = 0;

	/* After the fork and once a process: the postmaster must never hold libcurl's state. */
	if (prepared_by == MyProcPid)
		return;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR), errmsg("could not initialize libcurl")));
	prepared_by = MyProcPid;
}

static void
make_transfers(DunTransport *t)
{
	t->transfers = MemoryContextAllocZero(TopMemoryContext, t->slots * sizeof(DunTransfer));
	t->unused = MemoryContextAllocZero(TopMemoryContext, t->slots * sizeof(DunTransfer *));
	for (int i = 0; i < t->slots; i++)
	{
		t->transfers[i].easy = curl_easy_init();
		if (t->transfers[i].easy == NULL)
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not make a libcurl handle")));
		t->transfers[i].sockets = t->sockets;
		t->unused[t->nunused++] = &t->transfers[i];
	}
}

DunTransport *
dun_deliver_open_transport(int slots)
{
	DunTransport *t;

	prepare_libcurl();
	t = MemoryContextAllocZero(TopMemoryContext, sizeof(DunTransport));
	t->slots = slots;
	t->epoll_fd = -1;
	PG_TRY();
	{
		if (!AcquireExternalFD())
			ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES), errmsg("out of file descriptors for delivery")));
		t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
		if (t->epoll_fd < 0)
		{
			ReleaseExternalFD();
			ereport(ERROR, (errcode_for_socket_access(), errmsg("could not make an epoll descriptor: %m")));
		}
		t->sockets = dun_deliver_open_sockets(t->epoll_fd);
		t->multi = curl_multi_init();
		if (t->sockets == NULL || t->multi == NULL)
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not make a libcurl multi handle")));
		curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
		curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
		curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer);
		curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
		/* HTTP/2 of libcurl 7.88 delivered some requests twice when it was measured. */
		curl_multi_setopt(t->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_NOTHING);
		curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long) slots);
		make_transfers(t);
		t->mailer = dun_deliver_open_mailer(t->multi, t->epoll_fd, slots, t->sockets);
		t->wait_set = dun_create_wait_set(TopMemoryContext, 3);
		AddWaitEventToSet(t->wait_set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
		AddWaitEventToSet(t->wait_set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
		AddWaitEventToSet(t->wait_set, WL_SOCKET_READABLE, t->epoll_fd, NULL, NULL);
	}
	PG_CATCH();
	{
		dun_deliver_close_transport(t);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return t;
}

void
dun_deliver_close_transport(DunTransport *t)
{
	if (t->wait_set != NULL)
		FreeWaitEventSet(t->wait_set);
	for (int i = 0; t->transfers != NULL && i < t->slots; i++)
	{
		DunTransfer *x = &t->transfers[i];

		if (x->owner != NULL)
			curl_multi_remove_handle(t->multi, x->easy);
		dun_deliver_clear_easy(x);
		if (x->easy != NULL)
			curl_easy_cleanup(x->easy);
	}
	if (t->mailer != NULL)
		dun_deliver_close_mailer(t->mailer);
	if (t->multi != NULL)
		curl_multi_cleanup(t->multi);
	dun_deliver_free_sockets(t->sockets);
	if (t->epoll_fd >= 0)
	{
		close(t->epoll_fd);
		ReleaseExternalFD();
	}
	if (t->transfers != NULL)
		pfree(t->transfers);
	if (t->unused != NULL)
		pfree(t->unused);
	pfree(t);
}

int
dun_deliver_slots_of(const DunTransport *t)
{
	return t->slots;
}

int
dun_deliver_free_slots(const DunTransport *t)
{
	return t->slots - t->in_use;
}

int
dun_deliver_slots_in_use(const DunTransport *t)
{
	return t->in_use;
}

static bool
start_mail(DunTransport *t, const DunServer *server, const DunRequest *request, void *owner)
{
	bool		started;

	block_signals();
	started = dun_deliver_start_mail(t->mailer, server, request, owner);
	restore_signals();
	if (started)
		t->in_use++;
	return started;
}

bool
dun_deliver_start_transfer(DunTransport *t, const DunServer *server, const DunRequest *request, void *owner)
{
	DunTransfer *x;
	CURLMcode	rc;

	Assert(t->in_use < t->slots);
	if (request->kind == DUN_REQUEST_SMTP)
		return start_mail(t, server, request, owner);
	x = t->unused[t->nunused - 1];
	if (!dun_deliver_prepare_easy(x, server, request))
		return false;
	x->owner = owner;
	block_signals();
	rc = curl_multi_add_handle(t->multi, x->easy);
	restore_signals();
	if (rc != CURLM_OK)
	{
		x->owner = NULL;
		dun_deliver_clear_easy(x);
		return false;
	}
	t->nunused--;
	t->in_use++;
	return true;
}

static void
finish(DunTransport *t, DunTransfer *x, CURLcode result, DunTransferDone done)
{
	DunReply	reply;
	void	   *owner = x->owner;

	dun_deliver_read_easy(x, result, &reply);
	curl_multi_remove_handle(t->multi, x->easy);
	x->owner = NULL;
	t->in_use--;
	t->unused[t->nunused++] = x;
	done(owner, &reply);
	dun_deliver_clear_easy(x);
}

static int
report_mails(DunTransport *t, DunTransferDone done)
{
	int			n = dun_deliver_report_mails(t->mailer, done);

	t->in_use -= n;
	return n;
}

int
dun_deliver_run_transfers(DunTransport *t, DunTransferDone done)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int			n = epoll_wait(t->epoll_fd, events, EVENTS_AT_ONCE, 0);
	int			finished = 0;
	int			left;
	CURLMsg    *msg;

	block_signals();
	for (int i = 0; i < n; i++)
	{
		int			what = 0;

		if (dun_deliver_take_mail_event(t->mailer, &events[i]) || !dun_deliver_is_watched(t->sockets, (curl_socket_t) events[i].data.u64))
			continue;
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			what |= CURL_CSELECT_IN;
		if (events[i].events & EPOLLOUT)
			what |= CURL_CSELECT_OUT;
		if (events[i].events & EPOLLERR)
			what |= CURL_CSELECT_ERR;
		curl_multi_socket_action(t->multi, (curl_socket_t) events[i].data.u64, what, &t->running);
	}
	if (t->timer_at != 0 && t->timer_at <= GetCurrentTimestamp())
	{
		t->timer_at = 0;
		curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &t->running);
	}
	dun_deliver_expire_mails(t->mailer);
	restore_signals();

	while ((msg = curl_multi_info_read(t->multi, &left)) != NULL)
	{
		DunTransfer *x;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **) &x);
		if (x->mail != NULL)
		{
			dun_deliver_take_mail_login(t->mailer, x->mail, msg->data.result);
			continue;
		}
		finish(t, x, msg->data.result, done);
		finished++;
	}
	return finished + report_mails(t, done);
}

static bool
waits_for_connection(DunTransport *t)
{
	for (int i = 0; i < t->slots; i++)
	{
		curl_off_t	begun = 0;

		if (t->transfers[i].owner != NULL && t->transfers[i].mail == NULL &&
			curl_easy_getinfo(t->transfers[i].easy, CURLINFO_PRETRANSFER_TIME_T, &begun) == CURLE_OK && begun == 0)
			return true;
	}
	return false;
}

void
dun_deliver_send_off(DunTransport *t, DunTransferDone done)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), SEND_OFF_MS);
	struct epoll_event event;

	dun_deliver_run_transfers(t, done);
	while (waits_for_connection(t) && GetCurrentTimestamp() < until)
	{
		(void) epoll_wait(t->epoll_fd, &event, 1, 1);
		dun_deliver_run_transfers(t, done);
	}
}

void
dun_deliver_abort_transfers(DunTransport *t, DunTransferDone done)
{
	for (int i = 0; i < t->slots; i++)
		if (t->transfers[i].owner != NULL)
			finish(t, &t->transfers[i], CURLE_ABORTED_BY_CALLBACK, done);
	dun_deliver_abort_mails(t->mailer);
	report_mails(t, done);
}

void
dun_deliver_wait(DunTransport *t, long timeout_ms)
{
	WaitEvent	event;
	TimestampTz timer_at = dun_deliver_mail_timer(t->mailer);

	if (timer_at == 0 || (t->timer_at != 0 && t->timer_at < timer_at))
		timer_at = t->timer_at;
	if (timer_at != 0)
	{
		long		until = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), timer_at);

		if (timeout_ms < 0 || until < timeout_ms)
			timeout_ms = until;
	}
	(void) WaitEventSetWait(t->wait_set, timeout_ms, &event, 1, dun_wait_event("DunningDeliver"));
}

/* A probe runs in a multi handle of its own, so that a cancel ends it and nothing of the worker's is touched. */
void
dun_deliver_probe_server(const DunServer *server, DunReply *reply, double *milliseconds)
{
	DunTransfer x = {0};
	CURLM	   *multi;
	CURLMsg    *msg = NULL;
	int			running = 1;
	int			left;
	volatile CURLcode result = CURLE_FAILED_INIT;

	prepare_libcurl();
	x.easy = curl_easy_init();
	multi = curl_multi_init();
	PG_TRY();
	{
		if (x.easy == NULL || multi == NULL || !dun_deliver_prepare_probe(&x, server))
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not make a libcurl handle")));
		curl_multi_add_handle(multi, x.easy);
		while (running > 0)
		{
			CHECK_FOR_INTERRUPTS();
			block_signals();
			curl_multi_perform(multi, &running);
			restore_signals();
			if (running > 0)
				curl_multi_poll(multi, NULL, 0, 100, NULL);
		}
		if ((msg = curl_multi_info_read(multi, &left)) != NULL)
			result = msg->data.result;
		dun_deliver_read_easy(&x, result, reply);
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
		dun_deliver_clear_easy(&x);
		if (x.easy != NULL)
			curl_easy_cleanup(x.easy);
		if (multi != NULL)
			curl_multi_cleanup(multi);
	}
	PG_END_TRY();
}
