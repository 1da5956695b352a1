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
psql_ -d postgres -c 'CREATE EXTENSION dunning' -f "$(dirname "$0")/charges.sql" >/dev/null
started=$(date +%s)
psql_ -d postgres -c "CALL helper.rules($seed)" >/dev/null
pids=()
for j in $(seq 0 $((jobs - 1))); do
    psql_ -d postgres -c "CALL helper.years($((n * j / jobs + 1)), $((n * (j + 1) / jobs)), $seed)" >/dev/null &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
psql_ -d postgres -At -F ': ' -c 'SELECT what, sum(n) FROM helper.tally GROUP BY 1 ORDER BY 1'
violations=$(psql_ -d postgres -At -c 'SELECT count(*) FROM helper.violation')
echo "$n books with seed $seed in $(($(date +%s) - started)) s: $violations differences"
psql_ -d postgres -At -F ' ' -c 'SELECT * FROM helper.violation ORDER BY 1, 2, 3 LIMIT 20'
[ "$violations" -eq 0 ]
