-- Ida Friis owes 5,350 since March and answers nobody: the agency is to have the case, with all that was said.
SET dunning.clock = '2026-07-02 10:00+02';
SELECT dunning.ledger_loaded('payment', '2026-07-02 09:00+02');
SET SESSION AUTHORIZATION manager;
-- task
SELECT handover_id, amounts FROM dunning.propose_handover('1006', 'agency', recipient => 'Inkasso Nord', commission_percent => 12) \gset
SELECT * FROM dunning.approve_handover(:'handover_id');
SELECT dunning.export_case('1006', 'to Inkasso Nord');
-- check
SELECT test.is_so('the case is the agency''s', state = 'approved' AND amounts = '{"DKK": 5350}') FROM dunning.handovers WHERE debtor_id = '1006';
SELECT test.is_so('nothing is asked for any more', dunning.conversation('1006') -> 'balances' = '[]');
SELECT test.is_so('nobody calls', NOT EXISTS (SELECT FROM dunning.worklist WHERE debtor_id = '1006' AND kind IN ('call', 'visit')));
SELECT test.is_so('no message waits and none can be sent', s.state = 'held' AND s.blocked_by @> '{hold:handed_over}') FROM dunning.send('1006', 'reminder-1', 'email', dry_run => true) s;
SELECT test.is_so('the history went along', jsonb_array_length(d -> 'messages') > 0 AND d #>> '{messages,0,text,body_text}' <> '' AND d #>> '{ledger,invoice,0,invoice_id}' IS NOT NULL)
FROM dunning.export_case('1006', 'a second look') d;
SELECT test.is_so('who took it is on record', count(*) = 2 AND bool_and(exported_by = 'manager')) FROM dunning.case_export WHERE debtor_id = '1006';
RESET SESSION AUTHORIZATION;
INSERT INTO billing.receipt VALUES (9801, 1006, '2026-07-03 12:00+02', 1000, 'DKK', 6);
SET dunning.clock = '2026-07-04 10:00+02';
SELECT test.is_so('the agency''s share of what came in is known', collected = '{"DKK": 1000}' AND commission = '{"DKK": 120.00}') FROM dunning.handovers WHERE debtor_id = '1006';
