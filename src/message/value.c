/*
 * message/value.c
 *		A value of the context as it is shown: through its filter, and escaped for its place.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "message/value.h"

const char *const dun_message_part_names[] = {"subject", "body_text", "body_html"};

static void
refuse_value(DunRenderer *r, const DunNode *n, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("value of \"%.*s\" %s", n->text.len, r->t->text + n->text.at, what),
			 errdetail("It is used in the %s.", dun_message_part_names[r->part]),
			 errhint("Correct the value in the ledger or in vars, or the template with dunning.save_template(...).")));
}

/* -?digits[.digits], as numeric prints it; so neither NaN nor infinity. */
static bool
is_decimal(const char *s, int len)
{
	int			i = 0,
				n = 0;

	if (i < len && s[i] == '-')
		i++;
	for (; i < len && s[i] >= '0' && s[i] <= '9'; i++)
		n++;
	if (n > 0 && i < len && s[i] == '.')
		for (i++; i < len && s[i] >= '0' && s[i] <= '9'; i++)
			;
	return n > 0 && i == len && s[len - 1] != '.';
}

/* A number, or text that is one, as decimal text. */
static char *
decimal_of(DunRenderer *r, const DunNode *n, const JsonbValue *v)
{
	char	   *s;

	if (v->type == jbvNumeric)
		s = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v->val.numeric)));
	else if (v->type == jbvString)
		s = pnstrdup(v->val.string.val, v->val.string.len);
	else
		s = pstrdup("");
	if (!is_decimal(s, strlen(s)))
		refuse_value(r, n, "is not a finite number");
	return s;
}

/* The currency beside an amount: that of the innermost scope that has one. */
static char *
currency_of(DunRenderer *r, const DunNode *n)
{
	JsonbValue	v;

	for (int i = r->depth; i >= 0; i--)
		if (dun_message_is_object(&r->scope[i]) && getKeyJsonValueFromContainer(r->scope[i].val.binary.data, "currency", 8, &v))
		{
			if (v.type != jbvString || v.val.string.len == 0)
				break;
			return pnstrdup(v.val.string.val, v.val.string.len);
		}
	refuse_value(r, n, "has no currency beside it");
	return NULL;
}

static void
format_money(DunRenderer *r, const DunNode *n, const JsonbValue *v)
{
	char	   *currency = currency_of(r, n);
	char	   *s = decimal_of(r, n, v);
	int			exponent = dun_message_currency_exponent(currency);
	char	   *point = strchr(s, '.');

	if (point && (int) strlen(point + 1) > exponent)
	{
		Datum		sum = DirectFunctionCall3(numeric_in, CStringGetDatum(s), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

		sum = DirectFunctionCall2(numeric_round, sum, Int32GetDatum(exponent));
		s = DatumGetCString(DirectFunctionCall1(numeric_out, sum));
	}
	dun_message_format_money(&r->scratch, r->locale, s, currency, !r->utf8);
}

static void
format_plural(DunRenderer *r, const DunNode *n, const JsonbValue *v)
{
	DunSpan		word = dun_message_is_one(r->locale, decimal_of(r, n, v)) ? n->singular : n->plural;

	r->shown = r->t->text + word.at;
	r->nshown = word.len;
}

static bool
is_not_finite(const JsonbValue *v)
{
	static const char *const words[] = {"NaN", "Infinity", "-Infinity"};

	for (size_t i = 0; i < lengthof(words); i++)
		if (v->val.string.len == (int) strlen(words[i]) && pg_strncasecmp(v->val.string.val, words[i], v->val.string.len) == 0)
			return true;
	return false;
}

static void
format_plain(DunRenderer *r, const DunNode *n, const JsonbValue *v)
{
	switch (v->type)
	{
		case jbvString:
			if (r->c->names[n->name].measure && is_not_finite(v))
				refuse_value(r, n, "is not finite");
			r->shown = v->val.string.val;
			r->nshown = v->val.string.len;
			break;
		case jbvNumeric:
			r->shown = decimal_of(r, n, v);
			r->nshown = strlen(r->shown);
			break;
		case jbvBool:
			r->shown = v->val.boolean ? "true" : "false";
			r->nshown = v->val.boolean ? 4 : 5;
			break;
		default:
			refuse_value(r, n, "is a list or an object, which only a section can show");
	}
}

/* The value as it is shown, in r->shown. */
void
dun_message_format_value(DunRenderer *r, const DunNode *n, const JsonbValue *v)
{
	char	   *s;

	resetStringInfo(&r->scratch);
	switch (n->filter)
	{
		case DUN_FILTER_NONE:
			format_plain(r, n, v);
			return;
		case DUN_FILTER_PLURAL:
			format_plural(r, n, v);
			return;
		case DUN_FILTER_MONEY:
			format_money(r, n, v);
			break;
		case DUN_FILTER_NUMBER:
			dun_message_format_number(&r->scratch, r->locale, decimal_of(r, n, v), 0);
			break;
		case DUN_FILTER_ABS:
			s = decimal_of(r, n, v);
			dun_message_format_number(&r->scratch, r->locale, *s == '-' ? s + 1 : s, 0);
			break;
		case DUN_FILTER_DATE:
			if (v->type != jbvString ||
				!dun_message_format_date(&r->scratch, r->locale, v->val.string.val, v->val.string.len))
				refuse_value(r, n, "is not a date");
			break;
	}
	r->shown = r->scratch.data;
	r->nshown = r->scratch.len;
	if (n->filter == DUN_FILTER_DATE && !r->utf8)
	{
		r->shown = pg_any_to_server(pstrdup(r->scratch.data), r->scratch.len, PG_UTF8);
		r->nshown = strlen(r->shown);
	}
}

/* javascript: and its like never become a link, whatever the ledger says. */
static void
check_url(DunRenderer *r, const DunNode *n)
{
	static const char *const schemes[] = {"https://", "http://", "mailto:", "tel:"};

	for (size_t i = 0; i < lengthof(schemes); i++)
		if (r->nshown >= (int) strlen(schemes[i]) && pg_strncasecmp(r->shown, schemes[i], strlen(schemes[i])) == 0)
			return;
	/* "a" in href="{{part}}" alone would be a relative address, which no mail can follow */
	if (r->nshown > 0)
		refuse_value(r, n, "is not an http, mailto or tel address");
}

void
dun_message_append_escaped(DunRenderer *r, const DunNode *n, const char *s, int len)
{
	switch (n->escape)
	{
		case DUN_ESCAPE_NONE:
			dun_message_append_clean(&r->out, s, len, r->utf8);
			break;
		case DUN_ESCAPE_URL_START:
			check_url(r, n);
			dun_message_append_html(&r->out, s, len, r->utf8);
			break;
		case DUN_ESCAPE_URL_PART:
			dun_message_append_percent(&r->out, s, len);
			break;
		case DUN_ESCAPE_HTML:
			dun_message_append_html(&r->out, s, len, r->utf8);
			break;
	}
}
