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
 *		18	HMAC-SHA256 over the above and the debtor's id, cut to 144 bits
 *
 * No personal datum is in it. Keys are files of dunning.secret_directory: link.key signs, link.key.<anything>
 * still verifies. They are read at each use: a link is rare, and a stolen backend has no copy.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/htup_details.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "funcapi.h"
#include "port/pg_bswap.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/errcodes.h"

#define TOKEN_VERSION 1
#define TOKEN_BYTES 42
#define TOKEN_CHARS 56
#define SIGNED_BYTES 24
#define MAC_BYTES 18
#define KEY_MIN 32
#define KEY_MAX 1024

/* Their order is part of every token that is out there. */
static const char *const purposes[] = {"pay", "plan", "already_paid", "dispute", "opt_out"};

typedef struct LinkKey
{
	uint8		bytes[KEY_MAX];
	int			len;
	uint8		id[3];
} LinkKey;

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* ---- keys ---- */

static const char *
secret_directory(void)
{
	const char *dir = GetConfigOption("dunning.secret_directory", true, false);

	if (dir == NULL || dir[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dunning.secret_directory is not set"),
				 errdetail("The key that signs links is a file in it."),
				 errhint("ALTER SYSTEM SET dunning.secret_directory = '/etc/dunning'; SELECT pg_reload_conf();")));
	return dir;
}

/* Names the file, not its path: whoever opens a link need not know where secrets lie. */
static void
refuse_key(const char *name, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("key file \"%s\" of dunning.secret_directory cannot be used", name),
			 errdetail("%s", why),
			 errhint("As the server's user, in that directory: (umask 077; head -c 32 /dev/urandom > link.key)")));
}

static void
compute_mac(const LinkKey *key, const uint8 *data, size_t len, const char *more, uint8 *mac)
{
	pg_hmac_ctx *ctx = pg_hmac_create(PG_SHA256);

	if (ctx == NULL || pg_hmac_init(ctx, key->bytes, key->len) < 0 ||
		pg_hmac_update(ctx, data, len) < 0 ||
		pg_hmac_update(ctx, (const uint8 *) more, strlen(more)) < 0 ||
		pg_hmac_final(ctx, mac, PG_SHA256_DIGEST_LENGTH) < 0)
	{
		if (ctx)
			pg_hmac_free(ctx);
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute an HMAC")));
	}
	pg_hmac_free(ctx);
}

/* False where there is no such file. */
static bool
read_key(const char *name, LinkKey *key)
{
	uint8		mac[PG_SHA256_DIGEST_LENGTH];
	struct stat st;
	char	   *path = psprintf("%s/%s", secret_directory(), name);
	int			fd = OpenTransientFile(path, O_RDONLY | PG_BINARY);

	if (fd < 0 && errno == ENOENT)
		return false;
	if (fd < 0)
		refuse_key(name, "The server's user may not read it.");
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		refuse_key(name, "It is no regular file.");
	if (st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		refuse_key(name, "It must belong to the server's user and be closed to all others (mode 0600).");
	key->len = read(fd, key->bytes, KEY_MAX);
	CloseTransientFile(fd);
	if (key->len < KEY_MIN)
		refuse_key(name, "It has fewer than 32 bytes.");
	compute_mac(key, (const uint8 *) "", 0, "dunning link key id", mac);
	memcpy(key->id, mac, sizeof(key->id));
	return true;
}

static void
read_current_key(LinkKey *key)
{
	if (!read_key("link.key", key))
		refuse_key("link.key", "There is no such file.");
}

/* The key of an id: the current one, else one of the older. */
static bool
find_key(const uint8 *id, LinkKey *key)
{
	const char *dir = secret_directory();
	DIR		   *d;
	struct dirent *entry;
	bool		found = false;

	read_current_key(key);
	if (memcmp(key->id, id, sizeof(key->id)) == 0)
		return true;
	d = AllocateDir(dir);
	while (!found && (entry = ReadDir(d, dir)) != NULL)
	{
		if (strncmp(entry->d_name, "link.key.", 9) != 0)
			continue;
		found = read_key(entry->d_name, key) && memcmp(key->id, id, sizeof(key->id)) == 0;
	}
	FreeDir(d);
	return found;
}

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

PG_FUNCTION_INFO_V1(dun_message_sql_make_token);

/* _make_token(purpose, debtor_id, message_id, expires_at) */
Datum
dun_message_sql_make_token(PG_FUNCTION_ARGS)
{
	int			purpose = purpose_number(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char	   *debtor_id = text_to_cstring(PG_GETARG_TEXT_PP(1));
	pg_uuid_t  *message_id = PG_GETARG_UUID_P(2);
	TimestampTz expires = PG_GETARG_TIMESTAMPTZ(3);
	uint8		token[TOKEN_BYTES];
	uint8		mac[PG_SHA256_DIGEST_LENGTH];
	char		text[TOKEN_CHARS + 1];
	uint32		seconds;
	LinkKey		key;

	if (TIMESTAMP_NOT_FINITE(expires) || expires < 0 || expires / USECS_PER_SEC > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a link cannot expire at that time"),
				 errdetail("It must lie between 2000 and 2136."), errhint("Check dunning.clock.")));
	read_current_key(&key);
	token[0] = (TOKEN_VERSION << 4) | purpose;
	memcpy(token + 1, key.id, 3);
	seconds = pg_hton32((uint32) (expires / USECS_PER_SEC));
	memcpy(token + 4, &seconds, 4);
	memcpy(token + 8, message_id->data, UUID_LEN);
	compute_mac(&key, token, SIGNED_BYTES, debtor_id, mac);
	explicit_bzero(&key, sizeof(key));
	memcpy(token + SIGNED_BYTES, mac, MAC_BYTES);
	encode(token, text);
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
	LinkKey		key;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false};
	TimestampTz expires;
	uint32		seconds;
	bool		genuine;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	/* A debtor that is not known any more is refused like a forged token, and as late. */
	if (!decode(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), token) || !find_key(token + 1, &key))
		refuse_token();
	compute_mac(&key, token, SIGNED_BYTES, text_to_cstring(PG_GETARG_TEXT_PP(1)), mac);
	explicit_bzero(&key, sizeof(key));
	genuine = same_bytes(mac, token + SIGNED_BYTES, MAC_BYTES);
	memcpy(&seconds, token + 4, 4);
	expires = (TimestampTz) pg_ntoh32(seconds) * USECS_PER_SEC;
	if (!genuine || token[0] >> 4 != TOKEN_VERSION || (token[0] & 15) >= (int) lengthof(purposes) || expires <= now)
		refuse_token();
	values[0] = CStringGetTextDatum(purposes[token[0] & 15]);
	values[1] = TimestampTzGetDatum(expires);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
