/*
 * gateway/encode.h
 *		Encoders that make any text safe where it is put, and a reader of single JSON fields.
 */
#ifndef DUN_GATEWAY_ENCODE_H
#define DUN_GATEWAY_ENCODE_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* The inside of a JSON string; everything below 0x20, quotes and backslashes escaped. */
extern void dun_gateway_append_json(StringInfo out, const char *text);

/* RFC 3986 unreserved bytes stand, the rest becomes %XX. */
extern void dun_gateway_append_url(StringInfo out, const char *text);

/* Base64 in lines of 76 with CRLF where `lines`, else in one piece. */
extern void dun_gateway_append_base64(StringInfo out, const char *data, size_t len, bool lines);

/* Quoted-printable of text whose line ends are CRLF already; a leading dot and "From " are encoded too. */
extern void dun_gateway_append_quoted_printable(StringInfo out, const char *text, size_t len);

/* Line ends of any kind become CRLF. */
extern char *dun_gateway_normalise_lines(const char *text, size_t *len);

/* Can an SMS carry this text in the 7-bit alphabet of GSM 03.38? */
extern bool dun_gateway_is_gsm7(const char *text);

/*
 * The string, number or boolean at `path` ("sid", "messages.0.id") of a JSON text, NULL where there is none, where it
 * holds anything but printable ASCII, is longer than 200 bytes, or the text is no JSON on the way there. Never errors out.
 */
extern char *dun_gateway_read_json_field(const char *json, size_t len, const char *path);

#endif
