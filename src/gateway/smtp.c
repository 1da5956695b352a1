/*
 * gateway/smtp.c
 *		Driver smtp: an envelope of two checked addresses and a mail made by mime.c.
 */
#include "postgres.h"

#include "base/errcodes.h"
#include "gateway/check.h"
#include "gateway/drivers.h"
#include "gateway/judge.h"
#include "gateway/mime.h"
#include "gateway/smtp.h"

#define PLACE "{message_id}"

char *
dun_gateway_return_path(const char *option, const char *message_id)
{
	const char *place = strstr(option, PLACE);

	if (place == NULL)
		return pstrdup(option);
	return psprintf("%.*s%s%s", (int) (place - option), option, message_id, place + strlen(PLACE));
}

static void
build_smtp(const DunServer *server, const DunOutgoing *m, DunRequest *request)
{
	StringInfoData mail;
	char	   *display;
	char	   *from;
	char	   *envelope;

	dun_gateway_require_address("email", m->address);
	dun_gateway_split_from(server->from, &display, &from);
	/* Checked by the validator too; the envelope is not a place to trust another file. */
	dun_gateway_require_address("email", from);
	if (!dun_gateway_is_file_name(m->message_id))
		elog(ERROR, "a message id cannot stand in a Message-ID");
	envelope = server->return_path ? dun_gateway_return_path(server->return_path, m->message_id) : from;
	dun_gateway_require_address("email", envelope);

	initStringInfo(&mail);
	dun_gateway_build_mail(&mail, m, m->sender_name ? m->sender_name : display, from);

	memset(request, 0, sizeof(*request));
	request->kind = DUN_REQUEST_SMTP;
	request->url = server->url;
	request->mail_from = envelope;
	request->mail_rcpt = m->address;
	request->envelope_id = m->message_id;
	request->body = mail.data;
	request->body_len = mail.len;
}

static void
judge_smtp(const DunServer *server, const DunReply *reply, DunJudgement *judgement)
{
	dun_gateway_judge_smtp(reply, judgement);
}

const DunDriver dun_gateway_smtp_driver = {"smtp", build_smtp, judge_smtp};
