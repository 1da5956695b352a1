/*
 * timing/profile.c
 *		Activity with the exposure correction: an hour counts by the answers in it *and* by how long a message
 *		lay unanswered through it. Without the second, one learns when one has written, not when they answer.
 *
 * lambda(h) = (C0 + k) / (C0 / m(h) + E): one pseudo-answer at the book's rate m. The debtor's own bins are
 * pooled with the same hour of the other weekdays (or of the weekend). The time of a payment is weak evidence of when
 * somebody sits down with bills: a quarter of an answer, exposed evenly over the week.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "calendar/window.h"
#include "timing/profile.h"

#define PSEUDO 1.0				/* C0 */
#define K_UNIT 256.0
#define E_UNIT 1024.0
#define PAYMENT_WEIGHT 0.25
#define WEEKLY_DECAY 0.96
#define OWN_BIN 0.4				/* against the pool of its hour */
#define BOOK_PSEUDO 20.0		/* answers at a flat rate, in the book's shape */

static const DunDelay email_delay = {.45, 1, 18, 96, 0};
static const DunDelay ring_delay = {.45, .25, 6, 48, 0};
static const DunDelay call_delay = {1, .1, .1, 1, 0};
static const DunDelay letter_delay = {.45, 1, 18, 96, 48};

const DunDelay *
dun_timing_delay(const char *channel)
{
	if (strcmp(channel, "sms") == 0 || strcmp(channel, "push") == 0 || strcmp(channel, "whatsapp") == 0)
		return &ring_delay;
	if (strcmp(channel, "call") == 0 || strcmp(channel, "visit") == 0)
		return &call_delay;
	if (strcmp(channel, "letter") == 0)
		return &letter_delay;
	return &email_delay;
}

/* w(a) for a = 0 .. reach-1, summing to 1. */
static void
weights(const DunDelay *d, double *w)
{
	double		fast = d->g * (1 - exp(-1 / d->t1));
	double		slow = (1 - d->g) * (1 - exp(-1 / d->t2));
	double		sum = 0;
	int			a;

	for (a = 0; a < d->reach; a++)
		sum += w[a] = fast * exp(-a / d->t1) + slow * exp(-a / d->t2);
	for (a = 0; a < d->reach; a++)
		w[a] /= sum;
}

/* ---- building ---- */

static int
hour_of_week(TimestampTz at, pg_tz *zone)
{
	int			minute;

	dun_calendar_local(at, zone, &minute);
	return minute / 60;
}

static double
age_weight(TimestampTz at, TimestampTz as_of)
{
	return pow(WEEKLY_DECAY, Max(0, (double) (as_of - at)) / USECS_PER_DAY / 7);
}

/* A contact's exposure until it was answered or nobody expects an answer any more. Returns the index after its answer. */
static int
add_contact(double *k, double *e, const char *channel, TimestampTz sent, const TimestampTz *answers, int nanswers, int next,
			pg_tz *zone, TimestampTz as_of)
{
	const DunDelay *delay = dun_timing_delay(channel);
	double		w[96];
	double		weight = age_weight(sent, as_of);
	TimestampTz from = sent + delay->lag * USECS_PER_HOUR;
	TimestampTz until = from + delay->reach * USECS_PER_HOUR;
	int			a;

	weights(delay, w);
	while (next < nanswers && answers[next] < sent)
		next++;
	if (next < nanswers && answers[next] < until)
	{
		k[hour_of_week(answers[next], zone)] += weight;
		until = answers[next++];
	}
	until = Min(until, as_of);
	for (a = 0; a < delay->reach && from + a * USECS_PER_HOUR < until; a++)
		e[hour_of_week(from + a * USECS_PER_HOUR, zone)] += weight * w[a];
	return next;
}

static int
instants(FunctionCallInfo fcinfo, int arg, TimestampTz **out)
{
	Datum	   *values;
	int			n = 0,
				i;

	*out = NULL;
	if (PG_ARGISNULL(arg))
		return 0;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TIMESTAMPTZOID, sizeof(TimestampTz), true, TYPALIGN_DOUBLE, &values, NULL, &n);
	*out = palloc(sizeof(TimestampTz) * Max(n, 1));
	for (i = 0; i < n; i++)
		(*out)[i] = DatumGetTimestampTz(values[i]);
	return n;
}

/* A payment booked as a bare date says nothing about the hour. */
static bool
has_time_of_day(TimestampTz at, pg_tz *zone)
{
	int			minute;

	dun_calendar_local(at, zone, &minute);
	return at % USECS_PER_DAY != 0 && (minute % 1440 != 0 || at % USECS_PER_MINUTE != 0);
}

PG_FUNCTION_INFO_V1(dun_timing_sql_activity);

/* _activity(zone, sent[], channels[], answers[], payments[], as_of) → bytea; arrays in order of time */
Datum
dun_timing_sql_activity(PG_FUNCTION_ARGS)
{
	pg_tz	   *zone = dun_calendar_find_zone(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	TimestampTz as_of;
	TimestampTz *sent,
			   *answers,
			   *payments;
	int			nsent,
				nanswers,
				npayments,
				nchannels = 0,
				next = 0,
				timed = 0,
				i;
	Datum	   *channels = NULL;
	double		k[DUN_HOURS] = {0},
				e[DUN_HOURS] = {0};
	bytea	   *result;
	DunActivity *activity;

	if (zone == NULL || PG_ARGISNULL(5))
		PG_RETURN_NULL();
	as_of = PG_GETARG_TIMESTAMPTZ(5);
	nsent = instants(fcinfo, 1, &sent);
	nanswers = instants(fcinfo, 3, &answers);
	npayments = instants(fcinfo, 4, &payments);
	if (!PG_ARGISNULL(2))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT, &channels, NULL, &nchannels);
	if (nchannels != nsent)
		elog(ERROR, "arrays of contacts differ in length");

	for (i = 0; i < nsent; i++)
		next = add_contact(k, e, TextDatumGetCString(channels[i]), sent[i], answers, nanswers, next, zone, as_of);
	for (i = 0; i < npayments; i++)
		if (has_time_of_day(payments[i], zone))
		{
			double		weight = PAYMENT_WEIGHT * age_weight(payments[i], as_of);

			k[hour_of_week(payments[i], zone)] += weight;
			for (int h = 0; h < DUN_HOURS; h++)
				e[h] += weight / DUN_HOURS;
			timed++;
		}
	if (nsent == 0 && timed == 0)
		PG_RETURN_NULL();

	result = palloc(VARHDRSZ + sizeof(DunActivity));
	SET_VARSIZE(result, VARHDRSZ + sizeof(DunActivity));
	activity = (DunActivity *) VARDATA(result);
	for (i = 0; i < DUN_HOURS; i++)
	{
		activity->k[i] = (uint16) Min(65535, rint(k[i] * K_UNIT));
		activity->e[i] = (uint16) Min(65535, rint(e[i] * E_UNIT));
	}
	PG_RETURN_BYTEA_P(result);
}

/* ---- the book ---- */

PG_FUNCTION_INFO_V1(dun_timing_sql_add_activity);

/* Transition: float8[336] += activity. */
Datum
dun_timing_sql_add_activity(PG_FUNCTION_ARGS)
{
	ArrayType  *state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_ARRAYTYPE_P(0) : PG_GETARG_ARRAYTYPE_P_COPY(0);
	double	   *sums = (double *) ARR_DATA_PTR(state);
	bytea	   *item = PG_GETARG_BYTEA_P(1);
	const DunActivity *activity = (const DunActivity *) VARDATA(item);
	int			i;

	if (ArrayGetNItems(ARR_NDIM(state), ARR_DIMS(state)) != 2 * DUN_HOURS || ARR_HASNULL(state) ||
		VARSIZE(item) != VARHDRSZ + sizeof(DunActivity))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not an activity profile"),
				 errhint("Profiles are made by dunning._activity().")));
	for (i = 0; i < DUN_HOURS; i++)
	{
		sums[i] += activity->k[i] / K_UNIT;
		sums[DUN_HOURS + i] += activity->e[i] / E_UNIT;
	}
	PG_RETURN_ARRAYTYPE_P(state);
}

PG_FUNCTION_INFO_V1(dun_timing_sql_shape);

/* _activity_shape(float8[336], q) → float4[168] with mean 1: the book's rate by hour, shrunk to flat and smoothed. */
Datum
dun_timing_sql_shape(PG_FUNCTION_ARGS)
{
	ArrayType  *state = PG_GETARG_ARRAYTYPE_P(0);
	double		q = PG_GETARG_FLOAT8(1);
	double	   *sums = (double *) ARR_DATA_PTR(state);
	double		raw[DUN_HOURS];
	double		mean = 0;
	Datum		shape[DUN_HOURS];
	int			h;

	if (ArrayGetNItems(ARR_NDIM(state), ARR_DIMS(state)) != 2 * DUN_HOURS || ARR_HASNULL(state))
		elog(ERROR, "not the sums of activity");
	for (h = 0; h < DUN_HOURS; h++)
		raw[h] = (sums[h] + BOOK_PSEUDO) / (sums[DUN_HOURS + h] * q + BOOK_PSEUDO);
	for (h = 0; h < DUN_HOURS; h++)
		mean += raw[h] / DUN_HOURS;
	for (h = 0; h < DUN_HOURS; h++)
		shape[h] = Float4GetDatum((float) ((.25 * raw[(h + DUN_HOURS - 1) % DUN_HOURS] + .5 * raw[h] +
											.25 * raw[(h + 1) % DUN_HOURS]) / mean));
	PG_RETURN_ARRAYTYPE_P(construct_array(shape, DUN_HOURS, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
}

/* ---- reading ---- */

/* Pools the hours of weekdays and of the weekend: the same habit shows on several days. */
static void
pool(const uint16 *bins, double unit, double out[DUN_HOURS])
{
	double		hours[2][24] = {{0}};
	int			h;

	for (h = 0; h < DUN_HOURS; h++)
		hours[h >= 120][h % 24] += bins[h] / unit;
	for (h = 0; h < DUN_HOURS; h++)
	{
		double	   *x = hours[h >= 120];
		int			o = h % 24;

		out[h] = OWN_BIN * bins[h] / unit + (1 - OWN_BIN) * (x[o] + .5 * (x[(o + 23) % 24] + x[(o + 1) % 24]));
	}
}

/* S(h) = (1 - d) lambda(h) + d S(h + 1), on a circle: two rounds reach the fixed point to within d^168. */
static void
filter(const double lambda[DUN_HOURS], double tau, double out[DUN_HOURS])
{
	double		decay = exp(-1 / tau);
	double		s = 0;
	int			i;

	for (i = 2 * DUN_HOURS - 1; i >= 0; i--)
	{
		s = (1 - decay) * lambda[i % DUN_HOURS] + decay * s;
		if (i < DUN_HOURS)
			out[i] = s;
	}
}

void
dun_timing_reap(const DunActivity *activity, const float *shape, double q, const DunDelay *delay, double reaped[DUN_HOURS])
{
	double		lambda[DUN_HOURS],
				fast[DUN_HOURS],
				slow[DUN_HOURS];
	int			h;

	if (activity != NULL)
	{
		double		k[DUN_HOURS],
					e[DUN_HOURS];

		pool(activity->k, K_UNIT, k);
		pool(activity->e, E_UNIT, e);
		for (h = 0; h < DUN_HOURS; h++)
			lambda[h] = (PSEUDO + k[h]) / (PSEUDO / shape[h] + e[h] * q);
	}
	else
		for (h = 0; h < DUN_HOURS; h++)
			lambda[h] = shape[h];
	filter(lambda, delay->t1, fast);
	filter(lambda, delay->t2, slow);
	for (h = 0; h < DUN_HOURS; h++)
	{
		int			arrives = (h + delay->lag) % DUN_HOURS;

		reaped[h] = delay->g * fast[arrives] + (1 - delay->g) * slow[arrives];
	}
}
