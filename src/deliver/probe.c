/*
 * deliver/probe.c
 *		dunning.probe(): connect, send nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/user.h"
#include "transport/transport.h"

PG_FUNCTION_INFO_V1(dun_deliver_sql_probe);

Datum
dun_deliver_sql_probe(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	DunUser		before = dun_base_become(DUN_WORKER_ROLE);
	DunServer  *server;
	DunReply	reply = {DUN_REPLIED};
	double		milliseconds = 0;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	server = dun_gateway_load_server(name);
	/* What has no network is as ready as its options. */
	if (server->url != NULL && strstr(server->url, "://") != NULL)
		dun_transport_probe_server(server, &reply, &milliseconds);
	dun_base_unbecome(before);
	values[0] = BoolGetDatum(reply.error == NULL);
	values[1] = Int32GetDatum((int32) reply.code);
	nulls[1] = reply.code == 0;
	values[2] = CStringGetTextDatum(reply.error ? reply.error : "reached");
	values[3] = Float8GetDatum(milliseconds);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
