-- deliver: what leaves, what does not, and what is written about it. A server without network stands for the gateways.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
SELECT dunning._activated() AS activated;

-- Where the library is preloaded a worker would do what these calls are to do.
ALTER SYSTEM SET dunning.databases = '';
SELECT pg_reload_conf();
DO $$
DECLARE give_up timestamptz := clock_timestamp() + interval '20 s';
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'dunning worker' AND datname = current_database());
        IF clock_timestamp() > give_up THEN RAISE EXCEPTION 'the worker did not end'; END IF;
    END LOOP;
END $$;

CREATE SERVER d_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE USER MAPPING FOR dunning_worker SERVER d_mail;
INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, time_zone, email)
SELECT 'd-' || i, 'Name ' || i, 'Given ' || i, 'en', 'GB', 'Europe/London', 'd' || i || '@example.org' FROM generate_series(1, 24) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference, pay_url)
SELECT 'd-' || i, 'I' || i, '2026-05-01', '2026-06-01', 100 + i, 'EUR', 'R' || i, 'https://pay.example/' || i FROM generate_series(1, 24) i;
-- A Monday, ten in the morning in London.
SET dunning.clock = '2026-06-22 10:00+01';
CREATE FUNCTION pg_temp.d_send(n int, VARIADIC more text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS
$$ SELECT state || coalesce(' ' || array_to_string(blocked_by, ','), '') FROM dunning.send('d-' || n, 'reminder-1', 'email') $$;
CREATE FUNCTION pg_temp.d_look(n int) RETURNS TABLE (state text, reason text, attempts bigint, outcomes text) LANGUAGE sql AS $$
SELECT s.state, s.reason, (SELECT count(*) FROM dunning.egress e WHERE e.message_id = s.message_id),
       (SELECT string_agg(o.attempt || ' ' || o.state || ' ' || o.reason, ', ' ORDER BY o.outcome_id) FROM dunning.outcome o WHERE o.message_id = s.message_id)
FROM dunning.message_state s WHERE s.debtor_id = 'd-' || n ORDER BY s.message_id $$;

-- nothing_is_sent_before_activate
SELECT pg_temp.d_send(1);
CALL dunning.deliver();
SELECT * FROM pg_temp.d_look(1);
SELECT activated, reason FROM dunning._activation_state();

-- nothing_is_sent_while_delivery_is_off
SELECT dunning.activate();
SELECT * FROM dunning._activation_state();
SET dunning.delivery = off;
CALL dunning.deliver();
SET dunning.delivery = 'maybe';
RESET dunning.delivery;
SELECT * FROM pg_temp.d_look(1);

-- deliver_does_not_run_inside_a_transaction_or_with_silly_limits
BEGIN;
CALL dunning.deliver();
ROLLBACK;
DO $$ BEGIN PERFORM 1; CALL dunning.deliver(max_messages => 0); END $$;
CALL dunning.deliver(max_seconds => -1);

-- a_dry_run_says_what_would_leave_and_changes_nothing
SET dunning.delivery = dry_run;
CALL dunning.deliver();
SELECT * FROM pg_temp.d_look(1);
SELECT count(*) AS bodies FROM dunning.body WHERE debtor_id = 'd-1';
RESET dunning.delivery;

-- a_message_leaves_once_with_an_intent_a_frozen_body_and_an_outcome
SET client_min_messages = notice;
CALL dunning.deliver();
CALL dunning.deliver();
SET client_min_messages = warning;
SELECT * FROM pg_temp.d_look(1);
SELECT server, channel, reason, test, bytes > 0 AS bytes, cardinality(fields) > 0 AS fields, contact_on, length(address_digest) AS address, seq > 0 AS chained
FROM dunning.egress WHERE debtor_id = 'd-1';
SELECT address, subject <> '' AS subject, body_text ~ 'Given 1' AS named FROM dunning.body WHERE debtor_id = 'd-1';
SELECT count(*) AS queued FROM dunning.queue WHERE debtor_id = 'd-1';

-- a_payment_before_the_claim_takes_the_message_back
SELECT pg_temp.d_send(2);
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('d-2', 'P2', '2026-06-22 08:00+00', 102, 'EUR');
CALL dunning.deliver();
SELECT * FROM pg_temp.d_look(2);

-- a_hold_or_a_suppressed_address_keeps_a_message_with_its_reason
SELECT pg_temp.d_send(3), pg_temp.d_send(4);
INSERT INTO dunning.hold (debtor_id, hold_id, creditor, reason, from_at, placed_by)
VALUES ('d-3', '00000000-0000-7000-8000-000000000003', 'default', 'hardship', '2026-06-01', 'test');
INSERT INTO dunning.suppression (address_digest, channel, reason, suppressed_at, suppressed_by)
VALUES (dunning._address_digest('d4@example.org', 'email'), 'email', 'bounced', '2026-06-01', 'test');
CALL dunning.deliver();
SELECT * FROM pg_temp.d_look(3);
SELECT * FROM pg_temp.d_look(4);

-- a_message_out_of_hours_moves_to_the_next_allowed_instant
SELECT pg_temp.d_send(5);
SET dunning.clock = '2026-06-22 23:30+01';
CALL dunning.deliver();
SELECT q.state, q.reason, q.due, q.attempts FROM dunning.queue q WHERE q.debtor_id = 'd-5';
SET dunning.clock = '2026-06-23 10:00+01';
CALL dunning.deliver();
SELECT * FROM pg_temp.d_look(5);

-- a_message_past_its_time_is_dead
SELECT pg_temp.d_send(6);
UPDATE dunning.message SET not_after = '2026-06-23 20:00+01' WHERE debtor_id = 'd-6';
SET dunning.clock = '2026-06-25 10:00+01';
CALL dunning.deliver();
SELECT * FROM pg_temp.d_look(6);

-- a_message_without_a_server_is_held_and_a_paused_one_waits
SELECT pg_temp.d_send(7), pg_temp.d_send(8);
UPDATE dunning.queue SET server = 'gone' WHERE debtor_id = 'd-7';
SELECT dunning.pause('d_mail');
CALL dunning.deliver();
SELECT * FROM pg_temp.d_look(7);
SELECT * FROM pg_temp.d_look(8);
SELECT dunning.resume('d_mail');
CALL dunning.deliver();
SELECT * FROM pg_temp.d_look(8);

-- a_message_that_cannot_be_rendered_is_held_alone
SELECT pg_temp.d_send(9), pg_temp.d_send(10);
UPDATE dunning.message SET template = 'no-such-template' WHERE debtor_id = 'd-9';
SET client_min_messages = error;
CALL dunning.deliver();
SET client_min_messages = warning;
SELECT * FROM pg_temp.d_look(9);
SELECT * FROM pg_temp.d_look(10);

-- a_text_with_partials_leaves_whole_and_without_the_partial_is_held
SELECT count(*) FROM dunning.save_template('d-foot', 'email', 'en', NULL, E'-- \n{{creditor_name}}', partial => true);
SELECT count(*) FROM dunning.save_template('d-parts', 'email', 'en', '{{given_name}}: {{amount | money}}', E'{{given_name}}, {{pay_url}} Already paid? Fine.\n  {{> d-foot}}', '<p>{{given_name}}</p>{{> d-foot}}');
SELECT state FROM dunning.send('d-13', 'd-parts', 'email');
CALL dunning.deliver();
SELECT s.state, b.subject, b.body_text, b.body_html, e.fields FROM pg_temp.d_look(13) s, dunning.body b JOIN dunning.egress e USING (debtor_id, message_id) WHERE b.debtor_id = 'd-13';
SELECT state FROM dunning.send('d-14', 'd-parts', 'email');
DELETE FROM dunning.template WHERE template = 'd-foot';
SET client_min_messages = error;
CALL dunning.deliver();
SET client_min_messages = warning;
SELECT * FROM pg_temp.d_look(14);
DELETE FROM dunning.template WHERE template = 'd-parts';

-- a_redirected_message_goes_to_the_tester_alone_also_on_a_copy
SELECT dunning.deactivate(), dunning._activated();
SELECT pg_temp.d_send(11);
SET dunning.redirect_to = 'not an address';
CALL dunning.deliver();
SELECT * FROM pg_temp.d_look(11);
SELECT dunning._release_held(ARRAY['d-11']);
SET dunning.redirect_to = '+4512345678, tester@example.net';
CALL dunning.deliver();
SELECT * FROM pg_temp.d_look(11);
SELECT e.test, e.address_digest = dunning._address_digest('tester@example.net', 'email') AS to_the_tester, b.address AS meant_for
FROM dunning.egress e JOIN dunning.body b USING (debtor_id, message_id) WHERE e.debtor_id = 'd-11';
RESET dunning.redirect_to;
CALL dunning.deliver();

-- send_test_goes_where_the_tester_says_and_is_no_contact
SELECT dunning.activate();
SELECT state, channel, server FROM dunning.send_test('reminder-1', 'd-12', 'email', 'me@example.net');
-- nor does it count, or stand as the debtor's next one, while it waits
SELECT allowed, blocked_by FROM dunning.allowed('d-12', 'email', dunning._now());
SELECT next_state IS NULL AS none_planned FROM dunning.debtor_overview WHERE debtor_id = 'd-12';
CALL dunning.deliver();
SELECT e.test, e.address_digest = dunning._address_digest('me@example.net', 'email') AS to_me FROM dunning.egress e WHERE e.debtor_id = 'd-12';
SELECT * FROM dunning.send_test('reminder-1', 'd-12', 'email', E'me@example.net\r\nRCPT TO:<you@example.net>');
SELECT * FROM dunning.send_test('reminder-1', 'nobody', 'email', 'me@example.net');
SELECT * FROM dunning.send_test('reminder-1', 'd-12', 'carrier-pigeon', 'me@example.net');

-- a_server_makes_no_more_attempts_a_day_than_it_may
SELECT current_setting('dunning.clock') AS clock_before \gset
SET dunning.clock = '2026-06-30 10:00+01';
SET client_min_messages = error;
ALTER SERVER d_mail OPTIONS (ADD daily '2');
SELECT pg_temp.d_send(i) FROM generate_series(21, 24) i;
CALL dunning.deliver();
CALL dunning.deliver();
SELECT count(*) AS attempts FROM dunning.egress WHERE server = 'd_mail' AND debtor_id ~ '^d-2[1-4]$';
SELECT count(*) AS waiting FROM dunning.queue WHERE debtor_id IN ('d-21', 'd-22', 'd-23', 'd-24');
SET dunning.clock = '2026-07-01 10:00+01';
CALL dunning.deliver();
SELECT count(*) AS attempts FROM dunning.egress WHERE server = 'd_mail' AND debtor_id ~ '^d-2[1-4]$';
ALTER SERVER d_mail OPTIONS (DROP daily);
SET dunning.clock = :'clock_before';
SET client_min_messages = warning;

-- a_message_whose_text_is_too_large_is_held_alone_and_the_others_leave: its size is no matter of the moment
SELECT pg_temp.d_send(15);
SELECT state FROM dunning.send('d-16', 'reminder-1', 'email', jsonb_build_object('given_name', repeat('long ', 300000)));
SELECT pg_temp.d_send(17);
SET client_min_messages = error;
CALL dunning.deliver(max_seconds => 20);
SET client_min_messages = warning;
SELECT l.n, x.state, x.reason FROM generate_series(15, 17) l(n), pg_temp.d_look(l.n) x;

-- the_chain_verifies_and_shows_a_changed_a_missing_and_a_cut_row
SELECT bool_and(ok) AS ok, sum(links) = (SELECT count(*) FROM dunning.egress WHERE length(digest) = 32) AS all_links FROM dunning.verify_egress()
WHERE slice IN (SELECT slice FROM dunning.egress WHERE debtor_id LIKE 'd-%');
BEGIN;
UPDATE dunning.egress SET server = 'another' WHERE debtor_id = 'd-1';
SELECT v.ok, v.detail FROM dunning.verify_egress() v WHERE v.slice = dunning._slice('d-1');
ROLLBACK;
BEGIN;
UPDATE dunning.egress SET prev = '\x00' WHERE debtor_id = 'd-1';
SELECT v.ok, v.detail FROM dunning.verify_egress() v WHERE v.slice = dunning._slice('d-1');
ROLLBACK;
BEGIN;
DELETE FROM dunning.egress WHERE debtor_id = 'd-1';
SELECT v.ok, v.detail FROM dunning.verify_egress() v WHERE v.slice = dunning._slice('d-1');
ROLLBACK;
BEGIN;
UPDATE dunning.egress_head SET seq = seq + 1 WHERE slice = dunning._slice('d-1');
SELECT v.ok, v.detail FROM dunning.verify_egress() v WHERE v.slice = dunning._slice('d-1');
ROLLBACK;

-- activation_takes_no_nonsense
SELECT dunning.activate(backlog => 'burn');
SET ROLE dunning_operator;
SELECT dunning.activate();
SELECT dunning.deactivate();
RESET ROLE;
SELECT dunning.deactivate() AS was_active, dunning.deactivate() AS again;

-- a_probe_needs_a_server
SELECT * FROM dunning.probe('d_mail');
SELECT * FROM dunning.probe('nowhere');

-- Leave nothing behind.
RESET dunning.clock;
DELETE FROM dunning.suppression WHERE suppressed_by = 'test';
DELETE FROM dunning.hold WHERE debtor_id LIKE 'd-%';
DELETE FROM dunning.queue WHERE debtor_id LIKE 'd-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'd-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'd-%';
DELETE FROM dunning.body WHERE debtor_id LIKE 'd-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'd-%';
DELETE FROM dunning.task WHERE debtor_id LIKE 'd-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'd-%';
DELETE FROM dunning.egress_head;
DELETE FROM dunning.payment WHERE debtor_id LIKE 'd-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'd-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'd-%';
DROP SERVER d_mail CASCADE;
ALTER SYSTEM RESET dunning.databases;
SELECT pg_reload_conf();
