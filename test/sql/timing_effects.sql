-- timing: what dates do to the worth of a contact is learnt from contacts and answers.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
-- what the nights of other tests left
DELETE FROM dunning.date_effect_learnt;

-- ---- the fit ----

-- one_effect_in_one_group_is_the_quotient_drawn_to_1_as_by_two_hundred_answers: of 1000 expected answers on its days 500, elsewhere all of them
SELECT round(f.answered::numeric) AS answered, abs(f.foreseen - 1000) < 40 AS foreseen, round(f.multiplier::numeric, 2) AS multiplier, 0.5 BETWEEN f.low AND f.high AS true_within
FROM dunning._fit_date_effects('{1,1}', '{20000,500}', '{20000,1000}', '{2}', '{1}', 1) f;
-- levels_of_groups_are_their_own: the second is answered three times as well
SELECT round(f.multiplier::numeric, 2) AS multiplier FROM dunning._fit_date_effects('{1,1,2,2}', '{20000,500,60000,1500}', '{20000,1000,20000,1000}', '{2,4}', '{1,1}', 1) f;
-- two_effects_on_one_day_are_told_apart_by_the_days_that_they_have_alone
SELECT f.effect, round(f.multiplier::numeric, 2) AS multiplier FROM dunning._fit_date_effects('{1,1,1,1}', '{90000,5000,15000,7500}', '{90000,10000,10000,10000}', '{2,4,3,4}', '{1,1,2,2}', 2) f;
-- an_effect_on_every_day_of_a_group_cannot_be_told
SELECT round(f.multiplier::numeric, 3) AS multiplier, round(f.weight::numeric, 3) AS weight FROM dunning._fit_date_effects('{1,1}', '{500,400}', '{1000,800}', '{1,2}', '{1,1}', 1) f;
-- days_that_scatter_more_than_chance_count_for_less
SELECT count(*) FILTER (WHERE f.weight < 60) AS less
FROM (SELECT array_agg(1) AS groups, array_agg(CASE WHEN i % 2 = 0 THEN 10 ELSE 90 END::float8) AS answers, array_agg(50::float8) AS expected FROM generate_series(1, 400) i) s
CROSS JOIN LATERAL dunning._fit_date_effects(s.groups, s.answers, s.expected, ARRAY(SELECT i FROM generate_series(1, 20) i), array_fill(1, ARRAY[20]), 1) f;
-- in_two_hundred_worlds_where_nothing_is_true_nothing_is_sure
SELECT count(*) AS effects, count(*) FILTER (WHERE abs(ln(f.multiplier)) * sqrt(f.weight + 200) >= 3) AS sure, count(*) FILTER (WHERE 1 BETWEEN f.low AND f.high) > 370 AS one_is_within
FROM generate_series(1, 200) w
CROSS JOIN LATERAL (SELECT array_agg(i / 90 + 1 ORDER BY i) AS groups, array_agg(50::float8 ORDER BY i) AS expected,
    -- fifty contacts more or less answered, roughly as Poisson has it
    array_agg((SELECT sum((dunning._uniform(w || '/' || i || '/' || k) < 0.25)::int) FROM generate_series(1, 200) k)::float8 ORDER BY i) AS answers FROM generate_series(0, 359) i) s
CROSS JOIN LATERAL dunning._fit_date_effects(s.groups, s.answers, s.expected, ARRAY(SELECT i FROM generate_series(20, 360, 30) i) || ARRAY(SELECT i FROM generate_series(5, 360, 15) i),
    array_fill(1, ARRAY[12]) || array_fill(2, ARRAY[24]), 2) f;
SELECT count(*) AS none FROM dunning._fit_date_effects('{}', '{}', '{}', '{}', '{}', 0);
SELECT dunning._fit_date_effects('{1,2}', '{1}', '{1,2}', '{}', '{}', 1);
SELECT dunning._fit_date_effects('{1}', '{1}', '{1}', '{2}', '{1}', 1);
SELECT dunning._fit_date_effects('{1}', '{1}', '{-1}', '{1}', '{1}', 1);
SELECT dunning._fit_date_effects('{1,1}', '{1,1}', '{1,1}', '{1,2}', '{2,1}', 2);
-- a_book_of_which_nothing_is_known_answers_alike_at_every_hour
SELECT cardinality(c) AS hours, c[1] BETWEEN 0.01 AND 0.5 AS sensible FROM dunning._book_chances(NULL, 'email') c;

-- ---- a book ----

-- Danish firms answer half as often in the days before their VAT is due, Norwegian firms as on any other day, and one contact of firms in two is on such days. Persons answer by the hour.
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-06-20 10:00+00';
SELECT dunning._ensure_partitions() IS NOT NULL AS partitions;
INSERT INTO dunning.debtor (debtor_id, creditor, kind, name, country, time_zone, email)
SELECT k.name || i, 'dated', k.kind, 'Debtor ' || i, k.country, k.zone, k.name || i || '@example.com'
FROM generate_series(1, 600) i, (VALUES ('D-', 'company', 'DK', 'Europe/Copenhagen'), ('P-', 'person', 'DK', 'Europe/Copenhagen'), ('N-', 'company', 'NO', 'Europe/Oslo')) k(name, kind, country, zone);
CREATE TEMP TABLE due AS
SELECT x.country, x.kind, x.on_date, row_number() OVER (PARTITION BY x.country, x.kind ORDER BY x.on_date) AS no, count(*) OVER (PARTITION BY x.country, x.kind) AS days
FROM (SELECT p.country, p.kind, d.d::date AS on_date FROM (VALUES ('DK', 'company'), ('DK', 'person'), ('NO', 'company')) p(country, kind), generate_series('2024-07-01', '2026-06-10', interval '1 day') d(d)
      CROSS JOIN LATERAL dunning._effect(dunning._packed_effects(p.country, NULL, NULL, ARRAY['vat_due', 'tax_due'], '{-3,-3}', '{0,0}', '{2,2}', NULL, NULL, NULL), d.d::date) e
      WHERE e.tag = CASE p.kind WHEN 'company' THEN 'vat_due' ELSE 'tax_due' END) x;
SELECT country, kind, count(*) AS days FROM due GROUP BY 1, 2 ORDER BY 1, 2;
CREATE TEMP TABLE told AS
SELECT d.debtor_id, d.country, d.kind, dunning._uuid7() AS message_id, o.on_date + time '10:00' + 15 * floor(8 * dunning._uniform(d.debtor_id || '/' || n, 5)) * interval '1 minute' AS local, d.time_zone,
    dunning._uniform(d.debtor_id || '/' || n, 6) AS luck, -0.8 + dunning._uniform(d.debtor_id || '/' || n, 7) AS x
FROM dunning.debtor d, generate_series(0, 11) n
CROSS JOIN LATERAL (SELECT CASE WHEN n % 2 = 1 AND d.kind = 'company' THEN (SELECT u.on_date FROM due u WHERE u.country = d.country AND u.kind = d.kind
                                                     AND u.no = 1 + floor(u.days * (n / 2 + dunning._uniform(d.debtor_id || '/' || n, 3)) / 6))
                           ELSE date '2024-07-01' + floor(59 * (n + dunning._uniform(d.debtor_id || '/' || n, 4)))::int END AS on_date) o
WHERE d.creditor = 'dated';
-- Of persons a model knew the chance.
INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, contact_at, local_time, amounts, cost, cost_currency, propensity, explored, context, decision, created_at, created_by)
SELECT t.message_id, t.debtor_id, 'dated', 'reminder-1', 'email', 'en', t.local AT TIME ZONE t.time_zone, '', '{}', 0, 'EUR', 1, false, '{}', jsonb_build_object('timing', jsonb_build_object('x', t.x, 'x_mean', t.x)),
    t.local AT TIME ZONE t.time_zone, 'test' FROM told t WHERE t.kind = 'person';
INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
SELECT t.message_id, 1, t.debtor_id, 'dated', 'email', 'mail', '', '{}', '', 0, 'effects test', 0, 'EUR', t.local AT TIME ZONE t.time_zone, t.local AT TIME ZONE t.time_zone, 0, 0, '', '' FROM told t;
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, recorded_at, recorded_by)
SELECT t.debtor_id, dunning._uuid7(), 'dated', 'clicked', (t.local AT TIME ZONE t.time_zone) + interval '1 hour', now(), 'test' FROM told t
WHERE t.luck < CASE WHEN t.kind = 'person' THEN 1 / (1 + exp(-t.x)) ELSE 0.4 END * CASE WHEN t.country = 'DK' AND t.kind = 'company' AND EXISTS (SELECT FROM due u WHERE u.country = 'DK' AND u.kind = 'company' AND u.on_date = t.local::date) THEN 0.5 ELSE 1 END;

SELECT count(*) FILTER (WHERE left(b.local_time, 10) <= '2026-09-01') > 0 AS before_it_is_paid
FROM dunning.best_time('D-7', 'email', not_before => '2026-08-29 06:00+00', not_after => '2026-09-04 18:00+00', top => 10) b;
SELECT count(*) AS nothing_yet FROM dunning.date_effect_learnt;
-- what_a_model_said_of_the_hour_is_what_is_expected
SELECT c.debtor_kind, c.modelled, sum(c.contacts) AS contacts, abs(sum(c.expected) - (SELECT sum(1 / (1 + exp(-t.x))) FROM told t WHERE t.kind = 'person')) < 0.001 AS as_it_said
FROM dunning._dated_contacts(dunning._now(), 1) c WHERE c.debtor_kind = 'person' GROUP BY 1, 2;
SELECT m.rows > 0 AS learnt FROM dunning.maintain() m WHERE m.item = 'timing effects refreshed';
-- what_is_true_is_found_with_what_it_was_learnt_from_and_nothing_else
SELECT l.effect, l.country, l.debtor_kind, l.state, round(l.multiplier::numeric, 1) AS multiplier, 0.5 BETWEEN l.low AND l.high AS half_is_within, 1 BETWEEN l.low AND l.high AS one_is_within,
    l.contacts > 1000 AS many, l.answers > 300 AS answered, l.occasions >= 4 AS occasions, l.since < '2025-01-01' AS since
FROM dunning.date_effect_learnt l WHERE l.contacts > 1000 ORDER BY 1, 2, 3;
SELECT count(*) AS sure FROM dunning.date_effect_learnt l WHERE l.state = 'sure';
SELECT count(*) AS benefits FROM dunning.date_effect_learnt l WHERE l.effect IN ('child-benefit', 'social-security', 'allowance');
-- what_is_surely_so_is_heeded_though_the_guess_is_off_and_nothing_else_is
SELECT tag, min(on_date), max(on_date), round(min(multiplier)::numeric, 1) AS multiplier FROM dunning.date_effects('DK', '2026-08-20', '2026-09-10', 'company') GROUP BY 1;
SELECT count(*) AS norwegian FROM dunning.date_effects('NO', '2026-01-01', '2026-12-31', 'company');
SELECT count(*) AS persons FROM dunning.date_effects('DK', '2026-01-01', '2026-12-31', 'person');
-- best_time_goes_by_it
SELECT count(*) FILTER (WHERE left(b.local_time, 10) <= '2026-09-01') AS before_it_is_paid, count(*) AS slots
FROM dunning.best_time('D-7', 'email', not_before => '2026-08-29 06:00+00', not_after => '2026-09-04 18:00+00', top => 10) b;
-- a_session_that_answered_before_notices
DELETE FROM dunning.date_effect_learnt;
SELECT count(*) FILTER (WHERE left(b.local_time, 10) <= '2026-09-01') > 0 AS before_it_is_paid, count(*) AS slots
FROM dunning.best_time('D-7', 'email', not_before => '2026-08-29 06:00+00', not_after => '2026-09-04 18:00+00', top => 10) b;
SELECT count(*) > 0 AS refreshed FROM dunning._refresh_timing_effects();
SELECT count(*) FILTER (WHERE left(b.local_time, 10) <= '2026-09-01') AS before_it_is_paid, count(*) AS slots
FROM dunning.best_time('D-7', 'email', not_before => '2026-08-29 06:00+00', not_after => '2026-09-04 18:00+00', top => 10) b;
-- a_guess_that_is_on_gives_way_to_what_is_known
SELECT dunning.save_date_effect('vat-due'), dunning.save_date_effect('tax-due');
SELECT round(min(multiplier)::numeric, 1) AS danish FROM dunning.date_effects('DK', '2026-08-20', '2026-09-10', 'company') WHERE tag = 'vat_due';
SELECT min(multiplier) > 0.85 AS norwegian FROM dunning.date_effects('NO', '2026-01-01', '2026-12-31', 'company') WHERE tag = 'vat_due';
-- of_a_place_without_contacts_the_guess_holds
SELECT min(multiplier) AS swedish FROM dunning.date_effects('SE', '2026-01-01', '2026-12-31', 'company') WHERE tag = 'vat_due';
-- one_that_is_not_to_be_learnt_stays_as_it_was_set
SELECT dunning.save_date_effect('vat-due', multiplier => 0.7, learn => false);
SELECT min(multiplier) AS own FROM dunning.date_effects('DK', '2026-08-20', '2026-09-10', 'company') WHERE tag = 'vat_due';
SELECT count(*) > 0 AS refreshed FROM dunning._refresh_timing_effects();
SELECT count(*) AS learnt FROM dunning.date_effect_learnt l WHERE l.effect = 'vat-due';
-- one_that_a_user_switched_off_stays_off
SELECT dunning.save_date_effect('vat-due', enabled => false, learn => true);
SELECT count(*) > 0 AS refreshed FROM dunning._refresh_timing_effects();
SELECT l.state FROM dunning.date_effect_learnt l WHERE l.effect = 'vat-due' AND l.country = 'DK';
SELECT count(*) AS off FROM dunning.date_effects('DK', '2026-08-20', '2026-09-10', 'company') WHERE tag = 'vat_due';
-- one_of_other_days_is_learnt_anew
SELECT dunning.save_date_effect('vat-due', from_day => -1);
SELECT count(*) AS of_other_days FROM dunning.date_effect_learnt l WHERE l.effect = 'vat-due';
SELECT dunning.reset_date_effect('vat-due'), dunning.reset_date_effect('tax-due');
-- what_came_but_once_is_not_known
DELETE FROM dunning.event v WHERE v.creditor = 'dated' AND v.debtor_id LIKE 'P-%' AND v.at BETWEEN '2026-02-20' AND '2026-04-30';
SELECT dunning.save_money_date('flood', '2026-02-20', 'flood', until_date => '2026-04-29') IS NOT NULL AS saved, dunning.save_date_effect('flood', tag => 'flood', multiplier => 0.4) IS NOT NULL AS effect;
SELECT count(*) > 0 AS refreshed FROM dunning._refresh_timing_effects();
SELECT l.country, l.debtor_kind, l.occasions, l.state, l.multiplier < 0.8 AS nobody_answered FROM dunning.date_effect_learnt l WHERE l.effect = 'flood' AND l.debtor_kind = 'person' ORDER BY 1, 2;
SELECT dunning.reset_date_effect('flood'), dunning.save_money_date('flood', '2026-02-20', 'flood', remove => true) IS NOT NULL AS removed;

DELETE FROM dunning.egress WHERE reason = 'effects test';
DELETE FROM dunning.message WHERE creditor = 'dated';
DELETE FROM dunning.event WHERE creditor = 'dated';
DELETE FROM dunning.timing_profile WHERE creditor = 'dated';
DELETE FROM dunning.timing_book WHERE creditor = 'dated';
DELETE FROM dunning.debtor WHERE creditor = 'dated';
SELECT dunning._refresh_timing_effects();
SELECT count(*) AS learnt FROM dunning.date_effect_learnt;
