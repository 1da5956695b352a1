/*
 * timing/words.c
 *		The reasons of an instant in words, from the numbers that are kept with it. Nothing is asked and nothing reckoned anew,
 *		so a decision of last year reads as it was taken; planning keeps numbers alone.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "base/texts.h"

#define WORDS 16
#define WORTH_A_WORD 0.05		/* of a log-ratio, or of a share */

typedef struct Words
{
	int			n;
	const char *words[WORDS];
} Words;

static const struct
{
	const char *tag;
	const char *said;
}			tags[] = {
	{"payday", "most people are paid"},
	{"vat_due", "VAT is due"},
	{"vat_refund", "VAT is paid back"},
	{"tax_due", "tax is due"},
	{"tax_refund", "tax is paid back"},
	{"closure", "most firms are closed"},
	{"child_benefit", "child benefit is paid"},
	{"social_security", "benefits are paid"},
	{"allowance", "allowances are paid"},
};

static void
add_word(Words *w, const char *word)
{
	if (w->n < WORDS)
		w->words[w->n++] = word;
}

/* --- reading the numbers --- */

static const JsonbValue *
value_of(Jsonb *object, const char *key)
{
	if (object == NULL || !JB_ROOT_IS_OBJECT(object))
		return NULL;
	return getKeyJsonValueFromContainer(&object->root, key, strlen(key), NULL);
}

static Jsonb *
object_of(Jsonb *object, const char *key)
{
	const JsonbValue *v = value_of(object, key);

	return v == NULL || v->type != jbvBinary ? NULL : JsonbValueToJsonb(unconstify(JsonbValue *, v));
}

/* 0 where there is no such number. */
static double
number_of(Jsonb *object, const char *key)
{
	const JsonbValue *v = value_of(object, key);

	return v == NULL || v->type != jbvNumeric ? 0 : DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(v->val.numeric)));
}

/* NULL where there is no such text. */
static const char *
text_of(Jsonb *object, const char *key)
{
	const JsonbValue *v = value_of(object, key);

	return v == NULL || v->type != jbvString ? NULL : pnstrdup(v->val.string.val, v->val.string.len);
}

static bool
is_told(Jsonb *object, const char *key, bool value)
{
	const JsonbValue *v = value_of(object, key);

	return v != NULL && v->type == jbvBool && v->val.boolean == value;
}

/* --- saying them --- */

/* '(+41 %)' of a log-ratio. */
static const char *
percent(double ratio)
{
	return psprintf("(%+.0f %%)", 100 * (exp(ratio) - 1));
}

/* 'weekday evenings' of '2026-06-10 18:15 Europe/Copenhagen'; NULL where it cannot be read. */
static const char *
part_of_week(const char *local_time)
{
	int			year,
				month,
				day,
				hour;
	int			weekday;
	const char *part;

	if (local_time == NULL || sscanf(local_time, "%d-%d-%d %d:", &year, &month, &day, &hour) != 4 || month < 1 || month > 12)
		return NULL;
	weekday = j2day(date2j(year, month, day));
	part = hour < 5 || hour >= 22 ? "nights" : hour < 9 ? "early mornings" : hour < 12 ? "mornings" : hour < 17 ? "afternoons" : "evenings";
	return psprintf("%s %s", weekday == 6 ? "Saturday" : weekday == 0 ? "Sunday" : "weekday", part);
}

static void
say_hour(Words *w, Jsonb *reasons, const char *local_time)
{
	double		hour = number_of(reasons, "hour");
	const char *when = part_of_week(local_time);
	const char *evidence = text_of(reasons, "evidence");
	bool		own = evidence != NULL && strncmp(evidence, "0 answers", 9) != 0;

	if (fabs(hour) < WORTH_A_WORD || when == NULL)
		return;
	add_word(w, psprintf("%s %s to contacts on %s %s", own ? "answers" : "debtors answer", hour > 0 ? "more" : "less", when, percent(hour)));
}

static void
say_days(Words *w, Jsonb *reasons)
{
	double		pay = number_of(reasons, "payday");
	double		delay = number_of(reasons, "delay");
	int			after = number_of(reasons, "payday_days");
	Jsonb	   *date = object_of(reasons, "date");
	const char *tag = text_of(date, "tag");

	if (fabs(pay) >= WORTH_A_WORD)
	{
		if (value_of(reasons, "payday_days") == NULL)
			add_word(w, psprintf("%s a payday %s", pay > 0 ? "near" : "far from", percent(pay)));
		else
			add_word(w, after == 0 ? psprintf("on the likeliest payday %s", percent(pay))
					 : psprintf("%d day%s after the likeliest payday %s", after, after == 1 ? "" : "s", percent(pay)));
	}
	if (tag != NULL)
	{
		const char *said = NULL;

		for (int i = 0; i < lengthof(tags); i++)
			if (strcmp(tags[i].tag, tag) == 0)
				said = tags[i].said;
		add_word(w, psprintf("%s %s", said != NULL ? said : tag, percent(number_of(date, "effect"))));
	}
	if (delay <= -0.01)
		add_word(w, psprintf("%.0f day%s of waiting %s", -100 * delay, -100 * delay < 1.5 ? "" : "s", percent(delay)));
}

/* "of 672 quarters of an hour 212 are allowed; quiet hours close 364, holidays 96"; by rule where that is told. */
static void
say_slots(Words *w, Jsonb *reasons)
{
	static const struct
	{
		const char *key;
		const char *said;
	}			kinds[] = {{"quiet_hours", "quiet hours"}, {"holiday", "holidays"}, {"caps", "caps"}};
	Jsonb	   *removed = object_of(reasons, "removed");
	Jsonb	   *rules = object_of(reasons, "closed_by");
	int			open = number_of(reasons, "slots");
	int			all = open;
	StringInfoData s;

	initStringInfo(&s);
	for (int i = 0; i < lengthof(kinds); i++)
	{
		int			n = number_of(removed, kinds[i].key);

		all += n;
		if (n > 0)
			appendStringInfo(&s, "%s%s %d", s.len == 0 ? "; closed by " : ", ", kinds[i].said, n);
	}
	if (all > 0)
		add_word(w, psprintf("of %d quarters of an hour %d are allowed%s", all, open, s.data));
	if (rules != NULL)
	{
		JsonbIterator *it = JsonbIteratorInit(&rules->root);
		JsonbValue	v;
		JsonbIteratorToken token;
		const char *rule = "";

		while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
			if (token == WJB_KEY)
				rule = pnstrdup(v.val.string.val, v.val.string.len);
			else if (token == WJB_VALUE && v.type == jbvNumeric)
				add_word(w, psprintf("rule %s closes %s", rule, DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v.val.numeric)))));
	}
}

static void
say_evidence(Words *w, Jsonb *reasons)
{
	const char *evidence = text_of(reasons, "evidence");

	if (evidence != NULL)
		add_word(w, psprintf("known of the debtor: %s", evidence));
	if (is_told(reasons, "calibrated", false))
		add_word(w, "what hours are worth here is not measured yet, so no gain is claimed");
}

/* What the gate holds the debtor for, whatever the hour: by the gate's own names. */
static void
say_holds(Words *w, Jsonb *reasons)
{
	Jsonb	   *holds = object_of(reasons, "blocked_by");
	uint32		n = holds != NULL && JB_ROOT_IS_ARRAY(holds) ? JB_ROOT_COUNT(holds) : 0;

	for (uint32 i = 0; i < n; i++)
	{
		JsonbValue *v = getIthJsonbValueFromContainer(&holds->root, i);

		if (v != NULL && v->type == jbvString)
			add_word(w, psprintf("held by the gate: %s", pnstrdup(v->val.string.val, v->val.string.len)));
	}
}

PG_FUNCTION_INFO_V1(dun_timing_sql_words);

/* _timing_words(reasons jsonb, local_time text, explored bool) → text[]; only reasons may not be NULL */
Datum
dun_timing_sql_words(PG_FUNCTION_ARGS)
{
	Words		w = {0};
	Jsonb	   *reasons;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	reasons = PG_GETARG_JSONB_P(0);
	if (is_told(reasons, "at_once", true))
		add_word(&w, "asked for at once");
	if (is_told(reasons, "deadline_compromised", true))
		add_word(&w, "earlier than wanted: between then and the deadline nothing is allowed");
	if (!PG_ARGISNULL(2) && PG_GETARG_BOOL(2))
		add_word(&w, "drawn by lot, so that what hours are worth can be measured");
	if (!PG_ARGISNULL(1))
	{
		say_hour(&w, reasons, text_to_cstring(PG_GETARG_TEXT_PP(1)));
		say_days(&w, reasons);
	}
	say_holds(&w, reasons);
	say_evidence(&w, reasons);
	say_slots(&w, reasons);
	PG_RETURN_DATUM(dun_base_make_texts(w.words, w.n));
}
