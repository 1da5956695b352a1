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

/* dunning.timezone: where a debtor lives whose zone and country are unknown; empty = the server's TimeZone. */
extern char *dun_base_timezone;

extern void dun_base_init(void);

#endif
