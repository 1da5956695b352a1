/*
 * score/value.h
 *		From a column of any usable type to what a model reads: a number, or a text.
 */
#ifndef DUN_SCORE_VALUE_H
#define DUN_SCORE_VALUE_H

#include "postgres.h"

#include <math.h>

#include "fmgr.h"

typedef enum DunFeatureType
{
	DUN_NUMBER,
	DUN_BOOLEAN,				/* 0 or 1 */
	DUN_DATE,					/* dates and timestamps: days since 2000-01-01, UTC */
	DUN_TEXT,					/* text, varchar, char, name, enum, uuid */
	DUN_UNUSABLE
} DunFeatureType;

/* A column of a row type, opened once and read many times. */
typedef struct DunField
{
	DunFeatureType type;
	Oid			declared;		/* type as the row declares it */
	Oid			base;			/* the same below all domains */
	FmgrInfo	output;			/* of a DUN_TEXT field */
} DunField;

/* Opens `field` in the current memory context; an unusable type only sets `type`. */
extern void dun_score_open_field(DunField *field, Oid type);

/* False where the value is NaN or infinite: missing, to a model. Not for DUN_TEXT. */
extern bool dun_score_read_number(const DunField *field, Datum value, double *result);

/* The type's output text, in the current memory context; for any usable type. */
extern char *dun_score_read_text(DunField *field, Datum value);

/* Reads a text as a model's number, boolean or date would be written; an error where it is none. */
extern bool dun_score_parse_number(DunFeatureType type, char *text, double *result);

/* A number as scoring takes it: beyond float4, at its end, as training had it; missing where it is not finite. */
static inline double
dun_score_clip_number(double number)
{
	if (likely(fabs(number) <= 1e38))
		return number;
	return isfinite(number) ? (number > 0 ? 1e38 : -1e38) : NAN;
}

/* SQL text that makes a column usable: "(extract(epoch FROM age) / 86400) AS age". */
extern char *dun_score_usable_sql(const char *name, Oid type);

extern const char *dun_score_type_name(DunFeatureType type);
extern DunFeatureType dun_score_type_named(const char *name);

#endif
