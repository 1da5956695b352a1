/*
 * queue/egress_chain.c
 *		Digests of the egress chain, for the writer in C and for verify_egress() in SQL.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/sha256.h"
#include "queue/egress_chain.h"

static void
add_piece(const void *data, size_t len)
{
	uint32		n = pg_hton32((uint32) len);

	dun_base_sha256_add(&n, sizeof(n));
	dun_base_sha256_add(data, len);
}

static void
add_text(const char *text)
{
	static const uint32 no_text = 0xffffffff;

	if (text == NULL)
		dun_base_sha256_add(&no_text, sizeof(no_text));
	else
		add_piece(text, strlen(text));
}

static void
add_number(int64 number)
{
	uint64		n = pg_hton64((uint64) number);

	add_piece(&n, sizeof(n));
}

void
dun_queue_digest_parts(const char *const *parts, int n, uint8 digest[DUN_DIGEST_LEN])
{
	dun_base_sha256_start();
	for (int i = 0; i < n; i++)
		add_text(parts[i]);
	dun_base_sha256_end(digest);
}

void
dun_queue_digest_link(const uint8 *prev, const DunEgressLink *link, uint8 digest[DUN_DIGEST_LEN])
{
	dun_base_sha256_start();
	add_piece(prev, DUN_DIGEST_LEN);
	add_number(link->slice);
	add_number(link->seq);
	add_piece(link->message_id.data, UUID_LEN);
	add_number(link->attempt);
	add_text(link->debtor_id);
	add_text(link->creditor);
	add_text(link->channel);
	add_text(link->server);
	add_piece(link->address_digest, link->address_digest_len);
	add_number(link->nfields);
	for (int i = 0; i < link->nfields; i++)
		add_text(link->fields[i]);
	add_piece(link->body_digest, link->body_digest_len);
	add_number(link->bytes);
	add_text(link->reason);
	add_number(link->test);
	add_text(link->cost);
	add_text(link->cost_currency);
	add_number(link->at);
	add_number(link->contact_on);
	if (link->request_digest != NULL)
		add_piece(link->request_digest, DUN_DIGEST_LEN);
	dun_base_sha256_end(digest);
}

static char **
read_fields(ArrayType *array, int *n)
{
	Datum	   *values;
	bool	   *nulls;
	char	  **fields;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, n);
	fields = palloc((*n + 1) * sizeof(char *));
	for (int i = 0; i < *n; i++)
		fields[i] = nulls[i] ? NULL : TextDatumGetCString(values[i]);
	return fields;
}

static const uint8 *
request_digest(FunctionCallInfo fcinfo, int n)
{
	bytea	   *digest;

	if (PG_ARGISNULL(n))
		return NULL;
	digest = PG_GETARG_BYTEA_PP(n);
	if (VARSIZE_ANY_EXHDR(digest) != DUN_DIGEST_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a digest of a request has %d bytes", DUN_DIGEST_LEN)));
	return (const uint8 *) VARDATA_ANY(digest);
}

PG_FUNCTION_INFO_V1(dun_queue_sql_egress_digest);

/* Arguments in the order of dunning.egress after prev; the SQL declaration names them. The last alone may be NULL. */
Datum
dun_queue_sql_egress_digest(PG_FUNCTION_ARGS)
{
	bytea	   *prev;
	bytea	   *address;
	bytea	   *body;
	DunEgressLink link;
	bytea	   *result;

	for (int i = 0; i < 19; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	prev = PG_GETARG_BYTEA_PP(0);
	address = PG_GETARG_BYTEA_PP(9);
	body = PG_GETARG_BYTEA_PP(11);
	if (VARSIZE_ANY_EXHDR(prev) != DUN_DIGEST_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a digest of the egress chain has %d bytes", DUN_DIGEST_LEN)));
	link.slice = PG_GETARG_INT16(1);
	link.seq = PG_GETARG_INT64(2);
	link.message_id = *PG_GETARG_UUID_P(3);
	link.attempt = PG_GETARG_INT16(4);
	link.debtor_id = text_to_cstring(PG_GETARG_TEXT_PP(5));
	link.creditor = text_to_cstring(PG_GETARG_TEXT_PP(6));
	link.channel = text_to_cstring(PG_GETARG_TEXT_PP(7));
	link.server = text_to_cstring(PG_GETARG_TEXT_PP(8));
	link.address_digest = (uint8 *) VARDATA_ANY(address);
	link.address_digest_len = VARSIZE_ANY_EXHDR(address);
	link.fields = read_fields(PG_GETARG_ARRAYTYPE_P(10), &link.nfields);
	link.body_digest = (uint8 *) VARDATA_ANY(body);
	link.body_digest_len = VARSIZE_ANY_EXHDR(body);
	link.bytes = PG_GETARG_INT32(12);
	link.reason = text_to_cstring(PG_GETARG_TEXT_PP(13));
	link.test = PG_GETARG_BOOL(14);
	link.cost = DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(15)));
	link.cost_currency = text_to_cstring(PG_GETARG_TEXT_PP(16));
	link.at = PG_GETARG_TIMESTAMPTZ(17);
	link.contact_on = PG_GETARG_TIMESTAMPTZ(18);
	/* the SQL of an older version has no such column */
	link.request_digest = PG_NARGS() > 19 ? request_digest(fcinfo, 19) : NULL;

	result = palloc(VARHDRSZ + DUN_DIGEST_LEN);
	SET_VARSIZE(result, VARHDRSZ + DUN_DIGEST_LEN);
	dun_queue_digest_link((uint8 *) VARDATA_ANY(prev), &link, (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}
