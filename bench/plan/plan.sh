#!/usr/bin/env bash
# Debtors a second and core of plan(dry_run => true) over the demo's generated book, and whether a debtor costs the same in every size.
# N="10000 100000 1000000": sizes. Beside it the floor: the same rows of the three sources read by plain SQL, and the ladder alone.
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
sizes=${N:-"10000 100000 1000000"}
work=$(scratch_dir)
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "dunning.clock = '2026-06-22 09:30+02'" \
    "shared_buffers = '1GB'" "work_mem = '${WORK_MEM:-64MB}'" "max_wal_size = '4GB'" "fsync = off" "max_parallel_workers_per_gather = 0" \
    "dunning.allowed_hosts = '127.0.0.1:9, 127.0.0.1:10'"

# The least of three runs, in milliseconds: ms DATABASE STATEMENT
ms() {
    psql_ -d "$1" -At <<SQL | sort -n | head -n 1
\\o /dev/null
\\timing off
SELECT clock_timestamp() AS a \\gset
$2
SELECT clock_timestamp() AS b \\gset
$2
SELECT clock_timestamp() AS c \\gset
$2
SELECT clock_timestamp() AS d \\gset
\\o
SELECT round(extract(epoch FROM x) * 1000) FROM unnest(ARRAY[:'b'::timestamptz - :'a', :'c'::timestamptz - :'b', :'d'::timestamptz - :'c']) x;
SQL
}

printf '%9s %12s %12s %12s %14s %14s\n' debtors 'read ms' 'ladder ms' 'plan ms' 'us a debtor' 'debtors/s/core'
costs=
for n in $sizes; do
    db=book$n
    psql_ -d postgres -c "CREATE DATABASE $db"
    psql_ -d "$db" -o /dev/null -c 'CREATE EXTENSION dunning' -v debtors="$n" -v seed=1 -v t0=2026-06-22 -v habits="$root/examples/demo/habits/households.sql" -f "$root/examples/demo/generate.sql" \
        -f "$root/examples/demo/bind.sql" -v http=http://127.0.0.1:9/sms -v smtp=smtp://127.0.0.1:10 -f "$root/examples/demo/configure.sql" \
        -c 'CALL demo.advance()' -c 'VACUUM ANALYZE'
    read=$(ms "$db" "SELECT count(debtor_id), count(creditor) FROM billing.v_debtor; SELECT count(invoice_id), sum(amount), count(debtor_id), min(due_on), max(currency) FROM billing.v_invoice;
        SELECT count(invoice_id), sum(amount), count(debtor_id), max(currency) FROM billing.v_payment;")
    ladder=$(ms "$db" "BEGIN; SELECT dunning._stage_ladder(NULL, NULL, NULL); ROLLBACK;")
    plan=$(ms "$db" "SELECT count(*) FROM dunning.plan(dry_run => true);")
    cost=$(awk -v ms="$plan" -v n="$n" 'BEGIN { printf "%.1f", ms * 1000 / n }')
    costs="$costs $cost"
    printf '%9d %12d %12d %12d %14s %14d\n' "$n" "$read" "$ladder" "$plan" "$cost" "$(awk -v ms="$plan" -v n="$n" 'BEGIN { print int(n * 1000 / ms) }')"
    psql_ -d postgres -c "DROP DATABASE $db"
done
echo "$costs" | awk '{ min = max = $1; for (i = 2; i <= NF; i++) { if ($i < min) min = $i; if ($i > max) max = $i }
    printf "cost per debtor: %.1f to %.1f us, %+.0f %% (flat: within 20 %% of the middle)\n", min, max, (max / min - 1) * 100 }'
