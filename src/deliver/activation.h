/*
 * deliver/activation.h
 *		Is this database the one that was activated, or a copy of it?
 */
#ifndef DUN_DELIVER_ACTIVATION_H
#define DUN_DELIVER_ACTIVATION_H

#include "postgres.h"

/*
 * NULL: this very database in this very data directory was activated. Else a sentence that says which part differs,
 * in the current memory context. Inside a transaction, connected to SPI, with the right to read dunning.activation.
 */
extern char *dun_deliver_check_activation(void);

#endif
