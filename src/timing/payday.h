/*
 * timing/payday.h
 *		When a debtor is paid: a posterior over 48 schedules from the dates of past payments.
 */
#ifndef DUN_TIMING_PAYDAY_H
#define DUN_TIMING_PAYDAY_H

#include "postgres.h"

#include "utils/date.h"

#define DUN_SCHEDULES 48
#define DUN_NO_SCHEDULE DUN_SCHEDULES	/* the hypothesis that payments follow no payday */
#define DUN_PAYMENTS_KEPT 24
#define DUN_PAYDAY_REACH 7		/* a payday is felt on its day and six more */

typedef struct DunPayday
{
	double		p[DUN_SCHEDULES + 1];	/* sums to 1 */
	float		lift[DUN_PAYDAY_REACH + 1][DUN_SCHEDULES];	/* p times how much likelier a payment is so many days after */
} DunPayday;

/* The posterior from n payment dates, at most DUN_PAYMENTS_KEPT; n = 0 gives the country's prior. country may be "". */
extern void dun_timing_payday(const char *country, const DateADT *dates, int n, DunPayday *post);

/* How much likelier a payment is on this date than on an average one. */
extern double dun_timing_pay_multiplier(const char *country, const DunPayday *post, DateADT date);

/* The first payday of a schedule on or after a date. */
extern DateADT dun_timing_next_payday(const char *country, int schedule, DateADT date);

/* 'the 25th', 'last banking day', 'every second Friday' ...; palloc'ed. */
extern char *dun_timing_schedule_name(int schedule);

#endif
