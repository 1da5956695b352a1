#!/usr/bin/env bash
# make check-recipients N=1000000 SEED=1: who gets what. N messages by four workers over four kinds of gateways (JSON with keys, JSON tried
# once, a form, SMTP), while addresses, amounts and texts change before, between and during the sending, and names, references and
# addresses are made to do harm. What arrived is held against what the test itself wanted, byte by byte of what matters:
# recipients.pl says how. 0 may differ.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

n=${N:-5000}
seed=${SEED:-1}
round=$((n < 20000 ? n : 20000))
[ -z "${FAULTY:-}" ] || build_faulty
[ -n "${FAULTY:-}" ] || { [ -x "$bindir/postgres" ] || "$root/test/lib/stage.sh"; make -s -C "$root/test/gateways" CATCHER="$work/catcher"; }
start_catcher --honour-keys --fault flaky=flaky-503-2 --fault lost=lost-once
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'book'" "dunning.workers = 4" "dunning.retry_delay = '20ms'" \
    "dunning.slots = 48" "dunning.allowed_hosts = '127.0.0.1:$http, 127.0.0.1:$smtp'" "timezone = 'UTC'" "fsync = off" "max_wal_size = '4GB'"
make_book
psql_ -d book -v http="http://127.0.0.1:$http/send" -v smtp="smtp://127.0.0.1:$smtp" -f "$root/test/faults/recipients.sql"

total=0 bad=0 arrived=0 held=0
from=$(date +%s)
for turn in $(seq 1 $(((n + round - 1) / round))); do
    some=$((n - total < round ? n - total : round))
    q -c "SELECT setseed($(awk "BEGIN{srand($seed * 1000 + $turn); print rand()}"))" -c "CALL helper.prepare($turn, $some)" >/dev/null
    q -c 'SELECT dunning.resume(s) FROM unnest(helper.servers()) s' >/dev/null
    # Some move house or pay while theirs may be on its way; what each may then be told is noted first.
    for part in 1 2 3 4; do
        q -c "CALL helper.change($turn, $part)"
        tick 0.1
    done
    wait=0
    until [ "$(q -c "SELECT count(*) FROM dunning.queue WHERE state = 'queued'")" = 0 ]; do
        wait=$((wait + 1)); [ "$wait" -lt 2400 ] || { echo "the queue does not empty"; q -c 'SELECT * FROM dunning.queue_status'; exit 1; }
        tick
    done
    q -c 'SELECT dunning.pause(s) FROM unnest(helper.servers()) s' >/dev/null
    q -F $'\t' -c "SELECT m.message_id, m.server, m.debtor_id, s.state, coalesce(s.reason, ''), w.addresses, w.amounts, w.reference, w.mark, encode(convert_to(w.name, 'UTF8'), 'hex')
        FROM helper.want w JOIN LATERAL (SELECT x.* FROM dunning.message x WHERE x.debtor_id = w.debtor_id OFFSET 0) m ON true
        JOIN LATERAL (SELECT x.* FROM dunning.message_state x WHERE x.debtor_id = m.debtor_id AND x.message_id = m.message_id OFFSET 0) s ON true WHERE w.turn = $turn" >"$work/wanted"
    said=$(perl -I"$root/test/lib" "$root/test/faults/recipients.pl" "$work/wanted" "$work/ledger" "$work/bodies") || true
    read -r here stopped wrong <<<"$(sed -n 's/^= //p' <<<"$said")"
    [ "${wrong:-1}" = 0 ] || { sed '/^= /d' <<<"$said" | head -n 20; bad=$((bad + ${wrong:-1})); }
    total=$((total + some)) arrived=$((arrived + here)) held=$((held + stopped))
    : >"$work/ledger"; : >"$work/bodies"
    [ $((turn % 10)) -ne 0 ] || echo "$total messages, $arrived arrived, $bad wrong, $(($(date +%s) - from)) s"
done
chains=$(q -c 'SELECT count(*) FROM dunning.verify_egress() WHERE NOT ok')
echo "$total messages, seed $seed, $(($(date +%s) - from)) s: $arrived arrived, $held did not leave and have a reason, $bad with a wrong recipient, text, amount or header, $chains chains that do not verify"
no_crash && [ "$bad" = 0 ] && [ "$chains" = 0 ] && [ "$arrived" -gt $((n / 2)) ]
