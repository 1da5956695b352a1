/*
 * calendar/zone.c
 *		Candidate zones. A contact is allowed only if it is allowed in all of them.
 *
 * An unknown place gets the default zone and the two ends of the countries whose holidays we compute in
 * Europe, so that an hour passes only if it is decent from London to Helsinki and at home.
 */
#include "postgres.h"

#include <ctype.h>

#include "base/settings.h"
#include "calendar/zone.h"

typedef struct CountryZones
{
	char		country[3];
	const char *zones;			/* separated by blanks */
} CountryZones;

typedef struct RegionZones
{
	char		country[3];
	const char *regions;		/* ",A,B," */
	const char *zones;
} RegionZones;

static const CountryZones countries[] = {
	{"AE", "Asia/Dubai"},
	{"AR", "America/Argentina/Buenos_Aires"},
	{"AT", "Europe/Vienna"},
	{"AU", "Australia/Sydney Australia/Brisbane Australia/Adelaide Australia/Darwin Australia/Perth"},
	{"BE", "Europe/Brussels"},
	{"BG", "Europe/Sofia"},
	{"BR", "America/Sao_Paulo America/Manaus America/Rio_Branco America/Noronha"},
	{"CA", "America/St_Johns America/Halifax America/Toronto America/Winnipeg America/Edmonton America/Vancouver"},
	{"CH", "Europe/Zurich"},
	{"CL", "America/Santiago Pacific/Easter"},
	{"CY", "Asia/Nicosia"},
	{"CZ", "Europe/Prague"},
	{"DE", "Europe/Berlin"},
	{"DK", "Europe/Copenhagen"},
	{"EE", "Europe/Tallinn"},
	{"ES", "Europe/Madrid Atlantic/Canary"},
	{"FI", "Europe/Helsinki"},
	{"FO", "Atlantic/Faroe"},
	{"FR", "Europe/Paris"},
	{"GB", "Europe/London"},
	{"GL", "America/Nuuk America/Scoresbysund America/Danmarkshavn America/Thule"},
	{"GR", "Europe/Athens"},
	{"HR", "Europe/Zagreb"},
	{"HU", "Europe/Budapest"},
	{"IE", "Europe/Dublin"},
	{"IL", "Asia/Jerusalem"},
	{"IN", "Asia/Kolkata"},
	{"IS", "Atlantic/Reykjavik"},
	{"IT", "Europe/Rome"},
	{"JP", "Asia/Tokyo"},
	{"KR", "Asia/Seoul"},
	{"LT", "Europe/Vilnius"},
	{"LU", "Europe/Luxembourg"},
	{"LV", "Europe/Riga"},
	{"MT", "Europe/Malta"},
	{"MX", "America/Cancun America/Mexico_City America/Hermosillo America/Tijuana"},
	{"NL", "Europe/Amsterdam"},
	{"NO", "Europe/Oslo"},
	{"NZ", "Pacific/Auckland Pacific/Chatham"},
	{"PL", "Europe/Warsaw"},
	{"PT", "Europe/Lisbon Atlantic/Azores"},
	{"RO", "Europe/Bucharest"},
	{"RS", "Europe/Belgrade"},
	{"SE", "Europe/Stockholm"},
	{"SG", "Asia/Singapore"},
	{"SI", "Europe/Ljubljana"},
	{"SK", "Europe/Bratislava"},
	{"TR", "Europe/Istanbul"},
	{"UA", "Europe/Kyiv"},
	{"US", "America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Anchorage Pacific/Honolulu"},
	{"ZA", "Africa/Johannesburg"},
};

/* A state that lies in two zones has both. */
static const RegionZones regions[] = {
	{"US", ",CT,DC,DE,GA,MA,MD,ME,NC,NH,NJ,NY,OH,PA,RI,SC,VA,VT,WV,", "America/New_York"},
	{"US", ",FL,IN,KY,MI,TN,", "America/New_York America/Chicago"},
	{"US", ",AL,AR,IA,IL,LA,MN,MO,MS,OK,WI,", "America/Chicago"},
	{"US", ",KS,ND,NE,SD,TX,", "America/Chicago America/Denver"},
	{"US", ",CO,MT,NM,UT,WY,", "America/Denver"},
	{"US", ",AZ,", "America/Phoenix America/Denver"},
	{"US", ",ID,OR,", "America/Denver America/Los_Angeles"},
	{"US", ",CA,NV,WA,", "America/Los_Angeles"},
	{"US", ",AK,", "America/Anchorage America/Adak"},
	{"US", ",HI,", "Pacific/Honolulu"},
	{"CA", ",NL,", "America/St_Johns America/Halifax"},
	{"CA", ",NB,NS,PE,", "America/Halifax"},
	{"CA", ",QC,", "America/Toronto America/Halifax"},
	{"CA", ",ON,", "America/Toronto America/Winnipeg"},
	{"CA", ",MB,", "America/Winnipeg"},
	{"CA", ",SK,", "America/Regina"},
	{"CA", ",AB,", "America/Edmonton"},
	{"CA", ",BC,", "America/Vancouver America/Edmonton"},
	{"AU", ",ACT,NSW,TAS,VIC,", "Australia/Sydney"},
	{"AU", ",QLD,", "Australia/Brisbane"},
	{"AU", ",SA,", "Australia/Adelaide"},
	{"AU", ",NT,", "Australia/Darwin"},
	{"AU", ",WA,", "Australia/Perth"},
	{"ES", ",CN,GC,TF,", "Atlantic/Canary"},
	{"PT", ",20,", "Atlantic/Azores"},
};

static const char *const unknown_place[] = {"Europe/London", "Europe/Helsinki"};

DunPlace
dun_calendar_place(const char *country, const char *region)
{
	DunPlace	place = {"", ""};
	int			i;

	if (country != NULL && isalpha((unsigned char) country[0]) && isalpha((unsigned char) country[1]) &&
		country[2] == '\0')
	{
		place.country[0] = pg_ascii_toupper((unsigned char) country[0]);
		place.country[1] = pg_ascii_toupper((unsigned char) country[1]);
		if (strcmp(place.country, "UK") == 0)
			strcpy(place.country, "GB");
	}
	if (region == NULL || place.country[0] == '\0')
		return place;
	if (isalpha((unsigned char) region[0]) && isalpha((unsigned char) region[1]) && region[2] == '-')
		region += 3;
	for (i = 0; region[i] != '\0' && i < (int) sizeof(place.region) - 1; i++)
	{
		if (!isalnum((unsigned char) region[i]))
			break;
		place.region[i] = pg_ascii_toupper((unsigned char) region[i]);
	}
	if (region[i] != '\0')
		i = 0;
	place.region[i] = '\0';
	return place;
}

/* The server also reads POSIX rules, where any typo with a digit is a "zone". */
static bool
is_named(const char *name)
{
	static const char *const with_digits[] = {"CST6CDT", "EST5EDT", "MST7MDT", "PST8PDT"};

	if (strncmp(name, "Etc/", 4) == 0)
		return true;
	for (size_t i = 0; i < lengthof(with_digits); i++)
		if (strcmp(name, with_digits[i]) == 0)
			return true;
	for (const char *p = name; *p != '\0'; p++)
		if (!isalpha((unsigned char) *p) && strchr("/_-", *p) == NULL)
			return false;
	return true;
}

pg_tz *
dun_calendar_find_zone(const char *name)
{
	pg_tz	   *zone;

	if (name == NULL || name[0] == '\0' || strlen(name) > TZ_STRLEN_MAX || !is_named(name))
		return NULL;
	zone = pg_tzset(name);
	return zone != NULL && pg_tz_acceptable(zone) ? zone : NULL;
}

const char *
dun_calendar_default_zone(void)
{
	const char *name = dun_base_ledger_timezone();

	return dun_calendar_find_zone(name) != NULL ? name : "UTC";
}

static int
add_zone(const char *name, const char *zones[DUN_ZONES], int n)
{
	int			i;

	for (i = 0; i < n; i++)
		if (strcmp(zones[i], name) == 0)
			return n;
	if (n < DUN_ZONES && dun_calendar_find_zone(name) != NULL)
		zones[n++] = name;
	return n;
}

static int
add_zones(const char *list, const char *zones[DUN_ZONES], int n)
{
	char	   *copy = pstrdup(list);
	char	   *rest = copy;
	char	   *name;

	while ((name = strsep(&rest, " ")) != NULL)
		n = add_zone(name, zones, n);
	return n;
}

static const char *
zones_of_place(const DunPlace *place)
{
	char		key[sizeof(place->region) + 2];
	int			i;

	if (place->region[0] != '\0')
	{
		snprintf(key, sizeof(key), ",%s,", place->region);
		for (i = 0; i < lengthof(regions); i++)
			if (strcmp(regions[i].country, place->country) == 0 && strstr(regions[i].regions, key) != NULL)
				return regions[i].zones;
	}
	for (i = 0; i < lengthof(countries); i++)
		if (strcmp(countries[i].country, place->country) == 0)
			return countries[i].zones;
	return NULL;
}

int
dun_calendar_zones(const char *time_zone, const DunPlace *place, const char *zones[DUN_ZONES])
{
	const char *list;
	int			n,
				i;

	if (dun_calendar_find_zone(time_zone) != NULL)
	{
		zones[0] = time_zone;
		return 1;
	}
	list = zones_of_place(place);
	n = list != NULL ? add_zones(list, zones, 0) : 0;
	if (n > 0)
		return n;
	n = add_zone(dun_calendar_default_zone(), zones, 0);
	for (i = 0; i < lengthof(unknown_place); i++)
		n = add_zone(unknown_place[i], zones, n);
	return n;
}
