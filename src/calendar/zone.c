/*
 * calendar/zone.c
 *		Candidate zones. A contact is allowed only if it is allowed in all of them.
 *
 * Of a country one zone of each kind of clock stands here, made from the time zone database's zone.tab: those that have
 * shown the same time since 2022 are one. Where no country is known the calling code of the phone stands for it; the rules
 * are those of an unknown country all the same, since people take their numbers along. In North America, where the area
 * code of a phone names another zone than the address, both count (calendar/area.c).
 *
 * An unknown place gets the default zone and the two ends of the countries whose holidays we compute in
 * Europe, so that an hour passes only if it is decent from London to Helsinki and at home.
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"

#include "base/settings.h"
#include "calendar/area.h"
#include "calendar/zone.h"

typedef struct CountryZones
{
	char		country[3];
	const char *zones;			/* separated by blanks */
} CountryZones;

typedef struct CallingCode
{
	const char *prefix;			/* what follows the plus */
	const char *countries;		/* codes, or zones, separated by blanks */
} CallingCode;

/* One code for the United States, Canada and the Caribbean: no window that is open in all of these is closed in another. */
#define NORTH_AMERICA \
	"America/St_Johns America/Halifax America/New_York America/Chicago America/Regina America/Denver America/Phoenix " \
	"America/Los_Angeles America/Anchorage America/Adak Pacific/Honolulu"

typedef struct RegionZones
{
	char		country[3];
	const char *regions;		/* ",A,B," */
	const char *zones;
} RegionZones;

static const CountryZones countries[] = {
	{"AD", "Europe/Andorra"},
	{"AE", "Asia/Dubai"},
	{"AF", "Asia/Kabul"},
	{"AG", "America/Antigua"},
	{"AI", "America/Anguilla"},
	{"AL", "Europe/Tirane"},
	{"AM", "Asia/Yerevan"},
	{"AO", "Africa/Luanda"},
	{"AQ", "Antarctica/McMurdo Antarctica/Casey Antarctica/Davis Antarctica/DumontDUrville Antarctica/Mawson Antarctica/Palmer Antarctica/Syowa Antarctica/Troll Antarctica/Vostok"},
	{"AR", "America/Argentina/Buenos_Aires"},
	{"AS", "Pacific/Pago_Pago"},
	{"AT", "Europe/Vienna"},
	{"AU", "Australia/Sydney Australia/Brisbane Australia/Adelaide Australia/Darwin Australia/Perth Australia/Lord_Howe Australia/Eucla"},
	{"AW", "America/Aruba"},
	{"AX", "Europe/Mariehamn"},
	{"AZ", "Asia/Baku"},
	{"BA", "Europe/Sarajevo"},
	{"BB", "America/Barbados"},
	{"BD", "Asia/Dhaka"},
	{"BE", "Europe/Brussels"},
	{"BF", "Africa/Ouagadougou"},
	{"BG", "Europe/Sofia"},
	{"BH", "Asia/Bahrain"},
	{"BI", "Africa/Bujumbura"},
	{"BJ", "Africa/Porto-Novo"},
	{"BL", "America/St_Barthelemy"},
	{"BM", "Atlantic/Bermuda"},
	{"BN", "Asia/Brunei"},
	{"BO", "America/La_Paz"},
	{"BQ", "America/Kralendijk"},
	{"BR", "America/Sao_Paulo America/Manaus America/Rio_Branco America/Noronha"},
	{"BS", "America/Nassau"},
	{"BT", "Asia/Thimphu"},
	{"BW", "Africa/Gaborone"},
	{"BY", "Europe/Minsk"},
	{"BZ", "America/Belize"},
	{"CA", "America/St_Johns America/Halifax America/Toronto America/Winnipeg America/Edmonton America/Vancouver America/Blanc-Sablon America/Atikokan America/Regina America/Creston"},
	{"CC", "Indian/Cocos"},
	{"CD", "Africa/Kinshasa Africa/Lubumbashi"},
	{"CF", "Africa/Bangui"},
	{"CG", "Africa/Brazzaville"},
	{"CH", "Europe/Zurich"},
	{"CI", "Africa/Abidjan"},
	{"CK", "Pacific/Rarotonga"},
	{"CL", "America/Santiago Pacific/Easter America/Coyhaique America/Punta_Arenas"},
	{"CM", "Africa/Douala"},
	{"CN", "Asia/Shanghai Asia/Urumqi"},
	{"CO", "America/Bogota"},
	{"CR", "America/Costa_Rica"},
	{"CU", "America/Havana"},
	{"CV", "Atlantic/Cape_Verde"},
	{"CW", "America/Curacao"},
	{"CX", "Indian/Christmas"},
	{"CY", "Asia/Nicosia"},
	{"CZ", "Europe/Prague"},
	{"DE", "Europe/Berlin"},
	{"DJ", "Africa/Djibouti"},
	{"DK", "Europe/Copenhagen"},
	{"DM", "America/Dominica"},
	{"DO", "America/Santo_Domingo"},
	{"DZ", "Africa/Algiers"},
	{"EC", "America/Guayaquil Pacific/Galapagos"},
	{"EE", "Europe/Tallinn"},
	{"EG", "Africa/Cairo"},
	{"EH", "Africa/El_Aaiun"},
	{"ER", "Africa/Asmara"},
	{"ES", "Europe/Madrid Atlantic/Canary"},
	{"ET", "Africa/Addis_Ababa"},
	{"FI", "Europe/Helsinki"},
	{"FJ", "Pacific/Fiji"},
	{"FK", "Atlantic/Stanley"},
	{"FM", "Pacific/Chuuk Pacific/Pohnpei"},
	{"FO", "Atlantic/Faroe"},
	{"FR", "Europe/Paris"},
	{"GA", "Africa/Libreville"},
	{"GB", "Europe/London"},
	{"GD", "America/Grenada"},
	{"GE", "Asia/Tbilisi"},
	{"GF", "America/Cayenne"},
	{"GG", "Europe/Guernsey"},
	{"GH", "Africa/Accra"},
	{"GI", "Europe/Gibraltar"},
	{"GL", "America/Nuuk America/Scoresbysund America/Danmarkshavn America/Thule"},
	{"GM", "Africa/Banjul"},
	{"GN", "Africa/Conakry"},
	{"GP", "America/Guadeloupe"},
	{"GQ", "Africa/Malabo"},
	{"GR", "Europe/Athens"},
	{"GS", "Atlantic/South_Georgia"},
	{"GT", "America/Guatemala"},
	{"GU", "Pacific/Guam"},
	{"GW", "Africa/Bissau"},
	{"GY", "America/Guyana"},
	{"HK", "Asia/Hong_Kong"},
	{"HN", "America/Tegucigalpa"},
	{"HR", "Europe/Zagreb"},
	{"HT", "America/Port-au-Prince"},
	{"HU", "Europe/Budapest"},
	{"ID", "Asia/Jakarta Asia/Makassar Asia/Jayapura"},
	{"IE", "Europe/Dublin"},
	{"IL", "Asia/Jerusalem"},
	{"IM", "Europe/Isle_of_Man"},
	{"IN", "Asia/Kolkata"},
	{"IO", "Indian/Chagos"},
	{"IQ", "Asia/Baghdad"},
	{"IR", "Asia/Tehran"},
	{"IS", "Atlantic/Reykjavik"},
	{"IT", "Europe/Rome"},
	{"JE", "Europe/Jersey"},
	{"JM", "America/Jamaica"},
	{"JO", "Asia/Amman"},
	{"JP", "Asia/Tokyo"},
	{"KE", "Africa/Nairobi"},
	{"KG", "Asia/Bishkek"},
	{"KH", "Asia/Phnom_Penh"},
	{"KI", "Pacific/Tarawa Pacific/Kanton Pacific/Kiritimati"},
	{"KM", "Indian/Comoro"},
	{"KN", "America/St_Kitts"},
	{"KP", "Asia/Pyongyang"},
	{"KR", "Asia/Seoul"},
	{"KW", "Asia/Kuwait"},
	{"KY", "America/Cayman"},
	{"KZ", "Asia/Almaty Asia/Qyzylorda"},
	{"LA", "Asia/Vientiane"},
	{"LB", "Asia/Beirut"},
	{"LC", "America/St_Lucia"},
	{"LI", "Europe/Vaduz"},
	{"LK", "Asia/Colombo"},
	{"LR", "Africa/Monrovia"},
	{"LS", "Africa/Maseru"},
	{"LT", "Europe/Vilnius"},
	{"LU", "Europe/Luxembourg"},
	{"LV", "Europe/Riga"},
	{"LY", "Africa/Tripoli"},
	{"MA", "Africa/Casablanca"},
	{"MC", "Europe/Monaco"},
	{"MD", "Europe/Chisinau"},
	{"ME", "Europe/Podgorica"},
	{"MF", "America/Marigot"},
	{"MG", "Indian/Antananarivo"},
	{"MH", "Pacific/Majuro"},
	{"MK", "Europe/Skopje"},
	{"ML", "Africa/Bamako"},
	{"MM", "Asia/Yangon"},
	{"MN", "Asia/Ulaanbaatar Asia/Hovd"},
	{"MO", "Asia/Macau"},
	{"MP", "Pacific/Saipan"},
	{"MQ", "America/Martinique"},
	{"MR", "Africa/Nouakchott"},
	{"MS", "America/Montserrat"},
	{"MT", "Europe/Malta"},
	{"MU", "Indian/Mauritius"},
	{"MV", "Indian/Maldives"},
	{"MW", "Africa/Blantyre"},
	{"MX", "America/Cancun America/Mexico_City America/Hermosillo America/Tijuana America/Matamoros America/Chihuahua America/Ciudad_Juarez America/Ojinaga America/Mazatlan"},
	{"MY", "Asia/Kuala_Lumpur"},
	{"MZ", "Africa/Maputo"},
	{"NA", "Africa/Windhoek"},
	{"NC", "Pacific/Noumea"},
	{"NE", "Africa/Niamey"},
	{"NF", "Pacific/Norfolk"},
	{"NG", "Africa/Lagos"},
	{"NI", "America/Managua"},
	{"NL", "Europe/Amsterdam"},
	{"NO", "Europe/Oslo"},
	{"NP", "Asia/Kathmandu"},
	{"NR", "Pacific/Nauru"},
	{"NU", "Pacific/Niue"},
	{"NZ", "Pacific/Auckland Pacific/Chatham"},
	{"OM", "Asia/Muscat"},
	{"PA", "America/Panama"},
	{"PE", "America/Lima"},
	{"PF", "Pacific/Tahiti Pacific/Marquesas Pacific/Gambier"},
	{"PG", "Pacific/Port_Moresby Pacific/Bougainville"},
	{"PH", "Asia/Manila"},
	{"PK", "Asia/Karachi"},
	{"PL", "Europe/Warsaw"},
	{"PM", "America/Miquelon"},
	{"PN", "Pacific/Pitcairn"},
	{"PR", "America/Puerto_Rico"},
	{"PS", "Asia/Gaza"},
	{"PT", "Europe/Lisbon Atlantic/Azores"},
	{"PW", "Pacific/Palau"},
	{"PY", "America/Asuncion"},
	{"QA", "Asia/Qatar"},
	{"RE", "Indian/Reunion"},
	{"RO", "Europe/Bucharest"},
	{"RS", "Europe/Belgrade"},
	{"RU", "Europe/Kaliningrad Europe/Moscow Europe/Astrakhan Asia/Yekaterinburg Asia/Omsk Asia/Novosibirsk Asia/Irkutsk Asia/Chita Asia/Vladivostok Asia/Magadan Asia/Kamchatka"},
	{"RW", "Africa/Kigali"},
	{"SA", "Asia/Riyadh"},
	{"SB", "Pacific/Guadalcanal"},
	{"SC", "Indian/Mahe"},
	{"SD", "Africa/Khartoum"},
	{"SE", "Europe/Stockholm"},
	{"SG", "Asia/Singapore"},
	{"SH", "Atlantic/St_Helena"},
	{"SI", "Europe/Ljubljana"},
	{"SJ", "Arctic/Longyearbyen"},
	{"SK", "Europe/Bratislava"},
	{"SL", "Africa/Freetown"},
	{"SM", "Europe/San_Marino"},
	{"SN", "Africa/Dakar"},
	{"SO", "Africa/Mogadishu"},
	{"SR", "America/Paramaribo"},
	{"SS", "Africa/Juba"},
	{"ST", "Africa/Sao_Tome"},
	{"SV", "America/El_Salvador"},
	{"SX", "America/Lower_Princes"},
	{"SY", "Asia/Damascus"},
	{"SZ", "Africa/Mbabane"},
	{"TC", "America/Grand_Turk"},
	{"TD", "Africa/Ndjamena"},
	{"TF", "Indian/Kerguelen"},
	{"TG", "Africa/Lome"},
	{"TH", "Asia/Bangkok"},
	{"TJ", "Asia/Dushanbe"},
	{"TK", "Pacific/Fakaofo"},
	{"TL", "Asia/Dili"},
	{"TM", "Asia/Ashgabat"},
	{"TN", "Africa/Tunis"},
	{"TO", "Pacific/Tongatapu"},
	{"TR", "Europe/Istanbul"},
	{"TT", "America/Port_of_Spain"},
	{"TV", "Pacific/Funafuti"},
	{"TW", "Asia/Taipei"},
	{"TZ", "Africa/Dar_es_Salaam"},
	{"UA", "Europe/Kyiv"},
	{"UG", "Africa/Kampala"},
	{"UM", "Pacific/Midway Pacific/Wake"},
	{"US", "America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Anchorage Pacific/Honolulu America/Adak"},
	{"UY", "America/Montevideo"},
	{"UZ", "Asia/Samarkand"},
	{"VA", "Europe/Vatican"},
	{"VC", "America/St_Vincent"},
	{"VE", "America/Caracas"},
	{"VG", "America/Tortola"},
	{"VI", "America/St_Thomas"},
	{"VN", "Asia/Ho_Chi_Minh"},
	{"VU", "Pacific/Efate"},
	{"WF", "Pacific/Wallis"},
	{"WS", "Pacific/Apia"},
	{"YE", "Asia/Aden"},
	{"YT", "Indian/Mayotte"},
	{"ZA", "Africa/Johannesburg"},
	{"ZM", "Africa/Lusaka"},
	{"ZW", "Africa/Harare"},
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

/* Countries of a calling code; a code that is not here says nothing. */
static const CallingCode calling_codes[] = {
	{"1", NORTH_AMERICA}, {"20", "EG"}, {"211", "SS"}, {"212", "MA EH"}, {"213", "DZ"}, {"216", "TN"},
	{"218", "LY"}, {"220", "GM"}, {"221", "SN"}, {"222", "MR"}, {"223", "ML"}, {"224", "GN"},
	{"225", "CI"}, {"226", "BF"}, {"227", "NE"}, {"228", "TG"}, {"229", "BJ"}, {"230", "MU"},
	{"231", "LR"}, {"232", "SL"}, {"233", "GH"}, {"234", "NG"}, {"235", "TD"}, {"236", "CF"},
	{"237", "CM"}, {"238", "CV"}, {"239", "ST"}, {"240", "GQ"}, {"241", "GA"}, {"242", "CG"},
	{"243", "CD"}, {"244", "AO"}, {"245", "GW"}, {"248", "SC"}, {"249", "SD"}, {"250", "RW"},
	{"251", "ET"}, {"252", "SO"}, {"253", "DJ"}, {"254", "KE"}, {"255", "TZ"}, {"256", "UG"},
	{"257", "BI"}, {"258", "MZ"}, {"260", "ZM"}, {"261", "MG"}, {"262", "RE YT"}, {"263", "ZW"},
	{"264", "NA"}, {"265", "MW"}, {"266", "LS"}, {"267", "BW"}, {"268", "SZ"}, {"269", "KM"},
	{"27", "ZA"}, {"291", "ER"}, {"297", "AW"}, {"298", "FO"}, {"299", "GL"}, {"30", "GR"},
	{"31", "NL"}, {"32", "BE"}, {"33", "FR"}, {"34", "ES"}, {"350", "GI"}, {"351", "PT"},
	{"352", "LU"}, {"353", "IE"}, {"354", "IS"}, {"355", "AL"}, {"356", "MT"}, {"357", "CY"},
	{"358", "FI AX"}, {"359", "BG"}, {"36", "HU"}, {"370", "LT"}, {"371", "LV"}, {"372", "EE"},
	{"373", "MD"}, {"374", "AM"}, {"375", "BY"}, {"376", "AD"}, {"377", "MC"}, {"378", "SM"},
	{"380", "UA"}, {"381", "RS"}, {"382", "ME"}, {"385", "HR"}, {"386", "SI"}, {"387", "BA"},
	{"389", "MK"}, {"39", "IT VA"}, {"40", "RO"}, {"41", "CH"}, {"420", "CZ"}, {"421", "SK"},
	{"423", "LI"}, {"43", "AT"}, {"44", "GB"}, {"45", "DK"}, {"46", "SE"}, {"47", "NO SJ"},
	{"48", "PL"}, {"49", "DE"}, {"51", "PE"}, {"52", "MX"}, {"54", "AR"}, {"55", "BR"},
	{"56", "CL"}, {"57", "CO"}, {"58", "VE"}, {"60", "MY"}, {"61", "AU"}, {"62", "ID"},
	{"63", "PH"}, {"64", "NZ"}, {"65", "SG"}, {"66", "TH"}, {"7", "RU KZ"}, {"81", "JP"},
	{"82", "KR"}, {"84", "VN"}, {"852", "HK"}, {"853", "MO"}, {"86", "CN"}, {"880", "BD"},
	{"886", "TW"}, {"90", "TR"}, {"91", "IN"}, {"92", "PK"}, {"94", "LK"}, {"95", "MM"},
	{"960", "MV"}, {"961", "LB"}, {"962", "JO"}, {"963", "SY"}, {"964", "IQ"}, {"965", "KW"},
	{"966", "SA"}, {"967", "YE"}, {"968", "OM"}, {"970", "PS"}, {"971", "AE"}, {"972", "IL PS"},
	{"973", "BH"}, {"974", "QA"}, {"975", "BT"}, {"976", "MN"}, {"977", "NP"}, {"98", "IR"},
	{"992", "TJ"}, {"993", "TM"}, {"994", "AZ"}, {"995", "GE"}, {"996", "KG"}, {"998", "UZ"},
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
	char	   *rest = pstrdup(list);
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

static int
add_country(const char *code, const char *zones[DUN_ZONES], int n)
{
	for (int i = 0; i < lengthof(countries); i++)
		if (strcmp(countries[i].country, code) == 0)
			return add_zones(countries[i].zones, zones, n);
	return n;
}

/* The longest calling code that a number begins with, NULL where it is not written internationally. */
static const CallingCode *
find_calling_code(const char *phone)
{
	char		digits[5] = "";
	int			n = 0;
	const CallingCode *found = NULL;

	if (phone == NULL)
		return NULL;
	while (*phone == ' ' || *phone == '(')
		phone++;
	if (*phone == '+')
		phone++;
	else if (phone[0] == '0' && phone[1] == '0')
		phone += 2;
	else
		return NULL;
	for (; *phone != '\0' && n < 4; phone++)
		if (isdigit((unsigned char) *phone))
			digits[n++] = *phone;
		else if (strchr(" ()-./", *phone) == NULL)
			break;
	for (int i = 0; i < lengthof(calling_codes); i++)
		if (strncmp(calling_codes[i].prefix, digits, strlen(calling_codes[i].prefix)) == 0 &&
			(found == NULL || strlen(calling_codes[i].prefix) > strlen(found->prefix)))
			found = &calling_codes[i];
	return found;
}

/* Area codes are given out, and known, in these two; the islands of the plan have one each. */
static bool
has_area_codes(const DunPlace *place)
{
	return strcmp(place->country, "US") == 0 || strcmp(place->country, "CA") == 0;
}

/* '+America/Chicago' where a phone's area code has zones that its owner's place has not. */
static const char *
zones_beside(const DunPlace *place, const char *phone)
{
	const char *zones[DUN_ZONES];
	const char *area = dun_calendar_area_zones(phone);
	const char *list = zones_of_place(place);
	int			n,
				own;
	StringInfoData beside;

	if (area == NULL || list == NULL)
		return "";
	n = own = add_zones(list, zones, 0);
	n = strchr(area, '/') != NULL ? add_zones(area, zones, n) : add_country(area, zones, n);
	if (n == own)
		return "";
	initStringInfo(&beside);
	for (int i = own; i < n; i++)
		appendStringInfo(&beside, "%c%s", i == own ? '+' : ' ', zones[i]);
	return beside.data;
}

const char *
dun_calendar_zone_key(const char *time_zone, const char *phone, const DunPlace *place)
{
	const CallingCode *code;

	if (dun_calendar_find_zone(time_zone) != NULL)
		return time_zone;
	if (has_area_codes(place))
		return zones_beside(place, phone);
	code = place->country[0] == '\0' ? find_calling_code(phone) : NULL;
	return code == NULL ? "" : psprintf("+%s", code->prefix);
}

/* The zones of '+45', which stands where a zone's name is not known. */
static int
zones_of_code(const char *key, const char *zones[DUN_ZONES])
{
	const CallingCode *code = key != NULL && key[0] == '+' ? find_calling_code(key) : NULL;
	char	   *rest;
	char	   *word;
	int			n = 0;

	if (code == NULL)
		return 0;
	if (strchr(code->countries, '/') != NULL)
		return add_zones(code->countries, zones, 0);
	rest = pstrdup(code->countries);
	while ((word = strsep(&rest, " ")) != NULL)
		n = add_country(word, zones, n);
	return n;
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
	n = list != NULL ? add_zones(list, zones, 0) : place->country[0] == '\0' ? zones_of_code(time_zone, zones) : 0;
	if (list != NULL && has_area_codes(place) && time_zone != NULL && time_zone[0] == '+' && strchr(time_zone, '/') != NULL)
		n = add_zones(time_zone + 1, zones, n);
	if (n > 0)
		return n;
	n = add_zone(dun_calendar_default_zone(), zones, 0);
	for (i = 0; i < lengthof(unknown_place); i++)
		n = add_zone(unknown_place[i], zones, n);
	return n;
}
