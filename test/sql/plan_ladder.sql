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
DROP SERVER pl_mail;
