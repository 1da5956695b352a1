#!/usr/bin/env bash
# make bench-queue: what it costs to enqueue, against plain INSERTs of the same rows into the same tables (message, queue, once
# with all their indexes), fsync on. Runs alternate; what is printed is the median of the ratios of neighbouring runs.
#   PARTS="set single": one statement of ROWS=50000 on empty tables, or one transaction a message for EACH=3 seconds; RUNS=7
set -euo pipefail
. "$(dirname "$0")/../test/lib/common.sh"
rows=${ROWS:-50000}
runs=${RUNS:-7}
parts=${PARTS:-set single}
each=${EACH:-3}
missed=0
"$root/test/lib/stage.sh"
dir=$(scratch_dir)
trap 'stop_cluster "$dir"; rm -rf "$dir"' EXIT
start_cluster "$dir" "shared_preload_libraries = 'dunning'" "fsync = ${FSYNC:-on}" "max_wal_size = 4GB" "shared_buffers = 256MB" "autovacuum = off"

psql_ -d postgres -v rows="$rows" <<'SQL'
CREATE EXTENSION dunning;
SELECT dunning._ensure_partitions() \g /dev/null
-- A planned message weighs about 2 kB: a context with an invoice or two and the decision.
CREATE TABLE source AS
SELECT i, dunning._uuid7() AS message_id, 'debtor-' || i AS debtor_id, 'north' AS creditor, '018f0000-0000-7000-8000-000000000000'::uuid AS run_id, 'standard' AS strategy,
    'reminder-1' AS step, 'reminder-1' AS template, 'email' AS channel, 'da' AS language, 'mail' AS server, now() + i * interval '1 second' AS contact_at,
    now() + interval '14 days' AS not_after, '2026-10-13 09:15 Europe/Copenhagen' AS local_time, '{"DKK": 1240.50}'::jsonb AS amounts, 0::numeric AS cost,
    'EUR' AS cost_currency, 'neutral' AS variant, 0.41::float8 AS p, 25.43::numeric AS expected_value, 0.95::float8 AS propensity, false AS explored,
    'DKK:1240.50:3:2210.00' AS ledger_mark,
    jsonb_build_object('debtor_id', 'debtor-' || i, 'name', 'Kirsten Hansen', 'given_name', 'Kirsten', 'company', false, 'creditor', 'north',
        'creditor_name', 'Nordlys Energi', 'sender_name', 'Mette, Nordlys Energi', 'amount', 1240.50, 'currency', 'DKK', 'due_on', '2026-10-01', 'days_overdue', 12,
        'balances', jsonb_build_array(jsonb_build_object('currency', 'DKK', 'amount', 1240.50, 'invoices', jsonb_build_array(
            jsonb_build_object('reference', 'F-' || i || '-7', 'amount', 620.25, 'due_on', '2026-10-01', 'days_overdue', 12, 'pay_url', 'https://pay.example/' || i))))) AS context,
    jsonb_build_object('strategy', 'standard', 'step', 'reminder-1', 'anchor', '2026-10-01', 'days_overdue', 12, 'channels', ARRAY['email', 'sms'],
        'skipped', jsonb_build_array(jsonb_build_object('channel', 'sms', 'why', 'no_consent')), 'scores', jsonb_build_object('p_late', 0.62, 'p_self_cure', 0.33),
        'timing', jsonb_build_array('answers in the morning', 'payday on the 31st'), 'margin', 0.05) AS decision,
    'queued' AS state, NULL::text AS reason, NULL::text[] AS blocked_by, 'step' AS once_kind, 'standard/reminder-1/2026-10-01' AS once_key
FROM generate_series(1, :rows) i;
ALTER TABLE source ADD PRIMARY KEY (i);
ANALYZE source;
GRANT SELECT ON source TO dunning_owner;
SQL

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
verdict() { # verdict WHAT VALUE TARGET
    local word=missed
    if awk -v v="$2" -v t="$3" 'BEGIN { exit !(v >= t) }'; then word=met; else missed=$((missed + 1)); fi
    printf '%-44s %9s   target >= %s   %s\n' "$1" "$2" "$3" "$word"
}
check_rows() { # check_rows N: as many in each table
    [ "$(psql_ -d postgres -At -c 'SELECT (SELECT count(*) FROM dunning.queue), (SELECT count(*) FROM dunning.message), (SELECT count(*) FROM dunning.once)')" = "$1|$1|$1" ] ||
        { echo "rows are missing" >&2; exit 1; }
}
compare() { # compare COMMAND: what it prints for plain and ours, in turn; sets ratio and ours
    local a b
    "$1" plain >/dev/null
    "$1" ours >/dev/null
    : >"$dir/runs"
    for run in $(seq "$runs"); do
        if [ $((run % 2)) = 1 ]; then a=$("$1" plain); b=$("$1" ours); else b=$("$1" ours); a=$("$1" plain); fi
        echo "$b $(perl -e 'printf "%.3f", $ARGV[0] / $ARGV[1]' "$b" "$a")" >>"$dir/runs"
        echo "  $1: plain $a/s, enqueue $b/s"
    done
    ours=$(cut -d' ' -f1 "$dir/runs" | median)
    ratio=$(cut -d' ' -f2 "$dir/runs" | median)
}

# --- one statement ---

plain_set="INSERT INTO dunning.once SELECT debtor_id, once_kind, once_key, message_id, now() FROM source;
INSERT INTO dunning.message SELECT message_id, debtor_id, creditor, run_id, strategy, step, template, channel, language, server, contact_at, not_after, local_time, amounts,
    cost, cost_currency, variant, p, expected_value, propensity, explored, ledger_mark, context, decision, now(), session_user FROM source;
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel, run_id)
    SELECT debtor_id, message_id, creditor, dunning._slice(debtor_id), state, contact_at, server, channel, run_id FROM source;"
ours_set="SELECT count(*) FROM dunning._enqueue('SELECT * FROM public.source');"

set_of() { # set_of plain|ours: messages a second of one transaction, on empty tables, after a checkpoint
    local sql=${1}_set
    psql_ -d postgres -At <<SQL | tail -n 1
TRUNCATE dunning.message, dunning.queue, dunning.once;
CHECKPOINT;
SELECT clock_timestamp() AS t0 \gset
BEGIN;
${!sql}
COMMIT;
SELECT round($rows / extract(epoch FROM clock_timestamp() - :'t0'));
SQL
    check_rows "$rows"
}

part_set() {
    compare set_of
    echo "  set enqueue of $rows messages: $ours messages/s (median of $runs)"
    verdict "set enqueue" "$ratio" 0.9
}

# --- one transaction a message ---

# Client and server take turns: on one processor what is measured is their work, and not how long an idle one takes to wake.
core=$(taskset -cp $$ | sed 's/.*[:, -]//')

# The plain one as well as it can be: one prepared statement, so one round trip and one commit.
plain_one="WITH s AS MATERIALIZED (SELECT * FROM public.source WHERE i = :i),
 o AS (INSERT INTO dunning.once SELECT debtor_id, once_kind, once_key, message_id, now() FROM s),
 m AS (INSERT INTO dunning.message SELECT message_id, debtor_id, creditor, run_id, strategy, step, template, channel, language, server, contact_at, not_after, local_time, amounts,
    cost, cost_currency, variant, p, expected_value, propensity, explored, ledger_mark, context, decision, now(), session_user FROM s)
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel, run_id)
    SELECT debtor_id, message_id, creditor, dunning._slice(debtor_id), state, contact_at, server, channel, run_id FROM s;"
ours_one="SELECT e.message_id FROM dunning._enqueue('SELECT * FROM public.source WHERE i = (\$1->>0)::int', pg_catalog.jsonb_build_array(:i::int)) e;"

single_of() { # single_of plain|ours: transactions a second of one session
    local sql=${1}_one
    printf '%s\n' '\set i :i + 1' "${!sql}" >"$dir/$1.sql"
    psql_ -d postgres -c 'TRUNCATE dunning.message, dunning.queue, dunning.once' -c CHECKPOINT
    taskset -c "$core" "$bindir/pgbench" -d postgres -n -M prepared -c 1 -D i=0 -T "$each" -f "$dir/$1.sql" >"$dir/pgbench.out" 2>&1 || { cat "$dir/pgbench.out" >&2; return 1; }
    check_rows "$(awk '/^number of transactions actually/ { print $6 }' "$dir/pgbench.out")"
    awk '/^tps/ { printf "%d", $3 }' "$dir/pgbench.out"
}

part_single() {
    taskset -cp "$core" "$(head -n 1 "$dir/data/postmaster.pid")" >/dev/null
    compare single_of
    echo "  single-row enqueue: $ours messages/s (median of $runs)"
    verdict "single-row enqueue" "$ratio" 0.8
}

for part in $parts; do
    declare -F "part_$part" >/dev/null || { echo "no part \"$part\": set single" >&2; exit 2; }
    "part_$part"
done
echo "$missed of the targets missed"
