/*
 * plan/ladder_read.c
 *		Rows of the ledger and of what was done so far, as they come, dealt to the book of a run.
 *
 * An amount, currency or date that the fields of a row cannot tell makes the row odd, and with it the debtor's account.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/amount.h"
#include "plan/ladder.h"

/* debtor_id, creditor, preferred_channel, strategy, country */
static void
take_debtor(void *state, const Datum *v, const bool *isnull)
{
	DunLadder  *run = state;
	DunRow		row = {.kind = DUN_ROW_DEBTOR};

	dun_plan_deal_row(run->book, &row, v, isnull, NULL, 0, 1, 4);
}

static bool
read_currency(DunLadder *run, DunRow *row, const Datum *v, const bool *isnull, int i)
{
	int			len = 0;
	const char *currency = dun_plan_text_at(v, isnull, i, &len);

	if (currency == NULL || len == 0 || len >= DUN_CURRENCY_LEN)
		return false;
	row->currency = dun_plan_number_currency(run, currency, len);
	return true;
}

static bool
read_sum(int64 *micro, DunRow *row, const Datum *v, const bool *isnull, int i)
{
	int			scale = 0;

	if (isnull[i] || !dun_base_read_amount(v[i], micro, &scale))
		return false;
	row->scale = Max(row->scale, scale);
	return true;
}

static bool
read_dates(DunRow *row, const Datum *v, const bool *isnull)
{
	if (isnull[5] || isnull[6])
		return false;
	row->issued = DatumGetDateADT(v[5]);
	row->due = DatumGetDateADT(v[6]);
	return !DATE_NOT_FINITE(row->issued) && !DATE_NOT_FINITE(row->due) && row->due >= row->issued;
}

/* debtor_id, invoice_id, currency, amount, stated, issued_on, due_on, disputed */
static void
take_invoice(void *state, const Datum *v, const bool *isnull)
{
	DunLadder  *run = state;
	DunRow		row = {.kind = DUN_ROW_INVOICE};

	row.odd = !read_currency(run, &row, v, isnull, 2) || !read_sum(&row.amount, &row, v, isnull, 3) ||
		(run->stated && !read_sum(&row.stated, &row, v, isnull, 4)) ||
		(row.amount > 0 && !read_dates(&row, v, isnull));
	row.disputed = !isnull[7] && DatumGetBool(v[7]);
	dun_plan_deal_row(run->book, &row, v, isnull, NULL, 0, 1, 1);
}

static bool
is_positive(Datum numeric)
{
	Datum		zero = DirectFunctionCall1(int8_numeric, Int64GetDatum(0));

	return DatumGetBool(DirectFunctionCall2(numeric_gt, numeric, zero));
}

/* debtor_id, invoice_id, currency, amount, paid_at */
static void
take_payment(void *state, const Datum *v, const bool *isnull)
{
	DunLadder  *run = state;
	DunRow		row = {.kind = DUN_ROW_PAYMENT, .stated = DT_NOBEGIN};
	bool		fits = read_sum(&row.amount, &row, v, isnull, 3);

	row.odd = !read_currency(run, &row, v, isnull, 2) || !fits;
	if (!isnull[3] && !isnull[4] && DatumGetTimestampTz(v[4]) <= run->now && (fits ? row.amount > 0 : is_positive(v[3])))
		row.stated = DatumGetTimestampTz(v[4]);
	dun_plan_deal_row(run->book, &row, v, isnull, NULL, 0, 1, 1);
}

/* debtor_id, message_id (NULL: the debtor was heard), at */
static void
take_contact(void *state, const Datum *v, const bool *isnull)
{
	DunLadder  *run = state;
	DunRow		row = {.kind = isnull[1] ? DUN_ROW_HEARD : DUN_ROW_CONTACT, .stated = DatumGetTimestampTz(v[2])};

	dun_plan_deal_row(run->book, &row, v, isnull, isnull[1] ? NULL : DatumGetUUIDP(v[1])->data, UUID_LEN, 0, 0);
}

/* debtor_id, text, kind, day */
static void
take_other(void *state, const Datum *v, const bool *isnull)
{
	DunLadder  *run = state;
	DunRow		row = {0};
	int			len = 0;
	const char *kind = dun_plan_text_at(v, isnull, 2, &len);

	switch (len > 0 ? kind[0] : '\0')
	{
		case 'h':
			row.kind = DUN_ROW_HOLD;
			break;
		case 's':
			row.kind = DUN_ROW_HAD;
			break;
		case 'w':
			row.kind = DUN_ROW_WAITING;
			break;
		default:
			elog(ERROR, "a row of an unknown kind");
	}
	row.due = isnull[3] ? DATEVAL_NOBEGIN : DatumGetDateADT(v[3]);
	dun_plan_deal_row(run->book, &row, v, isnull, NULL, 0, 1, 1);
}

void
dun_plan_read_book(DunLadder *run)
{
	dun_plan_read(run->texts[DUN_LADDER_INVOICES], &run->args, take_invoice, run);
	dun_plan_read(run->texts[DUN_LADDER_PAYMENTS], &run->args, take_payment, run);
	dun_plan_read(run->texts[DUN_LADDER_DEBTORS], &run->args, take_debtor, run);
	dun_plan_read(run->texts[DUN_LADDER_CONTACTS], &run->args, take_contact, run);
	dun_plan_read(run->texts[DUN_LADDER_OTHERS], &run->args, take_other, run);
}
