/*
 * message/age.h
 *		A context was frozen on the day its message was planned; on the way out its days past due are counted anew.
 */
#ifndef DUN_MESSAGE_AGE_H
#define DUN_MESSAGE_AGE_H

#include "postgres.h"

#include "utils/date.h"
#include "utils/jsonb.h"

/*
 * The context with every days_overdue of its balances moved to `today`, the one at the top too where it is that of the
 * first balance. As it is where nothing has to move, and where it was not composed from a ledger: a caller's own names.
 */
extern Jsonb *dun_message_age_context(Jsonb *context, DateADT today);

#endif
