/*
 * message/markup.c
 *		A small scanner that follows the literals of an HTML part.
 *
 * It knows as much of HTML as is needed to say whether a value would stand in text, in a quoted attribute, in the
 * address of a link, or where no value is safe.
 */
#ifdef FRONTEND
#include "postgres_fe.h"
#else
#include "postgres.h"
#endif

#include <ctype.h>

#include "message/markup.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool
word_is_one_of(const DunMarkup *h, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == (size_t) h->nword && memcmp(h->word, *words, h->nword) == 0)
			return true;
	return false;
}

static const char *const url_attributes[] = {"href", "src", "action", "formaction", "background", "poster", "cite", "srcset", "xlink:href", NULL};
static const char *const raw_elements[] = {"script", "style", NULL};

static void
open_tag(DunMarkup *h)
{
	h->state = DUN_MARKUP_TAG;
	h->closing = false;
	h->nword = 0;
	h->first_word = true;
	h->raw_element = false;
}

static void
in_tag(DunMarkup *h, char c)
{
	if (c == '>')
	{
		if (h->first_word)
			h->raw_element = !h->closing && word_is_one_of(h, raw_elements);
		h->state = h->raw_element ? DUN_MARKUP_RAW : DUN_MARKUP_TEXT;
	}
	else if (c == '"' || c == '\'')
	{
		h->state = DUN_MARKUP_VALUE;
		h->quote = c;
		h->value_empty = true;
	}
	else if (is_blank(c) || c == '/')
	{
		if (h->first_word && h->nword == 0 && c == '/')
			h->closing = true;
		if (h->first_word && h->nword > 0)
		{
			h->raw_element = !h->closing && word_is_one_of(h, raw_elements);
			h->first_word = false;
			h->nword = 0;
		}
	}
	else if (c == '=')
		h->state = DUN_MARKUP_UNQUOTED;	/* until a quote says otherwise */
	else
	{
		/* Overlong names stay in the array's bound and match nothing. */
		if (h->nword == 0 || h->nword < (int) sizeof(h->word))
			h->word[h->nword++] = (c >= 'A' && c <= 'Z') ? c + 32 : c;
	}
}

/* Follow the markup over a literal; a scan for the start of an attribute's name restarts at each blank. */
void
dun_message_follow_markup(DunMarkup *h, const char *text, int len)
{
	for (int i = 0; i < len; i++)
	{
		char		c = text[i];

		switch (h->state)
		{
			case DUN_MARKUP_TEXT:
				if (c != '<')
					break;
				if (len - i >= 4 && memcmp(text + i, "<!--", 4) == 0)
					h->state = DUN_MARKUP_COMMENT;
				else if (i + 1 == len || text[i + 1] == '/' || text[i + 1] == '!' || text[i + 1] == '?' ||
						 isalpha((unsigned char) text[i + 1]))
					open_tag(h);
				break;
			case DUN_MARKUP_TAG:
				if (!h->first_word && i > 0 && is_blank(text[i - 1]) && !is_blank(c) && c != '=')
					h->nword = 0;
				in_tag(h, c);
				break;
			case DUN_MARKUP_VALUE:
				h->value_empty = false;
				if (c == h->quote)
				{
					h->state = DUN_MARKUP_TAG;
					h->nword = 0;
				}
				break;
			case DUN_MARKUP_UNQUOTED:
				if (c == '"' || c == '\'')
				{
					h->state = DUN_MARKUP_VALUE;
					h->quote = c;
					h->value_empty = true;
				}
				else if (c == '>')
					in_tag(h, c);
				else if (is_blank(c) && i > 0 && text[i - 1] != '=' && !is_blank(text[i - 1]))
				{
					h->state = DUN_MARKUP_TAG;
					h->nword = 0;
				}
				break;
			case DUN_MARKUP_COMMENT:
				if (len - i >= 3 && memcmp(text + i, "-->", 3) == 0)
				{
					h->state = DUN_MARKUP_TEXT;
					i += 2;
				}
				break;
			case DUN_MARKUP_RAW:
				if (c == '<' && i + 1 < len && text[i + 1] == '/')
					open_tag(h);
				break;
		}
	}
}

const char *
dun_message_place_value(DunMarkup *h, DunEscape *escape)
{
	*escape = DUN_ESCAPE_HTML;
	switch (h->state)
	{
		case DUN_MARKUP_TEXT:
		case DUN_MARKUP_COMMENT:
			return NULL;
		case DUN_MARKUP_VALUE:
			if ((h->nword >= 2 && memcmp(h->word, "on", 2) == 0) || (h->nword == 5 && memcmp(h->word, "style", 5) == 0))
				return "a value cannot stand in a style or event attribute";
			if (word_is_one_of(h, url_attributes))
				*escape = h->value_empty ? DUN_ESCAPE_URL_START : DUN_ESCAPE_URL_PART;
			h->value_empty = false;
			return NULL;
		case DUN_MARKUP_TAG:
		case DUN_MARKUP_UNQUOTED:
			return "a value in a tag must stand in a quoted attribute";
		case DUN_MARKUP_RAW:
			return "a value cannot stand in a script or style";
	}
	return NULL;
}
