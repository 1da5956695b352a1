/*
 * message/key.h
 *		The keys that sign links: files of dunning.secret_directory.
 *
 * link.key signs. link.key.<anything> still verifies, link.key.until-<yyyymmdd>-<id> (what rotate_link_key() leaves
 * behind) through that day. They are read at each use, so that a stolen backend has no copy; wipe with explicit_bzero().
 */
#ifndef DUN_MESSAGE_KEY_H
#define DUN_MESSAGE_KEY_H

#include "postgres.h"

#define DUN_KEY_MAX 1024
#define DUN_KEY_ID_BYTES 3

typedef struct DunLinkKey
{
	uint8		bytes[DUN_KEY_MAX];
	int			len;
	uint8		id[DUN_KEY_ID_BYTES];	/* derived from the bytes */
} DunLinkKey;

/* The key that signs, or false with the reason: a whole sentence. */
extern bool dun_message_try_key(DunLinkKey *key, const char **problem);

/* The key that signs; errors out (55000) where there is none. */
extern void dun_message_read_key(DunLinkKey *key);

/* The key of an id, the one that signs or an older one. False where it is gone; 55000 where none signs. */
extern bool dun_message_find_key(const uint8 *id, DunLinkKey *key);

/* HMAC-SHA256 (32 bytes) over the data and a text. */
extern void dun_message_compute_mac(const DunLinkKey *key, const uint8 *data, size_t len, const char *more, uint8 *mac);

#endif
