# Sourced by deliver.sh: the server, the gateway, the plain program and how a row of figures is printed.

n=${N:-20000}
rounds=${ROUNDS:-3}
template=${TEMPLATE:-reminder-1}
work=$(scratch_dir)
out=$root/tmp/bench
catcher_pid=
held_pid=
# The first week in which messages are sent; each sending has a week of its own, since a debtor gets one contact a day.
day=2026-06-22
missed=0

end_process() { # end_process PID: one of ours
    [ -z "$1" ] || { kill "$1" && wait "$1"; } 2>/dev/null || true
}

finish() {
    end_process "$held_pid"
    stop_cluster "$work"
    end_process "$catcher_pid"
    [ -z "${KEEP:-}" ] || { mkdir -p "$out" && cp "$work/server.log" "$work/ledger" "$out/"; }
    rm -rf "$work"
}

q() { psql_ -d bench -At "$@"; }

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
divide() { perl -e 'printf "%.3f", $ARGV[0] / $ARGV[1]' "$1" "$2"; }

verdict() { # verdict WHAT VALUE ">="|"<=" TARGET [UNIT]
    local word=missed
    if awk -v v="$2" -v how="$3" -v t="$4" 'BEGIN { exit !(how == ">=" ? v >= t : v <= t) }'; then word=met; else missed=$((missed + 1)); fi
    printf '%-44s %9s%s   target %s %s%s   %s\n' "$1" "$2" "${5:-}" "$3" "$4" "${5:-}" "$word"
}

# --- the gateway ---

start_catcher() { # start_catcher DELAY: the same ports each time
    end_process "$catcher_pid"
    rm -f "$work/ports"
    mkfifo "$work/ports"
    "$root/test/gateways/catcher" --ledger "$work/ledger" --honour-keys --delay "$1" --port "${http:-0}" --smtp-port "${smtp:-0}" >"$work/ports" &
    catcher_pid=$!
    { read -r _ http; read -r _ smtp; } <"$work/ports"
}

url_of() { if [ "$1" = sms ]; then echo "http://127.0.0.1:$http/send"; else echo "smtp://127.0.0.1:$smtp"; fi; }

# The best of these numbers of slots. The machine is faster in one moment than in the next, so the plain program runs
# before each sending and after it, and the mean of both is the bar.
plain() { # plain CHANNEL SLOTS...
    local url slots rate best=0
    url=$(url_of "$1")
    shift
    for slots in "$@"; do
        rate=$("$work/curl_multi" "$url" "$slots" "$n")
        [ "$rate" -le "$best" ] || best=$rate
    done
    echo "$best"
}

# --- the server ---

start_server() {
    start_cluster "$work" "shared_preload_libraries = 'dunning${STATEMENTS:+,pg_stat_statements}${EXPLAIN:+,auto_explain}'" ${EXPLAIN:+"auto_explain.log_min_duration = 8" "auto_explain.log_analyze = on" "auto_explain.log_timing = on"} ${STATEMENTS:+"pg_stat_statements.track = 'all'"} "dunning.databases = 'bench'" \
        "fsync = ${FSYNC:-on}" "timezone = 'UTC'" "dunning.clock = '$day 10:00+02'" "dunning.allowed_hosts = '127.0.0.1:$http, 127.0.0.1:$smtp'" "dunning.slots = ${SLOTS:-64}" \
        "dunning.workers = 1" "shared_buffers = '512MB'" "min_wal_size = '1GB'" "max_wal_size = '4GB'" "work_mem = '64MB'" "dunning.secret_directory = '$work/secrets'"
    psql_ -d postgres -c 'CREATE DATABASE bench'
    q -c 'CREATE EXTENSION dunning'
    q -v n="$n" -v http="http://127.0.0.1:$http/send" -v smtp="smtp://127.0.0.1:$smtp" -f "$here/book.sql"
    if [ -n "${LINKS:-}" ]; then
        install -d -o postgres -m 700 "$work/secrets"
        q -f "$here/links.sql" >/dev/null
    fi
    [ -z "${OFFERS:-}" ] || q -v every="$OFFERS" -f "$here/offers.sql" >/dev/null
    [ -z "${STATEMENTS:-}" ] || q -c 'CREATE EXTENSION pg_stat_statements'
    q -c 'SELECT dunning.activate()' >/dev/null
    # A server that has run for a while reuses its WAL files; a new one would fill each with zeros first.
    q -c "SELECT count(pg_logical_emit_message(false, 'bench', repeat('x', 1000000))) FROM generate_series(1, 512)" -c 'CHECKPOINT' >/dev/null
}

workers() { q -c 'SELECT pid FROM dunning._stat_worker() ORDER BY pid'; }

wait_until() { # wait_until SQL: until it says t
    local since=$SECONDS
    until [ "$(q -c "$1" 2>/dev/null)" = t ]; do
        [ $((SECONDS - since)) -le 30 ] || { echo "not so after 30 s: $1" >&2; return 1; }
        read -rt 0.05 <> <(:) || true
    done
}

use() { # use WORKERS SLOTS: a server with as many
    q -c "ALTER SYSTEM SET dunning.workers = $1" -c "ALTER SYSTEM SET dunning.slots = $2" -c CHECKPOINT
    as_pg "$bindir/pg_ctl" -D "$work/data" -l "$work/server.log" -w -s -m fast restart </dev/null >/dev/null 2>&1
    wait_until "SELECT count(*) = $1 FROM dunning._stat_worker()"
}

next_week() {
    day=$(date -d "$day + 7 days" +%F)
    q -c "ALTER SYSTEM SET dunning.clock = '$day 10:00+02'" -c 'SELECT pg_reload_conf()' >/dev/null
}

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

worker_cpu() { # hundredths of a second that the workers have computed
    local pid sum=0
    for pid in $(workers); do
        sum=$((sum + $(awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$pid/stat")))
    done
    echo "$sum"
}

worker_memory() { # kB of their own that the workers hold
    local pid
    for pid in $(workers); do awk '/^RssAnon/ { print $2 }' "/proc/$pid/status"; done | awk '{ s += $1 } END { print s }'
}

# --- one sending ---

profile() {
    mkdir -p "$out"
    perf record -q ${PERF_GRAPH:--g} -p "$(workers | head -n 1)" -o "$work/perf.data" -- timeout "$PERF" tail -f /dev/null >/dev/null 2>&1 || true
    perf report -i "$work/perf.data" --no-children -g none --stdio 2>/dev/null | grep -v '^#' | head -n 60 >"$out/$1.perf" || true
    perf report -i "$work/perf.data" --children --percent-limit 0.5 -g none --stdio 2>/dev/null | grep -v '^#' >"$out/$1.children" || true
}

statements() {
    mkdir -p "$out"
    q -F ' | ' -c "SELECT round(total_exec_time::numeric) AS ms, calls, rows, round(mean_exec_time::numeric, 2) AS mean, toplevel, userid::regrole, left(regexp_replace(query, '\s+', ' ', 'g'), 200)
        FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 30" >"$out/$1.statements"
}

enqueue() { q -v channel="$1" -v template="$template" -f "$here/enqueue.sql"; }

# Everybody's message on a channel, from the first arrival in the gateway's ledger to the last: sets rate and cpu_us.
send_all() { # send_all CHANNEL
    local lines cpu queued figures
    next_week
    q -c CHECKPOINT
    [ -z "${STATEMENTS:-}" ] || q -c 'SELECT pg_stat_statements_reset()' >/dev/null
    lines=$(wc -l <"$work/ledger")
    cpu=$(worker_cpu)
    queued=$(enqueue "$1")
    [ -z "${PERF:-}" ] || profile "$1"
    wait_empty
    cpu=$(($(worker_cpu) - cpu))
    [ -z "${STATEMENTS:-}" ] || statements "$1"
    figures=$(tail -n +$((lines + 1)) "$work/ledger" | awk -F'\t' -v queued="$queued" '
        NR == 1 { first = $1 } { last = $1; n[$3]++; key[$4]++ }
        END {
            for (k in key) unique++
            if (unique != queued || n["repeat"] > 0) printf "%d queued, %d accepted, %d repeated, %d keys\n", queued, n["accept"], n["repeat"], unique >"/dev/stderr"
            if (NR < 2 || unique != queued) exit 1
            printf "%d", NR / (last - first)
        }')
    rate=$figures
    cpu_us=$((cpu * 10000 / queued))
}

# A sending between two runs of the plain program: sets ratio.
compare() { # compare LABEL CHANNEL SLOTS...
    local label=$1 channel=$2 before after bar
    shift 2
    before=$(plain "$channel" "$@")
    send_all "$channel"
    after=$(plain "$channel" "$@")
    bar=$(((before + after) / 2))
    ratio=$(divide "$rate" "$bar")
    printf '  %s: %d messages/s, plain curl %d (%d and %d): %s; the workers computed %d us a message\n' "$label" "$rate" "$bar" "$before" "$after" "$ratio" "$cpu_us"
}
