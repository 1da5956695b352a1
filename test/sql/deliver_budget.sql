-- deliver: money at the way out. What no run planned is counted against the day's budgets on the day it leaves.
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
CREATE SERVER db_mail TYPE 'email' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock', verdict 'failed');
CREATE SERVER db_text TYPE 'sms' FOREIGN DATA WRAPPER dunning_gateway OPTIONS (driver 'mock');
CREATE USER MAPPING FOR dunning_worker SERVER db_mail;
CREATE USER MAPPING FOR dunning_worker SERVER db_text;
INSERT INTO dunning.debtor (debtor_id, name, given_name, language, country, time_zone, email, phone)
SELECT 'db-' || i, 'Name ' || i, 'Given ' || i, 'en', 'GB', 'Europe/London', 'db' || i || '@example.org', '+4477009008' || lpad(i::text, 2, '0') FROM generate_series(1, 20) i;
INSERT INTO dunning.invoice (debtor_id, invoice_id, issued_on, due_on, amount, currency, reference)
SELECT 'db-' || i, 'I' || i, '2026-05-01', '2026-06-01', 100 + i, 'EUR', 'R' || i FROM generate_series(1, 20) i;
SET dunning.clock = '2026-06-22 10:00+01';
SELECT dunning.set_cost('sms', 0.10, 'EUR');
CREATE FUNCTION pg_temp.b_look(lo int, hi int) RETURNS TABLE (debtor_id text, channel text, state text, reason text, blocked_by text[], due timestamptz, attempts bigint) LANGUAGE sql AS $$
SELECT s.debtor_id, m.channel, s.state, s.reason, q.blocked_by, q.due, (SELECT count(*) FROM dunning.egress e WHERE e.message_id = s.message_id)
FROM generate_series(lo, hi) i JOIN dunning.message_state s ON s.debtor_id = 'db-' || i JOIN dunning.message m USING (debtor_id, message_id)
LEFT JOIN dunning.queue q USING (debtor_id, message_id) ORDER BY i, m.message_id $$;
CREATE FUNCTION pg_temp.b_send(n int, via text) RETURNS text LANGUAGE sql AS $$ SELECT state FROM dunning.send('db-' || n, 'reminder-1', via) $$;

-- what_send_is_asked_for_leaves_as_long_as_the_days_money_lasts
SELECT dunning.set_budget(0.25, 'EUR');
SELECT pg_temp.b_send(i, 'sms') FROM generate_series(1, 4) i;
CALL dunning.deliver();
SELECT * FROM pg_temp.b_look(1, 4);
-- also_where_it_comes_in_another_batch
SELECT pg_temp.b_send(5, 'sms');
CALL dunning.deliver();
SELECT * FROM pg_temp.b_look(5, 5);
-- what_costs_nothing_leaves: and what failed goes on over a channel that costs only while there is money
INSERT INTO dunning.message SELECT dunning._uuid7(), 'db-6', 'default', gen_random_uuid(), 'standard', 'none', 'reminder-1', 'email', 'en', 'db_mail', dunning._now(), NULL, 'x', '{"EUR": 106}', 0, 'EUR',
    NULL, 0.5, 1, 1, false, NULL, m.context, '{"channels": ["email", "sms"]}', dunning._now(), 'test' FROM dunning.message m WHERE m.debtor_id = 'db-1';
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel)
SELECT debtor_id, message_id, creditor, dunning._slice(debtor_id), 'queued', contact_at, server, channel FROM dunning.message WHERE debtor_id = 'db-6';
CALL dunning.deliver();
CALL dunning.deliver();
SELECT * FROM pg_temp.b_look(6, 6);
-- what_a_run_planned_was_counted_then_and_is_not_asked_again
INSERT INTO dunning.message SELECT dunning._uuid7(), 'db-' || i, 'default', gen_random_uuid(), 'standard', 'none', 'reminder-1', 'sms', 'en', 'db_text', dunning._now(), NULL, 'x', '{"EUR": 106}', 0.10, 'EUR',
    NULL, 0.5, 1, 1, false, NULL, m.context, '{}', dunning._now() - (i - 7) * interval '1 day', 'test' FROM generate_series(7, 8) i, dunning.message m WHERE m.debtor_id = 'db-1';
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel)
SELECT debtor_id, message_id, creditor, dunning._slice(debtor_id), 'queued', contact_at, server, channel FROM dunning.message WHERE debtor_id IN ('db-7', 'db-8');
CALL dunning.deliver();
SELECT * FROM pg_temp.b_look(7, 8);
-- what_is_counted: two that left, and the one planned today
SELECT * FROM dunning._spent(dunning._now());
-- the_next_day_there_is_money_again: what was planned for it is counted, and what waits leaves in its order
SET dunning.clock = '2026-06-23 10:00+01';
SELECT dunning._release_held(due_until => dunning._now()) AS looked_at;
CALL dunning.deliver();
SELECT * FROM pg_temp.b_look(1, 6);
SELECT * FROM dunning._spent(dunning._now());
-- a_campaign_has_its_own_purse_and_send_belongs_to_none
SELECT dunning.set_budget(NULL, 'EUR'), dunning.set_budget(0, 'EUR', campaign => 'standard'), dunning.set_budget(5, 'SEK');
SELECT pg_temp.b_send(9, 'sms');
CALL dunning.deliver();
SELECT * FROM pg_temp.b_look(9, 9);
-- a_test_costs_no_budget
SELECT dunning.set_budget(0, 'EUR');
SELECT count(*) AS tests FROM dunning.send_test('reminder-1', 'db-10', 'sms', '+447700900999');
CALL dunning.deliver();
SELECT * FROM pg_temp.b_look(10, 10);

SELECT dunning.set_budget(NULL, 'EUR'), dunning.set_budget(NULL, 'EUR', campaign => 'standard'), dunning.set_budget(NULL, 'SEK');
DELETE FROM dunning.message WHERE debtor_id LIKE 'db-%';
DELETE FROM dunning.queue WHERE debtor_id LIKE 'db-%';
DELETE FROM dunning.body WHERE debtor_id LIKE 'db-%';
DELETE FROM dunning.egress WHERE debtor_id LIKE 'db-%';
DELETE FROM dunning.egress_head;
DELETE FROM dunning.outcome WHERE debtor_id LIKE 'db-%';
DELETE FROM dunning.once WHERE debtor_id LIKE 'db-%';
DELETE FROM dunning.invoice WHERE debtor_id LIKE 'db-%';
DELETE FROM dunning.debtor WHERE debtor_id LIKE 'db-%';
DROP USER MAPPING FOR dunning_worker SERVER db_mail;
DROP USER MAPPING FOR dunning_worker SERVER db_text;
DROP SERVER db_mail;
DROP SERVER db_text;
SELECT dunning.deactivate();
ALTER SYSTEM RESET dunning.databases;
SELECT pg_reload_conf();
