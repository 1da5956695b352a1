/*
 * plan/ladder_facts.c
 *		What is known of a debtor but the account: strategy, steps that were taken, contacts of late.
 */
#include "postgres.h"

#include "utils/datetime.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "calendar/window.h"
#include "plan/ladder.h"

/* --- steps that were taken --- */

/* The part of a text between slashes, as split_part() counts them from 1; the last runs to the next slash too. */
static const char *
key_part(const char *key, int len, int part, int *part_len)
{
	const char *end = key + len;

	for (; part > 1; part--)
	{
		const char *slash = memchr(key, '/', end - key);

		key = slash == NULL ? end : slash + 1;
	}
	*part_len = end - key;
	if (memchr(key, '/', *part_len) != NULL)
		*part_len = (const char *) memchr(key, '/', *part_len) - key;
	return key;
}

static bool
read_day(const char *s, int len, DateADT *day)
{
	int			y = 0,
				m,
				d,
				i = 0;

	for (; i < len && s[i] >= '0' && s[i] <= '9' && i < 7; i++)
		y = y * 10 + (s[i] - '0');
	if (i < 4 || len != i + 6 || s[i] != '-' || s[i + 3] != '-' || strspn(s + i + 1, "0123456789") < 2 ||
		strspn(s + i + 4, "0123456789") < 2)
		return false;
	m = (s[i + 1] - '0') * 10 + (s[i + 2] - '0');
	d = (s[i + 4] - '0') * 10 + (s[i + 5] - '0');
	if (m < 1 || m > 12 || d < 1 || d > 31)
		return false;
	*day = date2j(y, m, d) - POSTGRES_EPOCH_JDATE;
	return true;
}

/* The n of YYYY-MM-DD#n, which is cut off; 1 where there is none. */
static int
read_times(const char *part, int *len)
{
	const char *hash = memchr(part, '#', *len);
	int			times = 0;

	if (hash == NULL)
		return 1;
	for (const char *p = hash + 1; p < part + *len && *p >= '0' && *p <= '9' && times < 100000; p++)
		times = times * 10 + (*p - '0');
	*len = hash - part;
	return Max(times, 1);
}

/* strategy/step/YYYY-MM-DD, with #n for the nth time */
static bool
read_had(const DunStrategy *s, const DunRow *row, DunHad *had)
{
	int			len;
	const char *key = dun_plan_row_text(row, 0, &len);
	int			part_len;
	const char *part;

	if (key == NULL)
		return false;
	part = key_part(key, len, 1, &part_len);
	if (part_len != strlen(s->name) || memcmp(part, s->name, part_len) != 0)
		return false;
	part = key_part(key, len, 2, &part_len);
	for (had->step = 0; had->step < s->nsteps; had->step++)
		if (part_len == strlen(s->steps[had->step].name) && memcmp(part, s->steps[had->step].name, part_len) == 0)
			break;
	part = key_part(key, len, 3, &part_len);
	had->times = read_times(part, &part_len);
	had->on = row->due;
	return had->step < s->nsteps && read_day(part, part_len, &had->anchor);
}

/* --- contacts --- */

typedef struct Touch
{
	pg_uuid_t	message;
	TimestampTz at;				/* of the first attempt */
} Touch;

/* Attempts of a message and its companion are one contact: see plan's _touch(). */
static int
add_touch(Touch *touches, int n, const DunRow *row)
{
	pg_uuid_t	message;
	int			len;

	memcpy(&message, dun_plan_row_text(row, 0, &len), UUID_LEN);
	message.data[8] = 0;
	for (int i = 0; i < n; i++)
		if (memcmp(&touches[i].message, &message, UUID_LEN) == 0)
		{
			touches[i].at = Min(touches[i].at, row->stated);
			return n;
		}
	touches[n] = (Touch) {message, row->stated};
	return n + 1;
}

TimestampTz
dun_plan_last_heard(const DunRow *rows)
{
	TimestampTz heard = DT_NOBEGIN;

	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (row->kind == DUN_ROW_HEARD || row->kind == DUN_ROW_PAYMENT || row->kind == DUN_ROW_ACCOUNT)
			heard = Max(heard, row->stated);
	return heard;
}

static void
read_contacts(const DunLadder *run, const DunRow *rows, int ncontacts, DunDebtor *debtor, DunFacts *facts)
{
	Touch	   *touches = palloc(ncontacts * sizeof(Touch));
	TimestampTz *at = palloc(ncontacts * sizeof(TimestampTz));
	TimestampTz heard = dun_plan_last_heard(rows);
	int			n = 0,
				minute;

	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (row->kind == DUN_ROW_CONTACT)
			n = add_touch(touches, n, row);
	for (int i = 0; i < n; i++)
	{
		at[i] = touches[i].at;
		debtor->last_contact = Max(debtor->last_contact, at[i]);
		debtor->n7 += at[i] > run->week_ago;
		debtor->n30 += at[i] > run->month_ago;
		facts->contacts.unanswered += at[i] > heard;
	}
	facts->contacts.last_day = dun_calendar_local(debtor->last_contact, run->zone, &minute);
	facts->contacts.n = n;
	facts->contacts.at = at;
}

/* --- a debtor --- */

void
dun_plan_collect_facts(const DunLadder *run, const DunRow *rows, DunDebtor *debtor, DunFacts *facts)
{
	int			nhad = 0,
				ncontacts = 0;
	DunHad	   *had = NULL;

	memset(debtor, 0, sizeof(*debtor));
	debtor->last_contact = DT_NOBEGIN;
	memset(facts, 0, sizeof(*facts));
	facts->today = run->today;
	facts->currencies = run->currencies;
	facts->now = run->now;
	facts->contacts.last_day = DATEVAL_NOBEGIN;
	for (const DunRow *row = rows; row != NULL; row = row->next)
	{
		if (row->kind == DUN_ROW_DEBTOR)
			debtor->row = row;
		else if (row->kind == DUN_ROW_WAITING)
			debtor->waiting = true;
		else if (row->kind == DUN_ROW_CONTACT)
			ncontacts++;
		else if (row->kind == DUN_ROW_HAD)
			nhad++;
	}
	if (ncontacts > 0)
		read_contacts(run, rows, ncontacts, debtor, facts);
	if (debtor->row != NULL)
	{
		int			len;
		const char *name = dun_plan_row_text(debtor->row, 2, &len);

		facts->strategy = dun_plan_find_strategy(run, name, len);
	}
	if (nhad == 0 || facts->strategy == NULL)
		return;
	facts->had = had = palloc(nhad * sizeof(DunHad));
	for (const DunRow *row = rows; row != NULL; row = row->next)
		if (row->kind == DUN_ROW_HAD && read_had(facts->strategy, row, &had[facts->nhad]))
			facts->nhad++;
}
