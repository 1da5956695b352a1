/*
 * score/init.h
 *		What _PG_init calls for the room score.
 */
#ifndef DUN_SCORE_INIT_H
#define DUN_SCORE_INIT_H

extern void dun_score_init(void);

#endif
