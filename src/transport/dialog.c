/*
 * transport/dialog.c
 *		What is said to a mail server about one mail, once libcurl has connected and logged in.
 *
 * One command, one answer, in turn. What the server says before its time means that the two no longer speak of the same
 * thing, so such a connection carries no further mail.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "transport/dialog.h"

/* Room for a line's dot and the end of the mail. */
#define BODY_END 8

static DunMailNext
end(DunMail *m, DunProgress progress, long code, const char *error, bool usable)
{
	memset(&m->verdict, 0, sizeof(m->verdict));
	m->verdict.progress = progress;
	m->verdict.code = code;
	m->verdict.error = (char *) error;
	if (code != 0)
	{
		m->verdict.body = m->answer.line;
		m->verdict.body_len = strlen(m->answer.line);
	}
	m->usable = usable;
	return DUN_MAIL_ENDED;
}

/* The connection is of no more use, by this error. */
static DunMailNext
lose(DunMail *m, const char *error)
{
	if (m->kept && (m->stage == DUN_MAIL_RESET || m->stage == DUN_MAIL_FROM))
		return DUN_MAIL_STALE;
	return end(m, m->stage == DUN_MAIL_END ? DUN_MAYBE_SENT : DUN_NOT_SENT, 0, error, false);
}

void
dun_transport_cut_dialog(DunMail *m, CURLcode why)
{
	(void) end(m, m->stage == DUN_MAIL_END ? DUN_MAYBE_SENT : DUN_NOT_SENT, 0, curl_easy_strerror(why), false);
}

bool
dun_transport_is_quiet(DunMail *m)
{
	char		byte;
	size_t		n;

	return curl_easy_recv(m->x.easy, &byte, 1, &n) == CURLE_AGAIN;
}

static void
enter(DunMail *m, DunMailStage stage)
{
	m->stage = stage;
	m->deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), m->server->timeout_ms);
}

/* As much of the body as there is room for, a dot doubled where it begins a line, then the end of the mail. */
static void
fill_body(DunMail *m)
{
	const char *body = m->request->body;
	size_t		len = m->request->body_len;
	bool		ended = len == 0 || (len >= 2 && memcmp(body + len - 2, "\r\n", 2) == 0);

	m->out_len = m->out_sent = 0;
	while (m->body_at < len && m->out_len < DUN_MAIL_BUFFER - BODY_END)
	{
		char		c = body[m->body_at++];

		if (m->line_start && c == '.')
			m->out[m->out_len++] = '.';
		m->out[m->out_len++] = c;
		m->line_start = c == '\n';
	}
	if (m->body_at < len)
		return;
	memcpy(m->out + m->out_len, ended ? ".\r\n" : "\r\n.\r\n", ended ? 3 : 5);
	m->out_len += ended ? 3 : 5;
	m->dot_in_out = true;
}

static DunMailNext read_on(DunMail *m);

/* Give libcurl what is to be written. What it took of the last piece has left as far as anybody can say. */
static DunMailNext
write_on(DunMail *m)
{
	for (;;)
	{
		size_t		n = 0;
		CURLcode	rc;

		if (m->out_sent == m->out_len)
		{
			if (m->stage != DUN_MAIL_BODY)
				return DUN_MAIL_GOES_ON;
			if (m->dot_in_out)
			{
				enter(m, DUN_MAIL_END);
				return DUN_MAIL_GOES_ON;
			}
			fill_body(m);
		}
		rc = curl_easy_send(m->x.easy, m->out + m->out_sent, m->out_len - m->out_sent, &n);
		if (rc == CURLE_AGAIN)
			return DUN_MAIL_GOES_ON;
		if (rc != CURLE_OK)
		{
			/* The server may have said why it hung up. */
			m->out_sent = m->out_len = 0;
			m->dot_in_out = false;
			if (m->stage == DUN_MAIL_BODY)
			{
				DunMailNext next = read_on(m);

				if (next != DUN_MAIL_GOES_ON)
					return next;
			}
			return lose(m, curl_easy_strerror(rc));
		}
		m->out_sent += n;
	}
}

/* RFC 3461's xtext: what could end the parameter is written as its number. The rest was checked with the address. */
static const char *
xtext(const char *text, char *out, size_t room)
{
	size_t		n = 0;

	for (; *text && n + 4 < room; text++)
		if (*text == '+' || *text == '=' || (unsigned char) *text <= 0x20 || (unsigned char) *text >= 0x7f)
			n += (size_t) snprintf(out + n, room - n, "+%02X", (unsigned char) *text);
		else
			out[n++] = *text;
	out[n] = '\0';
	return out;
}

/*
 * What is wished of a report, where the server can: that it names the mail by our number, does not carry it back whole, and
 * comes for a failure alone.
 */
static void
append_wishes(DunMail *m, DunMailStage stage, char *line, size_t room)
{
	char		text[3 * 256];
	size_t		n = strlen(line);

	if (!m->x.offers_dsn || m->request->envelope_id == NULL)
		return;
	if (stage == DUN_MAIL_FROM)
		snprintf(line + n, room - n, " RET=HDRS ENVID=%s", xtext(m->request->envelope_id, text, sizeof(text)));
	else if (stage == DUN_MAIL_RECIPIENT)
		snprintf(line + n, room - n, " NOTIFY=FAILURE ORCPT=rfc822;%s", xtext(m->request->mail_rcpt, text, sizeof(text)));
}

static DunMailNext
say(DunMail *m, DunMailStage stage, const char *verb, const char *address)
{
	char		wishes[1024] = "";
	int			n;

	dun_transport_expect_answer(&m->answer);
	append_wishes(m, stage, wishes, sizeof(wishes));
	n = snprintf(m->out, DUN_MAIL_BUFFER, address ? "%s<%s>%s\r\n" : "%s\r\n", verb, address, wishes);
	m->out_sent = 0;
	m->out_len = n;
	enter(m, stage);
	if (n >= DUN_MAIL_BUFFER)
	{
		m->out_len = 0;
		return end(m, DUN_NOT_SENT, 0, "address too long", false);
	}
	return write_on(m);
}

static DunMailNext
say_body(DunMail *m)
{
	dun_transport_expect_answer(&m->answer);
	m->body_at = 0;
	m->line_start = true;
	m->dot_in_out = false;
	m->out_len = m->out_sent = 0;
	enter(m, DUN_MAIL_BODY);
	return write_on(m);
}

/*
 * No to a command before the end of the mail, so nothing was left behind. Only a no to RCPT is about the address; the
 * others count as answers to the mail as a whole.
 */
static DunMailNext
refuse(DunMail *m)
{
	int			code = m->answer.code;

	if (code < 400)
		return end(m, DUN_NOT_SENT, code, "unexpected reply", false);
	m->must_reset = true;
	(void) end(m, m->stage == DUN_MAIL_RECIPIENT ? DUN_NOT_SENT : DUN_REPLIED, code, NULL,
			   code != 421 && m->stage != DUN_MAIL_BODY);
	m->verdict.before_recipient = m->stage == DUN_MAIL_FROM;
	return DUN_MAIL_ENDED;
}

static DunMailNext
take_answer(DunMail *m)
{
	int			code = m->answer.code;
	bool		yes = code < 300;

	switch (m->stage)
	{
		case DUN_MAIL_RESET:
			return yes ? say(m, DUN_MAIL_FROM, "MAIL FROM:", m->request->mail_from) : lose(m, "RSET refused");
		case DUN_MAIL_FROM:
			/* A server that has had enough of a kept connection says so here. */
			if (code == 421 && m->kept)
				return lose(m, NULL);
			m->must_reset = true;
			return yes ? say(m, DUN_MAIL_RECIPIENT, "RCPT TO:", m->request->mail_rcpt) : refuse(m);
		case DUN_MAIL_RECIPIENT:
			return yes ? say(m, DUN_MAIL_DATA, "DATA", NULL) : refuse(m);
		case DUN_MAIL_DATA:
			return code == 354 ? say_body(m) : refuse(m);
		case DUN_MAIL_END:
			m->must_reset = !yes;
			return end(m, DUN_REPLIED, code, NULL, code != 421);
		default:
			return refuse(m);
	}
}

/* TLS may hold bytes that the socket no longer shows, so it reads until there is nothing or an answer is whole. */
static DunMailNext
read_on(DunMail *m)
{
	char		data[4096];

	for (;;)
	{
		size_t		n = 0;
		size_t		used = 0;
		CURLcode	rc = curl_easy_recv(m->x.easy, data, sizeof(data), &n);

		if (rc == CURLE_AGAIN)
			return DUN_MAIL_GOES_ON;
		if (rc != CURLE_OK || n == 0)
			return lose(m, rc == CURLE_OK ? "connection closed by the mail server" : curl_easy_strerror(rc));
		switch (dun_transport_read_answer(&m->answer, data, n, &used))
		{
			case DUN_ANSWER_PARTIAL:
				break;
			case DUN_ANSWER_BROKEN:
				return lose(m, "no reply of a mail server");
			case DUN_ANSWER_TOO_LARGE:
				return lose(m, "reply too large");
			case DUN_ANSWER_WHOLE:
				if (used < n)
				{
					/* The answer to the final dot counts, whatever comes after it. */
					if (m->stage != DUN_MAIL_END)
						return lose(m, "more than one reply");
					(void) take_answer(m);
					m->usable = false;
					return DUN_MAIL_ENDED;
				}
				return take_answer(m);
		}
	}
}

DunMailNext
dun_transport_begin_dialog(DunMail *m)
{
	m->usable = false;
	if (m->must_reset)
		return say(m, DUN_MAIL_RESET, "RSET", NULL);
	return say(m, DUN_MAIL_FROM, "MAIL FROM:", m->request->mail_from);
}

DunMailNext
dun_transport_continue_dialog(DunMail *m, bool readable)
{
	DunMailNext next = DUN_MAIL_GOES_ON;

	if (readable)
		next = read_on(m);
	/* Under TLS a write may have waited for something to read. */
	if (next == DUN_MAIL_GOES_ON && m->out_sent < m->out_len)
		next = write_on(m);
	return next;
}
