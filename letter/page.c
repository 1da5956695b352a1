/*
 * page.c
 *		A letter drawn by Pango and cairo, a paragraph at a time.
 *
 * The same letter is the same bytes: the date in the file is a fixed one, hinting is off, the language is the letter's
 * and not the server's. (Other versions of the libraries or other fonts draw other bytes.) No file is written and none is
 * read but the fonts that fontconfig finds.
 *
 * It should not look like a bill: running text in one column, no logo, no table, no box; the address stands in the text
 * unless a window envelope is asked for.
 */
#include "postgres.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "code.h"
#include "page.h"

#define MM (72.0 / 25.4)
#define PAGE_WIDTH (210 * MM)
#define PAGE_HEIGHT (297 * MM)
#define LEFT (25 * MM)
#define TEXT_WIDTH (165 * MM)
#define TOP (25 * MM)
#define BOTTOM (PAGE_HEIGHT - 22 * MM)
#define AFTER_WINDOW (103 * MM)
#define CODE_SIDE (36 * MM)
#define LINE_SPACING 1.3
#define MAX_BLOCK 4000			/* bytes; what one layout takes grows with their square */
#define MAX_FILE (16 * 1024 * 1024)

typedef enum Style
{
	STYLE_BODY, STYLE_RIGHT, STYLE_ADDRESS, STYLE_SUBJECT, STYLE_NOTE, STYLE_CODE
} Style;

typedef struct Block
{
	Style		style;
	const char *text;			/* into the letter */
	int			len;
	double		before;			/* space above it, in points */
} Block;

struct DunDrawing
{
	const DunLetter *letter;
	cairo_surface_t *surface;
	cairo_t    *cr;
	PangoContext *context;
	PangoLayout *layout;		/* of the block that is being drawn */
	int			line;			/* its next line */
	Block	   *blocks;
	int			nblocks;
	int			block;
	int			page;
	double		y;
	DunCode    *code;
	char	   *data;
	size_t		len;
	size_t		size;
};

/* Threads that a library starts meanwhile never see a signal of the server. */
static void
hold_signals(sigset_t *before)
{
	sigset_t	all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

static void
release_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Called by cairo: no error may leave from here. */
static cairo_status_t
take_bytes(void *closure, const unsigned char *bytes, unsigned int n)
{
	DunDrawing *d = closure;

	if (d->len + n > MAX_FILE)
		return CAIRO_STATUS_WRITE_ERROR;
	if (d->len + n > d->size)
	{
		size_t		size = Max(d->size * 2, d->len + n + 65536);
		char	   *data = realloc(d->data, size);

		if (data == NULL)
			return CAIRO_STATUS_NO_MEMORY;
		d->data = data;
		d->size = size;
	}
	memcpy(d->data + d->len, bytes, n);
	d->len += n;
	return CAIRO_STATUS_SUCCESS;
}

/* ---- blocks ---- */

static void
add_block(DunDrawing *d, Style style, const char *text, int len, double before)
{
	Block	   *b = &d->blocks[d->nblocks++];

	b->style = style;
	b->text = text;
	b->len = len;
	b->before = before;
}

/* How much of a line goes into one block: all, or up to a space, or at least whole characters. */
static int
piece_of(const char *line, int len)
{
	int			cut = MAX_BLOCK;

	if (len <= MAX_BLOCK)
		return len;
	while (cut > MAX_BLOCK / 2 && line[cut] != ' ')
		cut--;
	if (line[cut] == ' ')
		return cut + 1;
	for (cut = MAX_BLOCK; (line[cut] & 0xc0) == 0x80; cut--)
		;
	return cut;
}

/* One block a line of the text, so that no layout is long; empty lines become space. */
static void
add_lines(DunDrawing *d, Style style, const char *text, double before)
{
	double		space = before;

	while (*text)
	{
		int			len = strcspn(text, "\n");

		if (len == 0)
			space = Min(space + 7, 28);
		for (int piece; len > 0; text += piece, len -= piece)
		{
			piece = piece_of(text, len);
			add_block(d, style, text, piece, space);
			space = 0;
		}
		text += *text == '\n';
	}
}

/* No fewer than its blocks: a piece of a long line has at least half of MAX_BLOCK. */
static int
count_lines(const char *text)
{
	int			n = 1 + (text ? strlen(text) / (MAX_BLOCK / 2) : 0);

	for (; text && *text; text++)
		n += *text == '\n';
	return n;
}

static bool
make_blocks(DunDrawing *d)
{
	const DunLetter *l = d->letter;

	d->blocks = calloc(count_lines(l->body) + count_lines(l->address) + 8, sizeof(Block));
	if (d->blocks == NULL)
		return false;
	if (l->sender)
		add_block(d, STYLE_RIGHT, l->sender, strcspn(l->sender, "\n"), 0);
	if (l->dated)
		add_block(d, STYLE_RIGHT, l->dated, strcspn(l->dated, "\n"), 0);
	if (l->address && !l->at_window)
		add_lines(d, STYLE_ADDRESS, l->address, 14);
	if (l->subject)
		add_block(d, STYLE_SUBJECT, l->subject, strcspn(l->subject, "\n"), 28);
	add_lines(d, STYLE_BODY, l->body, 14);
	if (l->note)
		add_block(d, STYLE_NOTE, l->note, strlen(l->note), 20);
	if (d->code)
		add_block(d, STYLE_CODE, "", 0, 20);
	return true;
}

/* ---- layouts ---- */

static PangoLayout *
make_layout(DunDrawing *d, Style style, const char *text, int len, double size, double width)
{
	PangoLayout *layout = pango_layout_new(d->context);
	PangoFontDescription *font = pango_font_description_from_string(
		style == STYLE_NOTE ? "Z003, URW Chancery L, Segoe Script, cursive" : "Georgia, Noto Serif, DejaVu Serif, serif");

	if (style == STYLE_SUBJECT)
		pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
	if (style == STYLE_NOTE)
		pango_font_description_set_style(font, PANGO_STYLE_ITALIC);
	pango_font_description_set_size(font, (gint) (size * PANGO_SCALE));
	pango_layout_set_font_description(layout, font);
	pango_font_description_free(font);
	/* A word longer than a line is broken: nothing runs over the edge. */
	pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_width(layout, (int) (width * PANGO_SCALE));
	pango_layout_set_text(layout, text, len);
	return layout;
}

/* Draws a line with its top at y and returns how high it is. */
static double
draw_line(DunDrawing *d, PangoLayoutLine *line, double x, double y, double width, bool right)
{
	PangoRectangle ink;
	PangoRectangle logical;
	double		used;

	pango_layout_line_get_extents(line, &ink, &logical);
	used = Max(logical.width, ink.x + ink.width) / (double) PANGO_SCALE;
	cairo_save(d->cr);
	cairo_translate(d->cr, right && used < width ? x + width - used : x, y - logical.y / (double) PANGO_SCALE);
	/* A glyph wider than the column, or one that hangs over it. */
	if (used > width)
		cairo_scale(d->cr, width / used, 1);
	cairo_move_to(d->cr, 0, 0);
	pango_cairo_show_layout_line(d->cr, line);
	cairo_restore(d->cr);
	return logical.height / (double) PANGO_SCALE;
}

static double
line_height(PangoLayoutLine *line)
{
	PangoRectangle logical;

	pango_layout_line_get_extents(line, NULL, &logical);
	return logical.height / (double) PANGO_SCALE;
}

/* ---- pages ---- */

static bool
turn_page(DunDrawing *d)
{
	char		number[16];
	PangoLayout *layout;

	cairo_show_page(d->cr);
	if (++d->page > DUN_MAX_PAGES)
		return false;
	snprintf(number, sizeof(number), "%d", d->page);
	layout = make_layout(d, STYLE_BODY, number, -1, 9, TEXT_WIDTH);
	draw_line(d, pango_layout_get_line_readonly(layout, 0), LEFT, BOTTOM + 6 * MM, TEXT_WIDTH, true);
	g_object_unref(layout);
	d->y = TOP;
	return true;
}

/* Smaller and smaller until the window shows all of it. */
static bool
draw_in_window(DunDrawing *d)
{
	for (double size = 11; size >= 6; size -= 0.5)
	{
		PangoLayout *layout = make_layout(d, STYLE_ADDRESS, d->letter->address, -1, size, 80 * MM);
		int			height;
		bool		fits;

		pango_layout_get_size(layout, NULL, &height);
		fits = height / (double) PANGO_SCALE <= 40 * MM;
		if (fits)
		{
			cairo_move_to(d->cr, 22.5 * MM, 47.5 * MM);
			pango_cairo_show_layout(d->cr, layout);
		}
		g_object_unref(layout);
		if (fits)
			return true;
	}
	return false;
}

static void
draw_code(DunDrawing *d)
{
	int			width = dun_letter_code_width(d->code);
	double		module = CODE_SIDE / (width + 2 * DUN_CODE_QUIET);

	cairo_new_path(d->cr);
	for (int row = 0; row < width; row++)
	{
		int			x = 0;
		int			run;

		for (; (run = dun_letter_code_run(d->code, row, &x)) > 0; x += run)
			cairo_rectangle(d->cr, LEFT + x * module, d->y + (row + DUN_CODE_QUIET) * module, run * module, module);
	}
	cairo_fill(d->cr);
	d->y += CODE_SIDE;
}

/* As by hand, so a little askew. It stays in one piece. */
static DunDrawStatus
draw_note(DunDrawing *d, const Block *b)
{
	PangoLayout *layout = make_layout(d, STYLE_NOTE, b->text, b->len, 15, TEXT_WIDTH - 20 * MM);
	int			height;
	DunDrawStatus status = DUN_DRAW_MORE;

	pango_layout_get_size(layout, NULL, &height);
	if (d->y + b->before + height / (double) PANGO_SCALE + 6 * MM > BOTTOM && !turn_page(d))
		status = DUN_DRAW_TOO_LONG;
	else
	{
		d->y += b->before;
		cairo_save(d->cr);
		cairo_translate(d->cr, LEFT + 5 * MM, d->y + 5 * MM);
		cairo_rotate(d->cr, -0.03);
		cairo_move_to(d->cr, 0, 0);
		pango_cairo_show_layout(d->cr, layout);
		cairo_restore(d->cr);
		d->y += height / (double) PANGO_SCALE + 6 * MM;
		d->block++;
	}
	g_object_unref(layout);
	return status;
}

/* As many lines as the page takes; the rest is drawn by the next call. */
static DunDrawStatus
draw_text(DunDrawing *d, const Block *b)
{
	if (d->layout == NULL)
	{
		d->layout = make_layout(d, b->style, b->text, b->len, 11, TEXT_WIDTH);
		d->line = 0;
		if (d->y > TOP)
			d->y += b->before;
	}
	for (; d->line < pango_layout_get_line_count(d->layout); d->line++)
	{
		PangoLayoutLine *line = pango_layout_get_line_readonly(d->layout, d->line);

		if (d->y + line_height(line) > BOTTOM)
			return turn_page(d) ? DUN_DRAW_MORE : DUN_DRAW_TOO_LONG;
		d->y += draw_line(d, line, LEFT, d->y, TEXT_WIDTH, b->style == STYLE_RIGHT) * LINE_SPACING;
	}
	g_clear_object(&d->layout);
	d->block++;
	return DUN_DRAW_MORE;
}

static DunDrawStatus
draw_block(DunDrawing *d)
{
	const Block *b;

	if (d->page == 0)
	{
		d->page = 1;
		d->y = TOP;
		if (d->letter->at_window && d->letter->address && !draw_in_window(d))
			return DUN_DRAW_ADDRESS;
	}
	if (d->block == d->nblocks)
	{
		cairo_show_page(d->cr);
		cairo_surface_finish(d->surface);
		return cairo_surface_status(d->surface) == CAIRO_STATUS_SUCCESS ? DUN_DRAW_DONE : DUN_DRAW_FAILED;
	}
	b = &d->blocks[d->block];
	/* Sender and date stand above the window, everything else below it. */
	if (d->letter->at_window && d->page == 1 && b->style != STYLE_RIGHT)
		d->y = Max(d->y, AFTER_WINDOW);
	if (b->style == STYLE_NOTE)
		return draw_note(d, b);
	if (b->style != STYLE_CODE)
		return draw_text(d, b);
	if (d->y + b->before + CODE_SIDE > BOTTOM && !turn_page(d))
		return DUN_DRAW_TOO_LONG;
	d->y += b->before;
	draw_code(d);
	d->block++;
	return DUN_DRAW_MORE;
}

DunDrawStatus
dun_letter_draw_some(DunDrawing *d)
{
	sigset_t	before;
	DunDrawStatus status;

	hold_signals(&before);
	status = draw_block(d);
	if (status == DUN_DRAW_MORE && cairo_status(d->cr) != CAIRO_STATUS_SUCCESS)
		status = DUN_DRAW_FAILED;
	release_signals(&before);
	return status;
}

/* ---- opening and closing ---- */

static bool
open_surface(DunDrawing *d)
{
	cairo_font_options_t *options = cairo_font_options_create();

	d->surface = cairo_pdf_surface_create_for_stream(take_bytes, d, PAGE_WIDTH, PAGE_HEIGHT);
	cairo_pdf_surface_restrict_to_version(d->surface, CAIRO_PDF_VERSION_1_5);
	/* Else it would be the time of the call. */
	cairo_pdf_surface_set_metadata(d->surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
	if (d->letter->subject)
		cairo_pdf_surface_set_metadata(d->surface, CAIRO_PDF_METADATA_TITLE, d->letter->subject);
	d->cr = cairo_create(d->surface);
	d->context = pango_cairo_create_context(d->cr);
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
	pango_cairo_context_set_font_options(d->context, options);
	pango_cairo_context_set_resolution(d->context, 72);
	pango_context_set_round_glyph_positions(d->context, FALSE);
	pango_context_set_language(d->context, pango_language_from_string(d->letter->language ? d->letter->language : "en"));
	cairo_font_options_destroy(options);
	return cairo_status(d->cr) == CAIRO_STATUS_SUCCESS;
}

DunDrawing *
dun_letter_open_drawing(const DunLetter *letter)
{
	DunDrawing *d = calloc(1, sizeof(DunDrawing));
	sigset_t	before;
	bool		ok = false;

	if (d == NULL)
		return NULL;
	d->letter = letter;
	hold_signals(&before);
	if (letter->qr == NULL || (d->code = dun_letter_open_code(letter->qr)) != NULL)
		ok = make_blocks(d) && open_surface(d);
	release_signals(&before);
	if (ok)
		return d;
	dun_letter_close_drawing(d);
	return NULL;
}

const char *
dun_letter_drawn_bytes(const DunDrawing *d, size_t *len)
{
	*len = d->len;
	return d->data;
}

void
dun_letter_close_drawing(DunDrawing *d)
{
	sigset_t	before;

	if (d == NULL)
		return;
	hold_signals(&before);
	g_clear_object(&d->layout);
	g_clear_object(&d->context);
	if (d->cr)
		cairo_destroy(d->cr);
	if (d->surface)
		cairo_surface_destroy(d->surface);
	if (d->code)
		dun_letter_close_code(d->code);
	release_signals(&before);
	free(d->blocks);
	free(d->data);
	free(d);
}
