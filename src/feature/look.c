/*
 * feature/look.c
 *		Reading an account off.
 *
 * Counts are over all currencies, sums over the one that is asked for.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "feature/look.h"

#define DAYS_A_MONTH 30.4375

void
dun_feature_set_int(DunRow *row, int col, int value)
{
	row->values[col] = Int32GetDatum(value);
	row->nulls[col] = false;
}

void
dun_feature_set_float(DunRow *row, int col, double value)
{
	row->values[col] = Float8GetDatum(value);
	row->nulls[col] = false;
}

void
dun_feature_set_date(DunRow *row, int col, DateADT value)
{
	row->values[col] = DateADTGetDatum(value);
	row->nulls[col] = false;
}

void
dun_feature_set_name(DunRow *row, int col, const DunName *name)
{
	row->values[col] = PointerGetDatum(cstring_to_text_with_len(name->at, name->len));
	row->nulls[col] = false;
}

static void
set_ratio(DunRow *row, int col, double part, double whole)
{
	if (whole > 0)
		dun_feature_set_float(row, col, part / whole);
}

/* --- habits --- */

static void
fill_lateness(DunRow *row, const DunAccount *a, const DunBook *book)
{
	int			n = a->n_settled;
	double		newest = 0;
	int			taken = Min(n, 3);

	dun_feature_set_int(row, COL_N_PAID, n);
	dun_feature_set_int(row, COL_N_LATE, a->n_late);
	dun_feature_set_float(row, COL_SUM_LATE, a->sum_late);
	set_ratio(row, COL_LATE_AMOUNT_RATIO, book->paid_late, book->paid);
	if (n == 0)
		return;
	for (int i = n - taken; i < n; i++)
		newest += dun_feature_days_late(&a->invoices[a->settled[i]]);
	set_ratio(row, COL_LATE_RATIO, a->n_late, n);
	set_ratio(row, COL_AVG_LATE, a->sum_late, n);
	dun_feature_set_float(row, COL_LAST_LATE, dun_feature_days_late(&a->invoices[a->settled[n - 1]]));
	dun_feature_set_float(row, COL_MAX_LATE, a->max_late);
	dun_feature_set_float(row, COL_AVG_LATE_3, newest / taken);
	dun_feature_set_float(row, COL_TREND, newest / taken - a->sum_late / n);
	dun_feature_set_float(row, COL_EWMA_LATE, a->ewma_late);
}

/* What was paid early tells as much as what was paid late: who pays a day before the due date is nearer to it than who pays at once. */
static void
fill_gaps(DunRow *row, const DunAccount *a)
{
	int			n = a->n_settled;
	int			taken = Min(n, 3);
	double		newest = 0;

	dun_feature_set_float(row, COL_SUM_GAP, a->sum_gap);
	if (n == 0)
		return;
	for (int i = n - taken; i < n; i++)
		newest += dun_feature_gap(&a->invoices[a->settled[i]]);
	set_ratio(row, COL_AVG_GAP, a->sum_gap, n);
	dun_feature_set_float(row, COL_GAP_TREND, newest / taken - a->sum_gap / n);
	dun_feature_set_float(row, COL_EWMA_GAP, a->ewma_gap);
	set_ratio(row, COL_DAYS_TO_PAY, a->sum_days, n);
	if (n > 1)
		dun_feature_set_float(row, COL_GAP_SD, sqrt(Max(0, a->sum_gap_squared - a->sum_gap * a->sum_gap / n) / (n - 1)));
}

static void
fill_reminded(DunRow *row, const DunAccount *a)
{
	dun_feature_set_int(row, COL_N_BEFORE_REMINDER, a->n_reminded[0]);
	for (int i = 0; i <= 3; i++)
		set_ratio(row, COL_PAID_BEFORE_REMINDER + i, a->n_reminded[i], a->n_settled);
}

/* The weekday, and the first of three days of the month, on which most payments came. */
static void
fill_pay_days(DunRow *row, const DunAccount *a)
{
	int			weekday = 0;
	int			first = 0;
	int			most = 0;

	if (a->n_payments == 0)
		return;
	for (int i = 1; i < 7; i++)
		if (a->by_weekday[i] > a->by_weekday[weekday])
			weekday = i;
	for (int i = 1; i <= 31; i++)
	{
		int			n = a->by_day[i] + (i < 31 ? a->by_day[i + 1] : 0) + (i < 30 ? a->by_day[i + 2] : 0);

		if (a->by_day[i] > 0 && n > most)
		{
			most = n;
			first = i;
		}
	}
	set_ratio(row, COL_MONTH_END_RATIO, a->n_month_end, a->n_payments);
	set_ratio(row, COL_WEEKDAY_RATIO, a->by_weekday[weekday], a->n_payments);
	dun_feature_set_int(row, COL_PAY_WEEKDAY, weekday + 1);
	set_ratio(row, COL_PAYDAY_RATIO, most, a->n_payments);
	dun_feature_set_int(row, COL_PAYDAY_FROM, first);
	dun_feature_set_int(row, COL_PAY_HOUR, a->top_hour);
	set_ratio(row, COL_PAY_HOUR_RATIO, a->by_hour[a->top_hour], a->n_payments);
}

/* How many of an ascending row of instants are not before `since`. */
static int
count_since(const TimestampTz *instants, int n, TimestampTz since)
{
	int			low = 0;
	int			high = n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (instants[middle] < since)
			low = middle + 1;
		else
			high = middle;
	}
	return n - low;
}

static void
fill_payments(DunRow *row, const DunAccount *a, const DunBook *book, DateADT today, TimestampTz at)
{
	dun_feature_set_int(row, COL_N_PAYMENTS, a->n_payments);
	dun_feature_set_int(row, COL_N_PAYMENTS_90D, count_since(a->received_at, a->n_payments, at - 90 * USECS_PER_DAY));
	set_ratio(row, COL_PAYMENT_MEAN, book->given, book->n_given);
	if (!DATE_NOT_FINITE(a->last_paid))
		dun_feature_set_int(row, COL_DAYS_SINCE_PAYMENT, today - a->last_paid);
	if (!DATE_NOT_FINITE(a->last_issued))
	{
		double		months = Max(today - a->first_issued, 30) / DAYS_A_MONTH;

		dun_feature_set_int(row, COL_DAYS_SINCE_INVOICE, today - a->last_issued);
		dun_feature_set_int(row, COL_TENURE_DAYS, today - a->first_issued);
		set_ratio(row, COL_PAYMENTS_PER_MONTH, a->n_payments, months);
		set_ratio(row, COL_INVOICES_PER_MONTH, a->n_known, months);
	}
	fill_pay_days(row, a);
}

/* --- what is open --- */

static int
bucket_of(int days)
{
	return days <= 0 ? 0 : days <= 30 ? 1 : days <= 60 ? 2 : days <= 90 ? 3 : 4;
}

void
dun_feature_note_month_before(DunAccount *a, DateADT today)
{
	a->bucket_before = 0;
	for (int b = 0; b < a->n_books; b++)
		a->books[b].overdue_before = 0;
	for (int i = 0; i < a->n_open; i++)
	{
		const DunInvoice *it = &a->invoices[a->open[i]];
		int			days = today - it->due;

		if (days <= 0)
			break;				/* by due date */
		a->bucket_before = Max(a->bucket_before, bucket_of(days));
		a->books[it->currency].overdue_before += it->rest;
	}
}

static void
fill_open(DunRow *row, const DunAccount *a, const DunBook *book, int currency, DateADT today)
{
	double		bucket[5] = {0};
	double		open = 0;
	double		overdue;
	int			n_overdue = 0;
	int			oldest = 0;

	for (int i = 0; i < a->n_open; i++)
	{
		const DunInvoice *it = &a->invoices[a->open[i]];
		int			days = today - it->due;

		n_overdue += days > 0;
		oldest = Max(oldest, days);
		if (it->currency != currency)
			continue;
		open += it->rest;
		bucket[bucket_of(days)] += it->rest;
	}
	overdue = bucket[1] + bucket[2] + bucket[3] + bucket[4];
	dun_feature_set_int(row, COL_N_OPEN, a->n_open);
	dun_feature_set_int(row, COL_N_OVERDUE, n_overdue);
	dun_feature_set_int(row, COL_DAYS_PAST_DUE, oldest);
	dun_feature_set_int(row, COL_DPD_BUCKET, bucket_of(oldest));
	dun_feature_set_int(row, COL_DPD_ROLL, bucket_of(oldest) - a->bucket_before);
	dun_feature_set_float(row, COL_AMOUNT_OPEN, open);
	dun_feature_set_float(row, COL_AMOUNT_OVERDUE, overdue);
	dun_feature_set_float(row, COL_OVERDUE_CHANGE, overdue - book->overdue_before);
	for (int i = 0; i < 5; i++)
		dun_feature_set_float(row, COL_DPD_0 + i, bucket[i]);
}

/* --- promises --- */

static bool
is_open_in(const DunAccount *a, int currency)
{
	for (int i = 0; i < a->n_open; i++)
		if (a->invoices[a->open[i]].currency == currency)
			return true;
	return false;
}

/* As dunning._promise_state() tells it: 1 kept, -1 broken (or made good too late), 0 open or cancelled. */
static int
judge_promise(const DunAccount *a, const DunPromise *it, TimestampTz at)
{
	double		needed = it->needed + it->before;

	if (dun_feature_is_nothing(needed - it->in_time, needed))
		return 1;
	if (it->cancelled)
		return 0;
	if (!is_open_in(a, it->currency))
		return 1;
	if (dun_feature_is_nothing(needed - a->books[it->currency].received, needed))
		return -1;
	return it->deadline > at ? 0 : -1;
}

static void
fill_promises(DunRow *row, const DunAccount *a, TimestampTz at)
{
	int			n = 0;
	int			kept = 0;
	int			broken = 0;
	double		days = 0;

	for (int i = 0; i < a->n_promises; i++)
	{
		const DunPromise *it = &a->promises[i];
		int			verdict;

		if (!it->exists)
			continue;
		n++;
		verdict = judge_promise(a, it, at);
		kept += verdict > 0;
		broken += verdict < 0;
		if (verdict < 0)
			days += it->due - it->made;
	}
	dun_feature_set_int(row, COL_N_PROMISES, n);
	dun_feature_set_int(row, COL_PROMISES_KEPT, kept);
	dun_feature_set_int(row, COL_PROMISES_BROKEN, broken);
	set_ratio(row, COL_PROMISE_KEPT_RATIO, kept, kept + broken);
	set_ratio(row, COL_PROMISE_DAYS_TO_BREAK, days, broken);
}

/* --- contacts --- */

static void
count_one(int *week, int *month, int channel, TimestampTz when, TimestampTz at)
{
	month[channel]++;
	week[channel] += when >= at - 7 * USECS_PER_DAY;
}

static int
sum_of(const int *counts)
{
	int			sum = 0;

	for (int i = 0; i < DUN_CHANNELS; i++)
		sum += counts[i];
	return sum;
}

static void
set_counts(DunRow *row, int total, int first, const int *counts)
{
	dun_feature_set_int(row, total, sum_of(counts));
	for (int i = 0; i < DUN_CHANNELS; i++)
		dun_feature_set_int(row, first + i, counts[i]);
}

static int
whole_days(TimestampTz from, TimestampTz to)
{
	return (int) ((to - from) / USECS_PER_DAY);
}

static void
fill_contacts(DunRow *row, const DunAccount *a, TimestampTz at)
{
	TimestampTz month_ago = at - 30 * USECS_PER_DAY;
	int			week[2][DUN_CHANNELS] = {{0}};
	int			month[2][DUN_CHANNELS] = {{0}};
	int			address = -1;

	for (int i = a->n_contacts - 1; i >= 0 && a->contacts[i].at >= month_ago; i--)
		count_one(week[0], month[0], a->contacts[i].channel, a->contacts[i].at, at);
	for (int i = a->n_responses - 1; i >= 0 && a->responses[i].at >= month_ago; i--)
		count_one(week[1], month[1], a->responses[i].channel, a->responses[i].at, at);
	set_counts(row, COL_CONTACTS_7D, COL_FIRST_CONTACTS_7D, week[0]);
	set_counts(row, COL_CONTACTS_30D, COL_FIRST_CONTACTS_30D, month[0]);
	set_counts(row, COL_RESPONSES_7D, COL_FIRST_RESPONSES_7D, week[1]);
	set_counts(row, COL_RESPONSES_30D, COL_FIRST_RESPONSES_30D, month[1]);
	if (a->n_contacts > 0)
		dun_feature_set_int(row, COL_DAYS_SINCE_CONTACT, whole_days(a->contacts[a->n_contacts - 1].at, at));
	if (a->n_responses > 0)
		dun_feature_set_int(row, COL_DAYS_SINCE_RESPONSE, whole_days(a->responses[a->n_responses - 1].at, at));
	set_ratio(row, COL_REACHED_RATIO, a->n_reached, a->n_reached + a->n_bounced);
	if (!TIMESTAMP_IS_NOBEGIN(a->last_reached))
		dun_feature_set_int(row, COL_DAYS_SINCE_REACHED, whole_days(a->last_reached, at));
	for (int i = a->n_contacts - 1; i >= 0 && address < 0; i--)
		address = a->contacts[i].address;
	if (address >= 0)
		dun_feature_set_int(row, COL_ADDRESS_AGE_DAYS, whole_days(a->addresses[address], at));
}

void
dun_feature_fill_row(DunRow *row, const DunHistory *h, int currency, DateADT today, TimestampTz at)
{
	static const DunBook none = {{0}};
	const DunAccount *a = &h->account;
	const DunBook *book = currency >= 0 ? &a->books[currency] : &none;
	int			currencies = 0;

	memset(row->nulls, true, sizeof(row->nulls));
	for (int b = 0; b < a->n_books; b++)
		currencies += a->books[b].n > 0;
	if (currency >= 0)
		dun_feature_set_name(row, COL_CURRENCY, &book->name);
	dun_feature_set_int(row, COL_LEDGER_ROWS, a->n_invoices + h->n_payments);
	dun_feature_set_int(row, COL_CURRENCIES, currencies);
	dun_feature_set_int(row, COL_N_INVOICES, a->n_known);
	dun_feature_set_float(row, COL_AMOUNT_BILLED, book->billed);
	dun_feature_set_float(row, COL_AMOUNT_PAID, book->paid);
	set_ratio(row, COL_AMOUNT_MEAN, book->billed, book->n);
	dun_feature_set_int(row, COL_N_PARTIAL, a->n_partial);
	set_ratio(row, COL_PARTIAL_RATIO, a->n_partial, a->n_touched);
	dun_feature_set_int(row, COL_N_DISPUTED, a->n_disputed);
	set_ratio(row, COL_DISPUTE_RATIO, a->n_disputed, a->n_known);
	fill_lateness(row, a, book);
	fill_gaps(row, a);
	fill_reminded(row, a);
	fill_payments(row, a, book, today, at);
	fill_open(row, a, book, currency, today);
	fill_promises(row, a, at);
	fill_contacts(row, a, at);
}
