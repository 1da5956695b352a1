/*
 * gateway/options.c
 *		The validator of the wrapper dunning_gateway.
 *
 * A row of a table says which drivers an option belongs to and how it is read. A value that could not be used later
 * is refused here, when the DBA types it. What needs the catalog or a file (the channel, a preset, a secret) is
 * checked when a server is loaded, since a restore brings servers before either.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "access/reloptions.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "base/compat.h"
#include "gateway/check.h"
#include "gateway/driver.h"
#include "gateway/imap.h"
#include "gateway/options.h"
#include "gateway/smtp.h"
#include "gateway/url.h"

#define MAX_OPTION_BYTES 2000

typedef void (*CheckOption) (const char *name, const char *value, const char *driver);

typedef struct Option
{
	const char *name;
	const char *drivers;		/* words; NULL: every driver */
	CheckOption check;
} Option;

pg_noreturn static void
refuse(const char *name, const char *value, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", name, value),
			 errhint("%s", hint)));
}

double
dun_gateway_parse_rate(const char *name, const char *value)
{
	static const struct
	{
		const char *unit;
		double		seconds;
	}			units[] = {{"s", 1}, {"sec", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
	char	   *end;
	long		count;

	errno = 0;
	count = strtol(value, &end, 10);
	if (end != value && errno == 0 && *value >= '0' && *value <= '9' && *end == '/' && count > 0 && count <= 1000000)
	{
		for (int i = 0; i < lengthof(units); i++)
			if (strcmp(end + 1, units[i].unit) == 0)
				return count / units[i].seconds;
	}
	refuse(name, value, "Write a whole number and a unit, such as '20/s', '100/min' or '1000/h'.");
}

/* A whole number with a unit, in units of `unit_flag`, between `low` and `high`. */
static int
parse_span(const char *name, const char *value, int unit_flag, int low, int high, const char *hint)
{
	int			result;
	const char *ignored;

	/* A bare number would be read in the flag's unit, which nobody who types it thinks of. */
	if (value[0] == '\0' || strspn(value, "0123456789.") == strlen(value) ||
		!parse_int(value, &result, unit_flag, &ignored) || result < low || result > high)
		refuse(name, value, hint);
	return result;
}

int
dun_gateway_parse_timeout(const char *name, const char *value)
{
	return parse_span(name, value, GUC_UNIT_MS, 100, 600000, "Write a time from '100ms' to '10min', such as '30s'.");
}

int
dun_gateway_parse_pause(const char *name, const char *value)
{
	return parse_span(name, value, GUC_UNIT_MS, 100, 3600000, "Write a time from '100ms' to '1h', such as '30s'.");
}

int
dun_gateway_parse_every(const char *name, const char *value)
{
	return parse_span(name, value, GUC_UNIT_S, 1, 86400, "Write a time from '1s' to '1d', such as '1min'.");
}

int
dun_gateway_parse_key_life(const char *name, const char *value)
{
	return parse_span(name, value, GUC_UNIT_MIN, 60, 60 * 24 * 366, "Write a time from '1h' to '366d', such as '24h'.") / 60;
}

int64
dun_gateway_parse_count(const char *name, const char *value)
{
	char	   *end;
	long		count;

	errno = 0;
	count = strtol(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || count <= 0)
		refuse(name, value, "Write a positive whole number.");
	return count;
}

char *
dun_gateway_option(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, name) == 0)
			return defGetString(option);
	}
	return NULL;
}

/* Printable, of a known scheme, with a host and no user in it. */
static void
check_url_of(const char *name, const char *value, const char *schemes, DunUrl *url)
{
	const char *sep = strstr(value, "://");
	const char *authority;
	size_t		len;

	for (const char *c = value; *c; c++)
		if ((unsigned char) *c <= 0x20 || (unsigned char) *c >= 0x7f || strchr("<>\"\\^`{|}", *c) != NULL)
			refuse(name, value, "A URL holds printable ASCII only; write other characters as %XX.");
	if (sep == NULL || !dun_gateway_has_word(schemes, value, sep - value))
		refuse(name, value, psprintf("Write one of these schemes: %s.", schemes));
	authority = sep + 3;
	len = strcspn(authority, "/?#");
	if (len == 0 || authority[0] == ':')
		refuse(name, value, "The URL names no host.");
	if (memchr(authority, '@', len) != NULL)
		refuse(name, "...@...", "Name the user in the mapping: CREATE USER MAPPING FOR dunning_worker SERVER ... OPTIONS (username '...', secret_file '...').");
	if (strchr(value, '#') != NULL)
		refuse(name, value, "A gateway's URL has no fragment.");
	if (!dun_gateway_read_url(value, url) || (url->port_given && url->port == 0))
		refuse(name, value, "Write host:port with a name or an address and a port from 1 to 65535.");
}

static void
check_url(const char *name, const char *value, const char *driver)
{
	DunUrl		url;

	bool		imap = strcmp(driver, "imap") == 0;

	check_url_of(name, value, strcmp(driver, "smtp") == 0 ? "smtp smtps" : imap ? "imaps imap" : "https http", &url);
	/* libcurl would take it for a mailbox or a search. */
	if (imap && strpbrk(strstr(value, "://") + 3, "/?;") != NULL)
		refuse(name, value, "Write the URL without a path: 'imaps://mail.example.org'; the mailbox is an option of its own: mailbox 'INBOX'.");
}

/* The gateway puts it together with what it reports, so it ends before its query. */
static void
check_receipt_url(const char *name, const char *value, const char *driver)
{
	DunUrl		url;

	check_url_of(name, value, "https http", &url);
	if (strchr(value, '?') != NULL)
		refuse(name, value, "Write the URL without a query: the preset says what follows it.");
}

static void
check_proxy(const char *name, const char *value, const char *driver)
{
	DunUrl		url;

	check_url_of(name, value, "http https socks5h", &url);
	if (!url.port_given)
		refuse(name, value, "Name the proxy's port, such as 'http://proxy.example:3128'.");
}

/* An address and no name: nothing is to be resolved, or looked for among interfaces. */
static void
check_source_address(const char *name, const char *value, const char *driver)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, value, &address) != 1 && inet_pton(AF_INET6, value, &address) != 1)
		refuse(name, value, "Write an address of this machine, such as '192.0.2.7'.");
}

static void
check_http_version(const char *name, const char *value, const char *driver)
{
	if (!dun_gateway_has_word("h1 h2", value, strlen(value)))
		refuse(name, value, "Write 'h1', or 'h2' for HTTP/2 where the gateway offers it.");
}

static void
check_driver(const char *name, const char *value, const char *driver)
{
	if (dun_gateway_find_driver(value) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown driver \"%s\"", value),
				 errdetail("Drivers known: smtp, http, imap, spool, task, mock.")));
}

static void
check_from(const char *name, const char *value, const char *driver)
{
	char	   *display;
	char	   *address;
	const char *why;

	dun_gateway_split_from(value, &display, &address);
	if (strcmp(driver, "smtp") != 0)
		return;
	why = dun_gateway_check_address("email", address);
	if (why != NULL)
		refuse(name, value, "Write an e-mail address, or a name with it: 'Billing <billing@example.org>'.");
}

static void
check_rate(const char *name, const char *value, const char *driver)
{
	dun_gateway_parse_rate(name, value);
}

static void
check_timeout(const char *name, const char *value, const char *driver)
{
	dun_gateway_parse_timeout(name, value);
}

static void
check_pause(const char *name, const char *value, const char *driver)
{
	dun_gateway_parse_pause(name, value);
}

static void
check_key_life(const char *name, const char *value, const char *driver)
{
	dun_gateway_parse_key_life(name, value);
}

static void
check_count(const char *name, const char *value, const char *driver)
{
	dun_gateway_parse_count(name, value);
}

static void
check_contract(const char *name, const char *value, const char *driver)
{
	if (!dun_gateway_has_word("repeat once", value, strlen(value)))
		refuse(name, value, "Write 'repeat' where the gateway honours an idempotency key, else 'once'.");
}

static void
check_tls(const char *name, const char *value, const char *driver)
{
	if (!dun_gateway_has_word("required none", value, strlen(value)))
		refuse(name, value, "Write 'required', or 'none' for a relay that dunning.allowed_hosts names.");
}

static void
check_verdict(const char *name, const char *value, const char *driver)
{
	if (!dun_gateway_has_word("sent retry failed suppress unknown", value, strlen(value)))
		refuse(name, value, "Write one of: sent, retry, failed, suppress, unknown.");
}

static void
check_header_name(const char *name, const char *value, const char *driver)
{
	if (!dun_gateway_is_header_name(value))
		refuse(name, value, "Write the name of an HTTP header, such as 'Idempotency-Key'.");
}

static void
check_file_name(const char *name, const char *value, const char *driver)
{
	if (!dun_gateway_is_file_name(value))
		refuse(name, value,
			   strcmp(name, "directory") == 0
			   ? "Write a name without slash: a directory under dunning.spool_directory."
			   : "Write a name without slash: a file in dunning.secret_directory.");
}

static void
check_text(const char *name, const char *value, const char *driver)
{
	if (*value == '\0')
		refuse(name, value, "The value may not be empty.");
}

/* Shared memory keeps a name's worth of it. */
static void
check_group(const char *name, const char *value, const char *driver)
{
	if (*value == '\0' || strlen(value) >= NAMEDATALEN)
		refuse(name, value, psprintf("Write a name of at most %d octets.", NAMEDATALEN - 1));
}

static void
check_mailbox(const char *name, const char *value, const char *driver)
{
	if (!dun_gateway_is_mailbox(value))
		refuse(name, value, "Write the mailbox's name in printable ASCII without quotes, such as 'INBOX'; other letters as IMAP encodes them.");
}

static void
check_every(const char *name, const char *value, const char *driver)
{
	dun_gateway_parse_every(name, value);
}

/* With {message_id} a report is known by the address it comes to, whatever it says. */
static void
check_return_path(const char *name, const char *value, const char *driver)
{
	static const char nobody[] = "00000000-0000-7000-8000-000000000000";
	const char *why = dun_gateway_check_address("email", dun_gateway_return_path(value, nobody));

	if (why != NULL)
		refuse(name, value, "Write the address that reports are sent to, with a place for the message: 'bounces+{message_id}@example.org'.");
}

#define NETWORK "smtp http imap"

static const Option server_options[] = {
	{"driver", NULL, check_driver},
	{"from", NULL, check_from},
	{"rate", NULL, check_rate},
	{"daily", NULL, check_count},
	{"rate_group", NULL, check_group},
	{"breaker_after", NULL, check_count},
	{"breaker_pause", NULL, check_pause},
	{"creditor", NULL, check_text},
	{"position", NULL, check_count},
	{"contract", NULL, check_contract},
	{"key_life", NULL, check_key_life},
	{"url", NETWORK, check_url},
	{"timeout", NETWORK, check_timeout},
	{"proxy", NETWORK, check_proxy},
	{"proxy_ca_file", NETWORK, check_file_name},
	{"source_address", NETWORK, check_source_address},
	{"ca_file", NETWORK, check_file_name},
	{"crl_file", NETWORK, check_file_name},
	{"client_cert_file", NETWORK, check_file_name},
	{"client_key_file", NETWORK, check_file_name},
	{"tls", "smtp imap", check_tls},
	{"return_path", "smtp", check_return_path},
	{"mailbox", "imap", check_mailbox},
	{"every", "imap", check_every},
	{"http_version", "http", check_http_version},
	{"preset", "http", check_text},
	{"idempotency_header", "http", check_header_name},
	{"receipt_key", "http", check_text},
	{"receipt_url", "http", check_receipt_url},
	{"ask_for", "http", check_every},
	{"directory", "spool", check_file_name},
	{"verdict", "mock", check_verdict},
	{NULL}
};

static const Option mapping_options[] = {
	{"username", NULL, check_text},
	{"secret_file", NULL, check_file_name},
	{"receipt_secret_file", NULL, check_file_name},
	{"proxy_username", NULL, check_text},
	{"proxy_secret_file", NULL, check_file_name},
	{NULL}
};

static const Option wrapper_options[] = {
	{NULL}
};

static bool
of_driver(const Option *option, const char *driver)
{
	return option->drivers == NULL || dun_gateway_has_word(option->drivers, driver, strlen(driver));
}

static const Option *
find_option(const Option *known, const char *name, const char *driver)
{
	StringInfoData names;

	for (const Option *option = known; option->name != NULL; option++)
		if (strcmp(option->name, name) == 0 && of_driver(option, driver))
			return option;

	initStringInfo(&names);
	for (const Option *option = known; option->name != NULL; option++)
		if (of_driver(option, driver))
			appendStringInfo(&names, "%s%s", names.len ? ", " : "", option->name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%s\"", name),
			 names.len == 0 ? errdetail("The wrapper itself has no options.") :
			 known == server_options ? errdetail("Options of a server of driver %s: %s.", driver, names.data) :
			 errdetail("Options of a user mapping: %s.", names.data)));
}

/* Credentials that would stand in pg_dump's output and before pg_read_all_data. */
static void
refuse_inline_secret(const char *name)
{
	static const char secrets[] = "password secret token api_key apikey key passwd auth_token";

	if (dun_gateway_has_word(secrets, name, strlen(name)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a secret may not stand in option \"%s\"", name),
				 errdetail("pg_dump prints the options of servers and mappings, and pg_read_all_data reads them."),
				 errhint("Put it into a file of dunning.secret_directory with mode 0600 and name that: OPTIONS (ADD secret_file '...').")));
}

static void
require_options(List *options, const char *driver)
{
	bool		network = dun_gateway_has_word(NETWORK, driver, strlen(driver));
	const char *missing = NULL;

	if (network && dun_gateway_option(options, "url") == NULL)
		missing = "url";
	else if (strcmp(driver, "smtp") == 0 && dun_gateway_option(options, "from") == NULL)
		missing = "from";
	else if (strcmp(driver, "spool") == 0 && dun_gateway_option(options, "directory") == NULL)
		missing = "directory";
	if (missing != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is missing", missing),
				 errdetail("A server of driver %s cannot work without it.", driver)));
	if ((dun_gateway_option(options, "client_cert_file") == NULL) != (dun_gateway_option(options, "client_key_file") == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"client_cert_file\" and \"client_key_file\" belong together")));
}

static void
check_options(List *options, const Option *known, const char *driver)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *def = lfirst_node(DefElem, cell);
		char	   *value = defGetString(def);

		refuse_inline_secret(def->defname);
		if (strlen(value) > MAX_OPTION_BYTES)
			refuse(def->defname, "...", "The value is longer than 2000 bytes.");
		for (const char *c = value; *c; c++)
			if ((unsigned char) *c < 0x20 || *c == 0x7f)
				refuse(def->defname, "...", "The value holds a control character.");
		find_option(known, def->defname, driver)->check(def->defname, value, driver);
	}
}

PG_FUNCTION_INFO_V1(dun_gateway_sql_validator);

Datum
dun_gateway_sql_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			catalog = PG_GETARG_OID(1);

	if (catalog == ForeignServerRelationId)
	{
		const char *driver = dun_gateway_option(options, "driver");

		if (driver == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"driver\" is missing"),
					 errhint("CREATE SERVER ... TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://...', from '...');")));
		check_driver("driver", driver, driver);
		check_options(options, server_options, driver);
		require_options(options, driver);
	}
	else
		check_options(options, catalog == UserMappingRelationId ? mapping_options : wrapper_options, "");
	PG_RETURN_VOID();
}
