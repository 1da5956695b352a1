/*
 * base/settings.c
 *		dunning.clock and dunning.timezone, with check hooks that refuse what could not be used later.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/guard.h"
#include "base/settings.h"

char	   *dun_base_clock = NULL;
static char *ledger_timezone = NULL;
static char server_timezone[TZ_STRLEN_MAX + 1];

/*
 * The clock's text is read once, here, so that reading the clock later can neither fail nor depend
 * on DateStyle. The parsed instant travels as the setting's extra.
 */
static bool
check_clock(char **newval, void **extra, GucSource source)
{
	TimestampTz *parsed;

	if (*newval == NULL || **newval == '\0')
		return true;
	parsed = dun_base_parse_clock(*newval);
	if (parsed == NULL)
	{
		GUC_check_errdetail("The virtual clock must be a finite timestamp with a zone, such as '2026-06-30 09:00+02'.");
		return false;
	}
	*extra = parsed;
	return true;
}

static void
assign_clock(const char *newval, void *extra)
{
	dun_base_set_clock((TimestampTz *) extra);
}

static bool
check_timezone(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || **newval == '\0')
		return true;
	if (pg_tzset(*newval) == NULL)
	{
		GUC_check_errdetail("\"%s\" is not a time zone; pg_timezone_names lists them.", *newval);
		return false;
	}
	return true;
}

void
dun_base_init(void)
{
	DefineCustomStringVariable("dunning.clock",
							   "A virtual now, for tests and what-if.",
							   "While set, ledger rows dated or recorded after it do not exist for any reader.",
							   &dun_base_clock, "", PGC_SUSET, 0,
							   check_clock, assign_clock, NULL);
	DefineCustomStringVariable("dunning.timezone",
							   "Time zone in which the ledger's days begin, and of a debtor whose own zone and country are unknown.",
							   "Empty means the server's, as it was when it started.",
							   &ledger_timezone, "", PGC_SUSET, 0,
							   check_timezone, NULL, NULL);
	/* Not a session's TimeZone, which drivers set to the client's. Without preload the configuration is not seen alone. */
	if (process_shared_preload_libraries_in_progress)
		strlcpy(server_timezone, GetConfigOption("TimeZone", false, false), sizeof(server_timezone));
	dun_base_init_guard();
}

const char *
dun_base_ledger_timezone(void)
{
	if (ledger_timezone != NULL && ledger_timezone[0] != '\0')
		return ledger_timezone;
	return server_timezone[0] != '\0' ? server_timezone : pg_get_timezone_name(log_timezone);
}

PG_FUNCTION_INFO_V1(dun_base_sql_ledger_zone);

/* _ledger_zone() → text */
Datum
dun_base_sql_ledger_zone(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(dun_base_ledger_timezone()));
}
