/*
 * message/program.h
 *		A part with the partials it includes: what the walker runs.
 *
 * Needs palloc() and nothing else of the server, like template.h.
 */
#ifndef DUN_MESSAGE_PROGRAM_H
#define DUN_MESSAGE_PROGRAM_H

#include "message/template.h"

#define DUN_PROGRAM_MAX_UNITS 256
#define DUN_PROGRAM_MAX_LEVELS 16	/* partials in partials */
#define DUN_PROGRAM_MAX_BYTES (4 * DUN_TEMPLATE_MAX_BYTES)

/* One text as it was parsed: unit 0 is the part itself, the others are partials, once for each indentation. */
typedef struct DunUnit
{
	DunTemplate t;
	const char *name;			/* of the partial, not terminated */
	int			name_len;
	const char *indent;
	int			indent_len;
} DunUnit;

typedef struct DunProgram
{
	DunUnit    *units;
	int			nunits;
} DunProgram;

typedef struct DunPartialText
{
	const char *text;
	size_t		len;
	bool		plain;			/* a text although HTML was asked for */
} DunPartialText;

/* False where there is no partial of that name. */
typedef bool (*DunFindPartial) (void *arg, const char *name, int len, bool html, DunPartialText *found);

/*
 * False and *error where a text is no template, a partial does not exist or partials include each other in a circle.
 * With DUN_TEMPLATE_PLAIN the latter two are none: what does not exist is empty, and the data ends a recursion.
 */
extern bool dun_message_assemble_program(const char *source, size_t len, int flags, DunFindPartial find, void *arg,
										 DunProgram *result, DunTemplateError *error);

#endif
