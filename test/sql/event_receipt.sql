-- event: receipts that come before the verdict on the attempt they are about. The claim of a message under way lives in the worker's
-- memory: its queue row stands as `queued`, and the intent alone tells that it is leaving.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.clock = '2026-06-10 10:00+00';
SELECT dunning._ensure_partitions() >= 0 AS partitions;
CREATE SERVER er_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER er_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
INSERT INTO dunning.debtor (debtor_id, name, language, country, email, phone)
SELECT 'ER-' || i, 'Er ' || i, 'en', 'GB', 'er' || i || '@example.uk', '+44770090080' || i FROM generate_series(1, 8) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference)
SELECT 'ER-' || i, 'ER-I' || i, '2026-04-01', '2026-05-01', 300, 'GBP', 'F-' || i FROM generate_series(1, 8) i;

-- A message as the worker leaves it while its attempt is under way: body and egress committed, the queue row `queued`.
CREATE FUNCTION pg_temp.under_way(debtor text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE id uuid := dunning._uuid7();
BEGIN
    INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency,
                                 context, decision, created_at, created_by)
    VALUES (id, debtor, 'default', 'reminder-1', 'email', 'en', 'er_mail', dunning._now(), 'x', '{}', 0, 'GBP', '{"currency": "GBP"}',
            '{"channels": ["email", "sms"]}', dunning._now(), 'test');
    INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel)
    VALUES (debtor, id, 'default', dunning._slice(debtor), 'queued', dunning._now(), 'er_mail', 'email');
    INSERT INTO dunning.body (message_id, debtor_id, creditor, address, subject, body_text, rendered_at)
    VALUES (id, debtor, 'default', 'er@example.uk', 's', 't', dunning._now());
    PERFORM pg_temp.intent(id, 1);
    RETURN id;
END $$;
CREATE FUNCTION pg_temp.intent(id uuid, attempt int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency,
                                at, contact_on, slice, seq, prev, digest)
    SELECT id, attempt, m.debtor_id, m.creditor, m.channel, m.server, dunning._address_digest('er@example.uk', 'email'), '{}', '\x00', 1, 'test', 0, 'GBP',
           now(), dunning._now(), 0, 0, '\x00', '\x00' FROM dunning.message m WHERE m.message_id = id $$;
-- The verdict on an attempt, as the worker writes it down: the plain ones the short way.
CREATE FUNCTION pg_temp.verdict(id uuid, attempt int, state text, detail jsonb DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE m dunning.message := (SELECT x FROM dunning.message x WHERE x.message_id = id);
BEGIN
    IF state = 'sent' AND dunning._finish_sent(ARRAY[m.debtor_id], ARRAY[id], ARRAY[attempt::smallint]) IS NOT NULL THEN
        INSERT INTO dunning.outcome VALUES (id, dunning._uuid7(), m.debtor_id, m.creditor, attempt, 'sent', 'http_200', NULL, NULL, dunning._now());
    ELSE
        PERFORM dunning._conclude(ARRAY[m.debtor_id], ARRAY[id], ARRAY[attempt::smallint], ARRAY[state], ARRAY['http_200'], ARRAY[NULL::text], ARRAY[detail],
                                  ARRAY[dunning._now()], ARRAY[NULL::text]);
    END IF;
END $$;
CREATE FUNCTION pg_temp.look(id uuid) RETURNS TABLE (state text, reason text, queued bigint, outcomes text, went_on text) LANGUAGE sql AS $$
    SELECT s.state, s.reason, (SELECT count(*) FROM dunning.queue q WHERE q.message_id = id),
           (SELECT string_agg(o.attempt || ' ' || o.state, ', ' ORDER BY o.outcome_id) FROM dunning.outcome o WHERE o.message_id = id),
           (SELECT string_agg(q.channel, ', ') FROM dunning.queue q WHERE q.debtor_id = s.debtor_id AND q.message_id <> id)
    FROM dunning.message_state s WHERE s.message_id = id $$;

-- a_delivered_before_the_verdict_stays_delivered_whatever_the_verdict
SELECT pg_temp.under_way('ER-1') AS m \gset
SELECT state FROM dunning.message_state WHERE message_id = :'m';
SELECT recorded FROM dunning.record_event('delivered', 'ER-1', :'m');
SELECT pg_temp.verdict(:'m', 1, 'sent');
SELECT * FROM pg_temp.look(:'m');
SELECT pg_temp.under_way('ER-2') AS m \gset
SELECT recorded FROM dunning.record_event('delivered', 'ER-2', :'m');
SELECT pg_temp.verdict(:'m', 1, 'queued', '{"may_have_arrived": true}');
SELECT * FROM pg_temp.look(:'m');

-- a_bounce_before_the_verdict_goes_on_over_the_next_channel_once
SELECT pg_temp.under_way('ER-3') AS m \gset
SELECT recorded FROM dunning.record_event('bounced', 'ER-3', :'m');
SELECT pg_temp.verdict(:'m', 1, 'sent');
SELECT recorded FROM dunning.record_event('failed', 'ER-3', :'m');
SELECT * FROM pg_temp.look(:'m');
-- the_same_bounce_after_the_verdict_does_the_same
SELECT pg_temp.under_way('ER-4') AS m \gset
SELECT pg_temp.verdict(:'m', 1, 'sent');
SELECT recorded FROM dunning.record_event('bounced', 'ER-4', :'m');
SELECT recorded FROM dunning.record_event('failed', 'ER-4', :'m');
SELECT * FROM pg_temp.look(:'m');

-- a_bounce_of_an_attempt_that_may_have_arrived_ends_the_trying
SELECT pg_temp.under_way('ER-5') AS m \gset
SELECT pg_temp.verdict(:'m', 1, 'queued', '{"may_have_arrived": true}');
SELECT recorded FROM dunning.record_event('failed', 'ER-5', :'m');
SELECT * FROM pg_temp.look(:'m');
-- and_while_the_second_attempt_is_under_way_too
SELECT pg_temp.under_way('ER-6') AS m \gset
SELECT pg_temp.verdict(:'m', 1, 'queued', '{"may_have_arrived": true}');
SELECT pg_temp.intent(:'m', 2);
SELECT recorded FROM dunning.record_event('delivered', 'ER-6', :'m');
SELECT pg_temp.verdict(:'m', 2, 'sent');
SELECT * FROM pg_temp.look(:'m');
-- a_bounce_of_what_the_gateway_certainly_refused_stops_nothing
SELECT pg_temp.under_way('ER-7') AS m \gset
SELECT pg_temp.verdict(:'m', 1, 'queued');
SELECT recorded FROM dunning.record_event('failed', 'ER-7', :'m');
SELECT * FROM pg_temp.look(:'m');

-- without_another_channel_a_bounce_outranks_what_comes_after_it: the same whatever comes first
SELECT pg_temp.under_way('ER-8') AS m \gset
SELECT recorded FROM dunning.record_event('opted_out', 'ER-8', detail => '{"channel": "sms"}');
SELECT recorded FROM dunning.record_event('bounced', 'ER-8', :'m', detail => '{"hard": false}');
SELECT recorded FROM dunning.record_event('delivered', 'ER-8', :'m');
SELECT pg_temp.verdict(:'m', 1, 'sent');
SELECT * FROM pg_temp.look(:'m');

-- whose_answer_it_is_is_found_by_an_index_in_each_month
SELECT count(*) > 0 AS months, count(*) FILTER (WHERE NOT EXISTS (
           SELECT FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
           WHERE x.indrelid = i.inhrelid AND a.attname = 'address_digest')) AS without
FROM pg_inherits i WHERE i.inhparent = 'dunning.egress'::regclass;

DELETE FROM dunning.body WHERE debtor_id LIKE 'ER-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'ER-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'ER-%';
DELETE FROM dunning.queue WHERE debtor_id LIKE 'ER-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'ER-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'ER-%';
DELETE FROM dunning.event WHERE debtor_id LIKE 'ER-%';
DELETE FROM dunning.task WHERE debtor_id LIKE 'ER-%';
DELETE FROM dunning.suppression;
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'ER-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'ER-%';
DROP SERVER er_mail;
DROP SERVER er_text;
RESET dunning.clock;
