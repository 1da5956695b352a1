/*
 * feature/zone.c
 *		Days and instants, remembered: a book has millions of rows and a few thousand days.
 */
#include "postgres.h"

#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "feature/zone.h"

DunZone *
dun_feature_make_zone(MemoryContext context, const text *name)
{
	DunZone    *zone = MemoryContextAlloc(context, sizeof(DunZone));
	char		buf[TZ_STRLEN_MAX + 1];

	text_to_cstring_buffer(name, buf, sizeof(buf));
	zone->tz = pg_tzset(buf);
	if (zone->tz == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("time zone \"%s\" is not known", buf),
				errhint("SELECT name FROM pg_timezone_names;"));
	for (int i = 0; i < DUN_ZONE_DAYS; i++)
		zone->days[i] = DATEVAL_NOEND;
	return zone;
}

TimestampTz
dun_feature_begin_day(DunZone *zone, DateADT day)
{
	uint32		slot = (uint32) day % DUN_ZONE_DAYS;
	struct pg_tm tm = {0};
	int			offset;

	if (zone->days[slot] == day)
		return zone->begins[slot];
	j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	offset = DetermineTimeZoneOffset(&tm, zone->tz);
	zone->days[slot] = day;
	zone->begins[slot] = day * USECS_PER_DAY + offset * USECS_PER_SEC;
	return zone->begins[slot];
}

DateADT
dun_feature_find_day(DunZone *zone, TimestampTz at)
{
	/* No zone is a whole day from Greenwich: the first guess is off by one at most. */
	DateADT		day = (DateADT) (at >= 0 ? at / USECS_PER_DAY : -((-at + USECS_PER_DAY - 1) / USECS_PER_DAY));

	while (dun_feature_begin_day(zone, day) > at)
		day--;
	while (dun_feature_begin_day(zone, day + 1) <= at)
		day++;
	return day;
}
