/*
 * deliver/build.c
 *		The way out: redirection, TEST marks, the address looked at octet by octet, and the request.
 *
 * A gateway that honours keys answers a known key as the first time, or refuses one that comes with other bytes. So the
 * digest of each request is kept, and where the bytes would be others now (its preset, server or sender was changed) a
 * person is asked instead.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/spi.h"
#include "deliver/build.h"
#include "deliver/settings.h"
#include "gateway/preset.h"
#include "message/link.h"
#include "queue/egress_chain.h"

/* The first address of dunning.redirect_to that the server's channel can use, NULL: none. */
static char *
redirected_address(const DunServer *server)
{
	char	   *copy = pstrdup(dun_deliver_redirect_to);
	char	   *save = NULL;

	for (char *one = strtok_r(copy, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save))
	{
		while (*one == ' ')
			one++;
		for (char *end = one + strlen(one); end > one && end[-1] == ' '; end--)
			end[-1] = '\0';
		if (*one != '\0' && dun_gateway_check_address(server->channel, one) == NULL)
			return pstrdup(one);
	}
	return NULL;
}

static void
mark_as_test(DunItem *item)
{
	DunOutgoing *out = &item->out;

	item->test = true;
	if (out->subject != NULL)
		out->subject = psprintf("[TEST] %s", out->subject);
	if (out->body_text != NULL)
		out->body_text = psprintf("[TEST] %s", out->body_text);
	if (out->body_html != NULL)
		out->body_html = psprintf("<p>[TEST]</p>%s", out->body_html);
}

static size_t
length(const char *text)
{
	return text ? strlen(text) : 0;
}

/* The request as it would be with another secret, where its URL or body holds that; else the request itself. */
static const DunRequest *
without_secret(DunItem *item)
{
	DunServer	server = *item->loaded->server;
	DunRequest *request;

	if (server.preset == NULL || !server.preset->names_secret)
		return &item->request;
	server.password = "{secret}";
	request = palloc(sizeof(*request));
	item->loaded->driver->build(&server, &item->out, request);
	return request;
}

/* Of all that decides what the gateway gets but for the secret: it may be another one the next time, and is told to nobody. */
static void
digest_request(DunItem *item)
{
	const DunRequest *r = without_secret(item);
	const DunServer *server = item->loaded->server;
	const char **parts = palloc((8 + list_length(r->headers)) * sizeof(char *));
	int			n = 0;
	ListCell   *cell;

	parts[n++] = server->name;
	parts[n++] = server->username;
	parts[n++] = r->method;
	parts[n++] = r->url;
	parts[n++] = r->mail_from;
	parts[n++] = r->mail_rcpt;
	parts[n++] = r->path;
	parts[n++] = r->body;
	foreach(cell, r->headers)
		if (lfirst(cell) != r->authorization)
			parts[n++] = lfirst(cell);
	dun_queue_digest_parts(parts, n, item->request_digest);
}

static bool
is_other_request(const DunItem *item)
{
	return item->loaded->server->repeat && item->key_used_at != 0 &&
		(item->key_used_for == NULL || memcmp(item->key_used_for, item->request_digest, DUN_DIGEST_LEN) != 0);
}

static void
build_one(DunItem *item, TimestampTz at)
{
	const char **parts = palloc((3 + list_length(item->out.attachments)) * sizeof(char *));
	const char *problem;
	ListCell   *cell;
	int			n = 3;
	DunServer  *server = item->loaded->server;

	item->out.address = item->frozen_address;
	if (dun_deliver_redirect_to != NULL && *dun_deliver_redirect_to != '\0')
	{
		item->out.address = redirected_address(server);
		if (item->out.address == NULL)
		{
			dun_deliver_decide(item, 0, "held", "redirect_unusable");
			return;
		}
		mark_as_test(item);
	}
	else if (item->test_address != NULL)
		mark_as_test(item);
	problem = dun_gateway_check_address(server->channel, item->out.address);
	if (problem != NULL)
	{
		dun_deliver_decide(item, 0, "held", problem);
		return;
	}
	if (item->out.attachments != NIL && strcmp(server->driver, "smtp") != 0 && strcmp(server->driver, "mock") != 0)
	{
		dun_deliver_decide(item, 0, "held", "documents_need_smtp");
		return;
	}
	item->intent_at = at;
	item->out.sent_at = (int64) timestamptz_to_time_t(item->key_used_at ? item->key_used_at : at);
	item->loaded->driver->build(server, &item->out, &item->request);
	digest_request(item);
	if (is_other_request(item))
	{
		dun_deliver_decide(item, 0, "unknown", "request_changed");
		item->effect = DUN_EFFECT_ASK;
		return;
	}
	parts[0] = item->out.subject;
	parts[1] = item->out.body_text;
	parts[2] = item->out.body_html;
	item->bytes = (int32) (length(parts[0]) + length(parts[1]) + length(parts[2]));
	foreach(cell, item->out.attachments)
	{
		const DunAttachment *a = lfirst(cell);

		parts[n++] = a->digest;
		item->bytes += (int32) a->len;
	}
	dun_queue_digest_parts(parts, n, item->body_digest);
}

/* Where the creditors' own sites serve the page behind a link; few rows. */
static DunStatement pages_sql = {
	"SELECT x.creditor, x.link_url"
	"  FROM (SELECT DISTINCT ON (c.creditor) c.creditor, c.link_url FROM dunning.creditor c ORDER BY c.creditor, c.builtin) x"
	" WHERE x.link_url IS NOT NULL",
	0, {0}, .harmless = true
};

static bool
is_mail(const DunItem *item)
{
	return item->state == NULL && strcmp(item->loaded->server->driver, "smtp") == 0;
}

/* A mail says in its header how a mail program unsubscribes (RFC 8058). */
static void
offer_unsubscribing(DunItem **items, int n)
{
	uint64		pages;
	DunLinkKey	key;
	const char *problem;
	int			first = 0;

	while (first < n && !is_mail(items[first]))
		first++;
	if (first == n || (pages = dun_base_run(&pages_sql, NULL, NULL, true, 0)) == 0 || !dun_message_try_key(&key, &problem))
		return;
	for (uint64 row = 0; row < pages; row++)
	{
		char	   *creditor = dun_base_text(row, 1);
		char	   *base_url = dun_base_text(row, 2);

		for (int i = first; i < n; i++)
		{
			MemoryContext before;

			if (!is_mail(items[i]) || strcmp(items[i]->out.creditor, creditor) != 0)
				continue;
			before = MemoryContextSwitchTo(items[i]->context);
			items[i]->out.unsubscribe_url = dun_message_unsubscribe_url(&key, base_url, items[i]->debtor_id, &items[i]->message_id);
			MemoryContextSwitchTo(before);
		}
	}
	explicit_bzero(&key, sizeof(key));
}

void
dun_deliver_build(DunItem **items, int n)
{
	TimestampTz at = GetCurrentTimestamp();

	offer_unsubscribing(items, n);
	for (int i = 0; i < n; i++)
	{
		MemoryContext before;

		if (items[i]->state != NULL)
			continue;
		before = MemoryContextSwitchTo(items[i]->context);
		build_one(items[i], at);
		MemoryContextSwitchTo(before);
	}
}
