/*
 * gateway/init.c
 *		Settings of the room gateway.
 */
#include "postgres.h"

#include "gateway/init.h"

void
dun_gateway_init(void)
{
}
