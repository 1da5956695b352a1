/*
 * message/render.c
 *		Walks a parsed template over a jsonb context.
 *
 * A name is looked up in the innermost section first and then outwards; null counts as found. The same walk notes
 * which names were used, because the egress ledger records what left the database. Work is bounded: depth by the
 * grammar, output by DUN_RENDER_MAX_BYTES, and steps, since sections in sections may loop without output.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/errcodes.h"
#include "base/hash.h"
#include "message/format.h"
#include "message/render.h"
#include "message/template.h"

#define MAX_STEPS 2000000
#define MAX_CACHED 512
#define MAX_KNOWN 60			/* names listed in a DETAIL */

typedef struct CacheKey
{
	uint64		hash;
	uint32		len;
	bool		html;
} CacheKey;

typedef struct CacheEntry
{
	CacheKey	key;
	char	   *source;			/* compared in full: a hash alone would let two texts meet */
	DunTemplate template;
} CacheEntry;

typedef struct Names
{
	char	  **item;
	int			n;
	int			room;
} Names;

typedef struct Renderer
{
	const DunTemplate *t;
	DunPart		part;
	const DunLocale *locale;
	bool		utf8;
	StringInfoData out;
	StringInfoData scratch;		/* a formatted value before it is escaped */
	JsonbValue	scope[DUN_TEMPLATE_MAX_DEPTH + 1];
	int			depth;
	bool		everything;		/* go into every section, whatever its value: for lint */
	int			steps;
	int8	   *used;			/* a node: scope it was found in + 1, 0 not used */
	bool	   *empty;			/* a node: was null where a value was wanted */
} Renderer;

static const char *const part_names[] = {"subject", "body_text", "body_html"};

static MemoryContext cache_context;
static HTAB *cache;

/* ---- cache ---- */

static void
reset_cache(void)
{
	HASHCTL		ctl = {.keysize = sizeof(CacheKey), .entrysize = sizeof(CacheEntry)};

	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(TopMemoryContext, "dunning templates", ALLOCSET_DEFAULT_SIZES);
	cache = NULL;
	MemoryContextReset(cache_context);
	ctl.hcxt = cache_context;
	cache = hash_create("dunning templates", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
report_template_error(const DunTemplateError *error, DunPart part)
{
	if (error->too_big)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("%s", error->message),
				 errdetail("It is the %s.", part_names[part])));
	ereport(ERROR,
			(errcode(DUN_ERR_TEMPLATE), errmsg("%s", error->message),
			 errdetail("It stands in the %s, line %d, character %d.", part_names[part], error->line, error->column),
			 errhint("A template knows {{name}}, {{name | money}}, {{#name}} ... {{/name}}, {{^name}} ... {{/name}} and {{! comment }}.")));
}

/* Stays valid until the next call. */
static const DunTemplate *
find_template(const char *source, DunPart part)
{
	CacheKey	key;
	CacheEntry *entry;
	DunTemplate parsed;
	DunTemplateError error;
	MemoryContext caller;
	size_t		len = strlen(source);
	bool		found,
				ok;

	memset(&key, 0, sizeof(key));
	key.hash = dun_base_hash64(source, len, 0);
	key.len = len;
	key.html = part == DUN_PART_HTML;
	if (cache != NULL)
	{
		entry = hash_search(cache, &key, HASH_FIND, NULL);
		if (entry && memcmp(entry->source, source, len) == 0)
			return &entry->template;
	}
	if (cache == NULL || hash_get_num_entries(cache) >= MAX_CACHED ||
		MemoryContextMemAllocated(cache_context, true) > 32 * 1024 * 1024)
		reset_cache();

	/* Parsed where the caller's memory is, so that a text that is no template leaves nothing behind. */
	ok = dun_message_parse_template(source, len, key.html, &parsed, &error);
	if (!ok)
		report_template_error(&error, part);

	caller = MemoryContextSwitchTo(cache_context);
	{
		char	   *text = palloc(parsed.len + 1);
		DunNode    *nodes = palloc(Max(parsed.nnodes, 1) * sizeof(DunNode));
		char	   *copy = pnstrdup(source, len);

		memcpy(text, parsed.text, parsed.len + 1);
		memcpy(nodes, parsed.nodes, parsed.nnodes * sizeof(DunNode));
		pfree(parsed.text);
		pfree(parsed.nodes);
		parsed.text = text;
		parsed.nodes = nodes;
		entry = hash_search(cache, &key, HASH_ENTER, &found);
		entry->source = copy;
		entry->template = parsed;
	}
	MemoryContextSwitchTo(caller);
	return &entry->template;
}

/* ---- names ---- */

static void
add_name(Names *names, char *name)
{
	if (names->n == names->room)
	{
		names->room = names->room ? names->room * 2 : 16;
		names->item = names->item ? repalloc(names->item, names->room * sizeof(char *)) : palloc(names->room * sizeof(char *));
	}
	names->item[names->n++] = name;
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

/* The enclosing {{#section}} that made scope `level` (from 1). */
static int
section_at(const Renderer *r, int node, int level)
{
	int			depth = 0;

	for (int i = r->t->nodes[node].parent; i >= 0; i = r->t->nodes[i].parent)
		depth++;
	for (node = r->t->nodes[node].parent; depth > level; depth--)
		node = r->t->nodes[node].parent;
	return node;
}

/* "balances.invoices.amount": the name with the sections whose element it was found in. */
static void
append_path(const Renderer *r, StringInfo path, int node)
{
	const DunNode *n = &r->t->nodes[node];
	int			level = r->used[node] - 1;
	bool		dot = n->text.len == 1 && r->t->text[n->text.at] == '.';

	if (level > 0)
		append_path(r, path, section_at(r, node, level));
	if (dot)
		return;
	if (path->len > 0)
		appendStringInfoChar(path, '.');
	appendBinaryStringInfo(path, r->t->text + n->text.at, n->text.len);
}

static void
collect_names(const Renderer *r, Names *fields, Names *missing)
{
	StringInfoData path;

	initStringInfo(&path);
	for (int i = 0; i < r->t->nnodes; i++)
	{
		char	   *name;

		if (!r->used[i])
			continue;
		resetStringInfo(&path);
		append_path(r, &path, i);
		if (path.len == 0)
			continue;
		name = pnstrdup(path.data, path.len);
		add_name(fields, name);
		if (r->empty[i])
			add_name(missing, name);
	}
}

/* ---- looking up ---- */

static bool
is_object(const JsonbValue *v)
{
	return v->type == jbvBinary && JsonContainerIsObject(v->val.binary.data);
}

static bool
is_array(const JsonbValue *v)
{
	return v->type == jbvBinary && JsonContainerIsArray(v->val.binary.data);
}

static void
append_keys(StringInfo list, const JsonbValue *object, int *n)
{
	JsonbIterator *it = JsonbIteratorInit(object->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue	v;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
		if (token == WJB_KEY && (*n)++ < MAX_KNOWN)
			appendStringInfo(list, "%s%.*s", list->len > 0 ? ", " : "", Min(v.val.string.len, DUN_TEMPLATE_MAX_NAME), v.val.string.val);
}

pg_noreturn static void
report_unknown(Renderer *r, DunSpan name, const JsonbValue *where)
{
	StringInfoData known;
	char	   *shown = pnstrdup(r->t->text + name.at, name.len);
	int			n = 0;

	initStringInfo(&known);
	if (where)
		append_keys(&known, where, &n);
	else
		for (int i = r->depth; i >= 0; i--)
			if (is_object(&r->scope[i]))
				append_keys(&known, &r->scope[i], &n);
	ereport(ERROR,
			(errcode(DUN_ERR_TEMPLATE),
			 errmsg("template names \"%s\", which the context does not have", shown),
			 n > MAX_KNOWN ? errdetail("Known names are: %s, and %d more.", known.data, n - MAX_KNOWN)
			 : n > 0 ? errdetail("Known names are: %s.", known.data)
			 : errdetail("The context has no names."),
			 errhint("Correct the name with dunning.save_template(...), or give its value: dunning.send(..., vars => '{\"%s\": ...}').", shown)));
}

/* Sets *level to the scope the name was found in. */
static JsonbValue
look_up(Renderer *r, DunSpan name, int *level)
{
	const char *s = r->t->text + name.at;
	int			len = name.len;
	int			first = len;
	JsonbValue	v;
	bool		found = false;
	const char *dot;

	if (len == 1 && *s == '.')
	{
		*level = r->depth;
		return r->scope[r->depth];
	}
	if ((dot = memchr(s, '.', len)) != NULL)
		first = dot - s;
	for (*level = r->depth; *level >= 0 && !found; (*level)--)
		if (is_object(&r->scope[*level]))
			found = getKeyJsonValueFromContainer(r->scope[*level].val.binary.data, s, first, &v) != NULL;
	if (!found)
		report_unknown(r, name, NULL);
	(*level)++;
	while (first < len)
	{
		JsonbValue	inner = v;
		int			from = first + 1;

		dot = memchr(s + from, '.', len - from);
		first = dot ? dot - s : len;
		if (v.type == jbvNull)
			return v;
		if (!is_object(&v) || getKeyJsonValueFromContainer(v.val.binary.data, s + from, first - from, &inner) == NULL)
			report_unknown(r, name, is_object(&v) ? &v : NULL);
		v = inner;
	}
	return v;
}

static void
count_step(Renderer *r)
{
	if ((r->steps & 1023) == 0)
		CHECK_FOR_INTERRUPTS();
	if (++r->steps > MAX_STEPS || r->out.len > DUN_RENDER_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("rendered %s is too large", part_names[r->part]),
				 errdetail("A part may have 1 MB, and its sections may repeat %d times in all.", MAX_STEPS),
				 errhint("Take a list out of the template with dunning.save_template(...), or shorten it in the context.")));
}

static JsonbValue
use(Renderer *r, int node)
{
	int			level;
	JsonbValue	v = look_up(r, r->t->nodes[node].text, &level);

	r->used[node] = level + 1;
	return v;
}

/* ---- values ---- */

static void
refuse_value(Renderer *r, DunSpan name, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("value of \"%.*s\" %s", name.len, r->t->text + name.at, what),
			 errdetail("It is used in the %s.", part_names[r->part]),
			 errhint("Correct the value in the ledger or in vars, or the template with dunning.save_template(...).")));
}

/* -?digits[.digits], as numeric prints it; so neither NaN nor infinity. */
static bool
is_decimal(const char *s, int len)
{
	int			i = 0,
				n = 0;

	if (i < len && s[i] == '-')
		i++;
	for (; i < len && s[i] >= '0' && s[i] <= '9'; i++)
		n++;
	if (n > 0 && i < len && s[i] == '.')
		for (i++; i < len && s[i] >= '0' && s[i] <= '9'; i++)
			;
	return n > 0 && i == len && s[len - 1] != '.';
}

/* A number, or text that is one, as decimal text. */
static char *
decimal_of(Renderer *r, DunSpan name, const JsonbValue *v)
{
	char	   *s;

	if (v->type == jbvNumeric)
		s = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v->val.numeric)));
	else if (v->type == jbvString)
		s = pnstrdup(v->val.string.val, v->val.string.len);
	else
		s = pstrdup("");
	if (!is_decimal(s, strlen(s)))
		refuse_value(r, name, "is not a finite number");
	return s;
}

/* The currency beside an amount: that of the innermost scope that has one. */
static char *
currency_of(Renderer *r, DunSpan name)
{
	JsonbValue	v;

	for (int i = r->depth; i >= 0; i--)
		if (is_object(&r->scope[i]) && getKeyJsonValueFromContainer(r->scope[i].val.binary.data, "currency", 8, &v))
		{
			if (v.type != jbvString || v.val.string.len == 0)
				break;
			return pnstrdup(v.val.string.val, v.val.string.len);
		}
	refuse_value(r, name, "has no currency beside it");
	return NULL;
}

static void
format_money(Renderer *r, DunSpan name, const JsonbValue *v)
{
	char	   *currency = currency_of(r, name);
	char	   *s = decimal_of(r, name, v);
	int			exponent = dun_message_currency_exponent(currency);
	char	   *point = strchr(s, '.');

	if (point && (int) strlen(point + 1) > exponent)
	{
		Datum		n = DirectFunctionCall3(numeric_in, CStringGetDatum(s), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

		n = DirectFunctionCall2(numeric_round, n, Int32GetDatum(exponent));
		s = DatumGetCString(DirectFunctionCall1(numeric_out, n));
	}
	dun_message_format_money(&r->scratch, r->locale, s, currency, !r->utf8);
}

static void
format_plural(Renderer *r, const DunNode *n, const JsonbValue *v)
{
	char	   *s = decimal_of(r, n->text, v);
	char	   *point = strchr(s, '.');
	DunSpan		word;

	if (point && strspn(point + 1, "0") == strlen(point + 1))
		*point = '\0';
	word = strcmp(s, "1") == 0 || strcmp(s, "-1") == 0 ? n->singular : n->plural;
	appendBinaryStringInfo(&r->scratch, r->t->text + word.at, word.len);
}

/* Names that are numbers or dates in every context: their NaN or infinity is an error without a filter too. */
static bool
is_measure(const Renderer *r, DunSpan name)
{
	static const char *const measures[] = {"amount", "days_overdue", "due_on", "invoice_count"};
	const char *s = r->t->text + name.at;

	for (size_t i = 0; i < lengthof(measures); i++)
	{
		int			len = strlen(measures[i]);

		if (name.len >= len && memcmp(s + name.len - len, measures[i], len) == 0 &&
			(name.len == len || s[name.len - len - 1] == '.'))
			return true;
	}
	return false;
}

static bool
is_not_finite(const JsonbValue *v)
{
	static const char *const words[] = {"NaN", "Infinity", "-Infinity"};

	for (size_t i = 0; i < lengthof(words); i++)
		if (v->val.string.len == (int) strlen(words[i]) && pg_strncasecmp(v->val.string.val, words[i], v->val.string.len) == 0)
			return true;
	return false;
}

static void
format_plain(Renderer *r, DunSpan name, const JsonbValue *v)
{
	switch (v->type)
	{
		case jbvString:
			if (is_measure(r, name) && is_not_finite(v))
				refuse_value(r, name, "is not finite");
			appendBinaryStringInfo(&r->scratch, v->val.string.val, v->val.string.len);
			break;
		case jbvNumeric:
			appendStringInfoString(&r->scratch, decimal_of(r, name, v));
			break;
		case jbvBool:
			appendStringInfoString(&r->scratch, v->val.boolean ? "true" : "false");
			break;
		default:
			refuse_value(r, name, "is a list or an object, which only a section can show");
	}
}

/* The value as text in r->scratch. */
static void
format_value(Renderer *r, const DunNode *n, const JsonbValue *v)
{
	char	   *s;

	resetStringInfo(&r->scratch);
	switch (n->filter)
	{
		case DUN_FILTER_NONE:
			format_plain(r, n->text, v);
			return;
		case DUN_FILTER_MONEY:
			format_money(r, n->text, v);
			break;
		case DUN_FILTER_NUMBER:
			dun_message_format_number(&r->scratch, r->locale, decimal_of(r, n->text, v), 0);
			break;
		case DUN_FILTER_ABS:
			s = decimal_of(r, n->text, v);
			dun_message_format_number(&r->scratch, r->locale, *s == '-' ? s + 1 : s, 0);
			break;
		case DUN_FILTER_PLURAL:
			format_plural(r, n, v);
			return;
		case DUN_FILTER_DATE:
			if (v->type != jbvString ||
				!dun_message_format_date(&r->scratch, r->locale, v->val.string.val, v->val.string.len))
				refuse_value(r, n->text, "is not a date");
			if (!r->utf8)
			{
				s = pg_any_to_server(pstrdup(r->scratch.data), r->scratch.len, PG_UTF8);
				resetStringInfo(&r->scratch);
				appendStringInfoString(&r->scratch, s);
			}
			break;
	}
}

/* javascript: and its like never become a link, whatever the ledger says. */
static void
check_url(Renderer *r, DunSpan name)
{
	static const char *const schemes[] = {"https://", "http://", "mailto:", "tel:"};

	for (size_t i = 0; i < lengthof(schemes); i++)
		if (pg_strncasecmp(r->scratch.data, schemes[i], strlen(schemes[i])) == 0)
			return;
	/* "a" in href="{{part}}" alone would be a relative address, which no mail can follow */
	if (r->scratch.len > 0)
		refuse_value(r, name, "is not an http, mailto or tel address");
}

static void
render_value(Renderer *r, int node)
{
	const DunNode *n = &r->t->nodes[node];
	JsonbValue	v = use(r, node);
	const StringInfo s = &r->scratch;

	if (v.type == jbvNull)
	{
		r->empty[node] = true;
		return;
	}
	format_value(r, n, &v);
	switch (n->escape)
	{
		case DUN_ESCAPE_NONE:
			dun_message_append_clean(&r->out, s->data, s->len, r->utf8);
			break;
		case DUN_ESCAPE_URL_START:
			check_url(r, n->text);
			dun_message_append_html(&r->out, s->data, s->len, r->utf8);
			break;
		case DUN_ESCAPE_URL_PART:
			dun_message_append_percent(&r->out, s->data, s->len);
			break;
		case DUN_ESCAPE_HTML:
			dun_message_append_html(&r->out, s->data, s->len, r->utf8);
			break;
	}
}

/* ---- the walk ---- */

static bool
is_something(const JsonbValue *v)
{
	switch (v->type)
	{
		case jbvNull:
			return false;
		case jbvBool:
			return v->val.boolean;
		case jbvString:
			return v->val.string.len > 0;
		case jbvNumeric:
			return !DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(v->val.numeric),
													 NumericGetDatum(int64_to_numeric(0))));
		default:
			return v->type == jbvBinary && JsonContainerSize(v->val.binary.data) > 0;
	}
}

static void render_nodes(Renderer *r, int from, int to);

/* Depth is bounded by the grammar, so the recursion is too. */
static void
render_section(Renderer *r, int node)
{
	const DunNode *n = &r->t->nodes[node];
	JsonbValue	v = use(r, node);

	if (n->kind == DUN_NODE_INVERTED)
	{
		if (!is_something(&v) || r->everything)
			render_nodes(r, node + 1, n->end);
		return;
	}
	if (!is_something(&v) && !r->everything)
		return;
	r->depth++;
	if (is_array(&v))
	{
		JsonbContainer *list = v.val.binary.data;
		int			size = JsonContainerSize(list);

		for (int i = 0; i < size; i++)
		{
			JsonbValue *element = getIthJsonbValueFromContainer(list, i);

			count_step(r);
			r->scope[r->depth] = *element;
			pfree(element);
			render_nodes(r, node + 1, n->end);
		}
	}
	else
	{
		r->scope[r->depth] = v;
		render_nodes(r, node + 1, n->end);
	}
	r->depth--;
}

static void
render_nodes(Renderer *r, int from, int to)
{
	int			i = from;

	while (i < to)
	{
		const DunNode *n = &r->t->nodes[i];

		count_step(r);
		switch (n->kind)
		{
			case DUN_NODE_TEXT:
				appendBinaryStringInfo(&r->out, r->t->text + n->text.at, n->text.len);
				i++;
				break;
			case DUN_NODE_VALUE:
				render_value(r, i);
				i++;
				break;
			case DUN_NODE_SECTION:
			case DUN_NODE_INVERTED:
				render_section(r, i);
				i = n->end;
				break;
		}
	}
}

/* A subject is one line, without blanks around it. */
static void
fold_line(StringInfo s)
{
	int			to = 0;

	for (int i = 0; i < s->len; i++)
	{
		char		c = s->data[i] == '\n' || s->data[i] == '\t' ? ' ' : s->data[i];

		if (c == ' ' && (to == 0 || s->data[to - 1] == ' '))
			continue;
		s->data[to++] = c;
	}
	while (to > 0 && s->data[to - 1] == ' ')
		to--;
	s->data[to] = '\0';
	s->len = to;
}

static char *
render_part(const char *source, DunPart part, Jsonb *context, const DunLocale *locale, bool everything,
			Names *fields, Names *missing)
{
	Renderer	r;

	if (source == NULL)
		return NULL;
	r.t = find_template(source, part);
	r.part = part;
	r.locale = locale;
	r.utf8 = GetDatabaseEncoding() == PG_UTF8;
	r.depth = 0;
	r.everything = everything;
	r.steps = 0;
	r.scope[0].type = jbvBinary;
	r.scope[0].val.binary.data = &context->root;
	r.scope[0].val.binary.len = VARSIZE(context) - VARHDRSZ;
	r.used = palloc0(r.t->nnodes + 1);
	r.empty = palloc0(r.t->nnodes + 1);
	initStringInfo(&r.out);
	enlargeStringInfo(&r.out, r.t->len);
	initStringInfo(&r.scratch);
	render_nodes(&r, 0, r.t->nnodes);
	count_step(&r);
	collect_names(&r, fields, missing);
	if (part == DUN_PART_SUBJECT)
		fold_line(&r.out);
	return r.out.data;
}

static void
render_parts(const char *subject, const char *body_text, const char *body_html,
			 Jsonb *context, const char *language, bool everything, DunParts *result)
{
	const DunLocale *locale = dun_message_find_locale(language);
	Names		fields = {NULL, 0, 0};
	Names		missing = {NULL, 0, 0};

	if (!JB_ROOT_IS_OBJECT(context))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("context of a template must be a JSON object"),
				 errhint("Give an object such as '{\"given_name\": \"Kirsten\"}'.")));
	result->subject = render_part(subject, DUN_PART_SUBJECT, context, locale, everything, &fields, &missing);
	result->body_text = render_part(body_text, DUN_PART_TEXT, context, locale, everything, &fields, &missing);
	result->body_html = render_part(body_html, DUN_PART_HTML, context, locale, everything, &fields, &missing);
	sort_names(&fields);
	sort_names(&missing);
	result->fields = fields.item;
	result->nfields = fields.n;
	result->missing = missing.item;
	result->nmissing = missing.n;
}

void
dun_message_render_parts(const char *subject, const char *body_text, const char *body_html,
						 Jsonb *context, const char *language, DunParts *result)
{
	render_parts(subject, body_text, body_html, context, language, false, result);
}

void
dun_message_visit_parts(const char *subject, const char *body_text, const char *body_html,
						Jsonb *context, DunParts *result)
{
	render_parts(subject, body_text, body_html, context, NULL, true, result);
}
