/*
 * timing/best.h
 *		The best of the allowed instants for one debtor and channel. Pure: mask, caps, history and evidence in, answer out.
 */
#ifndef DUN_TIMING_BEST_H
#define DUN_TIMING_BEST_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/date.h"

#include "calendar/money.h"
#include "calendar/window.h"
#include "gate/caps.h"
#include "timing/grid.h"
#include "timing/profile.h"

/* What is known of a debtor; zeros and NULLs where nothing is. */
typedef struct DunEvidence
{
	const DunProfile *profile;
	const DunPrior *prior;		/* of the book, NULL: nothing was learnt */
	int			contacts;		/* entered, and how many of them were answered */
	int			responses;
	int			npayments;
	const DateADT *payments;	/* newest first, at most DUN_PAYMENTS_KEPT */
} DunEvidence;

typedef struct DunTimeQuestion
{
	const char *debtor_id;
	const char *channel;
	const DunWindows *windows;
	uint64		windows_key;	/* dun_timing_windows_key(), 0: to be found */
	DunHistory *history;		/* with the caps of the place */
	TimestampTz from;
	TimestampTz until;
	TimestampTz now;
	DunEvidence evidence;
	const DunEffects *effects;	/* of dates; NULL: none */
	bool		by_rule;		/* tell what each rule closes even where instants are left */
} DunTimeQuestion;

/* What the clock and the caps left. */
typedef struct DunTimeField
{
	int			nslots;
	int			quiet;			/* slots removed */
	int			holiday;
	int			capped;
	double		mean_p;
	double		mean_pay;
	double		mean_date;
	const DunClosers *closers;	/* how many slots each rule of the clock closes: where they left nothing or it was asked for, else NULL */
} DunTimeField;

typedef struct DunTimeAnswer
{
	TimestampTz at;
	bool		explored;
	double		propensity;
	double		chance;			/* of an answer, by the model */
	double		hour;			/* log-ratios to the average of the field */
	double		pay;
	int			since_payday;	/* days since the likeliest payday, -1: not told */
	double		date;			/* what the calendar has on that day, and which of it */
	const char *tag;
	double		delay;
} DunTimeAnswer;

/* What randomised contacts showed of the question's book and channel; NULL: nothing yet. */
extern const DunCalibration *dun_timing_calibration_of(const DunTimeQuestion *q);

typedef struct DunTimes DunTimes;

/* What is kept between questions, in the current memory context. */
extern DunTimes *dun_timing_make_times(void);

/* At most `top` answers, the best first; returns how many. With top > 1 nothing is drawn by lot. */
extern int	dun_timing_best(DunTimes *times, const DunTimeQuestion *q, int top, DunTimeField *field, DunTimeAnswer *answers);

#endif
