#!/usr/bin/env bash
# make check-race N=2000: payments against sends. Each debtor pays about when the message is taken up; one worker.
#
# Each payment keeps the id of its transaction, and the test build logs the snapshot of every recheck. So "paid before" is
# no matter of clocks: of a message that left, the payment must not be visible in the snapshot of its last recheck. What is
# committed after that snapshot is too late by definition; how long that is, from recheck to arrival, is printed. A payment
# committed before the message was released to the worker at all must never see a send.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

n=${N:-2000}
build_faulty
start_catcher --honour-keys --delay 50
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'book'" "dunning.allowed_hosts = '127.0.0.1:$http'" \
    "timezone = 'UTC'" "fsync = on" "dunning.slots = 24"
make_book

# Paid before the release: none of these may leave, whether or not the batch was claimed in time.
before=$((n < 2000 ? n : 2000))
q -c "SELECT dunning.pause('honest')" -c "CALL helper.enqueue('race', $n, 'honest')" -c "CALL helper.enqueue('before', $before, 'honest')" \
    -c "CREATE TABLE helper.paid (debtor_id text PRIMARY KEY, xid xid8, at timestamptz)" >/dev/null
q -c "INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency)
      SELECT i.debtor_id, 'P', now(), i.amount, i.currency FROM dunning.invoice i WHERE i.debtor_id LIKE 'before-%'"
# The payers: one transaction a payment, without a way to the client in between, each about when its message is taken up: up to 300
# messages before or after. Now and then the first of them lets nobody pay and asks a question, so that there are moments in which nothing
# ends. Few slots and a gateway that takes its time keep the sending as slow as the paying.
q <<SQL
CREATE TABLE helper.turn AS
SELECT m.debtor_id, 1 + x.at % ${PAYERS:-4} AS payer, least(x.at + (('x' || substr(md5(m.debtor_id || ${SEED:-1}), 1, 7))::bit(28)::int % 600) - 300, $n) AS taken_up
FROM (SELECT q.debtor_id, row_number() OVER (ORDER BY q.due, q.message_id) AS at FROM dunning.queue q) x JOIN dunning.message m USING (debtor_id) WHERE m.debtor_id LIKE 'race-%';
SQL
q <<'SQL'
CREATE PROCEDURE helper.pay(me int) LANGUAGE plpgsql AS $do$
DECLARE
    next record;
    paid int := 0;
    waited int := 0;
BEGIN
    FOR next IN SELECT t.debtor_id, t.taken_up FROM helper.turn t WHERE t.payer = me ORDER BY t.taken_up LOOP
        -- Once nothing more is taken up, there is nothing to wait for.
        WHILE waited < 150 AND (SELECT sum(w.claimed) FROM dunning.stat_worker w) < next.taken_up LOOP
            BEGIN
                PERFORM pg_advisory_lock(8);    -- which nobody gives: 2 ms without work
            EXCEPTION WHEN lock_not_available THEN
                waited := waited + 1;
            END;
        END LOOP;
        waited := CASE WHEN waited < 150 THEN 0 ELSE waited END;
        paid := paid + 1;
        IF me = 1 AND paid % 80 = 0 THEN
            SET LOCAL lock_timeout = 0;
            PERFORM pg_advisory_lock(7);
            PERFORM sum(x) FROM generate_series(1, 300000) x;
            PERFORM pg_advisory_unlock(7);
        END IF;
        SET LOCAL lock_timeout = 0;
        PERFORM pg_advisory_xact_lock_shared(7);
        WITH p AS (INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency)
            SELECT v.debtor_id, 'P', clock_timestamp(), v.amount, v.currency FROM dunning.invoice v WHERE v.debtor_id = next.debtor_id)
        INSERT INTO helper.paid VALUES (next.debtor_id, pg_current_xact_id(), clock_timestamp());
        COMMIT;
    END LOOP;
END $do$;
SQL
q -c "SELECT dunning.resume('honest')" >/dev/null
wait=0
until [ "$(q -c 'SELECT count(*) > 0 FROM dunning.egress')" = t ]; do
    wait=$((wait + 1)); [ "$wait" -lt 400 ] || { echo "nothing leaves"; exit 1; }
    tick
done
mkfifo "$work/held"
q <"$work/held" >/dev/null &
exec 9>"$work/held"
echo 'SELECT pg_advisory_lock(8);' >&9
until [ "$(q -c "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 8 AND objsubid = 1 AND granted")" = 1 ]; do tick; done
payers=()
from=$(date +%s%N)
for payer in $(seq 1 "${PAYERS:-4}"); do
    q -c "SET lock_timeout = '2ms'" -c "CALL helper.pay($payer)" &
    payers+=($!)
done
for payer in "${payers[@]}"; do wait "$payer"; done
exec 9>&-
paying=$(awk "BEGIN{printf \"%.1f\", ($(date +%s%N) - $from) / 1e9}")

wait=0
until [ "$(q -c "SELECT count(*) FROM dunning.queue WHERE state = 'queued'")" = 0 ]; do
    wait=$((wait + 1)); [ "$wait" -lt 6000 ] || { echo "the queue does not empty"; exit 1; }
    tick
done
load_ledger
compare_ledgers $((n + before))
# One line a message and recheck: what the recheck saw and when it asked. A message that is `unchanged` left because nothing had
# happened since the gate answered: what it could have seen is the snapshot in which that was found.
sed -nE 's/^.*dunning (recheck|unchanged) ([0-9a-f-]{36}) ([0-9:,]+) (-?[0-9]+)$/\2\t\3\t\4\t\1/p' "$work/server.log" >"$work/rechecks"
q -c 'CREATE TABLE helper.recheck (message_id uuid, seen pg_snapshot, us bigint, how text)' -c "\\copy helper.recheck FROM '$work/rechecks'" \
    -c 'CREATE INDEX ON helper.recheck (message_id, us)' -c 'ANALYZE helper.recheck'
q -P format=aligned -P tuples_only=off -P footer=off <<'SQL'
CREATE TABLE helper.race AS
SELECT k.message_id, k.debtor_id, k.state, k.reason, p.xid, p.at AS paid_at, a.arrived_at, r.seen, r.asked_at, r.how
FROM helper.known k LEFT JOIN helper.paid p USING (debtor_id)
LEFT JOIN LATERAL (SELECT to_timestamp(min(x.at)) AS arrived_at FROM helper.arrived x WHERE x.message_id = k.message_id) a ON true
LEFT JOIN LATERAL (SELECT x.seen, x.how, to_timestamp(x.us / 1e6 + 946684800) AS asked_at FROM helper.recheck x
                   WHERE x.message_id = k.message_id ORDER BY x.us DESC LIMIT 1) r ON true;
SELECT state, reason, count(*) AS messages, count(arrived_at) AS arrived FROM helper.race GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE abs(extract(epoch FROM asked_at - paid_at)) < 0.01) AS paid_within_10_ms_of_the_recheck,
       count(*) FILTER (WHERE arrived_at IS NOT NULL AND paid_at < arrived_at AND NOT pg_visible_in_snapshot(xid, seen)) AS paid_too_late_to_stop
FROM helper.race WHERE debtor_id LIKE 'race-%';
-- From the clock that the worker read right before it asked (the query, or whether anything has ended since the gate) to the clock of the
-- gateway when it had the request whole, so after its first byte; one machine, one clock.
SELECT how, count(*) AS messages, round((1000 * percentile_cont(0.5) WITHIN GROUP (ORDER BY ms))::numeric, 1) AS recheck_to_arrival_p50_ms,
       round((1000 * percentile_cont(0.99) WITHIN GROUP (ORDER BY ms))::numeric, 1) AS p99_ms, round((1000 * max(ms))::numeric, 1) AS max_ms
FROM (SELECT coalesce(how, 'none') AS how, extract(epoch FROM arrived_at - asked_at)::float8 AS ms FROM helper.race WHERE arrived_at IS NOT NULL) x GROUP BY GROUPING SETS ((how), ()) ORDER BY 1 NULLS LAST;
SELECT * FROM helper.deviation WHERE n > 0;
SQL
early=$(q -c "SELECT count(*) FROM helper.race WHERE debtor_id LIKE 'before-%' AND arrived_at IS NOT NULL")
seen=$(q -c "SELECT count(*) FROM helper.race WHERE arrived_at IS NOT NULL AND pg_visible_in_snapshot(xid, seen)")
blind=$(q -c "SELECT count(*) FROM helper.race WHERE arrived_at IS NOT NULL AND (seen IS NULL OR asked_at > arrived_at)")
other=$(q -c "SELECT (SELECT sum(n) FROM helper.deviation) + (SELECT count(*) FROM helper.race WHERE state NOT IN ('sent', 'cancelled'))")
unasked=$(q -c "SELECT count(*) FROM helper.race WHERE arrived_at IS NOT NULL AND how = 'unchanged'")
refused=$(q -c "SELECT count(*) FROM helper.race r JOIN dunning.egress e USING (message_id) WHERE r.state = 'cancelled'")
echo "$n races in $paying s and $before payments before the claim: $early sent after a payment before the claim, $seen sent though the recheck could see the payment, $blind sent without a recheck, $other other deviations; $refused intents were refused by the recheck, $unasked left without being asked again"
# A run in which no payment met a waiting intent has shown nothing about the recheck.
no_crash && [ "$early" = 0 ] && [ "$seen" = 0 ] && [ "$blind" = 0 ] && [ "$other" = 0 ] && [ "$refused" -gt 0 ]
