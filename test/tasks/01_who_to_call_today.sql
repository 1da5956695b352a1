-- Who is to be called today, and what to say? The next one is taken, called and done.
SET SESSION AUTHORIZATION clerk;
-- task
SELECT rank, debtor_id, name, phone, amounts, days_past_due, script, task_id FROM dunning.worklist WHERE kind = 'call' AND allowed_now ORDER BY rank LIMIT 1 \gset
SELECT * FROM dunning.claim_task(:'task_id');
SELECT * FROM dunning.complete_task(:'task_id', 'no_answer', 'rang three times', next_at => '2026-06-12 10:00+02');
-- check
SELECT test.is_so('the one with the open call is called', :'debtor_id' = '1006' AND :'name' = 'Ida Friis' AND :'phone' = '+4520123406');
SELECT test.is_so('the script names her and the sum', :'script' ~ 'Ida' AND :'script' ~ '5\.350');
SELECT test.is_so('she is called again on Friday', (SELECT due_at = '2026-06-12 10:00+02' FROM dunning.worklist WHERE debtor_id = '1006' AND kind = 'call'));
RESET SESSION AUTHORIZATION;
SELECT test.is_so('the attempt is on record', EXISTS (SELECT FROM dunning.event WHERE debtor_id = '1006' AND kind = 'called' AND recorded_by = 'clerk'));
