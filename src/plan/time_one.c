/*
 * plan/time_one.c
 *		dunning._plain_time: the best times of one debtor where he is a plain case, in the little time an application waits.
 *
 * What a whole book costs once would be paid at each call: so the session keeps the rules of places, the book's hours and the
 * grids for as long as none of their tables changes (base/watch.h), and the plans of five small statements about the
 * debtor. _best_times() defines the answer; a test holds both against each other.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/watch.h"
#include "ledger/kept.h"
#include "plan/kept_places.h"
#include "plan/pick_book.h"
#include "timing/reasons.h"

#define MOST_PLACES 64			/* kept; with the next one all are made anew */
#define BOOK_KB 1024

enum
{
	OUT_CONTACT_AT, OUT_LOCAL_TIME, OUT_P_RESPONSE, OUT_P_BASELINE, OUT_UPLIFT, OUT_EXPLORED, OUT_PROPENSITY, OUT_REASONS, OUT_COLUMNS
};

/* What is the same for many debtors. */
static DunKeptPlaces kept = {.most = MOST_PLACES};
static DunTimes *kept_times;	/* in their context */

static DunStatement texts_sql = {"SELECT dunning._times_texts(NULL, '$2')", 0, {0}, NULL};

static DunStatement about_debtor[DUN_PICK_TEXTS];

/* --- what is kept --- */

static void
renew_statements(Datum array)
{
	static const DunPickText about[] = {DUN_PICK_FACTS, DUN_PICK_PROFILES, DUN_PICK_HISTORY, DUN_PICK_OTHERS, DUN_PICK_TROUBLE, DUN_PICK_SUPPRESSED};
	char	   *texts[DUN_PICK_TEXTS];

	dun_plan_take_statements(array, texts, DUN_PICK_TEXTS);
	for (int i = 0; i < lengthof(about); i++)
	{
		DunStatement *st = &about_debtor[about[i]];

		st->nargs = 2;
		st->types[0] = TIMESTAMPTZOID;
		st->types[1] = TEXTARRAYOID;
		st->cursor_options = CURSOR_OPT_GENERIC_PLAN;
		dun_base_renew(st, texts[about[i]]);
	}
}

/* The texts depend on what is bound, and on little else that comes or goes without a word in the bindings. */
static void
keep_statements(void)
{
	static DunTextsRead read = {0};
	char	   *signature = dun_ledger_texts_changed(&read);
	bool		isnull;

	if (signature == NULL)
		return;
	dun_base_run(&texts_sql, NULL, NULL, true, 1);
	renew_statements(dun_base_value(0, 1, &isnull));
	dun_ledger_note_texts(&read, signature);
}

static void
read_texts(char **texts)
{
	MemoryContext here = CurrentMemoryContext;
	bool		isnull;

	dun_base_run(&texts_sql, NULL, NULL, true, 1);
	MemoryContextSwitchTo(here);
	dun_plan_take_statements(dun_base_value(0, 1, &isnull), texts, DUN_PICK_TEXTS);
}

static void
keep_means(TimestampTz at, DateADT day, uint64 watched)
{
	MemoryContext before;

	if (!dun_plan_keep_places(&kept, read_texts, at, day, watched))
		return;
	before = MemoryContextSwitchTo(kept.context);
	kept_times = dun_timing_make_times();
	MemoryContextSwitchTo(before);
}

/* --- the debtor --- */

static int
find_channel(const DunMeans *means, const char *name)
{
	const DunChannel *channels;
	int			n = dun_plan_channels(means, &channels);

	for (int i = 0; i < n; i++)
		if (strcmp(channels[i].name, name) == 0)
			return i;
	return -1;
}

static void
put_time(ReturnSetInfo *rsinfo, const DunPlaceRules *rules, const DunTimeQuestion *q, const DunTimeField *field, const DunTimeAnswer *answer)
{
	DunTimeClaim claim = dun_timing_claim(q, field, answer);
	Datum		out[OUT_COLUMNS];
	bool		isnull[OUT_COLUMNS] = {false};

	out[OUT_CONTACT_AT] = TimestampTzGetDatum(answer->at);
	out[OUT_LOCAL_TIME] = CStringGetTextDatum(dun_calendar_local_time(answer->at, rules->zone));
	out[OUT_P_RESPONSE] = Float8GetDatum(claim.p);
	out[OUT_P_BASELINE] = Float8GetDatum(claim.baseline);
	out[OUT_UPLIFT] = Float8GetDatum(claim.p / claim.baseline - 1);
	out[OUT_EXPLORED] = BoolGetDatum(answer->explored);
	out[OUT_PROPENSITY] = Float8GetDatum(answer->propensity);
	out[OUT_REASONS] = dun_timing_reasons(q, field, answer, NULL, NULL);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, out, isnull);
}

/* Nothing is put where he is no plain case, or has no instant: the gate says why. */
static void
put_times(DunPickRun *run, const DunPickFacts *facts, int channel, TimestampTz from, TimestampTz until, int top)
{
	DunTimeQuestion q;
	DunTimeField field = {0};
	DunTimeAnswer *answers = palloc(sizeof(DunTimeAnswer) * top);
	const char *words[DUN_ASIDE_WORDS];
	int			n;

	if (!dun_plan_set_question(&run->picker, facts, channel, from, until, &q, words, &n) || n > 0)
		return;
	q.by_rule = true;
	n = dun_timing_best(run->picker.times, &q, top, &field, answers);
	for (int i = 0; i < n; i++)
		put_time(run->rsinfo, dun_plan_rules(kept.means, facts->place, channel), &q, &field, &answers[i]);
}

static void
answer(DunPickRun *run, const char *channel_name, TimestampTz from, TimestampTz until, int top)
{
	DateADT		day = DatumGetDateADT(DirectFunctionCall1(timestamptz_date, TimestampTzGetDatum(run->picker.at)));
	uint64		watched = dun_base_watched();
	DunPickFacts facts;
	DunRow	   *rows;
	int			channel;

	keep_statements();
	keep_means(run->picker.at, day, watched);
	run->picker.means = kept.means;
	run->picker.times = kept_times;
	channel = find_channel(kept.means, channel_name);
	if (channel < 0)
		return;
	dun_plan_read_debtors(run);
	rows = dun_plan_next_debtor(run->book);
	if (rows == NULL || dun_plan_collect_known(run, rows, &facts) != 1 || facts.place < 0)
		return;
	(void) dun_plan_kept_rules(&kept, facts.place, channel, watched);
	put_times(run, &facts, channel, from, until, top);
}

PG_FUNCTION_INFO_V1(dun_plan_sql_plain_time);

/* _plain_time(debtor_id, channel, from, until, now, top) */
Datum
dun_plan_sql_plain_time(PG_FUNCTION_ARGS)
{
	DunPickRun	run = {.kept = about_debtor};
	Datum		id = PG_GETARG_DATUM(0);
	MemoryContext before;

	run.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	InitMaterializedSRF(fcinfo, 0);
	/* Of a transaction that sees but what was there when it began, another's changes since cannot be told. */
	if (IsolationUsesXactSnapshot())
		return (Datum) 0;
	run.context = AllocSetContextCreate(CurrentMemoryContext, "dunning time", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(run.context);
	run.item = AllocSetContextCreate(run.context, "dunning debtor", ALLOCSET_SMALL_SIZES);
	run.book = dun_plan_make_book(BOOK_KB * 1024);
	run.picker.at = PG_GETARG_TIMESTAMPTZ(4);
	run.args = (DunArguments) {.n = 2, .types = {TIMESTAMPTZOID, TEXTARRAYOID}};
	run.args.values[0] = PG_GETARG_DATUM(4);
	run.args.values[1] = PointerGetDatum(construct_array(&id, 1, TEXTOID, -1, false, TYPALIGN_INT));
	SPI_connect();
	answer(&run, text_to_cstring(PG_GETARG_TEXT_PP(1)), PG_GETARG_TIMESTAMPTZ(2), PG_GETARG_TIMESTAMPTZ(3), PG_GETARG_INT32(5));
	SPI_finish();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(run.context);
	return (Datum) 0;
}
