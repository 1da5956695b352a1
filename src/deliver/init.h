/*
 * deliver/init.h
 *		What _PG_init calls for the room deliver.
 */
#ifndef DUN_DELIVER_INIT_H
#define DUN_DELIVER_INIT_H

extern void dun_deliver_init(void);

#endif
