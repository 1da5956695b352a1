-- timing: when a debtor answers, when they are paid, and the best of the allowed instants.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-06-10 10:00+00';       -- a Wednesday

INSERT INTO dunning.debtor (debtor_id, creditor, kind, name, country, time_zone, email, phone)
SELECT 'T-' || i, 'north', 'person', 'Debtor ' || i, 'DK', 'Europe/Copenhagen', 't' || i || '@example.com', '+451000' || i FROM generate_series(1000, 1060) i;
SELECT dunning._ensure_partitions() IS NOT NULL AS partitions;

-- payday_posterior_finds_the_schedule_that_made_the_payments
SELECT schedule, round(probability::numeric, 2) AS p, next_date FROM dunning._payday('SE', '{2026-05-25,2026-04-24,2026-03-25,2026-02-25,2026-01-23,2025-12-25}', '2026-06-10') ORDER BY probability DESC LIMIT 1;
SELECT schedule, round(probability::numeric, 2) AS p, next_date FROM dunning._payday('GB', ARRAY(SELECT d::date FROM generate_series('2026-01-02'::date, '2026-06-05', '14 days') d), '2026-06-10') ORDER BY probability DESC LIMIT 1;
SELECT schedule, next_date FROM dunning._payday('DK', NULL, '2026-12-20') ORDER BY probability DESC, 1 LIMIT 2;
SELECT count(*) AS hypotheses, round(sum(probability)::numeric, 6) AS total FROM dunning._payday(NULL, '{2026-05-25,infinity,NULL}', '2026-06-10');

-- scattered_payments_are_called_no_payday_nearly_always
SELECT count(*) FILTER (WHERE p.probability > 0.8 AND p.schedule <> 'none') <= 12 AS under_3_percent, count(*) AS debtors
FROM generate_series(1, 400) i,
     LATERAL (SELECT y.schedule, y.probability FROM dunning._payday('DE', ARRAY(
         SELECT '2024-01-01'::date + (dunning._uniform(i || '/' || j) * 700)::int FROM generate_series(1, 12) j), '2026-06-10') y ORDER BY y.probability DESC LIMIT 1) p;
-- of_payments_half_tied_to_a_payday_most_schedules_are_found
SELECT count(*) FILTER (WHERE p.schedule = 'day 12 of the month') >= 120 AS found, count(*) AS debtors
FROM generate_series(1, 200) i,
     LATERAL (SELECT y.schedule, y.probability FROM dunning._payday('FR', ARRAY(
         SELECT CASE WHEN dunning._uniform(i || '?' || j) < 0.5
                     THEN due - greatest(0, extract(isodow FROM due)::int - 5) + floor(-ln(dunning._uniform(i || '+' || j) + 1e-9) / ln(2))::int % 7
                     ELSE '2024-01-01'::date + (dunning._uniform(i || '/' || j) * 700)::int END
         FROM generate_series(1, 12) j, LATERAL (SELECT ('2024-01-12'::date + j * interval '1 month')::date AS due) x), '2026-06-10') y ORDER BY y.probability DESC LIMIT 1) p;

-- nothing_known_means_the_earliest_allowed_instant_and_no_claim
SELECT contact_at, local_time, round(p_response::numeric, 3) = round(p_baseline::numeric, 3) AS no_claim, uplift, explored, reasons - 'hour' - 'payday' - 'delay' - 'x' - 'x_mean' AS reasons FROM dunning.best_time('T-1000', 'email', not_after => '2026-06-11 10:00+00');
SELECT contact_at FROM dunning.best_time('T-1000', 'email', not_before => '2026-06-10 22:00+00', not_after => '2026-06-12 00:00+00');
SELECT count(*) AS several, count(DISTINCT contact_at) AS different, min(contact_at) FROM dunning.best_time('T-1000', 'sms', top => 5);

-- no_allowed_instant_gives_null_and_names_what_is_in_the_way
SELECT contact_at, reasons -> 'blocked_by' AS blocked_by FROM dunning.best_time('T-1000', 'letter');
SELECT contact_at, reasons -> 'removed' AS removed, reasons -> 'rules' AS rules FROM dunning.best_time('T-1000', 'sms', not_before => '2026-06-13 13:00+00', not_after => '2026-06-14 20:00+00');
-- where_the_clock_alone_leaves_nothing_its_rules_are_named: how many of the 125 quarters of an hour each closes
SELECT reasons -> 'closed_by' AS closed_by, reasons -> 'words' AS words FROM dunning.best_time('T-1000', 'sms', not_before => '2026-06-13 13:00+00', not_after => '2026-06-14 20:00+00');
SELECT count(*) FROM dunning.hold('T-1000', 'hardship');
SELECT contact_at, reasons -> 'blocked_by' AS blocked_by, reasons -> 'words' -> 0 AS said FROM dunning.best_time('T-1000', 'email');
SELECT contact_at, reasons -> 'words' -> 0 AS said FROM dunning.best_time('nobody', 'email');
DELETE FROM dunning.hold WHERE debtor_id = 'T-1000';
SELECT count(*) FROM dunning.hold('T-1000', 'promise', until => '2026-06-14');
SELECT contact_at AS after_the_hold FROM dunning.best_time('T-1000', 'email');
DELETE FROM dunning.hold WHERE debtor_id = 'T-1000';

-- before_a_deadline_rather_too_early_than_not_at_all: a Sunday is closed to SMS, so Wednesday noon it is, now
SELECT contact_at, reasons - 'hour' - 'payday' - 'delay' - 'evidence' - 'x' - 'x_mean' AS reasons FROM dunning.best_time('T-1000', 'sms', not_before => '2026-06-14 00:00+00', not_after => '2026-06-14 20:00+00', deadline => true);
SELECT count(*) FROM dunning.hold('T-1000', 'hardship');
SELECT contact_at, reasons ? 'deadline_compromised' AS compromised FROM dunning.best_time('T-1000', 'sms', not_before => '2026-06-14 00:00+00', not_after => '2026-06-14 20:00+00', deadline => true);
DELETE FROM dunning.hold WHERE debtor_id = 'T-1000';
-- what_the_calendar_has_on_a_day_counts: in a closure of the house's own nobody is written to who can be written to after it
BEGIN;
SELECT dunning.save_money_date('works_closed', '2026-06-11', 'Works holiday', 'DK', until_date => '2026-06-13');
SELECT dunning.save_date_effect('works', 'works_closed', 0.3, 0, 0, source => 'test');
SELECT contact_at::date AS after_it FROM dunning.best_time('T-1000', 'email', not_before => '2026-06-11 06:00+00', not_after => '2026-06-19 00:00+00', top => 2) LIMIT 1;
SELECT reasons -> 'date' ->> 'tag' AS tag FROM dunning.best_time('T-1000', 'email', not_before => '2026-06-11 06:00+00', not_after => '2026-06-11 16:00+00', top => 2) LIMIT 1;
ROLLBACK;

-- bad_questions_are_refused
SELECT * FROM dunning.best_time('T-1000', 'pigeon');
SELECT * FROM dunning.best_time('T-1000', 'sms', 'infinity');
SELECT * FROM dunning.best_time('T-1000', 'sms', '2026-06-12', '2026-06-11');
SELECT * FROM dunning.best_time('T-1000', 'sms', top => 0);
SELECT * FROM dunning.payday('T-none');

-- who_answers_in_the_evening_is_written_to_before_the_evening_though_all_contacts_were_sent_in_the_morning
INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
SELECT dunning._uuid7(), 1, 'T-' || d, 'north', 'sms', 'mail', '', '{}', '', 0, 'timing test', 0, 'EUR', now(), '2026-05-04 07:15+00'::timestamptz + n * interval '3 days', 0, 0, '', ''
FROM generate_series(1000, 1060) d, generate_series(0, 8) n WHERE extract(isodow FROM '2026-05-04'::date + n * 3) < 6;
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, recorded_at, recorded_by)
SELECT e.debtor_id, dunning._uuid7(), 'north', 'clicked', e.contact_on + interval '10 hours 20 minutes', now(), 'timing test' FROM dunning.egress e WHERE e.reason = 'timing test' AND e.debtor_id = 'T-1001';
SELECT count(*) AS profiles FROM dunning._refresh_profiles();
SELECT contacts, responses, length(profile::text) > 500 AS readable FROM dunning.timing_profile WHERE debtor_id = 'T-1001';
SELECT extract(hour FROM contact_at AT TIME ZONE 'Europe/Copenhagen') BETWEEN 17 AND 19 AS in_the_evening, explored, reasons ->> 'evidence' AS evidence, (reasons ->> 'hour')::float8 > 0.2 AS by_the_hour
FROM dunning.best_time('T-1001', 'sms', not_before => '2026-06-15 00:00+00', not_after => '2026-06-15 22:00+00', top => 1);
-- the_reasons_are_said_in_words_too
SELECT regexp_replace(w, '[-+]\d+ %', 'N %', 'g') AS words FROM dunning.best_time('T-1001', 'sms', not_before => '2026-06-15 00:00+00', not_after => '2026-06-15 22:00+00', top => 2) b, jsonb_array_elements_text(b.reasons -> 'words') w LIMIT 4;
SELECT dunning._timing_words('{"hour": 0.344, "payday": 0.438, "payday_days": 2, "delay": -0.03, "date": {"tag": "vat_due", "effect": -0.223}, "slots": 5, "removed": {"caps": 2, "holiday": 0, "quiet_hours": 0}}', '2026-06-13 18:30 Europe/Copenhagen', true);
SELECT dunning._timing_words('{"hour": -0.2, "payday": -0.7, "deadline_compromised": true, "evidence": "0 answers to 3 contacts, 0 payments", "date": {"tag": "works_closed", "effect": -1.2}}', '2026-06-15 08:00 Europe/Copenhagen', NULL);
SELECT dunning._timing_words(NULL, NULL, NULL) IS NULL AS nothing, dunning._timing_words('[1]', 'soon', false) AS odd, dunning._timing_words('{"hour": "x", "blocked_by": [1, {}, "a"], "date": 3, "removed": [], "closed_by": 1, "evidence": {}}', '', false) AS odder;
-- an_hour_in_which_messages_lay_unanswered_counts_against_itself
BEGIN;
DELETE FROM dunning.timing_book;        -- by the debtor's own evidence alone
SELECT extract(hour FROM contact_at AT TIME ZONE 'Europe/Copenhagen') >= 12 AS not_again_in_the_morning, reasons ->> 'evidence' AS evidence
FROM dunning.best_time('T-1004', 'call', not_before => '2026-06-15 00:00+00', not_after => '2026-06-15 22:00+00', top => 2) LIMIT 1;
ROLLBACK;
-- machines_that_click_are_not_answers
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, detail, recorded_at, recorded_by)
SELECT e.debtor_id, dunning._uuid7(), 'north', 'clicked', e.contact_on + interval '5 s', '{"machine": true}', now(), 'timing test' FROM dunning.egress e WHERE e.reason = 'timing test' AND e.debtor_id = 'T-1002';
SELECT count(*) FROM dunning._rebuild_profiles('{T-1002}');
SELECT contacts, responses FROM dunning.timing_profile WHERE debtor_id = 'T-1002';

-- payments_pull_towards_the_payday_but_not_those_that_followed_a_contact
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency)
SELECT 'T-1003', 'T-p' || m, 'north', (date_trunc('month', '2026-05-01'::timestamp) - m * interval '1 month' + interval '14 days')::date, 10, 'DKK' FROM generate_series(0, 11) m;
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency)
SELECT 'T-1003', 'T-c' || row_number() OVER (), 'north', e.contact_on + interval '3 hours', 10, 'DKK' FROM dunning.egress e WHERE e.reason = 'timing test' AND e.debtor_id = 'T-1003';
SELECT schedule, probability > 0.8 AS sure, next_date FROM dunning.payday('T-1003') LIMIT 1;
SELECT count(*) FROM dunning._rebuild_profiles('{T-1003}');
SELECT cardinality(payments) AS own_payments FROM dunning.timing_profile WHERE debtor_id = 'T-1003';
SELECT (contact_at AT TIME ZONE 'Europe/Copenhagen')::date AS on_the_payday, (reasons ->> 'payday')::float8 > 0.5 AS by_payday FROM dunning.best_time('T-1003', 'email', top => 2) LIMIT 1;

-- a_company_that_pays_in_a_monthly_run_is_known_by_its_payments
INSERT INTO dunning.debtor (debtor_id, creditor, kind, name, country, time_zone, email) VALUES ('T-firm', 'north', 'company', 'Firm', 'DK', 'Europe/Copenhagen', 'firm@example.com');
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency)
SELECT 'T-firm', 'T-f' || m, 'north', (date_trunc('month', '2026-06-01'::timestamp) - m * interval '1 month' - interval '1 day')::date, 5000, 'DKK' FROM generate_series(0, 11) m;
SELECT schedule, probability > 0.8 AS sure, next_date FROM dunning.payday('T-firm') LIMIT 1;
SELECT count(*) FROM dunning._rebuild_profiles('{T-firm}');
SELECT (contact_at AT TIME ZONE 'Europe/Copenhagen')::date AS on_the_day_of_the_run, (reasons ->> 'payday')::float8 > 0.5 AS by_it FROM dunning.best_time('T-firm', 'email', '2026-06-15', '2026-07-10', top => 2) LIMIT 1;

-- what_was_learnt_fades_so_that_new_habits_win: thirty answers in the morning a year ago, ten in the evening since April
INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
SELECT dunning._uuid7(), 1, 'T-1007', 'north', 'sms', 'mail', '', '{}', '', 0, 'timing test', 0, 'EUR', now(), at, 0, 0, '', ''
FROM (SELECT '2025-05-01 04:00+00'::timestamptz + n * interval '1 day' AS at FROM generate_series(1, 30) n UNION ALL SELECT '2026-04-01 10:00+00'::timestamptz + n * interval '6 days' FROM generate_series(1, 10) n) x;
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, recorded_at, recorded_by)
SELECT e.debtor_id, dunning._uuid7(), 'north', 'clicked', CASE WHEN e.contact_on < '2026-01-01' THEN e.contact_on + interval '3 hours 10 minutes' ELSE e.contact_on + interval '8 hours 10 minutes' END, now(), 'timing test'
FROM dunning.egress e WHERE e.reason = 'timing test' AND e.debtor_id = 'T-1007' AND (e.contact_on < '2025-07-01' OR e.contact_on > '2026-04-01' AND extract(minute FROM e.contact_on) = 0);
SELECT count(*) FROM dunning._rebuild_profiles('{T-1007}');
SELECT extract(hour FROM contact_at AT TIME ZONE 'Europe/Copenhagen') BETWEEN 17 AND 20 AS in_the_evening
FROM dunning.best_time('T-1007', 'call', not_before => '2026-06-15 00:00+00', not_after => '2026-06-15 22:00+00', top => 2) LIMIT 1;

-- profiles_made_anew_keep_what_is_known_of_delays_unless_told_otherwise
BEGIN;
SELECT count(*) > 0 AS made FROM dunning._rebuild_profiles();
UPDATE dunning.timing_book SET ages = ARRAY(SELECT a * 3 + 1 FROM unnest(ages) WITH ORDINALITY u(a, n) ORDER BY n) WHERE channel = '*';
CREATE TEMP TABLE known ON COMMIT DROP AS SELECT creditor, ages FROM dunning.timing_book WHERE channel = '*' AND ages IS NOT NULL;
SELECT count(*) > 0 AS made FROM dunning._rebuild_profiles();
SELECT count(*) > 0 AS books, bool_and(b.ages = k.ages) AS kept FROM known k JOIN dunning.timing_book b ON b.creditor = k.creditor AND b.channel = '*';
SELECT count(*) > 0 AS made FROM dunning._rebuild_profiles(delays_anew => true);
SELECT bool_or(b.ages = k.ages) AS kept FROM known k JOIN dunning.timing_book b ON b.creditor = k.creditor AND b.channel = '*';
ROLLBACK;

-- one_contact_in_twenty_is_drawn_evenly_and_falls_the_same_when_asked_again
INSERT INTO dunning.debtor (debtor_id, creditor, kind, country, email) SELECT 'T-' || i, 'north', 'person', 'DK', 'x' || i || '@example.com' FROM generate_series(2000, 3999) i;
CREATE TEMP TABLE asked AS SELECT * FROM dunning.best_times('email') WHERE debtor_id ~ '^T-[23]...$';
SELECT count(*) AS asked, count(*) FILTER (WHERE explored) BETWEEN 70 AND 130 AS about_five_percent, count(DISTINCT contact_at) FILTER (WHERE explored) > 50 AS spread,
       bool_and(abs(propensity - CASE WHEN explored THEN 0.05 ELSE 1 - 0.05 END) < 0.05) AS propensities, bool_and(uplift = 0) AS no_uplift FROM asked;
SELECT count(*) AS changed FROM asked a JOIN dunning.best_times('email') b ON b.debtor_id = a.debtor_id WHERE a.contact_at <> b.contact_at;
-- every_chosen_instant_is_allowed
SELECT count(*) AS chosen, count(*) FILTER (WHERE g.blocked_by <> '{}') AS forbidden
FROM dunning._gate(ARRAY(SELECT debtor_id FROM asked ORDER BY debtor_id), array_fill('email'::text, '{2000}'), ARRAY(SELECT contact_at FROM asked ORDER BY debtor_id)) g;

-- a_broken_ledger_has_no_best_time
CREATE TABLE public.timing_debtors (debtor_id text PRIMARY KEY, email text);
GRANT SELECT ON public.timing_debtors TO dunning_owner, dunning_worker;
SELECT dunning.bind('debtor', 'public.timing_debtors');
ALTER TABLE public.timing_debtors DROP COLUMN debtor_id;
SELECT ord, contact_at, reasons FROM dunning._best_times('{T-1000}', '{email}', NULL, NULL, NULL);
SELECT dunning.unbind('debtor');
DROP TABLE public.timing_debtors;

DELETE FROM dunning.egress WHERE reason = 'timing test';
DELETE FROM dunning.event WHERE recorded_by = 'timing test';
DELETE FROM dunning.payment WHERE debtor_id LIKE 'T-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'T-%';
DELETE FROM dunning.timing_profile;
DELETE FROM dunning.timing_book;
DROP TABLE asked;
RESET dunning.clock;
RESET dunning.timezone;
