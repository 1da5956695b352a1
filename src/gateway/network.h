/*
 * gateway/network.h
 *		Which addresses the transport may connect to.
 *
 * A URL can spell loopback in a dozen ways and a name can change between two look-ups, so the *resolved* address
 * is judged, right before the socket is made. Both calls are pure: no allocation, no error, no catalog.
 */
#ifndef DUN_GATEWAY_NETWORK_H
#define DUN_GATEWAY_NETWORK_H

#include "postgres.h"

#include <sys/socket.h>

/*
 * For libcurl's open-socket callback. Private, loopback, link-local, multicast and translated addresses are refused
 * unless dunning.allowed_hosts names the address (CIDR) or the host name and port. `hostname` may be NULL.
 */
extern bool dun_gateway_allows_address(const struct sockaddr *addr, int port, const char *hostname);

/* May this host be talked to without TLS? Only where dunning.allowed_hosts names it, by name or literal address. */
extern bool dun_gateway_allows_plain(const char *hostname, int port);

/*
 * For what a proxy is to connect to, since nobody here resolves it: a host that spells an address is judged as that
 * address, a name is the proxy's to judge.
 */
extern bool dun_gateway_allows_spelling(const char *hostname, int port);

/* The parsed allow-list: NULL where the text is malformed; `bad` then points into it. For the setting and for tests. */
typedef struct DunAllowList DunAllowList;
extern DunAllowList *dun_gateway_parse_allow_list(const char *text, void *(*allocate) (size_t), const char **bad);
extern bool dun_gateway_list_allows(const DunAllowList *list, const struct sockaddr *addr, int port, const char *hostname);
extern void dun_gateway_set_allow_list(const DunAllowList *list);

#endif
