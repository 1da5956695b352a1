/*
 * base/settings.c
 *		dunning.clock and dunning.timezone, with check hooks that refuse what could not be used later.
 */
#include "postgres.h"

#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/guard.h"
#include "base/settings.h"

char	   *dun_base_clock = NULL;
char	   *dun_base_timezone = NULL;

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
							   "Time zone of a debtor whose own zone and country are unknown.",
							   "Empty means the server's TimeZone.",
							   &dun_base_timezone, "", PGC_SUSET, 0,
							   check_timezone, NULL, NULL);
	dun_base_init_guard();
}
