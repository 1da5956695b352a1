/*
 * gateway/check.c
 *		Addresses, header values and file names, octet by octet.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/errcodes.h"
#include "gateway/check.h"
#include "gateway/driver.h"

#define MAX_EMAIL 254			/* RFC 5321 4.5.3.1.3, less the angle brackets */
#define MAX_LOCAL 64
#define MAX_LABEL 63
#define MAX_PLAIN 2000

bool
dun_gateway_has_word(const char *words, const char *word, size_t len)
{
	if (len == 0)
		return false;
	while (*words)
	{
		size_t		n = strcspn(words, " ");

		if (n == len && memcmp(words, word, n) == 0)
			return true;
		words += n;
		words += strspn(words, " ");
	}
	return false;
}

static bool
is_alnum(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool
dun_gateway_is_header_name(const char *name)
{
	size_t		len = strlen(name);

	for (const char *c = name; *c; c++)
		if (!is_alnum((unsigned char) *c) && strchr("!#$%&'*+-.^_`|~", *c) == NULL)
			return false;
	return len > 0 && len <= 64;
}

bool
dun_gateway_is_file_name(const char *name)
{
	size_t		len = strlen(name);

	for (const char *c = name; *c; c++)
		if (!is_alnum((unsigned char) *c) && strchr(".-_", *c) == NULL)
			return false;
	return len > 0 && len <= 128 && name[0] != '.';
}

void
dun_gateway_split_from(const char *from, char **display, char **address)
{
	const char *open = strrchr(from, '<');
	size_t		len = strlen(from);

	*display = NULL;
	if (open == NULL || len == 0 || from[len - 1] != '>')
	{
		*address = pstrdup(from);
		return;
	}
	*address = pnstrdup(open + 1, from + len - 1 - (open + 1));
	while (open > from && open[-1] == ' ')
		open--;
	if (open > from)
		*display = pnstrdup(from, open - from);
}

char *
dun_gateway_make_header(const char *name, const char *value)
{
	bool		good = dun_gateway_is_header_name(name) && strlen(value) <= 8000;

	for (const char *c = value; good && *c; c++)
		good = (unsigned char) *c >= 0x20 && (unsigned char) *c < 0x7f;
	/* The value is not shown: it may be a secret. */
	if (!good)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("a value cannot stand in header \"%.64s\"", dun_gateway_is_header_name(name) ? name : "?"),
				 errdetail("Headers hold printable ASCII of at most 8000 bytes.")));
	return psprintf("%s: %s", name, value);
}

static const char *
check_domain(const char *domain)
{
	int			labels = 0;

	for (;;)
	{
		size_t		len = strcspn(domain, ".");

		if (len == 0 || len > MAX_LABEL || domain[0] == '-' || domain[len - 1] == '-')
			return "address_domain";
		for (size_t i = 0; i < len; i++)
			if (!is_alnum((unsigned char) domain[i]) && domain[i] != '-')
				return "address_domain";
		labels++;
		if (domain[len] == '\0')
			return labels >= 2 ? NULL : "address_domain";
		domain += len + 1;
	}
}

/*
 * A dot-atom at a domain of letters, digits and hyphens. Quoted local parts, source routes, comments, address literals
 * and raw UTF-8 are valid somewhere, but no debtor's mailbox needs them and each has been a way to smuggle a second one.
 */
static const char *
check_email(const char *address)
{
	const char *at = NULL;
	size_t		len = strlen(address);
	size_t		local;

	for (const char *c = address; *c; c++)
	{
		unsigned char octet = (unsigned char) *c;

		if (octet < 0x20 || octet == 0x7f)
			return "address_control_character";
		if (octet == 0x20)
			return "address_space";
		if (octet > 0x7f)
			return "address_not_ascii";
		if (strchr("<>()[],;:\\\"", octet) != NULL)
			return "address_special_character";
		if (octet == '@')
		{
			if (at != NULL)
				return "address_two_at_signs";
			at = c;
		}
	}
	if (at == NULL)
		return "address_no_at_sign";
	local = at - address;
	if (local == 0)
		return "address_no_local_part";
	if (len > MAX_EMAIL || local > MAX_LOCAL)
		return "address_too_long";
	if (address[0] == '.' || at[-1] == '.' || strstr(address, "..") != NULL)
		return "address_dots";
	return check_domain(at + 1);
}

/* E.164: a plus sign, no leading zero, 7 to 15 digits. */
static const char *
check_phone(const char *address)
{
	size_t		digits = 0;

	if (address[0] != '+')
		return "phone_without_plus";
	if (address[1] == '0')
		return "phone_leading_zero";
	for (const char *c = address + 1; *c; c++, digits++)
		if (*c < '0' || *c > '9')
			return "phone_not_digits";
	return digits >= 7 && digits <= 15 ? NULL : "phone_length";
}

static const char *
check_plain(const char *address)
{
	for (const char *c = address; *c; c++)
		if ((unsigned char) *c < 0x20 || *c == 0x7f)
			return "address_control_character";
	return strlen(address) <= MAX_PLAIN ? NULL : "address_too_long";
}

const char *
dun_gateway_check_address(const char *kind, const char *address)
{
	if (address == NULL || *address == '\0')
		return "address_missing";
	if (strcmp(kind, "email") == 0)
		return check_email(address);
	if (dun_gateway_has_word("phone sms call whatsapp voice mms", kind, strlen(kind)))
		return check_phone(address);
	return check_plain(address);
}

PG_FUNCTION_INFO_V1(dun_gateway_sql_check_address);

Datum
dun_gateway_sql_check_address(PG_FUNCTION_ARGS)
{
	const char *why;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the kind of address may not be NULL")));
	why = dun_gateway_check_address(text_to_cstring(PG_GETARG_TEXT_PP(0)),
									PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (why == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(why));
}
