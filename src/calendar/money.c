/*
 * calendar/money.c
 *		Money dates that are simple date rules, and what they do to a contact.
 *
 * What depends on a fact about the person (last digit of a number, first letter of a name) is left out: a date that may
 * be theirs is not one to act on. A firm's VAT period is known to whoever dunns it more often than not, so all of a
 * country's periods stand here, and those that most firms have are marked as usual. A date whose source was not
 * verified is shown and can be acted on only by who says so.
 */
#include "postgres.h"

#include <math.h>

#include "utils/datetime.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "calendar/holiday.h"
#include "calendar/money.h"

#define EFFECTS_MAGIC 0x44554E45

#define EVERY 0xFFF
#define JAN (1 << 0)
#define FEB (1 << 1)
#define MAR (1 << 2)
#define APR (1 << 3)
#define MAY (1 << 4)
#define JUN (1 << 5)
#define JUL (1 << 6)
#define AUG (1 << 7)
#define SEP (1 << 8)
#define OCT (1 << 9)
#define NOV (1 << 10)
#define DEC (1 << 11)

typedef enum Shift
{
	KEEP,
	PREVIOUS,					/* the banking day on or before */
	NEXT,						/* the banking day on or after */
	WEDNESDAY,					/* `day` is which Wednesday of the month */
	ISO_WEEK						/* `day` is an ISO week, from its Monday on */
} Shift;

typedef struct MoneyRule
{
	char		country[3];
	int			months;
	int			day;			/* 31 in a shorter month: its last day */
	Shift		shift;
	int			days;			/* how long it lasts */
	const char *vat;			/* the reporting period of a VAT date */
	bool		usual;			/* meant where the period is not known */
	DunMoneyDate what;
} MoneyRule;

#define INCOME(tag, name, kind, source, verified) {tag, "income", name, "income", kind, source, verified}
#define TAX(name, kind, source) {"tax_due", "tax", name, "outflow", kind, source, true}
#define VAT(name, source) {"vat_due", "tax", name, "outflow", "company", source, true}
#define PAYDAY(source) {"payday", "income", "payday", "income", "person", source, false}
#define CLOSED(name) {"closure", "closure", name, "away", "company", "practice", false}

static const MoneyRule rules[] = {
	{"DK", EVERY, 31, PREVIOUS, 1, NULL, false, PAYDAY("practice: last banking day")},
	{"DK", JAN | APR | JUL | OCT, 20, PREVIOUS, 1, NULL, false, INCOME("child_benefit", "børneydelse", "person", "børne- og ungeydelsesloven §5(3)", true)},
	{"DK", EVERY, 20, PREVIOUS, 1, NULL, false, INCOME("child_benefit", "ungeydelse", "person", "børne- og ungeydelsesloven §5(4)", true)},
	{"DK", APR, 5, NEXT, 1, NULL, false, INCOME("tax_refund", "overskydende skat, begynder", "person", "skat.dk oid=2669: early or mid April, the day differs by year", false)},
	{"DK", JUL, 1, KEEP, 1, NULL, false, TAX("restskat, frivillig indbetaling", "person", "nordea.dk")},
	{"DK", EVERY & ~AUG, 25, KEEP, 1, "monthly", false, VAT("moms, månedlig", "skat.dk")},
	{"DK", AUG, 17, KEEP, 1, "monthly", false, VAT("moms, månedlig", "skat.dk")},
	{"DK", MAR | JUN | SEP | DEC, 1, KEEP, 1, "quarterly", true, VAT("moms, kvartal", "skat.dk oid=2234895")},
	{"DK", MAR | SEP, 1, KEEP, 1, "half-yearly", true, VAT("moms, halvår", "skat.dk oid=2234895")},
	{"DK", JUL, 28, ISO_WEEK, 21, NULL, false, CLOSED("sommerferie, uge 28-30")},
	{"DK", DEC, 24, KEEP, 9, NULL, false, CLOSED("jul og nytår")},
	{"SE", EVERY, 25, PREVIOUS, 1, NULL, false, PAYDAY("practice: the 25th")},
	{"SE", EVERY, 20, PREVIOUS, 1, NULL, false, INCOME("child_benefit", "barnbidrag", "person", "secondary pages: at the latest on the 20th", true)},
	{"SE", EVERY & ~(JAN | AUG), 12, KEEP, 1, "quarterly", true, VAT("moms, högst 40 milj", "skatteverket.se")},
	{"SE", JAN | AUG, 17, KEEP, 1, "quarterly", true, VAT("moms, högst 40 milj", "skatteverket.se")},
	{"SE", EVERY & ~DEC, 26, KEEP, 1, "monthly", false, VAT("moms, över 40 milj", "skatteverket.se")},
	{"SE", DEC, 27, KEEP, 1, "monthly", false, VAT("moms, över 40 milj", "skatteverket.se")},
	{"SE", JUL, 28, ISO_WEEK, 28, NULL, false, CLOSED("industrisemester")},
	{"SE", DEC, 24, KEEP, 9, NULL, false, CLOSED("jul och nyår")},
	{"NO", EVERY, 15, PREVIOUS, 1, NULL, false, PAYDAY("practice: the 12th to the 15th, or the 20th to the 25th")},
	{"NO", EVERY, 31, PREVIOUS, 1, NULL, false, INCOME("child_benefit", "barnetrygd", "person", "dagsavisen.no", true)},
	{"NO", FEB | APR | JUN | OCT | DEC, 10, NEXT, 1, "two-monthly", true, VAT("mva, termin", "ssb.no, accountor.com")},
	{"NO", AUG, 31, NEXT, 1, "two-monthly", true, VAT("mva, termin", "ssb.no, accountor.com")},
	{"NO", MAR, 10, NEXT, 1, "yearly", false, VAT("mva, år", "ssb.no, accountor.com")},
	{"NO", JUL, 28, ISO_WEEK, 21, NULL, false, CLOSED("fellesferie")},
	{"NO", DEC, 24, KEEP, 9, NULL, false, CLOSED("jul og nyttår")},
	{"FI", EVERY, 15, PREVIOUS, 1, NULL, false, PAYDAY("practice: the 15th or the last day")},
	{"FI", EVERY, 12, NEXT, 1, "monthly", true, VAT("ALV", "vero.fi")},
	{"DE", EVERY, 31, PREVIOUS, 1, NULL, false, PAYDAY("practice: the last or the first day")},
	{"DE", EVERY, 10, KEEP, 1, "monthly", true, VAT("USt-Voranmeldung", "vat-germany.com")},
	{"DE", JAN | APR | JUL | OCT, 10, KEEP, 1, "quarterly", false, VAT("USt-Voranmeldung, Quartal", "vat-germany.com")},
	{"DE", FEB, 10, KEEP, 1, "monthly", true, VAT("USt-Sondervorauszahlung", "die-mehrwertsteuer.de")},
	{"DE", DEC, 24, KEEP, 9, NULL, false, CLOSED("Weihnachten und Neujahr")},
	{"NL", EVERY, 24, PREVIOUS, 1, NULL, false, PAYDAY("practice: the 23rd to the 25th")},
	{"NL", EVERY, 20, PREVIOUS, 1, NULL, false, INCOME("allowance", "toeslagen", "person", "about the 20th", false)},
	{"NL", JAN | APR | JUL | OCT, 1, NEXT, 1, NULL, false, INCOME("child_benefit", "kinderbijslag", "person", "svb.nl", true)},
	{"NL", JAN | APR | JUL | OCT, 31, KEEP, 1, "quarterly", true, VAT("btw, kwartaal", "herbenadministraties.nl")},
	{"NL", APR, 1, KEEP, 1, "yearly", false, VAT("btw, jaar", "herbenadministraties.nl")},
	{"NL", DEC, 24, KEEP, 9, NULL, false, CLOSED("kerst en nieuwjaar")},
	{"GB", EVERY, 31, PREVIOUS, 1, NULL, false, PAYDAY("practice: last working day")},
	/* The three staggers of quarters together make every month; which one is a firm's own nobody told us. */
	{"GB", EVERY, 7, KEEP, 1, "quarterly", false, VAT("VAT (one month and seven days after the period)", "xactaccountants.co.uk")},
	{"GB", DEC, 24, KEEP, 9, NULL, false, CLOSED("Christmas and New Year")},
	{"US", FEB, 15, KEEP, 1, NULL, false, INCOME("tax_refund", "tax refunds with EITC or ACTC from here on", "person", "PATH Act", true)},
	{"US", EVERY, 2, WEDNESDAY, 1, NULL, false, INCOME("social_security", "Social Security, birthdays 1 to 10", "person", "Baugh, Leary, Wang", true)},
	{"US", EVERY, 3, WEDNESDAY, 1, NULL, false, INCOME("social_security", "Social Security, birthdays 11 to 20", "person", "Baugh, Leary, Wang", true)},
	{"US", EVERY, 4, WEDNESDAY, 1, NULL, false, INCOME("social_security", "Social Security, birthdays 21 to 31", "person", "Baugh, Leary, Wang", true)},
	{"US", DEC, 24, KEEP, 9, NULL, false, CLOSED("holiday season")},
};

static int
last_day(int year, int month)
{
	return day_tab[isleap(year)][month - 1];
}

static DateADT
rule_date(const MoneyRule *rule, int year, int month)
{
	int			day = Min(rule->day, last_day(year, month));
	DateADT		date = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;

	switch (rule->shift)
	{
		case KEEP:
			break;
		case PREVIOUS:
			while (!dun_calendar_is_banking_day(rule->country, NULL, date))
				date--;
			break;
		case NEXT:
			while (!dun_calendar_is_banking_day(rule->country, NULL, date))
				date++;
			break;
		case WEDNESDAY:
			date = date2j(year, month, 1) - POSTGRES_EPOCH_JDATE;
			date += (3 - dun_calendar_weekday(date) + 7) % 7 + 7 * (rule->day - 1);
			break;
		case ISO_WEEK:
			date = isoweek2j(year, rule->day) - POSTGRES_EPOCH_JDATE;
			break;
	}
	return date;
}

/* The date of the rule in the month that lies `back` months before the one of `date`, if it has one there. */
static bool
find_rule_date(const MoneyRule *rule, DateADT date, int back, DateADT *found)
{
	int			year,
				month,
				day;

	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	month -= back;
	if (month < 1)
		month += 12, year--;
	else if (month > 12)
		month -= 12, year++;
	if ((rule->months & (1 << (month - 1))) == 0)
		return false;
	*found = rule_date(rule, year, month);
	return true;
}

const DunMoneyDate *
dun_calendar_money_date(const char *country, DateADT date, int n)
{
	DateADT		found;

	for (int i = 0; i < lengthof(rules); i++)
	{
		if (strcmp(rules[i].country, country) != 0)
			continue;
		/* A shifted date may have moved here from the month before or after. */
		for (int back = 1; back >= -1; back--)
			if (find_rule_date(&rules[i], date, back, &found) && found == date && n-- == 0)
				return &rules[i].what;
	}
	return NULL;
}

/* ---- effects ---- */

const DunEffects *
dun_calendar_effects(const bytea *datum)
{
	const DunEffects *e = (const DunEffects *) datum;
	Size		size = VARSIZE(datum);

	if (size < offsetof(DunEffects, rows) || e->magic != EFFECTS_MAGIC || e->nrows < 0 || e->ndates < 0 ||
		e->nrows > 10000 || e->ndates > 10000 ||
		size != offsetof(DunEffects, rows) + e->nrows * sizeof(DunEffectRow) + e->ndates * sizeof(DunOwnDate))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not a table of date effects"),
				 errhint("Tables of effects are made by dunning._effects().")));
	return e;
}

DunEffects *
dun_calendar_make_effects(int nrows, int ndates)
{
	Size		size = offsetof(DunEffects, rows) + nrows * sizeof(DunEffectRow) + ndates * sizeof(DunOwnDate);
	DunEffects *e = palloc0(size);

	SET_VARSIZE(e, size);
	e->magic = EFFECTS_MAGIC;
	e->nrows = nrows;
	e->ndates = ndates;
	return e;
}

/* What the rule's date is to this debtor: a firm that gets VAT back has income where others pay. NULL: it is none. */
static const char *
tag_of(const MoneyRule *rule, const DunEffects *e)
{
	if (rule->vat == NULL)
		return rule->what.tag;
	if (strcmp(e->vat, "refund") == 0)
		return rule->usual ? "vat_refund" : NULL;
	if (e->vat[0] == '\0')
		return rule->usual ? rule->what.tag : NULL;
	return strcmp(rule->vat, e->vat) == 0 ? rule->what.tag : NULL;
}

static bool
reaches(const DunEffectRow *row, DateADT first, DateADT last, DateADT date)
{
	return date >= first + row->from_day && date <= last + row->until_day;
}

/* Does a date with the row's tag reach `date`? */
static bool
row_applies(const DunEffects *e, const DunEffectRow *row, DateADT date)
{
	const DunOwnDate *own = (const DunOwnDate *) &e->rows[e->nrows];
	DateADT		found;

	for (int i = 0; i < e->ndates; i++)
		if (strcmp(own[i].tag, row->tag) == 0 && reaches(row, own[i].first, own[i].last, date))
			return true;
	for (int i = 0; i < lengthof(rules); i++)
	{
		const MoneyRule *rule = &rules[i];
		const char *tag;

		if (strcmp(rule->country, e->place.country) != 0 || (tag = tag_of(rule, e)) == NULL || strcmp(tag, row->tag) != 0)
			continue;
		/* An effect begins up to a month before the date, and ends up to a month after its last day. */
		for (int back = 3; back >= -2; back--)
			if (find_rule_date(rule, date, back, &found) && reaches(row, found, found + rule->days - 1, date))
				return true;
	}
	return false;
}

/* Is there a stronger or equal row of the same tag before this one? */
static bool
is_weaker(const DunEffects *e, const bool *applies, int n)
{
	for (int i = 0; i < e->nrows; i++)
		if (i != n && applies[i] && strcmp(e->rows[i].tag, e->rows[n].tag) == 0 &&
			(fabs(log(e->rows[i].multiplier)) > fabs(log(e->rows[n].multiplier)) ||
			 (fabs(log(e->rows[i].multiplier)) == fabs(log(e->rows[n].multiplier)) && i < n)))
			return true;
	return false;
}

/* What a contact on a date is worth, and the row that does most of it, -1: none. */
static double
weigh_date(const DunEffects *e, DateADT date, int *most)
{
	bool	   *applies = palloc(e->nrows * sizeof(bool));
	double		product = 1;
	double		strongest = 0;

	*most = -1;
	for (int i = 0; i < e->nrows; i++)
		applies[i] = row_applies(e, &e->rows[i], date);
	for (int i = 0; i < e->nrows; i++)
	{
		if (!applies[i] || is_weaker(e, applies, i))
			continue;
		product *= e->rows[i].multiplier;
		if (fabs(log(e->rows[i].multiplier)) > strongest)
		{
			strongest = fabs(log(e->rows[i].multiplier));
			*most = i;
		}
	}
	pfree(applies);
	/* What was a float4 prints as it was written. */
	return Min(DUN_EFFECT_MAX, Max(DUN_EFFECT_MIN, rint(product * 1e6) / 1e6));
}

/*
 * A book has few places and asks for the same weeks of each debtor: what was found of a table of effects is kept for the session beside a
 * copy of it, one day in each of DAYS_KEPT cells.
 */
#define TABLES_KEPT 16
#define DAYS_KEPT 128

typedef struct KeptDay
{
	DateADT		date;			/* DATEVAL_NOBEGIN: none yet */
	int			most;
	double		multiplier;
} KeptDay;

typedef struct KeptEffects
{
	DunEffects *table;
	KeptDay		days[DAYS_KEPT];
} KeptEffects;

static KeptEffects *kept[TABLES_KEPT];

static bool
is_of(const KeptEffects *k, const DunEffects *e)
{
	return k != NULL && VARSIZE(k->table) == VARSIZE(e) && memcmp(k->table, e, VARSIZE(e)) == 0;
}

static KeptEffects *
keep_effects(const DunEffects *e)
{
	static int	next;
	KeptEffects *k = MemoryContextAlloc(TopMemoryContext, sizeof(KeptEffects));

	k->table = MemoryContextAlloc(TopMemoryContext, VARSIZE(e));
	memcpy(k->table, e, VARSIZE(e));
	for (int i = 0; i < DAYS_KEPT; i++)
		k->days[i].date = DATEVAL_NOBEGIN;
	if (kept[next] != NULL)
	{
		pfree(kept[next]->table);
		pfree(kept[next]);
	}
	kept[next] = k;
	next = (next + 1) % TABLES_KEPT;
	return k;
}

static KeptEffects *
kept_effects(const DunEffects *e)
{
	static int	last;

	if (is_of(kept[last], e))
		return kept[last];
	for (int i = 0; i < TABLES_KEPT; i++)
		if (is_of(kept[i], e))
			return kept[last = i];
	return keep_effects(e);
}

double
dun_calendar_effect(const DunEffects *e, DateADT date, const char **tag)
{
	KeptDay    *day;

	if (tag != NULL)
		*tag = NULL;
	if (e == NULL || e->nrows == 0 || DATE_NOT_FINITE(date))
		return 1;
	day = &kept_effects(e)->days[(uint32) date % DAYS_KEPT];
	if (day->date != date)
	{
		day->multiplier = weigh_date(e, date, &day->most);
		day->date = date;
	}
	if (tag != NULL && day->most >= 0)
		*tag = e->rows[day->most].tag;
	return day->multiplier;
}
