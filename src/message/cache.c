/*
 * message/cache.c
 *		Compiles the texts of a message once and keeps what became of them.
 *
 * Each compiled message has a memory context of its own below `cache_context`; it is made in the caller's, so that a
 * text that is no template leaves nothing behind. When the cache is full all of it goes: a worker has some dozen texts
 * in use, and hundreds only when somebody tries out many.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/errcodes.h"
#include "base/hash.h"
#include "message/cache.h"
#include "mb/pg_wchar.h"

#define MAX_CACHED 512
#define MAX_CACHED_BYTES (32 * 1024 * 1024)
#define RECENT 8				/* looked through before a hash is taken */

typedef struct CacheEntry
{
	uint64		hash;
	DunCompiled *compiled;
} CacheEntry;

static const char *const part_names[] = {"subject", "body_text", "body_html"};

static MemoryContext cache_context;
static HTAB *cache;
static DunCompiled *recent[RECENT];
static int	next_recent;

static void
reset_cache(void)
{
	HASHCTL		ctl = {.keysize = sizeof(uint64), .entrysize = sizeof(CacheEntry)};

	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(TopMemoryContext, "dunning templates", ALLOCSET_DEFAULT_SIZES);
	cache = NULL;
	memset(recent, 0, sizeof(recent));
	MemoryContextReset(cache_context);
	ctl.hcxt = cache_context;
	cache = hash_create("dunning templates", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* ---- errors ---- */

pg_noreturn static void
report_error(const DunTemplateError *e, int part)
{
	const char *where = e->partial[0] ? psprintf("partial \"%s\" of the %s", e->partial, part_names[part]) : part_names[part];

	switch (e->problem)
	{
		case DUN_PROBLEM_LIMIT:
			ereport(ERROR,
					(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("%s", e->message),
					 errdetail("It is the %s. A text may have 256 kB, with its partials 1 MB in %d pieces, %d levels deep.", where,
							   DUN_PROGRAM_MAX_UNITS, DUN_PROGRAM_MAX_LEVELS),
					 errhint("Shorten the text, or send what is long as a link.")));
			break;
		case DUN_PROBLEM_CYCLE:
			ereport(ERROR,
					(errcode(DUN_ERR_TEMPLATE), errmsg("%s", e->message),
					 errdetail("The circle is %s, in the %s.", e->chain, part_names[part]),
					 errhint("Save one of them without its tag: SELECT template, channel, language, creditor, body_text FROM dunning.template WHERE partial AND replaced_at IS NULL AND template = ANY (string_to_array(%s, ' -> '));",
							 quote_literal_cstr(e->chain))));
			break;
		case DUN_PROBLEM_NO_PARTIAL:
			ereport(ERROR,
					(errcode(DUN_ERR_TEMPLATE), errmsg("%s", e->message),
					 errdetail("It is included in the %s, line %d, character %d.", where, e->line, e->column),
					 errhint("Save it for the same channel, here e-mail: SELECT * FROM dunning.save_template(%s, 'email', 'en', NULL, 'its text', partial => true);",
							 quote_literal_cstr(e->chain))));
			break;
		case DUN_PROBLEM_GRAMMAR:
			break;
	}
	ereport(ERROR,
			(errcode(DUN_ERR_TEMPLATE),
			 errmsg("%s", e->message),
			 errdetail("It stands in the %s, line %d, character %d.", where, e->line, e->column),
			 errhint("A template knows {{name}}, {{name | money}}, {{#name}} ... {{/name}}, {{^name}} ... {{/name}}, {{> partial}}, {{=<%% %%>=}} and {{! comment }}.")));
}

/* ---- partials ---- */

static bool
find_partial(void *arg, const char *name, int len, bool html, DunPartialText *found)
{
	const Jsonb *partials = arg;
	JsonbValue	row,
				v;

	if (partials == NULL || getKeyJsonValueFromContainer((JsonbContainer *) &partials->root, name, len, &row) == NULL ||
		row.type != jbvBinary || !JsonContainerIsObject(row.val.binary.data))
		return false;
	found->plain = false;
	if (html && getKeyJsonValueFromContainer(row.val.binary.data, "html", 4, &v) && v.type == jbvString)
	{
		found->text = v.val.string.val;
		found->len = v.val.string.len;
		return true;
	}
	found->plain = html;
	if (getKeyJsonValueFromContainer(row.val.binary.data, "text", 4, &v) == NULL || v.type != jbvString)
		return false;
	found->text = v.val.string.val;
	found->len = v.val.string.len;
	return true;
}

/* ---- names ---- */

/* As jsonb sorts keys: the shorter one first. */
static int
compare_heads(const void *a, const void *b)
{
	const DunHead *x = a,
			   *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->s, y->s, x->len);
}

static bool
is_measure(const DunName *name)
{
	static const char *const measures[] = {"amount", "days_overdue", "due_on", "invoice_count"};

	for (size_t i = 0; i < lengthof(measures); i++)
	{
		int			len = strlen(measures[i]);

		if (name->len >= len && memcmp(name->s + name->len - len, measures[i], len) == 0 &&
			(name->len == len || name->s[name->len - len - 1] == '.'))
			return true;
	}
	return false;
}

typedef struct NameEntry
{
	DunHead		key;			/* compared and hashed by what it points at */
	int			name;
} NameEntry;

static uint32
hash_name(const void *key, Size size)
{
	const DunHead *k = key;

	return (uint32) dun_base_hash64(k->s, k->len, 0);
}

static int
match_name(const void *a, const void *b, Size size)
{
	return compare_heads(a, b);
}

/* Numbers the names of every node of the three parts. */
static void
number_names(DunCompiled *c)
{
	HASHCTL		ctl = {.keysize = sizeof(DunHead), .entrysize = sizeof(NameEntry), .hash = hash_name, .match = match_name, .hcxt = CurrentMemoryContext};
	HTAB	   *known = hash_create("names of a template", 64, &ctl, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	int			room = 32;

	c->names = palloc(room * sizeof(DunName));
	for (int p = 0; p < DUN_PARTS; p++)
		for (int u = 0; u < c->program[p].nunits; u++)
		{
			DunTemplate *t = &c->program[p].units[u].t;

			for (int i = 0; i < t->nnodes; i++)
			{
				DunNode    *n = &t->nodes[i];
				DunHead		key = {t->text + n->text.at, n->text.len};
				NameEntry  *entry;
				bool		found;

				if (n->kind == DUN_NODE_TEXT || n->kind == DUN_NODE_PARTIAL)
					continue;
				entry = hash_search(known, &key, HASH_ENTER, &found);
				if (!found)
				{
					if (c->nnames == room)
						c->names = repalloc(c->names, (room *= 2) * sizeof(DunName));
					c->names[c->nnames] = (DunName) {.s = key.s, .len = key.len, .head = -1};
					entry->name = c->nnames++;
				}
				n->name = entry->name;
			}
		}
	hash_destroy(known);
}

int
dun_message_find_head(const DunCompiled *c, const char *name)
{
	DunHead		head = {name, strlen(name)};
	DunHead    *found = bsearch(&head, c->heads, c->nheads, sizeof(DunHead), compare_heads);

	return found ? found - c->heads : -1;
}

static void
number_heads(DunCompiled *c)
{
	int			kept = 0;

	c->heads = palloc((c->nnames + 1) * sizeof(DunHead));
	c->heads[c->nheads++] = (DunHead) {"currency", 8};
	for (int i = 0; i < c->nnames; i++)
	{
		DunName    *name = &c->names[i];
		const char *dot = memchr(name->s, '.', name->len);

		name->measure = is_measure(name);
		name->head_len = dot ? dot - name->s : name->len;
		if (name->head_len > 0)
			c->heads[c->nheads++] = (DunHead) {name->s, name->head_len};
	}
	qsort(c->heads, c->nheads, sizeof(DunHead), compare_heads);
	for (int i = 0; i < c->nheads; i++)
		if (kept == 0 || compare_heads(&c->heads[kept - 1], &c->heads[i]) != 0)
			c->heads[kept++] = c->heads[i];
	c->nheads = kept;
	for (int i = 0; i < c->nnames; i++)
	{
		DunHead		head = {c->names[i].s, c->names[i].head_len};
		DunHead    *found = head.len > 0 ? bsearch(&head, c->heads, c->nheads, sizeof(DunHead), compare_heads) : NULL;

		if (found)
			c->names[i].head = found - c->heads;
	}
	c->currency = dun_message_find_head(c, "currency");
}

/* ---- paths ---- */

static int
add_path(DunCompiled *c, int parent, int name, char *text)
{
	if (c->npaths == c->room)
	{
		c->room = Max(32, c->room * 2);
		c->paths = c->paths ? repalloc(c->paths, c->room * sizeof(DunPath)) : palloc(c->room * sizeof(DunPath));
		c->order = c->order ? repalloc(c->order, c->room * sizeof(int)) : palloc(c->room * sizeof(int));
	}
	c->paths[c->npaths] = (DunPath) {.parent = parent, .name = name, .next = -1, .child = -1, .text = text};
	c->sorted = false;
	return c->npaths++;
}

int
dun_message_find_path(DunCompiled *c, int parent, int name)
{
	const DunName *n = &c->names[name];
	MemoryContext before;
	int			path;

	if (n->head < 0)
		return parent;
	for (int i = c->paths[parent].child; i >= 0; i = c->paths[i].next)
		if (c->paths[i].name == name)
			return i;
	before = MemoryContextSwitchTo(c->context);
	path = add_path(c, parent, name, parent == 0 ? pnstrdup(n->s, n->len)
					: psprintf("%s.%.*s", c->paths[parent].text, n->len, n->s));
	MemoryContextSwitchTo(before);
	c->paths[path].next = c->paths[parent].child;
	c->paths[parent].child = path;
	return path;
}

static int
compare_paths(const void *a, const void *b, void *arg)
{
	const DunPath *paths = arg;

	return strcmp(paths[*(const int *) a].text, paths[*(const int *) b].text);
}

void
dun_message_sort_paths(DunCompiled *c)
{
	if (c->sorted)
		return;
	for (int i = 1; i < c->npaths; i++)
		c->order[i - 1] = i;
	qsort_arg(c->order, c->npaths - 1, sizeof(int), compare_paths, c->paths);
	c->norder = 0;
	for (int i = 0; i + 1 < c->npaths; i++)
	{
		int			path = c->order[i];

		if (c->norder == 0 || strcmp(c->paths[c->order[c->norder - 1]].text, c->paths[path].text) != 0)
			c->order[c->norder++] = path;
		c->paths[path].same = c->order[c->norder - 1];
	}
	c->sorted = true;
}

/* ---- finding ---- */

static size_t
partials_size(const Jsonb *partials)
{
	return partials ? VARSIZE(partials) : 0;
}

static bool
is_of(const DunCompiled *c, const DunSource *s, const size_t *len)
{
	if (c->source.plain != s->plain || partials_size(c->source.partials) != partials_size(s->partials))
		return false;
	for (int p = 0; p < DUN_PARTS; p++)
		if ((c->source.text[p] == NULL) != (s->text[p] == NULL) || c->len[p] != len[p])
			return false;
	for (int p = 0; p < DUN_PARTS; p++)
		if (len[p] > 0 && memcmp(c->source.text[p], s->text[p], len[p]) != 0)
			return false;
	return s->partials == NULL || memcmp(c->source.partials, s->partials, VARSIZE(s->partials)) == 0;
}

static DunCompiled *
remember(DunCompiled *c)
{
	recent[next_recent] = c;
	next_recent = (next_recent + 1) % RECENT;
	return c;
}

static void
compile_parts(DunCompiled *c)
{
	int			flags = (GetDatabaseEncoding() == PG_UTF8 ? DUN_TEMPLATE_UTF8 : 0) | (c->source.plain ? DUN_TEMPLATE_PLAIN : 0);
	DunTemplateError error;

	for (int p = 0; p < DUN_PARTS; p++)
		if (c->source.text[p] &&
			!dun_message_assemble_program(c->source.text[p], c->len[p],
										  flags | (p == DUN_PART_HTML && !c->source.plain ? DUN_TEMPLATE_HTML : 0),
										  find_partial, (void *) c->source.partials, &c->program[p], &error))
			report_error(&error, p);
	number_names(c);
	number_heads(c);
	add_path(c, -1, -1, "");
}

static DunCompiled *
compile(const DunSource *source, const size_t *len)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "dunning template", ALLOCSET_SMALL_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	DunCompiled *c = palloc0(sizeof(DunCompiled));

	c->context = context;
	c->source.plain = source->plain;
	for (int p = 0; p < DUN_PARTS; p++)
	{
		c->len[p] = len[p];
		/* What is too large is refused before it is copied. */
		if (source->text[p])
			c->source.text[p] = len[p] > DUN_TEMPLATE_MAX_BYTES ? source->text[p] : pnstrdup(source->text[p], len[p]);
	}
	if (source->partials)
		c->source.partials = memcpy(palloc(VARSIZE(source->partials)), source->partials, VARSIZE(source->partials));
	compile_parts(c);
	MemoryContextSwitchTo(before);
	return c;
}

DunCompiled *
dun_message_find_compiled(const DunSource *source)
{
	size_t		len[DUN_PARTS];
	uint64		hash = source->plain;
	CacheEntry *entry;
	DunCompiled *c;
	bool		found;

	for (int p = 0; p < DUN_PARTS; p++)
		len[p] = source->text[p] ? strlen(source->text[p]) : 0;
	for (int i = 0; i < RECENT; i++)
		if (recent[i] && is_of(recent[i], source, len))
			return recent[i];
	for (int p = 0; p < DUN_PARTS; p++)
		if (source->text[p])
			hash = dun_base_hash64(source->text[p], len[p], hash + p + 1);
	if (source->partials)
		hash = dun_base_hash64(source->partials, VARSIZE(source->partials), hash);
	if (cache != NULL)
	{
		entry = hash_search(cache, &hash, HASH_FIND, NULL);
		/* Compared in full: a hash alone would let two texts meet. */
		if (entry && is_of(entry->compiled, source, len))
			return remember(entry->compiled);
	}
	if (cache == NULL || hash_get_num_entries(cache) >= MAX_CACHED || MemoryContextMemAllocated(cache_context, true) > MAX_CACHED_BYTES)
		reset_cache();

	c = compile(source, len);
	entry = hash_search(cache, &hash, HASH_ENTER, &found);
	if (found)
	{
		for (int i = 0; i < RECENT; i++)
			if (recent[i] == entry->compiled)
				recent[i] = NULL;
		MemoryContextDelete(entry->compiled->context);
	}
	entry->compiled = c;
	MemoryContextSetParent(c->context, cache_context);
	return remember(c);
}

/* ---- lists of names ---- */

typedef struct Names
{
	char	  **item;
	int			n;
	int			room;
} Names;

static void
add_name(Names *names, const char *s, int len)
{
	if (names->n == names->room)
	{
		names->room = Max(16, names->room * 2);
		names->item = names->item ? repalloc(names->item, names->room * sizeof(char *)) : palloc(names->room * sizeof(char *));
	}
	names->item[names->n++] = pnstrdup(s, len);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
sort_names(Names *names)
{
	int			kept = 0;

	if (names->n > 1)
		qsort(names->item, names->n, sizeof(char *), compare_names);
	for (int i = 0; i < names->n; i++)
		if (kept == 0 || strcmp(names->item[kept - 1], names->item[i]) != 0)
			names->item[kept++] = names->item[i];
	names->n = kept;
}

static void
list_nodes(const DunTemplate *t, Names *names, Names *partials)
{
	for (int i = 0; i < t->nnodes; i++)
	{
		const DunNode *n = &t->nodes[i];

		if (n->kind != DUN_NODE_TEXT)
			add_name(n->kind == DUN_NODE_PARTIAL ? partials : names, t->text + n->text.at, n->text.len);
	}
}

void
dun_message_list_names(const DunSource *source, char ***names, int *nnames, char ***partials, int *npartials)
{
	Names		named = {NULL, 0, 0};
	Names		included = {NULL, 0, 0};

	if (source->partials)
	{
		DunCompiled *c = dun_message_find_compiled(source);

		for (int p = 0; p < DUN_PARTS; p++)
			for (int u = 0; u < c->program[p].nunits; u++)
				list_nodes(&c->program[p].units[u].t, &named, &included);
	}
	else
		for (int p = 0; p < DUN_PARTS; p++)
		{
			DunTemplate t;
			DunTemplateError error;

			if (source->text[p] == NULL)
				continue;
			if (!dun_message_parse_template(source->text[p], strlen(source->text[p]), p == DUN_PART_HTML ? DUN_TEMPLATE_HTML : 0, &t, &error))
				report_error(&error, p);
			list_nodes(&t, &named, &included);
		}
	sort_names(&named);
	sort_names(&included);
	*names = named.item;
	*nnames = named.n;
	*partials = included.item;
	*npartials = included.n;
}
