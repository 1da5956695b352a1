/*
 * calendar/window.h
 *		When the clock allows a contact: the rules of one place and channel, folded into one mask.
 *
 * The mask is built once for each distinct (zone, place, kind, channel) and then asked for many instants. It only
 * ever turns an instant into local time, never the other way, so an hour that a change of the clocks
 * skips or repeats needs no thought.
 */
#ifndef DUN_CALENDAR_WINDOW_H
#define DUN_CALENDAR_WINDOW_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"

#include "base/compat.h"
#include "calendar/zone.h"

#define DUN_WEEK_MINUTES (7 * 1440)

/* One bit a minute from Monday 00:00 local time. */
typedef struct DunWeek
{
	uint8		bits[DUN_WEEK_MINUTES / 8];
} DunWeek;

/* The rules of the local dates from `first` on, up to the next span's. */
typedef struct DunSpan
{
	DateADT		first;			/* DATEVAL_NOBEGIN for the first one */
	int32		holidays_closed;
	DunWeek		week;
} DunSpan;

/*
 * A bytea in SQL. Behind the spans stand the `added` and `opened` dates, the zone names and the texts of the rules, each
 * NUL-terminated.
 */
typedef struct DunWindows
{
	int32		vl_len_;
	uint32		magic;
	DunPlace	place;
	uint8		nzones;
	uint16		nrules;
	uint16		nadded;			/* the user's own holidays */
	uint16		nopened;		/* computed holidays that are working days here */
	uint16		nspans;			/* a rule that begins or ends within the time looked at makes several */
	DunSpan		spans[FLEXIBLE_ARRAY_MEMBER];
} DunWindows;

/* One rule of a mask by itself, for those who ask which of them closes an instant. */
typedef struct DunRule
{
	char	   *name;			/* "" where it has none */
	DateADT		first;			/* local dates, both included */
	DateADT		last;
	bool		holidays_closed;
	DunWeek		week;
} DunRule;

/* A message may lie this long between the last check and its arrival: both ends have to be open. */
#define DUN_DELAY_MARGIN (5 * USECS_PER_MINUTE)

/*
 * Reads 'Mon-Fri 08:00-20:00, Sat 09:00-15:00', or what is closed: 'not Mon-Fri 12:00-13:00'. NULL on success, else what
 * is wrong. '' is never.
 */
extern const char *dun_calendar_parse_windows(const char *text, DunWeek *week);

/* Checks that a bytea is one of ours (22023). */
extern const DunWindows *dun_calendar_windows(const bytea *datum);

/* The zones of the mask, resolved; returns how many. */
extern int	dun_calendar_resolve_zones(const DunWindows *w, pg_tz *zones[DUN_ZONES]);

/* NULL where the instant (and the instant plus the margin) is open, else 'quiet_hours' or 'holiday'. */
extern const char *dun_calendar_closed(const DunWindows *w, pg_tz *const zones[], TimestampTz at);

/* The rules of the mask one by one, palloc'ed; *n: how many. */
extern DunRule *dun_calendar_read_rules(const DunWindows *w, int *n);

/* Does this rule close the instant (or the instant plus the margin) in any of the zones? */
extern bool dun_calendar_rule_closes(const DunRule *rule, const DunWindows *w, pg_tz *const zones[], TimestampTz at);

/* '2026-10-01 09:15 Europe/Copenhagen', palloc'ed; 22023 for an unknown zone or an infinite instant. */
extern char *dun_calendar_local_time(TimestampTz at, const char *zone);

/* Local date and minute of the week (0 = Monday 00:00) of a finite instant. */
extern DateADT dun_calendar_local(TimestampTz at, pg_tz *zone, int *minute_of_week);

#endif
