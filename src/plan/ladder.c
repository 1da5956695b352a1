/*
 * plan/ladder.c
 *		The steps that the debtors of a book have reached: every source is read once, and each debtor is decided by itself.
 *
 * The texts of the statements are composed in SQL (_stage_ladder()), since the bound relations are known only there, and
 * are run as whoever calls, all in one snapshot. Each hands its rows to a receiver that deals them to a book (book.c).
 * Then debtor after debtor is settled and decided. Two kinds are put aside meanwhile: those whose rows are odd, whose
 * account is asked of the SQL that defines it, and those for whom a condition must be known first, which are asked
 * together.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/amount.h"
#include "base/compat.h"
#include "calendar/window.h"
#include "plan/book.h"
#include "plan/decide.h"
#include "plan/read.h"

#define MAX_CURRENCIES 60000
#define NAME_LEN 64

/* The statements, in the order of the argument. */
enum
{
	TEXT_STEPS, TEXT_DEBTORS, TEXT_INVOICES, TEXT_PAYMENTS, TEXT_CONTACTS, TEXT_OTHERS, TEXT_CONDITIONS, TEXT_DATES,
	TEXT_MARKS, TEXT_ITEMS, TEXTS
};

enum
{
	OUT_DEBTOR, OUT_CREDITOR, OUT_PREFERRED, OUT_STRATEGY, OUT_COUNTRY, OUT_STEP, OUT_ENOUGH, OUT_BLOCKED, OUT_ANCHOR,
	OUT_DUE, OUT_LAST_DAY, OUT_TIMES, OUT_LISTED, OUT_UNDER, OUT_RUNG, OUT_LAST_CONTACT, OUT_N7, OUT_N30, OUT_MARK, OUT_AMOUNTS, OUT_LARGEST, OUT_LARGEST_IN, OUT_ODD, OUT_COLUMNS
};

/* A debtor whose account or conditions were told by a query. */
typedef struct Told
{
	char	   *id;				/* the key */
	bool	   *holds;
	bool	   *failed;
	char	   *fault;
	char	   *mark;
	DunAccount	account;
	int			room;
	int			ndates;
	DunDate    *dates;
} Told;

/* What was said to a debtor of late. */
typedef struct Contacts
{
	TimestampTz last;			/* DT_NOBEGIN: nothing */
	int32		n7;
	int32		n30;
} Contacts;

typedef struct Ids
{
	Datum	   *ids;
	int			n,
				room;
} Ids;

typedef struct Run
{
	MemoryContext context;		/* of the run */
	MemoryContext item;			/* of one debtor */
	DunArguments args;			/* as_of, many, strategy, conditions */
	char	   *texts[TEXTS];
	DateADT		today;
	bool		stated;
	int			lookback;
	int			nstrategies;
	DunStrategy *strategies;
	Jsonb	 ***minimums;		/* by strategy and step */
	Jsonb	  **tolerances;
	bool		has_dates;
	TimestampTz now,
				week_ago,
				month_ago;
	pg_tz	   *zone;			/* of the ledger */
	int			nconditions;
	char	  **conditions;
	HTAB	   *currency_table;
	const char **currencies;
	int			ncurrencies,
				currency_room,
				known_minimums;
	char		last_currency[NAME_LEN];
	int			last_currency_no;
	DunBook    *book;
	DunBook    *odd;
	DunBook    *asking;
	Ids			odd_ids;
	Ids			asking_ids;
	HTAB	   *told;
	char	   *unknown_strategy;
	ReturnSetInfo *rsinfo;
} Run;

typedef struct CurrencyEntry
{
	char		name[NAME_LEN];
	int			no;
} CurrencyEntry;

/* --- currencies --- */

static int
currency_no(Run *run, const char *name, int len)
{
	char		key[NAME_LEN] = {0};
	CurrencyEntry *entry;
	bool		found;

	memcpy(key, name, Min(len, NAME_LEN - 1));
	if (run->ncurrencies > 0 && strcmp(key, run->last_currency) == 0)
		return run->last_currency_no;
	entry = hash_search(run->currency_table, key, HASH_ENTER, &found);
	if (!found)
	{
		if (run->ncurrencies >= MAX_CURRENCIES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("more than %d currencies in the ledger", MAX_CURRENCIES),
					 errdetail("Currencies are codes such as EUR."),
					 errhint("SELECT currency, count(*) FROM (SELECT currency FROM dunning.invoice) x GROUP BY 1;")));
		if (run->ncurrencies == run->currency_room)
		{
			run->currency_room = run->currency_room * 2 + 16;
			run->currencies = run->currencies == NULL
				? MemoryContextAlloc(run->context, run->currency_room * sizeof(char *))
				: repalloc(run->currencies, run->currency_room * sizeof(char *));
		}
		entry->no = run->ncurrencies;
		run->currencies[run->ncurrencies++] = MemoryContextStrdup(run->context, key);
	}
	strlcpy(run->last_currency, key, NAME_LEN);
	run->last_currency_no = entry->no;
	return entry->no;
}

/* --- receivers --- */

static void
read_text(Run *run, int which, DunTake take)
{
	dun_plan_read(run->texts[which], &run->args, take, run);
}

static char *
name_at(Run *run, const Datum *v, const bool *isnull, int i)
{
	return dun_plan_name_at(run->context, v, isnull, i);
}

/* Texts from column `first` on. */
static void
add_row(Run *run, DunRow *row, const Datum *v, const bool *isnull, int first, int ntexts)
{
	const char *texts[DUN_ROW_TEXTS] = {NULL};
	int			lens[DUN_ROW_TEXTS] = {0};
	int			len;
	const char *id = dun_plan_text_at(v, isnull, 0, &len);

	if (id == NULL)
		return;
	for (int i = 0; i < ntexts; i++)
		texts[i] = dun_plan_text_at(v, isnull, first + i, &lens[i]);
	dun_plan_add_row(run->book, row, id, len, texts, lens);
}

/* debtor_id, creditor, preferred_channel, strategy, country */
static void
take_debtor(void *state, const Datum *v, const bool *isnull)
{
	Run		   *run = state;
	DunRow		row = {.kind = DUN_ROW_DEBTOR};

	add_row(run, &row, v, isnull, 1, 4);
}

static bool
read_currency(Run *run, DunRow *row, const Datum *v, const bool *isnull, int i)
{
	int			len = 0;
	const char *currency = dun_plan_text_at(v, isnull, i, &len);

	if (currency == NULL || len == 0 || len >= NAME_LEN)
		return false;
	row->currency = currency_no(run, currency, len);
	return true;
}

static bool
read_sum(int64 *micro, DunRow *row, const Datum *v, const bool *isnull, int i)
{
	int			scale = 0;

	if (isnull[i] || !dun_base_read_amount(v[i], micro, &scale))
		return false;
	row->scale = Max(row->scale, scale);
	return true;
}

static bool
read_dates(DunRow *row, const Datum *v, const bool *isnull)
{
	if (isnull[5] || isnull[6])
		return false;
	row->issued = DatumGetDateADT(v[5]);
	row->due = DatumGetDateADT(v[6]);
	return !DATE_NOT_FINITE(row->issued) && !DATE_NOT_FINITE(row->due) && row->due >= row->issued;
}

/* debtor_id, invoice_id, currency, amount, stated, issued_on, due_on, disputed */
static void
take_invoice(void *state, const Datum *v, const bool *isnull)
{
	Run		   *run = state;
	DunRow		row = {.kind = DUN_ROW_INVOICE};

	row.odd = !read_currency(run, &row, v, isnull, 2) || !read_sum(&row.amount, &row, v, isnull, 3) ||
		(run->stated && !read_sum(&row.stated, &row, v, isnull, 4)) ||
		(row.amount > 0 && !read_dates(&row, v, isnull));
	row.disputed = !isnull[7] && DatumGetBool(v[7]);
	add_row(run, &row, v, isnull, 1, 1);
}

static bool
is_positive(Datum numeric)
{
	Datum		zero = DirectFunctionCall1(int8_numeric, Int64GetDatum(0));

	return DatumGetBool(DirectFunctionCall2(numeric_gt, numeric, zero));
}

/* debtor_id, invoice_id, currency, amount, paid_at */
static void
take_payment(void *state, const Datum *v, const bool *isnull)
{
	Run		   *run = state;
	DunRow		row = {.kind = DUN_ROW_PAYMENT, .stated = DT_NOBEGIN};
	bool		fits = read_sum(&row.amount, &row, v, isnull, 3);

	row.odd = !read_currency(run, &row, v, isnull, 2) || !fits;
	if (!isnull[3] && !isnull[4] && DatumGetTimestampTz(v[4]) <= run->now && (fits ? row.amount > 0 : is_positive(v[3])))
		row.stated = DatumGetTimestampTz(v[4]);
	add_row(run, &row, v, isnull, 1, 1);
}

/* debtor_id, message_id (NULL: the debtor was heard), at */
static void
take_contact(void *state, const Datum *v, const bool *isnull)
{
	Run		   *run = state;
	DunRow		row = {.kind = isnull[1] ? DUN_ROW_HEARD : DUN_ROW_CONTACT, .stated = DatumGetTimestampTz(v[2])};
	const char *texts[DUN_ROW_TEXTS] = {NULL};
	int			lens[DUN_ROW_TEXTS] = {UUID_LEN};
	int			len;
	const char *id = dun_plan_text_at(v, isnull, 0, &len);

	if (!isnull[1])
		texts[0] = (const char *) DatumGetUUIDP(v[1])->data;
	if (id != NULL)
		dun_plan_add_row(run->book, &row, id, len, texts, lens);
}

/* debtor_id, text, kind, day */
static void
take_other(void *state, const Datum *v, const bool *isnull)
{
	Run		   *run = state;
	DunRow		row = {0};
	int			len = 0;
	const char *kind = dun_plan_text_at(v, isnull, 2, &len);

	switch (len > 0 ? kind[0] : '\0')
	{
		case 'h':
			row.kind = DUN_ROW_HOLD;
			break;
		case 's':
			row.kind = DUN_ROW_HAD;
			break;
		case 'w':
			row.kind = DUN_ROW_WAITING;
			break;
		default:
			elog(ERROR, "a row of an unknown kind");
	}
	row.due = isnull[3] ? DATEVAL_NOBEGIN : DatumGetDateADT(v[3]);
	add_row(run, &row, v, isnull, 1, 1);
}

/* --- strategies --- */

static int
find_condition(Run *run, const char *condition)
{
	for (int i = 0; i < run->nconditions; i++)
		if (strcmp(run->conditions[i], condition) == 0)
			return i;
	run->conditions = run->nconditions == 0
		? MemoryContextAlloc(run->context, sizeof(char *))
		: repalloc(run->conditions, (run->nconditions + 1) * sizeof(char *));
	run->conditions[run->nconditions] = MemoryContextStrdup(run->context, condition);
	return run->nconditions++;
}

static DunAnchor
anchor_of(const char *name)
{
	if (strcmp(name, "due_date") == 0)
		return DUN_ANCHOR_DUE_DATE;
	if (strcmp(name, "last_contact") == 0)
		return DUN_ANCHOR_LAST_CONTACT;
	return DUN_ANCHOR_DATE;
}

static int
int_at(const Datum *v, const bool *isnull, int i)
{
	return isnull[i] ? 0 : DatumGetInt32(v[i]);
}

/*
 * strategy, catch_up = 'next', stop_after, max_contacts, max_days, tolerance, step (NULL: it has none), position, anchor,
 * offset_days, from_day, to_day, repeat_days, repeat_max, condition, after_contact, is stop_step, minimum; in order
 */
static void
take_step(void *state, const Datum *v, const bool *isnull)
{
	Run		   *run = state;
	MemoryContext before = MemoryContextSwitchTo(run->context);
	char	   *name = name_at(run, v, isnull, 0);
	DunStrategy *s = run->nstrategies > 0 ? &run->strategies[run->nstrategies - 1] : NULL;
	DunStep    *step;
	char	   *condition;

	if (s == NULL || strcmp(s->name, name) != 0)
	{
		int			n = run->nstrategies++;

		run->strategies = n == 0 ? palloc(sizeof(DunStrategy)) : repalloc(run->strategies, (n + 1) * sizeof(DunStrategy));
		run->minimums = n == 0 ? palloc(sizeof(Jsonb **)) : repalloc(run->minimums, (n + 1) * sizeof(Jsonb **));
		run->tolerances = n == 0 ? palloc(sizeof(Jsonb *)) : repalloc(run->tolerances, (n + 1) * sizeof(Jsonb *));
		s = &run->strategies[n];
		memset(s, 0, sizeof(*s));
		s->name = name;
		s->one_by_one = DatumGetBool(v[1]);
		s->stop_after = int_at(v, isnull, 2);
		s->max_contacts = int_at(v, isnull, 3);
		s->max_days = int_at(v, isnull, 4);
		run->tolerances[n] = isnull[5] ? NULL : DatumGetJsonbPCopy(v[5]);
		s->has_tolerance = run->tolerances[n] != NULL && JB_ROOT_COUNT(run->tolerances[n]) > 0;
		run->minimums[n] = NULL;
	}
	if (!isnull[6])
	{
		int			strategy = run->nstrategies - 1;

		s->steps = s->nsteps == 0 ? palloc(sizeof(DunStep)) : repalloc(s->steps, (s->nsteps + 1) * sizeof(DunStep));
		run->minimums[strategy] = s->nsteps == 0 ? palloc(sizeof(Jsonb *))
			: repalloc(run->minimums[strategy], (s->nsteps + 1) * sizeof(Jsonb *));
		run->minimums[strategy][s->nsteps] = isnull[17] ? NULL : DatumGetJsonbPCopy(v[17]);
		step = &s->steps[s->nsteps++];
		memset(step, 0, sizeof(*step));
		step->name = name_at(run, v, isnull, 6);
		step->position = DatumGetInt32(v[7]);
		step->anchor_name = name_at(run, v, isnull, 8);
		step->anchor = anchor_of(step->anchor_name);
		step->offset_days = DatumGetInt32(v[9]);
		step->from_day = DatumGetInt32(v[10]);
		step->ends = !isnull[11];
		step->to_day = int_at(v, isnull, 11);
		step->repeat_days = int_at(v, isnull, 12);
		step->repeat_max = int_at(v, isnull, 13);
		condition = name_at(run, v, isnull, 14);
		step->condition = condition == NULL ? -1 : find_condition(run, condition);
		step->after_contact = DatumGetBool(v[15]);
		step->is_last_resort = !isnull[16] && DatumGetBool(v[16]);
		run->lookback = Min(run->lookback, step->offset_days);
		run->has_dates |= step->anchor == DUN_ANCHOR_DATE;
	}
	MemoryContextSwitchTo(before);
}

static bool
find_minimum(Jsonb *minimums, const char *key, Numeric *found)
{
	JsonbValue	value;

	if (minimums == NULL || !JB_ROOT_IS_OBJECT(minimums) ||
		getKeyJsonValueFromContainer(&minimums->root, key, strlen(key), &value) == NULL || value.type == jbvNull)
		return false;
	if (value.type == jbvNumeric)
		*found = value.val.numeric;
	else if (value.type == jbvString)
		*found = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(pnstrdup(value.val.string.val, value.val.string.len)),
													 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	else
		return false;
	return true;
}

static void
set_sum(DunSum *sum, Jsonb *amounts, const char *currency, int64 otherwise)
{
	Numeric		value;

	memset(sum, 0, sizeof(*sum));
	sum->micro = otherwise;
	if ((find_minimum(amounts, currency, &value) || find_minimum(amounts, "*", &value)) &&
		!dun_base_read_amount(NumericGetDatum(value), &sum->micro, &sum->scale))
		sum->exact = value;
}

static DunSum *
make_sums(Run *run, DunSum *sums)
{
	return sums == NULL ? palloc(run->ncurrencies * sizeof(DunSum)) : repalloc(sums, run->ncurrencies * sizeof(DunSum));
}

/* The minimum of each step, and the tolerance of each strategy, in each currency that was met so far. */
static void
set_minimums(Run *run)
{
	MemoryContext before = MemoryContextSwitchTo(run->context);

	for (int s = 0; s < run->nstrategies && run->known_minimums < run->ncurrencies; s++)
	{
		DunStrategy *strategy = &run->strategies[s];

		strategy->tolerances = make_sums(run, strategy->tolerances);
		for (int c = run->known_minimums; c < run->ncurrencies; c++)
			set_sum(&strategy->tolerances[c], run->tolerances[s], run->currencies[c], -1);
		for (int i = 0; i < strategy->nsteps; i++)
		{
			strategy->steps[i].minimums = make_sums(run, strategy->steps[i].minimums);
			for (int c = run->known_minimums; c < run->ncurrencies; c++)
				set_sum(&strategy->steps[i].minimums[c], run->minimums[s][i], run->currencies[c], 0);
		}
	}
	run->known_minimums = run->ncurrencies;
	MemoryContextSwitchTo(before);
}

static const DunStrategy *
find_strategy(Run *run, const char *name, int len)
{
	for (int i = 0; i < run->nstrategies; i++)
		if (strlen(run->strategies[i].name) == len && memcmp(run->strategies[i].name, name, len) == 0)
			return &run->strategies[i];
	return NULL;
}

/* --- facts of a debtor --- */

/* The part of a text between slashes, as split_part() counts them from 1; the last runs to the next slash too. */
static const char *
key_part(const char *key, int len, int part, int *part_len)
{
	const char *end = key + len;

	for (; part > 1; part--)
	{
		const char *slash = memchr(key, '/', end - key);

		key = slash == NULL ? end : slash + 1;
	}
	*part_len = end - key;
	if (memchr(key, '/', *part_len) != NULL)
		*part_len = (const char *) memchr(key, '/', *part_len) - key;
	return key;
}

static bool
read_day(const char *s, int len, DateADT *day)
{
	int			y = 0,
				m,
				d,
				i = 0;

	for (; i < len && s[i] >= '0' && s[i] <= '9' && i < 7; i++)
		y = y * 10 + (s[i] - '0');
	if (i < 4 || len != i + 6 || s[i] != '-' || s[i + 3] != '-' || strspn(s + i + 1, "0123456789") < 2 ||
		strspn(s + i + 4, "0123456789") < 2)
		return false;
	m = (s[i + 1] - '0') * 10 + (s[i + 2] - '0');
	d = (s[i + 4] - '0') * 10 + (s[i + 5] - '0');
	if (m < 1 || m > 12 || d < 1 || d > 31)
		return false;
	*day = date2j(y, m, d) - POSTGRES_EPOCH_JDATE;
	return true;
}

/* The n of YYYY-MM-DD#n, which is cut off; 1 where there is none. */
static int
read_times(const char *part, int *len)
{
	const char *hash = memchr(part, '#', *len);
	int			times = 0;

	if (hash == NULL)
		return 1;
	for (const char *p = hash + 1; p < part + *len && *p >= '0' && *p <= '9' && times < 100000; p++)
		times = times * 10 + (*p - '0');
	*len = hash - part;
	return Max(times, 1);
}

/* strategy/step/YYYY-MM-DD, with #n for the nth time */
static bool
read_had(const DunStrategy *s, const DunRow *row, DunHad *had)
{
	int			len;
	const char *key = dun_plan_row_text(row, 0, &len);
	int			part_len;
	const char *part;

	if (key == NULL)
		return false;
	part = key_part(key, len, 1, &part_len);
	if (part_len != strlen(s->name) || memcmp(part, s->name, part_len) != 0)
		return false;
	part = key_part(key, len, 2, &part_len);
	for (had->step = 0; had->step < s->nsteps; had->step++)
		if (part_len == strlen(s->steps[had->step].name) && memcmp(part, s->steps[had->step].name, part_len) == 0)
			break;
	part = key_part(key, len, 3, &part_len);
	had->times = read_times(part, &part_len);
	had->on = row->due;
	return had->step < s->nsteps && read_day(part, part_len, &had->anchor);
}

typedef struct Debtor
{
	const DunRow *row;			/* NULL: the ledger does not know the debtor */
	bool		waiting;
	Contacts	contacts;
} Debtor;

typedef struct Touch
{
	pg_uuid_t	message;
	TimestampTz at;				/* of the first attempt */
} Touch;

/* Attempts of a message and its companion are one contact: see plan's _touch(). */
static int
add_touch(Touch *touches, int n, const DunRow *row)
{
	pg_uuid_t	message;
	int			len;

	memcpy(&message, dun_plan_row_text(row, 0, &len), UUID_LEN);
	message.data[8] = 0;
	for (int i = 0; i < n; i++)
		if (memcmp(&touches[i].message, &message, UUID_LEN) == 0)
		{
			touches[i].at = Min(touches[i].at, row->stated);
			return n;
		}
	touches[n] = (Touch) {message, row->stated};
	return n + 1;
}

/* When the debtor was last heard: a payment or a reaction. */
static TimestampTz
last_heard(const DunRow *rows)
{
	TimestampTz heard = DT_NOBEGIN;

	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (row->kind == DUN_ROW_HEARD || row->kind == DUN_ROW_PAYMENT)
			heard = Max(heard, row->stated);
	return heard;
}

static void
read_contacts(Run *run, const DunRow *rows, int ncontacts, Debtor *debtor, DunFacts *facts)
{
	Touch	   *touches = palloc(ncontacts * sizeof(Touch));
	TimestampTz *at = palloc(ncontacts * sizeof(TimestampTz));
	TimestampTz heard = last_heard(rows);
	int			n = 0,
				minute;

	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (row->kind == DUN_ROW_CONTACT)
			n = add_touch(touches, n, row);
	for (int i = 0; i < n; i++)
	{
		at[i] = touches[i].at;
		debtor->contacts.last = Max(debtor->contacts.last, at[i]);
		debtor->contacts.n7 += at[i] > run->week_ago;
		debtor->contacts.n30 += at[i] > run->month_ago;
		facts->contacts.unanswered += at[i] > heard;
	}
	facts->contacts.last_day = dun_calendar_local(debtor->contacts.last, run->zone, &minute);
	facts->contacts.n = n;
	facts->contacts.at = at;
}

/* Everything but the account. */
static void
collect_facts(Run *run, const DunRow *rows, Debtor *debtor, DunFacts *facts)
{
	int			nhad = 0,
				ncontacts = 0;
	DunHad	   *had = NULL;

	memset(debtor, 0, sizeof(*debtor));
	debtor->contacts.last = DT_NOBEGIN;
	memset(facts, 0, sizeof(*facts));
	facts->today = run->today;
	facts->currencies = run->currencies;
	facts->now = run->now;
	facts->contacts.last_day = DATEVAL_NOBEGIN;
	for (const DunRow *row = rows; row != NULL; row = row->next)
	{
		if (row->kind == DUN_ROW_DEBTOR)
			debtor->row = row;
		else if (row->kind == DUN_ROW_WAITING)
			debtor->waiting = true;
		else if (row->kind == DUN_ROW_CONTACT)
			ncontacts++;
		else if (row->kind == DUN_ROW_HAD)
			nhad++;
	}
	if (ncontacts > 0)
		read_contacts(run, rows, ncontacts, debtor, facts);
	if (debtor->row != NULL)
	{
		int			len;
		const char *name = dun_plan_row_text(debtor->row, 2, &len);

		facts->strategy = find_strategy(run, name, len);
	}
	if (nhad == 0 || facts->strategy == NULL)
		return;
	facts->had = had = palloc(nhad * sizeof(DunHad));
	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (row->kind == DUN_ROW_HAD && read_had(facts->strategy, row, &had[facts->nhad]))
			facts->nhad++;
}

/* --- what is put out --- */

static Datum
text_datum(const char *s, int len)
{
	return PointerGetDatum(cstring_to_text_with_len(s, len));
}

static const DunBalance *
next_balance(Run *run, const DunAccount *a, const char *after)
{
	const DunBalance *next = NULL;

	for (int i = 0; i < a->nbalances; i++)
	{
		const char *name = run->currencies[a->balances[i].currency];

		if ((after == NULL || strcmp(name, after) > 0) &&
			(next == NULL || strcmp(name, run->currencies[next->currency]) < 0))
			next = &a->balances[i];
	}
	return next;
}

/* As _mark_sql() writes it. */
static Datum
make_mark(Run *run, const DunAccount *a)
{
	StringInfoData s;
	const char *after = NULL;
	const DunBalance *b;

	initStringInfo(&s);
	while ((b = next_balance(run, a, after)) != NULL)
	{
		after = run->currencies[b->currency];
		appendStringInfo(&s, "%s%s:", s.len > 0 ? "," : "", after);
		dun_base_append_amount(&s, b->balance);
		appendStringInfo(&s, ":" INT64_FORMAT ":", b->payments);
		dun_base_append_amount(&s, b->paid);
		if (b->disputed > 0)
		{
			appendStringInfoChar(&s, ':');
			dun_base_append_amount(&s, b->disputed);
		}
	}
	return text_datum(s.data, s.len);
}

/* The totals that are worth their minimum (or those that are not, or all) as an object; 0 where there are none. */
typedef enum Which
{
	THOSE_UNDER,
	THOSE_ENOUGH,
	ALL
} Which;

static Datum
make_amounts(Run *run, const DunReached *r, Which which)
{
	JsonbParseState *state = NULL;
	int			n = 0;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < r->ntotals; i++)
	{
		JsonbValue	key = {.type = jbvString};
		JsonbValue	value = {.type = jbvNumeric};

		if (which != ALL && r->totals[i].enough != (which == THOSE_ENOUGH))
			continue;
		key.val.string.val = unconstify(char *, run->currencies[r->totals[i].currency]);
		key.val.string.len = strlen(key.val.string.val);
		value.val.numeric = dun_plan_numeric_of(&r->totals[i].sum);
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
		n++;
	}
	if (n == 0)
		return (Datum) 0;
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

static Datum
make_listed(Run *run, const DunReached *r)
{
	Datum	   *names = palloc(r->ntotals * sizeof(Datum));
	int			n = 0;

	for (int i = 0; i < r->ntotals; i++)
		if (r->totals[i].enough)
			names[n++] = CStringGetTextDatum(run->currencies[r->totals[i].currency]);
	return n == 0 ? (Datum) 0 : PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static const DunTotal *
largest_total(const DunReached *r)
{
	const DunTotal *largest = NULL;

	for (int i = 0; i < r->ntotals; i++)
		if (r->totals[i].enough && (largest == NULL || dun_plan_compare_sums(&r->totals[i].sum, &largest->sum) > 0))
			largest = &r->totals[i];
	return largest;
}

static void
put_text(Datum *out, bool *isnull, int column, const DunRow *row, int i)
{
	int			len;
	const char *t = dun_plan_row_text(row, i, &len);

	isnull[column] = t == NULL;
	if (t != NULL)
		out[column] = text_datum(t, len);
}

static void
put_reached(Run *run, const Debtor *debtor, const DunFacts *facts, const DunReached *r, int rung, Datum mark, const char *fault, bool odd)
{
	Datum		out[OUT_COLUMNS] = {0};
	bool		isnull[OUT_COLUMNS] = {false};
	const DunTotal *largest = largest_total(r);

	out[OUT_DEBTOR] = text_datum(DUN_ROW_ID(debtor->row), debtor->row->id_len);
	put_text(out, isnull, OUT_CREDITOR, debtor->row, 0);
	put_text(out, isnull, OUT_PREFERRED, debtor->row, 1);
	put_text(out, isnull, OUT_STRATEGY, debtor->row, 2);
	put_text(out, isnull, OUT_COUNTRY, debtor->row, 3);
	out[OUT_STEP] = CStringGetTextDatum(facts->strategy->steps[r->step].name);
	out[OUT_ENOUGH] = BoolGetDatum(r->enough);
	isnull[OUT_BLOCKED] = r->blocked == NULL && fault == NULL;
	if (!isnull[OUT_BLOCKED])
		out[OUT_BLOCKED] = CStringGetTextDatum(fault != NULL ? fault : r->blocked);
	out[OUT_ANCHOR] = DateADTGetDatum(r->anchor);
	out[OUT_DUE] = DateADTGetDatum(r->due);
	out[OUT_LAST_DAY] = DateADTGetDatum(r->last_day);
	isnull[OUT_LAST_DAY] = !r->ends;
	out[OUT_TIMES] = Int32GetDatum(r->times);
	out[OUT_LISTED] = make_listed(run, r);
	isnull[OUT_LISTED] = out[OUT_LISTED] == 0;
	out[OUT_UNDER] = make_amounts(run, r, THOSE_UNDER);
	isnull[OUT_UNDER] = out[OUT_UNDER] == 0;
	out[OUT_RUNG] = Int32GetDatum(rung);
	out[OUT_LAST_CONTACT] = TimestampTzGetDatum(debtor->contacts.last);
	isnull[OUT_LAST_CONTACT] = debtor->contacts.last == DT_NOBEGIN;
	out[OUT_N7] = Int32GetDatum(debtor->contacts.n7);
	out[OUT_N30] = Int32GetDatum(debtor->contacts.n30);
	out[OUT_MARK] = mark;
	out[OUT_ODD] = BoolGetDatum(odd);
	out[OUT_AMOUNTS] = make_amounts(run, r, r->enough ? THOSE_ENOUGH : ALL);
	isnull[OUT_AMOUNTS] = out[OUT_AMOUNTS] == 0;
	isnull[OUT_LARGEST] = isnull[OUT_LARGEST_IN] = largest == NULL;
	if (largest != NULL)
	{
		out[OUT_LARGEST] = NumericGetDatum(dun_plan_numeric_of(&largest->sum));
		out[OUT_LARGEST_IN] = CStringGetTextDatum(run->currencies[largest->currency]);
	}
	tuplestore_putvalues(run->rsinfo->setResult, run->rsinfo->setDesc, out, isnull);
}

/* --- debtor after debtor --- */

static void
add_id(Run *run, Ids *ids, const DunRow *row)
{
	MemoryContext before = MemoryContextSwitchTo(run->context);

	if (ids->n == ids->room)
	{
		ids->room = ids->room * 2 + 64;
		ids->ids = ids->ids == NULL ? palloc(ids->room * sizeof(Datum))
			: repalloc_huge(ids->ids, ids->room * sizeof(Datum));
	}
	ids->ids[ids->n++] = text_datum(DUN_ROW_ID(row), row->id_len);
	MemoryContextSwitchTo(before);
}

static void
put_aside(DunBook *book, const DunRow *rows, bool facts_alone)
{
	if (facts_alone)
	{
		DunRow		heard = {.kind = DUN_ROW_HEARD, .stated = last_heard(rows)};
		static const char *const none[DUN_ROW_TEXTS] = {NULL};
		static const int lens[DUN_ROW_TEXTS] = {0};

		dun_plan_add_row(book, &heard, DUN_ROW_ID(rows), rows->id_len, none, lens);
	}
	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (!facts_alone || (row->kind != DUN_ROW_INVOICE && row->kind != DUN_ROW_PAYMENT))
			dun_plan_copy_row(book, row);
}

static bool
owes_something(const DunAccount *a)
{
	for (int i = 0; i < a->nbalances; i++)
		if (a->balances[i].balance > 0)
			return true;
	return false;
}

static bool
looks_ahead_to(const Run *run, const DunAccount *a)
{
	for (int i = 0; i < a->nitems; i++)
		if (run->today - a->items[i].due >= run->lookback)
			return true;
	return false;
}

/* Decide and put out; false where a condition must be known. */
static bool
decide_debtor(Run *run, const Debtor *debtor, DunFacts *facts, Datum mark, const char *fault)
{
	DunDecision decision;

	if (facts->strategy == NULL)
	{
		int			len;
		const char *name = dun_plan_row_text(debtor->row, 2, &len);

		if (run->unknown_strategy == NULL && looks_ahead_to(run, facts->account))
		{
			run->unknown_strategy = MemoryContextAllocZero(run->context, len + 1);
			memcpy(run->unknown_strategy, name, len);
		}
		return true;
	}
	if (debtor->waiting)
		return true;
	dun_plan_decide(facts, &decision);
	if (decision.asks)
		return false;
	if (!decision.failed)
		fault = NULL;
	for (int i = 0; i < decision.n && (fault == NULL || i == 0); i++)
		put_reached(run, debtor, facts, &decision.reached[i], i + 1, mark ? mark : make_mark(run, facts->account), fault, mark != 0);
	return true;
}

static void
sweep_book(Run *run)
{
	MemoryContext before = MemoryContextSwitchTo(run->item);
	DunRow	   *rows;

	while ((rows = dun_plan_next_debtor(run->book)) != NULL)
	{
		DunAccount	account;
		DunFacts	facts;
		Debtor		debtor;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(run->item);
		if (!dun_plan_settle_account(rows, run->stated, &account))
		{
			add_id(run, &run->odd_ids, rows);
			put_aside(run->odd, rows, true);
			continue;
		}
		if (account.nitems == 0 || !owes_something(&account))
			continue;
		collect_facts(run, rows, &debtor, &facts);
		facts.account = &account;
		if (debtor.row == NULL || decide_debtor(run, &debtor, &facts, (Datum) 0, NULL))
			continue;
		add_id(run, &run->asking_ids, rows);
		put_aside(run->asking, rows, false);
	}
	MemoryContextSwitchTo(before);
}

static Told *
find_told(Run *run, const Datum *v, const bool *isnull)
{
	Told	   *told;
	char	   *id = name_at(run, v, isnull, 0);
	bool		found;

	if (id == NULL)
		return NULL;
	told = hash_search(run->told, &id, HASH_ENTER, &found);
	if (!found)
	{
		memset(told, 0, sizeof(*told));
		told->id = id;
	}
	else
		pfree(id);
	return told;
}

/* debtor_id, holds, fault */
static void
take_condition(void *state, const Datum *v, const bool *isnull)
{
	Run		   *run = state;
	Told	   *told = find_told(run, v, isnull);
	Datum	   *values;
	bool	   *nulls;
	int			n;

	if (told == NULL)
		return;
	told->holds = MemoryContextAllocZero(run->context, run->nconditions * sizeof(bool));
	told->failed = MemoryContextAllocZero(run->context, run->nconditions * sizeof(bool));
	told->fault = name_at(run, v, isnull, 2);
	if (isnull[1])
		return;
	deconstruct_array(DatumGetArrayTypeP(v[1]), BOOLOID, 1, true, TYPALIGN_CHAR, &values, &nulls, &n);
	/* Where a condition cannot be told it counts as holding: the step it stands at is the one that is held. */
	for (int i = 0; i < Min(n, run->nconditions); i++)
	{
		told->failed[i] = nulls[i];
		told->holds[i] = nulls[i] || DatumGetBool(values[i]);
	}
}

/* debtor_id, anchor, currency, last_on, next_on */
static void
take_date(void *state, const Datum *v, const bool *isnull)
{
	Run		   *run = state;
	MemoryContext before = MemoryContextSwitchTo(run->context);
	Told	   *told = find_told(run, v, isnull);
	DunDate    *date;
	int			len = 0;
	const char *currency = dun_plan_text_at(v, isnull, 2, &len);

	told->dates = told->ndates == 0 ? palloc(sizeof(DunDate)) : repalloc(told->dates, (told->ndates + 1) * sizeof(DunDate));
	date = &told->dates[told->ndates++];
	date->anchor = name_at(run, v, isnull, 1);
	date->currency = currency == NULL ? -1 : currency_no(run, currency, len);
	date->last = isnull[3] ? DATEVAL_NOBEGIN : DatumGetDateADT(v[3]);
	date->next = isnull[4] ? DATEVAL_NOBEGIN : DatumGetDateADT(v[4]);
	MemoryContextSwitchTo(before);
}

/* debtor_id, mark: of those alone who owe something or whose amounts are invalid */
static void
take_mark(void *state, const Datum *v, const bool *isnull)
{
	Run		   *run = state;
	Told	   *told = find_told(run, v, isnull);

	if (told != NULL)
		told->mark = name_at(run, v, isnull, 1);
}

/* debtor_id, currency, due_on, amount, open, left_out */
static void
take_item(void *state, const Datum *v, const bool *isnull)
{
	Run		   *run = state;
	MemoryContext before = MemoryContextSwitchTo(run->context);
	Told	   *told = find_told(run, v, isnull);
	DunItem    *item;
	int			len = 0;
	const char *currency = dun_plan_text_at(v, isnull, 1, &len);

	if (told->account.nitems == told->room)
	{
		told->room = told->room * 2 + 8;
		told->account.items = told->account.items == NULL ? palloc(told->room * sizeof(DunItem))
			: repalloc_huge(told->account.items, told->room * sizeof(DunItem));
	}
	item = &told->account.items[told->account.nitems++];
	memset(item, 0, sizeof(*item));
	item->currency = currency_no(run, currency, len);
	item->due = DatumGetDateADT(v[2]);
	item->amount.exact = DatumGetNumericCopy(v[3]);
	item->open.exact = DatumGetNumericCopy(v[4]);
	item->left_out = DatumGetBool(v[5]);
	MemoryContextSwitchTo(before);
}

/* Those who were put aside, with what was asked about them. */
static void
sweep_told(Run *run, DunBook *book, bool odd)
{
	MemoryContext before = MemoryContextSwitchTo(run->item);
	DunRow	   *rows;

	while ((rows = dun_plan_next_debtor(book)) != NULL)
	{
		DunAccount	account;
		DunFacts	facts;
		Debtor		debtor;
		char	   *id;
		Told	   *told;
		static const bool none = false;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(run->item);
		id = pnstrdup(DUN_ROW_ID(rows), rows->id_len);
		told = hash_search(run->told, &id, HASH_FIND, NULL);
		if (odd && (told == NULL || told->mark == NULL))
			continue;
		if (!odd)
			(void) dun_plan_settle_account(rows, run->stated, &account);
		collect_facts(run, rows, &debtor, &facts);
		facts.account = odd ? &told->account : &account;
		facts.asked = true;
		facts.ndates = told != NULL ? told->ndates : 0;
		facts.dates = told != NULL ? told->dates : NULL;
		facts.holds = told != NULL && told->holds != NULL ? told->holds
			: run->nconditions <= 1 ? &none : palloc0(run->nconditions * sizeof(bool));
		facts.failed = told != NULL ? told->failed : NULL;
		if (debtor.row != NULL && facts.account->nitems > 0)
			(void) decide_debtor(run, &debtor, &facts, odd ? CStringGetTextDatum(told->mark) : (Datum) 0,
								 told != NULL ? told->fault : NULL);
	}
	MemoryContextSwitchTo(before);
}

static ArrayType *
array_of(const Ids *a, const Ids *b)
{
	Datum	   *ids = palloc_extended(Max(a->n + b->n, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);

	if (a->n > 0)
		memcpy(ids, a->ids, a->n * sizeof(Datum));
	if (b->n > 0)
		memcpy(ids + a->n, b->ids, b->n * sizeof(Datum));
	return construct_array(ids, a->n + b->n, TEXTOID, -1, false, TYPALIGN_INT);
}

/* Conditions and dates of those who ask for them. */
static void
ask_questions(Run *run)
{
	Datum	   *conditions;

	if ((run->nconditions == 0 && !run->has_dates) || run->asking_ids.n + run->odd_ids.n == 0)
		return;
	conditions = palloc(Max(run->nconditions, 1) * sizeof(Datum));
	for (int i = 0; i < run->nconditions; i++)
		conditions[i] = CStringGetTextDatum(run->conditions[i]);
	run->args.values[1] = PointerGetDatum(array_of(&run->asking_ids, &run->odd_ids));
	run->args.isnull[1] = false;
	run->args.values[3] = PointerGetDatum(construct_array(conditions, run->nconditions, TEXTOID, -1, false, TYPALIGN_INT));
	run->args.isnull[3] = false;
	if (run->nconditions > 0)
		read_text(run, TEXT_CONDITIONS, take_condition);
	if (run->has_dates)
		read_text(run, TEXT_DATES, take_date);
}

static void
ask_odd(Run *run)
{
	Ids			none = {0};

	if (run->odd_ids.n == 0)
		return;
	run->args.values[1] = PointerGetDatum(array_of(&run->odd_ids, &none));
	run->args.isnull[1] = false;
	read_text(run, TEXT_MARKS, take_mark);
	read_text(run, TEXT_ITEMS, take_item);
}

static void
complain_of_strategy(Run *run)
{
	Oid			types[1] = {TEXTOID};
	Datum		args[1];

	if (run->unknown_strategy == NULL)
		return;
	args[0] = CStringGetTextDatum(run->unknown_strategy);
	SPI_execute_with_args("SELECT dunning._check_strategy($1)", 1, types, args, NULL, true, 0);
}

static uint32
hash_pointed(const void *key, Size size)
{
	const char *id = *(char *const *) key;

	return string_hash(id, strlen(id) + 1);
}

static int
match_pointed(const void *a, const void *b, Size size)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
make_tables(Run *run)
{
	HASHCTL		by_name = {.keysize = NAME_LEN, .entrysize = sizeof(CurrencyEntry), .hcxt = run->context};
	HASHCTL		by_id = {.keysize = sizeof(char *), .entrysize = sizeof(Told), .hcxt = run->context,
	.hash = hash_pointed, .match = match_pointed};
	Size		limit = (Size) (work_mem * hash_mem_multiplier) * 1024;

	run->currency_table = hash_create("dunning currencies", 64, &by_name, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	run->told = hash_create("dunning debtors", 256, &by_id, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	run->book = dun_plan_make_book(limit);
	run->odd = dun_plan_make_book(limit);
	run->asking = dun_plan_make_book(limit);
	run->item = AllocSetContextCreate(run->context, "dunning debtor", ALLOCSET_DEFAULT_SIZES);
}

static TimestampTz
days_before(TimestampTz at, int days)
{
	Interval	span = {.day = days};

	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(at), IntervalPGetDatum(&span)));
}

static void
read_arguments(Run *run, FunctionCallInfo fcinfo)
{
	static const Oid types[4] = {TIMESTAMPTZOID, TEXTARRAYOID, TEXTOID, TEXTARRAYOID};
	Datum	   *texts;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &texts, NULL, &n);
	if (n != TEXTS)
		elog(ERROR, "%d statements are needed, not %d", TEXTS, n);
	for (int i = 0; i < TEXTS; i++)
		run->texts[i] = TextDatumGetCString(texts[i]);
	run->args.n = 4;
	memcpy(run->args.types, types, sizeof(types));
	for (int i = 0; i < 3; i++)
	{
		run->args.isnull[i] = PG_ARGISNULL(i + 1);
		run->args.values[i] = PG_ARGISNULL(i + 1) ? (Datum) 0 : PG_GETARG_DATUM(i + 1);
	}
	run->args.isnull[3] = true;
	run->today = PG_GETARG_DATEADT(4);
	run->stated = PG_GETARG_BOOL(5);
	run->now = PG_GETARG_TIMESTAMPTZ(6);
	run->week_ago = days_before(run->now, 7);
	run->month_ago = days_before(run->now, 30);
	run->zone = dun_calendar_find_zone(text_to_cstring(PG_GETARG_TEXT_PP(7)));
	if (run->zone == NULL)
		elog(ERROR, "the ledger's time zone is not known");
}

PG_FUNCTION_INFO_V1(dun_plan_sql_ladder);

/* _ladder(texts, as_of, many, strategy, today, stated, now_at, zone) */
Datum
dun_plan_sql_ladder(PG_FUNCTION_ARGS)
{
	Run			run = {0};
	MemoryContext before;

	run.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	InitMaterializedSRF(fcinfo, 0);
	run.context = AllocSetContextCreate(CurrentMemoryContext, "dunning ladder", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(run.context);
	read_arguments(&run, fcinfo);
	make_tables(&run);
	SPI_connect();
	read_text(&run, TEXT_STEPS, take_step);
	read_text(&run, TEXT_INVOICES, take_invoice);
	read_text(&run, TEXT_PAYMENTS, take_payment);
	read_text(&run, TEXT_DEBTORS, take_debtor);
	read_text(&run, TEXT_CONTACTS, take_contact);
	read_text(&run, TEXT_OTHERS, take_other);
	set_minimums(&run);
	sweep_book(&run);
	ask_odd(&run);
	ask_questions(&run);
	set_minimums(&run);
	sweep_told(&run, run.asking, false);
	sweep_told(&run, run.odd, true);
	complain_of_strategy(&run);
	SPI_finish();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(run.context);
	return (Datum) 0;
}
