-- event: what came back, and what it does.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET dunning.clock = '2026-06-10 10:00+00';
SELECT dunning._ensure_partitions() >= 0 AS partitions;
INSERT INTO dunning.debtor (debtor_id, name, language, country, email, phone) VALUES
    ('EV-1', 'Kirsten Hansen', 'da', 'DK', 'kirsten@example.dk', '+4520123456'),
    ('EV-2', 'Bo Berg', 'en', 'GB', 'bo@example.uk', '+447700900123'),
    ('EV-3', 'Cy Card', 'en', 'GB', 'cy@example.uk', '+447700900124');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference) VALUES
    ('EV-1', 'EV-I1', '2026-04-01', '2026-05-01', 620.25, 'DKK', 'F-1'),
    ('EV-2', 'EV-I2', '2026-04-01', '2026-05-01', 300, 'GBP', 'F-2'),
    ('EV-3', 'EV-I3', '2026-04-01', '2026-05-01', 80, 'GBP', 'F-3');

-- A message as it stands after its attempt left: row, body, egress; `waits` leaves it in the queue, `sending` with its intent.
CREATE FUNCTION pg_temp.message(debtor text, via text, address text, waits text DEFAULT NULL) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE id uuid := dunning._uuid7();
BEGIN
    INSERT INTO dunning.message (message_id, debtor_id, creditor, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency,
                                 context, decision, created_at, created_by)
    VALUES (id, debtor, 'default', 'reminder-1', via, 'en', 'ev', dunning._now(), 'x', '{}', 0, 'EUR', '{}', '{}', dunning._now(), 'test');
    IF waits IS NULL OR waits = 'sending' THEN
        INSERT INTO dunning.body VALUES (id, debtor, 'default', address, 's', 't', NULL, dunning._now());
        INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency,
                                    at, contact_on, slice, seq, prev, digest)
        VALUES (id, 1, debtor, 'default', via, 'ev', dunning._address_digest(address, via), '{}', '\x00', 1, 'test', 0, 'EUR', now(), dunning._now(), 0, 0, '\x00', '\x00');
    END IF;
    IF waits IS NULL THEN
        INSERT INTO dunning.outcome (message_id, outcome_id, debtor_id, creditor, attempt, state, reason, provider_ref, at)
        VALUES (id, dunning._uuid7(), debtor, 'default', 1, 'sent', 'ok', 'ref-' || debtor || '-' || via, dunning._now());
    ELSE
        INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel)
        VALUES (debtor, id, 'default', dunning._slice(debtor), replace(waits, 'sending', 'queued'), dunning._now() + interval '1 hour', 'ev', via);
    END IF;
    RETURN id;
END $$;
CREATE FUNCTION pg_temp.is_suppressed(address text, via text) RETURNS boolean LANGUAGE sql AS
$$ SELECT EXISTS (SELECT FROM dunning.suppression s WHERE s.address_digest = dunning._address_digest(address, via) AND s.channel IN (via, '*')) $$;

-- an_unknown_kind_is_refused_and_the_known_ones_are_listed
SELECT * FROM dunning.record_event('shouted', 'EV-1');
SELECT * FROM dunning.record_event(NULL, 'EV-1');

-- an_event_of_nobody_or_of_a_time_to_come_is_refused
SELECT * FROM dunning.record_event('replied', 'EV-nobody');
SELECT * FROM dunning.record_event('replied', NULL);
SELECT * FROM dunning.record_event('replied', 'EV-1', at => '2026-06-10 10:06+00');
SELECT * FROM dunning.record_event('replied', 'EV-1', at => 'infinity');
SELECT * FROM dunning.record_event('replied', 'EV-1', detail => '[1]');

-- an_event_about_another_debtors_message_is_refused
SELECT pg_temp.message('EV-2', 'email', 'bo@example.uk') AS of_bo \gset
SELECT count(*) FROM dunning.record_event('opened', 'EV-2', :'of_bo');
\set VERBOSITY sqlstate
SELECT * FROM dunning.record_event('opened', 'EV-1', :'of_bo');
SELECT * FROM dunning.record_event('opened', 'EV-1', '01900000-0000-7000-8000-000000000000');
\set VERBOSITY default

-- a_reply_stops_the_queue_holds_for_seven_days_and_makes_one_task
SELECT pg_temp.message('EV-1', 'sms', NULL, 'queued') AS waiting \gset
SELECT recorded, stopped, suppressed, task_id IS NOT NULL AS task, hold_id IS NOT NULL AS hold
FROM dunning.record_event('replied', 'EV-1', detail => '{"text": "I have a question", "channel": "sms"}', event_key => 'reply-1');
SELECT state, reason FROM dunning.message_state WHERE message_id = :'waiting';
SELECT reason, note, until_at - from_at AS length, released_at FROM dunning.hold WHERE debtor_id = 'EV-1';

-- the_same_event_key_is_recorded_once
SELECT recorded, stopped, task_id IS NULL AS no_task, event_id IS NOT NULL AS known
FROM dunning.record_event('replied', 'EV-1', detail => '{"text": "I have a question"}', event_key => 'reply-1');
SELECT count(*) FROM dunning.event WHERE debtor_id = 'EV-1';

-- a_debtor_who_writes_again_is_one_task_and_one_hold_that_lasts_longer
SET dunning.clock = '2026-06-12 10:00+00';
SELECT recorded FROM dunning.record_event('replied', 'EV-1', detail => '{"text": "Hello?"}');
SELECT count(*) AS holds, max(until_at) FROM dunning.hold WHERE debtor_id = 'EV-1';
SELECT kind, subject, completed_at IS NULL AS open FROM dunning.task WHERE debtor_id = 'EV-1';

-- the_days_of_awaiting_us_are_a_setting
SELECT dunning.save_setting('awaiting_us_days', '10');
SELECT recorded FROM dunning.record_event('paid_elsewhere', 'EV-2');
SELECT reason, until_at FROM dunning.hold WHERE debtor_id = 'EV-2';
SELECT dunning.save_setting('awaiting_us_days', NULL);
SELECT dunning.save_setting('awaiting_us_days', 'soon');
-- a_share_with_a_comma_is_refused: every planning run would stumble over it
SELECT dunning.save_setting('proof_share', '0,5');
SELECT dunning.save_setting('proof_share', '-1');
SELECT dunning.save_setting('proof_share', '0.25') AS before, dunning.save_setting('proof_share', NULL) AS set;
SELECT dunning.save_setting('no_such', '1');

-- every_answer_of_a_debtor_makes_its_own_kind_of_task
SELECT k.kind, r.task_id IS NOT NULL AS task, r.hold_id IS NOT NULL AS hold
FROM (VALUES ('called_in', '{}'::jsonb), ('disputed', '{"invoice_id": "EV-I3"}'), ('promised', '{}'), ('circumstances_changed', '{}'), ('replied', '{"request": "plan"}')) AS k (kind, detail),
     dunning.record_event(k.kind, 'EV-3', detail => k.detail) r;
SELECT t.kind, t.subject FROM dunning.task t WHERE t.debtor_id = 'EV-3' ORDER BY t.task_id;

-- a_hard_bounce_suppresses_the_address_it_was_sent_to_and_a_soft_one_does_not
SELECT pg_temp.message('EV-3', 'email', 'old@example.uk') AS m1 \gset
SELECT pg_temp.message('EV-3', 'email', 'full@example.uk') AS m2 \gset
SELECT suppressed FROM dunning.record_event('bounced', 'EV-3', :'m1');
SELECT suppressed FROM dunning.record_event('bounced', 'EV-3', :'m2', detail => '{"hard": false}');
SELECT pg_temp.is_suppressed('old@example.uk', 'email') AS old, pg_temp.is_suppressed('full@example.uk', 'email') AS "full", pg_temp.is_suppressed('cy@example.uk', 'email') AS current;
SELECT * FROM dunning.record_event('bounced', 'EV-3');
SELECT suppressed FROM dunning.record_event('bounced', 'EV-3', detail => '{"channel": "email", "address": "third@example.uk"}');

-- stop_as_a_reply_is_an_opt_out_and_not_a_task
SELECT recorded, stopped, suppressed, task_id FROM dunning.record_event('replied', 'EV-2', detail => '{"text": " STOP. ", "channel": "sms"}');
SELECT pg_temp.is_suppressed('+44 7700 900123', 'sms') AS sms, pg_temp.is_suppressed('bo@example.uk', 'email') AS email;

-- an_opt_out_without_a_channel_is_one_of_every_channel
SELECT suppressed FROM dunning.record_event('opted_out', 'EV-3');
SELECT pg_temp.is_suppressed('+447700900124', 'sms') AS sms, pg_temp.is_suppressed('cy@example.uk', 'email') AS email;
SELECT blocked_by FROM dunning.allowed('EV-3', 'email', '2026-06-16 12:00+00');

-- receipts_end_in_the_same_state_in_whatever_order_they_come
SELECT pg_temp.message('EV-1', 'email', 'kirsten@example.dk') AS a \gset
SELECT pg_temp.message('EV-1', 'email', 'kirsten@example.dk') AS b \gset
SELECT count(*) FROM dunning.record_event('opened', 'EV-1', :'a');
SELECT count(*) FROM dunning.record_event('delivered', 'EV-1', :'a');
SELECT count(*) FROM dunning.record_event('delivered', 'EV-1', :'b');
SELECT count(*) FROM dunning.record_event('opened', 'EV-1', :'b');
SELECT state, count(*) FROM dunning.message_state WHERE message_id IN (:'a', :'b') GROUP BY 1;

-- a_receipt_finishes_the_message_that_waited_for_it
SELECT pg_temp.message('EV-1', 'email', 'kirsten@example.dk', 'sending') AS lost \gset
SELECT state FROM dunning.message_state WHERE message_id = :'lost';
SELECT count(*) FROM dunning.record_event('delivered', 'EV-1', :'lost', detail => '{"provider_ref": "p-7"}');
SELECT s.state, s.reason, (SELECT count(*) FROM dunning.queue q WHERE q.message_id = s.message_id) AS queued FROM dunning.message_state s WHERE s.message_id = :'lost';

-- a_promise_holds_until_its_date_and_grace_and_answers_what_waited
SET dunning.clock = '2026-06-15 09:00+00';
SELECT promise_id IS NOT NULL AS promised, until_at, stopped FROM dunning.promise('EV-1', 400, 'DKK', '2026-06-20');
SELECT reason, released_at IS NULL AS standing FROM dunning.hold WHERE debtor_id = 'EV-1' ORDER BY reason;
SELECT kind, outcome FROM dunning.task WHERE debtor_id = 'EV-1';
SELECT amount, currency, due_on, paid, state FROM dunning.promise_state WHERE debtor_id = 'EV-1';

-- what_cannot_be_promised_is_refused
SELECT * FROM dunning.promise('EV-1', 0, 'DKK', '2026-06-20');
SELECT * FROM dunning.promise('EV-1', 'NaN', 'DKK', '2026-06-20');
SELECT * FROM dunning.promise('EV-1', 100, 'EUR', '2026-06-20');
SELECT * FROM dunning.promise('EV-1', 100, 'DKK', '2026-06-01');
SELECT * FROM dunning.promise('EV-1', 100, 'DKK', 'infinity');
SELECT * FROM dunning.agree_instalments('EV-1', '{}');
SELECT * FROM dunning.agree_instalments('EV-1', '[{"amount": "much", "currency": "DKK", "due_on": "2026-06-20"}]');

-- a_payment_before_the_promise_does_not_keep_it_and_one_after_does
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('EV-1', 'EV-P1', '2026-06-18 12:00+00', 150, 'DKK');
SET dunning.clock = '2026-06-19 09:00+00';
SELECT paid, state FROM dunning.promise_state WHERE debtor_id = 'EV-1';
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('EV-1', 'EV-P2', '2026-06-20 12:00+00', 250, 'DKK');
SET dunning.clock = '2026-06-21 09:00+00';
SELECT paid, state FROM dunning.promise_state WHERE debtor_id = 'EV-1';
SELECT * FROM dunning._check_promises();
SELECT count(*) AS standing FROM dunning.hold WHERE debtor_id = 'EV-1' AND released_at IS NULL;

-- instalments_are_kept_one_by_one_and_a_broken_one_ends_the_hold
SELECT cardinality(promise_ids) AS parts, until_at FROM dunning.agree_instalments('EV-2',
    '[{"amount": 100, "currency": "GBP", "due_on": "2026-07-01"}, {"amount": 100, "currency": "GBP", "due_on": "2026-08-01"}, {"amount": 100, "currency": "GBP", "due_on": "2026-09-01"}]');
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('EV-2', 'EV-P3', '2026-06-30 12:00+00', 100, 'GBP');
SET dunning.clock = '2026-07-20 09:00+00';
SELECT part, parts, paid, state FROM dunning.promise_state WHERE debtor_id = 'EV-2' ORDER BY part;
SELECT * FROM dunning._check_promises();
SET dunning.clock = '2026-08-06 09:00+00';
SELECT part, state FROM dunning.promise_state WHERE debtor_id = 'EV-2' ORDER BY part;
SELECT * FROM dunning._check_promises();
SELECT * FROM dunning._check_promises();
SELECT kind, subject FROM dunning.task WHERE debtor_id = 'EV-2' AND completed_at IS NULL ORDER BY kind;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('EV-2', 'EV-P4', '2026-08-07 12:00+00', 100, 'GBP');
SET dunning.clock = '2026-08-08 09:00+00';
SELECT part, state FROM dunning.promise_state WHERE debtor_id = 'EV-2' ORDER BY part;

-- a_new_promise_replaces_the_open_one
SELECT count(*) FROM dunning.promise('EV-2', 50, 'GBP', '2026-08-20');
SELECT amount, state FROM dunning.promise_state WHERE debtor_id = 'EV-2' ORDER BY promised_at, part;
SELECT count(*) AS standing FROM dunning.hold WHERE debtor_id = 'EV-2' AND reason = 'promise' AND released_at IS NULL;

-- a_task_is_claimed_by_one_and_done_once
CREATE ROLE regress_dunning_anna LOGIN IN ROLE dunning_operator;
CREATE ROLE regress_dunning_bert LOGIN IN ROLE dunning_operator;
SELECT dunning._task('EV-3', 'call', 'call about F-3', script => 'Hello Cy') AS call_task \gset
SET SESSION AUTHORIZATION regress_dunning_anna;
SELECT kind, claimed_by, script FROM dunning.claim_task(:'call_task');
SET SESSION AUTHORIZATION regress_dunning_bert;
\set VERBOSITY sqlstate
SELECT kind FROM dunning.claim_task(:'call_task');
SELECT * FROM dunning.complete_task(:'call_task', 'reached');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_dunning_anna;
SELECT debtor_id, next_task_id IS NOT NULL AS again FROM dunning.complete_task(:'call_task', 'no_answer', 'rang twice', '2026-08-09 09:00+00');
SELECT * FROM dunning.complete_task(:'call_task', 'reached');
SELECT * FROM dunning.claim_task('01900000-0000-7000-8000-000000000000');
\set VERBOSITY default
SELECT * FROM dunning.complete_task(:'call_task', 'vanished');
SELECT * FROM dunning.complete_task(:'call_task', 'done', next_at => '2020-01-01');
RESET SESSION AUTHORIZATION;
SELECT kind, outcome, note, claimed_by, due_at FROM dunning.task WHERE debtor_id = 'EV-3' AND kind = 'call' ORDER BY task_id;
SELECT kind, detail ->> 'outcome' AS outcome FROM dunning.event WHERE debtor_id = 'EV-3' AND kind IN ('called', 'conversation');

-- the_last_answer_given_ends_awaiting_us
SELECT recorded FROM dunning.record_event('called_in', 'EV-1');
SELECT task_id AS answer FROM dunning.task WHERE debtor_id = 'EV-1' AND completed_at IS NULL \gset
SELECT hold_ended FROM dunning.complete_task(:'answer', 'reached');
SELECT count(*) AS awaiting FROM dunning.hold WHERE debtor_id = 'EV-1' AND reason = 'awaiting_us' AND released_at IS NULL;

-- a_viewer_may_neither_record_nor_read_what_was_said
SET ROLE dunning_viewer;
SELECT * FROM dunning.record_event('replied', 'EV-1');
SELECT detail FROM dunning.event;
SELECT count(*) > 0 AS kinds FROM dunning.event WHERE kind = 'replied';
RESET ROLE;

-- every_touchpoint_sees_the_same_conversation
SELECT pg_temp.message('EV-1', 'email', 'kirsten@example.dk') AS last \gset
SELECT c ->> 'name' AS name, c #> '{balances,0,amount}' AS balance, c -> 'offer' ->> 'text' AS text, jsonb_array_length(c -> 'promises') AS promises,
       jsonb_array_length(c -> 'holds') AS holds, jsonb_array_length(c -> 'history') > 5 AS history, c -> 'last_contact' ->> 'channel' AS last
FROM dunning.conversation('EV-1') c;
SELECT dunning.conversation('EV-nobody');

-- Webhooks. The secret file of a server signs "timestamp.body"; the signature is computed here as the sender does.
CREATE FUNCTION pg_temp.hmac(secret text, body text) RETURNS text LANGUAGE sql AS $$
    SELECT encode(sha256(outer_pad || sha256(inner_pad || convert_to(body, 'UTF8'))), 'hex')
    FROM (SELECT string_agg(set_byte('\x00', 0, get_byte(k, i) # 54), ''::bytea ORDER BY i) AS inner_pad,
                 string_agg(set_byte('\x00', 0, get_byte(k, i) # 92), ''::bytea ORDER BY i) AS outer_pad
          FROM (SELECT decode(rpad(encode(convert_to(secret, 'UTF8'), 'hex'), 128, '0'), 'hex') AS k) s, generate_series(0, 63) i) p $$;
CREATE FUNCTION pg_temp.post(body text, secret text DEFAULT 'ev-secret', late int DEFAULT 0) RETURNS TABLE (kind text, debtor_id text, recorded boolean, reason text) LANGUAGE sql AS $$
    SELECT r.kind, r.debtor_id, r.recorded, r.reason
    FROM (SELECT (extract(epoch FROM dunning._now())::bigint + late)::text AS stamp) t,
         dunning.receive('ev', jsonb_build_object('X-Dunning-Timestamp', t.stamp, 'x-dunning-SIGNATURE', 'sha256=' || pg_temp.hmac(secret, t.stamp || '.' || body)), body) r $$;
SELECT pg_temp.hmac('key', 'The quick brown fox jumps over the lazy dog') AS known_answer;
COPY (SELECT 'ev-secret') TO PROGRAM 'umask 077; mkdir -p ev-secrets && cat > ev-secrets/ev.secret';
SELECT current_setting('data_directory') || '/ev-secrets' AS secrets \gset
SET dunning.secret_directory = :'secrets';
CREATE SERVER ev TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE USER MAPPING FOR dunning_worker SERVER ev OPTIONS (secret_file 'ev.secret');
SELECT pg_temp.message('EV-3', 'sms', '+447700900124') AS sms \gset

-- a_signed_receipt_becomes_an_event_once
SELECT * FROM pg_temp.post(format('{"event": "delivered", "message_id": "%s", "event_id": "e-1", "at": "2026-08-07T08:59:00Z"}', :'sms'));
SELECT * FROM pg_temp.post(format('{"event": "delivered", "message_id": "%s", "event_id": "e-1", "at": "2026-08-07T08:59:00Z"}', :'sms'));
SELECT * FROM pg_temp.post(format('{"event": "delivered", "message_id": "%s", "event_id": "e-1", "at": "2026-08-07T08:59:00Z"}', :'sms'), late => 5);
SELECT state FROM dunning.message_state WHERE message_id = :'sms';

-- a_forged_late_or_unsigned_receipt_is_refused
SELECT * FROM pg_temp.post('{"event": "delivered"}', secret => 'other');
SELECT * FROM pg_temp.post('{"event": "delivered"}', late => -301);
SELECT * FROM pg_temp.post('{"event": "delivered"}', late => 301);
SELECT reason FROM pg_temp.post('{"event": "sent"}', late => -300);
SELECT reason FROM pg_temp.post('{"event": "sent"}', late => 300);
SELECT * FROM dunning.receive('ev', '{}', '{"event": "delivered"}');
SELECT * FROM dunning.receive('ev', NULL, '{"event": "delivered"}');
SELECT * FROM dunning.receive('ev', '{"x-dunning-timestamp": "now", "x-dunning-signature": "00"}', '{}');
\set VERBOSITY terse
SELECT * FROM dunning.receive('no_such', jsonb_build_object('x-dunning-timestamp', extract(epoch FROM dunning._now())::bigint::text, 'x-dunning-signature', repeat('0', 64)), '{}');
\set VERBOSITY default

-- one_bad_item_does_not_lose_the_others
SELECT * FROM pg_temp.post(format('{"events": [{"event": "warbled"}, {"event": "delivered"}, {"event": "clicked", "message_id": "%s", "at": "not a time"},
    {"event": "opened", "ref": "ref-EV-3-sms"}, {"event": "inbound", "from": "+44 7700 900124", "text": "when?"}]}', :'sms'));
SELECT * FROM pg_temp.post('not json');
SELECT * FROM pg_temp.post('[1]');

-- stop_from_an_unknown_number_is_obeyed
SELECT * FROM pg_temp.post('{"event": "inbound", "from": "+447700900999", "text": "Stop"}');
SELECT pg_temp.is_suppressed('+447700900999', 'sms') AS obeyed;

DROP USER MAPPING FOR dunning_worker SERVER ev;
DROP SERVER ev;
RESET dunning.secret_directory;
COPY (SELECT 1) TO PROGRAM 'rm -r ev-secrets; cat >/dev/null';
DELETE FROM dunning.body WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.queue WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.event WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.task WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.promise WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.hold WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.suppression;
DELETE FROM dunning.payment WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'EV-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'EV-%';
DROP ROLE regress_dunning_anna;
DROP ROLE regress_dunning_bert;
RESET dunning.clock;

-- a_reply_that_means_stop_is_an_opt_out_and_a_sentence_is_for_a_person
SELECT w.w, dunning._means_stop(w.w) FROM unnest(ARRAY['STOP', ' stop. ', 'STOP please', 'Stop, please!', 'unsubscribe me now', 'Stop all', 'fin', 'fin du mois', 'Fin tak',
    'stop asking, I paid last week', 'please call me', 'do not stop', '', NULL]) WITH ORDINALITY w(w, o) ORDER BY w.o;
