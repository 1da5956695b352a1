/*
 * plan/pick_read.c
 *		What is known of the debtors of the ladder: rows of the statements are packed into a book, and told debtor by debtor.
 *
 * Rows of all kinds are dealt to one book (book.c), each packed as a struct in its first text.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "plan/pick_book.h"
#include "timing/payday.h"

typedef enum PickRow
{
	ROW_RUNG,					/* RungRow, creditor, preferred channel, currency */
	ROW_FACTS,					/* FactsRow, e-mail, phone, postal address */
	ROW_QUALITY,				/* `due` is the field, `amount` the quality in millionths */
	ROW_PROFILE,				/* ProfileRow, profile, payments, creditor */
	ROW_CONTACT,				/* ContactRow, channel, account where it is another */
	ROW_TALK,					/* `amount` is the instant */
	ROW_HOLD,					/* `stated` is its end; the reason */
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
	int32		gap_days;
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

/* --- rows to the book --- */

/*
 * debtor_id, creditor, preferred_channel, largest_in, strategy, step, rung, enough, blocked, due_on, until_at, last_contact,
 * n7, n30, largest, odd, gap_days
 */
static void
take_rung(void *state, const Datum *v, const bool *isnull)
{
	DunPickRun *run = state;
	DunRow		row = {.kind = ROW_RUNG};
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
	r.gap_days = isnull[16] ? -1 : DatumGetInt32(v[16]);
	dun_plan_deal_row(run->book, &row, v, isnull, &r, sizeof(r), 1, 3);
	if (r.rung == 1)
		run->ids = accumArrayResult(run->ids, v[0], false, TEXTOID, run->context);
}

static const char *
string_at(const Datum *v, const bool *isnull, int i)
{
	return isnull[i] ? "" : TextDatumGetCString(v[i]);
}

/*
 * debtor_id, email, phone, address, country, region, kind, time_zone, consent, p_paid_30d, p_self_cure, is a self-curer by
 * segment
 */
static void
take_facts(void *state, const Datum *v, const bool *isnull)
{
	DunPickRun *run = state;
	MemoryContext before = MemoryContextSwitchTo(run->item);
	DunRow		row = {.kind = ROW_FACTS};
	FactsRow	f = {0};

	f.place = dun_plan_place(run->picker.means, string_at(v, isnull, 4), string_at(v, isnull, 5),
							 string_at(v, isnull, 6), string_at(v, isnull, 7));
	f.consents = dun_plan_consents(run->picker.means, isnull[8] ? NULL : DatumGetJsonbP(v[8]));
	f.has_p = !isnull[9];
	f.p_paid = f.has_p ? DatumGetFloat8(v[9]) : 0;
	f.has_self_cure = !isnull[10];
	f.p_self_cure = f.has_self_cure ? DatumGetFloat8(v[10]) : 0;
	f.likely = !isnull[11] && DatumGetBool(v[11]);
	dun_plan_deal_row(run->book, &row, v, isnull, &f, sizeof(f), 1, 3);
	MemoryContextSwitchTo(before);
	MemoryContextReset(run->item);
}

/* debtor_id, field (0 email, 1 phone, 2 address), quality */
static void
take_quality(void *state, const Datum *v, const bool *isnull)
{
	DunPickRun *run = state;
	DunRow		row = {.kind = ROW_QUALITY, .due = DatumGetInt32(v[2])};
	double		quality = DatumGetFloat8(v[1]);

	memcpy(&row.amount, &quality, sizeof(row.amount));
	dun_plan_deal_row(run->book, &row, v, isnull, NULL, 0, 0, 0);
}

/* debtor_id, creditor, contacts, responses, profile, payments */
static void
take_profile(void *state, const Datum *v, const bool *isnull)
{
	DunPickRun *run = state;
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
	DunPickRun *run = state;
	DunRow		row = {.kind = ROW_CONTACT};
	ContactRow	c = {.at = DatumGetTimestampTz(v[3])};
	const char *texts[DUN_ROW_TEXTS] = {(const char *) &c};
	int			lens[DUN_ROW_TEXTS] = {sizeof(c)};
	int			id_len;
	const char *id = dun_plan_text_at(v, isnull, 0, &id_len);

	if (isnull[1])
	{
		row.kind = ROW_TALK;
		row.amount = c.at;
		dun_plan_deal_row(run->book, &row, v, isnull, NULL, 0, 0, 0);
		return;
	}
	c.message_id = *DatumGetUUIDP(v[2]);
	c.ord = DatumGetInt32(v[4]);
	texts[1] = dun_plan_text_at(v, isnull, 1, &lens[1]);
	texts[2] = dun_plan_text_at(v, isnull, 5, &lens[2]);
	dun_plan_add_row(run->book, &row, id, id_len, texts, lens);
}

/* debtor_id, reason (NULL: ask the gate), until_at */
static void
take_trouble(void *state, const Datum *v, const bool *isnull)
{
	DunPickRun *run = state;
	DunRow		row = {.kind = isnull[1] ? ROW_TROUBLE : ROW_HOLD, .stated = isnull[2] ? DT_NOEND : DatumGetTimestampTz(v[2])};

	dun_plan_deal_row(run->book, &row, v, isnull, NULL, 0, 1, 1);
}

/* address_digest, key */
static void
take_suppressed(void *state, const Datum *v, const bool *isnull)
{
	DunPickRun *run = state;
	DunPicker  *p = &run->picker;
	bytea	   *digest = DatumGetByteaPP(v[0]);
	uint64		first = 0;

	memcpy(&first, VARDATA_ANY(digest), Min(VARSIZE_ANY_EXHDR(digest), sizeof(first)));
	if (p->digest_key == NULL && !isnull[1])
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

static void
read_text(DunPickRun *run, DunPickText which, DunTake take)
{
	if (run->kept == NULL)
		dun_plan_read(run->texts[which], &run->args, take, run);
	else if (run->kept[which].sql != NULL)
		dun_plan_read_kept(&run->kept[which], &run->args, take, run);
}

/* What is known besides places and addresses. */
static void
read_known(DunPickRun *run)
{
	read_text(run, DUN_PICK_SUPPRESSED, take_suppressed);
	if (run->picker.nsuppressed > 1)
		qsort(run->picker.suppressed, run->picker.nsuppressed, sizeof(uint64), compare_words);
	read_text(run, DUN_PICK_PROFILES, take_profile);
	read_text(run, DUN_PICK_HISTORY, take_history);
	read_text(run, DUN_PICK_OTHERS, take_history);
	read_text(run, DUN_PICK_TROUBLE, take_trouble);
}

void
dun_plan_read_picks(DunPickRun *run)
{
	dun_plan_read(run->texts[DUN_PICK_RUNGS], &run->args, take_rung, run);
	if (run->ids == NULL)
		return;
	run->args.values[1] = makeArrayResult(run->ids, run->context);
	run->args.isnull[1] = false;
	read_text(run, DUN_PICK_FACTS, take_facts);
	dun_plan_read(run->texts[DUN_PICK_QUALITY], &run->args, take_quality, run);
	read_known(run);
}

void
dun_plan_read_debtors(DunPickRun *run)
{
	read_text(run, DUN_PICK_FACTS, take_facts);
	read_known(run);
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
read_rung(const DunPickRun *run, const DunRow *row, DunRung *rung, DunPickFacts *facts)
{
	RungRow		r;
	int			len = 0;
	const char *creditor = dun_plan_row_text(row, 1, &len);

	memcpy(&r, packed_of(row), sizeof(r));
	*rung = (DunRung) {
		.step = r.step, .rung = r.rung, .enough = r.enough, .blocked = r.blocked, .due = r.due, .until = r.until,
		.last_contact = r.last_contact, .n7 = r.n7, .n30 = r.n30, .gap_days = r.gap_days, .has_largest = r.has_largest, .largest = r.largest,
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
read_profile(const DunPickRun *run, const DunRow *row, DunPickFacts *facts)
{
	ProfileRow	p;
	DateADT    *dates = palloc(DUN_PAYMENTS_KEPT * sizeof(DateADT));
	const char *t;
	int			len;

	memcpy(&p, packed_of(row), sizeof(p));
	facts->evidence.contacts = p.contacts;
	facts->evidence.responses = p.responses;
	t = dun_plan_row_text(row, 1, &len);
	if (t != NULL)
	{
		DunProfile *profile = palloc(VARHDRSZ + len);

		SET_VARSIZE(profile, VARHDRSZ + len);
		memcpy(VARDATA(profile), t, len);
		facts->evidence.profile = dun_timing_profile(profile);
	}
	t = dun_plan_row_text(row, 2, &len);
	facts->evidence.npayments = t == NULL ? 0 : Min(len / sizeof(DateADT), DUN_PAYMENTS_KEPT);
	if (facts->evidence.npayments > 0)
		memcpy(dates, t, facts->evidence.npayments * sizeof(DateADT));
	facts->evidence.payments = dates;
	t = dun_plan_row_text(row, 3, &len);
	facts->evidence.prior = dun_plan_book_prior(run->picker.means, t, len);
}

static void
read_contact(const DunRow *row, const char *debtor_id, DunContact *contact)
{
	ContactRow	c;
	char	   *account = copy_text(row, 2);

	memcpy(&c, packed_of(row), sizeof(c));
	*contact = (DunContact) {
		.debtor_id = account != NULL ? account : unconstify(char *, debtor_id), .channel = copy_text(row, 1),
		.message_id = c.message_id, .at = c.at, .ord = c.ord
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

/* The gate has an order for several reasons, and holds that are over by now are its own to tell. */
static void
read_hold(const DunRow *row, DunPickFacts *facts)
{
	int			len;
	const char *reason = dun_plan_row_text(row, 0, &len);
	char	   *word = psprintf("hold:%.*s", len, reason);

	if (facts->hold != NULL && strcmp(facts->hold, word) != 0)
		facts->trouble = true;
	facts->held_until = facts->hold == NULL ? row->stated : Max(facts->held_until, row->stated);
	facts->hold = word;
}

int
dun_plan_collect_known(const DunPickRun *run, const DunRow *rows, DunPickFacts *facts)
{
	int			nfacts = 0;

	*facts = (DunPickFacts) {.debtor_id = pnstrdup(DUN_ROW_ID(rows), rows->id_len), .place = -1, .quality = {1, 1, 1}};
	facts->history.contacts = palloc(Max(count_rows(rows, ROW_CONTACT), 1) * sizeof(DunContact));
	facts->history.talks = palloc(Max(count_rows(rows, ROW_TALK), 1) * sizeof(TimestampTz));
	for (const DunRow *row = rows; row != NULL; row = row->next)
		switch ((PickRow) row->kind)
		{
			case ROW_RUNG:
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
			case ROW_HOLD:
				read_hold(row, facts);
				break;
			case ROW_TROUBLE:
				facts->trouble = true;
				break;
		}
	/* Of several rows of one debtor none is believed. */
	if (nfacts != 1)
		facts->trouble = true;
	return nfacts;
}

int
dun_plan_collect_pick(const DunPickRun *run, const DunRow *rows, DunPickFacts *facts, DunRung **rungs)
{
	int			nrungs = count_rows(rows, ROW_RUNG),
				n = 0;

	if (nrungs == 0)
		return 0;
	(void) dun_plan_collect_known(run, rows, facts);
	*rungs = palloc(nrungs * sizeof(DunRung));
	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (row->kind == ROW_RUNG)
			read_rung(run, row, &(*rungs)[n++], facts);
	qsort(*rungs, nrungs, sizeof(DunRung), compare_rungs);
	return nrungs;
}
