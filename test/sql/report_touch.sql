-- report: what each touch brought.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.clock = '2026-07-20 10:00+00';
SELECT dunning._ensure_partitions() >= 0 AS partitions;
INSERT INTO dunning.debtor (debtor_id, creditor, name, country, email, phone) SELECT 'tc-' || i, 'tc', 'Name ' || i, 'GB', 'tc' || i || '@example.org', '+44770090000' || i FROM generate_series(1, 5) i;
CREATE FUNCTION pg_temp.sent(debtor text, in_step text, via text, at timestamptz, state text DEFAULT 'sent', test boolean DEFAULT false) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE id uuid := dunning._uuid7();
BEGIN
    INSERT INTO dunning.message (message_id, debtor_id, creditor, strategy, step, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency, context, decision, created_at, created_by)
    VALUES (id, debtor, 'tc', 'gentle', in_step, in_step, via, 'en', 'tc', at, 'x', '{}', 0, 'EUR', '{}', '{}', at, 'test');
    INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, test, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
    VALUES (id, 1, debtor, 'tc', via, 'tc', '\x00', '{}', '\x00', 1, 'x', test, 0, 'EUR', now(), at, 0, 0, '\x00', '\x00');
    INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, at) VALUES (id, dunning._uuid7(), debtor, 'tc', 1, sent.state, 'x', at);
    RETURN id;
END $$;
CREATE FUNCTION pg_temp.did(debtor text, what text, at timestamptz, detail jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, detail, recorded_at, recorded_by) VALUES (debtor, dunning._uuid7(), 'tc', what, at, detail, now(), 'touch test') $$;
CREATE FUNCTION pg_temp.paid(debtor text, at timestamptz) RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency) VALUES (debtor, debtor || at, 'tc', at, 10, 'GBP') $$;

-- 1: mailed, clicked, then texted, then paid: the click is the mail's, the payment the text's. 2: delivered and paid after four days.
-- 3: a machine clicked, nothing else. 4: refused by the gateway, which is no touch, and a test. 5: promised, and paid after three weeks.
SELECT count(*) FROM (SELECT pg_temp.sent('tc-1', 'first', 'email', '2026-06-01 10:00+00'), pg_temp.did('tc-1', 'clicked', '2026-06-01 12:00+00'),
    pg_temp.sent('tc-1', 'second', 'sms', '2026-06-08 10:00+00'), pg_temp.paid('tc-1', '2026-06-10 10:00+00'),
    pg_temp.sent('tc-2', 'first', 'email', '2026-06-01 10:00+00', 'delivered'), pg_temp.paid('tc-2', '2026-06-05 10:00+00'),
    pg_temp.sent('tc-3', 'first', 'email', '2026-06-01 10:00+00'), pg_temp.did('tc-3', 'clicked', '2026-06-01 10:01+00', '{"machine": true}'),
    pg_temp.sent('tc-4', 'first', 'email', '2026-06-01 10:00+00', 'dead'), pg_temp.sent('tc-4', 'first', 'email', '2026-06-01 10:00+00', test => true), pg_temp.paid('tc-4', '2026-06-02 10:00+00'),
    pg_temp.sent('tc-5', 'second', 'sms', '2026-06-29 10:00+00'), pg_temp.did('tc-5', 'promised', '2026-06-30 10:00+00'), pg_temp.paid('tc-5', '2026-07-18 10:00+00')) x;

-- each_touch_has_its_reach_reaction_and_payments_and_a_payment_is_that_of_the_last_touch_before_it
SET ROLE dunning_viewer;
SELECT strategy, step, channel, sent, debtors, reached, reacted, promised, paid_14d, median_days FROM dunning.touches('2026-06-01', '2026-07-01') WHERE creditor = 'tc';
-- a contact after the span takes what is its own
SELECT step, channel, sent, paid_14d FROM dunning.touches('2026-06-01', '2026-06-08') WHERE creditor = 'tc';
SELECT * FROM dunning.touches('2026-07-01', '2026-06-01');
SELECT * FROM dunning.touches(NULL, '2026-06-01');
RESET ROLE;

-- the_page_of_a_debtor_has_preferences_history_of_the_balance_and_days_past_due
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, reference) VALUES ('tc-1', 'TC-I1', 'tc', '2026-04-01', '2026-05-01', 250, 'GBP', 'TC-F-1');
UPDATE dunning.debtor SET preferred_channel = 'sms', language = 'en' WHERE debtor_id = 'tc-1';
SET ROLE dunning_operator;
SELECT p ~ '>Preferences<' AS preferences, p ~ '>sms<' AS preferred, p ~ 'Open balance, last 13 weeks' AS history, p ~ '80 days past due' AS days_past_due, p ~ 'TC-F-1' AS invoice
FROM dunning.report_html(debtor_id => 'tc-1') p;
RESET ROLE;
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'tc-%';

DELETE FROM dunning.message WHERE debtor_id LIKE 'tc-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'tc-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'tc-%';
DELETE FROM dunning.event WHERE debtor_id LIKE 'tc-%';
DELETE FROM dunning.payment WHERE debtor_id LIKE 'tc-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'tc-%';
RESET dunning.clock;
