/*
 * gateway/imap.h
 *		Reading a mailbox over IMAP4rev1 (RFC 9051, 3501), once somebody is logged in: text in and out, no socket.
 *
 * The mailbox is opened by EXAMINE and read by BODY.PEEK, so nothing in it changes. Whatever the other side sends, lines,
 * literals and lists are capped.
 */
#ifndef DUN_GATEWAY_IMAP_H
#define DUN_GATEWAY_IMAP_H

#include "c.h"

/* Of a mail so much is read: headers and text stand at its beginning. The fuzzer takes less. */
#ifndef DUN_IMAP_MAIL_CAP
#define DUN_IMAP_MAIL_CAP (256 * 1024)
#endif
#define DUN_IMAP_LINE 2048

/* The connection. Both wait; false or 0: it is of no more use. */
typedef struct DunImapLink
{
	bool		(*send) (void *arg, const char *data, size_t len);
	size_t		(*receive) (void *arg, char *data, size_t room);
	void	   *arg;
} DunImapLink;

typedef struct DunImap
{
	DunImapLink link;
	int			tag;			/* of the last command */
	uint32		validity;		/* UIDVALIDITY of the mailbox, once it is open */
	uint32		next_uid;		/* UIDNEXT; 0: not said */
	char		problem[128];	/* why a call said false; fixed words and the server's own, printable */
	char		line[DUN_IMAP_LINE];	/* the last line, without literals and what is beyond the room */
	char		in[4096];
	size_t		in_at;
	size_t		in_len;
} DunImap;

/* One mail. `data` has room for DUN_IMAP_MAIL_CAP. */
typedef struct DunImapMail
{
	uint32		uid;
	char		arrived[40];	/* INTERNALDATE: "23-Nov-2026 10:07:44 +0000"; "" where it was not said */
	char	   *data;
	size_t		len;			/* 0: it is not there any more */
} DunImapMail;

extern void dun_gateway_begin_imap(DunImap *imap, DunImapLink link);

/* Each of these is one command. False: `problem` says why, and the connection is of no more use. */
extern bool dun_gateway_open_mailbox(DunImap *imap, const char *mailbox);

/* UIDs between two, rising, at most `room`; where there are more, the first ones. */
extern bool dun_gateway_list_mails(DunImap *imap, uint32 from, uint32 to, uint32 *uids, int room, int *found);

extern bool dun_gateway_fetch_mail(DunImap *imap, uint32 uid, DunImapMail *mail);
extern void dun_gateway_end_imap(DunImap *imap);

/* May this be written between quotes as a mailbox's name? Other names are written in the encoding of RFC 3501, 5.1.3. */
extern bool dun_gateway_is_mailbox(const char *name);

#endif
