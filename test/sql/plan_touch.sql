-- plan: the treatments, each as somebody would order it, and what it does to one debtor.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-03-10 09:00+00';      -- a Tuesday
CREATE SERVER t_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER t_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER t_letter TYPE 'letter' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER t_calls TYPE 'call' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');
CREATE SERVER t_visits TYPE 'visit' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'task');

CREATE FUNCTION pg_temp.t_debtor(id text, segment text DEFAULT 'other', diagnosis text DEFAULT NULL, p_late float8 DEFAULT 0.2, p_self_cure float8 DEFAULT 0.2,
    email boolean DEFAULT true, phone boolean DEFAULT true, p float8 DEFAULT 0.5) RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.debtor (debtor_id, name, given_name, country, time_zone, language, email, phone, address)
VALUES (id, 'Debtor ' || id, id, 'DK', 'Europe/Copenhagen', 'da', CASE WHEN email THEN id || '@example.test' END,
    CASE WHEN phone THEN '+4520' || lpad((abs(hashtext(id)) % 1000000)::text, 6, '0') END, '{"street": "Havnegade 1", "postcode": "5000", "city": "Odense", "country": "DK"}');
INSERT INTO dunning.score_result VALUES (id, 'default', segment, diagnosis, p, p_late, p_self_cure, '{}', '{}', dunning._now(), dunning._now()) $$;
CREATE FUNCTION pg_temp.t_owes(id text, days int, amount numeric DEFAULT 100, currency text DEFAULT 'EUR', invoice text DEFAULT NULL, disputed boolean DEFAULT false)
RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, disputed)
VALUES (id, coalesce(invoice, id || '-' || currency || days), dunning._today(NULL) - days - 30, dunning._today(NULL) - days, amount, currency, disputed) $$;
CREATE FUNCTION pg_temp.t_pays(id text, amount numeric, at timestamptz, invoice text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency, invoice_id) VALUES (id, id || at, at, amount, 'EUR', invoice) $$;
-- What the worker does with everything in the queue: an intent, then `sent`.
CREATE FUNCTION pg_temp.t_deliver() RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.egress SELECT m.message_id, 1, m.debtor_id, m.creditor, m.channel, m.server, '\x00', '{}', '\x00', 1, 'test', false, m.cost, 'EUR', now(), dunning._now(),
    dunning._slice(m.debtor_id), 1, '\x00', '\x00' FROM dunning.message m JOIN dunning.queue q USING (debtor_id, message_id) WHERE m.debtor_id LIKE 't-%' AND q.state = 'queued';
SELECT count(*) FROM (SELECT array_agg(debtor_id) d, array_agg(message_id) m, count(*)::int n FROM dunning.queue WHERE debtor_id LIKE 't-%' AND state = 'queued') q,
    LATERAL dunning._settle(d, m, array_fill(1::smallint, ARRAY[n]), array_fill('sent'::text, ARRAY[n]), array_fill('test'::text, ARRAY[n]),
        array_fill(NULL::text, ARRAY[n]), array_fill(NULL::jsonb, ARRAY[n]), array_fill(NULL::timestamptz, ARRAY[n])) WHERE n > 0 $$;
CREATE FUNCTION pg_temp.t_plan(strategy text, who text DEFAULT 't-%', dry_run boolean DEFAULT false)
    RETURNS TABLE (debtor text, step text, template text, channel text, state text, reason text) LANGUAGE sql AS $$
SELECT p.debtor_id, p.step, p.template, p.channel, p.state, p.reason FROM dunning.plan(t_plan.strategy, dry_run => t_plan.dry_run) p WHERE p.debtor_id LIKE t_plan.who ORDER BY p.debtor_id COLLATE "C" $$;
CREATE FUNCTION pg_temp.t_contacts(who text DEFAULT 't-%') RETURNS TABLE (debtor text, n7 int, n30 int, unanswered int) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE 'SELECT c.debtor_id::text, c.n7, c.n30, c.unanswered FROM (' || dunning._contact_sql('$1', '$2', true) || ') c WHERE c.debtor_id LIKE $3 ORDER BY 1'
        USING ARRAY(SELECT d.debtor_id FROM dunning.debtor d WHERE d.debtor_id LIKE who), dunning._now(), who;
END $$;
-- Takes everything of these debtors away.
CREATE FUNCTION pg_temp.t_clear(who text DEFAULT 't-%') RETURNS void LANGUAGE sql AS $$
DELETE FROM dunning.queue WHERE debtor_id LIKE who; DELETE FROM dunning.message WHERE debtor_id LIKE who; DELETE FROM dunning.egress WHERE debtor_id LIKE who;
DELETE FROM dunning.outcome WHERE debtor_id LIKE who; DELETE FROM dunning.once WHERE debtor_id LIKE who; DELETE FROM dunning.hold WHERE debtor_id LIKE who;
DELETE FROM dunning.debtor WHERE debtor_id LIKE who; DELETE FROM dunning.invoice WHERE debtor_id LIKE who; DELETE FROM dunning.payment WHERE debtor_id LIKE who;
DELETE FROM dunning.score_result WHERE debtor_id LIKE who; DELETE FROM dunning.event WHERE debtor_id LIKE who; DELETE FROM dunning.promise WHERE debtor_id LIKE who;
DELETE FROM dunning.timing_profile WHERE debtor_id LIKE who; DELETE FROM dunning.task WHERE debtor_id LIKE who; DELETE FROM dunning.debtor_strategy WHERE debtor_id LIKE who $$;

-- a_pre_due_reminder_goes_to_habitual_late_payers_alone
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-late', segment => 'habitual_late', p_late => 0.9, p_self_cure => 0.3), pg_temp.t_owes('t-late', -3), pg_temp.t_debtor('t-score', p_late => 0.6), pg_temp.t_owes('t-score', -2),
    pg_temp.t_debtor('t-prompt', segment => 'prompt'), pg_temp.t_owes('t-prompt', -3), pg_temp.t_debtor('t-curer', segment => 'habitual_late', p_late => 0.9, p_self_cure => 0.6), pg_temp.t_owes('t-curer', -3)) x;
SELECT * FROM pg_temp.t_plan('consumer');
SELECT pg_temp.t_clear();

-- self_curers_are_left_alone_in_the_first_week_and_then_get_what_costs_nothing
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-cure6', p_self_cure => 0.8), pg_temp.t_owes('t-cure6', 6), pg_temp.t_debtor('t-cure8', p_self_cure => 0.8), pg_temp.t_owes('t-cure8', 8),
    pg_temp.t_debtor('t-cure8phone', p_self_cure => 0.8, email => false), pg_temp.t_owes('t-cure8phone', 8), pg_temp.t_debtor('t-other6'), pg_temp.t_owes('t-other6', 6)) x;
SELECT debtor, step, channel, state, reason FROM pg_temp.t_plan('consumer');
SELECT pg_temp.t_clear();

-- the_day_before_a_fee_a_loss_framed_sms_goes_out_and_on_no_other_day
BEGIN;
SELECT dunning.save_charging('default', fees => true);
SELECT count(*) FROM (SELECT dunning.save_charge_rule(c, 'person', 'reminder-2', 'EUR', 13.50, '2026-01-01', after_due_days => n, source => 'for the test') FROM (VALUES ('FI', 5), ('IE', 4), ('AT', 6)) r(c, n)) x;
SELECT count(*) FROM (SELECT pg_temp.t_debtor(d), pg_temp.t_owes(d, 4) FROM unnest('{t-fee,t-today,t-later,t-none}'::text[]) d) x;
UPDATE dunning.debtor SET kind = 'person', country = CASE debtor_id WHEN 't-fee' THEN 'FI' WHEN 't-today' THEN 'IE' WHEN 't-later' THEN 'AT' ELSE 'DK' END WHERE debtor_id LIKE 't-%';
SELECT * FROM pg_temp.t_plan('consumer');
SELECT variant, context->'fee' AS fee, not_after AT TIME ZONE 'Europe/Copenhagen' AS until, decision->>'counted_from' AS counted_from, decision->>'anchor' AS anchor
FROM dunning.message WHERE debtor_id = 't-fee';
-- the ladder goes on: the warning closes no step
SELECT key FROM dunning.once WHERE debtor_id = 't-fee' ORDER BY 1;
SELECT pg_temp.t_deliver();
SET LOCAL dunning.clock = '2026-03-18 09:00+00';
SELECT debtor, step FROM pg_temp.t_plan('consumer', 't-fee');
ROLLBACK;

-- a_formal_notice_goes_by_letter_with_an_sms_beside_it_and_both_count_as_one_contact
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-formal'), pg_temp.t_owes('t-formal', 26, 900), pg_temp.t_debtor('t-deaf', phone => false), pg_temp.t_owes('t-deaf', 26, 900)) x;
SELECT debtor, step FROM pg_temp.t_plan('consumer');
SELECT pg_temp.t_deliver();
SET dunning.clock = '2026-03-17 09:00+00';
SELECT * FROM pg_temp.t_plan('consumer');
SELECT m.debtor_id, m.template, m.channel, m.cost, m.decision ? 'companion_of' AS companion, dunning._touch(m.message_id) = dunning._touch(coalesce((m.decision->>'companion_of')::uuid, m.message_id)) AS one_touch
FROM dunning.message m WHERE m.step = 'final-notice' AND m.debtor_id LIKE 't-%' ORDER BY 1, 3;
SELECT pg_temp.t_deliver();
SELECT * FROM pg_temp.t_contacts();
-- for the gate too: the companion may follow its message at once, another SMS may not
SELECT CASE WHEN m.id = dunning._companion_id(l.message_id) THEN 'companion' ELSE 'another' END AS sms, g.blocked_by
FROM dunning.message l, LATERAL (VALUES (dunning._companion_id(l.message_id)), (dunning._uuid7())) m(id),
    LATERAL dunning._gate(ARRAY['t-formal'], ARRAY['sms'], ARRAY[dunning._now() + interval '1 hour'], NULL, ARRAY[m.id]) g
WHERE l.debtor_id = 't-formal' AND l.channel = 'letter' ORDER BY 1;
SELECT pg_temp.t_clear();
SET dunning.clock = '2026-03-10 09:00+00';

-- who_waits_for_payday_is_written_to_the_day_after_it_and_not_before: paid on the 25th, it is the 10th
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-payday', diagnosis => 'waiting_for_payday'), pg_temp.t_owes('t-payday', 6)) x;
INSERT INTO dunning.timing_profile (debtor_id, creditor, contacts, responses, payments, as_of)
SELECT 't-payday', 'default', 0, 0, array_agg(d ORDER BY d DESC), dunning._now() FROM unnest('{2025-03-25,2025-04-25,2025-05-25,2025-06-25,2025-07-25,2025-08-25,2025-09-25,2025-10-25,2025-11-25}'::date[]) d;
SELECT y.schedule, round(y.probability::numeric, 1) > 0.5 AS sure, y.last_on, y.next_on FROM dunning.timing_profile p, dunning._payday_around('DK', p.payments, '2026-03-10') y WHERE p.debtor_id = 't-payday';
SELECT * FROM pg_temp.t_plan('subscription');
SET dunning.clock = '2026-03-25 09:00+00';
SELECT * FROM pg_temp.t_plan('subscription', dry_run => true);
SET dunning.clock = '2026-03-26 09:00+00';
SELECT debtor, step, template, state FROM pg_temp.t_plan('subscription');
SELECT pg_temp.t_clear();
SET dunning.clock = '2026-03-10 09:00+00';

-- who_cannot_pay_gets_a_plan_offer_in_a_soft_tone_and_no_call
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-cannot', diagnosis => 'cannot_pay', segment => 'stretched'), pg_temp.t_owes('t-cannot', 16, 900), pg_temp.t_debtor('t-can'), pg_temp.t_owes('t-can', 16, 900)) x;
SELECT debtor, step, template FROM pg_temp.t_plan('consumer');
SELECT decision->>'tone' AS tone, decision->>'offer' AS offer, context->>'tone' AS said FROM dunning.message WHERE debtor_id = 't-cannot';
-- and it is made again three weeks later, not sooner, and the ladder does not go past it
SELECT pg_temp.t_deliver();
SET dunning.clock = '2026-03-25 09:00+00';
SELECT debtor, step FROM pg_temp.t_plan('consumer', 't-cannot');
SET dunning.clock = '2026-04-07 09:00+00';
SELECT debtor, step FROM pg_temp.t_plan('consumer', 't-cannot');
SELECT key FROM dunning.once WHERE debtor_id = 't-cannot' ORDER BY 1;
SELECT pg_temp.t_clear();
SET dunning.clock = '2026-03-10 09:00+00';

-- before_a_hearing_there_is_a_reminder_that_names_it_and_none_when_it_is_called_off
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-court'), pg_temp.t_owes('t-court', 2), pg_temp.t_debtor('t-off'), pg_temp.t_owes('t-off', 2)) x;
SELECT recorded FROM dunning.record_event('hearing', 't-court', detail => '{"on": "2026-03-12", "time": "10:30", "place": "Room 4"}');
SELECT recorded FROM dunning.record_event('hearing', 't-off', at => '2026-03-09 10:00+00', detail => '{"on": "2026-03-12"}');
SELECT recorded FROM dunning.record_event('hearing', 't-off', detail => '{"cancelled": true}');
SELECT * FROM pg_temp.t_plan('standard');
SELECT context->'hearing' AS hearing, not_after AT TIME ZONE 'Europe/Copenhagen' AS until FROM dunning.message WHERE debtor_id = 't-court';
SELECT dunning.record_event('hearing', 't-court', detail => '{"on": "soon"}');
SELECT pg_temp.t_clear();

-- a_warning_wanted_on_a_day_on_which_nothing_may_go_is_sent_before_it: SMS is shut on Saturday afternoons and Sundays, and the hearing is on the Monday
SELECT dunning.save_strategy('t-court', 'the day before a hearing, by SMS');
SELECT means FROM dunning.save_step('t-court', 'later', 2, 40, 'reminder-1', '{email}');
SELECT means FROM dunning.save_step('t-court', 'tomorrow', 1, -1, 'hearing', '{sms}', anchor => 'hearing');
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-monday'), pg_temp.t_owes('t-monday', 2), pg_temp.t_debtor('t-tuesday'), pg_temp.t_owes('t-tuesday', 2),
                      pg_temp.t_debtor('t-held'), pg_temp.t_owes('t-held', 2)) x;
SELECT recorded FROM dunning.record_event('hearing', 't-monday', detail => '{"on": "2026-03-16", "time": "10:30", "place": "Room 4"}');
SELECT recorded FROM dunning.record_event('hearing', 't-tuesday', detail => '{"on": "2026-03-17", "time": "10:30", "place": "Room 4"}');
-- who is held on the Sunday is not written to on the Saturday because of it
SELECT recorded FROM dunning.record_event('hearing', 't-held', detail => '{"on": "2026-03-16", "time": "10:30", "place": "Room 4"}');
SELECT messages_stopped FROM dunning.hold('t-held', 'dispute', until => '2026-03-15', from_on => '2026-03-15');
SET dunning.clock = '2026-03-13 09:00+00';
SELECT debtor, step, state FROM pg_temp.t_plan('t-court', dry_run => true);
-- on the Saturday after its last hour nothing can be mended any more
SET dunning.clock = '2026-03-14 19:00+00';
SELECT debtor, step, state FROM pg_temp.t_plan('t-court', dry_run => true);
SET dunning.clock = '2026-03-14 09:00+00';
SELECT debtor, step, state FROM pg_temp.t_plan('t-court');
SELECT local_time, decision -> 'timing' -> 'deadline_compromised' AS too_early, decision -> 'timing' -> 'wanted_from' AS wanted FROM dunning.message WHERE debtor_id = 't-monday';
SET dunning.clock = '2026-03-15 09:00+00';
SELECT debtor, step, state FROM pg_temp.t_plan('t-court');
SET dunning.clock = '2026-03-16 09:00+00';
SELECT debtor, step, state FROM pg_temp.t_plan('t-court');
SELECT local_time, decision -> 'timing' ? 'deadline_compromised' AS too_early FROM dunning.message WHERE debtor_id = 't-tuesday';
SELECT pg_temp.t_clear();
SET dunning.clock = '2026-03-10 09:00+00';

-- a_broken_promise_is_spoken_of_the_day_after
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-word'), pg_temp.t_owes('t-word', 12), pg_temp.t_debtor('t-kept'), pg_temp.t_owes('t-kept', 12)) x;
SELECT count(*) FROM (SELECT dunning.promise('t-word', 50, 'EUR', '2026-03-12'), dunning.promise('t-kept', 50, 'EUR', '2026-03-12')) x;
SELECT pg_temp.t_pays('t-kept', 50, '2026-03-11 12:00+00');
SET dunning.clock = '2026-03-18 09:00+00';
SELECT * FROM dunning._check_promises();
SELECT debtor, step, template FROM pg_temp.t_plan('standard');
SELECT pg_temp.t_clear();
SET dunning.clock = '2026-03-10 09:00+00';

-- a_letter_need_not_look_like_a_bill: its envelope and a personal note stand in the decision and the context that the printer reads
SELECT dunning.save_strategy('t-letters', 'Letters only', choose => 'value');
SELECT * FROM dunning.save_step('t-letters', 'letter', 1, 10, 'reminder-2', '{letter}', print => '{"envelope": "handwritten", "window": false, "note": "Just call me. Mette"}', must => true);
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-note'), pg_temp.t_owes('t-note', 12)) x;
SELECT * FROM pg_temp.t_plan('t-letters');
SELECT context->>'note' AS note, context->'print' AS print, decision->'print' AS decided FROM dunning.message WHERE debtor_id = 't-note';
SELECT pg_temp.t_clear();

-- calls_and_visits_become_tasks_with_a_script: a channel of people, a template of its own
SELECT dunning.save_strategy('t-people', 'A call, then a visit', margin => 1);
SELECT * FROM dunning.save_step('t-people', 'call', 1, 5, 'call', '{call}');
SELECT * FROM dunning.save_step('t-people', 'visit', 2, 20, 'visit', '{visit}');
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-call'), pg_temp.t_owes('t-call', 6, 900), pg_temp.t_debtor('t-visit'), pg_temp.t_owes('t-visit', 21, 900)) x;
SELECT * FROM pg_temp.t_plan('t-people');
SELECT m.debtor_id, m.server, m.cost, left((SELECT r.body_text FROM dunning.render(m.template, m.context, 'en', m.channel) r), 30) AS script FROM dunning.message m WHERE m.debtor_id LIKE 't-%' ORDER BY 1;
SELECT pg_temp.t_clear();

-- a_year_of_calls_with_nothing_to_show_ends: after so many contacts without payment or reaction nothing more, or one last step; an answer begins anew
SELECT dunning.save_strategy('t-year', 'Weekly', min_gap_days => 1);
SELECT * FROM dunning.save_step('t-year', 'first', 1, 1, 'reminder-1', '{email}', repeat_days => 7);
SELECT * FROM dunning.save_step('t-year', 'last-word', 2, 0, 'final-notice', '{letter}', must => true);
SELECT dunning.save_strategy('t-year', 'Weekly, and four unanswered are enough', min_gap_days => 1, stop_after => 4, stop_step => 'last-word');
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-silent'), pg_temp.t_owes('t-silent', 1), pg_temp.t_debtor('t-answers'), pg_temp.t_owes('t-answers', 1)) x;
CREATE FUNCTION pg_temp.t_weeks(strategy text, until_day date, every int) RETURNS TABLE (day date, debtor text, step text, reason text) LANGUAGE plpgsql AS $$
BEGIN
    FOR day IN SELECT d::date FROM generate_series(dunning._today(NULL), until_day, make_interval(days => every)) d LOOP
        PERFORM set_config('dunning.clock', day || ' 09:00+00', false);
        FOR debtor, step, reason IN SELECT p.debtor, p.step, p.reason FROM pg_temp.t_plan(strategy) p LOOP RETURN NEXT; END LOOP;
        PERFORM pg_temp.t_deliver();
        IF day = '2026-03-24' AND strategy = 't-year' THEN
            PERFORM dunning.record_event('clicked', 't-answers', detail => '{"machine": false}');
        END IF;
    END LOOP;
END $$;
SELECT * FROM pg_temp.t_weeks('t-year', '2026-05-12', 7);
SELECT * FROM pg_temp.t_contacts();
SELECT pg_temp.t_clear();
SET dunning.clock = '2026-03-10 09:00+00';

-- frequency_is_a_matter_of_the_segment: often and casual for one, rarely for the other
SELECT dunning.save_strategy('t-often', 'Often and short', min_gap_days => 1);
SELECT * FROM dunning.save_step('t-often', 'first', 1, 1, 'reminder-1', '{sms}', repeat_days => 3, repeat_max => 4, tone => 'friendly');
SELECT dunning.save_strategy('t-rare', 'Rarely and formal', min_gap_days => 14);
SELECT * FROM dunning.save_step('t-rare', 'first', 1, 1, 'reminder-1', '{email}', repeat_days => 14, repeat_max => 4, tone => 'formal');
SELECT dunning.assign_strategy('t-often', 't-often', segment => 'new'), dunning.assign_strategy('t-rare', 't-rare', segment => 'silent');
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-new', segment => 'new'), pg_temp.t_owes('t-new', 1), pg_temp.t_debtor('t-old', segment => 'silent'), pg_temp.t_owes('t-old', 1)) x;
SELECT debtor, count(*), min(day), max(day) FROM pg_temp.t_weeks(NULL, '2026-04-10', 1) WHERE reason IS NULL GROUP BY 1 ORDER BY 1;
SELECT pg_temp.t_clear();
SET dunning.clock = '2026-03-10 09:00+00';

-- what_a_segment_asks_for_holds_where_neither_the_debtor_nor_the_step_says_otherwise
SELECT dunning.save_strategy('t-open', 'The step leaves open how', min_gap_days => 7, horizon => '1 day');
SELECT * FROM dunning.save_step('t-open', 'first', 1, 1, 'reminder-1', '{email,sms}', repeat_days => 1, repeat_max => 9);
SELECT dunning.save_strategy('t-shut', 'The step says how', min_gap_days => 7, horizon => '1 day');
SELECT * FROM dunning.save_step('t-shut', 'first', 1, 1, 'reminder-1', '{email,sms}', repeat_days => 1, repeat_max => 9, tone => 'formal', framing => 'loss_aversion', cooldown_days => 7);
SELECT dunning.set_treatment('silent', channel => 'sms', tone => 'friendly', framing => 'empathy', gap_days => 2), dunning.set_treatment('other', channel => 'letter', gap_days => 30);
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-often', segment => 'silent'), pg_temp.t_owes('t-often', 1), pg_temp.t_debtor('t-plain', segment => 'new'), pg_temp.t_owes('t-plain', 1),
    pg_temp.t_debtor('t-own', segment => 'silent'), pg_temp.t_owes('t-own', 1), pg_temp.t_debtor('t-told', segment => 'silent'), pg_temp.t_owes('t-told', 1),
    pg_temp.t_debtor('t-other'), pg_temp.t_owes('t-other', 1)) x;
UPDATE dunning.debtor SET preferred_channel = 'email' WHERE debtor_id = 't-own';
SELECT dunning.set_strategy(debtor_id, CASE debtor_id WHEN 't-told' THEN 't-shut' ELSE 't-open' END) FROM dunning.debtor WHERE debtor_id LIKE 't-%' ORDER BY debtor_id \g /dev/null
SELECT debtor, channel FROM pg_temp.t_plan(NULL, dry_run => true);
SELECT debtor, channel FROM pg_temp.t_plan(NULL);
SELECT m.debtor_id, m.channel, m.context ->> 'tone' AS tone, m.decision ->> 'tone' AS decided, m.variant, m.decision -> 'by_segment' AS by_segment FROM dunning.message m WHERE m.debtor_id LIKE 't-%' ORDER BY 1;
SELECT item, state, detail FROM dunning.explain('t-often') WHERE topic = 'score' AND item IN ('segment', 'treatment');
SELECT count(*) AS of_a_segment_without FROM dunning.explain('t-plain') WHERE item = 'treatment';
SELECT count(*) FROM (SELECT pg_temp.t_deliver()) x;
-- the next contact: after two days where the segment says so and the step does not
SET dunning.clock = '2026-03-12 10:00+00';
SELECT debtor, state, reason FROM pg_temp.t_plan(NULL);
SET dunning.clock = '2026-03-17 10:00+00';
SELECT debtor, state, reason FROM pg_temp.t_plan(NULL);
SELECT dunning.set_treatment('silent'), dunning.set_treatment('other'), dunning.set_treatment('new');
SELECT pg_temp.t_clear();
SET dunning.clock = '2026-03-10 09:00+00';

-- a_treatment_that_nobody_can_follow_is_refused
SELECT dunning.set_treatment('rich', channel => 'sms');
SELECT dunning.set_treatment('silent', channel => 'pigeon');
SELECT dunning.set_treatment('silent', tone => 'rude');
SELECT dunning.set_treatment('silent', framing => 'fear');
SELECT dunning.set_treatment('silent', gap_days => -1);
SELECT dunning.set_treatment(NULL);
SELECT count(*) AS left_over FROM dunning.segment_treatment;

-- at_most_so_many_contacts_in_so_many_days
SELECT dunning.save_strategy('t-few', 'Two in ten days', min_gap_days => 1, max_contacts => 2, max_days => 10);
SELECT * FROM dunning.save_step('t-few', 'first', 1, 1, 'reminder-1', '{email}', repeat_days => 2);
SELECT count(*) FROM (SELECT pg_temp.t_debtor('t-few'), pg_temp.t_owes('t-few', 1)) x;
SELECT * FROM pg_temp.t_weeks('t-few', '2026-03-24', 1);
SELECT pg_temp.t_clear();
SET dunning.clock = '2026-03-10 09:00+00';

DELETE FROM dunning.strategy_rule WHERE NOT builtin;
DELETE FROM dunning.step WHERE NOT builtin;
DELETE FROM dunning.strategy WHERE NOT builtin;
DELETE FROM dunning.plan_run;
DELETE FROM dunning.plan_change;
DROP SERVER t_mail;
DROP SERVER t_text;
DROP SERVER t_letter;
DROP SERVER t_calls;
DROP SERVER t_visits;
