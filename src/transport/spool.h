/*
 * transport/spool.h
 *		A message as a file, for print shops and other readers of directories.
 */
#ifndef DUN_TRANSPORT_SPOOL_H
#define DUN_TRANSPORT_SPOOL_H

#include "gateway/driver.h"

/* Write request->body as request->path, whole or not at all. Never errors out: the reply says how it went. */
extern void dun_transport_write_spool(const DunRequest *request, DunReply *reply);

#endif
