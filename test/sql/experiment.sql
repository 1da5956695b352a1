-- experiment: assignment, hold-out, results.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;

-- bad_experiments_are_refused_with_what_would_do
SELECT * FROM dunning.start_experiment('x', '["only"]');
SELECT * FROM dunning.start_experiment('x', '{"a": 1, "b": -1}');
SELECT * FROM dunning.start_experiment('x', '{"a": 1, "b": "NaN"}');
SELECT * FROM dunning.start_experiment('x', '{"a": 1, "b": "many"}');
SELECT * FROM dunning.start_experiment('x', '["a", "a"]');
SELECT * FROM dunning.start_experiment('x', '7');
SELECT * FROM dunning.start_experiment('Bad Name', '["a", "b"]');
SELECT * FROM dunning.start_experiment('x', '["a", "b"]', 'joy');
SELECT * FROM dunning.start_experiment('x', '["a", "b"]', window_days => 0);
SELECT dunning.assign('nosuch', 'e-1');
SELECT * FROM dunning.experiment_result('nosuch');
SELECT dunning.set_holdout(0.9);
SELECT dunning.set_holdout('NaN');

-- arms_keep_their_shares_and_the_first_is_the_control
SELECT * FROM dunning.start_experiment('e-even', '["neutral", "loss_averse"]', planned => 1000);
SELECT * FROM dunning.start_experiment('e-uneven', '{"b": 1, "control": 2, "a": 1}', traffic => 0.5);
SELECT * FROM dunning.start_experiment('e-even', '["neutral", "loss_averse"]');

-- assignment_is_even_and_a_function_of_experiment_and_debtor_alone
SELECT arm, abs(count(*) / 20000.0 - 0.5) < 0.015 AS half FROM generate_series(1, 20000) i, LATERAL dunning._arms('e-even', ARRAY['e-' || i]) GROUP BY 1 ORDER BY 1;
SELECT arm, propensity, round(count(*) / 20000.0, 1) AS of_traffic FROM dunning._arms('e-uneven', ARRAY(SELECT 'e-' || i FROM generate_series(1, 40000) i)) GROUP BY 1, 2 ORDER BY 1;
SELECT dunning._arm('e-even', 'e-1') = dunning._arm('e-even', 'e-1') AS same, dunning._arm('nosuch', 'e-1') IS NULL AS none;
-- two_experiments_are_independent: chi-square over 2 x 2, 1 degree of freedom
WITH x AS (SELECT a.arm AS a, b.arm AS b, count(*)::float8 AS n FROM dunning._arms('e-even', ARRAY(SELECT 'e-' || i FROM generate_series(1, 20000) i)) a
           JOIN dunning._arms('e-uneven', ARRAY(SELECT 'e-' || i FROM generate_series(1, 20000) i)) b USING (debtor_id) GROUP BY 1, 2),
     t AS (SELECT a, b, n, sum(n) OVER (PARTITION BY a) * sum(n) OVER (PARTITION BY b) / sum(n) OVER () AS expected FROM x)
SELECT sum((n - expected) ^ 2 / expected) < 13.8 AS independent FROM t;

-- the_holdout_is_empty_unless_set_and_a_larger_one_keeps_the_smaller
SELECT dunning._holdout_share(), dunning._held_out('e-1');
SELECT dunning.set_holdout(0.05);
CREATE TEMP TABLE e_small AS SELECT i FROM generate_series(1, 5000) i WHERE dunning._held_out('e-' || i);
SELECT abs(count(*) / 5000.0 - 0.05) < 0.01 AS five_percent FROM e_small;
SELECT dunning.set_holdout(0.1);
SELECT bool_and(dunning._held_out('e-' || i)) AS kept FROM e_small;
SELECT dunning.set_holdout(0);

-- the_shares_of_arms_are_watched
SELECT dunning._srm('{5000,5100}', '{1,1}') < ln(100) AS fair, dunning._srm('{5000,5600}', '{1,1}') >= ln(100) AS wrong, dunning._srm('{0,0}', '{1,1}') AS nobody;
SELECT dunning._srm('{1}', '{1,1}');
SELECT dunning._srm('{1,NaN}', '{1,1}');
-- the_confidence_sequence_matches_its_formula
SELECT round(log_e::numeric, 4) AS log_e, round(half_width::numeric, 5) AS half_width FROM dunning._confidence_sequence(0.02, 0.0001, 0.00005, 0.05);

-- the_confidence_sequence_holds_at_every_look: 500 experiments without a difference, 2,000 units each, a look every 50
WITH unit AS (
    SELECT r, u, (dunning._uniform('arm/' || r || '/' || u) < 0.5) AS treated, (dunning._uniform('paid/' || r || '/' || u) < 0.2)::int AS paid
    FROM generate_series(1, 500) r, generate_series(1, 2000) u),
look AS (
    SELECT r, (u - 1) / 50 AS l, count(*) FILTER (WHERE treated) AS n1, sum(paid) FILTER (WHERE treated) AS k1, count(*) FILTER (WHERE NOT treated) AS n0, sum(paid) FILTER (WHERE NOT treated) AS k0
    FROM unit GROUP BY 1, 2),
upto AS (
    SELECT r, l, sum(n1) OVER w AS n1, sum(k1) OVER w AS k1, sum(n0) OVER w AS n0, sum(k0) OVER w AS k0 FROM look WINDOW w AS (PARTITION BY r ORDER BY l)),
test AS (
    SELECT r, abs(k1 / n1 - k0 / n0) AS d, s.half_width, sqrt(v.v) * 1.96 AS naive
    FROM upto, LATERAL (SELECT ((k1 / n1) * (1 - k1 / n1) / n1 + (k0 / n0) * (1 - k0 / n0) / n0)::float8 AS v, ((k1 + k0) / (n1 + n0))::float8 AS p) v,
         LATERAL dunning._confidence_sequence((k1 / n1 - k0 / n0)::float8, v.v, v.p * (1 - v.p) * 4 / 2000, 0.05) s
    WHERE n1 + n0 >= 200)
SELECT count(DISTINCT r) FILTER (WHERE d > half_width) <= 0.05 * 500 AS held, count(DISTINCT r) FILTER (WHERE d > naive) > 0.2 * 500 AS naive_test_does_not FROM test;

-- a_result_counts_payments_within_the_window_and_says_it_in_words
SET dunning.clock = '2026-03-01 12:00+00';
INSERT INTO dunning.debtor (debtor_id, name) SELECT 'e-' || i, 'Debtor ' || i FROM generate_series(1, 1000) i;
SELECT dunning.assign('e-even', 'e-nobody');
SELECT count(*) FROM (SELECT dunning._assign('e-even', ARRAY(SELECT 'e-' || i FROM generate_series(1, 1000) i))) x;
SELECT dunning.assign('e-even', 'e-1') = dunning._arm('e-even', 'e-1') AS sticky;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency)
SELECT 'e-' || i, 'p' || i, timestamptz '2026-03-05 12:00+00', 10, 'EUR' FROM generate_series(1, 1000) i
WHERE i % 10 < CASE dunning._arm('e-even', 'e-' || i) WHEN 'neutral' THEN 2 ELSE 6 END;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency)
SELECT 'e-' || i, 'l' || i, timestamptz '2026-03-25 12:00+00', 10, 'EUR' FROM generate_series(1, 1000) i;
SELECT arm, n, paid, verdict FROM dunning.experiment_result('e-even');
SET dunning.clock = '2026-03-16 12:00+00';
SELECT arm, n BETWEEN 450 AND 550 AS n, round(paid_share::numeric, 1) AS paid_share, difference BETWEEN 0.3 AND 0.5 AS difference, lower > 0 AS above_zero, verdict FROM dunning.experiment_result('e-even');
-- arms_that_do_not_hold_their_shares_give_no_verdict
DELETE FROM dunning.assignment WHERE experiment = 'e-even' AND arm = 'neutral' AND dunning._uniform(debtor_id) < 0.5;
SELECT arm, verdict FROM dunning.experiment_result('e-even');
-- an_ended_experiment_assigns_nobody
SELECT dunning.end_experiment('e-even');
INSERT INTO dunning.debtor (debtor_id, name) VALUES ('e-5000', 'Late comer');
SELECT dunning.assign('e-even', 'e-5000'), dunning._arm('e-even', 'e-1');

-- only_admins_start_experiments
SET ROLE dunning_operator;
SELECT * FROM dunning.start_experiment('mine', '["a", "b"]');
SELECT dunning.set_holdout(0.1);
RESET ROLE;

RESET dunning.clock;
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'e-%';
DELETE FROM dunning.payment WHERE debtor_id LIKE 'e-%';
DELETE FROM dunning.assignment WHERE debtor_id LIKE 'e-%';
DELETE FROM dunning.arm WHERE experiment LIKE 'e-%';
DELETE FROM dunning.experiment WHERE experiment LIKE 'e-%';
DELETE FROM dunning.holdout;
