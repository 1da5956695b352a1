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

typedef enum DunNodeKind
{
	DUN_NODE_TEXT,
	DUN_NODE_VALUE,
	DUN_NODE_SECTION,
	DUN_NODE_INVERTED
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

/* What a value must go through where it stands in an HTML part. */
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
	DunSpan		plural;
	int			parent;			/* the {{#section}} around it, -1: none */
	int			end;			/* sections: the node after the closing tag */
} DunNode;

typedef struct DunTemplate
{
	char	   *text;			/* line ends are \n */
	int			len;
	DunNode    *nodes;
	int			nnodes;
} DunTemplate;

typedef struct DunTemplateError
{
	int			line;
	int			column;			/* in bytes, from 1 */
	bool		too_big;		/* a limit, not a mistake of grammar */
	char		message[192];
} DunTemplateError;

/* False and *error where the text is no template. Memory comes from the current context. */
extern bool dun_message_parse_template(const char *source, size_t len, bool html, DunTemplate *result, DunTemplateError *error);

#endif
