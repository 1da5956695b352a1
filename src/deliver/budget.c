/*
 * deliver/budget.c
 *		Money at the way out.
 *
 * What a run planned has been counted when it was planned. What send() was asked for, what goes on over another channel
 * and what is retried by hand is counted here, against what has left today.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#include "base/spi.h"
#include "deliver/arrays.h"
#include "deliver/budget.h"

static DunStatement budget_sql = {
	"SELECT b.ord, b.until_at FROM dunning._over_budget($1, $2) b", 2, {TEXTARRAYOID, UUIDARRAYOID}, .harmless = true
};

void
dun_deliver_ask_budget(DunItem **items, int n)
{
	DunColumn  *debtors = dun_deliver_column(TEXTOID, n);
	DunColumn  *ids = dun_deliver_column(UUIDOID, n);
	Datum		args[2];
	uint64		rows;

	for (int i = 0; i < n; i++)
	{
		dun_deliver_push_text(debtors, items[i]->debtor_id);
		dun_deliver_push(ids, UUIDPGetDatum(&items[i]->message_id));
	}
	args[0] = dun_deliver_array(debtors);
	args[1] = dun_deliver_array(ids);
	rows = dun_base_run(&budget_sql, args, NULL, false, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		DunItem    *item = items[DatumGetInt64(dun_base_value(row, 1, &isnull)) - 1];

		dun_deliver_decide(item, 0, "held", "budget");
		item->next_due = DatumGetTimestampTz(dun_base_value(row, 2, &isnull));
	}
}
