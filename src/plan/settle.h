/*
 * plan/settle.h
 *		What one debtor owes: payments laid against invoices as _allocation_sql() defines it. Pure: rows in, items out.
 */
#ifndef DUN_PLAN_SETTLE_H
#define DUN_PLAN_SETTLE_H

#include "postgres.h"

#include "utils/date.h"
#include "utils/numeric.h"

#include "plan/book.h"

/* An amount in millionths, or exactly where it does not fit. */
typedef struct DunSum
{
	int64		micro;
	Numeric		exact;			/* NULL: micro is all of it */
	int			scale;
} DunSum;

typedef struct DunItem
{
	uint16		currency;
	bool		left_out;		/* disputed or held */
	bool		disputed;
	DateADT		issued;
	DateADT		due;
	const char *invoice;		/* NULL: none */
	int			invoice_len;
	DunSum		amount;
	DunSum		open;
	int64		rem;			/* after the payments that name it */
} DunItem;

typedef struct DunBalance
{
	uint16		currency;
	int			scale;
	int64		balance;
	int64		paid;
	int64		payments;
	int64		pool;			/* credit that names no invoice */
	int64		disputed;
} DunBalance;

typedef struct DunAccount
{
	int			nbalances;
	DunBalance *balances;		/* in no order */
	int			nitems;
	DunItem    *items;			/* open ones, by currency */
} DunAccount;

/*
 * Settle the rows of a debtor in the current memory context. `stated`: the source states open amounts of the present.
 * False where a row is odd or a sum does not fit: then _mark_sql() and _open_items_sql() must be asked.
 */
extern bool dun_plan_settle_account(const DunRow *rows, bool stated, DunAccount *account);

#endif
