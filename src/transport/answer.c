/*
 * transport/answer.c
 *		Reading the replies of a mail server, however they come in pieces.
 *
 * A reply is lines of "250-text" and a last one of "250 text" or "250". Each line must carry the same code: a reply that
 * says two things says nothing.
 */
#include "postgres.h"

#include "transport/answer.h"

void
dun_transport_expect_answer(DunAnswer *a)
{
	a->code = 0;
	a->bytes = 0;
	a->line_len = 0;
	a->line[0] = '\0';
}

/* The code of a line, 0 where it has none. */
static int
line_code(const char *line)
{
	if (line[0] < '2' || line[0] > '5' || line[1] < '0' || line[1] > '9' || line[2] < '0' || line[2] > '9')
		return 0;
	if (line[3] != '\0' && line[3] != ' ' && line[3] != '-')
		return 0;
	return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

static DunAnswerState
end_line(DunAnswer *a)
{
	size_t		len = Min(a->line_len, sizeof(a->line) - 1);
	int			code;

	if (len > 0 && a->line[len - 1] == '\r')
		len--;
	a->line[len] = '\0';
	code = line_code(a->line);
	if (code == 0 || (a->code != 0 && a->code != code) || strlen(a->line) != len)
		return DUN_ANSWER_BROKEN;
	a->code = code;
	if (a->line[3] != '-')
		return DUN_ANSWER_WHOLE;
	a->line_len = 0;
	return DUN_ANSWER_PARTIAL;
}

DunAnswerState
dun_transport_read_answer(DunAnswer *a, const char *data, size_t len, size_t *used)
{
	for (size_t i = 0; i < len; i++)
	{
		DunAnswerState state = DUN_ANSWER_PARTIAL;

		*used = i + 1;
		if (++a->bytes > DUN_ANSWER_CAP)
			return DUN_ANSWER_TOO_LARGE;
		if (data[i] == '\n')
			state = end_line(a);
		else if (a->line_len < sizeof(a->line) - 1)
			a->line[a->line_len++] = data[i];
		if (state != DUN_ANSWER_PARTIAL)
			return state;
	}
	return DUN_ANSWER_PARTIAL;
}
