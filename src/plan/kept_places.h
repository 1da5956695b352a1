/*
 * plan/kept_places.h
 *		The rules of places as a session keeps them, for as long as none of their tables changes (base/watch.h).
 */
#ifndef DUN_PLAN_KEPT_PLACES_H
#define DUN_PLAN_KEPT_PLACES_H

#include "postgres.h"

#include "plan/means.h"

/* All zero but for `most`: none is kept. */
typedef struct DunKeptPlaces
{
	int			most;			/* with the next one all are made anew */
	uint64		watched;		/* dun_base_watched() when they were read, 0: they do not hold */
	DateADT		day;			/* rules are read from that day on */
	MemoryContext context;
	char	   *texts[DUN_PICK_TEXTS];
	DunMeans   *means;
} DunKeptPlaces;

/* Fills the texts that means are read with, DUN_PICK_TEXTS of them, in the current memory context. */
typedef void (*DunReadTexts) (char **texts);

/*
 * Inside SPI_connect(), with dun_base_watched() as it was before. True where they were made anew: what the caller keeps in their
 * context is gone. They are read in a snapshot of this moment.
 */
extern bool dun_plan_keep_places(DunKeptPlaces *kept, DunReadTexts read_texts, TimestampTz at, DateADT day, uint64 watched);

extern const DunPlaceRules *dun_plan_kept_rules(DunKeptPlaces *kept, int place, int channel, uint64 watched);

#endif
