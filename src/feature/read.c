/*
 * feature/read.c
 *		A debtor's state as an account that can be replayed.
 *
 * Rows come in any order and are sorted by what they say, so that what happens at one instant happens in the same order
 * whatever their places in the table were.
 */
#include "postgres.h"

#include <math.h>

#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/hash.h"
#include "feature/history.h"
#include "feature/state.h"

/* --- sorting --- */

static int
compare_octets(const char *a, uint32 a_len, const char *b, uint32 b_len)
{
	int			order = memcmp(a, b, Min(a_len, b_len));

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

#define BY(x, y) do { if ((x) != (y)) return (x) < (y) ? -1 : 1; } while (0)

/* Invoices by id, payments by day and amount; ties by all that is left, so that only equal rows are equal. */
static int
compare_rows(const void *p, const void *q)
{
	const DunStateRow *a = *(const DunStateRow *const *) p;
	const DunStateRow *b = *(const DunStateRow *const *) q;
	int			order;

	BY(a->what, b->what);
	if (a->what == DUN_ROW_INVOICE)
	{
		order = compare_octets(a->id, a->id_len, b->id, b->id_len);
		if (order != 0)
			return order;
	}
	BY(a->paid, b->paid);
	BY(a->amount, b->amount);
	BY(b->has_id, a->has_id);
	order = compare_octets(a->id, a->id_len, b->id, b->id_len);
	if (order != 0)
		return order;
	BY(a->at, b->at);
	BY(a->day, b->day);
	BY(a->due, b->due);
	BY(a->gone, b->gone);
	BY(a->disputed_at, b->disputed_at);
	BY(a->message, b->message);
	BY(a->code, b->code);
	BY(a->stated, b->stated);
	return compare_octets(a->currency, a->currency_len, b->currency, b->currency_len);
}

static int
compare_happenings(const void *p, const void *q)
{
	const DunHappened *a = p;
	const DunHappened *b = q;

	BY(a->at, b->at);
	BY((int) a->what, (int) b->what);
	BY(a->which, b->which);
	return 0;
}

void
dun_feature_sort_history(DunHistory *h)
{
	qsort(h->order, h->n_order, sizeof(DunHappened), compare_happenings);
}

void
dun_feature_put_happening(DunHistory *h, TimestampTz at, DunHappening what, int which)
{
	DunHappened *it = &h->order[h->n_order++];

	it->at = at;
	it->what = what;
	it->which = which;
}

/* --- names --- */

static bool
same_name(const DunName *a, const char *at, uint32 len)
{
	return a->len == len && memcmp(a->at, at, len) == 0;
}

/* A debtor has one or two currencies: looking through them is fastest. */
static int
find_book(DunHistory *h, const DunStateRow *row)
{
	DunAccount *account = &h->account;
	int			i;

	for (i = 0; i < account->n_books; i++)
		if (same_name(&h->books[i].name, row->currency, row->currency_len))
			return i;
	if ((i & (i - 1)) == 0)
		h->books = i == 0 ? palloc(sizeof(DunBook)) : repalloc_huge(h->books, sizeof(DunBook) * 2 * i);
	account->books = h->books;
	memset(&h->books[i], 0, sizeof(DunBook));
	h->books[i].name.at = row->currency;
	h->books[i].name.len = row->currency_len;
	account->n_books++;
	return i;
}

/* Few debtors had more than two addresses. */
static int
find_address(DunHistory *h, const DunStateRow *row, DunName *known, int *n_known)
{
	if (!row->has_id)
		return -1;
	for (int i = 0; i < *n_known; i++)
		if (same_name(&known[i], row->id, row->id_len))
			return i;
	known[*n_known].at = row->id;
	known[*n_known].len = row->id_len;
	h->account.addresses[*n_known] = row->at;	/* rows of contacts are not in order: the earliest */
	return (*n_known)++;
}

static uint32
hash_name(const DunName *name)
{
	return (uint32) dun_base_hash64(name->at, name->len, 0);
}

/* Finds the invoices that payments name: a table of chains, as large as there are invoices. */
static void
link_payments(DunHistory *h)
{
	int			n = h->account.n_invoices;
	uint32		size = 1;
	int		   *first;
	int		   *next;

	while (size < (uint32) n)
		size <<= 1;
	first = palloc_extended(sizeof(int) * size, MCXT_ALLOC_HUGE);
	next = palloc_extended(sizeof(int) * Max(n, 1), MCXT_ALLOC_HUGE);
	memset(first, 0xff, sizeof(int) * size);
	for (int i = 0; i < n; i++)
	{
		uint32		slot = hash_name(&h->invoices[i].id) & (size - 1);

		next[i] = first[slot];
		first[slot] = i;
	}
	for (int p = 0; p < h->n_payments; p++)
	{
		DunPayment *it = &h->payments[p];
		int			i = -1;

		if (it->invoice_id.at != NULL)
		{
			i = first[hash_name(&it->invoice_id) & (size - 1)];
			while (i >= 0 && !same_name(&h->invoices[i].id, it->invoice_id.at, it->invoice_id.len))
				i = next[i];
		}
		it->invoice = i;
	}
	pfree(first);
	pfree(next);
}

/* --- rows --- */

static void
put_invoice(DunHistory *h, int i, const DunStateRow *row, bool looks)
{
	DunInvoice *it = &h->invoices[i];
	TimestampTz begins = dun_feature_begin_day(h->zone, row->day);
	TimestampTz known = TIMESTAMP_IS_NOBEGIN(row->at) ? begins : row->at;

	it->id.at = row->id;
	it->id.len = row->id_len;
	it->currency = find_book(h, row);
	it->issued = row->day;
	it->due = row->due;
	it->amount = row->amount;
	it->counted = it->amount > 0 && row->flag;
	h->stated[i] = row->has_stated ? row->stated : NAN;
	h->disputed[i] = row->disputed;
	if (it->counted && looks)
	{
		dun_feature_put_happening(h, dun_feature_begin_day(h->zone, row->day - 30), DUN_MONTH_BEFORE, i);
		dun_feature_put_happening(h, begins, DUN_LOOK, i);
	}
	if (!TIMESTAMP_IS_NOBEGIN(row->disputed_at))
		dun_feature_put_happening(h, row->disputed_at, DUN_DISPUTE, i);
	/* One that was cancelled before it was known never came to be. */
	if (!TIMESTAMP_IS_NOBEGIN(row->gone) && row->gone <= known)
		return;
	dun_feature_put_happening(h, known, DUN_INVOICE, i);
	if (!TIMESTAMP_IS_NOBEGIN(row->gone))
		dun_feature_put_happening(h, row->gone, DUN_CANCEL, i);
}

static void
put_payment(DunHistory *h, int i, const DunStateRow *row)
{
	DunPayment *it = &h->payments[i];

	it->invoice_id.at = row->has_id ? row->id : NULL;
	it->invoice_id.len = row->id_len;
	it->currency = find_book(h, row);
	it->amount = row->amount;
	it->paid_at = row->paid;
	it->known = TIMESTAMP_IS_NOBEGIN(row->at) ? row->paid : row->at;
	dun_feature_put_happening(h, it->known, DUN_PAYMENT, i);
}

static void
put_promise(DunHistory *h, int i, const DunStateRow *row)
{
	DunPromise *it = &h->account.promises[i];

	memset(it, 0, sizeof(*it));
	it->currency = find_book(h, row);
	it->needed = row->amount;
	it->before = row->stated;
	it->due = row->day;
	it->at = row->at;
	it->made = dun_feature_find_day(h->zone, row->at);
	it->deadline = row->paid;
	dun_feature_put_happening(h, row->at, DUN_PROMISE, i);
	if (!TIMESTAMP_IS_NOBEGIN(row->gone))
		dun_feature_put_happening(h, row->gone, DUN_PROMISE_CANCEL, i);
}

static int
compare_contacts(const void *p, const void *q)
{
	const DunContact *a = p;
	const DunContact *b = q;

	BY(a->at, b->at);
	BY(a->message, b->message);
	return 0;
}

static int
compare_messages(const void *p, const void *q)
{
	const DunContact *a = p;
	const DunContact *b = q;

	BY(a->message, b->message);
	BY(a->at, b->at);
	return 0;
}

/* The attempts of one message are one contact, at the first of them. */
static void
order_contacts(DunHistory *h)
{
	int			n = 0;

	qsort(h->contacts, h->n_contacts, sizeof(DunContact), compare_messages);
	for (int i = 0; i < h->n_contacts; i++)
		if (n == 0 || h->contacts[i].message == 0 || h->contacts[i].message != h->contacts[n - 1].message)
			h->contacts[n++] = h->contacts[i];
	h->n_contacts = n;
	qsort(h->contacts, n, sizeof(DunContact), compare_contacts);
	for (int i = 0; i < n; i++)
		dun_feature_put_happening(h, h->contacts[i].at, DUN_CONTACT, i);
}

static void
put_contact(DunHistory *h, int i, const DunStateRow *row, DunName *known, int *n_known)
{
	DunContact *it = &h->contacts[i];

	memset(it, 0, sizeof(*it));
	it->at = row->at;
	it->day = dun_feature_find_day(h->zone, row->at);
	it->channel = row->code;
	it->message = row->message;
	it->address = find_address(h, row, known, n_known);
	if (it->address >= 0)
		h->account.addresses[it->address] = Min(h->account.addresses[it->address], row->at);
}

static void
put_event(DunHistory *h, int i, const DunStateRow *row)
{
	h->events[i].at = row->at;
	h->events[i].code = row->code;
	h->events[i].message = row->message;
	dun_feature_put_happening(h, row->at, DUN_EVENT, i);
}

static void *
allocate(Size size, int n)
{
	return palloc_extended(size * Max(n, 1), MCXT_ALLOC_HUGE);
}

static DunHistory *
make_history(const int *count, DunZone *zone, bool looks)
{
	DunHistory *h = palloc0(sizeof(DunHistory));
	int			invoices = count[DUN_ROW_INVOICE];
	int			contacts = count[DUN_ROW_CONTACT] + count[DUN_ROW_EVENT];

	h->zone = zone;
	h->n_payments = count[DUN_ROW_PAYMENT];
	h->n_contacts = count[DUN_ROW_CONTACT];
	h->n_events = count[DUN_ROW_EVENT];
	h->invoices = allocate(sizeof(DunInvoice), invoices);
	memset(h->invoices, 0, sizeof(DunInvoice) * invoices);
	dun_feature_init_account(&h->account, h->invoices, invoices, NULL, 0);
	h->payments = allocate(sizeof(DunPayment), h->n_payments);
	h->contacts = allocate(sizeof(DunContact), h->n_contacts);
	h->events = allocate(sizeof(DunEvent), h->n_events);
	h->stated = allocate(sizeof(double), invoices);
	h->disputed = allocate(sizeof(bool), invoices);
	h->order = allocate(sizeof(DunHappened), (looks ? 5 : 3) * invoices + h->n_payments + 2 * count[DUN_ROW_PROMISE] + contacts + 2);
	h->account.received_at = allocate(sizeof(TimestampTz), h->n_payments);
	h->account.promises = allocate(sizeof(DunPromise), count[DUN_ROW_PROMISE]);
	h->account.n_promises = count[DUN_ROW_PROMISE];
	h->account.contacts = allocate(sizeof(DunContact), contacts);
	h->account.addresses = allocate(sizeof(TimestampTz), h->n_contacts);
	h->account.responses = allocate(sizeof(DunResponse), h->n_events);
	return h;
}

DunHistory *
dun_feature_read_history(const char *state, Size size, DunZone *zone, bool looks)
{
	int			n = state == NULL ? 0 : dun_feature_count_rows(state, size);
	DunStateRow *rows = allocate(sizeof(DunStateRow), n);
	DunStateRow **order = allocate(sizeof(DunStateRow *), n);
	int			count[DUN_ROW_EVENT + 1] = {0};
	Size		at = 0;
	DunHistory *h;
	DunName    *known;
	int			n_known = 0;
	int			read = 0;

	for (; read < n && dun_feature_read_row(state, size, &at, &rows[read]); read++)
	{
		count[rows[read].what <= DUN_ROW_EVENT ? rows[read].what : 0]++;
		order[read] = &rows[read];
	}
	n = read;
	qsort(order, n, sizeof(DunStateRow *), compare_rows);
	h = make_history(count, zone, looks);
	known = allocate(sizeof(DunName), h->n_contacts);
	memset(count, 0, sizeof(count));
	for (int i = 0; i < n; i++)
	{
		const DunStateRow *row = order[i];
		int			which;

		if (row->what > DUN_ROW_EVENT)
			continue;
		which = count[row->what]++;
		switch (row->what)
		{
			case DUN_ROW_INVOICE:
				put_invoice(h, which, row, looks);
				break;
			case DUN_ROW_PAYMENT:
				put_payment(h, which, row);
				break;
			case DUN_ROW_PROMISE:
				put_promise(h, which, row);
				break;
			case DUN_ROW_CONTACT:
				put_contact(h, which, row, known, &n_known);
				break;
			case DUN_ROW_EVENT:
				put_event(h, which, row);
				break;
		}
	}
	order_contacts(h);
	link_payments(h);
	pfree(rows);
	pfree(order);
	pfree(known);
	return h;
}
