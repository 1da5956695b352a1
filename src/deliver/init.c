/*
 * deliver/init.c
 *		Settings of the room deliver.
 */
#include "postgres.h"

#include "deliver/init.h"

void
dun_deliver_init(void)
{
}
