/*
 * deliver/gate_plain.h
 *		Letting the plain cases of a batch through without the gate's whole query.
 *
 * Nearly every message of a batch is of somebody known, with consent, an address, an unchanged balance, no hold, no wish, no
 * second account, and in an open hour. A few small statements tell that of all of them, and the rules of places are kept. Who
 * is not plainly told to pass is asked of the gate, so this may only ever be stricter.
 */
#ifndef DUN_DELIVER_GATE_PLAIN_H
#define DUN_DELIVER_GATE_PLAIN_H

#include "postgres.h"

#include "base/spi.h"
#include "deliver/item.h"

/* The texts of _gate_plain_texts(), or 0 where the ledger is broken and nobody is plain. */
extern void dun_deliver_renew_plain(Datum texts);

/*
 * Fills address, digest and mask of who passes; the others into `rest`. Returns how many those are. In the active snapshot, which
 * must be no older than this transaction's epoch, and see what it wrote.
 */
extern int	dun_deliver_pass_plain(DunItem **items, int n, DunItem **rest);

#endif
