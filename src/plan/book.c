/*
 * plan/book.c
 *		Rows of a run, dealt to parts.
 *
 * A part is a list of blocks, each full of rows. When all blocks together exceed the limit, every part gets a file and
 * its blocks are written out; later rows fill one block a part, which is written when full. Reading takes a part as a
 * whole and hangs its rows to their debtors in a table of the part: a hundredth of the book, which the processor's
 * caches hold more of.
 */
#include "postgres.h"

#include "storage/buffile.h"
#include "utils/memutils.h"

#include "base/hash.h"
#include "plan/book.h"

#define PARTS 128
#define FIRST_BLOCK 1024
#define LARGEST_BLOCK (256 * 1024)
#define SPILLED_BLOCK (32 * 1024)

typedef struct Block
{
	struct Block *next;
	Size		used;
	Size		room;
	char		rows[FLEXIBLE_ARRAY_MEMBER];
} Block;

#define BLOCK_HEADER MAXALIGN(offsetof(Block, rows))
#define BLOCK_ROWS(b) ((char *) (b) + BLOCK_HEADER)

typedef struct Part
{
	Block	   *blocks;			/* the one being filled first */
	BufFile    *file;
	uint64		written;
	uint32		rows;
} Part;

struct DunBook
{
	MemoryContext context;
	MemoryContext blocks;
	MemoryContext reading;
	Size		limit;
	Size		held;
	bool		spilled;
	uint64		rows;
	Part		parts[PARTS];
	/* reading */
	int			part;			/* the one being read */
	DunRow	  **debtors;		/* first rows, a hash table */
	uint32		mask;
	uint32		at;
};

DunBook *
dun_plan_make_book(Size limit)
{
	DunBook    *book = palloc0(sizeof(DunBook));

	book->context = CurrentMemoryContext;
	book->blocks = AllocSetContextCreate(book->context, "dunning book", ALLOCSET_DEFAULT_SIZES);
	book->reading = AllocSetContextCreate(book->context, "dunning part", ALLOCSET_DEFAULT_SIZES);
	book->limit = limit;
	book->part = -1;
	return book;
}

static void
write_part(DunBook *book, Part *part)
{
	MemoryContext before = MemoryContextSwitchTo(book->context);

	if (part->file == NULL)
		part->file = BufFileCreateTemp(false);
	for (Block *b = part->blocks; b != NULL; b = b->next)
	{
		BufFileWrite(part->file, BLOCK_ROWS(b), b->used);
		part->written += b->used;
		b->used = 0;
	}
	MemoryContextSwitchTo(before);
}

static void
spill(DunBook *book)
{
	for (int i = 0; i < PARTS; i++)
	{
		write_part(book, &book->parts[i]);
		book->parts[i].blocks = NULL;
	}
	MemoryContextReset(book->blocks);
	book->held = 0;
	book->spilled = true;
}

static Block *
make_block(DunBook *book, Part *part, Size size)
{
	Size		room = part->blocks == NULL ? FIRST_BLOCK : Min(part->blocks->room * 2, LARGEST_BLOCK);
	Block	   *block;

	if (book->spilled)
		room = SPILLED_BLOCK;
	room = Max(room, size);
	block = MemoryContextAlloc(book->blocks, BLOCK_HEADER + room);
	block->next = part->blocks;
	block->used = 0;
	block->room = room;
	book->held += room;
	return part->blocks = block;
}

static DunRow *
make_room(DunBook *book, Part *part, Size size)
{
	Block	   *block = part->blocks;
	DunRow	   *row;

	if (block == NULL || block->used + size > block->room)
	{
		if (!book->spilled && book->held > book->limit)
			spill(book);
		if (book->spilled && part->blocks != NULL)
			write_part(book, part);
		block = part->blocks;
		if (block == NULL || size > block->room || !book->spilled)
			block = make_block(book, part, size);
	}
	row = (DunRow *) (BLOCK_ROWS(block) + block->used);
	block->used += size;
	part->rows++;
	book->rows++;
	return row;
}

void
dun_plan_add_row(DunBook *book, const DunRow *row, const char *id, int id_len, const char *const *texts, const int *lens)
{
	uint64		hash = dun_base_hash64(id, id_len, 0);
	Size		size = offsetof(DunRow, texts) + id_len;
	DunRow	   *made;
	char	   *to;

	for (int i = 0; i < DUN_ROW_TEXTS; i++)
		if (texts[i] != NULL)
			size += lens[i];
	size = MAXALIGN(size);
	made = make_room(book, &book->parts[hash >> 57], size);
	memcpy(made, row, offsetof(DunRow, texts));
	made->next = NULL;
	made->hash = hash;
	made->size = size;
	made->id_len = id_len;
	to = made->texts;
	memcpy(to, id, id_len);
	to += id_len;
	for (int i = 0; i < DUN_ROW_TEXTS; i++)
	{
		made->len[i] = texts[i] == NULL ? DUN_NO_TEXT : lens[i];
		if (texts[i] == NULL)
			continue;
		memcpy(to, texts[i], lens[i]);
		to += lens[i];
	}
}

void
dun_plan_copy_row(DunBook *book, const DunRow *row)
{
	memcpy(make_room(book, &book->parts[row->hash >> 57], row->size), row, row->size);
}

const char *
dun_plan_row_text(const DunRow *row, int i, int *len)
{
	const char *text = row->texts + row->id_len;

	*len = 0;
	if (row->len[i] == DUN_NO_TEXT)
		return NULL;
	for (int before = 0; before < i; before++)
		if (row->len[before] != DUN_NO_TEXT)
			text += row->len[before];
	*len = row->len[i];
	return text;
}

/* --- reading --- */

static void
hang_rows(DunBook *book, char *rows, Size used)
{
	for (char *p = rows; p < rows + used; p += ((DunRow *) p)->size)
	{
		DunRow	   *row = (DunRow *) p;
		uint32		at = (uint32) row->hash & book->mask;

		while (book->debtors[at] != NULL &&
			   (book->debtors[at]->hash != row->hash || book->debtors[at]->id_len != row->id_len ||
				memcmp(DUN_ROW_ID(book->debtors[at]), DUN_ROW_ID(row), row->id_len) != 0))
			at = (at + 1) & book->mask;
		row->next = book->debtors[at];
		book->debtors[at] = row;
	}
}

static void
read_file(DunBook *book, Part *part)
{
	char	   *rows = MemoryContextAllocHuge(book->reading, part->written);

	if (BufFileSeek(part->file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not go back to the beginning of a temporary file: %m")));
	for (Size got = 0; got < part->written;)
	{
		Size		n = BufFileRead(part->file, rows + got, Min(part->written - got, 1024 * 1024));

		if (n == 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read a temporary file: %m")));
		got += n;
	}
	BufFileClose(part->file);
	part->file = NULL;
	hang_rows(book, rows, part->written);
}

static void
read_part(DunBook *book, Part *part)
{
	uint32		size = 64;

	MemoryContextReset(book->reading);
	while (size < 2 * (uint64) part->rows && size < (1U << 31))
		size *= 2;
	book->debtors = MemoryContextAllocExtended(book->reading, size * sizeof(DunRow *), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	book->mask = size - 1;
	book->at = 0;
	if (part->file != NULL)
	{
		write_part(book, part);
		read_file(book, part);
	}
	else
		for (Block *b = part->blocks; b != NULL; b = b->next)
			hang_rows(book, BLOCK_ROWS(b), b->used);
}

DunRow *
dun_plan_next_debtor(DunBook *book)
{
	for (;;)
	{
		if (book->debtors != NULL)
			for (; book->at <= book->mask; book->at++)
				if (book->debtors[book->at] != NULL)
					return book->debtors[book->at++];
		do
			if (++book->part >= PARTS)
				return NULL;
		while (book->parts[book->part].rows == 0);
		read_part(book, &book->parts[book->part]);
	}
}
