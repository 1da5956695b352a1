/*
 * score/init.c
 *		Settings of the room score.
 */
#include "postgres.h"

#include "score/init.h"

void
dun_score_init(void)
{
}
