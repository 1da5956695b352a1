/*
 * timing/effects_sql.c
 *		Date effects over SQL: what a book answers by the hour, and the fit of what dates add to it.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "timing/effects.h"
#include "timing/profile.h"

PG_FUNCTION_INFO_V1(dun_timing_sql_book_chances);

/* _book_chances(prior bytea, channel text) → float8[168] */
Datum
dun_timing_sql_book_chances(PG_FUNCTION_ARGS)
{
	const DunPrior *prior = PG_ARGISNULL(0) ? dun_timing_first_prior() : dun_timing_prior(PG_GETARG_BYTEA_P(0));
	int			medium = dun_timing_medium(PG_ARGISNULL(1) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	double		answers[DUN_HOURS];
	Datum		chances[DUN_HOURS];

	dun_timing_reap(NULL, prior, medium, answers);
	for (int h = 0; h < DUN_HOURS; h++)
		chances[h] = Float8GetDatum(1 - exp(-answers[h]));
	PG_RETURN_ARRAYTYPE_P(construct_array(chances, DUN_HOURS, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static const void *
elements(FunctionCallInfo fcinfo, int arg, Oid type, int *n)
{
	ArrayType  *a = PG_GETARG_ARRAYTYPE_P(arg);
	int			count = ArrayGetNItems(ARR_NDIM(a), ARR_DIMS(a));

	if (ARR_ELEMTYPE(a) != type || ARR_HASNULL(a) || (*n >= 0 && count != *n))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arrays of contacts by date differ in length or hold NULLs")));
	*n = count;
	return ARR_DATA_PTR(a);
}

/* Numbers from 1 as SQL has them, to numbers from 0. */
static int *
numbers(const int *from, int n, int most, bool ordered)
{
	int		   *to = palloc((n + 1) * sizeof(int));

	for (int i = 0; i < n; i++)
	{
		if (from[i] < 1 || from[i] > most || (ordered && i > 0 && from[i] < from[i - 1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("contacts by date are numbered from 1 without gaps, marks in order of effects")));
		to[i] = from[i] - 1;
	}
	return to;
}

static void
read_cells(DunEffectCells *c, FunctionCallInfo fcinfo)
{
	const int  *groups,
			   *cells,
			   *effects;

	c->n = c->nmarks = -1;
	groups = elements(fcinfo, 0, INT4OID, &c->n);
	c->answers = elements(fcinfo, 1, FLOAT8OID, &c->n);
	c->expected = elements(fcinfo, 2, FLOAT8OID, &c->n);
	cells = elements(fcinfo, 3, INT4OID, &c->nmarks);
	effects = elements(fcinfo, 4, INT4OID, &c->nmarks);
	c->neffects = PG_GETARG_INT32(5);
	c->ngroups = 0;
	for (int i = 0; i < c->n; i++)
	{
		c->ngroups = Max(c->ngroups, Min(groups[i], c->n));
		if (!(c->answers[i] >= 0 && c->expected[i] >= 0 && !isinf(c->answers[i]) && !isinf(c->expected[i])))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("answers and expected answers are finite and not below 0")));
	}
	if (c->neffects < 0 || c->neffects > 1000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d date effects cannot be fitted", c->neffects),
				 errdetail("From 0 to 1000 can.")));
	c->group = numbers(groups, c->n, c->ngroups, false);
	c->mark_cell = numbers(cells, c->nmarks, c->n, false);
	c->mark_effect = numbers(effects, c->nmarks, c->neffects, true);
}

PG_FUNCTION_INFO_V1(dun_timing_sql_fit_effects);

/* _fit_date_effects(groups int[], answers float8[], expected float8[], mark_cells int[], mark_effects int[], effects int) → rows */
Datum
dun_timing_sql_fit_effects(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DunEffectCells c;
	DunEffectFit *fits;

	InitMaterializedSRF(fcinfo, 0);
	read_cells(&c, fcinfo);
	fits = palloc((c.neffects + 1) * sizeof(DunEffectFit));
	dun_timing_fit_effects(&c, fits);
	for (int j = 0; j < c.neffects; j++)
	{
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = Int32GetDatum(j + 1);
		values[1] = Float8GetDatum(fits[j].answers);
		values[2] = Float8GetDatum(fits[j].expected);
		values[3] = Float8GetDatum(fits[j].weight);
		values[4] = Float8GetDatum(fits[j].multiplier);
		values[5] = Float8GetDatum(fits[j].low);
		values[6] = Float8GetDatum(fits[j].high);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
