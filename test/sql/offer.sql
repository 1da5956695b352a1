-- offer: instalments, settlements, putting off and promises; one offer of record for every channel.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET dunning.clock = '2026-06-10 10:00+00';
SELECT dunning._ensure_partitions() >= 0 AS partitions;
INSERT INTO dunning.creditor (creditor, builtin, name, language) VALUES ('of-c', false, 'Nordlys', 'en'), ('of-d', false, 'Sydlys', 'en');
INSERT INTO dunning.debtor (debtor_id, creditor, name, given_name, language, country, email, phone) VALUES
    ('OF-1', 'of-c', 'Kirsten Hansen', 'Kirsten', 'da', 'DK', 'kirsten@example.dk', '+4520123456'),
    ('OF-2', 'of-c', 'Bo Berg', 'Bo', 'en', 'GB', 'bo@example.uk', '+447700900123'),
    ('OF-3', 'of-c', 'Cy Card', 'Cy', 'de', 'DE', 'cy@example.de', '+4915112345678'),
    ('OF-4', 'of-c', 'Di Dahl', 'Di', 'en', 'GB', 'di@example.uk', NULL),
    ('OF-5', 'of-d', 'Ed Elm', 'Ed', 'en', 'GB', 'ed@example.uk', NULL),
    ('OF-6', 'of-c', 'Flo Fox', 'Flo', 'xx', 'GB', 'flo@example.uk', NULL);
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, reference) VALUES
    ('OF-1', 'OF-I1', 'of-c', '2026-04-01', '2026-05-01', 1000, 'DKK', 'F-1'),
    ('OF-2', 'OF-I2', 'of-c', '2026-04-01', '2026-05-01', 300, 'GBP', 'F-2'),
    ('OF-3', 'OF-I3', 'of-c', '2026-04-01', '2026-05-01', 500.50, 'EUR', 'F-3'),
    ('OF-3', 'OF-I3b', 'of-c', '2026-04-01', '2026-05-01', 90, 'GBP', 'F-3b'),
    ('OF-5', 'OF-I5', 'of-d', '2026-04-01', '2026-05-01', 40, 'GBP', 'F-5'),
    ('OF-6', 'OF-I6', 'of-c', '2026-04-01', '2026-05-01', 240, 'GBP', 'F-6');
-- Kirsten pays 250 on the last banking day of each month, once 400; Cy every second Friday.
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency)
SELECT 'OF-1', 'OF-H1-' || m, 'of-c', make_date(2025, 7, 1) + make_interval(months => m), (make_date(2025, 7, 20) + make_interval(months => m))::date, CASE m WHEN 3 THEN 400 ELSE 250 END, 'DKK'
FROM generate_series(0, 9) m;
INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, amount, currency, paid_at)
SELECT 'OF-1', 'OF-P1-' || m, 'OF-H1-' || m, CASE m WHEN 3 THEN 400 ELSE 250 END, 'DKK', d + time '12:00'
FROM generate_series(0, 9) m,
     LATERAL (SELECT max(x)::date AS d FROM generate_series(make_date(2025, 7, 1) + make_interval(months => m), make_date(2025, 7, 31) + make_interval(months => m), '1 day') x
              WHERE extract(isodow FROM x) < 6 AND date_trunc('month', x) = date_trunc('month', make_date(2025, 7, 1) + make_interval(months => m))) l;
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency)
SELECT 'OF-3', 'OF-H3-' || n, 'of-c', date '2025-12-01' + 14 * n, date '2025-12-10' + 14 * n, 60, 'EUR' FROM generate_series(0, 11) n;
INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, amount, currency, paid_at)
SELECT 'OF-3', 'OF-P3-' || n, 'OF-H3-' || n, 60, 'EUR', date '2025-12-05' + 14 * n + time '12:00' FROM generate_series(0, 11) n;

-- plan_options_lie_within_what_was_paid_in_a_month_before_and_sum_to_the_balance
SELECT option, count, parts -> 0 ->> 'amount' AS part, parts -> -1 ->> 'amount' AS last, total, frequency, first_on, last_on, basis FROM dunning.plan_options('OF-1');
SELECT bool_and((p ->> 'amount')::numeric <= 400) AS within_the_best_month, count(*) AS parts
FROM dunning.plan_options('OF-1') o, jsonb_array_elements(o.parts) p;

-- plan_options_begin_after_the_next_likely_payday
SELECT y.schedule, y.next_date, o.first_on, o.first_on > y.next_date AS after_payday
FROM (SELECT * FROM dunning.payday('OF-1') LIMIT 1) y, (SELECT * FROM dunning.plan_options('OF-1') LIMIT 1) o;

-- plan_options_follow_a_fourteen_day_cycle_with_half_a_months_amount
SELECT option, count, parts -> 0 ->> 'amount' AS part, parts -> -1 ->> 'amount' AS last, total, frequency, first_on, last_on FROM dunning.plan_options('OF-3');
SELECT DISTINCT (p.parts -> (i + 1) ->> 'due_on')::date - (p.parts -> i ->> 'due_on')::date AS days
FROM dunning.plan_options('OF-3') p, generate_series(0, p.count - 2) i;

-- who_never_paid_gets_a_variety_of_plans_over_the_time_that_is_allowed
SELECT option, count, parts -> 0 ->> 'amount' AS part, parts -> -1 ->> 'amount' AS last, frequency, first_on, basis FROM dunning.plan_options('OF-2');
SELECT option, count, parts -> 0 ->> 'amount' AS part, total FROM dunning.plan_options('OF-3', currency => 'GBP');

-- no_plan_is_offered_below_the_smallest_part_or_beyond_the_longest_time
SELECT count(*) FROM dunning.plan_options('OF-5');
SELECT dunning.save_setting('plan_most_months', '2');
SELECT count(*) FROM dunning.plan_options('OF-1');
SELECT dunning.save_setting('plan_most_months', NULL);
SELECT count(*) FROM dunning.plan_options('OF-4');
SELECT * FROM dunning.plan_options('OF-nobody');

-- an_offer_says_the_same_in_the_debtors_language_and_english_where_there_are_no_words
SELECT o.text, o.state, o.until_on, jsonb_array_length(o.options) AS options FROM dunning.make_offer('OF-1', 'instalments') o;
SELECT o.text FROM dunning.make_offer('OF-3', 'pay_later', '{"currency": "GBP"}') o;
SELECT o.text FROM dunning.make_offer('OF-6', 'promise', '{"amount": 100, "due_on": "2026-06-26"}') o;

-- a_debtor_has_at_most_one_live_offer
SELECT FROM dunning.make_offer('OF-1', 'pay_later');
SELECT o.state, o.superseded IS NOT NULL AS superseded FROM dunning.make_offer('OF-1', 'pay_later', replace => true) o;
SELECT kind, state, note, supersedes IS NOT NULL AS supersedes FROM dunning.offer WHERE debtor_id = 'OF-1' ORDER BY offer_id;
INSERT INTO dunning.offer SELECT debtor_id, '01990000-0000-7000-8000-000000000001', creditor, kind, state, currency, amount, options, text, language, expires_on, expires_at, made_at, made_by, live_from
FROM dunning.offer WHERE debtor_id = 'OF-1' AND state = 'live';

-- bad_terms_are_refused_with_what_is_wrong
SELECT FROM dunning.make_offer('OF-2', 'present');
SELECT FROM dunning.make_offer('OF-2', 'instalments', '[1]');
SELECT FROM dunning.make_offer('OF-2', 'instalments', '{"parts": [{"amount": -100, "due_on": "2026-07-01"}, {"amount": 400, "due_on": "2026-08-01"}]}');
SELECT FROM dunning.make_offer('OF-2', 'instalments', '{"parts": [{"amount": 100, "due_on": "2026-07-01"}, {"amount": 100, "due_on": "2026-08-01"}]}');
SELECT FROM dunning.make_offer('OF-2', 'instalments', '{"parts": [{"amount": 300, "due_on": "2026-06-01"}]}');
SELECT FROM dunning.make_offer('OF-2', 'instalments', '{"parts": [{"amount": 300, "due_on": "2029-06-01"}]}');
SELECT FROM dunning.make_offer('OF-2', 'instalments', '{"parts": [{"amount": 300, "due_on": "tomorrow week"}]}');
SELECT FROM dunning.make_offer('OF-2', 'instalments', '{"parts": [{"amount": 300, "currency": "EUR", "due_on": "2026-07-01"}]}');
SELECT FROM dunning.make_offer('OF-2', 'instalments', '{"parts": []}');
SELECT FROM dunning.make_offer('OF-2', 'pay_later', '{"currency": "EUR"}');
SELECT FROM dunning.make_offer('OF-2', 'promise', '{"amount": 400, "due_on": "2026-06-20"}');
SELECT FROM dunning.make_offer('OF-2', 'promise', '{"amount": "NaN", "due_on": "2026-06-20"}');
-- the_hint_of_terms_that_cannot_be_offered_runs_as_printed
\getenv inputdir PG_ABS_SRCDIR
\set hint_runs :inputdir '/sql/lib/hint_runs.sql'
\i :hint_runs
SELECT kind, terms, pg_temp.hint_runs(format('SELECT FROM dunning.make_offer(%L, %L, %L)', 'OF-2', kind, terms)) AS hint
FROM (VALUES ('present', '{}'), ('instalments', '[1]'), ('instalments', '{"x": 1}'), ('instalments', '{"parts": []}'), ('instalments', '{"parts": [{"amount": 300, "due_on": "2026-06-01"}]}'),
             ('promise', '{"amount": "much"}'), ('promise', '{"amount": 10, "due_on": "2026-06-01"}'), ('pay_later', '{"due_on": "2026-06-01"}')) v(kind, terms);
SELECT FROM dunning.make_offer('OF-2', 'pay_later', '{"due_on": "2026-12-24"}');
SELECT FROM dunning.make_offer('OF-2', 'pay_later', expires_on => '2026-06-01');
SELECT FROM dunning.make_offer('OF-2', 'pay_later', expires_on => '2026-12-01');
SELECT FROM dunning.make_offer('OF-2', 'settlement');
SELECT FROM dunning.make_offer('OF-4', 'pay_later');
SELECT FROM dunning.make_offer('OF-nobody', 'pay_later');
SELECT FROM dunning.make_offer(NULL, 'pay_later');
SELECT count(*) FROM dunning.offers WHERE debtor_id IN ('OF-2', 'OF-4');
SELECT dunning.save_setting('four_eyes', 'perhaps');
SELECT dunning.save_offer_text('instalments', 'en', 'Pay {{what}}');
SELECT dunning.save_offer_text('gift', 'en', 'Pay');

-- parts_of_less_than_a_coin_are_refused: their words would not add up to what is owed
SELECT o.state FROM dunning.make_offer('OF-2', 'instalments', '{"parts": [{"amount": 199.999, "due_on": "2026-06-20"}, {"amount": 100.001, "due_on": "2026-07-20"}]}') o;
-- the_least_share_itself_may_be_given: it is rounded up
BEGIN;
SELECT dunning.save_setting('settlement_percent', '33');
UPDATE dunning.invoice SET amount = amount + 0.01 WHERE debtor_id = 'OF-2';
SELECT o.state, o.options -> 0 -> 'parts' -> 0 ->> 'amount' AS amount FROM dunning.make_offer('OF-2', 'settlement', '{"share": 0.33}') o;
ROLLBACK;

-- an_accepted_plan_is_watched_on_the_ledger_and_holds_until_its_dates
SELECT o.state FROM dunning.make_offer('OF-2', 'instalments', '{"parts": [{"amount": 100, "due_on": "2026-06-20"}, {"amount": 120, "due_on": "2026-07-20"}, {"amount": 80, "due_on": "2026-08-20"}]}') o;
SELECT cardinality(promise_ids) AS promises, until_at, stopped, recorded FROM dunning.accept_offer('OF-2', via => 'call');
SELECT cardinality(promise_ids) AS promises, recorded FROM dunning.accept_offer('OF-2', 1, (SELECT offer_id FROM dunning.offer WHERE debtor_id = 'OF-2'));
SELECT part, amount, due_on, state FROM dunning.promise_state WHERE debtor_id = 'OF-2' ORDER BY part;
SELECT reason, until_at FROM dunning.hold WHERE debtor_id = 'OF-2' AND released_at IS NULL;
SELECT kind, state, via, choice, agreement, paid, next_due_on FROM dunning.offers WHERE debtor_id = 'OF-2';
SET dunning.clock = '2026-06-21 10:00+00';
INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, amount, currency, paid_at) VALUES ('OF-2', 'OF-P2', 'OF-I2', 100, 'GBP', '2026-06-19 10:00+00');
SELECT agreement, paid, next_due_on FROM dunning.offers WHERE debtor_id = 'OF-2';
SELECT * FROM dunning._broken_promises(ARRAY['OF-2']);

-- a_broken_part_ends_the_hold_and_gives_the_anchor_its_date
SET dunning.clock = '2026-07-26 10:00+00';
SELECT agreement, paid, next_due_on FROM dunning.offers WHERE debtor_id = 'OF-2';
SELECT broken, ended FROM dunning._check_promises();
SELECT debtor_id, broken_on FROM dunning._broken_promises(ARRAY['OF-1', 'OF-2']);
SELECT count(*) FROM dunning._broken_promises(ARRAY['OF-2'], '2026-07-22 10:00+00');
SELECT released_by FROM dunning.hold WHERE debtor_id = 'OF-2';

-- planning_makes_no_new_offer_soon_after_a_broken_one
SELECT count(*) FROM dunning._make_offers(ARRAY['OF-2'], ARRAY['instalments']);
SET dunning.clock = '2026-10-01 10:00+00';
SELECT debtor_id, kind, made FROM dunning._make_offers(ARRAY['OF-2', 'OF-4', 'OF-6', 'OF-nobody'], ARRAY['instalments', 'instalments', 'pay_later', 'promise']);
SELECT debtor_id, kind, made FROM dunning._make_offers(ARRAY['OF-2', 'OF-6'], ARRAY['promise', 'promise']);
SELECT debtor_id, kind, amount, expires_on FROM dunning._offer_terms(ARRAY['OF-1', 'OF-2'], ARRAY['instalments', 'settlement']);

-- an_offer_expires_at_the_end_of_its_day_and_cannot_be_accepted_then
SELECT state, expires_on FROM dunning.offers WHERE debtor_id = 'OF-2' ORDER BY offer_id DESC LIMIT 1;
SET dunning.clock = '2026-10-16 12:00+00';
SELECT count(*) AS live FROM dunning._live_offers(ARRAY['OF-2']);
SELECT state FROM dunning.offers WHERE debtor_id = 'OF-2' ORDER BY offer_id DESC LIMIT 1;
SELECT FROM dunning.accept_offer('OF-2', 1);
SELECT dunning._refresh_offers(ARRAY['OF-2']);
SELECT FROM dunning.accept_offer('OF-2', 1);

-- an_offer_of_another_debtor_or_creditor_is_refused
SELECT o.offer_id AS bos FROM dunning.make_offer('OF-2', 'pay_later') o \gset
\set VERBOSITY sqlstate
SELECT FROM dunning.accept_offer('OF-5', 1, :'bos');
\set VERBOSITY terse
SELECT FROM dunning.accept_offer('OF-6', 7);
\set VERBOSITY default
SELECT count(*) FROM dunning.promise WHERE debtor_id = 'OF-5';

-- a_declined_offer_is_not_made_again_by_planning_for_a_while
SELECT dunning.decline_offer('OF-2', note => 'no money') = :'bos' AS declined;
SELECT state, note FROM dunning.offer WHERE offer_id = :'bos';
SELECT count(*) FROM dunning._make_offers(ARRAY['OF-2'], ARRAY['promise']);
\set VERBOSITY sqlstate
SELECT FROM dunning.accept_offer('OF-2', 1, :'bos');
SELECT FROM dunning.decline_offer('OF-2');
SELECT FROM dunning.withdraw_offer('OF-2', 'x');
\set VERBOSITY default

-- a_settlement_needs_the_rule_of_an_administrator_and_with_four_eyes_a_second_person
SELECT dunning.save_setting('settlement_percent', '80'), dunning.save_setting('four_eyes', 'true');
SELECT FROM dunning.make_offer('OF-2', 'settlement', '{"share": 0.5}');
SELECT o.state, o.text FROM dunning.make_offer('OF-2', 'settlement', '{"share": 0.85}') o;
SELECT count(*) AS live FROM dunning._live_offers(ARRAY['OF-2']);
\set VERBOSITY terse
SELECT FROM dunning.accept_offer('OF-2', 1);
SELECT FROM dunning.approve_offer('OF-2');
\set VERBOSITY default
CREATE ROLE of_boss SUPERUSER;
SET SESSION AUTHORIZATION of_boss;
SET dunning.clock = '2026-10-16 12:00+00';
SELECT approved IS NOT NULL AS approved FROM dunning.approve_offer('OF-2');
RESET SESSION AUTHORIZATION;
SET dunning.clock = '2026-10-16 12:00+00';
SELECT state, approved_by FROM dunning.offer WHERE debtor_id = 'OF-2' ORDER BY offer_id DESC LIMIT 1;

-- a_settlement_that_is_paid_leaves_the_rest_undunned_and_for_a_person_to_credit
UPDATE dunning.debtor SET kind = 'person' WHERE debtor_id = 'OF-2';
SELECT dunning.save_charging('of-c', fees => true, interest => true) IS NOT NULL AS charging;
SELECT 1 AS rate FROM dunning.set_rate('GB-base', 4, '2026-01-01', source => 'for the test');
SELECT warnings = '{}' AS ruled FROM dunning.save_charge_rule('GB', 'person', 'reminder-1', 'GBP', 5, '2026-01-01', source => 'for the test');
SELECT warnings = '{}' AS ruled FROM dunning.save_interest_rule('GB', 'person', 'GB-base', 5, '2026-01-01', source => 'for the test');
SELECT c.kind, count(*) FROM dunning.charge('OF-2', 'OF-I2', 'reminder-1') c GROUP BY 1;
SELECT c.debtor_id, c.kind, c.amount > 0 AS some FROM dunning.assess_charges() c WHERE c.debtor_id = 'OF-2';
SELECT parts, until_at IS NULL AS until_told_by_the_ledger FROM dunning.accept_offer('OF-2');
INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, amount, currency, paid_at) VALUES ('OF-2', 'OF-P2b', 'OF-I2', 170, 'GBP', '2026-10-17 10:00+00');
SET dunning.clock = '2026-10-18 12:00+00';
SELECT broken, ended FROM dunning._check_promises();
SELECT reason, invoice_id, released_at IS NULL AS stands FROM dunning.hold WHERE debtor_id = 'OF-2' ORDER BY from_at;
SELECT kind, subject FROM dunning.task WHERE debtor_id = 'OF-2' AND completed_at IS NULL AND kind = 'settlement_kept';
-- and_nothing_was_charged_on_it_nor_is_later: the whole claim was said to be settled
SET dunning.clock = '2026-12-05 12:00+00';
SELECT count(*) AS posted_later FROM dunning.assess_charges() c WHERE c.debtor_id = 'OF-2';
SELECT kind, waive_reason FROM dunning.charge WHERE debtor_id = 'OF-2' ORDER BY kind;
SELECT count(*) AS left_to_book FROM dunning.charge_due WHERE debtor_id = 'OF-2';
SET dunning.clock = '2026-10-18 12:00+00';
UPDATE dunning.debtor SET kind = NULL WHERE debtor_id = 'OF-2';
DELETE FROM dunning.reference_rate WHERE NOT builtin; DELETE FROM dunning.charge; DELETE FROM dunning.charging; DELETE FROM dunning.charge_rule WHERE NOT builtin; DELETE FROM dunning.interest_rule WHERE NOT builtin; DELETE FROM dunning.charge_change;
SELECT agreement, paid FROM dunning.offers WHERE debtor_id = 'OF-2' AND kind = 'settlement';
SELECT balance FROM dunning.balance('OF-2');
SELECT FROM dunning.make_offer('OF-2', 'promise');
SELECT dunning.save_setting('settlement_percent', NULL), dunning.save_setting('four_eyes', NULL);
DROP ROLE of_boss;

-- who_has_paid_a_part_is_not_offered_to_settle_the_whole
SET dunning.clock = '2026-10-20 12:00+00';
SELECT o.state FROM dunning.make_offer('OF-6', 'promise', replace => true) o;
SELECT terms ->> 'amount' AS amount FROM dunning._live_offers(ARRAY['OF-6']);
INSERT INTO dunning.payment (debtor_id, payment_id, invoice_id, amount, currency, paid_at) VALUES ('OF-6', 'OF-P6', 'OF-I6', 40, 'GBP', '2026-10-20 11:00+00');
SELECT count(*) FROM dunning._live_offers(ARRAY['OF-6']);
\set VERBOSITY terse
SELECT FROM dunning.accept_offer('OF-6');
\set VERBOSITY default
SELECT dunning._refresh_offers(ARRAY['OF-6']);
SELECT kind, state, note FROM dunning.offer WHERE debtor_id = 'OF-6' ORDER BY offer_id DESC LIMIT 1;

-- a_message_names_the_offer_of_record_when_it_is_frozen_whatever_it_was_when_planned
CREATE FUNCTION pg_temp.message(debtor text, via text, of_context jsonb DEFAULT NULL, of_decision jsonb DEFAULT '{}') RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE id uuid := dunning._uuid7();
BEGIN
    INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency,
                                 context, decision, created_at, created_by)
    VALUES (id, debtor, 'of-c', 'of-note', via, 'en', 'of', dunning._now(), 'x', '{}', 0, 'EUR',
            coalesce(of_context, (SELECT c.context FROM dunning._context(ARRAY[debtor], NULL) c)), of_decision, dunning._now(), 'test');
    INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel)
    VALUES (debtor, id, 'of-c', dunning._slice(debtor), 'queued', dunning._now() + interval '1 hour', 'of', via);
    RETURN id;
END $$;
CREATE FUNCTION pg_temp.freeze(message uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE f record; m dunning.message; said text;
BEGIN
    SELECT * INTO m FROM dunning.message x WHERE x.message_id = message;
    SELECT * INTO f FROM dunning._freeze_offers(ARRAY[m.debtor_id], ARRAY[message], ARRAY[m.context -> 'offer' <> 'null'], ARRAY[EXISTS (SELECT FROM dunning.body b WHERE b.message_id = message)]);
    IF coalesce(f.verdict, 'say') <> 'say' THEN RETURN f.verdict; END IF;
    SELECT r.body_text INTO said FROM dunning.render(m.template, m.context || CASE WHEN f.verdict = 'say' THEN jsonb_build_object('offer', f.offer) ELSE '{}' END, m.language, m.channel) r;
    INSERT INTO dunning.body (message_id, debtor_id, creditor, address, subject, body_text, rendered_at, offer_id)
    VALUES (message, m.debtor_id, m.creditor, 'x', 's', said, dunning._now(), f.offer_id);
    RETURN said;
END $$;
INSERT INTO dunning.template (template, channel, language, body_text) VALUES
    ('of-note', 'email', 'en', 'Hi {{name}}.{{#offer}} {{text}}{{/offer}}'), ('of-note', 'sms', 'en', '{{#offer}}{{text}}{{/offer}}{{^offer}}Please pay.{{/offer}}'),
    ('of-note', 'call', 'en', 'Ask {{name}}.{{#offer}} Say: {{text}}{{/offer}}');
SELECT pg_temp.message('OF-1', 'email') AS mail, pg_temp.message('OF-1', 'sms') AS sms \gset
SELECT o.text FROM dunning.make_offer('OF-1', 'promise', '{"amount": 500}', replace => true) o;
SELECT pg_temp.freeze(:'mail');
SELECT context -> 'offer' AS as_planned FROM dunning.message WHERE message_id = :'mail';

-- when_the_offer_changes_frozen_messages_are_planned_anew_and_others_say_the_new_one
SELECT o.text FROM dunning.make_offer('OF-1', 'promise', '{"amount": 600}', replace => true) o;
SELECT state, reason FROM dunning.message_state WHERE message_id IN (:'mail', :'sms') ORDER BY state;
SELECT pg_temp.freeze(:'sms');

-- every_touchpoint_tells_the_same_offer_inbound_too
SELECT c -> 'offer_of_record' ->> 'text' = c -> 'offer' -> 'offer' ->> 'text' AS one_record, c -> 'offer' ->> 'text' AS said, jsonb_array_length(c -> 'offers') AS offers
FROM dunning.conversation('OF-1') c;

-- a_message_whose_offer_is_over_goes_without_it_or_is_planned_anew_by_its_steps_rule
SELECT pg_temp.message('OF-1', 'email') AS plain, pg_temp.message('OF-1', 'email', of_decision => '{"offer_needed": true}') AS needs \gset
SELECT dunning.withdraw_offer('OF-1', 'a mistake') IS NOT NULL AS withdrawn;
SELECT state, reason FROM dunning.message_state WHERE message_id = :'sms';
SELECT pg_temp.freeze(:'plain'), pg_temp.freeze(:'needs');

-- a_callers_own_name_offer_is_left_alone
SELECT count(*) FROM dunning._freeze_offers(ARRAY['OF-1'], ARRAY[pg_temp.message('OF-1', 'email', '{"offer": "free shipping"}')], ARRAY[false], ARRAY[false]);
SELECT dunning._offered_context('OF-1', '{"offer": "free shipping"}') ->> 'offer';

-- acceptance_stops_what_is_queued_in_the_same_transaction
SELECT pg_temp.message('OF-1', 'sms') AS later \gset
SELECT o.offer_id AS plan FROM dunning.make_offer('OF-1', 'instalments') o \gset
BEGIN;
SELECT stopped > 0 AS stopped FROM dunning.accept_offer('OF-1', 2);
SELECT count(*) FROM dunning.queue WHERE debtor_id = 'OF-1';
ROLLBACK;
SELECT count(*) > 0 AS still_queued FROM dunning.queue WHERE debtor_id = 'OF-1';
SELECT state FROM dunning.offers WHERE offer_id = :'plan';

-- a_call_is_told_the_offer_of_record_and_its_outcome_accepts_it
SELECT dunning._task('OF-1', 'call', 'call about F-1', pg_temp.message('OF-1', 'call'), 'Ask Kirsten Hansen. Say: something of yesterday') AS call \gset
SELECT (dunning.claim_task(:'call')).script;
SELECT FROM dunning.complete_task(:'call', 'accepted');
SELECT debtor_id FROM dunning.complete_task(:'call', 'accepted', choice => 2);
SELECT state, via, choice, agreement FROM dunning.offers WHERE offer_id = :'plan';
SELECT count(*) FROM dunning.queue WHERE debtor_id = 'OF-1';
SELECT kind FROM dunning.event WHERE debtor_id = 'OF-1' ORDER BY event_id;
SELECT state, agreement FROM jsonb_to_recordset(dunning.conversation('OF-1') -> 'offers') AS o(state text, agreement text);
SELECT dunning.conversation('OF-1') -> 'offer_of_record' AS none_is_open_now;

-- scripts_of_open_calls_follow_the_offer
SELECT dunning._task('OF-6', 'call', 'call about F-6', pg_temp.message('OF-6', 'call'), 'old') AS call \gset
SELECT o.text FROM dunning.make_offer('OF-6', 'pay_later') o;
SELECT script FROM dunning.task WHERE task_id = :'call';
SELECT debtor_id FROM dunning.complete_task(:'call', 'declined', 'cannot say');
SELECT state, via, note FROM dunning.offer WHERE debtor_id = 'OF-6' ORDER BY offer_id DESC LIMIT 1;

-- the_words_of_an_offer_are_the_creditors_own_where_there_are_some
SELECT dunning.save_offer_text('pay_later', 'en', 'Take your time until {{#options}}{{last_on | date}}{{/options}}.', 'of-c') IS NOT NULL AS saved;
SELECT o.text FROM dunning.make_offer('OF-6', 'pay_later') o;
SELECT dunning.save_offer_text('pay_later', 'en', NULL, 'of-c');

-- offers_are_made_by_operators_and_approved_by_administrators
SELECT r, has_function_privilege(r, 'dunning.make_offer(text, text, jsonb, date, boolean)', 'execute') AS make,
       has_function_privilege(r, 'dunning.approve_offer(text, uuid)', 'execute') AS approve, has_table_privilege(r, 'dunning.offers', 'select') AS look
FROM unnest(ARRAY['dunning_viewer', 'dunning_operator', 'dunning_admin', 'dunning_worker']) r;

DELETE FROM dunning.offer WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.promise WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.hold WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.task WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.event WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.queue WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.body WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.template WHERE template = 'of-note';
DELETE FROM dunning.payment WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'OF-%';
DELETE FROM dunning.creditor WHERE creditor IN ('of-c', 'of-d');
