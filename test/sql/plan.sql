-- plan: the next contact of each debtor.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-03-10 09:00+00';      -- a Tuesday
CREATE SERVER p_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER p_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER p_calls TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');

CREATE FUNCTION pg_temp.p_debtor(id text, email boolean DEFAULT true, phone boolean DEFAULT true, segment text DEFAULT 'other', p_late float8 DEFAULT 0.2,
    p_self_cure float8 DEFAULT 0.2, preferred text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.debtor (debtor_id, name, given_name, country, time_zone, language, email, phone, preferred_channel)
VALUES (id, 'Debtor ' || id, id, 'DK', 'Europe/Copenhagen', 'da', CASE WHEN email THEN id || '@example.test' END,
    CASE WHEN phone THEN '+4520' || lpad((abs(hashtext(id)) % 1000000)::text, 6, '0') END, preferred);
INSERT INTO dunning.score_result VALUES (id, 'default', segment, NULL, 0.5, p_late, p_self_cure, '{}', '{}', dunning._now(), dunning._now()) $$;
-- An invoice due so many days before today (negative: after).
CREATE FUNCTION pg_temp.p_owes(id text, days int, amount numeric DEFAULT 100, currency text DEFAULT 'EUR', invoice text DEFAULT NULL, disputed boolean DEFAULT false)
RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, disputed)
VALUES (id, coalesce(invoice, id || '-' || currency || days), date '2026-03-10' - days - 30, date '2026-03-10' - days, amount, currency, disputed) $$;
CREATE FUNCTION pg_temp.p_pays(id text, amount numeric, at timestamptz, invoice text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) VALUES (id, id || at, at, amount, 'EUR', invoice) $$;
-- What the worker does with everything in the queue: an intent, then `sent`.
CREATE FUNCTION pg_temp.p_deliver() RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.egress SELECT m.message_id, 1, m.debtor_id, m.creditor, m.channel, m.server, '\x00', '{}', '\x00', 1, 'test', false, 0, 'EUR', now(), dunning._now(),
    dunning._slice(m.debtor_id), 1, '\x00', '\x00' FROM dunning.message m JOIN dunning.queue q USING (debtor_id, message_id) WHERE m.debtor_id LIKE 'p-%' AND q.state = 'queued';
SELECT count(*) FROM (SELECT array_agg(debtor_id) d, array_agg(message_id) m, count(*)::int n FROM dunning.queue WHERE debtor_id LIKE 'p-%' AND state = 'queued') q,
    LATERAL dunning._settle(d, m, array_fill(1::smallint, ARRAY[n]), array_fill('sent'::text, ARRAY[n]), array_fill('test'::text, ARRAY[n]),
        array_fill(NULL::text, ARRAY[n]), array_fill(NULL::jsonb, ARRAY[n]), array_fill(NULL::timestamptz, ARRAY[n])) WHERE n > 0 $$;
CREATE FUNCTION pg_temp.p_plan(dry_run boolean DEFAULT false) RETURNS TABLE (debtor text, step text, channel text, amounts jsonb, state text, reason text) LANGUAGE sql AS $$
SELECT p.debtor_id, p.step, p.channel, p.amounts, p.state, p.reason FROM dunning.plan(dry_run => p_plan.dry_run) p WHERE p.debtor_id LIKE 'p-%' ORDER BY p.debtor_id COLLATE "C" $$;

SELECT count(*) FROM (SELECT
    pg_temp.p_debtor('p-early', p_late => 0.9), pg_temp.p_owes('p-early', -3),
    pg_temp.p_debtor('p-early-prompt', segment => 'prompt'), pg_temp.p_owes('p-early-prompt', -3),
    pg_temp.p_debtor('p-early-by-score', p_late => 0.5, p_self_cure => 0.49), pg_temp.p_owes('p-early-by-score', -1),
    pg_temp.p_debtor('p-early-curer', segment => 'habitual_late', p_late => 0.9, p_self_cure => 0.6), pg_temp.p_owes('p-early-curer', -3),
    pg_temp.p_debtor('p-future', p_late => 0.9), pg_temp.p_owes('p-future', -5),
    pg_temp.p_debtor('p-four'), pg_temp.p_owes('p-four', 4),
    pg_temp.p_debtor('p-five'), pg_temp.p_owes('p-five', 5),
    pg_temp.p_debtor('p-curer-mail', p_self_cure => 0.8), pg_temp.p_owes('p-curer-mail', 6),
    pg_temp.p_debtor('p-curer-phone', email => false, p_self_cure => 0.8), pg_temp.p_owes('p-curer-phone', 6),
    pg_temp.p_debtor('p-curer-half', p_self_cure => 0.5), pg_temp.p_owes('p-curer-half', 9),
    pg_temp.p_debtor('p-curer-late', email => false, p_self_cure => 0.8), pg_temp.p_owes('p-curer-late', 11)) x;
SELECT count(*) FROM (SELECT
    pg_temp.p_debtor('p-multi'), pg_temp.p_owes('p-multi', 20), pg_temp.p_owes('p-multi', 30, 3, 'SEK'), pg_temp.p_owes('p-multi', 6, 40, 'DKK'),
    pg_temp.p_debtor('p-small'), pg_temp.p_owes('p-small', 20, 2),
    pg_temp.p_debtor('p-disputed'), pg_temp.p_owes('p-disputed', 40, disputed => true), pg_temp.p_owes('p-disputed', 16, 70),
    pg_temp.p_debtor('p-hold-one'), pg_temp.p_owes('p-hold-one', 40, invoice => 'p-H1'), pg_temp.p_owes('p-hold-one', 16, 70, invoice => 'p-H2'),
    pg_temp.p_debtor('p-nowhere', false, false), pg_temp.p_owes('p-nowhere', 20),
    pg_temp.p_debtor('p-missed'), pg_temp.p_owes('p-missed', 20),
    pg_temp.p_debtor('p-old'), pg_temp.p_owes('p-old', 200, 900),
    pg_temp.p_debtor('p-poor'), pg_temp.p_owes('p-poor', 200, 50),
    pg_temp.p_debtor('p-nophone', phone => false), pg_temp.p_owes('p-nophone', 200, 900),
    pg_temp.p_debtor('p-recent'), pg_temp.p_owes('p-recent', 15), pg_temp.p_owes('p-recent', 1, 11), pg_temp.p_owes('p-recent', -2, 7),
    pg_temp.p_debtor('p-sms', preferred => 'sms'), pg_temp.p_owes('p-sms', 5),
    pg_temp.p_debtor('p-fax', preferred => 'fax'), pg_temp.p_owes('p-fax', 5),
    pg_temp.p_debtor('p-credit'), pg_temp.p_owes('p-credit', 20), pg_temp.p_pays('p-credit', 150, '2026-03-01 12:00+00')) x;
SELECT count(*) FROM dunning.hold('p-hold-one', 'investigation', invoice_id => 'p-H1');

-- a_dry_run_writes_nothing
SELECT count(*) > 0 AS rows FROM pg_temp.p_plan(true);
SELECT count(*) AS messages FROM dunning.message WHERE debtor_id LIKE 'p-%';
SELECT count(*) AS keys FROM dunning.once WHERE debtor_id LIKE 'p-%';

-- offsets_are_signed: -3 is before the due date and only there (p-early, not p-future), 5 is after and only there (p-five, not p-four)
-- likely_self_curers_are_left_alone_for_ten_days: neither e-mail (p-curer-mail, p-curer-half) nor SMS (p-curer-phone) until they are over (p-curer-late)
-- no_pre_due_reminder_to_one_who_is_late_but_pays_by_himself (p-early-curer)
-- a_debtor_gets_one_message_listing_each_currency_with_its_own_total (p-multi), one_under_its_minimum_is_left_out
-- a_disputed_or_held_invoice_leaves_the_others (p-disputed, p-hold-one); a_too_recent_one_rides_along_only_if_due (p-recent)
-- a_final_notice_is_nobodys_first_word (p-old); a_net_credit_is_no_contact (p-credit); a_usable_preferred_channel_goes_first (p-sms, p-fax)
SELECT * FROM pg_temp.p_plan();
-- running_it_again_changes_nothing
SELECT debtor, step, state, reason FROM pg_temp.p_plan();
-- keys_do_not_depend_on_how_the_session_writes_dates
SET datestyle = 'German';
SELECT count(*) AS planned FROM pg_temp.p_plan() WHERE state = 'queued';
SET datestyle = 'ISO, YMD';
-- a_pre_due_reminder_leaves_before_the_due_date_and_is_not_sent_after_it
SELECT m.debtor_id, m.contact_at < '2026-03-14 00:00+01' AS in_time, m.not_after FROM dunning.message m WHERE m.step = 'pre-due' AND m.debtor_id LIKE 'p-%' ORDER BY 1;
-- what_was_left_out_is_named_in_the_decision
SELECT debtor_id, decision->'currencies' AS currencies, decision->'under_minimum' AS under_minimum, decision->'left_out' AS left_out, decision->'skipped' AS skipped
FROM dunning.message WHERE debtor_id IN ('p-multi', 'p-disputed', 'p-hold-one', 'p-sms', 'p-curer-late') ORDER BY 1;
-- the_context_holds_what_templates_may_say
SELECT jsonb_pretty(context - 'debtor_id') FROM dunning.message WHERE debtor_id = 'p-multi';
-- steps_that_the_furthest_one_overtook_are_done
SELECT key, message_id IS NOT NULL AS sent FROM dunning.once WHERE debtor_id = 'p-missed' ORDER BY 1;
-- amounts_and_marks_of_a_message_agree_with_the_gate
SELECT count(*) FILTER (WHERE g.blocked_by = '{}') = count(*) AS allowed FROM (
    SELECT array_agg(m.debtor_id) d, array_agg(m.channel) c, array_agg(m.contact_at) at, array_agg(m.ledger_mark) k, array_agg(m.message_id) i FROM dunning.message m WHERE m.debtor_id LIKE 'p-%') x,
    LATERAL dunning._gate(d, c, at, k, i) g;

-- a_debtor_is_left_alone_between_two_contacts_and_nobody_hears_of_the_next_step_before_ten_days_are_over
SELECT pg_temp.p_deliver();
SET dunning.clock = '2026-03-11 09:00+00';
SELECT debtor, step, state, reason FROM pg_temp.p_plan() WHERE debtor NOT IN ('p-four', 'p-curer-phone', 'p-nowhere', 'p-small');
-- a_partial_payment_moves_the_anchor_and_the_steps_of_the_next_invoice_stand_open (p-recent: what was oldest is paid, what is 6 days late gets its own first reminder)
SET dunning.clock = '2026-03-15 09:00+00';
SELECT pg_temp.p_pays('p-recent', 100, '2026-03-12 12:00+00', 'p-recent-EUR15');
SELECT step, amounts FROM pg_temp.p_plan() WHERE debtor = 'p-recent';
-- where_the_furthest_step_cannot_be_taken_or_is_not_worth_its_price_the_one_before_it_is
SELECT debtor_id, step, channel, decision->'passed_over' AS passed_over FROM dunning.message WHERE debtor_id IN ('p-poor', 'p-nophone') AND step <> 'reminder-2' ORDER BY 1;
SELECT key, message_id IS NOT NULL AS sent FROM dunning.once WHERE debtor_id = 'p-recent' ORDER BY 1;
-- a_day_that_was_missed_is_caught_up_once: nine days later p-five is 20 days late
SET dunning.clock = '2026-03-25 09:00+00';
SELECT debtor, step, state FROM pg_temp.p_plan() WHERE debtor IN ('p-five', 'p-four', 'p-old', 'p-missed');
SELECT pg_temp.p_deliver();
SELECT debtor, step, state FROM pg_temp.p_plan() WHERE debtor IN ('p-five', 'p-four', 'p-old', 'p-missed');
SET dunning.clock = '2026-04-01 09:00+00';
SELECT debtor, step, state, channel, reason FROM pg_temp.p_plan() WHERE debtor IN ('p-five', 'p-four', 'p-old', 'p-missed');

-- a_run_for_approval_waits_as_proposed_and_what_is_excepted_or_rejected_may_be_planned_again
SELECT count(*) > 0 AS stopped FROM (SELECT dunning._stop_messages(debtor_id, 'test') FROM (SELECT DISTINCT debtor_id FROM dunning.queue WHERE debtor_id LIKE 'p-%') d) x;
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'p-%';
SELECT count(*) FROM (SELECT pg_temp.p_debtor('p-a1'), pg_temp.p_owes('p-a1', -16), pg_temp.p_debtor('p-a2'), pg_temp.p_owes('p-a2', -16), pg_temp.p_debtor('p-a3'), pg_temp.p_owes('p-a3', -16)) x;
CREATE TEMP TABLE p_run AS SELECT * FROM dunning.plan(approve => true) WHERE debtor_id LIKE 'p-%';
SELECT debtor_id, step, state FROM p_run ORDER BY 1;
SELECT debtor_id, state FROM dunning.approve((SELECT run_id FROM p_run LIMIT 1), '{p-a2}') ORDER BY 1;
SELECT approve, planned, approved_at, approved_by IS NOT NULL AS signed FROM dunning.plan_run WHERE run_id = (SELECT run_id FROM p_run LIMIT 1);
SELECT s.debtor_id, s.state, s.reason FROM dunning.message_state s JOIN p_run r USING (message_id) ORDER BY 1;
CREATE TEMP TABLE p_run2 AS SELECT * FROM dunning.plan(approve => true) WHERE debtor_id LIKE 'p-%';
SELECT debtor_id, state FROM p_run2;
SELECT debtor_id, state, reason FROM dunning.reject((SELECT run_id FROM p_run2 LIMIT 1));
SELECT debtor, step, state FROM pg_temp.p_plan();
-- a_proposal_that_nobody_approved_in_time_ends_and_is_made_anew
SELECT count(*) FROM (SELECT pg_temp.p_debtor('p-x1'), pg_temp.p_owes('p-x1', -16)) x;
SELECT debtor_id, step, state FROM dunning.plan(approve => true) WHERE debtor_id = 'p-x1';
SET dunning.clock = '2026-04-20 09:00+00';
SELECT debtor_id, step, state FROM dunning.plan(approve => true) WHERE debtor_id = 'p-x1';
SELECT state, reason FROM dunning.message_state WHERE debtor_id = 'p-x1' ORDER BY message_id;
SELECT dunning._stop_messages('p-x1', 'test');
DELETE FROM dunning.invoice WHERE debtor_id = 'p-x1';
SET dunning.clock = '2026-04-01 09:00+00';
SELECT * FROM dunning.approve('00000000-0000-7000-8000-000000000000');

-- a_final_failure_goes_on_over_the_next_channel_of_the_frozen_list_and_then_ends_dead
CREATE FUNCTION pg_temp.p_fail(debtor text) RETURNS TABLE (became text) LANGUAGE sql AS $$
INSERT INTO dunning.egress SELECT m.message_id, 1, m.debtor_id, m.creditor, m.channel, m.server, '\x00', '{}', '\x00', 1, 'test', false, 0, 'EUR', now(), dunning._now(),
    dunning._slice(m.debtor_id), 1, '\x00', '\x00' FROM dunning.message m JOIN dunning.queue q USING (debtor_id, message_id) WHERE m.debtor_id = debtor;
SELECT s.state FROM dunning.queue q, LATERAL dunning._settle(ARRAY[q.debtor_id], ARRAY[q.message_id], ARRAY[1::smallint], ARRAY['failed'], ARRAY['smtp_550'], ARRAY[NULL::text],
    ARRAY['{"code": 550}'::jsonb], ARRAY[NULL::timestamptz]) s WHERE q.debtor_id = debtor $$;
SELECT * FROM pg_temp.p_fail('p-a1');
SELECT m.channel, s.state, s.reason, m.decision->'tried'->0->>'channel' AS tried, m.context->>'amount' AS amount FROM dunning.message m JOIN dunning.message_state s USING (message_id)
WHERE m.debtor_id = 'p-a1' ORDER BY m.message_id;
SELECT * FROM pg_temp.p_fail('p-a1');
SELECT channel, count(*) FROM dunning.message WHERE debtor_id = 'p-a1' GROUP BY 1 ORDER BY 1;

-- those_held_out_are_not_contacted_and_said_to_be
SELECT count(*) FROM (SELECT dunning.set_holdout(0.5), pg_temp.p_debtor('p-h' || i), pg_temp.p_owes('p-h' || i, -16) FROM generate_series(1, 40) i) x;
SELECT state, reason, count(*) BETWEEN 10 AND 30 AS about_half FROM pg_temp.p_plan() WHERE debtor LIKE 'p-h%' GROUP BY 1, 2 ORDER BY 1;
SELECT dunning.set_holdout(0);
-- a_running_framing_experiment_chooses_the_wording_and_its_propensity_is_kept
SELECT count(*) FROM (SELECT dunning.start_experiment('framing-p', '["neutral", "empathy"]'), (SELECT count(*) FROM dunning._cancel_messages(
    ARRAY(SELECT debtor_id FROM dunning.queue WHERE debtor_id LIKE 'p-h%' ORDER BY 1), ARRAY(SELECT message_id FROM dunning.queue WHERE debtor_id LIKE 'p-h%' ORDER BY debtor_id), 'test', true))) x;
SELECT count(*) AS planned FROM pg_temp.p_plan() WHERE debtor LIKE 'p-h%' AND state = 'queued';
SELECT m.variant, count(*) BETWEEN 10 AND 30 AS about_half, bool_and(m.variant = dunning._arm('framing-p', m.debtor_id)) AS its_arm, min((m.decision->>'arm_propensity')::float8) AS propensity
FROM dunning.message m JOIN dunning.queue q USING (debtor_id, message_id) WHERE m.debtor_id LIKE 'p-h%' GROUP BY 1 ORDER BY 1;
SELECT count(*) AS units FROM dunning.assignment WHERE debtor_id LIKE 'p-h%';

-- channels_without_a_server_or_paused_are_skipped
SELECT dunning.pause('p_mail') IS NOT NULL AS paused;
SELECT count(*) FROM (SELECT pg_temp.p_debtor('p-s1'), pg_temp.p_owes('p-s1', -16), pg_temp.p_debtor('p-s2', phone => false), pg_temp.p_owes('p-s2', -16)) x;
SELECT debtor, channel, state, reason FROM pg_temp.p_plan() WHERE debtor LIKE 'p-s%';
SELECT dunning.resume('p_mail') >= 0 AS resumed;
SELECT debtor, channel, state, reason FROM pg_temp.p_plan() WHERE debtor LIKE 'p-s%';

-- costs_decide: a price above what a contact is worth rules the channel out
SELECT dunning.set_cost('sms', 500, 'EUR') IS NOT NULL AS set;
SELECT count(*) FROM (SELECT pg_temp.p_debtor('p-c1', email => false), pg_temp.p_owes('p-c1', -16)) x;
SELECT debtor_id, state, reason, blocked_by FROM dunning.plan(dry_run => true) WHERE debtor_id = 'p-c1';
SELECT channel, cost, priced_in FROM dunning._costs('default', '2026-04-01') WHERE channel = 'sms';
SELECT channel, cost < 500 AS before FROM dunning._costs('default', '2026-03-31') WHERE channel = 'sms';
-- two currencies are never compared: a debt in DKK is weighed against a price in DKK, and against none where there is none
SELECT count(*) FROM (SELECT pg_temp.p_debtor('p-c2', email => false), pg_temp.p_owes('p-c2', -16, 100, 'DKK')) x;
SELECT p.debtor_id, p.state, p.reason, p.channel, p.cost, p.expected_value FROM dunning.plan(dry_run => true) p WHERE p.debtor_id = 'p-c2';
SELECT dunning.set_cost('sms', 0.50, 'DKK') IS NOT NULL AS set;
SELECT p.debtor_id, p.state, p.reason, p.channel, p.cost, p.expected_value FROM dunning.plan(dry_run => true) p WHERE p.debtor_id = 'p-c2';
SELECT dunning.set_cost('sms', 3, 'DKK') IS NOT NULL AS set;
SELECT p.debtor_id, p.state, p.reason FROM dunning.plan(dry_run => true) p WHERE p.debtor_id = 'p-c2';
SELECT dunning.set_cost('sms', 'NaN', 'EUR');
SELECT dunning.set_cost('telex', 1, 'EUR');

-- strategies_and_steps_are_saved_checked_and_said_in_words
SELECT dunning.save_strategy('p-gentle', 'One reminder only', '{"EUR": 10, "*": 5}');
SELECT * FROM dunning.save_step('p-gentle', 'before', 1, -2, 'pre-due', '{email}', condition => 'p_late > 0.5 AND n_overdue = 0');
SELECT * FROM dunning.save_step('p-gentle', 'after', 2, 2, 'reminder-1', '{email,sms}', paid_channels => false);
SELECT * FROM dunning.save_step('p-gentle', 'again', 3, 7, 'reminder-2', '{email}', anchor => 'last_contact');
SELECT * FROM dunning.save_step('p-gentle', 'bad', 3, 7, 'reminder-2', '{email}', condition => 'true) x; DROP TABLE dunning.debtor; SELECT (true');
SELECT * FROM dunning.save_step('p-gentle', 'bad', 3, 7, 'reminder-2', '{email}', condition => 'true FROM dunning.debtor');
SELECT * FROM dunning.save_step('p-gentle', 'bad', 3, 7, 'reminder-2', '{email}', condition => 'nosuch > 1');
SELECT * FROM dunning.save_step('p-gentle', 'bad', 3, 7, 'reminder-2', '{email}', condition => 'segment + 1');
SELECT * FROM dunning.save_step('p-gentle', 'bad', 3, 7, 'reminder-2', '{email}', condition => 'p_late > 0.5, true');
SELECT * FROM dunning.save_step('p-gentle', 'bad', 3, 7, 'no-such-template', '{email}');
SELECT * FROM dunning.save_step('p-gentle', 'bad', 3, 7, 'reminder-2', '{pigeon}');
SELECT * FROM dunning.save_step('p-gentle', 'bad', 3, 7, 'reminder-2', '{email}', anchor => 'birthday');
SELECT * FROM dunning.save_step('p-gentle', 'bad', 3, 99999, 'reminder-2', '{email}');
SELECT dunning.save_strategy('p-bad', 'x', '{"EUR": "ten"}');
SELECT * FROM dunning.plan('nosuch');
SELECT debtor_id, strategy, step, channel, state, reason FROM dunning.plan('p-gentle', dry_run => true) WHERE debtor_id IN ('p-c1', 'p-a2');
SELECT what, name, before->>'offset_days' AS before FROM dunning.plan_change WHERE what = 'step' ORDER BY change_id;

-- the_past_cannot_be_planned_only_looked_at
RESET dunning.clock;
\set VERBOSITY terse
SELECT * FROM dunning.plan(as_of => '2020-01-01');
\set VERBOSITY default
SELECT * FROM dunning.plan(as_of => 'infinity');
SELECT count(*) FROM dunning.plan(as_of => '2020-01-01', dry_run => true) WHERE debtor_id LIKE 'p-%';
SET dunning.clock = '2026-04-01 09:00+00';

-- planning_is_for_operators
SET ROLE dunning_viewer;
SELECT * FROM dunning.plan(dry_run => true);
RESET ROLE;
SET ROLE dunning_operator;
SELECT count(*) > 0 AS may FROM dunning.plan(dry_run => true);
SELECT * FROM dunning.save_step('standard', 'bad', 3, 7, 'reminder-2', '{email}');
RESET ROLE;

DELETE FROM dunning.queue WHERE debtor_id LIKE 'p-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'p-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'p-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'p-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'p-%';
DELETE FROM dunning.hold WHERE debtor_id LIKE 'p-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'p-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'p-%';
DELETE FROM dunning.payment WHERE debtor_id LIKE 'p-%';
DELETE FROM dunning.score_result WHERE debtor_id LIKE 'p-%';
DELETE FROM dunning.assignment WHERE experiment = 'framing-p';
DELETE FROM dunning.arm WHERE experiment = 'framing-p';
DELETE FROM dunning.experiment WHERE experiment = 'framing-p';
DELETE FROM dunning.holdout;
DELETE FROM dunning.channel_cost;
DELETE FROM dunning.step WHERE NOT builtin;
DELETE FROM dunning.strategy WHERE NOT builtin;
DELETE FROM dunning.plan_run;
DELETE FROM dunning.plan_change;
DROP SERVER p_mail;
DROP SERVER p_text;
DROP SERVER p_calls;
