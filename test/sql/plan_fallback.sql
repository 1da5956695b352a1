-- plan: what carries a failed message on has what that one had.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
SELECT dunning._activation_state() IS NOT NULL AS loaded;
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
SELECT dunning.activate();
SELECT dunning._ensure_partitions() IS NOT NULL AS ready;
CREATE SERVER pf_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', verdict 'failed');
CREATE SERVER pf_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', verdict 'failed');
CREATE USER MAPPING FOR dunning_worker SERVER pf_mail;
CREATE USER MAPPING FOR dunning_worker SERVER pf_text;
INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, time_zone, email, phone)
SELECT 'pf-' || i, 'Name ' || i, 'Given ' || i, 'en', 'GB', 'Europe/London', 'pf' || i || '@example.org', '+4477009009' || lpad(i::text, 2, '0') FROM generate_series(1, 9) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference)
SELECT 'pf-' || i, 'PF' || i, '2026-05-01', '2026-06-01', 100 + i, 'EUR', 'R' || i FROM generate_series(1, 9) i;
SELECT dunning.set_cost('sms', 0.10, 'EUR') IS NOT NULL AS set;
SET dunning.clock = '2026-06-22 10:00+01';
SELECT dunning.save_document('pf-leaflet', 'leaflet.txt', 'x', 'text/plain');
-- A message of a campaign, over one channel and then the next; and whose message carries it on.
CREATE FUNCTION pg_temp.campaign(n int, channels text[], more jsonb, what jsonb) RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.message SELECT dunning._uuid7(), 'pf-' || n, 'default', gen_random_uuid(), 'consumer', 'one', 'reminder-1', channels[1], 'en', CASE channels[1] WHEN 'email' THEN 'pf_mail' ELSE 'pf_text' END,
    dunning._now(), NULL, 'x', '{"EUR": 100}', 0, 'EUR', NULL, 0.5, 1, 1, false, NULL, c.context || more, jsonb_build_object('channels', channels) || what, dunning._now(), 'test'
    FROM dunning._context(ARRAY['pf-' || n], NULL) c;
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel, priority)
SELECT debtor_id, message_id, creditor, dunning._slice(debtor_id), 'queued', contact_at, server, channel, (decision->>'priority')::smallint FROM dunning.message WHERE debtor_id = 'pf-' || n $$;
CREATE FUNCTION pg_temp.story(n int) RETURNS TABLE (channel text, strategy text, same_run boolean, state text, reason text, blocked_by text[], priority smallint, attach jsonb, cost numeric) LANGUAGE sql AS $$
SELECT m.channel, m.strategy, m.run_id = first_value(m.run_id) OVER w, s.state, s.reason, q.blocked_by, q.priority, m.context->'attach', m.cost
FROM dunning.message m JOIN dunning.message_state s USING (debtor_id, message_id) LEFT JOIN dunning.queue q USING (debtor_id, message_id) WHERE m.debtor_id = 'pf-' || n WINDOW w AS (ORDER BY m.message_id) ORDER BY m.message_id $$;

-- a_fallback_has_the_priority_and_the_campaign_of_what_it_carries_on
SELECT pg_temp.campaign(1, '{email,sms}', '{}', '{"priority": 7}');
CALL dunning.deliver(max_messages => 1);
SELECT * FROM pg_temp.story(1);
-- one_without_a_priority_has_none
SELECT pg_temp.campaign(2, '{email,sms}', '{}', '{}');
CALL dunning.deliver(max_messages => 1);
SELECT * FROM pg_temp.story(2);
CALL dunning.deliver();
-- send_remembers_it: the same where the failure comes as a receipt, when the queue has forgotten the message
ALTER SERVER pf_mail OPTIONS (SET verdict 'sent');
SELECT state FROM dunning.send('pf-3', 'reminder-1', priority => 5);
UPDATE dunning.message SET decision = decision || '{"channels": ["email", "sms"]}' WHERE debtor_id = 'pf-3';
CALL dunning.deliver();
SELECT recorded FROM dunning.record_event('bounced', 'pf-3', message_id => (SELECT message_id FROM dunning.message WHERE debtor_id = 'pf-3'), detail => '{"hard": false}');
SELECT * FROM pg_temp.story(3);
SELECT c.state FROM (SELECT q.message_id FROM dunning.queue q WHERE q.debtor_id = 'pf-3' OFFSET 0) q, dunning.cancel(q.message_id, 'test') c;
-- retry_does_too
SELECT count(*) FROM dunning.retry(state => 'cancelled', dry_run => false);
SELECT debtor_id, priority FROM dunning.queue WHERE debtor_id LIKE 'pf-%' ORDER BY 1;
SELECT count(c.*) FROM (SELECT q.message_id FROM dunning.queue q WHERE q.debtor_id LIKE 'pf-%' OFFSET 0) q, dunning.cancel(q.message_id, 'test') c;
-- its_campaigns_money_is_asked_for, on the day it leaves: a try that failed is a contact of its day, so it goes on tomorrow
ALTER SERVER pf_mail OPTIONS (SET verdict 'failed');
ALTER SERVER pf_text OPTIONS (SET verdict 'sent');
SELECT dunning.set_budget(0.15, 'EUR', campaign => 'consumer');
SELECT pg_temp.campaign(4, '{email,sms}', '{}', '{}'), pg_temp.campaign(5, '{email,sms}', '{}', '{}');
CALL dunning.deliver();
SET dunning.clock = '2026-06-23 10:00+01';
CALL dunning.deliver();
SELECT s.* FROM generate_series(4, 5) i, pg_temp.story(i) s;
SELECT dunning.set_budget(NULL, 'EUR', campaign => 'consumer');
-- documents_go_on_where_documents_can_go
ALTER SERVER pf_text OPTIONS (SET verdict 'failed');
SELECT pg_temp.campaign(6, '{email,sms}', '{"attach": ["pf-leaflet"]}', '{}');
CALL dunning.deliver();
SELECT * FROM pg_temp.story(6);
ALTER SERVER pf_mail OPTIONS (SET verdict 'sent');
SELECT pg_temp.campaign(7, '{sms,email}', '{"attach": ["pf-leaflet"]}', '{}');
CALL dunning.deliver();
SELECT * FROM pg_temp.story(7);
UPDATE dunning.message SET context = context - 'attach' WHERE debtor_id = 'pf-7' AND channel = 'sms';
SELECT dunning.retry(state => 'held', dry_run => false) IS NOT NULL AS looked_at_again;
CALL dunning.deliver();
UPDATE dunning.message SET context = context || '{"attach": ["pf-leaflet"]}' WHERE debtor_id = 'pf-7' AND channel = 'email';
SET dunning.clock = '2026-06-24 10:00+01';
CALL dunning.deliver();
SELECT * FROM pg_temp.story(7);
SELECT m.channel, jsonb_path_query_array(b.attachments, '$[*].document') AS documents FROM dunning.body b JOIN dunning.message m USING (debtor_id, message_id) WHERE b.debtor_id = 'pf-7' ORDER BY m.message_id;

-- a_server_that_is_left_alone_or_paused_is_not_planned_on_where_another_one_is
CREATE SERVER pf_shut TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'http', url 'https://127.0.0.1:1', breaker_after '1', breaker_pause '1h', position '1');
CREATE USER MAPPING FOR dunning_worker SERVER pf_shut;
SELECT server, state FROM dunning.send('pf-8', 'reminder-1', 'email');
CALL dunning.deliver();
SELECT server FROM dunning._breakers() WHERE server LIKE 'pf%';
SELECT server, paused FROM dunning._servers('email') WHERE server LIKE 'pf%' ORDER BY ord;
SELECT server, state FROM dunning.send('pf-9', 'reminder-1', 'email', dry_run => true);
SELECT dunning.pause('pf_mail') IS NOT NULL AS paused;
SELECT server, paused FROM dunning._servers('email') WHERE server LIKE 'pf%' ORDER BY ord;
SELECT server, state FROM dunning.send('pf-9', 'reminder-1', 'email', dry_run => true);
SELECT dunning.resume('pf_mail') IS NOT NULL AS resumed;
SELECT dunning.resume('pf_shut') IS NOT NULL AS resumed;
SELECT server, state FROM dunning.send('pf-9', 'reminder-1', 'email', dry_run => true);
RESET dunning.clock;
DELETE FROM dunning.channel_cost WHERE channel = 'sms';
DELETE FROM dunning.document WHERE document = 'pf-leaflet';
DELETE FROM dunning.event WHERE debtor_id LIKE 'pf-%';
DELETE FROM dunning.task WHERE debtor_id LIKE 'pf-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'pf-%';
DELETE FROM dunning.queue WHERE debtor_id LIKE 'pf-%';
DELETE FROM dunning.body WHERE debtor_id LIKE 'pf-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'pf-%';
DELETE FROM dunning.egress_head;
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'pf-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'pf-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'pf-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'pf-%';
DROP SERVER pf_mail, pf_text, pf_shut CASCADE;
SELECT dunning.deactivate();
ALTER SYSTEM RESET dunning.databases;
SELECT pg_reload_conf();
