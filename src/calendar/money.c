/*
 * calendar/money.c
 *		Money dates that are simple date rules with a verified source.
 *
 * What depends on a fact about the person (last digit of a number, first letter of a name, the reporting
 * period of a firm beyond the usual one) is left out: a date that may be theirs is not one to act on.
 */
#include "postgres.h"

#include "utils/datetime.h"

#include "calendar/holiday.h"
#include "calendar/money.h"

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
	WEDNESDAY					/* `day` is which Wednesday of the month */
} Shift;

typedef struct MoneyRule
{
	char		country[3];
	int			months;
	int			day;			/* 31 in a shorter month: its last day */
	Shift		shift;
	DunMoneyDate what;
} MoneyRule;

static const MoneyRule rules[] = {
	{"DK", JAN | APR | JUL | OCT, 20, PREVIOUS, {"income", "børneydelse", "income", "børne- og ungeydelsesloven §5(3)"}},
	{"DK", EVERY, 20, PREVIOUS, {"income", "ungeydelse", "income", "børne- og ungeydelsesloven §5(4)"}},
	{"DK", JUL, 1, KEEP, {"tax", "restskat, frivillig indbetaling", "outflow", "nordea.dk"}},
	{"DK", EVERY & ~AUG, 25, KEEP, {"tax", "moms, månedlig", "outflow", "skat.dk"}},
	{"DK", AUG, 17, KEEP, {"tax", "moms, månedlig", "outflow", "skat.dk"}},
	{"DK", MAR | JUN | SEP | DEC, 1, KEEP, {"tax", "moms, kvartal", "outflow", "skat.dk oid=2234895"}},
	{"DK", MAR | SEP, 1, KEEP, {"tax", "moms, halvår", "outflow", "skat.dk oid=2234895"}},
	{"SE", EVERY, 20, PREVIOUS, {"income", "barnbidrag", "income", "secondary pages: at the latest on the 20th"}},
	{"SE", EVERY & ~(JAN | AUG), 12, KEEP, {"tax", "moms, högst 40 milj", "outflow", "skatteverket.se"}},
	{"SE", JAN | AUG, 17, KEEP, {"tax", "moms, högst 40 milj", "outflow", "skatteverket.se"}},
	{"SE", EVERY & ~DEC, 26, KEEP, {"tax", "moms, över 40 milj", "outflow", "skatteverket.se"}},
	{"SE", DEC, 27, KEEP, {"tax", "moms, över 40 milj", "outflow", "skatteverket.se"}},
	{"NO", EVERY, 31, PREVIOUS, {"income", "barnetrygd", "income", "dagsavisen.no"}},
	{"NO", FEB | APR | JUN | OCT | DEC, 10, NEXT, {"tax", "mva, termin", "outflow", "ssb.no, accountor.com"}},
	{"NO", AUG, 31, NEXT, {"tax", "mva, termin", "outflow", "ssb.no, accountor.com"}},
	{"NO", MAR, 10, NEXT, {"tax", "mva, år", "outflow", "ssb.no, accountor.com"}},
	{"FI", EVERY, 12, NEXT, {"tax", "ALV", "outflow", "vero.fi"}},
	{"DE", EVERY, 10, KEEP, {"tax", "USt-Voranmeldung", "outflow", "vat-germany.com"}},
	{"DE", FEB, 10, KEEP, {"tax", "USt-Sondervorauszahlung", "outflow", "die-mehrwertsteuer.de"}},
	{"NL", JAN | APR | JUL | OCT, 1, NEXT, {"income", "kinderbijslag", "income", "svb.nl"}},
	{"NL", JAN | APR | JUL | OCT, 31, KEEP, {"tax", "btw, kwartaal", "outflow", "herbenadministraties.nl"}},
	{"NL", APR, 1, KEEP, {"tax", "btw, jaar", "outflow", "herbenadministraties.nl"}},
	{"GB", EVERY, 7, KEEP, {"tax", "VAT (one month and seven days after the period)", "outflow", "xactaccountants.co.uk"}},
	{"US", FEB, 15, KEEP, {"income", "tax refunds with EITC or ACTC from here on", "income", "PATH Act"}},
	{"US", EVERY, 2, WEDNESDAY, {"income", "Social Security, birthdays 1 to 10", "income", "Baugh, Leary, Wang"}},
	{"US", EVERY, 3, WEDNESDAY, {"income", "Social Security, birthdays 11 to 20", "income", "Baugh, Leary, Wang"}},
	{"US", EVERY, 4, WEDNESDAY, {"income", "Social Security, birthdays 21 to 31", "income", "Baugh, Leary, Wang"}},
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
	}
	return date;
}

const DunMoneyDate *
dun_calendar_money_date(const char *country, DateADT date, int n)
{
	int			year,
				month,
				day,
				i,
				back;

	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	for (i = 0; i < lengthof(rules); i++)
	{
		if (strcmp(rules[i].country, country) != 0)
			continue;
		/* A shifted date may have moved here from the month before or after. */
		for (back = -1; back <= 1; back++)
		{
			int			m = month + back;
			int			y = year;

			if (m == 0)
				m = 12, y--;
			else if (m == 13)
				m = 1, y++;
			if ((rules[i].months & (1 << (m - 1))) != 0 && rule_date(&rules[i], y, m) == date && n-- == 0)
				return &rules[i].what;
		}
	}
	return NULL;
}
