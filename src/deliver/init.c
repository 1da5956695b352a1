/*
 * deliver/init.c
 *		Settings of the room deliver, and what only a preloaded library has: shared memory and the launcher.
 */
#include "postgres.h"

#include <sys/resource.h>

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "deliver/fault.h"
#include "deliver/init.h"
#include "deliver/launcher.h"
#include "deliver/settings.h"
#include "deliver/shmem.h"

int			dun_deliver_mode = DUN_DELIVERY_ON;
char	   *dun_deliver_databases = NULL;
int			dun_deliver_workers = 1;
int			dun_deliver_slots = 64;
char	   *dun_deliver_activation_directory = NULL;
char	   *dun_deliver_redirect_to = NULL;
int			dun_deliver_max_attempts = 6;
int			dun_deliver_retry_delay = 30000;

/* Files that a process of the server may want beside our connections. */
#define FILES_KEPT_FREE 128

static const struct config_enum_entry mode_options[] = {
	{"off", DUN_DELIVERY_OFF, false},
	{"dry_run", DUN_DELIVERY_DRY_RUN, false},
	{"on", DUN_DELIVERY_ON, false},
	{NULL, 0, false}
};

static bool
check_databases(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *names;
	bool		ok = SplitIdentifierString(copy, ',', &names);

	if (!ok)
		GUC_check_errdetail("The list of databases is names with commas between, or \"*\".");
	list_free(names);
	pfree(copy);
	return ok;
}

/* A slot is a connection is a descriptor: more slots than descriptors would fail half of a batch. */
static bool
check_slots(int *newval, void **extra, GucSource source)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return true;
	if ((rlim_t) *newval + FILES_KEPT_FREE > limit.rlim_cur)
	{
		GUC_check_errdetail("This process may open %ld files, %d of them are kept for the server.",
							(long) limit.rlim_cur, FILES_KEPT_FREE);
		GUC_check_errhint("Raise the limit of open files (LimitNOFILE) of the server.");
		return false;
	}
	return true;
}

static bool
check_directory(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || **newval == '\0' || is_absolute_path(*newval))
		return true;
	GUC_check_errdetail("The directory is an absolute path, or empty for the parent of the data directory.");
	return false;
}

static void
define_operating_settings(void)
{
	DefineCustomEnumVariable("dunning.delivery",
							 "Whether messages leave: off, dry_run (everything but the network) or on.",
							 NULL, &dun_deliver_mode, DUN_DELIVERY_ON, mode_options, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("dunning.redirect_to",
							   "Every message goes to this address instead, marked TEST.",
							   "One address a kind, with commas between; works without activation.",
							   &dun_deliver_redirect_to, "", PGC_SUSET, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomIntVariable("dunning.slots", "Transfers at once, in each worker.",
							NULL, &dun_deliver_slots, 64, 1, 4096, PGC_SUSET, 0, check_slots, NULL, NULL);
	DefineCustomIntVariable("dunning.max_attempts", "After so many attempts a message is dead.",
							NULL, &dun_deliver_max_attempts, 6, 1, 100, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dunning.retry_delay", "Wait before the second attempt; each further wait doubles.",
							NULL, &dun_deliver_retry_delay, 30000, 1, 86400000, PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
}

static void
define_server_settings(void)
{
	DefineCustomStringVariable("dunning.databases",
							   "Databases whose messages are sent by a background worker; * means all.",
							   NULL, &dun_deliver_databases, "*", PGC_SIGHUP, GUC_LIST_INPUT | GUC_SUPERUSER_ONLY,
							   check_databases, NULL, NULL);
	DefineCustomIntVariable("dunning.workers", "Background workers of each database.",
							NULL, &dun_deliver_workers, 1, 1, 16, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("dunning.activation_directory",
							   "Where activate() keeps its file, outside of the data directory.",
							   "Empty means the parent of the data directory.",
							   &dun_deliver_activation_directory, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   check_directory, NULL, NULL);
}

void
dun_deliver_init(void)
{
	define_operating_settings();
	define_server_settings();
	dun_deliver_define_fault();
	if (process_shared_preload_libraries_in_progress)
	{
		dun_deliver_request_shmem();
		dun_deliver_register_launcher();
	}
}
