/*
 * deliver/reader.h
 *		The process that reads mailboxes: started by a database's first worker when one is due, ended when they are read.
 */
#ifndef DUN_DELIVER_READER_H
#define DUN_DELIVER_READER_H

#include "postgres.h"

/* Start it where a mailbox is due and it does not run: in a worker's transaction, every few seconds at most. */
extern void dun_deliver_tend_reader(void);

extern PGDLLEXPORT void dun_deliver_reader_main(Datum arg);

#endif
