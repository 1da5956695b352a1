/*
 * calendar/money.h
 *		Dates on which many have money, owe it to the state or are away, and what they do to a contact.
 */
#ifndef DUN_CALENDAR_MONEY_H
#define DUN_CALENDAR_MONEY_H

#include "postgres.h"

#include "utils/date.h"

#include "calendar/zone.h"

#define DUN_TAG_LEN 24

typedef struct DunMoneyDate
{
	const char *tag;			/* payday, child_benefit, vat_due, ...: what an effect names */
	const char *kind;			/* 'income', 'tax' or 'closure' */
	const char *name;
	const char *effect;			/* 'income', 'outflow' or 'away' */
	const char *debtor_kind;	/* whose date it is: 'person', 'company'; NULL: both */
	const char *source;
	bool		verified;
} DunMoneyDate;

/* What a tag does on the days around its dates. */
typedef struct DunEffectRow
{
	char		tag[DUN_TAG_LEN];
	int32		from_day;		/* days from the date on which it begins, below 0: before it */
	int32		until_day;		/* days from its last day */
	float4		multiplier;			/* float8 would want an alignment that a bytea has not */
} DunEffectRow;

/* A date of the user's own. */
typedef struct DunOwnDate
{
	char		tag[DUN_TAG_LEN];
	DateADT		first;
	DateADT		last;
} DunOwnDate;

/* A bytea in SQL, made by dunning._effects() for a place and a kind of debtor; followed by the own dates. */
typedef struct DunEffects
{
	int32		vl_len_;
	uint32		magic;
	DunPlace	place;
	char		vat[DUN_TAG_LEN];	/* the period VAT is reported for, or 'refund'; "" where unknown: the usual ones */
	int32		nrows;
	int32		ndates;
	DunEffectRow rows[FLEXIBLE_ARRAY_MEMBER];
} DunEffects;

/* The n-th (from 0) money date that falls on `date` in the country; NULL after the last. */
extern const DunMoneyDate *dun_calendar_money_date(const char *country, DateADT date, int n);

/* Checks that a bytea is one of ours (22023). */
extern const DunEffects *dun_calendar_effects(const bytea *datum);

/* One with room for so many rows and, behind them, own dates; palloc'ed and zeroed. */
extern DunEffects *dun_calendar_make_effects(int nrows, int ndates);

/*
 * What a contact on this date is worth against one on any other day: 1 where nothing is known. Of one tag the
 * strongest effect counts once; those of several tags are multiplied and kept within [DUN_EFFECT_MIN, DUN_EFFECT_MAX].
 * *tag: the strongest, NULL where there is none; may be NULL. The same for every debtor of a place and kind: kept by date for
 * the session.
 */
#define DUN_EFFECT_MIN 0.2
#define DUN_EFFECT_MAX 4.0
extern double dun_calendar_effect(const DunEffects *effects, DateADT date, const char **tag);

#endif
