/*
 * transport/carrier.c
 *		The thread beside the process: jobs in, replies out.
 *
 * One lock guards the two lists and the flags, and is held for some instructions at a time. The thread sleeps in the
 * engine's epoll descriptor, where an eventfd wakes it; the process sleeps in its wait set, where another one does.
 * Either writes to the other's only if that one said it was about to sleep.
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#include "transport/carrier.h"
#include "transport/libcurl.h"

struct DunCarrier
{
	DunEngine  *engine;
	pthread_t	thread;
	int			wake_fd;		/* the thread's */
	int			ended_fd;		/* the process's */

	/* Under the lock: */
	pthread_mutex_t lock;
	pthread_cond_t turned;		/* the helm was taken, or given back */
	bool		wanted;			/* the thread is to have the helm */
	bool		at_helm;		/* it has */
	bool		stopping;
	bool		thread_sleeps;
	bool		process_sleeps;
	DunJobList	given;
	DunJobList	ended;
};

/* A process has one at most; its thread must end before the C library's exit handlers run. */
static DunCarrier *current;

/* The thread's own: what ended in the pass that it is in. */
static DunJobList *ended_now;

void
dun_transport_clear_jobs(DunJobList *list)
{
	list->head = NULL;
	list->tail = &list->head;
}

void
dun_transport_push_job(DunJobList *list, DunJob *job)
{
	job->next = NULL;
	*list->tail = job;
	list->tail = &job->next;
}

/* Puts `from` behind `list`, and empties it. */
static void
push_list(DunJobList *list, DunJobList *from)
{
	if (from->head == NULL)
		return;
	*list->tail = from->head;
	list->tail = from->tail;
	dun_transport_clear_jobs(from);
}

static void
ring(int eventfd)
{
	uint64		one = 1;

	/* Of eight bytes all are written or none, and none only if 2^64 were not read. */
	(void) !write(eventfd, &one, sizeof(one));
}

/* --- the thread --- */

/* A copy of `len` bytes at *room, which moves behind it. */
static char *
copy_words(char **room, const char *text, size_t len)
{
	char	   *copy = *room;

	if (text == NULL)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	*room += len + 1;
	return copy;
}

void
dun_transport_note_reply(void *owner, const DunReply *reply)
{
	DunJob	   *job = owner;
	size_t		error_len = reply->error ? strlen(reply->error) : 0;
	size_t		retry_len = reply->retry_after ? strlen(reply->retry_after) : 0;
	char	   *room = malloc(error_len + retry_len + reply->body_len + 3);

	job->reply = *reply;
	job->words = room;
	if (room == NULL)
	{
		job->reply.error = "out of memory";
		job->reply.retry_after = job->reply.body = NULL;
		job->reply.body_len = 0;
	}
	else
	{
		job->reply.error = copy_words(&room, reply->error, error_len);
		job->reply.retry_after = copy_words(&room, reply->retry_after, retry_len);
		job->reply.body = copy_words(&room, reply->body, reply->body_len);
	}
	dun_transport_push_job(ended_now, job);
}

static void
start_jobs(DunCarrier *c, DunJob *job)
{
	static const DunReply not_started = {.progress = DUN_NOT_SENT, .error = "libcurl could not start the transfer"};
	DunJob	   *next;

	for (; job != NULL; job = next)
	{
		next = job->next;
		if (!dun_transport_start_engine(c->engine, job->server, job->request, job))
			dun_transport_note_reply(job, &not_started);
	}
}

static int
pass_wait(DunEngine *engine)
{
	TimestampTz timer_at = dun_transport_engine_timer(engine);
	long		ms;

	if (timer_at == 0)
		return -1;
	ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), timer_at);
	return (int) Min(ms, 60000);
}

/* Until it is stopped: holds the lock but for its passes and its sleep. */
static void *
carry(void *arg)
{
	DunCarrier *c = arg;
	DunJobList	ended;

	dun_transport_clear_jobs(&ended);
	ended_now = &ended;
	pthread_mutex_lock(&c->lock);
	while (!c->stopping)
	{
		DunJob	   *jobs = c->given.head;
		int			wait_ms;

		if (c->at_helm != c->wanted && (c->wanted || jobs == NULL))
		{
			c->at_helm = c->wanted;
			pthread_cond_broadcast(&c->turned);
		}
		if (!c->at_helm)
		{
			pthread_cond_wait(&c->turned, &c->lock);
			continue;
		}
		dun_transport_clear_jobs(&c->given);
		wait_ms = jobs == NULL ? pass_wait(c->engine) : 0;
		c->thread_sleeps = wait_ms != 0;
		pthread_mutex_unlock(&c->lock);

		start_jobs(c, jobs);
		dun_transport_move_engine(c->engine, wait_ms);
		dun_transport_report_engine(c->engine, dun_transport_note_reply);

		pthread_mutex_lock(&c->lock);
		c->thread_sleeps = false;
		if (ended.head != NULL && c->process_sleeps)
		{
			c->process_sleeps = false;
			ring(c->ended_fd);
		}
		push_list(&c->ended, &ended);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* --- the process --- */

/* With the lock held. */
static void
wake_thread(DunCarrier *c)
{
	if (!c->thread_sleeps)
		return;
	c->thread_sleeps = false;
	ring(c->wake_fd);
}

static void
end_thread(DunCarrier *c)
{
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	wake_thread(c);
	pthread_cond_broadcast(&c->turned);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	current = NULL;
}

static void
end_at_exit(int code, Datum arg)
{
	if (current != NULL)
		end_thread(current);
}

static int
open_eventfd(void)
{
	int			fd;

	if (!AcquireExternalFD())
		return -1;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		ReleaseExternalFD();
	return fd;
}

static void
close_eventfd(int fd)
{
	if (fd < 0)
		return;
	close(fd);
	ReleaseExternalFD();
}

static bool
start_thread(DunCarrier *c)
{
	sigset_t	before;
	int			rc;

#ifdef M_ARENA_MAX
	/* One for each of the two: sharing one they would wait for each other, and more would only keep more. */
	mallopt(M_ARENA_MAX, 2);
#endif
	dun_transport_block_signals(&before);
	rc = pthread_create(&c->thread, NULL, carry, c);
	dun_transport_restore_signals(&before);
	return rc == 0;
}

DunCarrier *
dun_transport_open_carrier(DunEngine *engine)
{
	static bool registered = false;
	DunCarrier *c = current == NULL ? calloc(1, sizeof(DunCarrier)) : NULL;

	if (c == NULL)
		return NULL;
	if (!registered)
		on_proc_exit(end_at_exit, (Datum) 0);
	registered = true;
	c->engine = engine;
	dun_transport_clear_jobs(&c->given);
	dun_transport_clear_jobs(&c->ended);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->turned, NULL);
	c->wake_fd = open_eventfd();
	c->ended_fd = open_eventfd();
	if (c->wake_fd < 0 || c->ended_fd < 0 || !dun_transport_wake_engine_by(engine, c->wake_fd) || !start_thread(c))
	{
		close_eventfd(c->wake_fd);
		close_eventfd(c->ended_fd);
		free(c);
		return NULL;
	}
	current = c;
	return c;
}

void
dun_transport_close_carrier(DunCarrier *c)
{
	if (c == NULL)
		return;
	end_thread(c);
	close_eventfd(c->wake_fd);
	close_eventfd(c->ended_fd);
	pthread_cond_destroy(&c->turned);
	pthread_mutex_destroy(&c->lock);
	for (DunJob *job = c->ended.head; job != NULL; job = job->next)
		free(job->words);
	free(c);
}

static void
turn(DunCarrier *c, bool wanted)
{
	pthread_mutex_lock(&c->lock);
	c->wanted = wanted;
	wake_thread(c);
	pthread_cond_broadcast(&c->turned);
	while (c->at_helm != wanted)
		pthread_cond_wait(&c->turned, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

void
dun_transport_hand_over(DunCarrier *c)
{
	turn(c, true);
}

void
dun_transport_take_back(DunCarrier *c)
{
	turn(c, false);
}

void
dun_transport_give_jobs(DunCarrier *c, DunJobList *jobs)
{
	if (jobs->head == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	push_list(&c->given, jobs);
	wake_thread(c);
	pthread_mutex_unlock(&c->lock);
}

DunJob *
dun_transport_take_jobs(DunCarrier *c)
{
	DunJob	   *jobs;

	pthread_mutex_lock(&c->lock);
	jobs = c->ended.head;
	dun_transport_clear_jobs(&c->ended);
	pthread_mutex_unlock(&c->lock);
	return jobs;
}

int
dun_transport_carrier_descriptor(const DunCarrier *c)
{
	return c->ended_fd;
}

bool
dun_transport_await_jobs(DunCarrier *c)
{
	uint64		count;
	bool		sleeps;

	/* What rang before is old: it is read first, so that nothing that ends from here on is missed. */
	(void) !read(c->ended_fd, &count, sizeof(count));
	pthread_mutex_lock(&c->lock);
	sleeps = c->process_sleeps = c->ended.head == NULL;
	pthread_mutex_unlock(&c->lock);
	return sleeps;
}
