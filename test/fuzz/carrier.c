/*
 * test/fuzz/carrier.c
 *		The thread that moves requests, under ThreadSanitizer and then AddressSanitizer: groups of every size, HTTP and mail, with the engine handed over
 *		and taken back, aborted and closed at any moment, and the list of allowed hosts replaced meanwhile. Each request that was
 *		started is reported once, to its owner, and none is in flight at the end.
 *
 * Build and run: test/fuzz/run.sh carrier [seconds], which starts a gateway. What of the server the transport uses is stubbed here.
 */
#include "postgres.h"

#include <poll.h>
#include <time.h>

#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "gateway/network.h"
#include "transport/transport.h"

#define SLOTS 24
#define SERVERS 3

typedef struct Owner
{
	int			started;
	int			reported;
} Owner;

static Owner owners[SLOTS * 4];
static Owner *unused[SLOTS * 4];
static int	nunused;
static long long started;
static long long replied;
static unsigned seed = 1;

static void
must(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "carrier: %s\n", what);
	abort();
}

static int
draw(int n)
{
	return (int) (rand_r(&seed) % (unsigned) n);
}

/* --- the server --- */

MemoryContext TopMemoryContext;
sigjmp_buf *PG_exception_stack;
ErrorContextCallback *error_context_stack;
volatile sig_atomic_t InterruptPending;
struct Latch *MyLatch;
int			MyProcPid = 1;

struct WaitEventSet
{
	int			fd;
};

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return calloc(1, size);
}

void
pfree(void *pointer)
{
	free(pointer);
}

char *
pstrdup(const char *text)
{
	return strdup(text);
}

bool
AcquireExternalFD(void)
{
	return true;
}

void
ReleaseExternalFD(void)
{
}

#if PG_VERSION_NUM >= 170000
WaitEventSet *
CreateWaitEventSet(struct ResourceOwnerData *owner, int nevents)
#else
WaitEventSet *
CreateWaitEventSet(MemoryContext context, int nevents)
#endif
{
	return calloc(1, sizeof(WaitEventSet));
}

int
AddWaitEventToSet(WaitEventSet *set, uint32 events, pgsocket fd, struct Latch *latch, void *user_data)
{
	if (events == WL_SOCKET_READABLE)
		set->fd = fd;
	return 0;
}

int
WaitEventSetWait(WaitEventSet *set, long timeout, WaitEvent *event, int nevents, uint32 wait_event_info)
{
	struct pollfd p = {set->fd, POLLIN, 0};

	return poll(&p, 1, timeout < 0 || timeout > 20 ? 20 : (int) timeout);
}

void
FreeWaitEventSet(WaitEventSet *set)
{
	free(set);
}

TimestampTz
GetCurrentTimestamp(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (TimestampTz) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

long
TimestampDifferenceMilliseconds(TimestampTz from, TimestampTz to)
{
	return from >= to ? 0 : (long) ((to - from + 999) / 1000);
}

void
on_proc_exit(pg_on_exit_callback function, Datum arg)
{
}

void
ProcessInterrupts(void)
{
}

bool
errstart_cold(int elevel, const char *domain)
{
	must(false, "the transport said that something is wrong");
	return false;
}

int
errcode(int sqlerrcode)
{
	return 0;
}

int
errcode_for_socket_access(void)
{
	return 0;
}

bool
errstart(int elevel, const char *domain)
{
	return errstart_cold(elevel, domain);
}

int
errmsg(const char *fmt, ...)
{
	return 0;
}

int
errdetail(const char *fmt, ...)
{
	return 0;
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	abort();
}

void
pg_re_throw(void)
{
	abort();
}

/* --- requests --- */

static void
replace_allow_list(void)
{
	static DunAllowList *list;
	DunAllowList *before = list;
	const char *bad;

	list = dun_gateway_parse_allow_list(draw(2) ? "127.0.0.1" : "127.0.0.0/8, 10.0.0.1", malloc, &bad);
	must(list != NULL && bad == NULL, "the list of hosts was not read");
	dun_gateway_set_allow_list(list);
	free(before);
}

static void
on_reply(void *owner, const DunReply *reply)
{
	Owner	   *o = owner;

	must(o->started == 1 && o->reported == 0, "a reply for nobody, or a second one");
	o->reported = 1;
	if (reply->progress == DUN_REPLIED)
		must(reply->code >= 200 && reply->code < 600 && (reply->body == NULL || memchr(reply->body, '\0', reply->body_len) == NULL), "a reply that the gateway did not give");
	replied += reply->progress == DUN_REPLIED;
	unused[nunused++] = o;
}

static void
start_group(DunTransport *t, DunServer *servers, DunRequest *requests)
{
	int			n = draw(dun_transport_free_slots(t) + 1);

	dun_transport_begin_group(t, n);
	for (int i = 0; i < n; i++)
	{
		int			which = draw(SERVERS);
		Owner	   *o = unused[--nunused];

		*o = (Owner) {.started = 1};
		if (dun_transport_start_transfer(t, &servers[which], &requests[which], o))
			started++;
		else
			unused[nunused++] = o;
	}
	dun_transport_end_group(t);
}

static void
run(DunServer *servers, DunRequest *requests, TimestampTz until)
{
	DunTransport *t = dun_transport_open_transport(SLOTS, draw(8) > 0);
	int			turns = draw(400);

	for (int turn = 0; turn < turns && GetCurrentTimestamp() < until; turn++)
	{
		if (draw(3) == 0)
			start_group(t, servers, requests);
		if (draw(20) == 0)
			replace_allow_list();
		if (draw(40) == 0)
			dun_transport_send_off(t, on_reply);
		if (draw(60) == 0)
			dun_transport_abort_transfers(t, on_reply);
		dun_transport_run_transfers(t, on_reply);
		dun_transport_wait(t, draw(3));
	}
	/* Half of the time it is closed with requests in flight; those are forgotten. */
	if (draw(2))
	{
		dun_transport_abort_transfers(t, on_reply);
		dun_transport_run_transfers(t, on_reply);
		must(dun_transport_slots_in_use(t) == 0 && nunused == lengthof(owners), "some are in flight after all were ended");
	}
	dun_transport_close_transport(t);
	nunused = 0;
	for (int i = 0; i < lengthof(owners); i++)
		unused[nunused++] = &owners[i];
}

int
main(int argc, char **argv)
{
	DunServer	servers[SERVERS] = {
		{.serial = 1, .url = argv[2], .timeout_ms = 2000, .repeat = true},
		{.serial = 2, .url = argv[2], .timeout_ms = 2000, .repeat = false},
		{.serial = 3, .url = argv[3], .timeout_ms = 2000, .repeat = false},
	};
	DunRequest	requests[SERVERS] = {
		{.kind = DUN_REQUEST_HTTP, .url = argv[2], .method = "POST", .body = "{\"to\": \"+4512345678\"}", .body_len = 21},
		{.kind = DUN_REQUEST_HTTP, .url = argv[2], .method = "POST", .body = "to=%2B4512345678", .body_len = 16},
		{.kind = DUN_REQUEST_SMTP, .url = argv[3], .body = "Subject: a\r\n\r\nb\r\n", .body_len = 17, .mail_from = "a@b.test", .mail_rcpt = "c@d.test"},
	};
	TimestampTz until;

	must(argc == 4, "carrier SECONDS HTTP_URL SMTP_URL");
	until = GetCurrentTimestamp() + atoi(argv[1]) * INT64CONST(1000000);
	for (int i = 0; i < lengthof(owners); i++)
		unused[nunused++] = &owners[i];
	replace_allow_list();
	while (GetCurrentTimestamp() < until)
		run(servers, requests, until);
	must(replied > 100, "hardly anything was replied to");
	printf("Done %lld runs: %lld replied\n", started, replied);
	return 0;
}
