/*
 * plan/pick.c
 *		Channels of a step are weighed as _stage_candidates() defines it; those that may be used are tried in order, as
 *		_choose() does: address and consent, then the best instant that clock and caps allow.
 */
#include "postgres.h"

#include <math.h>

#include "common/sha2.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "plan/pick.h"
#include "plan/value.h"

/* Who picks, for whom, on which step. */
typedef struct Picking
{
	DunPicker  *picker;
	const DunPickFacts *facts;
	const DunRung *rung;
	TimestampTz from;			/* the window of this step */
	TimestampTz until;
} Picking;

/* --- weighing --- */

static double
round_cents(double value)
{
	return value < 0 ? -floor(-value * 100 + 0.5) / 100 : floor(value * 100 + 0.5) / 100;
}

static double
quality_of(const DunPickFacts *f, const DunChannel *channel)
{
	return channel->address < 0 ? 1 : f->quality[channel->address];
}

/* Told where amount and cost are of one currency. A strategy that chooses by order takes every channel for an ordinary one. */
static void
set_value(const DunPickFacts *f, const DunRung *r, double quality, DunCandidate *c)
{
	const DunShare *share = &r->creditor->shares[c->channel];
	bool		by_value = r->step->by_value;
	DunOffering o;

	if (!f->has_p || !share->known || !r->has_largest ||
		(c->price->cost != 0 && (r->currency == NULL || strcmp(c->price->currency, r->currency) != 0)))
		return;
	o = (DunOffering) {
		.p = f->p_paid, .amount = r->largest, .margin = r->step->margin, .cost = c->price->cost,
		.share = by_value ? dun_plan_response_share(f->evidence.responses, f->evidence.contacts, share->share) : share->usual,
		.usual_share = share->usual, .n7 = by_value ? r->n7 : 0, .n30 = by_value ? r->n30 : 0,
		.quality = quality, .p_opt_out = by_value ? share->p_opt_out : 0
	};
	c->has_value = true;
	c->raw = dun_plan_channel_value(&o);
	c->value = round_cents(c->raw);
}

static const char *
why_not(const Picking *k, const DunCandidate *c, double quality)
{
	const DunPickFacts *f = k->facts;
	const DunPickStep *step = k->rung->step;
	int			days = k->picker->today - k->rung->due;
	bool		likely = (f->likely || (f->has_self_cure && f->p_self_cure >= step->self_cure)) && days >= 0;

	if (c->price == NULL || !c->price->known)
		return "no_channel";
	if (k->rung->creditor->servers[c->channel].name == NULL)
		return "no_server";
	if (k->rung->creditor->servers[c->channel].paused)
		return "server_paused";
	if (!dun_plan_is_written(k->picker->means, k->rung->creditor, step, c->channel))
		return "no_template";
	if (quality == 0)
		return "bounces";
	if (step->must)
		return NULL;
	if (likely && days < step->self_cure_wait)
		return "likely_self_cure";
	if (c->price->cost > 0 && !step->paid_channels)
		return "costs_money";
	if (c->price->cost > 0 && likely && days < step->self_cure_days)
		return "likely_self_cure";
	if (c->price->cost > 0 && c->has_value && c->value <= 0)
		return "not_worth_it";
	return NULL;
}

static bool
is_preferred(const DunRung *r, const DunCandidate *c)
{
	return r->preferred != NULL && strlen(c->name) == r->preferred_len && memcmp(c->name, r->preferred, r->preferred_len) == 0;
}

/* Before, in the order of trying; `n` tells the same from the same. */
static bool
goes_before(const DunRung *r, const DunCandidate *a, const DunCandidate *b)
{
	if (is_preferred(r, a) != is_preferred(r, b))
		return is_preferred(r, a);
	if (r->step->by_value && !r->step->must && (a->has_value || b->has_value))
	{
		if (a->has_value != b->has_value)
			return a->has_value;
		if (a->value != b->value)
			return a->value > b->value;
	}
	return a < b;
}

static void
weigh_channels(const Picking *k, DunPick *pick)
{
	const DunRung *r = k->rung;
	const DunPrice *prices = dun_plan_prices(k->picker->means, r->creditor, r->currency, dun_plan_country_of(k->picker->means, k->facts->place));
	const DunChannel *channels;

	(void) dun_plan_channels(k->picker->means, &channels);
	pick->ncandidates = r->step->nchannels;
	pick->candidates = palloc0(Max(pick->ncandidates, 1) * sizeof(DunCandidate));
	pick->order = palloc(Max(pick->ncandidates, 1) * sizeof(int));
	for (int i = 0; i < pick->ncandidates; i++)
	{
		DunCandidate *c = &pick->candidates[i];
		double		quality = 1;
		int			at;

		c->channel = r->step->channels[i];
		c->name = r->step->names[i];
		if (c->channel >= 0)
		{
			c->price = &prices[c->channel];
			quality = quality_of(k->facts, &channels[c->channel]);
			if (c->price->known)
				set_value(k->facts, r, quality, c);
		}
		c->why = why_not(k, c, quality);
		if (c->why != NULL)
			continue;
		for (at = pick->nusable++; at > 0 && goes_before(r, c, &pick->candidates[pick->order[at - 1]]); at--)
			pick->order[at] = pick->order[at - 1];
		pick->order[at] = i;
	}
}

/* --- trying --- */

static TimestampTz
later_by(TimestampTz at, const Interval *span)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(at), IntervalPGetDatum(span)));
}

/* The window of a step, false where it has none. */
static bool
set_window(Picking *k)
{
	const DunRung *r = k->rung;
	TimestampTz now = k->picker->at;
	Interval	gap = r->gap_days < 0 ? r->step->gap : (Interval) {.day = r->gap_days};

	k->from = r->last_contact == DT_NOBEGIN ? now : Max(now, later_by(r->last_contact, &gap));
	if (k->from > later_by(now, &r->step->horizon) || k->from >= r->until)
		return false;
	k->until = later_by(k->from, &r->step->horizon);
	if (r->until != DT_NOEND)
		k->until = Min(k->until, r->until - 1);
	return true;
}

static bool
is_suppressed(const DunPicker *p, const DunChannel *channel, const DunAddress *address)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	uint64		first;
	int			low = 0,
				high = p->nsuppressed;

	if (p->nsuppressed == 0)
		return false;
	/* Digests whose key is lost: nobody is a plain case. */
	if (p->digest_key == NULL)
		return true;
	dun_gate_digest_address(dun_gate_address_kind(channel->field, address->text, address->len), address->text, address->len, p->digest_key, digest);
	memcpy(&first, digest, sizeof(first));
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (p->suppressed[middle] < first)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->nsuppressed && p->suppressed[low] == first;
}

/* What the clock and the caps say of the first instant, for one that has no better. */
static void
add_words_of_instant(const DunCandidate *c, const DunPlaceRules *rules, DunHistory *history, const char **words, int *n)
{
	const char *shut = dun_calendar_closed(rules->windows, rules->zones, c->at);
	DunAsker	who = {.debtor_id = unconstify(char *, c->question.debtor_id)};

	if (shut != NULL)
		words[(*n)++] = shut;
	*n += dun_gate_capped(history, &who, rules->zones, rules->nzones, c->at, (char **) &words[*n]);
}

bool
dun_plan_set_question(const DunPicker *p, const DunPickFacts *f, int channel_no, TimestampTz from, TimestampTz until,
					  DunTimeQuestion *q, const char **words, int *nwords)
{
	const DunChannel *channels;
	const DunChannel *channel;
	const DunAddress *address;
	const DunPlaceRules *rules;
	DunHistory *history;
	int			n = 0;

	(void) dun_plan_channels(p->means, &channels);
	channel = &channels[channel_no];
	if (f->trouble || f->place < 0 || channel->address < 0)
		return false;
	address = &f->addresses[channel->address];
	rules = dun_plan_rules(p->means, f->place, channel_no);
	if (rules->windows == NULL || (address->text != NULL && is_suppressed(p, channel, address)))
		return false;
	/* A hold that ends before the step does leaves instants after it. */
	if (f->hold != NULL && f->held_until <= until)
		return false;
	if ((f->consents & (UINT64CONST(1) << channel_no)) == 0)
		words[n++] = "no_consent";
	if (address->text == NULL)
		words[n++] = "no_address";
	else if (!dun_gate_address_is_good(dun_gate_address_kind(channel->field, address->text, address->len), address->text, address->len))
		words[n++] = "bad_address";
	if (f->hold != NULL)
		words[n++] = f->hold;
	*nwords = n;

	history = palloc(sizeof(DunHistory));
	*history = f->history;
	history->ncaps = rules->caps.ncaps;
	history->caps = rules->caps.caps;
	history->dates = NULL;
	*q = (DunTimeQuestion) {
		.debtor_id = f->debtor_id, .channel = channel->name, .windows = rules->windows, .windows_key = rules->key, .history = history,
		.from = from, .until = until, .now = p->at, .evidence = f->evidence, .effects = rules->effects
	};
	return true;
}

/* False: not a plain case. */
static bool
try_candidate(const Picking *k, DunCandidate *c)
{
	const DunClosers *closers;
	const char *words[DUN_ASIDE_WORDS];
	int			n;

	if (!dun_plan_set_question(k->picker, k->facts, c->channel, k->from, k->until, &c->question, words, &n))
		return false;
	c->tried = true;
	c->at = k->from;
	if (n == 0 && dun_timing_best(k->picker->times, &c->question, 1, &c->field, &c->answer) > 0)
	{
		c->at = c->answer.at;
		return true;
	}
	closers = c->field.closers;
	c->words = palloc((lengthof(words) + 1 + 3 * c->question.history->ncaps + (closers == NULL ? 0 : closers->n)) * sizeof(char *));
	memcpy(c->words, words, n * sizeof(char *));
	add_words_of_instant(c, dun_plan_rules(k->picker->means, k->facts->place, c->channel), c->question.history, c->words, &n);
	if (n == 0)
		c->words[n++] = "no_window";
	for (int i = 0; closers != NULL && i < closers->n; i++)
		c->words[n++] = psprintf("rule:%s", closers->names[i]);
	c->nwords = n;
	return true;
}

/* One step: false where the gate must be asked. */
static bool
pick_on(DunPicker *p, const DunPickFacts *facts, const DunRung *rung, DunPick *pick)
{
	Picking		k = {.picker = p, .facts = facts, .rung = rung};

	*pick = (DunPick) {.plain = true, .rung = rung, .chosen = -1, .first_tried = -1};
	if (!rung->enough || rung->blocked || facts->held_out)
		return true;
	weigh_channels(&k, pick);
	if (pick->nusable == 0 || !set_window(&k))
		return true;
	pick->in_time = true;
	pick->first_tried = pick->order[0];
	for (int i = 0; i < pick->nusable && pick->chosen < 0; i++)
	{
		DunCandidate *c = &pick->candidates[pick->order[i]];

		if (!try_candidate(&k, c))
			return false;
		if (c->nwords == 0)
			pick->chosen = pick->order[i];
	}
	return true;
}

/* --- what is told of a step that was passed over --- */

const char *
dun_plan_join_words(const char *const *words, int n)
{
	StringInfoData s;

	initStringInfo(&s);
	for (int i = 0; i < n; i++)
		appendStringInfo(&s, "%s%s", i > 0 ? ", " : "", words[i]);
	return s.data;
}

int
dun_plan_list_reasons(const DunPick *pick, const char *const *only, const char **found)
{
	int			n = 0;

	for (int i = 0; i < pick->ncandidates; i++)
	{
		const char *why = pick->candidates[i].why;
		int			at;

		for (at = 0; why != NULL && only != NULL && only[at] != NULL && strcmp(only[at], why) != 0; at++);
		if (why == NULL || (only != NULL && only[at] == NULL))
			continue;
		for (at = 0; at < n && strcmp(found[at], why) < 0; at++);
		if (at < n && strcmp(found[at], why) == 0)
			continue;
		memmove(&found[at + 1], &found[at], (n - at) * sizeof(char *));
		found[at] = why;
		n++;
	}
	return n;
}

/* NULL where there is none. */
static const char *
join_reasons(const DunPick *pick)
{
	const char **found = palloc((pick->ncandidates + 1) * sizeof(char *));
	int			n = dun_plan_list_reasons(pick, NULL, found);

	return n > 0 ? dun_plan_join_words(found, n) : NULL;
}

static void
add_passed(DunPick *pick, const DunPick *over)
{
	const DunCandidate *c = over->first_tried >= 0 ? &over->candidates[over->first_tried] : NULL;
	const char *why = c != NULL ? dun_plan_join_words(c->words, c->nwords) : join_reasons(over);

	pick->passed[pick->npassed++] = (DunPassed) {over->rung, why != NULL ? why : "min_gap"};
}

void
dun_plan_pick(DunPicker *p, const DunPickFacts *facts, const DunRung *rungs, int nrungs, DunPick *pick)
{
	DunPassed  *passed = palloc(nrungs * sizeof(DunPassed));
	DunPick		first;
	int			npassed = 0;

	for (int i = 0; i < nrungs; i++)
	{
		if (i > 0 && (!rungs[i].enough || rungs[i].blocked))
			continue;
		if (!pick_on(p, facts, &rungs[i], pick))
		{
			pick->plain = false;
			return;
		}
		pick->passed = passed;
		pick->npassed = npassed;
		if (pick->chosen >= 0)
			return;
		if (i == 0)
			first = *pick;
		add_passed(pick, pick);
		npassed = pick->npassed;
	}
	/* None can be taken: the furthest is the one that is held. */
	*pick = first;
	pick->npassed = 0;
}
