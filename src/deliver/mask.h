/*
 * deliver/mask.h
 *		The hours the gate found for a message, kept so that the clock can be asked again without the rules.
 */
#ifndef DUN_DELIVER_MASK_H
#define DUN_DELIVER_MASK_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* A mask as an item names it. Few are distinct: all messages of one place, kind and channel share one. */
typedef struct DunMaskRef
{
	int			no;				/* -1: none */
	uint32		generation;
	TimestampTz read_at;		/* when the gate read the rules, by the real clock */
} DunMaskRef;

#define DUN_NO_MASK ((DunMaskRef) {-1, 0, 0})

/* Keep what dunning._windows() made (a bytea). */
extern DunMaskRef dun_deliver_keep_mask(Datum windows, TimestampTz read_at);

/* True where the mask is young enough to be trusted and the instant is open. */
extern bool dun_deliver_mask_allows(const DunMaskRef *ref, TimestampTz at);

#endif
