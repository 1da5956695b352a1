/*
 * transport/libcurl.c
 *		libcurl in a process of the server.
 */
#include "postgres.h"

#include <pthread.h>
#include <signal.h>

#include "miscadmin.h"

#include "transport/libcurl.h"

void
dun_transport_block_signals(sigset_t *before)
{
	sigset_t	all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

void
dun_transport_restore_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

void
dun_transport_prepare_libcurl(void)
{
	static int	prepared_by = 0;

	/* After the fork and once a process: the postmaster must never hold libcurl's state. */
	if (prepared_by == MyProcPid)
		return;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR), errmsg("could not initialize libcurl")));
	prepared_by = MyProcPid;
}

int
dun_transport_perform(CURLM *multi)
{
	int			running = 0;
	sigset_t	before;

	dun_transport_block_signals(&before);
	curl_multi_perform(multi, &running);
	dun_transport_restore_signals(&before);
	return running;
}
