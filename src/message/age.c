/*
 * message/age.c
 *		Counting days past due anew.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "message/age.h"

#define FARTHEST 10000000		/* days; what is beyond was not counted from a ledger */

/* yyyy-mm-dd, as the ledger writes it. */
static bool
read_date(const JsonbValue *v, DateADT *date)
{
	const char *s = v->val.string.val;
	int			dash = v->val.string.len - 6;
	int			part[3] = {0, 0, 0};
	int			field = 0;

	if (v->type != jbvString || dash < 4 || dash > 7 || s[dash] != '-' || s[dash + 3] != '-')
		return false;
	for (int i = 0; i < v->val.string.len; i++)
	{
		if (i == dash || i == dash + 3)
			field++;
		else if (s[i] >= '0' && s[i] <= '9')
			part[field] = part[field] * 10 + (s[i] - '0');
		else
			return false;
	}
	if (part[0] < 1 || part[1] < 1 || part[1] > 12 || part[2] < 1 ||
		part[2] > day_tab[isleap(part[0])][part[1] - 1] || !IS_VALID_JULIAN(part[0], part[1], part[2]))
		return false;
	*date = date2j(part[0], part[1], part[2]) - POSTGRES_EPOCH_JDATE;
	return true;
}

static bool
read_days(const JsonbValue *v, int *days)
{
	bool		failed = false;

	if (v->type != jbvNumeric || numeric_is_nan(v->val.numeric) || numeric_is_inf(v->val.numeric))
		return false;
	*days = numeric_int4_opt_error(v->val.numeric, &failed);
	return !failed && *days > -FARTHEST && *days < FARTHEST;
}

static bool
find(JsonbContainer *object, const char *key, JsonbValue *into)
{
	return JsonContainerIsObject(object) && getKeyJsonValueFromContainer(object, key, strlen(key), into) != NULL;
}

/* By how many days the first balance has aged since it was told: `*told` then. */
static bool
count_later(Jsonb *context, DateADT today, int *told, int *later)
{
	JsonbValue	balances;
	JsonbValue *first;
	JsonbValue	value;
	DateADT		due;

	if (!find(&context->root, "balances", &balances) || balances.type != jbvBinary || !JsonContainerIsArray(balances.val.binary.data))
		return false;
	first = getIthJsonbValueFromContainer(balances.val.binary.data, 0);
	if (first == NULL || first->type != jbvBinary)
		return false;
	if (!find(first->val.binary.data, "due_on", &value) || !read_date(&value, &due))
		return false;
	if (!find(first->val.binary.data, "days_overdue", &value) || !read_days(&value, told))
		return false;
	*later = today - due - *told;
	return *later != 0;
}

static bool
is_key(const JsonbValue *v, const char *key)
{
	return v->val.string.len == (int) strlen(key) && memcmp(v->val.string.val, key, v->val.string.len) == 0;
}

static void
move(JsonbValue *v, int by)
{
	v->val.numeric = int64_to_numeric(DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(v->val.numeric))) + (int64) by);
}

Jsonb *
dun_message_age_context(Jsonb *context, DateADT today)
{
	JsonbParseState *state = NULL;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	JsonbValue *result = NULL;
	int			depth = 0;
	int			told;
	int			later;
	int			days;
	bool		of_balances = false;	/* below one of the two lists */
	bool		is_days = false;	/* the value that comes is a days_overdue */

	if (!count_later(context, today, &told, &later))
		return context;
	it = JsonbIteratorInit(&context->root);
	while ((token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			if (depth == 1)
				of_balances = is_key(&v, "balances") || is_key(&v, "other_currencies");
			is_days = is_key(&v, "days_overdue");
		}
		else if (token == WJB_VALUE && is_days && read_days(&v, &days) && (of_balances || (depth == 1 && days == told)))
			move(&v, later);
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY)
			depth++;
		else if (token == WJB_END_OBJECT || token == WJB_END_ARRAY)
			depth--;
		result = pushJsonbValue(&state, token, token < WJB_BEGIN_ARRAY ? &v : NULL);
	}
	return JsonbValueToJsonb(result);
}

PG_FUNCTION_INFO_V1(dun_message_sql_age_context);

/* _aged_context(jsonb, date) */
Datum
dun_message_sql_age_context(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(dun_message_age_context(PG_GETARG_JSONB_P(0), PG_GETARG_DATEADT(1)));
}
