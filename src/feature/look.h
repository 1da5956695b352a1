/*
 * feature/look.h
 *		What can be read off an account at an instant: one row of dunning.history_look.
 */
#ifndef DUN_FEATURE_LOOK_H
#define DUN_FEATURE_LOOK_H

#include "postgres.h"

#include "feature/history.h"

/* Columns of dunning.history_look, in its order. */
enum
{
	COL_INVOICE_ID, COL_ISSUED_ON, COL_DUE_ON, COL_AMOUNT, COL_SETTLED_ON, COL_LEDGER_ROWS,
	COL_CURRENCY, COL_CURRENCIES, COL_N_INVOICES, COL_N_PAID,
	COL_N_LATE, COL_N_OPEN, COL_N_OVERDUE, COL_N_PAYMENTS, COL_AMOUNT_BILLED, COL_AMOUNT_PAID, COL_AMOUNT_OPEN,
	COL_AMOUNT_OVERDUE, COL_DPD_0, COL_DPD_1_30, COL_DPD_31_60, COL_DPD_61_90, COL_DPD_OVER_90, COL_DAYS_PAST_DUE,
	COL_DAYS_SINCE_PAYMENT, COL_DAYS_SINCE_INVOICE, COL_LATE_RATIO, COL_LATE_AMOUNT_RATIO, COL_AVG_LATE,
	COL_SUM_LATE, COL_LAST_LATE, COL_MAX_LATE, COL_AVG_LATE_3, COL_TREND, COL_EWMA_LATE, COL_PARTIAL_RATIO,
	COL_MONTH_END_RATIO, COL_AMOUNT_MEAN, COL_TENURE_DAYS,
	COL_N_PAYMENTS_90D, COL_PAYMENTS_PER_MONTH, COL_INVOICES_PER_MONTH, COL_PAYMENT_MEAN, COL_N_PARTIAL,
	COL_N_BEFORE_REMINDER, COL_PAID_BEFORE_REMINDER, COL_PAID_AFTER_1, COL_PAID_AFTER_2, COL_PAID_AFTER_3,
	COL_N_PROMISES, COL_PROMISES_KEPT, COL_PROMISES_BROKEN, COL_PROMISE_KEPT_RATIO, COL_PROMISE_DAYS_TO_BREAK,
	COL_N_DISPUTED, COL_DISPUTE_RATIO, COL_DPD_BUCKET, COL_DPD_ROLL, COL_OVERDUE_CHANGE,
	COL_WEEKDAY_RATIO, COL_PAY_WEEKDAY, COL_PAYDAY_RATIO, COL_PAYDAY_FROM,
	COL_CONTACTS_7D, COL_CONTACTS_30D, COL_RESPONSES_7D, COL_RESPONSES_30D,
	COL_FIRST_CONTACTS_7D, COL_FIRST_CONTACTS_30D = COL_FIRST_CONTACTS_7D + DUN_CHANNELS,
	COL_FIRST_RESPONSES_7D = COL_FIRST_CONTACTS_30D + DUN_CHANNELS, COL_FIRST_RESPONSES_30D = COL_FIRST_RESPONSES_7D + DUN_CHANNELS,
	COL_DAYS_SINCE_CONTACT = COL_FIRST_RESPONSES_30D + DUN_CHANNELS, COL_DAYS_SINCE_RESPONSE, COL_REACHED_RATIO,
	COL_DAYS_SINCE_REACHED, COL_ADDRESS_AGE_DAYS,
	COL_SUM_GAP, COL_AVG_GAP, COL_GAP_TREND, COL_EWMA_GAP, COL_GAP_SD, COL_DAYS_TO_PAY, COL_PAY_HOUR, COL_PAY_HOUR_RATIO, N_COLS
};

typedef struct DunRow
{
	Datum		values[N_COLS];
	bool		nulls[N_COLS];
} DunRow;

extern void dun_feature_set_int(DunRow *row, int col, int value);
extern void dun_feature_set_float(DunRow *row, int col, double value);
extern void dun_feature_set_date(DunRow *row, int col, DateADT value);
extern void dun_feature_set_name(DunRow *row, int col, const DunName *name);

/* Remembers how old the debt is and how much of each currency is overdue. */
extern void dun_feature_note_month_before(DunAccount *account, DateADT today);
/* What is known before `at`, on the day `today`; sums are in a currency, -1: none. */
extern void dun_feature_fill_row(DunRow *row, const DunHistory *h, int currency, DateADT today, TimestampTz at);

#endif
