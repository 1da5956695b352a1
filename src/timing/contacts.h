/*
 * timing/contacts.h
 *		Which contacts of a debtor are over, and which of them was answered when.
 */
#ifndef DUN_TIMING_CONTACTS_H
#define DUN_TIMING_CONTACTS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/array.h"

#include "timing/profile.h"

typedef struct DunContactOver
{
	TimestampTz sent;
	TimestampTz answered;		/* 0: not at all */
	int			medium;
	bool		counts;			/* the answer is this contact's, and not a later one's that lay there too */
} DunContactOver;

typedef struct DunContacts
{
	int			n;
	TimestampTz *sent;			/* in order of time */
	int		   *media;
	int			nanswers;
	TimestampTz *answers;		/* in order of time */
	int			nover;
	DunContactOver *over;
} DunContacts;

/* An array of instants of SQL, an empty one where it is NULL; infinite ones are refused (22008). */
extern TimestampTz *dun_timing_read_instants(FunctionCallInfo fcinfo, int arg, int *n);

/* The arguments sent[], channels[], answers[] from `first` on. */
extern void dun_timing_read_contacts(DunContacts *c, FunctionCallInfo fcinfo, int first);

/*
 * Finds the contacts sent after `after` that are over by `now`: answered, or nobody expects an answer any more. They are
 * the first ones, so that the last one's instant tells which were entered.
 */
extern void dun_timing_settle(DunContacts *c, const DunPrior *prior, TimestampTz after, TimestampTz now);

/* The state of an aggregate of n sums, which may be changed; 22023 where it is none. */
extern double *dun_timing_sums(FunctionCallInfo fcinfo, int n, ArrayType **state);

#endif
