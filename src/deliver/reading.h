/*
 * deliver/reading.h
 *		Reading the mailboxes that are due.
 */
#ifndef DUN_DELIVER_READING_H
#define DUN_DELIVER_READING_H

#include "postgres.h"

typedef struct DunRead
{
	int			mailboxes;
	int			mails;
	int			unmatched;		/* of the mails: about no message and from nobody that is known */
	char		problem[256];	/* of the last mailbox that could not be read, "" where all could */
	char		stopped[512];	/* why none may be read, "" where they may */
} DunRead;

/*
 * Each mailbox that is due, or the one of the named server; in transactions of its own, none of which is open while it waits
 * for the network.
 */
extern void dun_deliver_read_mailboxes(const char *wanted, DunRead *read);

#endif
