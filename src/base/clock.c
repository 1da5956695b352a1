/*
 * base/clock.c
 *		Reading the clock, real or virtual.
 *
 * The virtual clock is parsed by hand-calling the timestamptz input under a fixed DateStyle-free
 * form (ISO 8601), because a GUC check hook must not throw.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/compat.h"

static TimestampTz virtual_now;
static bool virtual_set = false;

TimestampTz
dun_base_now(void)
{
	return virtual_set ? virtual_now : GetCurrentTimestamp();
}

bool
dun_base_clock_is_virtual(void)
{
	return virtual_set;
}

/* Decode an ISO instant without ereport, so that it is safe inside a check hook. */
static bool
decode_instant(const char *text, TimestampTz *result)
{
	char		work[MAXDATELEN + MAXDATEFIELDS];
	char	   *field[MAXDATEFIELDS];
	int			ftype[MAXDATEFIELDS];
	int			nf;
	int			dtype;
	struct pg_tm tt,
			   *tm = &tt;
	fsec_t		fsec;
	int			tz = 0;

	if (strlen(text) > MAXDATELEN)
		return false;
	if (ParseDateTime(text, work, sizeof(work), field, ftype, MAXDATEFIELDS, &nf) != 0)
		return false;
	/* Up to 15 an unknown zone is raised, not returned: out of a reload that would end the postmaster. */
	for (int i = 0; i < nf; i++)
		if (ftype[i] == DTK_DATE && !isdigit((unsigned char) field[i][0]) && pg_tzset(field[i]) == NULL)
			return false;
	if (dun_decode_date_time(field, ftype, nf, &dtype, tm, &fsec, &tz) != 0)
		return false;
	return dtype == DTK_DATE && tm2timestamp(tm, fsec, &tz, result) == 0;
}

TimestampTz *
dun_base_parse_clock(const char *text)
{
	TimestampTz parsed;
	TimestampTz *result;

	if (!decode_instant(text, &parsed))
		return NULL;
	result = dun_guc_malloc(sizeof(TimestampTz));
	if (result != NULL)
		*result = parsed;
	return result;
}

void
dun_base_set_clock(const TimestampTz *instant)
{
	virtual_set = instant != NULL;
	if (virtual_set)
		virtual_now = *instant;
}

PG_FUNCTION_INFO_V1(dun_base_sql_now);

Datum
dun_base_sql_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(virtual_set ? virtual_now : GetCurrentStatementStartTimestamp());
}

PG_FUNCTION_INFO_V1(dun_base_sql_virtual_clock);

Datum
dun_base_sql_virtual_clock(PG_FUNCTION_ARGS)
{
	if (!virtual_set)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(virtual_now);
}
