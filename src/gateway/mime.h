/*
 * gateway/mime.h
 *		One mail as bytes: headers, text and HTML, every line ended by CRLF, ASCII only.
 */
#ifndef DUN_GATEWAY_MIME_H
#define DUN_GATEWAY_MIME_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "gateway/driver.h"

/*
 * `from_name` may be NULL; both addresses are checked by the caller. The message id's domain is the sender's.
 */
extern void dun_gateway_build_mail(StringInfo out, const DunOutgoing *message, const char *from_name, const char *from_address);

#endif
