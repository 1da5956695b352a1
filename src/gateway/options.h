/*
 * gateway/options.h
 *		The options of SERVER and USER MAPPING: which exist, and what each value means.
 *
 * The parsers error out (22023) with the option's name; the validator and the loader share them, so that what
 * CREATE SERVER accepted can be read.
 */
#ifndef DUN_GATEWAY_OPTIONS_H
#define DUN_GATEWAY_OPTIONS_H

#include "postgres.h"

#include "nodes/pg_list.h"

#define DUN_DEFAULT_TIMEOUT_MS 30000
#define DUN_DEFAULT_KEY_LIFE_HOURS 24
#define DUN_DEFAULT_BREAKER_AFTER 10
#define DUN_DEFAULT_BREAKER_PAUSE_MS 30000

/* '20/s', '100/min', '1000/h' as messages a second. */
extern double dun_gateway_parse_rate(const char *name, const char *value);

/* '30s', '1min' as milliseconds. */
extern int	dun_gateway_parse_timeout(const char *name, const char *value);

/* The same, up to an hour. */
extern int	dun_gateway_parse_pause(const char *name, const char *value);

/* '1min', '1h' as whole seconds. */
extern int	dun_gateway_parse_every(const char *name, const char *value);

/* '24h', '7d' as whole hours. */
extern int	dun_gateway_parse_key_life(const char *name, const char *value);

/* A positive whole number. */
extern int64 dun_gateway_parse_count(const char *name, const char *value);

/* The value of an option as text, NULL where it is not given. */
extern char *dun_gateway_option(List *options, const char *name);

#endif
