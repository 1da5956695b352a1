#!/usr/bin/env bash
# What it costs to know the fees and the late interest of a book: _pending_fees() a debtor, _interest() an invoice, assess_charges() once.
# N="1000 100000": debtors, each with one overdue invoice; PAST=4: paid ones before it, each paid late, and part payments of the open one.
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
sizes=${N:-"1000 100000"}
pasts=${PAST:-"0 4"}
work=$(scratch_dir)
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "dunning.clock = '2026-06-15 12:00+00'" \
    "shared_buffers = '512MB'" "work_mem = '${WORK_MEM:-64MB}'" "max_wal_size = '4GB'" "fsync = off" "max_parallel_workers_per_gather = 0"

# The least of three runs, in milliseconds: ms DATABASE STATEMENT
ms() {
    psql_ -d "$1" -At <<SQL | sort -n | head -n 1
\\o /dev/null
SELECT clock_timestamp() AS a \\gset
$2
SELECT clock_timestamp() AS b \\gset
$2
SELECT clock_timestamp() AS c \\gset
$2
SELECT clock_timestamp() AS d \\gset
\\o
SELECT round(extract(epoch FROM x) * 1000, 1) FROM unnest(ARRAY[:'b'::timestamptz - :'a', :'c'::timestamptz - :'b', :'d'::timestamptz - :'c']) x;
SQL
}
each() { awk -v ms="$1" -v n="$2" 'BEGIN { printf "%.1f", ms * 1000 / n }'; }

printf '%8s %5s %8s %14s %18s %18s %14s\n' debtors past rows 'fees us/debtor' 'announced us/debtor' 'interest us/invoice' 'assess s'
for n in $sizes; do
    for past in $pasts; do
        db=book${n}_$past
        psql_ -d postgres -c "CREATE DATABASE $db"
        psql_ -d "$db" -o /dev/null -v n="$n" -v past="$past" -c 'CREATE EXTENSION dunning' -f "$root/bench/charge/book.sql"
        fees=$(ms "$db" "SELECT count(*), sum(f.amount), max(f.lawful_from) FROM dunning._pending_fees(ARRAY(SELECT d.debtor_id FROM dunning.debtor d)) f;")
        told=-
        if psql_ -d "$db" -Atc "SELECT to_regproc('dunning._told_fees') IS NOT NULL" | grep -q t; then
            told=$(each "$(ms "$db" "SELECT count(*), sum(f.amount) FROM (SELECT array_agg(d.debtor_id) AS ids FROM dunning.debtor d) d,
                dunning._told_fees(d.ids, array_fill('reminder-1'::text, ARRAY[cardinality(d.ids)]), array_fill(NULL::date, ARRAY[cardinality(d.ids)])) f;")" "$n")
        fi
        interest=$(ms "$db" "SELECT count(*), sum(i.amount) FROM dunning._interest(ARRAY(SELECT d.debtor_id FROM dunning.debtor d)) i;")
        invoices=$(psql_ -d "$db" -Atc "SELECT count(*) FROM dunning.invoice")
        assess=-
        # Posting asks the guard row by row: a few milliseconds each.
        if [ "$n" -le "${ASSESS:-1000}" ]; then
            assess=$(psql_ -d "$db" -At <<'SQL'
\o /dev/null
SELECT clock_timestamp() AS a \gset
SELECT count(*) FROM dunning.assess_charges();
SELECT clock_timestamp() AS b \gset
SELECT count(*) FROM dunning.assess_charges();
SELECT clock_timestamp() AS c \gset
\o
SELECT round(extract(epoch FROM :'b'::timestamptz - :'a'), 1) || ', again ' || round(extract(epoch FROM :'c'::timestamptz - :'b'), 1);
SQL
)
        fi
        printf '%8d %5d %8d %14s %18s %18s %14s\n' "$n" "$past" "$invoices" "$(each "$fees" "$n")" "$told" "$(each "$interest" "$invoices")" "$assess"
        psql_ -d postgres -c "DROP DATABASE $db"
    done
done
