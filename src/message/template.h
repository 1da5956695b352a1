/*
 * message/template.h
 *		A template as the renderer walks it: a flat list of nodes over a copy of the text.
 *
 * Needs palloc() and nothing else of the server, so that the fuzz target can link it alone.
 */
#ifndef DUN_MESSAGE_TEMPLATE_H
#define DUN_MESSAGE_TEMPLATE_H

#define DUN_TEMPLATE_MAX_BYTES (256 * 1024)
#define DUN_TEMPLATE_MAX_DEPTH 32	/* sections in sections; a message needs three */
#define DUN_TEMPLATE_MAX_NAME 128
#define DUN_TEMPLATE_MAX_PARTIAL 63
#define DUN_TEMPLATE_MAX_DELIMITER 8

/* How a text is read. */
#define DUN_TEMPLATE_HTML		0x01	/* markup: the place decides how a value is escaped */
#define DUN_TEMPLATE_ESCAPED	0x02	/* a plain text that goes into markup: its literals are escaped too */
#define DUN_TEMPLATE_PARTIAL	0x04	/* goes into another text: markup ends as it began, outside of tags */
#define DUN_TEMPLATE_PLAIN		0x08	/* the letter of the mustache specification: braces decide about escaping, line ends stay */
#define DUN_TEMPLATE_UTF8		0x10	/* what is not UTF-8 is refused */

typedef enum DunNodeKind
{
	DUN_NODE_TEXT,
	DUN_NODE_VALUE,
	DUN_NODE_SECTION,
	DUN_NODE_INVERTED,
	DUN_NODE_PARTIAL
} DunNodeKind;

typedef enum DunFilter
{
	DUN_FILTER_NONE,
	DUN_FILTER_MONEY,
	DUN_FILTER_NUMBER,
	DUN_FILTER_DATE,
	DUN_FILTER_ABS,
	DUN_FILTER_PLURAL
} DunFilter;

/* What a value must go through where it stands. */
typedef enum DunEscape
{
	DUN_ESCAPE_NONE,			/* a text part */
	DUN_ESCAPE_HTML,
	DUN_ESCAPE_URL_START,		/* begins href, src ...: the scheme is checked */
	DUN_ESCAPE_URL_PART			/* inside of such an attribute: percent-encoded */
} DunEscape;

typedef struct DunSpan
{
	int			at;				/* offset into the template's text */
	int			len;
} DunSpan;

typedef struct DunNode
{
	DunNodeKind kind;
	DunFilter	filter;
	DunEscape	escape;
	DunSpan		text;			/* the literal, or the name */
	DunSpan		singular;		/* of plural */
	DunSpan		plural;			/* of a partial that stands alone: its indentation */
	int			end;			/* sections: the node after the closing tag */
	int			target;			/* partials: the unit of the program, -1: there is none (see program.h) */
	int			name;			/* values and sections: which name of the compiled message (see cache.h) */
	int			seen_below;		/* path of the scope it was last found in, -1: none */
	int			seen_path;		/* and its own path there */
} DunNode;

typedef struct DunTemplate
{
	char	   *text;			/* line ends are \n */
	int			len;
	DunNode    *nodes;
	int			nnodes;
} DunTemplate;

typedef enum DunTemplateProblem
{
	DUN_PROBLEM_GRAMMAR,
	DUN_PROBLEM_LIMIT,
	DUN_PROBLEM_NO_PARTIAL,
	DUN_PROBLEM_CYCLE
} DunTemplateProblem;

typedef struct DunTemplateError
{
	DunTemplateProblem problem;
	int			line;
	int			column;			/* in bytes, from 1 */
	char		partial[DUN_TEMPLATE_MAX_PARTIAL + 1];	/* it stands in this one, "": in the text itself */
	char		message[192];
	char		chain[512];		/* of a cycle: "a -> b -> a"; of a partial that is missing: its name */
} DunTemplateError;

/* False and *error where the text is no template. Memory comes from the current context. */
extern bool dun_message_parse_template(const char *source, size_t len, int flags, DunTemplate *result, DunTemplateError *error);

#endif
