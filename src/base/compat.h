/*
 * base/compat.h
 *		Every difference between the supported servers (15 to 18) lives here and nowhere else.
 */
#ifndef DUN_BASE_COMPAT_H
#define DUN_BASE_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "dunning needs PostgreSQL 15 or newer"
#endif

/* GUC check hooks may free with guc_free() from 16 on; malloc'ed before. */
#if PG_VERSION_NUM >= 160000
#define dun_guc_malloc(sz) guc_malloc(LOG, (sz))
#else
#define dun_guc_malloc(sz) malloc(sz)
#endif

/* A custom wait event can be named from 17 on; before, all of ours read "Extension". */
#if PG_VERSION_NUM >= 170000
#include "utils/wait_event.h"
#define dun_wait_event(name) WaitEventExtensionNew(name)
#else
#define dun_wait_event(name) PG_WAIT_EXTENSION
#endif

/* make_range() reports softly from 16 on. */
#if PG_VERSION_NUM >= 160000
#define dun_make_range(type, lower, upper) make_range((type), (lower), (upper), false, NULL)
#else
#define dun_make_range(type, lower, upper) make_range((type), (lower), (upper), false)
#endif

/* The executor is not told any more from 18 on that a query runs once. */
#if PG_VERSION_NUM >= 180000
#define DUN_EXECUTOR_RUN_ARGS QueryDesc *dun_run_desc, ScanDirection direction, uint64 count
#define DUN_EXECUTOR_RUN_PASS dun_run_desc, direction, count
#else
#define DUN_EXECUTOR_RUN_ARGS QueryDesc *dun_run_desc, ScanDirection direction, uint64 count, bool once
#define DUN_EXECUTOR_RUN_PASS dun_run_desc, direction, count, once
#endif

/* A wait set belongs to a resource owner from 17 on; ours lives as long as the process or the call. */
#if PG_VERSION_NUM >= 170000
#define dun_create_wait_set(context, n) CreateWaitEventSet(NULL, (n))
#else
#define dun_create_wait_set(context, n) CreateWaitEventSet((context), (n))
#endif

/* DecodeDateTime() says more about what it could not read from 16 on. */
#if PG_VERSION_NUM >= 160000
#define dun_decode_date_time(field, ftype, nf, dtype, tm, fsec, tz) \
	DecodeDateTime((field), (ftype), (nf), (dtype), (tm), (fsec), (tz), &(DateTimeErrorExtra) {0})
#else
#define dun_decode_date_time(field, ftype, nf, dtype, tm, fsec, tz) \
	DecodeDateTime((field), (ftype), (nf), (dtype), (tm), (fsec), (tz))
#endif

/* Base64 is made of uint8 from 18 on. */
#if PG_VERSION_NUM >= 180000
#define dun_b64_encode(from, n, to, room) pg_b64_encode((const uint8 *) (from), (n), (to), (room))
#else
#define dun_b64_encode(from, n, to, room) pg_b64_encode((from), (n), (to), (room))
#endif

/* A specifier in front of the function from 18 on, where it was an attribute. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* An update may touch summarizing indexes alone from 16 on; an insertion touches all. */
#if PG_VERSION_NUM >= 160000
#define dun_insert_index_tuples(info, slot, estate) ExecInsertIndexTuples((info), (slot), (estate), false, false, NULL, NIL, false)
#else
#define dun_insert_index_tuples(info, slot, estate) ExecInsertIndexTuples((info), (slot), (estate), false, false, NULL, NIL)
#endif

/* VARDATA_ANY and friends moved out of postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#endif
