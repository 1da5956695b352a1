/*
 * score/cluster.h
 *		k-means over columns brought to quantiles, and how well its groups stand apart.
 */
#ifndef DUN_SCORE_CLUSTER_H
#define DUN_SCORE_CLUSTER_H

#include "postgres.h"

#include "score/segment_rows.h"

#define DUN_MAX_CLUSTERS 12

typedef struct DunClusters
{
	int			k;
	int			least_k;
	int			most_k;
	double		silhouette[DUN_MAX_CLUSTERS + 1];	/* of each k that was tried, on a sample; NaN: not tried */
	uint8	   *of;				/* the group of each row, the largest group 0 */
	uint32		count[DUN_MAX_CLUSTERS];
} DunClusters;

/* k is the one of best mean silhouette (Rousseeuw 1987), the smaller of equals. NULL: no two rows differ. */
extern DunClusters *dun_score_find_clusters(const DunRows *rows, int least_k, int most_k, uint64 seed);

#endif
