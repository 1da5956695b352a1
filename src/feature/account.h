/*
 * feature/account.h
 *		One debtor's account, replayed event by event in the order in which the ledger learnt of them, so
 *		that what is read off at an instant depends on nothing that came after it.
 *
 * Amounts are float8: features, not money. Each currency is a book of its own; nothing is added across.
 */
#ifndef DUN_FEATURE_ACCOUNT_H
#define DUN_FEATURE_ACCOUNT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/date.h"

typedef struct DunInvoice
{
	text	   *id;
	int			currency;		/* index into DunAccount.books */
	DateADT		issued;
	DateADT		due;
	double		amount;			/* negative: a credit note */
	bool		counted;		/* an invoice proper; fees and interest are owed but tell nothing of habits */
	bool		exists;			/* known and not cancelled */
	double		rest;			/* what is open */
	double		from_pool;		/* what credit that names no invoice paid */
	double		excess;			/* what its own payments paid too much; lies in the pool */
	bool		touched;		/* some payment named or reached it */
	bool		partial;		/* ... and left a rest */
	bool		settled;
	DateADT		settled_on;
	TimestampTz settled_at;		/* when the ledger knew */
} DunInvoice;

/* What is kept a currency. */
typedef struct DunBook
{
	text	   *name;
	double		pool;			/* credit that has paid nothing yet; negative: a reversal of more than there was */
	int			n;				/* counted invoices */
	double		billed;
	double		paid;			/* settled, counted */
	double		paid_late;
} DunBook;

typedef struct DunAccount
{
	DunInvoice *invoices;
	int			n_invoices;
	DunBook    *books;
	int			n_books;
	int		   *open;			/* invoices with a rest, by due date */
	int			n_open;
	int		   *settled;		/* counted invoices in the order they were settled */
	int			n_settled;
	/* habits, over the settled ones */
	int			n_late;
	double		sum_late;
	double		max_late;
	double		ewma_late;
	int			n_known;		/* counted invoices that exist */
	int			n_touched;
	int			n_partial;
	int			n_payments;
	int			n_month_end;
	DateADT		last_paid;
	DateADT		first_issued;
	DateADT		last_issued;
	/* called when a counted invoice is settled (+1) or no longer is (-1); may be NULL */
	void		(*on_step) (void *arg, int invoice, TimestampTz at, int step);
	void	   *arg;
} DunAccount;

extern void dun_feature_init_account(DunAccount *account, DunInvoice *invoices, int n_invoices,
									 DunBook *books, int n_books);
extern void dun_feature_add_invoice(DunAccount *account, int invoice, TimestampTz at);
extern void dun_feature_cancel_invoice(DunAccount *account, int invoice, TimestampTz at);
/* `invoice` -1: names none, or none that is there. */
extern void dun_feature_add_payment(DunAccount *account, int invoice, int currency, double amount,
									DateADT paid_on, TimestampTz at);
/* The source's own open amounts take the place of what payments left. */
extern void dun_feature_state_open(DunAccount *account, const double *stated);

extern double dun_feature_days_late(const DunInvoice *invoice);

#endif
