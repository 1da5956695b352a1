/*
 * deliver/easy.c
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

#include "deliver/easy.h"
#include "gateway/network.h"

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

	if (addr->sa_family == AF_INET)
		port = ntohs(((const struct sockaddr_in *) addr)->sin_port);
	else if (addr->sa_family == AF_INET6)
		port = ntohs(((const struct sockaddr_in6 *) addr)->sin6_port);
	else
		return CURL_SOCKET_BAD;
	if (!dun_gateway_allows_address(addr, port, x->host[0] ? x->host : NULL))
	{
		snprintf(x->error, sizeof(x->error), "address is not allowed");
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void
set_safe_options(DunTransfer *x)
{
	CURL	   *c = x->easy;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_PRIVATE, x);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A look-up that hangs is left behind when its time is over; else everything would wait for it. */
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
#endif
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
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
}

/* The host of a URL as the allow-list spells it: no user, no brackets, no port. */
static void
read_host(const char *url, char *host, size_t size)
{
	const char *from = strstr(url, "://");
	size_t		len;

	from = from ? from + 3 : url;
	len = strcspn(from, "/?#");
	for (const char *at = memchr(from, '@', len); at != NULL; at = memchr(from, '@', len))
	{
		len -= at + 1 - from;
		from = at + 1;
	}
	if (len > 0 && *from == '[')
	{
		from++;
		len = strcspn(from, "]");
	}
	else
		len = Min(len, strcspn(from, ":"));
	len = Min(len, size - 1);
	memcpy(host, from, len);
	host[len] = '\0';
}

static void
set_server_options(DunTransfer *x, const DunServer *server, const char *url)
{
	CURL	   *c = x->easy;

	read_host(server->proxy ? server->proxy : url, x->host, sizeof(x->host));
	/* An empty proxy switches off the environment's. */
	curl_easy_setopt(c, CURLOPT_PROXY, server->proxy ? server->proxy : "");
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long) server->timeout_ms);
	/* For each answer of a login libcurl by itself waits two minutes. */
	curl_easy_setopt(c, CURLOPT_FTP_RESPONSE_TIMEOUT, (long) (server->timeout_ms + 999) / 1000);
	if (server->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, server->ca_file);
	if (server->client_cert_file)
		curl_easy_setopt(c, CURLOPT_SSLCERT, server->client_cert_file);
	if (server->client_key_file)
		curl_easy_setopt(c, CURLOPT_SSLKEY, server->client_key_file);
}

static void
set_smtp_credentials(DunTransfer *x, const DunServer *server)
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
dun_deliver_prepare_easy(DunTransfer *x, const DunServer *server, const DunRequest *request)
{
	bool		ok;

	dun_deliver_clear_easy(x);
	x->server = server;
	x->request = request;
	set_safe_options(x);
	set_server_options(x, server, request->url);
	ok = curl_easy_setopt(x->easy, CURLOPT_URL, request->url) == CURLE_OK &&
		set_http_request(x, request);
	if (!ok)
		dun_deliver_clear_easy(x);
	return ok;
}

/* libcurl ends after the login and leaves the connection to us. */
static bool
prepare_login(DunTransfer *x, const DunServer *server)
{
	dun_deliver_clear_easy(x);
	x->server = server;
	set_safe_options(x);
	set_server_options(x, server, server->url);
	if (strncmp(server->url, "smtp", 4) == 0)
		set_smtp_credentials(x, server);
	curl_easy_setopt(x->easy, CURLOPT_CONNECT_ONLY, 1L);
	return curl_easy_setopt(x->easy, CURLOPT_URL, server->url) == CURLE_OK;
}

bool
dun_deliver_prepare_mail(DunTransfer *x, const DunServer *server, const DunRequest *request)
{
	bool		ok = prepare_login(x, server);

	x->request = request;
	return ok;
}

bool
dun_deliver_prepare_probe(DunTransfer *x, const DunServer *server)
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
	/*
	 * Counted when libcurl hands bytes to the connection: none means not even the first header line left. A reply that
	 * is no HTTP comes as CURLE_UNSUPPORTED_PROTOCOL, after the body.
	 */
	curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	return request_bytes == 0 ? DUN_NOT_SENT : DUN_MAYBE_SENT;
}

void
dun_deliver_read_easy(DunTransfer *x, CURLcode result, DunReply *reply)
{
	long		code = 0;
	bool		smtp = x->request != NULL && x->request->kind == DUN_REQUEST_SMTP;

	memset(reply, 0, sizeof(*reply));
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &code);
	reply->progress = smtp ? login_progress(result, &code) : http_progress(x, result, code);
	reply->code = code;
	/* libcurl's own words may quote an address; its fixed text for the code does not. */
	if (result != CURLE_OK)
		reply->error = x->over_cap ? "reply too large" :
			result == CURLE_USE_SSL_FAILED ? "the mail server offers no TLS; option tls 'none' does without it" :
			strcmp(x->error, "address is not allowed") == 0 ? x->error : (char *) curl_easy_strerror(result);
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
dun_deliver_clear_easy(DunTransfer *x)
{
	CURL	   *easy = x->easy;

	curl_slist_free_all(x->headers);
	free(x->body);
	memset(x, 0, sizeof(*x));
	x->easy = easy;
}
