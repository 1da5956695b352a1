/*
 * event/mail.c
 *		Headers and parts of a mail that came back.
 */
#include "postgres.h"

#include <ctype.h>

#include "event/mail.h"

#define MAX_DEPTH 8
#define MAX_PARTS 64
#define MAX_VALUE 2000			/* of a header */
#define MAX_BOUNDARY 72			/* RFC 2046: 70 */

typedef struct Span
{
	const char *data;
	size_t		len;
} Span;

/* A part of the mail: its headers and what follows them. */
typedef struct Entity
{
	Span		head;
	Span		body;
} Entity;

typedef struct Walk
{
	DunCameBack *found;
	int			parts;
	bool		report;			/* within multipart/report */
} Walk;

/* --- lines and headers --- */

/* The next line without its end; false: none is left. */
static bool
next_line(Span *rest, Span *line)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->data, '\n', rest->len);
	line->data = rest->data;
	line->len = end ? (size_t) (end - rest->data) : rest->len;
	rest->len -= end ? line->len + 1 : line->len;
	rest->data += end ? line->len + 1 : line->len;
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	return true;
}

static void
split(Span all, Entity *entity)
{
	Span		rest = all;
	Span		line;

	while (next_line(&rest, &line) && line.len > 0)
		;
	entity->head = (Span) {all.data, (size_t) (rest.data - all.data)};
	entity->body = rest;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* A line's content behind the spaces, printable ASCII alone, appended to a value that may not grow beyond its room. */
static size_t
append_value(char *value, size_t n, size_t room, Span part)
{
	for (size_t i = 0; i < part.len && n + 1 < room; i++)
	{
		unsigned char c = (unsigned char) part.data[i];

		if (c >= 0x21 && c < 0x7f)
			value[n++] = (char) c;
		else if (n > 0 && value[n - 1] != ' ')
			value[n++] = c >= 0x7f ? '?' : ' ';
	}
	value[n] = '\0';
	return n;
}

/* The `nth` header of a name, from 0, its lines as one; false: there is none. */
static bool
read_header(Span head, const char *name, int nth, char *value, size_t room)
{
	size_t		name_len = strlen(name);
	size_t		n = 0;
	bool		inside = false;
	Span		rest = head;
	Span		line;

	value[0] = '\0';
	while (next_line(&rest, &line) && line.len > 0)
	{
		if (is_space(line.data[0]))
		{
			if (inside)
				n = append_value(value, n, room, line);
			continue;
		}
		if (inside)
			break;
		if (line.len > name_len && line.data[name_len] == ':' && pg_strncasecmp(line.data, name, name_len) == 0 && nth-- == 0)
		{
			inside = true;
			n = append_value(value, n, room, (Span) {line.data + name_len + 1, line.len - name_len - 1});
		}
	}
	while (n > 0 && value[n - 1] == ' ')
		value[--n] = '\0';
	return inside;
}

static void
lower(char *text)
{
	for (; *text; text++)
		*text = (char) pg_ascii_tolower((unsigned char) *text);
}

/* The value of `; name=value`, quoted or not; "" where there is none. */
static void
read_parameter(const char *header, const char *name, char *value, size_t room)
{
	size_t		name_len = strlen(name);
	size_t		n = 0;
	bool		quoted = false;

	value[0] = '\0';
	for (const char *c = header; *c; c++)
	{
		if (*c == '"')
			quoted = !quoted;
		if (quoted || *c != ';')
			continue;
		c += 1 + strspn(c + 1, " ");
		if (pg_strncasecmp(c, name, name_len) != 0 || c[name_len] != '=')
		{
			c--;
			continue;
		}
		c += name_len + 1;
		quoted = *c == '"';
		for (c += quoted; *c && n + 1 < room; c++)
		{
			if (quoted ? *c == '"' : (*c == ';' || *c == ' '))
				break;
			if (quoted && *c == '\\' && c[1])
				c++;
			value[n++] = *c;
		}
		value[n] = '\0';
		return;
	}
}

/* --- what is found --- */

static bool
is_hex(char c)
{
	return isxdigit((unsigned char) c) != 0;
}

/* Is this a UUID of version 7, and not part of a longer word of hexadecimal digits? */
static bool
is_our_id(const char *text, size_t left)
{
	if (left < 36 || text[14] != '7' || (left > 36 && is_hex(text[36])))
		return false;
	for (int i = 0; i < 36; i++)
		if ((i == 8 || i == 13 || i == 18 || i == 23) ? text[i] != '-' : !is_hex(text[i]))
			return false;
	return true;
}

/* Every identifier in a value that may be one of ours; others use such, too, so who asks looks them up. */
static void
note_ids(DunCameBack *found, const char *value)
{
	size_t		len = strlen(value);

	for (size_t i = 0; i + 36 <= len && found->nids < DUN_MAIL_IDS; i++)
	{
		char	   *id = found->ids[found->nids];
		bool		known = false;

		if ((i > 0 && is_hex(value[i - 1])) || !is_our_id(value + i, len - i))
			continue;
		memcpy(id, value + i, 36);
		id[36] = '\0';
		lower(id);
		for (int k = 0; k < found->nids; k++)
			known = known || strcmp(found->ids[k], id) == 0;
		found->nids += !known;
		i += 35;
	}
}

/* The address in "Name <a@b>", "a@b (Name)" or "rfc822; a@b". */
static void
read_address(const char *value, char *out)
{
	const char *from = strrchr(value, '<');
	const char *at = strrchr(value, '@');
	size_t		len;

	out[0] = '\0';
	if (from == NULL || strchr(from, '@') == NULL)
	{
		if (at == NULL)
			return;
		for (from = at; from > value && strchr(" ;,<\"", from[-1]) == NULL; from--)
			;
	}
	else
		from++;
	len = strcspn(from, ">; ,()\"");
	if (len < 3 || len >= DUN_MAIL_ADDRESS || memchr(from, '@', len) == NULL)
		return;
	memcpy(out, from, len);
	out[len] = '\0';
}

/* RFC 3464: a block about the message, then one a recipient; the first that failed counts, else the first. */
static void
read_status(DunCameBack *found, Span body)
{
	char		value[MAX_VALUE];
	Span		rest = body;
	bool		first = true;

	if (read_header(body, "Original-Envelope-Id", 0, value, sizeof(value)))
		note_ids(found, value);
	while (rest.len > 0)
	{
		Entity		block;
		char		action[sizeof(found->action)];

		split(rest, &block);
		rest = block.body;
		if (!read_header(block.head, "Action", 0, value, sizeof(value)))
			continue;
		lower(value);
		strlcpy(action, value, sizeof(action));
		if (!first && (strcmp(found->action, "failed") == 0 || strcmp(action, "failed") != 0))
			continue;
		first = false;
		strlcpy(found->action, action, sizeof(found->action));
		read_header(block.head, "Status", 0, value, sizeof(value));
		value[strspn(value, "0123456789.")] = '\0';
		strlcpy(found->status, value, sizeof(found->status));
		read_header(block.head, "Diagnostic-Code", 0, found->diagnostic, sizeof(found->diagnostic));
		if (!read_header(block.head, "Original-Recipient", 0, value, sizeof(value)))
			read_header(block.head, "Final-Recipient", 0, value, sizeof(value));
		read_address(value, found->recipient);
	}
}

static void
read_complaint(DunCameBack *found, Span body)
{
	char		value[MAX_VALUE];

	/* "not-spam" and the like take nothing back that we do. */
	if (!read_header(body, "Feedback-Type", 0, value, sizeof(value)) || pg_strcasecmp(value, "not-spam") == 0)
		return;
	found->kind = DUN_MAIL_COMPLAINT;
	if (read_header(body, "Original-Rcpt-To", 0, value, sizeof(value)))
		read_address(value, found->recipient);
}

/* The mail of ours that a report is about. */
static void
read_returned(DunCameBack *found, Span body)
{
	char		value[MAX_VALUE];
	Entity		returned;

	split(body, &returned);
	if (read_header(returned.head, "Message-ID", 0, value, sizeof(value)))
		note_ids(found, value);
	if (found->recipient[0] == '\0' && read_header(returned.head, "To", 0, value, sizeof(value)))
		read_address(value, found->recipient);
}

static DunMailEncoding
read_encoding(Span head)
{
	char		value[40];

	read_header(head, "Content-Transfer-Encoding", 0, value, sizeof(value));
	if (pg_strcasecmp(value, "base64") == 0)
		return DUN_MAIL_BASE64;
	return pg_strcasecmp(value, "quoted-printable") == 0 ? DUN_MAIL_QUOTED : DUN_MAIL_AS_IT_IS;
}

/* The first text, plain rather than HTML, that is no attachment. */
static void
take_text(Walk *walk, const Entity *entity, const char *type, bool html)
{
	DunMailPart *text = &walk->found->text;
	char		value[40];

	if (text->data != NULL && !(text->html && !html))
		return;
	read_header(entity->head, "Content-Disposition", 0, value, sizeof(value));
	if (pg_strncasecmp(value, "attachment", 10) == 0)
		return;
	text->data = entity->body.data;
	text->len = entity->body.len;
	text->html = html;
	text->encoding = read_encoding(entity->head);
	read_parameter(type, "charset", text->charset, sizeof(text->charset));
}

/* --- parts --- */

static void walk_entity(Walk *walk, Span all, int depth);

/* Is the line the boundary's, and does it end the last part? */
static bool
is_boundary(Span line, const char *boundary, size_t len, bool *last)
{
	if (line.len < len + 2 || line.data[0] != '-' || line.data[1] != '-' || memcmp(line.data + 2, boundary, len) != 0)
		return false;
	line.data += len + 2;
	line.len -= len + 2;
	*last = line.len >= 2 && line.data[0] == '-' && line.data[1] == '-';
	line.data += *last ? 2 : 0;
	line.len -= *last ? 2 : 0;
	for (; line.len > 0; line.data++, line.len--)
		if (!is_space(line.data[0]))
			return false;
	return true;
}

static void
walk_parts(Walk *walk, Span body, const char *boundary, int depth)
{
	size_t		len = strlen(boundary);
	Span		rest = body;
	Span		line;
	const char *start = NULL;
	bool		last = false;

	if (len == 0)
		return;
	while (!last && next_line(&rest, &line))
	{
		if (!is_boundary(line, boundary, len, &last))
			continue;
		if (start != NULL)
			walk_entity(walk, (Span) {start, (size_t) (line.data - start)}, depth + 1);
		start = rest.data;
	}
	/* Cut off: what there is of the last part counts. */
	if (!last && start != NULL && start < body.data + body.len)
		walk_entity(walk, (Span) {start, (size_t) (body.data + body.len - start)}, depth + 1);
}

static bool
is_type(const char *type, const char *wanted)
{
	size_t		len = strlen(wanted);

	return pg_strncasecmp(type, wanted, len) == 0 && strchr("; ", type[len]) != NULL;
}

static void
walk_entity(Walk *walk, Span all, int depth)
{
	char		type[MAX_VALUE];
	char		word[MAX_BOUNDARY];
	Entity		entity;

	if (depth > MAX_DEPTH || walk->parts++ >= MAX_PARTS)
		return;
	split(all, &entity);
	if (!read_header(entity.head, "Content-Type", 0, type, sizeof(type)))
		strlcpy(type, "text/plain", sizeof(type));
	if (pg_strncasecmp(type, "multipart/", 10) == 0)
	{
		bool		outer = walk->report;

		if (is_type(type, "multipart/report"))
			walk->report = true;
		read_parameter(type, "boundary", word, sizeof(word));
		walk_parts(walk, entity.body, word, depth);
		walk->report = outer;
	}
	else if (walk->report && (is_type(type, "message/delivery-status") || is_type(type, "message/global-delivery-status")))
	{
		walk->found->kind = DUN_MAIL_REPORT;
		read_status(walk->found, entity.body);
	}
	else if (walk->report && is_type(type, "message/feedback-report"))
		read_complaint(walk->found, entity.body);
	else if (walk->report && (is_type(type, "message/rfc822") || is_type(type, "text/rfc822-headers") ||
							  is_type(type, "message/global") || is_type(type, "message/global-headers")))
		read_returned(walk->found, entity.body);
	else if (is_type(type, "text/plain"))
		take_text(walk, &entity, type, false);
	else if (is_type(type, "text/html"))
		take_text(walk, &entity, type, true);
}

/* --- who wrote it --- */

/* RFC 3834, and what was usual before it. */
static bool
is_automatic(Span head)
{
	char		value[200];

	if (read_header(head, "Auto-Submitted", 0, value, sizeof(value)))
		return pg_strncasecmp(value, "no", 2) != 0 || (value[2] != '\0' && strchr("; (", value[2]) == NULL);
	if (read_header(head, "Precedence", 0, value, sizeof(value)) &&
		(pg_strcasecmp(value, "bulk") == 0 || pg_strcasecmp(value, "junk") == 0 || pg_strcasecmp(value, "list") == 0 ||
		 pg_strcasecmp(value, "auto_reply") == 0))
		return true;
	return read_header(head, "X-Autoreply", 0, value, sizeof(value)) || read_header(head, "X-Autorespond", 0, value, sizeof(value)) ||
		read_header(head, "List-Id", 0, value, sizeof(value));
}

/* A report of an old mail server, in words of its own: who sends it, and the first code like 5.1.1 in its text. */
static void
read_old_report(DunCameBack *found)
{
	const char *text = found->text.data;
	size_t		len = found->text.len;

	if (pg_strncasecmp(found->from, "mailer-daemon@", 14) != 0 && pg_strncasecmp(found->from, "postmaster@", 11) != 0)
		return;
	if (found->nids == 0)
		return;
	found->kind = DUN_MAIL_REPORT;
	strlcpy(found->action, "failed", sizeof(found->action));
	for (size_t i = 0; text != NULL && i + 5 <= len && found->status[0] == '\0'; i++)
		if ((text[i] == '4' || text[i] == '5') && text[i + 1] == '.' && isdigit((unsigned char) text[i + 2]) && text[i + 3] == '.' &&
			isdigit((unsigned char) text[i + 4]) && (i == 0 || strchr(" #(<\t\n", text[i - 1]) != NULL))
		{
			size_t		n = 5;

			while (n < 7 && i + n < len && isdigit((unsigned char) text[i + n]))
				n++;
			memcpy(found->status, text + i, n);
			found->status[n] = '\0';
		}
}

void
dun_event_read_mail(const char *mail, size_t len, DunCameBack *found)
{
	/* What a report comes to or an answer refers to; the path it came by first, which nobody but us wrote. */
	static const char *const naming[] = {"Delivered-To", "X-Original-To", "Envelope-To", "To", "In-Reply-To", "References"};
	char		value[MAX_VALUE];
	Walk		walk = {found, 0, false};
	Entity		entity;

	memset(found, 0, sizeof(*found));
	split((Span) {mail, len}, &entity);
	for (int i = 0; i < lengthof(naming); i++)
		for (int nth = 0; nth < 4 && read_header(entity.head, naming[i], nth, value, sizeof(value)); nth++)
			note_ids(found, value);
	if (read_header(entity.head, "From", 0, value, sizeof(value)))
		read_address(value, found->from);
	read_header(entity.head, "Subject", 0, found->subject, sizeof(found->subject));
	walk_entity(&walk, (Span) {mail, len}, 0);
	if (found->kind == DUN_MAIL_ANSWER && is_automatic(entity.head))
		found->kind = DUN_MAIL_AUTOMATIC;
	else if (found->kind == DUN_MAIL_ANSWER)
		read_old_report(found);
}
