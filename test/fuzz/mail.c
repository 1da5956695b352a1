/*
 * test/fuzz/mail.c
 *		libFuzzer target: the reader of mails that come back. Whatever the bytes are, what it says is printable, ends within its
 *		room and lies within the mail; identifiers are UUIDs of version 7 that stand in the mail.
 *
 * Build and run: test/fuzz/run.sh mail [seconds]
 */
#include "postgres_fe.h"

#include "event/mail.h"

static void
must(bool truth)
{
	if (!truth)
		__builtin_trap();
}

static void
check_printable(const char *text, size_t room)
{
	size_t		len = strnlen(text, room);

	must(len < room);
	for (size_t i = 0; i < len; i++)
		must(text[i] >= 0x20 && text[i] < 0x7f);
}

static void
check_id(const char *id, const char *mail, size_t len)
{
	bool		stands = false;

	must(strlen(id) == 36 && id[14] == '7');
	must(strspn(id, "0123456789abcdef-") == 36);
	for (size_t i = 0; i + 36 <= len && !stands; i++)
		stands = pg_strncasecmp(mail + i, id, 36) == 0;
	must(stands);
}

int			LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	/* A copy of exactly its size: a byte read beyond it is seen. */
	char	   *mail = malloc(Max(size, 1));
	DunCameBack *found = malloc(sizeof(DunCameBack));
	char	   *text = malloc(DUN_MAIL_TEXT);
	size_t		len;

	memcpy(mail, data, size);
	dun_event_read_mail(mail, size, found);
	check_printable(found->from, sizeof(found->from));
	check_printable(found->recipient, sizeof(found->recipient));
	check_printable(found->action, sizeof(found->action));
	check_printable(found->status, sizeof(found->status));
	check_printable(found->diagnostic, sizeof(found->diagnostic));
	check_printable(found->subject, sizeof(found->subject));
	check_printable(found->text.charset, sizeof(found->text.charset));
	must(found->nids >= 0 && found->nids <= DUN_MAIL_IDS);
	for (int i = 0; i < found->nids; i++)
		check_id(found->ids[i], mail, size);
	must(found->text.data == NULL || (found->text.data >= mail && found->text.data + found->text.len <= mail + size));
	len = dun_event_decode_mail_text(&found->text, text);
	must(len < DUN_MAIL_TEXT && strlen(text) == len);
	must(len == 0 || (strchr(" \t\r\n", text[0]) == NULL && strchr(" \t\r\n", text[len - 1]) == NULL));
	free(text);
	free(found);
	free(mail);
	return 0;
}
