/*
 * score/json.c
 *		Reading and writing the parts of a model's body.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "base/errcodes.h"
#include "score/json.h"

static void
refuse_body(const char *key, const char *expected)
{
	ereport(ERROR,
			(errcode(DUN_ERR_MODEL),
			 errmsg("the body of a model cannot be read: \"%s\" is not %s", key, expected),
			 errdetail("It was written by another version of the extension, or changed."),
			 errhint("Train the model again: SELECT * FROM dunning.fit(model, query, label);")));
}

static bool
find(JsonbContainer *object, const char *key, JsonbValue *value)
{
	return JsonContainerIsObject(object) && getKeyJsonValueFromContainer(object, key, (int) strlen(key), value) != NULL;
}

static double
number_of(const JsonbValue *value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
}

bool
dun_score_json_has(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	return find(object, key, &value) && value.type != jbvNull;
}

double
dun_score_json_number(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!find(object, key, &value) || value.type != jbvNumeric)
		refuse_body(key, "a number");
	return number_of(&value);
}

char *
dun_score_json_text(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!find(object, key, &value) || value.type != jbvString)
		refuse_body(key, "a text");
	return pnstrdup(value.val.string.val, value.val.string.len);
}

JsonbContainer *
dun_score_json_member(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!find(object, key, &value) || value.type != jbvBinary)
		refuse_body(key, "an object or an array");
	return value.val.binary.data;
}

JsonbContainer *
dun_score_json_element(JsonbContainer *array, int i)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, i);

	if (value == NULL || value->type != jbvBinary)
		refuse_body("element", "an object or an array");
	return value->val.binary.data;
}

int
dun_score_json_length(JsonbContainer *container)
{
	return (int) JsonContainerSize(container);
}

double *
dun_score_json_numbers(JsonbContainer *object, const char *key, int *n)
{
	JsonbContainer *array = dun_score_json_member(object, key);
	JsonbIterator *it = JsonbIteratorInit(array);
	JsonbValue	value;
	JsonbIteratorToken token;
	double	   *numbers = palloc(sizeof(double) * Max(dun_score_json_length(array), 1));

	*n = 0;
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type != jbvNumeric)
			refuse_body(key, "an array of numbers");
		numbers[(*n)++] = number_of(&value);
	}
	return numbers;
}

char **
dun_score_json_texts(JsonbContainer *object, const char *key, int *n)
{
	JsonbContainer *container = dun_score_json_member(object, key);
	JsonbIteratorToken wanted = JsonContainerIsObject(container) ? WJB_KEY : WJB_ELEM;
	JsonbIterator *it = JsonbIteratorInit(container);
	JsonbValue	value;
	JsonbIteratorToken token;
	char	  **texts = palloc(sizeof(char *) * Max(dun_score_json_length(container), 1));

	*n = 0;
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token != wanted)
			continue;
		if (value.type != jbvString)
			refuse_body(key, "a list of texts");
		texts[(*n)++] = pnstrdup(value.val.string.val, value.val.string.len);
	}
	return texts;
}

void
dun_score_print_number(StringInfo into, double value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (!isfinite(value))
		elog(ERROR, "a model has a number that is not finite");
	double_to_shortest_decimal_buf(value, digits);
	appendStringInfoString(into, digits);
}

void
dun_score_print_member(StringInfo into, const char *name, double value)
{
	appendStringInfo(into, ",\"%s\":", name);
	dun_score_print_number(into, value);
}

void
dun_score_print_members(StringInfo into, const char *name, const double *values, int n)
{
	appendStringInfo(into, ",\"%s\":[", name);
	for (int i = 0; i < n; i++)
	{
		if (i)
			appendStringInfoChar(into, ',');
		dun_score_print_number(into, values[i]);
	}
	appendStringInfoChar(into, ']');
}
