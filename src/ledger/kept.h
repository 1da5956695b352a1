/*
 * ledger/kept.h
 *		Statements whose texts depend on what is bound, kept by a session.
 *
 * Composing such a text and planning it costs many times what an answer about one debtor does. It holds as long as the bindings are
 * the same; it is asked for anew every ten seconds, since a source may come or go without a word in the bindings, and a plan is
 * dropped only where the text differs (dun_base_renew()).
 */
#ifndef DUN_LEDGER_KEPT_H
#define DUN_LEDGER_KEPT_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "base/spi.h"

/* When texts were read; all zero before. */
typedef struct DunTextsRead
{
	char	   *signature;
	TimestampTz at;
} DunTextsRead;

/* NULL where texts read then hold, or else the signature of now, to be given to dun_ledger_note_texts() when they have been read anew. */
extern char *dun_ledger_texts_changed(const DunTextsRead *read);
extern void dun_ledger_note_texts(DunTextsRead *read, const char *signature);

/* One statement that gives a set of rows, and the one that gives its text. */
typedef struct DunKeptQuery
{
	DunStatement text;
	DunStatement query;
	DunTextsRead read;
} DunKeptQuery;

/*
 * The rows of a query as those of the SQL function that is called: places[i] is the argument of the call that is the query's i-th,
 * or -1 for NULL.
 */
extern Datum dun_ledger_answer_by_kept(FunctionCallInfo fcinfo, DunKeptQuery *kept, const int *places);

#endif
