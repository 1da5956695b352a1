/*
 * letter.c
 *		dunning_letter: letters as PDF.
 *
 * Pango and cairo are foreign: they do not know ereport, and Pango looks for fonts in threads of its own. So every call
 * into them (page.c) runs with signals blocked, which its threads inherit for good, errors come back as codes, and
 * between two steps interrupts are looked at. What they allocate is theirs and is given back in PG_FINALLY.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "code.h"
#include "letter.h"
#include "page.h"

PG_MODULE_MAGIC;

#define MAX_BODY_BYTES (64 * 1024)
#define MAX_PART_BYTES 1000		/* of any other part */

char *
dun_letter_read_text(const text *value)
{
	char	   *copy = text_to_cstring(value);
	char	   *utf8 = pg_server_to_any(copy, strlen(copy), PG_UTF8);
	char	   *to = utf8;

	for (const char *from = utf8; *from; from++)
	{
		if (*from == '\r' && from[1] == '\n')
			continue;
		if (((unsigned char) *from < 0x20 && *from != '\n' && *from != '\t') || *from == 0x7f)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a letter cannot show a control character"),
					 errdetail("Byte %d of the text is 0x%02x.", (int) (from - utf8) + 1, (unsigned char) *from),
					 errhint("Take it out: regexp_replace(text, '[^[:print:]\\n]', '', 'g').")));
		*to++ = *from;
	}
	*to = '\0';
	return utf8;
}

void
dun_letter_check_code(const char *payload)
{
	size_t		len = strlen(payload);

	if (len == 0 || len > DUN_CODE_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a QR code holds 1 to %d bytes", DUN_CODE_MAX_BYTES),
				 errdetail("This text has %d.", (int) len),
				 errhint("SELECT dunning.epc_payload('Nordlys Energi', 'DK50 0040 0440 1162 43', 1240.50, 'F-1042-7');")));
}

static char *
read_part(FunctionCallInfo fcinfo, int n, const char *name, int most)
{
	char	   *part;

	if (PG_ARGISNULL(n))
		return NULL;
	part = dun_letter_read_text(PG_GETARG_TEXT_PP(n));
	if (strlen(part) > most)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("the %s of a letter has at most %d bytes", name, most),
				 errdetail("This one has %d.", (int) strlen(part)),
				 errhint("Say it in fewer words.")));
	return part[0] == '\0' ? NULL : part;
}

static void
report(DunDrawStatus status)
{
	switch (status)
	{
		case DUN_DRAW_MORE:
		case DUN_DRAW_DONE:
			break;
		case DUN_DRAW_TOO_LONG:
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
					 errmsg("a letter has at most %d pages", DUN_MAX_PAGES), errhint("Say it in fewer words.")));
			break;
		case DUN_DRAW_ADDRESS:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the address does not fit into the window of an envelope"),
					 errdetail("It shows 85 by 45 millimetres."), errhint("SELECT dunning.letter_pdf(message_id, at_window => false);")));
			break;
		case DUN_DRAW_FAILED:
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not draw a letter"),
					 errdetail("Memory was short, a font could not be read, or the letter had more than 16 MB."),
					 errhint("Look whether there are fonts: fc-list.")));
			break;
	}
}

/* Draws all and copies it. */
static bytea *
draw(DunDrawing *drawing)
{
	DunDrawStatus status;
	const char *data;
	size_t		len;
	bytea	   *result;

	while ((status = dun_letter_draw_some(drawing)) == DUN_DRAW_MORE)
		CHECK_FOR_INTERRUPTS();
	report(status);
	data = dun_letter_drawn_bytes(drawing, &len);
	result = palloc(VARHDRSZ + len);
	SET_VARSIZE(result, VARHDRSZ + len);
	memcpy(VARDATA(result), data, len);
	return result;
}

PG_FUNCTION_INFO_V1(dun_letter_sql_pdf);

/* _letter_pdf(subject, body_text, address, qr, sender, note, dated, language, at_window) */
Datum
dun_letter_sql_pdf(PG_FUNCTION_ARGS)
{
	DunLetter	letter = {0};
	DunDrawing *drawing;
	bytea	   *volatile result = NULL;

	letter.subject = read_part(fcinfo, 0, "subject", MAX_PART_BYTES);
	letter.body = read_part(fcinfo, 1, "text", MAX_BODY_BYTES);
	letter.address = read_part(fcinfo, 2, "address", MAX_PART_BYTES);
	letter.qr = read_part(fcinfo, 3, "payment code", MAX_PART_BYTES);
	letter.sender = read_part(fcinfo, 4, "sender", MAX_PART_BYTES);
	letter.note = read_part(fcinfo, 5, "note", MAX_PART_BYTES);
	letter.dated = read_part(fcinfo, 6, "date", MAX_PART_BYTES);
	letter.language = read_part(fcinfo, 7, "language", MAX_PART_BYTES);
	letter.at_window = !PG_ARGISNULL(8) && PG_GETARG_BOOL(8);
	if (letter.body == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a letter has words"),
				 errhint("SELECT dunning.letter_pdf('subject', 'words', 'address', NULL);")));
	if (letter.qr != NULL)
		dun_letter_check_code(letter.qr);

	drawing = dun_letter_open_drawing(&letter);
	PG_TRY();
	{
		if (drawing == NULL)
			report(DUN_DRAW_FAILED);
		result = draw(drawing);
	}
	PG_FINALLY();
	{
		dun_letter_close_drawing(drawing);
	}
	PG_END_TRY();
	PG_RETURN_BYTEA_P(result);
}
