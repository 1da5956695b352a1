/*
 * gate/caps.h
 *		How often: caps, gaps and silences against the contacts a person has had.
 */
#ifndef DUN_GATE_CAPS_H
#define DUN_GATE_CAPS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/uuid.h"

#include "calendar/zone.h"

typedef struct DunCap
{
	char	   *rule;
	int			cap;			/* -1: none */
	int			days;			/* calendar days of the debtor's zone */
	bool		person;			/* counts all accounts of the person, else the debtor's own */
	int64		gap;			/* microseconds, 0: none */
	int64		silence;		/* after a conversation */
	char	   *channels;		/* those counted, each ended by \x1e; NULL: all */
	DateADT		first;			/* local dates of the instants it is asked about, both included */
	DateADT		last;
} DunCap;

typedef struct DunContact
{
	char	   *debtor_id;
	char	   *channel;
	pg_uuid_t	message_id;
	TimestampTz at;
	int			ord;			/* 0: it happened; < 0: it is queued; > 0: its place in the same batch */
} DunContact;

typedef struct DunHistory
{
	int			ncaps;
	DunCap	   *caps;
	int			ncontacts;
	DunContact *contacts;
	int			ntalks;
	TimestampTz *talks;			/* conversations */
	DateADT    *dates;			/* of each contact in each zone; filled by dun_gate_capped() */
} DunHistory;

/* Who asks. */
typedef struct DunAsker
{
	char	   *debtor_id;
	pg_uuid_t  *message_id;		/* NULL: a question, for which what is queued counts too */
	int			ord;
} DunAsker;

/* From the arrays of the gate's query; any may be NULL. */
extern void dun_gate_read_history(DunHistory *h, ArrayType *caps, ArrayType *debtors, ArrayType *channels,
								  ArrayType *messages, ArrayType *ats, ArrayType *ords, ArrayType *talks);

/*
 * What forbids a contact at this instant: 'cap:rule', 'min_gap:rule', 'after_conversation:rule'. Puts at most
 * 3 * ncaps words into words[] and returns how many; with words NULL it stops at the first. One history is
 * always asked with the same zones.
 */
extern int	dun_gate_capped(DunHistory *h, const DunAsker *who, pg_tz *const zones[], int nzones, TimestampTz at,
							char **words);

/* Is there a cap of none, so that even who was never contacted may not be? *dated: one that holds on some dates only. */
extern bool dun_gate_bars_all(const DunHistory *h, bool *dated);

/* Do its caps depend on the local date alone between two instants, so that one answer serves a whole day? */
extern bool dun_gate_caps_are_daily(const DunHistory *h, TimestampTz from, TimestampTz until);

#endif
