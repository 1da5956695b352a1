-- queue: enqueueing, the one transition function, partitions.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;

-- A row source as planning gives it: one message a debtor, over a server that does not exist.
CREATE FUNCTION pg_temp.q_source(debtors text[], once_kind text, once_key text, state text DEFAULT 'queued') RETURNS text LANGUAGE sql AS $$
SELECT format($f$SELECT dunning._uuid7() AS message_id, d AS debtor_id, 'default' AS creditor, NULL::uuid AS run_id, 'standard' AS strategy, 'reminder-1' AS step,
    'reminder-1' AS template, 'email' AS channel, 'en' AS language, 'none' AS server, '2030-01-02 10:00+00'::timestamptz AS contact_at,
    NULL::timestamptz AS not_after, '2030-01-02 10:00 UTC' AS local_time, '{"EUR": 10}'::jsonb AS amounts, 0::numeric AS cost, 'EUR' AS cost_currency,
    NULL::text AS variant, 0.5::float8 AS p, 1::numeric AS expected_value, 1::float8 AS propensity, false AS explored, 'm' AS ledger_mark,
    '{}'::jsonb AS context, '{}'::jsonb AS decision, %L::text AS state, NULL::text AS reason, NULL::text[] AS blocked_by,
    %L::text AS once_kind, %L::text AS once_key FROM unnest(%L::text[]) d$f$, state, once_kind, once_key, debtors) $$;
CREATE FUNCTION pg_temp.q_settle(debtor text, attempt int, state text, reason text DEFAULT 'test', detail jsonb DEFAULT NULL, due timestamptz DEFAULT NULL)
RETURNS TABLE (debtor_id text, became text) LANGUAGE sql AS $$
SELECT s.debtor_id, s.state FROM (SELECT m.message_id FROM dunning.message m WHERE m.debtor_id = debtor ORDER BY 1 DESC LIMIT 1) m,
LATERAL dunning._settle(ARRAY[debtor], ARRAY[m.message_id], ARRAY[attempt::smallint], ARRAY[state], ARRAY[reason], ARRAY[NULL::text], ARRAY[detail], ARRAY[due]) s $$;
-- An intent, as the worker commits it.
CREATE FUNCTION pg_temp.q_intent(debtor text, attempt int) RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.egress SELECT m.message_id, attempt::smallint, m.debtor_id, m.creditor, m.channel, 'none', '\x00', '{}', '\x00', 1, 'test', false, 0, 'EUR',
    now(), now(), dunning._slice(m.debtor_id), 1, '\x00', '\x00' FROM dunning.message m WHERE m.debtor_id = debtor ORDER BY 1 DESC LIMIT 1 $$;
CREATE FUNCTION pg_temp.q_look() RETURNS TABLE (debtor_id text, state text, reason text, attempts int, blocked_by text[], outcomes bigint) LANGUAGE sql AS $$
SELECT s.debtor_id, s.state, s.reason, q.attempts::int, q.blocked_by, (SELECT count(*) FROM dunning.outcome o WHERE o.message_id = s.message_id)
FROM dunning.message_state s LEFT JOIN dunning.queue q USING (debtor_id, message_id) WHERE s.debtor_id LIKE 'q-%' ORDER BY s.debtor_id COLLATE "C", s.message_id $$;

-- partitions_of_a_month_and_the_next_are_made_on_first_need_and_are_no_members
SELECT dunning._ensure_partitions() BETWEEN 0 AND 8 AS made;
SELECT dunning._ensure_partitions() AS again;
SELECT dunning._ensure_partitions('2031-12-15 12:00+00') AS later, dunning._ensure_partitions('2032-01-01 00:00+00') AS overlapping;
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bounds, pg_get_userbyid(c.relowner) AS owner,
       EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') AS member,
       (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p') AS key
FROM pg_class c WHERE c.relname ~ '_y2031m12$' AND c.relkind = 'r' ORDER BY 1;
-- a_month_boundary_falls_into_the_later_month
SELECT dunning._uuid7_floor('2032-01-01 00:00+00') AS first_of_january;
-- partitions_carry_the_grants_of_their_parent
SELECT has_column_privilege('dunning_viewer', 'dunning.message_y2031m12', 'channel', 'SELECT') AS open,
       has_column_privilege('dunning_viewer', 'dunning.message_y2031m12', 'context', 'SELECT') AS personal,
       has_table_privilege('dunning_viewer', 'dunning.body_y2031m12', 'SELECT') AS body;
DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT format('dunning.%I', relname) FROM pg_class WHERE relname ~ '_y203[12]m\d\d$' AND relkind = 'r' LOOP EXECUTE 'DROP TABLE ' || t; END LOOP;
END $$;

-- a_key_of_once_lets_a_step_into_the_queue_once
SELECT debtor_id FROM dunning._enqueue(pg_temp.q_source('{q-1,q-2,q-3}', 'step', 'standard/reminder-1/2029-12-01')) ORDER BY 1;
SELECT debtor_id FROM dunning._enqueue(pg_temp.q_source('{q-1,q-2,q-4,q-5,q-6,q-7}', 'step', 'standard/reminder-1/2029-12-01')) ORDER BY 1;
SELECT debtor_id FROM dunning._enqueue(pg_temp.q_source('{q-8,q-8b}', NULL, NULL, 'proposed')) ORDER BY 1;
SELECT * FROM pg_temp.q_look();
-- what_hangs_on_a_table_runs
CREATE FUNCTION pg_temp.q_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.template := upper(NEW.template); RETURN NEW; END $$;
CREATE TRIGGER q_note BEFORE INSERT ON dunning.message FOR EACH ROW EXECUTE FUNCTION pg_temp.q_note();
BEGIN;
SELECT e.debtor_id FROM dunning._enqueue(pg_temp.q_source('{q-9,q-1}', 'step', 'standard/reminder-1/2029-12-01')) e;
SELECT m.template = upper(m.template) AS ran FROM dunning.message m WHERE m.debtor_id = 'q-9';
ROLLBACK;
DROP TRIGGER q_note ON dunning.message;
-- a_query_with_an_argument_is_asked_with_each
BEGIN;
SELECT e.debtor_id FROM dunning._enqueue('SELECT s.* FROM (' || pg_temp.q_source('{q-9,q-9b}', 'step', 'k') || ') s WHERE s.debtor_id = $1->>0', '["q-9"]') e;
SELECT e.debtor_id FROM dunning._enqueue('SELECT s.* FROM (' || pg_temp.q_source('{q-9,q-9b}', 'step', 'k') || ') s WHERE s.debtor_id = $1->>0', '["q-9b"]') e;
SELECT e.debtor_id FROM dunning._enqueue('SELECT s.* FROM (' || pg_temp.q_source('{q-9,q-9b}', 'step', 'k') || ') s WHERE s.debtor_id = $1->>0', '["q-9b"]') e;
ROLLBACK;
-- a_query_that_lacks_a_column_is_refused_and_so_is_a_message_without_a_key
SELECT dunning._enqueue('SELECT 1 AS message_id');
SELECT dunning._enqueue(replace(pg_temp.q_source('{q-9}', NULL, NULL), 'dunning._uuid7()', 'NULL::uuid'));
-- a_message_and_its_queue_row_agree
SELECT count(*) = count(q.message_id) AS whole, bool_and(q.slice = dunning._slice(m.debtor_id) AND q.due = m.contact_at) AS same
FROM dunning.message m LEFT JOIN dunning.queue q USING (debtor_id, message_id) WHERE m.debtor_id LIKE 'q-%';

-- a_verdict_is_settled_once_however_many_bring_it
SELECT pg_temp.q_intent('q-1', 1);
SELECT * FROM pg_temp.q_settle('q-1', 1, 'sent');
SELECT * FROM pg_temp.q_settle('q-1', 1, 'sent');
SELECT * FROM pg_temp.q_settle('q-1', 1, 'dead');
-- a_retry_moves_due_and_counts_the_attempt_and_an_old_verdict_loses
SELECT pg_temp.q_intent('q-2', 1);
SELECT * FROM pg_temp.q_settle('q-2', 1, 'queued', 'http_503', '{"code": 503}', '2030-01-02 11:00+00');
SELECT * FROM pg_temp.q_settle('q-2', 1, 'sent');
SELECT state, due, attempts FROM dunning.queue WHERE debtor_id = 'q-2';
SELECT pg_temp.q_intent('q-2', 2);
SELECT * FROM pg_temp.q_settle('q-2', 2, 'unknown', 'timeout');
-- a_held_message_says_by_what_and_waits_until_released
SELECT * FROM pg_temp.q_settle('q-3', 0, 'held', 'ledger_stale', '{"blocked_by": ["ledger_stale", "hold:manual"]}', '2030-01-02 10:15+00');
SELECT * FROM pg_temp.q_look() WHERE debtor_id = 'q-3';
-- held_again_for_the_same_reason_is_no_news
SELECT * FROM pg_temp.q_settle('q-3', 0, 'held', 'ledger_stale', '{"blocked_by": ["ledger_stale", "hold:manual"]}', '2030-01-02 10:30+00');
SELECT outcomes FROM pg_temp.q_look() WHERE debtor_id = 'q-3';
SELECT dunning._release_held(blocker => 'quiet_hours') AS others, dunning._release_held('{q-1}') AS not_its, dunning._release_held(due_until => '2030-01-02 10:00+00') AS not_yet,
       dunning._release_held(blocker => 'ledger_stale') AS released;
SELECT state, due FROM dunning.queue WHERE debtor_id = 'q-3';
-- stopping_a_debtor_cancels_what_waits_and_leaves_what_is_leaving
SELECT pg_temp.q_intent('q-4', 1);
SELECT dunning._stop_messages('q-4', 'promised') AS leaving, dunning._stop_messages('q-5', 'promised') AS waiting, dunning._stop_messages('q-nobody', 'promised') AS nobody;
SELECT dunning._stop_messages('q-8', 'disputed') AS proposed;
-- the_step_of_a_stopped_message_may_be_planned_again_that_of_one_leaving_never
SELECT debtor_id FROM dunning._enqueue(pg_temp.q_source('{q-4,q-5}', 'step', 'standard/reminder-1/2029-12-01'));
-- what_the_gateway_said_of_a_message_cancelled_meanwhile_is_kept
SELECT pg_temp.q_intent('q-6', 1);
SELECT dunning._stop_messages('q-6', 'paid') AS stopped;
SELECT state FROM dunning.message_state WHERE debtor_id = 'q-6';
SELECT * FROM pg_temp.q_settle('q-6', 1, 'sent');
SELECT * FROM pg_temp.q_settle('q-6', 1, 'sent');
-- receipts_in_any_order_give_the_same_state
INSERT INTO dunning.outcome SELECT message_id, dunning._uuid7(), debtor_id, creditor, 1, 'delivered', 'receipt', NULL, NULL, now() FROM dunning.message WHERE debtor_id = 'q-6';
INSERT INTO dunning.outcome SELECT message_id, dunning._uuid7(), debtor_id, creditor, 1, 'sent', 'receipt', NULL, NULL, now() FROM dunning.message WHERE debtor_id = 'q-6';
SELECT * FROM pg_temp.q_look();
-- an_unknown_state_is_refused
SELECT * FROM pg_temp.q_settle('q-7', 1, 'lost');
-- many_are_settled_in_one_call
SELECT count(*) FROM (SELECT array_agg(debtor_id) d, array_agg(message_id) m, count(*)::int n FROM dunning.queue WHERE debtor_id LIKE 'q-%') q,
    LATERAL dunning._settle(d, m, array_fill(0::smallint, ARRAY[n]), array_fill('cancelled'::text, ARRAY[n]), array_fill('test'::text, ARRAY[n]),
        array_fill(NULL::text, ARRAY[n]), array_fill(NULL::jsonb, ARRAY[n]), array_fill(NULL::timestamptz, ARRAY[n]));
SELECT count(*) AS left_over FROM dunning.queue WHERE debtor_id LIKE 'q-%';

-- a_message_with_an_intent_and_no_outcome_is_sending
SELECT count(*) AS queued FROM dunning._enqueue(pg_temp.q_source('{qf-1,qf-2,qf-3,qf-4,qf-5,qf-6}', 'step', 'standard/reminder-1/2029-12-02'));
SELECT pg_temp.q_intent('qf-' || i, 1) FROM generate_series(1, 6) i \g /dev/null
SELECT DISTINCT state FROM dunning.message_state WHERE debtor_id LIKE 'qf-%';
-- a_step_is_free_again_when_no_attempt_left_anything_and_never_when_one_may_have
CREATE FUNCTION pg_temp.q_conclude(debtor text, attempt int, state text, reason text, detail jsonb DEFAULT NULL) RETURNS int LANGUAGE sql AS $$
SELECT dunning._conclude(ARRAY[debtor], ARRAY[m.message_id], ARRAY[attempt::smallint], ARRAY[state], ARRAY[reason], ARRAY[NULL::text], ARRAY[detail], ARRAY[NULL::timestamptz], ARRAY[NULL::text])
FROM dunning.message m WHERE m.debtor_id = debtor $$;
SELECT pg_temp.q_conclude('qf-1', 1, 'cancelled', 'balance_changed') AS refused_at_the_recheck,
       pg_temp.q_conclude('qf-2', 1, 'queued', 'timeout', '{"may_have_arrived": true}') AS doubtful, pg_temp.q_conclude('qf-3', 1, 'queued', 'http_503', '{"code": 503}') AS turned_away;
SELECT pg_temp.q_conclude('qf-' || i, 0, 'cancelled', 'balance_changed') FROM generate_series(2, 4) i \g /dev/null
-- the first three have their verdict, qf-4 has none yet; qf-5 and qf-6 are taken back while under way, qf-6 for good
SELECT dunning._stop_messages('qf-5', 'disputed') AS stopped, (SELECT count(*) FROM dunning.message m, dunning.cancel(m.message_id, 'by hand') WHERE m.debtor_id = 'qf-6') AS cancelled;
SELECT debtor_id FROM dunning.once WHERE debtor_id LIKE 'qf-%' AND kind = 'step' ORDER BY 1;
-- and_the_recheck_that_finds_them_stopped_frees_those_that_may_be_planned_again
SELECT pg_temp.q_conclude('qf-' || i, 1, 'cancelled', 'stopped') FROM generate_series(5, 6) i \g /dev/null
SELECT debtor_id FROM dunning.once WHERE debtor_id LIKE 'qf-%' AND kind = 'step' ORDER BY 1;
-- what_may_have_arrived_is_unknown_whether_it_was_stopped_before_or_after_that_was_known
SELECT count(*) AS queued FROM dunning._enqueue(pg_temp.q_source('{qf-7}', NULL, NULL));
SELECT pg_temp.q_intent('qf-7', 1) \g /dev/null
SELECT dunning._stop_messages('qf-7', 'promised') AS stopped, pg_temp.q_conclude('qf-7', 1, 'queued', 'timeout', '{"may_have_arrived": true}') AS settled;
SELECT s.debtor_id, s.state, s.reason, (SELECT count(*) FROM dunning.task t WHERE t.message_id = s.message_id) AS tasks FROM dunning.message_state s WHERE s.debtor_id IN ('qf-2', 'qf-7') ORDER BY 1;
-- an_attempt_without_verdict_of_a_cancelled_message_is_unknown_when_its_slice_has_a_new_owner
SELECT dunning._take_over(ARRAY[((dunning._slice('qf-4') + 1) % 64)::smallint]) AS "left";
SELECT s.state FROM dunning.message_state s WHERE s.debtor_id = 'qf-4';
SELECT dunning._take_over(ARRAY[dunning._slice('qf-4')]) AS "left";
SELECT s.state, s.reason, t.kind FROM dunning.message_state s JOIN dunning.task t USING (debtor_id, message_id) WHERE s.debtor_id = 'qf-4';
DELETE FROM dunning.task WHERE debtor_id LIKE 'qf-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'qf-%';

-- the_internals_are_not_for_everyone
SET ROLE dunning_viewer;
SELECT count(*) > 0 AS may_look FROM dunning.message_state WHERE debtor_id LIKE 'q-%';
SELECT dunning._enqueue('SELECT 1');
SELECT dunning._stop_messages('q-4', 'x');
SELECT context FROM dunning.message;
RESET ROLE;

-- send(): what an application calls.
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-03-10 09:00+00';      -- a Tuesday, ten o'clock in Copenhagen
CREATE SERVER q_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER q_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
INSERT INTO dunning.debtor (debtor_id, name, country, time_zone, language, email, phone, preferred_channel) VALUES
    ('q-s1', 'Kirsten Hansen', 'DK', 'Europe/Copenhagen', 'da', 'q-s1@example.test', '+4520000001', NULL),
    ('q-s2', 'Mads Berg', 'DK', 'Europe/Copenhagen', 'da', 'q-s2@example.test', '+4520000002', 'sms'),
    ('q-s3', 'Åse Nil', 'DK', 'Europe/Copenhagen', 'da', NULL, NULL, NULL);
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference)
SELECT 'q-s' || i, 'q-i' || i, '2026-02-01', '2026-02-20', 100 * i, 'EUR', 'F-' || i FROM generate_series(1, 3) i;
-- sending_says_where_delivery_is_off_and_a_dry_run_writes_nothing
SET client_min_messages = notice;
SELECT state, channel, server, amounts, contact_at = dunning._now() AS at_once FROM dunning.send('q-s1', 'reminder-1', dry_run => true);
SELECT count(*) AS messages FROM dunning.message WHERE debtor_id = 'q-s1';
SELECT state, channel, server, amounts, reason, blocked_by FROM dunning.send('q-s1', 'reminder-1', idempotency_key => 'k1', vars => '{"note": "hej"}');
SET client_min_messages = warning;
-- the_same_idempotency_key_gives_the_same_message
SELECT count(DISTINCT s.message_id) AS messages FROM (SELECT message_id FROM dunning.send('q-s1', 'reminder-1', idempotency_key => 'k1')
    UNION ALL SELECT message_id FROM dunning.send('q-s1', 'reminder-2', 'sms', idempotency_key => 'k1') UNION ALL SELECT message_id FROM dunning.message WHERE debtor_id = 'q-s1') s;
SELECT context->>'note' AS note, context->>'amount' AS amount, context->>'days_overdue' AS days, decision->>'call' AS call, language, ledger_mark IS NOT NULL AS marked FROM dunning.message WHERE debtor_id = 'q-s1';
-- a_preferred_channel_goes_first_and_a_named_one_is_the_only_one
SELECT channel, state FROM dunning.send('q-s2', 'reminder-1', dry_run => true);
SELECT channel, state FROM dunning.send('q-s2', 'reminder-1', 'email', dry_run => true);
-- what_blocks_is_held_with_words_and_no_error
SELECT state, reason, blocked_by FROM dunning.send('q-s3', 'reminder-1');
SELECT state, reason, blocked_by FROM dunning.send('q-s2', 'reminder-2', 'letter');
-- at_night_the_next_allowed_time_is_taken
SET dunning.clock = '2026-03-10 23:30+00';
SELECT state, contact_at > dunning._now() AS later FROM dunning.send('q-s2', 'reminder-1', 'sms');
SET dunning.clock = '2026-03-10 09:00+00';
-- bad_arguments_name_what_is_known
SELECT * FROM dunning.send('q-nobody', 'reminder-1');
SELECT * FROM dunning.send('q-s1', 'no-such-template');
SELECT * FROM dunning.send('q-s1', 'reminder-1', 'pigeon');
SELECT * FROM dunning.send('q-s1', 'reminder-1', vars => '[1]');
SELECT * FROM dunning.send('q-s1', 'reminder-1', not_before => 'infinity');
SELECT * FROM dunning.send('q-s1', 'reminder-1', not_before => '2026-03-12', not_after => '2026-03-11');
SELECT * FROM dunning.send('q-s1', 'reminder-1', not_after => '2026-03-01');
-- how_the_queue_stands
SELECT channel, server, state, reason, messages, due_now, paused FROM dunning.queue_status WHERE server LIKE 'q\_%' OR state = 'held' ORDER BY 1, 2, 3, 4;
-- a_cancelled_message_is_cancelled_for_a_reason_and_one_that_is_finished_stays_so
SELECT state, reason FROM dunning.cancel((SELECT message_id FROM dunning.message WHERE debtor_id = 'q-s1'), 'paid at the desk');
SELECT state, reason FROM dunning.cancel((SELECT message_id FROM dunning.message WHERE debtor_id = 'q-s1'), 'again');
SELECT * FROM dunning.cancel('00000000-0000-7000-8000-000000000000', 'x');
\getenv inputdir PG_ABS_SRCDIR
\set hint_runs :inputdir '/sql/lib/hint_runs.sql'
\i :hint_runs
SELECT pg_temp.hint_runs(format('SELECT * FROM dunning.cancel(%L, %L)', m.message_id, '')) AS hint FROM dunning.message m WHERE m.debtor_id = 'qf-6' OR m.debtor_id = 'q-s1' LIMIT 1;
-- retrying_is_shown_before_it_is_done
SELECT debtor_id, channel, was, reason FROM dunning.retry(state => 'cancelled', server => 'q_mail');
SELECT count(*) AS queued FROM dunning.queue WHERE debtor_id = 'q-s1';
SELECT debtor_id, channel, was, reason FROM dunning.retry((SELECT message_id FROM dunning.message WHERE debtor_id = 'q-s1'), 'cancelled', dry_run => false);
SELECT state, attempts FROM dunning.queue WHERE debtor_id = 'q-s1';
SELECT * FROM dunning.retry(state => 'sent');
-- the_attempt_after_a_retry_is_a_new_one
SELECT pg_temp.q_intent('q-s1', 1);
SELECT * FROM pg_temp.q_settle('q-s1', 1, 'dead', 'http_400');
SELECT was, reason FROM dunning.retry((SELECT message_id FROM dunning.message WHERE debtor_id = 'q-s1'), dry_run => false);
SELECT * FROM pg_temp.q_settle('q-s1', 1, 'sent');
SELECT pg_temp.q_intent('q-s1', 2);
SELECT * FROM pg_temp.q_settle('q-s1', 2, 'sent');
SELECT state, outcomes FROM pg_temp.q_look() WHERE debtor_id = 'q-s1';
-- a_server_is_paused_and_resumed_by_name
SELECT dunning.pause('q_text'), dunning.pause('q_text');
SELECT bool_and(paused) AS paused FROM dunning.queue_status WHERE server = 'q_text';
SELECT dunning.resume('q_text');
SELECT dunning.resume('nosuch');
-- queue_work_is_for_operators
SET ROLE dunning_viewer;
SELECT count(*) > 0 AS may_look FROM dunning.queue_status;
SELECT * FROM dunning.send('q-s1', 'reminder-1');
SELECT dunning.pause('q_text');
RESET ROLE;
DROP SERVER q_mail;
DROP SERVER q_text;
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'q-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'q-%';

DELETE FROM dunning.queue WHERE debtor_id LIKE 'q-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'q-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'q-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'q-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'q-%';
