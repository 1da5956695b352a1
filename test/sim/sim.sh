#!/usr/bin/env bash
# make sim: made-up debtors whose hours are known, contacted by the extension and by simple policies beside it.
# WORLDS="tau3 flat": which of worlds.tsv (all: every one); SEEDS="1 2 3 4 5", N=2000 debtors; JOBS=2 worlds at a time; NIGHTS=1 of maintain() a week.
# Settings of worlds.tsv may be given for all of them in the environment: TAU, HISTORY, CONTACTS, BIASED, FLAT, CHANGE, FAKES, LATE, OPTOUT, MOVES, CLOSURE, CHANNEL.
# CEILING=200: also what the true prior and a Bayesian's arithmetic could get from so many debtors of the first seed (a minute a world).
# KEEP=folder: what each run printed.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
here=$(dirname "$0")
worlds=${WORLDS:-"tau3"}
[ "$worlds" != all ] || worlds=$(grep -v '^#' "$here/worlds.tsv" | cut -f1 | paste -sd' ')
seeds=${SEEDS:-"1 2 3 4 5"}
jobs=${JOBS:-2}
work=$(scratch_dir)
out=${KEEP:-$work/out}
mkdir -p "$out"
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
cc -std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -I"$("$bindir/pg_config" --includedir)" "$here"/*.c -o "$work/sim" -lpq -lm
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "datestyle = 'ISO, YMD'" "fsync = off" \
    "synchronous_commit = off" "jit = off" "shared_buffers = '256MB'" "work_mem = '32MB'" "max_wal_size = '2GB'" "max_parallel_workers_per_gather = 0" \
    "dunning.timezone = 'Europe/Copenhagen'"
psql_ -d postgres -c 'CREATE DATABASE sim'
psql_ -d sim -o /dev/null -c 'CREATE EXTENSION dunning' -f "$here/sim.sql"

run() { # run WORLD SEED: one world in a database of its own
    local db=$1_$2 settings
    settings=$(awk -F'\t' -v w="$1" '$1 == w { print $2 }' "$here/worlds.tsv")
    [ -n "$settings" ] || { echo "there is no world $1 in worlds.tsv" >&2; return 2; }
    psql_ -d postgres -c "CREATE DATABASE $db TEMPLATE sim"
    # shellcheck disable=SC2086
    env $settings SEED="$2" "$work/sim" "dbname=$db" >"$out/$1.$2" || return 2
    psql_ -d postgres -c "DROP DATABASE $db"
}

ceiling() { # ceiling WORLD SEED
    # shellcheck disable=SC2046
    env $(awk -F'\t' -v w="$1" '$1 == w { print $2 }' "$here/worlds.tsv") SEED="$2" N="$CEILING" "$work/sim" ceiling >"$out/$1.ceiling"
}

pids=()
for world in $worlds; do
    rm -f "$out/$world".*
    [ -z "${CEILING:-}" ] || { ceiling "$world" "${seeds%% *}" & pids+=($!); }
    for seed in $seeds; do
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
        run "$world" "$seed" &
        pids+=($!)
    done
done
for pid in "${pids[@]}"; do wait "$pid" || { echo "a run failed" >&2; exit 2; }; done
perl "$here/table.pl" "$here/worlds.tsv" "$out" $worlds
