/*
 * timing/profile.h
 *		When a debtor answers: counts and exposure over the 168 hours of a local week. The SQL type response_profile.
 */
#ifndef DUN_TIMING_PROFILE_H
#define DUN_TIMING_PROFILE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "pgtime.h"

#include "timing/calibrate.h"

#define DUN_HOURS 168			/* 0 = Monday 00:00 local */
#define DUN_ARCHETYPES 8
#define DUN_MEDIA 6				/* kinds of channels that are answered alike */
#define DUN_PROFILE_VERSION 1

/*
 * A varlena of 440 octets; what changes its layout raises the version. A bin holds its octet times 2^unit, so that a full
 * one halves the resolution and not the evidence. Nothing is ever decayed in place: what is entered later weighs more,
 * by 4 % a week since `base`, and a reader sees all in the weight of the last contact.
 */
typedef struct DunProfile
{
	int32		vl_len_;
	uint8		version;
	int8		k_unit;
	int8		e_unit;
	uint8		reserved;
	int32		base;			/* hours since 2000-01-01 UTC, where the weight is 1 */
	uint16		contacts;		/* entered; both stay at their greatest value */
	uint16		answers;
	int32		until[2];		/* the last contact entered was sent then: a TimestampTz, low half first */
	uint8		k[DUN_HOURS];	/* answers */
	uint8		e[DUN_HOURS];	/* answers that a debtor of the book's average would have given */
	float4		theta[DUN_ARCHETYPES];	/* how much of each archetype */
	float4		media[DUN_MEDIA][2];	/* answers and expected answers, in the weight at `base` */
} DunProfile;

/* How a channel's answers are spread over the hours after a contact: g e^-a/t1 + (1-g) e^-a/t2, up to `reach` hours. */
typedef struct DunDelay
{
	double		g,
				t1,
				t2;
	int			reach;
	int			lag;			/* hours on the way: a letter */
} DunDelay;

#define DUN_LONGEST_REACH 96

/* What is known of a book: what profiles are shrunk to. A bytea in SQL. */
typedef struct DunPrior
{
	int32		vl_len_;
	uint32		magic;
	float4		shape[DUN_HOURS];	/* mean 1 */
	float4		phi[DUN_ARCHETYPES][DUN_HOURS];	/* mean 1 each */
	struct
	{
		float4		g,
					t1,
					t2,
					q;			/* answers a contact, were all hours alike */
		DunCalibration calibration;
	}			media[DUN_MEDIA];
} DunPrior;

/* The medium of a channel, below DUN_MEDIA; unknown ones are taken for e-mail. */
extern int	dun_timing_medium(const char *channel);
extern const char *dun_timing_medium_name(int medium);

/* What is taken for a book's before anything was learnt of it. */
extern const DunPrior *dun_timing_first_prior(void);

/* Checks that a bytea is one of ours (22023); NULL gives the first one. */
extern const DunPrior *dun_timing_prior(const void *datum);

extern DunDelay dun_timing_delay(const DunPrior *prior, int medium);

/* w(a) for a = 0 .. reach-1, summing to 1. */
extern void dun_timing_weights(const DunDelay *d, double *w);

/* Checks a datum of the type: a newer version is 0A000, anything else 22023. */
extern const DunProfile *dun_timing_profile(const void *datum);

/* How much heavier an entry at `hour` is than one at the profile's base. */
extern double dun_timing_weight(const DunProfile *p, int32 hour);
extern int32 dun_timing_hour_of(TimestampTz at);
extern TimestampTz dun_timing_entered_until(const DunProfile *p);

/* Answers and exposure in the weight of the last contact. */
extern void dun_timing_unpack(const DunProfile *p, double k[DUN_HOURS], double e[DUN_HOURS]);

/* Enters a contact that is over: answered at `answered` (0: not at all). It counts as an answer only where `counts`. */
extern void dun_timing_enter(DunProfile *p, const DunPrior *prior, pg_tz *zone, TimestampTz sent, TimestampTz answered, int medium, bool counts);

/* Makes an empty one of zeros. */
extern void dun_timing_clear(DunProfile *p);

/* An answer to a contact that was entered as unanswered. */
extern void dun_timing_enter_late(DunProfile *p, pg_tz *zone, TimestampTz answered);

/* Adds the evidence of another one, and leaves only a share of it; theta is to be found anew. */
extern void dun_timing_merge(DunProfile *p, const DunProfile *other);
extern void dun_timing_fade(DunProfile *p, double share);

/* Finds theta anew from counts and exposure. */
extern void dun_timing_find_theta(DunProfile *p, const DunPrior *prior);

/*
 * Intensity by hour, and what a contact over a medium at each hour reaps: answers[h] = q * sum over ages of w(a) lambda(h + a),
 * so that a contact is answered with the chance 1 - e^-answers. profile NULL: nothing is known of the debtor.
 */
extern void dun_timing_intensity(const DunProfile *profile, const DunPrior *prior, double lambda[DUN_HOURS]);
extern void dun_timing_reap(const DunProfile *profile, const DunPrior *prior, int medium, double answers[DUN_HOURS]);

#endif
