/*
 * gateway/http.c
 *		Driver http: one request after a preset's template.
 */
#include "postgres.h"

#include "gateway/check.h"
#include "gateway/drivers.h"
#include "gateway/judge.h"
#include "gateway/preset.h"

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
		request->body = out.data;
		request->body_len = out.len;
	}
}

static void
judge_http(const DunServer *server, const DunReply *reply, DunJudgement *judgement)
{
	dun_gateway_judge_http(server->preset, server->repeat, reply, judgement);
}

const DunDriver dun_gateway_http_driver = {"http", build_http, judge_http};
