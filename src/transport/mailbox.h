/*
 * transport/mailbox.h
 *		A connection to a mailbox: libcurl connects and logs in as to any gateway, then the words are gateway/imap.c's.
 *
 * For a process that has nothing else to do: each call waits, no longer than the server's timeout for an answer and five
 * minutes in all, and is ended by an interrupt (an error of the server, after which the mailbox is to be closed). No
 * transaction may be open.
 */
#ifndef DUN_TRANSPORT_MAILBOX_H
#define DUN_TRANSPORT_MAILBOX_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "gateway/imap.h"
#include "transport/easy.h"

typedef struct DunMailbox
{
	DunTransfer x;
	CURLM	   *multi;
	curl_socket_t fd;
	TimestampTz until;			/* it has so long, all in all */
	bool		late;			/* an answer did not come in time */
	DunImap		imap;
} DunMailbox;

/* False: imap.problem says why. The struct must be zeroed before, and closed after, whatever came of it. */
extern bool dun_transport_open_mailbox(DunMailbox *box, const DunServer *server, const char *folder);
extern void dun_transport_close_mailbox(DunMailbox *box);

#endif
