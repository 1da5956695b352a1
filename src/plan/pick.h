/*
 * plan/pick.h
 *		Over which channel a debtor is contacted, through which server and when: the first step reached that can be taken.
 *
 * Pure: what is known of a debtor in, pick out. It is for plain cases: where the gate has more to say than consent, address,
 * clock and caps (a hold, a suppressed address, a person with several accounts), the pick is left to the gate's own query.
 */
#ifndef DUN_PLAN_PICK_H
#define DUN_PLAN_PICK_H

#include "postgres.h"

#include "plan/means.h"
#include "timing/best.h"

/* A step that was reached and not had. */
typedef struct DunRung
{
	const DunPickStep *step;
	int			rung;			/* 1 goes first */
	bool		enough;
	bool		blocked;
	DateADT		due;
	TimestampTz until;			/* DT_NOEND: the step does not end */
	TimestampTz last_contact;	/* DT_NOBEGIN: none */
	int			n7,
				n30;
	int			gap_days;		/* between two contacts, as the debtor's segment asks for; -1: as the step says */
	bool		has_largest;
	double		largest;
	const char *currency;		/* of the largest, NULL: none */
	DunCreditor *creditor;
	const char *preferred;		/* channel, NULL: none */
	int			preferred_len;
} DunRung;

typedef struct DunAddress
{
	const char *text;			/* NULL: none */
	int			len;
} DunAddress;

/* What is known of a debtor. */
typedef struct DunPickFacts
{
	const char *debtor_id;
	bool		trouble;		/* not a plain case */
	const char *hold;			/* the word of the hold that is in force, NULL: none */
	TimestampTz held_until;		/* DT_NOEND: for good */
	int			place;			/* -1: cannot be told */
	uint64		consents;		/* a bit a channel */
	DunAddress	addresses[3];	/* e-mail, phone, postal */
	double		quality[3];		/* of the address; 1 where nothing is known */
	bool		has_p;
	double		p_paid;
	bool		likely;			/* by segment or score: pays by himself */
	bool		has_self_cure;
	double		p_self_cure;
	bool		held_out;
	DunEvidence evidence;
	DunHistory	history;		/* without caps */
} DunPickFacts;

/* Why a channel is not weighed, in the words of planning; NULL: it may be. */
typedef struct DunCandidate
{
	int			channel;		/* -1: unknown */
	const char *name;
	const char *why;
	const DunPrice *price;
	bool		has_value;
	double		value;			/* rounded to cents */
	double		raw;
	/* after it was tried */
	bool		tried;
	int			nwords;
	const char **words;
	TimestampTz at;
	DunTimeQuestion question;
	DunTimeField field;
	DunTimeAnswer answer;
} DunCandidate;

typedef struct DunPassed
{
	const DunRung *rung;
	const char *why;
} DunPassed;

typedef struct DunPick
{
	bool		plain;			/* false: the rest is not told */
	const DunRung *rung;
	int			ncandidates;
	DunCandidate *candidates;	/* in the step's order; none where the debtor is held out or too little is owed */
	int		   *order;			/* those that may be weighed, best first */
	int			nusable;
	bool		in_time;		/* some instant lies within horizon and step */
	int			chosen;			/* place in candidates, -1: none is usable */
	int			first_tried;	/* the one that was asked first, -1 */
	int			npassed;		/* further steps that could not be taken */
	DunPassed  *passed;
} DunPick;

typedef struct DunPicker
{
	DunMeans   *means;
	DunTimes   *times;
	TimestampTz at;
	DateADT		today;
	int			nsuppressed;
	uint64	   *suppressed;		/* first octets of digests, in order */
	const bytea *digest_key;
} DunPicker;

/*
 * What is asked of timing for a debtor and channel, and the words, at most DUN_ASIDE_WORDS, that forbid a contact at any instant.
 * False: not a plain case.
 */
#define DUN_ASIDE_WORDS 4
extern bool dun_plan_set_question(const DunPicker *p, const DunPickFacts *facts, int channel, TimestampTz from, TimestampTz until,
								  DunTimeQuestion *q, const char **words, int *nwords);

/* Results live in the current memory context. */
extern void dun_plan_pick(DunPicker *p, const DunPickFacts *facts, const DunRung *rungs, int nrungs, DunPick *pick);

/* The words with commas between. */
extern const char *dun_plan_join_words(const char *const *words, int n);

/*
 * The reasons against channels, each once, in the order of the alphabet; those of `only` (NULL at its end), NULL: all. Room for
 * as many as there are candidates.
 */
extern int	dun_plan_list_reasons(const DunPick *pick, const char *const *only, const char **found);

#endif
