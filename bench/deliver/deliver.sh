#!/usr/bin/env bash
# make bench-deliver: messages a second from queue to gateway, one worker, fsync on, every gate on, against a plain
# libcurl program that posts the same kind of message to the same gateway in the same run.
# PERF=8 (seconds) and STATEMENTS=1 write where the worker's time goes into tmp/bench.
#   N=20000 messages a channel, CHANNELS="sms email", SLOTS=64, DELAY=0 (ms the gateway takes for each answer), KEEP=1 leaves the server's log in tmp/bench.
#   LINKS=1: the creditor has a page, so links are signed. OFFERS=5: every fifth debtor has an offer of record. TEMPLATE=reminder-1: what is sent.
# Time is the gateway's own: from the first arrival in its ledger to the last.
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
here=$root/bench/deliver
n=${N:-20000}
template=${TEMPLATE:-reminder-1}
work=$(scratch_dir)
catcher_pid=
finish() {
    stop_cluster "$work"
    [ -z "$catcher_pid" ] || { kill "$catcher_pid" && wait "$catcher_pid"; } 2>/dev/null || true
    [ -z "${KEEP:-}" ] || { mkdir -p "$root/tmp/bench" && cp "$work/server.log" "$work/ledger" "$root/tmp/bench/"; }
    rm -rf "$work"
}
trap finish EXIT

cc -std=gnu11 -O2 -o "$work/curl_multi" "$here/curl_multi.c" -lcurl
mkfifo "$work/ports"
"$root/test/gateways/catcher" --ledger "$work/ledger" --honour-keys --delay "${DELAY:-0}" >"$work/ports" &
catcher_pid=$!
{ read -r _ http; read -r _ smtp; } <"$work/ports"

start_cluster "$work" "shared_preload_libraries = 'dunning${STATEMENTS:+,pg_stat_statements}'" ${STATEMENTS:+"pg_stat_statements.track = 'all'"} "dunning.databases = 'bench'" "fsync = on" "timezone = 'UTC'" \
    "dunning.clock = '2026-06-22 10:00+02'" "dunning.allowed_hosts = '127.0.0.1:$http, 127.0.0.1:$smtp'" "dunning.slots = ${SLOTS:-64}" \
    "dunning.workers = 1" "shared_buffers = '512MB'" "min_wal_size = '1GB'" "max_wal_size = '4GB'" "work_mem = '64MB'" "dunning.secret_directory = '$work/secrets'"
q() { psql_ -d bench -At "$@"; }
psql_ -d postgres -c 'CREATE DATABASE bench'
q -c 'CREATE EXTENSION dunning'
q -v n="$n" -v http="http://127.0.0.1:$http/send" -v smtp="smtp://127.0.0.1:$smtp" -f "$here/book.sql"
if [ -n "${LINKS:-}" ]; then
    install -d -o postgres -m 700 "$work/secrets"
    q -f "$here/links.sql" >/dev/null
fi
[ -z "${OFFERS:-}" ] || q -v every="$OFFERS" -f "$here/offers.sql" >/dev/null

# The machine is faster in one moment than in the next, so the plain program runs before the sending and after it; what
# counts is its best number of slots, by the mean of both.
baseline() { # baseline URL SLOTS...
    local url=$1 rate slots
    shift
    for slots in "$@"; do
        rate=$("$work/curl_multi" "$url" "$slots" "$n")
        printf 'plain curl, %3d slots: %6d messages/s\n' "$slots" "$rate"
        echo "$slots $rate" >>"$work/plain"
    done
}
best_plain() { awk '{ sum[$1] += $2; n[$1]++ } END { for (s in sum) if (sum[s] / n[s] > best) best = sum[s] / n[s]; printf "%d", best }' "$work/plain"; }

wait_empty() { # until nothing is unfinished, or nothing has moved for half a minute
    local left before=-1 since=$SECONDS
    while left=$(q -c "SELECT count(*) FROM dunning.queue") && [ "$left" -gt 0 ]; do
        [ "$left" -eq "$before" ] || { before=$left; since=$SECONDS; }
        if [ $((SECONDS - since)) -gt 30 ]; then
            echo "$left messages do not leave:" >&2
            q -c "SELECT state, reason, blocked_by, count(*) FROM dunning.queue GROUP BY 1, 2, 3" \
                -c "SELECT item, state, detail FROM dunning.health() WHERE state <> 'ok'" >&2
            return 1
        fi
        read -rt 0.2 <> <(:) || true
    done
}

worker_cpu() { # hundredths of a second that the worker has computed
    awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$(q -c "SELECT pid FROM dunning._stat_worker() LIMIT 1")/stat"
}

profile() {
    mkdir -p "$root/tmp/bench"
    perf record -q -g -p "$(q -c "SELECT pid FROM dunning._stat_worker() LIMIT 1")" -o "$work/perf.data" -- timeout "$PERF" tail -f /dev/null >/dev/null 2>&1 || true
    perf report -i "$work/perf.data" --no-children -g none --stdio 2>/dev/null | grep -v '^#' | head -n 60 >"$root/tmp/bench/$channel.perf" || true
}

q -c 'SELECT dunning.activate()' >/dev/null
# A server that has run for a while reuses its WAL files; a new one would fill each with zeros first.
q -c "SELECT count(pg_logical_emit_message(false, 'bench', repeat('x', 1000000))) FROM generate_series(1, 512)" -c 'CHECKPOINT' >/dev/null
day=2026-06-22
for channel in ${CHANNELS:-sms email}; do
    if [ "$channel" = sms ]; then plain=("http://127.0.0.1:$http/send" 16 64 256); else plain=("smtp://127.0.0.1:$smtp" 4 16 64); fi
    rm -f "$work/plain"
    baseline "${plain[@]}"
    # A day between the channels, since a debtor gets one contact a day.
    q -c "ALTER SYSTEM SET dunning.clock = '$day 10:00+02'" -c 'SELECT pg_reload_conf()' >/dev/null
    day=$(date -d "$day + 1 day" +%F)
    q -c 'CHECKPOINT'
    lines=$(wc -l <"$work/ledger")
    cpu=$(worker_cpu)
    queued=$(q -v channel="$channel" -v template="$template" -f "$here/enqueue.sql")
    [ -z "${PERF:-}" ] || profile
    [ -z "${STATEMENTS:-}" ] || q -c 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements' -c 'SELECT pg_stat_statements_reset()' >/dev/null
    wait_empty
    cpu=$(($(worker_cpu) - cpu))
    [ -z "${STATEMENTS:-}" ] || { mkdir -p "$root/tmp/bench" && q -F ' | ' -c "SELECT round(total_exec_time::numeric) AS ms, calls, rows, round(mean_exec_time::numeric, 2) AS mean, toplevel, userid::regrole, left(regexp_replace(query, '\s+', ' ', 'g'), 200)
        FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 30" >"$root/tmp/bench/$channel.statements"; }
    tail -n +$((lines + 1)) "$work/ledger" >"$work/arrived"
    baseline "${plain[@]}"
    awk -F'\t' -v bar="$(best_plain)" -v channel="$channel" -v queued="$queued" -v cpu="$cpu" '
        NR == 1 { first = $1 } { last = $1; n[$3]++; key[$4]++ }
        END {
            if (NR < 2) { printf "%s: %d queued, %d arrived\n", channel, queued, NR; exit 1 }
            for (k in key) unique++
            rate = (n["accept"] + n["repeat"]) / (last - first)
            printf "%s: %d queued, %d accepted, %d repeated, %d distinct keys in %.2f s: %d messages/s, plain curl %d, ratio %.2f (target 0.20)\n",
                channel, queued, n["accept"], n["repeat"], unique, last - first, rate, bar, rate / bar
            printf "%s: the worker computed %.0f us a message\n", channel, cpu * 10000 / queued
        }' "$work/arrived"
done
