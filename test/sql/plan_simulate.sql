-- plan: simulated days. The planner and the gate are the real ones; test/t/plan_simulate.pl compares random books with real days.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-04-01 12:00+00';
CREATE SERVER m_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER m_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER m_letter TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE FUNCTION pg_temp.m_debtor(id text, segment text DEFAULT 'other', phone boolean DEFAULT true, email boolean DEFAULT true, person text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.debtor (debtor_id, person_id, name, country, time_zone, language, email, phone, address)
VALUES (id, coalesce(person, id), 'Debtor ' || id, 'DK', 'Europe/Copenhagen', 'da', CASE WHEN email THEN id || '@example.test' END,
    CASE WHEN phone THEN '+4530' || lpad((abs(hashtext(id)) % 1000000)::text, 6, '0') END, '{"street": "Havnegade 1", "postcode": "5000", "city": "Odense", "country": "DK"}');
INSERT INTO dunning.score_result VALUES (id, 'default', segment, NULL, 0.5, 0.2, 0.2, '{}', '{}', dunning._now(), dunning._now()) $$;
CREATE FUNCTION pg_temp.m_owes(id text, due date, amount numeric DEFAULT 100, currency text DEFAULT 'EUR') RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES (id, id || currency || due, due - 30, due, amount, currency) $$;
CREATE FUNCTION pg_temp.m_pays(id text, amount numeric, at timestamptz) RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES (id, id || at, at, amount, 'EUR') $$;
CREATE FUNCTION pg_temp.m_simulate(strategy text, from_date date, until_date date, who text DEFAULT 'm-%')
    RETURNS TABLE (day date, debtor text, step text, channel text, at_local text, state text, reason text) LANGUAGE sql AS $$
SELECT s.day, s.debtor_id, s.step, s.channel, s.local_time, s.state, s.reason FROM dunning.simulate(m_simulate.strategy, m_simulate.from_date, m_simulate.until_date) s WHERE s.debtor_id LIKE who ORDER BY 1, s.debtor_id COLLATE "C", 4 $$;
CREATE FUNCTION pg_temp.m_written() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(',', (SELECT count(*) FROM dunning.message), (SELECT count(*) FROM dunning.queue), (SELECT count(*) FROM dunning.once), (SELECT count(*) FROM dunning.egress), (SELECT count(*) FROM dunning.plan_run),
    (SELECT count(*) FROM dunning.outcome), (SELECT count(*) FROM dunning.assignment)) $$;
CREATE FUNCTION pg_temp.m_clear() RETURNS void LANGUAGE sql AS $$
DELETE FROM dunning.queue WHERE debtor_id LIKE 'm-%'; DELETE FROM dunning.message WHERE debtor_id LIKE 'm-%'; DELETE FROM dunning.egress WHERE debtor_id LIKE 'm-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'm-%'; DELETE FROM dunning.once WHERE debtor_id LIKE 'm-%'; DELETE FROM dunning.hold WHERE debtor_id LIKE 'm-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'm-%'; DELETE FROM dunning.invoice WHERE debtor_id LIKE 'm-%'; DELETE FROM dunning.payment WHERE debtor_id LIKE 'm-%';
DELETE FROM dunning.score_result WHERE debtor_id LIKE 'm-%'; DELETE FROM dunning.event WHERE debtor_id LIKE 'm-%' $$;
SELECT dunning.save_strategy('m-few', 'A reminder, then a letter', min_gap_days => 3);
SELECT * FROM dunning.save_step('m-few', 'mail', 1, 3, 'reminder-1', '{email}');
SELECT * FROM dunning.save_step('m-few', 'letter', 2, 14, 'reminder-2', '{letter}', after_contact => true, must => true);
SELECT dunning.save_strategy('m-many', 'Again and again', min_gap_days => 1, stop_after => 3);
SELECT * FROM dunning.save_step('m-many', 'text', 1, 1, 'reminder-1', '{sms,email}', repeat_days => 4, must => true);
SELECT count(*) FROM (SELECT pg_temp.m_debtor('m-owes'), pg_temp.m_owes('m-owes', '2026-03-01'), pg_temp.m_debtor('m-pays'), pg_temp.m_owes('m-pays', '2026-03-01'), pg_temp.m_pays('m-pays', 100, '2026-03-08 10:00+00'),
    pg_temp.m_debtor('m-noaddr', email => false, phone => false), pg_temp.m_owes('m-noaddr', '2026-03-01'), pg_temp.m_debtor('m-late', segment => 'habitual_late'), pg_temp.m_owes('m-late', '2026-03-05')) x;

-- days_are_replayed_with_the_ledger_as_it_was_known_on_each_and_the_contacts_of_the_days_before
SELECT * FROM pg_temp.m_simulate('m-few', '2026-03-02', '2026-03-20');
SELECT * FROM pg_temp.m_simulate('m-many', '2026-03-02', '2026-03-20');

-- why_nobody_was_contacted_is_summed_up
SELECT segment, step, state, reason, debtors, times FROM dunning.simulate('m-few', '2026-03-02', '2026-03-10') WHERE day IS NULL;

-- a_simulation_writes_nothing_and_runs_in_a_read_only_transaction
SELECT pg_temp.m_written() AS before \gset
BEGIN READ ONLY;
SELECT count(*) FROM dunning.simulate('m-few', '2026-03-02', '2026-03-20');
SELECT count(*) FROM dunning.compare_strategies('m-few', 'm-many', '2026-03-02', '2026-03-10');
SELECT count(*) > 0 AS planned FROM dunning.plan('m-few', dry_run => true);
-- which makes no temporary table of others, and writes no row
SAVEPOINT s;
CREATE TEMP TABLE m_mine (a int);
ROLLBACK TO s;
SELECT dunning.hold('m-owes', 'manual');
ROLLBACK;
SELECT pg_temp.m_written() = :'before' AS unchanged;

-- a_function_of_a_bound_view_cannot_write_in_a_read_only_simulation
CREATE TABLE public.m_seen (at timestamptz);
GRANT INSERT, SELECT ON public.m_seen TO PUBLIC;
CREATE FUNCTION public.m_look(t text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN INSERT INTO public.m_seen VALUES (now()); RETURN t; END $$;
CREATE VIEW public.m_debtors AS SELECT debtor_id, creditor, public.m_look(name) AS name, country, email, phone FROM dunning.debtor;
GRANT SELECT ON public.m_debtors TO dunning_owner, dunning_worker;
BEGIN;
SELECT dunning.bind('debtor', 'public.m_debtors');
SAVEPOINT s;
SET TRANSACTION READ ONLY;
SELECT count(*) FROM dunning.simulate('m-few', '2026-03-02', '2026-03-04');
ROLLBACK;
SELECT count(*) FROM public.m_seen;
DROP VIEW public.m_debtors;
DROP FUNCTION public.m_look(text);
DROP TABLE public.m_seen;

-- what_was_really_sent_since_the_first_day_does_not_count_and_what_was_sent_before_does
SELECT dunning._ensure_partitions() \g /dev/null
CREATE TEMP TABLE m_foretold AS SELECT * FROM dunning.simulate('m-few', '2026-03-02', '2026-03-20');
INSERT INTO dunning.egress SELECT dunning._uuid7(), 1, 'm-owes', 'default', 'email', 'm_mail', '\x00', '{}', '\x00', 1, 'test', false, 0, 'EUR', now(), at, 1, 1, '\x00', '\x00' FROM unnest('{2026-03-03 08:00+00,2026-03-05 08:00+00}'::timestamptz[]) at;
INSERT INTO dunning.once VALUES ('m-owes', 'step', 'm-few/mail/2026-03-01', NULL, '2026-03-05 08:00+00');
SELECT count(*) FROM (TABLE m_foretold EXCEPT ALL SELECT * FROM dunning.simulate('m-few', '2026-03-02', '2026-03-20')) x;
UPDATE dunning.egress SET contact_on = contact_on - interval '4 days' WHERE debtor_id = 'm-owes';
UPDATE dunning.once SET at = at - interval '4 days' WHERE debtor_id = 'm-owes';
SELECT * FROM pg_temp.m_simulate('m-few', '2026-03-02', '2026-03-20', 'm-owes');
DELETE FROM dunning.egress WHERE debtor_id = 'm-owes';
DELETE FROM dunning.once WHERE debtor_id = 'm-owes';

-- a_payment_or_hold_before_it_leaves_stops_a_simulated_message_and_it_costs_nothing
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, until_at, placed_by, released_at, released_by) VALUES ('m-owes', gen_random_uuid(), 'default', 'manual', '2026-03-02 05:30+00', NULL, 'test', '2026-03-03 04:00+00', 'test');
SELECT pg_temp.m_pays('m-late', 20, '2026-03-06 05:30+00');
SELECT s.day, s.debtor_id, s.step, s.channel, s.cost, s.state, s.reason FROM dunning.simulate('m-many', '2026-03-02', '2026-03-10') s WHERE s.debtor_id IN ('m-owes', 'm-late') ORDER BY 1, 2;
DELETE FROM dunning.hold WHERE debtor_id = 'm-owes';

-- what_was_planned_before_the_first_day_and_waits_leaves_in_it_and_is_no_row_of_it
SET dunning.clock = '2026-03-04 04:00+00';
SELECT debtor_id, step, state FROM dunning.plan('m-few') WHERE debtor_id LIKE 'm-%' ORDER BY 1;
SET dunning.clock = '2026-04-01 12:00+00';
SELECT * FROM pg_temp.m_simulate('m-few', '2026-03-04', '2026-03-20', 'm-owes');
SELECT dunning._stop_messages(d, 'test') > 0 AS stopped FROM unnest('{m-owes,m-pays}'::text[]) d;
DELETE FROM dunning.message WHERE debtor_id LIKE 'm-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'm-%';

-- two_strategies_are_compared_by_segment_channel_contacts_and_cost_and_who_was_contacted_by_one_alone
SELECT pg_temp.m_debtor('m-mailonly', phone => false), pg_temp.m_owes('m-mailonly', '2026-02-10'), pg_temp.m_debtor('m-textonly', email => false), pg_temp.m_owes('m-textonly', '2026-03-10');
SELECT * FROM dunning.compare_strategies('m-few', 'm-many', '2026-03-02', '2026-03-20');
-- it is what the two simulations say
SELECT c.contacts_a = a.n AS a, c.contacts_b = b.n AS b, (c.cost_a->>'EUR')::numeric = a.cost AS cost_a, (c.cost_b->>'EUR')::numeric = b.cost AS cost_b
FROM dunning.compare_strategies('m-few', 'm-many', '2026-03-02', '2026-03-20') c,
    (SELECT count(*) AS n, sum(cost) AS cost FROM dunning.simulate('m-few', '2026-03-02', '2026-03-20') WHERE state IN ('sent', 'queued')) a,
    (SELECT count(*) AS n, sum(cost) AS cost FROM dunning.simulate('m-many', '2026-03-02', '2026-03-20') WHERE state IN ('sent', 'queued')) b
WHERE c.segment = '*' AND c.channel = '*';
-- a strategy differs from itself in nothing, and nothing is a row too
SELECT count(*) > 0 AS rows, bool_and(contacts_more = 0 AND only_a = 0 AND only_b = 0) AS same FROM dunning.compare_strategies('m-many', 'm-many', '2026-03-02', '2026-03-06');
SELECT * FROM dunning.compare_strategies('m-few', NULL, '2020-01-01', '2020-01-02');

-- days_that_cannot_be_replayed_are_refused_with_the_call_that_can
SELECT dunning.simulate('m-few', '2026-03-20', '2026-03-02');
SELECT dunning.simulate('m-few', '2026-03-20', '2026-04-02');
SELECT dunning.simulate('m-few', '2025-03-20', '2026-03-31');
SELECT dunning.simulate('m-few', NULL, '2026-03-31');
SELECT dunning.simulate('m-few', '-infinity', '2026-03-31');
SELECT dunning.simulate('m-few', '1066-10-14', '1066-10-15');
SELECT dunning.simulate('m-nothing', '2026-03-20', '2026-03-31');
SELECT dunning.compare_strategies('m-few', 'm-nothing', '2026-03-20', '2026-03-31');
-- today counts as far as it has come
SELECT max(day) FROM dunning.simulate('m-many', '2026-03-28', '2026-04-01') WHERE debtor_id = 'm-textonly';

-- simulating_is_for_operators
SELECT r, has_function_privilege(r, 'dunning.simulate(text, date, date, time)', 'execute') AS simulate, has_function_privilege(r, 'dunning.compare_strategies(text, text, date, date, time)', 'execute') AS compare,
       has_function_privilege(r, 'dunning._replay(timestamptz, timestamptz, text)', 'execute') AS replay
FROM unnest('{dunning_viewer,dunning_operator,dunning_admin,dunning_worker}'::text[]) r;

-- what_was_asked_about_a_simulated_day_is_not_kept_for_today
SELECT pg_temp.m_debtor('m-wish'), pg_temp.m_owes('m-wish', '2026-03-01'), (SELECT true FROM dunning.save_contact_wish('m-wish', 'mornings', 'Mon-Fri 08:00-12:00', scope => 'debtor')) AS wished;
SELECT count(*) > 0 AS simulated FROM dunning.simulate('m-few', '2026-03-02', '2026-03-06') s WHERE s.debtor_id = 'm-wish';
SELECT count(b.contact_at) AS today FROM dunning._best_times('{m-wish}', '{email}', '{NULL}', '{NULL}', NULL) b;
DELETE FROM dunning.contact_wish WHERE debtor_id = 'm-wish';

SELECT pg_temp.m_clear();
DELETE FROM dunning.step WHERE strategy LIKE 'm-%';
DELETE FROM dunning.strategy WHERE strategy LIKE 'm-%';
DELETE FROM dunning.plan_change WHERE name LIKE 'm-%';
DROP SERVER m_mail;
DROP SERVER m_text;
DROP SERVER m_letter;
RESET dunning.clock;
RESET dunning.timezone;
