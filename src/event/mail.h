/*
 * event/mail.h
 *		What a mail that came back says: a report about one of ours (RFC 3464), a complaint (RFC 5965), an automatic answer
 *		(RFC 3834) or the answer of a person.
 *
 * Bytes in, words out: nothing is allocated, nothing can fail. A mail is anybody's text, so every loop ends with its length,
 * nesting and parts are capped, and what does not fit is left out.
 */
#ifndef DUN_EVENT_MAIL_H
#define DUN_EVENT_MAIL_H

#include "c.h"

#define DUN_MAIL_IDS 8
#define DUN_MAIL_ADDRESS 255	/* RFC 5321's 254 and the end */
#define DUN_MAIL_TEXT (16 * 1024)	/* of a text, decoded */

typedef enum DunMailKind
{
	DUN_MAIL_ANSWER,
	DUN_MAIL_AUTOMATIC,			/* out of office, a list, a copy of what we sent */
	DUN_MAIL_REPORT,
	DUN_MAIL_COMPLAINT
} DunMailKind;

typedef enum DunMailEncoding
{
	DUN_MAIL_AS_IT_IS,
	DUN_MAIL_BASE64,
	DUN_MAIL_QUOTED
} DunMailEncoding;

/* A leaf of the mail; `data` points into it and is NULL where there is none. */
typedef struct DunMailPart
{
	const char *data;
	size_t		len;
	DunMailEncoding encoding;
	bool		html;
	char		charset[32];	/* as it is written, "" where none is */
} DunMailPart;

/* Strings are printable ASCII, "" where the mail does not say. */
typedef struct DunCameBack
{
	DunMailKind kind;
	int			nids;
	char		ids[DUN_MAIL_IDS][37];	/* UUIDs of version 7 that it names, the likeliest first */
	char		from[DUN_MAIL_ADDRESS];
	char		recipient[DUN_MAIL_ADDRESS];	/* whom a report or a complaint is about */
	char		action[16];		/* of a report, lower case: failed, delayed, delivered, relayed, expanded */
	char		status[12];		/* of a report: 5.1.1 */
	char		diagnostic[200];
	char		subject[200];
	DunMailPart text;			/* what its writer says */
} DunCameBack;

extern void dun_event_read_mail(const char *mail, size_t len, DunCameBack *found);

/*
 * The part's text without transfer encoding and mark-up, and without what it quotes and the signature. Bytes of its charset, NUL-
 * terminated; `out` has room for DUN_MAIL_TEXT. Returns the length.
 */
extern size_t dun_event_decode_mail_text(const DunMailPart *part, char *out);

#endif
