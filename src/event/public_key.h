/*
 * event/public_key.h
 *		Signatures of who publishes a key.
 */
#ifndef DUN_EVENT_PUBLIC_KEY_H
#define DUN_EVENT_PUBLIC_KEY_H

#include "postgres.h"

/*
 * ECDSA over SHA-256: `key` is a SubjectPublicKeyInfo, `signature` a DER sequence, both in base64. NULL where it is right,
 * else "forged" or "malformed". Errors out (DN006) on a key that is none, and where the library was built without OpenSSL.
 */
extern const char *dun_event_verify_ecdsa(const char *key, const char *signature, const uint8 *data, size_t len);

#endif
