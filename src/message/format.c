/*
 * message/format.c
 *		Numbers, sums, dates, escaping and the length of an SMS.
 *
 * The locale table is our own: the server's lc_monetary and lc_time are one a cluster and depend on what the
 * operating system has installed, and a message must read the same wherever it is rendered.
 */
#ifdef FRONTEND
#include "postgres_fe.h"
#else
#include "postgres.h"
#endif

#include "message/append.h"
#include "message/format.h"

/*
 * When a number takes the singular, by the plural rules of Unicode CLDR; these six languages have two forms.
 * test/t/icu.pl compares them with ICU.
 */
typedef enum OneRule
{
	ONE_WHOLE,					/* 1, but not 1.0 */
	ONE_VALUE,					/* 1, 1.0, 1.00 */
	ONE_BELOW_TWO				/* these, and what has a fraction and is less than 2 */
} OneRule;

struct DunLocale
{
	const char *language;
	const char *group;			/* between thousands */
	char		decimal;
	const char *home_currency;	/* written with `home_sign`, others by code */
	const char *home_sign;
	bool		sign_first;		/* "EUR 5" rather than "5 EUR" */
	bool		sign_glued;		/* no space between a leading one-character sign and the number */
	const char *day_mark;		/* after the day of the month */
	const char *month[12];
	OneRule		one;
};

static const DunLocale locales[] = {
	{"en", ",", '.', "GBP", "\xC2\xA3", true, true, "",
	{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}, ONE_WHOLE},
	{"da", ".", ',', "DKK", "kr.", false, false, ".",
	{"januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november", "december"}, ONE_BELOW_TWO},
	{"sv", " ", ',', "SEK", "kr", false, false, "",
	{"januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"}, ONE_WHOLE},
	{"nb", " ", ',', "NOK", "kr", false, false, ".",
	{"januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "desember"}, ONE_VALUE},
	{"nl", ".", ',', "EUR", "\xE2\x82\xAC", true, false, "",
	{"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"}, ONE_WHOLE},
	{"de", ".", ',', "EUR", "\xE2\x82\xAC", false, false, ".",
	{"Januar", "Februar", "M\xC3\xA4rz", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}, ONE_WHOLE},
};

/* Languages that read as another; tags are compared without their region. */
static const char *const aliases[][2] = {{"no", "nb"}, {"nn", "nb"}};

const DunLocale *
dun_message_find_locale(const char *language)
{
	char		tag[3] = "";

	for (int i = 0; language && i < 2 && language[i] && language[i] != '-' && language[i] != '_'; i++)
		tag[i] = (language[i] >= 'A' && language[i] <= 'Z') ? language[i] + 32 : language[i];
	if (language && tag[0] && tag[1] && language[2] != '\0' && language[2] != '-' && language[2] != '_')
		return &locales[0];
	for (size_t i = 0; i < lengthof(aliases); i++)
		if (strcmp(tag, aliases[i][0]) == 0)
			strcpy(tag, aliases[i][1]);
	for (size_t i = 0; i < lengthof(locales); i++)
		if (strcmp(tag, locales[i].language) == 0)
			return &locales[i];
	return &locales[0];
}

int
dun_message_currency_exponent(const char *currency)
{
#define CODE(a, b, c) ((a) << 16 | (b) << 8 | (c))
	if (strlen(currency) != 3)
		return 2;
	/* ISO 4217, the active codes whose minor unit is not two digits. */
	switch (CODE((unsigned char) currency[0], (unsigned char) currency[1], (unsigned char) currency[2]))
	{
		case CODE('B', 'I', 'F'):
		case CODE('C', 'L', 'P'):
		case CODE('D', 'J', 'F'):
		case CODE('G', 'N', 'F'):
		case CODE('I', 'S', 'K'):
		case CODE('J', 'P', 'Y'):
		case CODE('K', 'M', 'F'):
		case CODE('K', 'R', 'W'):
		case CODE('P', 'Y', 'G'):
		case CODE('R', 'W', 'F'):
		case CODE('U', 'G', 'X'):
		case CODE('V', 'N', 'D'):
		case CODE('V', 'U', 'V'):
		case CODE('X', 'A', 'F'):
		case CODE('X', 'O', 'F'):
		case CODE('X', 'P', 'F'):
			return 0;
		case CODE('B', 'H', 'D'):
		case CODE('I', 'Q', 'D'):
		case CODE('J', 'O', 'D'):
		case CODE('K', 'W', 'D'):
		case CODE('L', 'Y', 'D'):
		case CODE('O', 'M', 'R'):
		case CODE('T', 'N', 'D'):
			return 3;
		default:
			return 2;
	}
#undef CODE
}

void
dun_message_format_number(StringInfo out, const DunLocale *locale, const char *decimal, int min_decimals)
{
	const char *point;
	int			whole,
				first,
				decimals;

	if (*decimal == '-')
	{
		dun_message_append_char(out, '-');
		decimal++;
	}
	point = strchr(decimal, '.');
	whole = point ? point - decimal : (int) strlen(decimal);
	/* Four digits are grouped too: sums stand below each other in lists. */
	first = whole > 0 ? (whole - 1) % 3 + 1 : 0;
	dun_message_append(out, decimal, first);
	for (int i = first; i < whole; i += 3)
	{
		dun_message_append(out, locale->group, strlen(locale->group));
		dun_message_append(out, decimal + i, 3);
	}
	decimals = point ? (int) strlen(point + 1) : 0;
	if (decimals > 0 || min_decimals > 0)
		dun_message_append_char(out, locale->decimal);
	if (decimals > 0)
		dun_message_append(out, point + 1, decimals);
	for (int i = decimals; i < min_decimals; i++)
		dun_message_append_char(out, '0');
}

bool
dun_message_is_one(const DunLocale *locale, const char *decimal)
{
	const char *whole = decimal + (*decimal == '-');
	const char *point = strchr(whole, '.');
	size_t		len = point ? (size_t) (point - whole) : strlen(whole);
	bool		fraction = point && strspn(point + 1, "0") < strlen(point + 1);

	while (len > 1 && *whole == '0')
	{
		whole++;
		len--;
	}
	if (len != 1 || (*whole != '1' && *whole != '0'))
		return false;
	switch (locale->one)
	{
		case ONE_WHOLE:
			return *whole == '1' && point == NULL;
		case ONE_VALUE:
			return *whole == '1' && !fraction;
		case ONE_BELOW_TWO:
			return *whole == '1' || fraction;
	}
	return false;
}

static const char *
currency_sign(const DunLocale *locale, const char *currency, bool ascii)
{
	const char *sign = currency;

	if (strcmp(currency, locale->home_currency) == 0)
		sign = locale->home_sign;
	else if (strcmp(currency, "EUR") == 0)
		sign = "\xE2\x82\xAC";
	else if (strcmp(currency, "USD") == 0 && locale->sign_glued)
		sign = "$";
	return ascii && ((unsigned char) sign[0] & 0x80) ? currency : sign;
}

void
dun_message_format_money(StringInfo out, const DunLocale *locale, const char *decimal, const char *currency, bool ascii)
{
	const char *sign = currency_sign(locale, currency, ascii);
	int			exponent = dun_message_currency_exponent(currency);

	if (locale->sign_first)
	{
		if (*decimal == '-')
		{
			dun_message_append_char(out, '-');
			decimal++;
		}
		dun_message_append(out, sign, strlen(sign));
		if (!locale->sign_glued || sign == currency)
			dun_message_append_char(out, ' ');
		dun_message_format_number(out, locale, decimal, exponent);
	}
	else
	{
		dun_message_format_number(out, locale, decimal, exponent);
		dun_message_append_char(out, ' ');
		dun_message_append(out, sign, strlen(sign));
	}
}

static int
digits(const char *s, int n)
{
	int			value = 0;

	for (int i = 0; i < n; i++)
	{
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
	}
	return value;
}

static void
append_int(StringInfo out, int value)
{
	char		digit[12];
	int			at = sizeof(digit);

	do
		digit[--at] = '0' + value % 10;
	while ((value /= 10) > 0);
	dun_message_append(out, digit + at, sizeof(digit) - at);
}

bool
dun_message_format_date(StringInfo out, const DunLocale *locale, const char *iso, int len)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int			year,
				month,
				day;

	if (len < 10 || iso[4] != '-' || iso[7] != '-' || (len > 10 && iso[10] != 'T' && iso[10] != ' '))
		return false;
	year = digits(iso, 4);
	month = digits(iso + 5, 2);
	day = digits(iso + 8, 2);
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return false;
	if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
		return false;
	append_int(out, day);
	dun_message_append(out, locale->day_mark, strlen(locale->day_mark));
	dun_message_append_char(out, ' ');
	dun_message_append(out, locale->month[month - 1], strlen(locale->month[month - 1]));
	dun_message_append_char(out, ' ');
	append_int(out, year);
	return true;
}

/*
 * Length of the character at s, and 0 in *keep where it is to be dropped. Not UTF-8: a byte is a character, and
 * only ASCII control characters are known.
 */
static int
next_character(const char *s, int left, bool utf8, bool *keep)
{
	unsigned char c = (unsigned char) *s;
	int			len;
	uint32		code;

	*keep = true;
	if (c < 0x80 || !utf8)
	{
		*keep = (c >= 0x20 && c != 0x7f) || c == '\n';
		return 1;
	}
	len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
	/* Not UTF-8 after all: byte by byte, so that no lead byte hides a character that needs a look. */
	for (int i = 1; i < len; i++)
		if (i >= left || (s[i] & 0xC0) != 0x80)
			return 1;
	if (len == 2)
		code = ((c & 0x1F) << 6) | (s[1] & 0x3F);
	else if (len == 3)
		code = ((c & 0x0F) << 12) | ((s[1] & 0x3F) << 6) | (s[2] & 0x3F);
	else
		return len;
	/* C1 controls; embeddings, overrides and isolates; line and paragraph separators; the byte order mark */
	*keep = !(code < 0xA0 || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
			  code == 0x2028 || code == 0x2029 || code == 0xFEFF);
	return len;
}

/* Bytes that need no look: printable ASCII that means nothing to HTML. */
static const bool plain[256] = {
	[' '] = true, ['!'] = true, ['#' ... '%'] = true, ['(' ... ';'] = true, ['='] = true, ['?' ... '_'] = true, ['a' ... '~'] = true
};

static inline int
plain_run(const char *s, int left)
{
	int			n = 0;

	while (n < left && plain[(unsigned char) s[n]])
		n++;
	return n;
}

void
dun_message_append_clean(StringInfo out, const char *value, int len, bool utf8)
{
	int			i = plain_run(value, len);

	dun_message_append(out, value, i);
	while (i < len)
	{
		bool		keep;
		int			n = next_character(value + i, len - i, utf8, &keep);

		if (keep)
			dun_message_append(out, value + i, n);
		else if (value[i] == '\t')
			dun_message_append_char(out, ' ');
		i += n;
		n = plain_run(value + i, len - i);
		dun_message_append(out, value + i, n);
		i += n;
	}
}

void
dun_message_append_html(StringInfo out, const char *value, int len, bool utf8)
{
	int			i = plain_run(value, len);

	dun_message_append(out, value, i);
	while (i < len)
	{
		bool		keep;
		int			n = next_character(value + i, len - i, utf8, &keep);

		switch (value[i])
		{
			case '&':
				dun_message_append(out, "&amp;", strlen("&amp;"));
				break;
			case '<':
				dun_message_append(out, "&lt;", strlen("&lt;"));
				break;
			case '>':
				dun_message_append(out, "&gt;", strlen("&gt;"));
				break;
			case '"':
				dun_message_append(out, "&quot;", strlen("&quot;"));
				break;
			case '\'':
				dun_message_append(out, "&#39;", strlen("&#39;"));
				break;
			case '`':
				dun_message_append(out, "&#96;", strlen("&#96;"));
				break;
			case '\t':
				dun_message_append_char(out, ' ');
				break;
			default:
				if (keep)
					dun_message_append(out, value + i, n);
				break;
		}
		i += n;
		n = plain_run(value + i, len - i);
		dun_message_append(out, value + i, n);
		i += n;
	}
}

void
dun_message_append_percent(StringInfo out, const char *value, int len)
{
	static const char hex[] = "0123456789ABCDEF";

	for (int i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) value[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c)))
			dun_message_append_char(out, c);
		else
		{
			dun_message_append_char(out, '%');
			dun_message_append_char(out, hex[c >> 4]);
			dun_message_append_char(out, hex[c & 15]);
		}
	}
}

/* Septets of a character in GSM 03.38: 1, 2 from the extension table, 0 where it has none. */
static int
gsm_septets(uint32 code)
{
	/* The basic table beyond ASCII, and ASCII that is not in it. */
	static const uint16 basic[] = {0xA1, 0xA3, 0xA4, 0xA5, 0xA7, 0xBF, 0xC4, 0xC5, 0xC6, 0xC7, 0xC9, 0xD1, 0xD6, 0xD8, 0xDC,
		0xDF, 0xE0, 0xE4, 0xE5, 0xE6, 0xE8, 0xE9, 0xEC, 0xF1, 0xF2, 0xF6, 0xF8, 0xF9, 0xFC,
	0x393, 0x394, 0x398, 0x39B, 0x39E, 0x3A0, 0x3A3, 0x3A6, 0x3A8, 0x3A9};

	if (code < 0x80)
	{
		if (code == '`' || (code < 0x20 && code != '\n' && code != '\r' && code != '\f') || code == 0x7f)
			return 0;
		return (code == '\f' || strchr("^{}\\[~]|", (int) code)) ? 2 : 1;
	}
	if (code == 0x20AC)
		return 2;
	for (size_t i = 0; i < lengthof(basic); i++)
		if (basic[i] == code)
			return 1;
	return 0;
}

static int
decode(const char *s, size_t left, uint32 *code)
{
	unsigned char c = (unsigned char) *s;
	int			len = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;

	if ((size_t) len > left)
		len = (int) left;
	*code = len == 1 ? c : len == 2 ? (c & 0x1F) : len == 3 ? (c & 0x0F) : (c & 0x07);
	for (int i = 1; i < len; i++)
		*code = (*code << 6) | (s[i] & 0x3F);
	return len;
}

/* Neither an escape sequence nor a surrogate pair is cut by the end of a part. */
static void
count_units(const char *text, size_t len, bool gsm, int per_part, DunSms *sms)
{
	int			in_part = 0;

	sms->units = 0;
	sms->parts = len > 0 ? 1 : 0;
	for (size_t i = 0; i < len;)
	{
		uint32		code;
		int			units;

		i += decode(text + i, len - i, &code);
		units = gsm ? gsm_septets(code) : (code > 0xFFFF ? 2 : 1);
		sms->units += units;
		if (in_part + units > per_part)
		{
			sms->parts++;
			in_part = 0;
		}
		in_part += units;
	}
}

DunSms
dun_message_count_sms(const char *text, size_t len)
{
	DunSms		sms = {true, 0, 0};

	for (size_t i = 0; i < len && sms.gsm;)
	{
		uint32		code;

		i += decode(text + i, len - i, &code);
		sms.gsm = gsm_septets(code) > 0;
	}
	count_units(text, len, sms.gsm, sms.gsm ? 160 : 70, &sms);
	if (sms.parts > 1)
		count_units(text, len, sms.gsm, sms.gsm ? 153 : 67, &sms);
	return sms;
}
