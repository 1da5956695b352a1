/*
 * deliver/attach.h
 *		Documents that go with a mail. Which ones is frozen with the body, by version; their content is read when the mail is made.
 */
#ifndef DUN_DELIVER_ATTACH_H
#define DUN_DELIVER_ATTACH_H

#include "postgres.h"

#include "deliver/item.h"

/* Inside a transaction: what goes with messages that are rendered; one that cannot have what it should is held. */
extern void dun_deliver_choose_documents(DunItem **items, const bool *attaches, int n);

/* Inside a transaction: the content of what is frozen for each, into item->out. */
extern void dun_deliver_load_documents(DunItem **items, int n);

#endif
