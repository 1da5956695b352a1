-- The clerk's runs only propose. In the morning the manager looks at what is going to leave, takes one customer out and lets the others go.
ALTER DATABASE billing SET dunning.clock = '2026-06-22 09:00+02';
SET dunning.clock = '2026-06-22 09:00+02';
SELECT dunning.ledger_loaded('payment', '2026-06-22 09:00+02');
INSERT INTO billing.bill VALUES (901, 1002, '2026-05-01', '2026-06-16', 275, 'DKK'), (902, 1006, '2026-05-01', '2026-06-16', 130, 'DKK'), (903, 1010, '2026-05-01', '2026-06-16', 90, 'DKK'), (904, 1012, '2026-05-01', '2026-06-16', 95, 'DKK');
SELECT dunning._stop_messages(d.debtor_id, 'test') FROM (SELECT DISTINCT q.debtor_id FROM dunning.queue q) d;
UPDATE dunning.hold SET released_at = now() WHERE released_at IS NULL;
DELETE FROM dunning.once WHERE kind = 'step' AND debtor_id IN ('1002', '1006', '1010', '1012');
SELECT dunning.save_setting('four_eyes', 'true'), dunning.save_setting('plan_approval', 'true');
SET SESSION AUTHORIZATION clerk;
SELECT debtor_id, step, state FROM dunning.plan();
SELECT test.is_so('he may not approve his own run', count(*) > 1 AND NOT bool_or(may_approve)) FROM dunning.forewarning();
SET SESSION AUTHORIZATION manager;
-- task
SELECT debtor_id, name, amounts, channel, local_time, cost, blocked_by, subject, body_text FROM dunning.forewarning();
SELECT * FROM dunning.reject((SELECT run_id FROM dunning.plan_run ORDER BY started_at DESC LIMIT 1), 'she called this morning', only_debtors => '{1012}');
SELECT * FROM dunning.approve((SELECT run_id FROM dunning.plan_run ORDER BY started_at DESC LIMIT 1));
-- check
SELECT test.is_so('nothing waits any more', count(*) = 0) FROM dunning.forewarning();
SELECT test.is_so('one was taken out', count(*) = 1) FROM dunning.message_state s WHERE s.state = 'cancelled' AND s.reason = 'rejected by manager: she called this morning' AND s.debtor_id = '1012';
SELECT test.is_so('the others leave, approved by her', count(*) > 0 AND bool_and(s.reason = 'approved by manager')) FROM dunning.message_state s WHERE s.state = 'queued';
RESET SESSION AUTHORIZATION;
SELECT dunning.save_setting('four_eyes', NULL), dunning.save_setting('plan_approval', NULL);
