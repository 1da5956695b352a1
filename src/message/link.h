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

#include "message/key.h"

#define DUN_LINK_DAYS 30		/* a link lives from the day its message leaves */

/*
 * The context with plan_url, paid_url, dispute_url and optout_url, and pay_url where it has none: base_url and a token
 * each. What it names already stays. Without a key or a base_url the names are there, but null.
 */
extern Jsonb *dun_message_add_links(Jsonb *context, const DunLinkKey *key, const char *base_url,
									const char *debtor_id, const pg_uuid_t *message_id, TimestampTz now);

/*
 * The address with which a mail program unsubscribes. Good until 60 days after the message was made, whenever it leaves,
 * so that a repeated attempt has the same bytes.
 */
extern char *dun_message_unsubscribe_url(const DunLinkKey *key, const char *base_url, const char *debtor_id,
										 const pg_uuid_t *message_id);

#endif
