/*
 * gateway/server.c
 *		A SERVER of the wrapper with the worker's own mapping, resolved and checked.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "mb/pg_wchar.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "base/errcodes.h"
#include "base/user.h"
#include "gateway/check.h"
#include "gateway/driver.h"
#include "gateway/init.h"
#include "gateway/network.h"
#include "gateway/options.h"
#include "gateway/preset.h"
#include "gateway/secret.h"
#include "gateway/server.h"
#include "gateway/url.h"

#define WRAPPER "dunning_gateway"

/* An option in UTF-8, NULL where it is not given. */
static char *
utf8_option(List *options, const char *name)
{
	char	   *value = dun_gateway_option(options, name);

	return value ? pg_server_to_any(value, (int) strlen(value), PG_UTF8) : NULL;
}

static ForeignServer *
find_server(const char *name)
{
	ForeignServer *found = GetForeignServerByName(name, true);

	if (found == NULL)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" does not exist", name),
				 errhint("CREATE SERVER %s TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://...', from '...');",
						 quote_identifier(name))));
	if (strcmp(GetForeignDataWrapper(found->fdwid)->fdwname, WRAPPER) != 0)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" is not a gateway", name),
				 errdetail("Its foreign-data wrapper is another one than %s.", WRAPPER)));
	if (found->servertype == NULL || *found->servertype == '\0')
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" has no TYPE", name),
				 errdetail("A gateway's TYPE is the channel it serves, and cannot be altered."),
				 errhint("DROP SERVER %s CASCADE; CREATE SERVER %s TYPE 'email' ...", quote_identifier(name), quote_identifier(name))));
	return found;
}

/* The mapping of dunning_worker alone; one for PUBLIC is somebody else's. */
static List *
worker_mapping(Oid server)
{
	HeapTuple	tuple = SearchSysCache2(USERMAPPINGUSERSERVER,
										ObjectIdGetDatum(get_role_oid(DUN_WORKER_ROLE, false)),
										ObjectIdGetDatum(server));
	Datum		options;
	bool		isnull;
	List	   *result = NIL;

	if (!HeapTupleIsValid(tuple))
		return NIL;
	options = SysCacheGetAttr(USERMAPPINGUSERSERVER, tuple, Anum_pg_user_mapping_umoptions, &isnull);
	if (!isnull)
		result = untransformRelOptions(options);
	ReleaseSysCache(tuple);
	return result;
}

/* Both or none: a name without a password, or the other way round, is a login that was half written. */
static void
require_pair(const DunServer *server, const char *name, bool has_name, const char *file, bool has_file)
{
	if (has_name != has_file)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("the mapping of server \"%s\" needs both %s and %s", server->name, name, file),
				 errhint("ALTER USER MAPPING FOR dunning_worker SERVER %s OPTIONS (ADD %s '...');",
						 quote_identifier(server->name), has_file ? name : file)));
}

static char *
read_password(const char *file, bool masked)
{
	char	   *password = dun_gateway_read_secret(file);

	return masked ? pstrdup("SECRET") : password;
}

static void
read_credentials(DunServer *server, bool masked)
{
	List	   *mapping = worker_mapping(server->oid);
	char	   *proxy = dun_gateway_option(mapping, "proxy_secret_file");
	char	   *file = dun_gateway_option(mapping, "secret_file");
	char	   *receipts = dun_gateway_option(mapping, "receipt_secret_file");

	if (receipts != NULL)
		server->receipt_secret = masked ? pstrdup("SECRET") : dun_gateway_read_secret(receipts);
	server->username = utf8_option(mapping, "username");
	if (file != NULL)
		server->password = read_password(file, masked);
	if (strcmp(server->driver, "smtp") == 0 || strcmp(server->driver, "imap") == 0)
		require_pair(server, "username", server->username != NULL, "secret_file", file != NULL);
	server->proxy_username = utf8_option(mapping, "proxy_username");
	if (proxy != NULL)
		server->proxy_password = read_password(proxy, masked);
	require_pair(server, "proxy_username", server->proxy_username != NULL, "proxy_secret_file", proxy != NULL);
}

/* Without TLS only to a host the superuser has named: nobody else may decide that a text travels in the clear. */
static void
require_encryption(const DunServer *server, const DunUrl *url)
{
	bool		plain = strcmp(url->scheme, "http") == 0 ||
		((strcmp(url->scheme, "smtp") == 0 || strcmp(url->scheme, "imap") == 0) && !server->require_tls);

	if (plain && !dun_gateway_allows_plain(url->host, url->port))
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" would be spoken to without TLS", server->name),
				 errhint("Use %s, or as superuser name the host: ALTER SYSTEM SET dunning.allowed_hosts = '%s:%d'; SELECT pg_reload_conf();",
						 strcmp(url->scheme, "http") == 0 ? "an https:// URL" : "option tls 'required'", url->host, url->port)));
}

/* What a proxy connects to is not seen here once it is resolved; what the URL itself spells is. */
static void
require_public(const DunServer *server, const DunUrl *url)
{
	if (server->proxy != NULL && !dun_gateway_allows_spelling(url->host, url->port))
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" would have its proxy connect to an address that is not allowed", server->name),
				 errhint("As superuser: ALTER SYSTEM SET dunning.allowed_hosts = '%s%s%s:%d'; SELECT pg_reload_conf();",
						 strchr(url->host, ':') ? "[" : "", url->host, strchr(url->host, ':') ? "]" : "", url->port)));
}

static char *
spool_directory(const DunServer *server)
{
	char	   *path;
	struct stat st;

	if (dun_gateway_spool_directory == NULL || *dun_gateway_spool_directory == '\0')
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("dunning.spool_directory is not set"),
				 errhint("As superuser: ALTER SYSTEM SET dunning.spool_directory = '/var/spool/dunning'; SELECT pg_reload_conf();")));
	path = psprintf("%s/%s", dun_gateway_spool_directory, dun_gateway_option(server->options, "directory"));
	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("spool directory \"%s\" does not exist or is not a directory", path),
				 errhint("As the server's user: mkdir -m 700 '%s'", path)));
	return path;
}

static void
read_http(DunServer *server)
{
	char	   *name = utf8_option(server->options, "preset");
	char	   *header = dun_gateway_option(server->options, "idempotency_header");
	DunPreset  *preset = dun_gateway_load_preset(name ? name : "generic-json", server);

	if (preset->names_receipt_url && server->receipt_url == NULL)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" does not say where its gateway is to send receipts", server->name),
				 errdetail("The preset \"%s\" asks for them.", preset->name),
				 errhint("ALTER SERVER %s OPTIONS (ADD receipt_url 'https://...');", quote_identifier(server->name))));
	if (header != NULL)
	{
		preset->idempotency_header = header;
		preset->repeat = true;
	}
	server->preset = preset;
}

static void
read_contract(DunServer *server)
{
	const char *contract = dun_gateway_option(server->options, "contract");
	const DunPreset *preset = server->preset;

	/* Mail servers know no key, and a shop that has taken a letter's file knows nothing of it. A worklist row is the settling transaction's own. */
	if (contract != NULL)
		server->repeat = strcmp(contract, "repeat") == 0;
	else if (preset != NULL)
		server->repeat = preset->repeat;
	else
		server->repeat = strcmp(server->driver, "smtp") != 0 && strcmp(server->driver, "spool") != 0;

	if (server->repeat && preset != NULL && preset->idempotency_header == NULL &&
		!preset->url->names_message && !(preset->body && preset->body->names_message))
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" promises to honour a key that no request carries", server->name),
				 errhint("ALTER SERVER %s OPTIONS (ADD idempotency_header 'Idempotency-Key'), or SET contract 'once'.",
						 quote_identifier(server->name))));
}

static void
read_network(DunServer *server)
{
	const char *timeout = dun_gateway_option(server->options, "timeout");
	const char *tls = dun_gateway_option(server->options, "tls");
	const char *ca = dun_gateway_option(server->options, "ca_file");
	const char *crl = dun_gateway_option(server->options, "crl_file");
	const char *cert = dun_gateway_option(server->options, "client_cert_file");
	const char *key = dun_gateway_option(server->options, "client_key_file");
	const char *proxy_ca = dun_gateway_option(server->options, "proxy_ca_file");
	const char *version = dun_gateway_option(server->options, "http_version");
	DunUrl		url;

	server->url = dun_gateway_option(server->options, "url");
	server->proxy = dun_gateway_option(server->options, "proxy");
	server->require_tls = tls == NULL || strcmp(tls, "none") != 0;
	if (timeout != NULL)
		server->timeout_ms = dun_gateway_parse_timeout("timeout", timeout);
	if (ca != NULL)
		server->ca_file = dun_gateway_secret_path(ca, false);
	if (crl != NULL)
		server->crl_file = dun_gateway_secret_path(crl, false);
	if (cert != NULL)
		server->client_cert_file = dun_gateway_secret_path(cert, false);
	if (key != NULL)
		server->client_key_file = dun_gateway_secret_path(key, true);
	if (proxy_ca != NULL)
		server->proxy_ca_file = dun_gateway_secret_path(proxy_ca, false);
	server->source_address = dun_gateway_option(server->options, "source_address");
	server->http2 = version != NULL && strcmp(version, "h2") == 0;
	/* A server of an older version may have been written when less was checked. */
	if (!dun_gateway_read_url(server->url, &url))
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("the URL of server \"%s\" cannot be used", server->name),
				 errhint("ALTER SERVER %s OPTIONS (SET url 'https://...');", quote_identifier(server->name))));
	require_encryption(server, &url);
	require_public(server, &url);
}

static DunServer *
load_server(const char *name, bool masked)
{
	ForeignServer *found = find_server(name);
	DunServer  *server = palloc0(sizeof(*server));
	List	   *options = found->options;
	const char *value;

	server->oid = found->serverid;
	server->name = pstrdup(found->servername);
	server->channel = pstrdup(found->servertype);
	server->options = options;
	server->driver = dun_gateway_option(options, "driver");
	if (server->driver == NULL || dun_gateway_find_driver(server->driver) == NULL)
		elog(ERROR, "server \"%s\" has no driver", name);
	server->from = utf8_option(options, "from");
	server->creditor = utf8_option(options, "creditor");
	server->rate_group = utf8_option(options, "rate_group");
	server->receipt_key = dun_gateway_option(options, "receipt_key");
	server->receipt_url = dun_gateway_option(options, "receipt_url");
	server->return_path = dun_gateway_option(options, "return_path");
	server->timeout_ms = DUN_DEFAULT_TIMEOUT_MS;
	server->key_life_hours = DUN_DEFAULT_KEY_LIFE_HOURS;
	if ((value = dun_gateway_option(options, "rate")) != NULL)
		server->rate = dun_gateway_parse_rate("rate", value);
	if ((value = dun_gateway_option(options, "daily")) != NULL)
		server->daily = dun_gateway_parse_count("daily", value);
	server->breaker_after = DUN_DEFAULT_BREAKER_AFTER;
	server->breaker_pause_ms = DUN_DEFAULT_BREAKER_PAUSE_MS;
	if ((value = dun_gateway_option(options, "breaker_after")) != NULL)
		server->breaker_after = (int) Min(dun_gateway_parse_count("breaker_after", value), PG_INT32_MAX);
	if ((value = dun_gateway_option(options, "breaker_pause")) != NULL)
		server->breaker_pause_ms = dun_gateway_parse_pause("breaker_pause", value);
	if ((value = dun_gateway_option(options, "key_life")) != NULL)
		server->key_life_hours = dun_gateway_parse_key_life("key_life", value);

	read_credentials(server, masked);
	if (dun_gateway_option(options, "url") != NULL)
		read_network(server);
	if (strcmp(server->driver, "http") == 0)
		read_http(server);
	if (strcmp(server->driver, "spool") == 0)
		server->directory = spool_directory(server);
	read_contract(server);
	return server;
}

DunServer *
dun_gateway_load_server(const char *name)
{
	static uint64 serial = 0;
	DunServer  *server = load_server(name, false);

	server->serial = ++serial;
	return server;
}

DunServer *
dun_gateway_load_server_masked(const char *name)
{
	return load_server(name, true);
}
