/*
 * calendar/zone.h
 *		Where a debtor may be: country codes and candidate time zones.
 */
#ifndef DUN_CALENDAR_ZONE_H
#define DUN_CALENDAR_ZONE_H

#include "postgres.h"

#include "pgtime.h"

#define DUN_ZONES 12			/* at most so many candidates */

/* A country as two capital letters and a region without its country, "" where unknown. */
typedef struct DunPlace
{
	char		country[3];
	char		region[8];
} DunPlace;

/* Either text may be NULL. 'uk' is GB, 'de-by' is BY; what is no code is unknown. */
extern DunPlace dun_calendar_place(const char *country, const char *region);

/* A zone of the time zone database, NULL where the name is none (POSIX rules such as "XYZ5" are not). */
extern pg_tz *dun_calendar_find_zone(const char *name);

/* The zone of dunning.timezone, else the server's (see dun_base_ledger_timezone()). */
extern const char *dun_calendar_default_zone(void);

/*
 * What is known of a debtor's zone beside his place, as dun_calendar_zones() takes it: his own zone; without a country the
 * calling code of his phone ('+45'); in North America the zones of its area code that are not those of the place
 * ('+America/Chicago'); else "". Either text may be NULL.
 */
extern const char *dun_calendar_zone_key(const char *time_zone, const char *phone, const DunPlace *place);

/*
 * Fills zones[] with names, those of the place first, returns how many (at least one): one where it is known. time_zone may
 * be NULL or what dun_calendar_zone_key() gives: a calling code counts where there is no country, zones count where there is one.
 */
extern int	dun_calendar_zones(const char *time_zone, const DunPlace *place, const char *zones[DUN_ZONES]);

#endif
