#!/usr/bin/env bash
# make check-payday: debtors whose payday is known (payday.sql), by country, share of payments tied to it and number of payments: how often
# the likeliest schedule is the true one, and how often one that would be shown is. N=1000 debtors a cell, SEEDS, COUNTRIES; USUAL=0.5
# of wages are paid as is usual in the country; LAG=slow: payments
# come later after a payday than the model has it; BOOKED=true: what falls on a weekend is booked on Monday.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
n=${N:-1000}
seeds=${SEEDS:-1 2 3}
countries=${COUNTRIES:-DK SE NO FI DE NL GB US}
work=$(scratch_dir)
trap 'stop_cluster "$work"; rm -rf "$work"' EXIT
start_cluster "$work" "shared_preload_libraries = 'dunning'" "dunning.databases = 'none'" "timezone = 'UTC'" "fsync = off" "jit = off" "max_parallel_workers_per_gather = 0"
psql_ -d postgres -c 'CREATE EXTENSION dunning' -f "$(dirname "$0")/payday.sql" -o /dev/null
{
    for country in $countries; do
        echo "\\o /dev/null"
        echo "SELECT helper.paydays('$country');"
        echo "\\o"
        for seed in $seeds; do for share in 0.3 0.5 0.8; do for payments in 3 6 12 24; do
            echo "SELECT '$country', '$share', '$payments', t.* FROM helper.try('$country', $n, $payments, $share, (hashtext('$country $seed') % 1000) / 1000.0, ${USUAL:-0.5}, '${LAG:-half}', ${BOOKED:-false}) t;"
        done; done; done
    done
} >"$work/tries.sql"
psql_ -d postgres -At -F ' ' -f "$work/tries.sql" >"$work/out"
awk '
    { for (i = 1; i <= 2; i++) { c = (i == 1 ? $1 : "all") " " $2 " " $3; if (!(c in n)) order[++cells] = c; n[c] += $4; sched[c] += $5; right[c] += $6; shown[c] += $7; ok[c] += $8; none[c] += $9 } }
    function row(c,   f) {
        split(c, f, " ")
        printf "%-7s %5s %8s %7.3f %7.3f %7.3f %11.3f", f[1], f[2], f[3], right[c] / sched[c], shown[c] / n[c], shown[c] ? ok[c] / shown[c] : 1, none[c] / (n[c] - sched[c])
        t = f[2] == 0.5 ? (f[3] == 6 ? .45 : f[3] == 12 ? .65 : f[3] == 24 ? .84 : 0) : 0
        said = ""
        if (f[1] == "all" && t) {
            good = right[c] / sched[c] >= t && ok[c] >= .94 * shown[c]
            said = sprintf("  target %.2f and .94: %s", t, good ? "met" : "NOT MET")
            missed += !good
        }
        print said
    }
    END {
        print "country  tied payments   top-1   shown   right  none_shown"
        for (i = 1; i <= cells; i++) if (order[i] !~ /^all/ && order[i] ~ / 0.5 /) row(order[i])
        for (i = 1; i <= cells; i++) if (order[i] ~ /^all/) row(order[i])
        exit missed > 0
    }' "$work/out"
