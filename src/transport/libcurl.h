/*
 * transport/libcurl.h
 *		What each use of libcurl in a server process needs: a start after the fork, and no signal for its threads.
 */
#ifndef DUN_TRANSPORT_LIBCURL_H
#define DUN_TRANSPORT_LIBCURL_H

#include "postgres.h"

#include <curl/curl.h>
#include <signal.h>

/* Before any other call of libcurl; errors out (58000). */
extern void dun_transport_prepare_libcurl(void);

/* A thread that libcurl makes between the two, for a look-up of a name, must not take a signal of the server's. */
extern void dun_transport_block_signals(sigset_t *before);
extern void dun_transport_restore_signals(const sigset_t *before);

/* Move data of all handles, without waiting; returns how many go on. */
extern int	dun_transport_perform(CURLM *multi);

#endif
