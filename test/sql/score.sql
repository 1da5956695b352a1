-- score: models over any query.
SET timezone = 'UTC';
SET client_min_messages = 'warning';
\set SHOW_CONTEXT never
CREATE SCHEMA score_test;
SET search_path = score_test, public;

-- Two standard normals from hashes, a uniform with gaps, a text; the label's log-odds are known.
CREATE TABLE sample AS
SELECT i, sqrt(-2 * ln(u1 + 1e-12)) * cos(2 * pi() * u2) AS x1, u3 * 10 AS x2,
       CASE WHEN u4 < 0.1 THEN NULL WHEN u4 < 0.15 THEN 'NaN' WHEN u4 < 0.2 THEN 'Infinity' ELSE u4 END AS gaps,
       (ARRAY['a', 'b', 'c'])[1 + i % 3] AS letter, date '2026-01-01' + i % 100 AS day, i % 2 = 0 AS even
FROM (SELECT i, dunning._uniform(i::text, 1) AS u1, dunning._uniform(i::text, 2) AS u2,
             dunning._uniform(i::text, 3) AS u3, dunning._uniform(i::text, 4) AS u4
      FROM generate_series(1, 20000) i) g;
ALTER TABLE sample ADD late boolean;
UPDATE sample SET late = dunning._uniform(i::text, 9) < 1 / (1 + exp(-(-1 + 1.5 * x1 + 0.2 * x2
    + CASE WHEN gaps < 'Infinity' THEN 0 ELSE 1 END + CASE letter WHEN 'b' THEN -1 ELSE 0 END)));
ANALYZE sample;

-- fit_finds_the_coefficients_that_made_the_data
SELECT model, version, kind, n, auc BETWEEN 0.80 AND 0.86 AS auc, ece < 0.02 AS calibrated, seconds > 0 AS timed
FROM dunning.fit('known', 'SELECT x1, x2, gaps, letter, day, even, late FROM sample', 'late', options => '{"lambda": 0.01, "calibration": "none"}');
CREATE VIEW term AS
SELECT f ->> 'name' AS name, (f ->> 'slope')::float8 AS slope, (f ->> 'offset')::float8 AS "offset",
       (f ->> 'missing')::float8 AS missing, f -> 'levels' AS levels, (f ->> 'mean')::float8 AS mean
FROM dunning.model m, jsonb_array_elements(m.body -> 'features') f WHERE m.model = 'known' AND m.version = 1;
SELECT name, CASE name
    WHEN 'x1' THEN abs(slope - 1.5) < 0.06
    WHEN 'x2' THEN abs(slope - 0.2) < 0.02
    WHEN 'gaps' THEN abs(slope) < 0.2 AND abs(missing - ("offset" + slope * mean) - 1) < 0.12
    WHEN 'letter' THEN abs((levels ->> 'b')::float8 - (levels ->> 'a')::float8 + 1) < 0.12
                       AND abs((levels ->> 'c')::float8 - (levels ->> 'a')::float8) < 0.12
    WHEN 'day' THEN abs(slope * 100) < 0.2
    WHEN 'even' THEN abs(slope) < 0.1 END AS as_made
FROM term ORDER BY name COLLATE "C";

-- the_gradient_of_the_penalised_loss_is_zero_at_the_result
-- (at an unpenalised optimum sum(p - y) * x is 0 for the intercept and for every feature that is not clipped)
SELECT abs(sum(p - late::int)) < 1 AS intercept, abs(sum((p - late::int) * even::int)) < 1 AS even,
       abs(sum((p - late::int) * (letter = 'b')::int)) < 1 AS b
FROM (SELECT s.*, dunning.predict('known', s) AS p FROM sample s) x;

-- with_a_penalty_the_gradient_equals_lambda_times_the_weight
-- (sum((y - p) * z) = lambda * beta, where z is the standardised feature and beta = slope * sd)
SELECT auc > 0.7 AS good FROM dunning.fit('penalised', 'SELECT x1, even, late FROM sample', 'late', 'logistic', options => '{"lambda": 5000, "calibration": "none"}');
SELECT abs(sum((s.late::int - p) * (s.even::int - m.mean) / m.sd) - 5000 * t.slope * m.sd) < 0.01 AS even, abs(sum(s.late::int - p)) < 0.01 AS intercept, abs(t.x1) < 1 AS shrunk
FROM (SELECT s.*, dunning.predict('penalised', s) AS p FROM sample s) s,
     (SELECT avg(even::int)::float8 AS mean, stddev_pop(even::int)::float8 AS sd FROM sample) m,
     (SELECT (body #>> '{features,0,slope}')::float8 AS x1, (body #>> '{features,1,slope}')::float8 AS slope FROM dunning.model WHERE model = 'penalised') t
GROUP BY t.slope, t.x1, m.sd;

-- metrics_are_those_of_their_definitions_in_plain_sql
CREATE TABLE scored AS SELECT late::int AS y, dunning.predict('known', s) AS p FROM sample s;
WITH r AS (SELECT y, p, rank() OVER w + (count(*) OVER (PARTITION BY p) - 1) / 2.0 AS midrank FROM scored WINDOW w AS (ORDER BY p)),
n AS (SELECT sum(y) AS pos, sum(1 - y) AS neg FROM scored),
cumulative AS (SELECT abs(sum(y) OVER (ORDER BY p) / n.pos::float8 - sum(1 - y) OVER (ORDER BY p) / n.neg::float8) AS d FROM scored, n),
bins AS (SELECT count(*) / 20000.0::float8 AS share, abs(avg(p) - avg(y)) AS gap FROM (SELECT y, p, ntile(10) OVER (ORDER BY p) AS bin FROM scored) b GROUP BY bin)
SELECT abs(e.auc - (SELECT (sum(midrank) FILTER (WHERE y = 1) - n.pos * (n.pos + 1) / 2.0) / (n.pos * n.neg) FROM r, n GROUP BY n.pos, n.neg)) < 1e-12 AS auc,
       abs(e.log_loss - (SELECT -avg(CASE y WHEN 1 THEN ln(p) ELSE ln(1 - p) END) FROM scored)) < 1e-12 AS log_loss,
       abs(e.brier - (SELECT avg((p - y) ^ 2) FROM scored)) < 1e-12 AS brier,
       abs(e.ks - (SELECT max(d) FROM cumulative)) < 1e-12 AS ks,
       abs(e.ece - (SELECT sum(share * gap) FROM bins)) < 1e-6 AS ece
FROM dunning.evaluate('known', 'SELECT * FROM sample', 'late') e;

-- ties_count_half_in_the_auc
SELECT auc FROM dunning.evaluate('known', 'SELECT s.x1, s.x2, s.gaps, s.letter, s.day, s.even, y = 1 AS late FROM (SELECT * FROM sample WHERE i = 1) s, generate_series(0, 1) y', 'late');

-- same_rows_and_seed_give_the_same_bytes_in_any_order
SELECT version FROM dunning.fit('known', 'SELECT x1, x2, gaps, letter, day, even, late FROM sample ORDER BY md5(i::text)', 'late', options => '{"lambda": 0.01, "calibration": "none"}');
SELECT count(DISTINCT digest) AS digests, count(DISTINCT metrics) AS metrics, array_agg(state ORDER BY version) AS states,
       bool_and(digest = encode(sha256(convert_to(body::text, 'UTF8')), 'hex')) AS verifies
FROM dunning.model WHERE model = 'known';

-- metrics_are_of_rows_the_fit_had_not_seen
-- (a hundred columns of noise fit their own rows, but predict nothing)
CREATE TABLE noise AS SELECT i % 2 AS y, i FROM generate_series(1, 200) i;
SELECT format('SELECT y, %s FROM noise', string_agg(format('dunning._uniform(i::text, %s) AS n%s', c, c), ', ')) AS noise_query
FROM generate_series(100, 179) c \gset
SELECT auc < 0.62 AS honest FROM dunning.fit('noise', :'noise_query', 'y', 'logistic', options => '{"lambda": 0.01, "calibration": "none"}');
SELECT auc > 0.8 AS own_rows FROM dunning.evaluate('noise', :'noise_query', 'y');

-- rows_of_one_group_never_stand_on_both_sides
-- (the label is a property of the group: knowing the group is worth nothing when it is held out)
CREATE TABLE grouped AS SELECT 'g' || g AS g, (g % 2)::boolean AS y, (g * 7919 % 1009)::float8 AS id, r FROM generate_series(1, 100) g, generate_series(1, 10) r;
SELECT auc < 0.6 AS honest FROM dunning.fit('grouped', 'SELECT g, id, g AS who, y FROM grouped', 'y', options => '{"group": "g", "levels": 100, "exclude": ["who"]}');
SELECT auc > 0.9 AS leaks FROM dunning.fit('grouped', 'SELECT g, id, y FROM grouped', 'y', options => '{"levels": 100}');

-- predict_finds_fields_by_name_and_casts_by_the_models_types
SELECT abs(dunning.predict('known', a) - dunning.predict('known', b)) < 1e-12 AS same_by_name,
       abs(dunning.predict('known', a) - dunning.predict('known', c)) < 1e-12 AS same_by_text,
       dunning.predict('known', NULL::sample) IS NULL AS null_record
FROM (SELECT x1, x2, gaps, letter, day, even FROM sample WHERE i = 3) a,
     (SELECT even, letter::varchar, day::timestamptz AS day, gaps, x2::numeric, x1, 'more' AS more FROM sample WHERE i = 3) b,
     (SELECT x1::text, x2::text, gaps::text, letter::text, day::text, even::text FROM sample WHERE i = 3) c;
SELECT p > 0 AND p < 1 AS inside FROM (SELECT dunning.predict('known', x) AS p FROM (SELECT 1e300 AS x1, 1e300 AS x2, NULL::float8 AS gaps, 'new' AS letter, date 'infinity' AS day, NULL::boolean AS even) x) y;
SELECT dunning.predict('known', x) FROM (SELECT 1 AS x1, 2 AS x2, 'a' AS letter) x;
\echo :SQLSTATE
SELECT dunning.predict('known', x) FROM (SELECT now() AS x1, 2 AS x2, 3 AS gaps, 'a' AS letter, current_date AS day, true AS even) x;
\echo :SQLSTATE
SELECT dunning.predict('known', x) FROM (SELECT 'many' AS x1, 2 AS x2, 3 AS gaps, 'a' AS letter, current_date AS day, true AS even) x;
\echo :SQLSTATE
SELECT dunning.predict('unknown', x) FROM (SELECT 1 AS x1) x;
\echo :SQLSTATE

-- a_parallel_scan_predicts_the_same
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
CREATE TABLE parallel AS SELECT count(*) AS n, sum(round(dunning.predict('known', s)::numeric, 12)) AS p FROM sample s;
SET max_parallel_workers_per_gather = 0;
SELECT n, p = (SELECT sum(round(dunning.predict('known', s)::numeric, 12)) FROM sample s) AS same FROM parallel;
RESET ALL; SET timezone = 'UTC'; SET search_path = score_test, public; SET client_min_messages = 'warning';

-- reasons_add_up_to_the_log_odds
SELECT abs(terms + (SELECT (body ->> 'intercept')::float8 FROM dunning.model WHERE model = 'known' AND version = 1) - ln(p / (1 - p))) < 1e-9 AS adds_up
FROM (SELECT dunning.predict('known', s) AS p, (SELECT sum(contribution) FROM dunning.reasons('known', s, 100)) AS terms FROM sample s WHERE i = 7) x;
SELECT feature, round(contribution::numeric, 1), words
FROM dunning.reasons('known', (SELECT x FROM (SELECT 2.0 AS x1, 9.99 AS x2, NULL::float8 AS gaps, 'b' AS letter, date '2026-01-05' AS day, true AS even) x), 4);
SELECT * FROM dunning.reasons('known', (SELECT s FROM sample s LIMIT 1), 0);

-- a_promoted_version_predicts_from_the_next_statement_on_even_inside_one_function
-- (no more rows than quantiles are taken of: the sample of a greater table is drawn by rows as a whole, labels too)
SELECT version FROM dunning.fit('turned', 'SELECT x1, x2, gaps, letter, day, even, late FROM sample WHERE i <= 6000', 'late', options => '{"lambda": 0.01, "calibration": "none"}');
SELECT version FROM dunning.fit('turned', 'SELECT x1, x2, gaps, letter, day, even, NOT late AS late FROM sample WHERE i <= 6000', 'late', options => '{"lambda": 0.01, "calibration": "none"}');
DO $do$
DECLARE
    s score_test.sample;
    before float8;
    after float8;
BEGIN
    SELECT * INTO s FROM score_test.sample WHERE i = 7;
    FOR round IN 1 .. 2 LOOP
        after := dunning.predict('turned', s);
        IF round = 1 THEN
            before := after;
            PERFORM dunning.promote('turned', 2);
        END IF;
    END LOOP;
    RAISE INFO 'turned round: %', abs(before + after - 1) < 1e-9;
END
$do$;
SELECT version, state FROM dunning.model WHERE model = 'turned' ORDER BY 1;
SELECT dunning.promote('turned', 1);
SELECT dunning.promote('turned', 9);
SELECT dunning.promote('nothing', 1);

-- training_reads_with_the_callers_rights_and_only_reads
CREATE ROLE score_clerk;
GRANT dunning_operator TO score_clerk;
GRANT USAGE, CREATE ON SCHEMA score_test TO score_clerk;
CREATE TABLE seen (who text);
GRANT INSERT ON seen TO PUBLIC;
CREATE TABLE secret AS SELECT * FROM sample;
CREATE FUNCTION as_whom() RETURNS float8 LANGUAGE plpgsql STABLE AS $$ BEGIN IF current_user <> 'score_clerk' THEN RAISE 'run as %', current_user; END IF; RETURN 1; END $$;
SET ROLE score_clerk;
SELECT dunning.fit('stolen', 'SELECT x1, late FROM secret', 'late');
SELECT dunning.fit('written', 'WITH w AS (INSERT INTO seen VALUES (1) RETURNING 1) SELECT 1 AS x, true AS y FROM w', 'y');
SELECT dunning.promote('known', 2);
RESET ROLE;
GRANT SELECT ON sample TO score_clerk;
SET ROLE score_clerk;
SELECT n FROM dunning.fit('own', 'SELECT x1 * as_whom() AS x1, late FROM sample', 'late');
SELECT n FROM dunning.evaluate('own', 'SELECT x1 * as_whom() AS x1, late FROM sample', 'late');
SELECT current_user;
RESET ROLE;
SET ROLE dunning_viewer;
SELECT dunning.fit('no', 'SELECT 1', 'y');
SELECT count(*) FROM dunning.progress;
RESET ROLE;

-- bad_input_is_refused_with_what_mends_it
SELECT dunning.fit('bad', 'SELECT 1 AS x', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, 2 AS late FROM sample', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, ''yes'' AS late FROM sample', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, late FROM sample WHERE i <= 80', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, true AS late FROM sample', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, NULL::boolean AS late FROM sample', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, x2 AS x1, late FROM sample', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT to_jsonb(x1) AS j, late FROM sample', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, late FROM sample; SELECT 1', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'DELETE FROM sample', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, late FROM sample', 'late', 'neural');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, late FROM sample', 'late', options => '{"depht": 3}');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, late FROM sample', 'late', options => '{"folds": 0}');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, late FROM sample', 'late', options => '{"lambda": "much"}');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, late FROM sample', 'late', options => '[]');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, late FROM sample', 'late', options => '{"exclude": ["x9"]}');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, late, 1 AS g FROM sample', 'late', options => '{"group": "g"}');
\echo :SQLSTATE
SELECT dunning.fit('', 'SELECT x1, late FROM sample', 'late');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT 1 AS one, late FROM sample', 'late');
\echo :SQLSTATE
SELECT dunning.evaluate('known', 'SELECT *, true AS y FROM sample', 'y');
\echo :SQLSTATE
SELECT dunning.fit('bad', NULL, 'late');
\echo :SQLSTATE
SELECT dunning.evaluate('known', 'SELECT * FROM sample', NULL);
\echo :SQLSTATE
SELECT count(*) AS bad_versions FROM dunning.model WHERE model IN ('bad', '', 'stolen', 'written');

-- progress_shows_a_training_while_it_runs_and_not_after
SELECT n FROM dunning.fit('watched', 'SELECT x1, late FROM sample WHERE (SELECT count(*) FROM dunning.progress WHERE model = ''watched'' AND stage = ''reading'') = 1', 'late');
SELECT count(*) FROM dunning.progress;

-- a_training_can_be_stopped_and_leaves_nothing
SET statement_timeout = '300ms';
SELECT dunning.fit('stopped', 'SELECT random() AS x, random() < 0.5 AS y FROM generate_series(1, 100000000)', 'y');
\echo :SQLSTATE
RESET statement_timeout;
SELECT count(*) FROM dunning.progress;
SELECT count(*) FROM dunning.model WHERE model = 'stopped';

-- columns_that_say_nothing_are_left_out_with_a_notice
SET client_min_messages = 'notice';
SELECT n FROM dunning.fit('notices', 'SELECT x1, 7 AS seven, NULL::int AS never, ''same'' AS same, md5(i::text) AS key, late FROM sample', 'late');
SELECT jsonb_path_query_array(body, '$.features[*].name') FROM dunning.model WHERE model = 'notices';

-- memory_is_capped_by_a_sample_that_is_the_same_each_time
SET dunning.train_memory = '512kB';
SELECT n BETWEEN 3000 AND 6600 AS sampled, auc > 0.75 AS good FROM dunning.fit('sampled', 'SELECT x1, x2, late FROM sample', 'late');
SELECT dunning.fit('sampled', 'SELECT x1, x2, late FROM sample', 'late') IS NOT NULL AS again;
SELECT count(DISTINCT digest) FROM dunning.model WHERE model = 'sampled';
RESET dunning.train_memory;

SET client_min_messages = 'warning';
DELETE FROM dunning.model;

-- The rest needs a ledger: 600 debtors of three habits with nine monthly invoices, and some whose story is told by hand.
SET dunning.clock = '2026-07-01 09:00+00';
CREATE TABLE d (debtor_id text PRIMARY KEY, creditor text, email text);
CREATE TABLE i (invoice_id text PRIMARY KEY, debtor_id text, issued_on date, due_on date, amount numeric, currency text, disputed boolean);
CREATE TABLE p (debtor_id text, invoice_id text, paid_at timestamptz, amount numeric, currency text);
INSERT INTO d SELECT 'r' || n, CASE n % 2 WHEN 0 THEN 'north' ELSE 'south' END, n || '@debtors.test' FROM generate_series(1, 600) n;
INSERT INTO i SELECT 'r' || n || '-' || k, 'r' || n, issued, issued + 14, 20 + 180 * dunning._uniform(n || 'a' || k), 'EUR', false
FROM generate_series(1, 600) n, generate_series(1, 9) k, LATERAL (SELECT date '2025-09-01' + 30 * k + n % 30 AS issued) x;
INSERT INTO p SELECT i.debtor_id, i.invoice_id, paid::timestamp AT TIME ZONE 'UTC', i.amount, i.currency
FROM i, LATERAL (SELECT dunning._uniform(invoice_id, 5) AS u, dunning._uniform(invoice_id, 6) AS v, (dunning._hash64(debtor_id) & 3) AS habit) h,
     LATERAL (SELECT CASE WHEN u < (ARRAY[0.9, 0.5, 0.5, 0.15])[habit + 1] THEN due_on - (10 * v)::int
                          WHEN u < (ARRAY[0.99, 0.9, 0.8, 0.6])[habit + 1] THEN due_on + 1 + (12 * v)::int
                          ELSE due_on + 20 + (80 * v)::int END AS paid) q
WHERE paid < date '2026-07-01';
INSERT INTO d SELECT 'x-' || x, 'north', CASE WHEN x <> 'unreachable' THEN x || '@debtors.test' END
FROM unnest(ARRAY['forgot', 'self', 'payday', 'will', 'cannot', 'dispute', 'unreachable', 'new', 'owes', 'prompt']) x;
INSERT INTO i SELECT 'x-' || x || '-' || k, 'x-' || x, due - 14, due, 100, 'EUR', x = 'dispute' AND k = 7
FROM unnest(ARRAY['forgot', 'self', 'payday', 'will', 'cannot', 'dispute', 'unreachable', 'prompt']) x, generate_series(1, 7) k,
     LATERAL (SELECT (date '2025-12-10' + make_interval(months => k - 1))::date AS due) y;
INSERT INTO i SELECT 'x-new-1', 'x-new', date '2026-06-20', date '2026-07-20', 100, 'EUR', false
UNION ALL SELECT 'x-owes-' || k, 'x-owes', date '2026-01-01' + 20 * k, date '2026-01-15' + 20 * k, 100, 'EUR', false FROM generate_series(1, 5) k;
-- the seventh, due on 10 June, is open for all but `prompt`; `will` pays the others and leaves the fourth
INSERT INTO p SELECT debtor_id, invoice_id, (due_on + CASE debtor_id WHEN 'x-self' THEN 13 + k % 2 WHEN 'x-payday' THEN 15 + k % 2 ELSE -2 END)::timestamp AT TIME ZONE 'UTC', amount, currency
FROM (SELECT i.*, right(invoice_id, 1)::int AS k FROM i WHERE debtor_id LIKE 'x-%' AND debtor_id NOT IN ('x-new', 'x-owes')) x
WHERE k < 7 AND NOT (debtor_id = 'x-will' AND k = 4) OR debtor_id IN ('x-prompt', 'x-will') AND k <> 4;
GRANT USAGE ON SCHEMA score_test TO dunning_owner, dunning_worker;
GRANT SELECT ON d, i, p TO dunning_owner, dunning_worker;
SELECT dunning.bind('debtor', 'score_test.d'), dunning.bind('invoice', 'score_test.i'), dunning.bind('payment', 'score_test.p') \g /dev/null

-- late_is_learnt_from_history_and_from_decided_invoices_alone
SELECT model, version, n = (SELECT count(*) FROM i WHERE due_on < '2026-07-01') AS every_decided_invoice, auc > 0.65 AS says_something
FROM dunning.train('late');
SELECT target, as_of, seed, metrics ->> 'grouped' AS grouped, metrics ->> 'cross_validated' AS cross_validated FROM dunning.model WHERE model = 'late';

-- the_amount_of_an_invoice_is_an_input: where only the large ones are paid late, the model knows the late ones
BEGIN;
UPDATE i SET amount = i.amount / 1000 + CASE WHEN EXISTS (SELECT FROM p WHERE p.invoice_id = i.invoice_id AND p.paid_at::date <= i.due_on) THEN 90 ELSE 900 END;
UPDATE p SET amount = i.amount FROM i WHERE i.invoice_id = p.invoice_id;
SELECT auc > 0.95 AS knows FROM dunning.train('late');
ROLLBACK;

-- nothing_at_or_after_as_of_reaches_a_model
SELECT version FROM dunning.train('late', '2026-04-01'), dunning.promote('late', 1) \g /dev/null
BEGIN;
DELETE FROM p WHERE paid_at >= '2026-04-01';
DELETE FROM i WHERE issued_on >= '2026-04-01';
UPDATE i SET disputed = NOT disputed;
SELECT version FROM dunning.train('late', '2026-04-01') \g /dev/null
SELECT count(*) AS versions, count(DISTINCT digest) AS digests FROM dunning.model WHERE model = 'late' AND as_of = '2026-04-01';
ROLLBACK;

-- paid_30d_looks_at_overdue_debtors_and_at_30_days_that_are_over (of 610 debtors: seven times)
SELECT n = (SELECT count(*) FROM generate_series(1, 7) k, LATERAL dunning.features(timestamptz '2026-07-01 09:00+00' - 30 * k * interval '1 day') f WHERE f.n_overdue > 0) AS rows, auc > 0.55 AS says_something
FROM dunning.train();
-- the_age_of_the_debt_is_an_input
SELECT feature_stats::text ~ '"days_past_due"' AS days_past_due FROM dunning.model WHERE model = 'paid_30d';
SELECT (metrics ->> 'positives')::int = (SELECT count(*) FROM generate_series(1, 7) k, LATERAL (SELECT timestamptz '2026-07-01 09:00+00' - 30 * k * interval '1 day' AS at) s,
    LATERAL dunning.features(s.at) f WHERE f.n_overdue > 0 AND EXISTS (SELECT FROM p WHERE p.debtor_id = f.debtor_id AND p.paid_at >= s.at AND p.paid_at < s.at + interval '30 days')) AS labels
FROM dunning.model WHERE model = 'paid_30d';

-- self_cure_is_payment_within_14_days_of_due_and_before_any_contact
SELECT n = (SELECT count(*) FROM i LEFT JOIN p USING (invoice_id) WHERE due_on + 14 < '2026-07-01' AND (paid_at IS NULL OR paid_at::date > due_on)) AS rows
FROM dunning.train('self_cure');
SELECT dunning._self_cure_sql('2026-07-01 09:00+00') AS query \gset
SELECT count(*) FILTER (WHERE self_cure) AS cured, count(*) FILTER (WHERE NOT self_cure) AS not_cured FROM (:query) x WHERE debtor = 'x-self';
BEGIN;
SELECT dunning._ensure_partitions('2026-03-15') \g /dev/null
INSERT INTO dunning.egress SELECT dunning._uuid7_floor('2026-03-15'), 1, 'x-self', 'north', 'email', 'mail', '\x00', '{}', '\x00', 1, 'test', test, 0, 'EUR', '2026-03-15', '2026-03-15', 0, 1, '\x00', '\x00' FROM unnest('{true}'::boolean[]) test;
SELECT count(*) FILTER (WHERE self_cure) AS cured_though_a_test_was_sent FROM (:query) x WHERE debtor = 'x-self';
UPDATE dunning.egress SET test = false WHERE debtor_id = 'x-self';
SELECT count(*) FILTER (WHERE self_cure) AS cured_without_the_contacted FROM (:query) x WHERE debtor = 'x-self';
ROLLBACK;

-- a_target_with_too_few_rows_is_refused_with_the_counts_and_the_targets_that_work
BEGIN;
DELETE FROM i WHERE due_on < '2026-06-01' AND debtor_id LIKE 'r%' AND debtor_id NOT LIKE 'r_';
SELECT dunning.train('self_cure');
\echo :SQLSTATE
ROLLBACK;
BEGIN;
DELETE FROM i;
SELECT dunning.train('late');
ROLLBACK;
SELECT dunning.train('paid_60d');
\echo :SQLSTATE
SELECT dunning.train('late', 'infinity');
SELECT dunning.train('late', '2030-01-01');
SELECT dunning.train('late', kind => 'oracle');

-- a_missing_model_is_filled_by_a_rule_on_history_and_says_so
CREATE TABLE kept AS SELECT * FROM dunning.model;
DELETE FROM dunning.model;
SELECT sum(debtors) AS debtors, sum(overdue) = (SELECT count(*) FROM dunning.features() WHERE n_overdue > 0) AS overdue,
       bool_and(p_late BETWEEN 0 AND 1 AND p_self_cure BETWEEN 0 AND 1 AND coalesce(p_paid_30d BETWEEN 0 AND 1, overdue = 0)) AS inside FROM dunning.score();
SELECT debtor_id, reasons FROM dunning.debtor_score WHERE debtor_id IN ('x-forgot', 'x-prompt', 'x-new') ORDER BY 1;
INSERT INTO dunning.model SELECT * FROM kept WHERE model <> 'self_cure';
SELECT count(*) FROM dunning.score() \g /dev/null
SELECT debtor_id, reasons - 'p_late' - 'p_paid_30d' AS rule, jsonb_array_length(reasons -> 'p_late') AS late, jsonb_array_length(reasons -> 'p_paid_30d') AS paid
FROM dunning.debtor_score WHERE debtor_id IN ('x-forgot', 'x-prompt') ORDER BY 1;
SELECT models FROM dunning.score_result WHERE debtor_id = 'x-prompt';

-- each_story_gets_its_diagnosis_with_evidence
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, recorded_at, recorded_by)
VALUES ('x-cannot', dunning._uuid7(), 'north', 'circumstances_changed', '2026-06-20 12:00+00', '2026-06-20 12:00+00', 'test');
SELECT count(*) FROM dunning.score() \g /dev/null
SELECT debtor_id, segment, diagnosis, reasons -> 'diagnosis' ->> 0 AS evidence, p_paid_30d IS NULL AS nothing_overdue FROM dunning.debtor_score WHERE debtor_id LIKE 'x-%' ORDER BY 1;
SELECT count(DISTINCT debtor_id) = count(*) AS one_row_a_debtor, count(*) FROM dunning.debtor_score;
-- diagnoses() tells the same of the whole book, sentence by sentence
SELECT count(*) > 100 AS debtors, count(*) FILTER (WHERE s.diagnosis IS DISTINCT FROM d.diagnosis) AS other_diagnosis, count(*) FILTER (WHERE s.reasons -> 'diagnosis' IS DISTINCT FROM d.words) AS other_words,
    count(*) FILTER (WHERE s.habits IS DISTINCT FROM d.habits) AS other_habits
FROM dunning.debtor_score s JOIN (SELECT debtor_id, max(diagnosis) FILTER (WHERE chosen) AS diagnosis, jsonb_agg(words ORDER BY n) FILTER (WHERE chosen AND weight > 0) AS words, habits
    FROM dunning.diagnoses() WITH ORDINALITY d(debtor_id, diagnosis, evidence, weight, words, figures, chosen, habits, n) GROUP BY debtor_id, habits) d USING (debtor_id);
-- before the debtor told of it
SELECT count(*) FROM dunning.score('2026-06-19') \g /dev/null
SELECT diagnosis FROM dunning.debtor_score WHERE debtor_id = 'x-cannot';
SELECT dunning.score('infinity');

-- a_higher_history_of_lateness_is_a_higher_p_late
SELECT count(*) FROM dunning.score() \g /dev/null
SELECT corr(s.p_late, f.late_ratio) > 0.5 AS follows FROM dunning.debtor_score s JOIN dunning.features() f USING (debtor_id);

-- segments_are_predicates_that_a_user_may_add_replace_and_reset
SELECT dunning.save_segment('large', 'amount_open > 300 AND p_late < 2', 5, 'owes much'), dunning.save_segment('new', 'false', 70, 'none');
SELECT segment, debtors = (SELECT count(*) FROM dunning.features() WHERE amount_open > 300) AS all_of_them FROM dunning.score() WHERE segment IN ('large', 'new');
SELECT segment FROM dunning.debtor_score WHERE debtor_id = 'x-new';
SELECT dunning.reset_segment('large'), dunning.reset_segment('new'), dunning.reset_segment('prompt');
SELECT count(*) FROM dunning.score() \g /dev/null
SELECT segment FROM dunning.debtor_score WHERE debtor_id = 'x-new';
SELECT dunning.save_segment('odd', 'late_rato > 0.5', 5);
\echo :SQLSTATE
SELECT dunning.save_segment('odd', 'late_ratio', 5);
\echo :SQLSTATE
SELECT dunning.save_segment('odd', 'true) OR (false', 5);
SELECT dunning.save_segment('odd', 'true; DROP TABLE score_test.i', 5);
SELECT dunning.save_segment('Odd one', 'true', 5);
\echo :SQLSTATE
SELECT dunning.save_segment('other', 'true', 5);

-- a_predicate_and_a_bound_view_run_as_dunning_owner_and_cannot_become_anyone_else
CREATE TABLE witness (who text);
GRANT INSERT ON witness TO PUBLIC;
CREATE FUNCTION spy() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO score_test.witness VALUES (current_user);
    BEGIN
        EXECUTE 'SET ROLE dunning_admin';
        INSERT INTO score_test.witness VALUES ('became ' || current_user);
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    BEGIN
        CREATE TEMP TABLE left_behind ();
        INSERT INTO score_test.witness VALUES ('made a temporary table');
    EXCEPTION WHEN insufficient_privilege OR duplicate_table THEN NULL;
    END;
    RETURN true;
END $$;
SELECT dunning.save_segment('spied', 'score_test.spy()', 1);
SELECT segment, debtors FROM dunning.score();
SELECT DISTINCT who FROM witness;
SELECT dunning.reset_segment('spied');
TRUNCATE witness;
CREATE VIEW v AS SELECT p.* FROM p WHERE spy();
GRANT SELECT ON v TO dunning_owner, dunning_worker;
SELECT dunning.bind('payment', 'score_test.v') \g /dev/null
TRUNCATE witness;
SELECT version FROM dunning.train('late') \g /dev/null
SELECT count(*) FROM dunning.score() \g /dev/null
SELECT DISTINCT who FROM witness;

-- trees_find_what_no_sum_of_terms_can_say
CREATE TABLE crossed AS
SELECT i, a, CASE WHEN u > 0.2 THEN b END AS b, 'l' || i % 40 AS letter, a > 0.3 AS up, date '2026-01-01' + i % 300 AS day,
       dunning._uniform(i::text, 5) < CASE WHEN u <= 0.2 THEN 0.9 WHEN (a > 0.5) = (b > 0.5) THEN 0.7 ELSE 0.1 END * CASE WHEN i % 40 % 3 = 0 THEN 1 ELSE 0.5 END AS y
FROM (SELECT i, dunning._uniform(i::text, 1) AS a, dunning._uniform(i::text, 2) AS b, dunning._uniform(i::text, 3) AS u FROM generate_series(1, 6000) i) g;
SELECT auc BETWEEN 0.78 AND 0.86 AS auc, ece < 0.04 AS calibrated FROM dunning.fit('crossed', 'SELECT a, b, letter, up, day, y FROM crossed', 'y', 'gbdt');
SELECT auc < 0.75 AS auc FROM dunning.fit('sums', 'SELECT a, b, letter, up, day, y FROM crossed', 'y', 'logistic');

-- the_same_rows_in_any_order_give_the_same_trees_and_another_seed_others
SELECT count(*) FROM dunning.fit('crossed', 'SELECT a, b, letter, up, day, y FROM crossed ORDER BY b DESC', 'y', 'gbdt');
SELECT count(*) FROM dunning.fit('crossed', 'SELECT a, b, letter, up, day, y FROM crossed', 'y', 'gbdt', options => '{"seed": 2}');
SELECT version, digest = first_value(digest) OVER (ORDER BY version) AS same FROM dunning.model WHERE model = 'crossed' ORDER BY version;

-- the_sql_text_of_trees_scores_as_they_do
SELECT format('SELECT max(abs(dunning.predict(''crossed'', c) - (%s))) < 1e-6 AS same, count(*) FROM (SELECT a, b, letter, up, day FROM crossed UNION ALL '
    'SELECT * FROM (VALUES (0.5, NULL, ''l1'', true, NULL::date), (NULL, ''NaN'', ''unknown'', NULL, ''2026-02-02''), (''Infinity'', ''-Infinity'', NULL, false, ''infinity''), '
    '(1e300, -1e300, ''l2'', true, ''4000-01-01'')) v) c (a, b, letter, up, day)', dunning.model_sql('crossed')) AS both \gset
:both;

-- what_the_features_add_is_the_score
SELECT count(*) FROM dunning.fit('plain', 'SELECT a, b, letter, y FROM crossed', 'y', 'gbdt', options => '{"calibration": "none", "trees": 50, "depth": 3, "min_child_weight": 1}');
SELECT max(l - total) - min(l - total) < 1e-4 AS adds_up, abs(avg(total)) < 0.1 AS centred
FROM (SELECT ln(p / (1 - p)) AS l, (SELECT sum(contribution) FROM dunning.reasons('plain', c, 99)) AS total
      FROM (SELECT c, dunning.predict('plain', c) AS p FROM crossed c ORDER BY i LIMIT 500) s) t;

-- trees_of_few_rows_take_small_steps_and_many_unless_options_say_how_many_or_how_large
SELECT count(*) FROM dunning.fit('paced', 'SELECT a, b, letter, y FROM crossed', 'y', 'gbdt', options => '{"learning_rate": 0.2, "depth": 3, "min_child_weight": 20, "column_sample": 0.5}');
SELECT model, metrics ->> 'learning_rate' AS rate, (metrics ->> 'trees')::int * (metrics ->> 'learning_rate')::float8 BETWEEN 1 AND 30 AS enough FROM dunning.model WHERE model IN ('crossed', 'paced', 'plain') AND version = 1 ORDER BY 1;

-- where_columns_say_the_same_trees_see_fewer_of_them
CREATE TABLE echoes AS
SELECT dunning._uniform(i::text, 99) < 1 / (1 + exp(4 - 8 * u)) AS y,
       u + e[1] AS e1, u + e[2] AS e2, u + e[3] AS e3, u + e[4] AS e4, u + e[5] AS e5, u + e[6] AS e6, u + e[7] AS e7, u + e[8] AS e8, u + e[9] AS e9, u + e[10] AS e10
FROM (SELECT i, dunning._uniform(i::text, 50) AS u, ARRAY(SELECT dunning._uniform(i::text, k) - 0.5 FROM generate_series(1, 10) k) AS e FROM generate_series(1, 3000) i) s;
SELECT count(*) FROM dunning.fit('echoes', 'SELECT * FROM echoes', 'y', 'gbdt');
SELECT model, (metrics ->> 'column_sample')::float8 < 0.8 AS fewer FROM dunning.model WHERE model IN ('echoes', 'plain') AND version = 1 ORDER BY 1;
DROP TABLE echoes;

-- many_levels_that_say_nothing_are_hardly_split_on_and_those_that_say_much_are
CREATE TABLE branches AS
SELECT dunning._uniform(i::text, 1) < 1 / (1 + exp(2 - 2 * a)) AS y, dunning._uniform(i::text, 2) < dunning._uniform((i % 100)::text, 3) AS z, a, 'branch ' || i % 100 AS branch
FROM (SELECT i, dunning._uniform(i::text, 4) AS a FROM generate_series(1, 4000) i) s;
SELECT count(*) FROM dunning.fit('nothing', 'SELECT y, a, branch FROM branches', 'y', 'gbdt', options => '{"depth": 2, "min_child_weight": 20, "column_sample": 1}');
SELECT count(*) FROM dunning.fit('free', 'SELECT y, a, branch FROM branches', 'y', 'gbdt', options => '{"depth": 2, "min_child_weight": 20, "column_sample": 1, "level_cost": 0}');
SELECT count(*) FROM dunning.fit('much', 'SELECT z, a, branch FROM branches', 'z', 'gbdt', options => '{"depth": 2, "min_child_weight": 20, "column_sample": 1}');
SELECT m.model, (m.metrics ->> 'level_cost')::float8 AS cost, avg((t ~ '{')::int) > 0.5 AS split_on, (m.metrics ->> 'auc')::float8 > 0.65 AS told
FROM dunning.model m, jsonb_array_elements_text(m.body -> 'trees') t WHERE m.model IN ('nothing', 'free', 'much') GROUP BY 1, m.metrics ORDER BY 1;
DROP TABLE branches;

-- a_model_of_few_rows_and_many_columns_is_too_certain_and_is_drawn_to_the_middle
SELECT count(*) FROM dunning.fit('few', $q$SELECT i, dunning._uniform(i::text, 1) < 0.35 + 0.3 * dunning._uniform(i::text, 2) AS y, c[1] AS c1, c[2] AS c2, c[3] AS c3, c[4] AS c4, c[5] AS c5, c[6] AS c6, c[7] AS c7, c[8] AS c8, c[9] AS c9
    FROM (SELECT i, ARRAY(SELECT 'l' || floor(5 * dunning._uniform(i::text, k)) FROM generate_series(2, 10) k) AS c FROM generate_series(1, 500) i) s$q$, 'y', 'logistic', options => '{"exclude": ["i"], "lambda": 50}');
SELECT body -> 'calibration' ->> 'method' AS method, (body -> 'calibration' ->> 'slope')::float8 < 0.9 AS drawn FROM dunning.model WHERE model = 'few';

-- a_direction_holds_everywhere
SELECT count(*) FROM dunning.fit('directed', 'SELECT a, b, letter, y FROM crossed', 'y', 'gbdt', options => '{"monotone": {"a": 1}, "trees": 60, "depth": 5, "min_child_weight": 1}');
SELECT bool_and(p >= before) AS never_falls, max(p) - min(p) > 0.01 AS moves FROM (
    SELECT p, lag(p, 1, 0::float8) OVER (PARTITION BY b ORDER BY a) AS before
    FROM (SELECT a, b, dunning.predict('directed', r) AS p FROM (SELECT x / 200.0 AS a, z / 5.0 AS b, 'l3' AS letter FROM generate_series(0, 200) x, generate_series(0, 5) z) r) s) t;

-- trees_with_odd_columns_still_give_probabilities
SELECT n, auc > 0.95 AS auc FROM dunning.fit('odd', $$SELECT a, NULL::int AS nothing, 7 AS same, CASE i % 3 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' ELSE a END::float8 AS wild,
    CASE WHEN i = 1 THEN 1e300 ELSE 1e-300 END AS huge, md5(i::text) AS key, up AS y FROM crossed WHERE i <= 400$$, 'y', 'gbdt');
SELECT bool_and(p > 0 AND p < 1) AS inside FROM (SELECT dunning.predict('odd', r) AS p FROM (VALUES (1e308, 'NaN'::float8, -1e308), (NULL, NULL, NULL), ('Infinity', 0, '-Infinity')) r (a, wild, huge)) s;

-- rights_are_those_of_the_roles
SET ROLE dunning_viewer;
SELECT count(*) > 0 AS sees_scores FROM dunning.debtor_score;
SELECT * FROM dunning.score();
SELECT * FROM dunning.train();
DELETE FROM dunning.score_result;
RESET ROLE;
SET ROLE dunning_operator;
SELECT count(*) > 0 AS scores FROM dunning.score();
SELECT dunning.save_segment('mine', 'true', 1);
SELECT dunning._fit('late', 'SELECT 1', 'y', 'auto', '{}', 'late', now());
RESET ROLE;

SELECT dunning.unbind('debtor'), dunning.unbind('invoice'), dunning.unbind('payment') \g /dev/null
RESET dunning.clock;
DELETE FROM dunning.event WHERE debtor_id LIKE 'x-%';
DELETE FROM dunning.score_result;
DELETE FROM dunning.model;
SET client_min_messages = 'warning';
DROP SCHEMA score_test CASCADE;
DROP ROLE score_clerk;
RESET ALL;
