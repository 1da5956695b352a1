/*
 * deliver/epoch.c
 *		Counting the transactions that ended, without our own.
 *
 * The count stands in every snapshot (GetSnapshotData() reuses a snapshot by it). It rises by one for each transaction with an
 * id, under the lock under which that transaction stops being in progress, and for a subtransaction of such that is rolled
 * back. Our own commits are taken off; of what they wrote, only statements marked `harmless` leave the epoch as it is.
 *
 * Another worker's commits are taken off too, where it ran nothing but such statements: it announces the id beforehand, and
 * of the same snapshot that has the count we ask which of the announced ids have ended. So there is no instant at which a
 * commit is counted and not taken off, or the other way round; one that is announced too late is taken for anybody's. What
 * it grants to another account of a person follows ours under the person's lock, and takes away nothing that we had.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/spi.h"
#include "deliver/epoch.h"
#include "deliver/shmem.h"

#define LASTS_MS 1000

static uint64 own_commits = 0;
static uint64 harmful_before = 0;
static uint64 ended = 0;		/* as the first snapshot of this transaction saw it, our own taken off */

void
dun_deliver_note_snapshot(Snapshot snapshot)
{
	uint64		count = snapshot->snapXactCompletionCount;
	uint64		announced;

	harmful_before = dun_base_harmful_runs;
	/* A snapshot that was copied has none. */
	if (count != 0 && dun_deliver_count_announced(snapshot, &announced))
		ended = count - own_commits - announced;
	else
		ended = 0;
}

void
dun_deliver_note_committing(void)
{
	if (dun_base_harmful_runs == harmful_before)
		dun_deliver_announce_commit();
}

void
dun_deliver_note_commit(void)
{
	own_commits++;
}

DunEpoch
dun_deliver_epoch(void)
{
	return (DunEpoch) {ended, dun_base_harmful_runs, PgReloadTime, GetCurrentTimestamp()};
}

bool
dun_deliver_is_same_epoch(const DunEpoch *then, const DunEpoch *now)
{
	return then->ended != 0 && then->ended == now->ended && then->written == now->written &&
		then->configured_at == now->configured_at &&
		now->at >= then->at && !TimestampDifferenceExceeds(then->at, now->at, LASTS_MS);
}
