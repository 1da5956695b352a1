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

static void
build_smtp(const DunServer *server, const DunOutgoing *m, DunRequest *request)
{
	StringInfoData mail;
	char	   *display;
	char	   *from;

	dun_gateway_require_address("email", m->address);
	dun_gateway_split_from(server->from, &display, &from);
	/* Checked by the validator too; the envelope is not a place to trust another file. */
	dun_gateway_require_address("email", from);
	if (!dun_gateway_is_file_name(m->message_id))
		elog(ERROR, "a message id cannot stand in a Message-ID");

	initStringInfo(&mail);
	dun_gateway_build_mail(&mail, m, m->sender_name ? m->sender_name : display, from);

	memset(request, 0, sizeof(*request));
	request->kind = DUN_REQUEST_SMTP;
	request->url = server->url;
	request->mail_from = from;
	request->mail_rcpt = m->address;
	request->body = mail.data;
	request->body_len = mail.len;
}

static void
judge_smtp(const DunServer *server, const DunReply *reply, DunJudgement *judgement)
{
	dun_gateway_judge_smtp(reply, judgement);
}

const DunDriver dun_gateway_smtp_driver = {"smtp", build_smtp, judge_smtp};
