/*
 * base/jsonb.c
 *		Pieces of a jsonb value that is built, not parsed.
 */
#include "postgres.h"

#include <math.h>

#include "utils/numeric.h"

#include "base/jsonb.h"

void
dun_base_push_text(JsonbParseState **state, JsonbIteratorToken token, const char *text)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	pushJsonbValue(state, token, &value);
}

void
dun_base_push_number(JsonbParseState **state, const char *key, double number, int decimals)
{
	static const double scale[] = {1, 10, 100, 1000, 10000};
	JsonbValue	value = {.type = jbvNumeric};

	value.val.numeric = int64_div_fast_to_numeric(llrint(Max(-1e12, Min(1e12, number)) * scale[decimals]), decimals);
	dun_base_push_text(state, WJB_KEY, key);
	pushJsonbValue(state, WJB_VALUE, &value);
}
