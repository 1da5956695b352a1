/*
 * deliver/fault.c
 *		Fault points of test builds (make FAULTS=1). The header explains the arming.
 */
#include "postgres.h"

#include "deliver/fault.h"

#ifdef DUNNING_FAULTS

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/guc.h"

#define FAULT_FILE "dunning.fault"	/* relative to the data directory, where every process stands */

static char *armed = NULL;

void
dun_deliver_define_fault(void)
{
	DefineCustomStringVariable("dunning.fault", "Where a test build dies: point:action:nth.",
							   NULL, &armed, "", PGC_SUSET, GUC_NOT_IN_SAMPLE, NULL, NULL, NULL);
}

static bool
read_fault_file(char *text, size_t size)
{
	FILE	   *f = fopen(FAULT_FILE, "r");
	bool		ok;

	if (f == NULL)
		return false;
	ok = fgets(text, size, f) != NULL;
	fclose(f);
	return ok;
}

static void
act(const char *point, const char *action)
{
	ereport(LOG, (errmsg("dunning fault point \"%s\": %s", point, action)));
	if (strcmp(action, "kill") == 0)
		kill(MyProcPid, SIGKILL);
	else if (strcmp(action, "postmaster") == 0)
		kill(PostmasterPid, SIGKILL);
	else if (strcmp(action, "exit") == 0)
		proc_exit(1);
	else
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("fault point \"%s\"", point)));
}

void
dun_deliver_reach_fault(const char *point)
{
	static char counted[NAMEDATALEN] = "";
	static int	seen = 0;
	char		text[128];
	char		name[64];
	char		action[32];
	int			nth = 1;
	bool		from_file = read_fault_file(text, sizeof(text));

	if (!from_file)
	{
		if (armed == NULL || armed[0] == '\0')
			return;
		strlcpy(text, armed, sizeof(text));
	}
	if (sscanf(text, "%63[^:]:%31[^:]:%d", name, action, &nth) < 2 || strcmp(name, point) != 0)
		return;
	if (strcmp(counted, point) != 0)
	{
		strlcpy(counted, point, sizeof(counted));
		seen = 0;
	}
	if (++seen != nth)
		return;
	if (from_file)
		unlink(FAULT_FILE);
	act(point, action);
}

#endif
