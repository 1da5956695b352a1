/*
 * base/steady.h
 *		Does what a relation shows change only when a transaction commits, or with the clock?
 */
#ifndef DUN_BASE_STEADY_H
#define DUN_BASE_STEADY_H

#include "postgres.h"

/*
 * True for tables, materialized views and views over them whose functions are immutable, or stable ones of PostgreSQL's
 * own. False where a foreign table, row security, a volatile function, a sample or somebody's stable function takes part,
 * and for a relation that is not there.
 */
extern bool dun_base_is_steady(Oid relation);

#endif
