/*
 * timing/reasons.h
 *		What is claimed of a chosen instant, and why it was chosen.
 */
#ifndef DUN_TIMING_REASONS_H
#define DUN_TIMING_REASONS_H

#include "postgres.h"

#include "utils/array.h"

#include "timing/best.h"

/* The chance of an answer and that of the average allowed instant, by what randomised contacts showed. */
typedef struct DunTimeClaim
{
	bool		calibrated;
	double		p;
	double		baseline;
} DunTimeClaim;

extern DunTimeClaim dun_timing_claim(const DunTimeQuestion *q, const DunTimeField *field, const DunTimeAnswer *answer);

/* As jsonb; answer NULL: there is none, and `words` say why. */
extern Datum dun_timing_reasons(const DunTimeQuestion *q, const DunTimeField *field, const DunTimeAnswer *answer, ArrayType *words, ArrayType *rules);

#endif
