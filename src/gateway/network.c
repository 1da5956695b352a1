/*
 * gateway/network.c
 *		The deny-list of address ranges and the superuser's allow-list over it.
 *
 * Every address is judged in its 16-byte form, IPv4 as ::ffff:a.b.c.d. The list is parsed when the setting changes,
 * into one flat block that travels as the setting's extra, so that the callback inside libcurl only compares bytes.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <pthread.h>

#include "gateway/network.h"
#include "gateway/url.h"

#define MAX_HOST 253

typedef struct Range
{
	uint8		bytes[16];
	int			bits;
} Range;

typedef struct Allowed
{
	bool		named;			/* by host name; else by range */
	Range		range;
	char		host[MAX_HOST + 1];
	int			port;			/* 0: any */
} Allowed;

struct DunAllowList
{
	int			count;
	Allowed		items[FLEXIBLE_ARRAY_MEMBER];
};

/* A thread that moves transfers reads it, too: the list before it is freed as soon as it was replaced. */
static const DunAllowList *current_list = NULL;
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;

#define V4(a, b, c, d, n) {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96 + (n)}

/*
 * What no gateway of the public internet has: the registries of RFC 6890 and what was entered since, everything that
 * embeds an IPv4 address, and the address at which a cloud answers its own machines.
 */
static const Range denied[] = {
	V4(0, 0, 0, 0, 8),
	V4(10, 0, 0, 0, 8),
	V4(100, 64, 0, 0, 10),
	V4(127, 0, 0, 0, 8),
	V4(168, 63, 129, 16, 32),	/* Azure's platform */
	V4(169, 254, 0, 0, 16),
	V4(172, 16, 0, 0, 12),
	V4(192, 0, 0, 0, 24),
	V4(192, 0, 2, 0, 24),		/* documentation, as the two below */
	V4(192, 88, 99, 0, 24),		/* 6to4 relays */
	V4(192, 168, 0, 0, 16),
	V4(198, 18, 0, 0, 15),
	V4(198, 51, 100, 0, 24),
	V4(203, 0, 113, 0, 24),
	V4(224, 0, 0, 0, 3),
	{{0}, 96},					/* ::, ::1 and IPv4-compatible */
	{{0x00, 0x64, 0xff, 0x9b}, 32}, /* NAT64 */
	{{0x01, 0x00}, 64},			/* discard only */
	{{0x20, 0x01, 0, 0}, 32},	/* Teredo */
	{{0x20, 0x01, 0, 0x02}, 48},	/* benchmarks */
	{{0x20, 0x01, 0, 0x10}, 28},	/* ORCHID, and its second version */
	{{0x20, 0x01, 0, 0x20}, 28},
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x20, 0x02}, 16},			/* 6to4 */
	{{0x3f, 0xff}, 20},			/* documentation */
	{{0x5f, 0x00}, 16},			/* segment identifiers */
	{{0xfc}, 7},
	{{0xfe, 0x80}, 10},
	{{0xfe, 0xc0}, 10},
	{{0xff}, 8},
};

static bool
in_range(const uint8 *address, const Range *range)
{
	int			whole = range->bits / 8;
	int			rest = range->bits % 8;

	if (memcmp(address, range->bytes, whole) != 0)
		return false;
	return rest == 0 || ((address[whole] ^ range->bytes[whole]) >> (8 - rest)) == 0;
}

static void
map_v4(const void *four, uint8 *address)
{
	memset(address, 0, 10);
	address[10] = address[11] = 0xff;
	memcpy(address + 12, four, 4);
}

/* The 16-byte form; `mapped` tells an IPv4 address that came dressed as IPv6. */
static bool
sixteen_bytes(const struct sockaddr *addr, uint8 *address, bool *mapped)
{
	*mapped = false;
	if (addr->sa_family == AF_INET)
	{
		struct sockaddr_in in;

		memcpy(&in, addr, sizeof(in));
		map_v4(&in.sin_addr, address);
		return true;
	}
	if (addr->sa_family == AF_INET6)
	{
		struct sockaddr_in6 in6;

		memcpy(&in6, addr, sizeof(in6));
		memcpy(address, &in6.sin6_addr, 16);
		*mapped = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
		return true;
	}
	return false;
}

bool
dun_gateway_list_allows(const DunAllowList *list, const struct sockaddr *addr, int port, const char *hostname)
{
	uint8		address[16];
	bool		mapped;

	if (addr == NULL || !sixteen_bytes(addr, address, &mapped))
		return false;
	for (int i = 0; list != NULL && i < list->count; i++)
	{
		const Allowed *item = &list->items[i];

		if (item->port != 0 && item->port != port)
			continue;
		if (item->named ? (hostname != NULL && strcasecmp(item->host, hostname) == 0) : in_range(address, &item->range))
			return true;
	}
	if (mapped)
		return false;
	for (int i = 0; i < lengthof(denied); i++)
		if (in_range(address, &denied[i]))
			return false;
	return true;
}

bool
dun_gateway_allows_address(const struct sockaddr *addr, int port, const char *hostname)
{
	bool		allowed;

	pthread_mutex_lock(&list_lock);
	allowed = dun_gateway_list_allows(current_list, addr, port, hostname);
	pthread_mutex_unlock(&list_lock);
	return allowed;
}

bool
dun_gateway_allows_plain(const char *hostname, int port)
{
	uint8		address[16];
	struct in_addr four;
	bool		literal = true;

	if (inet_pton(AF_INET, hostname, &four) == 1)
		map_v4(&four, address);
	else
		literal = inet_pton(AF_INET6, hostname, address) == 1;
	for (int i = 0; current_list != NULL && i < current_list->count; i++)
	{
		const Allowed *item = &current_list->items[i];

		if (item->port != 0 && item->port != port)
			continue;
		if (item->named ? strcasecmp(item->host, hostname) == 0 : (literal && in_range(address, &item->range)))
			return true;
	}
	return false;
}

bool
dun_gateway_allows_spelling(const char *hostname, int port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};
	uint8		address[16];

	if (!dun_gateway_spells_address(hostname, address))
		return true;
	memcpy(&in6.sin6_addr, address, 16);
	if (strchr(hostname, ':') != NULL)
		return dun_gateway_allows_address((struct sockaddr *) &in6, port, hostname);
	memcpy(&in.sin_addr, address + 12, 4);
	return dun_gateway_allows_address((struct sockaddr *) &in, port, hostname);
}

void
dun_gateway_set_allow_list(const DunAllowList *list)
{
	pthread_mutex_lock(&list_lock);
	current_list = list;
	pthread_mutex_unlock(&list_lock);
}

/* A decimal of at most `max`; false on anything else. */
static bool
parse_number(const char *text, int max, int *result)
{
	int			value = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++)
	{
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (*text - '0');
		if (value > max)
			return false;
	}
	*result = value;
	return true;
}

static bool
parse_range(char *text, Range *range)
{
	char	   *slash = strchr(text, '/');
	struct in_addr four;
	int			bits;

	if (slash)
		*slash++ = '\0';
	if (inet_pton(AF_INET, text, &four) == 1)
	{
		map_v4(&four, range->bytes);
		bits = 32;
		if (slash && !parse_number(slash, 32, &bits))
			return false;
		range->bits = 96 + bits;
		return true;
	}
	if (inet_pton(AF_INET6, text, range->bytes) != 1)
		return false;
	range->bits = 128;
	return slash == NULL || parse_number(slash, 128, &range->bits);
}

/* One item: host, host:port, address, address:port, [v6]:port or CIDR. */
static bool
parse_item(const char *start, size_t len, Allowed *item)
{
	char		text[MAX_HOST + 16];
	char	   *host = text;
	char	   *colon;

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, start, len);
	text[len] = '\0';
	memset(item, 0, sizeof(*item));

	if (text[0] == '[')
	{
		char	   *end = strchr(text, ']');

		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		/* 0 would read as "any port" */
		if (end[1] == ':' && (!parse_number(end + 2, 65535, &item->port) || item->port == 0))
			return false;
		*end = '\0';
		host = text + 1;
		return strchr(host, '/') == NULL && parse_range(host, &item->range);
	}
	colon = strchr(text, ':');
	if (colon != NULL && strchr(colon + 1, ':') == NULL)
	{
		/* 0 would read as "any port" */
		if (!parse_number(colon + 1, 65535, &item->port) || item->port == 0)
			return false;
		*colon = '\0';
	}
	if (colon != NULL && item->port != 0 && strchr(text, '/') != NULL)
		return false;
	{
		char		copy[sizeof(text)];

		strcpy(copy, text);
		if (parse_range(copy, &item->range))
			return true;
	}
	for (char *c = host; *c; c++)
	{
		if (!isalnum((unsigned char) *c) && *c != '-' && *c != '.' && *c != '_')
			return false;
	}
	/* digits and dots alone are a mistyped address, not a name */
	if (strspn(host, "0123456789.") == strlen(host) || strlen(host) > MAX_HOST)
		return false;
	item->named = true;
	strcpy(item->host, host);
	return true;
}

DunAllowList *
dun_gateway_parse_allow_list(const char *text, void *(*allocate) (size_t), const char **bad)
{
	static const char separators[] = ", \t\r\n";
	DunAllowList *list;
	int			count = 0;

	*bad = NULL;
	for (const char *c = text + strspn(text, separators); *c; c += strspn(c, separators))
	{
		c += strcspn(c, separators);
		count++;
	}
	list = allocate(offsetof(DunAllowList, items) + sizeof(Allowed) * Max(count, 1));
	if (list == NULL)
		return NULL;
	list->count = 0;
	for (const char *c = text + strspn(text, separators); *c; c += strspn(c, separators))
	{
		size_t		len = strcspn(c, separators);

		if (!parse_item(c, len, &list->items[list->count]))
		{
			*bad = c;
			return list;
		}
		list->count++;
		c += len;
	}
	return list;
}
