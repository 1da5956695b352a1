-- score: calibration, weights, options, versions: what is the same for every kind of model.
SET timezone = 'UTC';
SET client_min_messages = 'warning';
\set SHOW_CONTEXT never
CREATE SCHEMA version_test;
SET search_path = version_test, public;

-- The label's log-odds are a straight line in x until they bend at 0: what a straight line says of them is wrong on either side.
CREATE TABLE bent AS
SELECT i, x, dunning._uniform(i::text, 9) < 1 / (1 + exp(-(CASE WHEN x < 0 THEN 0.2 ELSE 3 END * x - 1))) AS y, 'g' || i % 400 AS g
FROM (SELECT i, 4 * dunning._uniform(i::text, 1) - 2 AS x FROM generate_series(1, 20000) i) s;
ANALYZE bent;

-- calibration_makes_probabilities_come_true
SELECT kind, ece < 0.015 AS calibrated FROM dunning.fit('isotonic', 'SELECT x, y FROM bent', 'y', 'logistic');
SELECT ece > 0.02 AS not_so_without FROM dunning.fit('plain', 'SELECT x, y FROM bent', 'y', 'logistic', '{"calibration": "none"}');
SELECT ece > 0.02 AS two_numbers_do_not_do FROM dunning.fit('platt', 'SELECT x, y FROM bent', 'y', 'logistic', '{"calibration": "platt"}');
-- calibration_is_learnt_only_where_it_lowers_the_loss: of these a straight line says what is true
CREATE TABLE true_line AS SELECT i, x, dunning._uniform(i::text, 9) < 1 / (1 + exp(-(1.5 * x - 1))) AS y FROM bent;
SELECT ece < 0.015 AS calibrated FROM dunning.fit('true_line', 'SELECT x, y FROM true_line', 'y', 'logistic');
-- platt_under_5000_rows_and_isotonic_above
SELECT ece < 0.03 AS calibrated FROM dunning.fit('few', 'SELECT x, y FROM true_line WHERE i <= 4999', 'y', 'logistic', '{"class_weights": {"0": 1, "1": 9}}');
SELECT model, body -> 'calibration' ->> 'method' AS method, jsonb_array_length(body -> 'calibration' -> 'at') > 5 AS many_knots FROM dunning.model ORDER BY 1;
-- calibration_never_changes_the_order_of_scores
SELECT count(*) FILTER (WHERE a <= before_a AND b > before_b) AS turned, count(*) FILTER (WHERE a = before_a AND b <> before_b) AS made_equal, count(*) > 1000 AS looked
FROM (SELECT a, b, lag(a) OVER w AS before_a, lag(b) OVER w AS before_b
      FROM (SELECT DISTINCT dunning.predict('isotonic', t) AS a, dunning.predict('plain', t) AS b FROM bent t WHERE i <= 2000) p WINDOW w AS (ORDER BY b)) o;
-- a_calibrated_probability_is_that_of_the_knots_in_plain_sql
WITH k AS (SELECT ord, at::float8 AS at, t::float8 AS t, (body -> 'calibration' ->> 'slope')::float8 AS slope, count(*) OVER () AS n
           FROM dunning.model m, LATERAL ROWS FROM (jsonb_array_elements_text(body -> 'calibration' -> 'at'), jsonb_array_elements_text(body -> 'calibration' -> 'to')) WITH ORDINALITY AS k(at, t, ord)
           WHERE m.model = 'isotonic'),
s AS (SELECT b.x, dunning.predict('isotonic', b) AS p, (body ->> 'intercept')::float8 + (body #>> '{features,0,offset}')::float8
             + (body #>> '{features,0,slope}')::float8 * least(greatest(b.x, (body #>> '{features,0,low}')::float8), (body #>> '{features,0,high}')::float8) AS l
      FROM bent b, dunning.model m WHERE m.model = 'isotonic' AND b.i % 50 = 0),
c AS (SELECT s.*, coalesce((SELECT k.t + (n.t - k.t) * (s.l - k.at) / (n.at - k.at) FROM k JOIN k n ON n.ord = k.ord + 1 WHERE s.l > k.at AND s.l < n.at),
                           (SELECT k.t + k.slope * (s.l - k.at) FROM k WHERE k.ord = CASE WHEN s.l <= (SELECT min(at) FROM k) THEN 1 ELSE k.n END)) AS calibrated FROM s)
SELECT max(abs(p - 1 / (1 + exp(-calibrated)))) < 1e-12 AS same, count(*) FROM c;

-- the_sample_of_a_query_that_is_too_large_is_the_same_in_any_order
-- (also of rows that are equal to others)
SET dunning.train_memory = '512kB';
SELECT n BETWEEN 1500 AND 8000 AS sampled FROM dunning.fit('sampled', 'SELECT x, round(x) AS r, y FROM bent ORDER BY i', 'y', 'logistic');
SELECT n BETWEEN 1500 AND 8000 AS sampled FROM dunning.fit('sampled', 'SELECT x, round(x) AS r, y FROM bent ORDER BY md5(i::text)', 'y', 'logistic');
SELECT n FROM dunning.fit('equal', 'SELECT round(x)::text AS r, y FROM bent ORDER BY i', 'y', 'logistic') \g /dev/null
SELECT n BETWEEN 1500 AND 8000 AS sampled, positives BETWEEN 0.9 * share * n AND 1.1 * share * n AS representative
FROM dunning.model, (SELECT avg(y::int)::float8 AS share FROM bent) s, LATERAL (SELECT (metrics ->> 'positives')::int AS positives) p WHERE model = 'equal';
SELECT n BETWEEN 1500 AND 8000 AS sampled FROM dunning.fit('equal', 'SELECT round(x)::text AS r, y FROM bent ORDER BY md5(i::text)', 'y', 'logistic');
RESET dunning.train_memory;
-- (each text has about the share it has in the whole)
SELECT count(*) AS texts, max(abs(share::float8 - whole)) < 0.03 AS as_in_the_whole
FROM dunning.model m, jsonb_each_text(m.feature_stats #> '{0,shares}') s(r, share) JOIN (SELECT round(x)::text AS r, count(*) / 20000.0 AS whole FROM bent GROUP BY 1) w USING (r)
WHERE m.model = 'equal' AND m.version = 1;
SELECT model, count(DISTINCT digest) AS digests, count(*) AS versions FROM dunning.model WHERE model IN ('sampled', 'equal') GROUP BY 1 ORDER BY 1;

-- class_weights_move_the_fit_and_calibration_moves_probabilities_back
SELECT ece > 0.1 AS moved FROM dunning.fit('weighted', 'SELECT x, y FROM bent', 'y', 'logistic', '{"class_weights": {"0": 1, "1": 9}, "calibration": "none"}');
SELECT ece < 0.02 AS moved_back FROM dunning.fit('weighted', 'SELECT x, y FROM bent', 'y', 'logistic', '{"class_weights": {"0": 1, "1": 9}}');
-- balanced_classes_weigh_the_same: the mean prediction without calibration is then a half over both classes
SELECT n FROM dunning.fit('balanced', 'SELECT x, y FROM bent', 'y', 'logistic', '{"class_weights": "balanced", "calibration": "none", "lambda": 0.001}');
SELECT abs(avg(p) FILTER (WHERE y) + avg(p) FILTER (WHERE NOT y) - 1) < 1e-3 AS balanced FROM (SELECT y, dunning.predict('balanced', b) AS p FROM bent b) s;

-- rows_of_one_debtor_never_stand_on_both_sides
-- (the label is the debtor's own coin: with the debtor's other rows in sight it is known, without them it is not)
CREATE TABLE coin AS SELECT 'd' || d AS debtor, 'd' || d AS who, (dunning._uniform('coin' || d, 3) < 0.5) AS y FROM generate_series(1, 100) d, generate_series(1, 20) r;
SELECT auc < 0.65 AS honest FROM dunning.fit('coin', 'SELECT debtor, who, y FROM coin', 'y', 'logistic', '{"group": "debtor", "levels": 100}');
SELECT auc > 0.95 AS else_it_is_known FROM dunning.fit('coin', 'SELECT who, y FROM coin', 'y', 'logistic', '{"levels": 100}');

-- auto_is_the_simplest_kind_within_one_standard_error_of_the_best
-- (both ends are likely: a straight line sees nothing, and no calibration of it can)
CREATE TABLE ends AS SELECT i, x, g, dunning._uniform(i::text, 7) < 1 / (1 + exp(2 - x * x)) AS y FROM bent WHERE i <= 6000;
SELECT n FROM dunning.fit('chosen', 'SELECT x, g, y FROM ends', 'y', options => '{"group": "g"}');
SELECT kind <> 'logistic' AS bent FROM dunning.model WHERE model = 'chosen';
-- (where the line is straight it is the simplest that will do)
CREATE TABLE straight AS SELECT i, x, dunning._uniform(i::text, 8) < 1 / (1 + exp(-x)) AS y FROM bent WHERE i <= 6000;
SELECT kind FROM dunning.fit('straight', 'SELECT x, y FROM straight', 'y');
SELECT m.kind = (SELECT c.kind FROM ROWS FROM (jsonb_to_recordset(m.metrics -> 'candidates') AS (behind float8, kind text, standard_error float8)) WITH ORDINALITY AS c(behind, kind, standard_error, ord)
                 WHERE c.behind <= c.standard_error ORDER BY c.ord LIMIT 1) AS simplest,
       (SELECT array_agg(c.kind ORDER BY c.ord) FROM ROWS FROM (jsonb_to_recordset(m.metrics -> 'candidates') AS (kind text)) WITH ORDINALITY AS c(kind, ord)) [1] AS first_tried,
       (SELECT count(*) FROM jsonb_to_recordset(m.metrics -> 'candidates') AS c(behind float8) WHERE c.behind = 0) > 0 AS one_is_best
FROM dunning.model m WHERE m.model = 'chosen';

-- scores_are_finite_and_inside_0_and_1_whatever_comes
SELECT bool_and(p > 0 AND p < 1) AS inside FROM (SELECT dunning.predict('isotonic', v) AS p FROM (VALUES ('NaN'::float8), ('Infinity'), ('-Infinity'), (1e308), (-1e308), (NULL), (0), (1e-320)) v(x)) s;
CREATE TABLE clear AS SELECT x * 1000 AS x, x > 0 AS y FROM bent;
SELECT auc > 0.999 AS auc, log_loss < 0.01 AS sure FROM dunning.fit('clear', 'SELECT x, y FROM clear', 'y', 'logistic');
SELECT bool_and(p > 0 AND p < 1) AS inside FROM (SELECT dunning.predict('clear', c) AS p FROM clear c) s;

-- options_that_are_none_are_refused_with_those_that_are
SELECT dunning.fit('bad', 'SELECT x, y FROM bent', 'y', 'logistic', '{"class_weights": "light"}');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x, y FROM bent', 'y', 'logistic', '{"class_weights": {"0": 1, "1": 0}}');
SELECT dunning.fit('bad', 'SELECT x, y FROM bent', 'y', 'logistic', '{"class_weights": {"0": 1}}');
SELECT dunning.fit('bad', 'SELECT x, y FROM bent', 'y', 'logistic', '{"class_weights": {"0": 1, "2": 1}}');
SELECT dunning.fit('bad', 'SELECT x, y FROM bent', 'y', 'logistic', '{"calibration": "beta"}');
SELECT dunning.fit('bad', 'SELECT x, y FROM bent', 'y', 'logistic', '{"monotone": {"x": 2}}');
SELECT dunning.fit('bad', 'SELECT x, y FROM bent', 'y', 'logistic', '{"monotone": {"z": 1}}');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x, g, y FROM bent', 'y', 'logistic', '{"monotone": {"g": 1}}');
SELECT dunning.fit('bad', 'SELECT x, y FROM bent', 'y', 'logistic', '{"exclude": [1]}');
SELECT dunning.fit('bad', 'SELECT x, y FROM bent', 'y', 'logistic', '{"folds": 2.5}');
SELECT dunning.fit('bad', 'SELECT x, y FROM bent', 'y', 'logistic', '{"folds": null}');

-- a_query_that_fails_half_way_leaves_nothing
SELECT dunning.fit('bad', 'SELECT 1 / (i - 15000) AS x, y FROM bent', 'y', 'logistic');
\echo :SQLSTATE
SELECT count(*) FROM dunning.progress;
-- a_million_levels_are_a_key_and_left_out_with_a_notice
SET client_min_messages = 'notice';
SELECT n FROM dunning.fit('keyed', 'SELECT i::text || ''-'' || r AS key, x, y FROM bent, generate_series(1, 50) r', 'y', 'logistic', '{"folds": 2}');
SET client_min_messages = 'warning';
-- fewer_rows_than_bins_can_be_calibrated
SELECT n FROM dunning.fit('tiny', 'SELECT x, y FROM (SELECT * FROM bent WHERE y ORDER BY i LIMIT 60) a UNION ALL SELECT x, y FROM (SELECT * FROM bent WHERE NOT y ORDER BY i LIMIT 60) b', 'y', 'logistic', '{"calibration": "isotonic"}');
SELECT bool_and(p > 0 AND p < 1) AS inside FROM (SELECT dunning.predict('tiny', b) AS p FROM bent b) s;
-- not_a_number_and_infinity_are_missing
SELECT (SELECT body #> '{features}' FROM dunning.model WHERE model = 'holes') IS NULL AS not_yet, n
FROM dunning.fit('holes', 'SELECT CASE i % 4 WHEN 0 THEN ''NaN'' WHEN 1 THEN ''Infinity'' WHEN 2 THEN NULL ELSE x END AS x, y FROM bent', 'y', 'logistic');
SELECT count(DISTINCT dunning.predict('holes', v)) FROM (VALUES ('NaN'::float8), ('Infinity'), ('-Infinity'), (NULL)) v(x);
SELECT f -> 'missing' AS missing FROM dunning.model, jsonb_array_elements(feature_stats) f WHERE model = 'holes';
-- a_column_that_went_missing_or_changed_its_type_is_named
SELECT dunning.predict('isotonic', v) FROM (VALUES (1)) v(y);
\echo :SQLSTATE
SELECT dunning.predict('isotonic', v) FROM (VALUES (now())) v(x);
\echo :SQLSTATE

-- a_model_of_a_newer_format_or_kind_is_refused
CREATE FUNCTION store(name text, body jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO dunning.model (model, version, kind, state, query, label, seed, body, metrics, feature_stats, digest, n, trained_at, trained_by)
    SELECT name, 1, 'logistic', 'champion', 'q', 'y', 1, $2, '{}', '[]', encode(sha256(convert_to($2::text, 'UTF8')), 'hex'), 1, now(), 'x' $$;
SELECT store('newer', body || '{"format": 3}'), store('alien', body || '{"kind": "oracle"}'), store('torn', body - 'intercept'),
       store('first', (body - 'format') - 'calibration') FROM dunning.model WHERE model = 'plain' \g /dev/null
SELECT dunning.predict('newer', b) FROM bent b WHERE i = 1;
\echo :SQLSTATE
SELECT dunning.predict('alien', b) FROM bent b WHERE i = 1;
SELECT dunning.predict('torn', b) FROM bent b WHERE i = 1;
\echo :SQLSTATE
-- a_model_of_the_first_format_predicts_as_it_did
SELECT dunning.predict('first', b) = dunning.predict('plain', b) AS same FROM bent b WHERE i = 1;
-- a_body_that_was_changed_is_not_used
UPDATE dunning.model SET body = jsonb_set(body, '{intercept}', '1') WHERE model = 'first';
DO $$ BEGIN PERFORM dunning.export_model('first'); EXCEPTION WHEN SQLSTATE 'DN004' THEN RAISE INFO '%', SQLERRM; END $$;
UPDATE dunning.model SET digest = repeat('0', 64) WHERE model = 'first';
SELECT dunning.predict('first', b) FROM bent b WHERE i = 1;
\echo :SQLSTATE

-- rollback_goes_back_as_often_as_there_was_a_champion_before
SELECT dunning.fit('stack', format('SELECT x, y FROM bent WHERE i <= %s000', n), 'y', 'logistic') FROM generate_series(1, 3) n \g /dev/null
SELECT dunning.promote('stack', 2), dunning.promote('stack', 3), dunning.promote('stack', 3) AS again;
SELECT version, state FROM dunning.model WHERE model = 'stack' ORDER BY 1;
SELECT dunning.predict('stack', b) AS third FROM bent b WHERE i = 1 \gset
SELECT dunning.rollback('stack');
SELECT dunning.predict('stack', b) <> :third AS predicts_with_another FROM bent b WHERE i = 1;
SELECT dunning.rollback('stack');
SELECT dunning.rollback('stack');
\echo :SQLSTATE
SELECT dunning.rollback('nothing');
SELECT version, state FROM dunning.model WHERE model = 'stack' ORDER BY 1;
SELECT change, version, from_state, to_state, replaced, changed_by = session_user AS by_me FROM dunning.model_change WHERE model = 'stack' ORDER BY 1;
-- a_version_that_was_champion_twice_is_gone_back_through_twice
SELECT dunning.promote('stack', 2), dunning.promote('stack', 1), dunning.rollback('stack'), dunning.rollback('stack');
SELECT dunning.rollback('stack');
-- after_a_rollback_promotion_starts_from_there
SELECT dunning.promote('stack', 3), dunning.rollback('stack');
-- a_champion_is_not_retired
SELECT dunning.retire('stack', 1);
\echo :SQLSTATE
SELECT dunning.retire('stack', 2), dunning.retire('stack', 9);
SELECT dunning.promote('stack', NULL);

-- an_export_holds_all_of_a_version_and_its_digest_verifies
SELECT jsonb_object_keys(dunning.export_model('stack', 2)) AS key ORDER BY 1;
SELECT e ->> 'version' AS version, e ->> 'digest' = encode(sha256(convert_to((e -> 'body')::text, 'UTF8')), 'hex') AS verifies FROM dunning.export_model('stack') e;
SELECT dunning.export_model('stack', 9);
SELECT dunning.export_model('nothing');

-- rights_are_those_of_the_roles
SET ROLE dunning_operator;
SELECT dunning.rollback('stack');
SELECT dunning.export_model('stack');
SELECT count(*) > 0 AS sees_changes FROM dunning.model_change;
RESET ROLE;

DELETE FROM dunning.model;
DELETE FROM dunning.model_change;
DROP SCHEMA version_test CASCADE;
RESET ALL;

-- What a query may bring: names, types, scales, and columns that stand twice.
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

-- a_field_that_stands_twice_is_refused_where_the_model_reads_it
SELECT dunning.score_rows('parsed', 'SELECT i, x AS "How much", z, -z AS z FROM input', 'i', NULL);
\echo :SQLSTATE
SELECT n FROM dunning.score_rows('parsed', 'SELECT i, x AS "How much", z, y, y FROM input', 'i', NULL);
SELECT dunning.evaluate('parsed', 'SELECT x AS "How much", z, y, NOT y AS y FROM input', 'y');
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
