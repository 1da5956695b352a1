/*
 * test/gateways/sha256.h
 *		SHA-256 (FIPS 180-4), so that the catcher needs no library.
 */
#ifndef CATCHER_SHA256_H
#define CATCHER_SHA256_H

#include <stddef.h>

/* `hex` takes 64 digits and a NUL. */
extern void sha256_hex(const void *data, size_t len, char *hex);

#endif
