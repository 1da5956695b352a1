#!/usr/bin/env bash
# Debtors a second and core of plan(dry_run => true) over the demo's generated book, and whether a debtor costs the same in every size.
# N="10000 100000 1000000": sizes. Each book is planned fresh (nothing known but the ledger), and used: scored, with hours and paydays learnt and
# a week after a planning run whose contacts left. Time is the processor's, the least of five runs in one session without parallel workers.
# Beside it the floor: the same rows of the three sources read by plain SQL, and the steps reached alone. plan() compiles nothing; so do these.
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
sizes=${N:-"10000 100000 1000000"}
work=$(scratch_dir)
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" \
    "shared_buffers = '1GB'" "work_mem = '${WORK_MEM:-64MB}'" "max_wal_size = '4GB'" "fsync = off" "max_parallel_workers_per_gather = 0" \
    "dunning.clock = '2026-06-22 09:30+02'" "dunning.allowed_hosts = '127.0.0.1:9, 127.0.0.1:10'"

# The least processor time of five runs, in milliseconds: ms DATABASE STATEMENT
ms() {
    for _ in 1 2 3 4 5; do printf '%s\n' "$2"; done | PGOPTIONS='-c log_statement_stats=on -c client_min_messages=log -c jit=off' psql_ -d "$1" -At -o /dev/null 2>&1 |
        sed -n 's/.*!\t\([0-9.]*\) s user, \([0-9.]*\) s system.*/\1 \2/p' | awk '{ print int(($1 + $2) * 1000 + .5) }' | sort -n | sed -n 1p
}

printf '%9s %6s %9s %10s %9s %9s %13s %15s\n' debtors book contacts 'read ms' 'steps ms' 'plan ms' 'us a debtor' debtors/s/core
: >"$work/costs"
line() { # DATABASE DEBTORS WHICH
    local contacts read steps plan
    contacts=$(psql_ -d "$1" -Atc "SELECT count(*) FROM dunning.plan(dry_run => true) WHERE state = 'queued'")
    read=$(ms "$1" "SELECT (SELECT count(debtor_id) + count(creditor) FROM billing.v_debtor), (SELECT count(invoice_id) + sum(amount) + count(debtor_id) + count(due_on) + count(currency) FROM billing.v_invoice), (SELECT count(invoice_id) + sum(amount) + count(debtor_id) + count(currency) FROM billing.v_payment);")
    steps=$(ms "$1" "SELECT count(*) FROM dunning._ladder(dunning._ladder_texts(true), NULL, NULL, NULL, dunning._today(NULL), false, dunning._now(), dunning._ledger_zone());")
    plan=$(ms "$1" "SELECT count(*) FROM dunning.plan(dry_run => true);")
    echo "$3 $(awk -v ms="$plan" -v n="$2" 'BEGIN { printf "%.1f", ms * 1000 / n }')" >>"$work/costs"
    printf '%9d %6s %9d %10d %9d %9d %13s %15d\n' "$2" "$3" "$contacts" "$read" "$steps" "$plan" "$(tail -n 1 "$work/costs" | cut -d' ' -f2)" "$(awk -v ms="$plan" -v n="$2" 'BEGIN { print int(n * 1000 / ms) }')"
}

for n in $sizes; do
    db=book$n
    psql_ -d postgres -c "CREATE DATABASE $db"
    psql_ -d "$db" -o /dev/null -c 'CREATE EXTENSION dunning' -v debtors="$n" -v seed=1 -v t0=2026-06-22 -v habits="$root/examples/demo/habits/households.sql" -f "$root/examples/demo/generate.sql" \
        -f "$root/examples/demo/bind.sql" -v http=http://127.0.0.1:9/sms -v smtp=smtp://127.0.0.1:10 -f "$root/examples/demo/servers.sql" -f "$root/examples/demo/configure.sql" \
        -c 'CALL demo.advance()' -c 'VACUUM ANALYZE'
    line "$db" "$n" fresh
    psql_ -d "$db" -o /dev/null -f "$(dirname "$0")/use.sql"
    line "$db" "$n" used
    psql_ -d postgres -c "DROP DATABASE $db"
done
for book in fresh used; do
    grep "^$book " "$work/costs" | awk '{ if (NR == 1 || $2 < min) min = $2; if ($2 > max) max = $2 }
        END { printf "%s: cost per debtor %.1f to %.1f us, %.0f %% around the middle\n", $1, min, max, (max / min - 1) / (max / min + 1) * 100 }'
done
