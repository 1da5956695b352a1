/*
 * timing/calibrate.c
 *		A model's own best hour is a winner's curse: in a world without any effect of timing it claims +50 %. One contact
 *		in twenty goes to an allowed instant drawn by lot; on these alone
 *
 *			logit P = a + b1 mean + b2 (x - mean)
 *
 * is fitted, x the model's log-odds at the instant and mean those of the average over the allowed ones. a and b1 mend the
 * level, of which a debtor's hours are innocent; b2 is how much of the difference between hours is real. With one slope
 * for both, what is known of debtors would pass for what is known of hours.
 *
 * The chance that is reported of a chosen instant is the same formula fitted on the chosen ones, of which there are many;
 * what of it is gain is b2 (x - mean) all the same, so that the two never get mixed up.
 *
 * One line more has a bend, b3 max(0, bend - x): of those who hardly ever answered the model is too sure.
 *
 * Newton's method on the parameters, drawn to what is usual (a = 0, b1 = 1: the model as it is) as by a few dozen contacts.
 * Of b2 = b with the standard error s, b - 2 s^2 / b is claimed, nothing below b = 1.4 s, never more than 1: the twice
 * s^2 is what an estimate gains by chance and loses again in use.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "timing/calibrate.h"

#define ROUNDS 25
#define PRIOR_A 0.5				/* standard deviations */
#define PRIOR_B1 0.25
#define PRIOR_B2 1.0
#define PRIOR_B3 0.25
#define PARTS DUN_CALIBRATION_PARTS
#define LEAST_CHANCE 1e-6
#define FLAT_BELOW 0.15			/* where b2 is surely less, hours make no difference worth waiting for */

double
dun_timing_log_odds(double chance)
{
	double		p = Min(1 - LEAST_CHANCE, Max(LEAST_CHANCE, chance));

	return log(p / (1 - p));
}

double
dun_timing_calibrated(const DunCalibration *c, double x, double mean, bool drawn, double *baseline)
{
	double		gain = c->b2 * (x - mean);
	double		logit = c->a + c->b1 * mean + gain;

	if (!drawn && c->chosen[1] > 0)
		logit = c->chosen[0] + c->chosen[1] * mean + c->chosen[2] * Max(0, c->chosen[4] - x) + c->chosen[3] * (x - mean);
	*baseline = 1 / (1 + exp(gain - logit));
	return 1 / (1 + exp(-logit));
}

/* Solves the symmetric h d = g and leaves the inverse's last element, by Cholesky. false: not positive. */
static bool
solve(double h[PARTS][PARTS], const double g[PARTS], double d[PARTS], double *last)
{
	double		l[PARTS][PARTS];

	for (int i = 0; i < PARTS; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = h[i][j];

			for (int k = 0; k < j; k++)
				sum -= l[i][k] * l[j][k];
			if (i == j && !(sum > 0))
				return false;
			l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
		}
	for (int i = 0; i < PARTS; i++)
	{
		d[i] = g[i];
		for (int k = 0; k < i; k++)
			d[i] -= l[i][k] * d[k];
		d[i] /= l[i][i];
	}
	for (int i = PARTS - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < PARTS; k++)
			d[i] -= l[k][i] * d[k];
		d[i] /= l[i][i];
	}
	*last = 1 / (l[PARTS - 1][PARTS - 1] * l[PARTS - 1][PARTS - 1]);
	return true;
}

bool
dun_timing_fit_calibration(const double *x, const double *mean, const bool *answered, int n,
						   const double usual[PARTS], double bend, DunCalibrationFit *fit)
{
	static const double weight[PARTS] = {
		1 / (PRIOR_A * PRIOR_A), 1 / (PRIOR_B1 * PRIOR_B1), 1 / (PRIOR_B3 * PRIOR_B3), 1 / (PRIOR_B2 * PRIOR_B2)
	};
	double		step = 1,
				variance = 0;

	memcpy(fit->b, usual, sizeof(fit->b));
	for (int round = 0; round < ROUNDS && step > 1e-9; round++)
	{
		double		h[PARTS][PARTS] = {{0}};
		double		g[PARTS],
					d[PARTS];

		for (int j = 0; j < PARTS; j++)
		{
			h[j][j] = weight[j];
			g[j] = weight[j] * (usual[j] - fit->b[j]);
		}
		for (int i = 0; i < n; i++)
		{
			double		v[PARTS] = {1, mean[i], Max(0, bend - x[i]), x[i] - mean[i]};
			double		logit = 0;
			double		p;

			if (i % 4096 == 0)
				CHECK_FOR_INTERRUPTS();
			for (int j = 0; j < PARTS; j++)
				logit += fit->b[j] * v[j];
			p = 1 / (1 + exp(-logit));

			for (int j = 0; j < PARTS; j++)
			{
				g[j] += (answered[i] - p) * v[j];
				for (int k = 0; k <= j; k++)
					h[j][k] += p * (1 - p) * v[j] * v[k];
			}
		}
		if (!solve(h, g, d, &variance))
			return false;
		step = 0;
		for (int j = 0; j < PARTS; j++)
		{
			/* Bounded: far out a logistic is flat, and Newton's step would leap. */
			d[j] = Min(2, Max(-2, d[j]));
			fit->b[j] += d[j];
			step = Max(step, fabs(d[j]));
		}
	}
	/* The standard error of the data: what the prior adds to what is known is taken off again. */
	variance = 1 / Max(1 / variance - weight[PARTS - 1], 1e-9);
	fit->error = sqrt(variance);
	return n > 0;
}

DunCalibration
dun_timing_claimed(const DunCalibrationFit *fit)
{
	double		b = fit->b[PARTS - 1];
	double		chance = 2 * fit->error * fit->error;
	DunCalibration c = {.a = fit->b[0], .b1 = Max(fit->b[1], 0.05)};

	if (b > 0 && b * b > chance)
		c.b2 = Min(1, b - chance / b);
	c.flat = c.b2 == 0 && b + 2 * fit->error < FLAT_BELOW;
	return c;
}
