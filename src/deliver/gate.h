/*
 * deliver/gate.h
 *		Asking the gate about a batch, and asking once more right before the send.
 */
#ifndef DUN_DELIVER_GATE_H
#define DUN_DELIVER_GATE_H

#include "postgres.h"

#include "deliver/item.h"

/* Items that may not be sent get their verdict (attempt 0); the others an address. Inside a transaction. */
extern void dun_deliver_ask_gate(DunItem **items, int n);

/*
 * May it still leave? In one query: payments, holds, suppression, hours; the queue row still stands; the server is
 * not paused. Items that may not get their verdict with the attempt whose intent stands.
 */
extern void dun_deliver_recheck(DunItem **items, int n);

/* A query failed: a source may have come or gone, ask for the statements anew. */
extern void dun_deliver_forget_gate(void);

#endif
