/*
 * event/mail_text.c
 *		What the writer of a mail says: without encoding, mark-up, quotation and signature.
 */
#include "postgres.h"

#include "event/mail.h"

/* --- transfer encodings --- */

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static size_t
decode_base64(const char *data, size_t len, char *out, size_t room)
{
	uint32		bits = 0;
	int			have = 0;
	size_t		n = 0;

	for (size_t i = 0; i < len && n < room && data[i] != '='; i++)
	{
		int			v = base64_value(data[i]);

		if (v < 0)
			continue;
		bits = (bits << 6 | (uint32) v) & 0xffffff;
		have += 6;
		if (have >= 8)
		{
			have -= 8;
			out[n++] = (char) (bits >> have & 0xff);
		}
	}
	return n;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t
decode_quoted(const char *data, size_t len, char *out, size_t room)
{
	size_t		n = 0;

	for (size_t i = 0; i < len && n < room; i++)
	{
		if (data[i] != '=')
			out[n++] = data[i];
		else if (i + 2 < len && hex_value(data[i + 1]) >= 0 && hex_value(data[i + 2]) >= 0)
		{
			out[n++] = (char) (hex_value(data[i + 1]) << 4 | hex_value(data[i + 2]));
			i += 2;
		}
		else if (i + 1 < len && data[i + 1] == '\n')
			i++;
		else if (i + 2 < len && data[i + 1] == '\r' && data[i + 2] == '\n')
			i += 2;
	}
	return n;
}

/* --- mark-up --- */

static bool
is_tag(const char *data, size_t len, const char *name)
{
	size_t		n = strlen(name);

	return len > n && pg_strncasecmp(data, name, n) == 0 && strchr(" >/\t\r\n", data[n]) != NULL;
}

static size_t
find_end(const char *data, size_t from, size_t len, const char *tag)
{
	for (size_t i = from; i + 1 < len; i++)
		if (data[i] == '<' && data[i + 1] == '/' && is_tag(data + i + 2, len - i - 2, tag))
			return i;
	return len;
}

/* One of the entities that a writer's program puts between words; others stand as they are. */
static size_t
read_entity(const char *data, size_t len, char *c)
{
	static const struct
	{
		const char *name;
		char		c;
	}			entities[] = {{"&nbsp;", ' '}, {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}, {"&#160;", ' '}};

	for (int i = 0; i < lengthof(entities); i++)
	{
		size_t		n = strlen(entities[i].name);

		if (len >= n && memcmp(data, entities[i].name, n) == 0)
		{
			*c = entities[i].c;
			return n;
		}
	}
	return 0;
}

/* In place: what is left is never longer. A quotation ends the text, since programs put the answer above it. */
static size_t
strip_markup(char *data, size_t len)
{
	static const char *const breaks[] = {"br", "p", "/p", "div", "/div", "li", "tr", "h1", "h2", "h3"};
	size_t		n = 0;

	for (size_t i = 0; i < len; i++)
	{
		char		c;
		size_t		entity;

		if (data[i] == '&' && (entity = read_entity(data + i, len - i, &c)) > 0)
		{
			data[n++] = c;
			i += entity - 1;
		}
		else if (data[i] != '<')
			data[n++] = (data[i] == '\r' || data[i] == '\n' || data[i] == '\t') ? ' ' : data[i];
		else if (is_tag(data + i + 1, len - i - 1, "blockquote"))
			break;
		else
		{
			if (is_tag(data + i + 1, len - i - 1, "style") || is_tag(data + i + 1, len - i - 1, "script") ||
				is_tag(data + i + 1, len - i - 1, "head"))
				i = find_end(data, i, len, is_tag(data + i + 1, len - i - 1, "style") ? "style" :
							 is_tag(data + i + 1, len - i - 1, "head") ? "head" : "script");
			for (int k = 0; k < lengthof(breaks); k++)
				if (i < len && is_tag(data + i + 1, len - i - 1, breaks[k]))
				{
					data[n++] = '\n';
					break;
				}
			while (i < len && data[i] != '>')
				i++;
		}
	}
	return n;
}

/* --- what is not the writer's own --- */

typedef struct Line
{
	char	   *from;
	size_t		len;			/* without its end and spaces at it */
	size_t		whole;
} Line;

static bool
read_line(char *from, const char *end, Line *line)
{
	char	   *nl;

	if (from >= end)
		return false;
	nl = memchr(from, '\n', end - from);
	line->from = from;
	line->whole = nl ? (size_t) (nl - from) + 1 : (size_t) (end - from);
	line->len = line->whole - (nl ? 1 : 0);
	while (line->len > 0 && strchr(" \t\r", from[line->len - 1]) != NULL)
		line->len--;
	return true;
}

static size_t
trim(const char *text, size_t n)
{
	while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
		n--;
	return n;
}

static size_t
line_start(const char *text, size_t n)
{
	while (n > 0 && text[n - 1] != '\n')
		n--;
	return n;
}

static bool
has_digit(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= '0' && text[i] <= '9')
			return true;
	return false;
}

/* The line above a quotation in any language, "Am 3. Mai schrieb Ada:", and its first half, with the date, where it was wrapped. */
static size_t
drop_introduction(const char *text, size_t n)
{
	size_t		end = trim(text, n);
	size_t		from = line_start(text, end);

	if (end == 0 || text[end - 1] != ':')
		return n;
	if (from > 0 && !has_digit(text + from, end - from))
	{
		size_t		above = line_start(text, from - 1);

		if (has_digit(text + above, from - 1 - above))
			from = above;
	}
	return from;
}

/* What a mail program puts between an answer and the mail it answers, or before a signature. */
static bool
ends_text(const Line *line)
{
	return (line->len == 2 && memcmp(line->from, "--", 2) == 0) || (line->len >= 5 && memcmp(line->from, "-----", 5) == 0) ||
		(line->len >= 10 && memcmp(line->from, "__________", 10) == 0);
}

/* In place: without quoted lines, up to the signature or the mail that is answered. Who writes below a quotation is read, too. */
static size_t
strip_quotation(char *text, size_t len)
{
	const char *end = text + len;
	size_t		n = 0;
	bool		quoted = false;
	Line		line;

	for (char *at = text; read_line(at, end, &line); at += line.whole)
	{
		if (line.len > 0 && line.from[0] == '>')
		{
			if (!quoted)
				n = drop_introduction(text, n);
			quoted = true;
			continue;
		}
		if (ends_text(&line))
			break;
		quoted = quoted && line.len == 0;
		memmove(text + n, line.from, line.len);
		n += line.len;
		text[n++] = '\n';
	}
	return trim(text, n);
}

size_t
dun_event_decode_mail_text(const DunMailPart *part, char *out)
{
	size_t		room = DUN_MAIL_TEXT - 1;
	size_t		n = 0;
	size_t		kept = 0;

	if (part->data == NULL)
		n = 0;
	else if (part->encoding == DUN_MAIL_BASE64)
		n = decode_base64(part->data, part->len, out, room);
	else if (part->encoding == DUN_MAIL_QUOTED)
		n = decode_quoted(part->data, part->len, out, room);
	else
		memcpy(out, part->data, n = Min(part->len, room));
	for (size_t i = 0; i < n; i++)
		if (out[i] != '\0')
			out[kept++] = out[i];
	n = kept;
	if (part->html)
		n = strip_markup(out, n);
	n = strip_quotation(out, n);
	for (kept = 0; kept < n && strchr(" \t\r\n", out[kept]) != NULL; kept++)
		;
	memmove(out, out + kept, n - kept);
	n -= kept;
	out[n] = '\0';
	return n;
}
