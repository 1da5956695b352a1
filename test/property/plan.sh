#!/usr/bin/env bash
# make check-plan N=100000 SEED=1 JOBS=4: random books under random strategies and clocks, each planned, delivered and judged by an account of its own.
# A debtor is a book. BOOK=2000 of them share a database and its strategies, for INSTANTS=9 runs; KEEP=1 keeps databases and server of a run that failed.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
n=${N:-100000}
seed=${SEED:-1}
jobs=${JOBS:-$(nproc)}
per=${BOOK:-2000}
[ "$per" -le "$n" ] || per=$n
count=$(((n + per - 1) / per))
[ "$jobs" -le "$count" ] || jobs=$count
work=$(scratch_dir)
finish() {
    if [ -n "${KEEP:-}" ]; then echo "kept: PGHOST=$PGHOST PGPORT=$PGPORT PGUSER=$PGUSER, data in $work"; return; fi
    stop_cluster "$work"
    rm -rf "$work"
}
trap finish EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "fsync = off" "synchronous_commit = off" "jit = off" \
    "autovacuum = off" "shared_buffers = '256MB'" "max_parallel_workers_per_gather = 0"
psql_ -d postgres -c 'CREATE DATABASE book'
psql_ -d book -c 'CREATE EXTENSION dunning' -f "$root/test/property/plan/setup.sql" >/dev/null
export PATH=$bindir:$PATH

# BREAKS=pattern: each line of breaks.tsv that fits is broken in the planner, one at a time, and its property must be seen to fail.
break_one() {
    local k=$1 property=$2 function=$3 line=$4 other=$5 also=$6 seen
    psql_ -d postgres -c "CREATE DATABASE broken${k}_ TEMPLATE book"
    if ! psql_ -d "broken${k}_" -o /dev/null -v f="$function" -v l="$line" -v o="$other" <<<"SELECT sim.break(:'f', :'l', :'o'); $also"; then
        echo "not ok $property: there is no such line any more in $function: $line"
        return
    fi
    TEMPLATE=broken${k}_ perl "$root/test/property/plan.pl" 1 0 1 "$seed" "${BOOK:-400}" 6 >"$work/told.$k" || true
    seen=$(awk -F '\t' -v p="$property" '$1 == "wrong" && $5 == p' "$work/told.$k" | wc -l)
    echo "$([ "$seen" -gt 0 ] && echo ok || echo not ok) $property: $seen times by $function: $line -> $other"
}
if [ -n "${BREAKS:-}" ]; then
    sed 1d "$root/test/property/plan/breaks.tsv" | grep -E -- "$BREAKS" | nl -w1 -s $'\t' | tr '\t' '\037' >"$work/breaks"
    for j in $(seq 0 $((${JOBS:-$(nproc)} - 1))); do
        awk -v j="$j" -v jobs="${JOBS:-$(nproc)}" 'NR % jobs == j' "$work/breaks" | while IFS=$'\037' read -r k property function line other also; do
            break_one "$k" "$property" "$function" "$line" "$other" "$also"
        done &
    done >"$work/seen"
    wait
    sort "$work/seen"
    [ "$(grep -c '^ok ' "$work/seen")" -eq "$(wc -l <"$work/breaks")" ]
    exit
fi
started=$(date +%s)
pids=()
for j in $(seq 0 $((jobs - 1))); do
    perl "$root/test/property/plan.pl" "$count" "$j" "$jobs" "$seed" "$per" "${INSTANTS:-9}" >"$work/told.$j" &
    pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
awk -F '\t' '$1 == "tally" { n[$2] += $3 } END { for (what in n) print what ": " n[what] }' "$work"/told.* | sort
echo
# each figure of the promise by its name, none left out
awk -F '\t' 'BEGIN { split("same step twice,step,skipped step,strategy,rules,two live offers,amounts,re-run,dry run,alone,calls", p, ","); for (i in p) n[p[i]] = 0 }
    $1 == "wrong" { n[$5]++ } END { for (what in n) print "wrong, " what ": " n[what] }' "$work"/told.* | sort
wrong=$(cat "$work"/told.* | grep -c '^wrong' || true)
echo "$((count * per)) books with seed $seed in $(($(date +%s) - started)) s: $wrong wrong"
# seed, database, run, property, debtor: SEED=.. perl test/property/plan.pl DATABASE+1 DATABASE 1 SEED BOOK INSTANTS plays one again
cat "$work"/told.* | grep '^wrong' | cut -c1-600 | head -n 40 || true
[ "$failed" -eq 0 ] && [ "$wrong" -eq 0 ]
