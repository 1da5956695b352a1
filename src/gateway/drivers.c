/*
 * gateway/drivers.c
 *		The list of drivers, and those that need no file of their own: spool, task, mock and imap.
 */
#include "postgres.h"

#include "base/errcodes.h"
#include "gateway/check.h"
#include "gateway/drivers.h"
#include "gateway/encode.h"
#include "gateway/judge.h"
#include "gateway/options.h"

const DunDriver *
dun_gateway_find_driver(const char *name)
{
	static const DunDriver *const drivers[] = {
		&dun_gateway_smtp_driver, &dun_gateway_http_driver, &dun_gateway_spool_driver, &dun_gateway_task_driver,
		&dun_gateway_mock_driver, &dun_gateway_imap_driver
	};

	for (int i = 0; i < lengthof(drivers); i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

void
dun_gateway_require_address(const char *kind, const char *address)
{
	const char *why = dun_gateway_check_address(kind, address);

	if (why != NULL)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("the address cannot be used: %s", why)));
}

static void
append_field(StringInfo out, const char *name, const char *value)
{
	if (out->len > 1)
		appendStringInfoChar(out, ',');
	appendStringInfo(out, "\n  \"%s\": ", name);
	if (value == NULL)
	{
		appendStringInfoString(out, "null");
		return;
	}
	appendStringInfoChar(out, '"');
	dun_gateway_append_json(out, value);
	appendStringInfoChar(out, '"');
}

/* One JSON file a message, for a print shop or a dialler: named by the message. */
static void
build_spool(const DunServer *server, const DunOutgoing *m, DunRequest *request)
{
	StringInfoData out;

	dun_gateway_require_address(m->channel, m->address);
	if (!dun_gateway_is_file_name(m->message_id))
		elog(ERROR, "a message id cannot be a file's name");
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	append_field(&out, "message_id", m->message_id);
	append_field(&out, "creditor", m->creditor);
	append_field(&out, "channel", m->channel);
	append_field(&out, "address", m->address);
	append_field(&out, "sender", m->sender_name);
	append_field(&out, "subject", m->subject);
	append_field(&out, "text", m->body_text);
	append_field(&out, "html", m->body_html);
	appendStringInfoString(&out, "\n}\n");

	memset(request, 0, sizeof(*request));
	request->kind = DUN_REQUEST_SPOOL;
	request->path = psprintf("%s/%s.json", server->directory, m->message_id);
	request->body = out.data;
	request->body_len = out.len;
}

static void
judge_local(const DunServer *server, const DunReply *reply, DunJudgement *judgement)
{
	dun_gateway_judge_local(reply, judgement);
}

const DunDriver dun_gateway_spool_driver = {"spool", build_spool, judge_local};

/* A person does it: the settling transaction puts the text on the worklist. */
static void
build_task(const DunServer *server, const DunOutgoing *m, DunRequest *request)
{
	memset(request, 0, sizeof(*request));
	request->kind = DUN_REQUEST_TASK;
	request->body = pstrdup(m->body_text ? m->body_text : "");
	request->body_len = strlen(request->body);
}

const DunDriver dun_gateway_task_driver = {"task", build_task, judge_local};

/* Nothing leaves; the verdict is the server's option, for rehearsals. */
static void
build_mock(const DunServer *server, const DunOutgoing *m, DunRequest *request)
{
	dun_gateway_require_address(m->channel, m->address);
	memset(request, 0, sizeof(*request));
	request->kind = DUN_REQUEST_MOCK;
	request->body = pstrdup(m->body_text ? m->body_text : "");
	request->body_len = strlen(request->body);
}

static void
judge_mock(const DunServer *server, const DunReply *reply, DunJudgement *judgement)
{
	static const struct
	{
		const char *word;
		DunVerdict	verdict;
	}			verdicts[] = {{"sent", DUN_SENT}, {"retry", DUN_RETRY}, {"failed", DUN_FAILED},
							  {"suppress", DUN_SUPPRESS}, {"unknown", DUN_UNKNOWN}};
	const char *wanted = dun_gateway_option(server->options, "verdict");

	memset(judgement, 0, sizeof(*judgement));
	judgement->verdict = DUN_SENT;
	for (int i = 0; wanted != NULL && i < lengthof(verdicts); i++)
		if (strcmp(verdicts[i].word, wanted) == 0)
			judgement->verdict = verdicts[i].verdict;
	judgement->reason = psprintf("mock_%s", wanted ? wanted : "sent");
}

const DunDriver dun_gateway_mock_driver = {"mock", build_mock, judge_mock};

/* A mailbox is read, by deliver/reader.c; what it says about itself is options alone. */
static void
build_imap(const DunServer *server, const DunOutgoing *m, DunRequest *request)
{
	ereport(ERROR,
			(errcode(DUN_ERR_GATEWAY),
			 errmsg("nothing can be sent over server \"%s\"", server->name),
			 errdetail("Its driver imap reads a mailbox.")));
}

const DunDriver dun_gateway_imap_driver = {"imap", build_imap, judge_local};
