/*
 * deliver/reading.c
 *		One mailbox after another: look how far it was read, fetch what came since, record it.
 *
 * A mail is recorded and the position moved in one transaction. What is read twice nevertheless, after a crash or because a
 * mailbox was made anew, is recorded once: receive_mail() knows each mail by its digest.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/spi.h"
#include "deliver/activation.h"
#include "deliver/reading.h"
#include "deliver/session.h"
#include "deliver/settings.h"
#include "transport/mailbox.h"

#define AT_ONCE 16				/* mails in one transaction, 256 kB each at most */
#define AT_MOST 512				/* of one mailbox before the others have their turn */
#define WINDOW 1000				/* UIDs asked for at once; wider where they are far between */
#define MAIL_LOCK_CLASS 0x64756e6d	/* "dunm": session advisory locks (class, server) */

typedef struct Due
{
	char	   *server;
	char	   *folder;
	int64		validity;		/* -1: never read */
	int64		last_uid;
} Due;

/* One mailbox while it is read. */
typedef struct Reading
{
	MemoryContext context;
	Due		   *due;
	DunServer  *server;
	DunMailbox	box;
	uint32		uids[AT_ONCE];
	DunImapMail mails[AT_ONCE];
	int			n;				/* mails fetched and not yet recorded */
	int			taken;
	int			unmatched;
	bool		more;
	const char *problem;		/* NULL: none so far */
} Reading;

static DunStatement due_sql = {
	"SELECT d.server, d.folder, d.validity, d.last_uid FROM dunning._mailboxes_due($1) d", 1, {TEXTOID}, .harmless = true
};
static DunStatement take_sql = {"SELECT dunning._take_mail($1, $2, $3)", 3, {TEXTOID, BYTEAOID, TEXTOID}, NULL};
static DunStatement note_sql = {
	"SELECT dunning._note_mailbox($1, $2, $3, $4, $5, $6, $7)", 7, {TEXTOID, INT8OID, INT8OID, INT4OID, INT4OID, TEXTOID, BOOLOID}, NULL
};

/* --- which --- */

typedef struct Looking
{
	const char *wanted;
	MemoryContext context;
	List	   *due;			/* of Due * */
	DunRead    *read;
} Looking;

static void
look(void *arg)
{
	Looking    *l = arg;
	Datum		name = l->wanted ? CStringGetTextDatum(l->wanted) : (Datum) 0;
	char	   *problem = dun_deliver_mode != DUN_DELIVERY_ON ? pstrdup("dunning.delivery is not on") : dun_deliver_check_activation();
	uint64		rows;
	MemoryContext before;

	/* A copy of the database must not read the mail of the one that sends. */
	if (problem != NULL)
	{
		strlcpy(l->read->stopped, problem, sizeof(l->read->stopped));
		return;
	}
	rows = dun_base_run(&due_sql, &name, l->wanted ? NULL : "n", false, 0);
	before = MemoryContextSwitchTo(l->context);
	for (uint64 row = 0; row < rows; row++)
	{
		Due		   *due = palloc0(sizeof(Due));
		bool		isnull;

		due->server = dun_base_text(row, 1);
		due->folder = dun_base_text(row, 2);
		due->validity = DatumGetInt64(dun_base_value(row, 3, &isnull));
		if (isnull)
			due->validity = -1;
		due->last_uid = DatumGetInt64(dun_base_value(row, 4, &isnull));
		l->due = lappend(l->due, due);
	}
	MemoryContextSwitchTo(before);
}

static void
load(void *arg)
{
	Reading    *r = arg;
	MemoryContext before = MemoryContextSwitchTo(r->context);

	r->server = dun_gateway_load_server(r->due->server);
	MemoryContextSwitchTo(before);
}

/* Work of one transaction; false: `problem` says why it was taken back. */
static bool
transact(Reading *r, void (*work) (void *), void *arg)
{
	DunFailure	failure;
	bool		ok;

	dun_deliver_begin();
	ok = dun_deliver_attempt(work, arg, &failure);
	dun_deliver_commit();
	if (!ok)
		r->problem = MemoryContextStrdup(r->context, failure.message);
	return ok;
}

/* --- fetching: no transaction is open --- */

/* The next UIDs behind the last: far-between ones are looked for in ever wider windows, up to the one the server gives next. */
static bool
find_mails(Reading *r, int *found)
{
	DunImap    *imap = &r->box.imap;
	uint64		from = (uint64) r->due->last_uid + 1;
	uint64		width = WINDOW;

	*found = 0;
	while (*found == 0 && from <= PG_UINT32_MAX && (imap->next_uid == 0 || from < imap->next_uid))
	{
		uint64		to = Min(from + width - 1, PG_UINT32_MAX);

		CHECK_FOR_INTERRUPTS();
		if (!dun_gateway_list_mails(imap, (uint32) from, (uint32) to, r->uids, AT_ONCE, found))
			return false;
		if (*found == 0)
			r->due->last_uid = Min(to, imap->next_uid ? (uint64) imap->next_uid - 1 : from - 1);
		from = to + 1;
		width *= 4;
	}
	return true;
}

static bool
fetch(Reading *r)
{
	int			found;

	r->n = 0;
	if (!find_mails(r, &found))
		return false;
	for (; r->n < found; r->n++)
	{
		DunImapMail *mail = &r->mails[r->n];

		if (mail->data == NULL)
			mail->data = MemoryContextAlloc(r->context, DUN_IMAP_MAIL_CAP);
		CHECK_FOR_INTERRUPTS();
		if (!dun_gateway_fetch_mail(&r->box.imap, r->uids[r->n], mail))
			return false;
	}
	return true;
}

/* --- recording --- */

typedef struct Taking
{
	Reading    *r;
	DunImapMail *mail;
	bool		matched;
} Taking;

static void
take(void *arg)
{
	Taking	   *t = arg;
	Datum		args[3];
	bool		isnull;

	args[0] = CStringGetTextDatum(t->r->due->server);
	args[1] = PointerGetDatum(cstring_to_text_with_len(t->mail->data, (int) t->mail->len));
	args[2] = CStringGetTextDatum(t->mail->arrived);
	dun_base_run(&take_sql, args, NULL, false, 1);
	t->matched = DatumGetBool(dun_base_value(0, 1, &isnull)) && !isnull;
}

static void
note(void *arg)
{
	Reading    *r = arg;
	Datum		args[7];
	char		nulls[8] = "       ";

	args[0] = CStringGetTextDatum(r->due->server);
	args[1] = Int64GetDatum(r->due->validity);
	args[2] = Int64GetDatum(r->due->last_uid);
	args[3] = Int32GetDatum(r->taken);
	args[4] = Int32GetDatum(r->unmatched);
	args[5] = r->problem ? CStringGetTextDatum(r->problem) : (Datum) 0;
	args[6] = BoolGetDatum(r->more);
	if (r->due->validity < 0)
		nulls[1] = 'n';
	if (r->problem == NULL)
		nulls[5] = 'n';
	dun_base_run(&note_sql, args, nulls, false, 0);
}

/*
 * What was fetched, each mail for itself. One that cannot be recorded is said in the log and counted, and the next one has its
 * turn; where it is a lock or the like, it is read again.
 */
static void
record(Reading *r)
{
	Reading		before = *r;
	DunFailure	failure;

	r->taken = r->unmatched = 0;
	dun_deliver_begin();
	for (int i = 0; i < r->n; i++)
	{
		Taking		t = {r, &r->mails[i], false};

		if (t.mail->len > 0 && !dun_deliver_attempt(take, &t, &failure))
		{
			if (dun_deliver_is_transient(&failure))
			{
				r->problem = MemoryContextStrdup(r->context, failure.message);
				break;
			}
			ereport(WARNING,
					(errcode(failure.sqlerrcode),
					 errmsg("mail %u of mailbox \"%s\" could not be recorded: %s", t.mail->uid, r->due->server, failure.message)));
		}
		r->taken += t.mail->len > 0;
		r->unmatched += t.mail->len > 0 && !t.matched;
		r->due->last_uid = t.mail->uid;
	}
	if (!dun_deliver_attempt(note, r, &failure))
	{
		r->problem = MemoryContextStrdup(r->context, failure.message);
		r->due->last_uid = before.due->last_uid;
	}
	dun_deliver_commit();
}

/* --- one mailbox --- */

static bool
open_box(Reading *r)
{
	if (!dun_transport_open_mailbox(&r->box, r->server, r->due->folder))
		return false;
	if (r->due->validity != r->box.imap.validity)
	{
		r->due->validity = r->box.imap.validity;
		r->due->last_uid = 0;
	}
	return true;
}

static void
read_box(Reading *r, DunRead *read)
{
	bool		ok;

	if (!transact(r, load, r))
		return;
	ok = open_box(r);
	while (ok && r->problem == NULL)
	{
		ok = fetch(r);
		/* Those that came before the connection was lost count. */
		r->more = ok && r->n > 0 && read->mails + r->n >= AT_MOST;
		record(r);
		read->mails += r->taken;
		read->unmatched += r->unmatched;
		r->taken = r->unmatched = 0;
		if (r->n == 0 || r->more)
			break;
	}
	if (!ok && r->problem == NULL)
		r->problem = r->box.late ? "no answer in time" : r->box.imap.problem;
	if (ok)
		dun_gateway_end_imap(&r->box.imap);
}

static void
read_one(Due *due, MemoryContext context, DunRead *read)
{
	Reading    *r = MemoryContextAllocZero(context, sizeof(Reading));

	r->context = context;
	r->due = due;
	read->mailboxes++;
	PG_TRY();
	{
		read_box(r, read);
		if (r->problem != NULL)
		{
			strlcpy(read->problem, r->problem, sizeof(read->problem));
			r->n = 0;
			(void) transact(r, note, r);
		}
	}
	PG_FINALLY();
	{
		dun_transport_close_mailbox(&r->box);
	}
	PG_END_TRY();
}

/* One process at a time reads for a database. */
static bool
lock_mail(LOCKTAG *tag)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, MAIL_LOCK_CLASS, 0, 2);
	return LockAcquire(tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
dun_deliver_read_mailboxes(const char *wanted, DunRead *read)
{
	MemoryContext all = AllocSetContextCreate(TopMemoryContext, "dunning mail", ALLOCSET_DEFAULT_SIZES);
	Looking		l = {wanted, all, NIL, read};
	Reading		looking = {.context = all};
	LOCKTAG		tag;
	ListCell   *lc;

	memset(read, 0, sizeof(*read));
	if (!lock_mail(&tag))
	{
		strlcpy(read->stopped, "another process is reading the mail of this database", sizeof(read->stopped));
		MemoryContextDelete(all);
		return;
	}
	PG_TRY();
	{
		if (!transact(&looking, look, &l))
			strlcpy(read->problem, looking.problem, sizeof(read->problem));
		foreach(lc, l.due)
		{
			MemoryContext one = AllocSetContextCreate(all, "dunning mailbox", ALLOCSET_DEFAULT_SIZES);

			read_one(lfirst(lc), one, read);
			MemoryContextDelete(one);
		}
	}
	PG_FINALLY();
	{
		LockRelease(&tag, ExclusiveLock, true);
		MemoryContextDelete(all);
	}
	PG_END_TRY();
}
