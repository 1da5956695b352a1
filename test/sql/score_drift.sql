-- score: drift of what models are given and of how good they are.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = 'warning';
\set SHOW_CONTEXT never
SET dunning.clock = '2026-06-10 10:00+00';
BEGIN;      -- rolled back at the end: nothing of it stays

-- the_index_is_that_worked_out_by_hand: shares (0.5, 0.3, 0.2) and (0.4, 0.3, 0.3) of ten million each, beside which half a row is nothing
SELECT round(dunning.psi('{5000000,3000000,2000000}', '{4000000,3000000,3000000}')::numeric, 4) AS psi, round((0.1 * ln(0.5 / 0.4) + 0.1 * ln(0.3 / 0.2))::numeric, 4) AS by_hand;
-- (an empty part is half a row: (0.5 / 101.5 - 50.5 / 101) ln(...) and its like)
SELECT round(dunning.psi('{100,0}', '{50,50}')::numeric, 6) AS psi,
    round(((50.5 / 101 - 100.5 / 101) * ln((50.5 / 101) / (100.5 / 101)) + (50.5 / 101 - 0.5 / 101) * ln((50.5 / 101) / (0.5 / 101)))::numeric, 6) AS by_hand;
SELECT dunning.psi('{10,20,0}', '{100,200,0}') < 0.01 AS empty_both_times_is_no_part, dunning.psi('{1,2}', NULL) IS NULL AS unknown, dunning.psi('{5}', '{7}') AS one_part;
-- (what are not counts of the same parts has no index)
SAVEPOINT before;
SELECT dunning.psi('{1,2}', '{1}');
ROLLBACK TO before;
SELECT dunning.psi('{1,2}', '{1,NULL}');
ROLLBACK TO before;
SELECT dunning.psi('{1,2}', '{1,-2}');
ROLLBACK TO before;

-- a book that can be drawn again: numbers with and without ties, one heavy-tailed, a flag, a text with rare levels, missing values
CREATE FUNCTION pg_temp.book(seed int, rows int) RETURNS TABLE (i int, x float8, n int, money float8, flag boolean, place text, sometimes float8, y boolean) LANGUAGE sql AS $$
    SELECT k, u1, floor(4 * u2 * u2)::int, exp(3 * u3), u4 < 0.2, CASE WHEN u5 < 0.5 THEN 'north' WHEN u5 < 0.9 THEN 'south' WHEN u5 < 0.99 THEN 'west' ELSE 'p' || floor(u5 * 100000) END,
        CASE WHEN u6 < 0.7 THEN u6 END, u7 < 1 / (1 + exp(-(3 * u1 - 2 + (u4 < 0.2)::int)))
    FROM (SELECT k, dunning._uniform(seed || '/' || k, 1) AS u1, dunning._uniform(seed || '/' || k, 2) AS u2, dunning._uniform(seed || '/' || k, 3) AS u3, dunning._uniform(seed || '/' || k, 4) AS u4,
              dunning._uniform(seed || '/' || k, 5) AS u5, dunning._uniform(seed || '/' || k, 6) AS u6, dunning._uniform(seed || '/' || k, 7) AS u7 FROM generate_series(1, rows) k) d $$;
CREATE TEMP TABLE seen AS SELECT * FROM pg_temp.book(0, 3000);
SELECT model FROM dunning.fit('drifting', 'SELECT x, n, money, flag, place, sometimes, y FROM seen', 'y', 'logistic');
-- the_shares_frozen_at_training_are_those_of_its_rows
SELECT s ->> 'name' AS feature, (SELECT round(sum(v::numeric), 6) FROM jsonb_array_elements_text(s -> 'shares') v) AS sum_of_shares, jsonb_array_length(s -> 'shares') AS parts
FROM dunning.model, jsonb_array_elements(feature_stats) s WHERE model = 'drifting' AND s ->> 'type' <> 'text' ORDER BY 1;
SELECT abs((s #>> '{shares,0}')::float8 - (SELECT avg((NOT flag)::int) FROM seen)) < 1e-9 AS a_flag_exactly FROM dunning.model, jsonb_array_elements(feature_stats) s WHERE model = 'drifting' AND s ->> 'name' = 'flag';
-- quantiles_of_numbers_that_hardly_differ_are_those_of_plain_sql
CREATE TEMP TABLE close AS SELECT k, 1 + (k * 7919 % 6007) * 2 ^ -23 AS x, dunning._uniform('y' || k, 1) < 0.3 AS y FROM generate_series(1, 6000) k;
SELECT model FROM dunning.fit('close', 'SELECT x, y FROM close', 'y', 'logistic', '{"folds": 2}');
SELECT (s -> 'deciles')::text = (SELECT to_jsonb(percentile_disc(ARRAY[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]) WITHIN GROUP (ORDER BY x))::text FROM close) AS deciles,
    (SELECT bool_and(abs(v::float8 - 0.1) < 0.0002) FROM jsonb_array_elements_text(s -> 'shares') v) AS a_tenth_each FROM dunning.model, jsonb_array_elements(feature_stats) s WHERE model = 'close';
DELETE FROM dunning.model WHERE model = 'close';
-- probabilities_that_hardly_differ_are_ordered
SELECT auc FROM dunning.evaluate('drifting', 'SELECT 0.5 + (k * 7919 % 6007) * 1e-12 AS x, 0 AS n, 1.0 AS money, false AS flag, ''north'' AS place, 0.1 AS sometimes, k * 7919 % 6007 > 4000 AS y FROM generate_series(1, 6000) k', 'y');

-- what_nearly_all_have_is_watched_for_those_who_do_not: nineteen in twenty have the greatest value, so that all deciles but the least are it
CREATE TEMP TABLE nearly AS SELECT k, k % 20 < 19 AS flag, 0.1 * (k % 20 < 19)::int AS tenth, 'p' || k % 3 AS place, dunning._uniform('n' || k, 1) < 0.2 + 0.3 * (k % 20 < 19)::int AS y FROM generate_series(1, 4000) k;
SELECT model FROM dunning.fit('nearly', 'SELECT flag, tenth, place, y FROM nearly', 'y', 'logistic');
SELECT feature, round(value::numeric, 3) AS value, round(((0.43 - 0.05) * ln(0.43 / 0.05) + (0.57 - 0.95) * ln(0.57 / 0.95))::numeric, 2) AS about, state, detail
FROM dunning.check_drift('nearly', 'SELECT flag AND k % 100 < 60 AS flag, tenth, place FROM nearly') WHERE measure = 'psi' ORDER BY 1;
-- a_model_of_few_scores_has_not_drifted_on_the_rows_it_learnt_from: of any kind (the folds' scores lie about the model's on either side)
SELECT model FROM unnest('{scorecard,gbdt}'::text[]) k(k), dunning.fit('nearly_' || k, 'SELECT flag, tenth, place, y FROM nearly', 'y', k) ORDER BY 1;
SELECT m.m AS model, c.measure, c.value, c.state FROM unnest('{nearly,nearly_scorecard,nearly_gbdt}'::text[]) m(m), dunning.check_drift(m, 'SELECT flag, tenth, place FROM nearly') c WHERE c.measure = 'psi_score' ORDER BY 1;
DELETE FROM dunning.drift_check WHERE model LIKE 'nearly%';
DELETE FROM dunning.model WHERE model LIKE 'nearly%';

-- data_drawn_again_from_the_same_book_gives_no_alarm_and_no_warning: 20 times, of 150 to 2,050 rows, outcomes and all
CREATE TEMP TABLE drawn (seed int, state text, measure text, feature text, value float8);
DO $$ BEGIN
    FOR s IN 1 .. 20 LOOP
        EXECUTE format('CREATE TEMP TABLE again AS SELECT * FROM pg_temp.book(%s, %s)', s, 50 + 100 * s);
        INSERT INTO drawn SELECT s, c.state, c.measure, c.feature, c.value FROM dunning.check_drift('drifting', 'SELECT * FROM again', 'y') c;
        DROP TABLE again;
    END LOOP;
END $$;
SELECT state, count(*) AS measures, count(DISTINCT seed) AS draws FROM drawn GROUP BY 1 ORDER BY 1;
SELECT * FROM drawn WHERE state IN ('warn', 'alarm');
SELECT max(value) FILTER (WHERE seed > 5) < 0.1 AS under_a_tenth FROM drawn WHERE measure LIKE 'psi%';

-- a_shift_of_each_kind_is_an_alarm: numbers moved, ties moved, a new text, missing values, a column gone constant, a flag turned, the score with them
CREATE FUNCTION pg_temp.shifted(what text) RETURNS TABLE (moved text, alarms text[]) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'CREATE TEMP TABLE again AS SELECT i, ' || what || ', y FROM pg_temp.book(77, 1500) b';
    RETURN QUERY SELECT what, array_agg(trim(c.measure || ' ' || c.feature) ORDER BY c.measure, c.feature) FILTER (WHERE c.state = 'alarm') FROM dunning.check_drift('drifting', 'SELECT * FROM again', 'y') c;
    DROP TABLE again;
END $$;
SELECT s.* FROM unnest(ARRAY[
    'x, n, money, flag, place, sometimes',
    'x + 0.35 AS x, n, money, flag, place, sometimes',
    'x, n + (i % 2 = 0)::int AS n, money * 3 AS money, flag, place, sometimes',
    'x, n, money, flag, CASE WHEN i % 4 = 0 THEN ''abroad'' ELSE place END AS place, sometimes',
    'x, n, money, flag, place, CASE WHEN i % 3 = 0 THEN sometimes END AS sometimes',
    'x, n, 5.0::float8 AS money, NOT flag AS flag, place, sometimes',
    'x, n, NULL::float8 AS money, flag, NULL::text AS place, ''NaN''::float8 AS sometimes']) WITH ORDINALITY AS w (what, ord), pg_temp.shifted(w.what) s ORDER BY w.ord;
SELECT feature, detail FROM dunning.drift WHERE model = 'drifting' AND state = 'alarm' AND measure = 'psi' ORDER BY 1;

-- worse_predictions_are_an_alarm_once_outcomes_are_in: the population is the same, what follows from it is not
CREATE TEMP TABLE turned AS SELECT i, x, n, money, flag, place, sometimes, CASE WHEN i % 2 = 0 THEN y ELSE NOT y END AS y FROM pg_temp.book(78, 1500);
SELECT measure, state FROM dunning.check_drift('drifting', 'SELECT * FROM turned', 'y') WHERE measure <> 'psi' ORDER BY 1;
-- (without a label nothing is said of it; with too few of a class the row says so; rows whose outcome is not known are none)
SELECT count(*) FILTER (WHERE measure IN ('auc', 'ks', 'ece')) AS said FROM dunning.check_drift('drifting', 'SELECT * FROM turned');
SELECT measure, n, state, detail FROM dunning.check_drift('drifting', 'SELECT x, n, money, flag, place, sometimes, CASE WHEN i <= 60 THEN y END AS y FROM turned', 'y') WHERE measure NOT LIKE 'psi%';
-- (and twenty copies of each row are no more news than one: groups)
CREATE TEMP TABLE copies AS SELECT b.* FROM pg_temp.book(79, 100) b, generate_series(1, 20);
SELECT bool_or(state <> 'ok') AS without_groups FROM dunning.check_drift('drifting', 'SELECT * FROM copies');
SELECT bool_or(state <> 'ok') AS with_groups FROM dunning.check_drift('drifting', 'SELECT * FROM copies', group_column => 'i');
SELECT DISTINCT state AS of_no_rows FROM dunning.check_drift('drifting', 'SELECT * FROM copies WHERE false');
SAVEPOINT before;
SELECT * FROM dunning.check_drift('drifting', 'SELECT x FROM seen');
ROLLBACK TO before;
SELECT * FROM dunning.check_drift('drifting', 'SELECT * FROM seen', group_column => 'nobody');
ROLLBACK TO before;
SELECT * FROM dunning.check_drift('drifting', NULL);
ROLLBACK TO before;
SET ROLE dunning_viewer;
SELECT count(*) > 0 AS a_viewer_sees FROM dunning.drift;
SELECT * FROM dunning.check_drift('drifting', 'SELECT 1');
ROLLBACK TO before;
RESET ROLE;

-- the_ledger: 400 debtors begin one after the other and get an invoice a month; each is late as often as it is in its nature to be
DELETE FROM dunning.model;
DELETE FROM dunning.payment;
DELETE FROM dunning.invoice;
DELETE FROM dunning.debtor;
CREATE TEMP TABLE account AS
SELECT 'DR-' || d AS debtor, 0.1 + 0.8 * (dunning._uniform(d::text, 1) > 0.6)::int * dunning._uniform(d::text, 2) AS nature, (650 * dunning._uniform(d::text, 3))::int AS begins FROM generate_series(1, 400) d;
INSERT INTO dunning.debtor (debtor_id, kind) SELECT debtor, 'person' FROM account;
CREATE TEMP TABLE bill AS
SELECT a.debtor, a.debtor || '/' || k AS invoice, date '2024-06-01' + a.begins + 30 * k AS issued, 20 + (200 * dunning._uniform(a.debtor || k, 4))::numeric(9, 2) AS amount,
    CASE WHEN dunning._uniform(a.debtor || k, 5) < a.nature THEN 1 + (25 * dunning._uniform(a.debtor || k, 6))::int ELSE -(10 * dunning._uniform(a.debtor || k, 6))::int END AS late,
    -- from spring on everybody is late or not as a coin falls
    CASE WHEN dunning._uniform(a.debtor || k, 7) < 0.7 THEN 1 + (60 * dunning._uniform(a.debtor || k, 6))::int ELSE 0 END AS coin
FROM account a, generate_series(0, 26) k WHERE date '2024-06-01' + a.begins + 30 * k < '2026-08-01';
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT debtor, invoice, issued, issued + 14, amount, 'EUR' FROM bill;
INSERT INTO dunning.payment (payment_id, debtor_id, invoice_id, paid_at, amount, currency) SELECT invoice, debtor, invoice, (issued + 14 + late) + time '12:00', amount, 'EUR' FROM bill;
ANALYZE dunning.invoice;
ANALYZE dunning.payment;
SET dunning.clock = '2026-03-01 10:00+00';
SELECT model, version FROM dunning.train('late', kind => 'logistic');
SELECT model, version FROM dunning.train_curve();

-- a_model_is_looked_at_by_maintain_and_has_not_drifted_on_its_first_day
SELECT rows FROM dunning.maintain() WHERE item = 'drift refreshed';
SELECT model, measure, state, count(*) > 0 AS looked FROM dunning.drift GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT max(value) FILTER (WHERE measure LIKE 'psi%') AS psi_of_the_first_day FROM dunning.drift;
-- (and once a day)
SELECT rows FROM dunning.maintain() WHERE item = 'drift refreshed';
-- a_book_that_goes_on_as_it_was_gives_no_alarm_three_months_later
SET dunning.clock = '2026-06-01 10:00+00';
SELECT rows FROM dunning.maintain() WHERE item = 'drift refreshed';
SELECT model, measure, state, count(*) FROM dunning.drift WHERE measure <> 'psi' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT model, feature, detail FROM dunning.drift WHERE state = 'alarm';
SELECT item, state, fix_sql FROM dunning.health() WHERE item LIKE 'drift%' ORDER BY 1;
SELECT dunning.report_html() LIKE '%Model drift%' AS in_the_report;
-- outcomes_count_when_they_are_decided: nothing due in the last days before, nothing that training had seen
SELECT d.n AS outcomes, (SELECT count(*) FROM bill WHERE issued + 14 >= '2026-03-03' AND issued + 14 < '2026-06-01') AS due_in_90_days FROM dunning.drift d WHERE d.model = 'late' AND d.measure = 'auc';

-- a_book_that_changed_is_an_alarm_in_health_and_in_the_report
UPDATE dunning.payment p SET paid_at = (b.issued + 14 + b.coin) + time '12:00' FROM bill b WHERE b.invoice = p.payment_id AND b.issued >= '2026-03-01';
SET dunning.clock = '2026-07-20 10:00+00';
SELECT rows FROM dunning.maintain() WHERE item = 'drift refreshed';
SELECT model, measure, state FROM dunning.drift WHERE measure <> 'psi' ORDER BY 1, 2;
SELECT count(*) > 3 AS features_moved FROM dunning.drift WHERE state = 'alarm' AND measure = 'psi';
SELECT bool_or(state = 'alarm') AS what_grows_is_no_alarm FROM dunning.drift WHERE feature IN ('tenure_days', 'n_paid', 'n_late', 'max_late');
SELECT item, state, detail ~ 'score moved' AS score, detail ~ 'AUC' AS auc, fix_sql FROM dunning.health() WHERE item LIKE 'drift%' ORDER BY 1;
SELECT dunning.report_html() ~ 'Model drift[.] late: [^<]*the score moved' AS in_the_report, dunning.report_html(as_of => '2026-06-01 12:00+00') ~ 'Model drift' AS in_that_of_june;
-- to_train_it_anew_mends_it
SELECT dunning.promote(t.model, t.version) FROM dunning.train('late', kind => 'logistic') t;
SELECT rows FROM dunning.maintain() WHERE item = 'drift refreshed';
SELECT dunning.promote(t.model, t.version) FROM dunning.train_curve() t;
SELECT rows FROM dunning.maintain() WHERE item = 'drift refreshed';
SELECT item, state FROM dunning.health() WHERE item LIKE 'drift%' ORDER BY 1;
SELECT count(DISTINCT version) AS versions, count(DISTINCT checked_at) AS looks FROM dunning.drift_check WHERE model = 'late';

-- the_other_targets_are_looked_at_as_well
-- (of whom some have stopped to pay altogether)
DELETE FROM dunning.payment p USING bill b WHERE b.invoice = p.payment_id AND b.debtor ~ '[05]$' AND b.issued >= '2025-09-01';
SELECT model, version FROM dunning.train('self_cure', kind => 'logistic');
SELECT model, version FROM dunning.train('paid_30d', '2026-04-01 00:00+00', kind => 'logistic');
SET dunning.clock = '2026-07-21 11:00+00';
SELECT rows FROM dunning.maintain() WHERE item = 'drift refreshed';
SELECT model, count(*) FILTER (WHERE measure = 'check') AS not_looked_at, max(n) FILTER (WHERE measure = 'auc') > 100 AS outcomes FROM dunning.drift GROUP BY 1 ORDER BY 1;
-- what_keeps_a_model_from_being_looked_at_is_a_row_and_the_others_are_looked_at
UPDATE dunning.model SET feature_stats = replace(feature_stats::text, 'log_amount', 'no_such_feature')::jsonb WHERE model = 'self_cure';
SET dunning.clock = '2026-07-22 11:00+00';
SELECT rows FROM dunning.maintain() WHERE item = 'drift refreshed';
SELECT model, measure, state, detail FROM dunning.drift WHERE measure = 'check';
SELECT item, state, detail FROM dunning.health() WHERE item = 'drift of self_cure';
ROLLBACK;
RESET dunning.clock;
