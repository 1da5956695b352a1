/*
 * feature/account.c
 *		Replaying one debtor's account.
 *
 * A payment pays the invoice it names; what it pays too much, payments that name none and credit notes lie
 * in a pool, which pays the oldest due of the invoices known at that moment and waits for the next one
 * otherwise. This differs from the ledger's allocation in one point: a later invoice with an earlier due
 * date does not take a payment back from the one that got it, because then a feature would depend on what
 * came after it. The sums are the same.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/datetime.h"

#include "feature/account.h"

/* Below this an amount is rounding: no currency's unit, yet more than what float8 loses of a large amount. */
#define ROUNDING(amount) (0.000001 + fabs(amount) * 1e-12)

/* Weight of the newest invoice in moving averages. */
#define EWMA_WEIGHT 0.3

static void apply_pool(DunAccount *account, int currency, DateADT day, TimestampTz at);

void
dun_feature_init_account(DunAccount *account, DunInvoice *invoices, int n_invoices, DunBook *books, int n_books)
{
	memset(account, 0, sizeof(*account));
	account->invoices = invoices;
	account->n_invoices = n_invoices;
	account->books = books;
	account->n_books = n_books;
	account->open = palloc(sizeof(int) * Max(n_invoices, 1));
	account->settled = palloc(sizeof(int) * Max(n_invoices, 1));
	account->last_paid = DATEVAL_NOBEGIN;
	account->first_issued = DATEVAL_NOEND;
	account->last_issued = DATEVAL_NOBEGIN;
	account->last_reached = DT_NOBEGIN;
}

bool
dun_feature_is_nothing(double amount, double of)
{
	return amount <= ROUNDING(of);
}

double
dun_feature_days_late(const DunInvoice *invoice)
{
	return invoice->settled_on > invoice->due ? (double) invoice->settled_on - invoice->due : 0.0;
}

double
dun_feature_gap(const DunInvoice *invoice)
{
	return (double) invoice->settled_on - invoice->due;
}

static double
moving_average(const DunAccount *account, double before, double newest)
{
	return account->n_settled == 1 ? newest : EWMA_WEIGHT * newest + (1 - EWMA_WEIGHT) * before;
}

/* The place of an invoice in the list of open ones: by due date, then issue, then as given. */
static int
find_place(const DunAccount *account, int invoice)
{
	const DunInvoice *it = &account->invoices[invoice];
	int			low = 0;
	int			high = account->n_open;

	while (low < high)
	{
		int			middle = (low + high) / 2;
		int			at = account->open[middle];
		const DunInvoice *other = &account->invoices[at];

		if (other->due < it->due ||
			(other->due == it->due && (other->issued < it->issued || (other->issued == it->issued && at < invoice))))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
put_open(DunAccount *account, int invoice)
{
	int			place = find_place(account, invoice);

	if (place < account->n_open && account->open[place] == invoice)
		return;
	memmove(&account->open[place + 1], &account->open[place], sizeof(int) * (account->n_open - place));
	account->open[place] = invoice;
	account->n_open++;
}

static void
take_open(DunAccount *account, int invoice)
{
	int			place = find_place(account, invoice);

	if (place >= account->n_open || account->open[place] != invoice)
		return;
	account->n_open--;
	memmove(&account->open[place], &account->open[place + 1], sizeof(int) * (account->n_open - place));
}

/* Contacts are in the order of their days: those after the due date, up to the day it was settled. */
static int
count_reminders(const DunAccount *account, const DunInvoice *it)
{
	int			low = 0;
	int			high = account->n_contacts;
	int			n = 0;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (account->contacts[middle].day <= it->due)
			low = middle + 1;
		else
			high = middle;
	}
	while (n < 3 && low + n < account->n_contacts && account->contacts[low + n].day <= it->settled_on)
		n++;
	return n;
}

/* Add the habits of the invoice that was settled last. */
static void
count_settled(DunAccount *account, const DunInvoice *it)
{
	double		late = dun_feature_days_late(it);
	double		gap = dun_feature_gap(it);
	DunBook    *book = &account->books[it->currency];

	account->ewma_late = moving_average(account, account->ewma_late, late);
	account->ewma_gap = moving_average(account, account->ewma_gap, gap);
	account->sum_late += late;
	account->sum_gap += gap;
	account->sum_gap_squared += gap * gap;
	account->sum_days += (double) it->settled_on - it->issued;
	account->max_late = Max(account->max_late, late);
	account->n_reminded[it->reminders]++;
	book->paid += it->amount;
	if (late > 0)
	{
		account->n_late++;
		book->paid_late += it->amount;
	}
}

static void
settle(DunAccount *account, int invoice, DateADT day, TimestampTz at)
{
	DunInvoice *it = &account->invoices[invoice];

	it->rest = 0;
	it->settled = true;
	it->settled_on = day;
	it->reminders = count_reminders(account, it);
	take_open(account, invoice);
	if (!it->counted)
		return;
	account->settled[account->n_settled++] = invoice;
	count_settled(account, it);
	if (account->on_step)
		account->on_step(account->arg, invoice, at, 1);
}

/* A reversal or a cancellation takes a settlement back: habits are counted anew, since a maximum cannot be subtracted from. */
static void
unsettle(DunAccount *account, int invoice, TimestampTz at)
{
	DunInvoice *it = &account->invoices[invoice];
	int			n = account->n_settled;

	it->settled = false;
	if (!it->counted)
		return;
	if (account->on_step)
		account->on_step(account->arg, invoice, at, -1);
	account->n_settled = 0;
	account->n_late = 0;
	account->sum_late = account->max_late = account->ewma_late = 0;
	account->sum_gap = account->sum_gap_squared = account->ewma_gap = account->sum_days = 0;
	memset(account->n_reminded, 0, sizeof(account->n_reminded));
	for (int b = 0; b < account->n_books; b++)
		account->books[b].paid = account->books[b].paid_late = 0;
	for (int i = 0; i < n; i++)
	{
		int			other = account->settled[i];

		if (other == invoice)
			continue;
		account->settled[account->n_settled++] = other;
		count_settled(account, &account->invoices[other]);
	}
}

static void
mark_touched(DunAccount *account, DunInvoice *it)
{
	if (it->counted && !it->touched)
		account->n_touched++;
	it->touched = true;
	if (it->rest > ROUNDING(it->amount) && !it->partial)
	{
		it->partial = true;
		account->n_partial += it->counted;
	}
}

static void
reopen(DunAccount *account, int invoice, double amount, TimestampTz at)
{
	DunInvoice *it = &account->invoices[invoice];

	if (it->settled)
		unsettle(account, invoice, at);
	it->rest += amount;
	if (it->rest > ROUNDING(it->amount))
		put_open(account, invoice);
}

/* A negative pool takes back what it paid, from the latest due on. */
static void
refill_pool(DunAccount *account, int currency, TimestampTz at)
{
	DunBook    *book = &account->books[currency];

	while (book->pool < -ROUNDING(book->billed))
	{
		int			latest = -1;
		double		back;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < account->n_invoices; i++)
		{
			DunInvoice *it = &account->invoices[i];

			if (it->exists && it->currency == currency && it->from_pool > ROUNDING(it->amount) &&
				(latest < 0 || it->due >= account->invoices[latest].due))
				latest = i;
		}
		if (latest < 0)
			break;
		back = Min(-book->pool, account->invoices[latest].from_pool);
		account->invoices[latest].from_pool -= back;
		book->pool += back;
		reopen(account, latest, back, at);
	}
}

static void
apply_pool(DunAccount *account, int currency, DateADT day, TimestampTz at)
{
	DunBook    *book = &account->books[currency];
	int			i = 0;

	while (book->pool > ROUNDING(book->billed) && i < account->n_open)
	{
		int			invoice = account->open[i];
		DunInvoice *it = &account->invoices[invoice];
		double		pay;

		if (it->currency != currency)
		{
			i++;
			continue;
		}
		pay = Min(book->pool, it->rest);
		book->pool -= pay;
		it->rest -= pay;
		it->from_pool += pay;
		mark_touched(account, it);
		if (it->rest <= ROUNDING(it->amount))
			settle(account, invoice, day, at);	/* the next one moves up to i */
	}
}

void
dun_feature_add_invoice(DunAccount *account, int invoice, TimestampTz at)
{
	DunInvoice *it = &account->invoices[invoice];
	DunBook    *book = &account->books[it->currency];

	it->exists = true;
	if (it->amount < 0)
	{
		book->pool -= it->amount;
		apply_pool(account, it->currency, it->issued, at);
		return;
	}
	it->rest = it->amount;
	if (it->counted)
	{
		account->n_known++;
		account->n_disputed += it->disputed;
		book->n++;
		book->billed += it->amount;
		account->first_issued = Min(account->first_issued, it->issued);
		account->last_issued = Max(account->last_issued, it->issued);
	}
	put_open(account, invoice);
	apply_pool(account, it->currency, it->issued, at);
}

void
dun_feature_cancel_invoice(DunAccount *account, int invoice, TimestampTz at)
{
	DunInvoice *it = &account->invoices[invoice];
	DunBook    *book = &account->books[it->currency];

	if (!it->exists)
		return;
	it->exists = false;
	if (it->amount < 0)
	{
		book->pool += it->amount;
		refill_pool(account, it->currency, at);
		return;
	}
	if (it->settled)
		unsettle(account, invoice, at);
	else
		take_open(account, invoice);
	if (it->counted)
	{
		account->n_known--;
		account->n_disputed -= it->disputed;
		book->n--;
		book->billed -= it->amount;
		account->n_touched -= it->touched;
		account->n_partial -= it->partial;
	}
	/* What was paid on it is credit now. */
	book->pool += it->amount - it->rest;
	it->rest = it->from_pool = it->excess = 0;
	apply_pool(account, it->currency, account->last_paid, at);
}

static void
count_payment(DunAccount *account, DunBook *book, double amount, DateADT paid_on, int hour, TimestampTz at)
{
	int			year,
				month,
				day,
				weekday;

	j2date(paid_on + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	account->received_at[account->n_payments++] = at;
	account->n_month_end += day > day_tab[isleap(year)][month - 1] - 3;
	account->by_day[day]++;
	weekday = (j2day(paid_on + POSTGRES_EPOCH_JDATE) + 6) % 7;
	account->by_weekday[weekday]++;
	hour += 24 * weekday;
	account->by_hour[hour]++;
	if (account->by_hour[hour] > account->by_hour[account->top_hour] ||
		(account->by_hour[hour] == account->by_hour[account->top_hour] && hour < account->top_hour))
		account->top_hour = hour;
	account->last_paid = Max(account->last_paid, paid_on);
	book->given += amount;
	book->n_given++;
}

void
dun_feature_dispute_invoice(DunAccount *account, int invoice)
{
	DunInvoice *it = &account->invoices[invoice];

	if (it->disputed)
		return;
	it->disputed = true;
	account->n_disputed += it->exists && it->counted && it->amount >= 0;
}

void
dun_feature_keep_promises(DunAccount *account, int currency, double amount, TimestampTz paid_at)
{
	for (int i = 0; i < account->n_promises; i++)
	{
		DunPromise *it = &account->promises[i];

		if (it->currency == currency && paid_at < it->deadline)
			it->in_time += amount;
	}
}

/* A reversal: first from what was overpaid, then from the invoice itself. */
static void
reverse_payment(DunAccount *account, int invoice, int currency, double amount, TimestampTz at)
{
	double		from_pool = amount;

	if (invoice >= 0)
	{
		DunInvoice *it = &account->invoices[invoice];

		from_pool = Min(amount, it->excess);
		it->excess -= from_pool;
		if (amount - from_pool > ROUNDING(amount))
			reopen(account, invoice, amount - from_pool, at);
	}
	account->books[currency].pool -= from_pool;
	refill_pool(account, currency, at);
}

void
dun_feature_add_payment(DunAccount *account, int invoice, int currency, double amount, DateADT paid_on, int hour, TimestampTz at)
{
	double		rest = amount;

	/* A row of nothing, as a voided payment leaves, is none: it neither pays nor is the last one. */
	if (amount == 0)
		return;
	account->books[currency].received += amount;
	if (invoice >= 0 && (!account->invoices[invoice].exists || account->invoices[invoice].amount < 0 ||
						 account->invoices[invoice].currency != currency))
		invoice = -1;
	if (amount < 0)
	{
		reverse_payment(account, invoice, currency, -amount, at);
		apply_pool(account, currency, paid_on, at);
		return;
	}
	count_payment(account, &account->books[currency], amount, paid_on, hour, at);
	if (invoice >= 0)
	{
		DunInvoice *it = &account->invoices[invoice];
		double		pay = Min(amount, it->rest);

		it->rest -= pay;
		it->excess += amount - pay;
		rest -= pay;
		mark_touched(account, it);
		if (!it->settled && it->rest <= ROUNDING(it->amount))
			settle(account, invoice, paid_on, at);
	}
	account->books[currency].pool += rest;
	apply_pool(account, currency, paid_on, at);
}

void
dun_feature_state_open(DunAccount *account, const double *stated)
{
	account->n_open = 0;
	account->on_step = NULL;
	for (int b = 0; b < account->n_books; b++)
		account->books[b].pool = 0;
	for (int i = 0; i < account->n_invoices; i++)
	{
		DunInvoice *it = &account->invoices[i];

		if (!it->exists)
			continue;
		if (stated[i] < 0)
			account->books[it->currency].pool -= stated[i];
		it->rest = Max(stated[i], 0);
		if (it->amount > 0 && it->rest > ROUNDING(it->amount))
			put_open(account, i);
	}
	/* Credit that is stated reduces what is open; it tells nothing of habits. */
	for (int i = 0; i < account->n_open;)
	{
		DunInvoice *it = &account->invoices[account->open[i]];
		DunBook    *book = &account->books[it->currency];
		double		pay = Min(book->pool, it->rest);

		book->pool -= pay;
		it->rest -= pay;
		if (it->rest <= ROUNDING(it->amount))
			take_open(account, account->open[i]);
		else
			i++;
	}
}
