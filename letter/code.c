/*
 * code.c
 *		QR codes by libqrencode.
 */
#include "postgres.h"

#include <qrencode.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "code.h"
#include "letter.h"

/* QRcode under a name of ours, so that its header stays here. */
DunCode *
dun_letter_open_code(const char *text)
{
	return (DunCode *) QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
}

void
dun_letter_close_code(DunCode *code)
{
	QRcode_free((QRcode *) code);
}

int
dun_letter_code_width(const DunCode *code)
{
	return ((const QRcode *) code)->width;
}

int
dun_letter_code_run(const DunCode *code, int row, int *x)
{
	const QRcode *qr = (const QRcode *) code;
	const unsigned char *modules = qr->data + row * qr->width;
	int			end;

	while (*x < qr->width && (modules[*x] & 1) == 0)
		(*x)++;
	for (end = *x; end < qr->width && (modules[end] & 1) != 0; end++)
		;
	return end - *x;
}

PG_FUNCTION_INFO_V1(dun_letter_sql_qr_svg);

/* letter_qr_svg(payload): one path of rectangles a row high */
Datum
dun_letter_sql_qr_svg(PG_FUNCTION_ARGS)
{
	char	   *payload = dun_letter_read_text(PG_GETARG_TEXT_PP(0));
	StringInfoData svg;
	DunCode    *code;
	int			side;

	dun_letter_check_code(payload);
	initStringInfo(&svg);
	/* All memory at once: nothing below can leave while the code is open. */
	enlargeStringInfo(&svg, 128 * 1024);
	code = dun_letter_open_code(payload);
	if (code == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("could not make a QR code")));
	side = dun_letter_code_width(code) + 2 * DUN_CODE_QUIET;
	appendStringInfo(&svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
					 "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"", side, side, side, side);
	for (int row = 0; row < side - 2 * DUN_CODE_QUIET; row++)
	{
		int			x = 0;
		int			run;

		for (; (run = dun_letter_code_run(code, row, &x)) > 0; x += run)
			appendStringInfo(&svg, "M%d %dh%dv1h-%dz", x + DUN_CODE_QUIET, row + DUN_CODE_QUIET, run, run);
	}
	dun_letter_close_code(code);
	appendStringInfoString(&svg, "\"/></svg>");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(svg.data, svg.len));
}
