/*
 * test/fuzz/render.c
 *		libFuzzer target: the grammar of templates, the escaping of values, sums, dates and SMS counting.
 *		What needs jsonb is shaken by the random templates of test/sql/message.sql instead.
 *
 * Build and run: test/fuzz/run.sh render [seconds]
 */
#include "postgres_fe.h"

#include "message/format.h"
#include "message/template.h"

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

/* Every span lies in the text, sections end behind their start and inside of their parent, parents come first. */
static void
check_template(const DunTemplate *t)
{
	for (int i = 0; i < t->nnodes; i++)
	{
		const DunNode *n = &t->nodes[i];

		check_span(t, n->text);
		check_span(t, n->singular);
		check_span(t, n->plural);
		must(n->parent < i && n->parent >= -1);
		if (n->parent >= 0)
			must(t->nodes[n->parent].kind == DUN_NODE_SECTION && i < t->nodes[n->parent].end);
		if (n->kind == DUN_NODE_SECTION || n->kind == DUN_NODE_INVERTED)
			must(n->end > i && n->end <= t->nnodes);
		if (n->kind != DUN_NODE_TEXT)
			must(n->text.len > 0 && memchr(t->text + n->text.at, '{', n->text.len) == NULL);
	}
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
			dun_message_format_money(&s, l, text, "EUR", false);
	}
	dun_message_find_locale(text);
	must(dun_message_currency_exponent(text) <= 3);
	dun_message_format_money(&s, dun_message_find_locale("nl"), "-1240.5", text, true);
	pfree(s.data);
	pfree(text);
}

int			LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	DunTemplate t;
	DunTemplateError error;

	if (size == 0)
		return 0;
	if (dun_message_parse_template((const char *) data + 1, size - 1, data[0] & 1, &t, &error))
		check_template(&t);
	else
		must(error.line >= 1 && error.column >= 1 && error.message[0] != '\0');
	pfree(t.nodes);
	if (t.text)
		pfree(t.text);
	check_escapes((const char *) data, size);
	check_formats((const char *) data, size);
	return 0;
}
