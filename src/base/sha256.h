/*
 * base/sha256.h
 *		SHA-256 (FIPS 180-4) of many short things, and HMAC over it (RFC 2104).
 *
 * The server's own (common/cryptohash.h) has its library look the algorithm up and make a context each time, which takes longer
 * than the digest of a message.
 */
#ifndef DUN_BASE_SHA256_H
#define DUN_BASE_SHA256_H

#include "postgres.h"

#include "common/sha2.h"

/* One digest at a time: start, add, end. An error in between leaves nothing behind. Error out with XX000. */
extern void dun_base_sha256_start(void);
extern void dun_base_sha256_add(const void *data, size_t len);
extern void dun_base_sha256_end(uint8 digest[PG_SHA256_DIGEST_LENGTH]);

extern void dun_base_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
								 uint8 digest[PG_SHA256_DIGEST_LENGTH]);

#endif
