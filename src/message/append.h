/*
 * message/append.h
 *		Appending few bytes at a time: what a message is put together from is mostly shorter than a call is long.
 */
#ifndef DUN_MESSAGE_APPEND_H
#define DUN_MESSAGE_APPEND_H

#include "lib/stringinfo.h"

/* As memcpy(), for pieces that are mostly of a few bytes: what overlaps is written twice. */
static inline void
dun_message_copy_few(char *to, const char *from, int len)
{
	if (len > 16)
		memcpy(to, from, len);
	else if (len >= 8)
	{
		uint64		head,
					tail;

		memcpy(&head, from, 8);
		memcpy(&tail, from + len - 8, 8);
		memcpy(to, &head, 8);
		memcpy(to + len - 8, &tail, 8);
	}
	else
		for (int i = 0; i < len; i++)
			to[i] = from[i];
}

/* As appendBinaryStringInfo(). */
static inline void
dun_message_append(StringInfo out, const char *s, int len)
{
	if (unlikely(out->maxlen - out->len <= len))
		enlargeStringInfo(out, len);
	dun_message_copy_few(out->data + out->len, s, len);
	out->len += len;
	out->data[out->len] = '\0';
}

/* As appendStringInfoChar(). */
static inline void
dun_message_append_char(StringInfo out, char c)
{
	if (unlikely(out->maxlen - out->len <= 1))
		enlargeStringInfo(out, 1);
	out->data[out->len++] = c;
	out->data[out->len] = '\0';
}

#endif
