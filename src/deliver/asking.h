/*
 * deliver/asking.h
 *		Asking gateways about messages of which nobody knows whether they were taken.
 */
#ifndef DUN_DELIVER_ASKING_H
#define DUN_DELIVER_ASKING_H

#include "postgres.h"

typedef struct DunAsked
{
	int			asked;
	int			settled;		/* of these, known now */
	char		problem[256];	/* of the last that gave no answer, "" where all did */
	char		stopped[512];	/* why none may be asked, "" where they may */
} DunAsked;

/* Ask what is due, or all of one server (`wanted`). Outside of any transaction of the caller's; none is open while it waits. */
extern void dun_deliver_ask_gateways(const char *wanted, DunAsked *asked);

#endif
