/*
 * transport/engine.c
 *		Carrying requests over one libcurl multi handle.
 *
 * The sockets of all transfers stand in one epoll descriptor, which is one event of the process's wait set beside
 * latch and postmaster death: a wait set of PostgreSQL 15 cannot forget a socket, an epoll descriptor can.
 *
 * libcurl may start threads (its resolver does). A thread inherits the signal mask of the moment, and a signal
 * handler of the server must never run in one: whoever calls what can make a thread has blocked all signals.
 */
#include "postgres.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "transport/easy.h"
#include "transport/engine.h"
#include "transport/libcurl.h"
#include "transport/smtp.h"
#include "transport/sockets.h"

#define EVENTS_AT_ONCE 256
#define WAKE_EVENT (UINT64CONST(1) << 62)

struct DunEngine
{
	CURLM	   *multi;
	int			epoll_fd;
	DunSockets *sockets;
	int			slots;
	int			running;		/* libcurl's count */
	TimestampTz timer_at;		/* when libcurl wants to be called, 0: never */
	DunTransfer *transfers;
	DunTransfer **unused;
	int			nunused;
	DunMailer  *mailer;			/* mails count as slots in use, too */
};

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	DunEngine  *e = arg;

	dun_transport_watch_socket(e->sockets, fd, what);
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	DunEngine  *e = arg;

	e->timer_at = timeout_ms < 0 ? 0 : GetCurrentTimestamp() + timeout_ms * 1000;
	return 0;
}

static void
make_transfers(DunEngine *e)
{
	e->transfers = MemoryContextAllocZero(TopMemoryContext, e->slots * sizeof(DunTransfer));
	e->unused = MemoryContextAllocZero(TopMemoryContext, e->slots * sizeof(DunTransfer *));
	for (int i = 0; i < e->slots; i++)
	{
		e->transfers[i].easy = curl_easy_init();
		if (e->transfers[i].easy == NULL)
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not make a libcurl handle")));
		e->transfers[i].sockets = e->sockets;
		e->unused[e->nunused++] = &e->transfers[i];
	}
}

static void
open_descriptors(DunEngine *e)
{
	if (!AcquireExternalFD())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES), errmsg("out of file descriptors for delivery")));
	e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->epoll_fd < 0)
	{
		ReleaseExternalFD();
		ereport(ERROR, (errcode_for_socket_access(), errmsg("could not make an epoll descriptor: %m")));
	}
	e->sockets = dun_transport_open_sockets(e->epoll_fd);
	e->multi = curl_multi_init();
	if (e->sockets == NULL || e->multi == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not make a libcurl multi handle")));
}

DunEngine *
dun_transport_open_engine(int slots)
{
	DunEngine  *e;

	dun_transport_prepare_libcurl();
	e = MemoryContextAllocZero(TopMemoryContext, sizeof(DunEngine));
	e->slots = slots;
	e->epoll_fd = -1;
	PG_TRY();
	{
		open_descriptors(e);
		curl_multi_setopt(e->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
		curl_multi_setopt(e->multi, CURLMOPT_SOCKETDATA, e);
		curl_multi_setopt(e->multi, CURLMOPT_TIMERFUNCTION, on_timer);
		curl_multi_setopt(e->multi, CURLMOPT_TIMERDATA, e);
		/* HTTP/2 of libcurl 7.88 delivered some requests twice when it was measured. */
		curl_multi_setopt(e->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_NOTHING);
		curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, (long) slots);
		make_transfers(e);
		e->mailer = dun_transport_open_mailer(e->multi, e->epoll_fd, slots, e->sockets);
	}
	PG_CATCH();
	{
		dun_transport_close_engine(e);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return e;
}

void
dun_transport_close_engine(DunEngine *e)
{
	for (int i = 0; e->transfers != NULL && i < e->slots; i++)
	{
		DunTransfer *x = &e->transfers[i];

		if (x->owner != NULL)
			curl_multi_remove_handle(e->multi, x->easy);
		dun_transport_clear_easy(x);
		if (x->easy != NULL)
			curl_easy_cleanup(x->easy);
	}
	if (e->mailer != NULL)
		dun_transport_close_mailer(e->mailer);
	if (e->multi != NULL)
		curl_multi_cleanup(e->multi);
	dun_transport_free_sockets(e->sockets);
	if (e->epoll_fd >= 0)
	{
		close(e->epoll_fd);
		ReleaseExternalFD();
	}
	if (e->transfers != NULL)
		pfree(e->transfers);
	if (e->unused != NULL)
		pfree(e->unused);
	pfree(e);
}

int
dun_transport_engine_descriptor(const DunEngine *e)
{
	return e->epoll_fd;
}

TimestampTz
dun_transport_engine_timer(DunEngine *e)
{
	TimestampTz of_mails = dun_transport_mail_timer(e->mailer);

	return of_mails == 0 || (e->timer_at != 0 && e->timer_at < of_mails) ? e->timer_at : of_mails;
}

/* Edge-triggered: nobody has to read it. */
bool
dun_transport_wake_engine_by(DunEngine *e, int eventfd)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = WAKE_EVENT};

	return epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, eventfd, &ev) == 0;
}

bool
dun_transport_start_engine(DunEngine *e, const DunServer *server, const DunRequest *request, void *owner)
{
	DunTransfer *x;

	if (request->kind == DUN_REQUEST_SMTP)
		return dun_transport_start_mail(e->mailer, server, request, owner);
	Assert(e->nunused > 0);
	x = e->unused[e->nunused - 1];
	if (!dun_transport_prepare_easy(x, server, request))
		return false;
	x->owner = owner;
	if (curl_multi_add_handle(e->multi, x->easy) != CURLM_OK)
	{
		x->owner = NULL;
		dun_transport_clear_easy(x);
		return false;
	}
	e->nunused--;
	return true;
}

static void
finish(DunEngine *e, DunTransfer *x, CURLcode result, DunTransferDone done)
{
	DunReply	reply;
	void	   *owner = x->owner;

	dun_transport_read_easy(x, result, &reply);
	curl_multi_remove_handle(e->multi, x->easy);
	x->owner = NULL;
	e->unused[e->nunused++] = x;
	done(owner, &reply);
	dun_transport_clear_easy(x);
}

static void
take_event(DunEngine *e, const struct epoll_event *event)
{
	int			what = 0;

	if (event->data.u64 == WAKE_EVENT || dun_transport_take_mail_event(e->mailer, event) ||
		!dun_transport_is_watched(e->sockets, (curl_socket_t) event->data.u64))
		return;
	if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		what |= CURL_CSELECT_IN;
	if (event->events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (event->events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	curl_multi_socket_action(e->multi, (curl_socket_t) event->data.u64, what, &e->running);
}

void
dun_transport_move_engine(DunEngine *e, int wait_ms)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int			n = epoll_wait(e->epoll_fd, events, EVENTS_AT_ONCE, wait_ms);

	for (int i = 0; i < n; i++)
		take_event(e, &events[i]);
	if (e->timer_at != 0 && e->timer_at <= GetCurrentTimestamp())
	{
		e->timer_at = 0;
		curl_multi_socket_action(e->multi, CURL_SOCKET_TIMEOUT, 0, &e->running);
	}
	dun_transport_expire_mails(e->mailer);
}

void
dun_transport_await_engine(DunEngine *e, int wait_ms)
{
	struct epoll_event event;

	(void) epoll_wait(e->epoll_fd, &event, 1, wait_ms);
}

int
dun_transport_report_engine(DunEngine *e, DunTransferDone done)
{
	int			finished = 0;
	int			left;
	CURLMsg    *msg;

	while ((msg = curl_multi_info_read(e->multi, &left)) != NULL)
	{
		DunTransfer *x;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **) &x);
		if (x->mail != NULL)
		{
			dun_transport_take_mail_login(e->mailer, x->mail, msg->data.result);
			continue;
		}
		finish(e, x, msg->data.result, done);
		finished++;
	}
	return finished + dun_transport_report_mails(e->mailer, done);
}

bool
dun_transport_is_connecting(DunEngine *e)
{
	for (int i = 0; i < e->slots; i++)
	{
		curl_off_t	begun = 0;

		if (e->transfers[i].owner != NULL && e->transfers[i].mail == NULL &&
			curl_easy_getinfo(e->transfers[i].easy, CURLINFO_PRETRANSFER_TIME_T, &begun) == CURLE_OK && begun == 0)
			return true;
	}
	return false;
}

void
dun_transport_abort_engine(DunEngine *e, DunTransferDone done)
{
	for (int i = 0; i < e->slots; i++)
		if (e->transfers[i].owner != NULL)
			finish(e, &e->transfers[i], CURLE_ABORTED_BY_CALLBACK, done);
	dun_transport_abort_mails(e->mailer);
	dun_transport_report_mails(e->mailer, done);
}
