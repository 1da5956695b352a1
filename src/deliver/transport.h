/*
 * deliver/transport.h
 *		One libcurl multi handle, its sockets in one epoll descriptor, a fixed pool of transfers.
 *
 * The transport carries requests and says how far each got. It knows no message, no table and no transaction.
 * Nothing is palloc'ed and nothing can ereport inside a libcurl callback: they fill capped malloc'ed buffers.
 */
#ifndef DUN_DELIVER_TRANSPORT_H
#define DUN_DELIVER_TRANSPORT_H

#include "postgres.h"

#include "gateway/driver.h"

typedef struct DunTransport DunTransport;

/* Called for each finished transfer, outside of libcurl; strings of `reply` live until it returns. */
typedef void (*DunTransferDone) (void *owner, const DunReply *reply);

/* Errors out (53400, 58000) where descriptors or libcurl cannot be had. */
extern DunTransport *dun_deliver_open_transport(int slots);
extern void dun_deliver_close_transport(DunTransport *t);

/* As many as it was opened with, whatever the setting says since. */
extern int	dun_deliver_slots_of(const DunTransport *t);
extern int	dun_deliver_free_slots(const DunTransport *t);
extern int	dun_deliver_slots_in_use(const DunTransport *t);

/* Start one transfer in a free slot. `server` and `request` must live until it is done. False: it could not start. */
extern bool dun_deliver_start_transfer(DunTransport *t, const DunServer *server, const DunRequest *request, void *owner);

/* Move data that is ready, call `done` for what finished. Never waits. Returns how many finished. */
extern int	dun_deliver_run_transfers(DunTransport *t, DunTransferDone done);

/* Move data until the requests that were started are on their way; for a gateway that takes long to connect, 50 ms. */
extern void dun_deliver_send_off(DunTransport *t, DunTransferDone done);

/* End what is in flight now; each is reported as far as it got. */
extern void dun_deliver_abort_transfers(DunTransport *t, DunTransferDone done);

/*
 * Wait for the latch, the sockets, libcurl's own timer or `timeout_ms` (-1: for ever). Ends the process with the
 * postmaster. The latch is left as it is.
 */
extern void dun_deliver_wait(DunTransport *t, long timeout_ms);

/* Connect as a transfer would and say how it went: nothing of a message is sent. Waits up to the connect timeout. */
extern void dun_deliver_probe_server(const DunServer *server, DunReply *reply, double *milliseconds);

#endif
