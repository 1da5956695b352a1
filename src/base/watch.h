/*
 * base/watch.h
 *		Has one of the tables changed whose rows a session keeps?
 *
 * Rules, calendars and what was learnt of a book change seldom and are read all the time. A table with the trigger
 * dunning._changed() tells all sessions of a change as the server tells them of a change in a catalogue: with its commit, and
 * this session at once. What was read in a snapshot that was taken after dun_base_watched() holds as long as its count does.
 */
#ifndef DUN_BASE_WATCH_H
#define DUN_BASE_WATCH_H

#include "postgres.h"

/* Rises whenever a watched table changed. */
extern uint64 dun_base_watched(void);

#endif
