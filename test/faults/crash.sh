#!/usr/bin/env bash
# make check-crash CYCLES=n SEED=n: kill the worker, a calling backend and the postmaster at every named point of the
# protocol; then compare the database with the gateway's own ledger. CYCLES=11 meets each point once.
#
# What must hold however it dies: every message ends (0 lost); a gateway that honours keys accepts each once (0
# duplicates); one that does not gets each at most once; `sent` means that it was accepted; nothing is accepted of which
# the database does not know; the egress chains verify.
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

# Everything is settled: the queue is empty or the time is up.
await_empty() {
    local n=0 left
    while left=$(q -c 'SELECT count(*) FROM dunning.queue' 2>/dev/null) || left=-1; [ "$left" != 0 ]; do
        n=$((n + 1))
        if [ "$n" -gt 1200 ]; then
            echo "cycle $1: $left messages are unfinished"
            q -c "SELECT state, reason, attempts, due, server FROM dunning.queue LIMIT 10"
            tail -n 30 "$work/server.log"
            exit 1
        fi
        tick
    done
}

RANDOM=$seed
printf '%-5s %-28s %-11s %-8s %s\n' cycle point action who 'back after, s'
for cycle in $(seq 1 "$cycles"); do
    point=${points[$(((cycle - 1) % ${#points[@]}))]}
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
        -c "CALL helper.enqueue('o$cycle', $batch, 'once')" -c "CALL helper.enqueue('lostonce$cycle', 3, 'once')" >/dev/null
    arm "$point:$action:$((1 + RANDOM % 2))"
    q -c "SELECT dunning.resume('honest'), dunning.resume('once')" >/dev/null 2>&1 || await_server
    [ "$who" = worker ] || q -c 'CALL dunning.deliver(max_seconds => 10)' >"$work/call.log" 2>&1 || true
    n=0
    until fired; do
        n=$((n + 1))
        [ "$n" -lt 200 ] || break
        tick
    done
    fired && met=yes || { met=no; as_pg rm -f "$work/data/dunning.fault"; }
    from=$(date +%s%N)
    [ "$action" != postmaster ] || [ "$met" = no ] || start_again
    await_server
    back=$(awk "BEGIN{printf \"%.2f\", ($(date +%s%N) - $from) / 1e9}")
    q -c 'ALTER SYSTEM RESET dunning.databases' -c 'SELECT pg_reload_conf()' >/dev/null
    await_empty "$cycle"
    printf '%-5s %-28s %-11s %-8s %s%s\n' "$cycle" "$point" "$action" "$who" "$back" "$([ "$met" = yes ] || echo ' (not met)')"
    [ "$met" = yes ] || unmet=$((${unmet:-0} + 1))
done

load_ledger
q -P format=aligned -P tuples_only=off -P footer=off <<'SQL'
CREATE TABLE helper.verdict AS
WITH accepted AS (SELECT key, count(*) FILTER (WHERE what = 'accept') AS n, min(recipient) AS recipient FROM helper.ledger GROUP BY 1),
known AS (SELECT m.message_id, m.server, m.debtor_id, s.state, s.reason, coalesce(a.n, 0) AS n, a.recipient, b.address
          FROM dunning.message m JOIN dunning.message_state s USING (message_id)
          LEFT JOIN accepted a ON a.key = m.message_id::text
          LEFT JOIN dunning.body b ON b.debtor_id = m.debtor_id AND b.message_id = m.message_id)
SELECT 'lost: no final state' AS what, count(*) AS n FROM known WHERE state NOT IN ('sent', 'delivered', 'failed', 'unknown', 'dead', 'cancelled')
UNION ALL SELECT 'sent, but the gateway never accepted it', count(*) FROM known WHERE state = 'sent' AND n = 0
UNION ALL SELECT 'duplicates at the gateway that honours keys', count(*) FROM known WHERE server = 'honest' AND n > 1
UNION ALL SELECT 'honest gateway: not sent in the end', count(*) FROM known WHERE server = 'honest' AND state <> 'sent'
UNION ALL SELECT 'duplicates at the gateway that is tried once', count(*) FROM known WHERE server = 'once' AND n > 1
UNION ALL SELECT 'accepted, but dead or cancelled here', count(*) FROM known WHERE n > 0 AND state NOT IN ('sent', 'delivered', 'unknown')
UNION ALL SELECT 'accepted without an intent', count(*) FROM accepted a WHERE NOT EXISTS (SELECT FROM dunning.egress e WHERE e.message_id::text = a.key)
UNION ALL SELECT 'accepted for another recipient', count(*) FROM known WHERE recipient <> address
UNION ALL SELECT 'chains that do not verify', count(*) FROM dunning.verify_egress() WHERE NOT ok
UNION ALL SELECT 'unknown without a task for a person', count(*) FROM known k WHERE state = 'unknown'
    AND NOT EXISTS (SELECT FROM dunning.task t WHERE t.debtor_id = k.debtor_id AND t.message_id = k.message_id);
SELECT server, state, count(*) AS messages, sum(n) AS accepted FROM (
    SELECT m.server, s.state, (SELECT count(*) FROM helper.ledger l WHERE l.key = m.message_id::text AND l.what = 'accept') AS n
    FROM dunning.message m JOIN dunning.message_state s USING (message_id)) x GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM helper.verdict;
SQL
bad=$(q -c 'SELECT sum(n) FROM helper.verdict')
echo "$cycles cycles, seed $seed, ${unmet:-0} points not met: $bad deviations"
[ "$bad" = 0 ]
