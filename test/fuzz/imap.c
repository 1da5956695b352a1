/*
 * test/fuzz/imap.c
 *		libFuzzer target: a mailbox that answers anything. The reader ends, keeps within its rooms, asks only for what rises, and
 *		what it says of a failure can be printed. The first byte says how many bytes come at once.
 *
 * Build and run: test/fuzz/run.sh imap [seconds]
 */
#include "postgres_fe.h"

#include "gateway/imap.h"

typedef struct Peer
{
	const uint8 *data;
	size_t		len;
	size_t		at;
	size_t		step;
} Peer;

static void
must(bool truth)
{
	if (!truth)
		__builtin_trap();
}

static bool
take_command(void *arg, const char *data, size_t len)
{
	must(len > 2 && memcmp(data + len - 2, "\r\n", 2) == 0 && data[0] == 'D');
	must(memchr(data, '\n', len - 1) == NULL && memchr(data, '\r', len - 2) == NULL);
	return true;
}

static size_t
answer(void *arg, char *out, size_t room)
{
	Peer	   *peer = arg;
	size_t		n = Min(Min(room, peer->step), peer->len - peer->at);

	memcpy(out, peer->data + peer->at, n);
	peer->at += n;
	return n;
}

static void
check_problem(const DunImap *imap)
{
	size_t		len = strnlen(imap->problem, sizeof(imap->problem));

	must(len > 0 && len < sizeof(imap->problem));
	for (size_t i = 0; i < len; i++)
		must(imap->problem[i] >= 0x20 && imap->problem[i] < 0x7f);
}

int			LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Peer		peer = {data, size, 0, 4096};
	DunImap    *imap = malloc(sizeof(DunImap));
	DunImapMail mail = {.data = malloc(DUN_IMAP_MAIL_CAP)};
	uint32		uids[8];
	int			found = 0;

	if (size > 0 && data[0] < 32)
	{
		peer.step = data[0] + 1;
		peer.at = 1;
	}
	dun_gateway_begin_imap(imap, (DunImapLink) {take_command, answer, &peer});
	if (dun_gateway_open_mailbox(imap, "INBOX") && dun_gateway_list_mails(imap, 3, 1000, uids, lengthof(uids), &found))
	{
		must(imap->validity > 0 && found >= 0 && found <= (int) lengthof(uids));
		for (int i = 0; i < found; i++)
		{
			must(uids[i] >= 3 && uids[i] <= 1000 && (i == 0 || uids[i] > uids[i - 1]));
			if (!dun_gateway_fetch_mail(imap, uids[i], &mail))
			{
				check_problem(imap);
				break;
			}
			must(mail.len <= DUN_IMAP_MAIL_CAP && mail.uid == uids[i] && strlen(mail.arrived) < sizeof(mail.arrived));
		}
	}
	else
		check_problem(imap);
	free(mail.data);
	free(imap);
	return 0;
}
