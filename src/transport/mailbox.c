/*
 * transport/mailbox.c
 *		Connecting to a mailbox, and waiting for what it says.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "transport/libcurl.h"
#include "transport/mailbox.h"

#define ALL_IN_ALL_MS 300000
#define LOOK_AROUND_MS 100

static bool
wait_for_socket(DunMailbox *box, int event, TimestampTz until)
{
	TimestampTz now = GetCurrentTimestamp();

	until = Min(until, box->until);
	CHECK_FOR_INTERRUPTS();
	if (now >= until)
	{
		box->late = true;
		return false;
	}
	(void) WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH | event, box->fd,
							 TimestampDifferenceMilliseconds(now, until) + 1, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	return true;
}

static TimestampTz
answer_until(const DunMailbox *box)
{
	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(), box->x.server->timeout_ms);
}

static bool
send_all(void *arg, const char *data, size_t len)
{
	DunMailbox *box = arg;
	TimestampTz until = answer_until(box);

	while (len > 0)
	{
		size_t		n = 0;
		CURLcode	rc = curl_easy_send(box->x.easy, data, len, &n);

		if (rc == CURLE_AGAIN ? !wait_for_socket(box, WL_SOCKET_WRITEABLE, until) : rc != CURLE_OK)
			return false;
		data += n;
		len -= n;
	}
	return true;
}

static size_t
receive(void *arg, char *data, size_t room)
{
	DunMailbox *box = arg;
	TimestampTz until = answer_until(box);

	for (;;)
	{
		size_t		n = 0;
		CURLcode	rc = curl_easy_recv(box->x.easy, data, room, &n);

		if (rc == CURLE_OK)
			return n;
		if (rc != CURLE_AGAIN || !wait_for_socket(box, WL_SOCKET_READABLE, until))
			return 0;
	}
}

/* Name, address, TLS and login are libcurl's. */
static bool
log_in(DunMailbox *box, const DunServer *server)
{
	DunReply	reply = {0};
	CURLMsg    *msg;
	int			running = 1;
	int			left;

	curl_multi_add_handle(box->multi, box->x.easy);
	while (running > 0)
	{
		CHECK_FOR_INTERRUPTS();
		running = dun_transport_perform(box->multi);
		if (running > 0)
			curl_multi_poll(box->multi, NULL, 0, LOOK_AROUND_MS, NULL);
	}
	msg = curl_multi_info_read(box->multi, &left);
	if (msg != NULL && msg->data.result == CURLE_OK &&
		curl_easy_getinfo(box->x.easy, CURLINFO_ACTIVESOCKET, &box->fd) == CURLE_OK && box->fd != CURL_SOCKET_BAD)
		return true;
	dun_transport_read_easy(&box->x, msg ? msg->data.result : CURLE_FAILED_INIT, &reply);
	strlcpy(box->imap.problem, reply.error ? reply.error : "no connection", sizeof(box->imap.problem));
	return false;
}

bool
dun_transport_open_mailbox(DunMailbox *box, const DunServer *server, const char *folder)
{
	dun_transport_prepare_libcurl();
	box->fd = CURL_SOCKET_BAD;
	box->until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ALL_IN_ALL_MS);
	box->x.easy = curl_easy_init();
	box->multi = curl_multi_init();
	if (box->x.easy == NULL || box->multi == NULL || !dun_transport_prepare_probe(&box->x, server))
	{
		strlcpy(box->imap.problem, "could not make a libcurl handle", sizeof(box->imap.problem));
		return false;
	}
	if (!log_in(box, server))
		return false;
	dun_gateway_begin_imap(&box->imap, (DunImapLink) {send_all, receive, box});
	return dun_gateway_open_mailbox(&box->imap, folder);
}

void
dun_transport_close_mailbox(DunMailbox *box)
{
	if (box->multi != NULL && box->x.easy != NULL)
		curl_multi_remove_handle(box->multi, box->x.easy);
	dun_transport_clear_easy(&box->x);
	if (box->x.easy != NULL)
		curl_easy_cleanup(box->x.easy);
	if (box->multi != NULL)
		curl_multi_cleanup(box->multi);
	memset(box, 0, sizeof(*box));
}
