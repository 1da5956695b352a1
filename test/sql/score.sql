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
FROM dunning.fit('known', 'SELECT x1, x2, gaps, letter, day, even, late FROM sample', 'late', options => '{"lambda": 0.01}');
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
SELECT version FROM dunning.fit('known', 'SELECT x1, x2, gaps, letter, day, even, late FROM sample ORDER BY md5(i::text)', 'late', options => '{"lambda": 0.01}');
SELECT count(DISTINCT digest) AS digests, count(DISTINCT metrics) AS metrics, array_agg(state ORDER BY version) AS states,
       bool_and(digest = encode(sha256(convert_to(body::text, 'UTF8')), 'hex')) AS verifies
FROM dunning.model WHERE model = 'known';

-- metrics_are_of_rows_the_fit_had_not_seen
-- (a hundred columns of noise fit their own rows, but predict nothing)
CREATE TABLE noise AS SELECT i % 2 AS y, i FROM generate_series(1, 200) i;
SELECT format('SELECT y, %s FROM noise', string_agg(format('dunning._uniform(i::text, %s) AS n%s', c, c), ', ')) AS noise_query
FROM generate_series(100, 179) c \gset
SELECT auc < 0.62 AS honest FROM dunning.fit('noise', :'noise_query', 'y', options => '{"lambda": 0.01}');
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
SELECT version FROM dunning.fit('known', 'SELECT x1, x2, gaps, letter, day, even, NOT late AS late FROM sample', 'late', options => '{"lambda": 0.01}');
DO $do$
DECLARE
    s score_test.sample;
    before float8;
    after float8;
BEGIN
    SELECT * INTO s FROM score_test.sample WHERE i = 7;
    FOR round IN 1 .. 2 LOOP
        after := dunning.predict('known', s);
        IF round = 1 THEN
            before := after;
            PERFORM dunning.promote('known', 3);
        END IF;
    END LOOP;
    RAISE INFO 'turned round: %', abs(before + after - 1) < 1e-6;
END
$do$;
SELECT version, state FROM dunning.model WHERE model = 'known' ORDER BY 1;
SELECT dunning.promote('known', 1);
SELECT dunning.promote('known', 9);
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
SELECT dunning.fit('bad', 'SELECT x1, late FROM sample', 'late', options => '{"depth": 3}');
\echo :SQLSTATE
SELECT dunning.fit('bad', 'SELECT x1, late FROM sample', 'late', options => '{"folds": 1}');
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
SELECT count(*) AS bad_versions FROM dunning.model WHERE model IN ('bad', '', 'stolen', 'written');

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

DELETE FROM dunning.model WHERE model IN ('known', 'noise', 'grouped', 'own', 'notices', 'sampled');
SET client_min_messages = 'warning';
DROP SCHEMA score_test CASCADE;
DROP ROLE score_clerk;
RESET ALL;
