/*
 * calendar/area.h
 *		What the area code of a North American phone number says of its owner's zone.
 */
#ifndef DUN_CALENDAR_AREA_H
#define DUN_CALENDAR_AREA_H

#include "postgres.h"

/*
 * Zones separated by blanks, or a country; NULL where the number says nothing. Ten digits are read as a number of North America,
 * so ask only where the country says so.
 */
extern const char *dun_calendar_area_zones(const char *phone);

#endif
