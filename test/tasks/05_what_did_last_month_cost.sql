-- What did May cost, and what came in?
SET SESSION AUTHORIZATION manager;
-- task
SELECT * FROM dunning.costs('2026-05-01', '2026-06-01');
-- check
CREATE TEMP TABLE may AS SELECT * FROM dunning.costs('2026-05-01', '2026-06-01');
SELECT test.is_so('two letters at 9.50', messages = 2 AND cost = 19.00 AND currency = 'DKK') FROM may WHERE channel = 'letter';
SELECT test.is_so('e-mail costs nothing', sum(cost) = 0 AND sum(messages) > 20) FROM may WHERE channel = 'email';
SELECT test.is_so('every channel used', array_agg(DISTINCT channel ORDER BY channel) = '{call,email,letter,sms}') FROM may WHERE messages > 0;
RESET SESSION AUTHORIZATION;
SELECT test.is_so('all that left in May, once', (SELECT sum(messages) FROM may) = (SELECT count(DISTINCT message_id) FROM dunning.egress WHERE contact_on >= '2026-05-01 00:00+02' AND contact_on < '2026-06-01 00:00+02'));
SELECT test.is_so('no payment is counted twice', (SELECT sum(collected_14d) FROM may WHERE currency = 'DKK') <= (SELECT sum(amount) FROM billing.receipt WHERE booked_at >= '2026-05-01' AND booked_at < '2026-06-15'));
SELECT test.is_so('something came in', (SELECT sum(collected_14d) > 0 FROM may));
