/*
 * gateway/server.h
 *		Loading a server for looking at it.
 */
#ifndef DUN_GATEWAY_SERVER_H
#define DUN_GATEWAY_SERVER_H

#include "gateway/driver.h"

/* As dun_gateway_load_server, secret file checked too, but with the secret 'SECRET' in the place of its own. */
extern DunServer *dun_gateway_load_server_masked(const char *name);

#endif
