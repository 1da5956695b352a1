/*
 * event/mail_sql.c
 *		_read_mail(): a mail that came back as a row, its text in the database's encoding.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "event/mail.h"

#define MAX_MAIL (64 * 1024 * 1024)

/* Who sends bytes of no known alphabet is read as far as ASCII goes. */
static char *
ascii_only(const char *text, size_t len)
{
	char	   *out = palloc(len + 1);

	for (size_t i = 0; i < len; i++)
		out[i] = IS_HIGHBIT_SET(text[i]) ? '?' : text[i];
	out[len] = '\0';
	return out;
}

/* From one encoding into another; NULL where it cannot be said in that. */
static char *
convert(const char *text, size_t len, int from, int to)
{
	Oid			proc;
	char	   *out;
	int			taken;

	if (from == to || to == PG_SQL_ASCII)
		return pg_verify_mbstr(from, text, (int) len, true) ? pnstrdup(text, len) : NULL;
	proc = FindDefaultConversionProc(from, to);
	if (!OidIsValid(proc))
		return NULL;
	out = palloc(len * MAX_CONVERSION_GROWTH + 1);
	taken = pg_do_encoding_conversion_buf(proc, from, to, (unsigned char *) unconstify(char *, text), (int) len,
										  (unsigned char *) out, (int) (len * MAX_CONVERSION_GROWTH + 1), true);
	return taken == (int) len ? out : NULL;
}

static char *
to_database(const char *text, size_t len, const char *charset)
{
	int			from = charset[0] == '\0' || pg_strcasecmp(charset, "us-ascii") == 0 ? PG_UTF8 : pg_char_to_encoding(charset);
	char	   *utf8;
	char	   *ours;

	if (from < 0)
		return ascii_only(text, len);
	utf8 = convert(text, len, from, PG_UTF8);
	if (utf8 == NULL)
		return ascii_only(text, len);
	ours = convert(utf8, strlen(utf8), PG_UTF8, GetDatabaseEncoding());
	return ours ? ours : ascii_only(utf8, strlen(utf8));
}

static Datum
ids_array(const DunCameBack *found)
{
	Datum		ids[DUN_MAIL_IDS];

	for (int i = 0; i < found->nids; i++)
		ids[i] = DirectFunctionCall1(uuid_in, CStringGetDatum(found->ids[i]));
	return PointerGetDatum(construct_array(ids, found->nids, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

static void
put_text(Datum *value, bool *null, const char *text)
{
	*null = text[0] == '\0';
	if (!*null)
		*value = CStringGetTextDatum(text);
}

PG_FUNCTION_INFO_V1(dun_event_sql_read_mail);

Datum
dun_event_sql_read_mail(PG_FUNCTION_ARGS)
{
	static const char *const kinds[] = {"answer", "automatic", "report", "complaint"};
	bytea	   *mail = PG_GETARG_BYTEA_PP(0);
	DunCameBack *found = palloc(sizeof(DunCameBack));
	char	   *text = palloc(DUN_MAIL_TEXT);
	size_t		len;
	TupleDesc	desc;
	Datum		values[9];
	bool		nulls[9] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (VARSIZE_ANY_EXHDR(mail) > MAX_MAIL)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a mail of more than 64 MB is not read")));
	dun_event_read_mail(VARDATA_ANY(mail), VARSIZE_ANY_EXHDR(mail), found);
	len = dun_event_decode_mail_text(&found->text, text);
	values[0] = CStringGetTextDatum(kinds[found->kind]);
	values[1] = ids_array(found);
	put_text(&values[2], &nulls[2], found->from);
	put_text(&values[3], &nulls[3], found->recipient);
	put_text(&values[4], &nulls[4], found->action);
	put_text(&values[5], &nulls[5], found->status);
	put_text(&values[6], &nulls[6], found->diagnostic);
	put_text(&values[7], &nulls[7], found->subject);
	put_text(&values[8], &nulls[8], to_database(text, len, found->text.charset));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
