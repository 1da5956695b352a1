/*
 * calendar/money.h
 *		Dates on which many have money, or owe it to the state.
 */
#ifndef DUN_CALENDAR_MONEY_H
#define DUN_CALENDAR_MONEY_H

#include "postgres.h"

#include "utils/date.h"

typedef struct DunMoneyDate
{
	const char *kind;			/* 'income' or 'tax' */
	const char *name;
	const char *effect;			/* 'income' or 'outflow' */
	const char *source;
} DunMoneyDate;

/* The n-th (from 0) money date that falls on `date` in the country; NULL after the last. */
extern const DunMoneyDate *dun_calendar_money_date(const char *country, DateADT date, int n);

#endif
