/*
 * base/clock.h
 *		The one clock. Decisions take an instant as an argument; only entry points ask this.
 */
#ifndef DUN_BASE_CLOCK_H
#define DUN_BASE_CLOCK_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* The virtual clock if dunning.clock is set, else the real time of the call (not of the transaction). */
extern TimestampTz dun_base_now(void);

/* Is a virtual clock set? Then ledger rows after it do not exist. */
extern bool dun_base_clock_is_virtual(void);

/* For settings.c: malloc'ed instant, or NULL where the text is no finite instant. */
extern TimestampTz *dun_base_parse_clock(const char *text);
extern void dun_base_set_clock(const TimestampTz *instant);

#endif
