/*
 * plan/decide.h
 *		Which steps one debtor has reached and not had. Pure: facts, rows of the strategy and the day in, decision out; no
 *		query, no clock, no memory but the caller's.
 */
#ifndef DUN_PLAN_DECIDE_H
#define DUN_PLAN_DECIDE_H

#include "postgres.h"

#include "plan/settle.h"

/* What a step counts its days from; docs/architecture.md says what each means. */
typedef enum DunAnchor
{
	DUN_ANCHOR_DUE_DATE,		/* of the oldest invoice that counts, each currency by itself */
	DUN_ANCHOR_LAST_CONTACT,	/* where an earlier step of the same due date was had */
	DUN_ANCHOR_DATE				/* a date that _anchors() tells */
} DunAnchor;

typedef struct DunStep
{
	const char *name;
	const char *anchor_name;
	int			position;
	DunAnchor	anchor;
	int			offset_days;
	int			from_day;		/* invoices at least so many days past due are listed */
	bool		ends;
	int			to_day;			/* where it ends: the last day from the anchor */
	int			repeat_days;	/* 0: once */
	int			repeat_max;		/* 0: without end */
	int			condition;		/* place in DunFacts.holds, -1: none */
	bool		after_contact;
	bool		is_last_resort; /* the strategy's stop_step */
	DunSum	   *minimums;		/* by currency */
} DunStep;

typedef struct DunStrategy
{
	const char *name;
	bool		one_by_one;		/* of missed steps the next one, not the furthest */
	int			stop_after;		/* contacts without an answer, 0: never */
	int			max_contacts;	/* 0: the gate's caps alone */
	int			max_days;
	bool		has_tolerance;
	DunSum	   *tolerances;		/* by currency; below 0: none */
	int			nsteps;
	DunStep    *steps;			/* by position */
} DunStrategy;

/* A step that was taken. */
typedef struct DunHad
{
	int			step;			/* of the debtor's strategy */
	DateADT		anchor;
	int			times;
	DateADT		on;				/* the day it was taken */
} DunHad;

/* A date of an anchor; the last such day and the next one. */
typedef struct DunDate
{
	const char *anchor;
	int			currency;		/* -1: any */
	DateADT		last;			/* DATEVAL_NOBEGIN: none */
	DateADT		next;
	const char *early;			/* steps before it that are taken today, as _anchors() writes them; NULL: none */
} DunDate;

typedef struct DunContacts
{
	DateADT		last_day;		/* local day of the last contact; DATEVAL_NOBEGIN: none of late */
	int			unanswered;
	int			n;
	const TimestampTz *at;
} DunContacts;

typedef struct DunFacts
{
	const DunStrategy *strategy;
	const char *const *currencies;	/* names */
	const DunAccount *account;
	TimestampTz now;
	DateADT		today;
	DunContacts contacts;
	int			nhad;
	const DunHad *had;
	bool		asked;			/* what follows is known */
	const bool *holds;			/* by condition */
	const bool *failed;			/* by condition: it cannot be told, and counts as holding; NULL: none */
	int			ndates;
	const DunDate *dates;
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
	DateADT		anchor;			/* the day in its key */
	DateADT		due;			/* the oldest due date that reached it */
	bool		ends;
	DateADT		last_day;		/* where it ends */
	int			times;			/* the number of the last time it was had for this anchor; 0: never */
	const char *blocked;		/* NULL: nothing does */
	int			ntotals;
	DunTotal   *totals;			/* by name of the currency */
} DunReached;

typedef struct DunDecision
{
	bool		asks;			/* a condition or a date must be known first: nothing is decided */
	bool		failed;			/* a condition of a step that was reached cannot be told */
	int			n;
	DunReached *reached;		/* the one to take first, first */
} DunDecision;

extern void dun_plan_decide(const DunFacts *facts, DunDecision *decision);

extern int	dun_plan_compare_sums(const DunSum *a, const DunSum *b);
extern Numeric dun_plan_numeric_of(const DunSum *sum);

#endif
