/*
 * timing/grid.c
 *		What the clock says of each quarter of an hour in a place.
 */
#include "postgres.h"

#include <math.h>

#include "base/hash.h"
#include "timing/grid.h"

#define GRIDS 512
#define SHUT 64

typedef enum SlotState
{
	UNKNOWN,
	OPEN,
	QUIET,
	HOLIDAY
} SlotState;

/* What leaves nothing open of a place between two slots is the same for all of it. */
typedef struct Shut
{
	uint64		windows;		/* key, 0: none is kept */
	int64		first;
	int64		last;
	DunClosers	closers;
} Shut;

struct DunGrids
{
	MemoryContext context;
	int			n;
	DunGrid	   *grids[GRIDS];
	Shut		shut[SHUT];
};

DunGrids *
dun_timing_make_grids(void)
{
	DunGrids   *grids = palloc0(sizeof(DunGrids));

	grids->context = CurrentMemoryContext;
	return grids;
}

uint64
dun_timing_windows_key(const DunWindows *w)
{
	return Max(dun_base_hash64(w, VARSIZE(w), 0), 1);
}

static DunGrid *
find_grid(DunGrids *grids, const DunWindows *w, uint64 key, int64 slot)
{
	DunGrid	   *grid = NULL;
	int			i;

	for (i = 0; i < grids->n && grid == NULL; i++)
		if (grids->grids[i]->key == key)
			grid = grids->grids[i];
	if (grid == NULL)
	{
		/* Should a book have more places than that, the last one is made anew each time. */
		i = Min(grids->n, GRIDS - 1);
		if (i == grids->n)
			grids->grids[grids->n++] = MemoryContextAlloc(grids->context, sizeof(DunGrid));
		grid = grids->grids[i];
		grid->key = key;
		grid->first = PG_INT64_MIN;
	}
	if (slot < grid->first || slot + 96 * DUN_HORIZON_DAYS >= grid->first + DUN_GRID_SLOTS || grid->first == PG_INT64_MIN)
	{
		grid->first = slot - 96;
		grid->open_from = PG_INT64_MIN;
		grid->nzones = dun_calendar_resolve_zones(w, grid->zones);
		memset(grid->states, UNKNOWN, sizeof(grid->states));
	}
	return grid;
}

static SlotState
slot_state(DunGrid *g, const DunWindows *w, int64 slot)
{
	int			i = slot - g->first;

	if (g->states[i] == UNKNOWN)
	{
		const char *word = dun_calendar_closed(w, g->zones, slot * DUN_SLOT);
		int			minute;
		int			z;

		g->days[i] = 0;
		for (z = g->nzones - 1; z >= 0; z--)
			g->days[i] += g->dates[i] = dun_calendar_local(slot * DUN_SLOT, g->zones[z], &minute);
		g->hours[i] = minute / 60;
		g->quarters[i] = minute % 60 / 15;
		g->states[i] = word == NULL ? OPEN : strcmp(word, "holiday") == 0 ? HOLIDAY : QUIET;
	}
	return g->states[i];
}

/* The open slots of a place, and how much waiting for each takes off. */
static void
list_open(DunGrid *g, const DunWindows *w, TimestampTz now, int64 first, int64 last)
{
	double		patience = exp(-DUN_WAIT_PER_DAY * (first * DUN_SLOT - now) / (double) USECS_PER_DAY);
	double		wait = exp(-DUN_WAIT_PER_DAY * DUN_SLOT / (double) USECS_PER_DAY);

	if (g->open_from == first && g->open_until == last && g->now == now)
		return;
	g->open_from = first;
	g->open_until = last;
	g->now = now;
	g->nopen = g->quiet = g->holiday = 0;
	memset(g->asked, 0, sizeof(g->asked));
	for (int64 slot = first; slot <= last; slot++, patience *= wait)
	{
		SlotState	state = slot_state(g, w, slot);
		int			i = slot - g->first;

		g->quiet += state == QUIET;
		g->holiday += state == HOLIDAY;
		if (state != OPEN)
			continue;
		g->patience[g->nopen] = patience;
		g->quarter[g->nopen] = g->hours[i] * 4 + g->quarters[i];
		g->open[g->nopen++] = i;
		g->asked[g->hours[i]] = g->asked[(g->hours[i] + 1) % DUN_HOURS] = true;
	}
}

DunGrid *
dun_timing_open_slots(DunGrids *grids, const DunWindows *w, uint64 key, TimestampTz now, int64 first, int64 last)
{
	DunGrid	   *grid = find_grid(grids, w, key != 0 ? key : dun_timing_windows_key(w), first);

	list_open(grid, w, now, first, last);
	return grid;
}

static bool
closes_less(const DunClosers *c, int at, int closed, const char *name)
{
	return c->slots[at] < closed || (c->slots[at] == closed && strcmp(c->names[at], name) > 0);
}

static void
list_closers(const DunGrid *grid, const DunWindows *windows, int64 first, int64 last, DunClosers *closers)
{
	int			n;
	DunRule    *rules = dun_calendar_read_rules(windows, &n);

	closers->names = palloc(sizeof(char *) * Max(n, 1));
	closers->slots = palloc(sizeof(int) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		int			closed = 0;
		int			at;

		for (int64 slot = first; slot <= last; slot++)
			closed += dun_calendar_rule_closes(&rules[i], windows, grid->zones, slot * DUN_SLOT);
		if (closed == 0 || rules[i].name[0] == '\0')
			continue;
		for (at = closers->n++; at > 0 && closes_less(closers, at - 1, closed, rules[i].name); at--)
		{
			closers->names[at] = closers->names[at - 1];
			closers->slots[at] = closers->slots[at - 1];
		}
		closers->names[at] = pstrdup(rules[i].name);
		closers->slots[at] = closed;
	}
}

const DunClosers *
dun_timing_closers(DunGrids *grids, const DunGrid *grid, const DunWindows *w, int64 first, int64 last)
{
	Shut	   *s = &grids->shut[(grid->key ^ first * 31 ^ last * 7) % SHUT];

	if (s->windows != grid->key || s->first != first || s->last != last)
	{
		MemoryContext before = MemoryContextSwitchTo(grids->context);

		*s = (Shut) {.windows = grid->key, .first = first, .last = last};
		list_closers(grid, w, first, last, &s->closers);
		MemoryContextSwitchTo(before);
	}
	return &s->closers;
}
