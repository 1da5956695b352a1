/*
 * govern/server.c
 *		Can a server be used? The loader of the gateways is asked itself, so that health() and the worker agree.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "gateway/driver.h"
#include "gateway/server.h"

PG_FUNCTION_INFO_V1(dun_govern_sql_load_server);

/* (server) -> its driver; whatever is wrong with options, mapping or secret file is an ERROR with its HINT. */
Datum
dun_govern_sql_load_server(PG_FUNCTION_ARGS)
{
	DunServer  *server = dun_gateway_load_server_masked(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	PG_RETURN_TEXT_P(cstring_to_text(server->driver));
}
