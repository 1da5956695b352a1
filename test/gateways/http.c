/*
 * test/gateways/http.c
 *		The catcher's HTTP/1.1: POST and GET with Content-Length, keep-alive.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catcher.h"

typedef struct Request
{
	const char *path;
	size_t		path_len;
	const char *body;
	size_t		body_len;
	char		key[256];
	bool		close;
	bool		expects;
} Request;

/* Copy a header's value, without the spaces around it. */
static void
copy_value(char *to, size_t room, const char *from, size_t len)
{
	for (; len > 0 && (*from == ' ' || *from == '\t'); from++)
		len--;
	while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '\t'))
		len--;
	if (len >= room)
		len = room - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

/* The value after `name` in JSON ("to":"...") as it stands there; false where it is not found. */
static bool
json_value(const char *text, size_t len, const char *name, char *to, size_t room)
{
	size_t		n = strlen(name);
	const char *at = text;
	const char *end = text + len;

	while ((at = memmem(at, end - at, name, n)) != NULL)
	{
		const char *from = at += n;
		const char *close;

		while (from < end && (*from == ' ' || *from == ':'))
			from++;
		if (from == at || from >= end || *from != '"')
			continue;
		from++;
		close = memchr(from, '"', end - from);
		if (close == NULL)
			return false;
		copy_value(to, room, from, close - from);
		return true;
	}
	return false;
}

/* The value of a form or query field, percent-decoded. */
static bool
form_value(const char *text, size_t len, const char *name, char *to, size_t room)
{
	size_t		n = strlen(name);
	const char *end = text + len;

	for (const char *at = text; at < end; at++)
	{
		size_t		out = 0;

		if ((at > text && at[-1] != '&' && at[-1] != '?') || (size_t) (end - at) <= n || strncasecmp(at, name, n) != 0 || at[n] != '=')
			continue;
		for (at += n + 1; at < end && *at != '&' && *at != ' ' && out < room - 1; at++)
		{
			unsigned	byte;

			if (*at == '%' && end - at > 2 && sscanf(at + 1, "%2x", &byte) == 1)
			{
				to[out++] = (char) byte;
				at += 2;
			}
			else
				to[out++] = *at == '+' ? ' ' : *at;
		}
		to[out] = '\0';
		return true;
	}
	return false;
}

static void
find_recipient(const Request *r, char *to, size_t room)
{
	const char *query = memchr(r->path, '?', r->path_len);

	if (r->body_len > 0 && (r->body[0] == '{' || r->body[0] == '['))
	{
		if (json_value(r->body, r->body_len, "\"to\"", to, room) || json_value(r->body, r->body_len, "\"email\"", to, room))
			return;
	}
	else if (form_value(r->body, r->body_len, "to", to, room))
		return;
	if (query && form_value(query + 1, r->path + r->path_len - query - 1, "to", to, room))
		return;
	strcpy(to, "-");
}

static void
find_script(const Request *r, const char *recipient, Script *script)
{
	const char *fault = memmem(r->path, r->path_len, "/fault/", 7);

	memset(script, 0, sizeof(*script));
	if (fault)
	{
		size_t		rest = r->path + r->path_len - (fault + 7);
		size_t		n = 0;

		while (n < rest && fault[7 + n] != '/' && fault[7 + n] != '?')
			n++;
		script_parse(fault + 7, n, script);
		return;
	}
	if (!script_for_recipient(recipient, script))
		memset(script, 0, sizeof(*script));
}

static void
answer(Conn *conn, int code, const char *more, const char *body)
{
	buffer_text(&conn->out, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s", code,
				code < 300 ? "OK" : "Refused", more, strlen(body), body);
}

/* The gateway's own id: the same for the same key. */
static void
make_id(const char *key, char *id, size_t room)
{
	unsigned long long h = 14695981039346656037ULL;
	static unsigned long long serial = 0;

	for (const char *c = key; *c; c++)
		h = (h ^ (unsigned char) *c) * 1099511628211ULL;
	if (strcmp(key, "-") == 0)
		h += ++serial;
	snprintf(id, room, "{\"id\":\"c%016llx\"}", h);
}

/* GET /asked/KEY: was it accepted? A 404 where it was not; after /list/ an array. Nothing of it is in the ledger. */
static bool
tell(Conn *conn, const Request *r, Script *script)
{
	const char *asked = memmem(r->path, r->path_len, "/asked/", 7);
	bool		list = memmem(r->path, r->path_len, "/list/", 6) != NULL;
	char		key[200];
	char		id[64];
	char		body[512];

	if (asked == NULL)
		return false;
	copy_value(key, sizeof(key), asked + 7, r->path + r->path_len - asked - 7);
	make_id(key, id, sizeof(id));
	id[strlen(id) - 1] = '\0';	/* its closing brace */
	if (!key_accepted(key))
		answer(conn, list ? 200 : 404, "", list ? "{\"data\":[]}" : "{\"error\":\"not found\"}");
	else
	{
		snprintf(body, sizeof(body), "%s%s,\"key\":\"%s\",\"status\":\"Queued\"}%s", list ? "{\"data\":[" : "", id, key, list ? "]}" : "");
		answer(conn, 200, "", body);
	}
	conn_reply(conn, script);
	return true;
}

static void
act(Conn *conn, const Request *r)
{
	char		recipient[MAX_ADDRESS];
	char		id[64];
	char		path[200];
	char		more[64] = "";
	Script		script;
	int			asked;

	find_recipient(r, recipient, sizeof(recipient));
	find_script(r, recipient, &script);
	asked = script.flaky || script.lost_once || script.before_once ? key_seen(r->key) : 0;
	conn->close = r->close;

	if (script.before || (script.before_once && asked == 1))
	{
		conn->reset = true;
		conn_reply(conn, &script);
		return;
	}
	if (script.code != 0 && (script.flaky == 0 || asked <= script.flaky))
	{
		if (script.retry_after >= 0)
			snprintf(more, sizeof(more), "Retry-After: %ld\r\n", script.retry_after);
		answer(conn, script.code, more, script.code < 300 ? "{\"id\":\"scripted\"}" : "{\"code\": 1, \"message\": \"scripted\"}");
		conn_reply(conn, &script);
		return;
	}
	if (script.redirect)
	{
		answer(conn, 302, "Location: http://127.0.0.1:9/elsewhere\r\n", "");
		conn_reply(conn, &script);
		return;
	}

	if (tell(conn, r, &script))
		return;
	copy_value(path, sizeof(path), r->path, r->path_len);
	ledger_add("http", key_repeats(r->key), r->key, recipient, r->body, r->body_len, path);
	make_id(r->key, id, sizeof(id));
	if (script.no_reply)
		conn->mute = true;
	else if (script.lost || (script.lost_once && asked == 1))
		conn->reset = true;
	else if (script.half)
	{
		buffer_text(&conn->out, "HTTP/1.1 2");
		conn->close = true;
	}
	else if (script.garbage)
	{
		buffer_text(&conn->out, "\001\002 what?\r\n\r\n");
		conn->close = true;
	}
	else if (script.bomb)
	{
		buffer_text(&conn->out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":\"bomb\", ");
		conn->endless = true;
	}
	else
		answer(conn, 200, "", id);
	conn_reply(conn, &script);
}

/* Headers into the request; false: not an HTTP request we take. */
static bool
read_headers(const char *head, size_t len, Request *r, size_t *body_len)
{
	const char *end = head + len;
	const char *line = memmem(head, len, "\r\n", 2);
	const char *space = memchr(head, ' ', len);
	const char *space2;

	*body_len = 0;
	strcpy(r->key, "-");
	if (space == NULL || line == NULL || (space2 = memchr(space + 1, ' ', line - space - 1)) == NULL)
		return false;
	r->path = space + 1;
	r->path_len = space2 - r->path;
	for (line += 2; line < end;)
	{
		const char *eol = memmem(line, end - line, "\r\n", 2);
		size_t		n;

		if (eol == NULL)
			eol = end;
		n = eol - line;
		if (n > 15 && strncasecmp(line, "Content-Length:", 15) == 0)
			*body_len = strtoul(line + 15, NULL, 10);
		else if (n > 16 && strncasecmp(line, "Idempotency-Key:", 16) == 0)
			copy_value(r->key, sizeof(r->key), line + 16, n - 16);
		else if (n > 18 && strncasecmp(line, "Transfer-Encoding:", 18) == 0)
			return false;
		else if (n > 7 && strncasecmp(line, "Expect:", 7) == 0)
			r->expects = true;
		else if (n >= 17 && strncasecmp(line, "Connection: close", 17) == 0)
			r->close = true;
		line = eol + 2;
	}
	return true;
}

void
http_read(Conn *conn)
{
	while (conn->in.len > 0 && !conn->busy && !conn->mute && !conn->close && !conn->reset && !conn->endless)
	{
		const char *head_end = memmem(conn->in.data, conn->in.len, "\r\n\r\n", 4);
		Request		r = {0};
		size_t		head,
					body;

		if (head_end == NULL)
			return;
		head = head_end - conn->in.data + 4;
		if (!read_headers(conn->in.data, head - 2, &r, &body))
		{
			answer(conn, 400, "", "");
			conn->close = true;
			conn_reply(conn, NULL);
			return;
		}
		if (conn->in.len < head + body)
		{
			if (r.expects && conn->in.len == head)
			{
				buffer_text(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
				conn_reply(conn, NULL);
			}
			return;
		}
		r.body = conn->in.data + head;
		r.body_len = body;
		if (strcmp(r.key, "-") == 0 && body > 0 && r.body[0] == '{')
			json_value(r.body, body, "\"id\"", r.key, sizeof(r.key));
		act(conn, &r);
		buffer_drop(&conn->in, head + body);
	}
}
