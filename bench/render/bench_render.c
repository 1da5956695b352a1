/*
 * bench/render/bench_render.c
 *		How many messages a second one core renders, through the call that delivery uses, and what copying the same
 *		bytes costs. A module of its own, loaded by bench/render/render.sh alone.
 */
#include "postgres.h"

#include <sys/resource.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "message/render.h"

PG_MODULE_MAGIC;

typedef struct Work
{
	char	   *source[3];
	Jsonb	   *partials;
	char	   *language;
	Datum	   *contexts;
	int			ncontexts;
	int			times;
} Work;

/* Seconds of this process: others on the machine do not count. */
static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static Work
arguments(FunctionCallInfo fcinfo)
{
	Work		w = {{NULL}};

	for (int i = 0; i < 3; i++)
		w.source[i] = PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
	w.partials = PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3);
	w.language = text_to_cstring(PG_GETARG_TEXT_PP(4));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(5), JSONBOID, -1, false, TYPALIGN_INT, &w.contexts, NULL, &w.ncontexts);
	w.times = PG_GETARG_INT32(6);
	return w;
}

static void
render(const Work *w, int i, DunParts *parts)
{
	dun_message_render_parts(w->source[0], w->source[1], w->source[2], w->partials, DatumGetJsonbP(w->contexts[i % w->ncontexts]),
							 w->language, NULL, parts);
}

PG_FUNCTION_INFO_V1(bench_render);

/* Seconds for `times` messages. */
Datum
bench_render(PG_FUNCTION_ARGS)
{
	Work		w = arguments(fcinfo);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "one message", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(scratch);
	double		from = cpu_seconds();

	for (int i = 0; i < w.times; i++)
	{
		DunParts	parts;

		render(&w, i, &parts);
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(before);
	PG_RETURN_FLOAT8(cpu_seconds() - from);
}

/* A copy in pieces of 24 bytes: about what stands between two values. */
static char *
compose(const char *text)
{
	StringInfoData s;
	int			len;

	if (text == NULL)
		return NULL;
	len = strlen(text);
	initStringInfo(&s);
	for (int at = 0; at < len; at += 24)
		appendBinaryStringInfo(&s, text + at, Min(24, len - at));
	return s.data;
}

PG_FUNCTION_INFO_V1(bench_copy);

/* Seconds for as many messages that are copied together from ready pieces. */
Datum
bench_copy(PG_FUNCTION_ARGS)
{
	Work		w = arguments(fcinfo);
	DunParts	ready;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "one message", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before;
	double		from;
	volatile char seen = 0;

	render(&w, 0, &ready);
	before = MemoryContextSwitchTo(scratch);
	from = cpu_seconds();
	for (int i = 0; i < w.times; i++)
	{
		char	   *subject = compose(ready.subject);
		char	   *body_text = compose(ready.body_text);
		char	   *body_html = compose(ready.body_html);

		seen ^= (subject ? *subject : 0) ^ (body_text ? *body_text : 0) ^ (body_html ? *body_html : 0);
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(before);
	PG_RETURN_FLOAT8(cpu_seconds() - from);
}
