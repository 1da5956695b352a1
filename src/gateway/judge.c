/*
 * gateway/judge.c
 *		What a gateway's answer means for the message.
 *
 * The question is always the same: did it certainly leave, certainly not, or can nobody say? A status line that came is
 * an answer even where the rest of the reply was lost; a lost reply after the body left is never taken for a refusal.
 */
#include "postgres.h"

#include <curl/curl.h>
#include <time.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "gateway/encode.h"
#include "gateway/judge.h"

static void
decide(DunJudgement *judgement, DunVerdict verdict, const char *reason)
{
	judgement->verdict = verdict;
	judgement->reason = pstrdup(reason);
}

/* A transport's error in words as a reason: lower case, underscores, at most 60 bytes. */
static const char *
error_reason(const char *error, const char *otherwise)
{
	char	   *reason;
	int			n = 0;

	if (error == NULL || *error == '\0')
		return otherwise;
	reason = palloc(61);
	for (; *error && n < 60; error++)
	{
		unsigned char c = (unsigned char) *error;

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			reason[n++] = c;
		else if (n > 0 && reason[n - 1] != '_')
			reason[n++] = '_';
	}
	while (n > 0 && reason[n - 1] == '_')
		n--;
	reason[n] = '\0';
	return n > 0 ? reason : otherwise;
}

int
dun_gateway_parse_retry_after(const char *text, int64 now)
{
	int64		seconds = 0;

	if (text == NULL)
		return 0;
	while (*text == ' ' || *text == '\t')
		text++;
	if (*text >= '0' && *text <= '9')
	{
		for (; *text >= '0' && *text <= '9'; text++)
			seconds = Min(seconds * 10 + (*text - '0'), DUN_MAX_RETRY_AFTER_S);
		text += strspn(text, " \t\r\n");
		return *text == '\0' ? (int) seconds : 0;
	}
	/* A date begins with the name of a day; curl would also read a lone year or a zone. */
	if (strlen(text) < 20 || strlen(text) > 64)
		return 0;
	seconds = (int64) curl_getdate(text, NULL);
	if (seconds <= now)
		return 0;
	return (int) Min(seconds - now, DUN_MAX_RETRY_AFTER_S);
}

/* No code at all: how far the transfer got is all there is. */
static void
judge_silence(const DunReply *reply, DunJudgement *judgement)
{
	if (reply->progress == DUN_NOT_SENT)
	{
		decide(judgement, DUN_RETRY, error_reason(reply->error, "not_sent"));
		/* The next message would meet the same: they wait, and none is spent on it. */
		judgement->blame = reply->not_let_in ? DUN_BLAME_US : DUN_BLAME_SERVER;
	}
	else
		decide(judgement, DUN_UNKNOWN, error_reason(reply->error, "no_reply"));
}

static bool
means_suppression(const DunPreset *preset, const DunReply *reply)
{
	char	   *code;
	ListCell   *cell;

	if (preset == NULL || preset->error_field == NULL)
		return false;
	code = dun_gateway_read_json_field(reply->body, reply->body_len, preset->error_field);
	if (code == NULL)
		return false;
	foreach(cell, preset->suppress_on)
		if (strcmp(lfirst(cell), code) == 0)
			return true;
	return false;
}

/* An answer that may come from a proxy before the gateway, or from a handler that failed after it had taken the message. */
static bool
is_doubtful(long code)
{
	return code == 408 || (code >= 500 && code != 503);
}

void
dun_gateway_judge_http(const DunPreset *preset, bool repeat, const DunReply *reply, DunJudgement *judgement)
{
	long		code = reply->code;
	const char *reason = psprintf("http_%ld", code);

	memset(judgement, 0, sizeof(*judgement));
	if (code < 200 || code > 599)
		judge_silence(reply, judgement);
	else if (code <= 299)
	{
		decide(judgement, DUN_SENT, reason);
		if (preset != NULL)
			judgement->provider_ref = dun_gateway_read_json_field(reply->body, reply->body_len, preset->id_field);
	}
	else if (is_doubtful(code) && !repeat)
		/* Without a key a second request may be a second message. 425, 429 and 503 say that it was not taken. */
		decide(judgement, DUN_UNKNOWN, reason);
	else if (code == 425 || code == 429 || code == 503 || is_doubtful(code))
	{
		decide(judgement, DUN_RETRY, reason);
		judgement->blame = DUN_BLAME_SERVER;
		judgement->retry_after_s = dun_gateway_parse_retry_after(reply->retry_after, (int64) time(NULL));
	}
	else if (code >= 400 && means_suppression(preset, reply))
		decide(judgement, DUN_SUPPRESS, reason);
	else if (code == 409 && repeat)
	{
		/* The first request under this key is at work still, and may end either way: it is asked again under the key. */
		decide(judgement, DUN_UNKNOWN, reason);
		judgement->retry_after_s = dun_gateway_parse_retry_after(reply->retry_after, (int64) time(NULL));
	}
	else if (code == 401 || code == 402 || code == 403 || code == 407)
	{
		/* Login, credit and proxy are the server's. Forbidden may be we, or this one recipient. */
		decide(judgement, DUN_RETRY, reason);
		judgement->blame = code == 403 ? DUN_BLAME_PERHAPS_US : DUN_BLAME_US;
	}
	else
		/* A redirect is never followed: it would carry the secret to another host. */
		decide(judgement, DUN_FAILED, reason);
}

/* Does the reply line carry an RFC 3463 status of this subject, such as " 5.7."? */
static bool
has_status(const DunReply *reply, const char *status)
{
	return reply->body != NULL && strstr(reply->body, status) != NULL;
}

void
dun_gateway_judge_smtp(const DunReply *reply, DunJudgement *judgement)
{
	long		code = reply->code;
	const char *reason = psprintf("smtp_%ld", code);

	memset(judgement, 0, sizeof(*judgement));
	/* A code of an earlier command says nothing about a dot that was not answered. */
	if (reply->progress == DUN_MAYBE_SENT || code < 200 || code > 599)
		judge_silence(reply, judgement);
	else if (reply->progress == DUN_NOT_SENT && code < 400)
	{
		decide(judgement, DUN_RETRY, error_reason(reply->error, reason));
		judgement->blame = reply->not_let_in ? DUN_BLAME_US : DUN_BLAME_SERVER;
	}
	else if (code < 300)
		decide(judgement, DUN_SENT, reason);
	else if (code < 400)
		decide(judgement, DUN_UNKNOWN, reason);
	else if (code < 500)
	{
		decide(judgement, DUN_RETRY, reason);
		/* Not yet, to this recipient: that is greylisting, and the next recipient may be taken. */
		if (reply->progress == DUN_REPLIED || code == 421)
			judgement->blame = DUN_BLAME_SERVER;
	}
	else if (reply->before_recipient || code == 530 || code == 534 || code == 535 || code == 538)
	{
		decide(judgement, DUN_RETRY, reason);
		judgement->blame = DUN_BLAME_US;
	}
	else if (reply->progress == DUN_NOT_SENT && (code == 550 || code == 551 || code == 553) && !has_status(reply, "5.7."))
		/* Refused by name before the body. After it, or with a policy status, it is not the address that is wrong. */
		decide(judgement, DUN_SUPPRESS, reason);
	else
		decide(judgement, DUN_FAILED, reason);
}

void
dun_gateway_judge_local(const DunReply *reply, DunJudgement *judgement)
{
	memset(judgement, 0, sizeof(*judgement));
	if (reply->progress == DUN_REPLIED)
		decide(judgement, DUN_SENT, "done");
	else if (reply->progress == DUN_MAYBE_SENT)
		decide(judgement, DUN_UNKNOWN, error_reason(reply->error, "not_safely_written"));
	else
	{
		decide(judgement, DUN_RETRY, error_reason(reply->error, "not_written"));
		judgement->blame = DUN_BLAME_SERVER;
	}
}
