/*
 * test/fuzz/render.c
 *		libFuzzer target: the grammar of templates, texts put together with their partials, the escaping of values,
 *		the filters and SMS counting. What needs jsonb is shaken by the random templates of test/sql/message.sql instead.
 *
 * The input is one byte of flags and then a text; what follows a byte 0x1e is the partial "a", after the next one "b", and
 * after the next one the value that the filters are tried on.
 *
 * Build and run: test/fuzz/run.sh render [seconds]
 */
#include "postgres_fe.h"

#include "mb/pg_wchar.h"
#include "message/format.h"
#include "message/program.h"

static void
must(bool truth)
{
	if (!truth)
		__builtin_trap();
}

static void
check_span(const DunTemplate *t, DunSpan s)
{
	must(s.at >= 0 && s.len >= 0 && s.at + s.len <= t->len);
}

/* Every span lies in the text, sections end behind their start and inside of the section around them. */
static void
check_template(const DunTemplate *t, int nunits, bool strict)
{
	int			ends[DUN_TEMPLATE_MAX_DEPTH + 1] = {t->nnodes};
	int			depth = 0;

	for (int i = 0; i < t->nnodes; i++)
	{
		const DunNode *n = &t->nodes[i];

		while (depth > 0 && i >= ends[depth])
			depth--;
		check_span(t, n->text);
		check_span(t, n->singular);
		check_span(t, n->plural);
		if (n->kind == DUN_NODE_SECTION || n->kind == DUN_NODE_INVERTED)
		{
			must(depth < DUN_TEMPLATE_MAX_DEPTH && n->end > i && n->end <= ends[depth]);
			ends[++depth] = n->end;
		}
		if (n->kind == DUN_NODE_PARTIAL)
			must(n->target < nunits && n->target != 0 && (n->target > 0 || !strict));
		if (n->kind != DUN_NODE_TEXT)
			must(n->text.len > 0 && n->text.len <= DUN_TEMPLATE_MAX_NAME && memchr(t->text + n->text.at, '{', n->text.len) == NULL);
	}
}

/* A strict program ends: no unit can be reached from itself. */
static void
check_ends(const DunProgram *p, int unit, int level)
{
	must(level <= p->nunits);
	for (int i = 0; i < p->units[unit].t.nnodes; i++)
	{
		const DunNode *n = &p->units[unit].t.nodes[i];

		if (n->kind == DUN_NODE_PARTIAL)
			check_ends(p, n->target, level + 1);
	}
}

typedef struct Piece
{
	const char *at;
	size_t		len;
} Piece;

static bool
find_piece(void *arg, const char *name, int len, bool html, DunPartialText *found)
{
	const Piece *pieces = arg;
	int			which = len == 1 ? name[0] - 'a' : -1;

	if (which < 0 || which > 1 || pieces[which].at == NULL)
		return false;
	found->text = pieces[which].at;
	found->len = pieces[which].len;
	found->plain = html && which == 1;
	return true;
}

static void
check_program(const Piece *text, const Piece *pieces, int flags)
{
	bool		strict = (flags & DUN_TEMPLATE_PLAIN) == 0;
	DunProgram	p;
	DunTemplateError error = {0};

	if (dun_message_assemble_program(text->at, text->len, flags, find_piece, (void *) pieces, &p, &error))
	{
		for (int i = 0; i < p.nunits; i++)
		{
			check_template(&p.units[i].t, p.nunits, strict);
			if (flags & DUN_TEMPLATE_UTF8)
				must(pg_encoding_verifymbstr(PG_UTF8, p.units[i].t.text, p.units[i].t.len) == p.units[i].t.len);
		}
		if (strict && p.nunits < 12)
			check_ends(&p, 0, 0);
	}
	else
		must(error.line >= 1 && error.column >= 1 && error.message[0] != '\0');
	for (int i = 0; i < p.nunits; i++)
	{
		pfree(p.units[i].t.nodes);
		if (p.units[i].t.text)
			pfree(p.units[i].t.text);
	}
	pfree(p.units);
}

/* Nothing that a value brings may end the text or the attribute it stands in. */
static void
check_escapes(const char *value, int len)
{
	StringInfoData s;

	initStringInfo(&s);
	dun_message_append_html(&s, value, len, true);
	must(strpbrk(s.data, "<>\"'`") == NULL);
	resetStringInfo(&s);
	dun_message_append_percent(&s, value, len);
	must(strspn(s.data, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%") == (size_t) s.len);
	resetStringInfo(&s);
	dun_message_append_clean(&s, value, len, true);
	for (int i = 0; i < s.len; i++)
		must((unsigned char) s.data[i] >= 0x20 || s.data[i] == '\n');
	resetStringInfo(&s);
	dun_message_append_clean(&s, value, len, false);
	pfree(s.data);
}

static void
check_formats(const char *value, int len)
{
	static const char *const languages[] = {"en", "da", "sv", "nb", "nl", "de", "xx"};
	StringInfoData s;
	char	   *text = pnstrdup(value, len);
	DunSms		sms = dun_message_count_sms(value, len);

	must(sms.parts >= (len > 0) && sms.units <= 2 * len);
	initStringInfo(&s);
	for (size_t i = 0; i < lengthof(languages); i++)
	{
		const DunLocale *l = dun_message_find_locale(languages[i]);

		dun_message_format_date(&s, l, value, len);
		if (len > 0 && strspn(text, "0123456789") == (size_t) len)
		{
			dun_message_format_money(&s, l, text, "EUR", false);
			dun_message_format_number(&s, l, text, 3);
		}
		if (len > 0 && strspn(text + (*text == '-'), "0123456789.") == strlen(text + (*text == '-')))
			must(dun_message_is_one(l, text) || strcmp(text, "1") != 0);
	}
	dun_message_find_locale(text);
	must(dun_message_currency_exponent(text) <= 3);
	dun_message_format_money(&s, dun_message_find_locale("nl"), "-1240.5", text, true);
	pfree(s.data);
	pfree(text);
}

/* The input, cut at each 0x1e. */
static void
cut(const char *s, size_t len, Piece *pieces, int n)
{
	for (int i = 0; i < n; i++)
	{
		const char *end = s ? memchr(s, 0x1e, len) : NULL;
		size_t		used = end && i < n - 1 ? (size_t) (end - s) : len;

		pieces[i].at = s;
		pieces[i].len = s ? used : 0;
		s = end && i < n - 1 ? end + 1 : NULL;
		len -= s ? used + 1 : used;
	}
}

int			LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	static const int flags[] = {
		0, DUN_TEMPLATE_HTML, DUN_TEMPLATE_PLAIN, DUN_TEMPLATE_UTF8, DUN_TEMPLATE_HTML | DUN_TEMPLATE_UTF8,
		DUN_TEMPLATE_ESCAPED | DUN_TEMPLATE_UTF8, DUN_TEMPLATE_PLAIN | DUN_TEMPLATE_UTF8, DUN_TEMPLATE_HTML | DUN_TEMPLATE_PARTIAL
	};
	Piece		pieces[4];

	if (size == 0)
		return 0;
	cut((const char *) data + 1, size - 1, pieces, 4);
	check_program(&pieces[0], &pieces[1], flags[data[0] & 7]);
	check_escapes((const char *) data, size);
	check_formats((const char *) data, size);
	if (pieces[3].at)
	{
		check_escapes(pieces[3].at, pieces[3].len);
		check_formats(pieces[3].at, pieces[3].len);
	}
	return 0;
}
