/*
 * message/value.h
 *		What the walker carries along, and how it shows a value. For render.c and value.c alone.
 */
#ifndef DUN_MESSAGE_VALUE_H
#define DUN_MESSAGE_VALUE_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "message/cache.h"
#include "message/format.h"

#define DUN_RENDER_MAX_SCOPES 128			/* sections in sections, those of partials included */

#define DUN_RENDER_MEMO 32		/* a power of two */

/* A value as one filter shows it. */
typedef struct DunFormatted
{
	const void *value;			/* where in the context it is; NULL: free */
	const void *currency;		/* where the currency of a sum is */
	DunFilter	filter;
	int			at;
	int			len;
} DunFormatted;

typedef struct DunRenderer
{
	DunCompiled *c;
	const DunProgram *program;
	const DunTemplate *t;		/* the unit that is walked */
	DunPart		part;
	const DunLocale *locale;
	bool		utf8;
	bool		plain;			/* an unknown name is null, the root may be anything */
	bool		everything;		/* go into every section, whatever its value: for lint */
	StringInfoData out;
	StringInfoData formatted;	/* values as their filters show them, one after the other, before they are escaped */
	DunFormatted memo[DUN_RENDER_MEMO];	/* where each is: text and HTML show mostly the same */
	const char *shown;			/* the value that is shown: in `formatted`, or in the context itself */
	int			nshown;
	JsonbValue	scope[DUN_RENDER_MAX_SCOPES];
	int			path[DUN_RENDER_MAX_SCOPES];	/* where in the context each scope is */
	int			depth;
	int			levels;
	int			steps;
	uint8	   *marks;			/* a path */
	int			nmarks;
	JsonbValue *root;			/* the context's values by head of name */
	bool	   *in_root;		/* it has one of that name */
} DunRenderer;

extern const char *const dun_message_part_names[];

static inline bool
dun_message_is_object(const JsonbValue *v)
{
	return v->type == jbvBinary && JsonContainerIsObject(v->val.binary.data);
}

/* The value of an object's entry, where `base` is the beginning of what its children point into. */
extern void dun_message_read_entry(const JsonbContainer *c, int entry, const char *base, JsonbValue *v);

/* As getKeyJsonValueFromContainer(), into *v; false where there is none. */
extern bool dun_message_find_value(const JsonbContainer *object, const char *key, int len, JsonbValue *v);

/* The value as the node's filter shows it, in r->shown. Errors: 22023 what cannot be shown. */
extern void dun_message_format_value(DunRenderer *r, const DunNode *n, const JsonbValue *v);

/* Appends what a value or a literal brings, escaped for its place. Errors: 22023 an address that is none of the allowed. */
extern void dun_message_append_escaped(DunRenderer *r, const DunNode *n, const char *s, int len);

#endif
