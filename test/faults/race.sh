#!/usr/bin/env bash
# make check-race N=2000: payments against sends. Half of the debtors pay while their message is on its way; one worker.
#
# Each payment keeps the id of its transaction, and the test build logs the snapshot of every recheck. So "paid before" is
# no matter of clocks: of a message that left, the payment must not be visible in the snapshot of its last recheck. What is
# committed after that snapshot is too late by definition; how long that is, from recheck to arrival, is printed. A payment
# committed before the message was released to the worker at all must never see a send.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

n=${N:-2000}
build_faulty
start_catcher --honour-keys --delay 8
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'book'" "dunning.allowed_hosts = '127.0.0.1:$http'" \
    "timezone = 'UTC'" "fsync = on" "dunning.slots = 24"
make_book

# Paid before the release: none of these may leave, whether or not the batch was claimed in time.
q -c "SELECT dunning.pause('honest')" -c "CALL helper.enqueue('race', $n, 'honest')" -c "CALL helper.enqueue('before', $n, 'honest')" \
    -c "CREATE TABLE helper.paid (debtor_id text PRIMARY KEY, xid xid8, at timestamptz)" >/dev/null
q -c "INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency)
      SELECT i.debtor_id, 'P', now(), i.amount, i.currency FROM dunning.invoice i WHERE i.debtor_id LIKE 'before-%'"
# The payers: one transaction a payment, in an order of their own, with a question after some, so that there are moments in which
# nothing ends. Few slots and a gateway that takes its time keep the sending about as slow as the paying.
for i in $(seq 1 "$n" | shuf --random-source=<(yes "${SEED:-1}")); do
    echo "WITH p AS (INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) SELECT debtor_id, 'P', now(), amount, currency FROM dunning.invoice WHERE debtor_id = 'race-$i') INSERT INTO helper.paid VALUES ('race-$i', pg_current_xact_id(), clock_timestamp());"
    [ $((i % 25)) -gt 0 ] || echo "SELECT sum(i) FROM generate_series(1, 3000000) i;"
done >"$work/pay.sql"
split -n r/2 "$work/pay.sql" "$work/pay."
q -c "SELECT dunning.resume('honest')" >/dev/null
wait=0
until [ "$(q -c 'SELECT count(*) > 0 FROM dunning.egress')" = t ]; do
    wait=$((wait + 1)); [ "$wait" -lt 400 ] || { echo "nothing leaves"; exit 1; }
    tick
done
psql_ -d book -f "$work/pay.aa" >/dev/null &
other=$!
psql_ -d book -f "$work/pay.ab" >/dev/null
wait "$other"

wait=0
until [ "$(q -c "SELECT count(*) FROM dunning.queue WHERE state = 'queued'")" = 0 ]; do
    wait=$((wait + 1)); [ "$wait" -lt 1200 ] || { echo "the queue does not empty"; exit 1; }
    tick
done
load_ledger
compare_ledgers $((2 * n))
# One line a message and recheck: what the recheck saw and when it asked. A message that is `unchanged` left because nothing had
# happened since the gate answered: what it could have seen is the snapshot in which that was found.
sed -nE 's/^.*dunning (recheck|unchanged) ([0-9a-f-]{36}) ([0-9:,]+) (-?[0-9]+)$/\2\t\3\t\4\t\1/p' "$work/server.log" >"$work/rechecks"
q -c 'CREATE TABLE helper.recheck (message_id uuid, seen pg_snapshot, us bigint, how text)' -c "\\copy helper.recheck FROM '$work/rechecks'"
q -P format=aligned -P tuples_only=off -P footer=off <<'SQL'
CREATE TABLE helper.race AS
SELECT k.message_id, k.debtor_id, k.state, k.reason, p.xid, p.at AS paid_at, a.arrived_at, r.seen, r.asked_at, r.how
FROM helper.known k LEFT JOIN helper.paid p USING (debtor_id)
LEFT JOIN LATERAL (SELECT to_timestamp(min(x.at)) AS arrived_at FROM helper.arrived x WHERE x.message_id = k.message_id) a ON true
LEFT JOIN LATERAL (SELECT x.seen, x.how, to_timestamp(x.us / 1e6 + 946684800) AS asked_at FROM helper.recheck x
                   WHERE x.message_id = k.message_id ORDER BY x.us DESC LIMIT 1) r ON true;
SELECT state, reason, count(*) AS messages, count(arrived_at) AS arrived FROM helper.race GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE abs(extract(epoch FROM asked_at - paid_at)) < 0.01) AS paid_within_10_ms_of_the_recheck,
       count(*) FILTER (WHERE arrived_at IS NOT NULL AND paid_at < arrived_at AND NOT pg_visible_in_snapshot(xid, seen)) AS paid_too_late_to_stop,
       round(1000 * percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM arrived_at - asked_at))::numeric, 1) AS recheck_to_arrival_p50_ms,
       round(1000 * percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM arrived_at - asked_at))::numeric, 1) AS p99_ms,
       round(1000 * max(extract(epoch FROM arrived_at - asked_at))::numeric, 1) AS max_ms
FROM helper.race WHERE debtor_id LIKE 'race-%';
SELECT * FROM helper.deviation WHERE n > 0;
SQL
before=$(q -c "SELECT count(*) FROM helper.race WHERE debtor_id LIKE 'before-%' AND arrived_at IS NOT NULL")
seen=$(q -c "SELECT count(*) FROM helper.race WHERE arrived_at IS NOT NULL AND pg_visible_in_snapshot(xid, seen)")
blind=$(q -c "SELECT count(*) FROM helper.race WHERE arrived_at IS NOT NULL AND (seen IS NULL OR asked_at > arrived_at)")
other=$(q -c "SELECT (SELECT sum(n) FROM helper.deviation) + (SELECT count(*) FROM helper.race WHERE state NOT IN ('sent', 'cancelled'))")
unasked=$(q -c "SELECT count(*) FROM helper.race WHERE arrived_at IS NOT NULL AND how = 'unchanged'")
refused=$(q -c "SELECT count(*) FROM helper.race r JOIN dunning.egress e USING (message_id) WHERE r.state = 'cancelled'")
echo "$n races and $n payments before the claim: $before sent after a payment before the claim, $seen sent though the recheck could see the payment, $blind sent without a recheck, $other other deviations; $refused intents were refused by the recheck, $unasked left without being asked again"
# A run in which no payment met a waiting intent has shown nothing about the recheck.
no_crash && [ "$before" = 0 ] && [ "$seen" = 0 ] && [ "$blind" = 0 ] && [ "$other" = 0 ] && [ "$refused" -gt 0 ]
