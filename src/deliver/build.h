/*
 * deliver/build.h
 *		What a gateway gets: the request of a frozen message.
 */
#ifndef DUN_DELIVER_BUILD_H
#define DUN_DELIVER_BUILD_H

#include "postgres.h"

#include "deliver/item.h"

/* Redirect and mark where it is a test, check the address, and build the request. May give a verdict (attempt 0). */
extern void dun_deliver_build(DunItem **items, int n);

#endif
