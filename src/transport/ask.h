/*
 * transport/ask.h
 *		One request at a time, for who can wait: questions to gateways.
 */
#ifndef DUN_TRANSPORT_ASK_H
#define DUN_TRANSPORT_ASK_H

#include "gateway/driver.h"

/*
 * Send it and wait for the answer, at most the server's timeout; an interrupt ends it. By the rules of every transfer: the same
 * hosts, TLS, proxy, caps and no redirect. What is in `reply` is of the current memory context.
 */
extern void dun_transport_ask_server(const DunServer *server, const DunRequest *request, DunReply *reply);

#endif
