/*
 * message/markup.h
 *		Where in the markup the next character of an HTML part stands, and what a value must go through there.
 */
#ifndef DUN_MESSAGE_MARKUP_H
#define DUN_MESSAGE_MARKUP_H

#include "message/template.h"

typedef enum DunMarkupState
{
	DUN_MARKUP_TEXT,
	DUN_MARKUP_TAG,				/* between < and >, outside of a value */
	DUN_MARKUP_VALUE,			/* in a quoted attribute value */
	DUN_MARKUP_UNQUOTED,
	DUN_MARKUP_COMMENT,
	DUN_MARKUP_RAW				/* in script or style: nothing may be put there */
} DunMarkupState;

typedef struct DunMarkup
{
	DunMarkupState state;		/* zeroed: text */
	char		quote;
	char		word[16];		/* name of the element or of the attribute, lower case, cut short */
	int			nword;
	bool		first_word;		/* it is the element's */
	bool		closing;		/* </name> */
	bool		raw_element;
	bool		value_empty;	/* nothing of the value yet */
} DunMarkup;

extern void dun_message_follow_markup(DunMarkup *markup, const char *text, int len);

/* How a value is escaped here; what is wrong where none may stand, else NULL. */
extern const char *dun_message_place_value(DunMarkup *markup, DunEscape *escape);

#endif
