-- plan: which strategy a debtor follows, what is refused when it is saved, and what users of other systems asked for.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-03-10 09:00+00';      -- a Tuesday
CREATE SERVER u_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER u_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER u_letter TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER u_calls TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');

CREATE FUNCTION pg_temp.u_debtor(id text, segment text DEFAULT 'other', diagnosis text DEFAULT NULL, p float8 DEFAULT 0.5, kind text DEFAULT 'person', email boolean DEFAULT true,
    attributes jsonb DEFAULT '{}', country text DEFAULT 'DK') RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.debtor (debtor_id, name, given_name, kind, country, time_zone, language, email, phone, address, attributes)
VALUES (id, 'Debtor ' || id, id, kind, country, 'Europe/Copenhagen', 'da', CASE WHEN email THEN id || '@example.test' END,
    '+4520' || lpad((abs(hashtext(id)) % 1000000)::text, 6, '0'), '{"street": "Havnegade 1", "postcode": "5000", "city": "Odense", "country": "DK"}', attributes);
INSERT INTO dunning.score_result VALUES (id, 'default', segment, diagnosis, p, 0.2, 0.2, '{}', '{}', dunning._now(), dunning._now()) $$;
CREATE FUNCTION pg_temp.u_owes(id text, days int, amount numeric DEFAULT 100, currency text DEFAULT 'EUR', invoice text DEFAULT NULL, disputed boolean DEFAULT false)
RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, disputed)
VALUES (id, coalesce(invoice, id || '-' || currency || days), dunning._today(NULL) - days - 30, dunning._today(NULL) - days, amount, currency, disputed) $$;
CREATE FUNCTION pg_temp.u_pays(id text, amount numeric, at timestamptz, invoice text DEFAULT NULL, currency text DEFAULT 'EUR') RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) VALUES (id, id || at, at, amount, currency, invoice) $$;
CREATE FUNCTION pg_temp.u_deliver() RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.egress SELECT m.message_id, 1, m.debtor_id, m.creditor, m.channel, m.server, '\x00', '{}', '\x00', 1, 'test', false, m.cost, 'EUR', now(), dunning._now(),
    dunning._slice(m.debtor_id), 1, '\x00', '\x00' FROM dunning.message m JOIN dunning.queue q USING (debtor_id, message_id) WHERE m.debtor_id LIKE 'u-%' AND q.state = 'queued';
SELECT count(*) FROM (SELECT array_agg(debtor_id) d, array_agg(message_id) m, count(*)::int n FROM dunning.queue WHERE debtor_id LIKE 'u-%' AND state = 'queued') q,
    LATERAL dunning._settle(d, m, array_fill(1::smallint, ARRAY[n]), array_fill('sent'::text, ARRAY[n]), array_fill('test'::text, ARRAY[n]),
        array_fill(NULL::text, ARRAY[n]), array_fill(NULL::jsonb, ARRAY[n]), array_fill(NULL::timestamptz, ARRAY[n])) WHERE n > 0 $$;
CREATE FUNCTION pg_temp.u_plan(strategy text DEFAULT NULL, dry_run boolean DEFAULT false)
    RETURNS TABLE (debtor text, strategy text, step text, channel text, amounts jsonb, state text, reason text) LANGUAGE sql AS $$
SELECT p.debtor_id, p.strategy, p.step, p.channel, p.amounts, p.state, p.reason FROM dunning.plan(u_plan.strategy, dry_run => u_plan.dry_run) p WHERE p.debtor_id LIKE 'u-%' ORDER BY p.debtor_id COLLATE "C" $$;
-- A strategy day by day.
CREATE FUNCTION pg_temp.u_days(strategy text, until_day date, every int DEFAULT 1) RETURNS TABLE (day date, debtor text, step text, amounts jsonb, reason text) LANGUAGE plpgsql AS $$
BEGIN
    FOR day IN SELECT d::date FROM generate_series(dunning._today(NULL), until_day, make_interval(days => every)) d LOOP
        PERFORM set_config('dunning.clock', day || ' 09:00+00', false);
        FOR debtor, step, amounts, reason IN SELECT p.debtor, p.step, p.amounts, p.reason FROM pg_temp.u_plan(strategy) p LOOP RETURN NEXT; END LOOP;
        PERFORM pg_temp.u_deliver();
    END LOOP;
END $$;
CREATE FUNCTION pg_temp.u_clear(who text DEFAULT 'u-%') RETURNS void LANGUAGE sql AS $$
DELETE FROM dunning.queue WHERE debtor_id LIKE who; DELETE FROM dunning.message WHERE debtor_id LIKE who; DELETE FROM dunning.egress WHERE debtor_id LIKE who;
DELETE FROM dunning.outcome WHERE debtor_id LIKE who; DELETE FROM dunning.once WHERE debtor_id LIKE who; DELETE FROM dunning.hold WHERE debtor_id LIKE who;
DELETE FROM dunning.debtor WHERE debtor_id LIKE who; DELETE FROM dunning.invoice WHERE debtor_id LIKE who; DELETE FROM dunning.payment WHERE debtor_id LIKE who;
DELETE FROM dunning.score_result WHERE debtor_id LIKE who; DELETE FROM dunning.event WHERE debtor_id LIKE who; DELETE FROM dunning.debtor_strategy WHERE debtor_id LIKE who;
SELECT set_config('dunning.clock', '2026-03-10 09:00+00', false) $$;

-- shipped_are_standard_consumer_business_and_subscription_each_with_a_first_step_that_can_be_reached
SELECT s.strategy, count(*) AS steps, count(*) FILTER (WHERE t.anchor NOT IN ('due_date', 'last_contact')) AS by_other_dates FROM dunning._strategies() s JOIN dunning._steps() t ON t.strategy = s.strategy GROUP BY 1 ORDER BY 1;
SELECT count(dunning._check_reachable(s.strategy)) AS reachable FROM dunning._strategies() s;
-- every_shipped_step_would_be_accepted_if_somebody_saved_it
SELECT count(dunning._check_anchor(s)) AS anchors, count(dunning._check_step(s)) AS steps FROM dunning._steps() s;

-- a_strategy_is_assigned_by_creditor_kind_diagnosis_and_segment_the_smallest_position_first_and_set_by_hand_before_all
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-person'), pg_temp.u_owes('u-person', 3), pg_temp.u_debtor('u-firm', kind => 'company'), pg_temp.u_owes('u-firm', 3),
    pg_temp.u_debtor('u-broke', kind => 'company', diagnosis => 'cannot_pay'), pg_temp.u_owes('u-broke', 3), pg_temp.u_debtor('u-gym', segment => 'new'), pg_temp.u_owes('u-gym', 3),
    pg_temp.u_debtor('u-hand', kind => 'company'), pg_temp.u_owes('u-hand', 3)) x;
SELECT dunning.assign_strategy('companies', 'business', 30, debtor_kind => 'company'), dunning.assign_strategy('poor', 'consumer', 10, diagnosis => 'cannot_pay'),
    dunning.assign_strategy('fresh', 'subscription', 20, creditor => 'default', segment => 'new');
SELECT dunning.set_strategy('u-hand', 'subscription', 'asked for SMS');
SELECT d.debtor_id, s.strategy, s.because FROM dunning.debtor d, LATERAL dunning.strategy_of(d.debtor_id) s WHERE d.debtor_id LIKE 'u-%' ORDER BY 1;
SELECT debtor, strategy, step, state FROM pg_temp.u_plan(dry_run => true);
SELECT dunning.set_strategy('u-hand', NULL);
SELECT dunning.assign_strategy('companies', 'business', 30, debtor_kind => 'company', enabled => false);
SELECT s.strategy, s.because FROM dunning.strategy_of('u-firm') s;
SELECT what, name, before->>'strategy' AS before FROM dunning.plan_change WHERE what IN ('rule', 'debtor') ORDER BY change_id;
-- what_cannot_be_assigned_is_refused
SELECT dunning.assign_strategy('all', 'consumer');
SELECT dunning.assign_strategy('x', 'nosuch', segment => 'new');
SELECT dunning.assign_strategy('x', 'consumer', segment => 'rich');
SELECT dunning.assign_strategy('x', 'consumer', diagnosis => 'lazy');
SELECT dunning.assign_strategy('x', 'consumer', debtor_kind => 'cat');
SELECT dunning.set_strategy('u-nobody', 'consumer');
SELECT dunning.save_strategy('u-empty', 'Nothing in it');
SELECT dunning.set_strategy('u-person', 'u-empty');
DELETE FROM dunning.strategy_rule WHERE NOT builtin;
SELECT pg_temp.u_clear() IS NOT NULL;

-- a_strategy_without_a_reachable_first_step_is_refused: each alone waits for another
SELECT * FROM dunning.save_step('u-empty', 'second', 2, 20, 'final-notice', '{email}', after_contact => true);
SELECT * FROM dunning.save_step('u-empty', 'second', 2, 7, 'reminder-2', '{email}', anchor => 'last_contact');
SELECT * FROM dunning.save_step('u-empty', 'first', 1, 3, 'reminder-1', '{email}');
SELECT * FROM dunning.save_step('u-empty', 'second', 2, 7, 'reminder-2', '{email}', anchor => 'last_contact');
SELECT * FROM dunning.save_step('u-empty', 'first', 1, 3, 'reminder-1', '{email}', enabled => false);
SELECT dunning.reset_step('u-empty', 'first');
SELECT dunning.save_strategy('u-empty', 'x', stop_after => 3, stop_step => 'nosuch');
SELECT dunning.save_strategy('u-empty', 'x', stop_after => 3, stop_step => 'first');
SELECT dunning.save_strategy('u-empty', 'x', stop_step => 'second');
SELECT dunning.save_strategy('u-empty', 'x', max_contacts => 3);
SELECT dunning.save_strategy('u-empty', 'x', tolerance => '{"EUR": -1}');
-- an_offset_beyond_the_horizon_or_an_anchor_that_cannot_happen_is_refused
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, -91, 'pre-due', '{email}');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 10, 'reminder-2', '{email}', until_days => 5);
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 0, 'fee-warning', '{sms}', anchor => 'next_fee');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 40, 'after-payday', '{sms}', anchor => 'payday');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, -1, 'broken-promise', '{sms}', anchor => 'broken_promise');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 1, 'reminder-1', '{sms}', anchor => 'event:moon');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, -1, 'reminder-1', '{sms}', anchor => 'event:replied');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 0, 'reminder-1', '{sms}', anchor => 'last_contact');
-- a_condition_must_run_for_a_debtor_without_history
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', condition => '10 / n_invoices > 1');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', condition => 'segment::int > 1');
-- and_say_true_or_false: a number is neither
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', condition => 'n_overdue');
-- what_else_a_step_cannot_be
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', repeat_max => 3);
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', tone => 'rude');
-- a_framing_that_no_text_has_is_a_slip_of_the_pen_not_the_neutral_text
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', framing => 'los_aversion');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', offer => 'lottery');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', companion_channel => 'email');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', companion_channel => 'sms', companion_template => 'formal-notice-sms');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', companion_channel => 'pigeon', companion_template => 'formal-notice-sms');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', print => '[1]');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', level => 'Level 1');
SELECT * FROM dunning.save_step('u-empty', 'bad', 3, 5, 'reminder-1', '{sms}', minimum => '5');
-- the_sign_of_an_offset_is_said_in_words (Dolibarr 30771)
SELECT a.anchor, o.days, dunning._offset_words(a.anchor, o.days) FROM unnest('{due_date,next_fee,hearing,payday,broken_promise,event:replied}'::text[]) a(anchor), unnest('{-60,-1,0,1,60}'::int[]) o(days)
WHERE dunning._anchor_problem(a.anchor, o.days, NULL) IS NULL ORDER BY 1, 2;

-- a_condition_that_errors_for_one_debtor_holds_that_debtor_with_the_error_and_no_other
SELECT dunning.save_strategy('u-ratio', 'A condition that some debtor breaks');
SELECT * FROM dunning.save_step('u-ratio', 'first', 1, 3, 'reminder-1', '{email}', condition => 'n_open = 0 OR 10 / (n_open - 2) < 0');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-one'), pg_temp.u_owes('u-one', 5), pg_temp.u_debtor('u-two'), pg_temp.u_owes('u-two', 5), pg_temp.u_owes('u-two', 6)) x;
SELECT debtor, step, state, reason FROM pg_temp.u_plan('u-ratio');
SELECT pg_temp.u_clear() IS NOT NULL;

-- one_currency_never_uses_up_another (Lago 5259): SEK was reminded weeks ago and nobody answers; DKK that falls due later has its own first reminder
SELECT dunning.save_strategy('u-cur', 'By currency', min_gap_days => 1, minimum => '{"*": 5, "DKK": 50}');
SELECT * FROM dunning.save_step('u-cur', 'first', 1, 3, 'reminder-1', '{email}');
SELECT * FROM dunning.save_step('u-cur', 'second', 2, 20, 'reminder-2', '{email}');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-two-cur'), pg_temp.u_owes('u-two-cur', 3, 500, 'SEK'), pg_temp.u_owes('u-two-cur', -12, 80, 'DKK')) x;
SELECT day, step, amounts FROM pg_temp.u_days('u-cur', '2026-03-31');
SELECT key FROM dunning.once WHERE debtor_id LIKE 'u-%' ORDER BY 1;
SELECT pg_temp.u_clear() IS NOT NULL;

-- a_partial_payment_re_anchors_and_skips_no_step (killbill 2297): the oldest invoice is paid on day 14; the other one has both its reminders
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-part'), pg_temp.u_owes('u-part', 3, 100, invoice => 'u-I1'), pg_temp.u_owes('u-part', -5, 60, invoice => 'u-I2')) x;
SELECT day, step, amounts FROM pg_temp.u_days('u-cur', '2026-03-20');
SELECT pg_temp.u_pays('u-part', 100, '2026-03-20 12:00+00', 'u-I1');
SELECT day, step, amounts FROM pg_temp.u_days('u-cur', '2026-04-06');
SELECT pg_temp.u_clear() IS NOT NULL;

-- one_message_a_customer_under_the_highest_level (OCA 21)
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-many'), pg_temp.u_owes('u-many', 25, 100), pg_temp.u_owes('u-many', 5, 50), pg_temp.u_owes('u-many', 4, 30)) x;
SELECT step, amounts FROM pg_temp.u_plan('u-cur');
SELECT pg_temp.u_clear() IS NOT NULL;

-- a_run_that_was_missed_jumps_to_the_level_that_the_age_deserves_or_takes_the_next_one_where_the_strategy_says_so (OCA 35, 432)
SELECT dunning.save_strategy('u-next', 'One after the other', min_gap_days => 5, catch_up => 'next');
SELECT * FROM dunning.save_step('u-next', 'first', 1, 3, 'reminder-1', '{email}');
SELECT * FROM dunning.save_step('u-next', 'second', 2, 15, 'reminder-2', '{email}');
SELECT * FROM dunning.save_step('u-next', 'third', 3, 30, 'final-notice', '{email}');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-aged'), pg_temp.u_owes('u-aged', 45)) x;
SELECT step FROM pg_temp.u_plan('standard', true);
SELECT day, step, reason FROM pg_temp.u_days('u-next', '2026-03-24');
SELECT pg_temp.u_clear() IS NOT NULL;

-- a_day_without_a_run_is_caught_up_once (invoiceninja 637): the day-5 letter goes on day 6, and not again on day 7
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-down'), pg_temp.u_owes('u-down', 2)) x;
SELECT set_config('dunning.clock', '2026-03-14 09:00+00', false);
SELECT day, step FROM pg_temp.u_days('standard', '2026-03-18');
SELECT pg_temp.u_clear() IS NOT NULL;

-- reminders_before_the_due_date_several_before_and_after (OCA 79, killbill 1978, invoiceninja 2865)
SELECT dunning.save_strategy('u-before', 'Ten and three days before, and after', min_gap_days => 1);
SELECT * FROM dunning.save_step('u-before', 'ten-before', 1, -10, 'pre-due', '{email}', until_days => -4);
SELECT * FROM dunning.save_step('u-before', 'three-before', 2, -3, 'pre-due', '{email}');
SELECT * FROM dunning.save_step('u-before', 'after', 3, 2, 'reminder-1', '{email}', repeat_days => 5);
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-ahead'), pg_temp.u_owes('u-ahead', -12)) x;
-- repeat_until_paid_not_once_on_an_exact_day (Dolibarr 25197, invoiceninja 2865)
SELECT day, step FROM pg_temp.u_days('u-before', '2026-04-13');
SELECT pg_temp.u_pays('u-ahead', 100, '2026-04-13 12:00+00');
SELECT day, step FROM pg_temp.u_days('u-before', '2026-04-20');
SELECT pg_temp.u_clear() IS NOT NULL;

-- a_level_holds_for_a_range_of_days (adempiere 1520)
SELECT dunning.save_strategy('u-range', 'By ranges', min_gap_days => 1, catch_up => 'next');
SELECT * FROM dunning.save_step('u-range', 'one', 1, 1, 'reminder-1', '{email}', until_days => 10);
SELECT * FROM dunning.save_step('u-range', 'two', 2, 11, 'reminder-2', '{email}', until_days => 20);
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-r5'), pg_temp.u_owes('u-r5', 5), pg_temp.u_debtor('u-r15'), pg_temp.u_owes('u-r15', 15), pg_temp.u_debtor('u-r25'), pg_temp.u_owes('u-r25', 25)) x;
SELECT debtor, step FROM pg_temp.u_plan('u-range');
SELECT pg_temp.u_clear() IS NOT NULL;

-- a_too_recent_invoice_does_not_ride_along (OCA 139); a_small_rest_counts_as_paid
SELECT dunning.save_strategy('u-grace', 'Four days of grace', grace_days => 4, tolerance => '{"EUR": 1}');
SELECT * FROM dunning.save_step('u-grace', 'first', 1, 5, 'reminder-1', '{email}');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-grace'), pg_temp.u_owes('u-grace', 8, 100), pg_temp.u_owes('u-grace', 4, 50), pg_temp.u_debtor('u-rest'), pg_temp.u_owes('u-rest', 8, 100),
    pg_temp.u_debtor('u-coin'), pg_temp.u_owes('u-coin', 8, 0.80), pg_temp.u_owes('u-coin', 9, 40)) x;
SELECT pg_temp.u_pays('u-rest', 99.50, '2026-03-05 12:00+00');
SELECT debtor, step, amounts FROM pg_temp.u_plan('u-grace');
SELECT pg_temp.u_clear() IS NOT NULL;

-- one_disputed_invoice_is_left_out_and_does_not_silence_the_others (OCA 170, 460); a_pause_holds_one_invoice_or_the_whole_debtor (invoiceninja 4293, killbill 1706)
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-disp'), pg_temp.u_owes('u-disp', 25, 100, disputed => true), pg_temp.u_owes('u-disp', 6, 40),
    pg_temp.u_debtor('u-stop1'), pg_temp.u_owes('u-stop1', 25, 100, invoice => 'u-S1'), pg_temp.u_owes('u-stop1', 6, 40, invoice => 'u-S2'), pg_temp.u_debtor('u-stopall'), pg_temp.u_owes('u-stopall', 25)) x;
SELECT count(*) FROM (SELECT dunning.hold('u-stop1', 'manual', invoice_id => 'u-S1'), dunning.hold('u-stopall', 'manual')) x;
SELECT debtor, step, amounts, state, reason FROM pg_temp.u_plan('u-cur');
SELECT pg_temp.u_clear() IS NOT NULL;

-- more_conditions_than_age: count, balance, segment (killbill 611)
SELECT dunning.save_strategy('u-more', 'By what is owed');
SELECT * FROM dunning.save_step('u-more', 'few', 1, 3, 'reminder-1', '{email}', condition => 'n_overdue < 3');
SELECT * FROM dunning.save_step('u-more', 'many', 2, 3, 'reminder-2', '{email}', condition => 'n_overdue >= 3 AND amount_overdue >= 100 AND segment <> ''prompt''');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-n1'), pg_temp.u_owes('u-n1', 5, 300), pg_temp.u_debtor('u-n3'), pg_temp.u_owes('u-n3', 5, 50), pg_temp.u_owes('u-n3', 6, 50), pg_temp.u_owes('u-n3', 7, 50)) x;
SELECT debtor, step FROM pg_temp.u_plan('u-more');
SELECT pg_temp.u_clear() IS NOT NULL;

-- blackout_days_move_a_contact (invoiceninja 9538): planned on a Friday evening, an SMS waits for Saturday morning, and on a holiday for the day after
SELECT dunning.save_strategy('u-sms', 'SMS at once', margin => 1);
SELECT * FROM dunning.save_step('u-sms', 'first', 1, 3, 'reminder-1', '{sms}');
SELECT set_config('dunning.clock', '2026-04-02 22:00+00', false);      -- Maundy Thursday at night, Good Friday and Easter follow
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-easter'), pg_temp.u_owes('u-easter', 5)) x;
SELECT p.debtor_id, p.state, p.contact_at >= '2026-04-04 00:00+02' AS after_good_friday, NOT p.contact_at::date = '2026-04-05' AND NOT p.contact_at::date = '2026-04-06' AS not_easter
FROM dunning.plan('u-sms') p WHERE p.debtor_id LIKE 'u-%';
SELECT pg_temp.u_clear() IS NOT NULL;

-- after_so_many_contacts_without_an_answer_the_reason_is_said
SELECT dunning.save_strategy('u-stop', 'Two unanswered are enough', min_gap_days => 1, stop_after => 2);
SELECT * FROM dunning.save_step('u-stop', 'first', 1, 1, 'reminder-1', '{email}', repeat_days => 3);
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-mute'), pg_temp.u_owes('u-mute', 1), pg_temp.u_debtor('u-pays'), pg_temp.u_owes('u-pays', 1)) x;
SELECT pg_temp.u_pays('u-pays', 10, '2026-03-12 12:00+00');
SELECT day, debtor, step, reason FROM pg_temp.u_days('u-stop', '2026-03-19', 3);
SELECT pg_temp.u_clear() IS NOT NULL;

-- the_formulas_of_value: half of an ordinary answer is half the worth, fatigue and an old address take from it, and nothing is worth more than what is paid
SELECT round(dunning._channel_value(0.5, 100, 0.1, 0, 0.1, 0.1, 0, 0, 1, 0)::numeric, 4) AS ordinary, round(dunning._channel_value(0.5, 100, 0.1, 0, 0.05, 0.1, 0, 0, 1, 0)::numeric, 4) AS half,
    round(dunning._channel_value(0.5, 100, 0.1, 6, 0.25, 0.1, 0, 0, 1, 0)::numeric, 4) AS a_call, round(dunning._channel_value(0.5, 100, 1, 0, 0.9, 0.1, 0, 0, 1, 0)::numeric, 4) AS at_most,
    round(dunning._channel_value(0.5, 100, 0.1, 0, 0.1, 0.1, 2, 5, 1, 0)::numeric, 4) AS tired, round(dunning._channel_value(0.5, 100, 0.1, 0, 0.1, 0.1, 0, 0, 1, 0.5)::numeric, 4) AS opts_out;
SELECT round(dunning._fatigue(2, 5)::numeric, 6) AS fatigue, round(exp(-0.15 * 2 - 0.03 * 5)::numeric, 6) AS formula, round(dunning._response_share(3, 5, 0.1)::numeric, 6) AS share, round((2 + 3) / (2 / 0.1 + 5.0), 6) AS of_formula;
SELECT f, a, s, round(dunning._address_quality(f, a, s, false)::numeric, 3) AS quality FROM unnest('{email,phone,address}'::text[]) f, unnest('{0,365,1826}'::int[]) a, unnest('{0,1,3}'::int[]) s WHERE s = 0 OR a = 0;
SELECT dunning._address_quality('email', NULL, NULL, true) AS hard_bounce, dunning._address_quality('email', NULL, NULL, NULL) AS unknown;

-- the_channel_is_the_one_worth_most_and_where_none_is_worth_it_nothing_happens
SELECT dunning.save_strategy('u-value', 'By value', choose => 'value');
SELECT * FROM dunning.save_step('u-value', 'first', 1, 3, 'reminder-1', '{letter,email,sms,call}');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-v100'), pg_temp.u_owes('u-v100', 5, 100), pg_temp.u_debtor('u-v3000'), pg_temp.u_owes('u-v3000', 5, 3000), pg_temp.u_debtor('u-v9'), pg_temp.u_owes('u-v9', 5, 9),
    pg_temp.u_debtor('u-nomail', email => false, p => 0.05), pg_temp.u_owes('u-nomail', 5, 9)) x;
SELECT p.debtor_id, p.channel, p.cost, p.expected_value, p.state, p.reason FROM dunning.plan('u-value', dry_run => true) p WHERE p.debtor_id LIKE 'u-%' ORDER BY 1;
-- an_address_that_bounced_softly_three_times_is_not_used_and_an_old_one_is_worth_less
SELECT pg_temp.u_clear() IS NOT NULL;
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-soft'), pg_temp.u_owes('u-soft', 5, 100), pg_temp.u_debtor('u-aged-sms', attributes => '{"phone_on": "2009-01-01"}'), pg_temp.u_owes('u-aged-sms', 5, 100)) x;
SELECT count(*) FROM (SELECT m.message_id, dunning._enqueue(format($$SELECT %L::uuid AS message_id, 'u-soft'::text AS debtor_id, 'default' AS creditor, NULL::uuid AS run_id, NULL::text AS strategy, NULL::text AS step, 'reminder-1' AS template,
    'sms' AS channel, 'da' AS language, 'u_text' AS server, dunning._now() AS contact_at, NULL::timestamptz AS not_after, '' AS local_time, '{}'::jsonb AS amounts, 0::numeric AS cost, 'EUR' AS cost_currency, NULL::text AS variant, NULL::float8 AS p,
    NULL::numeric AS expected_value, 1::float8 AS propensity, false AS explored, NULL::text AS ledger_mark, '{}'::jsonb AS context, '{}'::jsonb AS decision, 'queued' AS state, NULL::text AS reason, NULL::text[] AS blocked_by,
    NULL::text AS once_kind, NULL::text AS once_key$$, m.message_id)) FROM (SELECT dunning._uuid7() AS message_id) m) x;
SELECT count(*) FROM (SELECT dunning.record_event('bounced', 'u-soft', (SELECT message_id FROM dunning.message WHERE debtor_id = 'u-soft'), dunning._now() - i * interval '1 day', '{"hard": false}') FROM generate_series(1, 3) i) x;
DELETE FROM dunning.queue WHERE debtor_id LIKE 'u-%';
SELECT p.debtor_id, p.channel, p.state FROM dunning.plan('u-value', dry_run => true) p WHERE p.debtor_id LIKE 'u-%' ORDER BY 1;
SELECT pg_temp.u_clear() IS NOT NULL;

-- a_price_holds_for_a_creditor_a_country_and_from_a_day
SELECT dunning.set_cost('sms', 0.30, 'EUR', country => 'DK'), dunning.set_cost('sms', 0.05, 'EUR', creditor => 'north'), dunning.set_cost('sms', 0.50, 'EUR', country => 'DK', valid_from => '2026-06-01');
SELECT x.creditor, x.country, x.day, k.cost FROM (VALUES ('default', 'DK', date '2026-03-10'), ('default', 'SE', '2026-03-10'), ('default', 'DK', '2026-06-01'), ('north', 'SE', '2026-03-10')) x(creditor, country, day),
    LATERAL dunning._costs(x.creditor, x.day, 'EUR', x.country) k WHERE k.channel = 'sms';
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-dk'), pg_temp.u_owes('u-dk', 5), pg_temp.u_debtor('u-se', country => 'SE'), pg_temp.u_owes('u-se', 5)) x;
SELECT p.debtor_id, p.cost FROM dunning.plan('u-sms', dry_run => true) p WHERE p.debtor_id LIKE 'u-%' ORDER BY 1;
SELECT dunning.set_cost('sms', 1, 'EUR', country => 'Denmark');
DELETE FROM dunning.channel_cost;
SELECT pg_temp.u_clear() IS NOT NULL;

-- a_budget_is_kept_by_day_creditor_and_campaign_the_most_worthwhile_first_and_tomorrow_goes_on
SELECT dunning.set_budget(0.25, 'EUR'), dunning.set_budget(5, 'EUR', campaign => 'u-sms'), dunning.set_budget(5, 'EUR', creditor => 'default');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-b' || i), pg_temp.u_owes('u-b' || i, 5, 100 * i) FROM generate_series(1, 4) i) x;
SELECT debtor, state, reason FROM pg_temp.u_plan('u-sms');
SELECT debtor, state, reason FROM pg_temp.u_plan('u-sms');
SELECT day, debtor, reason FROM pg_temp.u_days('u-sms', '2026-03-11');
-- what_no_day_can_pay_keeps_nobody_else_waiting: neither for want of money of its own campaign
SELECT pg_temp.u_clear() IS NOT NULL;
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-d' || i), pg_temp.u_owes('u-d' || i, 5, 100) FROM generate_series(1, 2) i UNION ALL
    SELECT pg_temp.u_debtor('u-dear', country => 'SE'), pg_temp.u_owes('u-dear', 5, 1000000)) x;
SELECT dunning.set_cost('sms', 6, 'EUR', country => 'SE'), dunning.set_cost('sms', 0.10, 'EUR'), dunning.set_budget(0.25, 'EUR');
SELECT p.debtor_id, p.cost, p.state, p.reason, p.expected_value > 0 AS worth_it FROM dunning.plan('u-sms', dry_run => true) p WHERE p.debtor_id LIKE 'u-%' ORDER BY 1;
SELECT dunning.set_budget(7, 'EUR'), dunning.set_budget(1, 'EUR', campaign => 'u-sms');
SELECT p.debtor_id, p.cost, p.state, p.reason FROM dunning.plan('u-sms', dry_run => true) p WHERE p.debtor_id LIKE 'u-%' ORDER BY 1;
-- who_stood_behind_a_contact_that_the_rest_of_the_day_does_not_pay_stands_there_in_the_next_run_too
SELECT dunning.set_budget(4.05, 'EUR'), dunning.set_budget(NULL, 'EUR', campaign => 'u-sms') IS NULL AS lifted, dunning.set_cost('sms', 4, 'EUR', country => 'SE');
SELECT count(*) FROM (SELECT pg_temp.u_owes('u-d1', 6, 90000000)) x;
SELECT p.debtor_id, p.cost, p.state, p.reason FROM dunning.plan('u-sms') p WHERE p.debtor_id LIKE 'u-%' ORDER BY 1;
SELECT p.debtor_id, p.cost, p.state, p.reason FROM dunning.plan('u-sms') p WHERE p.debtor_id LIKE 'u-%' ORDER BY 1;
DELETE FROM dunning.channel_cost;
SELECT dunning.set_budget(NULL, 'EUR') IS NULL AS lifted, dunning.set_budget(0, 'EUR', campaign => 'u-sms') AS nothing_more;
SELECT pg_temp.u_clear() IS NOT NULL;
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-c'), pg_temp.u_owes('u-c', 5, 100)) x;
SELECT debtor, state, reason FROM pg_temp.u_plan('u-sms');
SELECT debtor, step, state FROM pg_temp.u_plan('u-cur');
SELECT dunning.set_budget('NaN', 'EUR');
SELECT dunning.set_budget(1, 'euro');
SELECT dunning.set_budget(1, 'EUR', campaign => 'nosuch');
SELECT pg_temp.u_clear() IS NOT NULL;

-- who_has_paid_begins_anew_with_the_next_invoice (lago 2875)
SELECT dunning.save_strategy('u-anew', 'Two steps', min_gap_days => 1);
SELECT * FROM dunning.save_step('u-anew', 'first', 1, 3, 'reminder-1', '{email}');
SELECT * FROM dunning.save_step('u-anew', 'second', 2, 10, 'reminder-2', '{email}');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-anew'), pg_temp.u_owes('u-anew', 8)) x;
SELECT day, debtor, step FROM pg_temp.u_days('u-anew', '2026-03-13');
SELECT count(*) FROM (SELECT pg_temp.u_pays('u-anew', 100, '2026-03-13 12:00+00'), pg_temp.u_owes('u-anew', 1)) x;
SELECT day, debtor, step FROM pg_temp.u_days('u-anew', '2026-03-24');
SELECT pg_temp.u_clear() IS NOT NULL;

-- a_changed_strategy_holds_for_all_its_debtors_from_the_next_run_on (lago 2866, 2867, 2868): how far a debtor is, is not stored but counted
SELECT dunning.save_strategy('u-limit', 'Every other day', min_gap_days => 1);
SELECT * FROM dunning.save_step('u-limit', 'first', 1, 1, 'reminder-1', '{email}', repeat_days => 2);
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-limit'), pg_temp.u_owes('u-limit', 1)) x;
SELECT day, debtor, step, reason FROM pg_temp.u_days('u-limit', '2026-03-12');
SELECT dunning.save_strategy('u-limit', 'Every other day, two at most', min_gap_days => 1, stop_after => 2);
SELECT day, debtor, step, reason FROM pg_temp.u_days('u-limit', '2026-03-14');
SELECT dunning.save_strategy('u-limit', 'Every other day, three at most', min_gap_days => 1, stop_after => 3);
SELECT day, debtor, step, reason FROM pg_temp.u_days('u-limit', '2026-03-16');
SELECT pg_temp.u_clear() IS NOT NULL;

-- a_payment_that_failed_is_answered_by_a_step_of_its_own (lago 2546)
SELECT dunning.save_strategy('u-card', 'A card was refused');
SELECT means FROM dunning.save_step('u-card', 'unpaid', 1, 14, 'reminder-1', '{email}');
SELECT means FROM dunning.save_step('u-card', 'refused', 2, 0, 'reminder-1', '{email}', anchor => 'event:payment_failed');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-card'), pg_temp.u_owes('u-card', 1), pg_temp.u_debtor('u-quiet'), pg_temp.u_owes('u-quiet', 1)) x;
SELECT debtor, step FROM pg_temp.u_plan('u-card');
SELECT recorded, stopped, task_id IS NULL AS no_task FROM dunning.record_event('payment_failed', 'u-card', detail => '{"code": "card_declined"}');
SELECT debtor, step FROM pg_temp.u_plan('u-card');
SELECT debtor, step FROM pg_temp.u_plan('u-card');
SELECT pg_temp.u_clear() IS NOT NULL;

-- who_has_no_email_is_asked_over_the_next_channel (lago 2784)
SELECT dunning.save_strategy('u-next', 'E-mail, else SMS', margin => 1);
SELECT means FROM dunning.save_step('u-next', 'first', 1, 3, 'reminder-1', '{email,sms}');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-mail'), pg_temp.u_owes('u-mail', 3), pg_temp.u_debtor('u-none', email => false), pg_temp.u_owes('u-none', 3)) x;
SELECT debtor, channel, state FROM pg_temp.u_plan('u-next');
SELECT pg_temp.u_clear() IS NOT NULL;

-- whatsapp_goes_to_those_who_agreed_and_says_what_the_sms_says (odoo documentation 12312)
CREATE SERVER u_whatsapp TYPE 'whatsapp' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
SELECT dunning.save_strategy('u-chat', 'WhatsApp, else SMS', margin => 1);
SELECT means FROM dunning.save_step('u-chat', 'first', 1, 3, 'reminder-1', '{whatsapp,sms}');
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-agreed'), pg_temp.u_owes('u-agreed', 3), pg_temp.u_debtor('u-silent'), pg_temp.u_owes('u-silent', 3)) x;
UPDATE dunning.debtor SET consent = '{"whatsapp": true}' WHERE debtor_id = 'u-agreed';
SELECT debtor, channel, state FROM pg_temp.u_plan('u-chat');
SELECT w.body_text = s.body_text AS the_same FROM dunning.preview('reminder-1', 'u-agreed', 'whatsapp') w, dunning.preview('reminder-1', 'u-agreed', 'sms') s;
SELECT pg_temp.u_clear() IS NOT NULL;
DROP SERVER u_whatsapp;

-- which_contacts_named_an_invoice_and_with_what_sum (OCA 505)
SELECT count(*) FROM (SELECT pg_temp.u_debtor('u-named'), pg_temp.u_owes('u-named', 5, 100, invoice => 'u-n-1'), pg_temp.u_owes('u-named', 4, 40, invoice => 'u-n-2')) x;
SELECT day, debtor, step FROM pg_temp.u_days('u-anew', '2026-03-11');
SELECT pg_temp.u_pays('u-named', 30, '2026-03-12 12:00+00', 'u-n-1');
SELECT day, debtor, step FROM pg_temp.u_days('u-anew', '2026-03-17');
SET ROLE dunning_viewer;
SELECT invoice, at, channel, template, step, amount, currency, state FROM dunning.invoice_contacts('u-named', 'u-n-1');
SELECT count(*) AS of_both, count(DISTINCT message_id) AS messages FROM dunning.invoice_contacts('u-named');
RESET ROLE;
SELECT pg_temp.u_clear() IS NOT NULL;

-- strategies_are_for_admins_a_debtors_own_for_operators
SET ROLE dunning_operator;
SELECT dunning.assign_strategy('x', 'consumer', segment => 'new');
SELECT dunning.set_budget(1, 'EUR');
RESET ROLE;
SET ROLE dunning_viewer;
SELECT dunning.set_strategy('u-c', 'consumer');
SELECT strategy, enabled FROM dunning.strategy_rule ORDER BY 1;
RESET ROLE;

DELETE FROM dunning.budget;
DELETE FROM dunning.strategy_rule WHERE NOT builtin;
DELETE FROM dunning.step WHERE NOT builtin;
DELETE FROM dunning.strategy WHERE NOT builtin;
DELETE FROM dunning.plan_run;
DELETE FROM dunning.plan_change;
DROP SERVER u_mail;
DROP SERVER u_text;
DROP SERVER u_letter;
DROP SERVER u_calls;
