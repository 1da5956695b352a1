-- plan: the fee that a message names is the fee that is charged, and the sum it asks for adds up.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.timezone = 'UTC';
SET dunning.clock = '2026-06-22 10:00+00';      -- a Monday
SELECT dunning.save_creditor('fees', 'North Ltd', language => 'en', default_strategy => NULL);
SELECT dunning.save_charging('fees', fees => true, interest => true, terms => '{reminder_fee}');
CREATE SERVER fe_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', creditor 'fees');
CREATE USER MAPPING FOR dunning_worker SERVER fe_mail;
CREATE SERVER fe_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', creditor 'fees');
CREATE USER MAPPING FOR dunning_worker SERVER fe_text;
SELECT 1 AS made FROM dunning.save_strategy('fee-ladder', 'for the test');
SELECT count(*) AS steps FROM (SELECT dunning.save_step('fee-ladder', s, n, d, s, '{email}') FROM (VALUES ('reminder-1', 1, 5), ('reminder-2', 2, 16)) v(s, n, d)) x;
UPDATE dunning.creditor SET default_strategy = 'fee-ladder' WHERE creditor = 'fees';
-- Where the library is preloaded a worker would do what these calls are to do.
ALTER SYSTEM SET dunning.databases = '';
SELECT pg_reload_conf();
DO $$
DECLARE give_up timestamptz := clock_timestamp() + interval '20 s';
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'dunning worker' AND datname = current_database());
        IF clock_timestamp() > give_up THEN RAISE EXCEPTION 'the worker did not end'; END IF;
    END LOOP;
END $$;
SELECT dunning.activate();

CREATE FUNCTION pg_temp.fe_debtor(id text, country text DEFAULT 'DK') RETURNS void LANGUAGE sql AS $$
    INSERT INTO dunning.debtor (debtor_id, creditor, country, kind, name, given_name, language, time_zone, email, phone)
    VALUES (id, 'fees', country, 'person', 'Name ' || id, id, 'en', 'UTC', id || '@debtors.test', '+45201' || lpad((abs(hashtext(id)) % 100000)::text, 5, '0')) $$;
CREATE FUNCTION pg_temp.fe_owes(id text, invoice text, due date, amount numeric DEFAULT 1000, currency text DEFAULT 'DKK') RETURNS void LANGUAGE sql AS $$
    INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, reference) VALUES (id, invoice, 'fees', due - 30, due, amount, currency, invoice) $$;
CREATE FUNCTION pg_temp.fe_plan(who text) RETURNS TABLE (step text, state text, fee jsonb) LANGUAGE sql AS $$
    SELECT p.step, p.state, jsonb_strip_nulls(p.fee) - 'invoice_id' FROM dunning._plan('fee-ladder', NULL, false, false, ARRAY[who]) p $$;
-- What is due leaves; then what the last text of a debtor said of money, and the fee that it is kept with.
CREATE FUNCTION pg_temp.fe_said(who text) RETURNS TABLE (step text, said text[], fee jsonb) LANGUAGE sql AS $$
    SELECT coalesce(m.step, m.template), ARRAY(SELECT l FROM string_to_table(b.body_text, E'\n') l WHERE l ~ 'Fee|In all|in all|costs|avoid'), jsonb_strip_nulls(b.fee)
    FROM dunning.message m JOIN dunning.message_state s ON s.message_id = m.message_id AND s.state = 'sent' JOIN dunning.body b ON b.message_id = m.message_id
    WHERE m.debtor_id = who ORDER BY m.message_id DESC LIMIT 1 $$;
CREATE FUNCTION pg_temp.fe_posted(who text) RETURNS TABLE (level text, amount numeric, charged_on date, with_message boolean) LANGUAGE sql AS $$
    SELECT c.level, c.amount, c.charged_on, c.message_id IS NOT NULL FROM dunning.assess_charges() c WHERE c.debtor_id = who AND c.kind <> 'interest' ORDER BY 1 $$;

-- a_reminder_that_charges_says_what_it_charges_and_that_sum_is_charged
SELECT pg_temp.fe_debtor('fe-1'), pg_temp.fe_owes('fe-1', 'FE1', '2026-06-10');
SELECT step, state, fee FROM dunning.plan('fee-ladder', dry_run => true) WHERE debtor_id = 'fe-1';
SELECT * FROM pg_temp.fe_plan('fe-1');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-1';
CALL dunning.deliver();
SELECT * FROM pg_temp.fe_said('fe-1');
SELECT * FROM pg_temp.fe_posted('fe-1');
SELECT * FROM pg_temp.fe_posted('fe-1');
-- the_next_one_tells_the_principal_the_charges_so_far_and_its_own_fee_apart
SET dunning.clock = '2026-07-06 10:00+00';
SELECT * FROM pg_temp.fe_plan('fe-1');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-1';
CALL dunning.deliver();
SELECT * FROM pg_temp.fe_said('fe-1');
SELECT b.body_html ~ '<p>Fees and interest so far: DKK.100.00</p>\s*<p>Fee for this reminder: DKK.100.00</p>\s*<p>To pay in all: DKK.1,200.00</p>' AS html_too
FROM dunning.body b WHERE b.debtor_id = 'fe-1' ORDER BY b.message_id DESC LIMIT 1;
SELECT * FROM pg_temp.fe_posted('fe-1');
SET dunning.clock = '2026-06-22 10:00+00';

-- a_reminder_sent_by_hand_brings_its_fee_too_and_says_so
SELECT pg_temp.fe_debtor('fe-2'), pg_temp.fe_owes('fe-2', 'FE2', '2026-06-10');
SELECT state, jsonb_strip_nulls(fee) AS fee FROM dunning.send('fe-2', 'reminder-1', 'email', dry_run => true);
SELECT state FROM dunning.send('fe-2', 'reminder-1', 'email');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-2';
CALL dunning.deliver();
SELECT * FROM pg_temp.fe_said('fe-2');
-- a_fee_that_was_told_and_is_not_yet_posted_keeps_a_second_one_away: ten days lie between two
SELECT fee FROM dunning.send('fe-2', 'reminder-2', 'email', dry_run => true);
SELECT * FROM pg_temp.fe_posted('fe-2');
SELECT fee FROM dunning.send('fe-2', 'reminder-2', 'email', dry_run => true);

-- a_fee_that_is_no_longer_lawful_when_the_text_is_frozen_is_neither_told_nor_charged
SELECT pg_temp.fe_debtor('fe-3'), pg_temp.fe_owes('fe-3', 'FE3', '2026-06-10');
SELECT step, fee FROM pg_temp.fe_plan('fe-3');
SELECT w.amount, w.waive_reason FROM dunning.charge('fe-3', 'FE3', 'reminder-1') c, LATERAL dunning.waive(c.charge_id, 'goodwill') w;
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-3';
CALL dunning.deliver();
SELECT * FROM pg_temp.fe_said('fe-3');
SELECT * FROM pg_temp.fe_posted('fe-3');

-- a_message_that_leaves_on_another_day_charges_on_that_day
SELECT pg_temp.fe_debtor('fe-4'), pg_temp.fe_owes('fe-4', 'FE4', '2026-06-10');
SELECT step, fee ->> 'on' AS "on" FROM pg_temp.fe_plan('fe-4');
SET dunning.clock = '2026-06-25 10:00+00';
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-4';
CALL dunning.deliver();
SELECT * FROM pg_temp.fe_said('fe-4');
SELECT * FROM pg_temp.fe_posted('fe-4');
SET dunning.clock = '2026-06-22 10:00+00';

-- a_charge_posted_after_planning_is_in_the_sum_that_leaves
SELECT pg_temp.fe_debtor('fe-5'), pg_temp.fe_owes('fe-5', 'FE5', '2026-06-05');
SELECT step, fee ->> 'charged' AS charged FROM pg_temp.fe_plan('fe-5');
SELECT amount FROM dunning.charge('fe-5', 'FE5', 'reminder-1');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-5';
CALL dunning.deliver();
SELECT * FROM pg_temp.fe_said('fe-5');
-- what_was_waived_booked_or_belongs_to_a_disputed_invoice_is_not_asked_for
SELECT * FROM dunning._open_charges('{fe-1,fe-3,fe-5}');
SELECT pg_temp.fe_owes('fe-5', 'FE5b', '2026-06-08');
UPDATE dunning.invoice SET disputed = true WHERE invoice_id = 'FE5';
SELECT * FROM dunning._open_charges('{fe-5}');

-- a_text_that_does_not_name_the_fee_brings_none: an SMS, and words of one's own
SELECT pg_temp.fe_debtor('fe-6'), pg_temp.fe_owes('fe-6', 'FE6', '2026-06-10'), pg_temp.fe_debtor('fe-6b'), pg_temp.fe_owes('fe-6b', 'FE6b', '2026-06-10');
SELECT state, fee FROM dunning.send('fe-6', 'reminder-1', 'sms');
SELECT cardinality(warnings) >= 0 AS saved FROM dunning.save_template('reminder-1', 'email', 'en', '{{given_name}}: {{amount | money}}', '{{given_name}}, {{amount | money}} to {{creditor_name}} is open. Already paid? Thank you. {{creditor_phone}}', creditor => 'fees');
SELECT state, fee FROM dunning.send('fe-6b', 'reminder-1', 'email');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id LIKE 'fe-6%';
CALL dunning.deliver();
SELECT count(*) AS left, count(b.fee) AS with_fee FROM dunning.body b WHERE b.debtor_id LIKE 'fe-6%';
SELECT count(*) AS posted FROM dunning.assess_charges() c WHERE c.debtor_id LIKE 'fe-6%' AND c.kind <> 'interest';
-- what_counts_is_what_the_words_that_left_name: here the Danish ones name the fee, and the English ones left
SELECT cardinality(warnings) >= 0 AS saved FROM dunning.save_template('reminder-1', 'email', 'da', '{{given_name}}: {{amount | money}}', '{{given_name}}, {{amount | money}} til {{creditor_name}}. {{#fee}}{{#charged}}Gebyr {{amount | money}}{{/charged}}{{/fee}} Allerede betalt? Tak. {{creditor_phone}}', creditor => 'fees');
SELECT pg_temp.fe_debtor('fe-9'), pg_temp.fe_owes('fe-9', 'FE9', '2026-06-10');
SELECT state, fee ->> 'charged' AS planned FROM dunning.send('fe-9', 'reminder-1', 'email');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-9';
CALL dunning.deliver();
SELECT count(*) AS left, count(b.fee) AS with_fee FROM dunning.body b WHERE b.debtor_id = 'fe-9';
SELECT * FROM pg_temp.fe_posted('fe-9');
DELETE FROM dunning.template WHERE creditor = 'fees';
-- a_warning_names_the_later_day_and_never_becomes_a_charge
SELECT pg_temp.fe_debtor('fe-7'), pg_temp.fe_owes('fe-7', 'FE7', '2026-06-10');
SELECT state, jsonb_strip_nulls(fee) AS fee FROM dunning.send('fe-7', 'reminder-1', 'email', vars => '{"framing": "loss_aversion"}');
SELECT state, jsonb_strip_nulls(fee) AS fee FROM dunning.send('fe-7', 'fee-warning', 'email');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-7' AND message_id = (SELECT max(q.message_id::text)::uuid FROM dunning.queue q WHERE q.debtor_id = 'fe-7');
CALL dunning.deliver();
SELECT * FROM pg_temp.fe_said('fe-7');
SET dunning.clock = '2026-06-24 10:00+00';
SELECT * FROM pg_temp.fe_posted('fe-7');
SET dunning.clock = '2026-06-22 10:00+00';
-- one_letter_brings_one_fee_of_the_oldest_invoice_and_a_warning_does_not_add_them_up
SELECT pg_temp.fe_debtor('fe-8'), pg_temp.fe_owes('fe-8', 'FE8b', '2026-06-12'), pg_temp.fe_owes('fe-8', 'FE8a', '2026-06-10');
SELECT told, invoice_id, level, amount, on_day FROM dunning._told_fees('{fe-8,fe-8,fe-8}', '{reminder-1,reminder-2,none}', '{2026-06-22,2026-06-22,2026-06-22}') ORDER BY ord;
-- a_creditor_that_does_not_charge_has_nothing_to_tell
SELECT dunning.save_charging('fees', fees => false);
SELECT count(*) AS told FROM dunning._told_fees('{fe-8}', '{reminder-1}', '{2026-06-22}');
SELECT dunning.save_charging('fees', fees => true, terms => '{reminder_fee}');

-- ---- what must be announced before it is charged ----

-- nl_the_letter_names_the_exact_cost_and_the_first_day_after_fourteen_days_from_receipt: Monday's letter is received on Wednesday
SELECT pg_temp.fe_debtor('fe-nl', 'NL'), pg_temp.fe_owes('fe-nl', 'FENL', '2026-06-01', 1000, 'EUR');
SELECT 1 AS made FROM dunning.save_step('fee-ladder', 'cost-letter', 3, 20, 'final-notice', '{email}', level => 'collection-cost');
SELECT * FROM pg_temp.fe_plan('fe-nl');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-nl';
CALL dunning.deliver();
SELECT * FROM pg_temp.fe_said('fe-nl');
SELECT amount, lawful_from, blocked_by FROM dunning.lawful_fees('fe-nl');
SET dunning.clock = '2026-07-08 10:00+00';
SELECT * FROM pg_temp.fe_posted('fe-nl');
SET dunning.clock = '2026-07-09 10:00+00';
SELECT * FROM pg_temp.fe_posted('fe-nl');
SET dunning.clock = '2026-06-22 10:00+00';
-- dk_the_warning_of_collection_leaves_ten_full_days
SELECT pg_temp.fe_debtor('fe-dk'), pg_temp.fe_owes('fe-dk', 'FEDK', '2026-06-01');
SELECT told, level, amount, on_day FROM dunning._told_fees('{fe-dk}', '{collection}', '{2026-06-22}');
SELECT state, jsonb_strip_nulls(fee) - 'invoice_id' AS fee FROM dunning.send('fe-dk', 'final-notice', 'email', vars => '{"level": "collection"}');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-dk';
CALL dunning.deliver();
SELECT said FROM pg_temp.fe_said('fe-dk');
SELECT lawful_from, blocked_by FROM dunning.lawful_fees('fe-dk') WHERE level = 'collection';
-- no_the_collection_notice_brings_its_own_fee_and_begins_the_fourteen_days_of_the_payment_demand
SELECT pg_temp.fe_debtor('fe-no', 'NO'), pg_temp.fe_owes('fe-no', 'FENO', '2026-06-01', 1000, 'NOK');
SELECT told, level, amount, on_day FROM dunning._told_fees('{fe-no,fe-no}', '{collection-notice,payment-demand}', '{2026-06-22,2026-06-22}', '{"charged,announced","charged,announced"}');
SELECT state FROM dunning.send('fe-no', 'final-notice', 'email', vars => '{"level": "collection-notice"}');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-no';
CALL dunning.deliver();
SELECT said FROM pg_temp.fe_said('fe-no');
SELECT level, lawful_from, blocked_by FROM dunning.lawful_fees('fe-no') WHERE level = 'payment-demand';
SELECT * FROM pg_temp.fe_posted('fe-no');
-- no_a_notice_that_brings_no_fee_of_its_own_announces_the_demand
SELECT pg_temp.fe_debtor('fe-no2', 'NO'), pg_temp.fe_owes('fe-no2', 'FENO2', '2026-06-15', 1000, 'NOK');
SELECT told, level, amount, on_day FROM dunning._told_fees('{fe-no2}', '{collection-notice}', '{2026-06-22}');
-- se_an_instalment_plan_is_charged_once_it_was_told_and_a_demand_by_its_own_letter
SELECT pg_temp.fe_debtor('fe-se', 'SE'), pg_temp.fe_owes('fe-se', 'FESE', '2026-06-01', 1000, 'SEK');
SELECT told, level, amount, on_day FROM dunning._told_fees('{fe-se,fe-se,fe-se}', '{instalment-plan,collection-demand,reminder-1}', '{2026-06-22,2026-06-22,2026-06-22}') ORDER BY ord;
-- nothing_is_announced_that_something_else_forbids: a hold, a dispute, another currency, before the due date
SELECT pg_temp.fe_debtor('fe-nl2', 'NL'), pg_temp.fe_owes('fe-nl2', 'FENL2', '2026-06-22', 1000, 'EUR');
SELECT count(*) AS before_due FROM dunning._told_fees('{fe-nl2}', '{collection-cost}', '{2026-06-22}', '{announced}');
SELECT told, amount, on_day FROM dunning._told_fees('{fe-nl2}', '{collection-cost}', '{2026-06-23}', '{announced}');
UPDATE dunning.invoice SET disputed = true WHERE invoice_id = 'FENL2';
SELECT count(*) AS disputed FROM dunning._told_fees('{fe-nl2}', '{collection-cost}', '{2026-06-23}', '{announced}');
UPDATE dunning.invoice SET disputed = false, currency = 'USD' WHERE invoice_id = 'FENL2';
SELECT count(*) AS other_currency FROM dunning._told_fees('{fe-nl2}', '{collection-cost}', '{2026-06-23}', '{announced}');

-- the_letter_its_payment_code_the_page_and_the_conversation_ask_for_one_sum_before_it_leaves_after_and_once_posted
CREATE SERVER fe_post TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', creditor 'fees');
CREATE USER MAPPING FOR dunning_worker SERVER fe_post;
UPDATE dunning.creditor SET account = 'DE89370400440532013000' WHERE creditor = 'fees';
SELECT changed FROM dunning.save_charge_rule('DE', 'person', 'reminder-1', 'EUR', 5, with_reminder => true, source => 'for the test');
CREATE FUNCTION pg_temp.fe_asks(who text) RETURNS TABLE (letter text, code text, conversation numeric, page text) LANGUAGE sql AS $$
    SELECT substring(l.body_text FROM 'To pay in all: .(\S+)'), substring(l.qr FROM 'EUR([0-9.]+)'), (b->>'total')::numeric, array_to_string(ARRAY(SELECT m[1] FROM regexp_matches(p.body_html, '(?:sum">|interest: ).([0-9.]+)', 'g') m), ', of it ')
    FROM (SELECT m.message_id FROM dunning.message m WHERE m.debtor_id = who ORDER BY m.message_id DESC LIMIT 1) m, dunning._letter(m.message_id) l, LATERAL (SELECT dunning.conversation(who) #> '{balances,0}' AS b) c,
         dunning._render(NULL, NULL, dunning._page_template('pay', false, 'en'), dunning._page_context(jsonb_build_object('debtor_id', who, 'purpose', 'pay'), '{"pay": "t", "plan": "t", "already_paid": "t", "dispute": "t"}', false), 'en') p $$;
SELECT pg_temp.fe_debtor('fe-de', 'DE'), pg_temp.fe_owes('fe-de', 'FEDE', '2026-06-10', 100, 'EUR');
UPDATE dunning.debtor SET address = '{"street": "Weg 1", "postcode": "10115", "city": "Berlin"}' WHERE debtor_id = 'fe-de';
SELECT state FROM dunning.send('fe-de', 'reminder-1', 'letter');
SELECT letter, code FROM pg_temp.fe_asks('fe-de');
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-de';
CALL dunning.deliver();
SELECT * FROM pg_temp.fe_asks('fe-de');
SELECT * FROM pg_temp.fe_posted('fe-de');
SELECT * FROM pg_temp.fe_asks('fe-de');
-- what is posted between planning and leaving is in the sum of the words and of their code; both stand as they left when it is waived
SELECT pg_temp.fe_debtor('fe-de2', 'DE'), pg_temp.fe_owes('fe-de2', 'FEDE2', '2026-06-10', 100, 'EUR');
UPDATE dunning.debtor SET address = '{"street": "Weg 1", "postcode": "10115", "city": "Berlin"}' WHERE debtor_id = 'fe-de2';
SELECT state FROM dunning.send('fe-de2', 'reminder-2', 'letter');
SELECT code FROM pg_temp.fe_asks('fe-de2');
SELECT charge_id AS fe_charge FROM dunning.charge('fe-de2', 'FEDE2', 'reminder-1') \gset
UPDATE dunning.queue SET due = dunning._now() WHERE debtor_id = 'fe-de2';
CALL dunning.deliver();
SELECT * FROM pg_temp.fe_asks('fe-de2');
-- who_calls_is_told_the_charges_too
SELECT l AS said FROM dunning.preview('call', 'fe-de2', 'call') p, string_to_table(p.body_text, E'\n') l WHERE l ~ '^(2|-)';
SELECT count(*) AS waived FROM dunning.waive(:'fe_charge', 'goodwill');
SELECT letter, code, conversation FROM pg_temp.fe_asks('fe-de2');
-- an invoice that is paid leaves its fee, and the page does not say that nothing is open
SELECT pg_temp.fe_debtor('fe-de3', 'DE'), pg_temp.fe_owes('fe-de3', 'FEDE3', '2026-06-10', 100, 'EUR');
SELECT amount FROM dunning.charge('fe-de3', 'FEDE3', 'reminder-1');
INSERT INTO dunning.payment (payment_id, debtor_id, paid_at, amount, currency, invoice_id) VALUES ('fe-p1', 'fe-de3', dunning._now() - interval '1 minute', 100, 'EUR', 'FEDE3');
SELECT dunning.conversation('fe-de3') -> 'balances' AS balances;

-- Leave nothing behind.
SELECT dunning.deactivate();
ALTER SYSTEM RESET dunning.databases;
SELECT pg_reload_conf();
RESET dunning.clock;
DROP SERVER fe_mail CASCADE;
DROP SERVER fe_text CASCADE;
DROP SERVER fe_post CASCADE;
DELETE FROM dunning.charge_rule WHERE NOT builtin;
DELETE FROM dunning.payment WHERE debtor_id LIKE 'fe-%';
DELETE FROM dunning.charge; DELETE FROM dunning.charge_notice; DELETE FROM dunning.charging; DELETE FROM dunning.charge_change;
DELETE FROM dunning.message WHERE debtor_id LIKE 'fe-%'; DELETE FROM dunning.body WHERE debtor_id LIKE 'fe-%'; DELETE FROM dunning.outcome WHERE debtor_id LIKE 'fe-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'fe-%'; DELETE FROM dunning.egress_head; DELETE FROM dunning.queue WHERE debtor_id LIKE 'fe-%'; DELETE FROM dunning.once WHERE debtor_id LIKE 'fe-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'fe-%'; DELETE FROM dunning.debtor WHERE debtor_id LIKE 'fe-%';
DELETE FROM dunning.step WHERE strategy = 'fee-ladder'; DELETE FROM dunning.strategy WHERE strategy = 'fee-ladder';
DELETE FROM dunning.creditor WHERE creditor = 'fees'; DELETE FROM dunning.creditor_change WHERE creditor = 'fees';
