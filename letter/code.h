/*
 * code.h
 *		QR codes as rows of dark and light.
 */
#ifndef DUN_LETTER_CODE_H
#define DUN_LETTER_CODE_H

#include <stdbool.h>

#define DUN_CODE_MAX_BYTES 331	/* EPC069-12; fits version 13 with error correction M */
#define DUN_CODE_QUIET 4		/* modules of white around it */

typedef struct DunCode DunCode;

/* Needs nothing of the server. NULL where the text does not fit or memory is out. Close it whatever happens. */
extern DunCode *dun_letter_open_code(const char *text);
extern void dun_letter_close_code(DunCode *code);

extern int	dun_letter_code_width(const DunCode *code);

/* The next run of dark modules of a row from *x on: its start in *x, its length returned; 0: no more. */
extern int	dun_letter_code_run(const DunCode *code, int row, int *x);

#endif
