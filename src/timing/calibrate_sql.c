/*
 * timing/calibrate_sql.c
 *		The calibrator over SQL: fitted on arrays of randomised contacts, kept in what is known of a book.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "timing/calibrate.h"
#include "timing/profile.h"

static const void *
elements(ArrayType *a, Oid type, int n)
{
	if (ARR_ELEMTYPE(a) != type || ARR_HASNULL(a) || ArrayGetNItems(ARR_NDIM(a), ARR_DIMS(a)) != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("contacts to calibrate with are arrays of one length without nulls")));
	return ARR_DATA_PTR(a);
}

PG_FUNCTION_INFO_V1(dun_timing_sql_calibrate);

/* _calibrate(x float8[], mean float8[], answered bool[], usual float8[5]: a, b1, b3, b2, bend) → a, b1, b3, b2, error, claimed, flat */
Datum
dun_timing_sql_calibrate(PG_FUNCTION_ARGS)
{
	ArrayType  *first = PG_GETARG_ARRAYTYPE_P(0);
	int			n = ArrayGetNItems(ARR_NDIM(first), ARR_DIMS(first));
	const double *x = elements(first, FLOAT8OID, n);
	const double *mean = elements(PG_GETARG_ARRAYTYPE_P(1), FLOAT8OID, n);
	const bool *answered = elements(PG_GETARG_ARRAYTYPE_P(2), BOOLOID, n);
	const double *usual = elements(PG_GETARG_ARRAYTYPE_P(3), FLOAT8OID, DUN_CALIBRATION_PARTS + 1);
	DunCalibrationFit fit;
	DunCalibration claimed;
	Datum		values[DUN_CALIBRATION_PARTS + 3];
	bool		nulls[DUN_CALIBRATION_PARTS + 3] = {false};
	TupleDesc	desc;

	if (!dun_timing_fit_calibration(x, mean, answered, n, usual, usual[DUN_CALIBRATION_PARTS], &fit))
		PG_RETURN_NULL();
	claimed = dun_timing_claimed(&fit);
	for (int i = 0; i < DUN_CALIBRATION_PARTS; i++)
		values[i] = Float8GetDatum(fit.b[i]);
	values[DUN_CALIBRATION_PARTS] = Float8GetDatum(fit.error);
	values[DUN_CALIBRATION_PARTS + 1] = Float8GetDatum(claimed.b2);
	values[DUN_CALIBRATION_PARTS + 2] = BoolGetDatum(claimed.flat != 0);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

PG_FUNCTION_INFO_V1(dun_timing_sql_calibrated_prior);

/* _calibrated_prior(prior, channel, drawn float8[4], chosen float8[5]) → bytea; drawn NULL: not calibrated */
Datum
dun_timing_sql_calibrated_prior(PG_FUNCTION_ARGS)
{
	DunPrior   *prior = palloc(sizeof(DunPrior));
	char	   *channel;
	int			medium;
	DunCalibration *c;

	memcpy(prior, dun_timing_prior(PG_ARGISNULL(0) ? NULL : PG_GETARG_BYTEA_P(0)), sizeof(DunPrior));
	if (PG_ARGISNULL(1))
		PG_RETURN_BYTEA_P((bytea *) prior);
	channel = text_to_cstring(PG_GETARG_TEXT_PP(1));
	medium = dun_timing_medium(channel);
	/* A channel that is only taken for e-mail does not speak for it. */
	if (strcmp(dun_timing_medium_name(medium), channel) != 0)
		PG_RETURN_BYTEA_P((bytea *) prior);
	c = &prior->media[medium].calibration;
	memset(c, 0, sizeof(*c));
	if (!PG_ARGISNULL(2))
	{
		const double *v = elements(PG_GETARG_ARRAYTYPE_P(2), FLOAT8OID, 4);

		c->a = v[0];
		c->b1 = v[1];
		c->b2 = v[2];
		c->flat = v[3];
	}
	if (!PG_ARGISNULL(3))
		for (int i = 0; i < lengthof(c->chosen); i++)
			c->chosen[i] = ((const double *) elements(PG_GETARG_ARRAYTYPE_P(3), FLOAT8OID, lengthof(c->chosen)))[i];
	PG_RETURN_BYTEA_P((bytea *) prior);
}
