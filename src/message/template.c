/*
 * message/template.c
 *		The grammar of templates: logic-less, that of mustache without lambdas and inheritance, and strict.
 *
 *		{{name}} {{{name}}} {{&name}} {{name | filter}}		a value
 *		{{#name}} ... {{/name}}		once for each element, or once where the value is something
 *		{{^name}} ... {{/name}}		where it is null, false, zero, empty text or an empty list
 *		{{> name}}					another text, kept under that name (program.c puts them together)
 *		{{=<% %>=}}					other delimiters from here to the end of this text
 *		{{! comment }}
 *
 * Values are never parsed. A tag other than a value that stands alone on its line takes the whole line with it, so
 * that lists read well in plain text; a partial alone on its line is indented as its tag is.
 *
 * In an HTML part the place decides how a value is escaped (markup.c), and {{{name}}} is escaped like {{name}}: there
 * is no way to put markup into a message by a value. DUN_TEMPLATE_PLAIN alone, for which the published cases of the
 * specification hold to the letter, lets the braces decide.
 */
#ifdef FRONTEND
#include "postgres_fe.h"
#else
#include "postgres.h"
#endif

#include "mb/pg_wchar.h"

#include "message/markup.h"
#include "message/template.h"

typedef struct Parser
{
	DunTemplate *t;
	DunTemplateError *error;
	int			flags;
	DunMarkup	markup;
	int			room;			/* of t->nodes */
	int			pos;
	char		opening[DUN_TEMPLATE_MAX_DELIMITER + 1];
	char		closing[DUN_TEMPLATE_MAX_DELIMITER + 1];
	int			open[DUN_TEMPLATE_MAX_DEPTH];
	int			nopen;
} Parser;

/* The inside of a tag, taken apart. */
typedef struct Tag
{
	int			at;				/* of the opening delimiter */
	int			after;			/* of the closing one */
	char		sigil;			/* # ^ / ! > = & or 0; { of a triple */
	DunSpan		inside;
} Tag;

/* Where no whole character ends in `len` bytes, the end of the last that does. */
static int
clip(const char *s, int len)
{
	while (len > 0 && ((unsigned char) s[len] & 0xC0) == 0x80)
		len--;
	return len;
}

static bool
fail(Parser *p, int at, const char *message, DunSpan quoted)
{
	DunTemplateError *e = p->error;
	int			len = Min(quoted.len, 60);

	e->line = 1;
	e->column = 1;
	for (int i = 0; i < at && i < p->t->len; i++)
	{
		e->column++;
		if (p->t->text[i] == '\n')
		{
			e->line++;
			e->column = 1;
		}
	}
	if (len < quoted.len)
		len = clip(p->t->text + quoted.at, len);
	if (quoted.len > 0)
		snprintf(e->message, sizeof(e->message), "%s: \"%.*s%s\"", message, len, p->t->text + quoted.at,
				 len < quoted.len ? "..." : "");
	else
		snprintf(e->message, sizeof(e->message), "%s", message);
	return false;
}

static const DunSpan nothing = {0, 0};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static DunSpan
trimmed(const char *text, DunSpan s)
{
	while (s.len > 0 && is_blank(text[s.at]))
	{
		s.at++;
		s.len--;
	}
	while (s.len > 0 && is_blank(text[s.at + s.len - 1]))
		s.len--;
	return s;
}

static bool
span_is(const char *text, DunSpan s, const char *word)
{
	return s.len == (int) strlen(word) && memcmp(text + s.at, word, s.len) == 0;
}

static DunNode *
add_node(Parser *p, DunNodeKind kind)
{
	DunTemplate *t = p->t;
	DunNode    *n;

	if (t->nnodes == p->room)
	{
		p->room = p->room * 2;
		t->nodes = repalloc(t->nodes, p->room * sizeof(DunNode));
	}
	n = &t->nodes[t->nnodes++];
	memset(n, 0, sizeof(DunNode));
	n->kind = kind;
	n->target = -1;
	n->name = -1;
	n->seen_below = -1;
	return n;
}

/* How a value is to be escaped where it stands; false where none may stand. */
static bool
place_value(Parser *p, const Tag *tag, DunSpan name, DunEscape *escape)
{
	const char *problem;

	*escape = DUN_ESCAPE_NONE;
	if (p->flags & DUN_TEMPLATE_PLAIN)
		*escape = tag->sigil == 0 ? DUN_ESCAPE_HTML : DUN_ESCAPE_NONE;
	else if (p->flags & DUN_TEMPLATE_ESCAPED)
		*escape = DUN_ESCAPE_HTML;
	else if ((p->flags & DUN_TEMPLATE_HTML) && (problem = dun_message_place_value(&p->markup, escape)) != NULL)
		return fail(p, tag->at, problem, name);
	return true;
}

static void
add_literal(Parser *p, int from, int to)
{
	DunNode    *n;

	if (to <= from)
		return;
	if (p->flags & DUN_TEMPLATE_HTML)
		dun_message_follow_markup(&p->markup, p->t->text + from, to - from);
	n = add_node(p, DUN_NODE_TEXT);
	n->text.at = from;
	n->text.len = to - from;
	if (p->flags & DUN_TEMPLATE_ESCAPED)
		n->escape = DUN_ESCAPE_HTML;
}

/* Offset of `what` at or after `from`, -1: none. */
static int
find(const DunTemplate *t, int from, int to, const char *what)
{
	int			len = strlen(what);

	for (; from + len <= to; from++)
	{
		const char *first = memchr(t->text + from, what[0], to - from - len + 1);

		if (first == NULL)
			return -1;
		from = first - t->text;
		if (memcmp(first, what, len) == 0)
			return from;
	}
	return -1;
}

/* What the tag at `at` is, and where it ends. */
static bool
read_tag(Parser *p, int at, Tag *tag)
{
	const char *text = p->t->text;
	char		closing[DUN_TEMPLATE_MAX_DELIMITER + 2];
	int			i = at + strlen(p->opening);
	int			end;
	DunSpan		shown = {at, Min(40, p->t->len - at)};

	tag->at = at;
	tag->sigil = 0;
	strcpy(closing, p->closing);
	if (i < p->t->len && text[i] == '{' && strcmp(p->opening, "{{") == 0 && strcmp(p->closing, "}}") == 0)
	{
		tag->sigil = '{';
		strcpy(closing, "}}}");
		i++;
	}
	while (i < p->t->len && is_blank(text[i]))
		i++;
	if (tag->sigil == 0 && i < p->t->len && text[i] != '\0' && strchr("#^/!>=&", text[i]) != NULL)
		tag->sigil = text[i++];
	if (tag->sigil == '=')
	{
		closing[0] = '=';
		strcpy(closing + 1, p->closing);
	}
	end = find(p->t, i, p->t->len, closing);
	tag->inside.at = i;
	tag->inside.len = end - i;
	/* A tag that was forgotten to be closed is told as such, not as a strange name. */
	if (end < 0 || (tag->sigil != '!' && strcmp(p->opening, p->closing) != 0 && find(p->t, i, end, p->opening) >= 0))
		return fail(p, at, "tag is not closed", shown);
	tag->after = end + strlen(closing);
	tag->inside = trimmed(text, tag->inside);
	return true;
}

static bool
check_name(Parser *p, int at, DunSpan name)
{
	const char *text = p->t->text;
	bool		part_empty = true;

	if (span_is(text, name, "."))
		return true;
	if (name.len == 0)
		return fail(p, at, "tag has no name", nothing);
	if (name.len > DUN_TEMPLATE_MAX_NAME)
		return fail(p, at, "name is too long", name);
	for (int i = 0; i < name.len; i++)
	{
		char		c = text[name.at + i];

		if (c == '.')
		{
			if (part_empty)
				return fail(p, at, "name has an empty part", name);
			part_empty = true;
		}
		else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-')
			part_empty = false;
		else
			return fail(p, at, "name has a character other than letters, digits, _, - and .", name);
	}
	if (part_empty)
		return fail(p, at, "name has an empty part", name);
	return true;
}

/* "name | filter: a, b" */
static bool
read_filter(Parser *p, int at, DunSpan inside, DunNode *n)
{
	const char *text = p->t->text;
	const char *bar = memchr(text + inside.at, '|', inside.len);
	DunSpan		filter,
				args = nothing;
	const char *mark;

	n->text = inside;
	if (bar == NULL)
		return true;
	n->text.len = bar - (text + inside.at);
	n->text = trimmed(text, n->text);
	filter.at = bar + 1 - text;
	filter.len = inside.at + inside.len - filter.at;
	if ((mark = memchr(text + filter.at, ':', filter.len)) != NULL)
	{
		args.at = mark + 1 - text;
		args.len = filter.at + filter.len - args.at;
		filter.len = mark - (text + filter.at);
	}
	filter = trimmed(text, filter);
	if (span_is(text, filter, "money"))
		n->filter = DUN_FILTER_MONEY;
	else if (span_is(text, filter, "number"))
		n->filter = DUN_FILTER_NUMBER;
	else if (span_is(text, filter, "date"))
		n->filter = DUN_FILTER_DATE;
	else if (span_is(text, filter, "abs"))
		n->filter = DUN_FILTER_ABS;
	else if (span_is(text, filter, "plural"))
		n->filter = DUN_FILTER_PLURAL;
	else
		return fail(p, at, "filter is none of money, number, abs, date and plural", filter);

	if ((n->filter == DUN_FILTER_PLURAL) != (mark != NULL))
		return fail(p, at, mark ? "filter takes no words" : "plural needs two words, as in plural: day, days", filter);
	if (mark == NULL)
		return true;
	if ((mark = memchr(text + args.at, ',', args.len)) == NULL)
		return fail(p, at, "plural needs two words, as in plural: day, days", args);
	n->singular.at = args.at;
	n->singular.len = mark - (text + args.at);
	n->singular = trimmed(text, n->singular);
	n->plural.at = mark + 1 - text;
	n->plural.len = args.at + args.len - n->plural.at;
	n->plural = trimmed(text, n->plural);
	if (n->singular.len == 0 || n->plural.len == 0)
		return fail(p, at, "plural needs two words, as in plural: day, days", args);
	return true;
}

/* Does the tag stand alone on its line? Then the line's bounds. */
static bool
stands_alone(const Parser *p, const Tag *tag, int *line_from, int *line_after)
{
	const char *text = p->t->text;
	int			from = tag->at,
				to = tag->after;

	while (from > p->pos && (text[from - 1] == ' ' || text[from - 1] == '\t'))
		from--;
	while (to < p->t->len && (text[to] == ' ' || text[to] == '\t'))
		to++;
	if (to + 1 < p->t->len && text[to] == '\r' && text[to + 1] == '\n')
		to++;
	if ((from > 0 && text[from - 1] != '\n') || (to < p->t->len && text[to] != '\n'))
		return false;
	*line_from = from;
	*line_after = to < p->t->len ? to + 1 : to;
	return true;
}

static bool
close_section(Parser *p, const Tag *tag)
{
	DunTemplate *t = p->t;
	DunNode    *n;

	if (p->nopen == 0)
		return fail(p, tag->at, "section is closed but was not opened", tag->inside);
	n = &t->nodes[p->open[p->nopen - 1]];
	if (n->text.len != tag->inside.len || memcmp(t->text + n->text.at, t->text + tag->inside.at, n->text.len) != 0)
		return fail(p, tag->at, "section is closed while another is open", tag->inside);
	n->end = t->nnodes;
	p->nopen--;
	return true;
}

static bool
open_section(Parser *p, const Tag *tag)
{
	DunNode    *n;

	if (!check_name(p, tag->at, tag->inside))
		return false;
	if (p->nopen == DUN_TEMPLATE_MAX_DEPTH)
		return fail(p, tag->at, "sections are nested too deeply", tag->inside);
	n = add_node(p, tag->sigil == '#' ? DUN_NODE_SECTION : DUN_NODE_INVERTED);
	n->text = tag->inside;
	p->open[p->nopen++] = p->t->nnodes - 1;
	return true;
}

static bool
add_value(Parser *p, const Tag *tag)
{
	DunNode		value = {DUN_NODE_VALUE};
	DunNode    *n;
	DunEscape	escape;

	if (!read_filter(p, tag->at, tag->inside, &value) || !check_name(p, tag->at, value.text) ||
		!place_value(p, tag, value.text, &escape))
		return false;
	n = add_node(p, DUN_NODE_VALUE);
	n->text = value.text;
	n->filter = value.filter;
	n->singular = value.singular;
	n->plural = value.plural;
	n->escape = escape;
	return true;
}

static bool
add_partial(Parser *p, const Tag *tag, int line_from)
{
	const char *text = p->t->text;
	DunSpan		name = tag->inside;
	DunNode    *n;

	if (name.len == 0)
		return fail(p, tag->at, "tag has no name", nothing);
	if (name.len > DUN_TEMPLATE_MAX_PARTIAL)
		return fail(p, tag->at, "name is too long", name);
	for (int i = 0; i < name.len; i++)
	{
		char		c = text[name.at + i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) &&
			(i == 0 || (c != '_' && c != '-' && c != '.')))
			return fail(p, tag->at, "name of a partial has a character other than letters, digits, _, - and .", name);
	}
	if ((p->flags & DUN_TEMPLATE_HTML) && p->markup.state != DUN_MARKUP_TEXT)
		return fail(p, tag->at, "a partial can only stand between the elements of HTML", name);
	n = add_node(p, DUN_NODE_PARTIAL);
	n->text = name;
	n->plural.at = line_from;
	n->plural.len = tag->at - line_from;
	return true;
}

/* One delimiter out of {{=<% %>=}}: signs only, or a text would be cut in the middle of its words. */
static bool
read_delimiter(Parser *p, int at, DunSpan *rest, char *delimiter)
{
	const char *s = p->t->text + rest->at;
	int			len = 0;

	while (len < rest->len && !is_blank(s[len]))
		len++;
	if (len == 0)
		return fail(p, at, "delimiters are two, with a blank between them", nothing);
	if (len > DUN_TEMPLATE_MAX_DELIMITER)
		return fail(p, at, "delimiter is longer than 8 signs", *rest);
	for (int i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f || s[i] == '=' || (s[i] >= '0' && s[i] <= '9') ||
			(s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z'))
			return fail(p, at, "delimiter is not made of signs such as <% or |", *rest);
	memcpy(delimiter, s, len);
	delimiter[len] = '\0';
	rest->at += len;
	rest->len -= len;
	*rest = trimmed(p->t->text, *rest);
	return true;
}

static bool
set_delimiters(Parser *p, const Tag *tag)
{
	DunSpan		rest = tag->inside;

	if (!read_delimiter(p, tag->at, &rest, p->opening) || !read_delimiter(p, tag->at, &rest, p->closing))
		return false;
	if (rest.len > 0)
		return fail(p, tag->at, "delimiters are two, with a blank between them", tag->inside);
	return true;
}

static bool
add_tag(Parser *p, const Tag *tag, int line_from)
{
	switch (tag->sigil)
	{
		case '!':
			return true;
		case '/':
			return close_section(p, tag);
		case '#':
		case '^':
			return open_section(p, tag);
		case '>':
			return add_partial(p, tag, line_from);
		case '=':
			return set_delimiters(p, tag);
		default:
			return add_value(p, tag);
	}
}

static bool
parse(Parser *p)
{
	DunTemplate *t = p->t;
	int			at;

	while ((at = find(t, p->pos, t->len, p->opening)) >= 0)
	{
		Tag			tag = {0};
		int			literal_to = at,
					next;

		if (!read_tag(p, at, &tag))
			return false;
		next = tag.after;
		if (tag.sigil != 0 && strchr("{&", tag.sigil) == NULL)
			stands_alone(p, &tag, &literal_to, &next);
		add_literal(p, p->pos, literal_to);
		p->pos = next;
		if (!add_tag(p, &tag, literal_to))
			return false;
	}
	add_literal(p, p->pos, t->len);
	if (p->nopen > 0)
	{
		DunNode    *n = &t->nodes[p->open[p->nopen - 1]];

		return fail(p, n->text.at, "section is not closed", n->text);
	}
	if ((p->flags & DUN_TEMPLATE_PARTIAL) && p->markup.state != DUN_MARKUP_TEXT)
		return fail(p, t->len, "partial ends inside of a tag, comment, script or style", nothing);
	return true;
}

/* A copy of the source with \n for every line end; control characters other than newline and tab are refused. */
static bool
copy_source(Parser *p, const char *source, size_t len)
{
	DunTemplate *t = p->t;
	bool		plain = (p->flags & DUN_TEMPLATE_PLAIN) != 0;
	int			n = 0;

	t->text = palloc(len + 1);
	for (size_t i = 0; i < len; i++)
	{
		char		c = source[i];

		if (c == '\r' && !plain)
		{
			if (i + 1 < len && source[i + 1] == '\n')
				continue;
			c = '\n';
		}
		t->text[n++] = c;
		if (((unsigned char) c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f)
		{
			t->len = n;
			t->text[n] = '\0';
			return fail(p, n - 1, "template has a control character", nothing);
		}
	}
	t->text[n] = '\0';
	t->len = n;
	if ((p->flags & DUN_TEMPLATE_UTF8) && (n = pg_encoding_verifymbstr(PG_UTF8, t->text, t->len)) < t->len)
		return fail(p, n, "template is not UTF-8", nothing);
	return true;
}

bool
dun_message_parse_template(const char *source, size_t len, int flags, DunTemplate *result, DunTemplateError *error)
{
	Parser		p = {.t = result, .error = error, .flags = flags, .opening = "{{", .closing = "}}"};

	memset(result, 0, sizeof(*result));
	memset(error, 0, sizeof(*error));
	if (len > DUN_TEMPLATE_MAX_BYTES)
	{
		fail(&p, 0, "template is larger than 256 kB", nothing);
		error->problem = DUN_PROBLEM_LIMIT;
		return false;
	}
	p.room = 16;
	result->nodes = palloc(p.room * sizeof(DunNode));
	return copy_source(&p, source, len) && parse(&p);
}
