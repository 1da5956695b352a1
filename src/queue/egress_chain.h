/*
 * queue/egress_chain.h
 *		The digest of one link of the egress chain.
 *
 * A link's digest is SHA-256 over the digest before it and every column of its row, each with its length, so that no
 * two rows share a text. Verification recomputes it from the table; both go through this one function.
 */
#ifndef DUN_QUEUE_EGRESS_CHAIN_H
#define DUN_QUEUE_EGRESS_CHAIN_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

#define DUN_DIGEST_LEN 32

typedef struct DunEgressLink
{
	int16		slice;
	int64		seq;
	pg_uuid_t	message_id;
	int16		attempt;
	const char *debtor_id;
	const char *creditor;
	const char *channel;
	const char *server;
	const uint8 *address_digest;
	int			address_digest_len;
	char	  **fields;
	int			nfields;
	const uint8 *body_digest;
	int			body_digest_len;
	int32		bytes;
	const char *reason;
	bool		test;
	const char *cost;			/* numeric as text */
	const char *cost_currency;
	TimestampTz at;
	TimestampTz contact_on;
	const uint8 *request_digest;	/* NULL: written by a version that kept none */
} DunEgressLink;

/* `prev` of the first link of a chain is 32 zero bytes. */
extern void dun_queue_digest_link(const uint8 *prev, const DunEgressLink *link, uint8 digest[DUN_DIGEST_LEN]);

/* SHA-256 of pieces, each with its length; a NULL piece differs from an empty one. */
extern void dun_queue_digest_parts(const char *const *parts, int n, uint8 digest[DUN_DIGEST_LEN]);

#endif
