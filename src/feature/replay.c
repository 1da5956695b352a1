/*
 * feature/replay.c
 *		What happens to an account when something happens.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "feature/history.h"

static DunContact *
find_contact(DunAccount *account, uint64 message)
{
	if (message == 0)
		return NULL;
	for (int i = account->n_contacts - 1; i >= 0; i--)
		if (account->contacts[i].message == message)
			return &account->contacts[i];
	return NULL;
}

/* A message counts once, whatever came back of it and how often. */
static void
note_fate(DunAccount *account, DunContact *contact, const DunEvent *event)
{
	if ((event->code & DUN_EVENT_REACHED) && (contact == NULL || !contact->reached))
		account->n_reached++;
	if ((event->code & DUN_EVENT_BOUNCED) && (contact == NULL || !contact->bounced))
		account->n_bounced++;
	if (contact != NULL)
	{
		contact->reached |= (event->code & DUN_EVENT_REACHED) != 0;
		contact->bounced |= (event->code & DUN_EVENT_BOUNCED) != 0;
	}
	if (event->code & DUN_EVENT_REACHED)
		account->last_reached = event->at;
}

static void
add_event(DunHistory *h, const DunEvent *event)
{
	DunAccount *account = &h->account;
	DunContact *contact = find_contact(account, event->message);
	int			channel = event->code & DUN_EVENT_CHANNEL;

	if (contact == NULL && (event->code & DUN_EVENT_CONTACT))
	{
		contact = &account->contacts[account->n_contacts++];
		memset(contact, 0, sizeof(*contact));
		contact->at = event->at;
		contact->day = dun_feature_find_day(h->zone, event->at);
		contact->channel = channel;
		contact->message = event->message;
		contact->address = -1;
	}
	note_fate(account, contact, event);
	if (event->code & DUN_EVENT_RESPONSE)
	{
		DunResponse *response = &account->responses[account->n_responses++];

		response->at = event->at;
		response->channel = contact != NULL ? contact->channel : channel < DUN_CHANNELS ? channel : DUN_CHANNEL_OTHER;
	}
}

static void
add_payment(DunHistory *h, const DunPayment *it, TimestampTz at)
{
	DateADT		day = dun_feature_find_day(h->zone, it->paid_at);
	int			hour = (int) ((it->paid_at - dun_feature_begin_day(h->zone, day)) / USECS_PER_HOUR);

	dun_feature_keep_promises(&h->account, it->currency, it->amount, it->paid_at);
	/* a day of 25 hours has its last one twice */
	dun_feature_add_payment(&h->account, it->invoice, it->currency, it->amount, day, Min(hour, 23), at);
}

void
dun_feature_replay(DunHistory *h, const DunHappened *it)
{
	DunAccount *account = &h->account;

	switch (it->what)
	{
		case DUN_MONTH_BEFORE:
		case DUN_LOOK:
			break;
		case DUN_INVOICE:
			dun_feature_add_invoice(account, it->which, it->at);
			break;
		case DUN_PROMISE:
			/* payments from before it count up to its deadline as well: in_time has them */
			account->promises[it->which].exists = true;
			break;
		case DUN_PAYMENT:
			add_payment(h, &h->payments[it->which], it->at);
			break;
		case DUN_PROMISE_CANCEL:
			account->promises[it->which].cancelled = true;
			break;
		case DUN_CANCEL:
			dun_feature_cancel_invoice(account, it->which, it->at);
			break;
		case DUN_DISPUTE:
			dun_feature_dispute_invoice(account, it->which);
			break;
		case DUN_CONTACT:
			account->contacts[account->n_contacts++] = h->contacts[it->which];
			break;
		case DUN_EVENT:
			add_event(h, &h->events[it->which]);
			break;
	}
}
