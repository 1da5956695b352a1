/*
 * feature/retired.c
 *		Names that the SQL of an earlier version asks this library for.
 *
 * A library is newer than the extension from the upgrade of the package until ALTER EXTENSION UPDATE, and an earlier
 * version can only be installed, and then updated, while its names are there.
 */
#include "postgres.h"

#include "fmgr.h"

#include "base/compat.h"

pg_noreturn static void
refuse(void)
{
	ereport(ERROR,
			errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			errmsg("the extension is older than its library"),
			errhint("ALTER EXTENSION dunning UPDATE;"));
}

PG_FUNCTION_INFO_V1(dun_feature_sql_invoice_history);
PG_FUNCTION_INFO_V1(dun_feature_sql_debtor_history);

Datum
dun_feature_sql_invoice_history(PG_FUNCTION_ARGS)
{
	refuse();
}

Datum
dun_feature_sql_debtor_history(PG_FUNCTION_ARGS)
{
	refuse();
}
