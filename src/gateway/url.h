/*
 * gateway/url.h
 *		The one reader of URLs: libcurl's own, so that what is judged is what is connected to.
 */
#ifndef DUN_GATEWAY_URL_H
#define DUN_GATEWAY_URL_H

#include "postgres.h"

typedef struct DunUrl
{
	char		scheme[16];
	char		host[256];		/* lower case or as typed; no brackets, user or port */
	int			port;			/* 0: none stands there, and the scheme has none of its own */
	bool		port_given;
} DunUrl;

/* False where it is no URL of a host, or one that another reader could take for another host's. No error, nothing of palloc. */
extern bool dun_gateway_read_url(const char *text, DunUrl *url);

/*
 * The host as the address it spells, in any of the ways that resolvers take one (127.1, 0x7f000001, ::ffff:127.0.0.1), as
 * 16 bytes; false where it is a name. "localhost" spells one, too.
 */
extern bool dun_gateway_spells_address(const char *host, uint8 *address);

#endif
