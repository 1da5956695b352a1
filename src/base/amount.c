/*
 * base/amount.c
 *		Numerics of the ledger as millionths.
 *
 * The value is read off the stored form of a numeric (base 10000, weight, sign), which is a part of PostgreSQL's
 * on-disk format: printing it and reading the digits back costs five times as much, and that for every row.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "base/amount.h"
#include "base/compat.h"

#define NUMERIC_BASE 10000
#define MAX_WEIGHT 2			/* twelve digits before the point, six behind it: below 10^18 */

typedef struct Stored
{
	bool		minus;
	int			weight;
	int			scale;
	int			ndigits;
	const char *digits;
} Stored;

static uint16
word_at(const char *p)
{
	uint16		word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* False: NaN or infinity. */
static bool
read_header(Datum numeric, Stored *n)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(numeric);
	const char *p = VARDATA_ANY(value);
	int			len = VARSIZE_ANY_EXHDR(value);
	uint16		header = word_at(p);
	int			header_len = sizeof(uint16);

	if ((header & 0xC000) == 0xC000)
		return false;
	if (header & 0x8000)
	{
		n->minus = (header & 0x2000) != 0;
		n->scale = (header & 0x1F80) >> 7;
		n->weight = (header & 0x003F) - ((header & 0x0040) ? 64 : 0);
	}
	else
	{
		n->minus = (header & 0xC000) == 0x4000;
		n->scale = header & 0x3FFF;
		n->weight = (int16) word_at(p + header_len);
		header_len += sizeof(int16);
	}
	n->ndigits = (len - header_len) / (int) sizeof(int16);
	n->digits = p + header_len;
	return true;
}

bool
dun_base_read_amount(Datum numeric, int64 *millionths, int *scale)
{
	Stored		n;
	int64		whole = 0;
	int64		part = 0;

	if (!read_header(numeric, &n) || (n.ndigits > 0 && n.weight > MAX_WEIGHT))
		return false;
	for (int i = 0; i < n.ndigits; i++)
	{
		int			power = n.weight - i;
		int			digit = word_at(n.digits + i * sizeof(int16));

		if (power >= 0)
			whole = whole * NUMERIC_BASE + digit;
		else if (power == -1)
			part += digit * 100;
		else if (power == -2 && digit % 100 == 0)
			part += digit / 100;
		else if (digit != 0)
			return false;
	}
	if (n.ndigits > 0)
		for (int power = n.weight - n.ndigits; power >= 0; power--)
			whole *= NUMERIC_BASE;
	*millionths = (whole * DUN_ONE + part) * (n.minus ? -1 : 1);
	if (scale != NULL)
		*scale = Min(n.scale, DUN_DECIMALS);
	return true;
}

void
dun_base_append_amount(StringInfo s, int64 millionths)
{
	uint64		value = millionths < 0 ? 0 - (uint64) millionths : (uint64) millionths;
	char		decimals[DUN_DECIMALS + 1];
	int			len = DUN_DECIMALS;

	appendStringInfo(s, "%s" UINT64_FORMAT, millionths < 0 ? "-" : "", value / DUN_ONE);
	snprintf(decimals, sizeof(decimals), "%06d", (int) (value % DUN_ONE));
	while (len > 0 && decimals[len - 1] == '0')
		len--;
	if (len > 0)
	{
		appendStringInfoChar(s, '.');
		appendBinaryStringInfo(s, decimals, len);
	}
}

Numeric
dun_base_make_amount(int64 millionths, int scale)
{
	int			decimals = DUN_DECIMALS;

	while (decimals > scale && millionths % 10 == 0)
	{
		millionths /= 10;
		decimals--;
	}
	return int64_div_fast_to_numeric(millionths, decimals);
}
