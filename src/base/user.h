/*
 * base/user.h
 *		Acting as one of our roles for the length of a block.
 *
 * C functions carry no SECURITY DEFINER (a procedure that commits could not), so those that must read
 * a bound view or write our tables switch here. A bound view's functions then see dunning_owner or
 * dunning_worker as current_user, never the superuser who called.
 */
#ifndef DUN_BASE_USER_H
#define DUN_BASE_USER_H

#include "postgres.h"

#define DUN_OWNER_ROLE "dunning_owner"
#define DUN_WORKER_ROLE "dunning_worker"

typedef struct DunUser
{
	Oid			user;
	int			context;
} DunUser;

/* Errors out (55000) where the role does not exist. An abort resets the user by itself. */
extern DunUser dun_base_become(const char *role);

/* Must be called before the transaction that called dun_base_become() commits. */
extern void dun_base_unbecome(DunUser before);

#endif
