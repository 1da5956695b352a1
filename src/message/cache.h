/*
 * message/cache.h
 *		The texts of a message, compiled: parsed, put together with their partials, their names numbered.
 *
 * Kept in the process by the texts themselves, so whoever passes the same texts again and again pays for a comparison.
 */
#ifndef DUN_MESSAGE_CACHE_H
#define DUN_MESSAGE_CACHE_H

#include "postgres.h"

#include "message/program.h"
#include "message/render.h"

#define DUN_PARTS 3

typedef struct DunSource
{
	const char *text[DUN_PARTS];	/* subject, text, HTML; NULL: there is none */
	const Jsonb *partials;		/* {"name": {"text": ..., "html": ...}}, NULL: none */
	bool		plain;			/* to the letter of the specification: see template.h */
} DunSource;

/* A name as it stands in a text. */
typedef struct DunName
{
	const char *s;
	int			len;
	int			head;			/* which of the heads is what stands before the first dot, -1: "." */
	int			head_len;
	bool		measure;		/* amount and its like: numbers or dates in every context */
} DunName;

typedef struct DunHead
{
	const char *s;
	int			len;
} DunHead;

/* Where a name was found: "balances.invoices.amount". Path 0 is the context itself. */
typedef struct DunPath
{
	int			parent;
	int			name;
	int			next;			/* another one of the same parent, -1: the last */
	int			child;			/* the first one, -1: none */
	int			same;			/* the one that stands in `order` for its text: {{a.b}}, and {{b}} in a section a */
	char	   *text;
} DunPath;

typedef struct DunCompiled
{
	MemoryContext context;
	DunSource	source;			/* copies */
	size_t		len[DUN_PARTS];
	uint64		hash;
	DunProgram	program[DUN_PARTS];
	int			bytes[DUN_PARTS];	/* of the part as it was last rendered: room to begin with */
	DunName    *names;
	int			nnames;
	DunHead    *heads;			/* each once, sorted as the keys of a jsonb object are */
	int			nheads;
	int			currency;		/* the head of that name: there always is one */
	DunPath    *paths;
	int			npaths;
	int			room;
	int		   *order;			/* paths from 1 on, sorted by their text, the first of those that have the same */
	int			norder;
	bool		sorted;
} DunCompiled;

/* Stays valid until the next call. Errors: DN003 no template, 53400 too large. */
extern DunCompiled *dun_message_find_compiled(const DunSource *source);

/* Which of the heads a name is, -1: the texts do not name it. */
extern int	dun_message_find_head(const DunCompiled *compiled, const char *name);

/* The path of a name below another path. */
extern int	dun_message_find_path(DunCompiled *compiled, int parent, int name);

/* Makes compiled->order true, and the paths' `same`. */
extern void dun_message_sort_paths(DunCompiled *compiled);

/*
 * The names and the partials in the texts as they are written, sorted. Without partials given each text is read by itself;
 * with them all that is included is listed too, and a missing partial or a circle is an error (DN003).
 */
extern void dun_message_list_names(const DunSource *source, char ***names, int *nnames, char ***partials, int *npartials);

#endif
