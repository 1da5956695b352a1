/*
 * plan/pick_book.h
 *		What the parts of the picks of a book share: a run.
 *
 * pick_read.c reads what is known and tells it debtor by debtor, pick_put.c puts picks out; pick_book.c goes from debtor
 * to debtor.
 */
#ifndef DUN_PLAN_PICK_BOOK_H
#define DUN_PLAN_PICK_BOOK_H

#include "postgres.h"

#include "funcapi.h"
#include "utils/array.h"

#include "plan/book.h"
#include "plan/pick.h"

typedef struct DunPickRun
{
	MemoryContext context;
	MemoryContext item;
	DunPicker	picker;
	char	   *texts[DUN_PICK_TEXTS];
	DunStatement *kept;			/* instead of the texts about debtors, DUN_PICK_TEXTS of them, for a session that asks again and again; or NULL */
	DunArguments args;			/* as_of, debtor ids */
	double		holdout;
	bool		detail;
	DunBook    *book;
	ArrayBuildState *ids;
	int			suppressed_room;
	ReturnSetInfo *rsinfo;
} DunPickRun;

/* Reads the ladder, and what is asked about its debtors. */
extern void dun_plan_read_picks(DunPickRun *run);

/* Reads the whole ledger, and what is asked about its debtors. */
extern void dun_plan_read_debtors(DunPickRun *run);

/* How many rows the ledger has of a debtor, and what is known of him. */
extern int	dun_plan_collect_known(const DunPickRun *run, const DunRow *rows, DunPickFacts *facts);

/* How many rungs a debtor has, and what is known of him; 0 where he is not of the ladder. */
extern int	dun_plan_collect_pick(const DunPickRun *run, const DunRow *rows, DunPickFacts *facts, DunRung **rungs);

extern void dun_plan_put_pick(const DunPickRun *run, const DunPick *pick, const DunPickFacts *facts);

#endif
