/*
 * plan/ladder_put.c
 *		Steps that were reached, as rows of the stage ladder.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/amount.h"
#include "base/jsonb.h"
#include "base/texts.h"
#include "plan/ladder.h"

/* The columns of _ladder(). */
enum
{
	OUT_DEBTOR, OUT_CREDITOR, OUT_PREFERRED, OUT_STRATEGY, OUT_COUNTRY, OUT_STEP, OUT_ENOUGH, OUT_BLOCKED, OUT_ANCHOR,
	OUT_DUE, OUT_LAST_DAY, OUT_TIMES, OUT_LISTED, OUT_UNDER, OUT_RUNG, OUT_LAST_CONTACT, OUT_N7, OUT_N30, OUT_MARK,
	OUT_AMOUNTS, OUT_LARGEST, OUT_LARGEST_IN, OUT_ODD, OUT_COLUMNS
};

static Datum
text_datum(const char *s, int len)
{
	return PointerGetDatum(cstring_to_text_with_len(s, len));
}

static const DunBalance *
next_balance(const DunLadder *run, const DunAccount *a, const char *after)
{
	const DunBalance *next = NULL;

	for (int i = 0; i < a->nbalances; i++)
	{
		const char *name = run->currencies[a->balances[i].currency];

		if ((after == NULL || strcmp(name, after) > 0) &&
			(next == NULL || strcmp(name, run->currencies[next->currency]) < 0))
			next = &a->balances[i];
	}
	return next;
}

/* As _mark_sql() writes it. */
static Datum
make_mark(const DunLadder *run, const DunAccount *a)
{
	StringInfoData s;
	const char *after = NULL;
	const DunBalance *b;

	initStringInfo(&s);
	while ((b = next_balance(run, a, after)) != NULL)
	{
		after = run->currencies[b->currency];
		appendStringInfo(&s, "%s%s:", s.len > 0 ? "," : "", after);
		dun_base_append_amount(&s, b->balance);
		appendStringInfo(&s, ":" INT64_FORMAT ":", b->payments);
		dun_base_append_amount(&s, b->paid);
		if (b->disputed > 0)
		{
			appendStringInfoChar(&s, ':');
			dun_base_append_amount(&s, b->disputed);
		}
	}
	return text_datum(s.data, s.len);
}

/* The totals that are worth their minimum (or those that are not, or all) as an object; 0 where there are none. */
typedef enum Which
{
	THOSE_UNDER,
	THOSE_ENOUGH,
	ALL
} Which;

static Datum
make_amounts(const DunLadder *run, const DunReached *r, Which which)
{
	JsonbParseState *state = NULL;
	int			n = 0;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < r->ntotals; i++)
	{
		JsonbValue	value = {.type = jbvNumeric};

		if (which != ALL && r->totals[i].enough != (which == THOSE_ENOUGH))
			continue;
		value.val.numeric = dun_plan_numeric_of(&r->totals[i].sum);
		dun_base_push_text(&state, WJB_KEY, run->currencies[r->totals[i].currency]);
		pushJsonbValue(&state, WJB_VALUE, &value);
		n++;
	}
	if (n == 0)
		return (Datum) 0;
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

static Datum
make_listed(const DunLadder *run, const DunReached *r)
{
	const char **names = palloc(r->ntotals * sizeof(char *));
	int			n = 0;

	for (int i = 0; i < r->ntotals; i++)
		if (r->totals[i].enough)
			names[n++] = run->currencies[r->totals[i].currency];
	return n == 0 ? (Datum) 0 : dun_base_make_texts(names, n);
}

static const DunTotal *
largest_total(const DunReached *r)
{
	const DunTotal *largest = NULL;

	for (int i = 0; i < r->ntotals; i++)
		if (r->totals[i].enough && (largest == NULL || dun_plan_compare_sums(&r->totals[i].sum, &largest->sum) > 0))
			largest = &r->totals[i];
	return largest;
}

static void
put_text(Datum *out, bool *isnull, int column, const DunRow *row, int i)
{
	int			len;
	const char *t = dun_plan_row_text(row, i, &len);

	isnull[column] = t == NULL;
	if (t != NULL)
		out[column] = text_datum(t, len);
}

void
dun_plan_put_reached(const DunLadder *run, const DunDebtor *debtor, const DunFacts *facts, const DunReached *r, int rung,
					 const char *mark, const char *fault)
{
	Datum		out[OUT_COLUMNS] = {0};
	bool		isnull[OUT_COLUMNS] = {false};
	const DunTotal *largest = largest_total(r);

	out[OUT_DEBTOR] = text_datum(DUN_ROW_ID(debtor->row), debtor->row->id_len);
	put_text(out, isnull, OUT_CREDITOR, debtor->row, 0);
	put_text(out, isnull, OUT_PREFERRED, debtor->row, 1);
	put_text(out, isnull, OUT_STRATEGY, debtor->row, 2);
	put_text(out, isnull, OUT_COUNTRY, debtor->row, 3);
	out[OUT_STEP] = CStringGetTextDatum(facts->strategy->steps[r->step].name);
	out[OUT_ENOUGH] = BoolGetDatum(r->enough);
	isnull[OUT_BLOCKED] = r->blocked == NULL && fault == NULL;
	if (!isnull[OUT_BLOCKED])
		out[OUT_BLOCKED] = CStringGetTextDatum(fault != NULL ? fault : r->blocked);
	out[OUT_ANCHOR] = DateADTGetDatum(r->anchor);
	out[OUT_DUE] = DateADTGetDatum(r->due);
	out[OUT_LAST_DAY] = DateADTGetDatum(r->last_day);
	isnull[OUT_LAST_DAY] = !r->ends;
	out[OUT_TIMES] = Int32GetDatum(r->times);
	out[OUT_LISTED] = make_listed(run, r);
	isnull[OUT_LISTED] = out[OUT_LISTED] == 0;
	out[OUT_UNDER] = make_amounts(run, r, THOSE_UNDER);
	isnull[OUT_UNDER] = out[OUT_UNDER] == 0;
	out[OUT_RUNG] = Int32GetDatum(rung);
	out[OUT_LAST_CONTACT] = TimestampTzGetDatum(debtor->last_contact);
	isnull[OUT_LAST_CONTACT] = debtor->last_contact == DT_NOBEGIN;
	out[OUT_N7] = Int32GetDatum(debtor->n7);
	out[OUT_N30] = Int32GetDatum(debtor->n30);
	out[OUT_MARK] = mark != NULL ? CStringGetTextDatum(mark) : make_mark(run, facts->account);
	out[OUT_ODD] = BoolGetDatum(mark != NULL);
	out[OUT_AMOUNTS] = make_amounts(run, r, r->enough ? THOSE_ENOUGH : ALL);
	isnull[OUT_AMOUNTS] = out[OUT_AMOUNTS] == 0;
	isnull[OUT_LARGEST] = isnull[OUT_LARGEST_IN] = largest == NULL;
	if (largest != NULL)
	{
		out[OUT_LARGEST] = NumericGetDatum(dun_plan_numeric_of(&largest->sum));
		out[OUT_LARGEST_IN] = CStringGetTextDatum(run->currencies[largest->currency]);
	}
	tuplestore_putvalues(run->rsinfo->setResult, run->rsinfo->setDesc, out, isnull);
}
