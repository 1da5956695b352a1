/*
 * gateway/mime.c
 *		A mail after RFC 5322, 2045-2047, 3834 and 8058.
 *
 * libcurl builds MIME parts but neither encodes headers nor makes a Date, and passes bare line feeds on, which lets a
 * text smuggle a second mail past some relays. So the whole mail is made here: every byte it holds is printable ASCII
 * or a CRLF of ours, whatever the text was.
 */
#include "postgres.h"

#include "pgtime.h"

#include "gateway/check.h"
#include "gateway/encode.h"
#include "gateway/mime.h"

#define MAX_HEADER_TEXT 900
#define WORD_BYTES 39			/* of text in one encoded-word: "=?UTF-8?B?" + 52 + "?=" = 64 */

/* Text for a header: runs of control characters and spaces become one space; cut at a character, not inside one. */
static char *
header_text(const char *text)
{
	char	   *out = palloc(MAX_HEADER_TEXT + 1);
	size_t		n = 0;
	bool		space = false;

	for (; *text && n < MAX_HEADER_TEXT - 4; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (c <= 0x20 || c == 0x7f)
		{
			space = n > 0;
			continue;
		}
		if (space)
			out[n++] = ' ';
		space = false;
		out[n++] = *text;
	}
	while (*text && n > 0 && ((unsigned char) *text & 0xc0) == 0x80)
	{
		/* cut inside a character: drop its beginning */
		if (((unsigned char) out[--n] & 0xc0) != 0x80)
			break;
	}
	out[n] = '\0';
	return out;
}

static bool
is_plain_ascii(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char) *c >= 0x7f)
			return false;
	return strstr(text, "=?") == NULL && strlen(text) <= 60;
}

/* RFC 2047 encoded-words, never splitting a character. */
static void
append_encoded_words(StringInfo out, const char *text)
{
	bool		first = true;

	while (*text)
	{
		size_t		n = 0;

		while (text[n] && n < WORD_BYTES)
			n++;
		while (text[n] && n > 1 && ((unsigned char) text[n] & 0xc0) == 0x80)
			n--;
		appendStringInfoString(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		dun_gateway_append_base64(out, text, n, false);
		appendStringInfoString(out, "?=");
		text += n;
		first = false;
	}
}

static void
append_unstructured(StringInfo out, const char *name, const char *text)
{
	char	   *clean = header_text(text);

	appendStringInfo(out, "%s: ", name);
	if (is_plain_ascii(clean))
		appendStringInfoString(out, clean);
	else
		append_encoded_words(out, clean);
	appendStringInfoString(out, "\r\n");
}

static void
append_mailbox(StringInfo out, const char *name, const char *display, const char *address)
{
	char	   *clean = display ? header_text(display) : NULL;

	appendStringInfo(out, "%s: ", name);
	if (clean == NULL || *clean == '\0')
	{
		appendStringInfo(out, "<%s>\r\n", address);
		return;
	}
	if (is_plain_ascii(clean))
	{
		appendStringInfoChar(out, '"');
		for (const char *c = clean; *c; c++)
		{
			if (*c == '"' || *c == '\\')
				appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, *c);
		}
		appendStringInfoChar(out, '"');
	}
	else
		append_encoded_words(out, clean);
	appendStringInfo(out, "\r\n <%s>\r\n", address);
}

static void
append_date(StringInfo out, int64 sent_at)
{
	pg_time_t	at = (pg_time_t) sent_at;
	struct pg_tm *tm = pg_gmtime(&at);
	char		text[64];

	if (tm == NULL || pg_strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", tm) == 0)
		elog(ERROR, "could not format the date of a mail");
	appendStringInfo(out, "Date: %s\r\n", text);
}

/* The shorter of the two transfer encodings: quoted-printable stays readable for Latin texts. */
static void
append_part(StringInfo out, const char *type, const char *text)
{
	size_t		len;
	char	   *lines = dun_gateway_normalise_lines(text, &len);
	size_t		beyond = 0;

	for (size_t i = 0; i < len; i++)
		beyond += (unsigned char) lines[i] >= 0x7f;
	appendStringInfo(out, "Content-Type: %s; charset=utf-8\r\n", type);
	if (beyond * 6 > len)
	{
		appendStringInfoString(out, "Content-Transfer-Encoding: base64\r\n\r\n");
		dun_gateway_append_base64(out, lines, len, true);
	}
	else
	{
		appendStringInfoString(out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		dun_gateway_append_quoted_printable(out, lines, len);
	}
	pfree(lines);
}

/* The text, or text and HTML as two of which a reader chooses. */
static void
append_texts(StringInfo out, const DunOutgoing *message)
{
	if (message->body_html == NULL)
	{
		append_part(out, "text/plain", message->body_text ? message->body_text : "");
		return;
	}
	if (message->body_text == NULL)
	{
		append_part(out, "text/html", message->body_html);
		return;
	}
	/* "=_" can stand in neither encoding, so the boundary cannot occur in a part. */
	appendStringInfo(out, "Content-Type: multipart/alternative; boundary=\"=_%s\"\r\n\r\n", message->message_id);
	appendStringInfo(out, "--=_%s\r\n", message->message_id);
	append_part(out, "text/plain", message->body_text);
	appendStringInfo(out, "--=_%s\r\n", message->message_id);
	append_part(out, "text/html", message->body_html);
	appendStringInfo(out, "--=_%s--\r\n", message->message_id);
}

/* RFC 2231: any name, in printable ASCII. */
static void
append_file_name(StringInfo out, const char *name)
{
	appendStringInfoString(out, "filename*=UTF-8''");
	dun_gateway_append_url(out, name);
}

static void
append_document(StringInfo out, const DunAttachment *a)
{
	appendStringInfo(out, "Content-Type: %s\r\nContent-Disposition: attachment;\r\n ", a->media_type);
	append_file_name(out, a->file_name);
	appendStringInfoString(out, "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	dun_gateway_append_base64(out, a->data, a->len, true);
}

/* The texts first, then each document; "=_" can stand in none of the encodings. */
static void
append_with_documents(StringInfo out, const DunOutgoing *message)
{
	ListCell   *cell;

	appendStringInfo(out, "Content-Type: multipart/mixed; boundary=\"=_m_%s\"\r\n\r\n--=_m_%s\r\n", message->message_id, message->message_id);
	append_texts(out, message);
	foreach(cell, message->attachments)
	{
		appendStringInfo(out, "--=_m_%s\r\n", message->message_id);
		append_document(out, lfirst(cell));
	}
	appendStringInfo(out, "--=_m_%s--\r\n", message->message_id);
}

void
dun_gateway_build_mail(StringInfo out, const DunOutgoing *message, const char *from_name, const char *from_address)
{
	append_mailbox(out, "From", from_name, from_address);
	append_mailbox(out, "To", NULL, message->address);
	if (message->reply_to != NULL && dun_gateway_check_address("email", message->reply_to) == NULL)
		append_mailbox(out, "Reply-To", NULL, message->reply_to);
	append_unstructured(out, "Subject", message->subject ? message->subject : "");
	append_date(out, message->sent_at);
	appendStringInfo(out, "Message-ID: <%s@%s>\r\n", message->message_id, strchr(from_address, '@') + 1);
	appendStringInfoString(out, "Auto-Submitted: auto-generated\r\n");
	if (message->unsubscribe_url != NULL)
	{
		char	   *header = dun_gateway_make_header("List-Unsubscribe", psprintf("<%s>", message->unsubscribe_url));

		appendStringInfo(out, "%s\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", header);
	}
	appendStringInfoString(out, "MIME-Version: 1.0\r\n");

	if (message->attachments == NIL)
		append_texts(out, message);
	else
		append_with_documents(out, message);
}
