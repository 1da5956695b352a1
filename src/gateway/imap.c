/*
 * gateway/imap.c
 *		The commands EXAMINE, UID FETCH and LOGOUT, and what is answered to them.
 */
#include "postgres.h"

#include "gateway/imap.h"

#define MAX_ANSWER_BYTES (16 * 1024 * 1024)	/* to one command, beside the mail: more is no mailbox */

typedef struct Answer
{
	size_t		bytes;			/* read for this command */
	DunImapMail *mail;			/* where a literal goes; NULL: nowhere */
	bool		has_literal;	/* the line's */
} Answer;

void
dun_gateway_begin_imap(DunImap *imap, DunImapLink link)
{
	memset(imap, 0, sizeof(*imap));
	imap->link = link;
}

bool
dun_gateway_is_mailbox(const char *name)
{
	size_t		len = strlen(name);

	for (const char *c = name; *c; c++)
		if ((unsigned char) *c < 0x20 || (unsigned char) *c >= 0x7f || *c == '"' || *c == '\\')
			return false;
	return len > 0 && len <= 200;
}

/* --- bytes and lines --- */

static bool
fail(DunImap *imap, const char *why, const char *words)
{
	size_t		n = strlcpy(imap->problem, why, sizeof(imap->problem));

	/* What the server says may be anything: the log gets what can be printed. */
	for (; words && *words && n + 1 < sizeof(imap->problem); words++)
		imap->problem[n++] = (*words >= 0x20 && *words < 0x7f) ? *words : '?';
	imap->problem[Min(n, sizeof(imap->problem) - 1)] = '\0';
	return false;
}

static bool
fill(DunImap *imap)
{
	if (imap->in_at < imap->in_len)
		return true;
	imap->in_at = 0;
	imap->in_len = imap->link.receive(imap->link.arg, imap->in, sizeof(imap->in));
	return imap->in_len > 0 || fail(imap, "the connection ended", NULL);
}

/* A number of octets at the end of a line: {123} */
static bool
announces_literal(const char *line, size_t len, size_t *size)
{
	size_t		from = len;
	uint64		n = 0;

	if (len < 3 || line[len - 1] != '}')
		return false;
	while (from > 1 && line[from - 2] >= '0' && line[from - 2] <= '9')
		from--;
	if (from < 2 || from == len || line[from - 2] != '{')
		return false;
	for (size_t i = from - 1; i < len - 1; i++)
		n = Min(n * 10 + (uint64) (line[i] - '0'), PG_UINT32_MAX);
	*size = (size_t) n;
	return true;
}

/* The octets of a literal: the first of an answer is the mail, what is beyond its cap is let pass. */
static bool
read_literal(DunImap *imap, Answer *answer, size_t size)
{
	DunImapMail *mail = answer->mail;
	bool		wanted = mail != NULL && mail->len == 0;

	if (size > (wanted ? DUN_IMAP_MAIL_CAP : 0) + MAX_ANSWER_BYTES)
		return fail(imap, "an answer is too large", NULL);
	while (size > 0)
	{
		size_t		n;

		if (!fill(imap))
			return false;
		n = Min(size, imap->in_len - imap->in_at);
		if (wanted)
		{
			size_t		keep = Min(n, DUN_IMAP_MAIL_CAP - mail->len);

			memcpy(mail->data + mail->len, imap->in + imap->in_at, keep);
			mail->len += keep;
		}
		answer->bytes += n;
		imap->in_at += n;
		size -= n;
	}
	return answer->bytes <= MAX_ANSWER_BYTES + DUN_IMAP_MAIL_CAP || fail(imap, "an answer is too large", NULL);
}

/* A whole line, literals read on the way. */
static bool
read_line(DunImap *imap, Answer *answer)
{
	size_t		n = 0;
	char		last[16] = "";	/* the end of a line that is longer than its room */
	size_t		size;

	answer->has_literal = false;
	for (;;)
	{
		char		c;

		if (!fill(imap))
			return false;
		c = imap->in[imap->in_at++];
		if (++answer->bytes > MAX_ANSWER_BYTES + DUN_IMAP_MAIL_CAP)
			return fail(imap, "an answer is too large", NULL);
		if (c != '\n')
		{
			if (c == '\r')
				continue;
			if (n + 1 < sizeof(imap->line))
				imap->line[n++] = c == '\0' ? ' ' : c;
			memmove(last, last + 1, sizeof(last) - 1);
			last[sizeof(last) - 1] = c;
			continue;
		}
		imap->line[n] = '\0';
		if (!announces_literal(last, sizeof(last), &size))
			return true;
		answer->has_literal = true;
		memset(last, 0, sizeof(last));
		if (!read_literal(imap, answer, size))
			return false;
	}
}

/* --- commands --- */

static bool
say(DunImap *imap, const char *command)
{
	char		text[512];
	int			n = snprintf(text, sizeof(text), "D%d %s\r\n", ++imap->tag, command);

	if (n >= (int) sizeof(text))
		return fail(imap, "a command is too long", NULL);
	return imap->link.send(imap->link.arg, text, (size_t) n) || fail(imap, "the connection ended", NULL);
}

/* The answer's next line that is not its end; `*done` at the end, which is an OK or a failure. */
static bool
next_answer(DunImap *imap, Answer *answer, bool *done)
{
	char		tag[16];
	size_t		len = (size_t) snprintf(tag, sizeof(tag), "D%d ", imap->tag);

	*done = false;
	if (!read_line(imap, answer))
		return false;
	if (strncmp(imap->line, tag, len) == 0)
	{
		*done = true;
		if (pg_strncasecmp(imap->line + len, "OK", 2) == 0)
			return true;
		return fail(imap, "the mail server refuses: ", imap->line + len);
	}
	if (pg_strncasecmp(imap->line, "* BYE", 5) == 0)
		return fail(imap, "the mail server ends the connection: ", imap->line + 5);
	return imap->line[0] == '*' || fail(imap, "no answer of a mail server", NULL);
}

/* The number after a word of the line, case aside; 0: none. */
static uint32
number_after(const char *line, const char *word)
{
	size_t		len = strlen(word);

	for (const char *c = line; *c; c++)
		if (pg_strncasecmp(c, word, len) == 0 && c[len] >= '0' && c[len] <= '9' &&
			(c == line || strchr(" ([", c[-1]) != NULL))
			return (uint32) Min(strtoull(c + len, NULL, 10), PG_UINT32_MAX);
	return 0;
}

bool
dun_gateway_open_mailbox(DunImap *imap, const char *mailbox)
{
	char		command[256];
	Answer		answer = {0};
	bool		done;

	if (!dun_gateway_is_mailbox(mailbox))
		return fail(imap, "the name of the mailbox cannot be written", NULL);
	snprintf(command, sizeof(command), "EXAMINE \"%s\"", mailbox);
	imap->validity = imap->next_uid = 0;
	if (!say(imap, command))
		return false;
	do
	{
		if (!next_answer(imap, &answer, &done))
			return false;
		if (imap->validity == 0)
			imap->validity = number_after(imap->line, "UIDVALIDITY ");
		if (imap->next_uid == 0)
			imap->next_uid = number_after(imap->line, "UIDNEXT ");
	} while (!done);
	return imap->validity > 0 || fail(imap, "the mail server has no lasting numbers for its mails", NULL);
}

bool
dun_gateway_list_mails(DunImap *imap, uint32 from, uint32 to, uint32 *uids, int room, int *found)
{
	char		command[64];
	Answer		answer = {0};
	bool		done;

	*found = 0;
	snprintf(command, sizeof(command), "UID FETCH %u:%u (UID)", from, to);
	if (!say(imap, command))
		return false;
	for (;;)
	{
		uint32		uid;

		if (!next_answer(imap, &answer, &done))
			return false;
		if (done)
			return true;
		uid = number_after(imap->line, "UID ");
		if (uid >= from && uid <= to && *found < room && (*found == 0 || uid > uids[*found - 1]))
			uids[(*found)++] = uid;
	}
}

static void
read_arrival(const char *line, char *arrived, size_t room)
{
	const char *from = strstr(line, "INTERNALDATE \"");
	size_t		len;

	if (from == NULL)
		return;
	from += 14 + strspn(from + 14, " ");
	len = strcspn(from, "\"");
	if (len < room && strspn(from, "0123456789 :+-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == len)
	{
		memcpy(arrived, from, len);
		arrived[len] = '\0';
	}
}

bool
dun_gateway_fetch_mail(DunImap *imap, uint32 uid, DunImapMail *mail)
{
	char		command[96];
	Answer		answer = {.mail = mail};
	bool		done;

	mail->uid = uid;
	mail->len = 0;
	mail->arrived[0] = '\0';
	snprintf(command, sizeof(command), "UID FETCH %u (UID INTERNALDATE BODY.PEEK[]<0.%d>)", uid, DUN_IMAP_MAIL_CAP);
	if (!say(imap, command))
		return false;
	for (;;)
	{
		if (!next_answer(imap, &answer, &done))
			return false;
		if (done)
			return true;
		if (!answer.has_literal)
			continue;
		/* News of another mail may stand between. */
		if (number_after(imap->line, "UID ") == uid)
			read_arrival(imap->line, mail->arrived, sizeof(mail->arrived));
		else
			mail->len = 0;
	}
}

void
dun_gateway_end_imap(DunImap *imap)
{
	(void) say(imap, "LOGOUT");
}
