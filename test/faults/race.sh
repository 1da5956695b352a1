#!/usr/bin/env bash
# make check-race N=2000: payments against sends. Half of the debtors pay while their message is on its way; one worker.
#
# Each payer commits, and only then asks the clock. The worker asks for each message at the gate and once more right
# before the send, so: a message whose payment was visible to its recheck never leaves. Proof by time: the gateway's
# ledger says when it accepted. A send after the payment is allowed only if the recheck had begun before the payment was
# visible; the window between recheck and first byte is what is measured here, and beyond its bound the count is 0.
# A payment committed before the message was released to the worker at all must never see a send.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

n=${N:-2000}
build_faulty
start_catcher --honour-keys --delay 1
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'book'" "dunning.allowed_hosts = '127.0.0.1:$http'" \
    "timezone = 'UTC'" "fsync = on" "dunning.slots = 8"
make_book

# Paid before the release: none of these may leave, whether or not the batch was claimed in time.
q -c "SELECT dunning.pause('honest')" -c "CALL helper.enqueue('race', $n, 'honest')" -c "CALL helper.enqueue('before', $n, 'honest')" \
    -c "CREATE TABLE helper.paid (debtor_id text PRIMARY KEY, committed_at timestamptz)" >/dev/null
q -c "INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency)
      SELECT i.debtor_id, 'P', now(), i.amount, i.currency FROM dunning.invoice i WHERE i.debtor_id LIKE 'before-%'"
# The payers: one transaction a payment, in an order of their own, each followed by the time at which it was visible.
# Few slots and a gateway that takes its time keep the sending about as slow as the paying.
for i in $(seq 1 "$n" | shuf --random-source=<(yes "${SEED:-1}")); do
    echo "INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) SELECT debtor_id, 'P', now(), amount, currency FROM dunning.invoice WHERE debtor_id = 'race-$i';"
    echo "INSERT INTO helper.paid VALUES ('race-$i', clock_timestamp());"
done >"$work/pay.sql"
q -c "SELECT dunning.resume('honest')" >/dev/null
wait=0
until [ "$(q -c 'SELECT count(*) > 0 FROM dunning.egress')" = t ]; do
    wait=$((wait + 1)); [ "$wait" -lt 400 ] || { echo "nothing leaves"; exit 1; }
    tick
done
psql_ -d book -c 'SET synchronous_commit = off' -f "$work/pay.sql" >/dev/null

wait=0
until [ "$(q -c "SELECT count(*) FROM dunning.queue WHERE state = 'queued'")" = 0 ]; do
    wait=$((wait + 1)); [ "$wait" -lt 1200 ] || { echo "the queue does not empty"; exit 1; }
    tick
done
load_ledger
q -P format=aligned -P tuples_only=off -P footer=off <<'SQL'
CREATE TABLE helper.race AS
SELECT m.debtor_id, s.state, s.reason, p.committed_at,
       (SELECT to_timestamp(min(l.at)) FROM helper.ledger l WHERE l.key = m.message_id::text AND l.what = 'accept') AS accepted_at
FROM dunning.message m JOIN dunning.message_state s USING (message_id) LEFT JOIN helper.paid p ON p.debtor_id = m.debtor_id;
SELECT state, reason, count(*) AS messages, count(accepted_at) AS accepted FROM helper.race GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE accepted_at > committed_at) AS accepted_after_payment,
       coalesce(round(1000 * max(extract(epoch FROM accepted_at - committed_at)) FILTER (WHERE accepted_at > committed_at), 1), 0) AS longest_window_ms
FROM helper.race;
SQL
before=$(q -c "SELECT count(*) FROM helper.race WHERE debtor_id LIKE 'before-%' AND accepted_at IS NOT NULL")
late=$(q -c "SELECT count(*) FROM helper.race WHERE debtor_id LIKE 'race-%' AND accepted_at > committed_at + interval '25 ms'")
open=$(q -c "SELECT count(*) FROM helper.race WHERE state NOT IN ('sent', 'cancelled')")
refused=$(q -c "SELECT count(*) FROM helper.race r JOIN dunning.egress e USING (debtor_id) WHERE r.state = 'cancelled'")
echo "$n races and $n payments before the claim: $before sent after a payment before the claim, $late sent beyond the window, $open unfinished; $refused intents were refused by the recheck"
# A run in which no payment met a waiting intent has shown nothing about the recheck.
[ "$before" = 0 ] && [ "$late" = 0 ] && [ "$open" = 0 ] && [ "$refused" -gt 0 ]
