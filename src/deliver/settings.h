/*
 * deliver/settings.h
 *		Settings of the room deliver; init.c defines them.
 */
#ifndef DUN_DELIVER_SETTINGS_H
#define DUN_DELIVER_SETTINGS_H

#include "postgres.h"

typedef enum DunDeliveryMode
{
	DUN_DELIVERY_OFF,			/* nothing is claimed */
	DUN_DELIVERY_DRY_RUN,		/* everything but the intent and the network; the queue stays as it is */
	DUN_DELIVERY_ON
} DunDeliveryMode;

extern int	dun_deliver_mode;
extern char *dun_deliver_databases; /* the launcher's list, '*' = all */
extern int	dun_deliver_workers;	/* per database */
extern int	dun_deliver_slots;	/* transfers at once, per worker */
extern char *dun_deliver_activation_directory;	/* empty: the data directory's parent */
extern char *dun_deliver_redirect_to;	/* empty: real addresses */
extern int	dun_deliver_max_attempts;
extern int	dun_deliver_retry_delay;	/* milliseconds before the second attempt; doubles */

#endif
