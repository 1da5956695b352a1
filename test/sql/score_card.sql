-- score_card: scorecards, and models as SQL text.
SET client_min_messages = warning;
SET extra_float_digits = 1;
SET timezone = 'UTC';

-- A number in [0, 1) that depends on i and k alone.
CREATE FUNCTION h(i int, k int) RETURNS float8 LANGUAGE sql IMMUTABLE
    AS $$ SELECT ('x' || substr(md5(i || '-' || k), 1, 8))::bit(32)::bigint::float8 / 4294967296 $$;

-- A column with two special values, one with a hump, a text, a date with gaps, a flag, and two that matter together.
CREATE TABLE card_rows AS
SELECT r.*, h(r.i, 9) < 1 / (1 + exp(-(
           CASE r.months WHEN -9 THEN 1.5 WHEN -8 THEN -0.5 ELSE 0.8 - r.months / 30.0 END
           + CASE WHEN r.hump BETWEEN 40 AND 60 THEN 1.2 ELSE -0.4 END
           + CASE r.branch WHEN 'a' THEN 0.7 WHEN 'b' THEN -0.7 ELSE 0 END
           + CASE WHEN r.since IS NULL THEN 0.9 ELSE 0 END
           + CASE WHEN r.left_ > 0.5 AND r.right_ > 0.5 THEN 2 WHEN r.left_ > 0.5 THEN -1 ELSE -0.2 END))) AS late
FROM (SELECT i, CASE WHEN h(i, 1) < 0.1 THEN -9 WHEN h(i, 1) < 0.2 THEN -8 ELSE floor(h(i, 2) * 50) END AS months,
             (h(i, 3) * 100)::float8 AS hump, (ARRAY['a', 'b', 'c', 'd'])[1 + floor(h(i, 4) * 4)::int] AS branch,
             CASE WHEN h(i, 5) > 0.15 THEN date '2020-01-01' + floor(h(i, 5) * 900)::int END AS since,
             h(i, 6) > 0.5 AS flag, h(i, 7)::float4 AS left_, h(i, 8) AS right_
      FROM generate_series(1, 12000) i) r;

CREATE VIEW card_query AS SELECT months, hump, branch, since, flag, left_, right_, late FROM card_rows;

-- special_values_and_what_is_missing_get_bins_of_their_own
SELECT kind, auc > 0.7 AS good FROM dunning.fit('card', 'SELECT * FROM card_query', 'late', 'scorecard');
SELECT feature, bin, round(share::numeric, 1) AS share, woe > 0 AS more_late, special FROM dunning.scorecard('card')
WHERE special OR bin = 'since is missing' ORDER BY 1, 2;

-- a_hump_is_seen_by_bins_and_not_by_a_line
SELECT min(contribution) FILTER (WHERE bin ~ '^hump <|<= hump$') < 0 AND max(contribution) FILTER (WHERE bin ~ '<= hump <') > 0 AS hump
FROM dunning.scorecard('card') WHERE feature = 'hump';

-- pairs_are_taken_where_two_columns_matter_together
SELECT DISTINCT feature FROM dunning.scorecard('card') WHERE feature LIKE '%, %';
SELECT a.auc - b.auc > 0.01 AS better
FROM dunning.fit('card_pairs', 'SELECT * FROM card_query', 'late', 'scorecard') a,
     dunning.fit('card_single', 'SELECT * FROM card_query', 'late', 'scorecard', '{"pairs": 0}') b;
SELECT count(*) AS pairs FROM dunning.scorecard('card_single') WHERE feature LIKE '%, %';

-- contributions_are_centred_and_points_follow_them
SELECT feature, abs(sum(share * contribution)) < 1e-9 AS centred FROM dunning.scorecard('card') WHERE share IS NOT NULL GROUP BY 1 ORDER BY 1;
SELECT bool_and(abs(points - contribution * 20 / ln(2) - CASE WHEN feature IS NULL THEN 600 ELSE 0 END) <= 0.5) AS points FROM dunning.scorecard('card');
SELECT version FROM dunning.fit('card_points', 'SELECT * FROM card_query', 'late', 'scorecard', '{"pdo": 40, "base_points": 100, "lambda": 1, "bin_gain": 2, "pairs": 0}');
SELECT bool_and(abs(points - contribution * 40 / ln(2) - CASE WHEN feature IS NULL THEN 100 ELSE 0 END) <= 0.5) AS points FROM dunning.scorecard('card_points');

-- a_score_is_the_sum_of_what_its_bins_contribute
SELECT version FROM dunning.fit('flag_only', 'SELECT flag, late FROM card_query', 'late', 'scorecard', '{"calibration": "none", "lambda": 1, "bin_gain": 2}');
SELECT flag, abs(ln(p / (1 - p)) - (SELECT sum(s.contribution) FROM dunning.scorecard('flag_only') s
                                    WHERE s.feature IS NULL OR s.bin = CASE WHEN flag THEN '0.5 <= flag' ELSE 'flag < 0.5' END)) < 1e-9 AS adds_up
FROM (VALUES (false), (true)) r(flag), dunning.predict('flag_only', r) p ORDER BY 1;

-- model_sql_gives_the_same_score
CREATE FUNCTION same_score(model text) RETURNS TABLE (n bigint, off_below_1e_12 boolean) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT count(*), max(abs(dunning.predict(%L, r) - (%s))) < 1e-12 FROM odd_rows r', model, dunning.model_sql(model));
END $$;
CREATE TABLE odd_rows AS SELECT months, hump, branch, since, flag, left_, right_ FROM card_query;
INSERT INTO odd_rows VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('NaN', 'NaN', '', '-infinity', true, 'NaN', 'Infinity'),
    (-1e300, 1e300, 'it''s', 'infinity', false, '-Infinity', 0), (-8.5, 40, 'z', '2020-06-01', NULL, 0.5, 0.5);
SELECT version FROM dunning.fit('line', 'SELECT * FROM card_query', 'late', 'logistic');
SELECT m.model, s.* FROM (VALUES ('card'), ('card_single'), ('line')) m(model), same_score(m.model) s;
SET timezone = 'America/New_York';
SELECT s.* FROM same_score('card') s;
SET timezone = 'UTC';

-- a_name_that_needs_quotes_is_quoted_in_sql_text
SELECT version FROM dunning.fit('quoted', 'SELECT hump AS "Hump; of "" x", branch AS "select", late FROM card_query', 'late', 'scorecard');
SELECT dunning.model_sql('quoted') LIKE '%"Hump; of "" x"%' AND dunning.model_sql('quoted') LIKE '%"select"%' AS quoted;

-- the_same_rows_in_another_order_give_the_same_card
SELECT version FROM dunning.fit('card', 'SELECT c.* FROM card_query c ORDER BY hump', 'late', 'scorecard');
SELECT count(DISTINCT digest) AS digests, count(*) AS versions FROM dunning.model WHERE model = 'card';

-- monotone_bins_only_rise_and_special_values_stand_apart
SELECT version FROM dunning.fit('fall', 'SELECT months, hump, late FROM card_query', 'late', 'scorecard', '{"monotone": {"months": -1, "hump": 1}}');
SELECT feature, bool_and(contribution >= before) AS never_falls, bool_and(contribution <= before) AS never_rises
FROM (SELECT feature, contribution, lag(contribution) OVER (PARTITION BY feature ORDER BY n) AS before
      FROM dunning.scorecard('fall') WITH ORDINALITY s(feature, bin, special, share, woe, contribution, points, n)
      WHERE NOT special AND share IS NOT NULL AND bin NOT LIKE '%missing') x GROUP BY 1 ORDER BY 1;
SELECT bin, special FROM dunning.scorecard('fall') WHERE special;

-- rare_texts_are_one_bin_with_those_never_seen
SELECT version FROM dunning.fit('texts', 'SELECT CASE WHEN i % 500 = 0 THEN ''rare'' || i % 7 ELSE branch END AS branch, late FROM card_rows', 'late', 'scorecard');
SELECT bin FROM dunning.scorecard('texts') WHERE feature = 'branch' ORDER BY 1;
SELECT count(DISTINCT dunning.predict('texts', r)) AS one FROM (VALUES ('rare1'), ('never'), ('')) r(branch);

-- noise_gets_no_pairs_and_no_more_bins_than_it_deserves
SELECT auc < 0.56 AS honest FROM dunning.fit('card_noise', 'SELECT h(i, 11) AS a, h(i, 12) AS b, h(i, 13) AS c, h(i, 14) > 0.7 AS y FROM generate_series(1, 3000) i', 'y', 'scorecard');
SELECT count(*) FILTER (WHERE feature LIKE '%, %') AS pairs FROM dunning.scorecard('card_noise');

-- texts_of_few_rows_are_told_apart_where_they_differ_and_are_one_where_they_do_not
CREATE TABLE card_customers AS
SELECT x, 'customer ' || i % 100 AS customer, h(i, 1) < h(i % 100, 3) AS differs, h(i, 1) < 0.3 + 0.2 * x AS alike FROM (SELECT i, h(i, 2) AS x FROM generate_series(1, 1500) i) r;
SELECT auc > 0.75 AS told FROM dunning.fit('card_rare', 'SELECT x, customer, differs FROM card_customers', 'differs', 'scorecard');
SELECT count(*) > 2 AS bins FROM dunning.scorecard('card_rare') WHERE feature = 'customer';
SELECT count(*) FROM dunning.fit('card_alike', 'SELECT x, customer, alike FROM card_customers', 'alike', 'scorecard', '{"bin_gain": 0}');
SELECT count(*) FROM dunning.scorecard('card_alike') WHERE feature = 'customer';
DELETE FROM dunning.model WHERE model IN ('card_rare', 'card_alike');
DROP TABLE card_customers;

-- bad_input_is_an_error_with_a_way_out
\set VERBOSITY default
SELECT * FROM dunning.scorecard('line');
SELECT dunning.model_sql('nothing') IS NULL;
SELECT dunning.fit('bad', 'SELECT * FROM card_query', 'late', 'scorecard', '{"bins": 1}');

DELETE FROM dunning.model WHERE model IN ('card', 'card_pairs', 'card_single', 'card_points', 'flag_only', 'line', 'quoted', 'fall', 'texts', 'card_noise');
DROP FUNCTION same_score(text);
DROP VIEW card_query;
DROP TABLE card_rows, odd_rows;
DROP FUNCTION h(int, int);
