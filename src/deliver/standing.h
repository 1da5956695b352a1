/*
 * deliver/standing.h
 *		What a connection got when it was made, and what stands there now: settings of the database and of the worker's role.
 */
#ifndef DUN_DELIVER_STANDING_H
#define DUN_DELIVER_STANDING_H

#include "postgres.h"

/*
 * ALTER DATABASE and ALTER ROLE ... SET of this database and the worker's role, as octets that differ where they do; in the
 * current memory context. NULL: the extension is not here any more. Asked before each batch, so without the executor.
 */
extern bytea *dun_deliver_standing_settings(void);

#endif
