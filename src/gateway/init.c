/*
 * gateway/init.c
 *		Settings of the room gateway: where secrets and spooled files lie, and which private hosts may be reached.
 *
 * All three are the superuser's alone, to set and to see: whoever names a directory or a host here decides what the
 * server's own identity can read, write and reach.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "base/compat.h"
#include "gateway/init.h"
#include "gateway/network.h"

char	   *dun_gateway_secret_directory = NULL;
char	   *dun_gateway_spool_directory = NULL;
static char *allowed_hosts = NULL;
static int	document_size = 2048;

static bool
check_directory(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || **newval == '\0' || is_absolute_path(*newval))
		return true;
	GUC_check_errdetail("The directory must be an absolute path.");
	return false;
}

static void *
allocate_extra(size_t size)
{
	return dun_guc_malloc(size);
}

static bool
check_allowed_hosts(char **newval, void **extra, GucSource source)
{
	const char *bad;

	*extra = dun_gateway_parse_allow_list(*newval ? *newval : "", allocate_extra, &bad);
	if (*extra == NULL)
		return false;
	if (bad == NULL)
		return true;
	GUC_check_errdetail("Not a host, host:port, address or CIDR range: \"%.60s\".", bad);
	return false;
}

static void
assign_allowed_hosts(const char *newval, void *extra)
{
	dun_gateway_set_allow_list(extra);
}

void
dun_gateway_init(void)
{
	DefineCustomStringVariable("dunning.secret_directory",
							   "Directory of the files that hold the gateways' passwords and tokens.",
							   "Each file must be owned by the server's user with mode 0600.",
							   &dun_gateway_secret_directory, "", PGC_SUSET, GUC_SUPERUSER_ONLY,
							   check_directory, NULL, NULL);
	DefineCustomStringVariable("dunning.spool_directory",
							   "Directory under which servers of driver spool write their files.",
							   "Empty: no server may spool.",
							   &dun_gateway_spool_directory, "", PGC_SUSET, GUC_SUPERUSER_ONLY,
							   check_directory, NULL, NULL);
	DefineCustomIntVariable("dunning.document_size",
							"How large the documents of one mail may be in all.",
							"What a mail server takes is a third more than that, as it travels.",
							&document_size, 2048, 1, 25 * 1024, PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomStringVariable("dunning.allowed_hosts",
							   "Private or loopback hosts that gateways may be at, as host:port or CIDR, separated by commas.",
							   "Public addresses need not be named. A named host may also be spoken to without TLS.",
							   &allowed_hosts, "", PGC_SUSET, GUC_SUPERUSER_ONLY,
							   check_allowed_hosts, assign_allowed_hosts, NULL);
}
