/*
 * base/watch.c
 *		Noticing changes of watched tables.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/watch.h"

static const char *const tables[] = {
	"channel", "contact_rule", "creditor", "date_effect", "date_effect_learnt", "holiday", "money_date", "template", "template_document", "timing_book"
};

static uint64 changes = 1;
static Oid	watched[lengthof(tables)];
static bool found = false;

/* Of a dropped table as well: those of the extension made anew have other numbers. */
static void
note_change(Datum arg, Oid relation)
{
	for (int i = 0; i < lengthof(tables); i++)
		if (!OidIsValid(relation) || relation == watched[i])
		{
			changes++;
			found = false;
			return;
		}
}

static void
find_tables(void)
{
	Oid			schema = get_namespace_oid("dunning", false);

	for (int i = 0; i < lengthof(tables); i++)
		watched[i] = get_relname_relid(tables[i], schema);
	found = true;
}

uint64
dun_base_watched(void)
{
	static bool registered = false;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(note_change, (Datum) 0);
		registered = true;
	}
	AcceptInvalidationMessages();
	while (!found)
	{
		find_tables();
		AcceptInvalidationMessages();
	}
	return changes;
}

PG_FUNCTION_INFO_V1(dun_base_sql_changed);

/* _changed(): a statement trigger */
Datum
dun_base_sql_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		elog(ERROR, "not called as a trigger");
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}
