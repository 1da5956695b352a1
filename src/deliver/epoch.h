/*
 * deliver/epoch.h
 *		Has anything happened since the gate answered?
 *
 * PostgreSQL counts the transactions that end, of all databases, in the same breath in which their rows become visible. As long
 * as none but workers' own has ended, a query that was asked since gives the answer it gave, so nothing need be asked again.
 */
#ifndef DUN_DELIVER_EPOCH_H
#define DUN_DELIVER_EPOCH_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/snapshot.h"

typedef struct DunEpoch
{
	uint64		ended;			/* transactions of others; 0: unknown, and unlike any other */
	uint64		written;		/* our own statements that may have changed such an answer */
	TimestampTz configured_at;	/* when this process last read its configuration */
	TimestampTz at;				/* by the real clock */
} DunEpoch;

#define DUN_NO_EPOCH ((DunEpoch) {0, 0, 0, 0})

/* Told by session.c: the first snapshot of a transaction, and before and after each commit of one with a transaction id. */
extern void dun_deliver_note_snapshot(Snapshot snapshot);
extern void dun_deliver_note_committing(void);
extern void dun_deliver_note_commit(void);

/* What any query of the current transaction sees, or more. */
extern DunEpoch dun_deliver_epoch(void);

/* False also after a second: what follows the clock alone is asked again then. */
extern bool dun_deliver_is_same_epoch(const DunEpoch *then, const DunEpoch *now);

#endif
