-- Anna Krogh is a teacher: no calls and texts while she is in class, and nothing at all before she is back from holiday.
SET SESSION AUTHORIZATION clerk;
-- task
SELECT * FROM dunning.save_contact_wish('1003', 'in-class', 'not Mon-Fri 08:00-15:00', channels => '{call,sms}');
SELECT * FROM dunning.save_contact_wish('1003', 'holiday', not_before => '2026-07-06');
-- check
SELECT test.is_so('not in class', 'quiet_hours' = ANY (blocked_by)) FROM dunning.allowed('1003', 'call', '2026-07-07 10:00+02');
SELECT test.is_so('after class', NOT 'quiet_hours' = ANY (blocked_by)) FROM dunning.allowed('1003', 'call', '2026-07-07 16:00+02');
SELECT test.is_so('an e-mail may come in class', NOT 'quiet_hours' = ANY (blocked_by)) FROM dunning.allowed('1003', 'email', '2026-07-07 10:00+02');
SELECT test.is_so('but none before she is back', 'quiet_hours' = ANY (blocked_by)) FROM dunning.allowed('1003', 'email', '2026-07-03 10:00+02');
SELECT test.is_so('it is said which wish it is', EXISTS (SELECT FROM dunning.closing_rules('1003', 'email', '2026-07-03 10:00+02', '2026-07-03 11:00+02') WHERE rule = 'wish:holiday' AND alone_share = 1));
SELECT test.is_so('another may be called', NOT 'quiet_hours' = ANY (blocked_by)) FROM dunning.allowed('1005', 'call', '2026-07-07 10:00+02');
RESET SESSION AUTHORIZATION;
