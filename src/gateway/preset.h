/*
 * gateway/preset.h
 *		What one kind of HTTP gateway wants: a row of dunning.http_preset, compiled.
 */
#ifndef DUN_GATEWAY_PRESET_H
#define DUN_GATEWAY_PRESET_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "gateway/driver.h"

typedef enum DunEncoding
{
	DUN_ENCODE_NONE,
	DUN_ENCODE_JSON,
	DUN_ENCODE_URL
} DunEncoding;

/* A template cut at its placeholders. */
typedef struct DunPattern
{
	DunEncoding encoding;
	List	   *pieces;			/* of DunPiece * */
	bool		names_message;	/* holds {message_id} */
	bool		names_secret;	/* holds {secret} */
	bool		names_receipt_url;	/* holds {receipt_url} */
} DunPattern;

typedef struct DunPreset
{
	char	   *name;
	char	   *method;
	DunPattern *url;			/* the server's URL with the preset's path */
	DunPattern *query;			/* what is asked about a message of which nobody knows; NULL: nothing can be */
	DunPattern *body;			/* NULL: none */
	DunPattern *unsubscribe;	/* added to either where the message can be unsubscribed from; NULL: nothing */
	DunPattern *body_html;		/* used where the message has HTML; NULL: as body */
	List	   *headers;		/* content type and authorization, ready */
	char	   *authorization;	/* that one of them; NULL: none */
	bool		names_secret;	/* in its URL or a body */
	bool		names_receipt_url;	/* there, too */
	char	   *idempotency_header; /* NULL: none */
	bool		repeat;			/* what the gateway promises unless the server says otherwise */
	char	   *id_field;		/* where the reply tells the gateway's own id; NULL: nowhere */
	char	   *error_field;	/* where a refusal tells its code */
	List	   *suppress_on;	/* of char *: codes that mean the address must not be used again */
} DunPreset;

/* Errors out (22023) naming the placeholders known. */
extern DunPattern *dun_gateway_compile_pattern(const char *text, DunEncoding encoding);

extern void dun_gateway_expand_pattern(StringInfo out, const DunPattern *pattern, const DunServer *server, const DunOutgoing *message);

/* The question about one message, without a body; false: this gateway cannot be asked. */
extern bool dun_gateway_build_question(const DunServer *server, const char *message_id, DunRequest *request);

/* Reads the row inside the caller's transaction, into the current context. Errors out (DN006) where there is none. */
extern DunPreset *dun_gateway_load_preset(const char *name, const DunServer *server);

#endif
