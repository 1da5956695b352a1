/*
 * feature/state.h
 *		What is known of one debtor, as one value: the rows of the ledger and of what we and he did, one behind the other.
 *
 * The state of the aggregate dunning._history() is a bytea, so that it can be made in parallel, joined and kept. It holds
 * rows in any order; whoever reads it sorts them, so that the order in which they were found means nothing.
 */
#ifndef DUN_FEATURE_STATE_H
#define DUN_FEATURE_STATE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/date.h"

/* Of the argument `what`; part of the state. */
typedef enum DunRowKind
{
	DUN_ROW_INVOICE = 1, DUN_ROW_PAYMENT, DUN_ROW_PROMISE, DUN_ROW_CONTACT, DUN_ROW_EVENT
} DunRowKind;

typedef enum DunChannel
{
	DUN_CHANNEL_EMAIL, DUN_CHANNEL_SMS, DUN_CHANNEL_LETTER, DUN_CHANNEL_CALL, DUN_CHANNEL_OTHER, DUN_CHANNELS
} DunChannel;

/* What an event says. */
#define DUN_EVENT_REACHED	0x10	/* the message arrived, or he was spoken to */
#define DUN_EVENT_RESPONSE	0x20	/* he did something */
#define DUN_EVENT_BOUNCED	0x40
#define DUN_EVENT_CONTACT	0x80	/* we called */
#define DUN_EVENT_CHANNEL	0x0f	/* DUN_CHANNELS: that of the message */

/* A row as it stands in the state; id and currency are not ended by a zero. */
typedef struct DunStateRow
{
	uint8		what;
	uint8		code;			/* channel or event */
	bool		flag;			/* invoice: an invoice proper */
	bool		disputed;		/* invoice: is now, whenever it came to be */
	bool		has_id;
	bool		has_stated;
	DateADT		day;			/* issued, due of a promise */
	DateADT		due;
	double		amount;			/* needed of a promise */
	double		stated;			/* open amount of the source, paid before of a promise */
	TimestampTz at;				/* recorded, promised, contact or event; DT_NOBEGIN: not said */
	TimestampTz paid;			/* paid, deadline of a promise */
	TimestampTz gone;			/* cancelled; DT_NOBEGIN: not */
	TimestampTz disputed_at;	/* DT_NOBEGIN: not said */
	uint64		message;		/* of a contact or event, 0: none */
	const char *id;
	uint32		id_len;
	const char *currency;
	uint32		currency_len;
} DunStateRow;

/* Rows in a state of that many octets (without the length word). */
extern int	dun_feature_count_rows(const char *state, Size size);
/* The row at *at, which moves on. False at the end. */
extern bool dun_feature_read_row(const char *state, Size size, Size *at, DunStateRow *row);

#endif
