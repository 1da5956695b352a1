/*
 * feature/state.c
 *		The aggregate dunning._history(): one pass over rows, one value a debtor.
 *
 * A row is a head of eight octets, the fields that it has, eight octets each, and its texts, padded. The room of a state
 * doubles when it is full; what is not used yet is part of the value, so that it can grow where it stands.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/amount.h"
#include "base/compat.h"
#include "base/hash.h"
#include "feature/state.h"

#define FIRST_ROOM 1000		/* a dozen invoices, their payments and a few contacts */
#define MAGIC 0x31484644		/* format 1 */

/* Arguments of the transition function behind the state. */
enum
{
	ARG_WHAT = 1, ARG_ID, ARG_CURRENCY, ARG_KIND, ARG_DAY, ARG_DUE, ARG_AMOUNT, ARG_AT, ARG_PAID, ARG_GONE, ARG_DISPUTED_AT,
	ARG_DISPUTED, ARG_STATED, ARG_MESSAGE
};

/* Behind the length word of the bytea. */
typedef struct Head
{
	uint32		magic;
	uint32		rows;
	uint32		used;			/* octets, this head included */
} Head;

typedef struct RowHead
{
	uint8		what;
	uint8		code;
	uint8		fields;
	uint8		currency_len;
	uint32		id_len;
} RowHead;

/* Fields in this order; `flag` and `disputed` of an invoice stand in its code. */
enum
{
	HAS_DAYS = 0x01, HAS_AMOUNT = 0x02, HAS_STATED = 0x04, HAS_AT = 0x08, HAS_PAID = 0x10, HAS_GONE = 0x20, HAS_DISPUTED_AT = 0x40,
	HAS_MESSAGE = 0x80
};
#define CODE_COUNTED 0x01
#define CODE_DISPUTED 0x02
#define CODE_HAS_ID 0x04

#define PADDED(len) (((len) + 7) & ~(Size) 7)

/* --- reading --- */

static Head
read_head(const char *state, Size size)
{
	Head		head = {0};

	if (size >= sizeof(head))
		memcpy(&head, state, sizeof(head));
	if (head.magic != MAGIC || head.used > size || head.used < sizeof(head))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("value is no history of a debtor"),
				errdetail("It is a bytea that the aggregate dunning._history() makes."));
	return head;
}

int
dun_feature_count_rows(const char *state, Size size)
{
	return read_head(state, size).rows;
}

static const char *
take_field(const char **p, const char *end, Size len)
{
	const char *field = *p;

	if ((Size) (end - field) < len)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("history of a debtor is cut off"));
	*p += len;
	return field;
}

static void
read_field(const char **p, const char *end, uint8 fields, uint8 bit, void *to)
{
	if (fields & bit)
		memcpy(to, take_field(p, end, 8), 8);
}

bool
dun_feature_read_row(const char *state, Size size, Size *at, DunStateRow *row)
{
	Head		head = read_head(state, size);
	const char *end = state + head.used;
	const char *p;
	RowHead		it;
	DateADT		days[2] = {0, 0};

	if (*at == 0)
		*at = sizeof(Head);
	p = state + *at;
	if (p >= end)
		return false;
	memcpy(&it, take_field(&p, end, sizeof(it)), sizeof(it));
	memset(row, 0, sizeof(*row));
	row->at = row->paid = row->gone = row->disputed_at = DT_NOBEGIN;
	row->what = it.what;
	row->code = it.code;
	row->flag = (it.code & CODE_COUNTED) != 0;
	row->disputed = (it.code & CODE_DISPUTED) != 0;
	row->has_id = it.what == DUN_ROW_CONTACT ? it.id_len > 0 : (it.code & CODE_HAS_ID) != 0;
	row->has_stated = (it.fields & HAS_STATED) != 0;
	read_field(&p, end, it.fields, HAS_DAYS, days);
	row->day = days[0];
	row->due = days[1];
	read_field(&p, end, it.fields, HAS_AMOUNT, &row->amount);
	read_field(&p, end, it.fields, HAS_STATED, &row->stated);
	read_field(&p, end, it.fields, HAS_AT, &row->at);
	read_field(&p, end, it.fields, HAS_PAID, &row->paid);
	read_field(&p, end, it.fields, HAS_GONE, &row->gone);
	read_field(&p, end, it.fields, HAS_DISPUTED_AT, &row->disputed_at);
	read_field(&p, end, it.fields, HAS_MESSAGE, &row->message);
	row->id = take_field(&p, end, PADDED((Size) it.id_len + it.currency_len));
	row->id_len = it.id_len;
	row->currency = row->id + it.id_len;
	row->currency_len = it.currency_len;
	*at = p - state;
	return true;
}

/* --- writing --- */

static bytea *
make_room(FunctionCallInfo fcinfo, bytea *state, Size wanted)
{
	MemoryContext context;
	Size		old = state == NULL ? 0 : VARSIZE(state);
	Size		room = Max(old, FIRST_ROOM);
	bytea	   *grown;

	if (!AggCheckCallContext(fcinfo, &context))
		context = CurrentMemoryContext;
	if (wanted > MaxAllocSize)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("account of a debtor is too large"),
				errdetail("Its rows would take more than a gigabyte."),
				errhint("SELECT debtor_id, count(*) FROM dunning.invoice GROUP BY 1 ORDER BY 2 DESC LIMIT 5; or of the relation that is bound."));
	while (room < wanted)
		room = room < MaxAllocSize / 2 ? room * 2 : MaxAllocSize;
	grown = MemoryContextAlloc(context, room);
	if (state != NULL)
		memcpy(grown, state, old);
	else
	{
		Head		head = {MAGIC, 0, sizeof(Head)};

		memcpy(VARDATA(grown), &head, sizeof(head));
	}
	/* What is not used travels with the value: no octets of other things in it. */
	memset((char *) grown + Max(old, VARHDRSZ + sizeof(Head)), 0, room - Max(old, VARHDRSZ + sizeof(Head)));
	SET_VARSIZE(grown, room);
	return grown;
}

typedef struct Draft
{
	RowHead		head;
	int64		fields[8];
	int			n;
	const char *id;
	const char *currency;
} Draft;

static bytea *
append_row(FunctionCallInfo fcinfo, bytea *state, const Draft *draft)
{
	Size		texts = (Size) draft->head.id_len + draft->head.currency_len;
	Size		len = sizeof(RowHead) + 8 * draft->n + PADDED(texts);
	Head		head;
	char	   *p;

	if (state == NULL || VARHDRSZ + read_head(VARDATA(state), VARSIZE(state) - VARHDRSZ).used + len > VARSIZE(state))
		state = make_room(fcinfo, state, (state == NULL ? VARHDRSZ + sizeof(Head) : VARHDRSZ +
										  (Size) read_head(VARDATA(state), VARSIZE(state) - VARHDRSZ).used) + len);
	memcpy(&head, VARDATA(state), sizeof(head));
	p = VARDATA(state) + head.used;
	memcpy(p, &draft->head, sizeof(RowHead));
	memcpy(p + sizeof(RowHead), draft->fields, 8 * draft->n);
	p += sizeof(RowHead) + 8 * draft->n;
	if (draft->head.id_len > 0)
		memcpy(p, draft->id, draft->head.id_len);
	if (draft->head.currency_len > 0)
		memcpy(p + draft->head.id_len, draft->currency, draft->head.currency_len);
	head.used += len;
	head.rows++;
	memcpy(VARDATA(state), &head, sizeof(head));
	return state;
}

/* Amounts are features, not money: float8. False for what is no amount. */
static bool
read_amount(Datum value, double *amount)
{
	int64		millionths;

	if (dun_base_read_amount(value, &millionths, NULL) && millionths < (INT64CONST(1) << 53) && millionths > -(INT64CONST(1) << 53))
		*amount = millionths / 1e6;
	else
		*amount = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	return fabs(*amount) < 1e15;	/* false for NaN */
}

static void
put_field(Draft *draft, uint8 bit, const void *value)
{
	draft->head.fields |= bit;
	memcpy(&draft->fields[draft->n++], value, 8);
}

static void
put_instant(Draft *draft, FunctionCallInfo fcinfo, int arg, uint8 bit)
{
	TimestampTz at;

	if (PG_ARGISNULL(arg))
		return;
	at = PG_GETARG_TIMESTAMPTZ(arg);
	/* '-infinity' is since ever; as a field it would say nothing. */
	if (TIMESTAMP_IS_NOBEGIN(at) && (bit == HAS_GONE || bit == HAS_DISPUTED_AT))
		at = MIN_TIMESTAMP;
	put_field(draft, bit, &at);
}

static bool
is_text(const text *value, const char *word)
{
	return VARSIZE_ANY_EXHDR(value) == strlen(word) && memcmp(VARDATA_ANY(value), word, strlen(word)) == 0;
}

/* False where there is no currency; nobody's is longer than 255 octets. */
static bool
put_currency(Draft *draft, FunctionCallInfo fcinfo)
{
	text	   *currency;

	if (PG_ARGISNULL(ARG_CURRENCY))
		return false;
	currency = PG_GETARG_TEXT_PP(ARG_CURRENCY);
	if (VARSIZE_ANY_EXHDR(currency) == 0 || VARSIZE_ANY_EXHDR(currency) > 255)
		return false;
	draft->currency = VARDATA_ANY(currency);
	draft->head.currency_len = VARSIZE_ANY_EXHDR(currency);
	return true;
}

static bool
put_id(Draft *draft, FunctionCallInfo fcinfo)
{
	text	   *id;

	if (PG_ARGISNULL(ARG_ID))
		return false;
	id = PG_GETARG_TEXT_PP(ARG_ID);
	draft->id = VARDATA_ANY(id);
	draft->head.id_len = VARSIZE_ANY_EXHDR(id);
	draft->head.code |= CODE_HAS_ID;
	return true;
}

#define LAST_DAY 106650810		/* 294000-01-01: instants end soon after */

static bool
draft_invoice(Draft *draft, FunctionCallInfo fcinfo)
{
	text	   *kind = PG_ARGISNULL(ARG_KIND) ? NULL : PG_GETARG_TEXT_PP(ARG_KIND);
	bool		credit = kind != NULL && is_text(kind, "credit_note");
	double		amount;
	double		stated;
	DateADT		days[2];

	if (!put_id(draft, fcinfo) || !put_currency(draft, fcinfo) || PG_ARGISNULL(ARG_DAY) || PG_ARGISNULL(ARG_AMOUNT) ||
		!read_amount(PG_GETARG_DATUM(ARG_AMOUNT), &amount))
		return false;
	days[0] = PG_GETARG_DATEADT(ARG_DAY);
	days[1] = PG_ARGISNULL(ARG_DUE) ? DATEVAL_NOEND : PG_GETARG_DATEADT(ARG_DUE);
	if (DATE_NOT_FINITE(days[0]) || days[0] > LAST_DAY || (DATE_NOT_FINITE(days[1]) && amount >= 0))
		return false;
	if (DATE_NOT_FINITE(days[1]))
		days[1] = days[0];
	if (credit)
		amount = -fabs(amount);
	if (kind == NULL || is_text(kind, "invoice"))
		draft->head.code |= CODE_COUNTED;
	if (!PG_ARGISNULL(ARG_DISPUTED) && PG_GETARG_BOOL(ARG_DISPUTED))
		draft->head.code |= CODE_DISPUTED;
	put_field(draft, HAS_DAYS, days);
	put_field(draft, HAS_AMOUNT, &amount);
	if (!PG_ARGISNULL(ARG_STATED) && read_amount(PG_GETARG_DATUM(ARG_STATED), &stated))
	{
		if (credit)
			stated = -fabs(stated);
		put_field(draft, HAS_STATED, &stated);
	}
	put_instant(draft, fcinfo, ARG_AT, HAS_AT);
	put_instant(draft, fcinfo, ARG_GONE, HAS_GONE);
	put_instant(draft, fcinfo, ARG_DISPUTED_AT, HAS_DISPUTED_AT);
	return true;
}

static bool
draft_payment(Draft *draft, FunctionCallInfo fcinfo)
{
	double		amount;

	if (!put_currency(draft, fcinfo) || PG_ARGISNULL(ARG_AMOUNT) || PG_ARGISNULL(ARG_PAID) ||
		TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(ARG_PAID)) || !read_amount(PG_GETARG_DATUM(ARG_AMOUNT), &amount))
		return false;
	put_id(draft, fcinfo);
	put_field(draft, HAS_AMOUNT, &amount);
	put_instant(draft, fcinfo, ARG_AT, HAS_AT);
	put_instant(draft, fcinfo, ARG_PAID, HAS_PAID);
	return true;
}

static bool
draft_promise(Draft *draft, FunctionCallInfo fcinfo)
{
	double		needed;
	double		before;
	DateADT		days[2] = {0, 0};

	if (!put_currency(draft, fcinfo) || PG_ARGISNULL(ARG_DAY) || PG_ARGISNULL(ARG_AMOUNT) || PG_ARGISNULL(ARG_STATED) ||
		PG_ARGISNULL(ARG_AT) || PG_ARGISNULL(ARG_PAID) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(ARG_AT)) ||
		!read_amount(PG_GETARG_DATUM(ARG_AMOUNT), &needed) ||
		!read_amount(PG_GETARG_DATUM(ARG_STATED), &before))
		return false;
	days[0] = PG_GETARG_DATEADT(ARG_DAY);
	put_field(draft, HAS_DAYS, days);
	put_field(draft, HAS_AMOUNT, &needed);
	put_field(draft, HAS_STATED, &before);
	put_instant(draft, fcinfo, ARG_AT, HAS_AT);
	put_instant(draft, fcinfo, ARG_PAID, HAS_PAID);
	put_instant(draft, fcinfo, ARG_GONE, HAS_GONE);
	return true;
}

static int
read_channel(FunctionCallInfo fcinfo, int arg, int otherwise)
{
	static const char *const names[] = {"email", "sms", "letter", "call"};

	if (PG_ARGISNULL(arg))
		return otherwise;
	for (int i = 0; i < (int) lengthof(names); i++)
		if (is_text(PG_GETARG_TEXT_PP(arg), names[i]))
			return i;
	return DUN_CHANNEL_OTHER;
}

static int
read_event(const text *kind)
{
	static const struct
	{
		const char *name;
		int			code;
	}			known[] = {
		{"delivered", DUN_EVENT_REACHED}, {"opened", DUN_EVENT_REACHED},
		{"clicked", DUN_EVENT_REACHED | DUN_EVENT_RESPONSE}, {"replied", DUN_EVENT_REACHED | DUN_EVENT_RESPONSE},
		{"called", DUN_EVENT_CONTACT}, {"conversation", DUN_EVENT_CONTACT | DUN_EVENT_REACHED | DUN_EVENT_RESPONSE},
		{"called_in", DUN_EVENT_REACHED | DUN_EVENT_RESPONSE}, {"promised", DUN_EVENT_REACHED | DUN_EVENT_RESPONSE},
		{"disputed", DUN_EVENT_RESPONSE}, {"circumstances_changed", DUN_EVENT_RESPONSE}, {"paid_elsewhere", DUN_EVENT_RESPONSE},
		{"bounced", DUN_EVENT_BOUNCED}, {"failed", DUN_EVENT_BOUNCED}
	};

	for (int i = 0; i < (int) lengthof(known); i++)
		if (is_text(kind, known[i].name))
			return known[i].code;
	return 0;
}

static void
put_message(Draft *draft, FunctionCallInfo fcinfo)
{
	uint64		message;

	if (PG_ARGISNULL(ARG_MESSAGE))
		return;
	message = dun_base_hash64((const char *) PG_GETARG_UUID_P(ARG_MESSAGE), UUID_LEN, 0);
	put_field(draft, HAS_MESSAGE, &message);
}

static bool
draft_contact(Draft *draft, FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(ARG_AT) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(ARG_AT)))
		return false;
	put_id(draft, fcinfo);
	draft->head.code = read_channel(fcinfo, ARG_KIND, DUN_CHANNEL_OTHER);
	put_instant(draft, fcinfo, ARG_AT, HAS_AT);
	put_message(draft, fcinfo);
	return true;
}

static bool
draft_event(Draft *draft, FunctionCallInfo fcinfo)
{
	int			code;
	int			by_itself;

	if (PG_ARGISNULL(ARG_AT) || PG_ARGISNULL(ARG_KIND) || TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(ARG_AT)))
		return false;
	code = read_event(PG_GETARG_TEXT_PP(ARG_KIND));
	if (code == 0)
		return false;
	by_itself = (code & DUN_EVENT_CONTACT) || is_text(PG_GETARG_TEXT_PP(ARG_KIND), "called_in") ? DUN_CHANNEL_CALL : DUN_CHANNELS;
	draft->head.code = code | read_channel(fcinfo, ARG_ID, by_itself);
	put_instant(draft, fcinfo, ARG_AT, HAS_AT);
	put_message(draft, fcinfo);
	return true;
}

static bool
draft_row(Draft *draft, FunctionCallInfo fcinfo)
{
	switch (draft->head.what)
	{
		case DUN_ROW_INVOICE:
			return draft_invoice(draft, fcinfo);
		case DUN_ROW_PAYMENT:
			return draft_payment(draft, fcinfo);
		case DUN_ROW_PROMISE:
			return draft_promise(draft, fcinfo);
		case DUN_ROW_CONTACT:
			return draft_contact(draft, fcinfo);
		case DUN_ROW_EVENT:
			return draft_event(draft, fcinfo);
	}
	elog(ERROR, "no row of kind %d", draft->head.what);
}

/* An aggregate's own state may be changed where it stands, nobody else's value. */
static bytea *
get_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		return NULL;
	return AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_BYTEA_P(0) : PG_GETARG_BYTEA_P_COPY(0);
}

PG_FUNCTION_INFO_V1(dun_feature_sql_history_add);

/* A row that tells nothing (no amount, no day, no currency) leaves the state as it is. */
Datum
dun_feature_sql_history_add(PG_FUNCTION_ARGS)
{
	bytea	   *state = get_state(fcinfo);
	Draft		draft = {{0}};

	draft.head.what = PG_GETARG_INT32(ARG_WHAT);
	if (draft_row(&draft, fcinfo))
		state = append_row(fcinfo, state, &draft);
	else if (state == NULL)
		state = make_room(fcinfo, NULL, FIRST_ROOM);
	PG_RETURN_BYTEA_P(state);
}

PG_FUNCTION_INFO_V1(dun_feature_sql_history_join);

Datum
dun_feature_sql_history_join(PG_FUNCTION_ARGS)
{
	bytea	   *state;
	bytea	   *other;
	Head		head;
	Head		more;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P(0));
	other = PG_GETARG_BYTEA_P(1);
	more = read_head(VARDATA(other), VARSIZE(other) - VARHDRSZ);
	state = PG_ARGISNULL(0) ? make_room(fcinfo, NULL, VARHDRSZ + more.used) : get_state(fcinfo);
	head = read_head(VARDATA(state), VARSIZE(state) - VARHDRSZ);
	if (VARHDRSZ + (Size) head.used + more.used > VARSIZE(state))
		state = make_room(fcinfo, state, VARHDRSZ + (Size) head.used + more.used);
	memcpy(VARDATA(state) + head.used, VARDATA(other) + sizeof(Head), more.used - sizeof(Head));
	head.used += more.used - sizeof(Head);
	head.rows += more.rows;
	memcpy(VARDATA(state), &head, sizeof(head));
	PG_RETURN_BYTEA_P(state);
}
