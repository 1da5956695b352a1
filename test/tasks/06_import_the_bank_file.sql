-- Yesterday's bank file is late: nobody is contacted on an old ledger. When it is in, all go on but those who have paid.
INSERT INTO billing.bill VALUES (601, 1012, '2026-05-15', '2026-06-04', 200, 'DKK'), (602, 1016, '2026-05-15', '2026-06-04', 300, 'DKK'), (603, 1024, '2026-05-15', '2026-06-04', 400, 'DKK');
SET dunning.clock = '2026-06-10 18:00+02';
SELECT count(*) FROM dunning.send('1012', 'reminder-1', 'email', not_before => '2026-06-11 09:00+02');
SELECT count(*) FROM dunning.send('1016', 'reminder-1', 'email', not_before => '2026-06-11 09:00+02');
SELECT count(*) FROM dunning.send('1024', 'reminder-1', 'email', not_before => '2026-06-11 09:00+02');
SET dunning.clock = '2026-06-11 12:00+02';
CALL dunning.deliver();
SELECT test.is_so('all are held as the ledger is stale', count(*) = 3 AND bool_and(state = 'held' AND 'ledger_stale' = ANY (blocked_by))) FROM dunning.queue WHERE debtor_id IN ('1012', '1016', '1024');
SELECT test.is_so('health says so', EXISTS (SELECT FROM dunning.health() WHERE item = 'ledger' AND state = 'fail'));
SET SESSION AUTHORIZATION clerk;
-- task
INSERT INTO billing.receipt VALUES (9601, 1016, '2026-06-10 12:00+02', 300, 'DKK', 602);
SELECT dunning.ledger_loaded('payment', '2026-06-11 12:00+02');
-- check
SELECT test.is_so('none is held any more', NOT EXISTS (SELECT FROM dunning.queue WHERE state = 'held' AND 'ledger_stale' = ANY (blocked_by)));
RESET SESSION AUTHORIZATION;
SET dunning.clock = '2026-06-11 12:30+02';
CALL dunning.deliver();
SELECT test.is_so('those who owe got theirs', count(*) = 2) FROM dunning.message_state WHERE state = 'sent' AND at > '2026-06-11 12:00+02' AND debtor_id IN ('1012', '1024');
SELECT test.is_so('who paid was not contacted', NOT EXISTS (SELECT FROM dunning.egress WHERE debtor_id = '1016' AND contact_on > '2026-06-10 18:00+02'));
SELECT test.is_so('and the message says why', (SELECT state = 'cancelled' AND reason IS NOT NULL FROM dunning.message_state WHERE debtor_id = '1016' ORDER BY at DESC LIMIT 1));
