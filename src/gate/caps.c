/*
 * gate/caps.c
 *		Caps count calendar days of the debtor's zone: "3 in 7 days" means in any seven days in a row.
 *
 * A contact planned for later stands beside what is queued for later still, so days are counted to both
 * sides of the instant. That can only refuse more, never less, than counting every window by itself.
 * Attempts of one message are one contact. Where the zone is not known, every candidate counts.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "calendar/window.h"
#include "gate/caps.h"

/* ---- reading ---- */

static int
elements(ArrayType *array, Oid type, int len, bool byval, char align, Datum **values, bool **nulls)
{
	int			n = 0;

	*values = NULL;
	*nulls = NULL;
	if (array != NULL)
		deconstruct_array(array, type, len, byval, align, values, nulls, &n);
	return n;
}

/*
 * "rule \x1f cap \x1f days \x1f scope \x1f gap \x1f silence \x1f channels \x1f first \x1f last", as dunning._rules_sql() packs it;
 * the dates, days since 2000, are empty or left out where it holds always.
 */
static void
read_cap(DunCap *cap, char *packed)
{
	char	   *field[9] = {0};
	int			i;

	for (i = 0; i < 9; i++)
		field[i] = strsep(&packed, "\x1f");
	if (field[6] == NULL || packed != NULL)
		elog(ERROR, "malformed cap");
	cap->first = field[7] == NULL || field[7][0] == '\0' ? DATEVAL_NOBEGIN : (DateADT) strtol(field[7], NULL, 10);
	cap->last = field[8] == NULL || field[8][0] == '\0' ? DATEVAL_NOEND : (DateADT) strtol(field[8], NULL, 10);
	cap->rule = field[0];
	cap->cap = atoi(field[1]);
	cap->days = atoi(field[2]);
	cap->person = strcmp(field[3], "person") == 0;
	cap->gap = strtoll(field[4], NULL, 10) * USECS_PER_SEC;
	cap->silence = strtoll(field[5], NULL, 10) * USECS_PER_SEC;
	cap->channels = strcmp(field[6], "*") == 0 ? NULL : field[6];
}

void
dun_gate_read_history(DunHistory *h, ArrayType *caps, ArrayType *debtors, ArrayType *channels,
					  ArrayType *messages, ArrayType *ats, ArrayType *ords, ArrayType *talks)
{
	Datum	   *v[5];
	bool	   *nulls[5];
	int			i;

	memset(h, 0, sizeof(*h));
	h->ncaps = elements(caps, TEXTOID, -1, false, TYPALIGN_INT, &v[0], &nulls[0]);
	h->caps = palloc0(sizeof(DunCap) * Max(h->ncaps, 1));
	for (i = 0; i < h->ncaps; i++)
		read_cap(&h->caps[i], TextDatumGetCString(v[0][i]));

	h->ncontacts = elements(debtors, TEXTOID, -1, false, TYPALIGN_INT, &v[0], &nulls[0]);
	if (elements(channels, TEXTOID, -1, false, TYPALIGN_INT, &v[1], &nulls[1]) != h->ncontacts ||
		elements(messages, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, &v[2], &nulls[2]) != h->ncontacts ||
		elements(ats, TIMESTAMPTZOID, sizeof(TimestampTz), true, TYPALIGN_DOUBLE, &v[3], &nulls[3]) != h->ncontacts ||
		elements(ords, INT4OID, sizeof(int32), true, TYPALIGN_INT, &v[4], &nulls[4]) != h->ncontacts)
		elog(ERROR, "arrays of contacts differ in length");
	h->contacts = palloc(sizeof(DunContact) * Max(h->ncontacts, 1));
	for (i = 0; i < h->ncontacts; i++)
	{
		DunContact *c = &h->contacts[i];

		c->debtor_id = TextDatumGetCString(v[0][i]);
		c->channel = TextDatumGetCString(v[1][i]);
		c->message_id = *DatumGetUUIDP(v[2][i]);
		c->at = DatumGetTimestampTz(v[3][i]);
		c->ord = DatumGetInt32(v[4][i]);
	}

	h->ntalks = elements(talks, TIMESTAMPTZOID, sizeof(TimestampTz), true, TYPALIGN_DOUBLE, &v[0], &nulls[0]);
	h->talks = palloc(sizeof(TimestampTz) * Max(h->ntalks, 1));
	for (i = 0; i < h->ntalks; i++)
		h->talks[i] = DatumGetTimestampTz(v[0][i]);
}

/* ---- judging ---- */

static bool
counts_channel(const DunCap *cap, const char *channel)
{
	size_t		len = strlen(channel);
	const char *p = cap->channels;

	if (p == NULL)
		return true;
	for (; *p != '\0'; p += strcspn(p, "\x1e"), p += *p == '\x1e')
		if (strncmp(p, channel, len) == 0 && (p[len] == '\x1e' || p[len] == '\0'))
			return true;
	return false;
}

/* A message and its companion have one key but for the ninth octet (plan's _touch()): together they are one contact. */
static bool
same_touch(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, 8) == 0 && memcmp(a->data + 9, b->data + 9, UUID_LEN - 9) == 0;
}

static bool
counts(const DunCap *cap, const DunContact *c, const DunAsker *who)
{
	if (c->ord < 0 && who->message_id != NULL)
		return false;
	if (c->ord > 0 && (who->message_id == NULL || c->ord >= who->ord))
		return false;
	if (who->message_id != NULL && same_touch(&c->message_id, who->message_id))
		return false;
	return (cap->person || strcmp(c->debtor_id, who->debtor_id) == 0) && counts_channel(cap, c->channel);
}

/* Does this contact count within the cap's days? */
static bool
falls_under(const DunHistory *h, const DunCap *cap, const DunAsker *who, const DateADT *dates, DateADT today, int i)
{
	return abs(dates[i] - today) < cap->days && counts(cap, &h->contacts[i], who);
}

/* Attempts of a message, its companion and their events are one contact, counted where the first of them falls under the cap. */
static bool
is_repeated(const DunHistory *h, const DunCap *cap, const DunAsker *who, const DateADT *dates, DateADT today, int n)
{
	int			i;

	for (i = 0; i < n; i++)
		if (same_touch(&h->contacts[i].message_id, &h->contacts[n].message_id) &&
			falls_under(h, cap, who, dates, today, i))
			return true;
	return false;
}

static bool
cap_reached(const DunHistory *h, const DunCap *cap, const DunAsker *who, const DateADT *dates, DateADT today)
{
	int			n = 0,
				i;

	for (i = 0; i < h->ncontacts; i++)
		if (falls_under(h, cap, who, dates, today, i) && !is_repeated(h, cap, who, dates, today, i))
			n++;
	return n >= cap->cap;
}

/* In any of the zones. */
static bool
cap_reached_somewhere(const DunHistory *h, const DunCap *cap, const DunAsker *who, const DateADT *today, int nzones)
{
	int			z;

	if (cap->cap <= 0)
		return cap->cap == 0;
	for (z = 0; z < nzones && h->ncontacts >= cap->cap; z++)
		if (cap_reached(h, cap, who, h->dates + z * h->ncontacts, today[z]))
			return true;
	return false;
}

static bool
gap_too_short(const DunHistory *h, const DunCap *cap, const DunAsker *who, TimestampTz at)
{
	int			i;

	for (i = 0; cap->gap > 0 && i < h->ncontacts; i++)
		if (counts(cap, &h->contacts[i], who) && h->contacts[i].at - at < cap->gap && at - h->contacts[i].at < cap->gap)
			return true;
	return false;
}

static bool
just_talked(const DunHistory *h, const DunCap *cap, TimestampTz at)
{
	int			i;

	for (i = 0; cap->silence > 0 && i < h->ntalks; i++)
		if (h->talks[i] <= at && at - h->talks[i] < cap->silence)
			return true;
	return false;
}

static bool
is_dated(const DunCap *cap)
{
	return cap->first != DATEVAL_NOBEGIN || cap->last != DATEVAL_NOEND;
}

/* Does it hold on the local date of any zone? */
static bool
holds_on(const DunCap *cap, const DateADT *today, int nzones)
{
	if (!is_dated(cap))
		return true;
	for (int z = 0; z < nzones; z++)
		if (today[z] >= cap->first && today[z] <= cap->last)
			return true;
	return false;
}

bool
dun_gate_bars_all(const DunHistory *h, bool *dated)
{
	bool		bars = false;

	*dated = false;
	for (int i = 0; i < h->ncaps; i++)
		if (h->caps[i].cap == 0)
		{
			bars = true;
			*dated |= is_dated(&h->caps[i]);
		}
	return bars;
}

/* A gap or silence ends within the day. One that is over by then, or does not begin before the end, does not. */
bool
dun_gate_caps_are_daily(const DunHistory *h, TimestampTz from, TimestampTz until)
{
	for (int i = 0; i < h->ncaps; i++)
	{
		const DunCap *cap = &h->caps[i];

		for (int c = 0; cap->gap > 0 && c < h->ncontacts; c++)
			if (h->contacts[c].at > from - cap->gap && h->contacts[c].at < until + cap->gap)
				return false;
		for (int t = 0; cap->silence > 0 && t < h->ntalks; t++)
			if (h->talks[t] > from - cap->silence && h->talks[t] <= until)
				return false;
	}
	return true;
}

static void
find_dates(DunHistory *h, pg_tz *const zones[], int nzones)
{
	int			minute,
				z,
				i;

	h->dates = palloc(sizeof(DateADT) * Max(nzones * h->ncontacts, 1));
	for (z = 0; z < nzones; z++)
		for (i = 0; i < h->ncontacts; i++)
			h->dates[z * h->ncontacts + i] = dun_calendar_local(h->contacts[i].at, zones[z], &minute);
}

static bool
needs_dates(const DunHistory *h)
{
	for (int i = 0; i < h->ncaps; i++)
		if (is_dated(&h->caps[i]))
			return true;
	return h->ncontacts > 0;
}

int
dun_gate_capped(DunHistory *h, const DunAsker *who, pg_tz *const zones[], int nzones, TimestampTz at, char **words)
{
	DateADT		today[DUN_ZONES];
	bool		dated = needs_dates(h);
	int			n = 0,
				minute,
				i;

	if (h->dates == NULL)
		find_dates(h, zones, nzones);
	for (i = 0; i < nzones && dated; i++)
		today[i] = dun_calendar_local(at, zones[i], &minute);
	for (i = 0; i < h->ncaps; i++)
	{
		const DunCap *cap = &h->caps[i];
		bool		reached;

		if (!holds_on(cap, today, nzones))
			continue;
		reached = cap_reached_somewhere(h, cap, who, today, nzones);
		if (words == NULL)
		{
			if (reached || gap_too_short(h, cap, who, at) || just_talked(h, cap, at))
				return 1;
			continue;
		}
		if (reached)
			words[n++] = psprintf("cap:%s", cap->rule);
		if (gap_too_short(h, cap, who, at))
			words[n++] = psprintf("min_gap:%s", cap->rule);
		if (just_talked(h, cap, at))
			words[n++] = psprintf("after_conversation:%s", cap->rule);
	}
	return n;
}
