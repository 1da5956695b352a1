/*
 * event/webhook.c
 *		Is what a gateway posted to us signed by who knows the server's secret?
 *
 * The secret is read from the server's secret file for the length of one call and never reaches SQL, where it
 * would stand in statement logs and in pg_stat_statements.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/errcodes.h"
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

/* 64 hexadecimal digits, after an optional "sha256=". */
static bool
parse_signature(const char *text, uint8 *out)
{
	if (strncmp(text, "sha256=", 7) == 0)
		text += 7;
	if (strlen(text) != PG_SHA256_DIGEST_LENGTH * 2)
		return false;
	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
	{
		int			high = hex_value(text[2 * i]);
		int			low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8) (high << 4 | low);
	}
	return true;
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

/* HMAC-SHA256 over "<stamp>.<body>". */
static void
sign(const char *secret, const char *stamp, const text *body, uint8 *out)
{
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);

	if (hmac == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	if (pg_hmac_init(hmac, (const uint8 *) secret, strlen(secret)) < 0 ||
		pg_hmac_update(hmac, (const uint8 *) stamp, strlen(stamp)) < 0 ||
		pg_hmac_update(hmac, (const uint8 *) ".", 1) < 0 ||
		pg_hmac_update(hmac, (const uint8 *) VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body)) < 0 ||
		pg_hmac_final(hmac, out, PG_SHA256_DIGEST_LENGTH) < 0)
	{
		const char *why = pg_hmac_error(hmac);

		pg_hmac_free(hmac);
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute a signature: %s", why)));
	}
	pg_hmac_free(hmac);
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
	if (server->password == NULL || server->password[0] == '\0')
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" has no secret to verify a signature with", server->name),
				 errhint("ALTER USER MAPPING FOR dunning_worker SERVER %s OPTIONS (ADD secret_file '%s.secret');",
						 quote_identifier(server->name), server->name)));
	body = PG_GETARG_TEXT_PP(3);
	sign(server->password, stamp, body, ours);
	explicit_bzero(server->password, strlen(server->password));
	if (!same_bytes(given, ours, sizeof(ours)))
		PG_RETURN_TEXT_P(cstring_to_text("forged"));
	PG_RETURN_NULL();
}
