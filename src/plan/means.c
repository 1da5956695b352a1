/*
 * plan/means.c
 *		Asked once and kept: a book has few creditors, price lists, texts and places, and many debtors.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/texts.h"
#include "plan/means.h"
#include "timing/best.h"
#include "timing/profile.h"

typedef struct PriceList
{
	struct PriceList *next;
	char	   *currency;
	char	   *country;
	DunPrice	prices[DUN_CHANNELS];
} PriceList;

typedef struct NamedCreditor
{
	char	   *name;			/* the key */
	DunCreditor creditor;
} NamedCreditor;

#define PLACE_LEN 192

typedef struct Place
{
	char		key[PLACE_LEN];	/* the four texts, each ended by \x1f */
	int			no;
} Place;

typedef struct PlaceEntry
{
	char	   *texts[4];
	DunPlaceRules *rules;		/* by channel, NULL: not asked */
} PlaceEntry;

typedef struct BookRow
{
	char	   *creditor;
	const DunPrior *prior;
} BookRow;

struct DunMeans
{
	MemoryContext context;
	char	  **texts;
	DunQuestion questions[DUN_PICK_TEXTS];
	TimestampTz at;
	DateADT		today;
	bool		by_country;
	int			nchannels;
	DunChannel	channels[DUN_CHANNELS];
	int			nsteps;
	DunPickStep *steps;
	int			nbook;
	BookRow    *book;
	HTAB	   *creditors;
	DunCreditor *last_creditor;
	HTAB	   *place_table;
	Place	   *last_place;
	int			nplaces,
				place_room;
	PlaceEntry *places;
	/* what is being read */
	DunCreditor *reading;
	PriceList  *reading_prices;
	DunPlaceRules *reading_rules;
	bool		answer;
};

static DunArguments
arguments_of(int n, const Oid *types)
{
	DunArguments a = {.n = n};

	memcpy(a.types, types, n * sizeof(Oid));
	return a;
}

static void
set_text(DunArguments *a, int i, const char *value)
{
	a->isnull[i] = value == NULL;
	a->values[i] = value == NULL ? (Datum) 0 : CStringGetTextDatum(value);
}

static void
ask(DunMeans *m, int text, const DunArguments *arguments, DunTake take)
{
	dun_plan_ask(&m->questions[text], m->texts[text], arguments, take, m);
}

static char *
keep_name(DunMeans *m, const Datum *v, const bool *isnull, int i)
{
	return dun_plan_name_at(m->context, v, isnull, i);
}

static int
channel_of(const DunMeans *m, const Datum *v, const bool *isnull, int i)
{
	int			len;
	const char *name = dun_plan_text_at(v, isnull, i, &len);

	for (int c = 0; name != NULL && c < m->nchannels; c++)
		if (strlen(m->channels[c].name) == len && memcmp(m->channels[c].name, name, len) == 0)
			return c;
	return -1;
}

/* --- channels, steps, book --- */

/* channel, address_field, service */
static void
take_channel(void *state, const Datum *v, const bool *isnull)
{
	DunMeans   *m = state;
	DunChannel *c;

	if (m->nchannels == DUN_CHANNELS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d channels", DUN_CHANNELS),
				 errdetail("A planning run weighs all channels against each other."),
				 errhint("SELECT channel, builtin FROM dunning.channel;")));
	c = &m->channels[m->nchannels++];
	c->name = keep_name(m, v, isnull, 0);
	c->field = keep_name(m, v, isnull, 1);
	c->address = strcmp(c->field, "email") == 0 ? 0 : strcmp(c->field, "phone") == 0 ? 1 : strcmp(c->field, "address") == 0 ? 2 : -1;
	c->service = DatumGetBool(v[2]);
}

/* strategy, step, template, channels, paid_channels, self_cure_days, self_cure_wait, must, gap, horizon, choose = 'value', self_cure, margin */
static void
take_step(void *state, const Datum *v, const bool *isnull)
{
	DunMeans   *m = state;
	MemoryContext before = MemoryContextSwitchTo(m->context);
	DunPickStep *s;
	Datum	   *names;

	m->steps = m->nsteps == 0 ? palloc(sizeof(DunPickStep)) : repalloc(m->steps, (m->nsteps + 1) * sizeof(DunPickStep));
	s = &m->steps[m->nsteps++];
	s->strategy = keep_name(m, v, isnull, 0);
	s->step = keep_name(m, v, isnull, 1);
	s->template = keep_name(m, v, isnull, 2);
	deconstruct_array(DatumGetArrayTypeP(v[3]), TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &s->nchannels);
	s->channels = palloc(Max(s->nchannels, 1) * sizeof(int));
	s->names = palloc(Max(s->nchannels, 1) * sizeof(char *));
	for (int i = 0; i < s->nchannels; i++)
	{
		static const bool is_null = false;

		s->channels[i] = channel_of(m, &names[i], &is_null, 0);
		s->names[i] = TextDatumGetCString(names[i]);
	}
	s->paid_channels = DatumGetBool(v[4]);
	s->self_cure_days = DatumGetInt32(v[5]);
	s->self_cure_wait = DatumGetInt32(v[6]);
	s->must = DatumGetBool(v[7]);
	s->gap = *DatumGetIntervalP(v[8]);
	s->horizon = *DatumGetIntervalP(v[9]);
	s->by_value = DatumGetBool(v[10]);
	s->self_cure = DatumGetFloat8(v[11]);
	s->margin = DatumGetFloat8(v[12]);
	MemoryContextSwitchTo(before);
}

/* creditor, prior */
static void
take_book(void *state, const Datum *v, const bool *isnull)
{
	DunMeans   *m = state;
	MemoryContext before = MemoryContextSwitchTo(m->context);
	BookRow    *b;

	m->book = m->nbook == 0 ? palloc(sizeof(BookRow)) : repalloc(m->book, (m->nbook + 1) * sizeof(BookRow));
	b = &m->book[m->nbook++];
	b->creditor = keep_name(m, v, isnull, 0);
	b->prior = isnull[1] ? NULL : dun_timing_prior(PG_DETOAST_DATUM_COPY(v[1]));
	MemoryContextSwitchTo(before);
}

DunMeans *
dun_plan_make_means(char **texts, TimestampTz at, DateADT today, bool by_country)
{
	DunMeans   *m = palloc0(sizeof(DunMeans));
	DunArguments none = {0};
	HASHCTL		by_place = {.keysize = PLACE_LEN, .entrysize = sizeof(Place), .hcxt = CurrentMemoryContext};

	m->context = CurrentMemoryContext;
	m->texts = texts;
	m->at = at;
	m->today = today;
	m->by_country = by_country;
	m->creditors = dun_base_make_names("dunning creditors", 16, sizeof(NamedCreditor), m->context);
	m->place_table = hash_create("dunning places", 64, &by_place, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	dun_plan_read(texts[DUN_PICK_CHANNELS], &none, take_channel, m);
	dun_plan_read(texts[DUN_PICK_STEPS], &none, take_step, m);
	dun_plan_read(texts[DUN_PICK_BOOK], &none, take_book, m);
	return m;
}

void
dun_plan_end_questions(DunMeans *m)
{
	memset(m->questions, 0, sizeof(m->questions));
}

int
dun_plan_channels(const DunMeans *m, const DunChannel **channels)
{
	*channels = m->channels;
	return m->nchannels;
}

const DunPickStep *
dun_plan_pick_step(const DunMeans *m, const char *strategy, int strategy_len, const char *step, int step_len)
{
	for (int i = 0; i < m->nsteps; i++)
	{
		const DunPickStep *s = &m->steps[i];

		if (strlen(s->step) == step_len && memcmp(s->step, step, step_len) == 0 &&
			strlen(s->strategy) == strategy_len && memcmp(s->strategy, strategy, strategy_len) == 0)
			return s;
	}
	elog(ERROR, "step %.*s of strategy %.*s is gone", step_len, step, strategy_len, strategy);
}

/* --- creditors --- */

/* channel, server, paused */
static void
take_server(void *state, const Datum *v, const bool *isnull)
{
	DunMeans   *m = state;
	int			c = channel_of(m, v, isnull, 0);

	if (c < 0 || isnull[1])
		return;
	m->reading->servers[c].name = keep_name(m, v, isnull, 1);
	m->reading->servers[c].paused = DatumGetBool(v[2]);
}

/* channel, share, usual_share, p_opt_out */
static void
take_share(void *state, const Datum *v, const bool *isnull)
{
	DunMeans   *m = state;
	int			c = channel_of(m, v, isnull, 0);

	if (c < 0 || isnull[1] || isnull[2] || isnull[3])
		return;
	m->reading->shares[c] = (DunShare) {true, DatumGetFloat8(v[1]), DatumGetFloat8(v[2]), DatumGetFloat8(v[3])};
}

static void
read_creditor(DunMeans *m, DunCreditor *c)
{
	static const Oid types[1] = {TEXTOID};
	DunArguments a = arguments_of(1, types);

	c->written = MemoryContextAlloc(m->context, Max(m->nsteps * DUN_CHANNELS, 1));
	memset(c->written, -1, Max(m->nsteps * DUN_CHANNELS, 1));
	m->reading = c;
	set_text(&a, 0, c->name);
	ask(m, DUN_PICK_SERVERS, &a, take_server);
	ask(m, DUN_PICK_SHARES, &a, take_share);
}

DunCreditor *
dun_plan_creditor(DunMeans *m, const char *name, int len)
{
	char	   *key;
	NamedCreditor *entry;
	bool		found;

	if (m->last_creditor != NULL && strlen(m->last_creditor->name) == len && memcmp(m->last_creditor->name, name, len) == 0)
		return m->last_creditor;
	key = pnstrdup(name, len);
	entry = hash_search(m->creditors, &key, HASH_ENTER, &found);
	if (!found)
	{
		memset(&entry->creditor, 0, sizeof(entry->creditor));
		entry->name = entry->creditor.name = MemoryContextStrdup(m->context, key);
		read_creditor(m, &entry->creditor);
	}
	return m->last_creditor = &entry->creditor;
}

const DunPrior *
dun_plan_book_prior(DunMeans *m, const char *creditor, int len)
{
	for (int i = 0; i < m->nbook; i++)
		if (strlen(m->book[i].creditor) == len && memcmp(m->book[i].creditor, creditor, len) == 0)
			return m->book[i].prior;
	return NULL;
}

/* --- prices and texts --- */

/* channel, cost, priced_in */
static void
take_price(void *state, const Datum *v, const bool *isnull)
{
	DunMeans   *m = state;
	MemoryContext before = MemoryContextSwitchTo(m->context);
	int			c = channel_of(m, v, isnull, 0);

	if (c >= 0 && !isnull[1])
	{
		DunPrice   *p = &m->reading_prices->prices[c];

		p->known = true;
		p->exact = PointerGetDatum(PG_DETOAST_DATUM_COPY(v[1]));
		p->cost = DatumGetFloat8(DirectFunctionCall1(numeric_float8, p->exact));
		p->currency = keep_name(m, v, isnull, 2);
	}
	MemoryContextSwitchTo(before);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

const DunPrice *
dun_plan_prices(DunMeans *m, DunCreditor *c, const char *currency, const char *country)
{
	static const Oid types[4] = {TEXTOID, DATEOID, TEXTOID, TEXTOID};
	DunArguments a = arguments_of(4, types);
	PriceList  *list;

	/* countries matter where some price is for one */
	if (!m->by_country)
		country = NULL;
	for (list = c->prices; list != NULL; list = list->next)
		if (same_text(list->currency, currency) && same_text(list->country, country))
			return list->prices;
	list = MemoryContextAllocZero(m->context, sizeof(PriceList));
	list->currency = currency == NULL ? NULL : MemoryContextStrdup(m->context, currency);
	list->country = country == NULL ? NULL : MemoryContextStrdup(m->context, country);
	list->next = c->prices;
	c->prices = m->reading_prices = list;
	set_text(&a, 0, c->name);
	a.values[1] = DateADTGetDatum(m->today);
	set_text(&a, 2, currency);
	set_text(&a, 3, country);
	ask(m, DUN_PICK_PRICES, &a, take_price);
	return list->prices;
}

static void
take_answer(void *state, const Datum *v, const bool *isnull)
{
	((DunMeans *) state)->answer = !isnull[0] && DatumGetBool(v[0]);
}

bool
dun_plan_is_written(DunMeans *m, DunCreditor *c, const DunPickStep *step, int channel)
{
	static const Oid types[3] = {TEXTOID, TEXTOID, TEXTOID};
	int8	   *written = &c->written[(step - m->steps) * DUN_CHANNELS + channel];

	if (*written < 0)
	{
		DunArguments a = arguments_of(3, types);

		set_text(&a, 0, step->template);
		set_text(&a, 1, m->channels[channel].name);
		set_text(&a, 2, c->name);
		m->answer = false;
		ask(m, DUN_PICK_WRITTEN, &a, take_answer);
		*written = m->answer;
	}
	return *written > 0;
}

/* --- places --- */

int
dun_plan_place(DunMeans *m, const char *country, const char *region, const char *kind, const char *zone)
{
	const char *texts[4] = {country, region, kind, zone};
	char		key[PLACE_LEN] = {0};
	Place	   *place;
	bool		found;

	if (snprintf(key, sizeof(key), "%s\x1f%s\x1f%s\x1f%s", country, region, kind, zone) >= sizeof(key))
		return -1;
	if (m->last_place != NULL && strcmp(m->last_place->key, key) == 0)
		return m->last_place->no;
	place = hash_search(m->place_table, key, HASH_ENTER, &found);
	if (!found)
	{
		if (m->nplaces == m->place_room)
		{
			m->place_room = m->place_room * 2 + 64;
			m->places = m->places == NULL ? MemoryContextAlloc(m->context, m->place_room * sizeof(PlaceEntry))
				: repalloc_huge(m->places, m->place_room * sizeof(PlaceEntry));
		}
		place->no = m->nplaces++;
		m->places[place->no].rules = NULL;
		for (int i = 0; i < 4; i++)
			m->places[place->no].texts[i] = MemoryContextStrdup(m->context, texts[i]);
	}
	return (m->last_place = place)->no;
}

const char *
dun_plan_country_of(const DunMeans *m, int place)
{
	return place < 0 || m->places[place].texts[0][0] == '\0' ? NULL : m->places[place].texts[0];
}

/* channel, windows, caps, zone, effects, names of the rules */
static void
take_rules(void *state, const Datum *v, const bool *isnull)
{
	DunMeans   *m = state;
	MemoryContext before = MemoryContextSwitchTo(m->context);
	int			c = channel_of(m, v, isnull, 0);

	if (c >= 0 && !isnull[1])
	{
		DunPlaceRules *r = &m->reading_rules[c];

		r->mask = (bytea *) PG_DETOAST_DATUM_COPY(v[1]);
		r->windows = dun_calendar_windows(r->mask);
		r->key = dun_timing_windows_key(r->windows);
		r->nzones = dun_calendar_resolve_zones(r->windows, r->zones);
		dun_gate_read_history(&r->caps, isnull[2] ? NULL : (ArrayType *) PG_DETOAST_DATUM_COPY(v[2]), NULL, NULL, NULL, NULL, NULL, NULL);
		r->zone = keep_name(m, v, isnull, 3);
		r->effects = isnull[4] ? NULL : dun_calendar_effects((bytea *) PG_DETOAST_DATUM_COPY(v[4]));
		r->names = isnull[5] ? NULL : (ArrayType *) PG_DETOAST_DATUM_COPY(v[5]);
	}
	MemoryContextSwitchTo(before);
}

const DunPlaceRules *
dun_plan_rules(DunMeans *m, int place, int channel)
{
	static const Oid types[5] = {TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	PlaceEntry *p = &m->places[place];

	if (p->rules == NULL)
	{
		DunArguments a = arguments_of(5, types);

		p->rules = MemoryContextAllocZero(m->context, sizeof(DunPlaceRules) * Max(m->nchannels, 1));
		a.values[0] = TimestampTzGetDatum(m->at);
		for (int i = 0; i < 4; i++)
			set_text(&a, i + 1, p->texts[i]);
		m->reading_rules = p->rules;
		ask(m, DUN_PICK_PLACES, &a, take_rules);
	}
	return &p->rules[channel];
}

bool
dun_plan_has_rules(const DunMeans *m, int place)
{
	return m->places[place].rules != NULL;
}

uint64
dun_plan_consents(const DunMeans *m, Jsonb *consent)
{
	const DunChannel *channels;
	int			n = dun_plan_channels(m, &channels);
	bool		is_object = consent != NULL && JB_ROOT_IS_OBJECT(consent);
	bool		says_nothing = consent == NULL;
	uint64		agreed = 0;

	if (consent != NULL && JB_ROOT_IS_SCALAR(consent))
	{
		JsonbValue	scalar;

		says_nothing = JsonbExtractScalar(&consent->root, &scalar) && scalar.type == jbvNull;
	}
	for (int c = 0; c < n; c++)
	{
		JsonbValue	value = {.type = jbvNull};
		bool		yes = says_nothing && channels[c].service;

		if (is_object)
		{
			if (getKeyJsonValueFromContainer(&consent->root, channels[c].name, strlen(channels[c].name), &value) == NULL ||
				value.type == jbvNull)
				yes = channels[c].service;
			else
				yes = value.type == jbvBool && value.val.boolean;
		}
		if (yes)
			agreed |= UINT64CONST(1) << c;
	}
	return agreed;
}
