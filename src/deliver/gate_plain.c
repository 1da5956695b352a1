/*
 * deliver/gate_plain.c
 *		Who of a batch plainly passes the gate.
 *
 * _gate_sql() defines the answer. Whatever it looks at and this does not makes a case that is not plain.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/user.h"
#include "base/watch.h"
#include "deliver/arrays.h"
#include "deliver/epoch.h"
#include "deliver/gate.h"
#include "deliver/gate_plain.h"
#include "deliver/mask.h"
#include "gate/address.h"
#include "plan/kept_places.h"

#define MOST_PLACES 512

/* The texts of _gate_plain_texts(); those about debtors are statements. */
enum
{
	TEXT_CHANNELS, TEXT_PLACES, TEXT_FACTS, TEXT_CONTACTS, TEXT_TROUBLE, TEXT_MARKS, TEXTS
};

typedef struct Plain
{
	DunItem    *item;
	struct Plain *next;			/* with the same hash */
	bool		trouble;
	int			nfacts;
	int			place;
	uint64		consents;
	char	   *addresses[3];	/* e-mail, phone, postal; NULL: none */
	bool		counted;		/* its balance can be */
	bool		owes;
	char	   *mark;
	DunHistory	history;
	int			contacts_room;
	int			talks_room;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	const DunPlaceRules *rules;
	const char *address;
} Plain;

typedef struct Batch
{
	MemoryContext context;
	Plain	   *plains;
	int			n;
	Plain	  **table;
	int			mask;			/* of the table */
	DunMeans   *means;
	int			reading;		/* which text */
	bytea	   *key;			/* under which addresses are digested, NULL: none yet */
} Batch;

static DunKeptPlaces kept = {.most = MOST_PLACES};

static char *kept_texts[2];		/* channels, places; NULL: nobody is plain */

static DunStatement about[TEXTS];

static DunStatement state_sql = {
	"SELECT (SELECT k.key FROM dunning.digest_key k), dunning._is_key_lost(), dunning._ledger_problem() IS NULL",
	0, {0}, .harmless = true
};

static DunStatement suppressed_sql = {
	"SELECT s.address_digest FROM dunning.suppression s WHERE s.address_digest = ANY ($1)", 1, {BYTEAARRAYOID}, .harmless = true,
	.cursor_options = CURSOR_OPT_GENERIC_PLAN
};

/* --- texts --- */

/* Places hold as long as their text does. */
static void
renew_places(int i, const char *text)
{
	if (text != NULL && kept_texts[i] != NULL && strcmp(kept_texts[i], text) == 0)
		return;
	if (kept_texts[i] != NULL)
		pfree(kept_texts[i]);
	kept_texts[i] = NULL;
	kept.watched = 0;
	if (text != NULL)
		kept_texts[i] = MemoryContextStrdup(TopMemoryContext, text);
}

void
dun_deliver_renew_plain(Datum texts)
{
	char	   *all[TEXTS] = {NULL};

	if (texts != (Datum) 0)
		dun_plan_take_statements(texts, all, TEXTS);
	for (int i = TEXT_FACTS; i < TEXTS && texts != (Datum) 0; i++)
	{
		about[i].nargs = 2;
		about[i].types[0] = TIMESTAMPTZOID;
		about[i].types[1] = TEXTARRAYOID;
		about[i].cursor_options = CURSOR_OPT_GENERIC_PLAN;
		dun_base_renew(&about[i], all[i]);
	}
	renew_places(1, all[TEXT_PLACES]);
	renew_places(0, all[TEXT_CHANNELS]);
}

static void
read_texts(char **texts)
{
	for (int i = 0; i < DUN_PICK_TEXTS; i++)
		texts[i] = "SELECT WHERE false";
	texts[DUN_PICK_CHANNELS] = pstrdup(kept_texts[0]);
	texts[DUN_PICK_PLACES] = pstrdup(kept_texts[1]);
}

/* --- the batch --- */

static Plain **
find_place(Batch *b, const char *id, int len)
{
	Plain	  **at = &b->table[dun_base_hash64(id, len, 0) & b->mask];

	while (*at != NULL && (strlen((*at)->item->debtor_id) != len || memcmp((*at)->item->debtor_id, id, len) != 0))
		at = &(*at)->next;
	return at;
}

static Plain *
find(Batch *b, const Datum *v, const bool *isnull)
{
	int			len;
	const char *id = dun_plan_text_at(v, isnull, 0, &len);

	return id == NULL ? NULL : *find_place(b, id, len);
}

/* Of several messages to one debtor in a batch none is plain: they count against each other. */
static void
enter(Batch *b, DunItem **items, int n)
{
	int			size = 16;

	while (size < 2 * n)
		size *= 2;
	b->table = palloc0(size * sizeof(Plain *));
	b->mask = size - 1;
	b->plains = palloc0(n * sizeof(Plain));
	b->n = n;
	for (int i = 0; i < n; i++)
	{
		Plain	   *p = &b->plains[i];
		Plain	  **at;

		p->item = items[i];
		at = find_place(b, items[i]->debtor_id, (int) strlen(items[i]->debtor_id));
		if (*at == NULL)
			*at = p;
		else
			(*at)->trouble = p->trouble = true;
	}
}

static const char *
string_at(const Datum *v, const bool *isnull, int i)
{
	return isnull[i] ? "" : TextDatumGetCString(v[i]);
}

/* debtor_id, email, phone, address, country, region, kind, time zone, consent */
static void
take_facts(Batch *b, Plain *p, const Datum *v, const bool *isnull)
{
	p->nfacts++;
	for (int i = 0; i < lengthof(p->addresses); i++)
	{
		p->addresses[i] = isnull[i + 1] ? NULL : TextDatumGetCString(v[i + 1]);
		if (p->addresses[i] != NULL && *p->addresses[i] == '\0')
			p->addresses[i] = NULL;
	}
	p->place = dun_plan_place(b->means, string_at(v, isnull, 4), string_at(v, isnull, 5), string_at(v, isnull, 6), string_at(v, isnull, 7));
	p->consents = dun_plan_consents(b->means, isnull[8] ? NULL : DatumGetJsonbP(v[8]));
}

/* debtor_id, channel (NULL: a conversation), message_id, at, ord */
static void
take_contact(Batch *b, Plain *p, const Datum *v, const bool *isnull)
{
	DunHistory *h = &p->history;

	if (isnull[1])
	{
		if (h->ntalks == p->talks_room)
		{
			p->talks_room = p->talks_room * 2 + 4;
			h->talks = h->talks == NULL ? palloc(p->talks_room * sizeof(TimestampTz)) : repalloc(h->talks, p->talks_room * sizeof(TimestampTz));
		}
		h->talks[h->ntalks++] = DatumGetTimestampTz(v[3]);
		return;
	}
	if (h->ncontacts == p->contacts_room)
	{
		p->contacts_room = p->contacts_room * 2 + 4;
		h->contacts = h->contacts == NULL ? palloc(p->contacts_room * sizeof(DunContact)) : repalloc(h->contacts, p->contacts_room * sizeof(DunContact));
	}
	h->contacts[h->ncontacts++] = (DunContact) {
		.debtor_id = p->item->debtor_id, .channel = TextDatumGetCString(v[1]), .message_id = *DatumGetUUIDP(v[2]),
		.at = DatumGetTimestampTz(v[3]), .ord = DatumGetInt32(v[4])
	};
}

/* debtor_id */
static void
take_trouble(Batch *b, Plain *p, const Datum *v, const bool *isnull)
{
	p->trouble = true;
}

/* debtor_id, mark, whether it can be counted, whether anything is owed */
static void
take_mark(Batch *b, Plain *p, const Datum *v, const bool *isnull)
{
	p->mark = isnull[1] ? NULL : TextDatumGetCString(v[1]);
	p->counted = !isnull[2] && DatumGetBool(v[2]);
	p->owes = !isnull[3] && DatumGetBool(v[3]);
}

/* A row of the statement that is being read. */
static void
take_row(void *state, const Datum *v, const bool *isnull)
{
	static void (*const takes[TEXTS]) (Batch *, Plain *, const Datum *, const bool *) = {
		[TEXT_FACTS] = take_facts, [TEXT_CONTACTS] = take_contact, [TEXT_TROUBLE] = take_trouble, [TEXT_MARKS] = take_mark
	};
	Batch	   *b = state;
	Plain	   *p = find(b, v, isnull);
	MemoryContext before;

	if (p == NULL)
		return;
	before = MemoryContextSwitchTo(b->context);
	takes[b->reading] (b, p, v, isnull);
	MemoryContextSwitchTo(before);
}

static void
read_batch(Batch *b, TimestampTz at)
{
	DunArguments args = {.n = 2, .types = {TIMESTAMPTZOID, TEXTARRAYOID}};
	DunColumn  *ids = dun_deliver_column(TEXTOID, b->n);

	for (int i = 0; i < b->n; i++)
		dun_deliver_push_text(ids, b->plains[i].item->debtor_id);
	args.values[0] = TimestampTzGetDatum(at);
	args.values[1] = dun_deliver_array(ids);
	for (b->reading = TEXT_FACTS; b->reading < TEXTS; b->reading++)
		dun_plan_read_kept(&about[b->reading], &args, take_row, b);
}

/* False where nobody is plain: the ledger has a problem, or whose addresses are suppressed cannot be told. */
static bool
read_state(Batch *b)
{
	bool		no_key;
	bool		lost;
	bool		well;
	bool		isnull;
	Datum		key;

	if (dun_base_run(&state_sql, NULL, NULL, true, 1) != 1)
		return false;
	key = dun_base_value(0, 1, &no_key);
	lost = DatumGetBool(dun_base_value(0, 2, &isnull)) || isnull;
	well = DatumGetBool(dun_base_value(0, 3, &isnull)) && !isnull;
	MemoryContextSwitchTo(b->context);
	b->key = no_key ? NULL : DatumGetByteaPCopy(key);
	return well && !lost;
}

/* --- judging --- */

static int
find_channel(const DunMeans *means, const char *name, const DunChannel **channel)
{
	const DunChannel *channels;
	int			n = dun_plan_channels(means, &channels);

	for (int i = 0; i < n; i++)
		if (strcmp(channels[i].name, name) == 0)
		{
			*channel = &channels[i];
			return i;
		}
	return -1;
}

static bool
balance_is_told(const Plain *p)
{
	const char *told = p->item->mark;

	return p->counted && (told == NULL || (p->owes && p->mark != NULL && strcmp(p->mark, told) == 0));
}

/* All but suppression, which is asked of all at once. */
static bool
passes(Batch *b, Plain *p, TimestampTz at, uint64 watched)
{
	const DunChannel *channel;
	int			no;
	DunHistory	history;
	DunAsker	who = {.debtor_id = p->item->debtor_id, .message_id = &p->item->message_id};
	DunAddressKind kind;

	if (p->trouble || p->nfacts != 1 || p->place < 0 || !balance_is_told(p))
		return false;
	no = find_channel(b->means, p->item->out.channel, &channel);
	if (no < 0 || channel->address < 0 || (p->consents & (UINT64CONST(1) << no)) == 0)
		return false;
	p->address = p->addresses[channel->address];
	if (p->address == NULL)
		return false;
	kind = dun_gate_address_kind(channel->field, p->address, strlen(p->address));
	if (!dun_gate_address_is_good(kind, p->address, strlen(p->address)))
		return false;
	p->rules = dun_plan_kept_rules(&kept, p->place, no, watched);
	if (p->rules->windows == NULL || dun_calendar_closed(p->rules->windows, p->rules->zones, at) != NULL)
		return false;
	history = p->history;
	history.ncaps = p->rules->caps.ncaps;
	history.caps = p->rules->caps.caps;
	if (dun_gate_capped(&history, &who, p->rules->zones, p->rules->nzones, at, NULL) > 0)
		return false;
	if (b->key != NULL)
		dun_gate_digest_address(kind, p->address, strlen(p->address), b->key, p->digest);
	return true;
}

static bytea *
make_digest(const uint8 *digest)
{
	bytea	   *value = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

	SET_VARSIZE(value, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	memcpy(VARDATA(value), digest, PG_SHA256_DIGEST_LENGTH);
	return value;
}

/* Whatever the channel: which ones it is about the gate tells. */
static void
find_suppressed(Batch *b)
{
	DunColumn  *digests = dun_deliver_column(BYTEAOID, b->n);
	Datum		arg;
	uint64		rows;

	for (int i = 0; i < b->n; i++)
		if (!b->plains[i].trouble)
			dun_deliver_push(digests, PointerGetDatum(make_digest(b->plains[i].digest)));
	arg = dun_deliver_array(digests);
	rows = dun_base_run(&suppressed_sql, &arg, NULL, true, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		bool		isnull;
		bytea	   *found = DatumGetByteaPP(dun_base_value(row, 1, &isnull));

		for (int i = 0; i < b->n; i++)
			if (VARSIZE_ANY_EXHDR(found) == PG_SHA256_DIGEST_LENGTH && memcmp(VARDATA_ANY(found), b->plains[i].digest, PG_SHA256_DIGEST_LENGTH) == 0)
				b->plains[i].trouble = true;
	}
}

static void
let_through(const Batch *b, const Plain *p, TimestampTz asked_at, const DunEpoch *epoch)
{
	DunItem    *item = p->item;
	MemoryContext before = MemoryContextSwitchTo(item->context);

	item->gate_address = pstrdup(p->address);
	item->gate_digest = b->key == NULL ? (Datum) 0 : PointerGetDatum(make_digest(p->digest));
	MemoryContextSwitchTo(before);
	item->mask = dun_deliver_keep_mask(PointerGetDatum(p->rules->mask), asked_at);
	item->epoch = *epoch;
}

static void
judge(Batch *b, TimestampTz at)
{
	uint64		watched = dun_base_watched();
	DunUser		before = dun_base_become(DUN_OWNER_ROLE);
	DateADT		day = DatumGetDateADT(DirectFunctionCall1(timestamptz_date, TimestampTzGetDatum(at)));

	/* The rules are ours to read; the ledger is read as the worker, below. */
	(void) dun_plan_keep_places(&kept, read_texts, at, day, watched);
	b->means = kept.means;
	dun_base_unbecome(before);
	MemoryContextSwitchTo(b->context);
	read_batch(b, at);
	before = dun_base_become(DUN_OWNER_ROLE);
	for (int i = 0; i < b->n; i++)
		b->plains[i].trouble = !passes(b, &b->plains[i], at, watched);
	dun_base_unbecome(before);
	MemoryContextSwitchTo(b->context);
	find_suppressed(b);
	MemoryContextSwitchTo(b->context);
}

int
dun_deliver_pass_plain(DunItem **items, int n, DunItem **rest)
{
	MemoryContext before = CurrentMemoryContext;
	TimestampTz asked_at = GetCurrentTimestamp();
	DunEpoch	epoch = dun_deliver_ledger_is_steady() ? dun_deliver_epoch() : DUN_NO_EPOCH;
	Batch		b = {0};
	int			nrest = 0;

	memcpy(rest, items, n * sizeof(DunItem *));
	if (kept_texts[0] == NULL || n == 0)
		return n;
	b.context = AllocSetContextCreate(CurrentMemoryContext, "dunning plain cases", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(b.context);
	if (!read_state(&b))
	{
		MemoryContextSwitchTo(before);
		MemoryContextDelete(b.context);
		return n;
	}
	enter(&b, items, n);
	judge(&b, dun_base_now());
	for (int i = 0; i < n; i++)
		if (b.plains[i].trouble)
			rest[nrest++] = items[i];
		else
			let_through(&b, &b.plains[i], asked_at, &epoch);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(b.context);
	return nrest;
}
