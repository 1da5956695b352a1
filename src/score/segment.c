/*
 * score/segment.c
 *		SQL calls that learn segments: each reads a query and gives jsonb, whose predicates the SQL side keeps as a version.
 */
#include "postgres.h"

#include <math.h>

#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "base/errcodes.h"
#include "score/cluster.h"
#include "score/effect.h"
#include "score/json.h"
#include "score/segment_rows.h"
#include "score/tree.h"

/* What a group is told by: the columns whose middle lies farthest from that of all. */
#define TOLD_COLUMNS 3

static void
print_text_member(StringInfo into, const char *name, const char *value)
{
	appendStringInfo(into, ",\"%s\":", name);
	escape_json(into, value);
}

static Datum
as_jsonb(StringInfo text)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text->data));
}

/* least 0: a hundredth of the rows, fifty at least */
static DunRows *
read_rows(const char *query, const char *const *roles, int nroles, int *least)
{
	DunRows    *r = dun_score_read_segment_rows(query, roles, nroles);

	if (*least == 0)
		*least = Max(50, r->n / 100);
	if (r->n < 2 * (uint32) *least)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("segments cannot be learnt from %u rows", r->n),
				 errdetail("A segment has at least %d rows, so twice as many are needed.", *least),
				 errhint("Say otherwise with the option min_leaf, or write predicates: SELECT dunning.save_segment('large', 'amount_open > 1000', 5);")));
	if (r->ncolumns == 0)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("segments cannot be learnt: no column is left"),
				 errdetail("Columns of one value, without any, and texts that differ in every row tell nothing apart."),
				 errhint("Name others with the option columns: SELECT feature, meaning FROM dunning.feature_catalogue;")));
	return r;
}

/* --- a tree over an outcome --- */

/* Joined leaves leave nodes without rows behind. */
static bool
is_leaf(const DunTree *t, int node)
{
	return t->nodes[node].split.column < 0 && t->nodes[node].n > 0;
}

static int
compare_leaves(const void *a, const void *b, void *arg)
{
	const DunTree *t = arg;
	double		x = t->nodes[*(const int *) a].mean[0];
	double		y = t->nodes[*(const int *) b].mean[0];

	if (x != y)
		return x > y ? -1 : 1;
	return *(const int *) a - *(const int *) b;
}

static int
list_leaves(const DunTree *t, int *leaves)
{
	int			n = 0;

	for (int i = 0; i < t->nnodes; i++)
		if (is_leaf(t, i))
			leaves[n++] = i;
	return n;
}

static void
print_leaves(StringInfo out, const DunTree *t)
{
	int			leaves[DUN_TREE_NODES];
	int			n = list_leaves(t, leaves);

	qsort_arg(leaves, n, sizeof(int), compare_leaves, (void *) t);
	appendStringInfoString(out, ",\"segments\":[");
	for (int i = 0; i < n; i++)
	{
		const DunNode *node = &t->nodes[leaves[i]];
		StringInfoData predicate;

		initStringInfo(&predicate);
		dun_score_print_path(&predicate, t, leaves[i]);
		appendStringInfo(out, "%s{\"n\":%u", i > 0 ? "," : "", node->n);
		dun_score_print_member(out, "mean", node->mean[0]);
		dun_score_print_member(out, "sd", sqrt(node->error / Max(node->n, 1)));
		print_text_member(out, "predicate", predicate.data);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

PG_FUNCTION_INFO_V1(dun_score_sql_learn_tree);

Datum
dun_score_sql_learn_tree(PG_FUNCTION_ARGS)
{
	const char *const roles[] = {"target"};
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			depth = PG_GETARG_INT32(1);
	int			least = PG_GETARG_INT32(2);
	double		error[DUN_TREE_DEPTH + 1];
	StringInfoData out;
	DunRows    *r;
	DunBins    *bins;
	DunTree    *t;

	initStringInfo(&out);
	SPI_connect();
	r = read_rows(query, roles, 1, &least);
	bins = dun_score_make_bins(r, least);
	depth = Min(depth, DUN_TREE_DEPTH);
	appendStringInfo(&out, "{\"n\":%u,\"columns\":%d", r->n, r->ncolumns);
	t = dun_score_grow_segments(bins, r->role, 1, NULL, r->n, dun_score_choose_depth(bins, r->role, 1, depth, least, error), least);
	dun_score_print_members(&out, "error_by_depth", error, depth + 1);
	dun_score_print_member(&out, "mean", t->nodes[0].mean[0]);
	print_leaves(&out, t);
	appendStringInfoChar(&out, '}');
	SPI_finish();
	PG_RETURN_DATUM(as_jsonb(&out));
}

/* --- k-means, told by a tree --- */

/* The group that most rows of a leaf are in, and how many. */
static int
leaf_group(const DunTree *t, const DunClusters *g, int leaf, uint32 *n)
{
	uint32		count[DUN_MAX_CLUSTERS] = {0};
	int			best = 0;

	for (uint32 i = 0; i < t->nodes[leaf].n; i++)
		count[g->of[t->order[t->nodes[leaf].first + i]]]++;
	for (int j = 1; j < g->k; j++)
		if (count[j] > count[best])
			best = j;
	*n = count[best];
	return best;
}

typedef struct Told
{
	int			column;
	double		shift;			/* of the mean place among all, -0.5 to 0.5 */
	double		mean;
	double		all;
} Told;

static int
compare_told(const void *a, const void *b)
{
	const Told *x = a;
	const Told *y = b;

	if (fabs(x->shift) != fabs(y->shift))
		return fabs(x->shift) > fabs(y->shift) ? -1 : 1;
	return x->column - y->column;
}

/* Of the rows that the group's leaves hold, since those are what its predicate gives. */
static Told
tell_column(const DunBins *b, int c, const int *group_of_row, int group)
{
	Told		told = {.column = c};
	double		place[2] = {0};
	double		sum[2] = {0};
	uint32		n[2] = {0};

	for (uint32 i = 0; i < b->rows->n; i++)
		for (int whole = 0; whole < 2; whole++)
			if (fabs(b->rows->x[c][i]) < 1e15 && (whole || group_of_row[i] == group))
			{
				n[whole]++;
				place[whole] += (b->bin[c][i] + 0.5) / Max(b->nbins[c], 1);
				sum[whole] += b->rows->x[c][i];
			}
	if (n[0] > 0)
	{
		told.shift = place[0] / n[0] - place[1] / n[1];
		told.mean = sum[0] / n[0];
		told.all = sum[1] / n[1];
	}
	return told;
}

static void
print_group(StringInfo out, const DunTree *t, const int *group_of_leaf, const int *group_of_row, int group)
{
	const DunBins *b = t->bins;
	Told	   *told = palloc(sizeof(Told) * b->rows->ncolumns);
	StringInfoData predicate;
	uint32		n = 0;
	int			leaves = 0;
	int			numbers = 0;

	initStringInfo(&predicate);
	for (int i = 0; i < t->nnodes; i++)
		leaves += is_leaf(t, i) && group_of_leaf[i] == group;
	for (int i = 0, said = 0; i < t->nnodes; i++)
		if (is_leaf(t, i) && group_of_leaf[i] == group)
		{
			appendStringInfoString(&predicate, said++ > 0 ? " OR " : "");
			appendStringInfoString(&predicate, leaves > 1 ? "(" : "");
			dun_score_print_path(&predicate, t, i);
			appendStringInfoString(&predicate, leaves > 1 ? ")" : "");
			n += t->nodes[i].n;
		}
	appendStringInfo(out, "{\"n\":%u", n);
	print_text_member(out, "predicate", predicate.data);
	for (int c = 0; c < b->rows->ncolumns; c++)
		if (!b->rows->is_text[c])
			told[numbers++] = tell_column(b, c, group_of_row, group);
	qsort(told, numbers, sizeof(Told), compare_told);
	appendStringInfoString(out, ",\"columns\":[");
	for (int i = 0; i < Min(numbers, TOLD_COLUMNS); i++)
	{
		appendStringInfo(out, "%s{\"column\":", i > 0 ? "," : "");
		escape_json(out, b->rows->names[told[i].column]);
		dun_score_print_member(out, "mean", told[i].mean);
		dun_score_print_member(out, "all", told[i].all);
		dun_score_print_member(out, "shift", told[i].shift);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoString(out, "]}");
}

static void
print_groups(StringInfo out, DunTree *t, const DunClusters *g)
{
	int			group_of_leaf[DUN_TREE_NODES] = {0};
	int		   *group_of_row = palloc_extended(sizeof(int) * t->bins->rows->n, MCXT_ALLOC_HUGE);
	bool		has_leaf[DUN_MAX_CLUSTERS] = {false};
	uint32		right = 0;
	bool		first = true;

	for (int i = 0; i < t->nnodes; i++)
		if (is_leaf(t, i))
		{
			uint32		n;

			group_of_leaf[i] = leaf_group(t, g, i, &n);
			has_leaf[group_of_leaf[i]] = true;
			right += n;
			for (uint32 j = 0; j < t->nodes[i].n; j++)
				group_of_row[t->order[t->nodes[i].first + j]] = group_of_leaf[i];
		}
	dun_score_join_leaves(t, group_of_leaf);
	dun_score_print_member(out, "fidelity", (double) right / t->bins->rows->n);
	appendStringInfoString(out, ",\"segments\":[");
	for (int j = 0; j < g->k; j++)
		if (has_leaf[j])
		{
			if (!first)
				appendStringInfoChar(out, ',');
			first = false;
			print_group(out, t, group_of_leaf, group_of_row, j);
		}
	appendStringInfoChar(out, ']');
}

PG_FUNCTION_INFO_V1(dun_score_sql_learn_groups);

Datum
dun_score_sql_learn_groups(PG_FUNCTION_ARGS)
{
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			depth = Min(PG_GETARG_INT32(1), DUN_TREE_DEPTH);
	int			least = PG_GETARG_INT32(2);
	int			least_k = PG_GETARG_INT32(3);
	int			most_k = Min(PG_GETARG_INT32(4), DUN_MAX_CLUSTERS);
	StringInfoData out;
	DunRows    *r;
	DunClusters *g;
	double	  **y;
	bool		first = true;

	initStringInfo(&out);
	SPI_connect();
	r = read_rows(query, NULL, 0, &least);
	g = dun_score_find_clusters(r, least_k, most_k, (uint64) PG_GETARG_INT64(5));
	if (g == NULL)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("no groups can be told apart"),
				 errdetail("The rows differ in no number, or in fewer points than groups are asked for."),
				 errhint("Name other columns with the option columns: SELECT feature, meaning FROM dunning.feature_catalogue;")));
	y = palloc(sizeof(double *) * g->k);
	for (int j = 0; j < g->k; j++)
	{
		y[j] = palloc_extended(sizeof(double) * r->n, MCXT_ALLOC_HUGE);
		for (uint32 i = 0; i < r->n; i++)
			y[j][i] = g->of[i] == j;
	}
	appendStringInfo(&out, "{\"n\":%u,\"k\":%d,\"silhouette\":{", r->n, g->k);
	for (int k = least_k; k <= most_k; k++)
		if (!isnan(g->silhouette[k]))
		{
			appendStringInfo(&out, "%s\"%d\":", first ? "" : ",", k);
			dun_score_print_number(&out, g->silhouette[k]);
			first = false;
		}
	appendStringInfoChar(&out, '}');
	print_groups(&out, dun_score_grow_segments(dun_score_make_bins(r, least), y, g->k, NULL, r->n, depth, least), g);
	appendStringInfoChar(&out, '}');
	SPI_finish();
	PG_RETURN_DATUM(as_jsonb(&out));
}

/* --- a split by effect --- */

static void
print_effect(StringInfo out, const char *name, const DunEffect *e, double alpha)
{
	appendStringInfo(out, ",\"%s\":{\"control\":%u,\"treated\":%u,\"control_paid\":%u,\"treated_paid\":%u", name, e->n[0], e->n[1], e->had[0], e->had[1]);
	dun_score_print_member(out, "difference", e->difference);
	dun_score_print_member(out, "half_width", dun_score_interval(e->variance, alpha));
	appendStringInfoChar(out, '}');
}

static void
print_split(StringInfo out, const DunBins *bins, const DunEffectSplit *s, int segment, int arm, double alpha)
{
	double		half_width = dun_score_interval(s->variance, alpha);
	StringInfoData side;

	appendStringInfo(out, "{\"segment\":%d,\"arm\":%d", segment, arm);
	print_effect(out, "all", &s->all, alpha);
	if (s->split.column >= 0)
	{
		for (int i = 0; i < 2; i++)
		{
			initStringInfo(&side);
			dun_score_print_side(&side, bins, &s->split, i == 0);
			print_text_member(out, i == 0 ? "left" : "right", side.data);
			print_effect(out, i == 0 ? "left_chosen" : "right_chosen", &s->chosen[i], alpha);
			print_effect(out, i == 0 ? "left_judged" : "right_judged", &s->judged[i], alpha);
		}
		dun_score_print_member(out, "gap", s->gap);
		dun_score_print_member(out, "half_width", half_width);
		appendStringInfo(out, ",\"enough\":%s,\"holds\":%s", s->enough ? "true" : "false", s->enough && fabs(s->gap) > half_width ? "true" : "false");
	}
	appendStringInfoChar(out, '}');
}

/* The units of a segment that are in the control (arm 1) or in another arm. */
static DunUnits
pick_units(const DunBins *bins, int segment, int arm)
{
	const DunRows *r = bins->rows;
	DunUnits	u = {.bins = bins};

	u.row = palloc_extended(sizeof(uint32) * Max(r->n, 1), MCXT_ALLOC_HUGE);
	u.arm = palloc_extended(Max(r->n, 1), MCXT_ALLOC_HUGE);
	u.had = palloc_extended(Max(r->n, 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < r->n; i++)
		if (r->role[0][i] == segment && (r->role[1][i] == 1 || r->role[1][i] == arm))
		{
			u.row[u.n] = i;
			u.arm[u.n] = r->role[1][i] == arm;
			u.had[u.n++] = r->role[2][i] > 0.5;
		}
	return u;
}

PG_FUNCTION_INFO_V1(dun_score_sql_learn_splits);

Datum
dun_score_sql_learn_splits(PG_FUNCTION_ARGS)
{
	const char *const roles[] = {"segment", "arm", "outcome"};
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			segments = PG_GETARG_INT32(1);
	int			arms = PG_GETARG_INT32(2);
	int			least = PG_GETARG_INT32(3);
	double		alpha = PG_GETARG_FLOAT8(4);
	DunEffectSplit *splits = palloc0(sizeof(DunEffectSplit) * segments * arms);
	int			looked_at = 0;
	StringInfoData out;
	DunBins    *bins;

	initStringInfo(&out);
	SPI_connect();
	bins = dun_score_make_bins(dun_score_read_segment_rows(query, roles, 3), least);
	for (int i = 0; i < segments; i++)
		for (int arm = 1; arm < arms; arm++)
		{
			DunUnits	u = pick_units(bins, i + 1, arm + 1);

			splits[i * arms + arm] = dun_score_split_effect(&u, least);
			looked_at += splits[i * arms + arm].split.column >= 0;
			pfree(u.row);
			pfree(u.arm);
			pfree(u.had);
		}
	/* as many questions as were asked share the error */
	alpha /= Max(looked_at, 1);
	appendStringInfo(&out, "{\"n\":%u,\"looked_at\":%d", bins->rows->n, looked_at);
	dun_score_print_member(&out, "alpha", alpha);
	appendStringInfoString(&out, ",\"splits\":[");
	for (int i = 0; i < segments; i++)
		for (int arm = 1; arm < arms; arm++)
		{
			appendStringInfoString(&out, i + arm > 1 ? "," : "");
			print_split(&out, bins, &splits[i * arms + arm], i + 1, arm + 1, alpha);
		}
	appendStringInfoString(&out, "]}");
	SPI_finish();
	PG_RETURN_DATUM(as_jsonb(&out));
}
