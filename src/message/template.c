/*
 * message/template.c
 *		The grammar of templates: logic-less, in the manner of mustache, but strict.
 *
 *		{{name}} {{{name}}} {{name | filter}}		a value
 *		{{#name}} ... {{/name}}						once for each element, or once where the value is something
 *		{{^name}} ... {{/name}}						where it is null, false, zero, empty text or an empty list
 *		{{! comment }}
 *
 * There are no partials, lambdas or changes of delimiters, and values are never parsed. A tag other than a
 * value that stands alone on its line takes the whole line with it, so that lists read well in plain text.
 *
 * In an HTML part the place decides how a value is escaped, hence the small scanner below that follows the
 * markup. {{{name}}} is escaped like {{name}}: there is no way to put markup into a message by a value.
 */
#ifdef FRONTEND
#include "postgres_fe.h"
#else
#include "postgres.h"
#endif

#include <ctype.h>

#include "message/template.h"

/* Where in the markup the next character stands. */
typedef enum HtmlState
{
	HTML_TEXT,
	HTML_TAG,					/* between < and >, outside of a value */
	HTML_VALUE,					/* in a quoted attribute value */
	HTML_UNQUOTED,
	HTML_COMMENT,
	HTML_RAW					/* in script or style: nothing may be put there */
} HtmlState;

typedef struct Html
{
	HtmlState	state;
	char		quote;
	char		word[16];		/* name of the element or of the attribute, lower case, cut short */
	int			nword;
	bool		first_word;		/* it is the element's */
	bool		closing;		/* </name> */
	bool		raw_element;
	bool		value_empty;	/* nothing of the value yet */
} Html;

typedef struct Parser
{
	DunTemplate *t;
	DunTemplateError *error;
	bool		html_part;
	Html		html;
	int			room;			/* of t->nodes */
	int			pos;
	int			open[DUN_TEMPLATE_MAX_DEPTH];
	int			nopen;
} Parser;

/* The inside of a tag, taken apart. */
typedef struct Tag
{
	int			at;				/* of the first brace */
	int			after;			/* of the last */
	char		sigil;			/* # ^ / ! or 0 */
	DunSpan		inside;
} Tag;

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
	/* Not into the middle of a character. */
	while (len > 0 && len < quoted.len && ((unsigned char) p->t->text[quoted.at + len] & 0xC0) == 0x80)
		len--;
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
	return c == ' ' || c == '\t' || c == '\n';
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
	n->parent = -1;
	for (int i = p->nopen - 1; i >= 0; i--)
		if (t->nodes[p->open[i]].kind == DUN_NODE_SECTION)
		{
			n->parent = p->open[i];
			break;
		}
	return n;
}

static bool
word_is_one_of(const Html *h, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == (size_t) h->nword && memcmp(h->word, *words, h->nword) == 0)
			return true;
	return false;
}

static const char *const url_attributes[] = {"href", "src", "action", "formaction", "background", "poster", "cite", "srcset", "xlink:href", NULL};
static const char *const raw_elements[] = {"script", "style", NULL};

static void
html_open_tag(Html *h)
{
	h->state = HTML_TAG;
	h->closing = false;
	h->nword = 0;
	h->first_word = true;
	h->raw_element = false;
}

static void
html_in_tag(Html *h, char c)
{
	if (c == '>')
	{
		if (h->first_word)
			h->raw_element = !h->closing && word_is_one_of(h, raw_elements);
		h->state = h->raw_element ? HTML_RAW : HTML_TEXT;
	}
	else if (c == '"' || c == '\'')
	{
		h->state = HTML_VALUE;
		h->quote = c;
		h->value_empty = true;
	}
	else if (is_blank(c) || c == '/')
	{
		if (h->first_word && h->nword == 0 && c == '/')
			h->closing = true;
		if (h->first_word && h->nword > 0)
		{
			h->raw_element = !h->closing && word_is_one_of(h, raw_elements);
			h->first_word = false;
			h->nword = 0;
		}
	}
	else if (c == '=')
		h->state = HTML_UNQUOTED;	/* until a quote says otherwise */
	else
	{
		/* Overlong names stay in the array's bound and match nothing. */
		if (h->nword == 0 || h->nword < (int) sizeof(h->word))
			h->word[h->nword++] = (c >= 'A' && c <= 'Z') ? c + 32 : c;
	}
}

/* Follow the markup over a literal; a scan for the start of an attribute's name restarts at each blank. */
static void
html_follow(Html *h, const char *text, int len)
{
	for (int i = 0; i < len; i++)
	{
		char		c = text[i];

		switch (h->state)
		{
			case HTML_TEXT:
				if (c != '<')
					break;
				if (len - i >= 4 && memcmp(text + i, "<!--", 4) == 0)
					h->state = HTML_COMMENT;
				else if (i + 1 == len || text[i + 1] == '/' || text[i + 1] == '!' || text[i + 1] == '?' ||
						 isalpha((unsigned char) text[i + 1]))
					html_open_tag(h);
				break;
			case HTML_TAG:
				if (!h->first_word && i > 0 && is_blank(text[i - 1]) && !is_blank(c) && c != '=')
					h->nword = 0;
				html_in_tag(h, c);
				break;
			case HTML_VALUE:
				h->value_empty = false;
				if (c == h->quote)
				{
					h->state = HTML_TAG;
					h->nword = 0;
				}
				break;
			case HTML_UNQUOTED:
				if (c == '"' || c == '\'')
				{
					h->state = HTML_VALUE;
					h->quote = c;
					h->value_empty = true;
				}
				else if (c == '>')
					html_in_tag(h, c);
				else if (is_blank(c) && i > 0 && text[i - 1] != '=' && !is_blank(text[i - 1]))
				{
					h->state = HTML_TAG;
					h->nword = 0;
				}
				break;
			case HTML_COMMENT:
				if (len - i >= 3 && memcmp(text + i, "-->", 3) == 0)
				{
					h->state = HTML_TEXT;
					i += 2;
				}
				break;
			case HTML_RAW:
				if (c == '<' && i + 1 < len && text[i + 1] == '/')
					html_open_tag(h);
				break;
		}
	}
}

/* How a value is to be escaped where it stands; false where none may stand. */
static bool
html_place(Parser *p, int at, DunSpan name, DunEscape *escape)
{
	Html	   *h = &p->html;

	*escape = DUN_ESCAPE_NONE;
	if (!p->html_part)
		return true;
	*escape = DUN_ESCAPE_HTML;
	switch (h->state)
	{
		case HTML_TEXT:
		case HTML_COMMENT:
			return true;
		case HTML_VALUE:
			if ((h->nword >= 2 && memcmp(h->word, "on", 2) == 0) || (h->nword == 5 && memcmp(h->word, "style", 5) == 0))
				return fail(p, at, "a value cannot stand in a style or event attribute", name);
			if (word_is_one_of(h, url_attributes))
				*escape = h->value_empty ? DUN_ESCAPE_URL_START : DUN_ESCAPE_URL_PART;
			h->value_empty = false;
			return true;
		case HTML_TAG:
		case HTML_UNQUOTED:
			return fail(p, at, "a value in a tag must stand in a quoted attribute", name);
		case HTML_RAW:
			return fail(p, at, "a value cannot stand in a script or style", name);
	}
	return true;
}

static void
add_literal(Parser *p, int from, int to)
{
	DunNode    *n;

	if (to <= from)
		return;
	if (p->html_part)
		html_follow(&p->html, p->t->text + from, to - from);
	n = add_node(p, DUN_NODE_TEXT);
	n->text.at = from;
	n->text.len = to - from;
}

/* {{...}} or {{{...}}} at `at`. */
static bool
read_tag(Parser *p, int at, Tag *tag)
{
	const char *text = p->t->text;
	int			end = p->t->len;
	bool		triple = at + 2 < end && text[at + 2] == '{';
	int			braces = triple ? 3 : 2;
	int			i = at + braces;
	DunSpan		opening = {at, Min(40, end - at)};

	tag->at = at;
	while (i < end && text[i] != '}' && text[i] != '{')
		i++;
	if (i + braces > end || memcmp(text + i, "}}}", braces) != 0)
		return fail(p, at, "tag is not closed", opening);
	tag->after = i + braces;
	tag->inside.at = at + braces;
	tag->inside.len = i - tag->inside.at;
	tag->sigil = 0;
	tag->inside = trimmed(text, tag->inside);
	if (tag->inside.len > 0 && strchr("#^/!>=&", text[tag->inside.at]) != NULL)
	{
		tag->sigil = text[tag->inside.at];
		tag->inside.at++;
		tag->inside.len--;
		tag->inside = trimmed(text, tag->inside);
		if (strchr(">=&", tag->sigil) != NULL || triple)
			return fail(p, at, "partials, delimiters and raw tags do not exist here", opening);
	}
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
		!html_place(p, tag->at, value.text, &escape))
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
parse(Parser *p)
{
	DunTemplate *t = p->t;

	for (;;)
	{
		const char *brace = p->pos < t->len ? strstr(t->text + p->pos, "{{") : NULL;
		int			literal_to,
					next;
		Tag			tag = {0};
		bool		ok;

		if (brace == NULL)
			break;
		if (!read_tag(p, brace - t->text, &tag))
			return false;
		literal_to = tag.at;
		next = tag.after;
		if (tag.sigil != 0)
			stands_alone(p, &tag, &literal_to, &next);
		add_literal(p, p->pos, literal_to);
		p->pos = next;
		switch (tag.sigil)
		{
			case '!':
				ok = true;
				break;
			case '/':
				ok = close_section(p, &tag);
				break;
			case '#':
			case '^':
				ok = open_section(p, &tag);
				break;
			default:
				ok = add_value(p, &tag);
				break;
		}
		if (!ok)
			return false;
	}
	add_literal(p, p->pos, t->len);
	if (p->nopen > 0)
	{
		DunNode    *n = &t->nodes[p->open[p->nopen - 1]];

		return fail(p, n->text.at, "section is not closed", n->text);
	}
	return true;
}

/* A copy of the source with \n for every line end; control characters other than newline and tab are refused. */
static bool
copy_source(Parser *p, const char *source, size_t len)
{
	DunTemplate *t = p->t;
	int			n = 0;

	t->text = palloc(len + 1);
	for (size_t i = 0; i < len; i++)
	{
		char		c = source[i];

		if (c == '\r')
		{
			if (i + 1 < len && source[i + 1] == '\n')
				continue;
			c = '\n';
		}
		t->text[n++] = c;
		if (((unsigned char) c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
		{
			t->len = n;
			t->text[n] = '\0';
			return fail(p, n - 1, "template has a control character", nothing);
		}
	}
	t->text[n] = '\0';
	t->len = n;
	return true;
}

bool
dun_message_parse_template(const char *source, size_t len, bool html, DunTemplate *result, DunTemplateError *error)
{
	Parser		p = {.t = result, .error = error, .html_part = html};

	memset(result, 0, sizeof(*result));
	memset(error, 0, sizeof(*error));
	if (len > DUN_TEMPLATE_MAX_BYTES)
	{
		error->too_big = true;
		return fail(&p, 0, "template is larger than 256 kB", nothing);
	}
	p.room = 16;
	result->nodes = palloc(p.room * sizeof(DunNode));
	return copy_source(&p, source, len) && parse(&p);
}
