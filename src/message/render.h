/*
 * message/render.h
 *		Template and context in, parts out: pure, without SPI, no clock, no table.
 *
 * Parsed templates are cached in the process by their text, so a worker may pass the same text again and again.
 * Results are allocated in the caller's current memory context, which should be short-lived.
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
} DunParts;

/*
 * Render what is not NULL. `language` (NULL: en) says how sums, numbers and dates read.
 * Errors: DN003 no template, or a name that the context does not have (DETAIL lists those it has); 22023 a value that
 * cannot be shown (a sum that is no finite number, no date, a link that is no http address); 53400 too large.
 */
extern void dun_message_render_parts(const char *subject, const char *body_text, const char *body_html,
									 Jsonb *context, const char *language, DunParts *result);

/*
 * The same, but through every section whatever its value, so that no name goes unseen: what lint asks before a
 * template is saved. The parts themselves are of no use.
 */
extern void dun_message_visit_parts(const char *subject, const char *body_text, const char *body_html,
									Jsonb *context, DunParts *result);

#endif
