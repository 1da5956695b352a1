/*
 * message/render.h
 *		Template and context in, parts out: pure, without SPI, no clock, no table.
 *
 * Compiled texts are cached in the process (cache.h), so a worker may pass the same texts again and again.
 * Results are allocated in the caller's current memory context, which should be short-lived; the names in them are
 * the cache's own and stay valid until the next call.
 */
#ifndef DUN_MESSAGE_RENDER_H
#define DUN_MESSAGE_RENDER_H

#include "postgres.h"

#include "utils/jsonb.h"

#define DUN_RENDER_MAX_BYTES (1024 * 1024)	/* of one part */

typedef enum DunPart
{
	DUN_PART_SUBJECT,			/* one line: line ends become spaces */
	DUN_PART_TEXT,
	DUN_PART_HTML
} DunPart;

typedef struct DunParts
{
	char	   *subject;		/* in the database's encoding, line ends are \n; NULL where there is no template */
	char	   *body_text;
	char	   *body_html;
	char	  **fields;			/* paths of the context that were used, sorted, each once: "balances.amount" */
	int			nfields;
	char	  **missing;		/* those of them that were null where a value was wanted, and so rendered empty */
	int			nmissing;
	char	  **bare;			/* those that were shown without a filter */
	int			nbare;
} DunParts;

struct DunLinks;

/*
 * Render what is not NULL. `partials` (NULL: none) is {"name": {"text": ..., "html": ...}}; in HTML a partial without html
 * is its text, escaped. `language` (NULL: en) says how sums, numbers and dates read. With `links` (link.h; NULL: none) the
 * addresses that the texts name and the context does not have are made.
 * Errors: DN003 no template, or a name that the context does not have (DETAIL lists those it has); 22023 a value that
 * cannot be shown (a sum that is no finite number, no date, a link that is no http address); 53400 too large.
 */
extern void dun_message_render_parts(const char *subject, const char *body_text, const char *body_html,
									 const Jsonb *partials, Jsonb *context, const char *language,
									 const struct DunLinks *links, DunParts *result);

/*
 * The same, but through every section whatever its value, so that no name goes unseen: what lint asks before a
 * template is saved. The parts themselves are of no use.
 */
extern void dun_message_visit_parts(const char *subject, const char *body_text, const char *body_html,
									const Jsonb *partials, Jsonb *context, DunParts *result);

/*
 * The same grammar and walk held to the letter of the mustache specification, for its cases: an unknown name, a missing
 * partial and a context that is no object are nothing, {{x}} is escaped and {{{x}}} is not, line ends stay.
 */
extern char *dun_message_render_plain(const char *source, const Jsonb *partials, Jsonb *context);

#endif
