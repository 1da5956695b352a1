/*
 * plan/value.c
 *		What a contact over a channel is worth.
 *
 *		EV(c) = [P_pay(c) - P0] V - cost_c - p_opt(c) L
 *
 * P0 is the chance of a payment without the contact. score tells p, the chance with contacts as they have been; margin
 * is the part of it that an ordinary contact brings, so P0 = p (1 - margin), and a channel that is answered more often
 * than usual, less often after many contacts, or over a doubtful address, brings so much more or less:
 *
 *		P_pay(c) - P0 = p margin (q_c / q) exp(-b7 n7 - b30 n30) quality
 *		q_c = (C + k) / (C / q_book + E)			Gamma-Poisson, C = 2
 *
 * L, what an opt-out loses, is a share of V. b7 = 0.15 and b30 = 0.03 are first values, to be fitted by a house of its
 * own contacts; so are the decays of addresses: one German in ten moves in a year (8 of 83 million).
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "plan/value.h"

#define PRIOR_CONTACTS 2.0
#define FATIGUE_WEEK 0.15
#define FATIGUE_MONTH 0.03
#define OPT_OUT_LOSS 0.10		/* of what the contact is about: later contacts are lost */
#define SOFT_BOUNCES_END 3		/* within 14 days */
#define MOVES_A_YEAR 0.10
#define NUMBERS_A_YEAR 0.08
#define MAILBOXES_A_YEAR 0.05
#define SHARE_AT_MOST 4.0		/* a channel is worth at most so many ordinary ones */

double
dun_plan_response_share(double answered, double contacts, double book_share)
{
	return (PRIOR_CONTACTS + answered) / (PRIOR_CONTACTS / Max(book_share, 1e-4) + contacts);
}

/* What is left of an answer's chance after so many contacts, 0 to 1. */
static double
fatigue(int n7, int n30)
{
	return exp(-FATIGUE_WEEK * Max(n7, 0) - FATIGUE_MONTH * Max(n30, 0));
}

/* How likely an address still reaches its owner. age_days < 0: not known. */
static double
address_quality(const char *field, int age_days, int soft_bounces, bool hard_bounce)
{
	double		rate = strcmp(field, "address") == 0 ? MOVES_A_YEAR : strcmp(field, "phone") == 0 ? NUMBERS_A_YEAR : MAILBOXES_A_YEAR;

	if (hard_bounce || soft_bounces >= SOFT_BOUNCES_END)
		return 0;
	return pow(1 - rate, Max(age_days, 0) / 365.25) * (1 - Max(soft_bounces, 0) / (double) SOFT_BOUNCES_END);
}

double
dun_plan_channel_value(const DunOffering *o)
{
	double		more = Min(o->share / Max(o->usual_share, 1e-4), SHARE_AT_MOST);
	double		brings = o->p * o->margin * more * fatigue(o->n7, o->n30) * o->quality;

	return Min(brings, o->p) * o->amount - o->cost - o->p_opt_out * OPT_OUT_LOSS * o->margin * o->amount;
}

PG_FUNCTION_INFO_V1(dun_plan_sql_response_share);
PG_FUNCTION_INFO_V1(dun_plan_sql_fatigue);
PG_FUNCTION_INFO_V1(dun_plan_sql_address_quality);
PG_FUNCTION_INFO_V1(dun_plan_sql_channel_value);

Datum
dun_plan_sql_response_share(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(dun_plan_response_share(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2)));
}

Datum
dun_plan_sql_fatigue(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(fatigue(PG_GETARG_INT32(0), PG_GETARG_INT32(1)));
}

/* _address_quality(field, age_days, soft_bounces, hard_bounce); age_days NULL: not known */
Datum
dun_plan_sql_address_quality(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(address_quality(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_ARGISNULL(1) ? -1 : PG_GETARG_INT32(1),
											  PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2), !PG_ARGISNULL(3) && PG_GETARG_BOOL(3)));
}

/* _channel_value(p, amount, margin, cost, share, usual_share, n7, n30, quality, p_opt_out) */
Datum
dun_plan_sql_channel_value(PG_FUNCTION_ARGS)
{
	DunOffering o = {
		.p = PG_GETARG_FLOAT8(0), .amount = PG_GETARG_FLOAT8(1), .margin = PG_GETARG_FLOAT8(2), .cost = PG_GETARG_FLOAT8(3),
		.share = PG_GETARG_FLOAT8(4), .usual_share = PG_GETARG_FLOAT8(5), .n7 = PG_GETARG_INT32(6), .n30 = PG_GETARG_INT32(7),
		.quality = PG_GETARG_FLOAT8(8), .p_opt_out = PG_GETARG_FLOAT8(9)
	};

	PG_RETURN_FLOAT8(dun_plan_channel_value(&o));
}
