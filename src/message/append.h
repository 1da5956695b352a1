/*
 * message/append.h
 *		Appending few bytes at a time: what a message is put together from is mostly shorter than a call is long.
 */
#ifndef DUN_MESSAGE_APPEND_H
#define DUN_MESSAGE_APPEND_H

#include "lib/stringinfo.h"

/* As appendBinaryStringInfo(). */
static inline void
dun_message_append(StringInfo out, const char *s, int len)
{
	if (unlikely(out->maxlen - out->len <= len))
		enlargeStringInfo(out, len);
	memcpy(out->data + out->len, s, len);
	out->len += len;
	out->data[out->len] = '\0';
}

/* As appendStringInfoChar(). */
static inline void
dun_message_append_char(StringInfo out, char c)
{
	dun_message_append(out, &c, 1);
}

#endif
