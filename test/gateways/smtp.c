/*
 * test/gateways/smtp.c
 *		The catcher's SMTP: strict about line ends and commands, so that whoever smuggles is found out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catcher.h"

static void
say(Conn *conn, const char *text, const Script *script)
{
	buffer_add(&conn->out, text, strlen(text));
	buffer_add(&conn->out, "\r\n", 2);
	conn_reply(conn, script);
}

static void
say_code(Conn *conn, int code, const Script *script)
{
	char		text[64];

	snprintf(text, sizeof(text), "%d %d.%s scripted", code, code / 100, code == 550 ? "1.1" : "0.0");
	say(conn, text, script);
}

void
smtp_greet(Conn *conn)
{
	say(conn, "220 catcher ESMTP", NULL);
}

static void
forget_envelope(Conn *conn)
{
	conn->from[0] = '\0';
	conn->rcpts = 0;
}

/* "<address>" and nothing but parameters after it; false where it is anything else. */
static bool
take_path(const char *text, char *to)
{
	const char *end = strchr(text, '>');

	while (*text == ' ')
		text++;
	if (*text != '<' || end == NULL || (end[1] != '\0' && end[1] != ' ') || end - text - 1 >= MAX_ADDRESS)
		return false;
	memcpy(to, text + 1, end - text - 1);
	to[end - text - 1] = '\0';
	return strpbrk(to, "<\r\n\t ") == NULL;
}

static bool
script_of(const char *recipient, Script *script)
{
	if (strncmp(recipient, "fault-", 6) == 0)
		return script_parse(recipient + 6, strcspn(recipient + 6, "@+"), script);
	return script_for_recipient(recipient, script);
}

/* The value of a header of the mail, "-" where there is none. */
static void
find_header(const char *mail, size_t len, const char *name, char *to, size_t room)
{
	const char *end = memmem(mail, len, "\r\n\r\n", 4);
	size_t		n = strlen(name);

	snprintf(to, room, "-");
	if (end == NULL)
		end = mail + len;
	for (const char *line = mail; line < end;)
	{
		const char *eol = memmem(line, end - line, "\r\n", 2);

		if (eol == NULL)
			eol = end;
		if ((size_t) (eol - line) > n && strncasecmp(line, name, n) == 0)
		{
			snprintf(to, room, "%.*s", (int) (eol - line - n), line + n);
			return;
		}
		line = eol + 2;
	}
}

/* A lone CR or LF is how a second mail is smuggled past a relay that counts lines differently. */
static bool
has_bare_line_end(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			return true;
		if (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n'))
			return true;
	}
	return memchr(text, '\0', len) != NULL;
}

/* Take away the dots that the sender put before lines beginning with one. */
static size_t
unstuff(char *mail, size_t len)
{
	size_t		out = 0;
	bool		line_start = true;

	for (size_t i = 0; i < len; i++)
	{
		bool		stuffed = line_start && mail[i] == '.';

		/* bare line ends were refused before, so every LF ends a line */
		line_start = mail[i] == '\n';
		if (!stuffed)
			mail[out++] = mail[i];
	}
	return out;
}

static void
accept_mail(Conn *conn, char *mail, size_t len)
{
	Script		script = {0};
	bool		scripted = script_of(conn->rcpt[0], &script);
	char		key[256];

	if (has_bare_line_end(mail, len))
	{
		say(conn, "550 5.6.0 bare line end or NUL", NULL);
		forget_envelope(conn);
		return;
	}
	len = unstuff(mail, len);
	find_header(mail, len, "Message-ID: ", key, sizeof(key));
	if (scripted && script.at_dot)
	{
		say_code(conn, script.code, &script);
		forget_envelope(conn);
		return;
	}
	for (int i = 0; i < conn->rcpts; i++)
		ledger_add("smtp", key_repeats(key), key, conn->rcpt[i], mail, len, conn->from);
	forget_envelope(conn);
	if (scripted && script.no_reply)
	{
		conn->mute = true;
		conn_reply(conn, &script);
	}
	else if (scripted && (script.lost || (script.lost_once && key_seen(key) == 1)))
	{
		conn->reset = true;
		conn_reply(conn, &script);
	}
	else
		say(conn, "250 2.0.0 taken", &script);
}

static void
command(Conn *conn, const char *line)
{
	Script		script;

	if (strncasecmp(line, "EHLO ", 5) == 0 || strncasecmp(line, "HELO ", 5) == 0)
	{
		conn->greeted = true;
		forget_envelope(conn);
		say(conn, option_auth ? "250-catcher\r\n250-AUTH PLAIN\r\n250 SIZE 8000000" : "250-catcher\r\n250-8BITMIME\r\n250 SIZE 8000000", NULL);
	}
	else if (strncasecmp(line, "AUTH PLAIN", 10) == 0 && line[10] == '\0' && option_auth)
	{
		conn->answering = true;
		say(conn, "334 ", NULL);
	}
	else if (conn->answering || (strncasecmp(line, "AUTH PLAIN", 10) == 0 && option_auth))
	{
		/* base64 of "\0bad\0..." is refused: a wrong password on demand */
		conn->answering = false;
		say(conn, strstr(line, "AGJhZA") ? "535 5.7.8 no" : "235 2.7.0 yes", NULL);
	}
	else if (strncasecmp(line, "MAIL FROM:", 10) == 0)
	{
		if (!conn->greeted || !take_path(line + 10, conn->from))
			say(conn, "501 5.1.7 no", NULL);
		else
		{
			conn->rcpts = 0;
			say(conn, "250 2.1.0 ok", NULL);
		}
	}
	else if (strncasecmp(line, "RCPT TO:", 8) == 0)
	{
		if (conn->rcpts == MAX_RECIPIENTS || !take_path(line + 8, conn->rcpt[conn->rcpts]))
			say(conn, "501 5.1.3 no", NULL);
		else if (script_of(conn->rcpt[conn->rcpts], &script) && script.code && !script.at_dot &&
				 (script.flaky == 0 || key_seen(conn->rcpt[conn->rcpts]) <= script.flaky))
			say_code(conn, script.code, &script);
		else
		{
			conn->rcpts++;
			say(conn, "250 2.1.5 ok", NULL);
		}
	}
	else if (strcasecmp(line, "DATA") == 0)
	{
		if (conn->rcpts == 0)
			say(conn, "503 5.5.1 no recipient", NULL);
		else
		{
			conn->in_data = true;
			say(conn, "354 go on", NULL);
		}
	}
	else if (strcasecmp(line, "RSET") == 0)
	{
		forget_envelope(conn);
		say(conn, "250 2.0.0 ok", NULL);
	}
	else if (strcasecmp(line, "NOOP") == 0)
		say(conn, "250 2.0.0 ok", NULL);
	else if (strcasecmp(line, "QUIT") == 0)
	{
		conn->close = true;
		say(conn, "221 2.0.0 bye", NULL);
	}
	else
		say(conn, "502 5.5.2 what?", NULL);
}

/* The body up to the final dot; false: not there yet. */
static bool
read_data(Conn *conn)
{
	char	   *data = conn->in.data;
	char	   *dot;
	size_t		len;
	Script		script;

	/* A script that drops before the dot does so once the body has begun. */
	if (script_of(conn->rcpt[0], &script) && script.before && conn->in.len > 0)
	{
		conn->reset = true;
		conn_reply(conn, NULL);
		return false;
	}
	if (conn->in.len >= 3 && memcmp(data, ".\r\n", 3) == 0)
	{
		dot = data;
		len = 0;
	}
	else
	{
		dot = memmem(data, conn->in.len, "\r\n.\r\n", 5);
		if (dot == NULL)
			return false;
		len = dot - data + 2;
		dot += 2;
	}
	conn->in_data = false;
	{
		size_t		used = dot + 3 - data;

		accept_mail(conn, data, len);
		buffer_drop(&conn->in, used);
	}
	return true;
}

void
smtp_read(Conn *conn)
{
	while (conn->in.len > 0 && !conn->busy && !conn->mute && !conn->close && !conn->reset)
	{
		char	   *eol;
		char		line[1024];
		size_t		len;

		if (conn->in_data)
		{
			if (!read_data(conn))
				return;
			continue;
		}
		eol = memmem(conn->in.data, conn->in.len, "\r\n", 2);
		if (eol == NULL)
			return;
		len = eol - conn->in.data;
		if (len >= sizeof(line) || memchr(conn->in.data, '\0', len) != NULL)
		{
			conn->close = true;
			say(conn, "500 5.5.2 line too long", NULL);
			return;
		}
		memcpy(line, conn->in.data, len);
		line[len] = '\0';
		buffer_drop(&conn->in, len + 2);
		command(conn, line);
	}
}
