/*
 * gateway/http.c
 *		Driver http: one request after a preset's template.
 */
#include "postgres.h"

#include "gateway/check.h"
#include "gateway/drivers.h"
#include "gateway/judge.h"
#include "gateway/preset.h"

/* Into the object or behind the form that `out` holds. */
static void
add_unsubscribe(StringInfo out, const DunServer *server, const DunOutgoing *m)
{
	const DunPattern *pattern = server->preset->unsubscribe;
	bool		json = pattern->encoding == DUN_ENCODE_JSON;

	if (json)
	{
		while (out->len > 0 && out->data[out->len - 1] != '}')
			out->len--;
		out->len = Max(out->len - 1, 0);
	}
	appendStringInfoChar(out, json ? ',' : '&');
	dun_gateway_expand_pattern(out, pattern, server, m);
	if (json)
		appendStringInfoChar(out, '}');
}

static void
build_http(const DunServer *server, const DunOutgoing *m, DunRequest *request)
{
	const DunPreset *preset = server->preset;
	const DunPattern *body = m->body_html != NULL && preset->body_html != NULL ? preset->body_html : preset->body;
	StringInfoData out;

	dun_gateway_require_address(m->channel, m->address);
	memset(request, 0, sizeof(*request));
	request->kind = DUN_REQUEST_HTTP;
	request->method = preset->method;

	initStringInfo(&out);
	dun_gateway_expand_pattern(&out, preset->url, server, m);
	request->url = out.data;

	request->headers = list_copy(preset->headers);
	request->authorization = preset->authorization;
	if (preset->idempotency_header != NULL)
		request->headers = lappend(request->headers, dun_gateway_make_header(preset->idempotency_header, m->message_id));
	if (body != NULL)
	{
		initStringInfo(&out);
		dun_gateway_expand_pattern(&out, body, server, m);
		if (preset->unsubscribe != NULL && m->unsubscribe_url != NULL)
			add_unsubscribe(&out, server, m);
		request->body = out.data;
		request->body_len = out.len;
	}
}

bool
dun_gateway_build_question(const DunServer *server, const char *message_id, DunRequest *request)
{
	const DunPreset *preset = server->preset;
	DunOutgoing about = {.message_id = unconstify(char *, message_id), .channel = server->channel};
	StringInfoData url;

	memset(request, 0, sizeof(*request));
	if (preset == NULL || preset->query == NULL)
		return false;
	initStringInfo(&url);
	dun_gateway_expand_pattern(&url, preset->query, server, &about);
	request->kind = DUN_REQUEST_HTTP;
	request->method = "GET";
	request->url = url.data;
	request->authorization = preset->authorization;
	if (preset->authorization != NULL)
		request->headers = list_make1(preset->authorization);
	return true;
}

static void
judge_http(const DunServer *server, const DunReply *reply, DunJudgement *judgement)
{
	dun_gateway_judge_http(server->preset, server->repeat, reply, judgement);
}

const DunDriver dun_gateway_http_driver = {"http", build_http, judge_http};
