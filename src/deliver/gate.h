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
 * Who of these need not be asked again: nothing has happened since the gate let them pass, and the hour is still allowed.
 * Keeps the others in `rest`, returns how many.
 */
extern int	dun_deliver_leave_out_unchanged(DunItem **items, int n, DunItem **rest);

/*
 * May it still leave? In one query: payments, holds, suppression, hours; the queue row still stands; the server is
 * not paused. Items that may not get their verdict with the attempt whose intent stands.
 */
extern void dun_deliver_recheck(DunItem **items, int n);

/* --- what both are made of --- */

/* The first four arguments of both: debtor_ids, channels, instants, marks. */
extern void dun_deliver_fill_question(DunItem **items, int n, Datum *args);
extern Datum dun_deliver_message_ids(DunItem **items, int n);

/* The elements of a text[]. */
extern char **dun_deliver_read_words(Datum value, int *n);

/* The verdict on an item blocked by these words; true: its next window is to be looked up. */
extern bool dun_deliver_refuse(DunItem *item, int attempt, char **words, int n);

/* When each of these may be tried again: its next allowed instant, or held where a fortnight has none. */
extern void dun_deliver_move_to_windows(DunItem **items, int n);

/* A query failed: a source may have come or gone, ask for the statements anew. */
extern void dun_deliver_forget_gate(void);

/* The ledger shows only what committed transactions and the clock made of it. */
extern bool dun_deliver_ledger_is_steady(void);

#endif
