/*
 * plan/times.c
 *		The best times of a whole book over one channel, for the plain cases in one pass; whoever is not plain is asked of the
 *		query that defines it, _best_times(). Means and facts are those of the picks.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/texts.h"
#include "plan/pick_book.h"
#include "timing/reasons.h"

/* The columns of _times(). */
enum
{
	OUT_DEBTOR, OUT_CONTACT_AT, OUT_LOCAL_TIME, OUT_P_RESPONSE, OUT_P_BASELINE, OUT_UPLIFT, OUT_EXPLORED, OUT_PROPENSITY,
	OUT_REASONS, OUT_COLUMNS
};

typedef struct TimesRun
{
	DunPickRun	pick;
	int			channel;
	TimestampTz until;
	ArrayBuildState *asked;		/* debtors that are no plain cases, as often as the ledger has them */
} TimesRun;

static void
put_row(TimesRun *run, const Datum *out, const bool *isnull)
{
	tuplestore_putvalues(run->pick.rsinfo->setResult, run->pick.rsinfo->setDesc, unconstify(Datum *, out), unconstify(bool *, isnull));
}

static void
put_time(TimesRun *run, const DunPickFacts *facts, const DunTimeQuestion *q, const DunTimeField *field, const DunTimeAnswer *answer)
{
	const DunPlaceRules *rules = dun_plan_rules(run->pick.picker.means, facts->place, run->channel);
	DunTimeClaim claim = dun_timing_claim(q, field, answer);
	Datum		out[OUT_COLUMNS];
	bool		isnull[OUT_COLUMNS] = {false};

	out[OUT_DEBTOR] = CStringGetTextDatum(facts->debtor_id);
	out[OUT_CONTACT_AT] = TimestampTzGetDatum(answer->at);
	out[OUT_LOCAL_TIME] = CStringGetTextDatum(dun_calendar_local_time(answer->at, rules->zone));
	out[OUT_P_RESPONSE] = Float8GetDatum(claim.p);
	out[OUT_P_BASELINE] = Float8GetDatum(claim.baseline);
	out[OUT_UPLIFT] = Float8GetDatum(claim.p / claim.baseline - 1);
	out[OUT_EXPLORED] = BoolGetDatum(answer->explored);
	out[OUT_PROPENSITY] = Float8GetDatum(answer->propensity);
	out[OUT_REASONS] = dun_timing_reasons(q, field, answer, NULL, NULL);
	put_row(run, out, isnull);
}

static void
put_none(TimesRun *run, const DunPickFacts *facts, const DunTimeQuestion *q, const DunTimeField *field, const char **words, int nwords)
{
	const DunPlaceRules *rules = dun_plan_rules(run->pick.picker.means, facts->place, run->channel);
	Datum		out[OUT_COLUMNS] = {0};
	bool		isnull[OUT_COLUMNS];

	memset(isnull, true, sizeof(isnull));
	isnull[OUT_DEBTOR] = isnull[OUT_REASONS] = false;
	out[OUT_DEBTOR] = CStringGetTextDatum(facts->debtor_id);
	out[OUT_REASONS] = dun_timing_reasons(q, field, NULL, DatumGetArrayTypeP(dun_base_make_texts(words, nwords)), rules->names);
	put_row(run, out, isnull);
}

/* False: not a plain case. */
static bool
answer_plainly(TimesRun *run, const DunPickFacts *facts)
{
	static const DunTimeQuestion nothing = {0};
	const DunPicker *p = &run->pick.picker;
	DunTimeQuestion q;
	DunTimeField field = {0};
	DunTimeAnswer answer;
	const char *words[DUN_ASIDE_WORDS];
	int			n;

	if (!dun_plan_set_question(p, facts, run->channel, p->at, run->until, &q, words, &n))
		return false;
	if (n > 0)
		put_none(run, facts, &nothing, &field, words, n);
	else if (dun_timing_best(p->times, &q, 1, &field, &answer) > 0)
		put_time(run, facts, &q, &field, &answer);
	else
		put_none(run, facts, &q, &field, words, 0);
	return true;
}

static void
sweep(TimesRun *run)
{
	MemoryContext before = MemoryContextSwitchTo(run->pick.item);
	DunRow	   *rows;

	while ((rows = dun_plan_next_debtor(run->pick.book)) != NULL)
	{
		DunPickFacts facts;
		int			n;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(run->pick.item);
		n = dun_plan_collect_known(&run->pick, rows, &facts);
		if (n == 0 || answer_plainly(run, &facts))
			continue;
		for (int i = 0; i < n; i++)
			run->asked = accumArrayResult(run->asked, CStringGetTextDatum(facts.debtor_id), false, TEXTOID, run->pick.context);
	}
	MemoryContextSwitchTo(before);
}

static void
take_answer(void *state, const Datum *v, const bool *isnull)
{
	put_row(state, v, isnull);
}

static void
ask_gate(TimesRun *run, const char *statement, Datum channel)
{
	DunArguments args = {.n = 3, .types = {TIMESTAMPTZOID, TEXTARRAYOID, TEXTOID}};

	if (run->asked == NULL)
		return;
	args.values[0] = run->pick.args.values[0];
	args.values[1] = makeArrayResult(run->asked, run->pick.context);
	args.values[2] = channel;
	dun_plan_read(statement, &args, take_answer, run);
}

static int
find_channel(DunMeans *means, const char *name)
{
	const DunChannel *channels;
	int			n = dun_plan_channels(means, &channels);

	for (int i = 0; i < n; i++)
		if (strcmp(channels[i].name, name) == 0)
			return i;
	elog(ERROR, "channel %s is gone", name);
}

PG_FUNCTION_INFO_V1(dun_plan_sql_times);

/* _times(texts, statement that asks the gate, channel, at, until, today) */
Datum
dun_plan_sql_times(PG_FUNCTION_ARGS)
{
	TimesRun	run = {0};
	DunPickRun *pick = &run.pick;
	MemoryContext before;

	pick->rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	InitMaterializedSRF(fcinfo, 0);
	pick->context = AllocSetContextCreate(CurrentMemoryContext, "dunning times", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(pick->context);
	dun_plan_take_statements(PG_GETARG_DATUM(0), pick->texts, DUN_PICK_TEXTS);
	pick->args = (DunArguments) {.n = 2, .types = {TIMESTAMPTZOID, TEXTARRAYOID}, .isnull = {false, true}};
	pick->args.values[0] = PG_GETARG_DATUM(3);
	pick->item = AllocSetContextCreate(pick->context, "dunning debtor", ALLOCSET_DEFAULT_SIZES);
	pick->book = dun_plan_make_book((Size) (work_mem * hash_mem_multiplier) * 1024);
	SPI_connect();
	pick->picker.at = PG_GETARG_TIMESTAMPTZ(3);
	pick->picker.today = PG_GETARG_DATEADT(5);
	pick->picker.means = dun_plan_make_means(pick->texts, pick->picker.at, pick->picker.today, false);
	pick->picker.times = dun_timing_make_times();
	run.channel = find_channel(pick->picker.means, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	run.until = PG_GETARG_TIMESTAMPTZ(4);
	dun_plan_read_debtors(pick);
	sweep(&run);
	ask_gate(&run, text_to_cstring(PG_GETARG_TEXT_PP(1)), PG_GETARG_DATUM(2));
	SPI_finish();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(pick->context);
	return (Datum) 0;
}
