/*
 * message/render.c
 *		Walks a compiled message over a jsonb context.
 *
 * A name is looked up in the innermost section first and then outwards; null counts as found. The same walk notes
 * which names were used, because the egress ledger records what left the database. Work is bounded: depth by the
 * grammar and by DUN_RENDER_MAX_SCOPES, output by DUN_RENDER_MAX_BYTES, and steps, since sections in sections may loop without output.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/errcodes.h"
#include "message/append.h"
#include "message/link.h"
#include "message/render.h"
#include "message/value.h"

#define MAX_STEPS 2000000
#define MAX_LEVELS 64			/* partials in partials; only where the data ends a recursion are they more than program.h's */
#define MAX_KNOWN 60			/* names listed in a DETAIL */

/* What became of a path in this message. */
#define MARK_USED	0x01
#define MARK_EMPTY	0x02		/* null where a value was wanted */
#define MARK_BARE	0x04		/* shown without a filter */

/* Names of the house that a context may leave out: contexts frozen before a name existed, and callers with none. */
static const char *const optional_names[] = {"announced", "charged", "charges", "dispute_url", "fee", "hearing", "late_cost", "note", "offer", "optout_reply", "optout_url", "paid_url", "plan_url", "proof", "qr", "settled", "warned"};

/* ---- names ---- */

static void
make_room_for_marks(DunRenderer *r)
{
	int			room = Max(64, r->c->room);

	r->marks = r->marks ? repalloc(r->marks, room) : palloc(room);
	memset(r->marks + r->nmarks, 0, room - r->nmarks);
	r->nmarks = room;
}

static inline void
mark(DunRenderer *r, int path, int bits)
{
	if (unlikely(path >= r->nmarks))
		make_room_for_marks(r);
	r->marks[path] |= bits;
}

/* The paths that were used, sorted, each once, and which of them were empty or bare. */
static void
list_marked(DunRenderer *r, DunParts *result)
{
	const DunCompiled *c = r->c;
	char	  **names = palloc(3 * (c->norder + 1) * sizeof(char *));

	result->fields = names;
	result->missing = names + c->norder + 1;
	result->bare = names + 2 * (c->norder + 1);
	result->nfields = result->nmissing = result->nbare = 0;
	if (r->nmarks < c->npaths)
		make_room_for_marks(r);
	for (int path = 1; path < c->npaths; path++)
		r->marks[c->paths[path].same] |= r->marks[path];
	for (int i = 0; i < c->norder; i++)
	{
		int			path = c->order[i];
		int			marks = r->marks[path];

		if (marks & MARK_USED)
			result->fields[result->nfields++] = c->paths[path].text;
		if (marks & MARK_EMPTY)
			result->missing[result->nmissing++] = c->paths[path].text;
		if (marks & MARK_BARE)
			result->bare[result->nbare++] = c->paths[path].text;
	}
}

/* ---- looking up ---- */

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
report_unknown(DunRenderer *r, const DunName *name, const JsonbValue *where)
{
	StringInfoData known;
	char	   *shown = pnstrdup(name->s, name->len);
	int			n = 0;

	initStringInfo(&known);
	if (where)
		append_keys(&known, where, &n);
	else
		for (int i = r->depth; i >= 0; i--)
			if (dun_message_is_object(&r->scope[i]))
				append_keys(&known, &r->scope[i], &n);
	ereport(ERROR,
			(errcode(DUN_ERR_TEMPLATE),
			 errmsg("template names \"%s\", which the context does not have", shown),
			 n > MAX_KNOWN ? errdetail("Known names are: %s, and %d more.", known.data, n - MAX_KNOWN)
			 : n > 0 ? errdetail("Known names are: %s.", known.data)
			 : errdetail("The context has no names."),
			 errhint("Correct the name with dunning.save_template(...), or give its value: dunning.send(..., vars => '{\"%s\": ...}').", shown)));
}

static bool
is_optional(const DunName *name)
{
	for (size_t i = 0; i < lengthof(optional_names); i++)
		if (name->head_len == (int) strlen(optional_names[i]) && memcmp(name->s, optional_names[i], name->head_len) == 0)
			return true;
	return false;
}

/*
 * The context's own values, for all heads of names at once: both are sorted alike, so one pass finds what a search for
 * each would. In the inner scopes, which are small, names are searched for.
 */
static void
read_root(DunRenderer *r)
{
	const JsonbContainer *c = r->scope[0].val.binary.data;
	const DunHead *heads = r->c->heads;
	int			nkeys = dun_message_is_object(&r->scope[0]) ? JsonContainerSize(c) : 0;
	const char *base = (const char *) (c->children + 2 * nkeys);
	uint32		at = 0;
	int			head = 0;

	for (int i = 0; i < nkeys && head < r->c->nheads; i++)
	{
		JEntry		e = c->children[i];
		int			len = JBE_HAS_OFF(e) ? JBE_OFFLENFLD(e) - at : JBE_OFFLENFLD(e);
		int			order = -1;

		while (head < r->c->nheads &&
			   (heads[head].len < len || (heads[head].len == len && (order = memcmp(heads[head].s, base + at, len)) < 0)))
			head++;
		if (head < r->c->nheads && heads[head].len == len && order == 0)
		{
			dun_message_read_entry(c, i + nkeys, base, &r->root[head]);
			r->in_root[head++] = true;
		}
		at += len;
	}
}

/* Follows what stands behind the first dot. */
static void
look_up_inner(DunRenderer *r, const DunName *name, JsonbValue *v)
{
	const char *end = name->s + name->len;

	for (const char *s = name->s + name->head_len + 1; s < end;)
	{
		const char *dot = memchr(s, '.', end - s);
		int			len = (dot ? dot : end) - s;
		JsonbValue	inner;

		if (v->type == jbvNull)
			return;
		if (!dun_message_is_object(v) || !dun_message_find_value(v->val.binary.data, s, len, &inner))
		{
			if (!r->plain)
				report_unknown(r, name, dun_message_is_object(v) ? v : NULL);
			v->type = jbvNull;
			return;
		}
		*v = inner;
		s += len + 1;
	}
}

/* Returns the level of the scope that has the name. */
static int
look_up(DunRenderer *r, const DunName *name, JsonbValue *v)
{
	int			level = r->depth;

	if (name->head < 0)
	{
		*v = r->scope[level];
		return level;
	}
	/* A section of "." may be the context once more, whose values stand in `root`. */
	for (; level > 0; level--)
		if (dun_message_is_object(&r->scope[level]) && r->scope[level].val.binary.data != r->scope[0].val.binary.data &&
			dun_message_find_value(r->scope[level].val.binary.data, name->s, name->head_len, v))
			break;
	if (level == 0)
	{
		if (r->in_root[name->head])
			*v = r->root[name->head];
		else if (r->plain || is_optional(name))
			v->type = jbvNull;
		else
			report_unknown(r, name, NULL);
	}
	if (name->head_len < name->len)
		look_up_inner(r, name, v);
	return level;
}

static void
count_step(DunRenderer *r)
{
	if ((r->steps & 1023) == 0)
		CHECK_FOR_INTERRUPTS();
	if (++r->steps > MAX_STEPS || r->out.len > DUN_RENDER_MAX_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("rendered %s is too large", dun_message_part_names[r->part]),
				 errdetail("A part may have 1 MB, and its sections may repeat %d times in all.", MAX_STEPS),
				 errhint("Take a list out of the template with dunning.save_template(...), or shorten it in the context.")));
}

/* The value of a node's name, noted as used; returns its path. */
static int
use(DunRenderer *r, DunNode *n, JsonbValue *v)
{
	int			below = r->path[look_up(r, &r->c->names[n->name], v)];

	/* Nobody asks for the paths, and a recursion could make no end of them. */
	if (r->plain)
		return 0;
	if (n->seen_below != below)
	{
		n->seen_path = dun_message_find_path(r->c, below, n->name);
		n->seen_below = below;
	}
	mark(r, n->seen_path, MARK_USED);
	return n->seen_path;
}

static void
render_value(DunRenderer *r, DunNode *n)
{
	JsonbValue	v;
	int			path = use(r, n, &v);

	if (n->filter == DUN_FILTER_NONE)
		mark(r, path, MARK_BARE);
	if (v.type == jbvNull)
	{
		mark(r, path, MARK_EMPTY);
		return;
	}
	dun_message_format_value(r, n, &v);
	dun_message_append_escaped(r, n, r->shown, r->nshown);
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

pg_noreturn static void
report_depth(DunRenderer *r)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("%s is nested too deeply", dun_message_part_names[r->part]),
			 errdetail("Sections may be %d deep and partials %d, those in partials counted.", DUN_RENDER_MAX_SCOPES - 1, MAX_LEVELS),
			 errhint("Take a level out of the template with dunning.save_template(...), or out of the context.")));
}

static void render_nodes(DunRenderer *r, int from, int to);

static void
render_section(DunRenderer *r, int node)
{
	DunNode    *n = &r->t->nodes[node];
	JsonbValue	v;
	int			path = use(r, n, &v);

	if (n->kind == DUN_NODE_INVERTED)
	{
		if (!is_something(&v) || r->everything)
			render_nodes(r, node + 1, n->end);
		return;
	}
	if (!is_something(&v) && !r->everything)
		return;
	if (r->depth == DUN_RENDER_MAX_SCOPES - 1)
		report_depth(r);
	r->depth++;
	r->path[r->depth] = path;
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
render_partial(DunRenderer *r, const DunNode *n)
{
	const DunTemplate *before = r->t;

	if (n->target < 0)
		return;
	if (++r->levels > MAX_LEVELS)
		report_depth(r);
	check_stack_depth();
	r->t = &r->program->units[n->target].t;
	render_nodes(r, 0, r->t->nnodes);
	r->t = before;
	r->levels--;
}

static void
render_nodes(DunRenderer *r, int from, int to)
{
	int			i = from;

	while (i < to)
	{
		DunNode    *n = &r->t->nodes[i];

		count_step(r);
		switch (n->kind)
		{
			case DUN_NODE_TEXT:
				if (n->escape == DUN_ESCAPE_NONE)
					dun_message_append(&r->out, r->t->text + n->text.at, n->text.len);
				else
					dun_message_append_escaped(r, n, r->t->text + n->text.at, n->text.len);
				i++;
				break;
			case DUN_NODE_VALUE:
				render_value(r, n);
				i++;
				break;
			case DUN_NODE_PARTIAL:
				render_partial(r, n);
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
render_part(DunRenderer *r, DunPart part)
{
	if (r->c->source.text[part] == NULL)
		return NULL;
	r->part = part;
	r->program = &r->c->program[part];
	r->t = &r->program->units[0].t;
	r->steps = 0;
	r->out.maxlen = Max(r->c->bytes[part], r->t->len) + 64;
	r->out.data = palloc(r->out.maxlen);
	r->out.data[0] = '\0';
	r->out.len = r->out.cursor = 0;
	render_nodes(r, 0, r->t->nnodes);
	count_step(r);
	r->c->bytes[part] = r->out.len + r->out.len / 8;
	if (part == DUN_PART_SUBJECT)
		fold_line(&r->out);
	return r->out.data;
}

static void
set_root(DunRenderer *r, Jsonb *context)
{
	r->scope[0].type = jbvBinary;
	r->scope[0].val.binary.data = &context->root;
	r->scope[0].val.binary.len = VARSIZE(context) - VARHDRSZ;
	if (JB_ROOT_IS_OBJECT(context))
		return;
	if (!r->plain)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("context of a template must be a JSON object"),
				 errhint("Give an object such as '{\"given_name\": \"Kirsten\"}'.")));
	if (JB_ROOT_IS_SCALAR(context))
		r->scope[0] = *getIthJsonbValueFromContainer(&context->root, 0);
}

static void
render_parts(const DunSource *source, Jsonb *context, const char *language, const DunLinks *links, bool everything, DunParts *result)
{
	DunRenderer	r;

	r.c = dun_message_find_compiled(source);
	r.locale = dun_message_find_locale(language);
	r.utf8 = GetDatabaseEncoding() == PG_UTF8;
	r.plain = source->plain;
	r.everything = everything;
	r.depth = 0;
	r.levels = 0;
	r.path[0] = 0;
	r.marks = NULL;
	r.nmarks = 0;
	r.root = palloc((r.c->nheads + 1) * sizeof(JsonbValue));
	r.in_root = palloc0(r.c->nheads + 1);
	set_root(&r, context);
	read_root(&r);
	if (links != NULL)
		dun_message_fill_links(links, r.c, &context->root, r.root, r.in_root);
	initStringInfo(&r.formatted);
	memset(r.memo, 0, sizeof(r.memo));
	result->subject = render_part(&r, DUN_PART_SUBJECT);
	result->body_text = render_part(&r, DUN_PART_TEXT);
	result->body_html = render_part(&r, DUN_PART_HTML);
	dun_message_sort_paths(r.c);
	list_marked(&r, result);
}

void
dun_message_render_parts(const char *subject, const char *body_text, const char *body_html, const Jsonb *partials,
						 Jsonb *context, const char *language, const DunLinks *links, DunParts *result)
{
	DunSource	source = {{subject, body_text, body_html}, partials, false};

	render_parts(&source, context, language, links, false, result);
}

void
dun_message_visit_parts(const char *subject, const char *body_text, const char *body_html, const Jsonb *partials,
						Jsonb *context, DunParts *result)
{
	DunSource	source = {{subject, body_text, body_html}, partials, false};

	render_parts(&source, context, NULL, NULL, true, result);
}

char *
dun_message_render_plain(const char *source_text, const Jsonb *partials, Jsonb *context)
{
	DunSource	source = {{NULL, source_text, NULL}, partials, true};
	DunParts	parts;

	render_parts(&source, context, NULL, NULL, false, &parts);
	return parts.body_text;
}
