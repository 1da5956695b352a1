/*
 * plan/kept_places.c
 *		Reading the rules of a place once a session.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "plan/kept_places.h"

static void
make_means(DunKeptPlaces *kept, DunReadTexts read_texts, TimestampTz at, DateADT day)
{
	MemoryContext before;

	if (kept->context != NULL)
		MemoryContextDelete(kept->context);
	*kept = (DunKeptPlaces) {.most = kept->most, .day = day};
	kept->context = AllocSetContextCreate(TopMemoryContext, "dunning kept places", ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(kept->context);
	read_texts(kept->texts);
	kept->means = dun_plan_make_means(kept->texts, at, day, false);
	MemoryContextSwitchTo(before);
}

/* What is read holds until its tables change, and a snapshot of an hour ago would keep what changed since. */
bool
dun_plan_keep_places(DunKeptPlaces *kept, DunReadTexts read_texts, TimestampTz at, DateADT day, uint64 watched)
{
	if (kept->watched != 0 && kept->watched == watched && kept->day == day)
		return false;
	PushActiveSnapshot(GetLatestSnapshot());
	make_means(kept, read_texts, at, day);
	PopActiveSnapshot();
	kept->watched = watched;
	return true;
}

/* While rules are read nothing counts as kept, lest half of them stay after an error. */
const DunPlaceRules *
dun_plan_kept_rules(DunKeptPlaces *kept, int place, int channel, uint64 watched)
{
	if (!dun_plan_has_rules(kept->means, place))
	{
		kept->watched = 0;
		PushActiveSnapshot(GetLatestSnapshot());
		(void) dun_plan_rules(kept->means, place, 0);
		PopActiveSnapshot();
		dun_plan_end_questions(kept->means);
		if (place < kept->most)
			kept->watched = watched;
	}
	return dun_plan_rules(kept->means, place, channel);
}
