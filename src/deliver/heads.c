/*
 * deliver/heads.c
 *		The heads of the egress chains.
 *
 * A slice has one writer, who knows where its chain ends, so that a head is read once and not for each batch. What is
 * kept is only believed: the table's row is moved under its number and digest, in the order of the slices, so that two
 * writers (a worker that lost its slice and its successor) can neither fork a chain nor deadlock. Who finds another row
 * there takes the batch back; what is rolled back, for whatever reason, leaves nothing kept.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "base/hash.h"
#include "base/spi.h"
#include "deliver/arrays.h"
#include "deliver/heads.h"

typedef struct Kept
{
	bool		known;
	bool		taken;			/* by the batch that is being written */
	DunHead		stored;			/* as the table has it */
	DunHead		next;
} Kept;

static Kept heads[DUN_SLICES];

/* By the highest number and not by the slice alone: a held snapshot keeps every head that there was, and this walks past none of them. */
static DunStatement heads_sql = {
	"SELECT s, h.seq, h.digest FROM pg_catalog.unnest($1) s CROSS JOIN LATERAL"
	" (SELECT x.seq, x.digest FROM dunning.egress_head x WHERE x.slice = s ORDER BY x.seq DESC LIMIT 1) h",
	1, {INT2ARRAYOID}, .in_index_order = true, .harmless = true
};

static DunStatement new_heads_sql = {
	"INSERT INTO dunning.egress_head (slice, seq, digest)"
	" SELECT s, 0, pg_catalog.decode(pg_catalog.repeat('00', 32), 'hex') FROM pg_catalog.unnest($1) s"
	"  WHERE NOT EXISTS (SELECT FROM dunning.egress_head h WHERE h.slice = s)",
	1, {INT2ARRAYOID}, .harmless = true
};

static DunStatement move_heads_sql = {
	"UPDATE dunning.egress_head h SET seq = u.seq, digest = u.digest"
	"  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5))"
	"       AS u(slice, seq, digest, seq_before, digest_before)"
	" WHERE h.slice = u.slice AND h.seq = u.seq_before AND h.digest = u.digest_before",
	5, {INT2ARRAYOID, INT8ARRAYOID, BYTEAARRAYOID, INT8ARRAYOID, BYTEAARRAYOID}, .in_index_order = true, .harmless = true
};

/* --- what is rolled back is not known --- */

void
dun_deliver_forget_heads(void)
{
	memset(heads, 0, sizeof(heads));
}

static void
after_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		dun_deliver_forget_heads();
}

static void
after_subtransaction(SubXactEvent event, SubTransactionId own, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		dun_deliver_forget_heads();
}

static void
watch_transactions(void)
{
	static bool watched = false;

	if (watched)
		return;
	RegisterXactCallback(after_transaction, NULL);
	RegisterSubXactCallback(after_subtransaction, NULL);
	watched = true;
}

/* --- reading --- */

static void
read_head(uint64 row)
{
	bool		isnull;
	Kept	   *kept = &heads[DatumGetInt16(dun_base_value(row, 1, &isnull))];
	bytea	   *digest = DatumGetByteaPP(dun_base_value(row, 3, &isnull));

	if (VARSIZE_ANY_EXHDR(digest) != DUN_DIGEST_LEN)
		elog(ERROR, "the head of an egress chain has %d bytes", (int) VARSIZE_ANY_EXHDR(digest));
	kept->stored.seq = DatumGetInt64(dun_base_value(row, 2, &isnull));
	memcpy(kept->stored.digest, VARDATA_ANY(digest), DUN_DIGEST_LEN);
	kept->known = true;
}

static void
read_heads(DunColumn *slices)
{
	Datum		arg = dun_deliver_array(slices);
	uint64		rows = dun_base_run(&heads_sql, &arg, NULL, false, 0);

	if (rows < slices->n)
	{
		dun_base_run(&new_heads_sql, &arg, NULL, false, 0);
		rows = dun_base_run(&heads_sql, &arg, NULL, false, 0);
	}
	for (uint64 row = 0; row < rows; row++)
		read_head(row);
}

void
dun_deliver_take_heads(DunItem **items, int n)
{
	DunColumn  *unknown = dun_deliver_column(INT2OID, DUN_SLICES);

	watch_transactions();
	for (int i = 0; i < DUN_SLICES; i++)
		heads[i].taken = false;
	for (int i = 0; i < n; i++)
		heads[items[i]->slice].taken = true;
	for (int16 s = 0; s < DUN_SLICES; s++)
		if (heads[s].taken && !heads[s].known)
			dun_deliver_push(unknown, Int16GetDatum(s));
	if (unknown->n > 0)
		read_heads(unknown);
	for (int i = 0; i < DUN_SLICES; i++)
		heads[i].next = heads[i].stored;
}

DunHead *
dun_deliver_head_of(int16 slice)
{
	return &heads[slice].next;
}

/* --- writing --- */

static Datum
digest_datum(const DunHead *head)
{
	bytea	   *digest = palloc(VARHDRSZ + DUN_DIGEST_LEN);

	SET_VARSIZE(digest, VARHDRSZ + DUN_DIGEST_LEN);
	memcpy(VARDATA(digest), head->digest, DUN_DIGEST_LEN);
	return PointerGetDatum(digest);
}

/* Returns how many of the rows were there. */
static uint64
write_heads(int *n)
{
	static const Oid types[] = {INT2OID, INT8OID, BYTEAOID, INT8OID, BYTEAOID};
	DunColumn  *columns[lengthof(types)];
	Datum		args[lengthof(types)];

	for (int i = 0; i < lengthof(types); i++)
		columns[i] = dun_deliver_column(types[i], DUN_SLICES);
	for (int16 s = 0; s < DUN_SLICES; s++)
	{
		if (!heads[s].taken)
			continue;
		dun_deliver_push(columns[0], Int16GetDatum(s));
		dun_deliver_push(columns[1], Int64GetDatum(heads[s].next.seq));
		dun_deliver_push(columns[2], digest_datum(&heads[s].next));
		dun_deliver_push(columns[3], Int64GetDatum(heads[s].stored.seq));
		dun_deliver_push(columns[4], digest_datum(&heads[s].stored));
	}
	for (int i = 0; i < lengthof(types); i++)
		args[i] = dun_deliver_array(columns[i]);
	*n = columns[0]->n;
	return dun_base_run(&move_heads_sql, args, NULL, false, 0);
}

void
dun_deliver_move_heads(void)
{
	int			n;

	if (write_heads(&n) != n)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("another process has written to the egress chains"),
				 errdetail("The links of this batch would not follow the last ones; none of it was sent, and it is made again.")));
	for (int i = 0; i < DUN_SLICES; i++)
		if (heads[i].taken)
			heads[i].stored = heads[i].next;
}
