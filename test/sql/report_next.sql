-- report: when the next reminder is due, where none is queued yet.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION IF NOT EXISTS dunning;
-- A Monday, ten in the morning in London.
SET dunning.clock = '2026-06-08 10:00+01';
INSERT INTO dunning.creditor (creditor, name, language) VALUES ('rn', 'Next Ltd', 'en');
INSERT INTO dunning.debtor (debtor_id, creditor, name, given_name, language, country, time_zone, email)
SELECT 'rn-' || i, 'rn', 'Name ' || i, 'Given ' || i, 'en', 'GB', 'Europe/London', 'rn' || i || '@example.org' FROM generate_series(1, 4) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency) VALUES
    ('rn-1', 'RN1', 'rn', '2026-05-10', '2026-06-06', 100, 'GBP'), ('rn-2', 'RN2', 'rn', '2026-05-10', '2026-06-02', 100, 'GBP'),
    ('rn-3', 'RN3', 'rn', '2026-05-10', '2026-06-06', 100, 'GBP'), ('rn-4', 'RN4', 'rn', '2026-05-10', '2026-06-01', 100, 'GBP');
INSERT INTO dunning.payment (payment_id, debtor_id, invoice_id, paid_at, amount, currency) VALUES ('RP3', 'rn-3', 'RN3', '2026-06-07 12:00+01', 100, 'GBP');
CREATE SERVER rn_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', creditor 'rn');
CREATE USER MAPPING FOR dunning_worker SERVER rn_mail;
SELECT 1 AS made FROM dunning.save_strategy('rn-two', 'for the test', min_gap_days => 7);
SELECT 1 AS made FROM dunning.save_step('rn-two', 'first', 1, 5, 'reminder-1', '{email}');
SELECT 1 AS made FROM dunning.save_step('rn-two', 'second', 2, 10, 'reminder-2', '{email}');
SELECT dunning.assign_strategy('rn', 'rn-two', creditor => 'rn');
SELECT 1 AS held FROM dunning.hold('rn-2', 'hardship', until => '2026-06-20');
CREATE FUNCTION pg_temp.rn_contact(who text) RETURNS TABLE (item text, state text, detail text) LANGUAGE sql AS $$
SELECT e.item, e.state, e.detail FROM dunning.explain(who) e WHERE e.topic = 'contact' $$;

-- who_asks_is_told_the_last_reminder_and_when_the_next_is_due
SET ROLE dunning_operator;
SELECT * FROM pg_temp.rn_contact('rn-1');
-- what a hold puts off comes when it ends; who has paid gets none; what is due today comes today
SELECT d.id, e.state, e.detail FROM unnest('{rn-2,rn-3,rn-4}'::text[]) d(id), pg_temp.rn_contact(d.id) e WHERE e.item = 'next';
RESET ROLE;

-- the_day_that_is_told_is_the_day_on_which_planning_makes_it
SET dunning.clock = '2026-06-10 10:00+01';
SELECT p.debtor_id, p.step, p.local_time, p.state FROM dunning._plan('rn-two', NULL, false, false, '{rn-1}') p;
SET dunning.clock = '2026-06-11 10:00+01';
SELECT p.debtor_id, p.step, p.local_time, p.state FROM dunning._plan('rn-two', NULL, false, false, '{rn-1}') p;
SELECT * FROM pg_temp.rn_contact('rn-1') WHERE item = 'next';

-- after_a_reminder_the_next_keeps_the_days_between_two_contacts
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
CALL dunning.deliver();
SELECT * FROM pg_temp.rn_contact('rn-1');
SET dunning.clock = '2026-06-17 10:00+01';
SELECT p.step, p.local_time, p.state FROM dunning._plan('rn-two', NULL, true, false, '{rn-1}') p;
SET dunning.clock = '2026-06-18 10:00+01';
SELECT p.step, p.local_time, p.state FROM dunning._plan('rn-two', NULL, true, false, '{rn-1}') p;

-- the_days_that_the_debtors_segment_asks_for_are_told_as_planning_keeps_them
BEGIN;
INSERT INTO dunning.score_result (debtor_id, creditor, segment, reasons, models, as_of, scored_at) VALUES ('rn-1', 'rn', 'silent', '{}', '{}', '2026-06-12', '2026-06-12');
SELECT dunning.set_treatment('silent', gap_days => 12);
SET LOCAL dunning.clock = '2026-06-12 10:00+01';
SELECT * FROM pg_temp.rn_contact('rn-1') WHERE item = 'next';
SET LOCAL dunning.clock = '2026-06-23 10:00+01';
SELECT p.step, p.local_time, p.state FROM dunning._plan('rn-two', NULL, true, false, '{rn-1}') p;
ROLLBACK;

-- explain_follows_the_strategy_that_the_debtor_is_assigned_to
SELECT e.topic, e.item, e.state FROM dunning.explain('rn-3') e WHERE e.topic IN ('strategy', 'step');

-- Leave nothing behind.
SELECT dunning.deactivate();
ALTER SYSTEM RESET dunning.databases;
SELECT pg_reload_conf();
RESET dunning.clock;
DROP SERVER rn_mail CASCADE;
DELETE FROM dunning.hold WHERE debtor_id LIKE 'rn-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'rn-%';
DELETE FROM dunning.body WHERE debtor_id LIKE 'rn-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'rn-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'rn-%';
DELETE FROM dunning.egress_head;
DELETE FROM dunning.queue WHERE debtor_id LIKE 'rn-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'rn-%';
DELETE FROM dunning.payment WHERE debtor_id LIKE 'rn-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'rn-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'rn-%';
DELETE FROM dunning.strategy_rule WHERE rule = 'rn';
DELETE FROM dunning.step WHERE strategy = 'rn-two';
DELETE FROM dunning.strategy WHERE strategy = 'rn-two';
DELETE FROM dunning.creditor WHERE creditor = 'rn';
