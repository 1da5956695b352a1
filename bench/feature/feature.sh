#!/usr/bin/env bash
# dunning.features() against the same features in plain SQL (plain.sql), in one run over one book of N debtors and ten times as many invoices:
# both make a table, by turns, RUNS times each; the medians and their ratio. The tables are compared column by column first.
# WORKERS="0 2": parallel workers a query may have; WORK_MEM for both. JIT is off for both unless JIT=on.
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
n=${N:-100000}
runs=${RUNS:-3}
here=$root/bench/feature
work=$(scratch_dir)
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "shared_buffers = '1GB'" "work_mem = '${WORK_MEM:-256MB}'" \
    "max_wal_size = '4GB'" "fsync = off" "jit = ${JIT:-off}"
psql_ -d postgres -c 'CREATE DATABASE book'
export PGDATABASE=book
psql_ -o /dev/null -v n="$n" -c 'CREATE EXTENSION dunning' -f "$here/book.sql"
psql_ -Atc "SELECT format('%s debtors, %s invoices, %s payments, %s contacts, %s events, %s promises', (SELECT count(*) FROM dunning.debtor), (SELECT count(*) FROM dunning.invoice),
    (SELECT count(*) FROM dunning.payment), (SELECT count(*) FROM dunning.egress), (SELECT count(*) FROM dunning.event), (SELECT count(*) FROM dunning.promise))"

seconds() { # WHICH WORKERS
    psql_ -o /dev/null -c "SET client_min_messages = warning" -c "DROP TABLE IF EXISTS $1"
    PGOPTIONS="-c max_parallel_workers_per_gather=$2" psql_ -v at='2026-06-22 00:00+00' -c '\timing on' -f "$here/$1.sql" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
seconds ours 0 >/dev/null
seconds plain 0 >/dev/null
psql_ -At -f "$here/compare.sql"
printf '%8s %12s %12s %8s\n' workers 'plain SQL ms' 'features ms' ratio
for workers in ${WORKERS:-0 2}; do
    : >"$work/plain.ms"
    : >"$work/ours.ms"
    for _ in $(seq "$runs"); do
        seconds plain "$workers" >>"$work/plain.ms"
        seconds ours "$workers" >>"$work/ours.ms"
    done
    plain=$(median <"$work/plain.ms")
    ours=$(median <"$work/ours.ms")
    printf '%8d %12.0f %12.0f %8.2f\n' "$workers" "$plain" "$ours" "$(awk -v a="$plain" -v b="$ours" 'BEGIN { print a / b }')"
done
