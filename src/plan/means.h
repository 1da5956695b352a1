/*
 * plan/means.h
 *		What is the same for many debtors of a run: channels and steps, and what each creditor may use and pays for it.
 *
 * Asked of the SQL that defines it (_servers(), _costs(), _channel_shares(), _has_template(), the rules of a place) once a creditor,
 * price list, text or place, and kept for the run.
 */
#ifndef DUN_PLAN_MEANS_H
#define DUN_PLAN_MEANS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/date.h"

#include "calendar/money.h"
#include "calendar/window.h"
#include "gate/address.h"
#include "gate/caps.h"
#include "plan/read.h"
#include "timing/profile.h"

#define DUN_CHANNELS 64

/* The statements of _pick_texts(), in its order. */
typedef enum DunPickText
{
	DUN_PICK_CHANNELS, DUN_PICK_STEPS, DUN_PICK_BOOK, DUN_PICK_RUNGS, DUN_PICK_FACTS, DUN_PICK_QUALITY, DUN_PICK_PROFILES,
	DUN_PICK_HISTORY, DUN_PICK_OTHERS, DUN_PICK_TROUBLE, DUN_PICK_SUPPRESSED, DUN_PICK_SERVERS, DUN_PICK_PRICES, DUN_PICK_SHARES,
	DUN_PICK_WRITTEN, DUN_PICK_PLACES, DUN_PICK_TEXTS
} DunPickText;

typedef struct DunChannel
{
	char	   *name;
	char	   *field;			/* email, phone, address, or a key of the debtor's attributes */
	int			address;		/* 0 email, 1 phone, 2 address, -1 another */
	bool		service;		/* allowed where nothing is said of consent */
} DunChannel;

typedef struct DunPickStep
{
	char	   *strategy;
	char	   *step;
	char	   *template;
	int			nchannels;
	int		   *channels;		/* places in the list of channels, -1: there is no such channel */
	char	  **names;
	bool		paid_channels;
	int			self_cure_days;
	int			self_cure_wait;
	bool		must;
	Interval	gap;			/* between two contacts */
	Interval	horizon;
	bool		by_value;
	double		self_cure;
	double		margin;
} DunPickStep;

typedef struct DunPrice
{
	bool		known;
	double		cost;
	Datum		exact;			/* numeric */
	char	   *currency;
} DunPrice;

typedef struct DunUsableServer
{
	char	   *name;			/* NULL: none */
	bool		paused;
} DunUsableServer;

typedef struct DunShare
{
	bool		known;
	double		share;
	double		usual;
	double		p_opt_out;
} DunShare;

typedef struct DunCreditor
{
	char	   *name;
	DunUsableServer	servers[DUN_CHANNELS];
	DunShare	shares[DUN_CHANNELS];
	struct PriceList *prices;
	int8	   *written;		/* by step and channel: -1 not asked, else whether there is a text */
} DunCreditor;

/* A combination of country, region, kind and time zone, and its rules by channel. */
typedef struct DunPlaceRules
{
	const DunWindows *windows;	/* NULL: there is none, nothing is allowed */
	bytea	   *mask;			/* the same as dunning._windows() made it */
	uint64		key;
	int			nzones;
	pg_tz	   *zones[DUN_ZONES];
	char	   *zone;			/* the first, by name */
	DunHistory	caps;			/* of nobody: the caps alone */
	const DunEffects *effects;	/* of dates */
	ArrayType  *names;			/* of the rules */
} DunPlaceRules;

typedef struct DunMeans DunMeans;

/* In the current memory context. */
extern DunMeans *dun_plan_make_means(char **texts, TimestampTz at, DateADT today, bool by_country);

/* For means that outlast the run: forget the plans of their statements, which end with it. */
extern void dun_plan_end_questions(DunMeans *m);

extern int	dun_plan_channels(const DunMeans *m, const DunChannel **channels);
extern const DunPickStep *dun_plan_pick_step(const DunMeans *m, const char *strategy, int strategy_len, const char *step, int step_len);
extern DunCreditor *dun_plan_creditor(DunMeans *m, const char *name, int len);

/* By channel; currency and country may be NULL. */
extern const DunPrice *dun_plan_prices(DunMeans *m, DunCreditor *c, const char *currency, const char *country);

extern bool dun_plan_is_written(DunMeans *m, DunCreditor *c, const DunPickStep *step, int channel);

/* The number of a place; texts may be "". */
extern int	dun_plan_place(DunMeans *m, const char *country, const char *region, const char *kind, const char *zone);
extern const char *dun_plan_country_of(const DunMeans *m, int place);
extern const DunPlaceRules *dun_plan_rules(DunMeans *m, int place, int channel);
extern bool dun_plan_has_rules(const DunMeans *m, int place);	/* read already */

/* Is a contact over each channel agreed to, a bit a channel? As the gate reads it: nothing said means service messages alone. */
extern uint64 dun_plan_consents(const DunMeans *m, Jsonb *consent);

/* What timing knows of a creditor's book; the creditor may be one without debtors in this run. */
extern const DunPrior *dun_plan_book_prior(DunMeans *m, const char *creditor, int len);

#endif
