/*
 * transport/ask.c
 *		A request and its answer, in a multi handle of its own, so that a cancel ends it and nothing of a worker's is touched.
 */
#include "postgres.h"

#include <curl/curl.h>

#include "miscadmin.h"

#include "transport/ask.h"
#include "transport/easy.h"
#include "transport/libcurl.h"

#define LOOK_AROUND_MS 100

static CURLcode
carry(DunTransfer *x, CURLM *multi)
{
	CURLMsg    *msg;
	int			running = 1;
	int			left;

	curl_multi_add_handle(multi, x->easy);
	while (running > 0)
	{
		CHECK_FOR_INTERRUPTS();
		running = dun_transport_perform(multi);
		if (running > 0)
			curl_multi_poll(multi, NULL, 0, LOOK_AROUND_MS, NULL);
	}
	msg = curl_multi_info_read(multi, &left);
	return msg != NULL ? msg->data.result : CURLE_FAILED_INIT;
}

/* The strings outlive the handle. */
static void
keep_reply(DunReply *reply)
{
	reply->error = reply->error ? pstrdup(reply->error) : NULL;
	reply->body = reply->body ? pnstrdup(reply->body, reply->body_len) : NULL;
	reply->retry_after = NULL;
}

void
dun_transport_ask_server(const DunServer *server, const DunRequest *request, DunReply *reply)
{
	DunTransfer x = {0};
	CURLM	   *multi;

	dun_transport_prepare_libcurl();
	x.easy = curl_easy_init();
	multi = curl_multi_init();
	PG_TRY();
	{
		if (x.easy == NULL || multi == NULL || !dun_transport_prepare_easy(&x, server, request))
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not make a libcurl handle")));
		dun_transport_read_easy(&x, carry(&x, multi), reply);
		keep_reply(reply);
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
