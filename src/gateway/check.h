/*
 * gateway/check.h
 *		Octet checks on everything that reaches an envelope, a header, a URL or a file name.
 *
 * libcurl passes CR and LF in addresses and headers straight to the peer; these checks are what stands in between.
 */
#ifndef DUN_GATEWAY_CHECK_H
#define DUN_GATEWAY_CHECK_H

#include "postgres.h"

/* Is the word of `len` bytes one of the space-separated words? */
extern bool dun_gateway_has_word(const char *words, const char *word, size_t len);

/* An RFC 9110 token of at most 64 bytes. */
extern bool dun_gateway_is_header_name(const char *name);

/* Letters, digits, dot, hyphen, underscore; no leading dot; at most 128 bytes. */
extern bool dun_gateway_is_file_name(const char *name);

/* 'Billing <billing@example.org>' into name and address; a bare address has name NULL. Palloc'ed. */
extern void dun_gateway_split_from(const char *from, char **display, char **address);

/* "Name: value" for DunRequest.headers; errors out (DN006) where either holds a byte that may not stand there. */
extern char *dun_gateway_make_header(const char *name, const char *value);

#endif
