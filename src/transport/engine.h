/*
 * transport/engine.h
 *		One libcurl multi handle, its sockets in one epoll descriptor, a fixed pool of transfers.
 *
 * Used by one thread at a time, which may be one that knows nothing of the server: nothing here pallocs, ereports or looks
 * at the process's globals once the engine is open.
 */
#ifndef DUN_TRANSPORT_ENGINE_H
#define DUN_TRANSPORT_ENGINE_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "transport/transport.h"

typedef struct DunEngine DunEngine;

/* Errors out (53400, 58000) where descriptors or libcurl cannot be had. */
extern DunEngine *dun_transport_open_engine(int slots);
extern void dun_transport_close_engine(DunEngine *e);

/* Readable while something is to be moved. */
extern int	dun_transport_engine_descriptor(const DunEngine *e);

/* When it wants to be moved though nothing is readable, 0: never. */
extern TimestampTz dun_transport_engine_timer(DunEngine *e);

/* An eventfd that ends a wait of dun_transport_move_engine() each time it is written to. False: errno says why not. */
extern bool dun_transport_wake_engine_by(DunEngine *e, int eventfd);

/* As dun_transport_start_transfer(). Signals must be blocked. */
extern bool dun_transport_start_engine(DunEngine *e, const DunServer *server, const DunRequest *request, void *owner);

/* Move data that is ready, after a wait of at most `wait_ms` (-1: for ever) for some. Signals must be blocked. */
extern void dun_transport_move_engine(DunEngine *e, int wait_ms);

/* Wait until there is something to move, or as long. */
extern void dun_transport_await_engine(DunEngine *e, int wait_ms);

/* Call `done` for what has ended; says how many. */
extern int	dun_transport_report_engine(DunEngine *e, DunTransferDone done);

/* Is there a request that waits for its connection? */
extern bool dun_transport_is_connecting(DunEngine *e);

/* End what is in flight by how far it got; to be reported. */
extern void dun_transport_abort_engine(DunEngine *e, DunTransferDone done);

#endif
