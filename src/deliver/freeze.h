/*
 * deliver/freeze.h
 *		What exactly is to leave: rendered once, stored, read back for every further attempt.
 */
#ifndef DUN_DELIVER_FREEZE_H
#define DUN_DELIVER_FREEZE_H

#include "postgres.h"

#include "deliver/item.h"

/* Render and store the bodies of those that have none; read back the others. Items without a verdict only. */
extern void dun_deliver_freeze(DunItem **items, int n);

#endif
