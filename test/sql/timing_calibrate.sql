-- timing: what chosen hours are worth is measured on contacts drawn by lot.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;

-- Contacts whose truth is a + b1 mean + b2 (x - mean).
CREATE FUNCTION pg_temp.made(n int, a float8, b1 float8, b2 float8, seed text) RETURNS TABLE (a_fit numeric, b1_fit numeric, b2_fit numeric, error numeric, claimed numeric, flat boolean)
LANGUAGE sql AS $$
    SELECT round(f.a::numeric, 2), round(f.b1::numeric, 2), round(f.b2::numeric, 2), round(f.error::numeric, 2), round(f.claimed::numeric, 2), f.flat
    FROM (SELECT array_agg(m + d) AS x, array_agg(m) AS mean, array_agg(dunning._uniform(seed || i, 3) < 1 / (1 + exp(-(a + b1 * m + b2 * d)))) AS answered
          FROM (SELECT i, -1.5 + dunning._uniform(seed || i, 1) AS m, 1.6 * (dunning._uniform(seed || i, 2) - 0.5) AS d FROM generate_series(1, n) i) s) s
    CROSS JOIN LATERAL dunning._calibrate(s.x, s.mean, s.answered, '{0,1,0,0,-100}') f $$;

-- what_is_true_is_found_and_most_of_it_claimed
SELECT * FROM pg_temp.made(20000, -0.3, 0.8, 0.7, 'true');
-- without_an_effect_of_hours_nothing_is_claimed
SELECT * FROM pg_temp.made(20000, 0, 1, 0, 'flat');
-- of_few_contacts_nothing_is_claimed_and_the_model_is_left_as_it_is
SELECT * FROM pg_temp.made(12, 0, 1, 0.5, 'few');
-- in_a_hundred_flat_worlds_hardly_anything_is_claimed
SELECT avg(m.claimed) < 0.06 AS hardly, count(*) FILTER (WHERE m.claimed > 0.3) AS much FROM generate_series(1, 100) w CROSS JOIN LATERAL pg_temp.made(1500, 0, 1, 0, 'w' || w) m;
-- more_than_all_of_it_is_never_claimed
SELECT claimed FROM pg_temp.made(20000, 0, 1, 1.6, 'steep');
-- nobody_answered_is_fitted_as_well
SELECT round(a::numeric, 1) < 0 AS less, flat FROM dunning._calibrate(array_fill(-1::float8, ARRAY[500]), array_fill(-1.5::float8, ARRAY[500]), array_fill(false, ARRAY[500]), '{0,1,0,0,-100}');
SELECT dunning._calibrate('{1}', '{1,2}', '{true}', '{0,1,0,0,-100}');
SELECT dunning._calibrate('{}', '{}', '{}', '{0,1,0,0,-100}') IS NULL AS nothing_of_nothing;

-- A book: a thousand debtors, contacts with the model's log-odds in their decisions, and answers where they were chosen well.
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-06-10 10:00+00';
INSERT INTO dunning.debtor (debtor_id, creditor, kind, name, country, time_zone, email, phone)
SELECT 'C-' || i, 'calib', 'person', 'Debtor ' || i, 'DK', 'Europe/Copenhagen', 'c' || i || '@example.com', '+45200' || i FROM generate_series(1000, 1999) i;
SELECT dunning._ensure_partitions() IS NOT NULL AS partitions;
CREATE TEMP TABLE made AS
SELECT dunning._uuid7() AS message_id, 'C-' || i AS debtor_id, c.channel, drawn, '2026-03-02 09:00+00'::timestamptz + n * interval '10 days' AS at, -1.2 AS mean,
    -1.2 + CASE WHEN drawn THEN 1.6 * (dunning._uniform(i || '/' || n, 2) - 0.5) ELSE 0.7 END AS x, dunning._uniform(i || '/' || n, 3) AS luck
FROM generate_series(1000, 1999) i, generate_series(0, 7) n, (VALUES ('email'), ('sms')) c(channel), LATERAL (SELECT dunning._uniform(i || '/' || n, 1) < 0.3 AS drawn) l
WHERE c.channel = CASE WHEN i < 1500 THEN 'email' ELSE 'sms' END;
INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, contact_at, local_time, amounts, cost, cost_currency, propensity, explored, context, decision, created_at, created_by)
SELECT m.message_id, m.debtor_id, 'calib', 'reminder-1', m.channel, 'en', m.at, '', '{}', 0, 'EUR', 1, m.drawn, '{}', jsonb_build_object('timing', jsonb_build_object('x', m.x, 'x_mean', m.mean)), m.at, 'test' FROM made m;
INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
SELECT m.message_id, 1, m.debtor_id, 'calib', m.channel, 'mail', '', '{}', '', 0, 'calibrate test', 0, 'EUR', m.at, m.at, 0, 0, '', '' FROM made m;
-- E-mail is answered by the hour, SMS whenever it comes.
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, recorded_at, recorded_by)
SELECT m.debtor_id, dunning._uuid7(), 'calib', 'clicked', m.at + interval '2 hours', now(), 'test' FROM made m
WHERE m.luck < 1 / (1 + exp(-(-1.2 + CASE m.channel WHEN 'email' THEN m.x - m.mean ELSE 0 END)));

-- health_says_when_the_fit_is_missing_or_old
SELECT item, state, detail, fix_sql FROM dunning.health() WHERE item = 'timing calibration';
SELECT count(*) > 0 AS refreshed FROM dunning.maintain() m WHERE m.item = 'timing calibration refreshed' AND m.rows = 2;
SELECT channel, drawn, answers, round(b2::numeric, 1) AS b2, claimed > 0.6 AS much_claimed, claimed = 0 AS nothing_claimed, used, chosen, chosen_answers, level IS NOT NULL AS levelled FROM dunning.timing_calibration WHERE creditor = 'calib' ORDER BY 1;
SELECT state, detail, fix_sql FROM dunning.health() WHERE item = 'timing calibration';
UPDATE dunning.timing_calibration SET as_of = as_of - interval '3 days';
SELECT state, detail, fix_sql FROM dunning.health() WHERE item = 'timing calibration';
-- best_time_claims_a_gain_where_one_was_measured_and_only_there
SELECT b.uplift > 0.01 AND abs(b.p_response / b.p_baseline - 1 - b.uplift) < 1e-9 AS gain, b.contact_at > dunning._now() AS later, b.reasons ->> 'calibrated' AS calibrated FROM dunning.best_time('C-1003', 'email', top => 2) b LIMIT 1;
SELECT b.uplift, b.p_response = b.p_baseline AS level FROM dunning.best_time('C-1503', 'sms', top => 2) b LIMIT 1;
-- the_report_says_where_timing_matters
SELECT channel, contacts, answers, drawn, drawn_answers, round(lower::numeric, 3) AS lower, round(upper::numeric, 3) AS upper, round(believed::numeric, 2) AS believed, verdict FROM dunning.timing_report() WHERE creditor = 'calib';
-- one_that_left_hours_late_says_nothing_of_its_hour
UPDATE dunning.egress SET contact_on = contact_on + interval '3 hours' WHERE reason = 'calibrate test' AND channel = 'sms';
SELECT channel FROM dunning.timing_report() WHERE creditor = 'calib';
DELETE FROM dunning.egress WHERE reason = 'calibrate test' AND debtor_id > 'C-1040';
SELECT verdict LIKE 'too early%' AS too_early FROM dunning.timing_report() WHERE creditor = 'calib';

-- where_hours_make_no_difference_the_earliest_allowed_instant_is_taken
UPDATE dunning.timing_book b SET prior = dunning._calibrated_prior(b.prior, 'email', '{0,1,0,1}', NULL) WHERE b.creditor = 'calib' AND b.channel = '*';
SELECT b.contact_at = dunning._now() AS earliest, b.uplift, b.reasons ->> 'hour' AS hour
FROM dunning.best_time('C-1003', 'email', top => 100) b LIMIT 1;

DELETE FROM dunning.egress WHERE creditor = 'calib';	-- no links of a chain
