#!/usr/bin/env bash
# make check-charges N=10000 SEED=1 JOBS=4: years of random payments, rates, holds and costs against a clerk who counts day by day in
# plain numeric (charges.sql): interest, what was open on each day, postings of each month, and every fee against its rule. No network.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
n=${N:-10000}
seed=${SEED:-1}
jobs=${JOBS:-$(nproc)}
work=$(scratch_dir)
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "dunning.timezone = 'UTC'" "dunning.clock = '2026-06-18 12:00+00'" \
    "fsync = off" "synchronous_commit = off" "jit = off" "shared_buffers = '256MB'" "max_parallel_workers_per_gather = 0"
psql_ -d postgres -c 'CREATE DATABASE years'
psql_ -d years -c 'CREATE EXTENSION dunning' -f "$(dirname "$0")/charges.sql" -c "CALL helper.rules($seed)" >/dev/null
started=$(date +%s)
pids=()
# A database each: charges of a book are posted by one run at a time (assess_charges()).
for j in $(seq 0 $((jobs - 1))); do
    psql_ -d postgres -c "CREATE DATABASE years$j TEMPLATE years"
done
for j in $(seq 0 $((jobs - 1))); do
    psql_ -d "years$j" -c "CALL helper.years($((n * j / jobs + 1)), $((n * (j + 1) / jobs)), $seed)" >/dev/null &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
# Of all of them: every PSQL-OPTION...
every() {
    for j in $(seq 0 $((jobs - 1))); do psql_ -d "years$j" -At "$@"; done
}
every -F ': ' -c 'SELECT what, sum(n) FROM helper.tally GROUP BY 1' | awk -F ': ' '{ n[$1] += $2 } END { for (what in n) print what ": " n[what] }' | sort
violations=$(every -c 'SELECT count(*) FROM helper.violation' | awk '{ n += $1 } END { print n }')
echo "$n books with seed $seed in $(($(date +%s) - started)) s: $violations differences"
every -F ' ' -c 'SELECT * FROM helper.violation ORDER BY 1, 2, 3 LIMIT 20' | head -20
[ "$violations" -eq 0 ]
