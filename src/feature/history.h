/*
 * feature/history.h
 *		One debtor's state, read and put in order: what happened when.
 */
#ifndef DUN_FEATURE_HISTORY_H
#define DUN_FEATURE_HISTORY_H

#include "postgres.h"

#include "feature/account.h"
#include "feature/zone.h"

/* At one instant things happen in this order: a look sees nothing of its own instant. */
typedef enum DunHappening
{
	DUN_MONTH_BEFORE, DUN_LOOK, DUN_INVOICE, DUN_PROMISE, DUN_PAYMENT, DUN_PROMISE_CANCEL, DUN_CANCEL, DUN_DISPUTE, DUN_CONTACT, DUN_EVENT
} DunHappening;

typedef struct DunHappened
{
	TimestampTz at;
	DunHappening what;
	int			which;			/* index of the invoice, payment, promise, contact or event */
} DunHappened;

typedef struct DunPayment
{
	DunName		invoice_id;		/* at NULL: names none */
	DunName		currency_name;
	int			invoice;		/* -1: names none that there is */
	int			currency;
	double		amount;
	TimestampTz paid_at;
	TimestampTz known;
} DunPayment;

typedef struct DunEvent
{
	TimestampTz at;
	int			code;			/* state.h */
	uint64		message;
} DunEvent;

typedef struct DunHistory
{
	DunAccount	account;
	DunInvoice *invoices;
	DunBook    *books;
	DunPayment *payments;
	DunContact *contacts;		/* all there are; a call enters when it is replayed */
	DunEvent   *events;
	double	   *stated;			/* by invoice, NAN: not stated */
	bool	   *disputed;		/* by invoice: is now */
	DunHappened *order;
	int			n_payments;
	int			n_contacts;
	int			n_events;
	int			n_order;
	DunZone    *zone;
} DunHistory;

/* State NULL: nothing is known. `looks`: a look and a month before it for each invoice proper. */
extern DunHistory *dun_feature_read_history(const char *state, Size size, DunZone *zone, bool looks);
/* One more thing; to be followed by a sort. */
extern void dun_feature_put_happening(DunHistory *h, TimestampTz at, DunHappening what, int which);
extern void dun_feature_sort_history(DunHistory *h);
/* Everything but looks, which are the caller's. */
extern void dun_feature_replay(DunHistory *h, const DunHappened *it);

#endif
