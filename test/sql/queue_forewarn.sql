-- queue: what is going to leave, looked at and decided by somebody else than planned it.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;
SET dunning.timezone = 'Europe/Copenhagen';
SET dunning.clock = '2026-03-10 09:00+00';
CREATE SERVER w_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE SERVER w_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE ROLE w_anna LOGIN;
CREATE ROLE w_bo LOGIN;
GRANT dunning_operator TO w_anna, w_bo;
CREATE FUNCTION pg_temp.w_owes(id text, days int, amount numeric, language text DEFAULT 'en') RETURNS void LANGUAGE sql AS $$
INSERT INTO dunning.debtor (debtor_id, name, given_name, country, time_zone, language, email) VALUES (id, 'Debtor ' || id, id, 'DK', 'Europe/Copenhagen', language, id || '@example.test');
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency) VALUES (id, 'N-' || id, dunning._today(NULL) - days - 30, dunning._today(NULL) - days, amount, 'EUR') $$;
CREATE FUNCTION pg_temp.w_run() RETURNS uuid LANGUAGE sql AS $$ SELECT r.run_id FROM dunning.plan_run r ORDER BY r.run_id DESC LIMIT 1 $$;
-- an error without the run's key
CREATE FUNCTION pg_temp.w_try(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text;
BEGIN
    EXECUTE command;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN regexp_replace(concat_ws(' | ', SQLSTATE, SQLERRM, nullif(d, ''), nullif(h, '')), '[0-9a-f]{8}-[-0-9a-f]{27}', 'KEY', 'g');
END $$;
GRANT EXECUTE ON FUNCTION pg_temp.w_run(), pg_temp.w_try(text) TO PUBLIC;
SELECT count(*) FROM (SELECT pg_temp.w_owes('w-1', 6, 100), pg_temp.w_owes('w-2', 6, 200, 'de'), pg_temp.w_owes('w-3', 6, 300), pg_temp.w_owes('w-4', 6, 400), pg_temp.w_owes('w-5', 6, 500)) x;

-- a_forewarning_shows_whom_what_how_when_at_what_cost_and_in_which_words
SET SESSION AUTHORIZATION w_anna;
SELECT debtor_id, step, state FROM dunning.plan('standard', approve => true) WHERE debtor_id LIKE 'w-%' ORDER BY 1;
SELECT run_id AS run FROM dunning.plan_run ORDER BY run_id DESC LIMIT 1 \gset
SELECT planned_by, debtor_id, name, of_creditor, step, channel, local_time, amounts, cost, cost_currency, state, blocked_by, subject, left(body_text, 40) AS text, warnings, may_approve
FROM dunning.forewarning() WHERE debtor_id IN ('w-1', 'w-2');
SELECT count(*) FROM dunning.forewarning(until => '2026-03-10 08:00+00');
SELECT count(*) FROM dunning.forewarning(creditor => 'default', run_id => :'run') WHERE not_after > contact_at;
-- and what would stop it by now
RESET SESSION AUTHORIZATION;
INSERT INTO dunning.payment (debtor_id, payment_id, paid_at, amount, currency) VALUES ('w-5', 'w-5p', '2026-03-10 09:00+00', 100, 'EUR');
SELECT debtor_id, blocked_by FROM dunning.forewarning() WHERE blocked_by IS NOT NULL;

-- with_four_eyes_who_planned_a_run_may_reject_but_not_approve_it
SELECT dunning.save_setting('four_eyes', 'true');
SET SESSION AUTHORIZATION w_anna;
SELECT DISTINCT may_approve FROM dunning.forewarning();
SELECT pg_temp.w_try(format('SELECT * FROM dunning.approve(%L)', :'run'));
SELECT debtor_id, state, reason FROM dunning.reject(:'run', 'she is in hospital', only_debtors => '{w-2}');
SELECT DISTINCT state FROM dunning.forewarning();
SET SESSION AUTHORIZATION w_bo;
SELECT DISTINCT may_approve FROM dunning.forewarning();

-- some_are_approved_and_the_others_wait_on_with_the_name_of_who_did_it
SELECT debtor_id, state, reason FROM dunning.approve(:'run', only_debtors => '{w-1}');
SELECT debtor_id, state, may_approve FROM dunning.forewarning(states => '{proposed,queued}') ORDER BY 1;
SELECT pg_temp.w_try(format('SELECT * FROM dunning.approve(%L, only_debtors => ''{w-1,w-nobody}'')', :'run'));
SELECT debtor_id, state FROM dunning.approve(:'run', except_debtors => '{w-3}') ORDER BY 1;
SELECT debtor_id, state, reason FROM dunning.message_state WHERE debtor_id LIKE 'w-%' ORDER BY 1;
SELECT approved_by, rejected_at FROM dunning.plan_run WHERE run_id = :'run';
SELECT debtor_id, attempt, state, reason FROM dunning.outcome WHERE debtor_id LIKE 'w-%' ORDER BY 1, outcome_id;
SELECT count(*) FROM dunning.approve(:'run');
-- what was approved leaves as ever: its attempt is the first
RESET SESSION AUTHORIZATION;
SELECT s.state FROM dunning.queue q, LATERAL dunning._settle(ARRAY[q.debtor_id]::text[], ARRAY[q.message_id], '{1}', '{sent}', '{test}', '{NULL}', '{NULL}', '{NULL}') s WHERE q.debtor_id = 'w-1';
SELECT state, reason FROM dunning.message_state WHERE debtor_id = 'w-1';

-- where_every_run_needs_approval_none_is_queued_by_itself
SELECT dunning.save_setting('plan_approval', 'true');
SET SESSION AUTHORIZATION w_bo;
SELECT debtor_id, state FROM dunning.plan('standard') WHERE debtor_id LIKE 'w-%' ORDER BY 1;
SELECT debtor_id, planned_by, may_approve FROM dunning.forewarning() ORDER BY 1;
SELECT debtor_id, state, reason FROM dunning.reject(pg_temp.w_run());
SELECT rejected_at IS NOT NULL AS rejected FROM dunning.plan_run WHERE run_id = pg_temp.w_run();
RESET SESSION AUTHORIZATION;
SELECT dunning.save_setting('plan_approval', NULL), dunning.save_setting('four_eyes', NULL);
-- without four_eyes one person is enough
SELECT debtor_id, state FROM dunning.plan('standard', approve => true) WHERE debtor_id LIKE 'w-%' ORDER BY 1;
SELECT debtor_id, state FROM dunning.approve(pg_temp.w_run());

-- a_proposal_whose_text_cannot_be_made_any_more_says_so_and_keeps_no_other_from_being_seen
SELECT dunning._stop_messages(d, 'test') FROM unnest('{w-2,w-3,w-4,w-5}'::text[]) d;
SELECT debtor_id, state FROM dunning.plan('standard', approve => true) WHERE debtor_id LIKE 'w-%' ORDER BY 1;
UPDATE dunning.message SET template = 'gone' WHERE debtor_id = 'w-4' AND run_id = pg_temp.w_run();
SELECT debtor_id, subject IS NULL AS no_text, warnings FROM dunning.forewarning() WHERE debtor_id IN ('w-3', 'w-4') ORDER BY 1;

-- what_is_asked_wrongly_is_refused_with_what_can_be_asked
SELECT * FROM dunning.forewarning(states => '{sent}');
SELECT * FROM dunning.forewarning(states => '{}');
SELECT * FROM dunning.forewarning(creditor => 'nobody');
SELECT pg_temp.w_try('SELECT * FROM dunning.forewarning(run_id => ''00000000-0000-7000-8000-000000000000'')');
SELECT pg_temp.w_try('SELECT * FROM dunning.reject(''00000000-0000-7000-8000-000000000000'')');
SELECT r, has_function_privilege(r, 'dunning.forewarning(timestamptz, text, uuid, text[])', 'execute') AS look, has_function_privilege(r, 'dunning.approve(uuid, text[], text[])', 'execute') AS approve
FROM unnest('{dunning_viewer,dunning_operator,dunning_worker}'::text[]) r;

DELETE FROM dunning.queue WHERE debtor_id LIKE 'w-%';
DELETE FROM dunning.message WHERE debtor_id LIKE 'w-%';
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'w-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'w-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'w-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'w-%';
DELETE FROM dunning.payment WHERE debtor_id LIKE 'w-%';
DELETE FROM dunning.plan_run;
DROP SERVER w_mail;
DROP SERVER w_text;
DROP ROLE w_anna, w_bo;
RESET dunning.clock;
RESET dunning.timezone;
