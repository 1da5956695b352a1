/*
 * plan/pick_book.c
 *		The picks of a book: what is known of the debtors of the ladder is read once, and each is picked for by himself.
 *
 * Rows of all kinds are dealt to a book (book.c), each packed as a struct in its first text.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/hash.h"
#include "plan/book.h"
#include "plan/pick.h"
#include "timing/payday.h"

#define HOLDOUT_SEED 3

typedef enum PickRow
{
	ROW_RUNG,					/* RungRow, creditor, preferred channel, currency */
	ROW_FACTS,					/* FactsRow, e-mail, phone, postal address */
	ROW_QUALITY,				/* `due` is the field, `amount` the quality in millionths */
	ROW_PROFILE,				/* ProfileRow, activity, payments, creditor */
	ROW_CONTACT,				/* ContactRow, channel, account where it is another */
	ROW_TALK,					/* `amount` is the instant */
	ROW_TROUBLE
} PickRow;

typedef struct RungRow
{
	const DunPickStep *step;
	TimestampTz until;
	TimestampTz last_contact;
	double		largest;
	DateADT		due;
	int32		rung;
	int32		n7;
	int32		n30;
	bool		enough;
	bool		blocked;
	bool		has_largest;
	bool		odd;
} RungRow;

typedef struct FactsRow
{
	uint64		consents;
	double		p_paid;
	double		p_self_cure;
	int32		place;
	bool		has_p;
	bool		has_self_cure;
	bool		likely;
} FactsRow;

typedef struct ProfileRow
{
	int32		contacts;
	int32		responses;
} ProfileRow;

typedef struct ContactRow
{
	pg_uuid_t	message_id;
	TimestampTz at;
	int32		ord;
} ContactRow;

typedef struct PickRun
{
	MemoryContext context;
	MemoryContext item;
	DunPicker	picker;
	char	   *texts[DUN_PICK_TEXTS];
	DunArguments args;			/* as_of, debtor ids */
	double		holdout;
	bool		detail;
	DunBook    *book;
	ArrayBuildState *ids;
	int			suppressed_room;
	const DunPickStep *last_step;
	ReturnSetInfo *rsinfo;
} PickRun;

enum
{
	OUT_DEBTOR, OUT_RUNG, OUT_PLAIN, OUT_CHANNEL, OUT_SERVER, OUT_CONTACT_AT, OUT_LOCAL_TIME, OUT_P_RESPONSE, OUT_EXPLORED, OUT_PROPENSITY,
	OUT_TIMING, OUT_SKIPPED, OUT_BLOCKED_BY, OUT_COST, OUT_CURRENCY, OUT_P, OUT_VALUE, OUT_PASSED_OVER, OUT_COLUMNS
};

/* --- reading --- */

static void
add_row(PickRun *run, PickRow kind, DunRow *row, const Datum *v, const bool *isnull, const void *packed, int packed_len, int first, int ntexts)
{
	const char *texts[DUN_ROW_TEXTS] = {packed};
	int			lens[DUN_ROW_TEXTS] = {packed_len};
	int			len;
	const char *id = dun_plan_text_at(v, isnull, 0, &len);

	if (id == NULL)
		return;
	row->kind = kind;
	for (int i = 0; i < ntexts; i++)
		texts[i + 1] = dun_plan_text_at(v, isnull, first + i, &lens[i + 1]);
	dun_plan_add_row(run->book, row, id, len, texts, lens);
}

/* debtor_id, creditor, preferred_channel, largest_in, strategy, step, rung, enough, blocked, due_on, until_at, last_contact, n7, n30, largest, odd */
static void
take_rung(void *state, const Datum *v, const bool *isnull)
{
	PickRun    *run = state;
	DunRow		row = {0};
	RungRow		r = {0};
	int			strategy_len,
				step_len;
	const char *strategy = dun_plan_text_at(v, isnull, 4, &strategy_len);
	const char *step = dun_plan_text_at(v, isnull, 5, &step_len);

	r.step = dun_plan_pick_step(run->picker.means, strategy, strategy_len, step, step_len);
	r.rung = DatumGetInt32(v[6]);
	r.enough = DatumGetBool(v[7]);
	r.blocked = DatumGetBool(v[8]);
	r.due = DatumGetDateADT(v[9]);
	r.until = isnull[10] ? DT_NOEND : DatumGetTimestampTz(v[10]);
	r.last_contact = isnull[11] ? DT_NOBEGIN : DatumGetTimestampTz(v[11]);
	r.n7 = DatumGetInt32(v[12]);
	r.n30 = DatumGetInt32(v[13]);
	r.has_largest = !isnull[14];
	if (r.has_largest)
		r.largest = DatumGetFloat8(v[14]);
	r.odd = DatumGetBool(v[15]);
	add_row(run, ROW_RUNG, &row, v, isnull, &r, sizeof(r), 1, 3);
	if (r.rung == 1)
		run->ids = accumArrayResult(run->ids, v[0], false, TEXTOID, run->context);
}

/* Is a contact over each channel agreed to? As the gate reads it: nothing said means service messages alone. */
static uint64
read_consents(const PickRun *run, const Datum *v, const bool *isnull, int i)
{
	const DunChannel *channels;
	int			n = dun_plan_channels(run->picker.means, &channels);
	Jsonb	   *consent = isnull[i] ? NULL : DatumGetJsonbP(v[i]);
	bool		is_object = consent != NULL && JB_ROOT_IS_OBJECT(consent);
	bool		says_nothing = consent == NULL;
	uint64		agreed = 0;

	if (consent != NULL && JB_ROOT_IS_SCALAR(consent))
	{
		JsonbValue	scalar;

		says_nothing = JsonbExtractScalar(&consent->root, &scalar) && scalar.type == jbvNull;
	}
	for (int c = 0; c < n; c++)
	{
		JsonbValue	value = {.type = jbvNull};
		bool		yes = says_nothing && channels[c].service;

		if (is_object)
		{
			if (getKeyJsonValueFromContainer(&consent->root, channels[c].name, strlen(channels[c].name), &value) == NULL || value.type == jbvNull)
				yes = channels[c].service;
			else
				yes = value.type == jbvBool && value.val.boolean;
		}
		if (yes)
			agreed |= UINT64CONST(1) << c;
	}
	return agreed;
}

static const char *
string_at(const Datum *v, const bool *isnull, int i)
{
	return isnull[i] ? "" : TextDatumGetCString(v[i]);
}

/* debtor_id, email, phone, address, country, region, kind, time_zone, consent, p_paid_30d, p_self_cure, is a self-curer by segment */
static void
take_facts(void *state, const Datum *v, const bool *isnull)
{
	PickRun    *run = state;
	MemoryContext before = MemoryContextSwitchTo(run->item);
	DunRow		row = {0};
	FactsRow	f = {0};

	f.place = dun_plan_place(run->picker.means, string_at(v, isnull, 4), string_at(v, isnull, 5), string_at(v, isnull, 6), string_at(v, isnull, 7));
	f.consents = read_consents(run, v, isnull, 8);
	f.has_p = !isnull[9];
	f.p_paid = f.has_p ? DatumGetFloat8(v[9]) : 0;
	f.has_self_cure = !isnull[10];
	f.p_self_cure = f.has_self_cure ? DatumGetFloat8(v[10]) : 0;
	f.likely = !isnull[11] && DatumGetBool(v[11]);
	add_row(run, ROW_FACTS, &row, v, isnull, &f, sizeof(f), 1, 3);
	MemoryContextSwitchTo(before);
	MemoryContextReset(run->item);
}

/* debtor_id, field (0 email, 1 phone, 2 address), quality */
static void
take_quality(void *state, const Datum *v, const bool *isnull)
{
	DunRow		row = {.due = DatumGetInt32(v[1])};
	double		quality = DatumGetFloat8(v[2]);

	memcpy(&row.amount, &quality, sizeof(row.amount));
	add_row(state, ROW_QUALITY, &row, v, isnull, NULL, 0, 0, 0);
}

/* debtor_id, creditor, contacts, responses, activity, payments */
static void
take_profile(void *state, const Datum *v, const bool *isnull)
{
	PickRun    *run = state;
	DunRow		row = {.kind = ROW_PROFILE};
	ProfileRow	p = {.contacts = DatumGetInt32(v[2]), .responses = DatumGetInt32(v[3])};
	const char *texts[DUN_ROW_TEXTS] = {(const char *) &p};
	int			lens[DUN_ROW_TEXTS] = {sizeof(p)};
	int			len;
	const char *id = dun_plan_text_at(v, isnull, 0, &len);

	texts[1] = dun_plan_text_at(v, isnull, 4, &lens[1]);	/* a bytea is laid out as a text */
	texts[2] = dun_plan_text_at(v, isnull, 5, &lens[2]);	/* dates side by side, see _pick_texts() */
	texts[3] = dun_plan_text_at(v, isnull, 1, &lens[3]);
	dun_plan_add_row(run->book, &row, id, len, texts, lens);
}

/* debtor_id, channel (NULL: a conversation), message_id, at, ord, account (NULL: the debtor's own) */
static void
take_history(void *state, const Datum *v, const bool *isnull)
{
	DunRow		row = {.kind = ROW_CONTACT};
	ContactRow	c = {.at = DatumGetTimestampTz(v[3])};
	const char *texts[DUN_ROW_TEXTS] = {(const char *) &c};
	int			lens[DUN_ROW_TEXTS] = {sizeof(c)};
	int			id_len;
	const char *id = dun_plan_text_at(v, isnull, 0, &id_len);

	if (isnull[1])
	{
		row.amount = c.at;
		add_row(state, ROW_TALK, &row, v, isnull, NULL, 0, 0, 0);
		return;
	}
	c.message_id = *DatumGetUUIDP(v[2]);
	c.ord = DatumGetInt32(v[4]);
	texts[1] = dun_plan_text_at(v, isnull, 1, &lens[1]);
	texts[2] = dun_plan_text_at(v, isnull, 5, &lens[2]);
	dun_plan_add_row(((PickRun *) state)->book, &row, id, id_len, texts, lens);
}

static void
take_trouble(void *state, const Datum *v, const bool *isnull)
{
	DunRow		row = {0};

	add_row(state, ROW_TROUBLE, &row, v, isnull, NULL, 0, 0, 0);
}

/* address_digest, key */
static void
take_suppressed(void *state, const Datum *v, const bool *isnull)
{
	PickRun    *run = state;
	DunPicker  *p = &run->picker;
	bytea	   *digest = DatumGetByteaPP(v[0]);
	uint64		first = 0;

	memcpy(&first, VARDATA_ANY(digest), Min(VARSIZE_ANY_EXHDR(digest), sizeof(first)));
	if (p->digest_key == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(run->context);

		p->digest_key = DatumGetByteaPCopy(v[1]);
		MemoryContextSwitchTo(before);
	}
	if (p->nsuppressed == run->suppressed_room)
	{
		run->suppressed_room = run->suppressed_room * 2 + 256;
		p->suppressed = p->suppressed == NULL ? MemoryContextAlloc(run->context, run->suppressed_room * sizeof(uint64))
			: repalloc_huge(p->suppressed, run->suppressed_room * sizeof(uint64));
	}
	p->suppressed[p->nsuppressed++] = first;
}

static int
compare_words(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a,
				y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/* --- a debtor --- */

static const void *
packed_of(const DunRow *row)
{
	int			len;

	return dun_plan_row_text(row, 0, &len);
}

static char *
copy_text(const DunRow *row, int i)
{
	int			len;
	const char *t = dun_plan_row_text(row, i, &len);

	return t == NULL ? NULL : pnstrdup(t, len);
}

static void
read_rung(PickRun *run, const DunRow *row, DunRung *rung, DunPickFacts *facts)
{
	RungRow		r;
	int			len = 0;
	const char *creditor = dun_plan_row_text(row, 1, &len);

	memcpy(&r, packed_of(row), sizeof(r));
	*rung = (DunRung) {
		.step = r.step, .rung = r.rung, .enough = r.enough, .blocked = r.blocked, .due = r.due, .until = r.until,
		.last_contact = r.last_contact, .n7 = r.n7, .n30 = r.n30, .has_largest = r.has_largest, .largest = r.largest,
		.currency = copy_text(row, 3), .creditor = dun_plan_creditor(run->picker.means, creditor, len)
	};
	rung->preferred = dun_plan_row_text(row, 2, &rung->preferred_len);
	facts->trouble |= r.odd;
}

static void
read_facts(const DunRow *row, DunPickFacts *facts)
{
	FactsRow	f;

	memcpy(&f, packed_of(row), sizeof(f));
	facts->place = f.place;
	facts->consents = f.consents;
	facts->has_p = f.has_p;
	facts->p_paid = f.p_paid;
	facts->has_self_cure = f.has_self_cure;
	facts->p_self_cure = f.p_self_cure;
	facts->likely = f.likely;
	for (int i = 0; i < 3; i++)
	{
		facts->addresses[i].text = dun_plan_row_text(row, i + 1, &facts->addresses[i].len);
		if (facts->addresses[i].text != NULL && facts->addresses[i].len == 0)
			facts->addresses[i].text = NULL;
	}
}

static void
read_profile(PickRun *run, const DunRow *row, DunPickFacts *facts)
{
	ProfileRow	p;
	DateADT    *dates = palloc(DUN_PAYMENTS_KEPT * sizeof(DateADT));
	DunBookShare *share = palloc(sizeof(DunBookShare));
	const char *t;
	int			len;

	memcpy(&p, packed_of(row), sizeof(p));
	facts->evidence.contacts = p.contacts;
	facts->evidence.responses = p.responses;
	t = dun_plan_row_text(row, 1, &len);
	if (t != NULL && len == sizeof(DunActivity))
		facts->evidence.activity = memcpy(palloc(sizeof(DunActivity)), t, sizeof(DunActivity));
	t = dun_plan_row_text(row, 2, &len);
	facts->evidence.npayments = t == NULL ? 0 : Min(len / sizeof(DateADT), DUN_PAYMENTS_KEPT);
	if (facts->evidence.npayments > 0)
		memcpy(dates, t, facts->evidence.npayments * sizeof(DateADT));
	facts->evidence.payments = dates;
	t = dun_plan_row_text(row, 3, &len);
	*share = *dun_plan_book_share(run->picker.means, t, len);
	facts->evidence.shape = share->shape;
	facts->book_q = share->q;
}

static void
read_contact(const DunRow *row, const char *debtor_id, DunContact *contact)
{
	ContactRow	c;

	char	   *account = copy_text(row, 2);

	memcpy(&c, packed_of(row), sizeof(c));
	*contact = (DunContact) {
		.debtor_id = account != NULL ? account : unconstify(char *, debtor_id), .channel = copy_text(row, 1), .message_id = c.message_id, .at = c.at, .ord = c.ord
	};
}

static int
compare_rungs(const void *a, const void *b)
{
	return ((const DunRung *) a)->rung - ((const DunRung *) b)->rung;
}

static int
count_rows(const DunRow *rows, PickRow kind)
{
	int			n = 0;

	for (const DunRow *row = rows; row != NULL; row = row->next)
		n += row->kind == kind;
	return n;
}

/* How many rungs; none where a debtor is not of the ladder. */
static int
collect(PickRun *run, const DunRow *rows, DunPickFacts *facts, DunRung **rungs)
{
	int			nrungs = count_rows(rows, ROW_RUNG),
				nfacts = 0,
				n = 0;

	if (nrungs == 0)
		return 0;
	*facts = (DunPickFacts) {.debtor_id = pnstrdup(DUN_ROW_ID(rows), rows->id_len), .place = -1, .quality = {1, 1, 1}};
	facts->evidence.book_q = DUN_FIRST_SHARE;
	*rungs = palloc(nrungs * sizeof(DunRung));
	facts->history.contacts = palloc(Max(count_rows(rows, ROW_CONTACT), 1) * sizeof(DunContact));
	facts->history.talks = palloc(Max(count_rows(rows, ROW_TALK), 1) * sizeof(TimestampTz));
	for (const DunRow *row = rows; row != NULL; row = row->next)
		switch ((PickRow) row->kind)
		{
			case ROW_RUNG:
				read_rung(run, row, &(*rungs)[n++], facts);
				break;
			case ROW_FACTS:
				read_facts(row, facts);
				nfacts++;
				break;
			case ROW_QUALITY:
				memcpy(&facts->quality[row->due], &row->amount, sizeof(double));
				break;
			case ROW_PROFILE:
				read_profile(run, row, facts);
				break;
			case ROW_CONTACT:
				read_contact(row, facts->debtor_id, &facts->history.contacts[facts->history.ncontacts++]);
				break;
			case ROW_TALK:
				facts->history.talks[facts->history.ntalks++] = row->amount;
				break;
			case ROW_TROUBLE:
				facts->trouble = true;
				break;
		}
	/* Of several rows of one debtor none is believed. */
	if (nfacts != 1)
		facts->trouble = true;
	qsort(*rungs, nrungs, sizeof(DunRung), compare_rungs);
	return nrungs;
}

static bool
is_held_out(const PickRun *run, const char *debtor_id)
{
	char	   *name;
	uint64		state;

	if (run->holdout <= 0)
		return false;
	name = psprintf("holdout/%s", debtor_id);
	state = dun_base_hash64(name, strlen(name), HOLDOUT_SEED);
	return dun_base_rng_uniform(&state) < run->holdout;
}

/* --- putting out --- */

static Datum
text_array(const char *const *words, int n)
{
	Datum	   *datums = palloc(Max(n, 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		datums[i] = CStringGetTextDatum(words[i]);
	return PointerGetDatum(construct_array(datums, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* The reasons against channels, each once, in the order of the alphabet; those of `only`, NULL: all. */
static int
reasons(const DunPick *pick, const char *const *only, const char **found)
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

/* As planning words it; the reason `blocked` of the ladder goes before. */
static Datum
blocked_by(const DunPick *pick, const DunPickFacts *facts)
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
		n = c->nwords + reasons(pick, by_choice, words + c->nwords);
	}
	else if (!pick->rung->enough)
		words[n++] = "under_minimum";
	else if (pick->ncandidates == 0)
		words[n++] = "held_out";
	else if (pick->nusable > 0)
		words[n++] = "min_gap";
	else
		n = reasons(pick, NULL, words);
	return text_array(words, n);
}

static void
push_reason(JsonbParseState **state, const char *name, const char *of, const char *why)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue	value = {.type = jbvString};

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	value.val.string.val = unconstify(char *, of);
	value.val.string.len = strlen(of);
	pushJsonbValue(state, WJB_KEY, &key);
	pushJsonbValue(state, WJB_VALUE, &value);
	key.val.string.val = "why";
	key.val.string.len = 3;
	value.val.string.val = unconstify(char *, why);
	value.val.string.len = strlen(why);
	pushJsonbValue(state, WJB_KEY, &key);
	pushJsonbValue(state, WJB_VALUE, &value);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static const char *
words_of(const DunCandidate *c)
{
	StringInfoData s;

	initStringInfo(&s);
	for (int i = 0; i < c->nwords; i++)
		appendStringInfo(&s, "%s%s", i > 0 ? ", " : "", c->words[i]);
	return s.data;
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
		push_reason(&state, "channel", c->name, words_of(c));
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
put_chosen(PickRun *run, const DunPick *pick, const DunPickFacts *facts, Datum *out, bool *isnull)
{
	const DunCandidate *c = &pick->candidates[pick->chosen];

	for (int i = OUT_CONTACT_AT; i <= OUT_PROPENSITY; i++)
		isnull[i] = false;
	out[OUT_CONTACT_AT] = TimestampTzGetDatum(c->answer.at);
	out[OUT_LOCAL_TIME] = CStringGetTextDatum(dun_calendar_local_time(c->answer.at, dun_plan_rules(run->picker.means, facts->place, c->channel)->zone));
	out[OUT_P_RESPONSE] = Float8GetDatum(c->field.mean_p);
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
		out[OUT_VALUE] = DirectFunctionCall2(numeric_round, DirectFunctionCall1(float8_numeric, Float8GetDatum(c->raw)), Int32GetDatum(2));
		isnull[OUT_VALUE] = false;
	}
}

static void
put_pick(PickRun *run, const DunPick *pick, const DunPickFacts *facts)
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
		out[OUT_BLOCKED_BY] = blocked_by(pick, facts);
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

/* --- the book --- */

static void
read_sources(PickRun *run)
{
	dun_plan_read(run->texts[DUN_PICK_RUNGS], &run->args, take_rung, run);
	if (run->ids == NULL)
		return;
	run->args.values[1] = makeArrayResult(run->ids, run->context);
	run->args.isnull[1] = false;
	dun_plan_read(run->texts[DUN_PICK_SUPPRESSED], &run->args, take_suppressed, run);
	if (run->picker.nsuppressed > 1)
		qsort(run->picker.suppressed, run->picker.nsuppressed, sizeof(uint64), compare_words);
	dun_plan_read(run->texts[DUN_PICK_FACTS], &run->args, take_facts, run);
	dun_plan_read(run->texts[DUN_PICK_QUALITY], &run->args, take_quality, run);
	dun_plan_read(run->texts[DUN_PICK_PROFILES], &run->args, take_profile, run);
	dun_plan_read(run->texts[DUN_PICK_HISTORY], &run->args, take_history, run);
	dun_plan_read(run->texts[DUN_PICK_OTHERS], &run->args, take_history, run);
	dun_plan_read(run->texts[DUN_PICK_TROUBLE], &run->args, take_trouble, run);
}

static void
sweep(PickRun *run)
{
	MemoryContext before = MemoryContextSwitchTo(run->item);
	DunRow	   *rows;

	while ((rows = dun_plan_next_debtor(run->book)) != NULL)
	{
		DunPickFacts facts;
		DunRung    *rungs;
		DunPick		pick;
		int			n;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(run->item);
		n = collect(run, rows, &facts, &rungs);
		if (n == 0)
			continue;
		facts.held_out = is_held_out(run, facts.debtor_id);
		dun_plan_pick(&run->picker, &facts, rungs, n, &pick);
		put_pick(run, &pick, &facts);
	}
	MemoryContextSwitchTo(before);
}

PG_FUNCTION_INFO_V1(dun_plan_sql_packed_dates);

/* _packed_dates(date[]) */
Datum
dun_plan_sql_packed_dates(PG_FUNCTION_ARGS)
{
	ArrayType  *dates = PG_GETARG_ARRAYTYPE_P(0);
	Size		len = ARR_HASNULL(dates) ? 0 : ArrayGetNItems(ARR_NDIM(dates), ARR_DIMS(dates)) * sizeof(DateADT);
	bytea	   *packed = palloc(VARHDRSZ + len);

	SET_VARSIZE(packed, VARHDRSZ + len);
	memcpy(VARDATA(packed), ARR_DATA_PTR(dates), len);
	PG_RETURN_BYTEA_P(packed);
}

PG_FUNCTION_INFO_V1(dun_plan_sql_pick);

/* _pick(texts, at, today, holdout share, prices by country, detail) */
Datum
dun_plan_sql_pick(PG_FUNCTION_ARGS)
{
	PickRun		run = {0};
	MemoryContext before;
	Datum	   *texts;
	int			n;

	run.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	InitMaterializedSRF(fcinfo, 0);
	run.context = AllocSetContextCreate(CurrentMemoryContext, "dunning picks", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(run.context);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &texts, NULL, &n);
	if (n != DUN_PICK_TEXTS)
		elog(ERROR, "%d statements are needed, not %d", DUN_PICK_TEXTS, n);
	for (int i = 0; i < DUN_PICK_TEXTS; i++)
		run.texts[i] = TextDatumGetCString(texts[i]);
	run.args = (DunArguments) {.n = 2, .types = {TIMESTAMPTZOID, TEXTARRAYOID}, .isnull = {false, true}};
	run.args.values[0] = PG_GETARG_DATUM(1);
	run.holdout = PG_GETARG_FLOAT8(3);
	run.detail = PG_GETARG_BOOL(5);
	run.item = AllocSetContextCreate(run.context, "dunning debtor", ALLOCSET_DEFAULT_SIZES);
	run.book = dun_plan_make_book((Size) (work_mem * hash_mem_multiplier) * 1024);
	SPI_connect();
	run.picker.at = PG_GETARG_TIMESTAMPTZ(1);
	run.picker.today = PG_GETARG_DATEADT(2);
	run.picker.means = dun_plan_make_means(run.texts, run.picker.at, run.picker.today, PG_GETARG_BOOL(4));
	run.picker.times = dun_timing_make_times();
	read_sources(&run);
	sweep(&run);
	SPI_finish();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(run.context);
	return (Datum) 0;
}
