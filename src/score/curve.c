/*
 * score/curve.c
 *		dunning.p_paid_by: when an invoice is paid, from a model of its discrete-time hazard.
 *
 * The model is any kind, trained on one row an invoice and bucket of days past due (03_score_curve.sql): will
 * an invoice that was open when the bucket began be paid by its end? So it reads, beside the invoice's
 * features, how far the bucket is past due: `over_3` and its like. A feature `x at due` is x in the first
 * bucket and missing in all others, `x in week 1` is x on days 1 to 7 alone: what makes an invoice be paid in
 * time need not be what makes it be paid at once, or at last. Within a bucket each day's hazard is the same.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "base/errcodes.h"
#include "score/predict.h"

#define SLICE 30				/* after the last limit the hazard is that of so many days */
#define HORIZON 360				/* and nobody is expected to pay after this one */

/* Last day of each bucket but the open one; bucket b begins with the day after limits[b - 1]. */
static const int limits[] = {0, 3, 7, 14, 30, 60, 90};

#define BUCKETS ((int) lengthof(limits) + 1)

/* Features that stand in some buckets alone, by the end of their names. */
static const struct
{
	const char *suffix;
	int			first;			/* buckets */
	int			last;
}			phases[] = {{" at due", 0, 0}, {" in week 1", 1, 2}};

/* Where a feature of the model comes from. */
typedef struct Source
{
	int			over;			/* >= 0: whether the bucket lies after limits[over] */
	int			field;			/* else: the number of the record's field */
	int			first;			/* buckets in which it is read; missing in others */
	int			last;
} Source;

typedef struct CallSite
{
	char	   *name;
	DunModel   *model;
	Source	   *source;
	DunModel	fields;			/* the features under the names that a record has them by; none for `over` */
	Oid			type;
	int32		typmod;
	DunMapping *mapping;
	MemoryContext mapped;		/* what source, fields and mapping live in */
	TransactionId xmin;			/* of the snapshot the model was found in */
	TransactionId xmax;
	uint32		xcnt;
	CommandId	curcid;
	TimestampTz transaction;
} CallSite;

static int
limit_of(const char *feature)
{
	for (int i = 0; i < (int) lengthof(limits); i++)
		if (strcmp(feature, psprintf("over_%d", limits[i])) == 0)
			return i;
	return -1;
}

/* A number is read once for all buckets; a text has levels of its own in each feature. */
static int
number_field(DunModel *fields, const DunFeature *f)
{
	for (int i = 0; i < fields->nfeatures; i++)
		if (f->type != DUN_TEXT && strcmp(fields->features[i].name, f->name) == 0)
			return i;
	fields->features[fields->nfeatures] = *f;
	return fields->nfeatures++;
}

/* What the model asks of a record: its features without those of the bucket. */
static void
open_features(CallSite *site)
{
	const DunModel *model = site->model;
	int			nover = 0;

	site->source = palloc0(sizeof(Source) * Max(model->nfeatures, 1));
	site->fields = (DunModel) {.features = palloc0(sizeof(DunFeature) * Max(model->nfeatures, 1))};
	for (int i = 0; i < model->nfeatures; i++)
	{
		DunFeature	f = model->features[i];
		Size		length = strlen(f.name);

		site->source[i] = (Source) {limit_of(f.name), 0, 0, BUCKETS};
		if (site->source[i].over >= 0)
		{
			nover++;
			continue;
		}
		for (int p = 0; p < (int) lengthof(phases); p++)
		{
			Size		suffix = strlen(phases[p].suffix);

			if (length <= suffix || strcmp(f.name + length - suffix, phases[p].suffix) != 0)
				continue;
			f.name = pnstrdup(f.name, length - suffix);
			site->source[i].first = phases[p].first;
			site->source[i].last = phases[p].last;
			break;
		}
		site->source[i].field = number_field(&site->fields, &f);
	}
	if (nover == 0)
		ereport(ERROR,
				(errcode(DUN_ERR_MODEL),
				 errmsg("model \"%s\" is no payment curve", site->name),
				 errdetail("It reads nothing of how far an invoice is past due."),
				 errhint("SELECT * FROM dunning.train_curve(); then ask model 'payment_curve'.")));
}

static bool
same_snapshot(const CallSite *site)
{
	Snapshot	s = ActiveSnapshotSet() ? GetActiveSnapshot() : NULL;

	return s != NULL && site->xmin == s->xmin && site->xmax == s->xmax && site->xcnt == s->xcnt &&
		site->curcid == s->curcid && site->transaction == GetCurrentTransactionStartTimestamp();
}

/* Which version a name means is asked once a statement, as predict() does. */
static void
find_model(CallSite *site, MemoryContext context, const char *name)
{
	Snapshot	s;

	if (site->name != NULL && strcmp(site->name, name) == 0 && same_snapshot(site))
		return;
	site->type = InvalidOid;
	if (site->name != NULL)
		pfree(site->name);
	site->name = NULL;
	site->name = MemoryContextStrdup(context, name);
	site->model = dun_score_find_model(name);
	s = ActiveSnapshotSet() ? GetActiveSnapshot() : NULL;
	if (s == NULL)
		return;
	site->xmin = s->xmin;
	site->xmax = s->xmax;
	site->xcnt = s->xcnt;
	site->curcid = s->curcid;
	site->transaction = GetCurrentTransactionStartTimestamp();
}

/* The record's part of a dense row: what stands in site->fields. */
static double *
read_record(CallSite *site, MemoryContext context, HeapTupleHeader header)
{
	Oid			type = HeapTupleHeaderGetTypeId(header);
	int32		typmod = HeapTupleHeaderGetTypMod(header);
	TupleDesc	desc = lookup_rowtype_tupdesc_domain(type, typmod, false);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header), .t_tableOid = InvalidOid, .t_data = header};
	Datum	   *values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
	double	   *dense;

	if (site->type != type || site->typmod != typmod)
	{
		MemoryContext before;

		site->type = InvalidOid;
		if (site->mapped != NULL)
			MemoryContextDelete(site->mapped);
		site->mapped = AllocSetContextCreate(context, "dunning curve", ALLOCSET_SMALL_SIZES);
		before = MemoryContextSwitchTo(site->mapped);
		open_features(site);
		site->mapping = dun_score_map_record(site->name, &site->fields, desc);
		MemoryContextSwitchTo(before);
		site->type = type;
		site->typmod = typmod;
	}
	dense = palloc(sizeof(double) * Max(site->fields.nfeatures, 1));
	ItemPointerSetInvalid(&tuple.t_self);
	heap_deform_tuple(&tuple, desc, values, nulls);
	ReleaseTupleDesc(desc);
	dun_score_read_row(&site->fields, site->mapping, values, nulls, dense);
	return dense;
}

/* The hazard of each bucket, of the last one that of SLICE days. */
static void
find_hazards(const CallSite *site, const double *fields, double *hazard)
{
	int			n = site->model->nfeatures;
	double	   *rows = palloc(sizeof(double) * n * BUCKETS);

	for (int b = 0; b < BUCKETS; b++)
	{
		for (int i = 0; i < n; i++)
		{
			const Source *s = &site->source[i];

			if (s->over >= 0)
				rows[b * n + i] = b > s->over;
			else
				rows[b * n + i] = b < s->first || b > s->last ? NAN : fields[s->field];
		}
	}
	dun_score_predict_rows(site->model, rows, BUCKETS, hazard);
}

/* Log of the probability that an invoice open after day `since` is still open after day `until`. */
static double
log_survival(const double *hazard, int since, int until)
{
	double		result = 0;
	int			from = 0;

	for (int b = 0; from <= Min(until, HORIZON); b++)
	{
		bool		open_end = b >= (int) lengthof(limits);
		int			last = open_end ? HORIZON : limits[b];
		int			days = Min(last, until) - Max(from, since + 1) + 1;

		if (days > 0)
			result += log1p(-hazard[b]) * days / (open_end ? SLICE : last - from + 1);
		from = last + 1;
	}
	return result;
}

static void
check_days(int day, int since)
{
	if (day < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("day must be 0 or more"),
				 errdetail("Given: %d. Days are counted from the due date; what is paid before it is paid by day 0.", day),
				 errhint("SELECT dunning.p_paid_by('payment_curve', f, 30) FROM dunning.invoice_features() f;")));
	if (since >= day)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("day must lie after since"),
				 errdetail("Given: an invoice open after day %d, to be paid by day %d.", since, day),
				 errhint("since is the last day past due on which the invoice was known to be open.")));
}

PG_FUNCTION_INFO_V1(dun_score_sql_p_paid_by);

/* p_paid_by(model, input record, day, since) */
Datum
dun_score_sql_p_paid_by(PG_FUNCTION_ARGS)
{
	CallSite   *site = fcinfo->flinfo->fn_extra;
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	double		hazard[BUCKETS];
	double		p;
	int			day,
				since;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	day = PG_GETARG_INT32(2);
	since = PG_ARGISNULL(3) ? -1 : Max(-1, PG_GETARG_INT32(3));
	check_days(day, since);
	if (site == NULL)
		site = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(context, sizeof(CallSite));
	find_model(site, context, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	find_hazards(site, read_record(site, context, PG_GETARG_HEAPTUPLEHEADER(1)), hazard);
	p = -expm1(log_survival(hazard, since, day));
	PG_RETURN_FLOAT8(Max(DUN_PROBABILITY_MARGIN, Min(1 - DUN_PROBABILITY_MARGIN, p)));
}
