#!/usr/bin/env bash
# Set enqueue against a plain INSERT ... SELECT of the same rows into the same tables (message, queue, once with all their
# indexes), fsync on. Runs alternate, each on empty tables; what is printed is the median of the ratios of neighbouring runs.
# ROWS=50000 RUNS=7
set -euo pipefail
. "$(dirname "$0")/../test/lib/common.sh"
rows=${ROWS:-50000}
runs=${RUNS:-7}
"$root/test/lib/stage.sh"
dir=$(scratch_dir)
trap 'stop_cluster "$dir"; rm -rf "$dir"' EXIT
start_cluster "$dir" "shared_preload_libraries = 'dunning'" "fsync = on" "max_wal_size = 4GB" "shared_buffers = 256MB" "autovacuum = off"

psql_ -d postgres -v rows="$rows" <<'SQL'
CREATE EXTENSION dunning;
SELECT dunning._ensure_partitions() \g /dev/null
-- A planned message weighs about 2 kB: a context with an invoice or two and the decision.
CREATE TABLE source AS
SELECT dunning._uuid7() AS message_id, 'debtor-' || i AS debtor_id, 'north' AS creditor, '018f0000-0000-7000-8000-000000000000'::uuid AS run_id, 'standard' AS strategy,
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
ANALYZE source;
GRANT SELECT ON source TO dunning_owner;
SQL

timed() { # timed SQL: milliseconds of one transaction, on empty tables, after a checkpoint
    psql_ -d postgres -At <<SQL | tail -n 1
TRUNCATE dunning.message, dunning.queue, dunning.once;
CHECKPOINT;
SELECT clock_timestamp() AS t0 \gset
BEGIN;
$1
COMMIT;
SELECT round(extract(epoch FROM clock_timestamp() - :'t0') * 1000);
SQL
}
plain="INSERT INTO dunning.once SELECT debtor_id, once_kind, once_key, message_id, now() FROM source;
INSERT INTO dunning.message SELECT message_id, debtor_id, creditor, run_id, strategy, step, template, channel, language, server, contact_at, not_after, local_time, amounts,
    cost, cost_currency, variant, p, expected_value, propensity, explored, ledger_mark, context, decision, now(), session_user FROM source;
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel, run_id)
    SELECT debtor_id, message_id, creditor, dunning._slice(debtor_id), state, contact_at, server, channel, run_id FROM source;"
enqueue="SELECT count(*) FROM dunning._enqueue('SELECT * FROM public.source');"

timed "$plain" >/dev/null
for _ in $(seq "$runs"); do
    a=$(timed "$plain")
    b=$(timed "$enqueue")
    echo "$a $b $(perl -e 'printf "%.3f", $ARGV[0] / $ARGV[1]' "$a" "$b")"
done | tee "$dir/runs" | awk '{ printf "plain %d ms, enqueue %d ms, ratio %s\n", $1, $2, $3 }'
[ "$(psql_ -d postgres -At -c 'SELECT count(*) FROM dunning.queue')" = "$rows" ] || { echo "rows are missing" >&2; exit 1; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ms=$(cut -d' ' -f2 "$dir/runs" | median)
echo "set enqueue of $rows messages: ratio to plain INSERT ... SELECT $(cut -d' ' -f3 "$dir/runs" | median) (median of $runs), $(perl -e 'printf "%d", $ARGV[0] * 1000 / $ARGV[1]' "$rows" "$ms") messages/s"
