/*
 * score/progress.h
 *		How far a training is, for other sessions (view dunning.progress).
 */
#ifndef DUN_SCORE_PROGRESS_H
#define DUN_SCORE_PROGRESS_H

#include "postgres.h"

extern void dun_score_report_progress(const char *model, const char *stage, int done, int total);
extern void dun_score_end_progress(void);

#endif
