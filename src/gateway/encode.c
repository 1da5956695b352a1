/*
 * gateway/encode.c
 *		JSON, URL, base64 and quoted-printable; line ends; one field out of a reply.
 *
 * The reply's reader is our own and small because a gateway's body is hostile input read outside any transaction:
 * it must neither raise an error nor recurse nor allocate by what it reads.
 */
#include "postgres.h"

#include "common/base64.h"

#include "base/compat.h"
#include "gateway/encode.h"

#define MAX_FIELD 200
#define MAX_DEPTH 64

static const char hex_digits[] = "0123456789ABCDEF";

void
dun_gateway_append_json(StringInfo out, const char *text)
{
	const char *start = text;

	for (;; text++)
	{
		unsigned char c = (unsigned char) *text;

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		appendBinaryStringInfo(out, start, text - start);
		if (c == '\0')
			return;
		start = text + 1;
		if (c == '"' || c == '\\')
		{
			appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, c);
		}
		else if (c == '\n')
			appendStringInfoString(out, "\\n");
		else
			appendStringInfo(out, "\\u%04x", c);
	}
}

void
dun_gateway_append_url(StringInfo out, const char *text)
{
	for (; *text; text++)
	{
		unsigned char c = (unsigned char) *text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '.' || c == '_' || c == '~')
			appendStringInfoCharMacro(out, c);
		else
		{
			appendStringInfoCharMacro(out, '%');
			appendStringInfoCharMacro(out, hex_digits[c >> 4]);
			appendStringInfoCharMacro(out, hex_digits[c & 15]);
		}
	}
}

void
dun_gateway_append_base64(StringInfo out, const char *data, size_t len, bool lines)
{
	const size_t step = lines ? 57 : 3 * 1024;	/* 57 bytes make a line of 76 */

	for (size_t at = 0; at < len; at += step)
	{
		size_t		n = Min(step, len - at);
		int			room = pg_b64_enc_len((int) n);
		int			made;

		enlargeStringInfo(out, room + 2);
		made = dun_b64_encode(data + at, (int) n, out->data + out->len, room);
		if (made < 0)
			elog(ERROR, "could not encode base64");
		out->len += made;
		out->data[out->len] = '\0';
		if (lines)
			appendStringInfoString(out, "\r\n");
	}
}

/* A line of a dot ends the mail, and one of "From " a mail in an mbox, wherever a relay forgets to stuff. */
static bool
must_hide(const char *text, size_t len)
{
	return *text == '.' || (len >= 5 && memcmp(text, "From ", 5) == 0);
}

void
dun_gateway_append_quoted_printable(StringInfo out, const char *text, size_t len)
{
	int			column = 0;

	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];
		bool		line_end = i + 1 >= len || (text[i + 1] == '\r' && i + 2 < len && text[i + 2] == '\n');
		bool		plain = (c > 0x20 && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !line_end);

		if (c == '\r' && i + 1 < len && text[i + 1] == '\n')
		{
			appendStringInfoString(out, "\r\n");
			column = 0;
			i++;
			continue;
		}
		if (column + (plain ? 1 : 3) > 75)
		{
			appendStringInfoString(out, "=\r\n");
			column = 0;
		}
		if (column == 0 && must_hide(text + i, len - i))
			plain = false;
		if (plain)
		{
			appendStringInfoCharMacro(out, c);
			column++;
		}
		else
		{
			appendStringInfoCharMacro(out, '=');
			appendStringInfoCharMacro(out, hex_digits[c >> 4]);
			appendStringInfoCharMacro(out, hex_digits[c & 15]);
			column += 3;
		}
	}
	appendStringInfoString(out, "\r\n");
}

char *
dun_gateway_normalise_lines(const char *text, size_t *len)
{
	StringInfoData out;

	initStringInfo(&out);
	for (; *text; text++)
	{
		if (*text == '\r' || *text == '\n')
		{
			if (text[0] == '\r' && text[1] == '\n')
				text++;
			appendStringInfoString(&out, "\r\n");
		}
		else
			appendStringInfoCharMacro(&out, *text);
	}
	*len = out.len;
	return out.data;
}

bool
dun_gateway_is_gsm7(const char *text)
{
	/* The alphabet's characters beyond ASCII; ASCII lacks only the backtick (and DEL and controls but CR, LF). */
	static const char beyond[] =
		"\xc2\xa3" "\xc2\xa5" "\xc3\xa8" "\xc3\xa9" "\xc3\xb9" "\xc3\xac" "\xc3\xb2" "\xc3\x87" "\xc3\x98" "\xc3\xb8"
		"\xc3\x85" "\xc3\xa5" "\xce\x94" "\xce\xa6" "\xce\x93" "\xce\x9b" "\xce\xa9" "\xce\xa0" "\xce\xa8" "\xce\xa3"
		"\xce\x98" "\xce\x9e" "\xc3\x86" "\xc3\xa6" "\xc3\x9f" "\xc3\x89" "\xc2\xa4" "\xc2\xa1" "\xc3\x84" "\xc3\x96"
		"\xc3\x91" "\xc3\x9c" "\xc2\xa7" "\xc2\xbf" "\xc3\xa4" "\xc3\xb6" "\xc3\xb1" "\xc3\xbc" "\xc3\xa0";

	while (*text)
	{
		unsigned char c = (unsigned char) *text;

		if (c < 0x80)
		{
			if (c == '`' || c == 0x7f || (c < 0x20 && c != '\n' && c != '\r'))
				return false;
			text++;
		}
		else if (memcmp(text, "\xe2\x82\xac", Min(strlen(text), 3)) == 0)
			text += 3;			/* the euro sign, in the extension table */
		else
		{
			bool		found = false;

			for (const char *b = beyond; *b && !found; b += 2)
				found = b[0] == text[0] && b[1] == text[1];
			if (!found)
				return false;
			text += 2;
		}
	}
	return true;
}

typedef struct Reader
{
	const char *at;
	const char *end;
} Reader;

static void
skip_space(Reader *r)
{
	while (r->at < r->end && strchr(" \t\r\n", *r->at) != NULL && *r->at != '\0')
		r->at++;
}

/* Step over a string, its opening quote being next; the raw inside is returned. */
static bool
skip_string(Reader *r, const char **start, size_t *len)
{
	*start = ++r->at;
	for (; r->at < r->end; r->at++)
	{
		if (*r->at == '\\')
			r->at++;
		else if (*r->at == '"')
		{
			*len = r->at++ - *start;
			return true;
		}
	}
	return false;
}

/* Step over any value without recursion: brackets are only counted. */
static bool
skip_value(Reader *r)
{
	int			depth = 0;
	const char *s;
	size_t		n;

	do
	{
		skip_space(r);
		if (r->at >= r->end)
			return false;
		if (*r->at == '"')
		{
			if (!skip_string(r, &s, &n))
				return false;
		}
		else if (*r->at == '{' || *r->at == '[')
		{
			if (++depth > MAX_DEPTH)
				return false;
			r->at++;
		}
		else if (*r->at == '}' || *r->at == ']')
		{
			if (--depth < 0)
				return false;
			r->at++;
		}
		else if (*r->at == ',' || *r->at == ':')
		{
			if (depth == 0)
				return false;
			r->at++;
		}
		else
			while (r->at < r->end && strchr(",:]}{[\" \t\r\n", *r->at) == NULL)
				r->at++;
	} while (depth > 0);
	return true;
}

/* Move to the value of one key of an object or one index of an array. */
static bool
step_into(Reader *r, const char *key, size_t key_len)
{
	bool		object;
	int			index = 0;
	int			wanted = 0;

	skip_space(r);
	if (r->at >= r->end || (*r->at != '{' && *r->at != '['))
		return false;
	object = *r->at++ == '{';
	if (!object)
	{
		if (strspn(key, "0123456789") < key_len || key_len > 4)
			return false;
		wanted = atoi(key);
	}
	for (;; index++)
	{
		bool		here = !object && index == wanted;

		skip_space(r);
		if (r->at >= r->end || *r->at == '}' || *r->at == ']')
			return false;
		if (object)
		{
			const char *name;
			size_t		len;

			if (*r->at != '"' || !skip_string(r, &name, &len))
				return false;
			skip_space(r);
			if (r->at >= r->end || *r->at++ != ':')
				return false;
			here = len == key_len && memcmp(name, key, len) == 0;
		}
		if (here)
			return true;
		if (!skip_value(r))
			return false;
		skip_space(r);
		if (r->at < r->end && *r->at == ',')
			r->at++;
	}
}

char *
dun_gateway_read_json_field(const char *json, size_t len, const char *path)
{
	Reader		r;
	const char *start;
	size_t		n;

	if (json == NULL || path == NULL || *path == '\0')
		return NULL;
	r = (Reader) {json, json + len};
	while (*path)
	{
		size_t		key = strcspn(path, ".");

		if (!step_into(&r, path, key))
			return NULL;
		path += key;
		path += *path == '.';
	}
	skip_space(&r);
	if (r.at >= r.end || *r.at == '{' || *r.at == '[')
		return NULL;
	if (*r.at == '"')
	{
		if (!skip_string(&r, &start, &n))
			return NULL;
	}
	else
	{
		start = r.at;
		if (!skip_value(&r))
			return NULL;
		n = r.at - start;
		if (n == 4 && memcmp(start, "null", 4) == 0)
			return NULL;
	}
	if (n == 0 || n > MAX_FIELD)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char) start[i] < 0x20 || (unsigned char) start[i] > 0x7e || start[i] == '\\')
			return NULL;
	return pnstrdup(start, n);
}
