/*
 * score/matrix.h
 *		A query's rows as columns in memory: what training reads, once.
 *
 * Rows end up in the order of a hash of their content, so that the order in which the query gave them
 * (a parallel scan gives any) changes nothing in a model.
 */
#ifndef DUN_SCORE_MATRIX_H
#define DUN_SCORE_MATRIX_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "utils/hsearch.h"

#include "score/rows.h"
#include "score/value.h"

/* A text column with more distinct values than this is a key, not a feature. */
#define DUN_MAX_LEVELS 5000
/* So is one whose texts take more bytes than this: they are kept outside of dunning.train_memory. */
#define DUN_MAX_LEVEL_BYTES (1024 * 1024)

typedef struct DunColumn
{
	char	   *name;
	int			attribute;		/* from 0, in the query's row */
	DunField	field;
	float	   *values;			/* numbers, or level numbers of a text; NaN is missing */
	HTAB	   *level_index;	/* hash of the text -> level number */
	char	  **levels;
	int			nlevels;		/* DUN_MAX_LEVELS + 1: too many */
	Size		level_bytes;
} DunColumn;

typedef struct DunMatrix
{
	MemoryContext context;
	int			ncolumns;
	DunColumn  *columns;
	int			label_attribute;
	DunField	label_field;
	int			group_attribute;	/* -1: none */
	DunField	group_field;
	uint64		seed;
	uint64		nrows;
	uint64		allocated;
	uint64		limit;			/* rows that fit into dunning.train_memory, or were asked for */
	bool		memory_bound;	/* memory sets the limit, not the caller */
	uint64		seen;			/* rows with a label */
	uint64		unlabelled;
	uint64		keep_below;		/* a row stays if its lot is lower; lowered whenever the matrix is full */
	bool		opened;
	HTAB	   *content;		/* while a sample is read: how often each row has come */
	uint8	   *label;
	uint64	   *hash;			/* of the row's content */
	uint64	   *group;			/* hash of the group's value */
	uint64	   *lot;
} DunMatrix;

/* The label as 0 or 1, -1 for NULL; anything else is an error that names `label`. */
extern int	dun_score_read_label(DunField *field, Datum value, bool isnull, const char *label);

/* Index of a column of the query, or an error that lists the columns. */
extern int	dun_score_column_number(TupleDesc desc, const char *name, const char *what);

/* Bytes a row that training takes for a column of this type, beside its value in the matrix. */
typedef Size (*DunRowBytes) (DunFeatureType type, const void *options);

/* Reads a query into a matrix, or a sample of at most so many rows (0: any) that fits into dunning.train_memory. */
extern DunMatrix *dun_score_read_matrix(const char *query, const char *label, const char *group, char **exclude,
										int nexclude, DunRowBytes row_bytes, const void *options, uint64 most_rows, uint64 seed);

#endif
