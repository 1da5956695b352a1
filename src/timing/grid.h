/*
 * timing/grid.h
 *		What the clock says of each quarter of an hour in a place, kept since a book has few places and many debtors.
 */
#ifndef DUN_TIMING_GRID_H
#define DUN_TIMING_GRID_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/date.h"

#include "calendar/window.h"
#include "timing/profile.h"

#define DUN_SLOT (15 * USECS_PER_MINUTE)
#define DUN_GRID_SLOTS (96 * 70)	/* kept from a day before the first instant asked for */
#define DUN_HORIZON_DAYS 62
#define DUN_WAIT_PER_DAY 0.01	/* mu */

/* What the clock says of each slot in one place. */
typedef struct DunGrid
{
	uint64		key;			/* hash of the mask */
	int64		first;			/* slot number of states[0] */
	int			nzones;
	pg_tz	   *zones[DUN_ZONES];
	uint8		states[DUN_GRID_SLOTS];
	uint8		hours[DUN_GRID_SLOTS];
	uint8		quarters[DUN_GRID_SLOTS];
	DateADT		dates[DUN_GRID_SLOTS];	/* in the first zone */
	DateADT		days[DUN_GRID_SLOTS];	/* sum of the dates in all zones: changes when any of them does */
	/* what was last asked for: nearly always what is asked for next */
	int64		open_from;		/* slot numbers */
	int64		open_until;
	TimestampTz now;
	int			nopen;
	int			quiet;
	int			holiday;
	int			open[DUN_GRID_SLOTS];	/* places in states[] */
	uint16		quarter[DUN_GRID_SLOTS];	/* of the week, of each of open[] */
	double		patience[DUN_GRID_SLOTS];
	bool		asked[DUN_HOURS];	/* hours between which the open ones lie */
} DunGrid;

/* Rules of the clock, those that close most first, and how many quarters of an hour each closes. */
typedef struct DunClosers
{
	int			n;
	const char **names;
	int		   *slots;
} DunClosers;

typedef struct DunGrids DunGrids;

/* In the current memory context. */
extern DunGrids *dun_timing_make_grids(void);

extern uint64 dun_timing_windows_key(const DunWindows *w);

/* The grid of a place, with its open slots from first to last listed, and how much waiting for each takes off; key 0: to be found. */
extern DunGrid *dun_timing_open_slots(DunGrids *grids, const DunWindows *w, uint64 key, TimestampTz now, int64 first, int64 last);

/* Which rules close how much of these slots. */
extern const DunClosers *dun_timing_closers(DunGrids *grids, const DunGrid *grid, const DunWindows *w, int64 first, int64 last);

#endif
