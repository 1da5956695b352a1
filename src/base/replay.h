/*
 * base/replay.h
 *		Looking at the past as if it were now.
 *
 * A replay runs a command with the virtual clock at an instant. What this database itself did since the replay's first
 * instant did not happen in it: whoever composes a query over our own tables asks dunning._past() where to read.
 */
#ifndef DUN_BASE_REPLAY_H
#define DUN_BASE_REPLAY_H

#include "postgres.h"

#include "nodes/nodes.h"

/* A command that makes, renames or drops a temporary table, and nothing else. */
extern bool dun_base_is_scratch(Node *command);

/*
 * Let the one command that follows pass the server's look at read-only transactions, until something is planned or run.
 * Without effect where the transaction may write anyway.
 */
extern void dun_base_open_scratch(void);
extern void dun_base_close_scratch(void);

#endif
