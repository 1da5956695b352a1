-- govern: keep the machinery in order.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET dunning.clock = '2026-06-10 10:00+00';
CREATE ROLE regress_dunning_op LOGIN IN ROLE dunning_operator;
INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, email, phone, address, attributes) VALUES
    ('GV-1', 'Canary Petersen', 'Canary', 'da', 'DK', 'canary@example.dk', '+4520999888', '{"street": "Canaryvej 7", "city": "Canaryby"}', '{"pet": "canary"}'),
    ('GV-2', 'Bo Berg', 'Bo', 'en', 'GB', 'bo@example.uk', NULL, NULL, NULL);
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference) VALUES
    ('GV-1', 'GV-I1', '2026-04-01', '2026-05-01', 620.25, 'DKK', 'GV-F-1'),
    ('GV-2', 'GV-I2', '2026-04-01', '2026-05-31', 300, 'GBP', 'GV-F-2');

-- maintain_says_what_it_did_and_doing_it_again_does_nothing
SET ROLE dunning_operator;
SELECT count(*) > 5 AS chores FROM dunning.maintain();
SELECT item, rows FROM dunning.maintain() WHERE rows > 0 AND item !~ 'refreshed';
RESET ROLE;
SELECT count(*) >= 12 AS three_months FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent IN ('dunning.message'::regclass, 'dunning.body'::regclass, 'dunning.egress'::regclass, 'dunning.outcome'::regclass);

-- a_month_past_its_retention_is_dropped_and_leaves_the_last_link_of_each_chain
SELECT dunning._ensure_partitions('2020-01-15') AS made;
INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
SELECT dunning._uuid7_floor('2020-01-20'), n, 'GV-1', 'default', 'sms', 'gv', '\x00', '{}', '\x00', 1, 'x', 0, 'EUR', '2020-01-20', '2020-01-20', 63, n, '\x00', ('\x0' || n)::bytea FROM generate_series(1, 3) n;
INSERT INTO dunning.event VALUES ('GV-1', dunning._uuid7(), 'default', 'opened', '2020-01-21', NULL, '{}', NULL, '2020-01-21', 'x');
SELECT item, rows FROM dunning.maintain() WHERE rows > 0 AND item !~ 'refreshed';
SELECT slice, seq, digest FROM dunning.egress_anchor WHERE slice = 63;
SELECT to_regclass('dunning.egress_y2020m01') AS gone;
DELETE FROM dunning.egress_anchor WHERE slice = 63 AND seq = 3 AND digest = '\x03';

-- a_chain_holds_though_messages_of_two_months_were_sent_in_turn_and_each_month_goes
SELECT dunning._ensure_partitions('2020-01-15') + dunning._ensure_partitions('2020-02-15') AS made;
DO $$
DECLARE
    before bytea := decode(repeat('00', 32), 'hex');
    id uuid;
    own bytea;
BEGIN
    FOR n IN 1 .. 6 LOOP
        id := dunning._uuid7_floor(CASE WHEN n IN (1, 2, 4) THEN '2020-01-20'::timestamptz ELSE '2020-02-03' END + n * interval '1 minute');
        own := dunning._egress_digest(before, 62::smallint, n::bigint, id, 1::smallint, 'GV-1', 'default', 'sms', 'gv', '\x00', '{}', '\x00', 1, 'x', false, 0, 'EUR', '2020-02-04', '2020-02-04', NULL);
        INSERT INTO dunning.egress (message_id, attempt, debtor_id, creditor, channel, server, address_digest, fields, body_digest, bytes, reason, cost, cost_currency, at, contact_on, slice, seq, prev, digest)
        VALUES (id, 1, 'GV-1', 'default', 'sms', 'gv', '\x00', '{}', '\x00', 1, 'x', 0, 'EUR', '2020-02-04', '2020-02-04', 62, n, before, own);
        before := own;
    END LOOP;
    INSERT INTO dunning.egress_head (slice, seq, digest) VALUES (62, 6, before);
END $$;
SELECT links, ok, broken_at, detail FROM dunning.verify_egress() WHERE slice = 62;
SELECT dunning._drop_old_months('2020-02-01') AS january;
SELECT from_seq, seq FROM dunning.egress_anchor WHERE slice = 62 ORDER BY seq;
SELECT links, ok, broken_at, detail FROM dunning.verify_egress() WHERE slice = 62;
BEGIN;
DELETE FROM dunning.egress WHERE slice = 62 AND seq = 3;
SELECT links, ok, broken_at, detail FROM dunning.verify_egress() WHERE slice = 62;
ROLLBACK;
BEGIN;
DELETE FROM dunning.egress_anchor WHERE slice = 62 AND seq = 2;
SELECT links, ok, broken_at, detail FROM dunning.verify_egress() WHERE slice = 62;
ROLLBACK;
BEGIN;
DELETE FROM dunning.egress WHERE slice = 62 AND seq = 6;
SELECT links, ok, broken_at, detail FROM dunning.verify_egress() WHERE slice = 62;
ROLLBACK;
SELECT dunning._drop_old_months('2020-03-01') AS february;
SELECT from_seq, seq FROM dunning.egress_anchor WHERE slice = 62 ORDER BY seq;
SELECT links, ok, broken_at, detail FROM dunning.verify_egress() WHERE slice = 62;
BEGIN;
DELETE FROM dunning.egress_anchor WHERE slice = 62;
SELECT links, ok, broken_at, detail FROM dunning.verify_egress() WHERE slice = 62;
ROLLBACK;
DELETE FROM dunning.egress_anchor WHERE slice = 62;
DELETE FROM dunning.egress_head WHERE slice = 62;

-- daily_runs_as_operator_commits_each_step_and_logs_it
SET SESSION AUTHORIZATION regress_dunning_op;
CALL dunning.daily();
SELECT position, step, state, run_state, started_by FROM dunning.run_log WHERE run_id = (SELECT run_id FROM dunning.run_log ORDER BY started_at DESC, run_id DESC LIMIT 1);
CALL dunning.daily('no_such');
BEGIN;
CALL dunning.daily();
ROLLBACK;
RESET SESSION AUTHORIZATION;

-- a_viewer_may_not_run_it
SET ROLE dunning_viewer;
CALL dunning.daily();
RESET ROLE;

-- one_run_at_a_time_and_one_that_died_is_gone_on_with
SELECT dunning._run_begin(NULL, pg_backend_pid()) AS run \gset
SELECT dunning._run_step(:'run', 'refresh', pg_backend_pid());
\set VERBOSITY terse
SELECT dunning._run_begin(NULL, -1);
\set VERBOSITY default
UPDATE dunning.run SET pid = -2 WHERE run_id = :'run';
SELECT dunning._run_begin(NULL, pg_backend_pid()) = :'run' AS the_same_run;
SELECT dunning._run_step(:'run', 'refresh', -2);
SELECT finished_at AS first_time FROM dunning.run_step WHERE run_id = :'run' AND step = 'refresh' \gset
CALL dunning.daily();
SELECT step, state, finished_at = :'first_time' AS done_before FROM dunning.run_log WHERE run_id = :'run';

-- a_failing_step_is_told_at_the_end_and_keeps_no_other_from_its_work
CREATE TABLE dunning.score_fresh ();
CALL dunning.daily();
DROP TABLE dunning.score_fresh;
SELECT step, state, detail ~ '^42P07' AS why FROM dunning.run_log WHERE run_id = (SELECT run_id FROM dunning.run_log ORDER BY started_at DESC, run_id DESC LIMIT 1);

-- a_daily_run_of_one_creditor_plans_for_its_debtors_alone
INSERT INTO dunning.creditor (creditor, name) VALUES ('gv-south', 'South');
UPDATE dunning.debtor SET creditor = 'gv-south' WHERE debtor_id = 'GV-2';
CALL dunning.daily('gv-south');
SELECT step, state FROM dunning.run_log WHERE creditor = 'gv-south';

-- health_names_what_is_not_well_and_how_it_is_mended
CREATE SERVER gv TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'smtp', url 'smtp://mail.example.org', "from" 'a@example.org');
CREATE USER MAPPING FOR dunning_worker SERVER gv OPTIONS (username 'u', secret_file 'gone.secret');
SET dunning.redirect_to = 'team@example.org';
SET ROLE dunning_viewer;
SELECT item, state, detail, fix_sql FROM dunning.health()
WHERE item IN ('clock', 'redirect', 'role dunning_owner', 'role dunning_worker', 'ledger', 'backlog', 'partitions', 'templates');
SELECT item, state, fix_sql IS NOT NULL AS fix FROM dunning.health() WHERE item IN ('activation', 'server gv', 'channel letter', 'daily run');
SELECT DISTINCT state FROM dunning.health() WHERE state NOT IN ('ok', 'warn', 'fail');
RESET ROLE;
RESET dunning.redirect_to;
DROP USER MAPPING FOR dunning_worker SERVER gv;
DROP SERVER gv;

-- export_has_every_row_that_is_kept
SELECT * FROM (SELECT dunning._uuid7() AS id) x \gset
INSERT INTO dunning.message (message_id, debtor_id, creditor, strategy, step, template, channel, language, server, contact_at, local_time, amounts, cost, cost_currency, context, decision, created_at, created_by)
VALUES (:'id', 'GV-1', 'default', 'standard', 'reminder-1', 'reminder-1', 'email', 'da', 'gv', dunning._now(), 'x', '{"DKK": 620.25}', 0, 'EUR', '{"name": "Canary Petersen"}', '{"who": "Canary"}', dunning._now(), 'test');
INSERT INTO dunning.body VALUES (:'id', 'GV-1', 'default', 'old.canary@example.dk', 'Kære Canary', 'Kære Canary', '<p>Canary', dunning._now());
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel) VALUES ('GV-1', :'id', 'default', 0, 'queued', dunning._now(), 'gv', 'email');
SELECT recorded FROM dunning.record_event('replied', 'GV-1', detail => '{"text": "I am Canary", "address": "canary@example.dk"}', event_key => 'from canary');
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel) VALUES ('GV-1', :'id', 'default', 0, 'queued', dunning._now(), 'gv', 'email');
SELECT count(*) FROM dunning.hold('GV-1', 'hardship', note => 'Canary lost a job');
SELECT count(*) FROM dunning.complete_task((SELECT task_id FROM dunning.task WHERE debtor_id = 'GV-1'), 'done', 'spoke with Canary');
SET ROLE dunning_operator;
SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(dunning.export('GV-1') -> 'kept') k WHERE k NOT IN ('score_result');
SELECT jsonb_array_length(e #> '{ledger,invoice}') AS invoices, e #>> '{ledger,debtor,0,name}' AS name FROM dunning.export('GV-1') e;
SELECT dunning.export('GV-nobody');
SELECT dunning.forget('GV-1');
RESET ROLE;

-- forgetting_leaves_no_trace_of_the_person_and_keeps_the_address_suppressed
CREATE FUNCTION pg_temp.traces(canary text) RETURNS TABLE (place text, n bigint) LANGUAGE plpgsql AS $$
DECLARE t record;
BEGIN
    FOR t IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'dunning'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition LOOP
        EXECUTE format('SELECT %L, count(*) FROM dunning.%I x WHERE x::text ~* $1', t.relname, t.relname) INTO place, n USING canary;
        IF n > 0 THEN RETURN NEXT; END IF;
    END LOOP;
END $$;
SELECT place, n > 0 AS found FROM pg_temp.traces('canary') ORDER BY place COLLATE "C";
SET ROLE dunning_admin;
SELECT * FROM dunning.forget('GV-1') WHERE item !~ 'score' ORDER BY item COLLATE "C";
SELECT dunning.forget(NULL);
RESET ROLE;
SELECT * FROM pg_temp.traces('canary');
SELECT state, reason FROM dunning.message_state WHERE message_id = :'id';
SELECT reason, note, until_at, released_at IS NULL AS standing FROM dunning.hold WHERE debtor_id = 'GV-1' AND released_at IS NULL ORDER BY reason;
UPDATE dunning.debtor SET name = 'Again', email = 'OLD.canary@example.dk', phone = '+45 20 99 98 88' WHERE debtor_id = 'GV-1';
SELECT c.channel, a.allowed, a.blocked_by FROM unnest(ARRAY['email', 'sms']) AS c (channel), dunning.allowed('GV-1', c.channel, '2026-06-11 10:00+00') a ORDER BY 1;
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel) VALUES ('GV-1', :'id', 'default', 0, 'sending', dunning._now(), 'gv', 'email');
SELECT * FROM dunning.forget('GV-1');

DELETE FROM dunning.body WHERE debtor_id LIKE 'GV-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'GV-%';
DELETE FROM dunning.queue WHERE debtor_id LIKE 'GV-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'GV-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'GV-%';
DELETE FROM dunning.event WHERE debtor_id LIKE 'GV-%';
DELETE FROM dunning.task WHERE debtor_id LIKE 'GV-%';
DELETE FROM dunning.hold WHERE debtor_id LIKE 'GV-%';
DELETE FROM dunning.suppression WHERE reason = 'forgotten';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'GV-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'GV-%';
DELETE FROM dunning.creditor WHERE creditor = 'gv-south';
DELETE FROM dunning.run_step;
DELETE FROM dunning.run;
DROP ROLE regress_dunning_op;
RESET dunning.clock;
