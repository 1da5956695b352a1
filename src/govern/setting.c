/*
 * govern/setting.c
 *		Our own settings, also those that only a superuser may SHOW: health() must be able to say that a worker
 *		is missing because its database is not named, to whoever is on duty.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(dun_govern_sql_setting);

/* (name without "dunning.") -> its value; NULL where it is not defined, as those of the postmaster without preload. */
Datum
dun_govern_sql_setting(PG_FUNCTION_ARGS)
{
	char	   *name = psprintf("dunning.%s", text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const char *value = GetConfigOption(name, true, false);

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(value));
}
