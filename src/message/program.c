/*
 * message/program.c
 *		Puts a part and its partials together.
 *
 * A partial is parsed by itself, with the first delimiters again, and the walker runs it where its tag stands, so the
 * sections around the tag are its context. Nothing is copied into the including text: what is indented differently is
 * a unit of its own, everything else is shared however often it is included.
 */
#ifdef FRONTEND
#include "postgres_fe.h"
#else
#include "postgres.h"
#endif

#include "message/program.h"

typedef struct Assembly
{
	DunProgram *program;
	DunTemplateError *error;
	DunFindPartial find;
	void	   *arg;
	int			flags;
	size_t		bytes;
	int			room;
	int			stack[DUN_PROGRAM_MAX_LEVELS + 1];	/* units that include each other, from the part down */
} Assembly;

static bool
fail_at(Assembly *a, int unit, DunSpan at, DunTemplateProblem problem, const char *message)
{
	const DunUnit *u = &a->program->units[unit];
	DunTemplateError *e = a->error;

	memset(e, 0, sizeof(*e));
	e->problem = problem;
	e->line = e->column = 1;
	for (int i = 0; i < at.at; i++)
	{
		e->column++;
		if (u->t.text[i] == '\n')
		{
			e->line++;
			e->column = 1;
		}
	}
	snprintf(e->message, sizeof(e->message), "%s: \"%.*s\"", message, at.len, u->t.text + at.at);
	snprintf(e->partial, sizeof(e->partial), "%.*s", u->name_len, u->name ? u->name : "");
	return false;
}

static void
append_chain(DunTemplateError *e, const char *name, int len)
{
	size_t		used = strlen(e->chain);

	snprintf(e->chain + used, sizeof(e->chain) - used, "%s%.*s", used > 0 ? " -> " : "", len, name);
}

/* The partial that a node names is being included already, `from` levels from the top. */
static bool
fail_cycle(Assembly *a, int level, int from, const DunNode *n)
{
	const DunTemplate *t = &a->program->units[a->stack[level]].t;

	fail_at(a, a->stack[level], n->text, DUN_PROBLEM_CYCLE, "partials include each other in a circle");
	for (int i = from; i <= level; i++)
		append_chain(a->error, a->program->units[a->stack[i]].name, a->program->units[a->stack[i]].name_len);
	append_chain(a->error, t->text + n->text.at, n->text.len);
	return false;
}

static bool
same(const char *a, int alen, const char *b, int blen)
{
	return alen == blen && memcmp(a, b, alen) == 0;
}

/* Every line of the partial begins as the line of its tag does. */
static char *
indented(const DunPartialText *from, const char *indent, int len, size_t *result_len)
{
	size_t		lines = 1;
	char	   *result,
			   *to;

	for (size_t i = 0; i + 1 < from->len; i++)
		lines += from->text[i] == '\n';
	to = result = palloc(from->len + lines * len + 1);
	for (size_t i = 0; i < from->len; i++)
	{
		if (i == 0 || from->text[i - 1] == '\n')
		{
			memcpy(to, indent, len);
			to += len;
		}
		*to++ = from->text[i];
	}
	*to = '\0';
	*result_len = to - result;
	return result;
}

static bool add_unit(Assembly *a, int level, const char *source, size_t len, int flags, const DunUnit *as);

/* Sets the node's target, adding the unit where it is new. */
static bool
include(Assembly *a, int level, int node)
{
	int			unit = a->stack[level];
	DunNode    *n = &a->program->units[unit].t.nodes[node];
	const char *text = a->program->units[unit].t.text;
	const char *name = text + n->text.at;
	const char *indent = text + n->plural.at;
	bool		plain = (a->flags & DUN_TEMPLATE_PLAIN) != 0;
	DunPartialText found = {NULL, 0, false};
	DunUnit		as = {.name = name, .name_len = n->text.len, .indent = indent, .indent_len = n->plural.len};
	int			flags = (a->flags & (DUN_TEMPLATE_PLAIN | DUN_TEMPLATE_UTF8 | DUN_TEMPLATE_HTML)) | DUN_TEMPLATE_PARTIAL;
	size_t		len;
	char	   *source;
	bool		ok;

	for (int i = 1; i <= level && !plain; i++)
		if (same(a->program->units[a->stack[i]].name, a->program->units[a->stack[i]].name_len, name, n->text.len))
			return fail_cycle(a, level, i, n);
	for (int i = 1; i < a->program->nunits; i++)
		if (same(a->program->units[i].name, a->program->units[i].name_len, name, n->text.len) &&
			same(a->program->units[i].indent, a->program->units[i].indent_len, indent, n->plural.len))
		{
			n->target = i;
			return true;
		}
	if (!a->find(a->arg, name, n->text.len, (a->flags & DUN_TEMPLATE_HTML) != 0, &found))
	{
		if (plain)
			return true;
		fail_at(a, unit, n->text, DUN_PROBLEM_NO_PARTIAL, "there is no partial");
		append_chain(a->error, name, n->text.len);
		return false;
	}
	if (level == DUN_PROGRAM_MAX_LEVELS)
		return fail_at(a, unit, n->text, DUN_PROBLEM_LIMIT, "partials are nested too deeply");
	a->bytes += found.len;
	if (a->program->nunits == DUN_PROGRAM_MAX_UNITS || a->bytes > DUN_PROGRAM_MAX_BYTES)
		return fail_at(a, unit, n->text, DUN_PROBLEM_LIMIT, "template with its partials is too large");
	if (found.plain)
		flags = (flags & ~DUN_TEMPLATE_HTML) | DUN_TEMPLATE_ESCAPED;
	n->target = a->program->nunits;
	source = indented(&found, indent, n->plural.len, &len);
	ok = add_unit(a, level + 1, source, len, flags, &as);
	pfree(source);
	return ok;
}

static bool
add_unit(Assembly *a, int level, const char *source, size_t len, int flags, const DunUnit *as)
{
	DunProgram *program = a->program;
	int			unit = program->nunits;
	bool		ok;

	if (program->nunits == a->room)
	{
		a->room *= 2;
		program->units = repalloc(program->units, a->room * sizeof(DunUnit));
	}
	program->units[unit] = *as;
	program->nunits++;
	a->stack[level] = unit;
	ok = dun_message_parse_template(source, len, flags, &program->units[unit].t, a->error);
	if (!ok)
	{
		snprintf(a->error->partial, sizeof(a->error->partial), "%.*s", as->name_len, as->name ? as->name : "");
		return false;
	}
	for (int i = 0; i < program->units[unit].t.nnodes; i++)
		if (program->units[unit].t.nodes[i].kind == DUN_NODE_PARTIAL && !include(a, level, i))
			return false;
	return true;
}

bool
dun_message_assemble_program(const char *source, size_t len, int flags, DunFindPartial find, void *arg,
							 DunProgram *result, DunTemplateError *error)
{
	Assembly	a = {.program = result, .error = error, .find = find, .arg = arg, .flags = flags, .bytes = len, .room = 4};
	DunUnit		part = {.name = NULL};

	result->units = palloc(a.room * sizeof(DunUnit));
	result->nunits = 0;
	return add_unit(&a, 0, source, len, flags, &part);
}
