/*
 * test/fuzz/url.c
 *		libFuzzer target: the reader of URLs. What it takes has the host that stands in the text, letter by letter or as the
 *		same address, and nothing before it; so no other reader can find another one.
 *
 * Build and run: test/fuzz/run.sh url [seconds]
 */
#include "postgres_fe.h"

#include <curl/curl.h>

#include "gateway/url.h"

static void
must(bool truth)
{
	if (!truth)
		__builtin_trap();
}

/* The authority as RFC 3986 has it: from "://" to the next "/", "?" or "#". */
static void
check_authority(const char *text, const DunUrl *url)
{
	const char *from = strstr(text, "://");
	size_t		len;
	size_t		host;
	char	   *copy;
	uint8		mine[16];
	uint8		theirs[16];

	must(from != NULL && from > text);
	from += 3;
	len = strcspn(from, "/?#");
	must(memchr(from, '@', len) == NULL && memchr(from, '\\', len) == NULL && memchr(from, '%', len) == NULL);
	if (from[0] == '[')
	{
		host = strcspn(++from, "]");
		must(host < len);
	}
	else
		host = Min(len, strcspn(from, ":"));
	copy = strndup(from, host);
	if (pg_strcasecmp(copy, url->host) != 0)
		must(dun_gateway_spells_address(copy, mine) && dun_gateway_spells_address(url->host, theirs) && memcmp(mine, theirs, 16) == 0);
	free(copy);
	must(url->host[0] != '\0' && url->port >= 0 && url->port <= 65535);
	must(strspn(url->host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") == strlen(url->host));
}

int			LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	char	   *text = strndup((const char *) data, size);
	DunUrl		url;
	uint8		address[16];

	if (dun_gateway_read_url(text, &url))
		check_authority(text, &url);
	(void) dun_gateway_spells_address(text, address);
	free(text);
	return 0;
}
