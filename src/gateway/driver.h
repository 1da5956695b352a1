/*
 * gateway/driver.h
 *		A driver turns one frozen message into one request, and one reply into one verdict.
 *		Text in, text out: no driver opens a socket, a file or a transaction.
 *
 * Strings are NUL-terminated, in UTF-8, allocated in the caller's current memory context.
 */
#ifndef DUN_GATEWAY_DRIVER_H
#define DUN_GATEWAY_DRIVER_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* A SERVER of the wrapper dunning_gateway with the worker's USER MAPPING, options resolved and checked. */
typedef struct DunServer
{
	uint64		serial;			/* of this reading, never the same again in a process; 0: only looked at */
	Oid			oid;
	char	   *name;
	char	   *channel;		/* the SERVER's TYPE */
	char	   *driver;
	char	   *url;
	char	   *from;			/* sender address or number */
	char	   *username;		/* NULL: none */
	char	   *password;		/* read from secret_file; never logged, wiped with the context */
	char	   *receipt_secret; /* what it signs receipts with, where that is not the password; NULL: the password */
	char	   *receipt_key;	/* or the public key of who signs them, base64; NULL: none */
	char	   *receipt_url;	/* where the gateway is told to send receipts, without a query; NULL: nowhere */
	char	   *proxy;			/* NULL: none; the environment's proxy is never used */
	char	   *proxy_username; /* NULL: the proxy asks for none */
	char	   *proxy_password; /* as `password` */
	char	   *proxy_ca_file;	/* NULL: the system's */
	char	   *ca_file;		/* the only ones that count; NULL: the system's */
	char	   *crl_file;		/* what its CAs have revoked; NULL: nobody asks */
	char	   *client_cert_file;
	char	   *client_key_file;
	char	   *source_address; /* literal; NULL: the system decides */
	bool		http2;			/* where the gateway offers it */
	bool		repeat;			/* contract: an idempotency key is honoured; else once */
	int			key_life_hours; /* a key is never repeated after this */
	int			timeout_ms;		/* of the whole transfer; SMTP: of the login and of each answer after it */
	double		rate;			/* messages a second, 0: unlimited */
	int			breaker_after;	/* so many failures in a row, and nothing goes for a while */
	int			breaker_pause_ms;	/* the first such while */
	int64		daily;			/* messages a day, 0: unlimited */
	char	   *rate_group;		/* NULL: the server's own bucket */
	char	   *creditor;		/* NULL: serves every creditor */
	char	   *return_path;	/* SMTP: where reports go, with {message_id}; NULL: to `from` */
	bool		require_tls;	/* SMTP: STARTTLS or nothing; false only on a host that dunning.allowed_hosts names */
	char	   *directory;		/* spool: where files go; NULL for other drivers */
	struct DunPreset *preset;	/* http: what a request looks like; NULL for other drivers */
	List	   *options;		/* every option as DefElem, for drivers with more (presets, templates, spool directory) */
} DunServer;

/* A document that goes with a mail; its name is in UTF-8, its type checked when it was saved. */
typedef struct DunAttachment
{
	char	   *file_name;
	char	   *media_type;
	char	   *data;
	size_t		len;
	char	   *digest;			/* sha256 of data, hexadecimal */
} DunAttachment;

typedef struct DunOutgoing
{
	char	   *message_id;		/* also the idempotency key */
	char	   *debtor_id;
	char	   *creditor;
	char	   *channel;
	char	   *address;
	char	   *name;			/* whom it is for, NULL: not known */
	char	   *subject;		/* NULL where the channel has none */
	char	   *body_text;
	char	   *body_html;		/* NULL: text only */
	char	   *sender_name;
	char	   *reply_to;
	char	   *unsubscribe_url;	/* NULL: no List-Unsubscribe header */
	List	   *attachments;	/* of DunAttachment *; smtp alone carries them */
	int64		sent_at;		/* Unix seconds, for Date: */
} DunOutgoing;

typedef enum DunRequestKind
{
	DUN_REQUEST_HTTP,
	DUN_REQUEST_SMTP,
	DUN_REQUEST_SPOOL,			/* write `body` as file `path`, atomically */
	DUN_REQUEST_TASK,			/* insert a worklist task in the settling transaction */
	DUN_REQUEST_MOCK			/* nothing leaves; judged at once */
} DunRequestKind;

/*
 * Credentials: an HTTP request carries them already (header or URL), so the transport must not log in by
 * itself; for SMTP the transport logs in with the server's username and password.
 */
typedef struct DunRequest
{
	DunRequestKind kind;
	char	   *url;
	char	   *method;			/* HTTP */
	List	   *headers;		/* of char *, each "Name: value", already checked octet by octet */
	char	   *authorization;	/* that of the headers that is a secret; NULL: none */
	char	   *body;
	size_t		body_len;
	char	   *mail_from;		/* SMTP envelope, checked */
	char	   *mail_rcpt;
	char	   *envelope_id;	/* SMTP: what a report names it by, where the peer can (RFC 3461) */
	char	   *path;			/* SPOOL */
} DunRequest;

/*
 * How far a transfer got. HTTP: from libcurl's counters. SMTP: from the stage of the dialog; a reply to the final dot is
 * DUN_REPLIED whatever its code, and so is a no to login, MAIL or DATA; a no to RCPT is about the address and is
 * DUN_NOT_SENT with its code.
 */
typedef enum DunProgress
{
	DUN_NOT_SENT,				/* refused, DNS, TLS, SMTP refused before the final dot: certainly nothing left */
	DUN_MAYBE_SENT,				/* the body was on its way and no whole reply came */
	DUN_REPLIED
} DunProgress;

typedef struct DunReply
{
	DunProgress progress;
	long		code;			/* HTTP status or SMTP reply code, 0: none */
	char	   *error;			/* transport error in words, NULL: none; no address, no body */
	char	   *body;			/* capped; SMTP: the last reply line; NULL: none */
	size_t		body_len;
	char	   *retry_after;	/* raw header, NULL: none */
	bool		before_recipient;	/* SMTP: a no to the connection, the login or the sender */
	bool		not_let_in;		/* not sent for want of what we or the peer must mend: a certificate, a proxy's login, an address */
} DunReply;

typedef enum DunVerdict
{
	DUN_SENT,
	DUN_RETRY,					/* later, by backoff or retry_after_s */
	DUN_FAILED,					/* final: fallback channel or dead */
	DUN_SUPPRESS,				/* final, and the address is to be suppressed */
	DUN_UNKNOWN					/* may have arrived */
} DunVerdict;

/* Whose failure it is where a message is to be tried again. */
typedef enum DunBlame
{
	DUN_BLAME_NONE,				/* nobody's, or the message's */
	DUN_BLAME_SERVER,			/* it took nothing: so many in a row, and it is left alone for a while */
	DUN_BLAME_PERHAPS_US,		/* it may not let us in, or may not want this message */
	DUN_BLAME_US				/* it does not let us in: login, credit, sender */
} DunBlame;

typedef struct DunJudgement
{
	DunVerdict	verdict;
	DunBlame	blame;
	char	   *reason;			/* short, e.g. "http_503", "smtp_550", "timeout" */
	char	   *provider_ref;	/* NULL: none */
	int			retry_after_s;	/* 0: backoff decides; capped at one day */
} DunJudgement;

typedef struct DunDriver
{
	const char *name;

	/* Errors out (DN006) where the message cannot be sent by this server; the caller settles it as failed. */
	void		(*build) (const DunServer *server, const DunOutgoing *out, DunRequest *request);
	void		(*judge) (const DunServer *server, const DunReply *reply, DunJudgement *judgement);
} DunDriver;

/* NULL where there is none of that name. */
extern const DunDriver *dun_gateway_find_driver(const char *name);

/*
 * Read a SERVER with the mapping of dunning_worker and its secret file. Errors out (DN006) with the fixing SQL in
 * HINT: unknown server, wrong wrapper, missing option, missing or group-readable secret file.
 */
extern DunServer *dun_gateway_load_server(const char *name);

/*
 * NULL where the address may be used, else why not, e.g. "address_control_character". `kind` is a channel or an
 * address field: email; sms, phone, call, whatsapp; letter, address, visit; anything else is plain text.
 */
extern const char *dun_gateway_check_address(const char *kind, const char *address);

#endif
