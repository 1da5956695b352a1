/*
 * gateway/sql.c
 *		The pure parts as SQL functions, for tests and for looking at what would leave. Nothing here sends.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "gateway/driver.h"
#include "gateway/encode.h"
#include "gateway/judge.h"
#include "gateway/network.h"
#include "gateway/server.h"

static TupleDesc
result_type(FunctionCallInfo fcinfo)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row");
	return BlessTupleDesc(desc);
}

static char *
text_arg(FunctionCallInfo fcinfo, int n)
{
	char	   *value;

	if (PG_ARGISNULL(n))
		return NULL;
	value = text_to_cstring(PG_GETARG_TEXT_PP(n));
	return pg_server_to_any(value, (int) strlen(value), PG_UTF8);
}

static void
set_text(Datum *values, bool *nulls, int n, const char *value)
{
	nulls[n] = value == NULL;
	if (value != NULL)
		values[n] = CStringGetTextDatum(pg_any_to_server(value, (int) strlen(value), PG_UTF8));
}

PG_FUNCTION_INFO_V1(dun_gateway_sql_judge);

Datum
dun_gateway_sql_judge(PG_FUNCTION_ARGS)
{
	static const char *const verdicts[] = {"sent", "retry", "failed", "suppress", "unknown"};
	char	   *driver = text_arg(fcinfo, 0);
	char	   *progress = text_arg(fcinfo, 1);
	DunReply	reply = {0};
	DunPreset	preset = {0};
	DunJudgement judgement;
	Datum		values[4] = {0};
	bool		nulls[4] = {false};
	bool		repeats;

	if (driver == NULL || progress == NULL || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("driver, progress and code may not be NULL")));
	reply.progress = strcmp(progress, "not_sent") == 0 ? DUN_NOT_SENT :
		strcmp(progress, "maybe_sent") == 0 ? DUN_MAYBE_SENT : DUN_REPLIED;
	reply.code = PG_GETARG_INT32(2);
	reply.retry_after = text_arg(fcinfo, 3);
	reply.body = text_arg(fcinfo, 4);
	reply.body_len = reply.body ? strlen(reply.body) : 0;
	reply.error = text_arg(fcinfo, 5);
	preset.id_field = text_arg(fcinfo, 6);
	preset.error_field = text_arg(fcinfo, 7);
	if (!PG_ARGISNULL(8))
		preset.suppress_on = list_make1(text_arg(fcinfo, 8));
	/* The SQL of an older version knows no contract, and judged as it is judged of this one. */
	repeats = PG_NARGS() <= 9 || (!PG_ARGISNULL(9) && strcmp(text_arg(fcinfo, 9), "repeat") == 0);

	if (strcmp(driver, "http") == 0)
		dun_gateway_judge_http(&preset, repeats, &reply, &judgement);
	else if (strcmp(driver, "smtp") == 0)
		dun_gateway_judge_smtp(&reply, &judgement);
	else
		dun_gateway_judge_local(&reply, &judgement);

	set_text(values, nulls, 0, verdicts[judgement.verdict]);
	set_text(values, nulls, 1, judgement.reason);
	set_text(values, nulls, 2, judgement.provider_ref);
	values[3] = Int32GetDatum(judgement.retry_after_s);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(result_type(fcinfo), values, nulls)));
}

static Datum
header_array(List *headers)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(headers), 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, headers)
		elements[n++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* The request a server's driver would make of a message, made with another secret than the server's own. */
PG_FUNCTION_INFO_V1(dun_gateway_sql_build);

Datum
dun_gateway_sql_build(PG_FUNCTION_ARGS)
{
	static const char *const kinds[] = {"http", "smtp", "spool", "task", "mock"};
	char	   *name = text_arg(fcinfo, 0);
	DunServer  *server;
	DunOutgoing m = {0};
	DunRequest	request;
	Datum		values[8] = {0};
	bool		nulls[8] = {false};

	if (name == NULL || PG_ARGISNULL(1) || PG_ARGISNULL(9))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("server, message_id and sent_at may not be NULL")));
	server = dun_gateway_load_server_masked(name);
	m.message_id = DatumGetCString(DirectFunctionCall1(uuid_out, PG_GETARG_DATUM(1)));
	m.address = text_arg(fcinfo, 2);
	m.subject = text_arg(fcinfo, 3);
	m.body_text = text_arg(fcinfo, 4);
	m.body_html = text_arg(fcinfo, 5);
	m.sender_name = text_arg(fcinfo, 6);
	m.reply_to = text_arg(fcinfo, 7);
	m.unsubscribe_url = text_arg(fcinfo, 8);
	m.sent_at = timestamptz_to_time_t(PG_GETARG_TIMESTAMPTZ(9));
	m.channel = server->channel;
	m.creditor = "default";
	m.debtor_id = "";
	dun_gateway_find_driver(server->driver)->build(server, &m, &request);

	set_text(values, nulls, 0, kinds[request.kind]);
	set_text(values, nulls, 1, request.method);
	set_text(values, nulls, 2, request.url);
	values[3] = header_array(request.headers);
	set_text(values, nulls, 4, request.body);
	set_text(values, nulls, 5, request.mail_from);
	set_text(values, nulls, 6, request.mail_rcpt);
	set_text(values, nulls, 7, request.path);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(result_type(fcinfo), values, nulls)));
}

PG_FUNCTION_INFO_V1(dun_gateway_sql_allows_address);

Datum
dun_gateway_sql_allows_address(PG_FUNCTION_ARGS)
{
	char	   *address = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			port = PG_GETARG_INT32(1);
	char	   *hostname = text_to_cstring(PG_GETARG_TEXT_PP(2));
	char	   *allowed = text_to_cstring(PG_GETARG_TEXT_PP(3));
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr *target;
	DunAllowList *list;
	const char *bad;

	if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
		target = (struct sockaddr *) &in;
	else if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1)
		target = (struct sockaddr *) &in6;
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not an address", address)));
	list = dun_gateway_parse_allow_list(allowed, palloc, &bad);
	if (bad != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("not a host, host:port, address or CIDR range: \"%.60s\"", bad)));
	PG_RETURN_BOOL(dun_gateway_list_allows(list, target, port, *hostname ? hostname : NULL));
}

PG_FUNCTION_INFO_V1(dun_gateway_sql_read_json_field);

Datum
dun_gateway_sql_read_json_field(PG_FUNCTION_ARGS)
{
	text	   *json = PG_GETARG_TEXT_PP(0);
	char	   *value = dun_gateway_read_json_field(VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json),
													 text_to_cstring(PG_GETARG_TEXT_PP(1)));

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(value));
}
