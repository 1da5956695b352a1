/*
 * message/link.h
 *		What a debtor may do with one click, as addresses in a template's context.
 */
#ifndef DUN_MESSAGE_LINK_H
#define DUN_MESSAGE_LINK_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "message/cache.h"
#include "message/key.h"

#define DUN_LINK_DAYS 30		/* a link lives from the day its message leaves */

/* What the links of a message are made of. */
typedef struct DunLinks
{
	const DunLinkKey *key;		/* NULL: nothing signs */
	const char *base_url;		/* NULL: the creditor serves no page */
	const char *debtor_id;
	const pg_uuid_t *message_id;
	TimestampTz now;
	bool		tells_offer;	/* the context's offer is the one below, whatever it has */
	Jsonb	   *offer;			/* the offer of record, NULL: there is none */
} DunLinks;

/*
 * Completes the values of a context, one for each head of the compiled texts: pay_url, plan_url, paid_url, dispute_url and
 * optout_url, and the offer with its link, as far as the texts name them. An address that the context has stays. Without a
 * key or a base_url they are null.
 */
extern void dun_message_fill_links(const DunLinks *links, const DunCompiled *compiled, const JsonbContainer *context,
								   JsonbValue *root, bool *in_root);

/*
 * The address with which a mail program unsubscribes. Good until 60 days after the message was made, whenever it leaves,
 * so that a repeated attempt has the same bytes.
 */
extern char *dun_message_unsubscribe_url(const DunLinkKey *key, const char *base_url, const char *debtor_id,
										 const pg_uuid_t *message_id);

#endif
