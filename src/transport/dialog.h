/*
 * transport/dialog.h
 *		What is said to a mail server about one mail, once libcurl has connected and logged in.
 *
 * Nothing waits, allocates from the server or can ereport here. A connection is one slot's and carries one mail at a
 * time; the words of the dialog are ours, so that the stage tells exactly how far a mail got.
 */
#ifndef DUN_TRANSPORT_DIALOG_H
#define DUN_TRANSPORT_DIALOG_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/ilist.h"

#include "transport/answer.h"
#include "transport/easy.h"

#define DUN_MAIL_BUFFER (16 * 1024)

typedef enum DunMailStage
{
	DUN_MAIL_CLOSED,
	DUN_MAIL_CONNECTING,		/* libcurl: address, TLS, EHLO, login */
	DUN_MAIL_IDLE,				/* kept for the next mail */
	DUN_MAIL_RESET,				/* each of these waits for the answer to what it is named for */
	DUN_MAIL_FROM,
	DUN_MAIL_RECIPIENT,
	DUN_MAIL_DATA,
	DUN_MAIL_BODY,				/* the final dot has not left */
	DUN_MAIL_END				/* the final dot has left */
} DunMailStage;

typedef enum DunMailNext
{
	DUN_MAIL_GOES_ON,
	DUN_MAIL_ENDED,				/* the verdict stands in `verdict` */
	DUN_MAIL_STALE				/* a kept connection was gone before the mail began: nothing was said about it */
} DunMailNext;

typedef struct DunMail
{
	dlist_node	node;			/* in the list of ended ones */
	DunTransfer x;				/* the easy handle, and what libcurl said while it connected */
	CURLSH	   *cache;			/* libcurl's cache with this connection alone: no other transfer may prune it */
	char	   *key;			/* malloc'ed: which server and login this connection is for */
	DunMailStage stage;
	curl_socket_t fd;
	uint32		watched;		/* epoll events asked for */
	TimestampTz deadline;		/* of the stage, or of idling; 0: libcurl's */

	void	   *owner;			/* NULL: no mail under way */
	const DunServer *server;
	const DunRequest *request;
	bool		ended;			/* and not yet reported */
	bool		kept;			/* the connection had a mail before this one */
	bool		usable;			/* ended in order: may be kept */
	bool		must_reset;		/* the last mail was refused half way */
	DunReply	verdict;		/* strings: fixed text, x or answer */

	DunAnswer	answer;
	char	   *out;			/* malloc'ed, DUN_MAIL_BUFFER */
	size_t		out_len;
	size_t		out_sent;
	size_t		body_at;		/* of the request's body, copied into out so far */
	bool		line_start;
	bool		dot_in_out;		/* out holds the end of the mail */
} DunMail;

/* Begin a mail on a connection that is logged in. */
extern DunMailNext dun_transport_begin_dialog(DunMail *m);

/* The socket is ready: read, answer, write on. */
extern DunMailNext dun_transport_continue_dialog(DunMail *m, bool readable);

/* End it here and now by how far it got. */
extern void dun_transport_cut_dialog(DunMail *m, CURLcode why);

/* Does the connection hold nothing that nobody asked for? */
extern bool dun_transport_is_quiet(DunMail *m);

#endif
