-- deliver: what leaves first.
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
CREATE SERVER dt_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE USER MAPPING FOR dunning_worker SERVER dt_mail;
INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, time_zone, email)
SELECT 'dt-' || i, 'Name ' || i, 'Given ' || i, 'en', 'GB', 'Europe/London', 'dt' || i || '@example.org' FROM generate_series(1, 30) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference)
SELECT 'dt-' || i, 'I' || i, '2026-05-01', '2026-06-01', 100 + i, 'EUR', 'R' || i FROM generate_series(1, 30) i;
SET dunning.clock = '2026-06-22 10:00+01';
CREATE FUNCTION pg_temp.left_over() RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(substr(debtor_id, 4), ' ' ORDER BY outcome_id), 'nothing') FROM dunning.outcome WHERE debtor_id LIKE 'dt-%' $$;

-- a_higher_priority_leaves_before_what_has_waited_longer
SELECT count(*) AS waiting FROM generate_series(1, 20) i, dunning.send('dt-' || i, 'reminder-1', 'email');
SET dunning.clock = '2026-06-22 10:05+01';
SELECT count(*) AS waiting FROM (VALUES (21, 0), (22, 1), (23, 9), (24, 1)) p (i, priority), dunning.send('dt-' || p.i, 'reminder-1', 'email', priority => p.priority);
CALL dunning.deliver(max_messages => 1);
SELECT pg_temp.left_over() AS "left";
CALL dunning.deliver(max_messages => 4);
SELECT pg_temp.left_over() AS "left";
-- not_before_its_time
SELECT count(*) AS waiting FROM dunning.send('dt-25', 'reminder-1', 'email', priority => 9, not_before => '2026-06-22 11:00+01');
CALL dunning.deliver(max_messages => 1);
SELECT pg_temp.left_over() AS "left";
-- and_then_all
CALL dunning.deliver();
SELECT pg_temp.left_over() AS "left";
SET dunning.clock = '2026-06-22 11:00+01';
CALL dunning.deliver();
SELECT count(*) AS left_over FROM dunning.queue WHERE debtor_id LIKE 'dt-%';
-- a_priority_is_a_digit
SELECT * FROM dunning.send('dt-26', 'reminder-1', 'email', priority => 10);
SELECT * FROM dunning.send('dt-26', 'reminder-1', 'email', priority => -1);
SELECT * FROM dunning.send('dt-26', 'reminder-1', 'email', priority => NULL);

DELETE FROM dunning.message WHERE debtor_id LIKE 'dt-%';
DELETE FROM dunning.queue WHERE debtor_id LIKE 'dt-%';
DELETE FROM dunning.body WHERE debtor_id LIKE 'dt-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'dt-%';
DELETE FROM dunning.egress_head;
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'dt-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'dt-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'dt-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'dt-%';
DROP USER MAPPING FOR dunning_worker SERVER dt_mail;
DROP SERVER dt_mail;
SELECT dunning.deactivate();
ALTER SYSTEM RESET dunning.databases;
SELECT pg_reload_conf();
