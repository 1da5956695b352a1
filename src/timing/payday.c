/*
 * timing/payday.c
 *		48 schedules: the days 1 to 31 of the month (moved to the banking day before), the last and the last but
 *		one banking day, ten fortnightly and five weekly ones.
 *
 * A payment tied to a payday comes on it or within six days, each d times as likely as the one before; a share of
 * all payments (pi) is tied to one. With delta days since the last payday of a schedule of period p, its
 * likelihood ratio is R = (1 - pi) + pi p g(delta), g = d^delta normalised. Neither pi nor d is known, and a posterior that
 * took them for known would be surer than it may be: each schedule is held beside the habits of habits[], which
 * are summed out.
 *
 * Which schedules pay on a date is a mask of 48 bits, kept by country and month: a book has few countries, and a
 * posterior asks for thousands of dates.
 */
#include "postgres.h"

#include <math.h>

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

#define REACH DUN_PAYDAY_REACH
#define LONGEST_CLOSING 4		/* Easter */
#define CLASSES 3				/* monthly, fortnightly, weekly */
#define PRIOR_NONE 0.2
#define CAUTION 0.85			/* payments of one debtor are not independent: each weighs so much of one that were */
#define PRIOR_USUAL 0.3			/* of those who have one, whose schedule is known to be usual in the country */

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

/* How those paid by a schedule pay: what share of payments, and how soon. */
static const struct
{
	double		tied;			/* pi */
	double		decay;			/* d */
}			habits[] = {{0.3, 0.4}, {0.3, 0.65}, {0.55, 0.4}, {0.55, 0.65}, {0.8, 0.4}, {0.8, 0.65}};

#define HABITS lengthof(habits)

static int
class_of(int schedule)
{
	return schedule < FORTNIGHTLY ? 0 : schedule < WEEKLY ? 1 : 2;
}

/* By habit, period and days since the payday (the last is: longer ago): R, and what a payment weighs. */
static double ratio[HABITS][CLASSES][REACH + 1];
static double weight[HABITS][CLASSES][REACH + 1];

static void
set_ratios(void)
{
	static const double periods[CLASSES] = {30.44, 14, 7};

	if (ratio[HABITS - 1][CLASSES - 1][REACH] != 0)
		return;
	for (int k = 0; k < HABITS; k++)
		for (int c = 0; c < CLASSES; c++)
		{
			double		pi = habits[k].tied,
						d = habits[k].decay,
						g = (1 - d) / (1 - pow(d, REACH));

			for (int delta = 0; delta <= REACH; delta++, g *= d)
			{
				ratio[k][c][delta] = 1 - pi + (delta < REACH ? pi * periods[c] * g : 0);
				weight[k][c][delta] = pow(ratio[k][c][delta], CAUTION);
			}
		}
}

/* Days since the last payday of every schedule, at most REACH. */
static void
days_since(CountryPaydays *c, DateADT date, uint8 since[DUN_SCHEDULES])
{
	uint64		seen = 0;

	memset(since, REACH, DUN_SCHEDULES);
	for (int delta = 0; delta < REACH; delta++)
	{
		uint64		now = paid_on(c, date - delta) & ~seen;

		for (seen |= now; now != 0; now &= now - 1)
			since[pg_rightmost_one_pos64(now)] = delta;
	}
}

/* What is usual, from common knowledge and not from a statute: hence a prior that a few payments overrule. */
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

/* The prior: day 31 is the last banking day by another name and gets nothing, or neither could be sure of itself. */
static void
set_prior(const char *country, double p[DUN_SCHEDULES + 1])
{
	int			usual = 0;

	for (int s = 0; s < DUN_SCHEDULES; s++)
		usual += is_usual(country, s);
	for (int s = 0; s < DUN_SCHEDULES; s++)
	{
		p[s] = s == MONTHLY - 1 ? 0 : (usual == 0 ? 1 : 1 - PRIOR_USUAL) / (DUN_SCHEDULES - 1);
		if (is_usual(country, s))
			p[s] += PRIOR_USUAL / usual;
		p[s] *= 1 - PRIOR_NONE;
	}
	p[DUN_NO_SCHEDULE] = PRIOR_NONE;
}

/*
 * What a payment says of each schedule. A book has a transfer of the weekend on the Monday, and then everybody is paid on Mondays:
 * the first banking day after others stands for these as well.
 */
static void
weigh_payment(CountryPaydays *c, DateADT date, double held[HABITS][DUN_SCHEDULES])
{
	uint8		since[LONGEST_CLOSING + 1][DUN_SCHEDULES];
	int			n = 1;

	days_since(c, date, since[0]);
	if (pays_on(c->country, date))
		for (; n <= LONGEST_CLOSING && !pays_on(c->country, date - n); n++)
			days_since(c, date - n, since[n]);
	for (int k = 0; k < HABITS; k++)
		for (int s = 0; s < DUN_SCHEDULES; s++)
		{
			const double *w = weight[k][class_of(s)];
			double		sum = 0;

			for (int j = 0; j < n; j++)
				sum += w[since[j][s]];
			held[k][s] *= sum / n;
		}
}

void
dun_timing_payday(const char *country, const DateADT *dates, int n, DunPayday *post)
{
	CountryPaydays *c = country_paydays(country);
	double		held[HABITS][DUN_SCHEDULES];
	double		sum = 0;

	/* R lies between 0.2 and 15, so the product of 24 of them needs no logarithms. */
	Assert(n <= DUN_PAYMENTS_KEPT);
	set_ratios();
	set_prior(country, post->p);
	for (int k = 0; k < HABITS; k++)
		for (int s = 0; s < DUN_SCHEDULES; s++)
			held[k][s] = post->p[s] / HABITS;
	for (int i = 0; i < n; i++)
		weigh_payment(c, dates[i], held);
	for (int s = 0; s < DUN_SCHEDULES; s++)
	{
		post->p[s] = 0;
		memset(post->lift[s], 0, sizeof(post->lift[s]));
		for (int k = 0; k < HABITS; k++)
		{
			post->p[s] += held[k][s];
			for (int delta = 0; delta <= REACH; delta++)
				post->lift[s][delta] += held[k][s] * ratio[k][class_of(s)][delta];
		}
		sum += post->p[s];
	}
	sum += post->p[DUN_NO_SCHEDULE];
	for (int s = 0; s <= DUN_SCHEDULES; s++)
		post->p[s] /= sum;
	for (int s = 0; s < DUN_SCHEDULES; s++)
		for (int delta = 0; delta <= REACH; delta++)
			post->lift[s][delta] /= sum;
}

double
dun_timing_pay_multiplier(const char *country, const DunPayday *post, DateADT date)
{
	uint8		since[DUN_SCHEDULES];
	double		sum = post->p[DUN_NO_SCHEDULE];

	days_since(country_paydays(country), date, since);
	for (int s = 0; s < DUN_SCHEDULES; s++)
		sum += post->lift[s][since[s]];
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
