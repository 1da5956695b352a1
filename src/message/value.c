/*
 * message/value.c
 *		A value of the context: found by its key, and shown through its filter, escaped for its place.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "message/value.h"

#define FEW_KEYS 16
#define MAX_FORMATTED (64 * 1024)	/* octets kept of values that were shown */

const char *const dun_message_part_names[] = {"subject", "body_text", "body_html"};

/* ---- looking up ---- */

/* As getKeyJsonValueFromContainer() leaves a value whose place is known. `base`: where the container's data begin. */
void
dun_message_read_entry(const JsonbContainer *c, int entry, const char *base, JsonbValue *v)
{
	JEntry		e = c->children[entry];
	uint32		at = getJsonbOffset(c, entry);
	int			len = JBE_HAS_OFF(e) ? JBE_OFFLENFLD(e) - at : JBE_OFFLENFLD(e);

	if (JBE_ISSTRING(e))
	{
		v->type = jbvString;
		v->val.string.val = unconstify(char *, base + at);
		v->val.string.len = len;
	}
	else if (JBE_ISNUMERIC(e))
	{
		v->type = jbvNumeric;
		v->val.numeric = (Numeric) (base + INTALIGN(at));
	}
	else if (JBE_ISCONTAINER(e))
	{
		v->type = jbvBinary;
		v->val.binary.data = (JsonbContainer *) (base + INTALIGN(at));
		v->val.binary.len = len - (INTALIGN(at) - at);
	}
	else
	{
		v->type = JBE_ISNULL(e) ? jbvNull : jbvBool;
		v->val.boolean = JBE_ISBOOL_TRUE(e);
	}
}

/* Keys are sorted by their length, and lengths are what a container tells at once: few keys are quickest gone through. */
bool
dun_message_find_value(const JsonbContainer *c, const char *key, int len, JsonbValue *v)
{
	int			nkeys = JsonContainerSize(c);
	const char *base = (const char *) (c->children + 2 * nkeys);
	uint32		at = 0;

	if (nkeys > FEW_KEYS)
		return getKeyJsonValueFromContainer(unconstify(JsonbContainer *, c), key, len, v) != NULL;
	for (int i = 0; i < nkeys; i++)
	{
		JEntry		e = c->children[i];
		int			its_len = JBE_HAS_OFF(e) ? JBE_OFFLENFLD(e) - at : JBE_OFFLENFLD(e);

		if (its_len > len)
			return false;
		if (its_len == len && memcmp(base + at, key, len) == 0)
		{
			dun_message_read_entry(c, i + nkeys, base, v);
			return true;
		}
		at += its_len;
	}
	return false;
}

/* ---- what is refused ---- */

static void
refuse_value(DunRenderer *r, const DunNode *n, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("value of \"%.*s\" %s", n->text.len, r->t->text + n->text.at, what),
			 errdetail("It is used in the %s.", dun_message_part_names[r->part]),
			 errhint("Correct the value in the ledger or in vars, or the template with dunning.save_template(...).")));
}

/* ---- filters ---- */

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
static void
find_currency(DunRenderer *r, const DunNode *n, JsonbValue *v)
{
	int			level = r->depth;

	for (; level > 0; level--)
		if (dun_message_is_object(&r->scope[level]) && r->scope[level].val.binary.data != r->scope[0].val.binary.data &&
			dun_message_find_value(r->scope[level].val.binary.data, "currency", 8, v))
			break;
	if (level == 0 && r->in_root[r->c->currency])
		*v = r->root[r->c->currency];
	else if (level == 0)
		v->type = jbvNull;
	if (v->type != jbvString || v->val.string.len == 0)
		refuse_value(r, n, "has no currency beside it");
}

static void
format_money(DunRenderer *r, const DunNode *n, const JsonbValue *v, const JsonbValue *in)
{
	char	   *currency = pnstrdup(in->val.string.val, in->val.string.len);
	char	   *s = decimal_of(r, n, v);
	int			exponent = dun_message_currency_exponent(currency);
	char	   *point = strchr(s, '.');

	if (point && (int) strlen(point + 1) > exponent)
	{
		Datum		sum = DirectFunctionCall3(numeric_in, CStringGetDatum(s), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

		sum = DirectFunctionCall2(numeric_round, sum, Int32GetDatum(exponent));
		s = DatumGetCString(DirectFunctionCall1(numeric_out, sum));
	}
	dun_message_format_money(&r->formatted, r->locale, s, currency, !r->utf8);
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

/* Through a filter that makes another text of it, at the end of r->formatted. */
static void
append_formatted(DunRenderer *r, const DunNode *n, const JsonbValue *v, const JsonbValue *currency)
{
	char	   *s;

	switch (n->filter)
	{
		case DUN_FILTER_MONEY:
			format_money(r, n, v, currency);
			break;
		case DUN_FILTER_NUMBER:
			dun_message_format_number(&r->formatted, r->locale, decimal_of(r, n, v), 0);
			break;
		case DUN_FILTER_ABS:
			s = decimal_of(r, n, v);
			dun_message_format_number(&r->formatted, r->locale, *s == '-' ? s + 1 : s, 0);
			break;
		case DUN_FILTER_DATE:
			if (v->type != jbvString ||
				!dun_message_format_date(&r->formatted, r->locale, v->val.string.val, v->val.string.len))
				refuse_value(r, n, "is not a date");
			break;
		case DUN_FILTER_NONE:
		case DUN_FILTER_PLURAL:
			break;
	}
}

/* Where in the context a value is, NULL: it has no place of its own. */
static const void *
place_of(const JsonbValue *v)
{
	return v->type == jbvNumeric ? (const void *) v->val.numeric : v->type == jbvString ? v->val.string.val : NULL;
}

/* Where the value stands in r->formatted, which it is put into where it is not there yet. */
static const DunFormatted *
find_formatted(DunRenderer *r, const DunNode *n, const JsonbValue *v)
{
	JsonbValue	currency = {.type = jbvNull};
	DunFormatted key = {.value = place_of(v), .filter = n->filter};
	DunFormatted *known;

	if (n->filter == DUN_FILTER_MONEY)
	{
		find_currency(r, n, &currency);
		key.currency = currency.val.string.val;
	}
	known = &r->memo[((uintptr_t) key.value >> 2 ^ n->filter * 7) & (DUN_RENDER_MEMO - 1)];
	if (key.value != NULL && known->value == key.value && known->currency == key.currency && known->filter == key.filter)
		return known;
	if (r->formatted.len > MAX_FORMATTED)
	{
		resetStringInfo(&r->formatted);
		memset(r->memo, 0, sizeof(r->memo));
	}
	key.at = r->formatted.len;
	append_formatted(r, n, v, &currency);
	key.len = r->formatted.len - key.at;
	*known = key;
	return known;
}

/* The value as it is shown, in r->shown. */
void
dun_message_format_value(DunRenderer *r, const DunNode *n, const JsonbValue *v)
{
	const DunFormatted *formatted;

	if (n->filter == DUN_FILTER_NONE)
		format_plain(r, n, v);
	else if (n->filter == DUN_FILTER_PLURAL)
		format_plural(r, n, v);
	else
	{
		formatted = find_formatted(r, n, v);
		r->shown = r->formatted.data + formatted->at;
		r->nshown = formatted->len;
		if (n->filter == DUN_FILTER_DATE && !r->utf8)
		{
			r->shown = pg_any_to_server(pnstrdup(r->shown, r->nshown), r->nshown, PG_UTF8);
			r->nshown = strlen(r->shown);
		}
	}
}

/* ---- escaping ---- */

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
