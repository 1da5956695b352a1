/*
 * base/guard.h
 *		Code that we did not write, run with our roles' rights: what a bound relation or a condition calls.
 */
#ifndef DUN_BASE_GUARD_H
#define DUN_BASE_GUARD_H

/* Called once, by dun_base_init(). */
extern void dun_base_init_guard(void);

#endif
