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

#include "feature/state.h"

/* Octets in a state; not ended by a zero. */
typedef struct DunName
{
	const char *at;
	uint32		len;
} DunName;

typedef struct DunInvoice
{
	DunName		id;
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
	int			reminders;		/* contacts after the due date until it was settled, at most 3 */
	bool		disputed;
} DunInvoice;

/* What became of a message, or of a call that was none. */
typedef struct DunContact
{
	TimestampTz at;
	DateADT		day;
	int			channel;
	uint64		message;
	int			address;		/* which of DunAccount.addresses; -1: not said */
	bool		reached;
	bool		bounced;
} DunContact;

typedef struct DunResponse
{
	TimestampTz at;
	int			channel;
} DunResponse;

typedef struct DunPromise
{
	int			currency;
	double		needed;			/* payments since the promise that keep it */
	double		before;			/* sum of all payments when it was made */
	double		in_time;		/* sum of all payments up to its deadline */
	DateADT		due;
	DateADT		made;
	TimestampTz at;
	TimestampTz deadline;
	bool		exists;
	bool		cancelled;
} DunPromise;

/* What is kept a currency. */
typedef struct DunBook
{
	DunName		name;
	double		pool;			/* credit that has paid nothing yet; negative: a reversal of more than there was */
	int			n;				/* counted invoices */
	double		billed;
	double		paid;			/* settled, counted */
	double		paid_late;
	double		received;		/* all payments less reversals */
	double		given;			/* payments alone */
	int			n_given;
	double		overdue_before; /* a month ago */
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
	double		sum_gap;		/* days from due date to settlement, early ones negative */
	double		sum_gap_squared;
	double		ewma_gap;
	double		sum_days;		/* ... from issue to settlement */
	int			n_known;		/* counted invoices that exist */
	int			n_touched;
	int			n_partial;
	int			n_reminded[4];	/* settled ones by reminders */
	int			n_disputed;
	int			n_payments;
	int			n_month_end;
	int			by_weekday[7];	/* payments; Monday first */
	int			by_day[32];		/* ... by day of the month */
	int			by_hour[168];	/* ... by hour of the week, Monday's first at 0 */
	int			top_hour;		/* the first one of most payments */
	TimestampTz *received_at;	/* ... when the ledger learnt of each, in order */
	DateADT		last_paid;
	DateADT		first_issued;
	DateADT		last_issued;
	DunContact *contacts;		/* those made so far, in order */
	int			n_contacts;
	int			n_reached;
	int			n_bounced;
	TimestampTz last_reached;
	TimestampTz *addresses;		/* first contact at each */
	DunResponse *responses;		/* so far, in order */
	int			n_responses;
	DunPromise *promises;
	int			n_promises;
	int			bucket_before;	/* DPD bucket of a month ago */
	/* called when a counted invoice is settled (+1) or no longer is (-1); may be NULL */
	void		(*on_step) (void *arg, int invoice, TimestampTz at, int step);
	void	   *arg;
} DunAccount;

extern void dun_feature_init_account(DunAccount *account, DunInvoice *invoices, int n_invoices,
									 DunBook *books, int n_books);
extern void dun_feature_add_invoice(DunAccount *account, int invoice, TimestampTz at);
extern void dun_feature_cancel_invoice(DunAccount *account, int invoice, TimestampTz at);
/* `invoice` -1: names none, or none that is there. `hour`: of the day. */
extern void dun_feature_add_payment(DunAccount *account, int invoice, int currency, double amount,
									DateADT paid_on, int hour, TimestampTz at);
extern void dun_feature_dispute_invoice(DunAccount *account, int invoice);
/* What the promises of that currency get of a payment, or of a reversal, made at that instant. */
extern void dun_feature_keep_promises(DunAccount *account, int currency, double amount, TimestampTz paid_at);
/* The source's own open amounts take the place of what payments left. */
extern void dun_feature_state_open(DunAccount *account, const double *stated);

extern double dun_feature_days_late(const DunInvoice *invoice);
/* ... negative where it was paid early. */
extern double dun_feature_gap(const DunInvoice *invoice);
/* Not more than rounding: no currency's unit, yet more than what float8 loses of a large amount. */
extern bool dun_feature_is_nothing(double amount, double of);

#endif
