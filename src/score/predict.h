/*
 * score/predict.h
 *		A model applied to rows of any row type that has its features by name.
 */
#ifndef DUN_SCORE_PREDICT_H
#define DUN_SCORE_PREDICT_H

#include "postgres.h"

#include "access/tupdesc.h"

#include "score/model.h"

/* Where each feature of a model stands in a row type. */
typedef struct DunMapping
{
	int		   *attribute;		/* a feature's column, from 0 */
	DunField   *field;
	bool		all_as_it_is;
	bool	   *as_it_is;		/* a float8, which needs no reading */
} DunMapping;

/* In the current memory context. An error lists the features that the row lacks or has in another type. */
extern DunMapping *dun_score_map_record(const char *name, const DunModel *model, TupleDesc desc);

/* May a field of one type serve a feature of another? */
extern bool dun_score_fits_feature(DunFeatureType feature, DunFeatureType field);

/* The number of a value that is not null: see kind.h. */
extern double dun_score_read_value(const DunFeature *feature, DunField *field, Datum value);

/* The dense row of a record: see kind.h. `dense` has room for one number a feature. */
extern void dun_score_read_row(const DunModel *model, const DunMapping *mapping, const Datum *values, const bool *nulls,
							   double *dense);

/* 42701 for a name that two columns (from 0) have: which is meant, nobody can tell. */
extern void dun_score_report_twins(const char *name, int first, int second);

#endif
