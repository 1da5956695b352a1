/*
 * transport/easy.c
 *		Options of a transfer, its callbacks, and the verdict on how far it got.
 *
 * What libcurl does not do by itself stands here: no redirect (a custom header would follow it to another host), no
 * proxy and no .netrc of the environment, no decompression (half a megabyte can become half a gigabyte), caps on what
 * is read back, the address judged after it was resolved, TLS 1.2 and verified.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/network.h"
#include "gateway/url.h"
#include "transport/easy.h"
#include "transport/sockets.h"
#include "transport/tls.h"

#define LOW_SPEED_BYTES 16L
#define LOW_SPEED_SECONDS 15L

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	DunTransfer *x = arg;
	size_t		len = size * n;

	if (x->body_len + len > DUN_REPLY_CAP)
	{
		x->over_cap = true;
		return 0;
	}
	if (x->body_len + len > x->body_size)
	{
		size_t		grown = Max(x->body_len + len, x->body_size ? x->body_size * 2 : 1024);
		char	   *p = realloc(x->body, grown);

		if (p == NULL)
			return 0;
		x->body = p;
		x->body_size = grown;
	}
	memcpy(x->body + x->body_len, data, len);
	x->body_len += len;
	return len;
}

/* A line of the answer to EHLO; what was offered before STARTTLS counts no more. */
static void
note_extension(DunTransfer *x, const char *line)
{
	if (strncmp(line, "220", 3) == 0)
		x->offers_dsn = false;
	else if (strncmp(line, "250", 3) == 0 && strlen(line) == 7 && strncasecmp(line + 4, "DSN", 3) == 0)
		x->offers_dsn = true;
}

/* HTTP: header lines. SMTP: reply lines, of which the last is the gateway's answer in words. */
static size_t
on_header(char *data, size_t size, size_t n, void *arg)
{
	static const char name[] = "retry-after:";
	DunTransfer *x = arg;
	size_t		len = size * n;

	x->header_bytes += len;
	if (x->header_bytes > DUN_HEADER_CAP)
	{
		x->over_cap = true;
		return 0;
	}
	if (x->request != NULL && x->request->kind == DUN_REQUEST_SMTP)
	{
		size_t		keep = Min(len, sizeof(x->last_line) - 1);

		while (keep > 0 && (data[keep - 1] == '\r' || data[keep - 1] == '\n'))
			keep--;
		memcpy(x->last_line, data, keep);
		x->last_line[keep] = '\0';
		note_extension(x, x->last_line);
	}
	else if (len > sizeof(name) && strncasecmp(data, name, sizeof(name) - 1) == 0)
	{
		size_t		from = sizeof(name) - 1;
		size_t		to = len;

		while (from < to && (data[from] == ' ' || data[from] == '\t'))
			from++;
		while (to > from && (data[to - 1] == '\r' || data[to - 1] == '\n' || data[to - 1] == ' '))
			to--;
		if (to - from < sizeof(x->retry_after))
		{
			memcpy(x->retry_after, data + from, to - from);
			x->retry_after[to - from] = '\0';
		}
	}
	return len;
}

static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	DunTransfer *x = arg;
	const struct sockaddr *addr = &address->addr;
	int			port = 0;
	DunUrl		url;
	bool		named;
	curl_socket_t fd;

	if (addr->sa_family == AF_INET)
		port = ntohs(((const struct sockaddr_in *) addr)->sin_port);
	else if (addr->sa_family == AF_INET6)
		port = ntohs(((const struct sockaddr_in6 *) addr)->sin6_port);
	else
		return CURL_SOCKET_BAD;
	/* A proxy is what is connected to, so it is the proxy that is judged. */
	named = dun_gateway_read_url(x->server->proxy ? x->server->proxy :
								 x->request ? x->request->url : x->server->url, &url);
	if (!named || !dun_gateway_allows_address(addr, port, url.host))
	{
		x->denied = true;
		return CURL_SOCKET_BAD;
	}
	x->opened = true;
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (x->sockets != NULL)
		dun_transport_note_socket(x->sockets, fd);
	return fd;
}

static void
set_safe_options(DunTransfer *x)
{
	CURL	   *c = x->easy;

	curl_easy_reset(c);
	x->prepared_for = 0;
	curl_easy_setopt(c, CURLOPT_PRIVATE, x);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A look-up that hangs is left behind when its time is over; else everything would wait for it. */
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
#endif
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps,imap,imaps");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long) DUN_CONNECT_TIMEOUT_MS);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_SECONDS);
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE, (long) DUN_REPLY_CAP);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, x);
	if (x->sockets != NULL)
	{
		curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, dun_transport_close_socket);
		curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, x->sockets);
	}
}

/*
 * An empty proxy switches off the environment's, and an empty list of exceptions that which would have a bank's own
 * proxy passed by.
 */
static void
set_proxy(CURL *c, const DunServer *server)
{
	curl_easy_setopt(c, CURLOPT_PROXY, server->proxy ? server->proxy : "");
	curl_easy_setopt(c, CURLOPT_NOPROXY, "");
	if (server->proxy == NULL)
		return;
	/* What a proxy says to CONNECT is no gateway's answer, and what is for the gateway is not for the proxy. */
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(c, CURLOPT_HEADEROPT, (long) CURLHEADER_SEPARATE);
	curl_easy_setopt(c, CURLOPT_PROXY_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	if (server->proxy_ca_file)
	{
		curl_easy_setopt(c, CURLOPT_PROXY_CAINFO, server->proxy_ca_file);
		curl_easy_setopt(c, CURLOPT_PROXY_CAPATH, NULL);
	}
	if (server->proxy_username)
	{
		curl_easy_setopt(c, CURLOPT_PROXYUSERNAME, server->proxy_username);
		curl_easy_setopt(c, CURLOPT_PROXYPASSWORD, server->proxy_password ? server->proxy_password : "");
	}
}

/* Literal, so nothing is resolved and no interface is looked for; and the peer's address is then of the same family. */
static void
set_source_address(CURL *c, const char *address)
{
	char		interface[80];

	snprintf(interface, sizeof(interface), "host!%s", address);
	curl_easy_setopt(c, CURLOPT_INTERFACE, interface);
	curl_easy_setopt(c, CURLOPT_IPRESOLVE, (long) (strchr(address, ':') ? CURL_IPRESOLVE_V6 : CURL_IPRESOLVE_V4));
}

static void
set_server_options(DunTransfer *x, const DunServer *server)
{
	CURL	   *c = x->easy;

	set_proxy(c, server);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long) server->timeout_ms);
	/* For each answer of a login libcurl by itself waits two minutes. */
	curl_easy_setopt(c, CURLOPT_FTP_RESPONSE_TIMEOUT, (long) (server->timeout_ms + 999) / 1000);
	if (server->ca_file)
	{
		curl_easy_setopt(c, CURLOPT_CAINFO, server->ca_file);
		/* Else the system's folder counts beside it. */
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	if (server->crl_file)
		curl_easy_setopt(c, CURLOPT_CRLFILE, server->crl_file);
	if (server->client_cert_file)
		curl_easy_setopt(c, CURLOPT_SSLCERT, server->client_cert_file);
	if (server->client_key_file)
		curl_easy_setopt(c, CURLOPT_SSLKEY, server->client_key_file);
	if (server->source_address)
		set_source_address(c, server->source_address);
	if (server->http2)
		curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
}

/* Of a mail server or a mailbox. */
static void
set_login(DunTransfer *x, const DunServer *server)
{
	CURL	   *c = x->easy;

	curl_easy_setopt(c, CURLOPT_USE_SSL, (long) (server->require_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	if (server->username)
	{
		curl_easy_setopt(c, CURLOPT_USERNAME, server->username);
		curl_easy_setopt(c, CURLOPT_PASSWORD, server->password ? server->password : "");
	}
}

static bool
set_http_request(DunTransfer *x, const DunRequest *request)
{
	CURL	   *c = x->easy;
	ListCell   *lc;

	foreach(lc, request->headers)
	{
		struct curl_slist *longer = curl_slist_append(x->headers, (char *) lfirst(lc));

		if (longer == NULL)
			return false;
		x->headers = longer;
	}
	if (request->method && strcmp(request->method, "GET") == 0)
		curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	else
	{
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, request->body ? request->body : "");
		if (request->method && strcmp(request->method, "POST") != 0)
			curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request->method);
	}
	/*
	 * libcurl repeats a request by itself when a kept connection turns out dead before any answer. Where the peer
	 * honours no key that could be a second message, so there each request has a connection of its own.
	 */
	if (!x->server->repeat)
	{
		curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	}
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, x->headers);
	return true;
}

bool
dun_transport_prepare_easy(DunTransfer *x, const DunServer *server, const DunRequest *request)
{
	bool		ok;

	dun_transport_clear_easy(x);
	x->server = server;
	x->request = request;
	if (server->serial == 0 || x->prepared_for != server->serial)
	{
		set_safe_options(x);
		set_server_options(x, server);
	}
	x->prepared_for = server->serial;
	ok = curl_easy_setopt(x->easy, CURLOPT_URL, request->url) == CURLE_OK &&
		set_http_request(x, request);
	if (!ok)
		dun_transport_clear_easy(x);
	return ok;
}

/* libcurl ends after the login and leaves the connection to us. */
static bool
prepare_login(DunTransfer *x, const DunServer *server)
{
	dun_transport_clear_easy(x);
	x->server = server;
	set_safe_options(x);
	set_server_options(x, server);
	if (strncmp(server->url, "smtp", 4) == 0 || strncmp(server->url, "imap", 4) == 0)
		set_login(x, server);
	curl_easy_setopt(x->easy, CURLOPT_CONNECT_ONLY, 1L);
	return curl_easy_setopt(x->easy, CURLOPT_URL, server->url) == CURLE_OK;
}

bool
dun_transport_prepare_mail(DunTransfer *x, const DunServer *server, const DunRequest *request)
{
	bool		ok = prepare_login(x, server);

	x->request = request;
	return ok;
}

bool
dun_transport_prepare_probe(DunTransfer *x, const DunServer *server)
{
	return prepare_login(x, server);
}

/*
 * A login: nothing of a mail was said. A no is an answer to the connection, never one about the recipient; a code that
 * came before a timeout is no answer at all.
 */
static DunProgress
login_progress(CURLcode result, long *code)
{
	if (result == CURLE_OPERATION_TIMEDOUT)
		*code = 0;
	return *code >= 400 ? DUN_REPLIED : DUN_NOT_SENT;
}

/* Did the proxy open no tunnel for this transfer? What libcurl counts as sent was then said to the proxy. */
static bool
stopped_at_proxy(DunTransfer *x)
{
	long		connect_code = 0;
	long		connections = 0;
	curl_off_t	agreed = 0;
	bool		tunnel = x->server->proxy != NULL && strncmp(x->request ? x->request->url : x->server->url, "http:", 5) != 0;

	if (!tunnel || strncmp(x->server->proxy, "http", 4) != 0)
		return false;
	curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
	curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connections);
	curl_easy_getinfo(x->easy, CURLINFO_PRETRANSFER_TIME_T, &agreed);
	return connect_code >= 300 || (connections > 0 && agreed == 0);
}

static DunProgress
http_progress(DunTransfer *x, CURLcode result, long code)
{
	long		request_bytes = 0;

	if (result == CURLE_OK || code >= 200)
		return DUN_REPLIED;
	switch (result)
	{
		case CURLE_COULDNT_RESOLVE_HOST:
		case CURLE_COULDNT_RESOLVE_PROXY:
		case CURLE_COULDNT_CONNECT:
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_URL_MALFORMAT:
			return DUN_NOT_SENT;
		default:
			break;
	}
	if (stopped_at_proxy(x) || dun_transport_refuses_certificate(x->error))
		return DUN_NOT_SENT;
	/*
	 * Counted when libcurl hands bytes to the connection: none means not even the first header line left. A reply that
	 * is no HTTP comes as CURLE_UNSUPPORTED_PROTOCOL, after the body.
	 */
	curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	return request_bytes == 0 ? DUN_NOT_SENT : DUN_MAYBE_SENT;
}

/* libcurl's own words may quote an address; ours and its fixed text for the code do not. */
static char *
error_words(DunTransfer *x, CURLcode result)
{
	long		connect_code = 0;
	const char *words;

	if (result == CURLE_OK)
		return NULL;
	if (x->over_cap)
		return "reply too large";
	if (result == CURLE_USE_SSL_FAILED)
		return "the mail server offers no TLS; option tls 'none' does without it";
	/* libcurl says "couldn't connect" over a word of ours. */
	if (x->denied && !x->opened)
		return "address is not allowed";
	if (stopped_at_proxy(x))
	{
		curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
		if (connect_code == 407)
			return "proxy wants a login (407)";
		if (connect_code >= 300)
		{
			snprintf(x->error, sizeof(x->error), "proxy refused to connect (%ld)", connect_code);
			return x->error;
		}
		if (result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR || result == CURLE_GOT_NOTHING)
			return "proxy ended the connection";
	}
	words = dun_transport_tls_words(x->easy, result, x->error);
	return unconstify(char *, words ? words : curl_easy_strerror(result));
}

/* Would another message over this server fare the same until somebody mends something? */
static bool
is_not_let_in(DunTransfer *x, CURLcode result)
{
	long		connect_code = 0;

	if (x->denied && !x->opened)
		return true;
	if (stopped_at_proxy(x))
		curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
	/* A proxy that answers 5xx could not reach the gateway just now. */
	return connect_code >= 400 ? connect_code < 500 :
		result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CACERT_BADFILE || result == CURLE_SSL_CRL_BADFILE || result == CURLE_SSL_CERTPROBLEM ||
		result == CURLE_INTERFACE_FAILED || result == CURLE_USE_SSL_FAILED || dun_transport_refuses_certificate(x->error);
}

void
dun_transport_read_easy(DunTransfer *x, CURLcode result, DunReply *reply)
{
	long		code = 0;
	bool		smtp = x->request != NULL && x->request->kind == DUN_REQUEST_SMTP;

	memset(reply, 0, sizeof(*reply));
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &code);
	reply->progress = smtp ? login_progress(result, &code) : http_progress(x, result, code);
	reply->code = code;
	reply->error = error_words(x, result);
	reply->not_let_in = reply->progress == DUN_NOT_SENT && is_not_let_in(x, result);
	reply->before_recipient = smtp;
	if (smtp)
	{
		reply->body = x->last_line[0] ? x->last_line : NULL;
		reply->body_len = strlen(x->last_line);
	}
	else
	{
		reply->body = x->body_len > 0 ? x->body : NULL;
		reply->body_len = x->body_len;
	}
	reply->retry_after = x->retry_after[0] ? x->retry_after : NULL;
}

void
dun_transport_clear_easy(DunTransfer *x)
{
	DunTransfer kept = {.easy = x->easy, .prepared_for = x->prepared_for, .sockets = x->sockets};

	curl_slist_free_all(x->headers);
	free(x->body);
	*x = kept;
}
