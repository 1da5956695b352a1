/*
 * plan/decide.h
 *		Which steps one debtor has reached and not had. Pure: facts, rows of the strategy and the day in, decision out; no
 *		query, no clock, no memory but the caller's.
 */
#ifndef DUN_PLAN_DECIDE_H
#define DUN_PLAN_DECIDE_H

#include "postgres.h"

#include "plan/settle.h"

typedef enum DunAnchor
{
	DUN_ANCHOR_DUE_DATE,		/* of the oldest invoice that counts, each currency by itself */
	DUN_ANCHOR_LAST_CONTACT		/* where an earlier step of the same due date was had */
} DunAnchor;

typedef struct DunStep
{
	const char *name;
	int			position;
	DunAnchor	anchor;
	int			offset_days;
	int			from_day;		/* invoices at least so many days past due are listed */
	int			condition;		/* place in DunFacts.holds, -1: none */
	bool		after_contact;
	DunSum	   *minimums;		/* by currency */
} DunStep;

typedef struct DunStrategy
{
	const char *name;
	int			nsteps;
	DunStep    *steps;			/* by position */
} DunStrategy;

/* A step that was taken. */
typedef struct DunHad
{
	int			step;			/* of the debtor's strategy */
	DateADT		anchor;
} DunHad;

typedef struct DunFacts
{
	const DunStrategy *strategy;
	const char *const *currencies;	/* names */
	const DunAccount *account;
	DateADT		today;
	DateADT		contacted;		/* local day of the last contact; DATEVAL_NOBEGIN: none of late */
	int			nhad;
	const DunHad *had;
	const bool *holds;			/* by condition; NULL: not asked yet */
} DunFacts;

/* A currency of a step: what is listed. */
typedef struct DunTotal
{
	uint16		currency;
	bool		enough;			/* not under the minimum */
	DateADT		due;			/* the oldest */
	DunSum		sum;
} DunTotal;

typedef struct DunReached
{
	int			step;
	bool		enough;			/* in any currency that reached it */
	DateADT		anchor;
	int			ntotals;
	DunTotal   *totals;			/* by name of the currency */
} DunReached;

typedef struct DunDecision
{
	bool		asks;			/* a condition must be known first: nothing is decided */
	int			n;
	DunReached *reached;		/* the furthest first */
} DunDecision;

extern void dun_plan_decide(const DunFacts *facts, DunDecision *decision);

extern int	dun_plan_compare_sums(const DunSum *a, const DunSum *b);
extern void dun_plan_add_sum(DunSum *sum, const DunSum *more);
extern Numeric dun_plan_numeric_of(const DunSum *sum);

#endif
