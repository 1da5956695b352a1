-- Many rows at a time: plain values, a query into a table, one training instead of one a fold.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

CREATE TABLE shop AS
SELECT i AS id, CASE WHEN i % 11 = 0 THEN NULL WHEN i % 97 = 0 THEN 'NaN' WHEN i % 101 = 0 THEN 'Infinity' ELSE hashint4(i) % 1000 / 100.0 END::float8 AS x,
       abs(hashint4(i + 7)) % 9 AS small, (abs(hashint4(i + 9)) % 5 = 0) AS flag, CASE WHEN i % 13 = 0 THEN NULL ELSE 'Level ''' || abs(hashint4(i + 3)) % 7 END AS "Kind of",
       date '2026-01-01' + abs(hashint4(i + 5)) % 300 AS day, (abs(hashint4(i + 1)) % 4000 / 400.0)::numeric AS n,
       (hashint4(i) % 1000 / 250.0 + abs(hashint4(i + 3)) % 7 - 3 + hashint4(i + 2) % 1000 / 300.0 > 0) AS y
FROM generate_series(1, 6000) i;

SELECT count(*) FROM (VALUES ('logistic', '{}'), ('scorecard', '{}'), ('gbdt', '{"trees": 30, "depth": 4, "min_child_weight": 5}')) k (kind, options),
    LATERAL dunning.fit('shop_' || k.kind, 'SELECT x, small, flag, "Kind of", day, n, y FROM shop', 'y', k.kind, k.options::jsonb) f WHERE f.auc > 0.7;

-- a_function_of_plain_values_a_bulk_run_and_exported_sql_give_what_predict_gives
SELECT kind, regexp_replace(dunning.create_predictor('shop_' || kind, 'public.p_' || kind), ' pg_catalog.', ' ', 'g') FROM unnest('{logistic,scorecard,gbdt}'::text[]) kind;
CREATE FUNCTION four_ways(of_kind text, tolerance float8) RETURNS TABLE (n bigint, in_workers boolean, mean boolean, as_predict boolean, as_function boolean, as_sql boolean, inside boolean)
    LANGUAGE plpgsql AS $fn$
DECLARE
    r record;
BEGIN
    r := dunning.score_rows('shop_' || of_kind, 'SELECT * FROM shop', 'id', 'public.shop_scores');
    RETURN QUERY EXECUTE format($q$SELECT count(*), $1, abs($2 - avg(s.p)) < 1e-12, max(abs(s.p - dunning.predict('shop_%1$s', row_of))) = 0, max(abs(s.p - p_%1$s(%2$s))) = 0,
        max(abs(s.p - (%3$s))) <= $3, min(s.p) > 0 AND max(s.p) < 1 FROM public.shop_scores s JOIN shop row_of ON row_of.id = s.id$q$, of_kind,
        (SELECT string_agg(quote_ident(f ->> 'name') || CASE f ->> 'type' WHEN 'number' THEN '::float8' ELSE '' END, ', ' ORDER BY ord)
         FROM dunning.model m, jsonb_array_elements(m.body -> 'features') WITH ORDINALITY o (f, ord) WHERE m.model = 'shop_' || of_kind),
        dunning.model_sql('shop_' || of_kind)) USING r.in_workers, r.mean, tolerance;
END
$fn$;
SELECT k.kind, w.* FROM (VALUES ('logistic', 1e-12), ('scorecard', 1e-12), ('gbdt', 1e-6)) k (kind, tolerance), four_ways(k.kind, k.tolerance) w;

-- workers_give_the_same_bits
CREATE TABLE alone AS SELECT id, p FROM shop_scores;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT in_workers FROM dunning.score_rows('shop_gbdt', 'SELECT * FROM shop', 'id', NULL);
SET max_parallel_workers_per_gather = 4;
SELECT n, in_workers FROM dunning.score_rows('shop_gbdt', 'SELECT * FROM shop;', 'id', 'shop_scores');
SELECT in_workers FROM dunning.score_rows('shop_gbdt', 'SELECT *, 1 AS more, 2 AS more FROM shop', 'id', 'shop_scores');
RESET max_parallel_workers_per_gather;
RESET min_parallel_table_scan_size;
RESET parallel_tuple_cost;
RESET parallel_setup_cost;
SELECT count(*) AS rows, count(*) FILTER (WHERE a.p IS DISTINCT FROM s.p) AS differ FROM shop_scores s FULL JOIN alone a USING (id);

-- a_fresh_partition_takes_the_place_of_the_old_one_and_views_stay
CREATE VIEW likely AS SELECT id FROM shop_scores WHERE p > 0.5;
SELECT n, version FROM dunning.score_rows('shop_logistic', 'SELECT * FROM shop WHERE id <= 100', 'id', 'shop_scores');
SELECT count(*) AS partitions, (SELECT count(*) > 0 FROM likely) AS seen, (SELECT count(*) FROM shop_scores) AS rows FROM pg_inherits WHERE inhparent = 'shop_scores'::regclass;
SELECT count(*) AS left_behind FROM pg_class WHERE relname LIKE 'shop\_scores%' AND relkind = 'r' AND NOT relispartition;
-- a_scored_row_is_found_by_its_key
SELECT count(*) FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indrelid WHERE h.inhparent = 'shop_scores'::regclass AND i.indisprimary;

-- what_cannot_be_scored_leaves_the_scores_as_they_were
\set VERBOSITY sqlstate
SELECT dunning.score_rows('shop_logistic', 'SELECT * FROM shop UNION ALL SELECT * FROM shop WHERE id = 7', 'id', 'shop_scores');
\set VERBOSITY terse
SELECT dunning.score_rows('shop_logistic', 'SELECT nullif(id, 9) AS id, x, small, flag, "Kind of", day, n FROM shop', 'id', 'shop_scores');
\echo :SQLSTATE
SELECT dunning.score_rows('shop_logistic', 'SELECT id, 1 / (id - 500) AS x, small, flag, "Kind of", day, n FROM shop', 'id', 'shop_scores');
SELECT dunning.score_rows('shop_logistic', 'SELECT id, x, small FROM shop', 'id', 'shop_scores');
\echo :SQLSTATE
SELECT dunning.score_rows('shop_logistic', 'SELECT * FROM shop', 'debtor', 'shop_scores');
SELECT dunning.score_rows('shop_logistic', 'SELECT *, id::text AS other FROM shop', 'other', 'shop_scores');
\echo :SQLSTATE
SELECT dunning.score_rows('shop_logistic', 'SELECT * FROM shop', 'id', 'alone');
\echo :SQLSTATE
SELECT dunning.score_rows('shop_logistic', 'DELETE FROM shop RETURNING *', 'id', 'shop_scores');
SELECT dunning.score_rows('nobody', 'SELECT * FROM shop', 'id', 'shop_scores');
SELECT dunning.score_rows('shop_logistic', NULL, 'id', 'shop_scores');
SELECT count(*) AS rows FROM shop_scores;
-- no_rows_make_an_empty_table
SELECT n, mean FROM dunning.score_rows('shop_logistic', 'SELECT * FROM shop WHERE id < 0', 'id', 'none_scored');
SELECT count(*) FROM none_scored;
-- without_a_table_rows_are_only_scored
SELECT n, abs(mean - (SELECT avg(dunning.predict('shop_logistic', s)) FROM shop s)) < 1e-12 AS mean FROM dunning.score_rows('shop_logistic', 'SELECT * FROM shop', 'id', NULL);
-- keys_of_any_type_are_kept
SELECT n FROM dunning.score_rows('shop_logistic', 'SELECT s.*, repeat(''k'', id % 50) || id AS "The key" FROM shop s', 'The key', 'by_text');
SELECT count(*) AS rows, count(*) FILTER (WHERE t.p = s.p) AS same FROM by_text t JOIN alone a ON "The key" = repeat('k', a.id % 50) || a.id
    JOIN LATERAL (SELECT dunning.predict('shop_logistic', row_of) AS p FROM shop row_of WHERE row_of.id = a.id) s ON true;
CREATE FUNCTION scored_as_predicted(key text, type text) RETURNS boolean LANGUAGE plpgsql AS $fn$
DECLARE
    same boolean;
BEGIN
    PERFORM dunning.score_rows('shop_logistic', format('SELECT (%s)::%s AS the_key, s.* FROM shop s', key, type), 'the_key', 'by_key');
    EXECUTE format('SELECT count(*) = 6000 AND bool_and(k.p = dunning.predict(''shop_logistic'', row_of) AND k.version = 1) FROM by_key k JOIN shop row_of ON (%s)::%s = k.the_key', key, type) INTO same;
    DROP TABLE by_key;
    RETURN same;
END
$fn$;
SELECT type, scored_as_predicted(key, type) AS as_predicted FROM (VALUES ('id - 3000', 'int2'), ('id * 1000', 'int4'), ('id * 10000000000', 'int8'), ('id / 8.0', 'float4'), ('date ''2000-01-01'' + id', 'date'),
    ('id / 7.0', 'numeric'), ('md5(id::text)', 'uuid'), ('id', 'name')) k (key, type);

-- a_function_stays_with_its_version_and_bad_calls_are_refused
SELECT version FROM dunning.fit('shop_logistic', 'SELECT x, n, y FROM shop', 'y', 'logistic');
SELECT dunning.promote('shop_logistic', 2);
SELECT sum(abs(p_logistic(x, small, flag, "Kind of", day, n::float8) - t.p)) = 0 AS as_before FROM shop JOIN by_text t ON "The key" = repeat('k', id % 50) || id;
SELECT dunning.create_predictor('shop_logistic', 'p_logistic') LIKE 'p_logistic(x %, n %)' AS of_the_champion;
SELECT p_logistic(1::float8, 2::float8) = dunning.predict('shop_logistic', r) AS as_predict FROM (SELECT 1 AS x, 2 AS n) r;
SELECT dunning.create_predictor('shop_logistic', 'p_logistic');
\echo :SQLSTATE
SELECT dunning.create_predictor('shop_logistic', 'p_other', 9);
\echo :SQLSTATE
SELECT dunning.create_predictor(NULL, 'p_other');
SELECT dunning._predict_values('shop_logistic', 2, 1.0::float8);
\echo :SQLSTATE
SELECT dunning._predict_values('shop_logistic', 2, 1.0::float8, true, 2);
SELECT dunning._predict_values('shop_logistic', 2, date '2026-01-01', 2);
\echo :SQLSTATE
SELECT dunning._predict_values('shop_logistic', 2, VARIADIC ARRAY[1.0, 2.0]);
SELECT dunning._predict_values('shop_logistic', NULL, 1, 2) IS NULL AS unknown;
-- a_table_takes_over_the_rows_of_another_with_its_indexes_and_readers
CREATE TABLE kept (id int PRIMARY KEY, word text NOT NULL);
CREATE VIEW reads_kept AS SELECT word FROM kept WHERE id = 2;
INSERT INTO kept SELECT i, repeat('old', 2000) FROM generate_series(1, 1000) i;
CREATE TABLE fresh (LIKE kept);
INSERT INTO fresh SELECT i, 'new' FROM generate_series(2, 30) i;
SELECT dunning._swap_rows('kept', 'fresh');
SET enable_seqscan = off;
SELECT count(*), min(word) FROM kept WHERE id > 0;
RESET enable_seqscan;
SELECT word, to_regclass('fresh') IS NULL AS gone, pg_relation_size('kept') <= 8192 AS small FROM reads_kept;
CREATE TABLE fresh (LIKE kept);
INSERT INTO fresh VALUES (1, 'a'), (1, 'b');
SELECT dunning._swap_rows('kept', 'fresh');
ALTER TABLE fresh ALTER word DROP NOT NULL;
SELECT dunning._swap_rows('kept', 'fresh');
SELECT dunning._swap_rows('kept', 'reads_kept');
SELECT count(*) FROM kept;
DROP TABLE fresh;
DROP VIEW reads_kept;
DROP TABLE kept;
-- more_features_than_a_function_has_arguments_are_refused_and_scored_in_bulk
SELECT dunning.fit('wide', format('SELECT s.id, %s, s.y FROM shop s', (SELECT string_agg(format('(hashint4(s.id * %s) %% 100)::float8 AS w%s', i, i), ', ') FROM generate_series(1, 120) i)), 'y', 'logistic',
    '{"exclude": ["id"], "folds": 2, "lambda": 10}') \g /dev/null
SELECT dunning.create_predictor('wide', 'p_wide');
\echo :SQLSTATE
SELECT n FROM dunning.score_rows('wide', format('SELECT s.id, %s FROM shop s', (SELECT string_agg(format('(hashint4(s.id * %s) %% 100)::float8 AS w%s', i, i), ', ') FROM generate_series(1, 120) i)), 'id', 'shop_scores');
\set VERBOSITY default

-- an_operator_scores_into_tables_of_his_own_with_no_more_than_his_rights
CREATE ROLE clerk_of_bulk;
GRANT dunning_operator TO clerk_of_bulk;
GRANT CREATE ON SCHEMA public TO clerk_of_bulk;
GRANT SELECT ON shop TO clerk_of_bulk;
SET ROLE clerk_of_bulk;
SELECT n FROM dunning.score_rows('shop_gbdt', 'SELECT * FROM public.shop', 'id', 'public.of_clerk');
SELECT dunning.create_predictor('shop_gbdt', 'public.p_clerk') IS NOT NULL AS made;
SELECT dunning.score_rows('shop_gbdt', 'SELECT * FROM public.alone', 'id', 'public.of_clerk');
SELECT dunning.score_rows('shop_gbdt', 'SELECT * FROM public.shop', 'id', 'public.shop_scores');
RESET ROLE;
SELECT tableowner FROM pg_tables WHERE tablename = 'of_clerk';

-- one_fold_holds_a_fifth_out_trains_once_and_measures_on_it
SELECT n FROM dunning.fit('once', 'SELECT x, small, "Kind of", y FROM shop', 'y', 'logistic', '{"folds": 1, "lambda": 3}');
SELECT metrics ->> 'cross_validated' AS cross_validated, metrics ->> 'folds' AS folds, (metrics ->> 'validated')::int BETWEEN 1000 AND 1400 AS a_fifth FROM dunning.model WHERE model = 'once';
SELECT abs(a.auc - b.auc) < 0.03 AS about_the_same FROM dunning.fit('once', 'SELECT x, small, "Kind of", y FROM shop', 'y', 'logistic', '{"folds": 1}') a,
    dunning.fit('once', 'SELECT x, small, "Kind of", y FROM shop', 'y', 'logistic') b;
-- groups_are_not_divided_between_training_and_what_is_held_out: within a group rows repeat, and a tree could learn them by heart
SELECT auc < 0.6 AS not_by_heart FROM dunning.fit('once', 'SELECT i % 300 AS who, (hashint4(i % 300) % 1000)::float8 AS mark, hashint4(i % 300 + 1000) % 2 = 0 AS y FROM generate_series(1, 6000) i', 'y', 'gbdt',
    '{"folds": 1, "group": "who", "trees": 60, "depth": 6, "min_child_weight": 1}');
SELECT kind IS NOT NULL AS chosen FROM dunning.fit('once', 'SELECT x, small, "Kind of", y FROM shop', 'y', 'auto', '{"folds": 1, "trees": 20, "depth": 3, "min_child_weight": 5}');
-- reasons_add_up_to_what_the_calibrated_prediction_says
SELECT kind, max(abs(d - usual)) < 1e-9 AS add_up, bool_or(calibrated) AS calibrated
FROM (SELECT kind, ln(p / (1 - p)) - (SELECT sum(r.contribution) FROM dunning.reasons(kind, s, 100) r) AS d, avg(ln(p / (1 - p)) - (SELECT sum(r.contribution) FROM dunning.reasons(kind, s, 100) r)) OVER (PARTITION BY kind) AS usual,
             (SELECT (m.body -> 'calibration' ->> 'method') = 'isotonic' FROM dunning.model m WHERE m.model = u.kind AND m.version = 1) AS calibrated
      FROM shop s, unnest('{shop_scorecard,shop_gbdt,once}'::text[]) u (kind), LATERAL (SELECT dunning.predict(kind, s) AS p) q WHERE s.id <= 300) x GROUP BY kind ORDER BY kind;

-- rows_are_capped_by_an_option
SELECT n BETWEEN 1000 AND 2000 AS capped FROM dunning.fit('once', 'SELECT x, small, y FROM shop', 'y', 'logistic', '{"rows": 2000}');

DROP VIEW likely;
DROP TABLE shop_scores, none_scored, by_text, of_clerk, alone, shop;
DROP FUNCTION four_ways;
DROP FUNCTION p_logistic(float8, float8, boolean, text, timestamp, float8), p_logistic(float8, float8), p_scorecard, p_gbdt, p_clerk;
REVOKE CREATE ON SCHEMA public FROM clerk_of_bulk;
DROP ROLE clerk_of_bulk;
DELETE FROM dunning.model WHERE model LIKE 'shop\_%' OR model IN ('wide', 'once');
