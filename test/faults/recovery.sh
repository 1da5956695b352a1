#!/usr/bin/env bash
# make check-recovery ROUNDS=5: how soon sending goes on after somebody died, and how soon a database or the extension is gone.
#
# In the middle of a backlog, with 16 messages at a gateway that takes 5 ms: kill -9 of a backend, of the worker and of the
# postmaster (started again at once), SIGTERM to the worker. Counted is from the signal to the first message at the gateway
# whose intent is the next worker's: what the old one had in flight, or still sent, is not a recovery. Then DROP DATABASE ... WITH
# (FORCE) and DROP EXTENSION ... CASCADE of books that are sending. fsync is on. Over a limit in any round: a failure.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

rounds=${ROUNDS:-5}
[ -x "$bindir/postgres" ] || "$root/test/lib/stage.sh"
make -s -C "$root/test/gateways" CATCHER="$work/catcher"
start_catcher --honour-keys --delay 5
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'book, doomed'" "dunning.retry_delay = '100ms'" "dunning.slots = 16" \
    "dunning.allowed_hosts = '127.0.0.1:$http'" "timezone = 'UTC'" "fsync = on" "restart_after_crash = on"
make_book
asked=0
arrivals() { wc -l <"$work/ledger"; }

await() { # await WHAT COMMAND...: until it succeeds
    local n=0 what=$1
    shift
    until "$@"; do
        n=$((n + 1))
        [ "$n" -lt 1200 ] || { echo "$what: never"; tail -n 30 "$work/server.log"; exit 1; }
        tick 0.02
    done
}
arrived() { [ "$(arrivals)" -ge "$1" ]; }
book_is_sending() { [ "$(psql_ -d "$1" -Atc "SELECT count(*) >= 20 FROM dunning.egress" 2>/dev/null)" = t ]; }
another_worker() { # another_worker SINCE: and there is but one
    [ "$(q -c "SELECT count(*) = 1 AND min(started_at) > to_timestamp($1) FROM dunning.stat_worker" 2>/dev/null)" = t ]
}

# A backlog of some seconds, and the middle of it.
start_sending() {
    local before
    before=$(arrivals)
    q -c "CALL helper.enqueue('$1', 1500, 'honest')" >/dev/null
    asked=$((asked + 1500))
    await "$1 is sent" arrived $((before + 100))
}

# strike WHAT LIMIT COMMAND...: what ends the process; then until more has arrived than was in flight.
strike() {
    local what=$1 limit=$2 at
    shift 2
    start_sending "${what// /-}-$round"
    at=$(date +%s.%N)
    "$@"
    await "another worker after $what" another_worker "$at"
    await "sending after $what" arrived $(($(arrivals) + 60))
    q -c "INSERT INTO helper.struck SELECT '$what', $limit, $at, extract(epoch FROM started_at) FROM dunning.stat_worker"
}

kill_backend() {
    coproc client { "$bindir/psql" -X -q -At -d book 2>/dev/null; }
    echo 'SELECT pg_backend_pid();' >&"${client[1]}"
    read -r pid <&"${client[0]}"
    kill -9 "$pid"
    exec {client[1]}>&-
}
kill_worker() { kill "$1" "$worker"; }
kill_postmaster() {
    kill -9 "$(head -n 1 "$work/data/postmaster.pid")"
    start_again
}

# time_drop WHAT SQL DATABASE: of a second book in the middle of its sending.
time_drop() {
    local from
    make_book doomed
    psql_ -d doomed -c "CALL helper.enqueue('d', 4000, 'honest')" >/dev/null
    await 'the doomed book is sent' book_is_sending doomed
    from=$(date +%s.%N)
    psql_ -d "$3" -c 'SET client_min_messages = error' -c "$2"
    q -c "INSERT INTO helper.measured VALUES ('$1', 2, $(date +%s.%N) - $from)"
    psql_ -d postgres -c 'DROP DATABASE IF EXISTS doomed WITH (FORCE)' 2>/dev/null
}

q -c 'CREATE TABLE helper.struck (what text, most float8, at float8, next float8)' -c 'CREATE TABLE helper.measured (what text, most float8, seconds float8)'
for round in $(seq 1 "$rounds"); do
    strike 'kill -9 of a backend' 10 kill_backend
    worker=$(q -c 'SELECT pid FROM dunning.stat_worker')
    strike 'kill -9 of the worker' 10 kill_worker -9
    strike 'kill -9 of the postmaster' 10 kill_postmaster
    worker=$(q -c 'SELECT pid FROM dunning.stat_worker')
    strike 'SIGTERM to the worker' 2 kill_worker -TERM
    time_drop 'DROP DATABASE' 'DROP DATABASE doomed WITH (FORCE)' postgres
    time_drop 'DROP EXTENSION' 'DROP EXTENSION dunning CASCADE' doomed
    time_drop 'DROP EXTENSION' 'DROP EXTENSION dunning CASCADE' doomed
done
queue_is_empty() { [ "$(q -c 'SELECT count(*) FROM dunning.queue')" = 0 ]; }
await 'the queue is empty' queue_is_empty
load_ledger
# The doomed books' messages are not of this book.
q -c "DELETE FROM helper.ledger WHERE recipient ~ '^d-'" -c "DELETE FROM helper.body WHERE recipient ~ '^d-'"
compare_ledgers "$asked"
q -P format=aligned -P tuples_only=off -P footer=off <<'SQL'
INSERT INTO helper.measured
SELECT s.what, s.most, (SELECT min(a.at) FROM helper.arrived a JOIN dunning.egress e USING (message_id) WHERE extract(epoch FROM e.at) BETWEEN s.next AND a.at) - s.at
FROM helper.struck s;
CREATE VIEW helper.verdict AS
SELECT what, count(*) AS rounds, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)::numeric, 2) AS median_s, round(max(seconds)::numeric, 2) AS most_s, min(most) AS limit_s,
       CASE WHEN bool_and(seconds <= most) THEN 'ok' ELSE 'OVER' END AS verdict FROM helper.measured GROUP BY what;
SELECT * FROM helper.verdict ORDER BY limit_s DESC, what;
SELECT * FROM helper.deviation WHERE n > 0;
SQL
bad=$(q -c 'SELECT sum(n) FROM helper.deviation')
over=$(q -c "SELECT count(*) FROM helper.verdict WHERE verdict <> 'ok'")
told=$(q -c 'SELECT count(*) FROM helper.verdict')
deadlocks=$(grep -c 'deadlock detected' "$work/server.log" || true)
echo "$rounds rounds, $asked messages: $over of $told over their limit, $bad deviations, $deadlocks deadlocks"
no_crash && [ "$over" = 0 ] && [ "$deadlocks" = 0 ] && [ "$told" = 6 ] && [ "$bad" = 0 ]
