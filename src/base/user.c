/*
 * base/user.c
 *		Switching to one of our roles and back.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"

#include "base/user.h"

DunUser
dun_base_become(const char *role)
{
	DunUser		before;
	Oid			oid = get_role_oid(role, true);

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("role \"%s\" does not exist", role),
				 errhint("Run DROP EXTENSION dunning and CREATE EXTENSION dunning, or CREATE ROLE %s.", role)));
	GetUserIdAndSecContext(&before.user, &before.context);
	SetUserIdAndSecContext(oid, before.context | SECURITY_LOCAL_USERID_CHANGE);
	return before;
}

void
dun_base_unbecome(DunUser before)
{
	SetUserIdAndSecContext(before.user, before.context);
}
