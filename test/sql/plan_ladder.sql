-- plan: what is odd in a book stays with the debtor it belongs to. Everything is undone at the end.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-03-10 09:00+00';
CREATE SERVER pl_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE FUNCTION pg_temp.pl_owes(id text, amount numeric, creditor text DEFAULT 'default') RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.debtor (debtor_id, creditor, name, country, email) VALUES (id, creditor, id, 'DK', id || '@example.test');
INSERT INTO dunning.score_result VALUES (id, creditor, 'other', NULL, 0.5, 0.2, 0.2, '{}', '{}', dunning._now(), dunning._now());
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES (id, 'i-' || id, '2026-01-20', '2026-02-18', amount, 'EUR') $$;
CREATE FUNCTION pg_temp.pl_plan() RETURNS TABLE (debtor text, step text, channel text, state text, digits int) LANGUAGE sql AS $$
SELECT p.debtor_id, p.step, p.channel, p.state, length(p.amounts ->> 'EUR') FROM dunning.plan(dry_run => true) p WHERE p.debtor_id LIKE 'pl-%' ORDER BY 1 $$;

CREATE FUNCTION pg_temp.pl_day(zone text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('timezone', zone, true);
    RETURN (SELECT dunning._today('2026-03-10 23:30+00') || ', ' || string_agg(p.debtor_id || ' ' || p.state, ', ') FROM dunning.plan(dry_run => true) p WHERE p.debtor_id = 'pl-zone');
END $$;

BEGIN;
-- a_creditor_of_any_name_is_planned, and_so_is_the_rest_of_the_book
SELECT pg_temp.pl_owes('pl-plain', 100), pg_temp.pl_owes('pl-name', 100, repeat('n', 128)), pg_temp.pl_owes('pl-long', 100, repeat('long ', 100));
-- an_invoice_of_a_day_that_no_instant_has_is_none_yet (pl-never)
SELECT pg_temp.pl_owes('pl-never', 100);
UPDATE dunning.invoice SET issued_on = '2026011-01-01', due_on = '2026011-01-31' WHERE debtor_id = 'pl-never';
RESET dunning.clock;
SELECT d.debtor_id FROM dunning.features() d WHERE d.debtor_id IN ('pl-plain', 'pl-never') ORDER BY 1;
SET dunning.clock = '2026-03-10 09:00+00';
-- an_amount_beyond_double_precision_is_planned (pl-more, pl-most), as_is_one_below_it (pl-least)
SELECT pg_temp.pl_owes('pl-more', '1e309'), pg_temp.pl_owes('pl-most', '1e131000'), pg_temp.pl_owes('pl-least', '1e-400');
SELECT * FROM pg_temp.pl_plan();
UPDATE dunning.strategy SET minimum = '{}';
UPDATE dunning.step SET minimum = '{}';
SELECT * FROM pg_temp.pl_plan() WHERE debtor = 'pl-least';

-- where_the_key_of_address_digests_is_lost_planning_holds_as_the_gate_does
SELECT dunning.suppress('somebody@example.test', 'email', 'test');
DELETE FROM dunning.digest_key;
SELECT debtor, state FROM pg_temp.pl_plan() WHERE debtor = 'pl-plain';
ROLLBACK;

BEGIN;
-- an_account_with_as_many_held_invoices_as_a_town_has_houses_takes_no_longer_than_reading_it
SELECT pg_temp.pl_owes('pl-town', 100);
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) SELECT 'pl-town', 'a-long-name-of-an-invoice-' || i, '2026-01-20', '2026-02-18', 10, 'EUR' FROM generate_series(1, 50000) i;
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, invoice_id, from_at, placed_by)
SELECT i.debtor_id, gen_random_uuid(), 'default', 'investigation', i.invoice_id, '2026-03-01', 'test' FROM dunning.invoice i WHERE i.debtor_id = 'pl-town' AND i.invoice_id <> 'i-pl-town';
SET LOCAL statement_timeout = '20s';
SELECT p.state, p.amounts FROM dunning._plan(NULL, NULL, true, false, '{pl-town}') p;
ROLLBACK;

BEGIN;
-- rows_of_a_view_that_leaves_out_repeated_ones_are_counted_once, also where the debtor's id is a number or of a domain of numbers: 40 is left of 100
CREATE SCHEMA pl;
GRANT USAGE ON SCHEMA pl TO dunning_owner, dunning_worker;
CREATE DOMAIN pl.number AS int;
CREATE TABLE pl.debtor AS SELECT 1::pl.number AS debtor_id, 'pl@example.test'::text AS email, 'DK'::text AS country;
CREATE TABLE pl.invoice AS SELECT 1::pl.number AS debtor_id, 'i'::text AS invoice_id, date '2026-01-20' AS issued_on, date '2026-02-18' AS due_on, 100.0 AS amount, 'EUR'::text AS currency;
CREATE TABLE pl.received (debtor_id int, invoice_id text COLLATE "C", currency text COLLATE "C", amount numeric, paid_at timestamptz);
INSERT INTO pl.received SELECT 1, 'i', 'EUR', 60, '2026-03-01' FROM generate_series(1, 2);
CREATE VIEW pl.payment AS SELECT DISTINCT r.debtor_id, r.invoice_id, r.currency, r.amount, r.paid_at FROM pl.received r;
GRANT SELECT ON ALL TABLES IN SCHEMA pl TO dunning_owner, dunning_worker;
SELECT dunning.bind('debtor', 'pl.debtor'), dunning.bind('invoice', 'pl.invoice'), dunning.bind('payment', 'pl.payment');
SET LOCAL enable_hashagg = off;
SELECT p.debtor_id, p.state, p.amounts FROM dunning.plan(dry_run => true) p;
ROLLBACK;
-- a_step_that_ends_after_all_calendars_is_refused_and_does_not_end_every_run
SELECT * FROM dunning.save_step('standard', 'pl-step', 9, 20, 'reminder-2', '{email}', until_days => 200000000);
-- Steps of one debtor, day by day: the first is repeated, the second comes a week after a contact.
CREATE FUNCTION pg_temp.pl_twice(id text) RETURNS void LANGUAGE sql AS $$
SELECT FROM dunning.save_strategy('pl-twice', 'Twice', grace_days => 0, min_gap_days => 1, catch_up => 'next');
SELECT FROM dunning.save_step('pl-twice', 'first', 10, 5, 'reminder-1', '{email}', repeat_days => 2, repeat_max => 2);
SELECT FROM dunning.save_step('pl-twice', 'second', 20, 7, 'reminder-2', '{email}', anchor => 'last_contact');
SELECT pg_temp.pl_owes(id, 100) $$;
-- What the worker writes about an attempt.
CREATE FUNCTION pg_temp.pl_attempt(id text, verdict text, why text, detail jsonb DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.egress SELECT m.message_id, 1, m.debtor_id, m.creditor, m.channel, m.server, '\x00', '{}', '\x00', 1, 'test', false, m.cost, 'EUR', now(), dunning._now(),
    dunning._slice(m.debtor_id), 1, '\x00', '\x00' FROM dunning.message m JOIN dunning.queue q USING (debtor_id, message_id) WHERE m.debtor_id = id;
SELECT FROM dunning.queue q, dunning._settle(ARRAY[id], ARRAY[q.message_id], '{1}', ARRAY[verdict], ARRAY[why], '{NULL}', ARRAY[detail], ARRAY[dunning._now()]) WHERE q.debtor_id = id $$;
CREATE FUNCTION pg_temp.pl_keys(id text) RETURNS text[] LANGUAGE sql AS $$ SELECT array_agg(o.key ORDER BY o.key) FROM dunning.once o WHERE o.debtor_id = id AND o.kind = 'step' $$;

BEGIN;
-- what_comes_after_the_last_contact_comes_although_the_first_time_of_the_step_before_was_given_back
SELECT pg_temp.pl_twice('pl-again');
SELECT p.step, p.state FROM dunning.plan('pl-twice') p;
UPDATE dunning.queue SET state = 'held' WHERE debtor_id = 'pl-again';
SET LOCAL dunning.clock = '2026-03-12 09:00+00';
SELECT p.step, p.state FROM dunning.plan('pl-twice') p;
SELECT pg_temp.pl_attempt('pl-again', 'sent', 'test');
SELECT pg_temp.pl_keys('pl-again');
-- and_the_step_has_been_had_once, so_it_may_come_once_more
SET LOCAL dunning.clock = '2026-03-16 09:00+00';
SELECT p.step, p.state FROM dunning.plan('pl-twice', dry_run => true) p;
SET LOCAL dunning.clock = '2026-03-19 09:00+00';
SELECT p.step, p.state FROM dunning.plan('pl-twice', dry_run => true) p;
ROLLBACK;

BEGIN;
-- a_dry_run_knows_that_a_held_message_is_over_of_which_an_attempt_left_nothing; a step of which one may have arrived stays had (pl-known)
SELECT pg_temp.pl_twice('pl-over'), pg_temp.pl_owes('pl-known', 100);
SELECT p.debtor_id, p.step, p.state FROM dunning.plan('pl-twice') p;
SELECT pg_temp.pl_attempt('pl-over', 'queued', 'mock_retry'), pg_temp.pl_attempt('pl-known', 'queued', 'timeout', '{"may_have_arrived": true}');
UPDATE dunning.queue SET state = 'held' WHERE debtor_id LIKE 'pl-%';
UPDATE dunning.message SET not_after = '2026-03-10 20:00+00' WHERE debtor_id LIKE 'pl-%';
SET LOCAL dunning.clock = '2026-03-11 09:00+00';
SELECT p.debtor_id, p.step, p.state FROM dunning.plan('pl-twice', dry_run => true) p;
SELECT p.debtor_id, p.step, p.state FROM dunning.plan('pl-twice') p;
ROLLBACK;
BEGIN;
-- who_was_written_to_about_another_account_today_is_planned_again_tomorrow, so_a_second_run_finds_nobody_whom_the_first_held_for_want_of_money
CREATE SERVER pl_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
SELECT FROM dunning.save_strategy('pl-dear', 'Dear first', grace_days => 0, min_gap_days => 1);
SELECT FROM dunning.save_step('pl-dear', 'dear', 10, 5, 'reminder-1', '{sms,email}');
SELECT pg_temp.pl_owes('pl-one', 100), pg_temp.pl_owes('pl-two', 50), pg_temp.pl_owes('pl-else', 20);
UPDATE dunning.debtor SET person_id = 'pl-person' WHERE debtor_id IN ('pl-one', 'pl-two');
UPDATE dunning.debtor SET phone = '+4520111222', email = CASE WHEN debtor_id = 'pl-two' THEN email END WHERE debtor_id LIKE 'pl-%';
SELECT FROM dunning.set_budget(0.10, 'EUR');
SELECT p.debtor_id, p.channel, p.state, p.reason FROM dunning.plan('pl-dear') p;
SELECT p.debtor_id, p.channel, p.state, p.reason FROM dunning.plan('pl-dear') p;
SELECT FROM dunning.set_budget(1, 'EUR');
SELECT p.debtor_id, p.channel, p.state, p.reason FROM dunning.plan('pl-dear') p;
SELECT e.item, e.state, e.detail FROM unnest('{pl-one,pl-two}'::text[]) d(id), LATERAL dunning.explain(d.id) e WHERE e.topic = 'plan' AND e.state = 'waits';
SET LOCAL dunning.clock = '2026-03-10 22:59+00';
SELECT p.debtor_id, p.state FROM dunning.plan('pl-dear', dry_run => true) p;
SET LOCAL dunning.clock = '2026-03-10 23:01+00';     -- past midnight where the ledger is
SELECT p.debtor_id, p.state FROM dunning.plan('pl-dear', dry_run => true) p;
ROLLBACK;
BEGIN;
-- days_of_the_ledger_begin_at_the_same_instant_in_every_session, also in one whose zone has digits in its name or is a rule
SELECT pg_temp.pl_owes('pl-zone', 100);
RESET dunning.timezone;
SELECT z, pg_temp.pl_day(z) FROM unnest('{UTC,Pacific/Auckland,PST8PDT,<+03>-03}'::text[]) z;
SET LOCAL dunning.timezone = 'PST8PDT';
SELECT pg_temp.pl_day('UTC');
ROLLBACK;
DROP SERVER pl_mail;
