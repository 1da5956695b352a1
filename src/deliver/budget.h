/*
 * deliver/budget.h
 *		Money at the way out.
 */
#ifndef DUN_DELIVER_BUDGET_H
#define DUN_DELIVER_BUDGET_H

#include "deliver/item.h"

/* Hold those that today's budgets are not enough for; inside the transaction that commits the intents of the others. */
extern void dun_deliver_ask_budget(DunItem **items, int n);

#endif
