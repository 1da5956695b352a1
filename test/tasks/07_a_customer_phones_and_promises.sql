-- Mads Lund phones: he has read the mail and will pay 400 on the 26th. What does he owe, what did we write, and it is noted.
SELECT count(*) FROM dunning.send('1005', 'reminder-1', 'email', not_before => '2026-06-11 09:00+02');
SET SESSION AUTHORIZATION clerk;
-- task
SELECT jsonb_pretty(dunning.conversation('1005'));
SELECT * FROM dunning.record_event('called_in', '1005', detail => '{"text": "pays when his wages come"}');
SELECT * FROM dunning.promise('1005', 400, 'DKK', '2026-06-26');
-- check
SELECT test.is_so('the call shows what he owes and what he was told', c #>> '{balances,0,amount}' = '800' AND jsonb_array_length(c -> 'history') >= 3 AND c #>> '{promises,0,state}' = 'open')
FROM dunning.conversation('1005') c;
SELECT test.is_so('nothing waits for him', NOT EXISTS (SELECT FROM dunning.queue WHERE debtor_id = '1005'));
SELECT test.is_so('he is left alone until the day and some days of grace', 'hold:promise' = ANY (blocked_by)) FROM dunning.allowed('1005', 'email', '2026-06-29 10:00+02');
SELECT test.is_so('the worklist is not waiting for us', NOT EXISTS (SELECT FROM dunning.worklist WHERE debtor_id = '1005'));
SELECT test.is_so('the promise is open', state = 'open') FROM dunning.promise_state WHERE debtor_id = '1005';
RESET SESSION AUTHORIZATION;
SET dunning.clock = '2026-07-02 10:00+02';
SELECT test.is_so('unkept it is broken', state = 'broken') FROM dunning.promise_state WHERE debtor_id = '1005';
SELECT count(*) FROM dunning.maintain();
SELECT test.is_so('and stands on the worklist', EXISTS (SELECT FROM dunning.worklist WHERE debtor_id = '1005' AND kind = 'broken_promise'));
INSERT INTO billing.receipt VALUES (9701, 1005, '2026-06-25 12:00+02', 400, 'DKK', 5);
SELECT test.is_so('kept where the money came in time', state = 'kept') FROM dunning.promise_state WHERE debtor_id = '1005';
