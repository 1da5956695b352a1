-- govern: what health() says of the queue.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dunning;

-- few_dead_rows_are_nobodys_business (many: test/t/health.pl)
SELECT item, state, detail, fix_sql FROM dunning.health() WHERE item = 'dead rows';

-- the_age_of_the_backlog_is_that_of_what_has_been_due_for_longest
SET dunning.clock = '2026-06-10 10:00+00';
INSERT INTO dunning.queue (debtor_id, message_id, creditor, slice, state, due, server, channel)
SELECT 'gh-' || i, dunning._uuid7(), 'default', 0, 'queued', dunning._now() - i * interval '1 minute', 'none', 'email' FROM (VALUES (-5), (0), (3), (9)) v(i);
SELECT state, detail, fix_sql FROM dunning.health() WHERE item = 'backlog';
UPDATE dunning.queue SET due = due - interval '5 minutes' WHERE debtor_id = 'gh-9';
SELECT state, detail, fix_sql FROM dunning.health() WHERE item = 'backlog';
UPDATE dunning.queue SET due = due - interval '1 hour' WHERE debtor_id = 'gh-9';
SELECT state, detail FROM dunning.health() WHERE item = 'backlog';
DELETE FROM dunning.queue WHERE debtor_id LIKE 'gh-%';
RESET dunning.clock;
