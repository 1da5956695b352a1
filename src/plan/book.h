/*
 * plan/book.h
 *		Everything that is known of the debtors of a run, as compact rows that come in any order and are read debtor by
 *		debtor.
 *
 * Rows are dealt by the hash of the debtor's id to parts. While all parts fit the memory of a hash they stay there; then
 * they are written to temporary files and read one by one, so that what a debtor costs does not depend on the size of
 * the book.
 */
#ifndef DUN_PLAN_BOOK_H
#define DUN_PLAN_BOOK_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/date.h"

typedef enum DunRowKind
{
	DUN_ROW_DEBTOR,				/* texts: creditor, preferred channel, strategy, country */
	DUN_ROW_INVOICE,			/* texts: invoice_id */
	DUN_ROW_PAYMENT,			/* at `stated`, where it is a payment and not a reversal or to come; texts: invoice_id */
	DUN_ROW_HOLD,				/* of one invoice; texts: invoice_id */
	DUN_ROW_CONTACT,			/* at `stated`; texts: the message's id */
	DUN_ROW_HEARD,				/* a reaction, at `stated` */
	DUN_ROW_HAD,				/* a step that was taken, on `due`; texts: its key in `once` */
	DUN_ROW_WAITING,			/* a message waits in the queue */
	DUN_ROW_ACCOUNT				/* as settled; the debtor was last heard at `stated`; texts: balances and items */
} DunRowKind;

#define DUN_ROW_TEXTS 4
#define DUN_NO_TEXT UINT32_MAX

typedef struct DunRow
{
	struct DunRow *next;		/* of the same debtor, in no order; NULL at the end. Set when a part is read */
	uint64		hash;			/* of the id */
	uint8		kind;
	uint8		scale;			/* decimals that the amount shows */
	bool		odd;			/* cannot be told in these fields */
	bool		disputed;
	uint16		currency;		/* of the run's list */
	uint32		id_len;
	uint32		len[DUN_ROW_TEXTS];
	int64		amount;			/* millionths */
	int64		stated;
	DateADT		issued;
	DateADT		due;
	char		texts[FLEXIBLE_ARRAY_MEMBER];	/* the id, then the texts */
} DunRow;

#define DUN_ROW_ID(row) ((row)->texts)

typedef struct DunBook DunBook;

/* An empty book in the current memory context; `limit` bytes may be held in memory. */
extern DunBook *dun_plan_make_book(Size limit);

/* Add a row of this id; the caller has filled the fields of `row` from kind to due. NULL texts are none. */
extern void dun_plan_add_row(DunBook *book, const DunRow *row, const char *id, int id_len,
							 const char *const *texts, const int *lens);

/* Add a row of another book. */
extern void dun_plan_copy_row(DunBook *book, const DunRow *row);

/* Text `i` of a row, NULL where there is none. */
extern const char *dun_plan_row_text(const DunRow *row, int i, int *len);

/*
 * The rows of each debtor in turn, NULL after the last; the book can be read once. Rows are gone with the call after
 * next, at the latest.
 */
extern DunRow *dun_plan_next_debtor(DunBook *book);

#endif
