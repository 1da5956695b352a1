/*
 * gate/hmac.h
 *		HMAC-SHA-256 under one key for many short texts.
 *
 * The server's own sets a context up and keys it for each text, and that is most of what it costs. Here a key is
 * taken in once; an address then takes two blocks.
 */
#ifndef DUN_GATE_HMAC_H
#define DUN_GATE_HMAC_H

#include "postgres.h"

#define DUN_HMAC_BYTES 32

typedef struct DunHmacKey
{
	uint32		inner[8];		/* SHA-256 after the block of the key and the inner pad */
	uint32		outer[8];
} DunHmacKey;

extern void dun_gate_take_key(DunHmacKey *into, const uint8 *key, size_t len);
extern void dun_gate_hmac(const DunHmacKey *key, const uint8 *data, size_t len, uint8 digest[DUN_HMAC_BYTES]);

#endif
