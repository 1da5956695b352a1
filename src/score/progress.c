/*
 * score/progress.c
 *		A training is one transaction, so no row of it could tell anybody how far it is: the name that a backend
 *		shows in pg_stat_activity can.
 */
#include "postgres.h"

#include "pgstat.h"
#include "utils/guc.h"

#include "score/progress.h"

void
dun_score_report_progress(const char *model, const char *stage, int done, int total)
{
	char		status[NAMEDATALEN];

	snprintf(status, sizeof(status), "dunning fit %d/%d %s: %s", done, total, stage, model);
	pgstat_report_appname(status);
}

void
dun_score_end_progress(void)
{
	pgstat_report_appname(application_name);
}
