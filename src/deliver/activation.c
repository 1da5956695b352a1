/*
 * deliver/activation.c
 *		activate(), deactivate() and the check before each send.
 *
 * A copy of a database must stay silent, and a copy has the same identifiers as its original. So a random token is
 * kept in two places that no copy takes along together: a table that is never dumped, and a file outside of the data
 * directory, which also names the system identifier, the database, the data directory and that directory's inode. A
 * dump has no token; a base backup or a copied directory finds no file, or one that names another directory or inode;
 * a cloned database has another oid. A snapshot of a whole machine cannot be told apart.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "common/file_perm.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/spi.h"
#include "base/user.h"
#include "deliver/activation.h"
#include "deliver/settings.h"
#include "deliver/shmem.h"

#define TOKEN_BYTES 16
#define TOKEN_LEN (TOKEN_BYTES * 2)
#define FILE_MAX 4096

typedef struct Identity
{
	char		token[TOKEN_LEN + 1];
	uint64		system;
	Oid			database;
	char		name[NAMEDATALEN];
	char		directory[MAXPGPATH];
	uint64		device;
	uint64		inode;
} Identity;

static DunStatement read_sql = {"SELECT a.token FROM dunning.activation a", 0, {0}, .harmless = true};

static DunStatement write_sql = {
	"INSERT INTO dunning.activation AS a (one, token, activated_at, activated_by)"
	" VALUES (true, $1, pg_catalog.clock_timestamp(), session_user)"
	" ON CONFLICT ON CONSTRAINT activation_pkey DO UPDATE"
	" SET token = excluded.token, activated_at = excluded.activated_at, activated_by = excluded.activated_by",
	1, {TEXTOID}, NULL
};

static DunStatement delete_sql = {"DELETE FROM dunning.activation", 0, {0}, NULL};

/* The data directory without links: a link's parent would be another directory. */
static void
real_directory(char *into, size_t size)
{
	char	   *real = realpath(DataDir, NULL);

	strlcpy(into, real ? real : DataDir, size);
	free(real);
}

/* --- the file --- */

static void
file_path(char *path, size_t size)
{
	char		directory[MAXPGPATH];

	if (dun_deliver_activation_directory != NULL && *dun_deliver_activation_directory != '\0')
		strlcpy(directory, dun_deliver_activation_directory, sizeof(directory));
	else
	{
		real_directory(directory, sizeof(directory));
		get_parent_directory(directory);
	}
	snprintf(path, size, "%s/dunning-" UINT64_FORMAT "-%u.activation", directory, GetSystemIdentifier(), MyDatabaseId);
}

static void
identify_ourselves(Identity *me)
{
	struct stat st;
	char	   *name = get_database_name(MyDatabaseId);

	memset(me, 0, sizeof(*me));
	me->system = GetSystemIdentifier();
	me->database = MyDatabaseId;
	strlcpy(me->name, name ? name : "", sizeof(me->name));
	real_directory(me->directory, sizeof(me->directory));
	if (stat(DataDir, &st) == 0)
	{
		me->device = st.st_dev;
		me->inode = st.st_ino;
	}
}

/* One line of "key value"; false: it is not there. */
static bool
read_line(const char *text, const char *key, char *value, size_t size)
{
	size_t		len = strlen(key);

	for (const char *line = text; line != NULL; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
	{
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
		{
			size_t		n = Min(strcspn(line + len + 1, "\n"), size - 1);

			memcpy(value, line + len + 1, n);
			value[n] = '\0';
			return true;
		}
	}
	return false;
}

/* False: there is no such file, or it cannot be read (errno). */
static bool
read_file(const char *path, Identity *found)
{
	char		text[FILE_MAX];
	char		number[32];
	int			fd = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	int			n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	CloseTransientFile(fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	memset(found, 0, sizeof(*found));
	read_line(text, "token", found->token, sizeof(found->token));
	read_line(text, "name", found->name, sizeof(found->name));
	read_line(text, "directory", found->directory, sizeof(found->directory));
	if (read_line(text, "system", number, sizeof(number)))
		found->system = strtoull(number, NULL, 10);
	if (read_line(text, "database", number, sizeof(number)))
		found->database = (Oid) strtoul(number, NULL, 10);
	if (read_line(text, "device", number, sizeof(number)))
		found->device = strtoull(number, NULL, 10);
	if (read_line(text, "inode", number, sizeof(number)))
		found->inode = strtoull(number, NULL, 10);
	return true;
}

/* Written beside and renamed, so that no reader meets half a file. */
static void
write_file(const char *path, const Identity *me)
{
	char		beside[MAXPGPATH + 8];
	char	   *text = psprintf("token %s\nsystem " UINT64_FORMAT "\ndatabase %u\nname %s\ndirectory %s\ndevice "
								UINT64_FORMAT "\ninode " UINT64_FORMAT "\n",
								me->token, me->system, me->database, me->name, me->directory, me->device, me->inode);
	int			fd;
	size_t		len = strlen(text);

	snprintf(beside, sizeof(beside), "%s.new", path);
	unlink(beside);
	fd = OpenTransientFilePerm(beside, O_WRONLY | O_CREAT | O_EXCL | PG_BINARY, S_IRUSR | S_IWUSR);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create file \"%s\": %m", beside),
				 errdetail("The activation file stands outside of the data directory, so that a copy of it does not find one."),
				 errhint("Make the directory writable for the server, or ALTER SYSTEM SET dunning.activation_directory = '/var/lib/postgresql'; SELECT pg_reload_conf();")));
	if (write(fd, text, len) != (ssize_t) len || pg_fsync(fd) != 0)
	{
		int			saved = errno;

		CloseTransientFile(fd);
		unlink(beside);
		errno = saved;
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not write file \"%s\": %m", beside)));
	}
	CloseTransientFile(fd);
	(void) durable_rename(beside, path, ERROR);
}

/* --- the check --- */

/* Which part of the file speaks of somebody else; NULL: none does. */
static char *
difference(const Identity *found, const Identity *me)
{
	if (found->system != me->system)
		return pstrdup("The activation file names another cluster.");
	if (found->database != me->database)
		return pstrdup("The activation file names another database.");
	if (strcmp(found->directory, me->directory) != 0)
		return psprintf("The activation file names the data directory \"%s\".", found->directory);
	if (found->device != me->device || found->inode != me->inode)
		return pstrdup("The data directory is not the one that was activated: its inode differs.");
	if (strcmp(found->name, me->name) != 0)
		return psprintf("The activation file names the database \"%s\".", found->name);
	return NULL;
}

static char *
read_token(void)
{
	return dun_base_run(&read_sql, NULL, NULL, false, 1) > 0 ? dun_base_text(0, 1) : NULL;
}

char *
dun_deliver_check_activation(void)
{
	char		path[MAXPGPATH];
	char	   *token;
	char	   *different;
	Identity	found;
	Identity	me;

	if (RecoveryInProgress())
		return pstrdup("This is a standby.");
	token = read_token();
	if (token == NULL)
		return pstrdup("This database has not been activated.");
	file_path(path, sizeof(path));
	if (!read_file(path, &found))
		return psprintf("The activation file \"%s\" cannot be read: %s.", path, strerror(errno));
	identify_ourselves(&me);
	different = difference(&found, &me);
	if (different != NULL)
		return different;
	if (strcmp(found.token, token) != 0)
		return pstrdup("The activation file and the database hold different tokens.");
	return NULL;
}

/* --- the calls --- */

static void
make_token(char *token)
{
	static const char hex[] = "0123456789abcdef";
	uint8		bytes[TOKEN_BYTES];

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not get random bytes for an activation token")));
	for (int i = 0; i < TOKEN_BYTES; i++)
	{
		token[2 * i] = hex[bytes[i] >> 4];
		token[2 * i + 1] = hex[bytes[i] & 15];
	}
	token[TOKEN_LEN] = '\0';
}

/*
 * Somebody else may be sending in the name of this database: a token that came here by a copy, or a file of another
 * data directory. Then only a deliberate takeover activates.
 */
static char *
somebody_else(void)
{
	char		path[MAXPGPATH];
	char	   *token = read_token();
	char	   *different = NULL;
	bool		file;
	Identity	found;
	Identity	me;

	file_path(path, sizeof(path));
	file = read_file(path, &found);
	identify_ourselves(&me);
	if (file)
		different = difference(&found, &me);
	if (different != NULL)
		return different;
	if (token != NULL && !file)
		return psprintf("This database was activated, but its activation file \"%s\" is not here: it may be a copy.", path);
	return NULL;
}

static void
notice_at_commit(XactEvent event, void *arg)
{
	bool	   *wanted = arg;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT)
		return;
	if (*wanted && event == XACT_EVENT_COMMIT)
	{
		dun_deliver_wake_launcher();
		dun_deliver_wake_workers(MyDatabaseId, DT_NOBEGIN);
	}
	*wanted = false;
}

/* The launcher and the workers look at this database when the transaction has committed. */
static void
announce_at_commit(void)
{
	static bool wanted = false;
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(notice_at_commit, &wanted);
		registered = true;
	}
	wanted = true;
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_announce);

Datum
dun_deliver_sql_announce(PG_FUNCTION_ARGS)
{
	announce_at_commit();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_activate);

/* Arguments: takeover. The SQL function around it deals with the backlog. */
Datum
dun_deliver_sql_activate(PG_FUNCTION_ARGS)
{
	bool		takeover = PG_GETARG_BOOL(0);
	DunUser		before = dun_base_become(DUN_OWNER_ROLE);
	char		path[MAXPGPATH];
	char	   *else_here;
	Identity	me;
	Datum		token;

	PreventCommandDuringRecovery("dunning.activate()");
	SPI_connect();
	else_here = somebody_else();
	if (else_here != NULL && !takeover)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("another copy of this database may be sending"),
				 errdetail("%s", else_here),
				 errhint("Make sure that the other one is off, then SELECT dunning.activate(takeover => true, backlog => 'keep');")));
	identify_ourselves(&me);
	make_token(me.token);
	file_path(path, sizeof(path));
	write_file(path, &me);
	token = CStringGetTextDatum(me.token);
	dun_base_run(&write_sql, &token, NULL, false, 0);
	SPI_finish();
	dun_base_unbecome(before);
	announce_at_commit();
	PG_RETURN_BOOL(else_here != NULL);
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_deactivate);

/* True: it was active. The file is removed first: what remains of an aborted call is silence. */
Datum
dun_deliver_sql_deactivate(PG_FUNCTION_ARGS)
{
	DunUser		before = dun_base_become(DUN_OWNER_ROLE);
	char		path[MAXPGPATH];
	Identity	found;
	Identity	me;
	bool		was;

	PreventCommandDuringRecovery("dunning.deactivate()");
	SPI_connect();
	was = dun_deliver_check_activation() == NULL;
	file_path(path, sizeof(path));
	identify_ourselves(&me);
	/* Another's file is not ours to remove. */
	if (read_file(path, &found) && difference(&found, &me) == NULL && unlink(path) != 0 && errno != ENOENT)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not remove file \"%s\": %m", path)));
	dun_base_run(&delete_sql, NULL, NULL, false, 0);
	SPI_finish();
	dun_base_unbecome(before);
	announce_at_commit();
	PG_RETURN_BOOL(was);
}

PG_FUNCTION_INFO_V1(dun_deliver_sql_activated);

/* (activated boolean, reason text) */
Datum
dun_deliver_sql_activated(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	DunUser		before;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	char	   *problem;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	before = dun_base_become(DUN_OWNER_ROLE);
	SPI_connect();
	problem = dun_deliver_check_activation();
	problem = problem ? MemoryContextStrdup(caller, problem) : NULL;
	SPI_finish();
	dun_base_unbecome(before);
	values[0] = BoolGetDatum(problem == NULL);
	nulls[1] = problem == NULL;
	values[1] = problem ? CStringGetTextDatum(problem) : (Datum) 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
