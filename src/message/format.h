/*
 * message/format.h
 *		How numbers, sums and dates read in the six languages, what a value may contain, and how a text is cut
 *		into SMS parts. Works on UTF-8 and needs StringInfo and nothing else of the server.
 */
#ifndef DUN_MESSAGE_FORMAT_H
#define DUN_MESSAGE_FORMAT_H

#include "lib/stringinfo.h"

typedef struct DunLocale DunLocale;

/* By the part of the tag before - or _; "no" and "nn" read as nb; what is unknown reads as en. */
extern const DunLocale *dun_message_find_locale(const char *language);

/* Digits after the decimal sign of a currency: 0, 2 or 3. */
extern int	dun_message_currency_exponent(const char *currency);

/* `decimal` is -?digits[.digits]; nothing is rounded, zeros are added up to `min_decimals`. */
extern void dun_message_format_number(StringInfo out, const DunLocale *locale, const char *decimal, int min_decimals);

/* Does the number take the singular? By CLDR's rules, the zeros that are shown after the decimal sign included. */
extern bool dun_message_is_one(const DunLocale *locale, const char *decimal);

/* `decimal` is already rounded to the currency's exponent. `ascii`: codes instead of signs such as the euro's. */
extern void dun_message_format_money(StringInfo out, const DunLocale *locale, const char *decimal, const char *currency, bool ascii);

/* False where `iso` does not begin with a real yyyy-mm-dd. */
extern bool dun_message_format_date(StringInfo out, const DunLocale *locale, const char *iso, int len);

/*
 * Append a value without what could change how the rest is shown: control characters other than newline (a tab
 * becomes a space) and the invisible characters that turn the direction of writing.
 */
extern void dun_message_append_clean(StringInfo out, const char *value, int len, bool utf8);
extern void dun_message_append_html(StringInfo out, const char *value, int len, bool utf8);
extern void dun_message_append_percent(StringInfo out, const char *value, int len);

typedef struct DunSms
{
	bool		gsm;			/* GSM 03.38 with its extension table; else UCS-2 */
	int			units;			/* septets or UTF-16 units */
	int			parts;
} DunSms;

/* `text` is valid UTF-8. */
extern DunSms dun_message_count_sms(const char *text, size_t len);

#endif
