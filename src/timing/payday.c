/*
 * timing/payday.c
 *		48 schedules: the days 1 to 31 of the month (moved to the banking day before), the last and the last but
 *		one banking day, ten fortnightly and five weekly ones.
 *
 * A payment tied to a payday comes on it or within six days, each d times as likely as the one before; a share of
 * all payments (pi) is tied to one. With delta days since the last payday of a schedule of period p, its
 * likelihood ratio is R = (1 - pi) + pi p g(delta), g = d^delta normalised. Neither pi nor d is known of a debtor, and a
 * posterior that took them for known would be surer than it may be: each payment weighs CAUTION of one that were. One debtor in
 * five is paid by none of these schedules. And people are not as simple as this model: after n payments a share DOUBT / n of the
 * posterior is still the prior, so that a few of them are hardly ever sure of anything.
 *
 * Which schedules pay on a date is a mask of 48 bits, kept by country and month, and so is what a payment on a date says of
 * each schedule: a book has few countries, and a posterior asks for thousands of dates.
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
#define CAUTION 0.8				/* payments of one debtor are not independent: each weighs so much of one that were */
#define DOUBT 0.5
#define ITSELF 0.2
#define PRIOR_USUAL 0.06		/* of those who have one, whose schedule is known to be usual in the country */

#define FIRST_YEAR 1990
#define MONTHS (12 * 150)
#define COUNTRIES 32

#define TIED 0.5				/* pi */
#define DECAY 0.5				/* d */

/* What a payment on a date weighs for each schedule. */
typedef struct Weights
{
	float		w[DUN_SCHEDULES];
} Weights;

typedef struct Month
{
	uint64		masks[31];		/* of the schedules that pay on a day */
	uint32		known;			/* days whose `since` is filled */
	uint8		since[31][DUN_SCHEDULES];	/* days since the last payday, at most REACH */
	Weights    *payments[31];	/* NULL until asked for */
} Month;

#define WEIGHTS_KEPT 2000		/* by country: over five years of days */

typedef struct CountryPaydays
{
	char		country[3];
	double		prior[DUN_SCHEDULES + 1];
	int			nweights;
	Weights		spare;			/* of a day beyond those kept */
	Month	   *months[MONTHS]; /* NULL until asked for */
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

static Month *
fill_month(const char *country, int year, int month)
{
	Month	   *filled = MemoryContextAllocZero(TopMemoryContext, sizeof(Month));
	uint64	   *masks = filled->masks;
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
	return filled;
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
	set_prior(cache[i]->country, cache[i]->prior);
	return cache[i];
}

/* When the months begin, and the one after the last. */
static DateADT month_begins[MONTHS + 1];

static void
set_month_begins(void)
{
	for (int i = 0; month_begins[0] == 0 && i <= MONTHS; i++)
		month_begins[MONTHS - i] = date2j(FIRST_YEAR + (MONTHS - i) / 12, (MONTHS - i) % 12 + 1, 1) - POSTGRES_EPOCH_JDATE;
}

/* The month of a date and its day from 0; NULL: too long ago or ahead. */
static Month *
month_of(CountryPaydays *c, DateADT date, int *day)
{
	int			slot;

	set_month_begins();
	if (date < month_begins[0] || date >= month_begins[MONTHS])
		return NULL;
	/* never too late, since a twelfth of a leap year is longer than months are as a rule, and early by one or two */
	for (slot = (date - month_begins[0]) * 12 / 366; date >= month_begins[slot + 1]; slot++);
	*day = date - month_begins[slot];
	if (c->months[slot] == NULL)
		c->months[slot] = fill_month(c->country, FIRST_YEAR + slot / 12, slot % 12 + 1);
	return c->months[slot];
}

/* The schedules that pay on a date. */
static uint64
paid_on(CountryPaydays *c, DateADT date)
{
	int			day;
	const Month *m = month_of(c, date, &day);

	return m == NULL ? 0 : m->masks[day];
}

static int
class_of(int schedule)
{
	return schedule < FORTNIGHTLY ? 0 : schedule < WEEKLY ? 1 : 2;
}

/* By days since the payday (the last is: longer ago), for schedules and periods: R, and what a payment weighs. */
static float ratio[REACH + 1][DUN_SCHEDULES];
static double weight[CLASSES][REACH + 1];

static void
set_ratios(void)
{
	static const double periods[CLASSES] = {30.44, 14, 7};

	if (ratio[REACH][DUN_SCHEDULES - 1] != 0)
		return;
	for (int c = 0; c < CLASSES; c++)
	{
		double		g = (1 - DECAY) / (1 - pow(DECAY, REACH));

		for (int delta = 0; delta <= REACH; delta++, g *= DECAY)
		{
			double		r = 1 - TIED + (delta < REACH ? TIED * periods[c] * g : 0);

			weight[c][delta] = pow(r, CAUTION);
			for (int s = 0; s < DUN_SCHEDULES; s++)
				if (class_of(s) == c)
					ratio[delta][s] = r;
		}
	}
}

/* Days since the last payday of every schedule, at most REACH. */
static const uint8 *
days_since(CountryPaydays *c, DateADT date)
{
	static const uint8 long_ago[DUN_SCHEDULES] = {[0 ... DUN_SCHEDULES - 1] = REACH};
	int			day;
	Month	   *m = month_of(c, date, &day);
	uint64		seen = 0;

	if (m == NULL)
		return long_ago;
	if ((m->known & (1U << day)) == 0)
	{
		memset(m->since[day], REACH, DUN_SCHEDULES);
		for (int delta = 0; delta < REACH; delta++)
		{
			uint64		now = paid_on(c, date - delta) & ~seen;

			for (seen |= now; now != 0; now &= now - 1)
				m->since[day][pg_rightmost_one_pos64(now)] = delta;
		}
		m->known |= 1U << day;
	}
	return m->since[day];
}

/*
 * What a payment says of each schedule. A book has a transfer of the weekend on the Monday, and then everybody is paid on Mondays:
 * the first banking day after others stands for these as well, and ITSELF more for itself, for the books that have them on their days.
 * (A half of that finds more there, and shows a payday to one in seven who has none here.)
 */
static void
fill_weights(CountryPaydays *c, DateADT date, Weights *weights)
{
	const uint8 *since[LONGEST_CLOSING + 1];
	int			n = 1;

	since[0] = days_since(c, date);
	if (pays_on(c->country, date))
		for (; n <= LONGEST_CLOSING && !pays_on(c->country, date - n); n++)
			since[n] = days_since(c, date - n);
	for (int s = 0; s < DUN_SCHEDULES; s++)
	{
		const double *w = weight[class_of(s)];
		double		sum = 0;

		for (int j = 0; j < n; j++)
			sum += w[since[j][s]];
		weights->w[s] = ITSELF * w[since[0][s]] + (1 - ITSELF) * sum / n;
	}
}

static const Weights *
weights_of(CountryPaydays *c, DateADT date)
{
	int			day;
	Month	   *m = month_of(c, date, &day);

	if (m == NULL || (m->payments[day] == NULL && c->nweights >= WEIGHTS_KEPT))
	{
		fill_weights(c, date, &c->spare);
		return &c->spare;
	}
	if (m->payments[day] == NULL)
	{
		Weights    *filled = MemoryContextAlloc(TopMemoryContext, sizeof(Weights));

		fill_weights(c, date, filled);
		m->payments[day] = filled;
		c->nweights++;
	}
	return m->payments[day];
}

void
dun_timing_payday(const char *country, const DateADT *dates, int n, DunPayday *post)
{
	CountryPaydays *c = country_paydays(country);
	float		held[DUN_SCHEDULES];
	double		sum = 0,
				scale;

	/* What a payment weighs lies between 0.2 and 10, so the product of 24 of them needs no logarithms. */
	Assert(n <= DUN_PAYMENTS_KEPT);
	set_ratios();
	for (int s = 0; s < DUN_SCHEDULES; s++)
		held[s] = c->prior[s];
	for (int i = 0; i < n; i++)
	{
		const Weights *weights = weights_of(c, dates[i]);

		for (int s = 0; s < DUN_SCHEDULES; s++)
			held[s] *= weights->w[s];
	}
	for (int s = 0; s < DUN_SCHEDULES; s++)
		sum += held[s];
	scale = 1 / (sum + c->prior[DUN_NO_SCHEDULE]);
	for (int s = 0; s < DUN_SCHEDULES; s++)
		post->p[s] = held[s] * scale;
	post->p[DUN_NO_SCHEDULE] = c->prior[DUN_NO_SCHEDULE] * scale;
	for (int s = 0; s <= DUN_SCHEDULES; s++)
		post->p[s] += (c->prior[s] - post->p[s]) * DOUBT / Max(n, 1);
	for (int delta = 0; delta <= REACH; delta++)
		for (int s = 0; s < DUN_SCHEDULES; s++)
			post->lift[delta][s] = (float) post->p[s] * ratio[delta][s];
}

double
dun_timing_pay_multiplier(const char *country, const DunPayday *post, DateADT date)
{
	const uint8 *since = days_since(country_paydays(country), date);
	float		a = 0,
				b = 0,
				c = 0,
				d = 0;

	/* four sums, since each waits for its last term */
	for (int s = 0; s < DUN_SCHEDULES; s += 4)
	{
		a += post->lift[since[s]][s];
		b += post->lift[since[s + 1]][s + 1];
		c += post->lift[since[s + 2]][s + 2];
		d += post->lift[since[s + 3]][s + 3];
	}
	return post->p[DUN_NO_SCHEDULE] + a + b + c + d;
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
