/*
 * timing/prior.c
 *		What a book has in common: its hours, eight archetypes of a week, and how late each medium is answered.
 *
 * Archetypes are the factors of a Poisson model, answers(h) ~ E(h) * sum of theta phi(h), found by EM over the profiles;
 * each night goes on from where the last one ended, and a book of which nothing is known starts from eight bumps three
 * hours apart.
 *
 * How late a medium is answered is no histogram of delays: a contact of the morning is answered late because its reader
 * looks in the evening. By age, the answers are held against those that the debtors' hours make one expect.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "base/compat.h"
#include "timing/prior.h"

#define PRIOR_MAGIC 0x44755032	/* "DuP2" */
#define BUMP_KAPPA 2.0
#define BUMP_FLOOR 0.15
#define BOOK_PSEUDO 20.0		/* answers at a flat rate, in the book's shape */
#define CURIOSITY 3.0			/* times the usual rate that an hour may have of which nothing was seen */
#define UNSEEN 0.001			/* of the average hour's contacts: where curiosity has fallen to a third */
#define ARCHETYPE_PSEUDO 10.0	/* expected answers an hour of the week, in each archetype */
#define SAME_HOUR 0.25			/* of an archetype's hour against the same hour of the other days */
#define SHARE_PSEUDO 20.0		/* contacts of the usual share of answers */
#define DELAY_PSEUDO 10.0		/* answers as late as is usual */
#define FIRST_SHARE 0.1

static const char *const media[DUN_MEDIA] = {"email", "sms", "push", "whatsapp", "call", "letter"};

int
dun_timing_medium(const char *channel)
{
	if (strcmp(channel, "visit") == 0)
		channel = "call";
	for (int i = 0; i < DUN_MEDIA; i++)
		if (strcmp(channel, media[i]) == 0)
			return i;
	return 0;
}

const char *
dun_timing_medium_name(int medium)
{
	return media[medium];
}

static void
usual_delay(int medium, DunDelay *d)
{
	static const DunDelay usual[DUN_MEDIA] = {
		{.45, 1, 18, 96, 0}, {.45, .25, 6, 48, 0}, {.45, .25, 6, 48, 0}, {.45, .25, 6, 48, 0}, {1, .1, .1, 1, 0}, {.45, 1, 18, 96, 48},
	};

	*d = usual[medium];
}

static void
normalise(float4 *x)
{
	double		sum = 0;

	for (int h = 0; h < DUN_HOURS; h++)
		sum += x[h];
	for (int h = 0; h < DUN_HOURS; h++)
		x[h] *= DUN_HOURS / sum;
}

const DunPrior *
dun_timing_first_prior(void)
{
	static DunPrior first;

	if (first.magic == PRIOR_MAGIC)
		return &first;
	SET_VARSIZE(&first, sizeof(first));
	for (int h = 0; h < DUN_HOURS; h++)
		first.shape[h] = 1;
	for (int j = 0; j < DUN_ARCHETYPES; j++)
	{
		for (int h = 0; h < DUN_HOURS; h++)
			first.phi[j][h] = BUMP_FLOOR + exp(BUMP_KAPPA * (cos((h % 24 + .5 - 3 * j) * M_PI / 12) - 1));
		normalise(first.phi[j]);
	}
	for (int i = 0; i < DUN_MEDIA; i++)
	{
		DunDelay	d;

		usual_delay(i, &d);
		first.media[i].g = d.g;
		first.media[i].t1 = d.t1;
		first.media[i].t2 = d.t2;
		first.media[i].q = FIRST_SHARE;
	}
	first.magic = PRIOR_MAGIC;
	return &first;
}

const DunPrior *
dun_timing_prior(const void *datum)
{
	const DunPrior *prior = datum;

	if (prior == NULL)
		return dun_timing_first_prior();
	if (VARSIZE(prior) != sizeof(DunPrior) || prior->magic != PRIOR_MAGIC)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not what was learnt of a book"),
				 errhint("SELECT count(*) FROM dunning._refresh_profiles(); learns it anew.")));
	return prior;
}

DunDelay
dun_timing_delay(const DunPrior *prior, int medium)
{
	DunDelay	d;

	usual_delay(medium, &d);
	d.g = prior->media[medium].g;
	d.t1 = prior->media[medium].t1;
	d.t2 = prior->media[medium].t2;
	return d;
}

void
dun_timing_weights(const DunDelay *d, double *w)
{
	double		d1 = exp(-1 / d->t1);
	double		d2 = exp(-1 / d->t2);
	double		fast = d->g * (1 - d1);
	double		slow = (1 - d->g) * (1 - d2);
	double		sum = 0;

	for (int a = 0; a < d->reach; a++, fast *= d1, slow *= d2)
		sum += w[a] = fast + slow;
	for (int a = 0; a < d->reach; a++)
		w[a] /= sum;
}

/* ---- archetypes ---- */

typedef struct Sums
{
	double		k[DUN_ARCHETYPES][DUN_HOURS];
	double		e[DUN_ARCHETYPES][DUN_HOURS];
} Sums;

static void
share_out(const DunProfile *p, const DunPrior *prior, Sums *sums)
{
	double		k[DUN_HOURS],
				e[DUN_HOURS];

	dun_timing_unpack(p, k, e);
	for (int h = 0; h < DUN_HOURS; h++)
	{
		double		all = 1e-9;

		for (int j = 0; j < DUN_ARCHETYPES; j++)
			sums->e[j][h] += e[h] * p->theta[j];
		if (p->k[h] == 0)
			continue;
		for (int j = 0; j < DUN_ARCHETYPES; j++)
			all += p->theta[j] * prior->phi[j][h];
		for (int j = 0; j < DUN_ARCHETYPES; j++)
			sums->k[j][h] += k[h] * p->theta[j] * prior->phi[j][h] / all;
	}
}

/* An hour of the week, what is seen in it, smoothed toward the same hour of the other days of its part of the week. */
static void
renew_archetype(DunPrior *prior, int j, const Sums *sums)
{
	double		k[2][24] = {{0}},
				e[2][24] = {{0}};
	float4		fresh[DUN_HOURS];

	for (int h = 0; h < DUN_HOURS; h++)
	{
		k[h >= 120][h % 24] += sums->k[j][h];
		e[h >= 120][h % 24] += sums->e[j][h];
	}
	for (int h = 0; h < DUN_HOURS; h++)
	{
		int			part = h >= 120;
		double		own = (sums->k[j][h] + ARCHETYPE_PSEUDO * prior->shape[h]) / (sums->e[j][h] + ARCHETYPE_PSEUDO);
		double		same = (k[part][h % 24] + ARCHETYPE_PSEUDO * prior->shape[h]) / (e[part][h % 24] + ARCHETYPE_PSEUDO);

		fresh[h] = SAME_HOUR * own + (1 - SAME_HOUR) * same;
	}
	normalise(fresh);
	memcpy(prior->phi[j], fresh, sizeof(fresh));
}

void
dun_timing_learn_archetypes(DunPrior *prior, DunProfile **profiles, int n, int rounds)
{
	Sums	   *sums = palloc(sizeof(Sums));

	for (int round = 0; round < rounds; round++)
	{
		memset(sums, 0, sizeof(Sums));
		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			dun_timing_find_theta(profiles[i], prior);
			share_out(profiles[i], prior, sums);
		}
		for (int j = 0; j < DUN_ARCHETYPES; j++)
			renew_archetype(prior, j, sums);
	}
	pfree(sums);
}

/*
 * An hour of the day of which nothing was seen may be thrice as good as it looks. A book that was only ever written to in the
 * mornings would keep to them otherwise, where answers come so soon that a contact tells nothing of other hours; one try of all
 * debtors settles it. How little "nothing" is, is told beside the other hours: where delays are not known yet, the morning's late
 * answers seem to speak of the whole day. Days are not asked about: their hours are like others'.
 */
void
dun_timing_learn_shape(DunPrior *prior, const double k[DUN_HOURS], const double e[DUN_HOURS])
{
	double		raw[DUN_HOURS];
	double		seen[24] = {0};
	double		average = 1e-9;

	for (int h = 0; h < DUN_HOURS; h++)
	{
		seen[h % 24] += e[h];
		average += e[h] / 24;
	}
	for (int h = 0; h < DUN_HOURS; h++)
	{
		double		usual = 1 + (CURIOSITY - 1) * exp(-seen[h % 24] / (UNSEEN * average));

		raw[h] = (k[h] + BOOK_PSEUDO * usual) / (e[h] + BOOK_PSEUDO);
	}
	for (int h = 0; h < DUN_HOURS; h++)
		prior->shape[h] = .25 * raw[(h + DUN_HOURS - 1) % DUN_HOURS] + .5 * raw[h] + .25 * raw[(h + 1) % DUN_HOURS];
	normalise(prior->shape);
}

/* ---- delays ---- */

void
dun_timing_add_delay(DunAges *ages, const DunProfile *before, const DunPrior *prior, const int *hours, int nhours, bool answered)
{
	double		lambda[DUN_HOURS];
	double		mean = 0;

	/* By the hours alone: how often they answer must not flow back into how often is usual. */
	dun_timing_intensity(before, prior, lambda);
	for (int h = 0; h < DUN_HOURS; h++)
		mean += lambda[h] / DUN_HOURS;
	for (int a = 0; a < nhours; a++)
		ages->expected[a] += lambda[hours[a]] / mean;
	if (answered && nhours > 0)
		ages->answers[nhours - 1] += 1;
}

/* How well a delay explains the answers: of a Poisson, with the scale that fits it best. */
static double
likelihood(const DunDelay *d, const double *answers, const double *expected)
{
	double		w[DUN_LONGEST_REACH];
	double		all = 0,
				mean = 0,
				log_sum = 0;

	dun_timing_weights(d, w);
	for (int a = 0; a < d->reach; a++)
	{
		all += answers[a];
		mean += w[a] * expected[a];
		log_sum += answers[a] * log(Max(w[a], 1e-12));
	}
	return log_sum - all * log(Max(mean, 1e-12));
}

static void
try_delays(DunDelay *best, const double *answers, const double *expected)
{
	static const double shares[] = {.1, .2, .3, .4, .5, .6, .7, .8, .9, .95, .98, .99, 1};
	static const double times[] = {.1, .2, .35, .5, .75, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 18, 24, 36};
	double		most = -HUGE_VAL;
	DunDelay	d = *best;

	for (int i = 0; i < lengthof(times); i++)
		for (int j = i; j < lengthof(times); j++)
			for (int g = 0; g < lengthof(shares); g++)
			{
				double		l;

				d.t1 = times[i];
				d.t2 = times[j];
				d.g = shares[g];
				l = likelihood(&d, answers, expected);
				if (l > most)
				{
					most = l;
					*best = d;
				}
				if (i == j)
					break;
			}
}

void
dun_timing_learn_delay(DunPrior *prior, int medium, const DunAges *ages)
{
	DunDelay	usual,
				d;
	double		w[DUN_LONGEST_REACH],
				answers[DUN_LONGEST_REACH],
				expected[DUN_LONGEST_REACH],
				all = 0,
				mean = 0;

	usual_delay(medium, &usual);
	d = usual;
	if (usual.reach > 1)
	{
		double		usual_answers = 0,
					usual_mean = 0;

		dun_timing_weights(&usual, w);
		for (int a = 0; a < usual.reach; a++)
		{
			usual_answers += ages->answers[a];
			usual_mean += w[a] * ages->expected[a];
		}
		/* As many answers as are usual at each age, from contacts that are answered as often as these. */
		for (int a = 0; a < usual.reach; a++)
		{
			answers[a] = ages->answers[a] + DELAY_PSEUDO * w[a];
			expected[a] = ages->expected[a] + DELAY_PSEUDO * (usual_mean + SHARE_PSEUDO) / (usual_answers + SHARE_PSEUDO * FIRST_SHARE);
		}
		try_delays(&d, answers, expected);
	}
	dun_timing_weights(&d, w);
	for (int a = 0; a < d.reach; a++)
	{
		all += ages->answers[a];
		mean += w[a] * ages->expected[a];
	}
	prior->media[medium].g = d.g;
	prior->media[medium].t1 = d.t1;
	prior->media[medium].t2 = d.t2;
	prior->media[medium].q = (all + SHARE_PSEUDO * FIRST_SHARE) / (mean + SHARE_PSEUDO);
}

double
dun_timing_prior_change(const DunPrior *a, const DunPrior *b)
{
	double		most = 0;

	for (int i = 0; i < DUN_MEDIA; i++)
	{
		DunDelay	d[2] = {dun_timing_delay(a, i), dun_timing_delay(b, i)};
		double		w[2][DUN_LONGEST_REACH];
		double		change = 0;

		dun_timing_weights(&d[0], w[0]);
		dun_timing_weights(&d[1], w[1]);
		for (int h = 0; h < d[0].reach; h++)
			change += fabs(w[0][h] - w[1][h]);
		/* A rate that is wrong throughout is made good by what debtors answer: it takes more to matter. */
		change = Max(change, fabs(log(a->media[i].q / b->media[i].q)) / 3);
		most = Max(most, change);
	}
	return most;
}

void
dun_timing_keep_delays(DunPrior *prior, const DunPrior *before)
{
	memcpy(prior->media, before->media, sizeof(prior->media));
}
