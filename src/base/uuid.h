/*
 * base/uuid.h
 *		UUIDv7 (RFC 9562) from the real clock: message keys, so that months of messages are ranges of keys.
 */
#ifndef DUN_BASE_UUID_H
#define DUN_BASE_UUID_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* Increasing within a backend, also inside one millisecond. Errors out only if no randomness can be had. */
extern void dun_base_uuid7(pg_uuid_t *result);

/* The smallest UUIDv7 of an instant, for partition bounds. */
extern void dun_base_uuid7_floor(TimestampTz instant, pg_uuid_t *result);

#endif
