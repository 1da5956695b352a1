/*
 * score/value.c
 *		Reading columns of any usable type.
 *
 * Instants become days in UTC and never pass through a session's TimeZone or DateStyle, so that the
 * same row gives the same number in every session.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "score/value.h"

static const char *const type_names[] = {"number", "boolean", "date", "text"};

const char *
dun_score_type_name(DunFeatureType type)
{
	return type_names[type];
}

DunFeatureType
dun_score_type_named(const char *name)
{
	for (int i = 0; i < lengthof(type_names); i++)
		if (strcmp(name, type_names[i]) == 0)
			return (DunFeatureType) i;
	return DUN_UNUSABLE;
}

static DunFeatureType
classify(Oid base)
{
	switch (base)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return DUN_NUMBER;
		case BOOLOID:
			return DUN_BOOLEAN;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return DUN_DATE;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
		case UUIDOID:
		case UNKNOWNOID:
			return DUN_TEXT;
		default:
			return get_typtype(base) == TYPTYPE_ENUM ? DUN_TEXT : DUN_UNUSABLE;
	}
}

void
dun_score_open_field(DunField *field, Oid type)
{
	Oid			output;
	bool		varlena;

	field->declared = type;
	field->base = getBaseType(type);
	field->type = classify(field->base);
	if (field->type == DUN_UNUSABLE)
		return;
	getTypeOutputInfo(field->base, &output, &varlena);
	fmgr_info(output, &field->output);
}

static bool
known(double value, double *result)
{
	*result = value;
	return isfinite(value);
}

bool
dun_score_read_number(const DunField *field, Datum value, double *result)
{
	switch (field->base)
	{
		case INT2OID:
			return known(DatumGetInt16(value), result);
		case INT4OID:
			return known(DatumGetInt32(value), result);
		case INT8OID:
			return known((double) DatumGetInt64(value), result);
		case FLOAT4OID:
			return known(DatumGetFloat4(value), result);
		case FLOAT8OID:
			return known(DatumGetFloat8(value), result);
		case NUMERICOID:
			return known(DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value)), result);
		case BOOLOID:
			return known(DatumGetBool(value) ? 1 : 0, result);
		case DATEOID:
			if (DATE_NOT_FINITE(DatumGetDateADT(value)))
				return false;
			return known(DatumGetDateADT(value), result);
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			if (TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)))
				return false;
			return known((double) DatumGetTimestamp(value) / USECS_PER_DAY, result);
		default:
			elog(ERROR, "type %u is not a number", field->base);
			return false;
	}
}

char *
dun_score_read_text(DunField *field, Datum value)
{
	char	   *text = OutputFunctionCall(&field->output, value);

	/* A char(n) is compared, and cast to text, without its padding. */
	if (field->base == BPCHAROID)
		for (char *end = text + strlen(text); end > text && end[-1] == ' ';)
			*--end = '\0';
	return text;
}

char *
dun_score_usable_sql(const char *name, Oid type)
{
	const char *column = quote_identifier(name);

	switch (getBaseType(type))
	{
		case INTERVALOID:
		case TIMEOID:
		case TIMETZOID:
			/* A model would not know whether a month has 30 days. */
			return psprintf("(extract(epoch FROM %s) / 86400) AS %s", column, column);
		case MONEYOID:
			return psprintf("%s::numeric AS %s", column, column);
		default:
			return psprintf("%s::text AS %s", column, column);
	}
}

bool
dun_score_parse_number(DunFeatureType type, char *text, double *result)
{
	Datum		at;

	switch (type)
	{
		case DUN_NUMBER:
			return known(DatumGetFloat8(DirectFunctionCall1(float8in, CStringGetDatum(text))), result);
		case DUN_BOOLEAN:
			return known(DatumGetBool(DirectFunctionCall1(boolin, CStringGetDatum(text))) ? 1 : 0, result);
		case DUN_DATE:
			at = DirectFunctionCall3(timestamp_in, CStringGetDatum(text),
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
			if (TIMESTAMP_NOT_FINITE(DatumGetTimestamp(at)))
				return false;
			return known((double) DatumGetTimestamp(at) / USECS_PER_DAY, result);
		default:
			elog(ERROR, "a text is not parsed as a number");
			return false;
	}
}
