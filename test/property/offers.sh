#!/usr/bin/env bash
# make check-offers N=100000 SEED=1 JOBS=4: random lives of offers against a plain account of them (offers.sql).
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
n=${N:-100000}
seed=${SEED:-1}
jobs=${JOBS:-$(nproc)}
work=$(scratch_dir)
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "fsync = off" "synchronous_commit = off" "jit = off" \
    "autovacuum_naptime = '10s'" "shared_buffers = '256MB'"
psql_ -d postgres -c 'CREATE EXTENSION dunning' -f "$(dirname "$0")/offers.sql" >/dev/null
started=$(date +%s)
pids=()
for j in $(seq 0 $((jobs - 1))); do
    psql_ -d postgres -c "CALL helper.episodes($((n * j / jobs + 1)), $((n * (j + 1) / jobs)), $seed)" >/dev/null &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
psql_ -d postgres -At -F ': ' -c 'SELECT what, sum(n) FROM helper.tally GROUP BY 1 ORDER BY 1'
violations=$(psql_ -d postgres -At -c 'SELECT count(*) FROM helper.violation')
echo "$n episodes with seed $seed in $(($(date +%s) - started)) s: $violations violations"
psql_ -d postgres -At -F ' ' -c 'SELECT * FROM helper.violation ORDER BY 1, 2 LIMIT 20'
[ "$violations" -eq 0 ]
