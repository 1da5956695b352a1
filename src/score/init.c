/*
 * score/init.c
 *		Settings of the room score.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "score/init.h"

int			dun_score_train_memory = 256 * 1024;

void
dun_score_init(void)
{
	DefineCustomIntVariable("dunning.train_memory",
							"Memory that the rows of one training may take.",
							"A query with more rows is sampled, with a notice.",
							&dun_score_train_memory, 256 * 1024, 256, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
}
