-- event: hand-over to an agency or a court, write-off, and what became of them.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-06-10 10:00+00';       -- a Wednesday
SELECT dunning._ensure_partitions() >= 0 AS partitions;
SELECT dunning.save_creditor('vn', 'North Case'), dunning.save_creditor('vs', 'South Case');
CREATE SERVER v_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
SELECT dunning.save_strategy('v-two', 'two e-mails', min_gap_days => 1);
SELECT count(*) FROM dunning.save_step('v-two', 'first', 1, 3, 'reminder-1', '{email}');
SELECT count(*) FROM dunning.save_step('v-two', 'last', 2, 10, 'reminder-2', '{email}');
SELECT count(dunning.save_charging(c, fees => true, interest => true, terms => '{reminder_fee}')) FROM unnest('{vn,vs}'::text[]) c;
SELECT count(*) FROM dunning.set_rate('DK-lending', 3.75, '2026-01-01', '2026-12-31', 'a test');

CREATE FUNCTION pg_temp.book() RETURNS void LANGUAGE sql AS $$
DELETE FROM dunning.queue WHERE debtor_id LIKE 'v-%'; DELETE FROM dunning.message WHERE debtor_id LIKE 'v-%'; DELETE FROM dunning.egress WHERE debtor_id LIKE 'v-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'v-%'; DELETE FROM dunning.once WHERE debtor_id LIKE 'v-%'; DELETE FROM dunning.hold;
DELETE FROM dunning.offer WHERE debtor_id LIKE 'v-%'; DELETE FROM dunning.task WHERE debtor_id LIKE 'v-%'; DELETE FROM dunning.event WHERE debtor_id LIKE 'v-%';
DELETE FROM dunning.promise WHERE debtor_id LIKE 'v-%'; DELETE FROM dunning.body WHERE debtor_id LIKE 'v-%'; DELETE FROM dunning.handover;
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'v-%'; DELETE FROM dunning.invoice WHERE debtor_id LIKE 'v-%'; DELETE FROM dunning.payment WHERE debtor_id LIKE 'v-%';
SELECT set_config('dunning.clock', '2026-06-10 10:00+00', false);
INSERT INTO dunning.debtor (debtor_id, creditor, person_id, kind, name, given_name, country, time_zone, email, phone)
SELECT 'v-' || i, CASE WHEN i < 4 THEN 'vn' ELSE 'vs' END, CASE WHEN i IN (1, 4) THEN 'v-P' END, 'person', 'Debtor ' || i, 'D' || i, 'DK', 'Europe/Copenhagen', 'v' || i || '@example.test', '+451234560' || i FROM generate_series(1, 4) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, reference)
SELECT d.debtor_id, d.debtor_id || '/' || i, d.creditor, date '2026-04-10' + 20 * i, date '2026-04-20' + 20 * i, 1000 * i, 'DKK', 'F' || d.debtor_id || i FROM dunning.debtor d, generate_series(1, 2) i WHERE d.debtor_id LIKE 'v-%';
SELECT count(dunning.set_strategy('v-' || i, 'v-two')) FROM generate_series(1, 4) i $$;
CREATE FUNCTION pg_temp.planned(who text DEFAULT 'v-%') RETURNS TABLE (debtor text, step text, state text, reason text, amounts jsonb) LANGUAGE sql AS $$
SELECT p.debtor_id, p.step, p.state, p.reason, p.amounts FROM dunning.plan() p WHERE p.debtor_id LIKE who ORDER BY p.debtor_id COLLATE "C" $$;
CREATE FUNCTION pg_temp.cases() RETURNS TABLE (debtor text, kind text, state text, why text, by text, amounts jsonb, collected jsonb, commission jsonb) LANGUAGE sql AS $$
SELECT h.debtor_id, h.kind, h.state, h.why, CASE WHEN h.proposed_by LIKE 'rule:%' THEN h.proposed_by ELSE 'a person' END, h.amounts, h.collected, h.commission FROM dunning.handovers h ORDER BY h.debtor_id, h.handover_id $$;
CREATE FUNCTION pg_temp.deliver() RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.egress SELECT m.message_id, 1, m.debtor_id, m.creditor, m.channel, m.server, '\x00', '{}', '\x00', 1, 'test', false, m.cost, 'EUR', now(), dunning._now(),
    dunning._slice(m.debtor_id), 1, '\x00', '\x00' FROM dunning.message m JOIN dunning.queue q USING (debtor_id, message_id) WHERE m.debtor_id LIKE 'v-%' AND q.state = 'queued';
SELECT count(*) FROM (SELECT array_agg(debtor_id) d, array_agg(message_id) m, count(*)::int n FROM dunning.queue WHERE debtor_id LIKE 'v-%' AND state = 'queued') q,
    LATERAL dunning._settle(d, m, array_fill(1::smallint, ARRAY[n]), array_fill('sent'::text, ARRAY[n]), array_fill('test'::text, ARRAY[n]),
        array_fill(NULL::text, ARRAY[n]), array_fill(NULL::jsonb, ARRAY[n]), array_fill(NULL::timestamptz, ARRAY[n])) WHERE n > 0 $$;
CREATE FUNCTION pg_temp.days_of_interest(invoice text) RETURNS bigint LANGUAGE sql AS $$ SELECT sum(s.span_days) FILTER (WHERE s.amount > 0) FROM dunning._interest(ARRAY[split_part(invoice, '/', 1)]) s WHERE s.of_invoice = invoice $$;

-- a_proposal_stops_nothing_and_billing_sees_it
SELECT pg_temp.book();
SELECT * FROM pg_temp.planned();
SELECT state, invoices, amounts, handover_id AS id FROM dunning.propose_handover('v-1', 'agency', '{v-1/1}', recipient => 'Inkasso Nord', commission_percent => 12.5, note => 'no answer') \gset p_
SELECT :'p_state' AS state, :p_invoices AS invoices, :'p_amounts' AS amounts;
SELECT invoice_id, currency, open, kind, state, recipient FROM dunning.handover_invoices;
SELECT * FROM pg_temp.cases();
SELECT (dunning.allowed('v-1', 'email', '2026-06-12 10:00+00')).blocked_by;
SELECT state, count(*) FROM dunning.queue WHERE debtor_id = 'v-1' GROUP BY 1;
SELECT kind, detail - 'handover_id' AS detail FROM dunning.event WHERE debtor_id = 'v-1';

-- what_is_handed_over_is_neither_dunned_nor_charged_nor_offered_and_the_rest_goes_on
SELECT offer_id IS NOT NULL AS offered FROM dunning.make_offer('v-1', 'pay_later');
SELECT debtor_id, invoices, amounts, messages_stopped FROM dunning.approve_handover(:'p_id', 'agreed');
SELECT state, note FROM dunning.offer WHERE debtor_id = 'v-1';
SELECT * FROM pg_temp.planned('v-1');       -- tomorrow: v-4 is the same person, and was planned today
SELECT dunning._stop_messages('v-4', 'test') AS stopped;
SELECT * FROM pg_temp.planned('v-1');
SELECT DISTINCT f.invoice_id, f.blocked_by @> '{hold:handed_over}' AS frozen FROM dunning.lawful_fees('v-1') f ORDER BY 1;
SELECT o.text LIKE '%2,000%' AS of_the_rest FROM dunning.make_offer('v-1', 'pay_later') o;
SELECT dunning.conversation('v-1') -> 'balances' -> 0 ->> 'amount' AS asked_for;
SELECT count(*) FILTER (WHERE context #>> '{balances,0,amount}' = '2000') AS of_the_rest, count(*) AS messages FROM dunning.message m JOIN dunning.queue q USING (debtor_id, message_id) WHERE m.debtor_id = 'v-1';
-- interest_of_a_claim_that_an_agency_collects_goes_on_and_that_of_one_written_off_ends
SELECT handover_id AS id FROM dunning.propose_handover('v-2', 'write_off') \gset w_
SELECT messages_stopped FROM dunning.approve_handover(:'w_id');
SET dunning.clock = '2026-06-20 10:00+00';
SELECT pg_temp.days_of_interest('v-1/1') AS handed_over, pg_temp.days_of_interest('v-2/1') AS written_off, pg_temp.days_of_interest('v-3/1') AS neither;
-- whose_claims_are_all_written_off_or_handed_over_is_left_alone
SELECT * FROM pg_temp.planned('v-2');
SELECT state, blocked_by FROM dunning.send('v-2', 'reminder-1', 'email', dry_run => true);
SELECT dunning.conversation('v-2') -> 'balances' AS asked_for;
-- a_new_invoice_of_such_a_debtor_is_dunned
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency) VALUES ('v-2', 'v-2/3', 'vn', '2026-06-01', '2026-06-15', 70, 'DKK');
SELECT * FROM pg_temp.planned('v-2');

-- what_came_in_since_and_the_recipients_share_of_it_are_told
INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, creditor, paid_at, amount, currency) VALUES
    ('v-1', 'v-p1', 'v-1/1', 'vn', '2026-06-09 10:00+00', 100, 'DKK'), ('v-1', 'v-p2', 'v-1/1', 'vn', '2026-06-15 10:00+00', 400.40, 'DKK');
SELECT * FROM pg_temp.cases();
SELECT kind, recipient, currency, cases, amount, collected, commission FROM dunning._report_cases(NULL);
SELECT dunning.report_html() LIKE '%Inkasso Nord%' AS in_the_report;

-- taking_back_lets_dunning_go_on_where_it_was
-- the_hint_of_a_hold_that_a_hand_over_placed_runs_as_printed
\getenv inputdir PG_ABS_SRCDIR
\set hint_runs :inputdir '/sql/lib/hint_runs.sql'
\i :hint_runs
SELECT DISTINCT pg_temp.hint_runs(format('SELECT * FROM dunning.release(%L)', h.hold_id)) AS hint FROM dunning.hold h WHERE h.debtor_id = 'v-1' AND h.released_at IS NULL AND (dunning._reason_of(h.reason)).released_by = 'system';
SELECT * FROM dunning.take_back(:'p_id', 'the agency gave up');
SELECT reason, state, released_by IS NOT NULL AS by_somebody FROM dunning.holds WHERE debtor_id = 'v-1';
SELECT dunning._stop_messages('v-1', 'test') AS stopped;
SELECT * FROM pg_temp.planned('v-1');
SELECT i.left_out FROM dunning._handover_items('v-1', '{v-1/1}', 'agency') i;
SELECT kind, detail ->> 'text' AS text FROM dunning.event WHERE debtor_id = 'v-1' ORDER BY event_id;
\set VERBOSITY terse
SELECT * FROM dunning.take_back(:'p_id', 'again');
SELECT * FROM dunning.release((SELECT hold_id FROM dunning.holds WHERE reason = 'written_off' LIMIT 1));
\set VERBOSITY default

-- who_proposes_does_not_approve_under_four_eyes
SELECT pg_temp.book();
SELECT dunning.save_setting('four_eyes', 'true');
CREATE ROLE v_one LOGIN; CREATE ROLE v_two LOGIN; CREATE ROLE v_op LOGIN; GRANT dunning_admin TO v_one, v_two; GRANT dunning_operator TO v_op;
SET SESSION AUTHORIZATION v_one;
SELECT handover_id AS id FROM dunning.propose_handover('v-3', 'court', recipient => 'Byretten') \gset f_
\set VERBOSITY terse
SELECT * FROM dunning.approve_handover(:'f_id');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION v_op;
SELECT * FROM dunning.approve_handover(:'f_id');
SELECT * FROM dunning.reject_handover(:'f_id', 'no');
SELECT * FROM dunning.take_back(:'f_id', 'no');
SELECT note FROM dunning.handover;
SELECT state FROM dunning.handovers;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION v_two;
SELECT debtor_id, amounts FROM dunning.approve_handover(:'f_id');
RESET SESSION AUTHORIZATION;
\set VERBOSITY default
SELECT proposed_by, decided_by FROM dunning.handovers;
SELECT dunning.save_setting('four_eyes', NULL);
DROP OWNED BY v_one, v_two, v_op; DROP ROLE v_one, v_two, v_op;

-- what_changed_between_proposal_and_decision_counts
SELECT pg_temp.book();
SELECT handover_id AS id FROM dunning.propose_handover('v-1', 'agency', recipient => 'Inkasso Nord') \gset q_
SELECT amounts FROM dunning.handovers;
INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, creditor, paid_at, amount, currency) VALUES ('v-1', 'v-p3', 'v-1/1', 'vn', '2026-06-10 09:00+00', 1000, 'DKK'), ('v-1', 'v-p4', 'v-1/2', 'vn', '2026-06-10 09:00+00', 500, 'DKK');
SELECT invoices, amounts FROM dunning.approve_handover(:'q_id');
SELECT invoice_id, open FROM dunning.handover_invoices;
SELECT handover_id AS id FROM dunning.propose_handover('v-2', 'agency', recipient => 'Inkasso Nord') \gset q_
SELECT messages_stopped FROM dunning.hold('v-2', 'dispute', invoice_id => 'v-2/1');
SELECT invoices, amounts FROM dunning.approve_handover(:'q_id');
SELECT handover_id AS id FROM dunning.propose_handover('v-3', 'agency', recipient => 'Inkasso Nord') \gset q_
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency) VALUES ('v-3', 'v-p5', 'vn', '2026-06-10 09:00+00', 3000, 'DKK');
\set VERBOSITY terse
SELECT * FROM dunning.approve_handover(:'q_id');
SELECT dunning.reject_handover(:'q_id', 'paid') AS debtor;
SELECT * FROM dunning.approve_handover(:'q_id');
\set VERBOSITY default

-- who_is_protected_has_promised_or_disputes_is_not_handed_over
SELECT pg_temp.book();
SELECT messages_stopped FROM dunning.hold('v-1', 'insolvency');
SELECT * FROM dunning.propose_handover('v-1', 'agency', recipient => 'Inkasso Nord');
SELECT * FROM dunning.propose_handover('v-4', 'court');
SELECT state FROM dunning.propose_handover('v-1', 'write_off');
SELECT messages_stopped FROM dunning.hold('v-2', 'dispute', invoice_id => 'v-2/1');
SELECT amounts FROM dunning.propose_handover('v-2', 'agency', recipient => 'Inkasso Nord');
SELECT stopped FROM dunning.promise('v-3', 3000, 'DKK', '2026-06-20');
SELECT * FROM dunning.propose_handover('v-3', 'write_off');
SELECT handover_id AS id FROM dunning.handovers WHERE debtor_id = 'v-2' \gset r_
SELECT messages_stopped FROM dunning.hold('v-2', 'deceased');
\set VERBOSITY terse
SELECT * FROM dunning.approve_handover(:'r_id');
\set VERBOSITY default

-- a_call_that_was_to_ask_for_it_leaves_the_worklist
SELECT pg_temp.book();
SELECT dunning._task('v-1', 'call', 'call', due_at => dunning._now()) IS NOT NULL AS task;
SELECT handover_id AS id FROM dunning.propose_handover('v-1', 'agency', recipient => 'Inkasso Nord') \gset s_
SELECT invoices FROM dunning.approve_handover(:'s_id');
SELECT kind, outcome, note FROM dunning.task WHERE debtor_id = 'v-1';

-- rules_propose_after_the_last_step_after_the_stop_or_by_age_what_is_worth_it
SELECT pg_temp.book();
SELECT dunning.save_handover_rule('old-off', 'write_off', 'age', 30, "position" => 20, minimum => '{"*": 5000}') AS new;
SELECT count(*) AS proposed FROM dunning._refresh_handovers();
SELECT dunning.save_handover_rule('old-off', 'write_off', 'age', 30, "position" => 20, creditor => 'vs', minimum => '{"DKK": 0, "*": 5000}') AS new;
SELECT item, rows FROM dunning.maintain() WHERE item LIKE 'handovers%';
SELECT * FROM pg_temp.cases();
SELECT invoice_id FROM dunning.handover_invoices;
SELECT count(*) AS again FROM dunning._refresh_handovers();
SELECT dunning.reject_handover((SELECT handover_id FROM dunning.handovers), 'still talking') AS debtor;
SELECT count(*) AS soon_after FROM dunning._refresh_handovers();
SELECT dunning.drop_handover_rule('old-off'), dunning.drop_handover_rule('old-off') AS again;
SELECT dunning.save_handover_rule('agency', 'agency', 'last_step', 14, recipient => 'Inkasso Nord', commission_percent => 10, creditor => 'vn');
SELECT count(*) FROM pg_temp.planned('v-1') WHERE step = 'last';
SELECT pg_temp.deliver();
SELECT count(*) AS too_soon FROM dunning._refresh_handovers();
SET dunning.clock = '2026-06-25 10:00+00';
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency) VALUES ('v-3', 'v-p6', 'vn', '2026-06-12 09:00+00', 3000, 'DKK');
SELECT offer_id IS NOT NULL AS offered FROM dunning.make_offer('v-2', 'pay_later');
SELECT count(*) AS proposed FROM dunning._refresh_handovers();
SELECT * FROM pg_temp.cases();
SELECT dunning.drop_handover_rule('agency');
-- the stop rule of a strategy
SELECT pg_temp.book();
SELECT dunning.save_strategy('v-two', 'two e-mails', min_gap_days => 1, stop_after => 2);
SELECT dunning.save_handover_rule('stopped', 'court', 'stopped', 5);
INSERT INTO dunning.egress SELECT dunning._uuid7(), 1, 'v-1', 'vn', 'email', 'v_mail', '\x00', '{}', '\x00', 1, 'test', false, 0, 'EUR', now(), d::timestamptz, dunning._slice('v-1'), 1, '\x00', '\x00'
FROM unnest('{2026-05-20 10:00+00,2026-06-04 10:00+00}'::timestamptz[]) d;
INSERT INTO dunning.egress SELECT dunning._uuid7(), 1, 'v-2', 'vn', 'email', 'v_mail', '\x00', '{}', '\x00', 1, 'test', false, 0, 'EUR', now(), '2026-06-04 10:00+00', dunning._slice('v-2'), 1, '\x00', '\x00';
SELECT count(*) AS proposed FROM dunning._refresh_handovers();
SELECT debtor, kind, why, by FROM pg_temp.cases();
SELECT dunning.drop_handover_rule('stopped');

-- what_makes_no_sense_is_refused_with_the_way_out
SELECT * FROM dunning.propose_handover('v-0', 'agency', recipient => 'x');
SELECT * FROM dunning.propose_handover('v-2', 'sale');
SELECT * FROM dunning.propose_handover('v-2', 'agency');
SELECT * FROM dunning.propose_handover('v-2', 'write_off', commission_percent => 5);
SELECT * FROM dunning.propose_handover('v-2', 'agency', recipient => 'x', commission_percent => 101);
SELECT * FROM dunning.propose_handover('v-2', 'court', '{v-2/1,v-1/1}');
SELECT state FROM dunning.propose_handover('v-2', 'court');
SELECT count(*) FROM dunning.propose_handover('v-2', 'court');
SELECT * FROM dunning.approve_handover('00000000-0000-7000-8000-000000000000');
\set VERBOSITY terse
SELECT dunning.reject_handover((SELECT handover_id FROM dunning.handovers), ' ');
\set VERBOSITY default
SELECT dunning.save_handover_rule('Bad', 'court', 'age', 1);
SELECT dunning.save_handover_rule('bad', 'court', 'whim', 1);
SELECT dunning.save_handover_rule('bad', 'court', 'age', 1, minimum => '{"eur": 1}');
SELECT dunning.save_handover_rule('bad', 'court', 'age', 1, minimum => '[1]');
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency) VALUES ('v-3', 'v-p7', 'vn', '2026-06-10 09:00+00', 3000, 'DKK');
SELECT * FROM dunning.propose_handover('v-3', 'court');

SELECT pg_temp.book();
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'v-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'v-%';
DELETE FROM dunning.debtor_strategy WHERE debtor_id LIKE 'v-%';
DELETE FROM dunning.rule_change;
DELETE FROM dunning.charging WHERE creditor IN ('vn', 'vs');
DELETE FROM dunning.charge_change;
DELETE FROM dunning.reference_rate WHERE NOT builtin;
DELETE FROM dunning.creditor WHERE creditor IN ('vn', 'vs');
DELETE FROM dunning.creditor_change;
DELETE FROM dunning.step WHERE strategy = 'v-two';
DELETE FROM dunning.strategy WHERE strategy = 'v-two';
DELETE FROM dunning.plan_change;
DROP SERVER v_mail;
RESET dunning.clock;
RESET dunning.timezone;
