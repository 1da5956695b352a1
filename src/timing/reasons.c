/*
 * timing/reasons.c
 *		What is claimed of a chosen instant, and why it was chosen: keys are pushed in the order in which jsonb keeps them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "base/jsonb.h"
#include "timing/reasons.h"

DunTimeClaim
dun_timing_claim(const DunTimeQuestion *q, const DunTimeField *field, const DunTimeAnswer *answer)
{
	const DunCalibration *c = dun_timing_calibration_of(q);
	DunTimeClaim claim = {c != NULL, field->mean_p, field->mean_p};

	if (c != NULL)
		claim.p = dun_timing_calibrated(c, dun_timing_log_odds(answer->chance), dun_timing_log_odds(field->mean_p), answer->explored, &claim.baseline);
	return claim;
}

static void
push_words(JsonbParseState **state, const char *key, ArrayType *words)
{
	Datum	   *names;
	int			n = 0;

	dun_base_push_text(state, WJB_KEY, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	if (words != NULL)
		deconstruct_array(words, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n);
	for (int i = 0; i < n; i++)
		dun_base_push_text(state, WJB_ELEM, TextDatumGetCString(names[i]));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_closers(JsonbParseState **state, const DunClosers *closers)
{
	dun_base_push_text(state, WJB_KEY, "closed_by");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < closers->n; i++)
		dun_base_push_number(state, closers->names[i], closers->slots[i], 0);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_date(JsonbParseState **state, const DunTimeAnswer *answer)
{
	dun_base_push_text(state, WJB_KEY, "date");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	dun_base_push_text(state, WJB_KEY, "tag");
	dun_base_push_text(state, WJB_VALUE, answer->tag);
	dun_base_push_number(state, "effect", answer->date, 3);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_removed(JsonbParseState **state, const DunTimeField *field)
{
	dun_base_push_text(state, WJB_KEY, "removed");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	dun_base_push_number(state, "caps", field->capped, 0);
	dun_base_push_number(state, "holiday", field->holiday, 0);
	dun_base_push_number(state, "quiet_hours", field->quiet, 0);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

Datum
dun_timing_reasons(const DunTimeQuestion *q, const DunTimeField *field, const DunTimeAnswer *answer, ArrayType *words, ArrayType *rules)
{
	JsonbParseState *state = NULL;
	JsonbValue	calibrated = {.type = jbvBool, .val.boolean = dun_timing_calibration_of(q) != NULL};

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (answer != NULL)
	{
		dun_base_push_number(&state, "x", dun_timing_log_odds(answer->chance), 4);
		if (answer->tag != NULL)
			push_date(&state, answer);
		dun_base_push_number(&state, "hour", answer->hour, 3);
		dun_base_push_number(&state, "delay", answer->delay, 3);
	}
	else if (rules != NULL)
		push_words(&state, "rules", rules);
	dun_base_push_number(&state, "slots", field->nslots, 0);
	if (answer != NULL)
	{
		dun_base_push_number(&state, "payday", answer->pay, 3);
		dun_base_push_number(&state, "x_mean", dun_timing_log_odds(field->mean_p), 4);
	}
	push_removed(&state, field);
	dun_base_push_text(&state, WJB_KEY, "evidence");
	dun_base_push_text(&state, WJB_VALUE, psprintf("%d answers to %d contacts, %d payments", q->evidence.responses, q->evidence.contacts, q->evidence.npayments));
	if (field->closers != NULL && field->closers->n > 0)
		push_closers(&state, field->closers);
	if (answer == NULL)
		push_words(&state, "blocked_by", words);
	dun_base_push_text(&state, WJB_KEY, "calibrated");
	pushJsonbValue(&state, WJB_VALUE, &calibrated);
	if (answer != NULL && answer->since_payday >= 0)
		dun_base_push_number(&state, "payday_days", answer->since_payday, 0);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
