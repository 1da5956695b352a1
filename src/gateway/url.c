/*
 * gateway/url.c
 *		Scheme, host and port of a URL, and the addresses that stand in hosts.
 *
 * libcurl takes a URL apart once more before it connects. Where two readers disagree about the host, one of them judges
 * what the other does not do; so its reader is ours, and what readers are known to disagree about is no URL here.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include "gateway/url.h"

static bool
copy_part(CURLU *parts, CURLUPart part, unsigned int flags, char *to, size_t room)
{
	char	   *value = NULL;
	bool		ok = curl_url_get(parts, part, &value, flags) == CURLUE_OK && strlen(value) < room;

	strlcpy(to, ok ? value : "", room);
	curl_free(value);
	return ok;
}

static bool
has_part(CURLU *parts, CURLUPart part)
{
	char	   *value = NULL;
	bool		has = curl_url_get(parts, part, &value, 0) == CURLUE_OK;

	curl_free(value);
	return has;
}

/* Letters, digits, hyphens, underscores and dots; or an IPv6 address in brackets, which are taken away. */
static bool
clean_host(char *host)
{
	size_t		len = strlen(host);
	struct in6_addr six;

	if (host[0] == '[')
	{
		if (host[len - 1] != ']')
			return false;
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
		return inet_pton(AF_INET6, host, &six) == 1;
	}
	return len > 0 && host[0] != '.' &&
		strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

/*
 * Does the authority stand there as it was understood? libcurl takes one slash or three for two; an escape, a second
 * colon or a stray bracket is none of ours either.
 */
static bool
plain_authority(const char *text)
{
	const char *from = text + strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
	size_t		len;
	size_t		host = 0;

	if (from == text || strncmp(from, "://", 3) != 0)
		return false;
	from += 3;
	len = strcspn(from, "/?#");
	if (len == 0)
		return false;
	if (from[0] == '[')
	{
		while (host < len && from[host] != ']')
			host++;
		if (host++ == len)
			return false;
	}
	else
		while (host < len && from[host] != ':')
			host++;
	for (size_t i = 0; i < host; i++)
		if (from[i] == '%' || from[i] == '@' || from[i] == '\\')
			return false;
	if (host == len)
		return true;
	return from[host] == ':' && host + 1 < len && strspn(from + host + 1, "0123456789") >= len - host - 1;
}

bool
dun_gateway_read_url(const char *text, DunUrl *url)
{
	CURLU	   *parts;
	char		port[16];
	bool		ok;

	memset(url, 0, sizeof(*url));
	if (!plain_authority(text) || (parts = curl_url()) == NULL)
		return false;
	ok = curl_url_set(parts, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
		copy_part(parts, CURLUPART_SCHEME, 0, url->scheme, sizeof(url->scheme)) &&
		copy_part(parts, CURLUPART_HOST, 0, url->host, sizeof(url->host)) &&
		clean_host(url->host) &&
		!has_part(parts, CURLUPART_USER) && !has_part(parts, CURLUPART_PASSWORD) && !has_part(parts, CURLUPART_ZONEID);
	if (ok)
	{
		url->port_given = copy_part(parts, CURLUPART_PORT, 0, port, sizeof(port));
		if (url->port_given || copy_part(parts, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)))
			url->port = atoi(port); /* digits of at most 65535: libcurl refuses others */
	}
	curl_url_cleanup(parts);
	return ok;
}

static bool
ends_with(const char *text, size_t len, const char *tail)
{
	size_t		n = strlen(tail);

	return len >= n && pg_strncasecmp(text + len - n, tail, n) == 0;
}

bool
dun_gateway_spells_address(const char *host, uint8 *address)
{
	char		copy[256];
	size_t		len = strlen(host);
	struct in_addr four;

	while (len > 0 && host[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, host, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, address) == 1)
		return true;
	if (pg_strcasecmp(copy, "localhost") == 0 || ends_with(copy, len, ".localhost"))
		four.s_addr = htonl(INADDR_LOOPBACK);
	else if (inet_aton(copy, &four) == 0)
		return false;
	memset(address, 0, 10);
	address[10] = address[11] = 0xff;
	memcpy(address + 12, &four, 4);
	return true;
}
