#!/usr/bin/env bash
# make check-mask N=10000000 SEED=1 JOBS=2: random rules, wishes and holidays over 50 zones and four years, every change of the clocks in it: each answer of
# the gate, of the recheck, of the best times, windows and plans against a reference that is written another way (test/property/mask/setup.sql).
# BREAKS=1: each line of breaks.tsv, by which the extension or the reference is made wrong, must be seen to make it fail.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
if [ -n "${BREAKS:-}" ]; then
    status=0
    while IFS=$'\t' read -r name sql; do
        told=$(BREAKS= BREAK=$sql N=${N:-60000} BATCH=20000 JOBS=1 "$0" 2>&1 </dev/null || true)
        if grep -qE ", [1-9][0-9]* wrong" <<<"$told"; then echo "ok $name: $(grep -oE "[0-9]+ wrong" <<<"$told")"; else echo "not ok $name: $(tail -n 1 <<<"$told")"; status=1; fi
    done <"$(dirname "$0")/mask/breaks.tsv"
    exit $status
fi
n=${N:-10000000}
seed=${SEED:-1}
jobs=${JOBS:-2}
batch=${BATCH:-100000}
rounds=$(((n + jobs * batch - 1) / (jobs * batch)))
work=$(scratch_dir)
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "dunning.timezone = 'Europe/Copenhagen'" "fsync = off" "synchronous_commit = off" \
    "jit = off" "shared_buffers = '128MB'" "work_mem = '64MB'" "max_parallel_workers_per_gather = 0" "client_min_messages = warning"
psql_ -d postgres -c 'CREATE DATABASE mask'
(cd "$root" && psql_ -d mask -c 'CREATE EXTENSION dunning' -f test/property/mask/setup.sql -c "
    CREATE SERVER mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock'); CREATE USER MAPPING FOR dunning_worker SERVER mail;
    CREATE SERVER text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock'); CREATE USER MAPPING FOR dunning_worker SERVER text;" -c "${BREAK:-SELECT}" >/dev/null)

campaign() { # campaign JOB
    local db=mask_$1
    {
        for r in $(seq 1 "$rounds"); do
            # a new world every five rounds
            [ $(((r - 1) % 5)) -ne 0 ] || echo "SELECT ref.make_world(((hashtext('$seed $1 $r') & 1048575) / 1048576.0)::float8);"
            echo "SELECT ref.check_gate($((batch - batch / 10)), false); SELECT ref.check_gate($((batch / 10)), true); SELECT ref.check_choices();"
        done
    } | psql_ -d "$db" >/dev/null
    psql_ -d "$db" -At -F ' ' -c "SELECT 'tally', what, n, open, outside, missed FROM ref.tally" \
        -c "SELECT 'wrong', what, debtor_id, channel, at, said, 'closed: ' || closed FROM ref.wrong ORDER BY 2 LIMIT 10"
}
pids=()
for j in $(seq 1 "$jobs"); do
    psql_ -d postgres -c "CREATE DATABASE mask_$j TEMPLATE mask"
    campaign "$j" >"$work/told.$j" &
    pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
awk '$1 == "tally" { n[$2] += $3; o[$2] += $4; x[$2] += $5; m[$2] += $6; all += $3; bad += $5 + $6 }
     $1 == "wrong" && shown++ < 10 { print }
     END { for (w in n) printf "%-10s %9d decisions, %9d open, %d outside the rules, %d refused within them\n", w, n[w], o[w], x[w], m[w];
           printf "%d decisions, %d wrong\n", all, bad; exit !(all > 0 && bad == 0) }' "$work"/told.* | sort || failed=1
exit "$failed"
