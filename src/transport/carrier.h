/*
 * transport/carrier.h
 *		A thread that moves an engine while the process is busy with the database.
 *
 * The thread knows the engine, its own two lists and nothing else: it takes no signal, touches no memory of the server's
 * but the servers and requests of its jobs, which nobody changes while they are in flight, and calls nothing that could ereport.
 * It has the engine only while it has the helm; in between it sleeps. It ends before the process does.
 */
#ifndef DUN_TRANSPORT_CARRIER_H
#define DUN_TRANSPORT_CARRIER_H

#include "postgres.h"

#include "transport/engine.h"

typedef struct DunJob
{
	struct DunJob *next;
	const DunServer *server;
	const DunRequest *request;
	void	   *owner;
	DunReply	reply;			/* once it is taken back; its strings are in `words` or constant */
	char	   *words;			/* malloc'ed; free() it */
} DunJob;

typedef struct DunJobList
{
	DunJob	   *head;
	DunJob	  **tail;
} DunJobList;

extern void dun_transport_clear_jobs(DunJobList *list);
extern void dun_transport_push_job(DunJobList *list, DunJob *job);

typedef struct DunCarrier DunCarrier;

/* NULL where there is neither thread nor descriptors for one: then the process moves the engine itself. */
extern DunCarrier *dun_transport_open_carrier(DunEngine *engine);

/* Ends the thread first. NULL is allowed. */
extern void dun_transport_close_carrier(DunCarrier *c);

/* The helm: hand the engine over to the thread, and take it back after the pass that it is in. */
extern void dun_transport_hand_over(DunCarrier *c);
extern void dun_transport_take_back(DunCarrier *c);

/* While the thread has the helm: start transfers, after which the list is empty; take those that ended. */
extern void dun_transport_give_jobs(DunCarrier *c, DunJobList *jobs);
extern DunJob *dun_transport_take_jobs(DunCarrier *c);

/* Readable when something ended after dun_transport_await_jobs() said true; false: something has ended already. */
extern int	dun_transport_carrier_descriptor(const DunCarrier *c);
extern bool dun_transport_await_jobs(DunCarrier *c);

/* An engine's `done` whose owner is a DunJob: the reply is copied into it. */
extern void dun_transport_note_reply(void *job, const DunReply *reply);

#endif
