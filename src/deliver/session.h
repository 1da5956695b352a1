/*
 * deliver/session.h
 *		Transactions of a delivering process, the same for a background worker and for CALL dunning.deliver().
 *
 * A worker opens and closes whole transactions. A procedure cannot be without one; between commits its transaction
 * is empty: no snapshot, no lock, no transaction id, so that it holds nobody up while the network is.
 */
#ifndef DUN_DELIVER_SESSION_H
#define DUN_DELIVER_SESSION_H

#include "postgres.h"

typedef struct DunSession
{
	bool		in_call;		/* CALL deliver(), else a background worker */
	int			number;			/* this worker among the database's, 0 in a call */
	int			of;
	bool		cancelled;		/* a call: somebody wants it to end, or its time is over */
	int			nslices;
	int16		slices[64];		/* owned, by session advisory locks; in ascending order */
} DunSession;

/* What became of work that was rolled back. */
typedef struct DunFailure
{
	int			sqlerrcode;
	char		sqlstate[6];
	char		message[256];
} DunFailure;

extern DunSession dun_deliver_session;

/* Inside: connected to SPI, acting as dunning_worker, path pinned, commits durable. Nothing may be left open at commit. */
extern void dun_deliver_begin(void);
extern void dun_deliver_commit(void);

/* A call's first transaction is its caller's: it has a snapshot already. Begin another. */
extern void dun_deliver_renew_call(void);

/* Run in a subtransaction. False: rolled back, *failure says why. A query cancel is written down in the session. */
extern bool dun_deliver_attempt(void (*work) (void *), void *arg, DunFailure *failure);

/* From now on an attempt ends at statement_timeout, and a second after SIGTERM: for a background worker. */
extern void dun_deliver_watch_work(void);

/* Could the same work succeed in a moment: a lock, a deadlock, a lack of resources? */
extern bool dun_deliver_is_transient(const DunFailure *failure);

/* Whose a slice is, among so many workers. */
extern int	dun_deliver_slice_owner(int slice, int of);

/* Try for the slices that are not owned yet; returns how many are owned now. */
extern int	dun_deliver_take_slices(void);
extern void dun_deliver_release_slices(void);

#endif
