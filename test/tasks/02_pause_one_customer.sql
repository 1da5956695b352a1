-- Jens Holm has lost his job: nobody writes to him until the end of July.
SELECT count(*) AS queued FROM dunning.send('1002', 'reminder-1', not_before => '2026-06-15 09:00+02') \gset
SET SESSION AUTHORIZATION clerk;
-- task
SELECT * FROM dunning.hold('1002', 'hardship', until => '2026-07-31', note => 'lost his job');
-- check
SELECT test.is_so('his message is stopped', NOT EXISTS (SELECT FROM dunning.queue WHERE debtor_id = '1002'));
SELECT test.is_so('he may not be contacted in July', NOT allowed AND 'hold:hardship' = ANY (blocked_by)) FROM dunning.allowed('1002', 'email', '2026-07-29 10:00+02');
SELECT test.is_so('but in August', NOT 'hold:hardship' = ANY (blocked_by)) FROM dunning.allowed('1002', 'email', '2026-08-04 10:00+02');
SELECT test.is_so('explain says why', EXISTS (SELECT FROM dunning.explain('1002') WHERE topic = 'hold' AND item = 'hardship' AND detail ~ 'lost his job'));
SELECT test.is_so('nothing is planned for him', NOT EXISTS (SELECT FROM dunning.plan(dry_run => true) WHERE debtor_id = '1002' AND state = 'queued'));
SELECT test.is_so('another is not paused', NOT 'hold:hardship' = ANY (blocked_by)) FROM dunning.allowed('1005', 'email', '2026-07-29 10:00+02');
RESET SESSION AUTHORIZATION;
