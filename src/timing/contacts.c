/*
 * timing/contacts.c
 *		An answer ends all that lie there unanswered: nobody can tell to which of two reminders it is owed, and whoever
 *		has answered is not asked by the earlier one any more. It is counted once, for the last contact that had arrived.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "timing/contacts.h"

/* Nobody reads a message and answers it within seconds: that was a machine which looks into links. */
#define MACHINES (10 * USECS_PER_SEC)

TimestampTz *
dun_timing_read_instants(FunctionCallInfo fcinfo, int arg, int *n)
{
	TimestampTz *out;
	Datum	   *values;

	*n = 0;
	if (PG_ARGISNULL(arg))
		return NULL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, NULL, n);
	out = palloc(sizeof(TimestampTz) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		out[i] = DatumGetTimestampTz(values[i]);
		if (TIMESTAMP_NOT_FINITE(out[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("contacts and answers happen at finite instants"),
					 errhint("SELECT * FROM dunning.event WHERE NOT isfinite(at);")));
	}
	return out;
}

void
dun_timing_read_contacts(DunContacts *c, FunctionCallInfo fcinfo, int first)
{
	Datum	   *channels = NULL;
	int			n = 0;

	c->sent = dun_timing_read_instants(fcinfo, first, &c->n);
	c->answers = dun_timing_read_instants(fcinfo, first + 2, &c->nanswers);
	if (!PG_ARGISNULL(first + 1))
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(first + 1), TEXTOID, -1, false, TYPALIGN_INT, &channels, NULL, &n);
	if (n != c->n)
		elog(ERROR, "arrays of contacts differ in length");
	c->media = palloc(sizeof(int) * Max(n, 1));
	for (int i = 0; i < n; i++)
		c->media[i] = dun_timing_medium(TextDatumGetCString(channels[i]));
}

static TimestampTz
arrival(const DunContacts *c, const DunPrior *prior, int i)
{
	DunDelay	d = dun_timing_delay(prior, c->media[i]);

	return c->sent[i] + d.lag * USECS_PER_HOUR;
}

static bool
is_machine(const DunContacts *c, TimestampTz answer)
{
	int			call = dun_timing_medium("call");

	for (int i = 0; i < c->n; i++)
		if (c->media[i] != call && answer >= c->sent[i] && answer < c->sent[i] + MACHINES)
			return true;
	return false;
}

static void
drop_machines(DunContacts *c)
{
	int			kept = 0;

	for (int i = 0; i < c->nanswers; i++)
		if (!is_machine(c, c->answers[i]))
			c->answers[kept++] = c->answers[i];
	c->nanswers = kept;
}

/* Fills in *o; false where the contact is not over yet. */
static bool
settle_one(const DunContacts *c, const DunPrior *prior, int i, TimestampTz now, DunContactOver *o)
{
	DunDelay	d = dun_timing_delay(prior, c->media[i]);
	TimestampTz from = arrival(c, prior, i);
	TimestampTz until = from + d.reach * USECS_PER_HOUR;

	*o = (DunContactOver) {.sent = c->sent[i], .medium = c->media[i], .counts = true};
	for (int a = 0; a < c->nanswers && o->answered == 0; a++)
		if (c->answers[a] >= from && c->answers[a] < Min(until, now))
			o->answered = c->answers[a];
	for (int j = i + 1; j < c->n && c->sent[j] <= o->answered && o->counts; j++)
		if (arrival(c, prior, j) <= o->answered)
			o->counts = false;
	return o->answered != 0 || until <= now;
}

void
dun_timing_settle(DunContacts *c, const DunPrior *prior, TimestampTz after, TimestampTz now)
{
	drop_machines(c);
	c->nover = 0;
	c->over = palloc(sizeof(DunContactOver) * Max(c->n, 1));
	for (int i = 0; i < c->n; i++)
	{
		if (c->sent[i] <= after)
			continue;
		if (!settle_one(c, prior, i, now, &c->over[c->nover]))
		{
			/* Those sent at the same instant wait for each other: the instant tells what was entered. */
			while (c->nover > 0 && c->over[c->nover - 1].sent == c->sent[i])
				c->nover--;
			return;
		}
		c->nover++;
	}
}
