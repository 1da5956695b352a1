/*
 * base/errcodes.h
 *		The extension's own SQLSTATEs, class DN. Bad values use 22023, limits 53400, "not ready" 55000.
 */
#ifndef DUN_BASE_ERRCODES_H
#define DUN_BASE_ERRCODES_H

#include "postgres.h"

/* A bound relation is missing, changed or may not be read. */
#define DUN_ERR_SOURCE_BROKEN		MAKE_SQLSTATE('D', 'N', '0', '0', '1')
/* A key cannot be read as the bound source's key type. */
#define DUN_ERR_BAD_ID				MAKE_SQLSTATE('D', 'N', '0', '0', '2')
/* A template names a field that the context does not have, or cannot be parsed. */
#define DUN_ERR_TEMPLATE			MAKE_SQLSTATE('D', 'N', '0', '0', '3')
/* A model cannot be trained (too few rows of a class, one class) or cannot be used. */
#define DUN_ERR_MODEL				MAKE_SQLSTATE('D', 'N', '0', '0', '4')
/* A contact is not allowed, and the caller asked for an error instead of a held row. */
#define DUN_ERR_NOT_ALLOWED			MAKE_SQLSTATE('D', 'N', '0', '0', '5')
/* A server, user mapping or secret file is missing or unsafe. */
#define DUN_ERR_GATEWAY				MAKE_SQLSTATE('D', 'N', '0', '0', '6')
/* The egress chain does not verify. */
#define DUN_ERR_CHAIN				MAKE_SQLSTATE('D', 'N', '0', '0', '7')
/* Another run of the same work is going on. */
#define DUN_ERR_BUSY				MAKE_SQLSTATE('D', 'N', '0', '0', '8')
/* A link token is forged, expired, used or made for another purpose. */
#define DUN_ERR_TOKEN				MAKE_SQLSTATE('D', 'N', '0', '0', '9')
/* A table of ours was changed so that it cannot be written as it must be. */
#define DUN_ERR_TABLE				MAKE_SQLSTATE('D', 'N', '0', '1', '0')
/* A charge that no rule allows. */
#define DUN_ERR_CHARGE				MAKE_SQLSTATE('D', 'N', '0', '1', '1')

#endif
