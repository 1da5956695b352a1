/*
 * event/webhook.c
 *		Is what a gateway posted to us signed by who knows the server's secret?
 *
 * The secret is read from the server's secret file for the length of one call and never reaches SQL, where it
 * would stand in statement logs and in pg_stat_statements.
 */
#include "postgres.h"

#include "common/base64.h"
#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha1.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/errcodes.h"
#include "event/public_key.h"
#include "gateway/driver.h"

/* A signature older or newer than this is a replay or a wrong clock. */
#define WINDOW_SECONDS 300

/* Equal in a time that depends on the length alone. */
static bool
same_bytes(const uint8 *a, const uint8 *b, size_t len)
{
	uint8		diff = 0;

	for (size_t i = 0; i < len; i++)
		diff |= a[i] ^ b[i];
	return diff == 0;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Hexadecimal digits for exactly `len` octets. */
static bool
parse_hex(const char *text, uint8 *out, size_t len)
{
	if (strlen(text) != len * 2)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		int			high = hex_value(text[2 * i]);
		int			low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8) (high << 4 | low);
	}
	return true;
}

/* 64 hexadecimal digits, after an optional "sha256=". */
static bool
parse_signature(const char *text, uint8 *out)
{
	if (strncmp(text, "sha256=", 7) == 0)
		text += 7;
	return parse_hex(text, out, PG_SHA256_DIGEST_LENGTH);
}

/* Unix seconds, digits alone. */
static bool
parse_stamp(const char *text, int64 *seconds)
{
	if (*text == '\0' || strlen(text) > 12 || strspn(text, "0123456789") != strlen(text))
		return false;
	*seconds = strtoll(text, NULL, 10);
	return true;
}

typedef struct Piece
{
	const void *data;
	size_t		len;
} Piece;

static void
sign(const char *secret, pg_cryptohash_type algorithm, const Piece *pieces, int n, uint8 *out, size_t len)
{
	pg_hmac_ctx *hmac = pg_hmac_create(algorithm);
	bool		ok;

	if (hmac == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	ok = pg_hmac_init(hmac, (const uint8 *) secret, strlen(secret)) >= 0;
	for (int i = 0; ok && i < n; i++)
		ok = pg_hmac_update(hmac, pieces[i].data, pieces[i].len) >= 0;
	if (!ok || pg_hmac_final(hmac, out, len) < 0)
	{
		const char *why = pg_hmac_error(hmac);

		pg_hmac_free(hmac);
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute a signature: %s", why)));
	}
	pg_hmac_free(hmac);
}

/* What this server's receipts are signed with; own memory, to be wiped. */
static char *
receipt_secret(DunServer *server)
{
	char	   *secret = server->receipt_secret ? server->receipt_secret : server->password;

	if (secret == NULL || *secret == '\0')
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" has no secret to verify a signature with", server->name),
				 errhint("ALTER USER MAPPING FOR dunning_worker SERVER %s OPTIONS (ADD secret_file '%s.secret');",
						 quote_identifier(server->name), server->name)));
	return secret;
}

static void
wipe(DunServer *server)
{
	if (server->password != NULL)
		explicit_bzero(server->password, strlen(server->password));
	if (server->receipt_secret != NULL)
		explicit_bzero(server->receipt_secret, strlen(server->receipt_secret));
}

PG_FUNCTION_INFO_V1(dun_event_sql_webhook_problem);

/* (server, stamp, signature, body, now) -> NULL where all is well, else one word that says what is not. */
Datum
dun_event_sql_webhook_problem(PG_FUNCTION_ARGS)
{
	char	   *stamp;
	int64		seconds;
	int64		now_seconds;
	uint8		given[PG_SHA256_DIGEST_LENGTH];
	uint8		ours[PG_SHA256_DIGEST_LENGTH];
	DunServer  *server;
	text	   *body;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		PG_RETURN_TEXT_P(cstring_to_text("incomplete"));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_TEXT_P(cstring_to_text("unsigned"));
	stamp = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (!parse_stamp(stamp, &seconds) ||
		!parse_signature(text_to_cstring(PG_GETARG_TEXT_PP(2)), given))
		PG_RETURN_TEXT_P(cstring_to_text("malformed"));
	now_seconds = (int64) timestamptz_to_time_t(PG_GETARG_TIMESTAMPTZ(4));
	if (seconds < now_seconds - WINDOW_SECONDS || seconds > now_seconds + WINDOW_SECONDS)
		PG_RETURN_TEXT_P(cstring_to_text("out_of_time"));

	server = dun_gateway_load_server(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	body = PG_GETARG_TEXT_PP(3);
	{
		Piece		pieces[] = {{stamp, strlen(stamp)}, {".", 1}, {VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body)}};

		sign(receipt_secret(server), PG_SHA256, pieces, lengthof(pieces), ours, sizeof(ours));
	}
	wipe(server);
	if (!same_bytes(given, ours, sizeof(ours)))
		PG_RETURN_TEXT_P(cstring_to_text("forged"));
	PG_RETURN_NULL();
}

static bool
parse_base64(const char *text, uint8 *out, size_t len)
{
	size_t		size = strlen(text);

	/* pg_b64_decode wants room for what it writes. */
	return size <= 64 && pg_b64_decode(text, (int) size, (void *) out, (int) len) == (int) len;
}

static const char *
verify_hmac(const char *secret, const char *scheme, const char *signature, const bytea *content)
{
	bool		sha1 = strcmp(scheme, "hmac-sha1-base64") == 0;
	size_t		len = sha1 ? SHA1_DIGEST_LENGTH : PG_SHA256_DIGEST_LENGTH;
	uint8		given[PG_SHA256_DIGEST_LENGTH];
	uint8		ours[PG_SHA256_DIGEST_LENGTH];
	Piece		piece = {VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content)};

	if (sha1 ? !parse_base64(signature, given, len) : !parse_hex(signature, given, len))
		return "malformed";
	sign(secret, sha1 ? PG_SHA1 : PG_SHA256, &piece, 1, ours, len);
	return same_bytes(given, ours, len) ? NULL : "forged";
}

static const char *
verify_public_key(const DunServer *server, const char *signature, const bytea *content)
{
	if (server->receipt_key == NULL)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" has no key to verify a signature with", server->name),
				 errhint("ALTER SERVER %s OPTIONS (ADD receipt_key 'MFkw...'); -- the verification key that the gateway shows",
						 quote_identifier(server->name))));
	return dun_event_verify_ecdsa(server->receipt_key, signature, (const uint8 *) VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));
}

PG_FUNCTION_INFO_V1(dun_event_sql_signature_problem);

/* (server, scheme, signature, content) -> NULL where it is signed as that provider signs, else one word. */
Datum
dun_event_sql_signature_problem(PG_FUNCTION_ARGS)
{
	const char *problem;
	char	   *scheme;
	char	   *signature;
	DunServer  *server;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		PG_RETURN_TEXT_P(cstring_to_text("incomplete"));
	if (PG_ARGISNULL(2))
		PG_RETURN_TEXT_P(cstring_to_text("unsigned"));
	scheme = text_to_cstring(PG_GETARG_TEXT_PP(1));
	signature = text_to_cstring(PG_GETARG_TEXT_PP(2));
	server = dun_gateway_load_server(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (strcmp(scheme, "ecdsa-sha256") == 0)
		problem = verify_public_key(server, signature, PG_GETARG_BYTEA_PP(3));
	else if (strcmp(scheme, "hmac-sha1-base64") == 0 || strcmp(scheme, "hmac-sha256-hex") == 0)
		problem = verify_hmac(receipt_secret(server), scheme, signature, PG_GETARG_BYTEA_PP(3));
	else
		elog(ERROR, "unknown signature scheme \"%s\"", scheme);
	wipe(server);
	if (problem != NULL)
		PG_RETURN_TEXT_P(cstring_to_text(problem));
	PG_RETURN_NULL();
}
