/*
 * plan/ladder_aside.c
 *		Debtors who are put aside until what was asked about them is told.
 *
 * Kept of a debtor are the rows that the account is not made of, when the debtor was last heard, and the account where it
 * was settled: a debtor in arrears has a dozen rows, and each second one is put aside.
 */
#include "postgres.h"

#include "plan/ladder.h"

static void
keep_rows(DunBook *book, const DunRow *rows, const DunRow *more, const char *const *texts, const int *lens)
{
	dun_plan_add_row(book, more, DUN_ROW_ID(rows), rows->id_len, texts, lens);
	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (row->kind != DUN_ROW_INVOICE && row->kind != DUN_ROW_PAYMENT && row->kind != DUN_ROW_HOLD)
			dun_plan_copy_row(book, row);
}

void
dun_plan_put_odd_aside(DunLadder *run, const DunRow *rows)
{
	DunRow		heard = {.kind = DUN_ROW_HEARD, .stated = dun_plan_last_heard(rows)};
	static const char *const none[DUN_ROW_TEXTS] = {NULL};
	static const int lens[DUN_ROW_TEXTS] = {0};

	dun_plan_add_id(run, &run->odd_ids, DUN_ROW_ID(rows), rows->id_len, NULL);
	keep_rows(run->odd, rows, &heard, none, lens);
}

void
dun_plan_put_asking_aside(DunLadder *run, const DunRow *rows, const DunAccount *account, const DunStrategy *strategy)
{
	DunRow		kept = {.kind = DUN_ROW_ACCOUNT, .stated = dun_plan_last_heard(rows)};
	const char *texts[DUN_ROW_TEXTS] = {(const char *) account->balances, (const char *) account->items};
	int			lens[DUN_ROW_TEXTS] = {account->nbalances * sizeof(DunBalance), account->nitems * sizeof(DunItem)};

	dun_plan_add_id(run, &run->asking_ids, DUN_ROW_ID(rows), rows->id_len, strategy);
	keep_rows(run->asking, rows, &kept, texts, lens);
}

/* Text `i` of a row where structs may stand. */
static void *
aligned_text(const DunRow *row, int i, int *len)
{
	const char *text = dun_plan_row_text(row, i, len);

	return memcpy(palloc(Max(*len, 1)), text, *len);
}

void
dun_plan_take_account(const DunRow *rows, DunAccount *account)
{
	int			len;

	while (rows->kind != DUN_ROW_ACCOUNT)
		rows = rows->next;
	account->balances = aligned_text(rows, 0, &len);
	account->nbalances = len / sizeof(DunBalance);
	account->items = aligned_text(rows, 1, &len);
	account->nitems = len / sizeof(DunItem);
	/* What named an invoice has gone with the rows. */
	for (int i = 0; i < account->nitems; i++)
		account->items[i].invoice = NULL;
}
