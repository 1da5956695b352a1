/*
 * plan/pick_put.c
 *		A pick as a row: what is picked or blocks it, in the words of planning, and what stands in its decision.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/jsonb.h"
#include "base/texts.h"
#include "plan/pick_book.h"
#include "timing/reasons.h"

/* The columns of _pick(). */
enum
{
	OUT_DEBTOR, OUT_RUNG, OUT_PLAIN, OUT_CHANNEL, OUT_SERVER, OUT_CONTACT_AT, OUT_LOCAL_TIME, OUT_P_RESPONSE, OUT_UPLIFT, OUT_EXPLORED,
	OUT_PROPENSITY, OUT_TIMING, OUT_SKIPPED, OUT_BLOCKED_BY, OUT_COST, OUT_CURRENCY, OUT_P, OUT_VALUE, OUT_PASSED_OVER,
	OUT_COLUMNS
};

/* As planning words it; the reason `blocked` of the ladder goes before. */
static Datum
blocked_by(const DunPick *pick)
{
	static const char *const by_choice[] = {"likely_self_cure", "costs_money", "not_worth_it", "server_paused", NULL};
	const char **words;
	const DunCandidate *c = pick->first_tried < 0 ? NULL : &pick->candidates[pick->first_tried];
	int			n = 0;

	words = palloc((pick->ncandidates + (c == NULL ? 0 : c->nwords) + 1) * sizeof(char *));
	if (pick->chosen >= 0)
		n = 0;
	else if (c != NULL)
	{
		memcpy(words, c->words, c->nwords * sizeof(char *));
		n = c->nwords + dun_plan_list_reasons(pick, by_choice, words + c->nwords);
	}
	else if (!pick->rung->enough)
		words[n++] = "under_minimum";
	else if (pick->ncandidates == 0)
		words[n++] = "held_out";
	else if (pick->nusable > 0)
		words[n++] = "min_gap";
	else
		n = dun_plan_list_reasons(pick, NULL, words);
	return dun_base_make_texts(words, n);
}

/* An object {name: of, why}. */
static void
push_reason(JsonbParseState **state, const char *name, const char *of, const char *why)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	dun_base_push_text(state, WJB_KEY, name);
	dun_base_push_text(state, WJB_VALUE, of);
	dun_base_push_text(state, WJB_KEY, "why");
	dun_base_push_text(state, WJB_VALUE, why);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Those that were tried in vain, then those that were not tried. */
static Datum
skipped(const DunPick *pick)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < pick->nusable && pick->in_time; i++)
	{
		const DunCandidate *c = &pick->candidates[pick->order[i]];

		if (pick->order[i] == pick->chosen)
			break;
		push_reason(&state, "channel", c->name, dun_plan_join_words(c->words, c->nwords));
	}
	for (int i = 0; i < pick->ncandidates; i++)
		if (pick->candidates[i].why != NULL)
			push_reason(&state, "channel", pick->candidates[i].name, pick->candidates[i].why);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

static Datum
passed_over(const DunPick *pick)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < pick->npassed; i++)
		push_reason(&state, "step", pick->passed[i].rung->step->step, pick->passed[i].why);
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

static void
put_chosen(const DunPickRun *run, const DunPick *pick, const DunPickFacts *facts, Datum *out, bool *isnull)
{
	const DunCandidate *c = &pick->candidates[pick->chosen];
	const DunPlaceRules *rules = dun_plan_rules(run->picker.means, facts->place, c->channel);
	DunTimeClaim claim = dun_timing_claim(&c->question, &c->field, &c->answer);

	for (int i = OUT_CONTACT_AT; i <= OUT_PROPENSITY; i++)
		isnull[i] = false;
	out[OUT_CONTACT_AT] = TimestampTzGetDatum(c->answer.at);
	out[OUT_LOCAL_TIME] = CStringGetTextDatum(dun_calendar_local_time(c->answer.at, rules->zone));
	out[OUT_P_RESPONSE] = Float8GetDatum(claim.p);
	out[OUT_UPLIFT] = Float8GetDatum(claim.p / claim.baseline - 1);
	out[OUT_EXPLORED] = BoolGetDatum(c->answer.explored);
	out[OUT_PROPENSITY] = Float8GetDatum(c->answer.propensity);
	if (run->detail)
	{
		out[OUT_TIMING] = dun_timing_reasons(&c->question, &c->field, &c->answer, NULL, NULL);
		isnull[OUT_TIMING] = false;
	}
}

/* What the channel that is told costs and is worth: the one chosen or asked first, else the step's first. */
static void
put_value(const DunPick *pick, Datum *out, bool *isnull)
{
	int			told = pick->chosen >= 0 ? pick->chosen : pick->first_tried;
	const DunCandidate *c;

	if (pick->ncandidates == 0)
		return;
	c = &pick->candidates[told < 0 ? 0 : told];
	if (told >= 0)
	{
		out[OUT_CHANNEL] = CStringGetTextDatum(c->name);
		out[OUT_SERVER] = CStringGetTextDatum(pick->rung->creditor->servers[c->channel].name);
		isnull[OUT_CHANNEL] = isnull[OUT_SERVER] = false;
	}
	if (c->price != NULL && c->price->known)
	{
		out[OUT_COST] = c->price->exact;
		out[OUT_CURRENCY] = CStringGetTextDatum(c->price->currency);
		isnull[OUT_COST] = isnull[OUT_CURRENCY] = false;
	}
	if (c->has_value)
	{
		out[OUT_VALUE] = DirectFunctionCall2(numeric_round, DirectFunctionCall1(float8_numeric, Float8GetDatum(c->raw)),
											 Int32GetDatum(2));
		isnull[OUT_VALUE] = false;
	}
}

void
dun_plan_put_pick(const DunPickRun *run, const DunPick *pick, const DunPickFacts *facts)
{
	Datum		out[OUT_COLUMNS] = {0};
	bool		isnull[OUT_COLUMNS];

	memset(isnull, true, sizeof(isnull));
	out[OUT_DEBTOR] = CStringGetTextDatum(facts->debtor_id);
	out[OUT_PLAIN] = BoolGetDatum(pick->plain);
	isnull[OUT_DEBTOR] = isnull[OUT_PLAIN] = false;
	if (pick->plain)
	{
		out[OUT_RUNG] = Int32GetDatum(pick->rung->rung);
		out[OUT_BLOCKED_BY] = blocked_by(pick);
		isnull[OUT_RUNG] = isnull[OUT_BLOCKED_BY] = false;
		put_value(pick, out, isnull);
		if (facts->has_p && pick->ncandidates > 0)
		{
			out[OUT_P] = Float8GetDatum(facts->p_paid);
			isnull[OUT_P] = false;
		}
		if (pick->chosen >= 0)
			put_chosen(run, pick, facts, out, isnull);
		if (run->detail && pick->chosen >= 0)
		{
			out[OUT_SKIPPED] = skipped(pick);
			isnull[OUT_SKIPPED] = false;
		}
		if (run->detail && pick->npassed > 0)
		{
			out[OUT_PASSED_OVER] = passed_over(pick);
			isnull[OUT_PASSED_OVER] = false;
		}
	}
	tuplestore_putvalues(run->rsinfo->setResult, run->rsinfo->setDesc, out, isnull);
}
