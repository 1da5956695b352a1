/*
 * transport/transport.h
 *		Requests in, replies out: a fixed number of slots over one libcurl multi handle.
 *
 * The transport carries requests and says how far each got. It knows no message, no table and no transaction.
 * Nothing is palloc'ed and nothing can ereport inside a libcurl callback: they fill capped malloc'ed buffers.
 */
#ifndef DUN_TRANSPORT_TRANSPORT_H
#define DUN_TRANSPORT_TRANSPORT_H

#include "postgres.h"

#include "gateway/driver.h"

typedef struct DunTransport DunTransport;

/* Called for each finished transfer, outside of libcurl; strings of `reply` live until it returns. */
typedef void (*DunTransferDone) (void *owner, const DunReply *reply);

/*
 * Errors out (53400, 58000) where descriptors or libcurl cannot be had. With a thread, many transfers move while the caller does
 * something else; where none can be had they do not.
 */
extern DunTransport *dun_transport_open_transport(int slots, bool with_thread);
extern void dun_transport_close_transport(DunTransport *t);

/* As many as it was opened with, whatever the setting says since. */
extern int	dun_transport_slots_of(const DunTransport *t);
extern int	dun_transport_free_slots(const DunTransport *t);
extern int	dun_transport_slots_in_use(const DunTransport *t);

/* Do transfers move while the caller does something else? */
extern bool dun_transport_has_own_thread(const DunTransport *t);

/* At most so many are about to be started at once; what has been started leaves when the group ends. */
extern void dun_transport_begin_group(DunTransport *t, int n);
extern void dun_transport_end_group(DunTransport *t);

/* Start one transfer of the group in a free slot. `server` and `request` must live until it is done. False: it could not start. */
extern bool dun_transport_start_transfer(DunTransport *t, const DunServer *server, const DunRequest *request, void *owner);

/* Move data that is ready, call `done` for what finished; it may start no transfer. Never waits. Returns how many finished. */
extern int	dun_transport_run_transfers(DunTransport *t, DunTransferDone done);

/* Move data until the requests that were started are on their way; for a gateway that takes long to connect, 50 ms. */
extern void dun_transport_send_off(DunTransport *t, DunTransferDone done);

/* End what is in flight now; each is reported as far as it got. */
extern void dun_transport_abort_transfers(DunTransport *t, DunTransferDone done);

/*
 * Wait for the latch, the sockets, libcurl's own timer or `timeout_ms` (-1: for ever). Ends the process with the
 * postmaster. The latch is left as it is.
 */
extern void dun_transport_wait(DunTransport *t, long timeout_ms);

/* Connect as a transfer would and say how it went: nothing of a message is sent. Waits up to the connect timeout. */
extern void dun_transport_probe_server(const DunServer *server, DunReply *reply, double *milliseconds);

#endif
