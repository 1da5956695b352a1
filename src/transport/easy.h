/*
 * transport/easy.h
 *		One transfer: a libcurl easy handle with the options that make it safe, and what came back.
 */
#ifndef DUN_TRANSPORT_EASY_H
#define DUN_TRANSPORT_EASY_H

#include "postgres.h"

#include <curl/curl.h>

#include "gateway/driver.h"

/* What a peer may make us keep. */
#define DUN_REPLY_CAP (64 * 1024)
#define DUN_HEADER_CAP (16 * 1024)
#define DUN_CONNECT_TIMEOUT_MS 5000

typedef struct DunTransfer
{
	CURL	   *easy;
	uint64		prepared_for;	/* serial of the server whose options the handle has, 0: none */
	struct DunSockets *sockets; /* who is told when its socket is closed, NULL: nobody */
	void	   *owner;			/* NULL: not in flight */
	struct DunMail *mail;		/* NULL: a transfer that libcurl carries to its end */
	const DunServer *server;
	const DunRequest *request;
	struct curl_slist *headers;
	char	   *body;			/* malloc'ed, at most DUN_REPLY_CAP */
	size_t		body_len;
	size_t		body_size;
	size_t		header_bytes;
	bool		over_cap;
	bool		denied;			/* an address was not allowed */
	bool		opened;			/* another one was */
	bool		offers_dsn;		/* SMTP: the peer takes wishes about reports (RFC 3461) */
	char		last_line[256]; /* SMTP: the last reply line */
	char		retry_after[64];
	char		error[CURL_ERROR_SIZE];
} DunTransfer;

/*
 * Set every option, anew where the handle served another server before; false: libcurl has no memory. A mail and a probe
 * connect and log in, nothing more.
 */
extern bool dun_transport_prepare_easy(DunTransfer *x, const DunServer *server, const DunRequest *request);
extern bool dun_transport_prepare_mail(DunTransfer *x, const DunServer *server, const DunRequest *request);
extern bool dun_transport_prepare_probe(DunTransfer *x, const DunServer *server);

/* How far it got and what was answered; the strings are the transfer's. */
extern void dun_transport_read_easy(DunTransfer *x, CURLcode result, DunReply *reply);

/* Free what a transfer holds beside its handle and the options of its server. */
extern void dun_transport_clear_easy(DunTransfer *x);

#endif
