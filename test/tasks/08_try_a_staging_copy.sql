-- A copy for trying things out: it sends nothing; told so, it sends all to one address.
CREATE DATABASE staging;
\! pg_dump -d billing | $PSQL -X -q -v ON_ERROR_STOP=1 -d staging
ALTER DATABASE staging SET dunning.clock = '2026-06-12 10:00+02';
\c staging
SELECT dunning.ledger_loaded('payment', '2026-06-12 09:00+02');
SELECT count(*) FROM dunning.send('1004', 'reminder-2', 'email');
SELECT count(*) AS before FROM dunning.egress \gset
\set ON_ERROR_STOP 0
CALL dunning.deliver();
\set ON_ERROR_STOP 1
SELECT test.is_so('the copy refuses to send', :'LAST_ERROR_SQLSTATE' = '55000');
SELECT test.is_so('and has sent nothing', count(*) = :before) FROM dunning.egress;
SELECT test.is_so('health says which part differs', EXISTS (SELECT FROM dunning.health() WHERE item = 'activation' AND state = 'fail' AND fix_sql IS NOT NULL));
-- task
ALTER DATABASE staging SET dunning.redirect_to = 'team@example.org';
\c staging
CALL dunning.deliver();
-- check
SELECT test.is_so('everything went to the one address', count(*) >= 1 AND bool_and(e.test AND e.address_digest = dunning._address_digest('team@example.org', e.channel)))
FROM dunning.egress e WHERE e.contact_on > '2026-06-11 20:00+02';
SELECT test.is_so('marked as a test', bool_and(f.file ->> 'text' LIKE '[TEST] %' AND f.file ->> 'address' = 'team@example.org'))
FROM dunning.egress e, LATERAL (SELECT pg_read_file(:'cluster' || '/spool/mail/' || e.message_id || '.json')::jsonb AS file) f WHERE e.contact_on > '2026-06-11 20:00+02';
SELECT test.is_so('it is no contact and costs nothing', coalesce(sum(messages), 0) = 0) FROM dunning.costs('2026-06-12', '2026-06-13');
SELECT test.is_so('health warns of it', EXISTS (SELECT FROM dunning.health() WHERE item = 'redirect' AND state = 'warn'));
\c billing
DROP DATABASE staging;
SELECT test.is_so('the original is as it was', NOT EXISTS (SELECT FROM dunning.egress e WHERE e.test));
