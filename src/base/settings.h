/*
 * base/settings.h
 *		Settings that every room may read: the virtual clock and the default time zone.
 */
#ifndef DUN_BASE_SETTINGS_H
#define DUN_BASE_SETTINGS_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* dunning.clock: NULL or empty means the real clock. Superuser only. */
extern char *dun_base_clock;

/*
 * In which the ledger's days begin, and where a debtor lives whose zone and country are unknown: dunning.timezone, else
 * TimeZone as the server was started with (without preload: log_timezone); never the session's.
 */
extern const char *dun_base_ledger_timezone(void);

extern void dun_base_init(void);

#endif
