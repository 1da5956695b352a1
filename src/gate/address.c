/*
 * gate/address.c
 *		Addresses come from somebody else's tables and end in protocol lines: what could break out of a line, or
 *		name a second recipient, is refused before anything else looks at it.
 *
 * The digest is HMAC-SHA-256 under a key of this database, over the normal form, so that the same mailbox or
 * telephone is found however it is written, and so that a dump of digests cannot be matched against a
 * list of addresses by somebody who has not got the key.
 */
#include "postgres.h"

#include <ctype.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/hash.h"
#include "base/sha256.h"
#include "gate/address.h"

#define EMAIL_MAX 254			/* RFC 5321 */
#define PHONE_DIGITS_MIN 4
#define PHONE_DIGITS_MAX 15		/* E.164 */
#define OTHER_MAX 1024

DunAddressKind
dun_gate_address_kind(const char *field, const char *address, size_t len)
{
	if (field == NULL || strcmp(field, "*") == 0)
	{
		size_t		i;

		if (len > 0 && address[0] == '{')
			return DUN_ADDRESS_POSTAL;
		if (memchr(address, '@', len) != NULL)
			return DUN_ADDRESS_EMAIL;
		for (i = 0; i < len; i++)
			if (isalpha((unsigned char) address[i]))
				return DUN_ADDRESS_OTHER;
		return DUN_ADDRESS_PHONE;
	}
	if (strcmp(field, "email") == 0)
		return DUN_ADDRESS_EMAIL;
	if (strcmp(field, "phone") == 0)
		return DUN_ADDRESS_PHONE;
	if (strcmp(field, "address") == 0)
		return DUN_ADDRESS_POSTAL;
	return DUN_ADDRESS_OTHER;
}

/* palloc'ed: e-mail in lower case, phone as the digits of E.164, postal in lower case. */
static char *
normalise_address(DunAddressKind kind, const char *address, size_t len)
{
	char	   *out;
	size_t		n = 0,
				i;

	switch (kind)
	{
		case DUN_ADDRESS_EMAIL:
			while (len > 0 && isspace((unsigned char) address[len - 1]))
				len--;
			while (len > 0 && isspace((unsigned char) *address))
				address++, len--;
			return asc_tolower(address, len);
		case DUN_ADDRESS_POSTAL:
			return asc_tolower(address, len);
		case DUN_ADDRESS_PHONE:
			out = palloc(len + 1);
			for (i = 0; i < len; i++)
				if (isdigit((unsigned char) address[i]))
					out[n++] = address[i];
			out[n] = '\0';
			/* The international prefix is written + or 00. */
			if (n > 2 && out[0] == '0' && out[1] == '0' && memchr(address, '+', len) == NULL)
				return out + 2;
			return out;
		case DUN_ADDRESS_OTHER:
			break;
	}
	return pnstrdup(address, len);
}

static bool
email_is_good(const char *address, size_t len)
{
	const char *at = memchr(address, '@', len);
	size_t		i;

	if (len > EMAIL_MAX || at == NULL || at == address || at == address + len - 1 ||
		memchr(at + 1, '@', address + len - at - 1) != NULL || address[0] == '-' || at[1] == '.')
		return false;
	for (i = 0; i < len; i++)
	{
		unsigned char c = address[i];

		/* No quoted local parts: they exist in the standard and in attacks, hardly in billing systems. */
		if (c <= ' ' || c == 0x7F || strchr("<>\"(),;:\\[]", c) != NULL)
			return false;
	}
	return true;
}

static bool
phone_is_good(const char *address, size_t len)
{
	int			digits = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		char		c = address[i];

		if (c >= '0' && c <= '9')
			digits++;
		else if (strchr(" -./()", c) == NULL && !(c == '+' && digits == 0 && memchr(address, '+', i) == NULL))
			return false;
	}
	return digits >= PHONE_DIGITS_MIN && digits <= PHONE_DIGITS_MAX + 2;
}

/* A control character stands escaped in the text of a jsonb value. */
static bool
postal_is_good(const char *address, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
	{
		unsigned char c = address[i];

		if (c < ' ' || c == 0x7F || c == '<' || c == '>')
			return false;
		if (c == '\\' && i + 1 < len && strchr("bfnrtu", address[++i]) != NULL)
			return false;
	}
	return len > 2;
}

bool
dun_gate_address_is_good(DunAddressKind kind, const char *address, size_t len)
{
	size_t		i;

	switch (kind)
	{
		case DUN_ADDRESS_EMAIL:
			return email_is_good(address, len);
		case DUN_ADDRESS_PHONE:
			return phone_is_good(address, len);
		case DUN_ADDRESS_POSTAL:
			return postal_is_good(address, len);
		case DUN_ADDRESS_OTHER:
			break;
	}
	for (i = 0; i < len; i++)
		if ((unsigned char) address[i] <= ' ' || address[i] == 0x7F || address[i] == '<' || address[i] == '>')
			return false;
	return len > 0 && len <= OTHER_MAX;
}

static DunAddressKind
kind_argument(FunctionCallInfo fcinfo, int arg, text *address)
{
	char	   *field = PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));

	return dun_gate_address_kind(field, VARDATA_ANY(address), VARSIZE_ANY_EXHDR(address));
}

/*
 * The gate, the egress ledger and the recheck digest an address one after the other, and one HMAC costs as much as
 * reading the debtor. So each process keeps its latest ones, found by the whole normal form and for one key only.
 */
#define KEPT 4096
#define KEPT_LEN 63

typedef struct Digested
{
	uint8		len;			/* 0: nothing kept here */
	char		normal[KEPT_LEN];
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
} Digested;

typedef struct Memory
{
	uint8		key[PG_SHA256_BLOCK_LENGTH];
	int			key_len;
	Digested	kept[KEPT];
} Memory;

/* Where this address is kept or may be, NULL: nowhere. */
static Digested *
remembered(const char *normal, const bytea *key)
{
	static Memory *memory = NULL;
	size_t		len = strlen(normal);
	int			key_len = VARSIZE_ANY_EXHDR(key);

	if (len == 0 || len > KEPT_LEN || key_len > sizeof(memory->key))
		return NULL;
	if (memory == NULL)
		memory = MemoryContextAllocZero(TopMemoryContext, sizeof(Memory));
	if (memory->key_len != key_len || memcmp(memory->key, VARDATA_ANY(key), key_len) != 0)
	{
		memset(memory, 0, sizeof(Memory));
		memory->key_len = key_len;
		memcpy(memory->key, VARDATA_ANY(key), key_len);
	}
	return &memory->kept[dun_base_hash64(normal, len, 0) % KEPT];
}

void
dun_gate_digest_address(DunAddressKind kind, const char *address, size_t len, const bytea *key, uint8 *into)
{
	char	   *normal = normalise_address(kind, address, len);
	Digested   *kept = remembered(normal, key);

	if (kept != NULL && kept->len == strlen(normal) && memcmp(kept->normal, normal, kept->len) == 0)
	{
		memcpy(into, kept->digest, PG_SHA256_DIGEST_LENGTH);
		return;
	}
	dun_base_hmac_sha256(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key), normal, strlen(normal), into);
	if (kept != NULL)
	{
		kept->len = strlen(normal);
		memcpy(kept->normal, normal, kept->len);
		memcpy(kept->digest, into, PG_SHA256_DIGEST_LENGTH);
	}
}

PG_FUNCTION_INFO_V1(dun_gate_sql_digest);

/* _digest(address, address_field, key) → HMAC-SHA-256 */
Datum
dun_gate_sql_digest(PG_FUNCTION_ARGS)
{
	text	   *address;
	bytea	   *result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	address = PG_GETARG_TEXT_PP(0);
	result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	dun_gate_digest_address(kind_argument(fcinfo, 1, address), VARDATA_ANY(address), VARSIZE_ANY_EXHDR(address),
							PG_GETARG_BYTEA_PP(2), (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}

PG_FUNCTION_INFO_V1(dun_gate_sql_postal_text);

/* _postal_text(jsonb) */
Datum
dun_gate_sql_postal_text(PG_FUNCTION_ARGS)
{
	Jsonb	   *address = PG_GETARG_JSONB_P(0);

	if (!JB_ROOT_IS_OBJECT(address) || JB_ROOT_COUNT(address) == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(JsonbToCString(NULL, &address->root, VARSIZE(address))));
}

PG_FUNCTION_INFO_V1(dun_gate_sql_good_address);

/* _good_address(address, address_field) */
Datum
dun_gate_sql_good_address(PG_FUNCTION_ARGS)
{
	text	   *address;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	address = PG_GETARG_TEXT_PP(0);
	PG_RETURN_BOOL(dun_gate_address_is_good(kind_argument(fcinfo, 1, address), VARDATA_ANY(address),
											VARSIZE_ANY_EXHDR(address)));
}
