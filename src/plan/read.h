/*
 * plan/read.h
 *		Statements of a planning run: each is read once, row by row, as whoever calls, and handed to a function.
 */
#ifndef DUN_PLAN_READ_H
#define DUN_PLAN_READ_H

#include "postgres.h"

#include "base/spi.h"
#include "plan/book.h"

#define DUN_ARGUMENTS 6

typedef struct DunArguments
{
	int			n;
	Oid			types[DUN_ARGUMENTS];
	Datum		values[DUN_ARGUMENTS];
	bool		isnull[DUN_ARGUMENTS];
} DunArguments;

typedef void (*DunTake) (void *state, const Datum *v, const bool *isnull);

/*
 * Inside SPI_connect(). The first two columns are ids: where they are integers they are
 * handed over as text. Values are of the row alone: what is kept must be copied.
 */
extern void dun_plan_read(const char *sql, const DunArguments *arguments, DunTake take, void *state);

/* The same for a statement that the session keeps; no argument is NULL. */
extern void dun_plan_read_kept(DunStatement *st, const DunArguments *arguments, DunTake take, void *state);

/* A statement that is asked more than once. All zero: not asked yet. */
typedef struct DunQuestion
{
	struct _SPI_plan *plan;
} DunQuestion;

/* The same for a statement of a few rows that is asked again and again with other arguments: planned once, and all that it calls, too. */
extern void dun_plan_ask(DunQuestion *question, const char *sql, const DunArguments *arguments, DunTake take, void *state);

/* The texts of `n` statements, which is how many there must be. */
extern void dun_plan_take_statements(Datum array, char **texts, int n);

/*
 * Adds a row to a book, with what is `packed` (NULL: nothing) as its first text and then `ntexts` columns from `first` on. The
 * id is the first column; there is no row where it is NULL.
 */
extern void dun_plan_deal_row(DunBook *book, const DunRow *row, const Datum *v, const bool *isnull,
							  const void *packed, int packed_len, int first, int ntexts);

/* Column `i`, a text, in place; NULL where it is. */
extern const char *dun_plan_text_at(const Datum *v, const bool *isnull, int i, int *len);

/* The same as a string of its own in `context`. */
extern char *dun_plan_name_at(MemoryContext context, const Datum *v, const bool *isnull, int i);

#endif
