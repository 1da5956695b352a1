#!/usr/bin/env bash
# Best times a second and core over a book with hours and paydays learnt: N="10000 100000" debtors, each with twelve contacts behind
# him, two of them where caps look, and six payments. Time is the processor's, the least of five runs in one session without
# parallel workers. Beside it what one best_time() and one entering of a contact into a profile take.
# PREPARE: SQL for the book before, such as SELECT dunning.save_date_effect(e.effect) FROM dunning.date_effect e.
# NIGHT=100000 (none: left out): what the night takes of a book of so many debtors with twenty contacts each, in seconds and in MB of the session's own memory.
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
sizes=${N-"10000 100000"}
work=$(scratch_dir)
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "datestyle = 'ISO, YMD'" \
    "shared_buffers = '1GB'" "work_mem = '${WORK_MEM:-64MB}'" "max_wal_size = '4GB'" "fsync = off" "max_parallel_workers_per_gather = 0" \
    "dunning.timezone = 'Europe/Copenhagen'" "dunning.clock = '2026-06-10 10:00+00'"

# The least processor time of five runs, in milliseconds: ms DATABASE STATEMENT
ms() { # where there are several statements the slow one counts: the fifth from the end
    for _ in 1 2 3 4 5; do printf '%s\n' "$2"; done | PGOPTIONS='-c log_statement_stats=on -c client_min_messages=log -c jit=off' psql_ -d "$1" -At -o /dev/null 2>&1 |
        sed -n 's/.*!\t\([0-9.]*\) s user, \([0-9.]*\) s system.*/\1 \2/p' | awk '{ printf "%.3f\n", ($1 + $2) * 1000 }' | sort -n | awk '{ a[NR] = $1 } END { print a[NR - 4 < 1 ? 1 : NR - 4] }'
}

printf '%9s %14s %15s %16s %18s\n' debtors 'best_times ms' debtors/s/core 'best_time() ms' 'entering one us'
for n in $sizes; do
    db=book$n
    psql_ -d postgres -c "CREATE DATABASE $db"
    psql_ -d "$db" -o /dev/null -c 'CREATE EXTENSION dunning' -v n="$n" -f "$(dirname "$0")/book.sql" -f "$(dirname "$0")/profiles.sql"
    [ -z "${PREPARE:-}" ] || psql_ -d "$db" -o /dev/null -c "$PREPARE"
    book=$(ms "$db" "SELECT count(contact_at) FROM dunning.best_times('email');")
    one=$(ms "$db" "DO \$\$ BEGIN FOR i IN 1 .. 100 LOOP PERFORM * FROM dunning.best_time('B-' || i, 'email'); END LOOP; END \$\$;")
    # the whole UPDATE, rolled back each time so that there is something to enter the next
    entered=$(ms "$db" "BEGIN; UPDATE dunning.timing_profile p SET profile = dunning._enter_contacts(p.profile, 'Europe/Copenhagen', ARRAY['2026-05-30 09:15+00'::timestamptz + (p.as_of - p.as_of)],
        '{email}', '{2026-05-30 15:10+00}', NULL, NULL, '2026-06-10') WHERE (dunning._profile_counts(p.profile)).entered_until < '2026-05-30'; ROLLBACK;")
    printf '%9d %14.0f %15d %16.2f %18.1f\n' "$n" "$book" "$(awk -v ms="$book" -v n="$n" 'BEGIN { print int(n * 1000 / ms) }')" \
        "$(awk -v ms="$one" 'BEGIN { print ms / 100 }')" "$(awk -v ms="$entered" -v n="$n" 'BEGIN { print ms * 1000 / n }')"
    psql_ -d postgres -c "DROP DATABASE $db"
done

# Seconds, and the most memory that was not shared: night DATABASE WHAT STATEMENT
night() {
    psql_ -d "$1" -At -F ' ' -c "CREATE TEMP TABLE begun AS SELECT clock_timestamp() AS at" -c "\\o /dev/null" -c "$3" -c "\\o" \
        -c "SELECT round(extract(epoch FROM clock_timestamp() - b.at)::numeric, 1), (m.m[1]::int - m.m[2]::int) / 1024
            FROM begun b, regexp_match(pg_read_file('/proc/self/status'), 'VmHWM:\s+(\d+).*RssShmem:\s+(\d+)') m(m)" |
        awk -v what="$2" '{ printf "%-40s %8s %6s\n", what, $1, $2 }'
}
for n in ${NIGHT:-}; do
    db=night$n
    psql_ -d postgres -c "CREATE DATABASE $db"
    psql_ -d "$db" -o /dev/null -c 'CREATE EXTENSION dunning' -v n="$n" -f "$(dirname "$0")/book.sql" -f "$(dirname "$0")/night.sql"
    printf '%-40s %8s %6s\n' "the night of $n debtors" seconds MB
    # a fourteenth of a fortnight's contacts are over since
    night "$db" 'contacts of one day entered' "SELECT count(*) FROM dunning._refresh_profiles(NULL, '2026-06-11 10:00+00')"
    night "$db" 'calibration' "SELECT count(*) FROM dunning._refresh_timing_calibration('2026-06-11 10:00+00')"
    night "$db" 'date effects' "SELECT count(*) FROM dunning._refresh_timing_effects('2026-06-11 10:00+00')"
    night "$db" 'timing_report()' "SELECT count(*) FROM dunning.timing_report()"
    night "$db" 'all profiles made anew' "SELECT count(*) FROM dunning._rebuild_profiles(NULL, '2026-06-11 10:00+00')"
done
