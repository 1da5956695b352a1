/*
 * page.h
 *		A letter on pages of A4.
 */
#ifndef DUN_LETTER_PAGE_H
#define DUN_LETTER_PAGE_H

#include "letter.h"

#define DUN_MAX_PAGES 20

typedef struct DunDrawing DunDrawing;

typedef enum DunDrawStatus
{
	DUN_DRAW_MORE,				/* call again */
	DUN_DRAW_DONE,				/* the bytes are there */
	DUN_DRAW_TOO_LONG,
	DUN_DRAW_ADDRESS,			/* does not fit into the window */
	DUN_DRAW_FAILED				/* memory, fonts, size */
} DunDrawStatus;

/* None of these errors out. The letter must outlive the drawing. NULL: no memory. */
extern DunDrawing *dun_letter_open_drawing(const DunLetter *letter);

/* Draws the next paragraph, or as much of it as the page takes. */
extern DunDrawStatus dun_letter_draw_some(DunDrawing *drawing);

/* The whole file, after DUN_DRAW_DONE; the drawing owns it. */
extern const char *dun_letter_drawn_bytes(const DunDrawing *drawing, size_t *len);

extern void dun_letter_close_drawing(DunDrawing *drawing);

#endif
