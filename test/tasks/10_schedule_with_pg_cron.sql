-- Every night at 04:05, by Debian's pg_cron, as a member of dunning_operator.
CREATE EXTENSION pg_cron;
GRANT USAGE ON SCHEMA cron TO clerk;
ALTER DATABASE billing SET dunning.clock = '2026-06-18 10:00+02';
DELETE FROM dunning.run_step;
DELETE FROM dunning.run;
SET SESSION AUTHORIZATION clerk;
-- task
SELECT cron.schedule('dunning', '5 4 * * *', 'CALL dunning.daily()');
-- check
SELECT test.is_so('the job is the clerk''s', count(*) = 1) FROM cron.job WHERE jobname = 'dunning' AND username = 'clerk' AND database = 'billing';
-- The same job every minute, so that it can be seen to run.
SELECT cron.schedule('dunning', '* * * * *', 'CALL dunning.daily()');
RESET SESSION AUTHORIZATION;
\! "$TASKS/poll.sh" 130 billing "SELECT EXISTS (SELECT FROM dunning.run r WHERE r.state <> 'running') AND EXISTS (SELECT FROM cron.job_run_details d WHERE d.status IN ('succeeded', 'failed'))"
SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = 'dunning';
SELECT test.is_so('it ran as the clerk and did all its steps', bool_and(s.state = 'done') AND count(*) = 4 AND min(s.started_by) = 'clerk')
FROM (SELECT * FROM dunning.run_log ORDER BY started_at DESC LIMIT 4) s;
SELECT test.is_so('pg_cron took it for a success', EXISTS (SELECT FROM cron.job_run_details WHERE command = 'CALL dunning.daily()' AND status = 'succeeded'));
