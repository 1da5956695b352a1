/*
 * base/replay.c
 *		Looking at the past as if it were now, and temporary tables in read-only transactions.
 *
 * The clock of a replay is the setting dunning.clock itself, set for the length of one command: so that parallel workers
 * have it too, and an error puts it back. Only internal functions may call dunning._replay(); no user can turn the clock
 * of a superuser's setting with it.
 *
 * Planning keeps its stages in temporary tables. PostgreSQL lets a read-only transaction fill those that exist, but not
 * make them, although they are nobody else's business. So the guard (guard.c) lifts the read-only state for the look at
 * such a command, and puts it back before anything is planned or run.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/replay.h"

/* Since when what we did ourselves did not happen; meant where `replaying`. */
static TimestampTz replay_since;
static bool replaying = false;

/* --- the clock of a replay --- */

static void
set_clock(TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			zone;
	const char *zone_name;
	char		text[MAXDATELEN + 1];

	if (TIMESTAMP_NOT_FINITE(at) || timestamp2tm(at, &zone, &tm, &fsec, &zone_name, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("nothing can be replayed at that instant"),
				 errhint("Give a finite instant.")));
	EncodeDateTime(&tm, fsec, true, zone, NULL, USE_ISO_DATES, text);
	(void) set_config_option("dunning.clock", text, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

PG_FUNCTION_INFO_V1(dun_base_sql_replay);

/* _replay(at, since, command) */
Datum
dun_base_sql_replay(PG_FUNCTION_ARGS)
{
	char	   *command = text_to_cstring(PG_GETARG_TEXT_PP(2));
	TimestampTz since_before = replay_since;
	bool		was_replaying = replaying;
	int			level = NewGUCNestLevel();

	set_clock(PG_GETARG_TIMESTAMPTZ(0));
	PG_TRY();
	{
		replay_since = PG_GETARG_TIMESTAMPTZ(1);
		replaying = true;
		SPI_connect();
		if (SPI_execute(command, false, 0) < 0)
			elog(ERROR, "could not replay: %s", command);
		SPI_finish();
	}
	PG_FINALLY();
	{
		replay_since = since_before;
		replaying = was_replaying;
	}
	PG_END_TRY();
	AtEOXact_GUC(false, level);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(dun_base_sql_replay_since);

Datum
dun_base_sql_replay_since(PG_FUNCTION_ARGS)
{
	if (!replaying)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(replay_since);
}

/* --- temporary tables in read-only transactions --- */

static bool lifted = false;

static bool
is_temporary(const RangeVar *relation)
{
	return relation->relpersistence == RELPERSISTENCE_TEMP ||
		(relation->schemaname != NULL && strcmp(relation->schemaname, "pg_temp") == 0);
}

static bool
drops_temporary(const DropStmt *drop)
{
	ListCell   *lc;

	if (drop->removeType != OBJECT_TABLE)
		return false;
	foreach(lc, drop->objects)
		if (!is_temporary(makeRangeVarFromNameList(lfirst(lc))))
			return false;
	return true;
}

bool
dun_base_is_scratch(Node *command)
{
	switch (nodeTag(command))
	{
		case T_CreateStmt:
			return is_temporary(((CreateStmt *) command)->relation);
		case T_CreateTableAsStmt:
			return is_temporary(((CreateTableAsStmt *) command)->into->rel);
		case T_RenameStmt:
			return ((RenameStmt *) command)->renameType == OBJECT_TABLE && is_temporary(((RenameStmt *) command)->relation);
		case T_DropStmt:
			return drops_temporary((DropStmt *) command);
		default:
			return false;
	}
}

void
dun_base_open_scratch(void)
{
	/* A standby has no transaction ids to give: there the server's refusal stands. */
	if (!XactReadOnly || RecoveryInProgress())
		return;
	XactReadOnly = false;
	lifted = true;
}

void
dun_base_close_scratch(void)
{
	if (lifted)
		XactReadOnly = true;
	lifted = false;
}
