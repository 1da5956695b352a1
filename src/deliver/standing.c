/*
 * deliver/standing.c
 *		Reading pg_db_role_setting.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_db_role_setting.h"
#include "commands/extension.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "base/user.h"
#include "deliver/standing.h"

/* The row of one database (0: all) and role (0: all), if there is one. */
static void
append_settings(StringInfo out, Relation rel, Oid database, Oid role)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_db_role_setting_setdatabase, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(database));
	ScanKeyInit(&keys[1], Anum_pg_db_role_setting_setrole, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
	scan = systable_beginscan(rel, DbRoleSettingDatidRolidIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		config = heap_getattr(tuple, Anum_pg_db_role_setting_setconfig, RelationGetDescr(rel), &isnull);
		bytea	   *octets;

		if (isnull)
			continue;
		octets = (bytea *) PG_DETOAST_DATUM(config);
		appendBinaryStringInfo(out, (char *) &database, sizeof(Oid));
		appendBinaryStringInfo(out, (char *) &role, sizeof(Oid));
		appendBinaryStringInfo(out, VARDATA(octets), VARSIZE(octets) - VARHDRSZ);
	}
	systable_endscan(scan);
}

bytea *
dun_deliver_standing_settings(void)
{
	Oid			databases[] = {InvalidOid, MyDatabaseId};
	Oid			roles[] = {InvalidOid, get_role_oid(DUN_WORKER_ROLE, true)};
	StringInfoData out;
	Relation	rel;
	bytea	   *octets;

	if (!OidIsValid(get_extension_oid("dunning", true)))
		return NULL;
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	rel = table_open(DbRoleSettingRelationId, AccessShareLock);
	for (int d = 0; d < lengthof(databases); d++)
		for (int r = 0; r < lengthof(roles); r++)
			if (r == 0 || OidIsValid(roles[r]))
				append_settings(&out, rel, databases[d], roles[r]);
	table_close(rel, AccessShareLock);
	octets = (bytea *) out.data;
	SET_VARSIZE(octets, out.len);
	return octets;
}
