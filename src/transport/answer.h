/*
 * transport/answer.h
 *		Reading the replies of a mail server, however they come in pieces.
 */
#ifndef DUN_TRANSPORT_ANSWER_H
#define DUN_TRANSPORT_ANSWER_H

#include "postgres.h"

/* What one reply may have in all, and what of its last line is kept. */
#define DUN_ANSWER_CAP (16 * 1024)
#define DUN_ANSWER_LINE 256

typedef enum DunAnswerState
{
	DUN_ANSWER_PARTIAL,
	DUN_ANSWER_WHOLE,
	DUN_ANSWER_BROKEN,			/* no reply of a mail server */
	DUN_ANSWER_TOO_LARGE
} DunAnswerState;

typedef struct DunAnswer
{
	int			code;			/* 0: not known yet */
	size_t		bytes;
	size_t		line_len;		/* of the line being read; what is over DUN_ANSWER_LINE is counted and not kept */
	char		line[DUN_ANSWER_LINE];
} DunAnswer;

extern void dun_transport_expect_answer(DunAnswer *a);

/* Read on; `used` is how much of `data` belongs to this reply. When it is whole, `line` is its last line. */
extern DunAnswerState dun_transport_read_answer(DunAnswer *a, const char *data, size_t len, size_t *used);

#endif
