/*
 * gateway/init.h
 *		What _PG_init calls for the room gateway.
 */
#ifndef DUN_GATEWAY_INIT_H
#define DUN_GATEWAY_INIT_H

extern void dun_gateway_init(void);

#endif
