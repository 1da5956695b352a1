/*
 * gateway/init.h
 *		What _PG_init calls for the room gateway, and its settings.
 */
#ifndef DUN_GATEWAY_INIT_H
#define DUN_GATEWAY_INIT_H

/* Absolute paths, or empty. */
extern char *dun_gateway_secret_directory;
extern char *dun_gateway_spool_directory;

extern void dun_gateway_init(void);

#endif
