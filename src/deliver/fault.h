/*
 * deliver/fault.h
 *		Named points of the protocol where a test build can be made to die. Compiled away otherwise.
 *
 * Armed by the setting dunning.fault or by a file dunning.fault in the data directory, both 'point:action:nth'; the
 * file is removed before the action, so that a restart does not meet it again. Actions: kill (SIGKILL to itself),
 * postmaster (SIGKILL to the postmaster), error, exit.
 */
#ifndef DUN_DELIVER_FAULT_H
#define DUN_DELIVER_FAULT_H

#ifdef DUNNING_FAULTS
extern void dun_deliver_define_fault(void);
extern void dun_deliver_reach_fault(const char *point);
#define DUN_FAULT(point) dun_deliver_reach_fault(point)
#else
#define dun_deliver_define_fault() ((void) 0)
#define DUN_FAULT(point) ((void) 0)
#endif

#endif
