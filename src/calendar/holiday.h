/*
 * calendar/holiday.h
 *		Holidays and money dates computed from rules, for the years 1900 to 2199.
 */
#ifndef DUN_CALENDAR_HOLIDAY_H
#define DUN_CALENDAR_HOLIDAY_H

#include "postgres.h"

#include "utils/date.h"

#define DUN_FIRST_YEAR 1900
#define DUN_LAST_YEAR 2199

/*
 * The name of the holiday on a date (days since 2000-01-01), NULL where it is none. `country` is an ISO 3166
 * code or NULL; `region` the second part of an ISO 3166-2 code or NULL. An unknown country is closed on the
 * holidays of every country we know; a country without a calendar here on 1 January and 25 December.
 */
extern const char *dun_calendar_holiday(const char *country, const char *region, DateADT date);

/* Is it Monday to Friday and no holiday? */
extern bool dun_calendar_is_banking_day(const char *country, const char *region, DateADT date);

/* 0 Sunday .. 6 Saturday */
extern int	dun_calendar_weekday(DateADT date);

#endif
