/*
 * gateway/preset.c
 *		HTTP gateways as data: a request template and where to look in the reply.
 *
 * A template is compiled once, when its server is loaded, into literal pieces and placeholders. A placeholder's value
 * is always encoded for the place where it stands, so a text can neither end a JSON string nor add a form field.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "base/errcodes.h"
#include "base/spi.h"
#include "base/user.h"
#include "gateway/check.h"
#include "gateway/encode.h"
#include "gateway/options.h"
#include "gateway/preset.h"

typedef enum Field
{
	FIELD_LITERAL,
	FIELD_ADDRESS,
	FIELD_CHANNEL,
	FIELD_CITY,
	FIELD_CODING,
	FIELD_COUNTRY,
	FIELD_CREDITOR,
	FIELD_FROM,
	FIELD_FROM_NAME,
	FIELD_HTML,
	FIELD_MESSAGE_ID,
	FIELD_NAME,
	FIELD_POSTCODE,
	FIELD_RECEIPT_URL,
	FIELD_REPLY_TO,
	FIELD_SECRET,
	FIELD_STREET,
	FIELD_SUBJECT,
	FIELD_TEXT,
	FIELD_UNSUBSCRIBE_URL,
	FIELD_USERNAME
} Field;

static const char *const field_names[] = {
	"", "address", "channel", "city", "coding", "country", "creditor", "from", "from_name", "html", "message_id", "name", "postcode",
	"receipt_url", "reply_to", "secret", "street", "subject", "text", "unsubscribe_url", "username"
};

typedef struct DunPiece
{
	Field		field;
	char	   *literal;
	int			len;
} DunPiece;

static void
add_piece(DunPattern *pattern, Field field, const char *literal, size_t len)
{
	DunPiece   *piece;

	if (field == FIELD_LITERAL && len == 0)
		return;
	piece = palloc0(sizeof(*piece));
	piece->field = field;
	piece->len = (int) len;
	if (literal != NULL)
		piece->literal = pnstrdup(literal, len);
	if (field == FIELD_MESSAGE_ID)
		pattern->names_message = true;
	if (field == FIELD_SECRET)
		pattern->names_secret = true;
	if (field == FIELD_RECEIPT_URL)
		pattern->names_receipt_url = true;
	pattern->pieces = lappend(pattern->pieces, piece);
}

static Field
find_field(const char *name, size_t len)
{
	StringInfoData known;

	for (int i = FIELD_LITERAL + 1; i < lengthof(field_names); i++)
		if (strlen(field_names[i]) == len && memcmp(field_names[i], name, len) == 0)
			return (Field) i;
	initStringInfo(&known);
	for (int i = FIELD_LITERAL + 1; i < lengthof(field_names); i++)
		appendStringInfo(&known, "%s{%s}", known.len ? ", " : "", field_names[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown placeholder \"{%.*s}\"", (int) Min(len, 64), name),
			 errdetail("Placeholders known: %s.", known.data)));
}

DunPattern *
dun_gateway_compile_pattern(const char *text, DunEncoding encoding)
{
	DunPattern *pattern = palloc0(sizeof(*pattern));
	const char *start = text;

	pattern->encoding = encoding;
	while (*text)
	{
		size_t		len = *text == '{' ? strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;

		/* JSON's own braces are never followed by a bare word and a closing brace. */
		if (len == 0 || text[len + 1] != '}')
		{
			text++;
			continue;
		}
		add_piece(pattern, FIELD_LITERAL, start, text - start);
		add_piece(pattern, find_field(text + 1, len), NULL, 0);
		text += len + 2;
		start = text;
	}
	add_piece(pattern, FIELD_LITERAL, start, text - start);
	return pattern;
}

static const char *
text_as_html(const char *text)
{
	StringInfoData out;

	if (text == NULL)
		return NULL;
	initStringInfo(&out);
	appendStringInfoString(&out, "<html><body style=\"white-space: pre-wrap\">");
	for (; *text; text++)
		if (*text == '<')
			appendStringInfoString(&out, "&lt;");
		else if (*text == '&')
			appendStringInfoString(&out, "&amp;");
		else
			appendStringInfoChar(&out, *text);
	appendStringInfoString(&out, "</body></html>");
	return out.data;
}

/* Of a postal address that is a JSON object; keys as letters know them (_address_lines), NULL where there is none of them. */
static const char *
address_part(const char *address, const char *const *keys)
{
	char	   *text;
	Jsonb	   *parts;
	JsonbValue	value;

	if (address == NULL || *address != '{')
		return NULL;
	text = pg_any_to_server(address, (int) strlen(address), PG_UTF8);
	parts = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	for (; *keys != NULL; keys++)
	{
		if (getKeyJsonValueFromContainer(&parts->root, *keys, (int) strlen(*keys), &value) == NULL)
			continue;
		if (value.type == jbvString)
			text = pnstrdup(value.val.string.val, value.val.string.len);
		else if (value.type == jbvNumeric)
			text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
		else
			continue;
		return pg_server_to_any(text, (int) strlen(text), PG_UTF8);
	}
	return NULL;
}

static const char *
postal_value(Field field, const DunOutgoing *m)
{
	static const char *const street[] = {"street", "line1", "address_line1", "address1", "address", NULL};
	static const char *const postcode[] = {"postal_code", "postcode", "zip", NULL};
	static const char *const city[] = {"city", "town", "place", NULL};
	static const char *const country[] = {"country", NULL};
	static const char *const name[] = {"name", "recipient", NULL};
	const char *value = address_part(m->address, field == FIELD_STREET ? street : field == FIELD_POSTCODE ? postcode :
									 field == FIELD_CITY ? city : field == FIELD_COUNTRY ? country : name);

	return value == NULL && field == FIELD_NAME ? m->name : value;
}

static const char *
field_value(Field field, const DunServer *server, const DunOutgoing *m)
{
	char	   *display;
	char	   *address;

	switch (field)
	{
		case FIELD_ADDRESS:
			return m->address;
		case FIELD_CHANNEL:
			return m->channel;
		case FIELD_CODING:
			return m->body_text == NULL || dun_gateway_is_gsm7(m->body_text) ? "0" : "2";
		case FIELD_CREDITOR:
			return m->creditor;
		case FIELD_FROM:
		case FIELD_FROM_NAME:
			if (field == FIELD_FROM_NAME && m->sender_name != NULL)
				return m->sender_name;
			if (server->from == NULL)
				return NULL;
			dun_gateway_split_from(server->from, &display, &address);
			return field == FIELD_FROM ? address : display;
		case FIELD_HTML:
			return m->body_html ? m->body_html : text_as_html(m->body_text);
		case FIELD_MESSAGE_ID:
			return m->message_id;
		case FIELD_CITY:
		case FIELD_COUNTRY:
		case FIELD_NAME:
		case FIELD_POSTCODE:
		case FIELD_STREET:
			return postal_value(field, m);
		case FIELD_RECEIPT_URL:
			return server->receipt_url;
		case FIELD_REPLY_TO:
			return m->reply_to;
		case FIELD_SECRET:
			return server->password;
		case FIELD_SUBJECT:
			return m->subject;
		case FIELD_TEXT:
			return m->body_text;
		case FIELD_UNSUBSCRIBE_URL:
			return m->unsubscribe_url;
		case FIELD_USERNAME:
			return server->username;
		case FIELD_LITERAL:
			break;
	}
	return NULL;
}

void
dun_gateway_expand_pattern(StringInfo out, const DunPattern *pattern, const DunServer *server, const DunOutgoing *message)
{
	ListCell   *cell;

	foreach(cell, pattern->pieces)
	{
		const DunPiece *piece = lfirst(cell);
		const char *value;

		if (piece->field == FIELD_LITERAL)
		{
			appendBinaryStringInfo(out, piece->literal, piece->len);
			continue;
		}
		value = field_value(piece->field, server, message);
		if (value == NULL)
			continue;
		if (pattern->encoding == DUN_ENCODE_JSON)
			dun_gateway_append_json(out, value);
		else if (pattern->encoding == DUN_ENCODE_URL)
			dun_gateway_append_url(out, value);
		else
			appendStringInfoString(out, value);
	}
}

static List *
text_list(Datum array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	List	   *list = NIL;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			list = lappend(list, TextDatumGetCString(elements[i]));
	return list;
}

static char *
authorization(const char *auth, const char *auth_header, const DunServer *server)
{
	StringInfoData value;

	if (strcmp(auth, "none") == 0)
		return NULL;
	if (server->password == NULL)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" has no secret", server->name),
				 errhint("CREATE USER MAPPING FOR dunning_worker SERVER %s OPTIONS (username '...', secret_file '...');",
						 quote_identifier(server->name))));
	initStringInfo(&value);
	if (strcmp(auth, "basic") == 0 || strcmp(auth, "basic_secret") == 0)
	{
		bool		alone = strcmp(auth, "basic_secret") == 0;
		char	   *pair = alone ? psprintf("%s:", server->password) :
			psprintf("%s:%s", server->username ? server->username : "", server->password);

		appendStringInfoString(&value, "Basic ");
		dun_gateway_append_base64(&value, pair, strlen(pair), false);
		explicit_bzero(pair, strlen(pair));
	}
	else
		appendStringInfo(&value, "%s%s", strcmp(auth, "bearer") == 0 ? "Bearer " : "", server->password);
	return dun_gateway_make_header(auth_header ? auth_header : "Authorization", value.data);
}

static const char *
content_type(DunEncoding encoding)
{
	return encoding == DUN_ENCODE_JSON ? "application/json" :
		encoding == DUN_ENCODE_URL ? "application/x-www-form-urlencoded" : "text/plain; charset=utf-8";
}

/* Where the URL ends with its host, a path that begins with anything but a slash would go on with it. */
static void
require_path(const char *path, const DunServer *server, size_t base)
{
	const char *host = strstr(server->url, "://");

	if (host == NULL || *path == '\0' || *path == '/' || *path == '?' || strcspn(host + 3, "/?") < server->url + base - (host + 3))
		return;
	ereport(ERROR,
			(errcode(DUN_ERR_GATEWAY),
			 errmsg("the path of server \"%s\"'s preset begins with no slash", server->name),
			 errdetail("It would become a part of the host's name."),
			 errhint("SELECT dunning.save_http_preset(..., path => '/...');")));
}

/* The server's URL is the DBA's and stands as it is; only the preset's path has placeholders. */
static DunPattern *
compile_url(const char *path, const DunServer *server)
{
	DunPattern *url = dun_gateway_compile_pattern(path, DUN_ENCODE_URL);
	DunPiece   *piece = palloc0(sizeof(*piece));
	size_t		base = strlen(server->url);

	while (url->pieces != NIL && base > 0 && server->url[base - 1] == '/')
		base--;
	require_path(path, server, base);
	piece->literal = pnstrdup(server->url, base);
	piece->len = (int) base;
	url->pieces = lcons(piece, url->pieces);
	return url;
}

/* The row SPI stands on, into `preset`; allocated in the context that is current. */
static void
read_row(DunPreset *preset, const DunServer *server, char **columns, List *suppress_on)
{
	enum
	{
		METHOD, PATH, FORMAT, BODY, BODY_HTML, AUTH, AUTH_HEADER, IDEMPOTENCY_HEADER, CONTRACT, ID_FIELD, ERROR_FIELD, QUERY_PATH, UNSUBSCRIBE
	};
	DunEncoding encoding = strcmp(columns[FORMAT], "json") == 0 ? DUN_ENCODE_JSON :
		strcmp(columns[FORMAT], "form") == 0 ? DUN_ENCODE_URL : DUN_ENCODE_NONE;
	char	   *authorized = authorization(columns[AUTH], columns[AUTH_HEADER], server);
	DunPattern *url = compile_url(columns[PATH], server);

	preset->method = columns[METHOD];
	preset->url = url;
	if (columns[QUERY_PATH] != NULL)
		preset->query = compile_url(columns[QUERY_PATH], server);
	if (columns[BODY] != NULL)
	{
		preset->body = dun_gateway_compile_pattern(columns[BODY], encoding);
		preset->headers = lappend(preset->headers, dun_gateway_make_header("Content-Type", content_type(encoding)));
	}
	if (columns[BODY_HTML] != NULL)
		preset->body_html = dun_gateway_compile_pattern(columns[BODY_HTML], encoding);
	if (columns[UNSUBSCRIBE] != NULL)
		preset->unsubscribe = dun_gateway_compile_pattern(columns[UNSUBSCRIBE], encoding);
	if (authorized != NULL)
		preset->headers = lappend(preset->headers, authorized);
	preset->authorization = authorized;
	preset->names_secret = url->names_secret || (preset->body != NULL && preset->body->names_secret) ||
		(preset->body_html != NULL && preset->body_html->names_secret);
	preset->names_receipt_url = url->names_receipt_url || (preset->body != NULL && preset->body->names_receipt_url) ||
		(preset->body_html != NULL && preset->body_html->names_receipt_url);
	preset->idempotency_header = columns[IDEMPOTENCY_HEADER];
	preset->repeat = strcmp(columns[CONTRACT], "repeat") == 0;
	preset->id_field = columns[ID_FIELD];
	preset->error_field = columns[ERROR_FIELD];
	preset->suppress_on = suppress_on;
}

DunPreset *
dun_gateway_load_preset(const char *name, const DunServer *server)
{
	static DunStatement find = {
		"SELECT p.method, p.path, p.format, p.body, p.body_html, p.auth, p.auth_header, p.idempotency_header, p.contract, "
		"p.id_field, p.error_field, p.query OPERATOR(pg_catalog.->>) 'path', "
		"p.unsubscribe, p.suppress_on "
		"FROM dunning.http_preset p WHERE p.preset OPERATOR(pg_catalog.=) $1 ORDER BY p.builtin LIMIT 1",
		1, {TEXTOID}
	};
	MemoryContext target = CurrentMemoryContext;
	DunPreset  *preset = palloc0(sizeof(*preset));
	char	   *columns[13];
	List	   *suppress_on = NIL;
	DunUser		before = dun_base_become(DUN_OWNER_ROLE);
	Datum		arg = CStringGetTextDatum(name);

	SPI_connect();
	if (dun_base_run(&find, &arg, NULL, true, 1) == 0)
		ereport(ERROR,
				(errcode(DUN_ERR_GATEWAY),
				 errmsg("server \"%s\" names the unknown preset \"%s\"", server->name, name),
				 errhint("SELECT preset, description FROM dunning.http_preset; then ALTER SERVER %s OPTIONS (SET preset '...');",
						 quote_identifier(server->name))));
	{
		MemoryContext spi = MemoryContextSwitchTo(target);
		bool		isnull;
		Datum		codes = dun_base_value(0, 14, &isnull);

		for (int i = 0; i < lengthof(columns); i++)
			columns[i] = dun_base_text(0, i + 1);
		if (!isnull)
			suppress_on = text_list(codes);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	dun_base_unbecome(before);
	MemoryContextSwitchTo(target);

	preset->name = pstrdup(name);
	read_row(preset, server, columns, suppress_on);
	return preset;
}

PG_FUNCTION_INFO_V1(dun_gateway_sql_check_pattern);

/* For the table's CHECK: true, or an error that lists the placeholders. */
Datum
dun_gateway_sql_check_pattern(PG_FUNCTION_ARGS)
{
	dun_gateway_compile_pattern(text_to_cstring(PG_GETARG_TEXT_PP(0)), DUN_ENCODE_NONE);
	PG_RETURN_BOOL(true);
}
