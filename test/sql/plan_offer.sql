-- plan: the offers that steps come with, in a dry run and when they are made.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.timezone = 'UTC';
SET dunning.clock = '2026-06-22 10:00+00';
SELECT dunning.save_creditor('of', 'Offers Ltd', language => 'en');
CREATE SERVER of_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', creditor 'of');
INSERT INTO dunning.debtor (debtor_id, creditor, country, kind, name, given_name, language, time_zone, email)
SELECT 'of-' || i, 'of', 'GB', 'person', 'Name', 'Given', 'en', 'UTC', 'of' || i || '@debtors.test' FROM generate_series(1, 6) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency)
SELECT 'of-' || i, 'OF' || i, 'of', '2026-05-01', '2026-06-10', CASE i WHEN 6 THEN 3 ELSE 600 END, 'GBP' FROM generate_series(1, 6) i;
SELECT 1 AS made FROM dunning.save_strategy('of-plan', 'for the test');
SELECT 1 AS made FROM dunning.save_step('of-plan', 'plan', 1, 5, 'plan-offer', '{email}', offer => 'instalments');
-- of-2 has an offer of record, of-3 an agreement, of-4 declined lately; of 3 pounds no plan can be made.
SELECT count(*) AS made FROM (SELECT dunning.make_offer('of-2', 'pay_later')) x;
SELECT cardinality(promise_ids) AS parts FROM dunning.agree_instalments('of-3', '[{"amount": 300, "currency": "GBP", "due_on": "2026-06-22"}, {"amount": 300, "currency": "GBP", "due_on": "2026-07-22"}]');
UPDATE dunning.hold SET released_at = dunning._now(), released_by = 'test' WHERE debtor_id = 'of-3';
SELECT count(*) AS made FROM (SELECT dunning.make_offer('of-4', 'instalments')) x;
SELECT count(*) AS declined FROM (SELECT dunning.decline_offer('of-4', x.offer_id) FROM dunning.offer x WHERE x.debtor_id = 'of-4') x;

-- a_dry_run_shows_the_terms_that_the_run_then_offers_and_makes_none
CREATE TEMP TABLE dry AS SELECT p.debtor_id, p.step, p.state, p.offer FROM dunning.plan('of-plan', dry_run => true) p WHERE p.debtor_id LIKE 'of-%';
SELECT debtor_id, state, offer ->> 'kind' AS kind, offer ->> 'amount' AS amount, jsonb_array_length(offer -> 'options') AS options, offer ->> 'expires_on' AS expires_on FROM dry ORDER BY 1;
SELECT count(*) AS made FROM dunning.offer WHERE debtor_id IN ('of-1', 'of-3', 'of-5', 'of-6');
-- what_it_showed_is_what_is_offered: but for the words, which are made with the offer
BEGIN;
CREATE TEMP TABLE wet ON COMMIT DROP AS SELECT p.debtor_id, p.state, p.offer FROM dunning._plan('of-plan', NULL, false, false, (SELECT array_agg(debtor_id) FROM dry)) p;
CREATE FUNCTION pg_temp.terms(o jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', o ->> 'kind', o ->> 'amount', o ->> 'currency', o ->> 'expires_on', (SELECT string_agg(x ->> 'parts', ' ' ORDER BY x ->> 'option') FROM jsonb_array_elements(o -> 'options') x)) $$;
SELECT count(*) AS rows, count(*) FILTER (WHERE d.state = w.state AND pg_temp.terms(d.offer) IS NOT DISTINCT FROM pg_temp.terms(w.offer)) AS alike FROM dry d JOIN wet w ON w.debtor_id = d.debtor_id;
SELECT m.debtor_id, m.context #>> '{offer,kind}' AS told, m.decision ->> 'offer_needed' AS needed FROM dunning.message m WHERE m.debtor_id LIKE 'of-%' ORDER BY 1;
ROLLBACK;

-- a_step_whose_text_is_empty_without_an_offer_says_so_and_is_held_where_there_is_none
SELECT cardinality(warnings) >= 0 AS saved FROM dunning.save_template('of-bare', 'email', 'en', '{{given_name}}: about {{amount | money}} to {{creditor_name}}', '{{given_name}}, this would settle {{amount | money}} to {{creditor_name}}: {{#offer}}{{text}}.{{/offer}} Already paid? Thank you. {{pay_url}}');
SELECT dunning._needs_offer('of-bare', 'of') AS bare, dunning._needs_offer('plan-offer', 'of') AS shipped, dunning._needs_offer('reminder-1', 'of') AS other;
SELECT 1 AS made FROM dunning.save_step('of-plan', 'plan', 1, 5, 'of-bare', '{email}', offer => 'instalments');
SELECT debtor_id, state, reason, blocked_by, offer ->> 'kind' AS kind FROM dunning.plan('of-plan', dry_run => true) WHERE debtor_id LIKE 'of-%' ORDER BY 1;
CREATE TEMP TABLE wet AS SELECT p.* FROM dunning._plan('of-plan', NULL, false, false, (SELECT array_agg(debtor_id) FROM dry)) p;
SELECT w.debtor_id, w.state, w.reason, m.decision ->> 'offer_needed' AS needed, m.context #>> '{offer,kind}' AS told, w.offer = m.context -> 'offer' AS shown
FROM wet w LEFT JOIN dunning.message m ON m.message_id = w.message_id ORDER BY 1;
SELECT debtor_id, count(*) AS live FROM dunning.offer WHERE debtor_id LIKE 'of-%' AND state = 'live' GROUP BY 1 ORDER BY 1;
-- a_run_that_is_repeated_makes_no_second_offer
SELECT count(*) FILTER (WHERE p.message_id IS NOT NULL) AS again FROM dunning._plan('of-plan', NULL, false, false, (SELECT array_agg(debtor_id) FROM dry)) p;
SELECT count(*) AS offers FROM dunning.offer WHERE debtor_id LIKE 'of-%';
-- a_settlement_that_waits_for_another_person_is_neither_shown_nor_told
SELECT dunning.save_setting('four_eyes', 'true'), dunning.save_setting('settlement_percent', '70');
SELECT 1 AS made FROM dunning.save_step('of-plan', 'plan', 1, 5, 'of-bare', '{email}', offer => 'settlement');
INSERT INTO dunning.debtor (debtor_id, creditor, country, kind, given_name, language, time_zone, email) VALUES ('of-7', 'of', 'GB', 'person', 'Given', 'en', 'UTC', 'of7@debtors.test');
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency) VALUES ('of-7', 'OF7', 'of', '2026-05-01', '2026-06-10', 600, 'GBP');
SELECT state, reason, offer FROM dunning.plan('of-plan', dry_run => true) WHERE debtor_id = 'of-7';
SELECT state, reason, offer FROM dunning._plan('of-plan', NULL, false, false, '{of-7}');
SELECT kind, state FROM dunning.offer WHERE debtor_id = 'of-7';
SELECT dunning.save_setting('four_eyes', NULL), dunning.save_setting('settlement_percent', NULL);

-- Leave nothing behind.
RESET dunning.clock;
DROP SERVER of_mail CASCADE;
DELETE FROM dunning.template WHERE template = 'of-bare';
DELETE FROM dunning.message WHERE debtor_id LIKE 'of-%'; DELETE FROM dunning.queue WHERE debtor_id LIKE 'of-%'; DELETE FROM dunning.once WHERE debtor_id LIKE 'of-%'; DELETE FROM dunning.outcome WHERE debtor_id LIKE 'of-%';
DELETE FROM dunning.offer WHERE debtor_id LIKE 'of-%'; DELETE FROM dunning.promise WHERE debtor_id LIKE 'of-%'; DELETE FROM dunning.hold WHERE debtor_id LIKE 'of-%'; DELETE FROM dunning.event WHERE debtor_id LIKE 'of-%';
DELETE FROM dunning.task WHERE debtor_id LIKE 'of-%'; DELETE FROM dunning.invoice WHERE debtor_id LIKE 'of-%'; DELETE FROM dunning.debtor WHERE debtor_id LIKE 'of-%';
DELETE FROM dunning.step WHERE strategy = 'of-plan'; DELETE FROM dunning.strategy WHERE strategy = 'of-plan';
DELETE FROM dunning.creditor WHERE creditor = 'of'; DELETE FROM dunning.creditor_change WHERE creditor = 'of';
