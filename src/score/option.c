/*
 * score/option.c
 *		The options of fit(). With kind auto, an option goes to every kind that knows it.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "score/option.h"

static char *
list_kinds(void)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoString(&s, "'auto'");
	for (int i = 0; i < dun_score_nkinds; i++)
		appendStringInfo(&s, "%s'%s'", i < dun_score_nkinds - 1 ? ", " : " and ", dun_score_kinds[i]->name);
	return s.data;
}

/* "; of logistic: lambda (0 or more), levels (1 to 100, else 20)" */
static void
list_own_options(StringInfo into, const DunKind *kind)
{
	for (int i = 0; i < kind->noptions; i++)
	{
		const DunOption *o = &kind->options[i];

		if (i == 0)
			appendStringInfo(into, "; of %s: ", kind->name);
		else
			appendStringInfoString(into, ", ");
		appendStringInfo(into, "%s (%.15g ", o->name, o->least);
		if (o->most >= 1e12)
			appendStringInfoString(into, "or more");
		else
			appendStringInfo(into, "to %.15g", o->most);
		if (!isnan(o->standard))
			appendStringInfo(into, ", else %.15g", o->standard);
		appendStringInfoChar(into, ')');
	}
}

static void
refuse_option(const DunTrainOptions *options, const char *message, const char *key, const JsonbValue *value)
{
	StringInfoData own;
	Jsonb	   *given = JsonbValueToJsonb((JsonbValue *) value);

	initStringInfo(&own);
	for (int k = 0; k < dun_score_nkinds; k++)
		if (options->values[k] != NULL)
			list_own_options(&own, dun_score_kinds[k]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(message, key),
			 errdetail("Given: %s.", JsonbToCString(NULL, &given->root, VARSIZE(given))),
			 errhint("Options are folds (1 to 20, else 5; 1 holds a fifth of the rows out instead), rows (1000 or more: the most to train on, a sample of more), seed (a whole number, else 1), group (a column), exclude (an array of "
					 "columns), class_weights (\"balanced\" or {\"0\": 1, \"1\": 5}), calibration (\"auto\", \"none\", "
					 "\"platt\" or \"isotonic\"), monotone ({\"column\": 1 or -1})%s.", own.data)));
}

static double
read_number(const DunTrainOptions *options, const char *key, const JsonbValue *value, double least, double most, bool whole)
{
	double		number;

	if (value->type != jbvNumeric)
		refuse_option(options, "option \"%s\" must be a number", key, value);
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!(number >= least && number <= most) || (whole && number != floor(number)))
		refuse_option(options, "option \"%s\" is out of range", key, value);
	return number;
}

static char *
read_text(const DunTrainOptions *options, const char *key, const JsonbValue *value, const char *message)
{
	if (value->type != jbvString)
		refuse_option(options, message, key, value);
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static void
read_exclude(DunTrainOptions *options, const JsonbValue *value)
{
	const char *message = "option \"%s\" must be an array of columns";
	JsonbContainer *array;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		refuse_option(options, message, "exclude", value);
	array = value->val.binary.data;
	options->exclude = palloc(sizeof(char *) * Max(JsonContainerSize(array), 1));
	for (int i = 0; i < JsonContainerSize(array); i++)
		options->exclude[options->nexclude++] = read_text(options, "exclude", getIthJsonbValueFromContainer(array, i), message);
}

static void
read_class_weights(DunTrainOptions *options, const JsonbValue *value)
{
	const char *message = "option \"%s\" must be \"balanced\" or a weight for each class";
	JsonbValue	of;

	if (value->type == jbvString)
	{
		if (strcmp(read_text(options, "class_weights", value, message), "balanced") != 0)
			refuse_option(options, message, "class_weights", value);
		options->balanced = true;
		return;
	}
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) != 2)
		refuse_option(options, message, "class_weights", value);
	for (int c = 0; c < 2; c++)
	{
		if (getKeyJsonValueFromContainer(value->val.binary.data, c ? "1" : "0", 1, &of) == NULL)
			refuse_option(options, message, "class_weights", value);
		options->class_weight[c] = read_number(options, "class_weights", &of, 1e-6, 1e6, false);
	}
}

static void
read_monotone(DunTrainOptions *options, const JsonbValue *value)
{
	const char *message = "option \"%s\" must give columns a direction";
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		refuse_option(options, message, "monotone", value);
	options->monotone = palloc(sizeof(DunMonotone) * Max(JsonContainerSize(value->val.binary.data), 1));
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		DunMonotone *m = &options->monotone[options->nmonotone];

		if (token == WJB_KEY)
			m->feature = pnstrdup(v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE)
		{
			m->direction = (int) read_number(options, "monotone", &v, -1, 1, true);
			options->nmonotone++;
		}
	}
}

/* Every kind that may be trained and has such an option gets it; false where none does. */
static bool
read_own_option(DunTrainOptions *options, const char *key, const JsonbValue *value)
{
	bool		found = false;

	for (int k = 0; k < dun_score_nkinds; k++)
		for (int i = 0; options->values[k] != NULL && i < dun_score_kinds[k]->noptions; i++)
		{
			const DunOption *o = &dun_score_kinds[k]->options[i];

			if (strcmp(o->name, key) != 0)
				continue;
			options->values[k][i] = read_number(options, key, value, o->least, o->most, o->whole);
			found = true;
		}
	return found;
}

static void
read_option(DunTrainOptions *options, const char *key, const JsonbValue *value)
{
	if (strcmp(key, "folds") == 0)
		options->folds = (int) read_number(options, key, value, 1, 20, true);
	else if (strcmp(key, "rows") == 0)
		options->most_rows = (uint64) read_number(options, key, value, 1000, 1e12, true);
	else if (strcmp(key, "seed") == 0)
		options->seed = (uint64) read_number(options, key, value, 0, 9007199254740992.0, true);
	else if (strcmp(key, "group") == 0)
		options->group = read_text(options, key, value, "option \"%s\" must be the name of a column");
	else if (strcmp(key, "exclude") == 0)
		read_exclude(options, value);
	else if (strcmp(key, "class_weights") == 0)
		read_class_weights(options, value);
	else if (strcmp(key, "monotone") == 0)
		read_monotone(options, value);
	else if (strcmp(key, "calibration") == 0)
	{
		const char *message = "option \"%s\" is no way to calibrate";

		if (!dun_score_parse_calibration(read_text(options, key, value, message), &options->calibration))
			refuse_option(options, message, key, value);
	}
	else if (!read_own_option(options, key, value))
		refuse_option(options, "option \"%s\" is not known", key, value);
}

DunTrainOptions
dun_score_read_options(const char *kind, Jsonb *json)
{
	DunTrainOptions options = {.folds = 5, .seed = 1};
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;
	char	   *key = NULL;

	Assert(dun_score_nkinds <= DUN_KINDS);
	options.kind = dun_score_find_kind(kind);
	if (options.kind == NULL && strcmp(kind, "auto") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kind of model \"%s\" is not known", kind),
				 errhint("The kinds are %s.", list_kinds())));
	for (int k = 0; k < dun_score_nkinds; k++)
	{
		const DunKind *own = dun_score_kinds[k];

		if (options.kind != NULL && options.kind != own)
			continue;
		options.values[k] = palloc(sizeof(double) * Max(own->noptions, 1));
		for (int i = 0; i < own->noptions; i++)
			options.values[k][i] = own->options[i].standard;
	}
	if (!JB_ROOT_IS_OBJECT(json))
	{
		v.type = jbvBinary;
		v.val.binary.data = &json->root;
		v.val.binary.len = VARSIZE(json) - VARHDRSZ;
		refuse_option(&options, "options must be a JSON %s", "object", &v);
	}
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE)
			read_option(&options, key, &v);
	}
	return options;
}

Size
dun_score_training_bytes(DunFeatureType type, const void *options)
{
	const DunTrainOptions *o = options;
	Size		most = 0;

	for (int k = 0; k < dun_score_nkinds; k++)
		if (o->values[k] != NULL)
			most = Max(most, dun_score_kinds[k]->row_bytes(type, o->values[k]));
	return most;
}
