/*
 * timing/profile.c
 *		Activity with the exposure correction: an hour counts by the answers in it *and* by how long a message
 *		lay unanswered through it. Without the second, one learns when one has written, not when they answer.
 *
 * lambda(h) = (C0 + k) / (C0 / m(h) + E): a third of a pseudo-answer at the rate m, a mixture of the book's archetypes
 * (prior.c) that fits the debtor best. The debtor's own bins are pooled with the same hour of the other weekdays (or of
 * the weekend). Exposure is counted in the answers that it would have brought from an average debtor.
 *
 * An entry is less than the least step of a bin more often than not. It is rounded up or down by a number drawn from
 * what is entered, up as often as its share of the step: sums are right on average, and the same on every machine.
 */
#include "postgres.h"

#include <math.h>

#include "base/hash.h"
#include "calendar/window.h"
#include "timing/profile.h"

#define PSEUDO 0.3				/* C0 */
#define WEEKLY_GAIN (1 / 0.96)
#define DAY_PSEUDO 2.0
#define OWN_BIN 0.2				/* against the pool of its hour */
#define NEXT_HOUR 0.8			/* the hours beside it in the pool */
#define K_UNIT -5				/* of an empty profile: 1/32 of an answer */
#define E_UNIT -9
#define THETA_SHAPE (2.0 / DUN_ARCHETYPES)
#define THETA_RATE 2.0
#define THETA_ROUNDS 12
#define WEIGHT_SALT UINT64CONST(0x726f756e64)	/* "round" */

int32
dun_timing_hour_of(TimestampTz at)
{
	return (int32) (at / USECS_PER_HOUR);
}

double
dun_timing_weight(const DunProfile *p, int32 hour)
{
	return pow(WEEKLY_GAIN, ((double) hour - p->base) / DUN_HOURS);
}

TimestampTz
dun_timing_entered_until(const DunProfile *p)
{
	TimestampTz until;

	memcpy(&until, p->until, sizeof(until));
	return until;
}

static int
hour_of_week(TimestampTz at, pg_tz *zone)
{
	int			minute;

	dun_calendar_local(at, zone, &minute);
	return minute / 60;
}

/* ---- entering ---- */

typedef struct Rounding
{
	uint64		state;
} Rounding;

static uint8
round_up_or_down(Rounding *r, double x)
{
	return (uint8) Min(255, floor(x + dun_base_rng_uniform(&r->state)));
}

static void
add_to_bin(uint8 bins[DUN_HOURS], int8 *unit, int h, double x, Rounding *r)
{
	while (bins[h] + ldexp(x, -*unit) >= 255)
	{
		for (int i = 0; i < DUN_HOURS; i++)
			if (bins[i] > 0)
				bins[i] = round_up_or_down(r, bins[i] / 2.0);
		(*unit)++;
	}
	bins[h] += round_up_or_down(r, ldexp(x, -*unit));
}

/*
 * Hour by hour of its age while it lay there, the last one in part. An hour of age that begins at twenty to belongs to two
 * hours of the clock: put into the first alone, the hour after the favourite one would look as good as it. Returns the exposure.
 */
static double
add_exposure(DunProfile *p, const DunDelay *delay, pg_tz *zone, TimestampTz from, TimestampTz until, double weight, Rounding *r)
{
	double		w[DUN_LONGEST_REACH];
	double		first,
				sum = 0;
	int			minute;

	dun_calendar_local(from, zone, &minute);
	first = 1 - minute % 60 / 60.0;
	dun_timing_weights(delay, w);
	for (int a = 0; a < delay->reach; a++)
	{
		TimestampTz at = from + a * USECS_PER_HOUR;
		double		part = Min(1.0, (double) (until - at) / USECS_PER_HOUR);
		int			h;

		if (part <= 0)
			break;
		h = hour_of_week(at, zone);
		add_to_bin(p->e, &p->e_unit, h, weight * w[a] * Min(part, first), r);
		if (part > first)
			add_to_bin(p->e, &p->e_unit, (h + 1) % DUN_HOURS, weight * w[a] * (part - first), r);
		sum += w[a] * part;
	}
	return sum;
}

void
dun_timing_enter(DunProfile *p, const DunPrior *prior, pg_tz *zone, TimestampTz sent, TimestampTz answered, int medium, bool counts)
{
	DunDelay	delay = dun_timing_delay(prior, medium);
	double		q = prior->media[medium].q;
	TimestampTz from = sent + delay.lag * USECS_PER_HOUR;
	TimestampTz until = from + delay.reach * USECS_PER_HOUR;
	double		weight;
	Rounding	r = {dun_base_hash64(&sent, sizeof(sent), WEIGHT_SALT)};

	if (p->contacts == 0)
		p->base = dun_timing_hour_of(sent);
	weight = dun_timing_weight(p, dun_timing_hour_of(sent));
	if (answered != 0)
		until = Min(until, answered);
	p->media[medium][1] += weight * q * add_exposure(p, &delay, zone, from, until, weight * q, &r);
	if (answered != 0 && counts)
	{
		add_to_bin(p->k, &p->k_unit, hour_of_week(answered, zone), weight, &r);
		p->media[medium][0] += weight;
		p->answers += p->answers < PG_UINT16_MAX;
	}
	p->contacts += p->contacts < PG_UINT16_MAX;
	if (sent > dun_timing_entered_until(p))
		memcpy(p->until, &sent, sizeof(sent));
}

void
dun_timing_clear(DunProfile *p)
{
	TimestampTz never = DT_NOBEGIN;

	p->version = DUN_PROFILE_VERSION;
	p->k_unit = K_UNIT;
	p->e_unit = E_UNIT;
	memcpy(p->until, &never, sizeof(never));
}

void
dun_timing_enter_late(DunProfile *p, pg_tz *zone, TimestampTz answered)
{
	Rounding	r = {dun_base_hash64(&answered, sizeof(answered), WEIGHT_SALT)};

	add_to_bin(p->k, &p->k_unit, hour_of_week(answered, zone), dun_timing_weight(p, dun_timing_hour_of(answered)), &r);
	p->answers += p->answers < PG_UINT16_MAX;
}

/* ---- as a whole ---- */

static uint16
add_counts(uint16 a, uint16 b)
{
	return Min((uint32) a + b, PG_UINT16_MAX);
}

void
dun_timing_merge(DunProfile *p, const DunProfile *other)
{
	double		scale = 1 / dun_timing_weight(other, p->base);
	TimestampTz until = Max(dun_timing_entered_until(p), dun_timing_entered_until(other));
	Rounding	r = {dun_base_hash64(other, sizeof(DunProfile), WEIGHT_SALT)};

	for (int h = 0; h < DUN_HOURS; h++)
	{
		if (other->k[h] > 0)
			add_to_bin(p->k, &p->k_unit, h, scale * ldexp(other->k[h], other->k_unit), &r);
		if (other->e[h] > 0)
			add_to_bin(p->e, &p->e_unit, h, scale * ldexp(other->e[h], other->e_unit), &r);
	}
	for (int i = 0; i < DUN_MEDIA * 2; i++)
		p->media[i / 2][i % 2] += scale * other->media[i / 2][i % 2];
	p->contacts = add_counts(p->contacts, other->contacts);
	p->answers = add_counts(p->answers, other->answers);
	memcpy(p->until, &until, sizeof(until));
}

void
dun_timing_fade(DunProfile *p, double share)
{
	Rounding	r = {dun_base_hash64(p, sizeof(DunProfile), WEIGHT_SALT)};

	for (int h = 0; h < DUN_HOURS; h++)
	{
		p->k[h] = round_up_or_down(&r, p->k[h] * share);
		p->e[h] = round_up_or_down(&r, p->e[h] * share);
	}
	for (int i = 0; i < DUN_MEDIA * 2; i++)
		p->media[i / 2][i % 2] *= share;
}

/* ---- reading ---- */

void
dun_timing_unpack(const DunProfile *p, double k[DUN_HOURS], double e[DUN_HOURS])
{
	double		now = 1 / dun_timing_weight(p, dun_timing_hour_of(dun_timing_entered_until(p)));
	double		k_step = ldexp(now, p->k_unit);
	double		e_step = ldexp(now, p->e_unit);

	for (int h = 0; h < DUN_HOURS; h++)
	{
		k[h] = p->k[h] * k_step;
		e[h] = p->e[h] * e_step;
	}
}

/*
 * Of a Poisson with the intensity sum of theta phi: each answer is shared among the archetypes by how much of it they
 * explain, in turns with theta, which has a gamma for a prior whose mean over all archetypes is 1.
 */
void
dun_timing_find_theta(DunProfile *p, const DunPrior *prior)
{
	double		k[DUN_HOURS],
				e[DUN_HOURS],
				exposed[DUN_ARCHETYPES],
				theta[DUN_ARCHETYPES];

	dun_timing_unpack(p, k, e);
	for (int j = 0; j < DUN_ARCHETYPES; j++)
	{
		double		sum = 0;

		for (int h = 0; h < DUN_HOURS; h++)
			sum += e[h] * prior->phi[j][h];
		exposed[j] = THETA_RATE + sum;
		theta[j] = THETA_SHAPE / THETA_RATE;
	}
	for (int round = 0; round < THETA_ROUNDS; round++)
	{
		double		share[DUN_ARCHETYPES] = {0};

		for (int h = 0; h < DUN_HOURS; h++)
			if (p->k[h] > 0)
			{
				double		all = 1e-9;

				for (int j = 0; j < DUN_ARCHETYPES; j++)
					all += theta[j] * prior->phi[j][h];
				for (int j = 0; j < DUN_ARCHETYPES; j++)
					share[j] += k[h] * theta[j] * prior->phi[j][h] / all;
			}
		for (int j = 0; j < DUN_ARCHETYPES; j++)
			theta[j] = (THETA_SHAPE + share[j]) / exposed[j];
	}
	for (int j = 0; j < DUN_ARCHETYPES; j++)
		p->theta[j] = theta[j];
}

/* Pools the hours of weekdays and of the weekend: the same habit shows on several days. */
static void
pool(const uint8 *bins, double unit, double out[DUN_HOURS])
{
	int			hours[2][24] = {{0}};
	double		own = OWN_BIN * unit;

	for (int day = 0; day < 7; day++)
		for (int o = 0; o < 24; o++)
			hours[day >= 5][o] += bins[day * 24 + o];
	for (int part = 0; part < 2; part++)
	{
		double		pooled[24];

		for (int o = 0; o < 24; o++)
			pooled[o] = (1 - OWN_BIN) * unit * (hours[part][o] + NEXT_HOUR * (hours[part][(o + 23) % 24] + hours[part][(o + 1) % 24]));
		for (int day = part * 5; day < 5 + part * 2; day++)
			for (int o = 0; o < 24; o++)
				out[day * 24 + o] = own * bins[day * 24 + o] + pooled[o];
	}
}

/* Some days are better than others at every hour: a factor for each, from the answers of the day against those expected of it. */
static void
weigh_days(const DunProfile *p, double now, double lambda[DUN_HOURS])
{
	double		k_step = ldexp(now, p->k_unit);
	double		e_step = ldexp(now, p->e_unit);

	for (int day = 0; day < 7; day++)
	{
		double		answers = 0,
					expected = 0;

		for (int h = day * 24; h < day * 24 + 24; h++)
		{
			answers += p->k[h];
			expected += p->e[h] * lambda[h];
		}
		expected = (DAY_PSEUDO + k_step * answers) / (DAY_PSEUDO + e_step * expected);
		for (int h = day * 24; h < day * 24 + 24; h++)
			lambda[h] *= expected;
	}
}

void
dun_timing_intensity(const DunProfile *p, const DunPrior *prior, double lambda[DUN_HOURS])
{
	float		m[DUN_HOURS] = {0};
	double		k[DUN_HOURS],
				e[DUN_HOURS];
	double		now;

	if (p == NULL)
	{
		for (int h = 0; h < DUN_HOURS; h++)
			lambda[h] = prior->shape[h];
		return;
	}
	now = 1 / dun_timing_weight(p, dun_timing_hour_of(dun_timing_entered_until(p)));
	for (int j = 0; j < DUN_ARCHETYPES; j++)
		for (int h = 0; h < DUN_HOURS; h++)
			m[h] += p->theta[j] * prior->phi[j][h];
	pool(p->k, ldexp(now, p->k_unit), k);
	pool(p->e, ldexp(now, p->e_unit), e);
	for (int h = 0; h < DUN_HOURS; h++)
		lambda[h] = m[h] * (PSEUDO + k[h]) / (PSEUDO + m[h] * e[h]);
	weigh_days(p, now, lambda);
}

/* S(h) = (1 - d) lambda(h) + d S(h + 1), on a circle: two rounds reach the fixed point to within d^168. */
static void
filter(const double lambda[DUN_HOURS], const DunDelay *delay, double fast[DUN_HOURS], double slow[DUN_HOURS])
{
	double		d1 = exp(-1 / delay->t1);
	double		d2 = exp(-1 / delay->t2);
	double		s1 = 0,
				s2 = 0;

	for (int h = DUN_HOURS - 1; h >= 0; h--)
	{
		s1 = (1 - d1) * lambda[h] + d1 * s1;
		s2 = (1 - d2) * lambda[h] + d2 * s2;
	}
	for (int h = DUN_HOURS - 1; h >= 0; h--)
	{
		fast[h] = s1 = (1 - d1) * lambda[h] + d1 * s1;
		slow[h] = s2 = (1 - d2) * lambda[h] + d2 * s2;
	}
}

void
dun_timing_reap(const DunProfile *profile, const DunPrior *prior, int medium, double answers[DUN_HOURS])
{
	DunDelay	delay = dun_timing_delay(prior, medium);
	double		q = prior->media[medium].q;
	double		lambda[DUN_HOURS],
				fast[DUN_HOURS],
				slow[DUN_HOURS];

	dun_timing_intensity(profile, prior, lambda);
	filter(lambda, &delay, fast, slow);
	for (int h = 0; h < DUN_HOURS; h++)
	{
		int			arrives = (h + delay.lag) % DUN_HOURS;

		answers[h] = q * (delay.g * fast[arrives] + (1 - delay.g) * slow[arrives]);
	}
}
