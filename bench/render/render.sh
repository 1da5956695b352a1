#!/usr/bin/env bash
# Messages a second that one core renders: subject, text and HTML of the shipped reminder, through dun_message_render_parts(),
# the call that delivery uses, over 1,000 different contexts; and what copying the same bytes from ready pieces costs, in the
# same process. Processor time counts, so that whatever else runs on the machine does not. N=200000 RUNS=5 TEMPLATE=reminder-1
set -euo pipefail
. "$(dirname "$0")/../../test/lib/common.sh"
n=${N:-200000}
runs=${RUNS:-5}
template=${TEMPLATE:-reminder-1}
"$root/test/lib/stage.sh"
dir=$(scratch_dir)
trap 'stop_cluster "$dir"; rm -rf "$dir"' EXIT
${CC:-gcc} -O2 -shared -fPIC -I"$root/src" -I"$("$stage/usr/lib/postgresql/$major/bin/pg_config" --includedir-server 2>/dev/null || pg_config --includedir-server)" \
    -o "$dir/bench_render.so" "$root/bench/render/bench_render.c"
chmod 755 "$dir/bench_render.so"
start_cluster "$dir" "shared_preload_libraries = 'dunning'" "fsync = off"
psql_ -d postgres -At -v so="$dir/bench_render.so" -v n="$n" -v runs="$runs" -v template="$template" <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION dunning;
CREATE FUNCTION bench_render(text, text, text, jsonb, text, jsonb[], int) RETURNS float8 LANGUAGE c AS :'so';
CREATE FUNCTION bench_copy(text, text, text, jsonb, text, jsonb[], int) RETURNS float8 LANGUAGE c AS :'so';
-- A debtor with two invoices of one currency, as most are.
CREATE TEMP TABLE work AS
SELECT t.subject, t.body_text, t.body_html, dunning._partials(t.subject, t.body_text, t.body_html, 'email', t.language, '*') AS partials, t.language, c.contexts
FROM dunning._template(:'template', 'email', 'da', '*') t,
     (SELECT array_agg(jsonb_set(dunning._sample_context() || jsonb_build_object('debtor_id', i::text, 'name', 'Kirsten Hansen ' || i, 'amount', 1240.50 + i, 'days_overdue', i % 60,
                'offer', NULL, 'hearing', NULL, 'other_currencies', '[]'::jsonb), '{balances}', jsonb_build_array(dunning._sample_context() #> '{balances,0}'))) AS contexts
      FROM generate_series(1, 1000) i) c;
SELECT format('%s bytes of template, %s bytes of message', octet_length(concat(w.subject, w.body_text, w.body_html)), octet_length(concat(r.subject, r.body_text, r.body_html)))
FROM work w, LATERAL dunning._render(w.subject, w.body_text, w.body_html, w.contexts[1], w.language, w.partials) r;
CREATE TEMP TABLE run AS
SELECT i, bench_render(subject, body_text, body_html, partials, language, contexts, :n) AS rendered,
       bench_copy(subject, body_text, body_html, partials, language, contexts, :n) AS copied
FROM work, generate_series(1, :runs) i;
SELECT format('run %s: rendered %s messages/s, copied %s messages/s', i, round(:n / rendered), round(:n / copied)) FROM run ORDER BY i;
SELECT format('render: %s messages/s per core (median of %s runs), copying the same bytes %s messages/s, ratio %s',
              round(:n / percentile_disc(0.5) WITHIN GROUP (ORDER BY rendered)), :runs, round(:n / percentile_disc(0.5) WITHIN GROUP (ORDER BY copied)),
              round((percentile_disc(0.5) WITHIN GROUP (ORDER BY rendered) / percentile_disc(0.5) WITHIN GROUP (ORDER BY copied))::numeric, 2)) FROM run;
SQL
