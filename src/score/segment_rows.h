/*
 * score/segment_rows.h
 *		A query's rows in double precision, for what ends up as predicates in SQL: segments.
 *
 * A threshold is compared again by the server, so nothing may be rounded. What the server calls NULL is NaN here; its NaN,
 * which it sorts after every number, is infinity.
 */
#ifndef DUN_SCORE_SEGMENT_ROWS_H
#define DUN_SCORE_SEGMENT_ROWS_H

#include "postgres.h"

typedef struct DunRows
{
	MemoryContext context;
	uint32		n;
	int			ncolumns;
	char	  **names;
	bool	   *is_text;
	bool	   *is_boolean;
	double	  **x;				/* x[column][row]; of a text the number of its level, in byte order */
	char	 ***levels;
	int		   *nlevels;
	bool	   *has_missing;
	uint64	   *key;			/* hash of the key: rows ascend by it, whatever order they came in */
	double	  **role;			/* role[i][row]: columns that are no features, in the order asked for */
	uint64		seen;			/* rows whose roles are all known */
} DunRows;

/*
 * Reads a query inside SPI: a text `key`, the named roles (numbers or booleans; a row that lacks one is left out), all other columns
 * are features. Columns of one value and texts with too many are left out. More rows than dunning.train_memory holds
 * are a sample by the hash of the key.
 */
extern DunRows *dun_score_read_segment_rows(const char *query, const char *const *roles, int nroles);

#endif
