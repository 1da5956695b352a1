/*
 * deliver/launcher.h
 *		The static background worker that starts one worker (or several) for each database.
 */
#ifndef DUN_DELIVER_LAUNCHER_H
#define DUN_DELIVER_LAUNCHER_H

#include "postgres.h"

extern void dun_deliver_register_launcher(void);

extern PGDLLEXPORT void dun_deliver_launcher_main(Datum arg);

#endif
