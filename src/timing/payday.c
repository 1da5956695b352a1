/*
 * timing/payday.c
 *		48 schedules: the days 1 to 31 of the month (moved to the banking day before), the last and the last but
 *		one banking day, ten fortnightly and five weekly ones.
 *
 * A payment tied to a payday comes on it or within six days, each half as likely as the one before; half of
 * all payments (pi) are taken to be tied to one. With delta days since the last payday of a schedule of
 * period p, its likelihood ratio is R = (1 - pi) + pi p g(delta), g = .5^delta normalised.
 *
 * Which schedules pay on a date is a mask of 48 bits, kept by country and month: a book has few countries, and a
 * posterior asks for thousands of dates.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "utils/datetime.h"
#include "utils/memutils.h"

#include "calendar/holiday.h"
#include "timing/payday.h"

#define MONTHLY 31				/* schedules 0 .. 30 */
#define LAST_BANKING 31
#define LAST_BUT_ONE 32
#define FORTNIGHTLY 33			/* 33 .. 42 */
#define WEEKLY 43				/* 43 .. 47: Monday to Friday */

#define TIED 0.5				/* pi */
#define REACH 7					/* a payday is felt on its day and six more */
#define G_SUM 1.984375			/* sum of .5^d, d = 0 .. 6 */
#define PRIOR_NONE 0.2
#define PRIOR_USUAL 5.0			/* a schedule usual in the country against any other */

#define FIRST_YEAR 1990
#define MONTHS (12 * 150)
#define COUNTRIES 32

typedef struct CountryPaydays
{
	char		country[3];
	uint64	   *months[MONTHS]; /* 31 masks each, NULL until asked for */
} CountryPaydays;

static CountryPaydays *cache[COUNTRIES];

/* An unknown country has weekends, but not the holidays of all others. */
static bool
pays_on(const char *country, DateADT date)
{
	int			weekday = dun_calendar_weekday(date);

	if (country[0] == '\0')
		return weekday != 0 && weekday != 6;
	return dun_calendar_is_banking_day(country, NULL, date);
}

static DateADT
banking_day_before(const char *country, DateADT date)
{
	while (!pays_on(country, date))
		date--;
	return date;
}

static uint64 *
fill_month(const char *country, int year, int month)
{
	uint64	   *masks = MemoryContextAllocZero(TopMemoryContext, 31 * sizeof(uint64));
	DateADT		first = date2j(year, month, 1) - POSTGRES_EPOCH_JDATE;
	int			days = day_tab[isleap(year)][month - 1];
	DateADT		last = banking_day_before(country, first + days - 1);
	int			ahead,
				d,
				i;

	/* A day of the next month may be moved back into this one. */
	for (ahead = 0; ahead < 2; ahead++)
	{
		int			y = ahead && month == 12 ? year + 1 : year;
		int			m = ahead ? month % 12 + 1 : month;
		int			length = day_tab[isleap(y)][m - 1];
		DateADT		start = date2j(y, m, 1) - POSTGRES_EPOCH_JDATE;

		for (d = 0; d < MONTHLY; d++)
		{
			DateADT		paid = banking_day_before(country, start + Min(d, length - 1));

			if (paid >= first && paid < first + days)
				masks[paid - first] |= UINT64CONST(1) << d;
		}
	}
	masks[last - first] |= UINT64CONST(1) << LAST_BANKING;
	masks[banking_day_before(country, last - 1) - first] |= UINT64CONST(1) << LAST_BUT_ONE;
	for (i = 0; i < days; i++)
	{
		int			weekday = dun_calendar_weekday(first + i);

		if (weekday == 0 || weekday == 6)
			continue;
		masks[i] |= UINT64CONST(1) << (WEEKLY + weekday - 1);
		masks[i] |= UINT64CONST(1) << (FORTNIGHTLY + weekday - 1 + 5 * (((first + i + POSTGRES_EPOCH_JDATE) / 7) & 1));
	}
	return masks;
}

static CountryPaydays *
country_paydays(const char *country)
{
	int			i;

	for (i = 0; i < COUNTRIES && cache[i] != NULL; i++)
		if (strcmp(cache[i]->country, country) == 0)
			return cache[i];
	/* Countries beyond the last place share it with the unknown one. */
	if (i == COUNTRIES)
		return country_paydays("");
	if (i == COUNTRIES - 1)
		country = "";
	cache[i] = MemoryContextAllocZero(TopMemoryContext, sizeof(CountryPaydays));
	strlcpy(cache[i]->country, country, sizeof(cache[i]->country));
	return cache[i];
}

/* The schedules that pay on a date. */
static uint64
paid_on(CountryPaydays *c, DateADT date)
{
	int			year,
				month,
				day,
				slot;

	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	slot = (year - FIRST_YEAR) * 12 + month - 1;
	if (slot < 0 || slot >= MONTHS)
		return 0;
	if (c->months[slot] == NULL)
		c->months[slot] = fill_month(c->country, year, month);
	return c->months[slot][day - 1];
}

static double
period(int schedule)
{
	return schedule < FORTNIGHTLY ? 30.44 : schedule < WEEKLY ? 14 : 7;
}

/* R of every schedule on a date. */
static void
likelihoods(CountryPaydays *c, DateADT date, double r[DUN_SCHEDULES])
{
	uint64		seen = 0;
	double		g = 1 / G_SUM;
	int			delta,
				s;

	for (s = 0; s < DUN_SCHEDULES; s++)
		r[s] = 1 - TIED;
	for (delta = 0; delta < REACH; delta++, g /= 2)
	{
		uint64		now = paid_on(c, date - delta) & ~seen;

		seen |= now;
		while (now != 0)
		{
			s = pg_rightmost_one_pos64(now);
			r[s] += TIED * period(s) * g;
			now &= now - 1;
		}
	}
}

/* What is usual, from common knowledge and not from a statute: hence a prior that three payments overrule. */
static bool
is_usual(const char *country, int s)
{
	if (strcmp(country, "DK") == 0 || strcmp(country, "GB") == 0)
		return s == LAST_BANKING;
	if (strcmp(country, "SE") == 0)
		return s == 25 - 1;
	if (strcmp(country, "NO") == 0)
		return (s >= 12 - 1 && s <= 15 - 1) || (s >= 20 - 1 && s <= 25 - 1);
	if (strcmp(country, "FI") == 0)
		return s == 15 - 1 || s == LAST_BANKING;
	if (strcmp(country, "DE") == 0)
		return s == 1 - 1 || s == LAST_BANKING;
	if (strcmp(country, "NL") == 0)
		return s >= 23 - 1 && s <= 25 - 1;
	if (strcmp(country, "US") == 0)
		return s >= FORTNIGHTLY;
	return false;
}

void
dun_timing_payday(const char *country, const DateADT *dates, int n, DunPayday *post)
{
	CountryPaydays *c = country_paydays(country);
	double	   *p = post->p;
	double		usual = 0,
				sum = 0;
	int			i,
				s;

	/* R lies between 0.5 and 8.2, so the product of 24 of them needs no logarithms. */
	Assert(n <= DUN_PAYMENTS_KEPT);
	for (s = 0; s < DUN_SCHEDULES; s++)
		usual += p[s] = is_usual(country, s) ? PRIOR_USUAL : 1;
	for (s = 0; s < DUN_SCHEDULES; s++)
		p[s] *= (1 - PRIOR_NONE) / usual;
	p[DUN_NO_SCHEDULE] = PRIOR_NONE;
	for (i = 0; i < n; i++)
	{
		double		r[DUN_SCHEDULES];

		likelihoods(c, dates[i], r);
		for (s = 0; s < DUN_SCHEDULES; s++)
			p[s] *= r[s];
	}
	for (s = 0; s <= DUN_SCHEDULES; s++)
		sum += p[s];
	for (s = 0; s <= DUN_SCHEDULES; s++)
		p[s] /= sum;
}

double
dun_timing_pay_multiplier(const char *country, const DunPayday *post, DateADT date)
{
	double		r[DUN_SCHEDULES];
	double		sum = post->p[DUN_NO_SCHEDULE];
	int			s;

	likelihoods(country_paydays(country), date, r);
	for (s = 0; s < DUN_SCHEDULES; s++)
		sum += post->p[s] * r[s];
	return sum;
}

DateADT
dun_timing_next_payday(const char *country, int schedule, DateADT date)
{
	CountryPaydays *c = country_paydays(country);
	int			i;

	for (i = 0; i < 62; i++)
		if (paid_on(c, date + i) & (UINT64CONST(1) << schedule))
			return date + i;
	return DATEVAL_NOEND;
}

char *
dun_timing_schedule_name(int schedule)
{
	static const char *const weekdays[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"};

	if (schedule == DUN_NO_SCHEDULE)
		return pstrdup("none");
	if (schedule < MONTHLY)
		return psprintf("day %d of the month", schedule + 1);
	if (schedule == LAST_BANKING)
		return pstrdup("last banking day");
	if (schedule == LAST_BUT_ONE)
		return pstrdup("last banking day but one");
	if (schedule < WEEKLY)
		return psprintf("every second %s (%c)", weekdays[(schedule - FORTNIGHTLY) % 5], 'a' + (schedule - FORTNIGHTLY) / 5);
	return psprintf("every %s", weekdays[schedule - WEEKLY]);
}
