/*
 * bench/deliver/curl_multi.c
 *		The bar: how fast a plain libcurl program delivers the same messages when it has nothing else to do.
 *
 *	curl_multi URL SLOTS COUNT
 *
 * One process, one multi handle driven by its socket interface over epoll, kept connections, SLOTS transfers at once.
 * http:// posts a typical SMS as JSON, smtp:// sends a typical mail. Prints messages a second.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

static const char sms[] =
	"{\"id\":\"019a8f2e-0000-7000-8000-%012ld\",\"channel\":\"sms\",\"to\":\"+45%08ld\",\"from\":\"Nordlys\",\"subject\":\"\","
	"\"text\":\"Hi Kirsten, invoice F-1042-7 of 1,240.50 DKK was due 12 days ago. Pay here: https://pay.example/1042-7 . "
	"Already paid? Please ignore this. Nordlys Energi, +45 70 10 20 30\"}";

static const char mail[] =
	"From: \"Mette, Nordlys Energi\"\r\n <billing@nordlys.test>\r\nTo: <d%ld@debtors.test>\r\nSubject: Kirsten, a small reminder of your invoice\r\n"
	"Date: Mon, 22 Jun 2026 07:30:00 +0000\r\nMessage-ID: <%ld@nordlys.test>\r\nMIME-Version: 1.0\r\n"
	"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	"Hi Kirsten,\r\n\r\ninvoice F-1042-7 of 1,240.50 DKK was due 12 days ago.\r\nPay here: https://pay.example/1042-7\r\n\r\n"
	"Already paid? Please ignore this.\r\n\r\nNordlys Energi, +45 70 10 20 30\r\n";

typedef struct Slot
{
	CURL	   *easy;
	struct curl_slist *headers;
	struct curl_slist *rcpt;
	char		body[2048];
	size_t		len;
	size_t		read;
} Slot;

static CURLM *multi;
static int	epoll_fd;
static long timeout_ms = -1;
static const char *url;
static bool smtp;
static long started = 0,
			finished = 0,
			failed = 0,
			wanted;

static int
on_socket(CURL *easy, curl_socket_t s, int what, void *user, void *known)
{
	struct epoll_event event = {.data.fd = s};

	if (what == CURL_POLL_REMOVE)
		return epoll_ctl(epoll_fd, EPOLL_CTL_DEL, s, &event), 0;
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	if (known == NULL)
		curl_multi_assign(multi, s, &epoll_fd);
	epoll_ctl(epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s, &event);
	return 0;
}

static int
on_timer(CURLM *m, long ms, void *user)
{
	timeout_ms = ms;
	return 0;
}

static size_t
on_write(char *data, size_t size, size_t n, void *user)
{
	return size * n;
}

static size_t
on_read(char *to, size_t size, size_t n, void *user)
{
	Slot	   *slot = user;
	size_t		len = slot->len - slot->read < size * n ? slot->len - slot->read : size * n;

	memcpy(to, slot->body + slot->read, len);
	slot->read += len;
	return len;
}

static void
begin(Slot *slot)
{
	char		line[128];

	if (started == wanted)
		return;
	slot->read = 0;
	if (smtp)
	{
		slot->len = snprintf(slot->body, sizeof(slot->body), mail, started, started);
		snprintf(line, sizeof(line), "d%ld@debtors.test", started);
		curl_slist_free_all(slot->rcpt);
		slot->rcpt = curl_slist_append(NULL, line);
		curl_easy_setopt(slot->easy, CURLOPT_MAIL_RCPT, slot->rcpt);
		curl_easy_setopt(slot->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t) slot->len);
	}
	else
	{
		slot->len = snprintf(slot->body, sizeof(slot->body), sms, started, started);
		snprintf(line, sizeof(line), "Idempotency-Key: 019a8f2e-0000-7000-8000-%012ld", started);
		curl_slist_free_all(slot->headers);
		slot->headers = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), line);
		curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, slot->headers);
		curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) slot->len);
	}
	started++;
	curl_multi_add_handle(multi, slot->easy);
}

static void
prepare(Slot *slot)
{
	slot->easy = curl_easy_init();
	curl_easy_setopt(slot->easy, CURLOPT_URL, url);
	curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
	curl_easy_setopt(slot->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(slot->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, 30000L);
	curl_easy_setopt(slot->easy, CURLOPT_WRITEFUNCTION, on_write);
	if (smtp)
	{
		curl_easy_setopt(slot->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(slot->easy, CURLOPT_MAIL_FROM, "billing@nordlys.test");
		curl_easy_setopt(slot->easy, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(slot->easy, CURLOPT_READDATA, slot);
	}
	else
	{
		curl_easy_setopt(slot->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(slot->easy, CURLOPT_POSTFIELDS, slot->body);
	}
	begin(slot);
}

static void
collect(void)
{
	CURLMsg    *m;
	int			left;

	while ((m = curl_multi_info_read(multi, &left)) != NULL)
	{
		Slot	   *slot;
		long		code = 0;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **) &slot);
		curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &code);
		failed += m->data.result != CURLE_OK || code < 200 || code > 299;
		finished++;
		curl_multi_remove_handle(multi, slot->easy);
		begin(slot);
	}
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	int			slots,
				running;
	Slot	   *slot;
	double		began;

	if (argc != 4)
	{
		fputs("usage: curl_multi URL SLOTS COUNT\n", stderr);
		return 2;
	}
	url = argv[1];
	slots = atoi(argv[2]);
	wanted = atol(argv[3]);
	smtp = strncmp(url, "smtp", 4) == 0;
	curl_global_init(CURL_GLOBAL_ALL);
	multi = curl_multi_init();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long) slots);
	slot = calloc(slots, sizeof(Slot));
	began = seconds();
	for (int i = 0; i < slots; i++)
		prepare(&slot[i]);
	while (finished < wanted)
	{
		struct epoll_event events[256];
		int			n = epoll_wait(epoll_fd, events, 256, timeout_ms < 0 ? 1000 : (int) timeout_ms);

		if (n <= 0 || timeout_ms == 0)
			curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
		for (int i = 0; i < n; i++)
			curl_multi_socket_action(multi, events[i].data.fd,
									 (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
									 (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0), &running);
		collect();
	}
	printf("%.0f\n", finished / (seconds() - began));
	if (failed)
		fprintf(stderr, "curl_multi: %ld of %ld failed\n", failed, wanted);
	return failed != 0;
}
