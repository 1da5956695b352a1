/*
 * feature/zone.h
 *		Days of the ledger and the instants at which they begin, in the zone in which the book is kept.
 */
#ifndef DUN_FEATURE_ZONE_H
#define DUN_FEATURE_ZONE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/date.h"

#define DUN_ZONE_DAYS 4096		/* eleven years of days stay in place */

typedef struct DunZone
{
	pg_tz	   *tz;
	DateADT		days[DUN_ZONE_DAYS];
	TimestampTz begins[DUN_ZONE_DAYS];
} DunZone;

/* 22023 where there is no such zone. */
extern DunZone *dun_feature_make_zone(MemoryContext context, const text *name);
/* The day must be finite and not after the year 294000. */
extern TimestampTz dun_feature_begin_day(DunZone *zone, DateADT day);
/* The day whose beginning is the last one not after a finite instant. */
extern DateADT dun_feature_find_day(DunZone *zone, TimestampTz at);

#endif
