/*
 * timing/prior_sql.c
 *		What a book has in common, learnt over SQL: sums of its contacts by their age, then everything at once.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "calendar/window.h"
#include "timing/contacts.h"
#include "timing/prior.h"

#define AGE_SUMS (DUN_MEDIA * 2 * DUN_LONGEST_REACH)

/* The hours of the week through which a contact lay. */
static int
hours_of(const DunContactOver *o, const DunDelay *d, pg_tz *zone, int hours[DUN_LONGEST_REACH])
{
	TimestampTz from = o->sent + d->lag * USECS_PER_HOUR;
	int			n;

	for (n = 0; n < d->reach; n++)
	{
		TimestampTz at = from + n * USECS_PER_HOUR;
		int			minute;

		if (o->answered != 0 && at > o->answered)
			break;
		dun_calendar_local(at, zone, &minute);
		hours[n] = minute / 60;
	}
	return n;
}

PG_FUNCTION_INFO_V1(dun_timing_sql_add_ages);

/* Transition: _add_ages(sums, before, zone, sent[], channels[], answers[], prior, now) */
Datum
dun_timing_sql_add_ages(PG_FUNCTION_ARGS)
{
	ArrayType  *state;
	DunAges    *ages = (DunAges *) dun_timing_sums(fcinfo, AGE_SUMS, &state);
	const DunProfile *before = PG_ARGISNULL(1) ? NULL : dun_timing_profile(PG_DETOAST_DATUM(PG_GETARG_DATUM(1)));
	pg_tz	   *zone = dun_calendar_find_zone(PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	const DunPrior *prior = dun_timing_prior(PG_ARGISNULL(6) ? NULL : PG_GETARG_BYTEA_P(6));
	DunContacts c;

	if (zone == NULL || PG_ARGISNULL(7))
		PG_RETURN_ARRAYTYPE_P(state);
	dun_timing_read_contacts(&c, fcinfo, 3);
	dun_timing_settle(&c, prior, before == NULL ? DT_NOBEGIN : dun_timing_entered_until(before), PG_GETARG_TIMESTAMPTZ(7));
	for (int i = 0; i < c.nover; i++)
	{
		const DunContactOver *o = &c.over[i];
		DunDelay	d = dun_timing_delay(prior, o->medium);
		int			hours[DUN_LONGEST_REACH];

		dun_timing_add_delay(&ages[o->medium], before, prior, hours, hours_of(o, &d, zone, hours), o->answered != 0 && o->counts);
	}
	PG_RETURN_ARRAYTYPE_P(state);
}

static int
profiles_of(ArrayType *array, DunProfile ***profiles)
{
	Datum	   *values;
	bool	   *nulls;
	int16		len;
	bool		byval;
	char		align;
	int			n;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &len, &byval, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), len, byval, align, &values, &nulls, &n);
	*profiles = palloc(sizeof(DunProfile *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			elog(ERROR, "a profile is missing");
		(*profiles)[i] = memcpy(palloc(sizeof(DunProfile)), dun_timing_profile(PG_DETOAST_DATUM(values[i])), sizeof(DunProfile));
	}
	return n;
}

static const double *
numbers(ArrayType *array, int n)
{
	if (ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) != n || ARR_HASNULL(array))
		elog(ERROR, "%d sums are needed", n);
	return (const double *) ARR_DATA_PTR(array);
}

PG_FUNCTION_INFO_V1(dun_timing_sql_learn_prior);

/* _learn_prior(prior, activity float8[336], ages float8[1152], sample response_profile[], rounds) → bytea */
Datum
dun_timing_sql_learn_prior(PG_FUNCTION_ARGS)
{
	DunPrior   *prior = palloc(sizeof(DunPrior));

	memcpy(prior, dun_timing_prior(PG_ARGISNULL(0) ? NULL : PG_GETARG_BYTEA_P(0)), sizeof(DunPrior));
	if (!PG_ARGISNULL(1))
	{
		const double *sums = numbers(PG_GETARG_ARRAYTYPE_P(1), 2 * DUN_HOURS);

		dun_timing_learn_shape(prior, sums, sums + DUN_HOURS);
	}
	if (!PG_ARGISNULL(2))
	{
		const DunAges *ages = (const DunAges *) numbers(PG_GETARG_ARRAYTYPE_P(2), AGE_SUMS);

		for (int i = 0; i < DUN_MEDIA; i++)
			dun_timing_learn_delay(prior, i, &ages[i]);
	}
	if (!PG_ARGISNULL(3))
	{
		DunProfile **profiles;
		int			n = profiles_of(PG_GETARG_ARRAYTYPE_P(3), &profiles);

		dun_timing_learn_archetypes(prior, profiles, n, PG_GETARG_INT32(4));
	}
	PG_RETURN_BYTEA_P((bytea *) prior);
}

PG_FUNCTION_INFO_V1(dun_timing_sql_keep_delays);

Datum
dun_timing_sql_keep_delays(PG_FUNCTION_ARGS)
{
	DunPrior   *prior = palloc(sizeof(DunPrior));

	memcpy(prior, dun_timing_prior(PG_GETARG_BYTEA_P(0)), sizeof(DunPrior));
	dun_timing_keep_delays(prior, dun_timing_prior(PG_GETARG_BYTEA_P(1)));
	PG_RETURN_BYTEA_P((bytea *) prior);
}

PG_FUNCTION_INFO_V1(dun_timing_sql_prior_change);

Datum
dun_timing_sql_prior_change(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(dun_timing_prior_change(dun_timing_prior(PG_ARGISNULL(0) ? NULL : PG_GETARG_BYTEA_P(0)),
											 dun_timing_prior(PG_ARGISNULL(1) ? NULL : PG_GETARG_BYTEA_P(1))));
}
