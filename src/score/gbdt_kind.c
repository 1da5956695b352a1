/*
 * score/gbdt_kind.c
 *		The kind `gbdt`: the server's side of the trees in gbdt.h.
 *
 * In a body each tree is a text that reads from the root, left before right: "3 17 L 20915" is a split of feature 3
 * after bin 17, missing values to the left, over 20915 training rows; "3 {2 5} L 800" one by bins of a text, "= -0.12
 * 400" a leaf. Bin 0 is missing. Of a number, bin b ends below the feature's cut b; of a text, bin 1 is any other text
 * and bin 2 the first level.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/errcodes.h"
#include "score/expression.h"
#include "score/gbdt.h"
#include "score/json.h"
#include "score/kind.h"
#include "score/progress.h"

/* Parameters are chosen on at most this many rows, the number of trees on all. */
#define SEARCH_ROWS 50000

#define PATIENCE 20
#define MAX_BINS 256

/*
 * Trees of few rows take smaller steps, and more of them: what each draws by chance of rows and columns then counts for
 * less. With more rows it counts for little anyhow.
 */
#define RATE 0.05
#define COLUMNS 0.8
#define COST 1.0
#define FEW_ROWS 60000
#define MOST_STEPS 4.0			/* in place of one */
#define MOST_TREES 2000.0		/* steps are not made smaller beyond this */

/* All rows carry more trees than those of all folds but one, in proportion at most. */
#define MOST_MORE 1.25

enum
{
	TREES,
	DEPTH,
	MIN_CHILD_WEIGHT,
	LEARNING_RATE,
	LEAF_LAMBDA,
	ROW_SAMPLE,
	COLUMN_SAMPLE,
	LEVEL_COST
};

static const DunOption options_list[] = {
	{"trees", 1, 5000, NAN, true},
	{"depth", 1, DUN_GBDT_MAX_DEPTH, NAN, true},
	{"min_child_weight", 0, 1e12, NAN, false},
	{"learning_rate", 0.001, 1, NAN, false},
	{"leaf_lambda", 0.001, 1e12, 1, false},
	{"row_sample", 0.1, 1, 0.8, false},
	{"column_sample", 0.01, 1, NAN, false},
	{"level_cost", 0, 10, NAN, false},
};

typedef struct Trees
{
	DunForest  *forest;
	uint8	   *room;			/* for walking */
} Trees;

/* For the core's calls back. */
typedef struct Surroundings
{
	MemoryContext context;
	const char *model;
} Surroundings;

static void *
take_memory(void *context, size_t size)
{
	return MemoryContextAllocHuge(((Surroundings *) context)->context, size);
}

static void
give_memory(void *context, void *p)
{
	pfree(p);
}

static void
poll_server(void *context, const char *stage, int done, int total)
{
	Surroundings *s = context;

	CHECK_FOR_INTERRUPTS();
	if (done % 10 == 0)
		dun_score_report_progress(s->model, stage, done, total);
}

static Surroundings
surround(const DunTrainSet *set)
{
	return (Surroundings) {CurrentMemoryContext, set->name};
}

static DunGbdtHost
open_host(Surroundings *s)
{
	return (DunGbdtHost) {s, take_memory, give_memory, poll_server};
}

/* Two copies of its bins; four more for what each row has of its own, spread over a few columns. */
static Size
row_bytes(DunFeatureType type, const double *options)
{
	return 6;
}

static void *
prepare(const DunTrainSet *set, const double *options)
{
	Surroundings s = surround(set);
	DunGbdtHost host = open_host(&s);
	DunBinColumn *columns = palloc0(sizeof(DunBinColumn) * set->nfeatures);

	for (int i = 0; i < set->nfeatures; i++)
	{
		columns[i].categorical = set->features[i].type == DUN_TEXT;
		columns[i].nlevels = set->features[i].nlevels;
		columns[i].direction = set->features[i].monotone;
	}
	return dun_score_bin_columns(&host, (const float *const *) set->x, columns, set->nfeatures, set->n);
}

static DunGbdtParams
params_of(const DunTrainSet *set, const double *options)
{
	return (DunGbdtParams) {
		.trees = isnan(options[TREES]) ? 0 : (int) options[TREES],
		.depth = isnan(options[DEPTH]) ? 0 : (int) options[DEPTH],
		.patience = PATIENCE,
		.eta = isnan(options[LEARNING_RATE]) ? RATE : options[LEARNING_RATE],
		.min_child_weight = isnan(options[MIN_CHILD_WEIGHT]) ? -1 : options[MIN_CHILD_WEIGHT],
		.lambda = options[LEAF_LAMBDA],
		.row_sample = options[ROW_SAMPLE],
		.column_sample = isnan(options[COLUMN_SAMPLE]) ? -1 : options[COLUMN_SAMPLE],
		.level_cost = isnan(options[LEVEL_COST]) ? -1 : options[LEVEL_COST],
		.seed = set->seed,
	};
}

/* Enough of both classes among the first rows, which are a random sample? */
static uint32
search_rows(const DunTrainSet *set, const uint32 *rows, uint32 nrows)
{
	uint32		n = Min(nrows, SEARCH_ROWS);
	uint32		positives = 0;

	for (uint32 i = 0; i < n; i++)
		positives += set->y[rows[i]];
	return positives < 10 * DUN_MIN_CLASS || n - positives < 10 * DUN_MIN_CLASS ? nrows : n;
}

/* From the number of trees that a fold carries to that of all rows, and to smaller steps. */
static void
settle_trees(const DunTrainSet *set, uint32 nrows, bool open_rate, DunGbdtParams *p)
{
	double		trees = Max(p->trees, 1) * Min(set->folds / (set->folds - 1.0), MOST_MORE);
	double		steps = Min(Min(MOST_STEPS, (double) FEW_ROWS / nrows), MOST_TREES / trees);

	if (open_rate && steps > 1)
	{
		trees *= steps;
		p->eta /= steps;
	}
	p->trees = (int) (trees + 0.5);
}

static void
tune(const DunTrainSet *set, void *prepared, const uint32 *rows, uint32 nrows, double *options)
{
	Surroundings s = surround(set);
	DunGbdtHost host = open_host(&s);
	DunGbdtParams p = params_of(set, options);
	uint32		n = search_rows(set, rows, nrows);
	bool		open_trees = p.trees == 0;
	bool		open_shape = p.depth == 0 || p.min_child_weight < 0;
	bool		open_rate = isnan(options[LEARNING_RATE]);

	/* Who says what trees look like and how many there are gets these at once. */
	if (!open_trees && !open_shape && p.column_sample < 0)
		p.column_sample = COLUMNS;
	if (!open_trees && !open_shape && p.level_cost < 0)
		p.level_cost = COST;
	if (open_shape || p.column_sample < 0 || p.level_cost < 0 || (open_trees && n == nrows))
		dun_score_choose_trees(&host, prepared, set->y, set->weight, set->fold, set->folds, rows, n, &p);
	/* More rows carry more trees: how many, the first fold says for all the others. */
	if (open_trees && n < nrows)
	{
		p.trees = 0;
		dun_score_choose_trees(&host, prepared, set->y, set->weight, set->fold, 1, rows, nrows, &p);
	}
	if (open_trees)
		settle_trees(set, nrows, open_rate, &p);
	options[TREES] = p.trees;
	options[DEPTH] = p.depth;
	options[MIN_CHILD_WEIGHT] = p.min_child_weight;
	options[LEARNING_RATE] = p.eta;
	options[COLUMN_SAMPLE] = p.column_sample;
	options[LEVEL_COST] = p.level_cost;
}

static Trees *
make_trees(DunForest *forest)
{
	Trees	   *t = palloc0(sizeof(Trees));

	t->forest = forest;
	t->room = palloc0((Size) DUN_GBDT_BATCH * Max(forest->ncols, 1));
	return t;
}

static void *
train(const DunTrainSet *set, void *prepared, const uint32 *rows, uint32 nrows, const double *options, const void *start)
{
	Surroundings s = surround(set);
	DunGbdtHost host = open_host(&s);
	DunGbdtParams p = params_of(set, options);
	DunForest  *forest = dun_score_boost_trees(&host, prepared, set->y, set->weight, rows, nrows, &p);

	dun_score_finish_forest(&host, forest);
	return make_trees(forest);
}

/* By the bins that training already has. */
static void
apply(const DunTrainSet *set, void *prepared, const void *body, const uint32 *rows, uint32 nrows, double *logit)
{
	const DunForest *f = ((const Trees *) body)->forest;
	float	   *margin = palloc_extended(sizeof(float) * set->n, MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < nrows; i++)
		margin[rows[i]] = f->base;
	for (int tree = 0; tree < f->ntrees; tree++)
	{
		CHECK_FOR_INTERRUPTS();
		dun_score_walk_bins(f, tree, prepared, rows, nrows, margin);
	}
	for (uint32 i = 0; i < nrows; i++)
		logit[i] = margin[rows[i]];
	pfree(margin);
}

static void
logits(const void *body, const double *rows, int n, double *logit)
{
	const Trees *t = body;

	dun_score_walk_rows(t->forest, rows, n, logit, t->room);
}

static double
contributions(const void *body, const double *row, double *terms)
{
	return dun_score_walk_contributions(((const Trees *) body)->forest, row, terms);
}

static void
print_float(StringInfo into, float value)
{
	char		digits[FLOAT_SHORTEST_DECIMAL_LEN];

	if (!isfinite(value))
		elog(ERROR, "a tree has a number that is not finite");
	float_to_shortest_decimal_buf(value, digits);
	appendStringInfoString(into, digits);
}

static bool
is_split(const DunForest *f, int tree, int at)
{
	Size		number = (Size) tree * ((1 << f->depth) - 1) + at;

	return at < (1 << f->depth) - 1 &&
		((f->masks_at && f->masks_at[number] >= 0) || f->nodes[number].threshold != UINT8_MAX || f->nodes[number].skip);
}

static void
print_node(StringInfo into, const DunForest *f, int tree, int at)
{
	int			inner = (1 << f->depth) - 1;
	Size		number = (Size) tree * inner + at;
	uint32		cover = f->covers[(Size) tree * (2 * inner + 1) + at];
	const DunTreeNode *node = &f->nodes[number];

	if (at > 0)
		appendStringInfoString(into, "; ");
	if (!is_split(f, tree, at))
	{
		/* What follows a closed node goes left. */
		for (; at < inner; at = 2 * at + 1)
			;
		appendStringInfoString(into, "= ");
		print_float(into, f->leaves[(Size) tree * (inner + 1) + at - inner]);
		appendStringInfo(into, " %u", cover);
		return;
	}
	appendStringInfo(into, "%u ", node->column);
	if (f->masks_at && f->masks_at[number] >= 0)
	{
		const uint64 *mask = f->masks[f->masks_at[number]];
		bool		first = true;

		for (int b = 1; b < f->columns[node->column].nbins; b++)
			if (mask[b / 64] >> (b % 64) & 1)
			{
				appendStringInfo(into, first ? "{%d" : " %d", b);
				first = false;
			}
		appendStringInfo(into, "%s} %c %u", first ? "{" : "", mask[0] & 1 ? 'L' : 'R', cover);
	}
	else
		appendStringInfo(into, "%d %c %u", node->threshold + node->skip, node->skip ? 'R' : 'L', cover);
	print_node(into, f, tree, 2 * at + 1);
	print_node(into, f, tree, 2 * at + 2);
}

static void
print(StringInfo into, const void *body)
{
	const DunForest *f = ((const Trees *) body)->forest;

	dun_score_print_member(into, "base", f->base);
	dun_score_print_member(into, "depth", f->depth);
	appendStringInfoString(into, ",\"trees\":[");
	for (int tree = 0; tree < f->ntrees; tree++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(into, tree ? ",\"" : "\"");
		print_node(into, f, tree, 0);
		appendStringInfoChar(into, '"');
	}
	appendStringInfoChar(into, ']');
}

static void
print_feature(StringInfo into, const void *body, const DunFeature *features, int feature)
{
	const DunBinColumn *c = &((const Trees *) body)->forest->columns[feature];

	if (c->categorical)
		return;
	appendStringInfoString(into, ",\"cuts\":[");
	for (int i = 0; i < c->ncuts; i++)
	{
		if (i)
			appendStringInfoChar(into, ',');
		print_float(into, c->cuts[i]);
	}
	appendStringInfoChar(into, ']');
}

static void
refuse_tree(void)
{
	ereport(ERROR,
			(errcode(DUN_ERR_MODEL),
			 errmsg("the body of a model cannot be read: a tree is not as it was written"),
			 errdetail("It was written by another version of the extension, or changed."),
			 errhint("Train the model again: SELECT * FROM dunning.fit(model, query, label);")));
}

static long
read_whole(char **at, long most)
{
	char	   *end;
	long		value = strtol(*at, &end, 10);

	if (end == *at || value < 0 || value > most)
		refuse_tree();
	*at = end;
	return value;
}

static void
read_mask(char **at, uint64 *mask)
{
	memset(mask, 0, sizeof(uint64) * 4);
	for ((*at)++; **at != '}';)
	{
		long		b = read_whole(at, MAX_BINS - 1);

		mask[b / 64] |= UINT64CONST(1) << (b % 64);
	}
	(*at)++;
}

static void
read_leaf(DunForest *f, int tree, char **text, int at)
{
	int			inner = (1 << f->depth) - 1;
	uint32	   *covers = f->covers + (Size) tree * (2 * inner + 1);
	char	   *end;
	float		value;
	uint32		cover;
	int			first = at,
				count = 1;

	(*text)++;
	value = strtof(*text, &end);
	if (end == *text || !isfinite(value))
		refuse_tree();
	*text = end;
	cover = (uint32) read_whole(text, UINT32_MAX);
	for (; at < inner; at = 2 * at + 1)
		covers[at] = cover;
	covers[at] = cover;
	for (; first < inner; first = 2 * first + 1)
		count *= 2;
	for (int i = 0; i < count; i++)
		f->leaves[(Size) tree * (inner + 1) + first - inner + i] = value;
}

static void
read_node(DunForest *f, int tree, char **text, int at)
{
	int			inner = (1 << f->depth) - 1;
	DunTreeNode *node = &f->nodes[(Size) tree * inner + at];
	const DunBinColumn *c;
	bool		left;

	for (; **text == ';' || **text == ' '; (*text)++)
		;
	if (**text == '=')
	{
		read_leaf(f, tree, text, at);
		return;
	}
	if (at >= inner)
		refuse_tree();
	node->column = (uint16) read_whole(text, f->ncols - 1);
	c = &f->columns[node->column];
	for (; **text == ' '; (*text)++)
		;
	if ((**text == '{') != c->categorical)
		refuse_tree();
	node->threshold = 0;
	if (c->categorical)
	{
		f->masks_at[(Size) tree * inner + at] = f->nmasks;
		read_mask(text, f->masks[f->nmasks++]);
	}
	else
		node->threshold = (uint8) read_whole(text, c->nbins - 1);
	for (; **text == ' '; (*text)++)
		;
	left = **text == 'L';
	if (!left && **text != 'R')
		refuse_tree();
	(*text)++;
	node->skip = left ? 0 : 1;
	if (c->categorical)
		f->masks[f->nmasks - 1][0] |= left ? 1 : 0;
	else if (node->threshold < node->skip)
		refuse_tree();
	else
		node->threshold -= node->skip;
	f->covers[(Size) tree * (2 * inner + 1) + at] = (uint32) read_whole(text, UINT32_MAX);
	read_node(f, tree, text, 2 * at + 1);
	read_node(f, tree, text, 2 * at + 2);
}

static void
read_cuts(DunBinColumn *c, JsonbContainer *feature)
{
	int			n;
	double	   *cuts = dun_score_json_numbers(feature, "cuts", &n);

	if (n > MAX_BINS - 2)
		refuse_tree();
	c->ncuts = n;
	c->nbins = n + 2;
	c->cuts = palloc(sizeof(float) * MAX_BINS);
	for (int i = 0; i < MAX_BINS; i++)
		c->cuts[i] = i < n ? (float) cuts[i] : NAN;
	pfree(cuts);
}

static DunForest *
open_forest(int ntrees, int depth, const DunFeature *features, int nfeatures, JsonbContainer *array)
{
	DunForest  *f = palloc0(sizeof(DunForest));
	Size		inner = (1 << depth) - 1;
	bool		categorical = false;

	f->ntrees = ntrees;
	f->depth = depth;
	f->ncols = nfeatures;
	f->columns = palloc0(sizeof(DunBinColumn) * Max(nfeatures, 1));
	for (int i = 0; i < nfeatures; i++)
	{
		DunBinColumn *c = &f->columns[i];

		c->categorical = features[i].type == DUN_TEXT;
		c->nlevels = features[i].nlevels;
		c->nbins = c->nlevels + 2;
		if (c->nlevels > DUN_VOCABULARY)
			refuse_tree();
		if (!c->categorical)
			read_cuts(c, dun_score_json_element(array, i));
		categorical |= c->categorical;
	}
	f->nodes = palloc0(sizeof(DunTreeNode) * (ntrees * inner + 1));
	for (Size i = 0; i < ntrees * inner; i++)
		f->nodes[i].threshold = UINT8_MAX;
	f->leaves = palloc0(sizeof(float) * (ntrees * (inner + 1) + 1));
	f->covers = palloc0(sizeof(uint32) * (ntrees * (2 * inner + 1) + 1));
	if (categorical)
	{
		f->masks_at = palloc(sizeof(int32) * (ntrees * inner + 1));
		memset(f->masks_at, -1, sizeof(int32) * (ntrees * inner + 1));
		f->masks = palloc0(sizeof(uint64) * 4 * (ntrees * inner + 1));
	}
	return f;
}

static void *
parse(JsonbContainer *object, const DunFeature *features, int nfeatures)
{
	double		depth = dun_score_json_number(object, "depth");
	Surroundings s = {CurrentMemoryContext, NULL};
	DunGbdtHost host = open_host(&s);
	int			ntrees;
	char	  **trees = dun_score_json_texts(object, "trees", &ntrees);
	DunForest  *f;

	if (!(depth >= 1 && depth <= DUN_GBDT_MAX_DEPTH))
		refuse_tree();
	f = open_forest(ntrees, (int) depth, features, nfeatures, dun_score_json_member(object, "features"));
	f->base = dun_score_json_number(object, "base");
	for (int tree = 0; tree < ntrees; tree++)
	{
		char	   *text = trees[tree];

		read_node(f, tree, &text, 0);
		if (*text != '\0')
			refuse_tree();
		pfree(trees[tree]);
	}
	pfree(trees);
	dun_score_finish_forest(&host, f);
	return make_trees(f);
}

/*
 * Is the value, cast to float as training did, below a cut? Without the cast, which is an error to SQL where a value is
 * too large: the value is below the middle between the cut and the float before it; on the middle, the even one wins.
 */
static void
print_below_sql(StringInfo into, int feature, float cut)
{
	float		before = nextafterf(cut, -INFINITY);
	uint32		bits;

	memcpy(&bits, &cut, sizeof(bits));
	appendStringInfo(into, "f%d %s ", feature, bits & 1 ? "<=" : "<");
	dun_score_print_sql_number(into, ((double) cut + before) / 2);
}

/* Is a text one of those of the mask? One that is no level stands for all others. */
static void
print_levels_sql(StringInfo into, int feature, const uint64 *mask, const DunFeature *f)
{
	bool		others = mask[0] >> 1 & 1;
	int			n = 0;

	for (int l = 0; l < f->nlevels; l++)
		if ((mask[(l + 2) / 64] >> ((l + 2) % 64) & 1) != others)
		{
			if (n++ == 0)
				appendStringInfo(into, "f%d %s (", feature, others ? "NOT IN" : "IN");
			dun_score_print_sql_text(into, n == 1 ? NULL : ", ", f->levels[l]);
		}
	if (n > 0)
		appendStringInfoChar(into, ')');
	else
		appendStringInfo(into, others ? "f%d IS NOT NULL" : "f%d IS NULL AND false", feature);
}

static void
print_node_sql(StringInfo into, const DunForest *f, const DunFeature *features, int tree, int at)
{
	int			inner = (1 << f->depth) - 1;
	Size		number = (Size) tree * inner + at;
	const DunTreeNode *node = &f->nodes[number];
	const DunBinColumn *c = &f->columns[node->column];
	bool		missing_left = !node->skip;

	if (!is_split(f, tree, at))
	{
		for (; at < inner; at = 2 * at + 1)
			;
		dun_score_print_sql_number(into, f->leaves[(Size) tree * (inner + 1) + at - inner]);
		return;
	}
	appendStringInfoString(into, "CASE WHEN (");
	if (c->categorical)
	{
		const uint64 *mask = f->masks[f->masks_at[number]];

		missing_left = mask[0] & 1;
		print_levels_sql(into, node->column, mask, &features[node->column]);
	}
	else if (node->threshold + node->skip > c->ncuts)
		appendStringInfo(into, "f%d IS NOT NULL", node->column);
	else
		print_below_sql(into, node->column, c->cuts[node->threshold + node->skip - 1]);
	if (missing_left)
		appendStringInfo(into, " OR f%d IS NULL", node->column);
	appendStringInfoString(into, ") THEN ");
	print_node_sql(into, f, features, tree, 2 * at + 1);
	appendStringInfoString(into, " ELSE ");
	print_node_sql(into, f, features, tree, 2 * at + 2);
	appendStringInfoString(into, " END");
}

/* Each column is read once, f0, f1, ...: NULL where it is missing. */
static void
print_sql(StringInfo into, const void *body, const DunFeature *features, int nfeatures)
{
	const DunForest *f = ((const Trees *) body)->forest;

	appendStringInfoString(into, "(SELECT ");
	dun_score_print_sql_number(into, f->base);
	for (int tree = 0; tree < f->ntrees; tree++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(into, "\n + ");
		print_node_sql(into, f, features, tree, 0);
	}
	appendStringInfoString(into, "\nFROM (SELECT ");
	for (int i = 0; i < nfeatures; i++)
	{
		appendStringInfoString(into, i ? ", CASE WHEN " : "CASE WHEN ");
		dun_score_print_sql_missing(into, &features[i]);
		appendStringInfoString(into, " THEN NULL ELSE ");
		dun_score_print_sql_value(into, &features[i]);
		appendStringInfo(into, " END AS f%d", i);
	}
	/* Without OFFSET each use of a column would be replaced by what it is made of. */
	appendStringInfoString(into, " OFFSET 0) f)");
}

const DunKind dun_score_kind_gbdt = {
	.name = "gbdt",
	.noptions = lengthof(options_list),
	.options = options_list,
	.dear = true,
	.row_bytes = row_bytes,
	.prepare = prepare,
	.tune = tune,
	.train = train,
	.apply = apply,
	.logits = logits,
	.contributions = contributions,
	.print = print,
	.print_feature = print_feature,
	.parse = parse,
	.print_sql = print_sql,
};
