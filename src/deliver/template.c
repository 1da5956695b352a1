/*
 * deliver/template.c
 *		Looking up the texts in force.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/spi.h"
#include "base/watch.h"
#include "deliver/arrays.h"
#include "deliver/template.h"

#define MOST_TEMPLATES 256		/* kept from one batch to the next */
#define NAMES 5

/* One look-up of a template for all messages that use it. */
static DunStatement templates_sql = {
	"SELECT x.subject, x.body_text, x.body_html, x.language,"
	"       (SELECT c.link_url FROM dunning.creditor c WHERE c.creditor = u.creditor ORDER BY c.builtin LIMIT 1),"
	"       dunning._partials(x.subject, x.body_text, x.body_html, u.channel, x.language, u.creditor, u.framing),"
	"       u.channel = 'email' AND dunning._has_documents(u.template, u.language, u.creditor)"
	"  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4),"
	"      pg_catalog.unnest($5)) WITH ORDINALITY AS u(template, channel, language, creditor, framing, ord),"
	"       LATERAL dunning._template(u.template, u.channel, u.language, u.creditor, u.framing) x"
	" ORDER BY u.ord",
	NAMES, {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, .harmless = true,
	.cursor_options = CURSOR_OPT_GENERIC_PLAN
};

static DunStatement today_sql = {"SELECT dunning._today(NULL)", 0, {0}, .harmless = true};

/* What a template is asked for by. */
typedef struct Kept
{
	char	   *names[NAMES];	/* template, channel, language, creditor, framing; NULL as in a message */
	bool		found;
	DunFoundTemplate template;
} Kept;

static MemoryContext context = NULL;
static Kept **kept = NULL;
static int	nkept = 0;
static int	room = 0;
static uint64 kept_since = 0;	/* dun_base_watched() when they were looked up */

static void
list_names(const DunItem *item, const char **names)
{
	names[0] = item->template;
	names[1] = item->out.channel;
	names[2] = item->language;
	names[3] = item->out.creditor;
	names[4] = item->framing;
}

static bool
has_names(const Kept *k, const char *const *names)
{
	for (int i = 0; i < NAMES; i++)
		if (k->names[i] == NULL || names[i] == NULL ? k->names[i] != names[i] : strcmp(k->names[i], names[i]) != 0)
			return false;
	return true;
}

static void
forget(uint64 watched)
{
	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "dunning templates", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(context);
	kept = NULL;
	nkept = room = 0;
	kept_since = watched;
}

static int
add(const char *const *names)
{
	MemoryContext before = MemoryContextSwitchTo(context);
	Kept	   *k = palloc0(sizeof(Kept));

	for (int i = 0; i < NAMES; i++)
		k->names[i] = names[i] ? pstrdup(names[i]) : NULL;
	if (nkept == room)
	{
		room = room * 2 + 64;
		kept = kept == NULL ? palloc(room * sizeof(Kept *)) : repalloc(kept, room * sizeof(Kept *));
	}
	MemoryContextSwitchTo(before);
	kept[nkept] = k;
	return nkept++;
}

/* Neighbours are mostly alike. */
static int
place_of(const char *const *names, int last)
{
	if (last >= 0 && has_names(kept[last], names))
		return last;
	for (int i = 0; i < nkept; i++)
		if (has_names(kept[i], names))
			return i;
	return add(names);
}

static void
keep_row(uint64 row, Kept *k)
{
	MemoryContext before = MemoryContextSwitchTo(context);
	bool		isnull;
	bool		unsaid;
	Datum		partials = dun_base_value(row, 6, &isnull);
	Datum		attaches = dun_base_value(row, 7, &unsaid);

	k->template = (DunFoundTemplate) {
		.subject = dun_base_text(row, 1), .body_text = dun_base_text(row, 2), .body_html = dun_base_text(row, 3),
		.language = dun_base_text(row, 4), .link_url = dun_base_text(row, 5),
		.partials = isnull ? NULL : DatumGetJsonbPCopy(partials), .attaches = !unsaid && DatumGetBool(attaches)
	};
	k->found = true;
	MemoryContextSwitchTo(before);
}

/* Those from `first` on. In a snapshot of this moment: what is kept must not be older than what was watched. */
static void
look_up(int first)
{
	DunColumn  *columns[NAMES];
	Datum		args[NAMES];
	int			n = nkept - first;
	uint64		rows;

	if (n == 0)
		return;
	for (int c = 0; c < NAMES; c++)
	{
		columns[c] = dun_deliver_column(TEXTOID, n);
		for (int i = first; i < nkept; i++)
			dun_deliver_push_text(columns[c], kept[i]->names[c]);
		args[c] = dun_deliver_array(columns[c]);
	}
	PushActiveSnapshot(GetLatestSnapshot());
	rows = dun_base_run(&templates_sql, args, NULL, true, 0);
	PopActiveSnapshot();
	if (rows != n)
		elog(ERROR, "%d of %d templates were found", (int) rows, n);
	for (uint64 row = 0; row < rows; row++)
		keep_row(row, kept[first + row]);
}

/* What an error left half looked up is looked up again. */
static void
forget_what_is_old(uint64 watched)
{
	bool		whole = kept_since == watched && nkept <= MOST_TEMPLATES;

	for (int i = 0; i < nkept && whole; i++)
		whole = kept[i]->found;
	if (!whole)
		forget(watched);
}

DateADT
dun_deliver_find_templates(DunItem **items, int n, DunFoundTemplate **templates)
{
	int			first;
	int			at = -1;
	bool		isnull;

	forget_what_is_old(dun_base_watched());
	first = nkept;
	for (int i = 0; i < n; i++)
	{
		const char *names[NAMES];

		list_names(items[i], names);
		at = place_of(names, at);
		templates[i] = &kept[at]->template;
	}
	look_up(first);
	dun_base_run(&today_sql, NULL, NULL, true, 1);
	return DatumGetDateADT(dun_base_value(0, 1, &isnull));
}
