-- What would the consumer strategy have done in May, compared with the one in use? Nothing is written for the answer.
SET SESSION AUTHORIZATION clerk;
CREATE TEMP TABLE before AS SELECT (SELECT count(*) FROM dunning.queue) AS queued, (SELECT max(m.message_id::text) FROM dunning.message m) AS newest;
-- task
SELECT * FROM dunning.compare_strategies('standard', 'consumer', '2026-05-01', '2026-05-31');
SELECT * FROM dunning.simulate('consumer', '2026-05-01', '2026-05-31');
-- check
SELECT test.is_so('a difference is told', c.contacts_a > 0 AND c.contacts_more = c.contacts_b - c.contacts_a) FROM dunning.compare_strategies('standard', 'consumer', '2026-05-01', '2026-05-31') c WHERE c.segment = '*' AND c.channel = '*';
SELECT test.is_so('nothing was written', b.queued = (SELECT count(*) FROM dunning.queue) AND b.newest = (SELECT max(m.message_id::text) FROM dunning.message m)) FROM before b;
RESET SESSION AUTHORIZATION;
