/*
 * deliver/gate_text.h
 *		The gate's statements: their text depends on the bound relations.
 */
#ifndef DUN_DELIVER_GATE_TEXT_H
#define DUN_DELIVER_GATE_TEXT_H

#include "postgres.h"

#include "base/spi.h"

/* The arguments of each are in deliver/gate.c and deliver/recheck.c; columns in the room gate. */
extern DunStatement dun_deliver_lock_sql;
extern DunStatement dun_deliver_gate_sql;
extern DunStatement dun_deliver_window_sql;
extern DunStatement dun_deliver_clear_sql;
extern DunStatement dun_deliver_recheck_sql;

/* Before each use: asks for the texts anew when a binding changed. */
extern void dun_deliver_keep_gate(void);

#endif
