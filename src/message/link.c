/*
 * message/link.c
 *		Tokens in links: who clicked, on which message, for which purpose, until when; signed, not encrypted.
 *
 * 42 bytes, 56 characters of base64url without padding, so that every bit of the text is a bit of the token:
 *
 *		1	version (high half) and purpose
 *		3	key id, derived from the key, so that rotating means renaming a file
 *		4	expiry, seconds since 2000-01-01 UTC
 *		16	message_id
 *		18	HMAC-SHA256 over the above, the database's name and the debtor's id, cut to 144 bits
 *
 * No personal datum is in it. The database's name keeps a copy under another name from taking links of the original;
 * version 1, made before, had no name in it and is read until the last of them has expired.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/errcodes.h"
#include "message/key.h"
#include "message/link.h"

#define TOKEN_VERSION 2
#define TOKEN_BYTES 42
#define TOKEN_CHARS 56
#define SIGNED_BYTES 24
#define MAC_BYTES 18

/* Their order is part of every token that is out there. */
static const char *const purposes[] = {"pay", "plan", "already_paid", "dispute", "opt_out"};

/* The names of their addresses in a context. */
static const char *const address_names[] = {"pay_url", "plan_url", "paid_url", "dispute_url", "optout_url"};
#define PLAN 1

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* ---- tokens ---- */

static int
purpose_number(const char *purpose)
{
	for (int i = 0; i < (int) lengthof(purposes); i++)
		if (strcmp(purpose, purposes[i]) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no link purpose \"%s\"", purpose),
			 errdetail("Purposes are: pay, plan, already_paid, dispute, opt_out."),
			 errhint("SELECT dunning.link(message_id, 'pay');")));
	return -1;
}

static void
encode(const uint8 *bytes, char *out)
{
	for (int i = 0; i < TOKEN_BYTES; i += 3)
	{
		uint32		v = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];

		for (int j = 0; j < 4; j++)
			*out++ = base64url[(v >> (18 - 6 * j)) & 63];
	}
	*out = '\0';
}

static bool
decode(const char *text, size_t len, uint8 *bytes)
{
	if (len != TOKEN_CHARS)
		return false;
	for (int i = 0; i < TOKEN_CHARS; i += 4)
	{
		uint32		v = 0;

		for (int j = 0; j < 4; j++)
		{
			const char *at = text[i + j] ? strchr(base64url, text[i + j]) : NULL;

			if (at == NULL)
				return false;
			v = (v << 6) | (uint32) (at - base64url);
		}
		*bytes++ = v >> 16;
		*bytes++ = (v >> 8) & 255;
		*bytes++ = v & 255;
	}
	return true;
}

/* The one thing said about every token that is not good, so that nobody learns how near it was. */
static void
refuse_token(void)
{
	ereport(ERROR,
			(errcode(DUN_ERR_TOKEN),
			 errmsg("link is not valid"),
			 errdetail("It was changed, cut short, made with a key that is gone, or has expired."),
			 errhint("Ask the debtor to use the link of the newest message, or make one with dunning.link(message_id, purpose).")));
}

static bool
same_bytes(const uint8 *a, const uint8 *b, int len)
{
	uint8		difference = 0;

	for (int i = 0; i < len; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

/* What the signature covers beside the token itself; the length keeps the two names apart. */
static char *
scope_of(int version, const char *debtor_id)
{
	const char *database = version == 1 ? NULL : get_database_name(MyDatabaseId);

	if (version == 1)
		return pstrdup(debtor_id);
	return psprintf("%d:%s:%s", (int) strlen(database ? database : ""), database ? database : "", debtor_id);
}

static void
sign(const DunLinkKey *key, int purpose, const char *scope, const pg_uuid_t *message_id, TimestampTz expires, char *text)
{
	uint8		token[TOKEN_BYTES];
	uint8		mac[PG_SHA256_DIGEST_LENGTH];
	uint32		seconds = pg_hton32((uint32) (expires / USECS_PER_SEC));

	token[0] = (TOKEN_VERSION << 4) | purpose;
	memcpy(token + 1, key->id, DUN_KEY_ID_BYTES);
	memcpy(token + 4, &seconds, 4);
	memcpy(token + 8, message_id->data, UUID_LEN);
	dun_message_compute_mac(key, token, SIGNED_BYTES, scope, mac);
	memcpy(token + SIGNED_BYTES, mac, MAC_BYTES);
	encode(token, text);
}

static bool
can_expire(TimestampTz at)
{
	return !TIMESTAMP_NOT_FINITE(at) && at >= 0 && at / USECS_PER_SEC <= PG_UINT32_MAX;
}

PG_FUNCTION_INFO_V1(dun_message_sql_make_token);

/* _make_token(purpose, debtor_id, message_id, expires_at) */
Datum
dun_message_sql_make_token(PG_FUNCTION_ARGS)
{
	int			purpose = purpose_number(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char	   *scope = scope_of(TOKEN_VERSION, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	TimestampTz expires = PG_GETARG_TIMESTAMPTZ(3);
	char		text[TOKEN_CHARS + 1];
	DunLinkKey	key;

	if (!can_expire(expires))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a link cannot expire at that time"),
				 errdetail("It must lie between 2000 and 2136."), errhint("Check dunning.clock.")));
	dun_message_read_key(&key);
	sign(&key, purpose, scope, PG_GETARG_UUID_P(2), expires, text);
	explicit_bzero(&key, sizeof(key));
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

PG_FUNCTION_INFO_V1(dun_message_sql_token_message);

/* _token_message(token): the message a token claims to be about, believed by nobody until it is verified */
Datum
dun_message_sql_token_message(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	uint8		token[TOKEN_BYTES];
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	if (!decode(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), token))
		refuse_token();
	memcpy(id->data, token + 8, UUID_LEN);
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(dun_message_sql_verify_token);

/* _verify_token(token, debtor_id, now) -> purpose, expires_at; errors out (DN009) unless all is as it was signed */
Datum
dun_message_sql_verify_token(PG_FUNCTION_ARGS)
{
	text	   *t = PG_GETARG_TEXT_PP(0);
	TimestampTz now = PG_GETARG_TIMESTAMPTZ(2);
	uint8		token[TOKEN_BYTES];
	uint8		mac[PG_SHA256_DIGEST_LENGTH];
	DunLinkKey	key;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false};
	TimestampTz expires;
	uint32		seconds;
	bool		genuine;
	int			version;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	/* A debtor that is not known any more is refused like a forged token, and as late. */
	if (!decode(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), token) || !dun_message_find_key(token + 1, &key))
		refuse_token();
	version = token[0] >> 4;
	dun_message_compute_mac(&key, token, SIGNED_BYTES, scope_of(version, text_to_cstring(PG_GETARG_TEXT_PP(1))), mac);
	explicit_bzero(&key, sizeof(key));
	genuine = same_bytes(mac, token + SIGNED_BYTES, MAC_BYTES);
	memcpy(&seconds, token + 4, 4);
	expires = (TimestampTz) pg_ntoh32(seconds) * USECS_PER_SEC;
	if (!genuine || version < 1 || version > TOKEN_VERSION || (token[0] & 15) >= (int) lengthof(purposes) || expires <= now)
		refuse_token();
	values[0] = CStringGetTextDatum(purposes[token[0] & 15]);
	values[1] = TimestampTzGetDatum(expires);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ---- addresses in a context ---- */

static bool
find_value(const JsonbContainer *object, const char *name, JsonbValue *v)
{
	return getKeyJsonValueFromContainer(unconstify(JsonbContainer *, object), name, strlen(name), v) != NULL && v->type != jbvNull;
}

/* Whether the texts name the link of something they tell: {{offer.link}}, or {{link}} in a section. */
static bool
names_link(const DunCompiled *c)
{
	static const char link[] = "link";
	int			len = strlen(link);

	for (int i = 0; i < c->nnames; i++)
		if (c->names[i].len >= len && memcmp(c->names[i].s + c->names[i].len - len, link, len) == 0)
			return true;
	return false;
}

static void
set_object(JsonbValue *v, Jsonb *object)
{
	v->type = jbvBinary;
	v->val.binary.data = &object->root;
	v->val.binary.len = VARSIZE(object) - VARHDRSZ;
}

/* The link of an offer is the plan link of the message that tells of it. */
static Jsonb *
link_offer(Jsonb *offer, JsonbValue *url)
{
	Datum		path = CStringGetTextDatum("link");

	return DatumGetJsonbP(DirectFunctionCall4(jsonb_set, JsonbPGetDatum(offer),
											  PointerGetDatum(construct_array(&path, 1, TEXTOID, -1, false, TYPALIGN_INT)),
											  JsonbPGetDatum(JsonbValueToJsonb(url)), BoolGetDatum(true)));
}

static void
make_address(const DunLinks *links, int purpose, char **scope, JsonbValue *v)
{
	TimestampTz expires = links->now + DUN_LINK_DAYS * USECS_PER_DAY;
	char		text[TOKEN_CHARS + 1];

	v->type = jbvNull;
	if (links->key == NULL || links->base_url == NULL || !can_expire(expires))
		return;
	if (*scope == NULL)
		*scope = scope_of(TOKEN_VERSION, links->debtor_id);
	sign(links->key, purpose, *scope, links->message_id, expires, text);
	v->type = jbvString;
	v->val.string.val = psprintf("%s%s", links->base_url, text);
	v->val.string.len = strlen(v->val.string.val);
}

void
dun_message_fill_links(const DunLinks *links, const DunCompiled *c, const JsonbContainer *context, JsonbValue *root, bool *in_root)
{
	int			offer = links->tells_offer ? dun_message_find_head(c, "offer") : -1;
	bool		linked = offer >= 0 && links->offer != NULL && names_link(c);
	char	   *scope = NULL;

	if (offer >= 0)
	{
		root[offer].type = jbvNull;
		in_root[offer] = true;
		if (links->offer != NULL)
			set_object(&root[offer], links->offer);
	}
	for (int i = 0; i < (int) lengthof(address_names); i++)
	{
		int			head = dun_message_find_head(c, address_names[i]);
		JsonbValue	url;

		if (head < 0 && !(linked && i == PLAN))
			continue;
		if (!find_value(context, address_names[i], &url))
			make_address(links, i, &scope, &url);
		if (linked && i == PLAN)
			set_object(&root[offer], link_offer(links->offer, &url));
		if (head < 0)
			continue;
		root[head] = url;
		in_root[head] = true;
	}
}

char *
dun_message_unsubscribe_url(const DunLinkKey *key, const char *base_url, const char *debtor_id, const pg_uuid_t *message_id)
{
	char		text[TOKEN_CHARS + 1];
	int64		made = 0;
	TimestampTz expires;

	/* A UUIDv7 begins with the milliseconds since 1970. */
	for (int i = 0; i < 6; i++)
		made = (made << 8) | message_id->data[i];
	expires = (made - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * INT64CONST(86400000)) * 1000 + 60 * USECS_PER_DAY;
	if (!can_expire(expires))
		return NULL;
	sign(key, purpose_number("opt_out"), scope_of(TOKEN_VERSION, debtor_id), message_id, expires, text);
	return psprintf("%s%s", base_url, text);
}
