/*
 * plan/book.c
 *		Rows of a run, dealt to parts.
 *
 * A part is a list of blocks, each full of packed rows: half the size, since most rows have few of the fields. When all
 * blocks together exceed the limit, every part gets a file and its blocks are written out; later rows fill one block a
 * part, which is written when full. Reading unpacks a part as a whole and hangs its rows to their debtors in a table of
 * the part: a hundredth of the book, which the processor's caches hold more of.
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

/* Room for a row of at most `size`, which is taken by adding to the block's `used`. */
static Block *
make_room(DunBook *book, Part *part, Size size)
{
	Block	   *block = part->blocks;

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
	part->rows++;
	book->rows++;
	return block;
}

/* --- rows, packed --- */

/* In front of every row: the fields that all have. */
typedef struct PackedHead
{
	uint32		size;			/* with all that follows, unaligned */
	uint8		kind;
	uint8		scale;
	uint8		fields;			/* FIELD_* */
	uint8		ntexts;
	uint16		currency;
} PackedHead;

#define FIELD_ODD 1
#define FIELD_DISPUTED 2
#define FIELD_AMOUNT 4
#define FIELD_STATED 8
#define FIELD_DAYS 16
#define FIELDS_MAX (sizeof(PackedHead) + 2 * sizeof(int64) + 2 * sizeof(DateADT))
#define LENGTH_MAX (1 + sizeof(uint32))
#define LONG_LENGTH 255

static char *
put(char *to, const void *from, Size len)
{
	memcpy(to, from, len);
	return to + len;
}

static const char *
take(void *to, const char *from, Size len)
{
	memcpy(to, from, len);
	return from + len;
}

/* A length is one octet where it fits. */
static char *
put_length(char *to, uint32 length)
{
	*to++ = (char) Min(length, LONG_LENGTH);
	return length < LONG_LENGTH ? to : put(to, &length, sizeof(length));
}

static const char *
take_length(uint32 *length, const char *from)
{
	*length = (uint8) *from++;
	return *length < LONG_LENGTH ? from : take(length, from, sizeof(*length));
}

/*
 * Field by field: fields just written that are copied as one wait until all writes before them have left for memory, which
 * was a sixth of the time of a run.
 */
static void
put_head(char *to, uint32 size, const DunRow *row, uint8 fields, uint8 ntexts)
{
	put(to + offsetof(PackedHead, size), &size, sizeof(size));
	to[offsetof(PackedHead, kind)] = (char) row->kind;
	to[offsetof(PackedHead, scale)] = (char) row->scale;
	to[offsetof(PackedHead, fields)] = (char) fields;
	to[offsetof(PackedHead, ntexts)] = (char) ntexts;
	put(to + offsetof(PackedHead, currency), &row->currency, sizeof(row->currency));
}

static uint8
fields_of(const DunRow *row)
{
	return (row->odd ? FIELD_ODD : 0) | (row->disputed ? FIELD_DISPUTED : 0) | (row->amount != 0 ? FIELD_AMOUNT : 0) |
		(row->stated != 0 ? FIELD_STATED : 0) | (row->issued != 0 || row->due != 0 ? FIELD_DAYS : 0);
}

static char *
pack_fields(char *to, const DunRow *row, uint8 fields)
{
	if (fields & FIELD_AMOUNT)
		to = put(to, &row->amount, sizeof(row->amount));
	if (fields & FIELD_STATED)
		to = put(to, &row->stated, sizeof(row->stated));
	if (fields & FIELD_DAYS)
	{
		to = put(to, &row->issued, sizeof(row->issued));
		to = put(to, &row->due, sizeof(row->due));
	}
	return to;
}

static const char *
unpack_fields(DunRow *row, const char *from, uint8 fields)
{
	if (fields & FIELD_AMOUNT)
		from = take(&row->amount, from, sizeof(row->amount));
	if (fields & FIELD_STATED)
		from = take(&row->stated, from, sizeof(row->stated));
	if (fields & FIELD_DAYS)
	{
		from = take(&row->issued, from, sizeof(row->issued));
		from = take(&row->due, from, sizeof(row->due));
	}
	return from;
}

void
dun_plan_add_row(DunBook *book, const DunRow *row, const char *id, int id_len, const char *const *texts, const int *lens)
{
	uint8		fields = fields_of(row),
				ntexts = 0;
	Size		most = FIELDS_MAX + LENGTH_MAX + id_len;
	Block	   *block;
	char	   *begin,
			   *to;

	for (int i = 0; i < DUN_ROW_TEXTS; i++)
		if (texts[i] != NULL)
		{
			ntexts = i + 1;
			most += lens[i];
		}
	most += ntexts * LENGTH_MAX;
	block = make_room(book, &book->parts[dun_base_hash64(id, id_len, 0) >> 57], most);
	begin = BLOCK_ROWS(block) + block->used;
	to = pack_fields(begin + sizeof(PackedHead), row, fields);
	to = put(put_length(to, id_len), id, id_len);
	for (int i = 0; i < ntexts; i++)
	{
		to = put_length(to, texts[i] == NULL ? 0 : lens[i] + 1);
		if (texts[i] != NULL)
			to = put(to, texts[i], lens[i]);
	}
	put_head(begin, to - begin, row, fields, ntexts);
	block->used += to - begin;
	/* Where the part's next row will go: with so many parts the processor does not foresee it. */
	__builtin_prefetch(to + 64, 1);
	__builtin_prefetch(to + 128, 1);
}

void
dun_plan_copy_row(DunBook *book, const DunRow *row)
{
	const char *texts[DUN_ROW_TEXTS];
	int			lens[DUN_ROW_TEXTS];

	for (int i = 0; i < DUN_ROW_TEXTS; i++)
		texts[i] = dun_plan_row_text(row, i, &lens[i]);
	dun_plan_add_row(book, row, DUN_ROW_ID(row), row->id_len, texts, lens);
}

/* A packed row takes at most so much more when it is a DunRow. */
#define UNPACKED_MORE (MAXALIGN(offsetof(DunRow, texts)) + MAXIMUM_ALIGNOF)

/* Unpacks a row to `row`; what is behind it, where the next may be. */
static char *
unpack_row(DunRow *row, const char *from)
{
	PackedHead	head;
	char	   *to = row->texts;

	from = take(&head, from, sizeof(head));
	memset(row, 0, offsetof(DunRow, texts));
	row->kind = head.kind;
	row->scale = head.scale;
	row->odd = (head.fields & FIELD_ODD) != 0;
	row->disputed = (head.fields & FIELD_DISPUTED) != 0;
	row->currency = head.currency;
	from = unpack_fields(row, from, head.fields);
	from = take_length(&row->id_len, from);
	row->hash = dun_base_hash64(from, row->id_len, 0);
	to = put(to, from, row->id_len);
	from += row->id_len;
	for (int i = 0; i < DUN_ROW_TEXTS; i++)
	{
		uint32		length = 0;

		if (i < head.ntexts)
			from = take_length(&length, from);
		row->len[i] = length == 0 ? DUN_NO_TEXT : length - 1;
		if (length <= 1)
			continue;
		to = put(to, from, length - 1);
		from += length - 1;
	}
	return (char *) row + MAXALIGN(to - (char *) row);
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
hang_row(DunBook *book, DunRow *row)
{
	uint32		at = (uint32) row->hash & book->mask;

	while (book->debtors[at] != NULL &&
		   (book->debtors[at]->hash != row->hash || book->debtors[at]->id_len != row->id_len ||
			memcmp(DUN_ROW_ID(book->debtors[at]), DUN_ROW_ID(row), row->id_len) != 0))
		at = (at + 1) & book->mask;
	row->next = book->debtors[at];
	book->debtors[at] = row;
}

/* Unpacks the rows and hangs them; what is behind the last. */
static char *
unpack_rows(DunBook *book, char *to, const char *rows, Size used)
{
	PackedHead	head;

	for (const char *p = rows; p < rows + used; p += head.size)
	{
		DunRow	   *row = (DunRow *) to;

		memcpy(&head, p, sizeof(head));
		to = unpack_row(row, p);
		hang_row(book, row);
	}
	return to;
}

static char *
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
	return rows;
}

static Size
packed_size(const Part *part)
{
	Size		size = part->written;

	for (const Block *b = part->blocks; b != NULL; b = b->next)
		size += b->used;
	return size;
}

static void
read_part(DunBook *book, Part *part)
{
	uint32		size = 64;
	char	   *rows;

	MemoryContextReset(book->reading);
	while (size < 2 * (uint64) part->rows && size < (1U << 31))
		size *= 2;
	book->debtors = MemoryContextAllocExtended(book->reading, size * sizeof(DunRow *), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	book->mask = size - 1;
	book->at = 0;
	rows = MemoryContextAllocHuge(book->reading, packed_size(part) + part->rows * UNPACKED_MORE);
	if (part->file != NULL)
	{
		write_part(book, part);
		(void) unpack_rows(book, rows, read_file(book, part), part->written);
	}
	else
		for (Block *b = part->blocks; b != NULL; b = b->next)
			rows = unpack_rows(book, rows, BLOCK_ROWS(b), b->used);
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
