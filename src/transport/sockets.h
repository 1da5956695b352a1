/*
 * transport/sockets.h
 *		The sockets of transfers in one epoll descriptor.
 *
 * libcurl asks for a socket to be watched when a request is out and to be forgotten when the answer is in, so a kept
 * connection would cost two system calls a message. A socket stays in the descriptor until it is closed, or until
 * something comes from it that nobody waits for.
 */
#ifndef DUN_TRANSPORT_SOCKETS_H
#define DUN_TRANSPORT_SOCKETS_H

#include "postgres.h"

#include <curl/curl.h>

typedef struct DunSockets DunSockets;

/* NULL: no memory. From malloc, since libcurl's callbacks use it. */
extern DunSockets *dun_transport_open_sockets(int epoll_fd);
extern void dun_transport_free_sockets(DunSockets *s);

/* What libcurl wants to know of a socket, CURL_POLL_*. */
extern void dun_transport_watch_socket(DunSockets *s, curl_socket_t fd, int what);

/* Whether libcurl waits for the socket of an event; one that nobody waits for is taken out. */
extern bool dun_transport_is_watched(DunSockets *s, curl_socket_t fd);

/* A connection's socket was opened; dun_transport_close_socket() will close it. */
extern void dun_transport_note_socket(DunSockets *s, curl_socket_t fd);

/* A CURLOPT_CLOSESOCKETFUNCTION whose data is a DunSockets. */
extern int	dun_transport_close_socket(void *arg, curl_socket_t fd);

#endif
