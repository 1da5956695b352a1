-- score_input: what a query may bring: names, types, scales, twins, and calls that come at the same time.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET extra_float_digits = 1;
\set SHOW_CONTEXT never
\set VERBOSITY default
CREATE SCHEMA input_test;
SET search_path = input_test, public;

-- A number in [0, 1) that depends on i and k alone.
CREATE FUNCTION h(i int, k int) RETURNS float8 LANGUAGE sql IMMUTABLE
    AS $$ SELECT ('x' || substr(md5(i || '-' || k), 1, 8))::bit(32)::bigint::float8 / 4294967296 $$;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN counted AS int CHECK (value > 0);
CREATE TABLE input AS
SELECT i, h(i, 1) AS x, h(i, 2) AS z, h(i, 1) + 0.4 * h(i, 3) + (i % 3) * 0.2 > 0.9 AS y FROM generate_series(1, 3000) i;
CREATE VIEW typed AS
SELECT y, CASE WHEN i % 7 > 0 THEN x END AS "It's ""x""; --", (ARRAY['ab', 'c', 'abcde'])[1 + i % 3]::char(5) AS padded, ((ARRAY['sad', 'ok', 'happy'])[1 + i % 3])::mood AS mood,
       (1 + i % 9)::counted AS counted, timestamptz '2026-01-01 00:00+00' + make_interval(hours => i) AS "Zeitpünkt", (i % 4)::"char" AS "char", md5((i % 5)::text)::uuid AS "user",
       CASE i % 3 WHEN 0 THEN 2147483647 WHEN 1 THEN -2147483648 ELSE i END AS word, CASE i % 9 WHEN 0 THEN 9223372036854775807 WHEN 1 THEN -9223372036854775808 ELSE i END AS long,
       CASE i % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' ELSE z::numeric END AS numeric, CASE i % 8 WHEN 0 THEN 'Infinity' WHEN 1 THEN 1e300 WHEN 2 THEN -1e300 ELSE z * 1e30 END AS huge
FROM input;

-- sql_text_and_prediction_agree_on_every_type_and_name
CREATE FUNCTION off(model text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    result float8;
BEGIN
    EXECUTE format('SELECT max(abs(p - (%s))) FROM (SELECT t.*, dunning.predict(%L, t) AS p FROM input_test.typed t) t', dunning.model_sql(model), model) INTO result;
    RETURN result;
END $$;
SELECT k, f.auc > 0.8 AS good FROM unnest('{logistic,scorecard,gbdt}'::text[]) k, dunning.fit('typed_' || k, 'SELECT * FROM typed', 'y', k, '{"folds": 2}') f;
SELECT k, off('typed_' || k) < 1e-12 AS same FROM unnest('{logistic,scorecard,gbdt}'::text[]) k;
-- a_padded_text_is_the_text_without_its_padding
SELECT dunning.predict('typed_logistic', t) = dunning.predict('typed_logistic', u) AS same
FROM (SELECT * FROM typed LIMIT 1) t, LATERAL (SELECT t."It's ""x""; --", rtrim(t.padded::text) AS padded, t.mood, t.counted, t."Zeitpünkt", t."char", t."user", t.word, t.long, t.numeric, t.huge) u;

-- a_column_that_stands_twice_is_refused_also_where_it_is_the_label_or_the_group
SELECT dunning.fit('twin', 'SELECT x, y, y FROM input', 'y');
\echo :SQLSTATE
SELECT dunning.fit('twin', 'SELECT x, y, i % 50 AS g, x AS g FROM input', 'y', options => '{"group": "g"}');
SELECT dunning.fit('twin', 'SELECT z, x AS "An x", i AS "An x", y FROM input', 'y');
SELECT n FROM dunning.fit('twin', 'SELECT x, z, z, y FROM input', 'y', 'logistic', '{"exclude": ["z"]}');

-- types_that_are_no_features_are_refused_with_the_sql_that_makes_them_one
SELECT dunning.fit('type', 'SELECT make_interval(days => i) AS "how old", y FROM input', 'y');
\echo :SQLSTATE
SELECT n FROM dunning.fit('type', 'SELECT (extract(epoch FROM make_interval(days => i)) / 86400) AS "how old", y FROM input', 'y', 'logistic');
SELECT dunning.fit('type', 'SELECT x::numeric::money AS price, y FROM input', 'y');
SELECT dunning.fit('type', 'SELECT ARRAY[i] AS "it''s", y FROM input', 'y');
SELECT n FROM dunning.fit('type', 'SELECT ARRAY[i] AS "it''s", x, y FROM input', 'y', 'logistic', '{"exclude": ["it''s"]}');

-- a_label_that_is_none_is_refused_with_the_condition_that_is_one
SELECT dunning.fit('label', 'SELECT x, ''yes'' AS y FROM input', 'y');
SELECT dunning.fit('label', 'SELECT x, 2 AS y FROM input', 'y');
SELECT dunning.fit('label', 'SELECT x, date ''2026-01-01'' AS y FROM input', 'y');
SELECT dunning.fit('label', 'SELECT x, ARRAY[1] AS y FROM input', 'y');

-- what_a_sample_lacks_is_told_from_what_the_query_lacks
CREATE TABLE rare AS SELECT i, h(i, 1) AS x, i % 400 = 0 AS y FROM generate_series(1, 20000) i;
SELECT dunning.fit('rare', 'SELECT x, y FROM rare', 'y', 'logistic', '{"rows": 1000}');
\echo :SQLSTATE
SELECT auc BETWEEN 0 AND 1 AS auc, log_loss < 0.03 AS loss FROM unnest('{logistic,scorecard,gbdt}'::text[]) k, dunning.fit('rare_' || k, 'SELECT x, y FROM rare', 'y', k) f;
SELECT dunning.fit('rare', 'SELECT 1 AS one, NULL::int AS never, y FROM rare', 'y');

-- perfectly_separable_rows_give_finite_weights_and_scores_inside_0_and_1
SELECT auc FROM dunning.fit('apart', 'SELECT y::int AS copy, x + y::int * 10 AS far, y FROM input', 'y', 'logistic', '{"lambda": 0}');
SELECT bool_and((f ->> 'slope')::float8 BETWEEN -1000 AND 1000) AS finite FROM dunning.model m, jsonb_array_elements(m.body -> 'features') f WHERE m.model = 'apart';
SELECT bool_and(p > 0 AND p < 1) AS inside FROM input i, LATERAL dunning.predict('apart', (SELECT r FROM (SELECT y::int AS copy, x + y::int * 1e300 AS far) r)) p;

-- long_texts_are_a_key_and_do_not_fill_the_memory
SET client_min_messages = notice;
SELECT n FROM dunning.fit('long', 'SELECT repeat(md5((i % 400)::text), 200) AS body, x, y FROM input', 'y', 'logistic');
SET client_min_messages = warning;

-- an_option_that_is_refused_is_shown
\set VERBOSITY default
CREATE FUNCTION refused(options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM dunning.fit('option', 'SELECT x, y FROM input_test.input', 'y', options => options);
    RETURN 'not refused';
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN sqlerrm || ': ' || detail;
END $$;
\pset format unaligned
SELECT refused(o) FROM unnest(ARRAY['{"fold": 5}', '{"folds": "5"}', '{"folds": 2.5}', '{"seed": -1}', '{"seed": 1e20}', '{"group": null}', '{"exclude": {"x": 1}}', '{"class_weights": {"0": 0, "1": 1}}',
    '{"class_weights": {"0": -1, "1": 1}}', '{"class_weights": {"0": "NaN", "1": 1}}', '{"calibration": 7}', '{"monotone": {"x": 2}}', '[5]', '"text"', 'null']::jsonb[]) o;
\pset format aligned

-- a_text_that_is_no_number_is_named_with_its_field
SELECT auc > 0.5 AS good FROM dunning.fit('parsed', 'SELECT x AS "How much", z, y FROM input', 'y', 'logistic');
SELECT dunning.predict('parsed', r) FROM (SELECT 'a lot' AS "How much", 1 AS z) r;
\echo :SQLSTATE
SELECT dunning.predict('parsed', r) FROM (SELECT current_date AS "How much", 1 AS z) r;
SELECT dunning.predict('parsed', r) FROM (SELECT interval '1 day' AS "How much", 1 AS z) r;

-- a_reason_that_weighs_nothing_is_not_said_to_raise_or_lower
SELECT auc > 0.5 AS good FROM dunning.fit('flat', 'SELECT x, CASE WHEN i % 2 = 0 THEN 0 ELSE 1 END AS flat, y FROM input', 'y', 'scorecard', '{"bin_gain": 20, "pairs": 0}');
SELECT words FROM dunning.reasons('flat', (SELECT r FROM (SELECT 0.9 AS x, 1 AS flat) r)) WHERE feature = 'flat';

-- keys_that_cannot_be_one_are_refused_before_the_rows_are_scored
SELECT dunning.score_rows('parsed', 'SELECT i AS p, x AS "How much", z FROM input', 'p', 'scored');
\echo :SQLSTATE
SELECT dunning.score_rows('parsed', 'SELECT point(i, 1) AS at, 1 / (i - 2000) AS z, x AS "How much" FROM input', 'at', 'scored');
\echo :SQLSTATE
DO $do$
DECLARE
    hint text;
BEGIN
    PERFORM dunning.score_rows('parsed', 'SELECT i % 2 AS i, x AS "How much", z FROM input_test.input', 'i', 'scored');
EXCEPTION WHEN unique_violation THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE INFO '%', hint;
END $do$;
-- a_long_name_in_any_script_is_cut_between_its_characters
SELECT n FROM dunning.score_rows('parsed', 'SELECT i, x AS "How much", z FROM input', 'i', 'x' || repeat('é', 28));
SELECT DISTINCT convert_from(convert_to(c.relname, 'UTF8'), 'UTF8') ~ '^xé{19}_' AS cut FROM pg_inherits p JOIN pg_class c ON c.oid = p.inhrelid WHERE p.inhparent = ('x' || repeat('é', 28))::regclass;

-- workers_score_a_query_that_ends_in_a_comment
SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
ALTER TABLE input SET (parallel_workers = 3);
SELECT auc > 0.5 AS good FROM dunning.fit('trees', 'SELECT x, z, y FROM input', 'y', 'gbdt', '{"trees": 20, "depth": 3, "min_child_weight": 5, "folds": 2}');
SELECT n, in_workers FROM dunning.score_rows('trees', 'SELECT * FROM input; -- all of them', 'i', 'scored');
SELECT n, in_workers FROM dunning.score_rows('trees', E'/* first */ SELECT * FROM input /* ; */ ;\n /* last */', 'i', 'scored');
SELECT bool_and(s.p = dunning.predict('trees', r)) AS same_bits FROM scored s JOIN input r ON s.i = r.i;
RESET max_parallel_workers_per_gather; RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;

-- a_transaction_that_only_reads_is_refused_before_it_trains
BEGIN READ ONLY;
SELECT dunning.fit('reader', 'SELECT x, 1 / (i - 2000) AS z, y FROM input', 'y');
\echo :SQLSTATE
ROLLBACK;

DROP SCHEMA input_test CASCADE;
DELETE FROM dunning.model WHERE model LIKE 'typed\_%' OR model LIKE 'rare\_%' OR model IN ('twin', 'type', 'apart', 'long', 'parsed', 'flat', 'trees');
