-- gate: the only answer to "may I contact this debtor, on this channel, now?"
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-06-10 10:00+00';       -- a Wednesday

INSERT INTO dunning.debtor (debtor_id, creditor, person_id, kind, name, country, region, time_zone, email, phone, address, consent) VALUES
 ('G-1', 'north', 'P-1', 'person', 'Kirsten Hansen', 'DK', NULL, 'Europe/Copenhagen', 'kirsten@example.com', '+45 12 34 56 78', '{"street": "Havnegade 1", "city": "Aarhus"}', NULL),
 ('G-2', 'south', 'P-1', 'person', 'K. Hansen', 'DK', NULL, 'Europe/Copenhagen', 'Kirsten@Example.com', '004512345678', NULL, NULL),
 ('G-3', 'north', NULL, 'person', 'Nobody', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 ('G-4', 'north', NULL, 'person', 'Consent', 'DK', NULL, NULL, 'c@example.com', '+4511111111', '{"street": "x"}', '{"sms": false, "whatsapp": true, "email": "yes", "letter": null}'),
 ('G-5', 'north', NULL, 'person', 'Crooked', 'DK', NULL, NULL, E'a@example.com\r\nBcc: b@example.com', '+45 12', '{"street": "a\nb"}', NULL),
 ('G-6', 'north', NULL, NULL, 'Somewhere', NULL, NULL, 'Mars/Olympus', 'some@example.com', '22222222', NULL, NULL),
 ('G-7', 'north', NULL, 'person', 'American', 'US', 'CA', NULL, 'us@example.com', '+12025550123', NULL, NULL);
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency, disputed) VALUES
 ('G-1', 'I-1', 'north', '2026-05-01', '2026-05-15', 100, 'DKK', NULL), ('G-2', 'I-2', 'south', '2026-05-01', '2026-05-15', 50, 'DKK', NULL),
 ('G-3', 'I-3', 'north', '2026-05-01', '2026-05-15', 70, 'DKK', NULL), ('G-4', 'I-4', 'north', '2026-05-01', '2026-05-15', 70, 'DKK', NULL),
 ('G-6', 'I-6', 'north', '2026-05-01', '2026-05-15', 70, 'EUR', NULL), ('G-7', 'I-7', 'north', '2026-05-01', '2026-05-15', 70, 'USD', NULL);

-- everything_says_yes
SELECT c, (dunning.allowed('G-1', c, '2026-06-10 10:00+00')).* FROM unnest('{email,sms,letter,call,visit,whatsapp,push}'::text[]) c;

-- unknown_channels_and_infinite_instants_are_errors_and_an_unknown_debtor_is_blocked
SELECT * FROM dunning.allowed('G-1', 'pigeon', '2026-06-10 10:00+00');
SELECT * FROM dunning.allowed('G-1', 'sms', 'infinity');
SELECT * FROM dunning.allowed(NULL, 'sms', '2026-06-10 10:00+00');
SELECT * FROM dunning.allowed('G-0', 'sms', '2026-06-10 10:00+00');
SELECT blocked_by FROM dunning._gate('{G-1,G-1,G-1}', '{pigeon,sms,sms}', '{2026-06-10 10:00+00,infinity,NULL}') ORDER BY ord;

-- without_address_consent_or_a_well_formed_address_nothing_goes
SELECT c, (dunning.allowed('G-3', c, '2026-06-10 10:00+00')).blocked_by FROM unnest('{email,sms,letter,call}'::text[]) c;
SELECT c, (dunning.allowed('G-4', c, '2026-06-10 10:00+00')).blocked_by FROM unnest('{email,sms,letter,call,whatsapp}'::text[]) c;
SELECT c, (dunning.allowed('G-5', c, '2026-06-10 10:00+00')).blocked_by FROM unnest('{email,sms,letter}'::text[]) c;
SELECT a, f, dunning._good_address(a, f) FROM (VALUES ('a@b.dk', 'email'), ('a b@c.dk', 'email'), ('a@b@c.dk', 'email'), ('<a@b.dk>', 'email'), ('a@b.dk,c@d.dk', 'email'),
    ('@b.dk', 'email'), ('a@', 'email'), ('-a@b.dk', 'email'), ('æ@ø.dk', 'email'), ('+45 12-34.56/78 (0)', 'phone'), ('12+34', 'phone'), ('+45 call me', 'phone'),
    ('{"a": "x\u0000"}', 'address'), ('{"a": "x<y"}', 'address'), ('{"a": "Søndergade 1"}', 'address'), ('token', 'push'), ('to ken', 'push'), (NULL, 'email')) v(a, f);

-- unknown_place_means_the_strictest_hours_of_all
SELECT at, (dunning.allowed('G-6', 'sms', at)).blocked_by AS unknown, (dunning.allowed('G-1', 'sms', at)).blocked_by AS copenhagen, (dunning.allowed('G-7', 'sms', at)).blocked_by AS california
FROM unnest('{2026-06-10 06:30+00,2026-06-10 07:00+00,2026-06-10 16:30+00,2026-06-10 17:30+00,2026-06-19 12:00+00,2026-06-20 12:30+00}'::timestamptz[]) at;

-- contact_windows_holds_exactly_the_instants_that_are_allowed
SELECT dunning.contact_windows('G-1', 'sms', '2026-06-04 00:00+00', '2026-06-08 12:00+00');
SELECT count(*) AS instants, count(*) FILTER (WHERE (w @> at) <> a.allowed) AS differ
FROM generate_series('2026-06-04 00:00+00'::timestamptz, '2026-06-08 12:00+00', '97 minutes') at, LATERAL dunning.allowed('G-1', 'sms', at) a,
     (SELECT dunning.contact_windows('G-1', 'sms', '2026-06-04 00:00+00', '2026-06-08 12:01+00') AS w) x;
SELECT dunning.contact_windows('G-1', 'letter', '2026-06-04 00:00:30+00', '2026-06-04 00:03:30+00') AS any_time, dunning.contact_windows('G-3', 'sms', '2026-06-04 00:00+00', '2026-06-08 12:00+00') AS blocked;
SELECT dunning.contact_windows('G-1', 'sms', '2026-06-08 00:00+00', '2026-06-04 12:00+00');
SELECT dunning.contact_windows('G-1', 'sms', '-infinity', 'infinity');
SELECT dunning.contact_windows('G-1', 'sms', '2026-01-01', '2027-06-01');

-- a_message_of_money_goes_only_while_its_mark_is_true
SELECT mark AS m, amounts FROM dunning._gate('{G-1}', '{sms}', '{2026-06-10 10:00+00}') \gset g_
SELECT :'g_m' AS mark, :'g_amounts' AS amounts;
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency) VALUES ('G-1', 'Y-1', 'north', '2026-06-10 09:00+00', 40, 'DKK');
SELECT blocked_by FROM dunning._gate('{G-1}', '{sms}', '{2026-06-10 10:00+00}', ARRAY[:'g_m']);
UPDATE dunning.payment SET amount = 100 WHERE payment_id = 'Y-1';
SELECT blocked_by FROM dunning._gate('{G-1,G-1}', '{sms,sms}', '{2026-06-10 10:00+00,2026-06-10 10:00+00}', ARRAY[:'g_m', NULL]) ORDER BY ord;
UPDATE dunning.payment SET amount = 'NaN' WHERE payment_id = 'Y-1';
SELECT blocked_by FROM dunning._gate('{G-1}', '{sms}', '{2026-06-10 10:00+00}');
DELETE FROM dunning.payment WHERE payment_id = 'Y-1';

-- a_debtor_who_disputes_all_that_is_open_is_left_alone
UPDATE dunning.invoice SET disputed = true WHERE invoice_id = 'I-1';
SELECT (dunning.allowed('G-1', 'email', '2026-06-10 10:00+00')).blocked_by;
INSERT INTO dunning.invoice (debtor_id, invoice_id, creditor, issued_on, due_on, amount, currency) VALUES ('G-1', 'I-1b', 'north', '2026-05-01', '2026-05-15', 1, 'DKK');
SELECT (dunning.allowed('G-1', 'email', '2026-06-10 10:00+00')).blocked_by AS not_all;
DELETE FROM dunning.invoice WHERE invoice_id = 'I-1b';
UPDATE dunning.invoice SET disputed = NULL WHERE invoice_id = 'I-1';

-- a_hold_blocks_until_its_day_has_passed_or_it_is_released
SELECT messages_stopped FROM dunning.hold('G-1', 'hardship', until => '2026-06-11', note => 'called');
SELECT at, (dunning.allowed('G-1', 'email', at)).blocked_by FROM unnest('{2026-06-10 10:00+00,2026-06-11 23:59+00,2026-06-12 10:00+00}'::timestamptz[]) at;
SELECT dunning.contact_windows('G-1', 'email', '2026-06-10 10:00+00', '2026-06-13 10:00+00');
SELECT hold_id AS id FROM dunning.hold WHERE debtor_id = 'G-1' \gset h_
SELECT debtor_id, reason, messages_released FROM dunning.release(:'h_id');
SELECT (dunning.allowed('G-1', 'email', '2026-06-10 10:00+00')).*;
\set VERBOSITY terse
SELECT count(*) FROM (SELECT dunning.release('00000000-0000-7000-8000-000000000000')) x;
\set VERBOSITY default

-- a_hold_of_one_invoice_stops_messages_but_not_the_debtor
SELECT messages_stopped FROM dunning.hold('G-1', 'dispute', invoice_id => 'I-1');
SELECT (dunning.allowed('G-1', 'email', '2026-06-10 10:00+00')).blocked_by;
DELETE FROM dunning.hold WHERE debtor_id = 'G-1';

-- hold_refuses_what_makes_no_sense
SELECT * FROM dunning.hold('G-0', 'manual');
SELECT * FROM dunning.hold('G-1', 'Because I say so');
SELECT * FROM dunning.hold('G-1', 'manual', until => '2020-01-01');
SELECT * FROM dunning.hold('G-1', 'manual', until => 'infinity');
SELECT * FROM dunning.hold('G-1', 'dispute', invoice_id => 'I-2');

-- a_suppressed_address_stays_so_however_it_is_written_and_at_every_creditor
SELECT dunning.suppress(' KIRSTEN@example.com ', 'email', 'opted_out') AS new, dunning.suppress('kirsten@example.com', 'email', 'opted_out') AS again;
SELECT d, (dunning.allowed(d, 'email', '2026-06-10 10:00+00')).blocked_by FROM unnest('{G-1,G-2}'::text[]) d;
SELECT dunning.suppress('+4512345678', '*', 'complaint');
SELECT d, c, (dunning.allowed(d, c, '2026-06-10 10:00+00')).blocked_by FROM unnest('{G-1,G-2}'::text[]) d, unnest('{sms,call}'::text[]) c ORDER BY 1, 2;
SELECT dunning.suppress('{"city":"Aarhus",   "street":"Havnegade 1"}', 'letter', 'bounced');
SELECT (dunning.allowed('G-1', 'letter', '2026-06-10 10:00+00')).blocked_by;
SELECT dunning.unsuppress('Kirsten@example.com', 'email'), dunning.unsuppress('00 45 12 34 56 78', '*'), dunning.unsuppress('+45 12345678', 'sms') AS was_not;
SELECT (dunning.allowed('G-1', 'email', '2026-06-10 10:00+00')).blocked_by;
SELECT dunning.suppress('x@example.com', 'pigeon', 'bounced');
SELECT dunning.suppress('  ', 'email', 'bounced');
SELECT count(*) AS keys, min(length(key)) AS bytes FROM dunning.digest_key;
SELECT count(*) FROM dunning.suppression WHERE encode(address_digest, 'escape') LIKE '%example%';

-- a_digest_is_the_hmac_of_the_server_whatever_the_length_of_key_and_address
CREATE FUNCTION pg_temp.hmac(data bytea, key bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    k bytea := CASE WHEN length(key) > 64 THEN sha256(key) ELSE key END;
    inner_pad bytea := decode(repeat('36', 64), 'hex');
    outer_pad bytea := decode(repeat('5c', 64), 'hex');
BEGIN
    FOR i IN 0 .. length(k) - 1 LOOP
        inner_pad := set_byte(inner_pad, i, get_byte(inner_pad, i) # get_byte(k, i));
        outer_pad := set_byte(outer_pad, i, get_byte(outer_pad, i) # get_byte(k, i));
    END LOOP;
    RETURN sha256(outer_pad || sha256(inner_pad || data));
END $$;
SELECT count(*) AS digests, count(*) FILTER (WHERE dunning._digest(t.t, 'push', k.k) IS DISTINCT FROM pg_temp.hmac(convert_to(t.t, 'UTF8'), k.k)) AS other
FROM generate_series(0, 200) n, LATERAL (SELECT substr(repeat(md5(n::text), 7), 1, n) AS t) t, (VALUES ('\x'::bytea), ('\x00'), (sha256('k')), (decode(repeat('ab', 64), 'hex')), (decode(repeat('ab', 65), 'hex')), (decode(repeat('cd', 200), 'hex'))) k(k);

-- words_are_listed_in_order_without_nulls_and_there_may_be_none
SELECT dunning._words('a'::text, NULL::text, '{b,NULL,c}'::text[], '{}'::text[], 'd'::text) AS some, dunning._words(NULL::text, '{}'::text[]) IS NULL AS none;
SELECT dunning._words(1);
SELECT dunning._words(VARIADIC '{a}'::text[]);
SELECT dunning._repeated('{a,b,a,NULL,NULL,c,b,a}') AS twice, dunning._repeated('{a,b}') AS none, dunning._repeated('{}') AS empty;

-- a_message_counts_where_any_of_its_attempts_falls_under_the_cap_in_whatever_order_they_stand
SELECT dunning._caps(1, '2026-06-10 10:00+00', 'x', NULL, dunning._windows('{Mon-Sun 00:00-24:00}', false, 'UTC', 'DK', NULL, NULL, NULL),
    ARRAY[concat_ws(E'\x1f', 'day', 1, 1, 'person', 0, 0, '*')], '{x,x}', '{sms,sms}', array_fill('00000000-0000-0000-0000-000000000001'::uuid, '{2}'), ats, '{0,0}', NULL)
FROM (VALUES ('{2026-06-07 10:00+00,2026-06-10 08:00+00}'::timestamptz[]), ('{2026-06-10 08:00+00,2026-06-07 10:00+00}')) v(ats);
DELETE FROM dunning.suppression;

-- caps_count_calendar_days_of_the_debtors_zone_over_all_accounts_of_the_person
SELECT dunning._ensure_partitions() IS NOT NULL AS partitions;
CREATE FUNCTION pg_temp.sent(debtor text, channel text, at timestamptz, id uuid DEFAULT dunning._uuid7(), test boolean DEFAULT false) RETURNS void LANGUAGE sql AS $$
    INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, test, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
    SELECT $4, (SELECT 1 + count(*) FROM dunning.egress e WHERE e.message_id = $4), $1, 'north', $2, 'mail', '', '{}', '', 0, 'gate test', $5, 0, 'EUR', now(), $3, 0, 0, '', '' $$;
SELECT pg_temp.sent('G-2', 'email', '2026-06-09 22:30+00');      -- 10 June in Copenhagen
SELECT pg_temp.sent('G-2', 'email', '2026-06-10 08:00+00', test => true);
SELECT at, (dunning.allowed('G-1', 'sms', at)).blocked_by FROM unnest('{2026-06-09 10:00+00,2026-06-10 10:00+00,2026-06-11 10:00+00}'::timestamptz[]) at;
SELECT (dunning.allowed('G-4', 'letter', '2026-06-10 10:00+00')).blocked_by AS another_person;
SELECT dunning.contact_windows('G-1', 'email', '2026-06-10 10:00+00', '2026-06-11 10:00+00') AS not_today;
SELECT pg_temp.sent('G-1', 'letter', '2026-06-07 10:00+00'), pg_temp.sent('G-1', 'letter', '2026-06-08 10:00+00');
SELECT at, (dunning.allowed('G-1', 'email', at)).blocked_by FROM unnest('{2026-06-12 10:00+00,2026-06-13 10:00+00,2026-06-13 22:00+00,2026-06-14 06:00+00}'::timestamptz[]) at;

-- a_held_message_is_looked_at_again_when_window_and_caps_open
SELECT dunning._gate_facts_sql() AS facts \gset
PREPARE facts (text[], text[], timestamptz[], text[], uuid[]) AS
    SELECT f.ord, dunning._next_open(f.at, f.at + interval '14 days', f.debtor_id, f.windows, f.caps, f.debtors, f.channels, f.messages, f.ats, f.ords, f.talks, f.message_id) AS next
    FROM (:facts) f;
EXECUTE facts('{G-1,G-4,G-0}', '{email,call,sms}', '{2026-06-10 10:00+00,2026-06-12 18:01+00,2026-06-10 10:00+00}', NULL, NULL);

-- attempts_of_one_message_are_one_contact_and_ones_own_are_not_counted
DELETE FROM dunning.egress WHERE reason = 'gate test';
SELECT dunning._uuid7() AS id \gset m_
SELECT pg_temp.sent('G-1', 'email', '2026-06-10 08:00+00', :'m_id');
SELECT pg_temp.sent('G-1', 'email', '2026-06-10 08:05+00', :'m_id');
SELECT blocked_by FROM dunning._gate('{G-1,G-1}', '{email,email}', '{2026-06-10 10:00+00,2026-06-10 10:00+00}', NULL, ARRAY[:'m_id', '00000000-0000-7000-8000-000000000001']::uuid[]) ORDER BY ord;
-- and_put_nothing_off: a message waits neither for its own attempts nor for its companion
EXECUTE facts('{G-1,G-1,G-1}', '{email,sms,email}', '{2026-06-10 10:00+00,2026-06-10 10:00+00,2026-06-10 10:00+00}', NULL,
    ARRAY[:'m_id', overlay(:'m_id' PLACING CASE substr(:'m_id', 20, 1) WHEN 'a' THEN 'b' ELSE 'a' END FROM 20 FOR 1), '00000000-0000-7000-8000-000000000001']::uuid[]);
DEALLOCATE facts;
SELECT * FROM dunning.save_rule('twice', cap => 2, cap_days => 3, cap_scope => 'debtor', channels => '{email}', min_gap => '36 hours');
SELECT at, (dunning.allowed('G-1', 'email', at)).blocked_by AS own, (dunning.allowed('G-2', 'email', at)).blocked_by AS other_account FROM unnest('{2026-06-11 10:00+00,2026-06-12 10:00+00}'::timestamptz[]) at;
SELECT dunning.reset_rule('twice');
DELETE FROM dunning.egress WHERE reason = 'gate test';

-- caps_hold_among_the_messages_of_one_batch
SELECT ord, debtor_id, blocked_by FROM dunning._gate('{G-1,G-2,G-4,G-1}', '{email,email,letter,letter}', array_fill('2026-06-10 10:00+00'::timestamptz, '{4}'), NULL,
    '{00000000-0000-7000-8000-000000000001,00000000-0000-7000-8000-000000000002,00000000-0000-7000-8000-000000000003,00000000-0000-7000-8000-000000000004}') ORDER BY ord;
-- a_blocked_message_takes_no_place_from_the_next
SELECT ord, debtor_id, blocked_by FROM dunning._gate('{G-1,G-1}', '{sms,letter}', array_fill('2026-06-10 21:00+00'::timestamptz, '{2}'), NULL,
    '{00000000-0000-7000-8000-000000000001,00000000-0000-7000-8000-000000000002}') ORDER BY ord;
-- alternatives_of_one_message_do_not_exclude_each_other
SELECT ord, channel, blocked_by FROM dunning._gate('{G-1,G-1}', '{email,letter}', array_fill('2026-06-10 10:00+00'::timestamptz, '{2}')) ORDER BY ord;

-- queued_messages_count_for_a_question_but_not_for_a_claim
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, channel) VALUES ('G-2', '00000000-0000-7000-8000-000000000009', 'south', 0, 'queued', '2026-06-10 12:00+00', 'sms');
SELECT (dunning.allowed('G-1', 'email', '2026-06-10 10:00+00')).blocked_by AS question, blocked_by AS claim
FROM dunning._gate('{G-1}', '{email}', '{2026-06-10 10:00+00}', NULL, '{00000000-0000-7000-8000-000000000001}');
DELETE FROM dunning.queue WHERE debtor_id = 'G-2';

-- after_a_conversation_an_american_is_not_called_for_seven_days
INSERT INTO dunning.event (debtor_id, event_id, creditor, kind, at, recorded_at, recorded_by) VALUES ('G-7', dunning._uuid7(), 'north', 'conversation', '2026-06-09 18:00+00', now(), 'test');
SELECT at, (dunning.allowed('G-7', 'call', at)).blocked_by FROM unnest('{2026-06-10 18:00+00,2026-06-16 17:59+00,2026-06-16 18:00+00}'::timestamptz[]) at;
DELETE FROM dunning.event WHERE debtor_id = 'G-7';

-- the_recheck_sees_payments_holds_suppression_and_the_clock
SELECT dunning._recheck_sql() AS recheck \gset
PREPARE recheck (text[], text[], timestamptz[], text[], text[]) AS :recheck;
-- what_is_clear_to_leave_is_what_the_recheck_lets_through_but_for_the_clock_and_the_channel
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel)
SELECT debtor_id, pg_catalog.md5(debtor_id)::uuid, creditor, 0, 'queued', '2026-06-10 10:00+00', 'none', 'email' FROM dunning.debtor;
SELECT dunning._recheck_clear_sql() AS clear \gset
PREPARE clear (text[], text[], timestamptz[], text[], bytea[], uuid[], int2[]) AS :clear;
CREATE FUNCTION pg_temp.clear_compared() RETURNS TABLE (asked bigint, passes bigint, clear bigint, clear_but_blocked bigint) LANGUAGE plpgsql AS $$
DECLARE
    a record;
BEGIN
    SELECT array_agg(x.debtor_id) AS ids, array_agg(x.channel) AS channels, array_agg(x.at) AS ats, array_agg(x.mark) AS marks, array_agg(x.address) AS addresses,
           array_agg(dunning._address_digest(x.address, 'email')) AS digests, array_agg(pg_catalog.md5(x.debtor_id)::uuid) AS messages, array_agg(1::int2) AS attempts INTO a
    FROM (SELECT d.debtor_id, c.channel, t.at, k.mark, n.address
          FROM (SELECT debtor_id FROM dunning.debtor UNION ALL VALUES ('nobody'), (NULL)) d,
               unnest('{email,fax}'::text[]) c(channel),
               unnest('{2026-06-10 10:00+00,2026-06-10 23:30+00,2026-06-14 10:00+00,infinity,NULL}'::timestamptz[]) t(at),
               LATERAL (SELECT m.mark FROM dunning._gate(ARRAY[d.debtor_id], '{email}', '{2026-06-10 10:00+00}') m UNION ALL VALUES ('DKK:1:0:0'), (NULL)) k,
               (VALUES ('frozen@example.com'), ('kirsten@example.com')) n(address)) x;
    RETURN QUERY EXECUTE format('SELECT count(*), count(*) FILTER (WHERE w.words = ''{}''), count(c.ord), count(*) FILTER (WHERE c.ord IS NOT NULL AND w.words <> ''{}'')
        FROM (%s) r LEFT JOIN (%s) c ON c.ord = r.ord
        CROSS JOIN LATERAL (SELECT array_remove(array_remove(array_remove(r.blocked_by, ''quiet_hours''), ''holiday''), ''unknown_channel'') AS words) w',
        replace(dunning._recheck_sql(), '$5', '$8'), dunning._recheck_clear_sql())
        USING a.ids, a.channels, a.ats, a.marks, a.digests, a.messages, a.attempts, a.addresses;
END $$;
SELECT passes > 100 AND clear > 100 AS some_pass, passes = clear AS the_same, clear_but_blocked FROM pg_temp.clear_compared();
EXECUTE recheck('{G-1,G-4}', '{email,letter}', '{2026-06-10 10:00+00,2026-06-10 10:00+00}', ARRAY[:'g_m', NULL], '{kirsten@example.com,"{}"}');
INSERT INTO dunning.payment (debtor_id, payment_id, creditor, paid_at, amount, currency) VALUES ('G-1', 'Y-1', 'north', '2026-06-10 09:00+00', 40, 'DKK');
SELECT dunning.suppress('frozen@example.com', 'email', 'bounced');
DELETE FROM dunning.queue WHERE debtor_id = 'G-1';
SELECT messages_stopped FROM dunning.hold('G-1', 'deceased', scope => 'debtor');
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel) VALUES ('G-1', md5('G-1')::uuid, 'north', 0, 'queued', '2026-06-10 10:00+00', 'none', 'email');
EXECUTE clear('{G-1,G-4,G-4,G-4,G-4,G-5}', '{email,letter,letter,letter,letter,letter}', array_fill('2026-06-10 10:00+00'::timestamptz, '{6}'), ARRAY[:'g_m', NULL, NULL, NULL, NULL, NULL],
    ARRAY['\x01', '\x01', dunning._address_digest('frozen@example.com', 'email'), '\x01', '\x01', '\x01'],
    ARRAY[md5('G-1'), md5('G-4'), md5('G-4'), md5('G-4'), md5('G-1'), md5('G-4')]::uuid[], '{1,1,1,2,1,1}');
-- nor one who has left the ledger since, though the message and the invoices still stand
BEGIN;
DELETE FROM dunning.debtor WHERE debtor_id = 'G-4';
EXECUTE clear('{G-4}', '{letter}', '{2026-06-10 10:00+00}', '{NULL}', '{"\\x01"}', ARRAY[md5('G-4')]::uuid[], '{1}');
ROLLBACK;
SELECT clear > 100 AS some_pass, clear_but_blocked FROM pg_temp.clear_compared();
EXECUTE recheck('{G-1,G-1}', '{email,sms}', '{2026-06-10 10:00+00,2026-06-10 20:00+00}', ARRAY[:'g_m', NULL], '{frozen@example.com,+4512345678}');
DELETE FROM dunning.payment WHERE payment_id = 'Y-1';
DELETE FROM dunning.suppression;
DELETE FROM dunning.hold WHERE debtor_id = 'G-1';
DEALLOCATE recheck;
DEALLOCATE clear;
DELETE FROM dunning.queue;

-- the_worker_may_run_the_texts_itself_and_locks_only_persons_with_several_accounts
SELECT dunning._gate_sql() AS gate, dunning._gate_lock_sql() AS locks \gset
PREPARE gate (text[], text[], timestamptz[], text[], uuid[]) AS SELECT g.ord, g.debtor_id, g.channel, g.blocked_by, g.address, g.zone, g.mark, g.amounts, g.windows IS NOT NULL AS windows FROM (:gate) g;
PREPARE locks (text[]) AS :locks;
SET search_path = pg_catalog, pg_temp;
SET ROLE dunning_worker;
EXECUTE gate('{G-1,G-2}', '{email,sms}', '{2026-06-10 10:00+00,2026-06-10 20:00+00}', NULL, NULL);
BEGIN;
EXECUTE locks('{G-2,G-4,G-7}');
ROLLBACK;
RESET ROLE;
RESET search_path;
DEALLOCATE gate;
DEALLOCATE locks;

-- a_lost_key_of_suppressed_addresses_keeps_everybody_from_being_contacted
SELECT dunning.suppress('gone@example.com', 'email', 'opted_out');
BEGIN;
DELETE FROM dunning.digest_key;
SELECT * FROM dunning.allowed('G-1', 'email', '2026-06-10 10:00+00');
SELECT h.state, h.detail, h.fix_sql FROM dunning.health() h WHERE h.item = 'suppression';
SELECT dunning.suppress('another@example.com', 'email', 'opted_out');
ROLLBACK;
SELECT * FROM dunning.allowed('G-1', 'email', '2026-06-10 10:00+00');
DELETE FROM dunning.suppression;

-- nobody_but_those_named_may_ask_or_hold
SET ROLE dunning_viewer;
SELECT (dunning.allowed('G-1', 'email', '2026-06-10 10:00+00')).allowed;
SELECT * FROM dunning.hold('G-1', 'manual');
SELECT dunning.suppress('a@b.dk', 'email', 'x');
SELECT * FROM dunning.digest_key;
RESET ROLE;

-- a_broken_or_stale_ledger_blocks_everything
CREATE TABLE public.gate_debtors (debtor_id text PRIMARY KEY, email text);
INSERT INTO public.gate_debtors VALUES ('G-1', 'kirsten@example.com');
GRANT SELECT ON public.gate_debtors TO dunning_owner, dunning_worker;
SELECT dunning.bind('debtor', 'public.gate_debtors', max_age => '1 hour');
SELECT * FROM dunning.allowed('G-1', 'letter', '2026-06-10 10:00+00');
SELECT dunning.ledger_loaded('debtor', '2026-06-10 09:30+00');
SELECT * FROM dunning.allowed('G-1', 'email', '2026-06-10 10:00+00');
ALTER TABLE public.gate_debtors RENAME COLUMN email TO mail;
SELECT * FROM dunning.allowed('G-1', 'email', '2026-06-10 10:00+00');
SELECT dunning.contact_windows('G-1', 'email', '2026-06-10 10:00+00', '2026-06-10 11:00+00');
SELECT dunning.unbind('debtor');
DROP TABLE public.gate_debtors;

-- a_hold_lasts_through_its_day_where_the_debtor_lives
INSERT INTO dunning.debtor (debtor_id, country, time_zone) VALUES ('G-la', 'US', 'America/Los_Angeles'), ('G-us', 'US', NULL), ('G-nz', NULL, 'Pacific/Auckland');
SELECT d, x.messages_stopped FROM unnest('{G-la,G-us,G-nz}'::text[]) d, dunning.hold(d, 'manual', until => '2026-07-31') x;
SELECT h.debtor_id, h.until_at AT TIME ZONE 'UTC' AS until_utc FROM dunning.hold h WHERE h.debtor_id ~ '^G-[a-z]' ORDER BY 1;
DELETE FROM dunning.hold WHERE debtor_id ~ '^G-[a-z]';

DELETE FROM dunning.invoice WHERE debtor_id LIKE 'G-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'G-%';
DELETE FROM dunning.digest_key;
DELETE FROM dunning.rule_change;
DELETE FROM dunning.ledger_load;
RESET dunning.clock;
RESET dunning.timezone;
