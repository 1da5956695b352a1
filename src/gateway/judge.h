/*
 * gateway/judge.h
 *		From a reply to a verdict: tables of codes, the same for every preset.
 */
#ifndef DUN_GATEWAY_JUDGE_H
#define DUN_GATEWAY_JUDGE_H

#include "gateway/driver.h"
#include "gateway/preset.h"

#define DUN_MAX_RETRY_AFTER_S 86400

/* `preset` may be NULL; `repeat`: the server's contract. */
extern void dun_gateway_judge_http(const DunPreset *preset, bool repeat, const DunReply *reply, DunJudgement *judgement);
extern void dun_gateway_judge_smtp(const DunReply *reply, DunJudgement *judgement);

/* For drivers whose work is done on this machine: spool and task. */
extern void dun_gateway_judge_local(const DunReply *reply, DunJudgement *judgement);

/* Seconds or an HTTP date; 0 where it says nothing usable, at most one day. */
extern int	dun_gateway_parse_retry_after(const char *text, int64 now);

#endif
