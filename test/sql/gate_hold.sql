-- gate: holds of every reason and scope, asked of everything that must heed them.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-06-10 10:00+00';       -- a Wednesday
SELECT dunning._ensure_partitions() >= 0 AS partitions;
SELECT dunning.save_creditor('hn', 'North Hold'), dunning.save_creditor('hs', 'South Hold');
CREATE SERVER h_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
SELECT dunning.save_strategy('h-one', 'one e-mail');
SELECT count(*) FROM dunning.save_step('h-one', 'first', 1, 3, 'reminder-1', '{email}');
SELECT dunning.save_charging('hn', fees => true, interest => true, terms => '{reminder_fee}'), dunning.save_charging('hs', fees => true, interest => true, terms => '{reminder_fee}');
SELECT (dunning.set_rate('DK-lending', 3.75, '2026-01-01', '2026-12-31', 'a test')).warnings;

-- A person with accounts at two creditors (a1, a2), a person of one (b1), and somebody else at the other (c1).
CREATE FUNCTION pg_temp.book() RETURNS void LANGUAGE sql AS $$
DELETE FROM dunning.queue WHERE debtor_id LIKE 'h-%'; DELETE FROM dunning.message WHERE debtor_id LIKE 'h-%'; DELETE FROM dunning.egress WHERE debtor_id LIKE 'h-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'h-%'; DELETE FROM dunning.once WHERE debtor_id LIKE 'h-%'; DELETE FROM dunning.hold;
DELETE FROM dunning.offer WHERE debtor_id LIKE 'h-%'; DELETE FROM dunning.task WHERE debtor_id LIKE 'h-%'; DELETE FROM dunning.event WHERE debtor_id LIKE 'h-%';
DELETE FROM dunning.promise WHERE debtor_id LIKE 'h-%'; DELETE FROM dunning.body WHERE debtor_id LIKE 'h-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'h-%'; DELETE FROM dunning.invoice WHERE debtor_id LIKE 'h-%'; DELETE FROM dunning.payment WHERE debtor_id LIKE 'h-%';
INSERT INTO dunning.debtor (debtor_id, creditor, person_id, kind, name, given_name, country, time_zone, email, phone) VALUES
    ('h-a1', 'hn', 'h-P', 'person', 'Ane Lund', 'Ane', 'DK', 'Europe/Copenhagen', 'a1@example.test', '+4511111111'),
    ('h-a2', 'hs', 'h-P', 'person', 'Ane Lund', 'Ane', 'DK', 'Europe/Copenhagen', 'a2@example.test', '+4511111112'),
    ('h-b1', 'hn', NULL, 'person', 'Bo Berg', 'Bo', 'DK', 'Europe/Copenhagen', 'b1@example.test', '+4511111113'),
    ('h-c1', 'hs', NULL, 'person', 'Cy Card', 'Cy', 'DK', 'Europe/Copenhagen', 'c1@example.test', '+4511111114');
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency)
SELECT d.debtor_id, d.debtor_id || i, d.creditor, date '2026-04-10' + i, date '2026-05-10' + i, 1000 * i, 'DKK' FROM dunning.debtor d, generate_series(1, 2) i WHERE d.debtor_id LIKE 'h-%';
SELECT count(dunning.set_strategy(d, 'h-one')) FROM unnest('{h-a1,h-a2,h-b1,h-c1}'::text[]) d;
SELECT set_config('dunning.clock', '2026-06-10 10:00+00', false) $$;
CREATE FUNCTION pg_temp.gate(at timestamptz DEFAULT dunning._now()) RETURNS TABLE (debtor text, blocked_by text[]) LANGUAGE sql AS $$
SELECT g.debtor_id, g.blocked_by FROM dunning._gate('{h-a1,h-a2,h-b1,h-c1}', '{email,email,email,email}', ARRAY[at, at, at, at]) g ORDER BY g.ord $$;
CREATE FUNCTION pg_temp.planned() RETURNS TABLE (debtor text, state text, reason text, amounts jsonb) LANGUAGE sql AS $$
SELECT p.debtor_id, p.state, p.reason, p.amounts FROM dunning.plan() p WHERE p.debtor_id LIKE 'h-%' ORDER BY p.debtor_id COLLATE "C" $$;
CREATE FUNCTION pg_temp.offered(id text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dunning.make_offer(id, 'pay_later');
    RAISE EXCEPTION 'made' USING ERRCODE = 'XX001';
EXCEPTION WHEN SQLSTATE 'XX001' THEN RETURN 'may';
    WHEN OTHERS THEN RETURN 'no';
END $$;
-- All that a hold could touch, ten days after it was placed, one line an account: the gate, the last look before the first byte, whether
-- that may be spared, planning with the sum it lists, fees, days of interest, offers.
CREATE FUNCTION pg_temp.effects(why text, whose text, invoice text DEFAULT NULL, scope text DEFAULT NULL)
    RETURNS TABLE (reason text, debtor text, gate text, last_look text, spared boolean, planning text, listed text, fee text, interest_days text, offers text) LANGUAGE plpgsql AS $$
DECLARE
    ids text[] := '{h-a1,h-a2,h-b1,h-c1}';
    mails text[] := array_fill('email'::text, '{4}');
    ats timestamptz[] := array_fill('2026-06-19 10:00+00'::timestamptz, '{4}');
    looks text[];
    clears int[];
    plans jsonb;
BEGIN
    PERFORM pg_temp.book();
    IF whose IS NULL THEN
        PERFORM dunning.hold_creditor('hn', why);
    ELSE
        PERFORM dunning.hold(whose, why, invoice_id => invoice, scope => effects.scope);
    END IF;
    PERFORM set_config('dunning.clock', '2026-06-19 10:00+00', false);
    SELECT jsonb_object_agg(p.debtor_id, jsonb_build_array(coalesce(p.reason, 'goes'), p.amounts -> 'DKK')) INTO plans FROM dunning.plan('h-one', dry_run => true) p;
    INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel)
    SELECT d.debtor_id, md5(d.debtor_id)::uuid, d.creditor, 0, 'queued', dunning._now(), 'h_mail', 'email' FROM dunning.debtor d WHERE d.debtor_id LIKE 'h-%';
    EXECUTE format('SELECT array_agg(array_to_string(r.blocked_by, '' '') ORDER BY r.ord) FROM (%s) r', dunning._recheck_sql())
        INTO looks USING ids, mails, ats, NULL::text[], ARRAY(SELECT i || '@example.test' FROM unnest(ids) i);
    EXECUTE format('SELECT array_agg(c.ord) FROM (%s) c', dunning._recheck_clear_sql())
        INTO clears USING ids, mails, ats, NULL::text[], ARRAY(SELECT sha256(i::bytea) FROM unnest(ids) i), ARRAY(SELECT md5(i)::uuid FROM unnest(ids) i), array_fill(1::int2, '{4}');
    DELETE FROM dunning.queue WHERE debtor_id LIKE 'h-%';
    RETURN QUERY
        SELECT why, i.id, array_to_string(g.blocked_by, ' '), looks[i.n], i.n = ANY (coalesce(clears, '{}')), plans #>> ARRAY[i.id, '0'], plans #>> ARRAY[i.id, '1'],
               (SELECT string_agg(DISTINCT f.invoice_id || ' ' || coalesce((SELECT string_agg(b, ' ') FROM unnest(f.blocked_by) b WHERE b LIKE 'hold:%'), 'may'), ', ') FROM dunning._lawful_fees(ARRAY[i.id]) f WHERE f.level = 'reminder-1'),
               (SELECT string_agg(x.days::text, ', ' ORDER BY x.of_invoice) FROM (SELECT s.of_invoice, sum(s.span_days) FILTER (WHERE s.amount > 0) AS days FROM dunning._interest(ARRAY[i.id]) s GROUP BY 1) x),
               pg_temp.offered(i.id)
        FROM unnest(ids) WITH ORDINALITY i(id, n) JOIN dunning._gate(ids, mails, ats) g ON g.ord = i.n ORDER BY i.n;
END $$;

-- without_a_hold_everything_goes_on
SELECT pg_temp.book();
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, until_at, placed_by) VALUES ('h-a1', dunning._uuid7(), 'hn', 'manual', '2026-01-01', '2026-02-01', 'long ago');
SELECT * FROM pg_temp.gate();
SELECT * FROM pg_temp.planned();

-- each_reason_stops_whom_it_says_and_freezes_what_it_says
SELECT e.* FROM dunning.hold_reason r CROSS JOIN LATERAL pg_temp.effects(r.reason, 'h-a1') e WHERE r.by_hand AND r.builtin ORDER BY r.default_days NULLS FIRST, r.reason, e.debtor;
-- each_reason_may_be_of_one_account_alone
SELECT e.* FROM unnest('{deceased,moratorium}'::text[]) r CROSS JOIN LATERAL pg_temp.effects(r, 'h-a1', scope => 'debtor') e WHERE e.debtor IN ('h-a1', 'h-a2');
-- each_reason_may_be_of_a_person
SELECT e.* FROM unnest('{hardship,investigation,legal_representation,dispute,manual}'::text[]) r CROSS JOIN LATERAL pg_temp.effects(r, 'h-a2', scope => 'person') e WHERE e.debtor <> 'h-c1';
-- each_reason_may_be_of_one_invoice_and_then_the_others_go_on
SELECT e.* FROM unnest('{dispute,hardship,investigation,moratorium,insolvency,legal_representation,deceased,manual}'::text[]) r CROSS JOIN LATERAL pg_temp.effects(r, 'h-a1', 'h-a11') e WHERE e.debtor IN ('h-a1', 'h-a2');
-- each_reason_may_be_of_a_whole_book_and_other_books_go_on
SELECT e.* FROM unnest('{dispute,hardship,investigation,moratorium,insolvency,legal_representation,deceased,manual}'::text[]) r CROSS JOIN LATERAL pg_temp.effects(r, NULL) e;

-- an_account_that_a_person_opens_later_is_held_too
SELECT pg_temp.book();
SELECT messages_stopped FROM dunning.hold('h-a1', 'deceased');
INSERT INTO dunning.debtor (debtor_id, creditor, person_id, country, time_zone, email) VALUES ('h-a3', 'hs', 'h-P', 'DK', 'Europe/Copenhagen', 'a3@example.test');
SELECT (dunning.allowed('h-a3', 'email', '2026-06-10 11:00+00')).blocked_by;
-- and_what_one_creditor_noted_is_not_told_at_the_other
UPDATE dunning.hold SET note = 'told by the sister', contact = '{"name": "Estate"}';
SELECT h.debtor_id, h.scope, h.note, h.contact, h.placed_by IS NULL AS who_hidden FROM dunning._held_by('{h-a1,h-a3}') h ORDER BY 1;
SELECT dunning.conversation('h-a3') -> 'holds' -> 0 ->> 'note' AS note, dunning.conversation('h-a3') -> 'holds' -> 0 ->> 'scope' AS scope;
SELECT item, state, detail FROM dunning.explain('h-a3') WHERE topic = 'hold';
DELETE FROM dunning.debtor WHERE debtor_id = 'h-a3';

-- what_is_queued_is_cancelled_with_the_reason_and_planned_anew_after_the_release
SELECT pg_temp.book();
SELECT * FROM pg_temp.planned();
SELECT offer_id IS NOT NULL AS offered FROM dunning.make_offer('h-a2', 'pay_later');
SELECT hold_id AS id, messages_stopped FROM dunning.hold('h-a1', 'insolvency', note => 'letter of the court') \gset h_
SELECT :h_messages_stopped AS messages_stopped;
SELECT s.debtor_id, s.state, s.reason FROM dunning.message_state s WHERE s.debtor_id LIKE 'h-%' ORDER BY 1;
SELECT debtor_id, state, note, ended_by IS NOT NULL AS ended FROM dunning.offer WHERE debtor_id LIKE 'h-%';
SELECT debtor_id, kind, subject FROM dunning.task WHERE debtor_id LIKE 'h-%';
SELECT * FROM pg_temp.planned();
SELECT reason, messages_released FROM dunning.release(:'h_id', 'dismissed');
SELECT * FROM pg_temp.planned();

-- a_held_message_goes_on_when_its_hold_ends_and_the_gate_looks_anew
SELECT pg_temp.book();
SELECT * FROM pg_temp.planned();
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, placed_by, scope, person_id) VALUES ('h-a1', '00000000-0000-7000-8000-00000000000a', 'hn', 'deceased', dunning._now(), 'import', 'person', 'h-P');
UPDATE dunning.queue SET state = 'held', reason = 'hold:deceased', blocked_by = '{hold:deceased}' WHERE debtor_id IN ('h-a1', 'h-a2');
SELECT * FROM dunning.release('00000000-0000-7000-8000-00000000000a');
SELECT debtor_id, state, blocked_by FROM dunning.queue WHERE debtor_id LIKE 'h-a%' ORDER BY 1;

-- a_hold_that_begins_later_lets_go_what_leaves_before_it_and_nothing_after
SELECT pg_temp.book();
SELECT messages_stopped FROM dunning.hold('h-a1', 'moratorium', from_on => '2026-06-15', until => '2026-06-20');
SELECT reason, state, from_at, until_at FROM dunning.holds;
SELECT at, (dunning.allowed('h-a1', 'email', at)).blocked_by AS a1, (dunning.allowed('h-a2', 'email', at)).blocked_by AS a2
FROM unnest('{2026-06-10 10:00+00,2026-06-14 21:59:57+00,2026-06-14 21:59:59+00,2026-06-14 22:00+00,2026-06-20 21:59+00,2026-06-20 22:00+00}'::timestamptz[]) at;
SELECT dunning.contact_windows('h-a1', 'email', '2026-06-12 10:00+00', '2026-06-22 10:00+00');
SELECT contact_at < '2026-06-14 22:00+00' AS before_it FROM dunning.best_time('h-a2', 'email', not_after => '2026-06-19 10:00+00');
SELECT contact_at IS NULL AS none_within FROM dunning.best_time('h-a2', 'email', '2026-06-14 20:00+00', '2026-06-19 10:00+00');
SELECT * FROM pg_temp.planned();
SELECT item, state FROM dunning.explain('h-a1') WHERE topic = 'hold';
UPDATE dunning.queue SET due = '2026-06-16 10:00+00' WHERE debtor_id LIKE 'h-a%';
SET dunning.clock = '2026-06-16 10:00+00';
SELECT debtor, blocked_by FROM pg_temp.gate() WHERE debtor LIKE 'h-a%';
SELECT item, rows FROM dunning.maintain() WHERE item = 'holds refreshed';
SELECT s.debtor_id, s.state, s.reason FROM dunning.message_state s WHERE s.debtor_id LIKE 'h-a%' ORDER BY 1;
SELECT reason, state FROM dunning.holds;
SET dunning.clock = '2026-06-21 10:00+00';
SELECT reason, state FROM dunning.holds;
SELECT * FROM pg_temp.planned();

-- a_hold_of_one_invoice_that_begins_later_holds_what_was_planned_with_it_until_it_is_planned_without
SELECT pg_temp.book();
SELECT messages_stopped FROM dunning.hold('h-a1', 'dispute', invoice_id => 'h-a11', from_on => '2026-06-15');
SELECT * FROM pg_temp.planned() WHERE debtor = 'h-a1';
UPDATE dunning.queue SET due = '2026-06-16 10:00+00' WHERE debtor_id = 'h-a1';
SET dunning.clock = '2026-06-16 10:00+00';
SELECT * FROM pg_temp.gate() WHERE debtor = 'h-a1';
SELECT * FROM pg_temp.planned() WHERE debtor = 'h-a1';
SELECT s.state, s.reason FROM dunning.message_state s WHERE s.debtor_id = 'h-a1' ORDER BY s.message_id;
SELECT * FROM pg_temp.gate() WHERE debtor = 'h-a1';

-- what_a_run_has_computed_with_an_invoice_that_is_held_since_is_left_to_the_next_run
SELECT pg_temp.book();
BEGIN;
CREATE TEMP TABLE dunning_plan_row AS SELECT d AS debtor_id, dunning._uuid7() AS message_id FROM unnest('{h-a1,h-a2,h-b1}'::text[]) d;
CREATE TEMP TABLE dunning_plan_item AS SELECT i.debtor_id, i.invoice_id, CASE WHEN i.invoice_id = 'h-b12' THEN 'hold:dispute' END AS left_out FROM dunning.invoice i WHERE i.debtor_id LIKE 'h-%';
GRANT ALL ON dunning_plan_row, dunning_plan_item TO dunning_owner;
SELECT messages_stopped FROM dunning.hold('h-a1', 'dispute', invoice_id => 'h-a11');
SELECT messages_stopped FROM dunning.hold('h-a2', 'dispute', invoice_id => 'h-a21', from_on => '2026-06-15');
SELECT messages_stopped FROM dunning.hold('h-b1', 'dispute', invoice_id => 'h-b12');
SELECT dunning._drop_held_rows() AS left_to_the_next;
SELECT debtor_id FROM dunning_plan_row ORDER BY 1;
ROLLBACK;

-- a_hold_that_was_released_before_it_began_never_holds
SELECT pg_temp.book();
SELECT hold_id AS id FROM dunning.hold('h-a1', 'manual', from_on => '2026-06-15') \gset h_
SELECT reason FROM dunning.release(:'h_id');
SET dunning.clock = '2026-06-16 10:00+00';
SELECT * FROM pg_temp.gate() WHERE debtor = 'h-a1';
SELECT count(*) AS began FROM dunning._refresh_holds();

-- an_offer_that_asks_for_more_than_is_still_asked_for_is_withdrawn_and_another_may_be_made
SELECT pg_temp.book();
SELECT offer_id IS NOT NULL AS offered FROM dunning.make_offer('h-b1', 'pay_later');
SELECT messages_stopped FROM dunning.hold('h-b1', 'dispute', invoice_id => 'h-b12');
SELECT state, amount, note FROM dunning.offer WHERE debtor_id = 'h-b1';
SELECT o.text LIKE '%1,000%' AS of_the_other FROM dunning.make_offer('h-b1', 'pay_later') o;

-- send_refuses_where_all_that_could_be_asked_for_is_held_by_itself
SELECT state, blocked_by FROM dunning.send('h-b1', 'reminder-1', 'email', dry_run => true);
SELECT messages_stopped FROM dunning.hold('h-b1', 'investigation', invoice_id => 'h-b11');
SELECT state, blocked_by FROM dunning.send('h-b1', 'reminder-1', 'email', dry_run => true);

-- a_hold_of_the_past_stops_interest_from_its_day
SELECT pg_temp.book();
SELECT sum(span_days) FILTER (WHERE amount > 0) AS days FROM dunning._interest('{h-b1}') WHERE of_invoice = 'h-b11';
SELECT messages_stopped FROM dunning.hold('h-b1', 'moratorium', from_on => '2026-05-31');
SELECT sum(span_days) FILTER (WHERE amount > 0) AS days FROM dunning._interest('{h-b1}') WHERE of_invoice = 'h-b11';
SELECT from_at, until_at, placed_at FROM dunning.holds;

-- with_a_representative_on_record_a_person_deals_with_him_and_nothing_goes_to_the_debtor
SELECT pg_temp.book();
SELECT messages_stopped FROM dunning.hold('h-b1', 'legal_representation', contact => '{"name": "Advokat Lund", "phone": "+4533445566", "email": "lund@law.test"}');
SELECT kind, subject, script FROM dunning.task WHERE debtor_id = 'h-b1';
SELECT dunning.conversation('h-b1') -> 'holds' -> 0 -> 'contact' AS talk_to;
SELECT c, (dunning.allowed('h-b1', c, dunning._now())).blocked_by FROM unnest('{email,sms,letter,call,visit}'::text[]) c;

-- only_an_administrator_releases_what_protects_by_law_and_nobody_what_a_handover_placed
SELECT pg_temp.book();
CREATE ROLE h_operator LOGIN; GRANT dunning_operator TO h_operator;
SET SESSION AUTHORIZATION h_operator;
SELECT hold_id AS dead FROM dunning.hold('h-a1', 'deceased') \gset h_
SELECT hold_id AS hard FROM dunning.hold('h-b1', 'hardship') \gset h_
SELECT hold_id AS book FROM dunning.hold_creditor('hs', 'manual') \gset h_
\set VERBOSITY terse
SELECT * FROM dunning.release(:'h_dead');
SELECT * FROM dunning.release(:'h_book');
SELECT * FROM dunning.release(:'h_hard', 'found work');
SELECT dunning.save_hold_reason('own', 'x');
SELECT note FROM dunning.holds;
RESET SESSION AUTHORIZATION;
SELECT debtor_id, reason FROM dunning.release(:'h_dead');
SELECT debtor_id, reason FROM dunning.release(:'h_book');
\set VERBOSITY default
SELECT debtor_id, scope, reason, state, placed_by, released_by = 'h_operator' AS by_operator FROM dunning.holds ORDER BY hold_id;
DROP OWNED BY h_operator; DROP ROLE h_operator;

-- history_is_never_lost
SELECT debtor_id, reason, release_note, placed_at IS NOT NULL AS placed, released_at IS NOT NULL AS released FROM dunning.hold ORDER BY hold_id;

-- a_house_has_reasons_of_its_own_and_may_say_what_a_shipped_one_means
SELECT dunning.save_hold_reason('strike', 'the post does not run', default_days => 14) AS new;
SELECT messages_stopped FROM dunning.hold('h-b1', 'strike');
SELECT reason, until_at FROM dunning.holds WHERE reason = 'strike';
SELECT dunning.save_hold_reason('hardship', 'our way', scope => 'person', default_days => 90, offers => false, released_by => 'admin') AS new;
SELECT messages_stopped FROM dunning.hold('h-a2', 'hardship');
SELECT reason, scope, until_at FROM dunning.holds WHERE reason = 'hardship' AND state = 'in force';
SELECT pg_temp.offered('h-a2'), pg_temp.offered('h-a1');
SELECT dunning.reset_hold_reason('hardship'), dunning.reset_hold_reason('strike'), dunning.reset_hold_reason('strike') AS again;
SELECT kind, key, before ->> 'default_days' AS before, after ->> 'default_days' AS after FROM dunning.rule_change WHERE kind = 'hold_reason' ORDER BY changed_at, key, after::text;

-- what_makes_no_sense_is_refused_with_the_way_out
SELECT * FROM dunning.hold('h-b1', 'insolvancy');
SELECT * FROM dunning.hold('h-b1', 'written_off');
SELECT * FROM dunning.hold('h-b1', 'manual', scope => 'creditor');
SELECT * FROM dunning.hold('h-b1', 'manual', scope => 'invoice');
SELECT * FROM dunning.hold('h-b1', 'manual', scope => 'person', invoice_id => 'h-b11');
SELECT * FROM dunning.hold('h-b1', 'manual', from_on => 'infinity');
SELECT * FROM dunning.hold('h-b1', 'manual', from_on => '2026-06-20', until => '2026-06-15');
SELECT * FROM dunning.hold('h-b1', 'moratorium', from_on => '2026-01-01');
SELECT * FROM dunning.hold('h-b1', 'legal_representation', contact => '{"phone": "1"}');
SELECT * FROM dunning.hold_creditor('nobody', 'manual');
SELECT * FROM dunning.hold_creditor('hn', 'nonsense');
SELECT dunning.save_hold_reason('Bad', 'x');
SELECT dunning.save_hold_reason('bad', 'x', default_days => 0);
SELECT dunning.save_hold_reason('promise', 'x');

SELECT pg_temp.book();
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'h-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'h-%';
DELETE FROM dunning.debtor_strategy WHERE debtor_id LIKE 'h-%';
DELETE FROM dunning.rule_change;
DELETE FROM dunning.charging WHERE creditor IN ('hn', 'hs');
DELETE FROM dunning.charge_change;
DELETE FROM dunning.reference_rate WHERE NOT builtin;
DELETE FROM dunning.creditor WHERE creditor IN ('hn', 'hs');
DELETE FROM dunning.creditor_change;
DELETE FROM dunning.step WHERE strategy = 'h-one';
DELETE FROM dunning.strategy WHERE strategy = 'h-one';
DELETE FROM dunning.plan_change;
DROP SERVER h_mail;
RESET dunning.clock;
RESET dunning.timezone;
