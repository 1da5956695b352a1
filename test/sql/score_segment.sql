-- score: diagnosis and segments.
SET timezone = 'UTC';
SET client_min_messages = 'warning';
\set SHOW_CONTEXT never
CREATE SCHEMA segment_test;
SET search_path = segment_test, public;

-- each_diagnosis_has_its_debtor_and_each_near_miss_is_none_of_it
-- A story is features and signals alone: no book is looked at.
CREATE TABLE story (story text PRIMARY KEY, f jsonb NOT NULL, s jsonb NOT NULL DEFAULT '{}');
INSERT INTO story VALUES
    ('disputes', '{"n_overdue": 1, "n_paid": 6, "n_late": 0, "late_ratio": 0, "days_past_due": 20}', '{"disputed_items": 1}'),
    ('disputes: told', '{"n_overdue": 1}', '{"disputed_on": "2026-06-01", "hardship": "insolvency"}'),
    ('disputes: none open', '{"n_overdue": 1, "n_disputed": 3, "dispute_ratio": 0.5, "days_past_due": 20}', '{"disputed_items": 0}'),
    ('cannot_pay: hold', '{"n_overdue": 1, "has_email": false, "has_phone": false, "has_post": false}', '{"hardship": "moratorium"}'),
    ('cannot_pay: told', '{"n_overdue": 1}', '{"changed_on": "2026-06-20"}'),
    ('cannot_pay: promise', '{"n_overdue": 2}', '{"broken_on": "2026-06-10"}'),
    ('cannot_pay: one promise of one invoice', '{"n_overdue": 1}', '{"broken_on": "2026-06-10"}'),
    ('cannot_pay: breaks promises', '{"n_overdue": 1, "promises_kept": 1, "promises_broken": 3, "promise_kept_ratio": 0.25}', '{"broken_on": "2026-06-10"}'),
    ('cannot_pay: kept most', '{"n_overdue": 1, "promises_kept": 3, "promises_broken": 2, "promise_kept_ratio": 0.6}', '{"broken_on": "2026-06-10"}'),
    ('unreachable', '{"n_overdue": 1, "has_email": false, "has_phone": false, "has_post": false, "n_paid": 6, "n_late": 0, "late_ratio": 0, "days_past_due": 20}', '{}'),
    ('unreachable: a letter', '{"n_overdue": 1, "has_email": false, "has_phone": false, "has_post": true}', '{}'),
    ('unreachable: not known', '{"n_overdue": 1, "has_email": false, "has_phone": false}', '{}'),
    ('unreachable: came back', '{"n_overdue": 1}', '{"bounced": 2, "reached": 0}'),
    ('unreachable: one came back', '{"n_overdue": 1}', '{"bounced": 1, "reached": 0}'),
    ('unreachable: one arrived', '{"n_overdue": 1}', '{"bounced": 2, "reached": 1}'),
    ('unreachable: seldom and long ago', '{"n_overdue": 1, "reached_ratio": 0.2, "days_since_reached": 120, "contacts_30d": 2}', '{}'),
    ('unreachable: seldom', '{"n_overdue": 1, "reached_ratio": 0.2, "days_since_reached": 80, "contacts_30d": 2}', '{}'),
    ('self_cures', '{"n_overdue": 1, "n_paid": 10, "n_late": 5, "late_ratio": 0.5, "avg_late": 3, "days_past_due": 12, "paid_before_reminder": 0.9}', '{}'),
    ('self_cures: reminders unknown', '{"n_overdue": 1, "n_paid": 10, "n_late": 5, "late_ratio": 0.5, "avg_late": 3, "days_past_due": 12}', '{}'),
    ('self_cures: later than ever', '{"n_overdue": 1, "n_paid": 10, "n_late": 5, "late_ratio": 0.5, "avg_late": 3, "days_past_due": 13, "paid_before_reminder": 0.9}', '{}'),
    ('self_cures: needs reminders', '{"n_overdue": 1, "n_paid": 10, "n_late": 5, "late_ratio": 0.5, "avg_late": 3, "days_past_due": 12, "paid_before_reminder": 0.4}', '{}'),
    ('self_cures: late twice', '{"n_overdue": 1, "n_paid": 4, "n_late": 2, "late_ratio": 0.5, "avg_late": 3, "days_past_due": 12}', '{}'),
    ('waiting_for_payday', '{"n_overdue": 1, "n_paid": 8, "n_late": 6, "late_ratio": 0.75, "avg_late": 15, "days_past_due": 31, "n_payments": 8, "payday_ratio": 0.75, "payday_from": 30}', '{}'),
    ('waiting_for_payday: a month over', '{"n_overdue": 1, "n_paid": 8, "n_late": 6, "late_ratio": 0.75, "avg_late": 15, "days_past_due": 32, "n_payments": 8, "payday_ratio": 0.75, "payday_from": 30}', '{}'),
    ('waiting_for_payday: three payments', '{"n_overdue": 1, "n_paid": 3, "n_late": 3, "late_ratio": 1, "avg_late": 15, "days_past_due": 20, "n_payments": 3, "payday_ratio": 1, "payday_from": 1}', '{}'),
    ('forgot', '{"n_overdue": 1, "n_paid": 6, "n_late": 1, "late_ratio": 0.1667, "days_past_due": 45}', '{}'),
    ('forgot: too long', '{"n_overdue": 1, "n_paid": 6, "n_late": 1, "late_ratio": 0.1667, "days_past_due": 46}', '{}'),
    ('forgot: was reminded', '{"n_overdue": 1, "n_paid": 6, "n_late": 1, "late_ratio": 0.1667, "days_past_due": 40, "contacts_30d": 2, "days_since_reached": 10}', '{}'),
    ('forgot: first invoice', '{"n_overdue": 1, "n_paid": 0, "n_late": 0, "days_past_due": 14}', '{}'),
    ('forgot: first invoice, long', '{"n_overdue": 1, "n_paid": 0, "n_late": 0, "days_past_due": 15}', '{}'),
    ('cannot_pay: piles up', '{"n_overdue": 3, "n_paid": 8, "n_late": 4, "late_ratio": 0.5, "days_past_due": 70, "partial_ratio": 0.3, "days_since_payment": 60}', '{"reached": 3}'),
    ('cannot_pay: owes more', '{"n_overdue": 4, "n_paid": 3, "n_late": 3, "late_ratio": 1, "avg_late": 40, "days_past_due": 31}', '{}'),
    ('cannot_pay: rolls on', '{"n_overdue": 3, "n_paid": 8, "n_late": 4, "late_ratio": 0.5, "avg_late": 40, "days_past_due": 50, "dpd_roll": 1, "overdue_change": 120.5}', '{}'),
    ('cannot_pay: three, and no more', '{"n_overdue": 3, "n_paid": 8, "n_late": 4, "late_ratio": 0.5, "avg_late": 40, "days_past_due": 50, "dpd_roll": 0, "overdue_change": 120.5}', '{}'),
    ('cannot_pay: one invoice and its fees', '{"n_overdue": 3, "n_open": 3, "n_invoices": 1, "n_paid": 0, "n_late": 0, "days_past_due": 40}', '{"broken_on": "2026-06-10"}'),
    ('cannot_pay: three invoices and a fee', '{"n_overdue": 4, "n_open": 4, "n_invoices": 5, "n_paid": 2, "n_late": 0, "late_ratio": 0, "days_past_due": 50}', '{}'),
    ('will_not_pay', '{"n_overdue": 1, "n_paid": 3, "n_late": 2, "late_ratio": 0.67, "avg_late": 40, "days_past_due": 61}', '{"reached": 2}'),
    ('will_not_pay: pays others', '{"n_overdue": 1, "n_paid": 3, "n_late": 2, "late_ratio": 0.67, "avg_late": 40, "days_past_due": 61, "days_since_payment": 45}', '{}'),
    ('will_not_pay: no answer', '{"n_overdue": 1, "days_past_due": 61, "contacts_30d": 3, "responses_30d": 0, "reached_ratio": 0.9}', '{}'),
    ('will_not_pay: two months', '{"n_overdue": 1, "n_paid": 3, "n_late": 2, "late_ratio": 0.67, "avg_late": 40, "days_past_due": 60}', '{"reached": 2}'),
    ('will_not_pay: pays it in parts', '{"n_overdue": 1, "days_past_due": 61, "days_since_payment": 45, "partial_ratio": 0.5}', '{}'),
    ('nothing overdue', '{"n_overdue": 0, "days_past_due": 0, "n_paid": 6, "n_late": 0, "late_ratio": 0}', '{"disputed_on": "2026-06-01"}'),
    ('nothing known', '{}', '{}');
CREATE VIEW told AS
SELECT t.story, d.* FROM story t LEFT JOIN LATERAL dunning.diagnose(jsonb_populate_record(NULL::dunning.debtor_features, t.f), jsonb_populate_record(NULL::dunning.debtor_signals, t.s)) d ON true;
SELECT story, max(diagnosis) FILTER (WHERE chosen) AS diagnosis, string_agg(words, '; ') FILTER (WHERE chosen) AS evidence,
    string_agg(format('%s %s', evidence, weight), ', ') FILTER (WHERE NOT chosen) AS beside
FROM told GROUP BY story ORDER BY array_position(ARRAY['disputes', 'cannot_pay', 'unreachable', 'self_cures', 'waiting_for_payday', 'forgot', 'will_not_pay'], split_part(story, ':', 1)), story;
-- the stories that are named by a diagnosis alone have it
SELECT count(*) AS named, count(*) FILTER (WHERE EXISTS (SELECT FROM told d WHERE d.story = t.story AND d.chosen AND d.diagnosis = t.story)) AS have_it
FROM story t WHERE t.story IN (SELECT r.diagnosis FROM dunning._diagnosis_rules() r);

-- fees_are_no_invoices_to_a_segment_either
SELECT predicate FROM dunning.segment WHERE segment = 'stretched' AND builtin \gset
SELECT what, :predicate AS stretched FROM (VALUES ('one invoice and two fees', 3, 3, 1, 0), ('three invoices', 3, 3, 3, 0), ('three invoices and a fee', 4, 4, 5, 2), ('as many as it paid', 3, 3, 6, 3), ('two', 2, 2, 2, 0)) v (what, n_overdue, n_open, n_invoices, n_paid),
    (VALUES (NULL::text)) d (diagnosis) ORDER BY 1;

-- each_sentence_can_be_said_in_another_language_from_its_figures
SELECT DISTINCT d.evidence, format(CASE d.evidence WHEN 'usually_prompt' THEN '%s von %s Rechnungen pünktlich bezahlt; jetzt %s Tage überfällig' END, VARIADIC d.figures) AS words
FROM told d WHERE d.story = 'forgot';
-- every piece of evidence was seen to hold above
SELECT c.diagnosis, c.evidence FROM dunning.diagnosis_catalogue c EXCEPT SELECT d.diagnosis, d.evidence FROM told d;
SELECT precedence, diagnosis, count(*) AS evidence, sum(weight) FILTER (WHERE weight > 0) >= 1 AS can_hold, max(why) <> '' AS why FROM dunning.diagnosis_catalogue GROUP BY 1, 2 ORDER BY 1;

-- a_figure_that_is_none_is_no_evidence
SELECT count(DISTINCT (a.attname, v.v)) AS tried, count(*) FILTER (WHERE d.words ~ 'NaN|Infinity') AS told
FROM pg_attribute a CROSS JOIN (VALUES ('NaN'), ('Infinity'), ('-Infinity')) v(v)
LEFT JOIN LATERAL dunning.diagnose(jsonb_populate_record(NULL::dunning.debtor_features, '{"n_overdue": 3, "n_paid": 5, "n_late": 3, "n_payments": 9, "promises_broken": 3, "promises_kept": 1,
    "days_past_due": 30, "dpd_roll": 1, "contacts_30d": 3, "responses_30d": 0, "days_since_reached": 100, "days_since_payment": 3}' || jsonb_build_object(a.attname, v.v)), NULL) d ON true
WHERE a.attrelid = 'dunning.debtor_features'::regclass AND a.atttypid = 'float8'::regtype;

-- habits_are_flagged_whatever_the_segment
SELECT n, dunning.habits(jsonb_populate_record(NULL::dunning.debtor_features, h)) FROM (VALUES (1, '{"n_paid": 3, "late_ratio": 0.67, "avg_late": 3}'::jsonb), (2, '{"n_paid": 3, "late_ratio": 0.67, "avg_late": 30}'),
    (3, '{"n_paid": 3, "late_ratio": 0.34, "avg_late": 2}'), (4, '{"n_paid": 3, "late_ratio": 0.34, "avg_late": 2, "paid_before_reminder": 0.4}'), (5, '{"n_paid": 2, "late_ratio": 1, "avg_late": 2}'), (6, '{}')) v(n, h) ORDER BY n;

-- --- trees ---

-- Numbers with gaps and odd values, a boolean, texts with quotes; the outcome hangs on three of them.
CREATE TABLE known AS
SELECT i, i::text AS key, a, CASE WHEN u > 0.1 THEN c END AS c, CASE WHEN u < 0.03 THEN 'NaN' WHEN u < 0.06 THEN 'Infinity' WHEN u < 0.08 THEN '-Infinity' WHEN u > 0.97 THEN NULL ELSE d END AS odd,
    CASE i % 3 WHEN 0 THEN 'it''s' ELSE 'other' END AS kind, i % 4 = 0 AS flag, noise, (dunning._uniform(i::text, 9) < CASE WHEN u <= 0.1 THEN 0.9 WHEN a > 0.6 AND i % 3 = 0 THEN 0.8 WHEN i % 4 = 0 THEN 0.5 ELSE 0.2 END)::int AS y
FROM (SELECT i, dunning._uniform(i::text, 1) AS a, dunning._uniform(i::text, 3) AS c, dunning._uniform(i::text, 4) AS d, dunning._uniform(i::text, 5) AS u, dunning._uniform(i::text, 6) AS noise FROM generate_series(1, 8000) i) g;
ANALYZE known;
CREATE FUNCTION tree(columns text, source text DEFAULT 'known', depth int DEFAULT 4, min_leaf int DEFAULT 0, target text DEFAULT 'y') RETURNS jsonb LANGUAGE sql AS $$
SELECT dunning._learn_tree(format('SELECT key, %s AS target, %s FROM %s', target, columns, source), depth, min_leaf) $$;

-- a_tree_finds_what_made_the_outcome_and_its_leaves_are_where_clauses
SELECT s ->> 'predicate' AS predicate, (s ->> 'n')::int > 50 AS n, round((s ->> 'mean')::numeric, 1) AS mean FROM jsonb_array_elements(tree('a, c, odd, kind, flag, noise') -> 'segments') s;

-- the_server_puts_every_row_where_the_tree_put_it: each leaf holds as many, with the same mean, and no row is in two
CREATE FUNCTION disagreements(learnt jsonb, source text, target text) RETURNS TABLE (leaves int, wrong_count int, wrong_mean int, rows_in_one_leaf boolean) LANGUAGE plpgsql AS $$
DECLARE
    leaf jsonb;
    n bigint;
    mean float8;
    total bigint := 0;
    whole bigint;
BEGIN
    leaves := 0; wrong_count := 0; wrong_mean := 0;
    FOR leaf IN SELECT * FROM jsonb_array_elements(learnt -> 'segments') LOOP
        EXECUTE format('SELECT count(*), avg(%s) FROM %s WHERE %s', target, source, leaf ->> 'predicate') INTO n, mean;
        leaves := leaves + 1;
        wrong_count := wrong_count + (n <> (leaf ->> 'n')::bigint)::int;
        wrong_mean := wrong_mean + (abs(mean - (leaf ->> 'mean')::float8) > 1e-9)::int;
        total := total + n;
    END LOOP;
    EXECUTE format('SELECT count(*) FROM %s', source) INTO whole;
    rows_in_one_leaf := total = whole;
    RETURN NEXT;
END $$;
SELECT * FROM disagreements(tree('a, c, odd, kind, flag, noise'), 'known', 'y');
-- also where the odd column is what counts: NaN sorts after every number, for the server and here
CREATE VIEW odd_one AS SELECT key, odd, a, CASE WHEN odd IS NULL THEN 0.3 WHEN odd = 'NaN' OR odd = 'Infinity' THEN 1 WHEN odd = '-Infinity' THEN 0 ELSE (odd > 0.5)::int * 0.5 END AS y FROM known;
SELECT leaves > 2 AS leaves, wrong_count, wrong_mean, rows_in_one_leaf FROM disagreements(tree('odd', 'odd_one'), 'odd_one', 'y');
CREATE VIEW whole AS SELECT key, (i % 100)::int AS n, (i % 7)::smallint AS small, (i * 1000000007::bigint) AS big, (i % 100 > 41 AND i % 7 <> 3)::int AS y FROM known;
SELECT leaves > 1 AS leaves, wrong_count, wrong_mean, rows_in_one_leaf FROM disagreements(tree('n, small, big', 'whole'), 'whole', 'y');
CREATE VIEW texts AS SELECT key, CASE WHEN i % 10 < 8 THEN 'level ' || i % 5 END AS level, flag, (i % 5 = 2 AND i % 10 < 8)::int AS y FROM known;
SELECT s ->> 'predicate' AS predicate FROM jsonb_array_elements(tree('level, flag', 'texts') -> 'segments') s;
SELECT * FROM disagreements(tree('level, flag', 'texts'), 'texts', 'y');

-- a_tree_does_not_hang_on_the_order_of_rows_or_on_the_plan
SELECT count(DISTINCT t) AS trees FROM (
    SELECT tree('a, c, odd, kind, flag, noise') UNION ALL SELECT tree('a, c, odd, kind, flag, noise', '(SELECT * FROM known ORDER BY md5(key)) x')
    UNION ALL SELECT tree('a, c, odd, kind, flag, noise', '(SELECT * FROM known ORDER BY y, a) x')) x(t);
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT tree('a, c, odd, kind, flag, noise') AS in_parallel \gset
COMMIT;
SELECT tree('a, c, odd, kind, flag, noise') = :'in_parallel'::jsonb AS same;

-- an_outcome_of_chance_gives_no_tree
SELECT sum(jsonb_array_length(tree('a, c, odd, kind, flag, noise', target => format('(dunning._uniform(key, %s) < 0.4)::int', 100 + s)) -> 'segments') - 1) AS splits FROM generate_series(1, 20) s;
-- depth is asked by folds: one split made this outcome
SELECT jsonb_array_length(tree('a, noise', target => '(dunning._uniform(key, 9) < CASE WHEN a > 0.5 THEN 0.7 ELSE 0.3 END)::int') -> 'segments') AS leaves;

-- bad_input_is_an_error_or_does_nothing
SELECT tree('a', '(SELECT * FROM known LIMIT 1) x');
\echo :SQLSTATE
SELECT tree('a', '(SELECT * FROM known LIMIT 0) x');
SELECT tree('NULL::float8 AS nothing, 7 AS same, NULL::text AS no_text');
\echo :SQLSTATE
SELECT jsonb_array_length(tree('NULL::float8 AS nothing, 7 AS same, ''NaN''::float8 AS never, a') -> 'segments') > 1 AS leaves;
SELECT tree('a', target => 'NULL::float8');
SELECT tree('a', target => '''NaN''::float8');
SELECT tree('a', target => 'kind');
\echo :SQLSTATE
SELECT tree('now() AS at');
SELECT dunning._learn_tree('SELECT 1 AS key', 4, 0);
SELECT dunning._learn_tree('DELETE FROM known RETURNING key, y AS target, a', 4, 0);
-- a million levels are a key, not a feature
SELECT s ->> 'predicate' AS predicate FROM jsonb_array_elements(dunning._learn_tree('SELECT i AS key, i % 2 AS target, md5(i::text) AS id, i % 2 = 1 AS odd FROM generate_series(1, 1000000) i', 4, 0) -> 'segments') s;
-- more rows than fit are a sample, the same one in any order
SET dunning.train_memory = '256kB';
SET client_min_messages = notice;
SELECT tree('a, c, kind, flag') = tree('a, c, kind, flag', '(SELECT * FROM known ORDER BY md5(key)) x') AS same;
RESET dunning.train_memory;
SET client_min_messages = 'warning';

-- --- groups ---

-- groups_that_stand_apart_are_found_and_told_by_predicates
CREATE VIEW cloud AS SELECT key, kind, a + CASE WHEN noise < 0.5 THEN 3 ELSE 0 END AS x, coalesce(c, 0.5) + CASE WHEN noise < 0.5 THEN 3 WHEN noise < 0.7 THEN 6 ELSE 0 END AS y, odd AS z FROM known;
CREATE FUNCTION groups(columns text, source text, most int DEFAULT 8) RETURNS jsonb LANGUAGE sql AS $$
SELECT dunning._learn_groups(format('SELECT key, %s FROM %s', columns, source), 4, 0, 2, most, 1) $$;
SELECT g -> 'k' AS k, (g ->> 'fidelity')::float8 > 0.95 AS told_apart, (SELECT max(s.value::float8) FROM jsonb_each_text(g -> 'silhouette') s) > 0.4 AS apart FROM groups('x, y', 'cloud') g;
SELECT s ->> 'predicate' AS predicate, c ->> 'column' AS told_by FROM jsonb_array_elements(groups('x, y', 'cloud') -> 'segments') s, LATERAL (SELECT c FROM jsonb_array_elements(s -> 'columns') c LIMIT 1) c;
SELECT leaves > 1 AS groups, wrong_count, rows_in_one_leaf FROM disagreements(groups('x, y, z', 'cloud'), 'cloud', '1');
SELECT groups('x, y, z', 'cloud') = groups('x, y, z', '(SELECT * FROM cloud ORDER BY md5(key)) x') AS same;
SELECT groups('1 AS same', 'cloud');
SELECT groups('kind', 'cloud');
\echo :SQLSTATE
SELECT groups('x', '(SELECT * FROM cloud LIMIT 1) x');

-- --- splits by effect ---

-- a_split_holds_where_the_effect_differs_and_not_where_it_is_the_same
CREATE FUNCTION splits(effect text, seed int DEFAULT 1, min_units int DEFAULT 100) RETURNS jsonb LANGUAGE sql AS $$
SELECT dunning._learn_splits(format('SELECT key, 1 AS segment, 1 + t AS arm, (dunning._uniform(key, %s) < 0.3 + t * (%s))::int AS outcome, a, c, odd, kind, flag, noise FROM (SELECT *, (dunning._uniform(key, %s) < 0.5)::int AS t FROM known) k',
    1000 + seed, effect, 2000 + seed), 1, 2, min_units, 0.05) -> 'splits' -> 0 $$;
SELECT s ->> 'left' AS "left", s ->> 'right' AS "right", s -> 'holds' AS holds, abs((s ->> 'gap')::float8) > (s ->> 'half_width')::float8 AS shown FROM splits('CASE WHEN kind = ''other'' THEN 0.3 ELSE 0 END') s;
SELECT s ->> 'left' AS "left", s -> 'holds' AS holds FROM splits('CASE WHEN c IS NULL THEN 0.5 ELSE 0 END', 1, 50) s;
SELECT s -> 'holds' AS holds, (s #>> '{all,difference}')::float8 > (s #>> '{all,half_width}')::float8 AS works FROM splits('0.2') s;
-- of a hundred tests without any difference hardly one is split; the half that chose would have split most (a plain 95 % interval, in its own units)
SELECT count(*) FILTER (WHERE (s ->> 'holds')::boolean) <= 2 AS seldom, count(*) FILTER (WHERE abs(d.gap) > 1.96 * (s ->> 'half_width')::float8 / 3.03) > 50 AS the_choosing_half_would_have
FROM generate_series(1, 100) n, LATERAL splits('0.1', n) s, LATERAL (SELECT (s #>> '{left_chosen,difference}')::float8 - (s #>> '{right_chosen,difference}')::float8 AS gap) d;
-- too few units: none is looked for
SELECT s ? 'gap' AS looked FROM splits('CASE WHEN kind = ''other'' THEN 0.3 ELSE 0 END', 1, 4000) s;
SELECT dunning._learn_splits('SELECT key, 1 AS segment, 1 AS arm, 0 AS outcome, a FROM known WHERE false', 1, 2, 50, 0.05);

-- --- a book ---

SET dunning.clock = '2026-07-01 09:00+00';
SET dunning.timezone = 'UTC';
CREATE TABLE d (debtor_id text PRIMARY KEY, creditor text, email text);
CREATE TABLE i (invoice_id text PRIMARY KEY, debtor_id text, issued_on date, due_on date, amount numeric, currency text, disputed boolean);
CREATE TABLE p (debtor_id text, invoice_id text, paid_at timestamptz, amount numeric, currency text);
-- s1 to s1600 pay late, the others in time; the odd ones have small invoices
INSERT INTO d SELECT 's' || n, 'north', 's' || n || '@debtors.test' FROM generate_series(1, 2000) n;
INSERT INTO i SELECT 's' || n || '-' || m, 's' || n, due - 14, due, CASE n % 2 WHEN 1 THEN 50 ELSE 500 END + n % 7, 'EUR', false
FROM generate_series(1, 2000) n, generate_series(0, 9) m, LATERAL (SELECT (date '2025-09-10' + make_interval(months => m))::date AS due) x;
GRANT USAGE ON SCHEMA segment_test TO dunning_owner, dunning_worker;
GRANT SELECT ON d, i, p TO dunning_owner, dunning_worker;
-- the test: in the fortnight from 12 May, empathy brings half of the small late ones to pay, and does nothing for the others
SET dunning.clock = '2026-05-01 09:00+00';
SELECT arm, control FROM dunning.start_experiment('framing-test', '["neutral", "empathy"]', window_days => 14);
SELECT arm, control FROM dunning.start_experiment('framing-none', '["neutral", "empathy"]', window_days => 14);
SET dunning.clock = '2026-05-12 09:00+00';
SELECT dunning.bind('debtor', 'segment_test.d'), dunning.bind('invoice', 'segment_test.i'), dunning.bind('payment', 'segment_test.p') \g /dev/null
SELECT dunning._assign(e, ARRAY(SELECT debtor_id FROM d)) FROM unnest('{framing-test,framing-none}'::text[]) e;
SET dunning.clock = '2026-07-01 09:00+00';
INSERT INTO p SELECT debtor_id, invoice_id, (due_on + CASE WHEN NOT late THEN -2 WHEN due_on = '2026-05-10' THEN CASE WHEN dunning._uniform(debtor_id, 77) < 0.2 + CASE WHEN small AND arm = 'empathy' THEN 0.5 ELSE 0 END THEN 8 ELSE 25 END ELSE 12 + m % 3 END)::timestamp AT TIME ZONE 'UTC', amount, 'EUR'
FROM (SELECT i.*, substr(i.debtor_id, 2)::int <= 1600 AS late, i.amount < 100 AS small, a.arm, split_part(invoice_id, '-', 2)::int AS m FROM i JOIN dunning.assignment a ON a.debtor_id = i.debtor_id AND a.experiment = 'framing-test') x
WHERE NOT (late AND due_on = '2026-06-10');
ANALYZE d, i, p;
SELECT segment, debtors FROM dunning.score();

-- a_tree_is_learnt_of_what_fell_due_from_what_was_known_before
SELECT * FROM dunning.learn_segments();
SELECT version, kind, segments, in_force, metrics -> 'n' AS n FROM dunning.segment_history;
-- what comes at or after the days that are looked at has no part in where it splits
SELECT segments AS learnt FROM dunning.segment_version WHERE version = 1 \gset
BEGIN;
UPDATE i SET amount = amount * 3, disputed = true WHERE due_on >= '2026-06-01';
SELECT version AS later FROM dunning.learn_segments() LIMIT 1 \gset
SELECT s.value ->> 'predicate' = o.value ->> 'predicate' AS same FROM dunning.segment_version v, jsonb_array_elements(v.segments) WITH ORDINALITY s JOIN jsonb_array_elements(:'learnt') WITH ORDINALITY o USING (ordinality)
WHERE v.version = :later;
ROLLBACK;

-- the_version_comes_into_force_and_goes_again
SELECT dunning.save_segment('large', 'amount_open > 5000', 5, 'owes much');
SELECT dunning.assign_strategy('late-ones', 'consumer', segment => 'habitual_late') \g /dev/null
SET client_min_messages = notice;
SELECT segment, "position", change FROM dunning.use_segments(1);
SET client_min_messages = 'warning';
SELECT segment, debtors FROM dunning.score();
SELECT version, kind, segments, in_force FROM dunning.segment_history;
-- own predicates stand before what is learnt next
SELECT dunning.save_segment('large', 'amount_open > 5000', 5, 'owes much');
SELECT segment, "position" FROM dunning.learn_segments('tree', options => '{"depth": 1}');
SELECT segment, change FROM dunning.use_segments(2);
SELECT segment, debtors FROM dunning.score();
SELECT version, kind, in_force FROM dunning.segment_history;
SELECT dunning.reset_segment('large'), dunning.assign_strategy('late-ones', 'consumer', segment => 'habitual_late', enabled => false) IS NOT NULL AS off;

-- scores_and_kmeans_make_segments_too
SELECT v.kind, count(*) > 1 AS segments FROM (VALUES ('tree', '{"target": "p_late", "depth": 2, "columns": ["late_ratio", "n_paid", "p_self_cure"]}'), ('kmeans', '{"k_most": 4}'), ('kmeans', '{"columns": ["late_ratio", "avg_late", "p_late"]}')) v(kind, o),
    LATERAL dunning.learn_segments(v.kind, options => v.o::jsonb) s GROUP BY v.kind, v.o ORDER BY v.o;
SELECT predicate, description FROM dunning.learn_segments('kmeans', options => '{"columns": ["late_ratio", "avg_late"], "k_most": 2}');

-- options_are_checked_and_the_hint_runs
SELECT dunning.learn_segments('forest');
SELECT dunning.learn_segments('tree', options => '{"dpeth": 3}');
SELECT dunning.learn_segments('tree', options => '{"depth": 9}');
SELECT dunning.learn_segments('tree', options => '{"depth": "deep"}');
SELECT dunning.learn_segments('tree', options => '{"target": "profit"}');
SELECT dunning.learn_segments('tree', options => '{"columns": ["p_late"]}');
SELECT dunning.learn_segments('tree', options => '{"columns": ["name"]}');
\echo :SQLSTATE
SELECT dunning.learn_segments('kmeans', options => '{"k_least": 5, "k_most": 3}');
SELECT dunning.learn_segments('tree', options => '[]');
SELECT dunning.learn_segments('tree', options => '{"min_leaf": 100000}');
\echo :SQLSTATE
SELECT dunning.learn_segments('tree', 'infinity');
SET client_min_messages = notice;
SELECT * FROM dunning.learn_segments('tree', options => '{"columns": ["amount_mean"]}');
SET client_min_messages = 'warning';
SELECT dunning.use_segments(99);
SELECT dunning.use_segments(NULL);
-- a version whose predicate cannot be run any more is refused whole
INSERT INTO dunning.segment_version SELECT 98, 'own', '[{"segment": "odd", "position": 1, "predicate": "true) OR (SELECT true", "description": ""}]', '{}', NULL, NULL, '', now(), 'test';
SELECT dunning.use_segments(98);
DELETE FROM dunning.segment_version WHERE version = 98;

-- what_was_written_and_switched_off_stays_when_a_version_comes_and_goes
BEGIN;
SELECT dunning.save_segment('draft', 'n_paid > 3', 3, 'for later', false);
SELECT count(*) FROM dunning.use_segments(1) \g /dev/null
SELECT segment, enabled, description FROM dunning.segment WHERE NOT builtin AND segment = 'draft';
SELECT count(*) AS in_force FROM dunning._segments() WHERE segment = 'draft';
ROLLBACK;

-- a_predicate_names_a_creditor_as_it_is_called
BEGIN;
UPDATE d SET creditor = CASE WHEN substr(debtor_id, 2)::int > 1600 THEN 'north' ELSE 'it''s "#VERSION#" \ %s' END;
SELECT segment, predicate, debtors FROM dunning.learn_segments('tree', options => '{"columns": ["creditor"]}');
ROLLBACK;

-- a_predicate_that_score_could_not_run_is_refused_when_it_is_saved: no cast makes a boolean of it, and it is asked of one debtor
SELECT dunning.save_segment('odd', 'n_paid', 3);
\echo :SQLSTATE
SELECT dunning.save_segment('odd', 'diagnosis', 3);
SELECT dunning.save_segment('odd', 'count(*) > 0', 3);
SELECT dunning.save_segment('odd', 'generate_series(1, 2) > 1', 3);

-- a_predicate_that_fails_on_one_debtor_is_named_and_the_scores_of_before_stand
BEGIN;
SELECT count(*) AS scored FROM dunning.score_result \gset
SELECT dunning.save_segment('first', 'n_paid > 1000000', 1), dunning.save_segment('odd', '1 / (substr(debtor_id, 2)::int - 17) > 5', 2), dunning.save_segment('after', 'n_late / nullif(n_paid, 0) > 2', 3);
SAVEPOINT before;
SELECT * FROM dunning.score();
\echo :SQLSTATE
ROLLBACK TO before;
SELECT count(*) = :scored AS stand FROM dunning.score_result;
SELECT dunning.save_segment('odd', '1 / (substr(debtor_id, 2)::int - 17) > 5', 2, enabled => false);
SELECT sum(debtors) AS debtors FROM dunning.score();
-- (one that nobody reaches fails nobody)
SELECT dunning.save_segment('odd', '1 / (substr(debtor_id, 2)::int - 17) > 5', 2), dunning.save_segment('first', 'debtor_id = ''s17''', 1);
SELECT segment, debtors FROM dunning.score() WHERE segment = 'first';
ROLLBACK;

-- a_test_shows_that_a_segment_is_two
SELECT max(version) AS before FROM dunning.segment_version \gset
SELECT segment, arm, CASE WHEN part ~ '(amount|payment)' THEN 'by amount' ELSE part END AS part, control_n > 100 AND treated_n > 100 AS units, round(difference::numeric, 1) AS difference, lower < difference AND difference < upper AS interval,
    regexp_replace(verdict, '[0-9.]+', '#', 'g') AS verdict, version > :before AS proposed
FROM dunning.split_segments('framing-test', 100);
SELECT kind, in_force, metrics ->> 'looked_at' AS looked_at FROM dunning.segment_history WHERE version > :before;
SELECT s ->> 'segment' ~ '^habitual_late_v[0-9]+_[12]$' AS named, s ->> 'predicate' LIKE '(n_paid >= 3 AND late_ratio >= 0.5) AND %' AS within, s -> 'treatment' AS treatment
FROM dunning.segment_version v, jsonb_array_elements(v.segments) s WHERE v.version > :before AND s ->> 'segment' LIKE 'habitual_late%';
SELECT count(*) FROM dunning.use_segments(:before + 1) \g /dev/null
SELECT CASE WHEN segment LIKE 'habitual_late_v%' THEN 'part' ELSE segment END AS segment, debtors FROM dunning.score();
SELECT segment LIKE 'habitual_late_v%' AS part, framing FROM dunning.segment_treatment;
-- what does not differ is not split
SELECT count(version) AS proposed, count(*) FILTER (WHERE part = 'all' AND verdict LIKE 'no split%') > 0 AS told FROM dunning.split_segments('framing-none', 100);
SELECT dunning.split_segments('nothing');
SELECT dunning.split_segments('framing-test', 10);
SELECT dunning.split_segments('framing-test', alpha => 'NaN');
-- arms that do not hold their shares prove nothing
BEGIN;
DELETE FROM dunning.assignment WHERE experiment = 'framing-none' AND arm = 'empathy' AND dunning._uniform(debtor_id, 5) < 0.3;
SELECT dunning.split_segments('framing-none');
\echo :SQLSTATE
ROLLBACK;
-- nobody is a unit yet
BEGIN;
DELETE FROM dunning.assignment WHERE experiment = 'framing-none';
SELECT * FROM dunning.split_segments('framing-none', 100);
ROLLBACK;

-- rights_are_those_of_the_roles
SET ROLE dunning_viewer;
SELECT count(*) > 0 AS sees FROM dunning.segment_history;
SELECT dunning.learn_segments();
SELECT dunning.split_segments('framing-test');
RESET ROLE;
SET ROLE dunning_operator;
SELECT dunning.use_segments(1);
SELECT dunning.set_treatment('new', channel => 'sms');
SELECT dunning._learn_tree('SELECT 1', 1, 1);
RESET ROLE;

SELECT dunning.unbind('debtor'), dunning.unbind('invoice'), dunning.unbind('payment') \g /dev/null
RESET dunning.clock;
DELETE FROM dunning.segment_version;
DELETE FROM dunning.segment_treatment;
DELETE FROM dunning.segment WHERE NOT builtin;
DELETE FROM dunning.strategy_rule WHERE rule = 'late-ones';
DELETE FROM dunning.assignment WHERE experiment LIKE 'framing-%';
DELETE FROM dunning.arm WHERE experiment LIKE 'framing-%';
DELETE FROM dunning.experiment WHERE experiment LIKE 'framing-%';
DELETE FROM dunning.plan_change;
DELETE FROM dunning.score_result;

SET client_min_messages = 'warning';
DROP SCHEMA segment_test CASCADE;
RESET ALL;
