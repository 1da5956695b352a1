/*
 * calendar/holiday.c
 *		Holidays from rules, so that no year is missing and no list has to be kept.
 *
 * Today's law is applied to every year, except where a row says since when or until when it holds: that is done
 * for the changes of the last decades, which replays and training data meet. Days that are no holiday by
 * law but on which the country stands still (Christmas Eve in Scandinavia, Midsummer Eve, the Danish
 * Constitution Day) are closed for contact too: the Danish Act on debt collection §12 names its three.
 *
 * A rule has a weekday shift where the country moves the day (United States, United Kingdom) or where a
 * holiday is a weekday on or after a date (Midsummer, All Saints).
 */
#include "postgres.h"

#include "utils/datetime.h"

#include "calendar/holiday.h"

typedef enum RuleKind
{
	FIXED,						/* a: month, b: day */
	EASTER,						/* a: days after Easter Sunday */
	NTH,						/* a: month, b: weekday, c: n-th, or -1 for the last */
	ON_OR_AFTER					/* a: month, b: day, c: weekday: the first such weekday on or after */
} RuleKind;

typedef enum Moved
{
	STAYS,
	US_STYLE,					/* Saturday: also the Friday before; Sunday: also the Monday after */
	GB_STYLE,					/* Saturday and Sunday: also the Monday after */
	GB_PAIR,					/* the first two days of a pair: two days later, so both find a weekday */
	NL_KING						/* on a Sunday: the Saturday before, instead */
} Moved;

typedef struct HolidayRule
{
	char		country[3];
	const char *regions;		/* NULL: the whole country; "+A,B" only there; "-A,B" all but there */
	RuleKind	kind;
	int			a,
				b,
				c;
	Moved		moved;
	int			from,
				until;			/* years, 0: open */
	const char *name;
} HolidayRule;

static const HolidayRule rules[] = {
	{"DK", NULL, FIXED, 1, 1, 0, STAYS, 0, 0, "Nytårsdag"},
	{"DK", NULL, EASTER, -3, 0, 0, STAYS, 0, 0, "Skærtorsdag"},
	{"DK", NULL, EASTER, -2, 0, 0, STAYS, 0, 0, "Langfredag"},
	{"DK", NULL, EASTER, 0, 0, 0, STAYS, 0, 0, "Påskedag"},
	{"DK", NULL, EASTER, 1, 0, 0, STAYS, 0, 0, "2. påskedag"},
	{"DK", NULL, EASTER, 26, 0, 0, STAYS, 0, 2023, "Store bededag"},
	{"DK", NULL, EASTER, 39, 0, 0, STAYS, 0, 0, "Kristi himmelfartsdag"},
	{"DK", NULL, EASTER, 49, 0, 0, STAYS, 0, 0, "Pinsedag"},
	{"DK", NULL, EASTER, 50, 0, 0, STAYS, 0, 0, "2. pinsedag"},
	{"DK", NULL, FIXED, 6, 5, 0, STAYS, 0, 0, "Grundlovsdag"},
	{"DK", NULL, FIXED, 12, 24, 0, STAYS, 0, 0, "Juleaftensdag"},
	{"DK", NULL, FIXED, 12, 25, 0, STAYS, 0, 0, "Juledag"},
	{"DK", NULL, FIXED, 12, 26, 0, STAYS, 0, 0, "2. juledag"},
	{"DK", NULL, FIXED, 12, 31, 0, STAYS, 0, 0, "Nytårsaftensdag"},

	{"SE", NULL, FIXED, 1, 1, 0, STAYS, 0, 0, "Nyårsdagen"},
	{"SE", NULL, FIXED, 1, 6, 0, STAYS, 0, 0, "Trettondedag jul"},
	{"SE", NULL, EASTER, -2, 0, 0, STAYS, 0, 0, "Långfredagen"},
	{"SE", NULL, EASTER, 0, 0, 0, STAYS, 0, 0, "Påskdagen"},
	{"SE", NULL, EASTER, 1, 0, 0, STAYS, 0, 0, "Annandag påsk"},
	{"SE", NULL, FIXED, 5, 1, 0, STAYS, 1939, 0, "Första maj"},
	{"SE", NULL, EASTER, 39, 0, 0, STAYS, 0, 0, "Kristi himmelsfärdsdag"},
	{"SE", NULL, EASTER, 49, 0, 0, STAYS, 0, 0, "Pingstdagen"},
	{"SE", NULL, EASTER, 50, 0, 0, STAYS, 0, 2004, "Annandag pingst"},
	{"SE", NULL, FIXED, 6, 6, 0, STAYS, 2005, 0, "Sveriges nationaldag"},
	{"SE", NULL, ON_OR_AFTER, 6, 19, 5, STAYS, 1953, 0, "Midsommarafton"},
	{"SE", NULL, ON_OR_AFTER, 6, 20, 6, STAYS, 1953, 0, "Midsommardagen"},
	{"SE", NULL, ON_OR_AFTER, 10, 31, 6, STAYS, 1953, 0, "Alla helgons dag"},
	{"SE", NULL, FIXED, 12, 24, 0, STAYS, 0, 0, "Julafton"},
	{"SE", NULL, FIXED, 12, 25, 0, STAYS, 0, 0, "Juldagen"},
	{"SE", NULL, FIXED, 12, 26, 0, STAYS, 0, 0, "Annandag jul"},
	{"SE", NULL, FIXED, 12, 31, 0, STAYS, 0, 0, "Nyårsafton"},

	{"NO", NULL, FIXED, 1, 1, 0, STAYS, 0, 0, "Første nyttårsdag"},
	{"NO", NULL, EASTER, -3, 0, 0, STAYS, 0, 0, "Skjærtorsdag"},
	{"NO", NULL, EASTER, -2, 0, 0, STAYS, 0, 0, "Langfredag"},
	{"NO", NULL, EASTER, 0, 0, 0, STAYS, 0, 0, "Første påskedag"},
	{"NO", NULL, EASTER, 1, 0, 0, STAYS, 0, 0, "Andre påskedag"},
	{"NO", NULL, FIXED, 5, 1, 0, STAYS, 1947, 0, "Arbeidernes dag"},
	{"NO", NULL, FIXED, 5, 17, 0, STAYS, 1947, 0, "Grunnlovsdagen"},
	{"NO", NULL, EASTER, 39, 0, 0, STAYS, 0, 0, "Kristi himmelfartsdag"},
	{"NO", NULL, EASTER, 49, 0, 0, STAYS, 0, 0, "Første pinsedag"},
	{"NO", NULL, EASTER, 50, 0, 0, STAYS, 0, 0, "Andre pinsedag"},
	{"NO", NULL, FIXED, 12, 25, 0, STAYS, 0, 0, "Første juledag"},
	{"NO", NULL, FIXED, 12, 26, 0, STAYS, 0, 0, "Andre juledag"},

	{"FI", NULL, FIXED, 1, 1, 0, STAYS, 0, 0, "Uudenvuodenpäivä"},
	{"FI", NULL, FIXED, 1, 6, 0, STAYS, 0, 0, "Loppiainen"},
	{"FI", NULL, EASTER, -2, 0, 0, STAYS, 0, 0, "Pitkäperjantai"},
	{"FI", NULL, EASTER, 0, 0, 0, STAYS, 0, 0, "Pääsiäispäivä"},
	{"FI", NULL, EASTER, 1, 0, 0, STAYS, 0, 0, "Toinen pääsiäispäivä"},
	{"FI", NULL, FIXED, 5, 1, 0, STAYS, 1944, 0, "Vappu"},
	{"FI", NULL, EASTER, 39, 0, 0, STAYS, 0, 0, "Helatorstai"},
	{"FI", NULL, EASTER, 49, 0, 0, STAYS, 0, 0, "Helluntaipäivä"},
	{"FI", NULL, ON_OR_AFTER, 6, 19, 5, STAYS, 1955, 0, "Juhannusaatto"},
	{"FI", NULL, ON_OR_AFTER, 6, 20, 6, STAYS, 1955, 0, "Juhannuspäivä"},
	{"FI", NULL, ON_OR_AFTER, 10, 31, 6, STAYS, 1955, 0, "Pyhäinpäivä"},
	{"FI", NULL, FIXED, 12, 6, 0, STAYS, 1919, 0, "Itsenäisyyspäivä"},
	{"FI", NULL, FIXED, 12, 24, 0, STAYS, 0, 0, "Jouluaatto"},
	{"FI", NULL, FIXED, 12, 25, 0, STAYS, 0, 0, "Joulupäivä"},
	{"FI", NULL, FIXED, 12, 26, 0, STAYS, 0, 0, "Tapaninpäivä"},

	{"DE", NULL, FIXED, 1, 1, 0, STAYS, 0, 0, "Neujahr"},
	{"DE", "+BW,BY,ST", FIXED, 1, 6, 0, STAYS, 0, 0, "Heilige Drei Könige"},
	{"DE", "+BE", FIXED, 3, 8, 0, STAYS, 2019, 0, "Internationaler Frauentag"},
	{"DE", "+MV", FIXED, 3, 8, 0, STAYS, 2023, 0, "Internationaler Frauentag"},
	{"DE", NULL, EASTER, -2, 0, 0, STAYS, 0, 0, "Karfreitag"},
	{"DE", "+BB", EASTER, 0, 0, 0, STAYS, 0, 0, "Ostersonntag"},
	{"DE", NULL, EASTER, 1, 0, 0, STAYS, 0, 0, "Ostermontag"},
	{"DE", NULL, FIXED, 5, 1, 0, STAYS, 1933, 0, "Tag der Arbeit"},
	{"DE", "+BE", FIXED, 5, 8, 0, STAYS, 2020, 2020, "Tag der Befreiung"},
	{"DE", "+BE", FIXED, 5, 8, 0, STAYS, 2025, 2025, "Tag der Befreiung"},
	{"DE", NULL, EASTER, 39, 0, 0, STAYS, 0, 0, "Christi Himmelfahrt"},
	{"DE", "+BB", EASTER, 49, 0, 0, STAYS, 0, 0, "Pfingstsonntag"},
	{"DE", NULL, EASTER, 50, 0, 0, STAYS, 0, 0, "Pfingstmontag"},
	{"DE", "+BW,BY,HE,NW,RP,SL", EASTER, 60, 0, 0, STAYS, 0, 0, "Fronleichnam"},
	{"DE", "+BY,SL", FIXED, 8, 15, 0, STAYS, 0, 0, "Mariä Himmelfahrt"},
	{"DE", "+TH", FIXED, 9, 20, 0, STAYS, 2019, 0, "Weltkindertag"},
	{"DE", NULL, FIXED, 10, 3, 0, STAYS, 1990, 0, "Tag der Deutschen Einheit"},
	{"DE", NULL, FIXED, 10, 31, 0, STAYS, 2017, 2017, "Reformationstag"},
	{"DE", "+BB,MV,SN,ST,TH", FIXED, 10, 31, 0, STAYS, 1991, 0, "Reformationstag"},
	{"DE", "+HB,HH,NI,SH", FIXED, 10, 31, 0, STAYS, 2018, 0, "Reformationstag"},
	{"DE", "+BW,BY,NW,RP,SL", FIXED, 11, 1, 0, STAYS, 0, 0, "Allerheiligen"},
	{"DE", "+SN", ON_OR_AFTER, 11, 16, 3, STAYS, 0, 0, "Buß- und Bettag"},
	{"DE", NULL, FIXED, 12, 25, 0, STAYS, 0, 0, "Erster Weihnachtstag"},
	{"DE", NULL, FIXED, 12, 26, 0, STAYS, 0, 0, "Zweiter Weihnachtstag"},

	{"NL", NULL, FIXED, 1, 1, 0, STAYS, 0, 0, "Nieuwjaarsdag"},
	{"NL", NULL, EASTER, -2, 0, 0, STAYS, 0, 0, "Goede Vrijdag"},
	{"NL", NULL, EASTER, 0, 0, 0, STAYS, 0, 0, "Eerste paasdag"},
	{"NL", NULL, EASTER, 1, 0, 0, STAYS, 0, 0, "Tweede paasdag"},
	{"NL", NULL, FIXED, 4, 27, 0, NL_KING, 2014, 0, "Koningsdag"},
	{"NL", NULL, FIXED, 4, 30, 0, NL_KING, 1949, 2013, "Koninginnedag"},
	{"NL", NULL, FIXED, 5, 5, 0, STAYS, 1946, 0, "Bevrijdingsdag"},
	{"NL", NULL, EASTER, 39, 0, 0, STAYS, 0, 0, "Hemelvaartsdag"},
	{"NL", NULL, FIXED, 5, 10, 0, STAYS, 2024, 2024, "Gelijkgestelde dag"},
	{"NL", NULL, EASTER, 49, 0, 0, STAYS, 0, 0, "Eerste pinksterdag"},
	{"NL", NULL, EASTER, 50, 0, 0, STAYS, 0, 0, "Tweede pinksterdag"},
	{"NL", NULL, FIXED, 12, 25, 0, STAYS, 0, 0, "Eerste kerstdag"},
	{"NL", NULL, FIXED, 12, 26, 0, STAYS, 0, 0, "Tweede kerstdag"},
	{"NL", NULL, FIXED, 12, 27, 0, STAYS, 2024, 2024, "Gelijkgestelde dag"},

	/* Without a region: England and Wales. */
	{"GB", "-SCT", FIXED, 1, 1, 0, GB_STYLE, 1974, 0, "New Year's Day"},
	{"GB", "+SCT", FIXED, 1, 1, 0, GB_PAIR, 0, 0, "New Year's Day"},
	{"GB", "+SCT", FIXED, 1, 2, 0, GB_PAIR, 0, 0, "2 January"},
	{"GB", "+NIR", FIXED, 3, 17, 0, GB_STYLE, 0, 0, "St Patrick's Day"},
	{"GB", NULL, EASTER, -2, 0, 0, STAYS, 0, 0, "Good Friday"},
	{"GB", NULL, EASTER, 0, 0, 0, STAYS, 0, 0, "Easter Sunday"},
	{"GB", "-SCT", EASTER, 1, 0, 0, STAYS, 0, 0, "Easter Monday"},
	{"GB", NULL, FIXED, 4, 29, 0, STAYS, 2011, 2011, "Royal Wedding"},
	{"GB", NULL, NTH, 5, 1, 1, STAYS, 1978, 2019, "Early May bank holiday"},
	{"GB", NULL, FIXED, 5, 8, 0, STAYS, 2020, 2020, "Early May bank holiday (VE day)"},
	{"GB", NULL, NTH, 5, 1, 1, STAYS, 2021, 0, "Early May bank holiday"},
	{"GB", NULL, FIXED, 5, 8, 0, STAYS, 2023, 2023, "Coronation of King Charles III"},
	{"GB", NULL, NTH, 5, 1, -1, STAYS, 1971, 2001, "Spring bank holiday"},
	{"GB", NULL, FIXED, 6, 4, 0, STAYS, 2002, 2002, "Spring bank holiday"},
	{"GB", NULL, FIXED, 6, 3, 0, STAYS, 2002, 2002, "Golden Jubilee"},
	{"GB", NULL, NTH, 5, 1, -1, STAYS, 2003, 2011, "Spring bank holiday"},
	{"GB", NULL, FIXED, 6, 4, 0, STAYS, 2012, 2012, "Spring bank holiday"},
	{"GB", NULL, FIXED, 6, 5, 0, STAYS, 2012, 2012, "Diamond Jubilee"},
	{"GB", NULL, NTH, 5, 1, -1, STAYS, 2013, 2021, "Spring bank holiday"},
	{"GB", NULL, FIXED, 6, 2, 0, STAYS, 2022, 2022, "Spring bank holiday"},
	{"GB", NULL, FIXED, 6, 3, 0, STAYS, 2022, 2022, "Platinum Jubilee"},
	{"GB", NULL, NTH, 5, 1, -1, STAYS, 2023, 0, "Spring bank holiday"},
	{"GB", "+NIR", FIXED, 7, 12, 0, GB_STYLE, 0, 0, "Battle of the Boyne"},
	{"GB", "+SCT", NTH, 8, 1, 1, STAYS, 1971, 0, "Summer bank holiday"},
	{"GB", "-SCT", NTH, 8, 1, -1, STAYS, 1971, 0, "Summer bank holiday"},
	{"GB", NULL, FIXED, 9, 19, 0, STAYS, 2022, 2022, "State Funeral of Queen Elizabeth II"},
	{"GB", "+SCT", FIXED, 11, 30, 0, GB_STYLE, 2006, 0, "St Andrew's Day"},
	{"GB", NULL, FIXED, 12, 25, 0, GB_PAIR, 0, 0, "Christmas Day"},
	{"GB", NULL, FIXED, 12, 26, 0, GB_PAIR, 0, 0, "Boxing Day"},

	{"US", NULL, FIXED, 1, 1, 0, US_STYLE, 0, 0, "New Year's Day"},
	{"US", NULL, NTH, 1, 1, 3, STAYS, 1986, 0, "Martin Luther King Jr. Day"},
	{"US", NULL, NTH, 2, 1, 3, STAYS, 1971, 0, "Washington's Birthday"},
	{"US", NULL, NTH, 5, 1, -1, STAYS, 1971, 0, "Memorial Day"},
	{"US", NULL, FIXED, 6, 19, 0, US_STYLE, 2021, 0, "Juneteenth"},
	{"US", NULL, FIXED, 7, 4, 0, US_STYLE, 0, 0, "Independence Day"},
	{"US", NULL, NTH, 9, 1, 1, STAYS, 0, 0, "Labor Day"},
	{"US", NULL, NTH, 10, 1, 2, STAYS, 1971, 0, "Columbus Day"},
	{"US", NULL, FIXED, 11, 11, 0, US_STYLE, 1938, 0, "Veterans Day"},
	{"US", NULL, NTH, 11, 4, 4, STAYS, 1942, 0, "Thanksgiving Day"},
	{"US", NULL, FIXED, 12, 25, 0, US_STYLE, 0, 0, "Christmas Day"},
	/* Of the states those that are one rule each. */
	{"US", "+CT,IL,MO,NY", FIXED, 2, 12, 0, STAYS, 0, 0, "Lincoln's Birthday"},
	{"US", "+LA", EASTER, -47, 0, 0, STAYS, 0, 0, "Mardi Gras"},
	{"US", "+VT", NTH, 3, 2, 1, STAYS, 0, 0, "Town Meeting Day"},
	{"US", "+HI", FIXED, 3, 26, 0, STAYS, 1949, 0, "Prince Kuhio Day"},
	{"US", "+AK", NTH, 3, 1, -1, STAYS, 1955, 0, "Seward's Day"},
	{"US", "+CA", FIXED, 3, 31, 0, STAYS, 1995, 0, "Cesar Chavez Day"},
	{"US", "+CT,DE,HI,IN,KY,LA,NC,ND,NJ,TN", EASTER, -2, 0, 0, STAYS, 0, 0, "Good Friday"},
	{"US", "+DC", FIXED, 4, 16, 0, US_STYLE, 2005, 0, "Emancipation Day"},
	{"US", "+MA,ME", NTH, 4, 1, 3, STAYS, 1969, 0, "Patriots' Day"},
	{"US", "+HI", FIXED, 6, 11, 0, STAYS, 1872, 0, "Kamehameha Day"},
	{"US", "+WV", FIXED, 6, 20, 0, US_STYLE, 1927, 0, "West Virginia Day"},
	{"US", "+UT", FIXED, 7, 24, 0, US_STYLE, 0, 0, "Pioneer Day"},
	{"US", "+RI", NTH, 8, 1, 2, STAYS, 1966, 0, "Victory Day"},
	{"US", "+VT", FIXED, 8, 16, 0, US_STYLE, 0, 0, "Bennington Battle Day"},
	{"US", "+HI", NTH, 8, 5, 3, STAYS, 1959, 0, "Statehood Day"},
	{"US", "+AK", FIXED, 10, 18, 0, US_STYLE, 0, 0, "Alaska Day"},
	{"US", "+NV", NTH, 10, 5, -1, STAYS, 2000, 0, "Nevada Day"},
};

static const char known[][3] = {"DK", "SE", "NO", "FI", "DE", "NL", "GB", "US"};

int
dun_calendar_weekday(DateADT date)
{
	return j2day(date + POSTGRES_EPOCH_JDATE);
}

static DateADT
make_date(int year, int month, int day)
{
	return date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
}

/* Easter Sunday, Gregorian (Meeus, Jones, Butcher). */
static DateADT
easter(int year)
{
	int			a = year % 19,
				b = year / 100,
				c = year % 100;
	int			h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
	int			l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
	int			m = (a + 11 * h + 22 * l) / 451;
	int			n = h + l - 7 * m + 114;

	return make_date(year, n / 31, n % 31 + 1);
}

static DateADT
nth_weekday(int year, int month, int weekday, int n)
{
	DateADT		first;

	if (n < 0)
	{
		DateADT		next = month == 12 ? make_date(year + 1, 1, 1) : make_date(year, month + 1, 1);

		return next - 1 - (dun_calendar_weekday(next - 1) - weekday + 7) % 7;
	}
	first = make_date(year, month, 1);
	return first + (weekday - dun_calendar_weekday(first) + 7) % 7 + 7 * (n - 1);
}

static DateADT
rule_date(const HolidayRule *rule, int year)
{
	DateADT		date;

	switch (rule->kind)
	{
		case EASTER:
			return easter(year) + rule->a;
		case NTH:
			return nth_weekday(year, rule->a, rule->b, rule->c);
		case ON_OR_AFTER:
			date = make_date(year, rule->a, rule->b);
			return date + (rule->c - dun_calendar_weekday(date) + 7) % 7;
		case FIXED:
			break;
	}
	return make_date(year, rule->a, rule->b);
}

/* Does the rule close this date, by itself or by being moved to it? */
static bool
rule_closes(const HolidayRule *rule, int year, DateADT date)
{
	DateADT		own;
	int			weekday;

	if ((rule->from != 0 && year < rule->from) || (rule->until != 0 && year > rule->until))
		return false;
	own = rule_date(rule, year);
	weekday = dun_calendar_weekday(own);
	if (rule->moved == NL_KING && weekday == 0)
		return date == own - 1;
	if (date == own)
		return true;
	switch (rule->moved)
	{
		case US_STYLE:
			return (weekday == 6 && date == own - 1) || (weekday == 0 && date == own + 1);
		case GB_STYLE:
			return (weekday == 6 && date == own + 2) || (weekday == 0 && date == own + 1);
		case GB_PAIR:
			return (weekday == 6 || weekday == 0) && date == own + 2;
		case STAYS:
		case NL_KING:
			break;
	}
	return false;
}

/* Is `region` in a list such as "+BW,BY"? An unknown region gets what the whole country gets. */
static bool
region_matches(const char *regions, const char *region)
{
	bool		listed = false;
	const char *p;

	if (regions == NULL)
		return true;
	if (region != NULL && region[0] != '\0')
	{
		size_t		len = strlen(region);

		for (p = regions + 1; *p != '\0'; p += strcspn(p, ","), p += *p == ',')
			if (strncmp(p, region, len) == 0 && (p[len] == ',' || p[len] == '\0'))
				listed = true;
	}
	return regions[0] == '+' ? listed : !listed;
}

static const char *
country_holiday(const char *country, const char *region, int year, int month, int day, DateADT date)
{
	int			i;

	for (i = 0; i < lengthof(rules); i++)
	{
		const HolidayRule *rule = &rules[i];

		if (rule->country[0] != country[0] || rule->country[1] != country[1] ||
			!region_matches(rule->regions, region))
			continue;
		if (rule_closes(rule, year, date))
			return rule->name;
		/* 1 January on a Saturday is kept on 31 December of the year before. */
		if (rule->moved == US_STYLE && rule->a == 1 && month == 12 && day == 31 &&
			year < DUN_LAST_YEAR && rule_closes(rule, year + 1, date))
			return rule->name;
	}
	return NULL;
}

static const char *
find_holiday(const char *country, const char *region, DateADT date)
{
	int			year,
				month,
				day,
				i;

	if (DATE_NOT_FINITE(date))
		return NULL;
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	if (year < DUN_FIRST_YEAR || year > DUN_LAST_YEAR)
		return NULL;
	if (country == NULL || country[0] == '\0')
	{
		for (i = 0; i < lengthof(known); i++)
		{
			const char *name = country_holiday(known[i], NULL, year, month, day, date);

			if (name != NULL)
				return name;
		}
		return NULL;
	}
	for (i = 0; i < lengthof(known); i++)
		if (strcmp(known[i], country) == 0)
			return country_holiday(country, region, year, month, day, date);
	if (month == 1 && day == 1)
		return "New Year's Day";
	if (month == 12 && day == 25)
		return "Christmas Day";
	return NULL;
}

/* Whoever judges many contacts asks about the same few days in the same few places. */
#define KEPT 64
#define KEPT_LEN 8

typedef struct Answer
{
	bool		known;
	char		country[KEPT_LEN];
	char		region[KEPT_LEN];
	DateADT		date;
	const char *name;
} Answer;

const char *
dun_calendar_holiday(const char *country, const char *region, DateADT date)
{
	static Answer answers[KEPT];
	Answer	   *a;

	country = country ? country : "";
	region = region ? region : "";
	if (strlen(country) >= KEPT_LEN || strlen(region) >= KEPT_LEN)
		return find_holiday(country, region, date);
	a = &answers[((uint32) date * 5 + (uint8) country[0] * 3 + (uint8) region[0]) % KEPT];
	if (!a->known || a->date != date || strcmp(a->country, country) != 0 || strcmp(a->region, region) != 0)
	{
		a->name = find_holiday(country, region, date);
		a->date = date;
		strcpy(a->country, country);
		strcpy(a->region, region);
		a->known = true;
	}
	return a->name;
}

bool
dun_calendar_is_banking_day(const char *country, const char *region, DateADT date)
{
	int			weekday = dun_calendar_weekday(date);

	return weekday != 0 && weekday != 6 && dun_calendar_holiday(country, region, date) == NULL;
}
