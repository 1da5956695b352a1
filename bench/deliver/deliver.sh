#!/usr/bin/env bash
# make bench-deliver: from queue to gateway, fsync on, every gate on, against a plain libcurl program that posts the same kind
# of message to the same gateway, in turn with it. Each row prints its value, the target and whether it is met.
#   PARTS="one two wait smtp latency xmin memory billing"   which rows; N=20000 debtors, ROUNDS=3 of each comparison, SLOTS=64.
#   DELAY=0 (ms the gateway takes for each answer), TEMPLATE=reminder-1, LINKS=1: the creditor has a page, so links are signed;
#   OFFERS=5: every fifth debtor has an offer of record. COUNT=300 RATE=100: messages a round and a second of latency.
#   XMIN=500000, MEMORY=100000: messages sent. PAIRS=5 SECONDS_EACH=10: of billing (pgbench on cores of its own).
#   PERF=8 (seconds) and STATEMENTS=1 write where the worker's time goes into tmp/bench; KEEP=1 the server's log too.
# Time is the gateway's own: from the first arrival in its ledger to the last.
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
here=$root/bench/deliver
. "$here/lib.sh"
. "$here/parts.sh"
trap finish EXIT

cc -std=gnu11 -O2 -o "$work/curl_multi" "$here/curl_multi.c" -lcurl
start_catcher "${DELAY:-0}"
start_server
conninfo="host=$PGHOST port=$PGPORT user=$PGUSER dbname=bench"
parts=${PARTS:-one two wait smtp latency xmin memory billing}
case " $parts " in *" latency "*)
    cc -std=gnu11 -O2 -I"$("$bindir/pg_config" --includedir)" -I"$("$bindir/pg_config" --includedir)/postgresql" -I/usr/include/postgresql -o "$work/latency" "$here/latency.c" -lpq ;;
esac
for part in $parts; do
    declare -F "part_$part" >/dev/null || { echo "no part \"$part\": one two wait smtp latency xmin memory billing" >&2; exit 2; }
    "part_$part"
done
echo "$missed of the targets missed"
