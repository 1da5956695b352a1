/*
 * plan/value.h
 *		What a contact over a channel is worth. Pure.
 */
#ifndef DUN_PLAN_VALUE_H
#define DUN_PLAN_VALUE_H

#include "postgres.h"

typedef struct DunOffering
{
	double		p;				/* that the debtor pays within the horizon */
	double		amount;			/* open, in the currency of the cost */
	double		margin;			/* the part of what is paid that an ordinary contact brings */
	double		cost;
	double		share;			/* of contacts over this channel that are answered */
	double		usual_share;	/* over all channels */
	int			n7;				/* contacts of the last 7 and 30 days */
	int			n30;
	double		quality;		/* of the address, 0 to 1 */
	double		p_opt_out;		/* that this contact ends the channel */
} DunOffering;

/* A debtor's share of answered contacts, shrunk to the book's. */
extern double dun_plan_response_share(double answered, double contacts, double book_share);

/* The expected value of a contact in money, less what it costs. */
extern double dun_plan_channel_value(const DunOffering *o);

#endif
