/*
 * plan/settle.c
 *		Payments against invoices, one debtor at a time.
 *
 * Payments that name an invoice pay it; what they pay too much, payments that name none (or one that is not there, or
 * is of another currency) and credit notes form a pool a currency, which pays the oldest due first.
 */
#include "postgres.h"

#include "common/int.h"

#include "base/hash.h"
#include "plan/settle.h"

typedef struct Payments
{
	const char *invoice;		/* NULL: free place */
	int			len;
	uint16		currency;
	int64		paid;
} Payments;

typedef struct Paid
{
	Payments   *sums;
	uint32		mask;
} Paid;

static DunBalance *
find_balance(DunAccount *a, uint16 currency)
{
	DunBalance *b;

	for (int i = 0; i < a->nbalances; i++)
		if (a->balances[i].currency == currency)
			return &a->balances[i];
	b = &a->balances[a->nbalances++];
	memset(b, 0, sizeof(*b));
	b->currency = currency;
	return b;
}

static Payments *
find_payments(const Paid *paid, const char *invoice, int len, uint16 currency)
{
	for (uint32 at = (uint32) dun_base_hash64(invoice, len, currency) & paid->mask;; at = (at + 1) & paid->mask)
	{
		Payments   *p = &paid->sums[at];

		if (p->invoice == NULL || (p->currency == currency && p->len == len && memcmp(p->invoice, invoice, len) == 0))
			return p;
	}
}

static bool
add_payment(DunAccount *a, Paid *paid, const DunRow *row, bool stated)
{
	DunBalance *b = find_balance(a, row->currency);
	int			len;
	const char *invoice = dun_plan_row_text(row, 0, &len);

	b->scale = Max(b->scale, row->scale);
	b->payments++;
	if (pg_add_s64_overflow(b->paid, row->amount, &b->paid))
		return false;
	if (stated)
		return true;
	if (pg_sub_s64_overflow(b->balance, row->amount, &b->balance))
		return false;
	/* All credit goes to the pool; what named invoices take is taken out again. */
	if (pg_add_s64_overflow(b->pool, row->amount, &b->pool))
		return false;
	if (invoice != NULL)
	{
		Payments   *p = find_payments(paid, invoice, len, row->currency);

		if (p->invoice == NULL)
		{
			p->invoice = invoice;
			p->len = len;
			p->currency = row->currency;
		}
		if (pg_add_s64_overflow(p->paid, row->amount, &p->paid))
			return false;
	}
	return true;
}

static bool
add_invoice(DunAccount *a, const Paid *paid, const DunRow *row, bool stated)
{
	DunBalance *b = find_balance(a, row->currency);
	int64		owed = stated ? row->stated : row->amount;
	DunItem    *item;
	int64		taken;

	b->scale = Max(b->scale, row->scale);
	if (pg_add_s64_overflow(b->balance, owed, &b->balance))
		return false;
	if ((stated ? row->stated : row->amount) < 0 && pg_sub_s64_overflow(b->pool, owed, &b->pool))
		return false;
	if (row->amount <= 0)
		return true;
	item = &a->items[a->nitems++];
	memset(item, 0, sizeof(*item));
	item->currency = row->currency;
	item->disputed = row->disputed;
	item->issued = row->issued;
	item->due = row->due;
	item->amount.micro = row->amount;
	item->amount.scale = row->scale;
	item->invoice = dun_plan_row_text(row, 0, &item->invoice_len);
	item->rem = row->amount;
	if (stated)
		item->rem = Max(row->stated, 0);
	else if (item->invoice != NULL)
	{
		const Payments *p = find_payments(paid, item->invoice, item->invoice_len, row->currency);

		if (p->invoice != NULL)
		{
			taken = Min(p->paid, row->amount);
			if (pg_sub_s64_overflow(row->amount, taken, &item->rem) || pg_sub_s64_overflow(b->pool, taken, &b->pool))
				return false;
		}
	}
	return true;
}

static int
compare_text(const char *a, int alen, const char *b, int blen)
{
	int			order;

	if (a == NULL || b == NULL)
		return (a == NULL) - (b == NULL);	/* none is last */
	order = memcmp(a, b, Min(alen, blen));
	return order != 0 ? order : alen - blen;
}

static int
compare_items(const void *left, const void *right)
{
	const DunItem *a = left;
	const DunItem *b = right;

	if (a->currency != b->currency)
		return a->currency < b->currency ? -1 : 1;
	if (a->due != b->due)
		return a->due < b->due ? -1 : 1;
	if (a->issued != b->issued)
		return a->issued < b->issued ? -1 : 1;
	return compare_text(a->invoice, a->invoice_len, b->invoice, b->invoice_len);
}

/* Drops the items that are paid. */
static void
keep_unpaid(DunAccount *a)
{
	int			n = 0;

	for (int i = 0; i < a->nitems; i++)
		if (a->items[i].rem > 0)
			a->items[n++] = a->items[i];
	a->nitems = n;
}

static bool
lay_pool(DunAccount *a)
{
	int			n = 0;
	int64		before = 0;

	for (int i = 0; i < a->nitems; i++)
	{
		DunItem    *item = &a->items[i];
		DunBalance *b = find_balance(a, item->currency);
		int64		left;

		if (i == 0 || item->currency != a->items[i - 1].currency)
			before = 0;
		if (pg_sub_s64_overflow(b->pool, before, &left))
			return false;
		item->open.micro = item->rem - Max(0, Min(item->rem, left));
		if (pg_add_s64_overflow(before, item->rem, &before))
			return false;
		if (item->open.micro <= 0)
			continue;
		if (item->disputed && pg_add_s64_overflow(b->disputed, item->open.micro, &b->disputed))
			return false;
		item->open.scale = b->scale;
	}
	for (int i = 0; i < a->nitems; i++)
		if (a->items[i].open.micro > 0)
			a->items[n++] = a->items[i];
	a->nitems = n;
	return true;
}

static Paid
make_sums(int n)
{
	Paid		made = {NULL, 15};

	while (made.mask < 2 * (uint32) n)
		made.mask = made.mask * 2 + 1;
	made.sums = palloc_extended((made.mask + 1) * sizeof(Payments), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return made;
}

/* By name: an account that was handed over has as many holds as invoices. */
static void
mark_held(DunAccount *a, const DunRow *rows, int holds)
{
	Paid		held = make_sums(holds);
	int			len;

	for (const DunRow *row = rows; row != NULL; row = row->next)
	{
		const char *invoice = row->kind == DUN_ROW_HOLD ? dun_plan_row_text(row, 0, &len) : NULL;
		Payments   *p = invoice == NULL ? NULL : find_payments(&held, invoice, len, 0);

		if (p != NULL && p->invoice == NULL)
			*p = (Payments) {.invoice = invoice, .len = len};
	}
	for (int i = 0; i < a->nitems; i++)
		if (a->items[i].invoice != NULL && find_payments(&held, a->items[i].invoice, a->items[i].invoice_len, 0)->invoice != NULL)
			a->items[i].left_out = true;
}

bool
dun_plan_settle_account(const DunRow *rows, bool stated, DunAccount *a)
{
	Paid		paid;
	int			invoices = 0;
	int			payments = 0;
	int			holds = 0;

	memset(a, 0, sizeof(*a));
	for (const DunRow *row = rows; row != NULL; row = row->next)
	{
		if (row->odd)
			return false;
		invoices += row->kind == DUN_ROW_INVOICE;
		payments += row->kind == DUN_ROW_PAYMENT;
		holds += row->kind == DUN_ROW_HOLD;
	}
	if (invoices == 0 && payments == 0)
		return true;
	a->balances = palloc((invoices + payments) * sizeof(DunBalance));
	a->items = palloc((invoices + 1) * sizeof(DunItem));
	paid = make_sums(payments);
	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (row->kind == DUN_ROW_PAYMENT && !add_payment(a, &paid, row, stated))
			return false;
	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (row->kind == DUN_ROW_INVOICE && !add_invoice(a, &paid, row, stated))
			return false;
	keep_unpaid(a);
	if (a->nitems > 1)
		qsort(a->items, a->nitems, sizeof(DunItem), compare_items);
	if (!lay_pool(a))
		return false;
	for (int i = 0; i < a->nitems; i++)
		a->items[i].left_out = a->items[i].disputed;
	if (holds > 0)
		mark_held(a, rows, holds);
	return true;
}
