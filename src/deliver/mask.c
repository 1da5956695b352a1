/*
 * deliver/mask.c
 *		Keeping the masks of the last batches.
 *
 * A message waits for its slot for milliseconds, or for minutes where its server is slow. Only for a moment the rules
 * and the debtor's place may be taken as they were: the full recheck reads them anew.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "calendar/window.h"
#include "deliver/mask.h"

#define MASKS 64
#define TRUSTED_FOR_MS 10000

typedef struct Mask
{
	bytea	   *windows;
	pg_tz	   *zones[DUN_ZONES];
} Mask;

static Mask masks[MASKS];
static int	nmasks = 0;
static int	last = 0;			/* neighbours are mostly alike */
static uint32 generation = 0;

static bool
same(const Mask *mask, const bytea *windows)
{
	return VARSIZE(mask->windows) == VARSIZE(windows) && memcmp(mask->windows, windows, VARSIZE(windows)) == 0;
}

static int
find(const bytea *windows)
{
	if (last < nmasks && same(&masks[last], windows))
		return last;
	for (int i = 0; i < nmasks; i++)
		if (same(&masks[i], windows))
			return i;
	return -1;
}

/* Room is made by forgetting all: whoever named one of them is asked about in full. */
static int
add(const bytea *windows)
{
	Mask	   *mask;

	if (nmasks == MASKS)
	{
		for (int i = 0; i < MASKS; i++)
			pfree(masks[i].windows);
		nmasks = 0;
		generation++;
	}
	mask = &masks[nmasks];
	mask->windows = MemoryContextAlloc(TopMemoryContext, VARSIZE(windows));
	memcpy(mask->windows, windows, VARSIZE(windows));
	dun_calendar_resolve_zones(dun_calendar_windows(mask->windows), mask->zones);
	return nmasks++;
}

DunMaskRef
dun_deliver_keep_mask(Datum windows, TimestampTz read_at)
{
	bytea	   *value = DatumGetByteaP(windows);
	DunMaskRef	ref;

	ref.no = find(value);
	if (ref.no < 0)
		ref.no = add(value);
	last = ref.no;
	ref.generation = generation;
	ref.read_at = read_at;
	return ref;
}

bool
dun_deliver_mask_allows(const DunMaskRef *ref, TimestampTz at)
{
	TimestampTz now = GetCurrentTimestamp();
	const Mask *mask;

	/* A clock that was set back says nothing of a mask's age. */
	if (ref->no < 0 || ref->generation != generation || now < ref->read_at || TimestampDifferenceExceeds(ref->read_at, now, TRUSTED_FOR_MS))
		return false;
	mask = &masks[ref->no];
	return dun_calendar_closed(dun_calendar_windows(mask->windows), mask->zones, at) == NULL;
}
