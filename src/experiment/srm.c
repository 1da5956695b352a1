/*
 * experiment/srm.c
 *		Sample ratio mismatch: do the arms hold the shares they were given?
 *
 * A sequential test, valid however often one looks: the Bayes factor of a Dirichlet-multinomial, centred on the
 * planned shares, against the planned shares themselves.
 *
 *		BF = B(A p + n) / B(A p) / prod p_k^n_k,   A = 1000
 *
 * BF >= 1/alpha raises the alarm with at most alpha false ones over the whole life of the experiment (Ville).
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

#include "base/compat.h"

#define CONCENTRATION 1000.0

PG_FUNCTION_INFO_V1(dun_experiment_sql_srm);

/* (counts float8[], shares float8[]) -> log BF; shares are normalised here. */
Datum
dun_experiment_sql_srm(PG_FUNCTION_ARGS)
{
	ArrayType  *counts = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType  *shares = PG_GETARG_ARRAYTYPE_P(1);
	int			k = ArrayGetNItems(ARR_NDIM(counts), ARR_DIMS(counts));
	double	   *n = (double *) ARR_DATA_PTR(counts);
	double	   *w = (double *) ARR_DATA_PTR(shares);
	double		total_n = 0;
	double		total_w = 0;
	double		log_bf;

	if (k != ArrayGetNItems(ARR_NDIM(shares), ARR_DIMS(shares)) || array_contains_nulls(counts) || array_contains_nulls(shares))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("counts and shares must be of one length and without nulls")));
	for (int i = 0; i < k; i++)
	{
		if (!(w[i] > 0) || !(n[i] >= 0) || isinf(w[i]) || isinf(n[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("shares must be positive and counts not negative, both finite")));
		total_n += n[i];
		total_w += w[i];
	}
	log_bf = lgamma(CONCENTRATION) - lgamma(CONCENTRATION + total_n);
	for (int i = 0; i < k; i++)
	{
		double		p = w[i] / total_w;

		log_bf += lgamma(CONCENTRATION * p + n[i]) - lgamma(CONCENTRATION * p) - n[i] * log(p);
	}
	PG_RETURN_FLOAT8(k == 0 ? 0.0 : log_bf);
}
