/*
 * score/metrics.c
 *		AUC, log loss, Brier score, Kolmogorov-Smirnov distance, calibration error.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "score/metrics.h"
#include "score/sort.h"

#define BINS 10

typedef struct Scored
{
	double		p;
	uint8		y;
} Scored;

/* One walk over runs of equal scores: ranks for the AUC, both distributions for the KS. */
static void
measure_order(const Scored *s, DunMetrics *m)
{
	double		negatives = (double) (m->n - m->positives);
	double		rank_sum = 0;
	uint64		seen[2] = {0, 0};

	for (uint64 i = 0; i < m->n;)
	{
		uint64		from = i;
		uint64		positive = 0;

		for (; i < m->n && s[i].p == s[from].p; i++)
			positive += s[i].y;
		rank_sum += positive * ((from + 1 + i) / 2.0);
		seen[1] += positive;
		seen[0] += (i - from) - positive;
		m->ks = Max(m->ks, fabs(seen[1] / (double) m->positives - seen[0] / negatives));
	}
	m->auc = (rank_sum - m->positives * (m->positives + 1.0) / 2) / (m->positives * negatives);
}

static void
measure_calibration(const Scored *s, DunMetrics *m)
{
	uint64		i = 0;

	for (int bin = 1; bin <= BINS; bin++)
	{
		uint64		until = m->n * bin / BINS;
		double		p = 0,
					y = 0;

		for (; i < until || (i > 0 && i < m->n && s[i].p == s[i - 1].p); i++)
		{
			p += s[i].p;
			y += s[i].y;
		}
		m->ece += fabs(p - y) / m->n;
	}
}

DunMetrics
dun_score_measure(const double *p, const uint8 *y, uint64 n)
{
	DunMetrics	m = {.n = n};
	Scored	   *s = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(Scored));
	DunSortKey *order = MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * sizeof(DunSortKey));

	for (uint64 i = 0; i < n; i++)
	{
		order[i] = (DunSortKey) {dun_score_key_of(p[i]), (uint32) i};
		m.positives += y[i];
		m.log_loss -= log(y[i] ? p[i] : 1 - p[i]) / n;
		m.brier += (p[i] - y[i]) * (p[i] - y[i]) / n;
	}
	Assert(m.positives > 0 && m.positives < n);
	dun_score_sort_keys(order, (uint32) n);
	for (uint64 i = 0; i < n; i++)
		s[i] = (Scored) {p[order[i].row], y[order[i].row]};
	pfree(order);
	CHECK_FOR_INTERRUPTS();
	measure_order(s, &m);
	measure_calibration(s, &m);
	pfree(s);
	return m;
}
