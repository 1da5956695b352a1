/*
 * score/init.h
 *		What _PG_init calls for the room score, and its settings.
 */
#ifndef DUN_SCORE_INIT_H
#define DUN_SCORE_INIT_H

/* dunning.train_memory, kB: what the rows of one training may take in a backend. */
extern int	dun_score_train_memory;

extern void dun_score_init(void);

#endif
