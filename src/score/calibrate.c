/*
 * score/calibrate.c
 *		Platt's two numbers, or isotonic regression on bins of equal count.
 *
 * Platt, "Probabilistic outputs for support vector machines" (1999), with his smoothed targets. Isotonic:
 * neighbouring bins that do not rise are pooled (pool adjacent violators), and log-odds between the means of
 * two pools lie on the line through them, so that two scores never become one. Each bin is drawn to Platt's
 * answer as by two more rows, or a bin of one class would claim certainty.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "score/calibrate.h"
#include "score/json.h"
#include "score/sort.h"

#define MAX_STEPS 100
#define LEAST_SLOPE 0.01		/* scores that order nothing still keep their order */
#define MOST_SLOPE 100.0
#define LEAST_BIN 50
#define BINS 200
#define DRAWN 2.0

static const char *const method_names[] = {"auto", "none", "platt", "isotonic"};

bool
dun_score_parse_calibration(const char *name, DunCalibrationMethod *method)
{
	for (int i = 0; i < lengthof(method_names); i++)
		if (strcmp(method_names[i], name) == 0)
		{
			*method = (DunCalibrationMethod) i;
			return true;
		}
	return false;
}

static double
sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double
softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Rows of about one log-odds: a single one, or a bin. */
typedef struct Point
{
	double		logit;
	double		rows;
	double		positives;
	double		target;			/* positives, smoothed */
} Point;

static double
platt_loss(const Point *points, uint32 n, double a, double b)
{
	double		loss = 0;

	for (uint32 i = 0; i < n; i++)
	{
		double		x = a * points[i].logit + b;

		loss += points[i].rows * softplus(x) - points[i].target * x;
	}
	return loss;
}

/* Newton's method with halved steps; `slope_fixed` leaves a as it is. */
static void
solve_platt(const Point *points, uint32 n, bool slope_fixed, double *a, double *b)
{
	double		loss = platt_loss(points, n, *a, *b);

	for (int step = 0; step < MAX_STEPS; step++)
	{
		double		ga = 0,
					gb = 0,
					haa = 1e-9,
					hab = 0,
					hbb = 1e-9,
					before = loss,
					scale = 1;
		double		da,
					db;

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; i < n; i++)
		{
			double		x = points[i].logit;
			double		p = sigmoid(*a * x + *b);
			double		w = points[i].rows * p * (1 - p);
			double		g = points[i].target - points[i].rows * p;

			ga += g * x;
			gb += g;
			haa += w * x * x;
			hab += w * x;
			hbb += w;
		}
		if (slope_fixed || haa * hbb - hab * hab <= 1e-12 * haa * hbb)
		{
			da = 0;
			db = gb / hbb;
		}
		else
		{
			da = (hbb * ga - hab * gb) / (haa * hbb - hab * hab);
			db = (haa * gb - hab * ga) / (haa * hbb - hab * hab);
		}
		for (;;)
		{
			loss = platt_loss(points, n, *a + scale * da, *b + scale * db);
			if (loss <= before || scale < 1e-6)
				break;
			scale /= 2;
		}
		if (!(loss < before))
			break;
		*a += scale * da;
		*b += scale * db;
		if (before - loss <= 1e-12 * (fabs(before) + 1))
			break;
	}
}

static void
fit_platt(Point *points, uint32 n, double *a, double *b)
{
	double		count[2] = {0, 0};

	for (uint32 i = 0; i < n; i++)
	{
		count[1] += points[i].positives;
		count[0] += points[i].rows - points[i].positives;
	}
	for (uint32 i = 0; i < n; i++)
		points[i].target = points[i].positives * (count[1] + 1) / (count[1] + 2) +
			(points[i].rows - points[i].positives) / (count[0] + 2);
	*a = 1;
	*b = 0;
	solve_platt(points, n, false, a, b);
	if (*a < LEAST_SLOPE || *a > MOST_SLOPE)
	{
		*a = *a < LEAST_SLOPE ? LEAST_SLOPE : MOST_SLOPE;
		*b = 0;
		solve_platt(points, n, true, a, b);
	}
}

/* A bin, and later a pool of neighbouring bins. */
typedef struct Pool
{
	double		rows;
	double		logit;			/* sum */
	double		positives;		/* drawn to Platt's answer */
	double		count;			/* rows, and those it is drawn by */
} Pool;

static double
rate(const Pool *p)
{
	return p->positives / p->count;
}

/* Bins of equal count from rows in order; equal log-odds share one. */
static int
make_bins(const DunSortKey *order, const double *logit, const uint8 *y, uint32 n, Point *bins)
{
	uint32		size = Max(LEAST_BIN, n / BINS);
	int			nbins = 0;

	for (uint32 i = 0; i < n;)
	{
		Point	   *p = &bins[nbins++];
		uint32		from = i;

		*p = (Point) {0};
		/* What is left at the end is no bin of its own. */
		for (; i < n && (i < from + size || n - i < size || order[i].key == order[i - 1].key); i++)
		{
			p->logit += logit[order[i].row];
			p->positives += y[order[i].row];
			p->rows++;
		}
		p->logit /= p->rows;
	}
	return nbins;
}

static void
draw_bins(const Point *bins, int n, double a, double b, Pool *pools)
{
	for (int i = 0; i < n; i++)
	{
		double		platt = sigmoid(a * bins[i].logit + b);

		pools[i] = (Pool) {
			.rows = bins[i].rows, .logit = bins[i].logit * bins[i].rows,
			.positives = bins[i].positives + DRAWN * Max(1e-6, Min(1 - 1e-6, platt)), .count = bins[i].rows + DRAWN
		};
	}
}

static int
pool_violators(Pool *pools, int n)
{
	int			top = 0;

	for (int i = 0; i < n; i++)
	{
		pools[top++] = pools[i];
		while (top > 1 && rate(&pools[top - 2]) >= rate(&pools[top - 1]))
		{
			pools[top - 2].rows += pools[top - 1].rows;
			pools[top - 2].logit += pools[top - 1].logit;
			pools[top - 2].positives += pools[top - 1].positives;
			pools[top - 2].count += pools[top - 1].count;
			top--;
		}
	}
	return top;
}

/* The rows by rising log-odds; those who calibrate fold by fold bring them in that order. */
static DunSortKey *
order_rows(const double *logit, uint32 n)
{
	DunSortKey *order = palloc_extended(sizeof(DunSortKey) * n, MCXT_ALLOC_HUGE);
	bool		ascending = true;

	for (uint32 i = 0; i < n; i++)
	{
		order[i] = (DunSortKey) {dun_score_key_of(logit[i]), i};
		ascending &= i == 0 || order[i - 1].key <= order[i].key;
	}
	if (!ascending)
		dun_score_sort_keys(order, n);
	return order;
}

/* Platt's two numbers are learnt from the bins as well: there are fewer of them than rows. */
static void
fit_isotonic(DunCalibration *c, const double *logit, const uint8 *y, uint32 n)
{
	DunSortKey *order = order_rows(logit, n);
	Point	   *bins = palloc(sizeof(Point) * (BINS + 2));
	Pool	   *pools = palloc(sizeof(Pool) * (BINS + 2));
	double		b;
	int			npools;

	npools = make_bins(order, logit, y, n, bins);
	pfree(order);
	fit_platt(bins, npools, &c->slope, &b);
	draw_bins(bins, npools, c->slope, b, pools);
	npools = pool_violators(pools, npools);
	c->n = npools;
	c->at = palloc(sizeof(double) * npools);
	c->to = palloc(sizeof(double) * npools);
	for (int i = 0; i < npools; i++)
	{
		c->at[i] = pools[i].logit / pools[i].rows;
		c->to[i] = log(rate(&pools[i]) / (1 - rate(&pools[i])));
	}
	pfree(bins);
	pfree(pools);
}

static void
fit_rows(DunCalibration *c, const double *logit, const uint8 *y, uint32 n)
{
	Point	   *points = palloc_extended(sizeof(Point) * n, MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < n; i++)
		points[i] = (Point) {logit[i], 1, y[i]};
	c->n = 1;
	c->at = palloc0(sizeof(double));
	c->to = palloc(sizeof(double));
	fit_platt(points, n, &c->slope, &c->to[0]);
	pfree(points);
}

DunCalibration
dun_score_fit_calibration(DunCalibrationMethod method, const double *logit, const uint8 *y, uint32 n)
{
	DunCalibration c = {.method = method};

	if (c.method == DUN_CALIBRATE_ISOTONIC)
		fit_isotonic(&c, logit, y, n);
	else if (c.method == DUN_CALIBRATE_PLATT)
		fit_rows(&c, logit, y, n);
	return c;
}

double
dun_score_apply_calibration(const DunCalibration *c, double logit)
{
	int			low = 0,
				high = c->n - 1;

	if (c->n == 0)
		return logit;
	if (logit <= c->at[0])
		return c->to[0] + c->slope * (logit - c->at[0]);
	if (logit >= c->at[high])
		return c->to[high] + c->slope * (logit - c->at[high]);
	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (c->at[middle] <= logit)
			low = middle;
		else
			high = middle;
	}
	return c->to[low] + (c->to[high] - c->to[low]) * ((logit - c->at[low]) / (c->at[high] - c->at[low]));
}

void
dun_score_print_calibration(StringInfo into, const DunCalibration *c)
{
	appendStringInfo(into, ",\"calibration\":{\"method\":\"%s\"", method_names[c->method]);
	if (c->n > 0)
	{
		dun_score_print_members(into, "at", c->at, c->n);
		dun_score_print_members(into, "to", c->to, c->n);
		dun_score_print_member(into, "slope", c->slope);
	}
	appendStringInfoChar(into, '}');
}

DunCalibration
dun_score_read_calibration(JsonbContainer *body)
{
	DunCalibration c = {.method = DUN_CALIBRATE_NONE};
	JsonbContainer *object;
	int			n;

	if (!dun_score_json_has(body, "calibration"))
		return c;
	object = dun_score_json_member(body, "calibration");
	if (!dun_score_parse_calibration(dun_score_json_text(object, "method"), &c.method))
		elog(ERROR, "a model has an unknown calibration");
	if (c.method == DUN_CALIBRATE_NONE)
		return c;
	c.at = dun_score_json_numbers(object, "at", &c.n);
	c.to = dun_score_json_numbers(object, "to", &n);
	c.slope = dun_score_json_number(object, "slope");
	if (n != c.n || n == 0)
		elog(ERROR, "a model's calibration has %d knots and %d values", c.n, n);
	return c;
}

static void
print_line_sql(StringInfo into, double to, double slope, double at)
{
	appendStringInfoString(into, "float8 '");
	dun_score_print_number(into, to);
	appendStringInfoString(into, "' + float8 '");
	dun_score_print_number(into, slope);
	appendStringInfoString(into, "' * (c.l - float8 '");
	dun_score_print_number(into, at);
	appendStringInfoString(into, "')");
}

void
dun_score_print_calibration_sql(StringInfo into, const DunCalibration *c, const char *logit)
{
	if (c->n == 0)
	{
		appendStringInfo(into, "(%s)", logit);
		return;
	}
	appendStringInfoString(into, "(SELECT CASE WHEN c.l <= float8 '");
	dun_score_print_number(into, c->at[0]);
	appendStringInfoString(into, "' THEN ");
	print_line_sql(into, c->to[0], c->slope, c->at[0]);
	for (int i = 1; i < c->n; i++)
	{
		if (c->at[i] <= c->at[i - 1])
			continue;
		appendStringInfoString(into, " WHEN c.l < float8 '");
		dun_score_print_number(into, c->at[i]);
		appendStringInfoString(into, "' THEN ");
		print_line_sql(into, c->to[i - 1], (c->to[i] - c->to[i - 1]) / (c->at[i] - c->at[i - 1]), c->at[i - 1]);
	}
	appendStringInfoString(into, " ELSE ");
	print_line_sql(into, c->to[c->n - 1], c->slope, c->at[c->n - 1]);
	appendStringInfo(into, " END FROM (SELECT %s AS l OFFSET 0) c)", logit);
}
