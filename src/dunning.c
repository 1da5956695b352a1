/*
 * dunning.c
 *		The library's magic block and its start: one call a room that has settings or
 *		shared memory. Each room defines and documents its own.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "base/settings.h"
#include "deliver/init.h"
#include "gateway/init.h"
#include "score/init.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	dun_base_init();
	dun_score_init();
	dun_gateway_init();
	/* A server that pg_upgrade starts must neither send nor hold shared memory of ours. */
	if (!IsBinaryUpgrade)
		dun_deliver_init();
	MarkGUCPrefixReserved("dunning");
}
