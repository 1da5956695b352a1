#!/usr/bin/env bash
# make check-crash CYCLES=n SEED=n: kill the worker, a calling backend and the postmaster at every named point of the
# protocol; then compare the database with the gateway's own ledger. CYCLES=11 meets each point once.
#
# What must hold however it dies: every message ends (0 lost); a gateway that honours keys accepts each once (0
# duplicates); one that is tried once sees each at most once, whatever its key; `sent` means that it was accepted; what was
# accepted is never called cancelled, also where somebody took it back meanwhile; recipient, bytes and amount are those of
# the book; nothing is accepted of which the database does not know; the egress chains verify.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cycles=${CYCLES:-33}
seed=${SEED:-1}
batch=${BATCH:-60}
points=(before_claim after_gate after_freeze after_egress_insert after_intent_commit before_recheck after_recheck
    mid_transfer after_reply_before_settle after_settle_before_commit after_settle_commit)

build_faulty
start_catcher --honour-keys --delay 5 --fault flaky=flaky-503-2 --fault lost=lost-once
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'book'" "dunning.retry_delay = '50ms'" \
    "dunning.slots = 16" "dunning.allowed_hosts = '127.0.0.1:$http'" "timezone = 'UTC'" "fsync = off" "restart_after_crash = on"
make_book

arm() { as_pg bash -c 'printf "%s" "$1" >"$0"' "$work/data/dunning.fault" "$1"; }
fired() { [ ! -e "$work/data/dunning.fault" ]; }

# Everything is settled: the queue is empty and every attempt has its outcome, or the time is up. In each cycle: the next
# one's successor would find what this one's has forgotten.
await_empty() {
    local n=0 left
    while left=$(q -c "SELECT (SELECT count(*) FROM dunning.queue) + (SELECT count(*) FROM dunning.egress e WHERE NOT EXISTS (
            SELECT FROM dunning.outcome o WHERE o.debtor_id = e.debtor_id AND o.message_id = e.message_id AND o.attempt = e.attempt))" 2>/dev/null) || left=-1; [ "$left" != 0 ]; do
        n=$((n + 1))
        if [ "$n" -gt 1200 ]; then
            echo "cycle $1: $left messages are unfinished"
            q -c "SELECT state, reason, attempts, due, server FROM dunning.queue LIMIT 10"
            q -c "SELECT debtor_id, state, reason, at FROM dunning.message_state WHERE state = 'sending' LIMIT 10"
            tail -n 30 "$work/server.log"
            exit 1
        fi
        tick
    done
}

RANDOM=$seed
printf '%-5s %-28s %-11s %-8s %s\n' cycle point action who 'back after, s'
# run_cycle NUMBER POINT NTH: the process dies when it reaches the point for the nth time. Sets met.
run_cycle() {
    local cycle=$1 point=$2 nth=$3 action who n taker from back resumed
    case $((RANDOM % 4)) in 0) action=postmaster ;; 1) action=error ;; 2) action=exit ;; *) action=kill ;; esac
    # An error in a procedure or outside of a batch just ends the call; in the worker it ends the worker.
    who=worker
    [ $((RANDOM % 3)) -ne 0 ] || who=backend
    [ "${ACTION:-}" = "" ] || action=$ACTION
    if [ "$who" = backend ]; then
        q -c "ALTER SYSTEM SET dunning.databases = ''" -c 'SELECT pg_reload_conf()' >/dev/null
        n=0
        until [ "$(q -c "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'dunning worker'")" = 0 ]; do
            n=$((n + 1)); [ "$n" -lt 400 ] || { echo "cycle $cycle: the worker does not end"; exit 1; }
            tick
        done
    fi
    # Queued while the servers are paused, so that the fault meets the sending and not the enqueueing.
    q -c "SELECT dunning.pause('honest'), dunning.pause('once')" -c "CALL helper.enqueue('c$cycle', $batch, 'honest')" \
        -c "CALL helper.enqueue('flaky$cycle', 6, 'honest')" -c "CALL helper.enqueue('lost$cycle', 6, 'honest')" \
        -c "CALL helper.enqueue('o$cycle', $batch, 'once')" -c "CALL helper.enqueue('lostonce$cycle', 3, 'once')" \
        -c "CALL helper.enqueue('sh$cycle', 9, 'honest')" -c "CALL helper.enqueue('so$cycle', 9, 'once')" >/dev/null
    asked=$((${asked:-0} + 2 * batch + 6 + 6 + 3 + 9 + 9))
    arm "$point:$action:$nth"
    # A process that dies just then takes the others' transactions with it, and this may be one: then it is done anew.
    resumed=yes
    q -c "SELECT dunning.resume('honest'), dunning.resume('once')" >/dev/null 2>&1 || resumed=no
    # Some are taken back while they are under way, one by one (TAKE_BACK=0: none).
    ([ "${TAKE_BACK:-1}" = 1 ] || exit 0
        tick 0.01
        for i in 1 2 3 4 5 6 7 8 9; do
            q -c "SELECT count(*) FROM dunning.message m, dunning.cancel(m.message_id, 'taken back') WHERE m.debtor_id IN ('sh$cycle-$i', 'so$cycle-$i')" || true
        done) >/dev/null 2>&1 &
    taker=$!
    [ "$who" = worker ] || q -c 'CALL dunning.deliver(max_seconds => 10)' >"$work/call.log" 2>&1 || true
    n=0
    until fired; do
        n=$((n + 1))
        [ "$n" -lt 200 ] || break
        tick
    done
    fired && met=yes || { met=no; as_pg rm -f "$work/data/dunning.fault"; }
    wait "$taker" || true
    from=$(date +%s%N)
    [ "$action" != postmaster ] || [ "$met" = no ] || start_again
    await_server
    [ "$resumed" = yes ] || q -c "SELECT dunning.resume('honest'), dunning.resume('once')" >/dev/null
    back=$(awk "BEGIN{printf \"%.2f\", ($(date +%s%N) - $from) / 1e9}")
    q -c 'ALTER SYSTEM RESET dunning.databases' -c 'SELECT pg_reload_conf()' >/dev/null
    await_empty "$cycle"
    printf '%-5s %-28s %-11s %-8s %s%s\n' "$cycle" "$point" "$action" "$who" "$back" "$([ "$met" = yes ] || echo ' (not met)')"
}

again=()
for cycle in $(seq 1 "$cycles"); do
    point=${points[$(((cycle - 1) % ${#points[@]}))]}
    run_cycle "$cycle" "$point" $((1 + RANDOM % 2))
    [ "$met" = yes ] || again+=("$point")
done
# A point that was passed once only, while its second time was waited for, has another cycle.
for point in "${again[@]}"; do
    cycle=$((cycle + 1))
    run_cycle "$cycle" "$point" 1
    [ "$met" = yes ] || unmet=$((${unmet:-0} + 1))
done

load_ledger
compare_ledgers "$asked"
q -P format=aligned -P tuples_only=off -P footer=off <<'SQL'
-- Taken back while under way (s...): may be cancelled. All else leaves in the end.
CREATE TABLE helper.verdict AS
SELECT * FROM helper.deviation
UNION ALL SELECT 'sent, but the gateway never accepted it', count(*) FROM helper.known WHERE state = 'sent' AND accepts = 0
UNION ALL SELECT 'honest gateway: not sent in the end', count(*) FROM helper.known WHERE NOT once AND debtor_id !~ '^s' AND state <> 'sent'
UNION ALL SELECT 'tried once: neither sent nor unknown', count(*) FROM helper.known WHERE once AND debtor_id !~ '^s' AND state NOT IN ('sent', 'unknown');
SELECT server, state, count(*) AS messages, sum(accepts) AS accepted, sum(arrivals) AS arrived, sum(intents) AS intents FROM helper.known GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM helper.verdict;
SQL
bad=$(q -c 'SELECT sum(n) FROM helper.verdict')
# What a person needs to understand it: all that was written about the messages in question, in order.
[ "$bad" = 0 ] || q <<'SQL'
SELECT k.debtor_id, k.server, k.state, k.reason, k.accepts, k.intents, x.at, x.line FROM helper.known k
JOIN LATERAL (
    SELECT e.at, format('intent %s', e.attempt) AS line FROM dunning.egress e WHERE e.debtor_id = k.debtor_id AND e.message_id = k.message_id
    UNION ALL SELECT o.at, format('attempt %s: %s %s %s', o.attempt, o.state, o.reason, o.detail) FROM dunning.outcome o WHERE o.debtor_id = k.debtor_id AND o.message_id = k.message_id
    UNION ALL SELECT to_timestamp(a.at), format('%s %s', a.what, a.key) FROM helper.arrived a WHERE a.message_id = k.message_id) x ON true
WHERE k.accepts > 0 AND k.state NOT IN ('sent', 'delivered', 'unknown') OR k.state IS NULL OR k.state = 'sent' AND k.accepts = 0 OR k.once AND (k.arrivals > 1 OR k.arrivals > k.intents)
ORDER BY k.message_id, x.at;
SQL
echo "$cycle cycles, seed $seed, ${unmet:-0} points not met: $bad deviations"
no_crash && [ "$bad" = 0 ]
