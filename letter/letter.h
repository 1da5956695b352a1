/*
 * letter.h
 *		What stands on a letter, and what of it is let through.
 */
#ifndef DUN_LETTER_LETTER_H
#define DUN_LETTER_LETTER_H

#include "postgres.h"

/* Texts are UTF-8 without control characters other than line ends; NULL: not there. */
typedef struct DunLetter
{
	char	   *subject;
	char	   *body;
	char	   *address;
	char	   *qr;
	char	   *sender;
	char	   *note;
	char	   *dated;
	char	   *language;
	bool		at_window;
} DunLetter;

/* In UTF-8, line ends as \n; errors out (22023) on a control character. */
extern char *dun_letter_read_text(const text *value);

/* Errors out (22023) unless a QR code can hold it. */
extern void dun_letter_check_code(const char *payload);

#endif
