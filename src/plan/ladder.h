/*
 * plan/ladder.h
 *		What the parts of the ladder share: a run, and the debtor at hand.
 *
 * ladder_steps.c reads the strategies, ladder_read.c the book, ladder_facts.c tells what is known of a debtor, ladder_aside.c
 * puts debtors aside, ladder_told.c asks about them, ladder_put.c puts steps out; ladder.c goes from debtor to debtor.
 */
#ifndef DUN_PLAN_LADDER_H
#define DUN_PLAN_LADDER_H

#include "postgres.h"

#include "funcapi.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"

#include "plan/book.h"
#include "plan/decide.h"
#include "plan/read.h"

#define DUN_CURRENCY_LEN 64

/* The statements of _ladder_texts(), in its order. */
typedef enum DunLadderText
{
	DUN_LADDER_STEPS, DUN_LADDER_DEBTORS, DUN_LADDER_INVOICES, DUN_LADDER_PAYMENTS, DUN_LADDER_CONTACTS, DUN_LADDER_OTHERS,
	DUN_LADDER_CONDITIONS, DUN_LADDER_DATES, DUN_LADDER_MARKS, DUN_LADDER_ITEMS, DUN_LADDER_TEXTS
} DunLadderText;

/* A debtor whose account or conditions were told by a query. */
typedef struct DunTold
{
	bool	   *holds;
	bool	   *failed;
	char	   *fault;
	char	   *mark;
	DunAccount	account;
	int			room;			/* for its items */
	int			ndates;
	DunDate    *dates;
} DunTold;

/* Debtors who were put aside, as texts, with the strategy that each follows where that is known. */
typedef struct DunIds
{
	Datum	   *ids;
	const DunStrategy **strategies;
	int			n,
				room;
} DunIds;

/* The debtor at hand, and what was said to him of late. */
typedef struct DunDebtor
{
	const DunRow *row;			/* NULL: the ledger does not know the debtor */
	bool		waiting;
	TimestampTz last_contact;	/* DT_NOBEGIN: none */
	int32		n7;
	int32		n30;
} DunDebtor;

#define DUN_MET_CURRENCIES 16

typedef struct DunMetCurrency
{
	int			len;			/* 0: none */
	int			no;
	char		name[DUN_CURRENCY_LEN];
} DunMetCurrency;

typedef struct DunLadder
{
	MemoryContext context;		/* of the run */
	MemoryContext item;			/* of one debtor */
	DunArguments args;			/* as_of, many, strategy, conditions or the anchor asked for */
	char	   *texts[DUN_LADDER_TEXTS];
	DateADT		today;
	bool		stated;
	int			lookback;
	int			nstrategies;
	DunStrategy *strategies;
	Jsonb	 ***minimums;		/* by strategy and step */
	Jsonb	  **tolerances;
	int			nanchors;		/* other than due dates and contacts, that steps count from */
	const char **anchors;
	TimestampTz now,
				week_ago,
				month_ago;
	pg_tz	   *zone;			/* of the ledger */
	int			nconditions;
	char	  **conditions;
	HTAB	   *currency_table;
	const char **currencies;
	int			ncurrencies,
				currency_room,
				known_minimums;
	DunMetCurrency met[DUN_MET_CURRENCIES];	/* those met last, by their letters */
	DunBook    *book;
	DunBook    *odd;
	DunBook    *asking;
	DunIds		odd_ids;
	DunIds		asking_ids;
	struct told_hash *told;		/* of ladder_told.c */
	char	   *unknown_strategy;
	ReturnSetInfo *rsinfo;
} DunLadder;

/* The strategies that are in force, with their steps. */
extern void dun_plan_read_strategies(DunLadder *run);

/* The minimum of each step, and the tolerance of each strategy, in each currency that was met so far. */
extern void dun_plan_set_minimums(DunLadder *run);

extern void dun_plan_add_id(DunLadder *run, DunIds *ids, const char *id, int id_len, const DunStrategy *strategy);

/* NULL: there is no such strategy in force. */
extern const DunStrategy *dun_plan_find_strategy(const DunLadder *run, const char *name, int len);

/* The place of a currency in the run's list. */
extern int	dun_plan_number_currency(DunLadder *run, const char *name, int len);

/* Deals every row of the book's statements to run->book. */
extern void dun_plan_read_book(DunLadder *run);

/* Everything that is known of a debtor but the account, in the current memory context. */
extern void dun_plan_collect_facts(const DunLadder *run, const DunRow *rows, DunDebtor *debtor, DunFacts *facts);

/* When the debtor was last heard, a payment or a reaction; DT_NOBEGIN: never. */
extern TimestampTz dun_plan_last_heard(const DunRow *rows);

/* Put a debtor aside whose account must be asked for, or one whose account is settled but about whom something else is. */
extern void dun_plan_put_odd_aside(DunLadder *run, const DunRow *rows);
extern void dun_plan_put_asking_aside(DunLadder *run, const DunRow *rows, const DunAccount *account, const DunStrategy *strategy);

/* The account that was put aside with the rows, in the current memory context. */
extern void dun_plan_take_account(const DunRow *rows, DunAccount *account);

/* Accounts of the odd, then conditions and dates of them and of those who ask. */
extern void dun_plan_ask_aside(DunLadder *run);

/* What was told of a debtor, NULL: nothing. */
extern DunTold *dun_plan_find_told(const DunLadder *run, const DunRow *row);

/* Rung `rung` of a debtor; mark: that of an account that was asked for, NULL: it is made of the facts. */
extern void dun_plan_put_reached(const DunLadder *run, const DunDebtor *debtor, const DunFacts *facts, const DunReached *r,
								 int rung, const char *mark, const char *fault);

#endif
