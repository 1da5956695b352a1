/*
 * deliver/template.h
 *		The texts in force, as a process keeps them until one of them or a creditor changes (base/watch.h).
 */
#ifndef DUN_DELIVER_TEMPLATE_H
#define DUN_DELIVER_TEMPLATE_H

#include "postgres.h"

#include "utils/date.h"
#include "utils/jsonb.h"

#include "deliver/item.h"

typedef struct DunFoundTemplate
{
	char	   *subject;
	char	   *body_text;
	char	   *body_html;
	char	   *language;		/* that it is written in */
	char	   *link_url;		/* NULL: the creditor serves no page */
	Jsonb	   *partials;		/* NULL: it includes none */
	bool		attaches;		/* documents go with its mails */
} DunFoundTemplate;

/*
 * The template of each message; they stay until the next call. Returns the day by which days past due are counted. Errors out
 * (DN003) where there is none.
 */
extern DateADT dun_deliver_find_templates(DunItem **items, int n, DunFoundTemplate **templates);

#endif
