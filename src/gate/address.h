/*
 * gate/address.h
 *		Addresses: normal form, keyed digest, and what no gateway may ever get.
 */
#ifndef DUN_GATE_ADDRESS_H
#define DUN_GATE_ADDRESS_H

#include "postgres.h"

/* What an address is, from the channel's address_field. */
typedef enum DunAddressKind
{
	DUN_ADDRESS_EMAIL,
	DUN_ADDRESS_PHONE,
	DUN_ADDRESS_POSTAL,			/* the text of a jsonb object */
	DUN_ADDRESS_OTHER			/* a token of a portal or an app */
} DunAddressKind;

/* field NULL or '*': seen from the address itself. */
extern DunAddressKind dun_gate_address_kind(const char *field, const char *address, size_t len);

/* Is it well formed, octet by octet? */
extern bool dun_gate_address_is_good(DunAddressKind kind, const char *address, size_t len);

/* HMAC-SHA-256 of the normal form under the database's key: PG_SHA256_DIGEST_LENGTH octets. */
extern void dun_gate_digest_address(DunAddressKind kind, const char *address, size_t len, const bytea *key, uint8 *into);

#endif
